package tenantmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml/samlidp"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"
)

// A provider that changes its certificate is known by the new one, without anybody
// doing anything; one that is away is known by what it said last.
func TestMetadataIsFetchedAnewByItself(t *testing.T) {
	t.Parallel()
	p := startSAML(t, samlidp.User{Name: "eve", Email: "eve@acme.example"})
	w, owner := ssoWorld(t)
	a := w.call(t, owner, "POST", "/sso/connections", samlBody(t, p, nil))
	require.Equal(t, 201, a.status, a.body)
	id, first := a.text(t, "id"), a.text(t, "saml/certificates/0/fingerprint")
	require.Equal(t, a.text(t, "saml/certificates/0/notAfter"), a.text(t, "ends/0/at"))
	require.Contains(t, a.body, `"what":"own-certificate"`)
	p.sign(samlKey(t), dsig.RSASHA256SignatureMethod)

	// aDayLater returns the connection once the job of a day later has run.
	aDayLater := func(done func(body string) bool) answer {
		t.Helper()
		w.clock.Advance(25 * time.Hour)
		w.stop()
		w.start(t)
		owner = w.signIn(t, "ada@example.com", "default")
		var now answer
		require.Eventually(t, func() bool {
			now = w.call(t, owner, "GET", "/sso/connections/"+id, "")
			return done(now.body)
		}, 30*time.Second, 50*time.Millisecond)
		return now
	}
	now := aDayLater(func(body string) bool { return !strings.Contains(body, first) })
	second := now.text(t, "saml/certificates/0/fingerprint")
	require.NotContains(t, now.body, `"fetchError"`)
	require.Eventually(t, func() bool {
		return strings.Contains(w.call(t, owner, "GET", "/audit?action=sso-connection.metadata-refreshed", "").body, id)
	}, eventually, tick)

	p.stop()
	now = aDayLater(func(body string) bool { return strings.Contains(body, `"fetchError"`) })
	require.Equal(t, second, now.text(t, "saml/certificates/0/fingerprint"))
}
