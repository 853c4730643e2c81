package tenantmanager_test

import (
	"compress/flate"
	"encoding/base64"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlidp"
	"github.com/stretchr/testify/require"
)

// samlRequest returns the request that an address takes to a provider.
func samlRequest(t *testing.T, address string) string {
	t.Helper()
	at, err := url.Parse(address)
	require.NoError(t, err)
	packed, err := base64.StdEncoding.DecodeString(at.Query().Get("SAMLRequest"))
	require.NoError(t, err)
	b, err := io.ReadAll(flate.NewReader(strings.NewReader(string(packed))))
	require.NoError(t, err)
	return string(b)
}

// Whoever proves again who they are is asked anew by a SAML provider (ForceAuthn), and
// counts as asked only where the provider says when they were.
func TestProvingAgainAtASAMLProvider(t *testing.T) {
	t.Parallel()
	p := startSAML(t, samlidp.User{Name: "eve", Email: "eve@acme.example"}, samlidp.User{Name: "max", Email: "max@acme.example"})
	w, owner := ssoWorld(t)
	made := w.call(t, owner, "POST", "/sso/connections", samlBody(t, p, map[string]any{"provision": true, "roles": []string{"viewer"}}))
	require.Equal(t, 201, made.status, made.body)
	id := made.text(t, "id")
	p.know(t, w, id)
	address := w.begin(t, "eve@acme.example")
	require.NotContains(t, samlRequest(t, address), "ForceAuthn", "who signs in may have a session at the provider")
	a := w.finish(t, p.visit(t, address, "eve"), nil)
	require.Equal(t, 200, a.status, a.body)
	token := a.text(t, "tokens/accessToken")
	require.Equal(t, 200, w.finish(t, p.visit(t, w.begin(t, "max@acme.example"), "max"), nil).status)
	require.Contains(t, w.call(t, token, "GET", "/me/confirmation", "").body, `"methods":["sso"]`)
	proves := func(who string) string {
		t.Helper()
		a := w.call(t, token, "POST", "/me/confirmation/sso", object(t, map[string]string{"connection": id, "origin": ssoOrigin, "binding": binding, "next": "/account"}))
		require.Equal(t, 200, a.status, a.body)
		require.Contains(t, samlRequest(t, a.text(t, "address")), `ForceAuthn="true"`)
		a = w.finish(t, p.visit(t, a.text(t, "address"), who), nil)
		require.Equal(t, 200, a.status, a.body)
		require.NotContains(t, a.body, "tokens")
		require.Equal(t, "/account", a.text(t, "next"))
		return a.body
	}
	require.Contains(t, proves("eve"), `"confirmed":true`)
	w.recordedAs(t, owner, "session.confirmed", "eve")
	require.Contains(t, proves("max"), `"confirmed":false`)
	w.refusedBecause(t, owner, "somebody else proved who they are")
	p.change = func(s *saml.Assertion) { s.AuthnStatements[0].AuthnInstant = time.Now().Add(-time.Hour) }
	require.Contains(t, proves("eve"), `"confirmed":false`)
	w.refusedBecause(t, owner, "did not ask for a new proof")
}
