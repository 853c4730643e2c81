// Package mail writes and sends what tenant-manager tells people by mail:
// invitations, links for new passwords, and notices about their accounts. It
// knows nothing of requests.
package mail

import (
	"bytes"
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The kinds of letters.
const (
	Invitation      = "invitation"
	PasswordLink    = "password-link"
	PasswordChanged = "password-changed"
	EmailLink       = "email-link"
	EmailChanged    = "email-changed"
	FactorAdded     = "factor-added"
	FactorsReset    = "factors-reset"
	TokenEnds       = "token-ends"
	// ClientSecretEnds, ServiceTokenEnds, SCIMTokenEnds and CertificateEnds are about
	// what programs and identity providers have.
	ClientSecretEnds = "client-secret-ends"
	ServiceTokenEnds = "service-token-ends"
	SCIMTokenEnds    = "scim-token-ends" //nolint:gosec // the name of a letter
	CertificateEnds  = "certificate-ends"
	DomainFailing    = "domain-failing"
	Impersonated     = "impersonated"
	ReviewBegun      = "review-begun"
	ReviewWaits      = "review-waits"
	BulkJobEnded     = "bulk-job-ended"
	Test             = "test"
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
	// What is what it is about, such as a domain.
	What string `json:"what,omitempty"`
	// Review is the name of the review of access that it is about, which is over at
	// Until.
	Review string `json:"review,omitempty"`
	// By is the name of who did it, and Reason what they gave for a reason.
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Task is what a bulk job does, as the API calls it, Done how many it did, or had
	// nothing to do for, and Undone how many not.
	Task   string `json:"task,omitempty"`
	Done   int64  `json:"done,omitempty"`
	Undone int64  `json:"undone,omitempty"`
	// Language is the one that the recipient chose; "" = none.
	Language string `json:"-"`
}

// Values returns the data as texts in a language have it, by the names of
// placeholders.
func (d Data) Values(language string) map[string]string {
	return map[string]string{
		"name": line(d.Name), "organization": line(d.Organization), "until": when(d.Until), "at": when(d.At), "factor": line(d.Factor), "token": line(d.Token),
		"what": line(d.What), "review": line(d.Review), "by": line(d.By), "reason": line(d.Reason),
		"task": line(taskIn(language, d.Task)), "done": strconv.FormatInt(d.Done, 10), "undone": strconv.FormatInt(d.Undone, 10),
	}
}

// Example returns data to look at a letter with.
func Example(organization, name, link string, now time.Time) Data {
	return Data{
		Name: name, Organization: organization, Link: link, At: now.UTC(), Until: now.UTC().Add(7 * 24 * time.Hour), Factor: "iPhone", Token: "CI", What: "example.com", Review: "Spring 2026", By: "Olga Petrova", Reason: "to see what you see", Task: "disable", Done: 118, Undone: 2,
	}
}

// Letter is a letter that is written.
type Letter struct {
	Subject, Text, HTML string
	// Logo is a PNG that the HTML names as [LogoName]; nil = none.
	Logo []byte
}

// LogoName is the name of the logo in a letter (RFC 2392).
const LogoName = "logo.png"

// Look is how a letter looks.
type Look struct {
	// Accent is the colour of the button, On that of the text on it, as #rrggbb; "" =
	// Gatehouse's own.
	Accent, On string
	// Logo is a PNG of a width and height in pixels; nil = the name of the
	// organization stands there.
	Logo          []byte
	Width, Height int
}

// logoHeight is how high logos are at most in a letter, in pixels.
const logoHeight = 40

// page is made to be read by mail programs, which know little of CSS.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;color:#1d2430;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d9dde3;border-radius:8px">
{{if .Logo}}<p style="margin:0 0 20px"><img src="cid:{{.Logo}}" alt="{{.Organization}}" width="{{.Width}}" height="{{.Height}}" style="display:block;border:0"></p>
{{else}}<p style="margin:0 0 16px;font-weight:600">{{.Organization}}</p>
{{end}}<p style="margin:0 0 16px">{{.Greeting}}</p>
{{range .Lines}}<p style="margin:0 0 16px;white-space:pre-line">{{.}}</p>
{{end}}{{if .Link}}<p style="margin:0 0 16px"><a href="{{.Link}}" style="display:inline-block;padding:10px 16px;background:{{.Accent}};color:{{.On}};border-radius:6px;text-decoration:none">{{.Action}}</a></p>
<p style="margin:0 0 16px;word-break:break-all;color:#4a5361">{{.Link}}</p>
{{if .Until}}<p style="margin:0 0 16px">{{.Until}}</p>
{{end}}{{end}}</div>
<p style="max-width:560px;margin:16px auto 0;color:#4a5361;font-size:13px">{{.Footer}}</p>
</body></html>
`))

// Write writes a letter of a kind as Gatehouse words it, in a language; an unknown
// language is the default.
func Write(kind, language string, d Data) (Letter, error) {
	w, ok, err := BuiltIn(kind, language)
	if err == nil && !ok {
		language = Languages()[0]
		if w, ok, err = BuiltIn(kind, language); err == nil && !ok {
			err = fmt.Errorf("there is no letter %q", kind)
		}
	}
	if err != nil {
		return Letter{}, err
	}
	return Compose(language, w, d, Look{})
}

// Compose writes a letter in words of somebody's choice, which [Check] has
// accepted.
func Compose(language string, w Words, d Data, look Look) (Letter, error) {
	values := d.Values(language)
	greeting := w.Greeting
	if values["name"] == "" {
		greeting = withoutName(language, w.Greeting)
	}
	var err error
	fill := func(in string) string {
		out, e := fillIn(in, values)
		if err == nil {
			err = e
		}
		return out
	}
	out := Letter{Subject: oneLine(fill(w.Subject)), Logo: look.Logo}
	p := struct {
		Language, Subject, Organization, Greeting, Link, Action, Until, Footer, Logo string
		Accent, On                                                                   template.CSS
		Lines                                                                        []string
		Width, Height                                                                int
	}{
		Language: language, Subject: out.Subject, Organization: values["organization"], Greeting: fill(greeting), Link: d.Link, Action: fill(w.Action),
		Until: fill(w.Until), Footer: fill(w.Footer), Accent: cssColour(look.Accent, "#1f5fbf"), On: cssColour(look.On, "#ffffff"),
	}
	if len(look.Logo) > 0 && look.Width > 0 && look.Height > 0 {
		p.Logo, p.Height = LogoName, min(look.Height, logoHeight)
		p.Width = max(1, look.Width*p.Height/look.Height)
		if p.Width > 240 {
			p.Width, p.Height = 240, max(1, look.Height*240/look.Width)
		}
	}
	for _, l := range paragraphs(w.Body) {
		p.Lines = append(p.Lines, fill(l))
	}
	if err != nil {
		return Letter{}, fmt.Errorf("writing a letter: %w", err)
	}
	parts := append([]string{p.Greeting}, p.Lines...)
	if d.Link != "" {
		parts = append(parts, d.Link)
		if p.Until != "" {
			parts = append(parts, p.Until)
		}
	}
	parts = append(parts, "-- \r\n"+p.Footer)
	out.Text = strings.ReplaceAll(strings.ReplaceAll(strings.Join(parts, "\r\n\r\n"), "\r\n", "\n"), "\n", "\r\n") + "\r\n"
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return Letter{}, fmt.Errorf("writing a letter: %w", err)
	}
	out.HTML = b.String()
	return out, nil
}

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// cssColour returns a colour, or another one where it is none.
func cssColour(c, other string) template.CSS {
	if !colour.MatchString(c) {
		c = other
	}
	return template.CSS(c) //nolint:gosec // six hexadecimal digits
}

// line returns text without what would break a line, and bounded: names are
// chosen by others.
func line(s string) string {
	s = oneLine(s)
	const most = 120
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

// oneLine returns text without what would break a line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)), " ")
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
