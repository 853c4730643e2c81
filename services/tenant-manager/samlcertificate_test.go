package tenantmanager_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml/samlidp"
	"github.com/stretchr/testify/require"
)

// Our certificate is renewed while a provider that knows the old one, the new one or
// both lets people in all the time: it encrypts for the first that it knows.
func TestRenewingOurCertificate(t *testing.T) {
	t.Parallel()
	p := startSAML(t, samlidp.User{Name: "eve", Email: "eve@acme.example"})
	w, owner := ssoWorld(t)
	a := w.call(t, owner, "POST", "/sso/connections", samlBody(t, p, map[string]any{"provision": true}))
	require.Equal(t, 201, a.status, a.body)
	id, first := a.text(t, "id"), a.text(t, "saml/spCertificate/fingerprint")
	at := "/sso/connections/" + id + "/certificate"
	metadata := func() string {
		a := w.call(t, "", "GET", "/sign-in/sso/saml/"+id+"/metadata?origin="+url.QueryEscape(ssoOrigin), "")
		require.Equal(t, 200, a.status, a.body)
		return a.text(t, "metadata")
	}
	signsIn := func(when string) {
		t.Helper()
		a := w.finish(t, p.visit(t, w.begin(t, "eve@acme.example"), "eve"), nil)
		require.Equal(t, 200, a.status, "%s: %s", when, a.body)
	}
	says := func(action string, parts ...string) {
		t.Helper()
		require.Eventually(t, func() bool {
			body := w.call(t, owner, "GET", "/audit?action=sso-connection."+action, "").body
			for _, part := range append(parts, id) {
				if !strings.Contains(body, part) {
					return false
				}
			}
			return !strings.Contains(body, "PRIVATE KEY")
		}, eventually, tick)
	}
	p.know(t, w, id)
	signsIn("before")
	require.Equal(t, 1, strings.Count(metadata(), `use="signing"`))
	require.Equal(t, 409, w.call(t, owner, "POST", at+"/switch", `{}`).status, "nothing is announced")
	require.Equal(t, 409, w.call(t, owner, "DELETE", at, "").status)
	past := w.call(t, owner, "POST", at, object(t, map[string]string{"switchAt": w.clock.Now().Add(-time.Hour).Format(time.RFC3339)}))
	require.Equal(t, 422, past.status)
	require.Contains(t, past.body, "/switchAt")
	require.Equal(t, 412, w.call(t, owner, "POST", at, `{}`, "If-Match", `"99"`).status)

	// Announced: requests are signed with the old one, both stand in the metadata.
	a = w.call(t, owner, "POST", at, `{}`)
	require.Equal(t, 200, a.status, a.body)
	require.NotContains(t, a.body, "PRIVATE KEY")
	second := a.text(t, "saml/spNextCertificate/fingerprint")
	require.Equal(t, first, a.text(t, "saml/spCertificate/fingerprint"))
	require.NotEqual(t, first, second)
	require.Equal(t, 2, strings.Count(metadata(), `use="signing"`))
	require.Equal(t, 2, strings.Count(metadata(), `use="encryption"`))
	require.Equal(t, 409, w.call(t, owner, "POST", at, `{}`).status, "one is announced already")
	says("certificate-renewed", second)
	signsIn("the provider knows the old one")
	p.know(t, w, id)
	signsIn("the provider knows both")
	a = w.call(t, owner, "PUT", "/sso/connections/"+id, samlBody(t, p, map[string]any{"provision": true}), "If-Match", "*")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, second, a.text(t, "saml/spNextCertificate/fingerprint"), "saving the connection keeps what is announced")

	// Switched: what is encrypted for the old one is still taken.
	a = w.call(t, owner, "POST", at+"/switch", `{}`)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, second, a.text(t, "saml/spCertificate/fingerprint"))
	require.Equal(t, first, a.text(t, "saml/spPreviousCertificate/fingerprint"))
	says("certificate-switched", first, second)
	signsIn("the provider encrypts for the old one")
	require.Equal(t, 1, strings.Count(metadata(), `use="encryption"`))
	waiting := p.visit(t, w.begin(t, "eve@acme.example"), "eve")
	a = w.call(t, owner, "DELETE", at, "")
	require.Equal(t, 200, a.status, a.body)
	require.NotContains(t, a.body, "spPreviousCertificate")
	says("certificate-overlap-ended", first)
	require.Equal(t, 401, w.finish(t, waiting, nil).status, "it was encrypted for what is forgotten")
	p.know(t, w, id)
	signsIn("the provider knows the new one")

	// At a time: it happens by itself, and until then nobody is reminded of the end.
	a = w.call(t, owner, "POST", at, object(t, map[string]string{"switchAt": w.clock.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)}))
	require.Equal(t, 200, a.status, a.body)
	third := a.text(t, "saml/spNextCertificate/fingerprint")
	require.Contains(t, a.body, `{"at":"`+a.text(t, "saml/spNextCertificate/notAfter")+`","what":"own-certificate"}`)
	p.know(t, w, id)
	w.clock.Advance(49 * time.Hour)
	w.stop()
	w.start(t)
	owner = w.signIn(t, "ada@example.com", "default")
	require.Eventually(t, func() bool {
		return w.call(t, owner, "GET", "/sso/connections/"+id, "").text(t, "saml/spCertificate/fingerprint") == third
	}, eventually, tick)
	says("certificate-switched", third)
}
