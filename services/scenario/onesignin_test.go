package scenario_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
)

// surfer is a browser without pages: it keeps cookies, sends what scripts of our pages
// send, and shows where it is sent to. All host names lead to one address.
type surfer struct {
	t    *testing.T
	http *http.Client
	csrf map[string]string // by origins
}

func newSurfer(t *testing.T, api string) *surfer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	to := strings.TrimPrefix(api, "http://")
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", to)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &surfer{t: t, csrf: map[string]string{}, http: &http.Client{
		Jar: jar, Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send makes a request of a page at an origin, and decodes the answer.
func (s *surfer) send(method, origin, path, body string) (status int, said object, header http.Header) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, origin+path, strings.NewReader(body))
	require.NoError(s.t, err)
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Gatehouse-Csrf", s.csrf[origin])
	}
	res, err := s.http.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }() // it was read
	b, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		require.NoError(s.t, json.Unmarshal(b, &said), "%s", b)
	}
	if token, ok := said["csrf"].(string); ok {
		s.csrf[origin] = token
	}
	return res.StatusCode, said, res.Header
}

// want is send for an answer of a certain status.
func (s *surfer) want(status int, method, origin, path, body string) object {
	s.t.Helper()
	got, said, _ := s.send(method, origin, path, body)
	require.Equal(s.t, status, got, "%s %s%s: %v", method, origin, path, said)
	return said
}

// goes asks for an address, and returns where that leads to.
func (s *surfer) goes(address string) *url.URL {
	s.t.Helper()
	status, said, header := s.send(http.MethodGet, address, "", "")
	require.Equal(s.t, http.StatusSeeOther, status, "%s: %v", address, said)
	from, err := url.Parse(address)
	require.NoError(s.t, err)
	to, err := from.Parse(header.Get("Location"))
	require.NoError(s.t, err)
	return to
}

// who returns the address of whoever is signed in at an origin, "" = nobody, and in which
// organization.
func (s *surfer) who(origin string) (email, organization string) {
	s.t.Helper()
	said := s.want(http.StatusOK, http.MethodGet, origin, "/bff/session", "")
	if said["signedIn"] != true {
		return "", ""
	}
	return said["user"].(object)["email"].(string), said["organization"].(object)["slug"].(string)
}

func (s *surfer) signIn(origin, more string) {
	s.t.Helper()
	s.who(origin)
	s.want(http.StatusOK, http.MethodPost, origin, "/bff/sign-in", `{"email":"olga@example.com","password":"`+matrixPassword+`"`+more+`}`)
	s.who(origin)
}

// arrives begins the one sign-in at an origin where nothing has to be asked, and returns
// the address of the answer.
func (s *surfer) arrives(origin, next string) *url.URL {
	s.t.Helper()
	to := s.goes(s.goes(origin + "/bff/oidc/begin?" + url.Values{"next": {next}}.Encode()).String())
	require.Equal(s.t, origin+"/bff/oidc/callback", to.Scheme+"://"+to.Host+to.Path, to.String())
	return to
}

// sessions returns how many sessions somebody has, by the client that each is of.
func (s *surfer) sessions(origin string) map[string]int {
	s.t.Helper()
	out := map[string]int{}
	list, _ := s.want(http.StatusOK, http.MethodGet, origin, "/api/tenant-manager/v1/me/sessions", "")["items"].([]any)
	for _, i := range list {
		client, _ := i.(object)["client"].(object)
		id, _ := client["id"].(string)
		out[id]++
	}
	return out
}

