package brand

import (
	"fmt"
	"net/mail"
	"net/url"
	"strings"

	"golang.org/x/text/language"
)

// Text is what the pages say in one language.
type Text struct {
	// Language is a tag of BCP 47.
	Language string `json:"language"`
	// Welcome stands above the sign-in.
	Welcome string `json:"welcome,omitempty"`
	// HelpLabel and HelpURL are a link for who cannot sign in, TermsURL and
	// PrivacyURL stand below every page.
	HelpLabel  string `json:"helpLabel,omitempty"`
	HelpURL    string `json:"helpUrl,omitempty"`
	TermsURL   string `json:"termsUrl,omitempty"`
	PrivacyURL string `json:"privacyUrl,omitempty"`
}

// Language returns a tag of BCP 47 as it is written, such as pt-BR for PT-br. The
// error says what is wrong.
func Language(tag string) (string, error) {
	t, err := language.Parse(strings.TrimSpace(tag))
	if err != nil || t.IsRoot() || len(t.String()) > 35 {
		return "", fmt.Errorf("%q is no language: use a tag such as en, de, ko or pt-BR (BCP 47)", tag)
	}
	return t.String(), nil
}

// Link checks a link of a page: of HTTP, or, where mails is true, to an address.
// "" is none.
func Link(link string, mails bool) error {
	if link == "" {
		return nil
	}
	u, err := url.Parse(link)
	switch {
	case err != nil || strings.ContainsAny(link, " \t\r\n\"<>\\"):
	case (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil:
		return nil
	case mails && u.Scheme == "mailto":
		if a, err := mail.ParseAddress(u.Opaque); err == nil && a.Address == u.Opaque {
			return nil
		}
	}
	if mails {
		return fmt.Errorf("use an address such as https://help.example.com or mailto:help@example.com")
	}
	return fmt.Errorf("use an address such as https://example.com/terms")
}

// Best returns which of the languages somebody reads, of those there are: the
// wanted in their order, as they are or as a relative of theirs; ok is false where
// there is none.
func Best(wanted []string, there []string) (string, bool) {
	tags := make([]language.Tag, 0, len(there))
	known := make([]string, 0, len(there))
	for _, t := range there {
		if tag, err := language.Parse(t); err == nil {
			tags, known = append(tags, tag), append(known, t)
		}
	}
	if len(tags) == 0 {
		return "", false
	}
	m := language.NewMatcher(tags)
	for _, w := range wanted {
		tag, err := language.Parse(w)
		if err != nil {
			continue
		}
		if _, i, sure := m.Match(tag); sure >= language.High {
			return known[i], true
		}
	}
	return "", false
}
