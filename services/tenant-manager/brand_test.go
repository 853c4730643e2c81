package tenantmanager_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

func logo(t *testing.T, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, w, h))))
	return `{"content":"` + base64.StdEncoding.EncodeToString(b.Bytes()) + `"}`
}

// How an organization looks is kept by every database, checked field by field, and
// shown to everybody without a word of whether there is such an organization.
func TestBrand(t *testing.T) {
	t.Parallel()
	for _, d := range db.Dialects() {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			testBrand(t, newWorld(t, func(c *tenantmanager.Config) {
				if d != db.SQLite {
					c.Database.DSN = schema.NewSecret(dbtest.DSN(t, d))
				}
			}))
		})
	}
}

func testBrand(t *testing.T, w *world) {
	owner := w.setUp(t)
	call := func(token, method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := w.call(t, token, method, path, body, header...)
		require.Equal(t, status, a.status, "%s %s: %s", method, path, a.body)
		return a
	}
	nobody := call("", "GET", "/brand/public?organization=default", "", 200).body
	require.JSONEq(t, `{"displayName":"","language":"en","texts":[]}`, nobody)
	require.Contains(t, call(owner, "GET", "/brand", "", 200).body, `"set":false`)

	// Logos: PNG as it is, SVG without what does anything.
	big := call(owner, "POST", "/brand/images", logo(t, 200, 50), 201)
	svg := base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" onload="x()"><script>x()</script><path d="M0 0h8"/></svg>`))
	dark := call(owner, "POST", "/brand/images", `{"content":"`+svg+`"}`, 201)
	require.Contains(t, dark.body, `"removed":["onload","\u003cscript\u003e"]`)
	require.Equal(t, dark.text(t, "hash"), call(owner, "POST", "/brand/images", `{"content":"`+svg+`"}`, 201).text(t, "hash"), "the same is kept once")
	require.Contains(t, call(owner, "POST", "/brand/images", `{"content":"R0lGODlh"}`, 422).body, `"pointer":"/content"`)
	require.Contains(t, call(owner, "POST", "/brand/images", logo(t, 2049, 1), 422).body, "2049")
	res, err := w.client.Get(w.url + "/api/v1/brand/images/" + dark.text(t, "hash"))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "image/svg+xml", res.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=31536000, immutable", res.Header.Get("Cache-Control"))
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	call("", "GET", "/brand/images/"+strings.Repeat("0", 64), "", 404)

	for body, pointer := range map[string]string{
		`{"language":"en","accent":"red"}`:                                                "/accent",
		`{"language":"english please"}`:                                                   "/language",
		`{"language":"en","texts":[{"language":"en"},{"language":"EN"}]}`:                 "/texts/1/language",
		`{"language":"en","texts":[{"language":"en","helpUrl":"javascript:alert(1)"}]}`:   "/texts/0/helpUrl",
		`{"language":"en","texts":[{"language":"en","termsUrl":"mailto:a@example.com"}]}`: "/texts/0/termsUrl",
		`{"language":"en","logoLight":"` + strings.Repeat("0", 64) + `"}`:                 "/logoLight",
	} {
		require.Contains(t, call(owner, "PUT", "/brand", body, 422, anyVersion...).body, `"pointer":"`+pointer+`"`, body)
		require.Contains(t, call(owner, "POST", "/brand/preview", body, 422).body, `"pointer":"`+pointer+`"`, body)
	}
	whole := `{"displayName":"Acme Inc.","accent":"#FFD500","logoLight":"` + big.text(t, "hash") + `","logoDark":"` + dark.text(t, "hash") + `","language":"de",` +
		`"texts":[{"language":"de","welcome":"Guten Tag","helpUrl":"mailto:help@example.com"},{"language":"pt-br","welcome":"Olá","termsUrl":"https://example.com/t"}]}`
	require.Contains(t, call(owner, "POST", "/brand/preview", whole, 200).body, `"displayName":"Acme Inc."`)
	require.Contains(t, call(owner, "GET", "/brand", "", 200).body, `"set":false`, "a preview keeps nothing")
	set := call(owner, "PUT", "/brand", whole, 200, "If-Match", `"v1"`)
	require.Contains(t, set.body, `"language":"pt-BR"`)
	require.Contains(t, set.body, `"corrected":true`, "yellow cannot be read on white")
	require.Contains(t, set.body, `"wanted":1.2`)
	call(owner, "PUT", "/brand", whole, 412, "If-Match", `"v1"`)

	// The first organization's stands for all that have none, and for what there is not.
	w.organization(t, "second", "stranger@example.com")
	stranger := w.signIn(t, "stranger@example.com", "second")
	shown := call("", "GET", "/brand/public", "", 200).body
	require.Contains(t, shown, "Guten Tag")
	require.NotContains(t, shown, "default")
	for _, query := range []string{"?organization=default", "?organization=second", "?organization=nobody", "?client=nothing", "?authorization=nothing"} {
		require.JSONEq(t, shown, call("", "GET", "/brand/public"+query, "", 200).body, query)
	}
	call(stranger, "PUT", "/brand", `{"language":"ko","displayName":"Second"}`, 200, anyVersion...)
	require.Contains(t, call("", "GET", "/brand/public?organization=second", "", 200).body, `"displayName":"Second"`)
	require.Contains(t, call("", "GET", "/brand/public", "", 200, "X-Gatehouse-Organization", "second").body, `"displayName":"Second"`)
	client := call(stranger, "POST", "/oauth/clients", `{"name":"Shop","authMethod":"none","grantTypes":["authorization_code"],"redirectUris":["https://shop.test/cb"]}`, 201).text(t, "client/id")
	require.Contains(t, call("", "GET", "/brand/public?client="+client, "", 200).body, `"displayName":"Second"`)
	stay := &http.Client{Transport: w.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err = stay.Get(w.url + "/oauth/second/authorize?" + url.Values{
		"client_id": {client}, "redirect_uri": {"https://shop.test/cb"}, "response_type": {"code"}, "state": {"a long enough state"}, "code_challenge_method": {"S256"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
	}.Encode())
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	_, request, found := strings.Cut(res.Header.Get("Location"), "request=")
	require.True(t, found, res.Header.Get("Location"))
	require.Contains(t, call("", "GET", "/brand/public?authorization="+request, "", 200).body, `"displayName":"Second"`)

	// Who may only read changes nothing, and back is back.
	reader := w.invite(t, owner, "aud@example.com", `{"role":"auditor"}`).text(t, "accessToken")
	call(reader, "GET", "/brand", "", 200)
	call(reader, "PUT", "/brand", whole, 403, anyVersion...)
	call(reader, "POST", "/brand/images", logo(t, 1, 1), 403)
	call(stranger, "DELETE", "/brand", "", 204, anyVersion...)
	require.JSONEq(t, shown, call("", "GET", "/brand/public?organization=second", "", 200).body)
	trail := call(owner, "GET", "/audit?action=brand.updated", "", 200).body
	require.Contains(t, trail, "#ffd500")
}

// Letters say what the organization wants, in the language of who gets them.
func TestLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	owner, p := w.setUp(t), newPostOffice(t, false)
	call := func(method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := w.call(t, owner, method, path, body, header...)
		require.Equal(t, status, a.status, "%s %s: %s", method, path, a.body)
		return a
	}
	list := call("GET", "/letters", "", 200).body
	require.Contains(t, list, `"kind":"password-changed"`)
	built := call("GET", "/letters/invitation/ko", "", 200)
	require.Contains(t, built.body, `"builtIn":true`)
	require.Contains(t, built.body, `"set":false`)
	require.Contains(t, built.body, "{{organization}}")
	require.Contains(t, call("GET", "/letters/invitation/fr", "", 200).body, "You are invited")
	call("GET", "/letters/nothing/en", "", 404)
	call("GET", "/letters/test/en", "", 404)
	call("GET", "/letters/invitation/12", "", 404)

	french := `{"subject":"Bienvenue chez {{organization}}","greeting":"Bonjour {{name}},","body":"Vous êtes <b>invité</b>.\n\nÀ bientôt","action":"Accepter","until":"Jusqu'au {{until}}","footer":"{{organization}}"}`
	for words, wrong := range map[string][2]string{
		strings.Replace(french, "{{name}}", "{{nam}}", 1):  {"/greeting", "{{nam}}"},
		strings.Replace(french, "Accepter", "", 1):         {"/action", "needs it"},
		strings.Replace(french, "{{until}}", "{{until", 1): {"/until", "does not end"},
	} {
		for _, at := range []string{"PUT /letters/invitation/fr", "POST /letters/invitation/fr/preview", "POST /letters/invitation/fr/test"} {
			method, path, _ := strings.Cut(at, " ")
			a := call(method, path, words, 422, anyVersion...)
			require.Contains(t, a.body, `"pointer":"`+wrong[0]+`"`, a.body)
			require.Contains(t, a.body, wrong[1])
		}
	}
	require.Contains(t, call("PUT", "/letters/factor-added/en", `{"subject":"x","greeting":"x","body":"x"}`, 422, anyVersion...).body, "{{factor}}")
	require.Contains(t, call("POST", "/letters/invitation/fr/test", french, 200).body, `"ok":false`, "no mail server is set")
	call("PUT", "/mail/settings", p.settings("starttls"), 200, "If-Match", `"v1"`)
	preview := call("POST", "/letters/invitation/fr/preview", french, 200)
	require.Equal(t, "Bienvenue chez Acme", preview.text(t, "subject"))
	require.Contains(t, preview.text(t, "html"), "&lt;b&gt;invité")
	call("PUT", "/letters/invitation/fr", french, 200, "If-Match", `"v1"`)
	call("PUT", "/letters/invitation/fr", french, 412, "If-Match", `"v1"`)

	// With the organization's look, to whoever asks for a test, and to nobody else.
	hash := call("POST", "/brand/images", logo(t, 200, 50), 201).text(t, "hash")
	call("PUT", "/brand", `{"language":"en","displayName":"Acme Inc.","accent":"#7a1fa2","logoLight":"`+hash+`"}`, 200, anyVersion...)
	require.Contains(t, call("POST", "/letters/invitation/fr/test", french, 200).body, `"ok":true`)
	l := p.next(t)
	require.Equal(t, "ada@example.com", l.to)
	require.Equal(t, "Bienvenue chez Acme Inc.", l.subject)
	require.Contains(t, l.text, "À bientôt")
	require.Equal(t, "<logo.png>", l.logo)
	require.Contains(t, l.html, `src="cid:logo.png"`)
	require.Contains(t, l.html, "background:#7a1fa2")

	// The language: of the invitation, then of the user's own choice.
	call("POST", "/invitations", `{"email":"eve@example.com","roles":[{"role":"viewer"}],"language":"fr-CA"}`, 201)
	l = p.next(t)
	require.Equal(t, "Bienvenue chez Acme Inc.", l.subject)
	require.True(t, strings.HasPrefix(l.text, "Bonjour,"), l.text)
	link := secretOfLink.FindStringSubmatch(l.text)
	eve := w.call(t, "", "POST", "/invitations/by-token/"+link[1]+"/accept", `{"name":"Eve","password":"`+goodWord+`"}`).text(t, "accessToken")
	require.Contains(t, w.call(t, eve, "GET", "/me", "").body, `"language":"fr-CA"`)
	require.Contains(t, w.call(t, eve, "PATCH", "/me", `{"language":"none such"}`, anyVersion...).body, `"pointer":"/language"`)
	require.Equal(t, 200, w.call(t, eve, "PATCH", "/me", `{"language":"ko"}`, anyVersion...).status)
	require.Equal(t, 202, w.call(t, "", "POST", "/password-links", `{"email":"eve@example.com"}`, "Accept-Language", "de").status)
	require.Equal(t, "Acme Inc. 새 비밀번호", p.next(t).subject)
	call("POST", "/invitations", `{"email":"fay@example.com","roles":[{"role":"viewer"}]}`, 201)
	require.Equal(t, "You are invited to Acme Inc.", p.next(t).subject, "the organization's language")

	call("DELETE", "/letters/invitation/fr", "", 204, anyVersion...)
	require.Contains(t, call("GET", "/letters/invitation/fr", "", 200).body, `"set":false`)
	require.NotContains(t, call("GET", "/letters", "", 200).body, `"fr"`)
}
