// Package mail writes and sends what tenant-manager tells people by mail:
// invitations, links for new passwords, and notices about their accounts. It
// knows nothing of requests.
package mail

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	text "text/template"
	"time"
)

// The kinds of letters.
const (
	Invitation      = "invitation"
	PasswordLink    = "password-link"
	PasswordChanged = "password-changed"
	FactorAdded     = "factor-added"
	FactorsReset    = "factors-reset"
	TokenEnds       = "token-ends"
	Impersonated    = "impersonated"
	Test            = "test"
)

// Languages are those that letters are written in; the first is the default.
func Languages() []string { return []string{"en", "de", "ko"} }

// Data is what goes into a letter. Link is a secret.
type Data struct {
	// Name is whom it is to, "" where that is not known; Organization the name of
	// the organization.
	Name         string `json:"name,omitempty"`
	Organization string `json:"organization"`
	// Link is where it leads, Until when that ends.
	Link  string    `json:"link,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// At is when it happened, Factor the name of the second factor it is about.
	At     time.Time `json:"at,omitzero"`
	Factor string    `json:"factor,omitempty"`
	// Token is the name of the token it is about, which ends at Until.
	Token string `json:"token,omitempty"`
	// By is the name of who did it, and Reason what they gave for a reason.
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Letter is a letter that is written.
type Letter struct {
	Subject, Text, HTML string
}

type words struct {
	Subject string   `json:"subject"`
	Text    []string `json:"text"`
	Action  string   `json:"action"`
	Until   string   `json:"until"`
}

//go:embed texts/*.json
var files embed.FS

// page is made to be read by mail programs, which know little of CSS.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;color:#1d2430;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d9dde3;border-radius:8px">
<p style="margin:0 0 16px;font-weight:600">{{.Organization}}</p>
<p style="margin:0 0 16px">{{.Greeting}}</p>
{{range .Lines}}<p style="margin:0 0 16px">{{.}}</p>
{{end}}{{if .Link}}<p style="margin:0 0 16px"><a href="{{.Link}}" style="display:inline-block;padding:10px 16px;background:#1f5fbf;color:#ffffff;border-radius:6px;text-decoration:none">{{.Action}}</a></p>
<p style="margin:0 0 16px;word-break:break-all;color:#4a5361">{{.Link}}</p>
<p style="margin:0 0 16px">{{.Until}}</p>
{{end}}</div>
<p style="max-width:560px;margin:16px auto 0;color:#4a5361;font-size:13px">{{.Footer}}</p>
</body></html>
`))

// shown is the data as texts have it.
type shown struct{ Name, Organization, Until, At, Factor, Token, By, Reason string }

// Write writes a letter of a kind in a language; an unknown language is the
// default.
func Write(kind, language string, d Data) (Letter, error) {
	if !slices.Contains(Languages(), language) {
		language = Languages()[0]
	}
	raw, err := files.ReadFile("texts/" + language + ".json")
	if err != nil {
		return Letter{}, fmt.Errorf("reading the texts of mail: %w", err)
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &all); err != nil {
		return Letter{}, fmt.Errorf("reading the texts of mail: %w", err)
	}
	var (
		w                          words
		greeting, stranger, footer string
	)
	for key, into := range map[string]any{kind: &w, "greeting": &greeting, "stranger": &stranger, "footer": &footer} {
		if all[key] == nil {
			return Letter{}, fmt.Errorf("there is no letter %q", key)
		}
		if err := json.Unmarshal(all[key], into); err != nil {
			return Letter{}, fmt.Errorf("reading the texts of mail: %w", err)
		}
	}
	s := shown{Name: line(d.Name), Organization: line(d.Organization), Until: when(d.Until), At: when(d.At), Factor: line(d.Factor), Token: line(d.Token), By: line(d.By), Reason: line(d.Reason)}
	if s.Name == "" {
		greeting = stranger
	}
	fill := func(in string) string {
		if err != nil {
			return ""
		}
		var t *text.Template
		if t, err = text.New("line").Option("missingkey=error").Parse(in); err != nil {
			return ""
		}
		var b bytes.Buffer
		err = t.Execute(&b, s)
		return b.String()
	}
	out := Letter{Subject: fill(w.Subject)}
	p := struct {
		Language, Subject, Organization, Greeting, Link, Action, Until, Footer string
		Lines                                                                  []string
	}{language, out.Subject, s.Organization, fill(greeting), d.Link, fill(w.Action), fill(w.Until), fill(footer), nil}
	for _, l := range w.Text {
		p.Lines = append(p.Lines, fill(l))
	}
	if err != nil {
		return Letter{}, fmt.Errorf("writing a letter: %w", err)
	}
	parts := append([]string{p.Greeting}, p.Lines...)
	if d.Link != "" {
		parts = append(parts, d.Link, p.Until)
	}
	out.Text = strings.Join(append(parts, "-- \r\n"+p.Footer), "\r\n\r\n") + "\r\n"
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return Letter{}, fmt.Errorf("writing a letter: %w", err)
	}
	out.HTML = b.String()
	return out, nil
}

// line returns text without what would break a line, and bounded: names are
// chosen by others.
func line(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)), " ")
	const most = 120
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