// The one sign-in from the first redirect to the last session, as bff and tenant-manager
// do it together: who types a password once is in everywhere, nobody else is in by
// anything that they send, and who signs out is out everywhere.
func TestOneSignInOfAllHosts(t *testing.T) {
	t.Parallel()
	g := run(t, build(t, "../cli/cmd/gatehouse"), filepath.Join(t.TempDir(), "data"))
	require.NotNil(t, g.ready.SignIn)
	console, tenant, portal, auth := g.ready.Console, g.ready.TenantConsole, g.ready.Portal, g.ready.AuthConsole
	const tenants = "/api/tenant-manager/v1"
	first := newSurfer(t, g.ready.API)
	first.who(console)
	first.want(http.StatusOK, http.MethodPost, console, "/bff/sign-in/one-time", `{"code":"`+g.ready.SignIn.Code+`"}`)
	first.who(console)
	first.want(http.StatusOK, http.MethodPost, console, tenants+"/setup", `{"organizationName":"First","name":"Olga","email":"olga@example.com","password":"`+matrixPassword+`"}`)
	first.signIn(console, "")
	// She is somebody in another organization too, where a second step is asked for.
	link := first.want(http.StatusCreated, http.MethodPost, console, tenants+"/organizations", `{"slug":"second","name":"Second","ownerEmail":"olga@example.com"}`)
	second := link["organization"].(object)["id"].(string)
	other := newSurfer(t, g.ready.API)
	other.who(tenant)
	other.want(http.StatusOK, http.MethodPost, tenant, "/bff/invitations/accept", `{"token":"`+link["token"].(string)+`","name":"Olga","password":"`+matrixPassword+`"}`)
	other.who(tenant)

	b := newSurfer(t, g.ready.API)
	failed := func(b *surfer, address, what string) {
		t.Helper()
		to := b.goes(address)
		require.Equal(t, "/sign-in", to.Path, what)
		require.Equal(t, "one-sign-in", to.Query().Get("sso"), what)
	}
	in := func(b *surfer, organization string, origins ...string) {
		t.Helper()
		for _, origin := range origins {
			email, slug := b.who(origin)
			require.Equal(t, "olga@example.com", email, origin)
			require.Equal(t, organization, slug, origin)
		}
	}
	out := func(b *surfer, origins ...string) {
		t.Helper()
		for _, origin := range origins {
			email, _ := b.who(origin)
			require.Empty(t, email, origin)
		}
	}

	// Nobody is signed in: one is asked at the auth console, with the address that was known.
	to := b.goes(b.goes(console + "/bff/oidc/begin?next=%2Fdefault%2Fapis%3Fq%3D1%23top&login_hint=olga%40example.com").String())
	require.Equal(t, auth+"/consent", to.Scheme+"://"+to.Host+to.Path)
	require.Equal(t, "gatehouse-admin", to.Query().Get("client"))
	require.Equal(t, "olga@example.com", to.Query().Get("login_hint"))
	waits := "/oauth/authorizations/by-token/" + url.PathEscape(to.Query().Get("request"))
	b.want(http.StatusUnauthorized, http.MethodGet, auth, tenants+waits, "")
	b.signIn(auth, `,"organization":"default"`)
	require.Equal(t, true, b.want(http.StatusOK, http.MethodGet, auth, tenants+waits, "")["automatic"])
	callback := b.want(http.StatusOK, http.MethodPost, auth, tenants+waits, `{"allow":true}`)["redirectTo"].(string)
	out(b, console)
	require.Equal(t, console+"/default/apis?q=1#top", b.goes(callback).String())
	in(b, "default", auth, console)

	// The others ask for no password, and lead nowhere but into themselves.
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)"} {
		require.Equal(t, tenant+"/", b.goes(b.arrives(tenant, next).String()).String(), next)
	}
	require.Equal(t, portal+"/apps", b.goes(b.arrives(portal, "/apps").String()).String())
	in(b, "default", auth, console, tenant, portal)
	// Who signed in four times at one of them has one session there.
	require.Equal(t, map[string]int{"gatehouse-admin": 1, "gatehouse-tenant": 1, "gatehouse-portal": 1, "": 2}, b.sessions(auth), "and at the auth console, and that of the set-up")

	// What was used, what is another browser's, and what another issuer seems to say.
	failed(b, callback, "once more")
	stranger := newSurfer(t, g.ready.API)
	stranger.who(console)
	failed(stranger, b.arrives(console, "/").String(), "what another browser began")
	out(stranger, console)
	stranger.goes(console + "/bff/oidc/begin")
	failed(stranger, b.arrives(console, "/").String(), "what another browser began, although this one began something")
	out(stranger, console)
	for _, iss := range []string{auth + "/oauth/second", auth + "/oauth/-", "http://evil.example/oauth/default", ""} {
		mixed := b.arrives(console, "/")
		q := mixed.Query()
		q.Set("iss", iss)
		mixed.RawQuery = q.Encode()
		failed(b, mixed.String(), "of "+iss)
	}
	wrong := strings.Replace(b.arrives(console, "/").String(), console, portal, 1)
	failed(b, wrong, "for another host")
	in(b, "default", auth, console, tenant, portal)

	// Who signs in again at a host is there by that alone, and what came of the sign-in before
	// stays; at the auth console it goes with it.
	b.signIn(console, `,"organization":"default"`)
	in(b, "default", auth, console, tenant, portal)
	require.Equal(t, map[string]int{"gatehouse-tenant": 1, "gatehouse-portal": 1, "": 3}, b.sessions(auth))
	require.Equal(t, console+"/", b.goes(b.arrives(console, "").String()).String())
	require.Equal(t, map[string]int{"gatehouse-admin": 1, "gatehouse-tenant": 1, "gatehouse-portal": 1, "": 2}, b.sessions(auth))
	b.signIn(auth, `,"organization":"default"`)
	require.Equal(t, map[string]int{"": 2}, b.sessions(auth))
	out(b, console, tenant, portal)
	for _, origin := range []string{console, tenant, portal} {
		b.goes(b.arrives(origin, "").String())
	}
	in(b, "default", auth, console, tenant, portal)

	// Another organization, at once; then where that asks for a second step.
	b.want(http.StatusOK, http.MethodPost, tenant, "/bff/organization", `{"organization":"`+second+`"}`)
	in(b, "second", tenant)
	in(b, "default", auth, console, portal)
	require.Equal(t, tenant+"/", b.goes(b.arrives(tenant, "").String()).String())
	in(b, "default", tenant)
	app := other.want(http.StatusCreated, http.MethodPost, tenant, tenants+"/me/factors/totp", `{"name":"phone"}`)
	secret := app["secret"].(string)
	code := func(ahead time.Duration) string {
		c, err := totp.GenerateCode(secret, time.Now().Add(ahead))
		require.NoError(t, err)
		return c
	}
	other.want(http.StatusOK, http.MethodPost, tenant, tenants+"/me/factors/"+app["id"].(string)+"/activation", `{"code":"`+code(0)+`"}`)
	asked := b.want(http.StatusAccepted, http.MethodPost, tenant, "/bff/organization", `{"organization":"`+second+`"}`)
	in(b, "default", tenant)
	b.want(http.StatusOK, http.MethodPost, tenant, "/bff/sign-in/second-step", `{"challenge":"`+asked["challenge"].(string)+`","totp":"`+code(30*time.Second)+`"}`)
	in(b, "second", tenant)
	in(b, "default", auth, console, portal)

	// Signing out of one is out of all, also out of what was begun in another organization.
	going := b.arrives(portal, "")
	b.want(http.StatusNoContent, http.MethodPost, console, "/bff/sign-out", "")
	out(b, auth, console, tenant, portal)
	failed(b, going.String(), "a code of a sign-in that is over")
	out(b, portal)
	require.Equal(t, portal+"/sign-in?asked=1&next=%2Fapps", b.goes(b.goes(b.goes(portal+"/bff/oidc/begin?prompt=none&next=%2Fapps").String()).String()).String())
}
