package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
)

// Gatehouse's own words are such as everybody could write.
func TestBuiltInLettersFit(t *testing.T) {
	t.Parallel()
	kinds, err := mail.Kinds()
	require.NoError(t, err)
	require.Contains(t, kinds, mail.Invitation)
	require.NotContains(t, kinds, mail.Test)
	for _, kind := range kinds {
		link, err := mail.HasLink(kind)
		require.NoError(t, err)
		for _, language := range mail.Languages() {
			w, ok, err := mail.BuiltIn(kind, language)
			require.NoError(t, err)
			require.True(t, ok, "%s in %s", kind, language)
			faults, err := mail.Check(kind, w)
			require.NoError(t, err)
			require.Empty(t, faults, "%s in %s", kind, language)
			require.Equal(t, link, w.Action != "", "%s in %s", kind, language)
		}
	}
}

func TestWordsAreChecked(t *testing.T) {
	t.Parallel()
	good := mail.Words{Subject: "x", Greeting: "Hi {{ name }}", Body: "{{token}} ends {{until}}"}
	for _, c := range []struct {
		kind   string
		change func(w *mail.Words)
		field  string
		says   string
	}{
		{"token-ends", func(*mail.Words) {}, "", ""},
		{"token-ends", func(w *mail.Words) { w.Body = "It ends on {{until}}" }, "body", "{{token}}"},
		{"token-ends", func(w *mail.Words) { w.Subject = "{{token}}"; w.Body = "It ends on {{until}}" }, "", ""},
		{"token-ends", func(w *mail.Words) { w.Subject = "" }, "subject", "needs it"},
		{"token-ends", func(w *mail.Words) { w.Greeting = "Hi {{link}}" }, "greeting", "no placeholder {{link}}"},
		{"token-ends", func(w *mail.Words) { w.Greeting = "Hi {{.Name}}" }, "greeting", "no placeholder {{.Name}}"},
		{"token-ends", func(w *mail.Words) { w.Body += `{{printf "%s" token}}` }, "body", "no placeholder {{printf"},
		{"token-ends", func(w *mail.Words) { w.Body += "{{#token}}" }, "body", "{{#token}}"},
		{"token-ends", func(w *mail.Words) { w.Body += "{{name" }, "body", "does not end"},
		{"token-ends", func(w *mail.Words) { w.Body += "{{{name}}}" }, "", ""},
		{"invitation", func(w *mail.Words) { w.Body = "x" }, "action", "needs it"},
		{"invitation", func(w *mail.Words) { w.Body = "x"; w.Action = "Come" }, "", ""},
	} {
		w := good
		c.change(&w)
		faults, err := mail.Check(c.kind, w)
		require.NoError(t, err)
		if c.field == "" {
			require.Empty(t, faults, "%+v", w)
			continue
		}
		require.NotEmpty(t, faults, "%+v", w)
		require.Equal(t, c.field, faults[0].Field, "%+v", faults)
		require.Contains(t, faults[0].Detail, c.says)
	}
}

func TestLettersAreEscaped(t *testing.T) {
	t.Parallel()
	w := mail.Words{Subject: "To {{organization}}", Greeting: "Hello {{name}},", Body: "A <b>word</b> of {{organization}}\nin two lines\n\n\nand {{name}}", Action: "Go", Footer: "{{organization}}"}
	d := mail.Data{Name: "{{token}}<script>", Organization: "Acme\r\nBcc: x@example.com", Link: `https://a.test/?x="y`}
	l, err := mail.Compose("en", w, d, mail.Look{Accent: "red;}", On: "#000000", Logo: []byte{1}, Width: 200, Height: 100})
	require.NoError(t, err)
	require.Equal(t, "To Acme Bcc: x@example.com", l.Subject)
	require.Contains(t, l.Text, "Hello {{token}}<script>,\r\n\r\nA <b>word</b> of Acme Bcc: x@example.com\r\nin two lines\r\n\r\nand {{token}}<script>\r\n\r\nhttps://a.test/")
	require.Contains(t, l.HTML, "A &lt;b&gt;word&lt;/b&gt;")
	require.NotContains(t, l.HTML, "<script")
	require.NotContains(t, l.HTML, "red")
	require.Contains(t, l.HTML, `src="cid:logo.png"`)
	require.Contains(t, l.HTML, `width="80" height="40"`)
	for language, want := range map[string]string{"en": "Hello,", "de": "Hallo,", "fr": "Bonjour,"} {
		greeting := map[string]string{"en": "Hello {{name}},", "de": "Hallo {{name}},", "fr": "Bonjour {{ name }},"}[language]
		l, err := mail.Compose(language, mail.Words{Subject: "s", Greeting: greeting, Body: "b"}, mail.Data{Organization: "Acme"}, mail.Look{})
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(l.Text, want), l.Text)
	}
}

// Words that are accepted can be written, and nothing in them is HTML.
func FuzzWords(f *testing.F) {
	f.Add("{{name}}", "Hi {{ name }}", "{{factor}} {{at}} {{{name}}} }}")
	f.Add("a", "{{", "{{factor}}{{\n}}")
	f.Fuzz(func(t *testing.T, subject, greeting, body string) {
		w := mail.Words{Subject: subject, Greeting: greeting, Body: body}
		faults, err := mail.Check(mail.FactorAdded, w)
		require.NoError(t, err)
		l, err := mail.Compose("en", w, mail.Example("Acme", "<i>", "", time.Unix(0, 0)), mail.Look{})
		if len(faults) == 0 {
			require.NoError(t, err)
			require.NotContains(t, l.HTML, "<i>")
			require.NotContains(t, l.Subject, "\n")
		}
	})
}
