package bff_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/bff"
)

const (
	authHost   = "auth-admin.example.com:8443"
	tenantHost = "tenant-admin.example.com:8443"
	portalHost = "developers.example.com:8443"
	authAt     = "http://" + authHost + "/oauth/"
)

// authority is an authorization server that issues for the organization "one" to
// whoever is signed in at its host, and forges what it is told to.
type authority struct {
	key ed25519.PrivateKey

	mu      sync.Mutex
	codes   map[string]url.Values // by what each was asked
	forge   func(jwt.MapClaims)   // changes ID tokens
	foreign bool                  // it knows no address of the apps
	iss     string                // the neutral door says this one
	held    bool
	agents  []string // devices that were told with what was swapped
	swapped []string
}

// serveAuthority puts the authorization server in front of a world's tenant-manager.
func (w *world) serveAuthority(m *http.ServeMux, tokens func(http.ResponseWriter)) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(w.t, err)
	a := &authority{key: key, codes: map[string]url.Values{}, iss: authAt + "-"}
	w.authority = a
	authorize := func(rw http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		a.mu.Lock()
		defer a.mu.Unlock()
		back := url.Values{"state": {q.Get("state")}, "iss": {a.iss}}
		switch {
		case a.foreign:
			rw.Header().Set("Location", "http://"+authHost+"/error?error=invalid_request")
			rw.WriteHeader(http.StatusSeeOther)
			return
		case r.Header.Get("Authorization") != "":
			code := rand.Text()
			a.codes[code] = q
			back.Set("iss", authAt+"one")
			back.Set("code", code)
		case q.Get("prompt") == "none":
			back.Set("error", "login_required")
			back.Set("error_description", "<b>not shown</b>")
		default:
			rw.Header().Set("Location", "http://"+authHost+"/consent?request=r1")
			rw.WriteHeader(http.StatusSeeOther)
			return
		}
		rw.Header().Set("Location", q.Get("redirect_uri")+"?"+back.Encode())
		rw.WriteHeader(http.StatusSeeOther)
	}
	m.HandleFunc("GET /oauth/-/authorize", authorize)
	m.HandleFunc("GET /oauth/one/authorize", authorize)
	m.HandleFunc("GET /oauth/one/jwks", func(rw http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(rw).Encode(map[string]any{"keys": []any{map[string]string{
			"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k", "x": base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		}}})
	})
	m.HandleFunc("POST /oauth/one/token", func(rw http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.held {
			rw.Header().Set("Retry-After", "7")
			rw.WriteHeader(http.StatusTooManyRequests)
			return
		}
		asked := a.codes[r.FormValue("code")]
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if asked == nil || r.FormValue("client_id") != asked.Get("client_id") || r.FormValue("redirect_uri") != asked.Get("redirect_uri") ||
			base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") || asked.Get("code_challenge_method") != "S256" {
			rw.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(rw, `{"error":"invalid_grant"}`)
			return
		}
		delete(a.codes, r.FormValue("code"))
		claims := jwt.MapClaims{
			"iss": authAt + "one", "aud": asked.Get("client_id"), "sub": "ada", "nonce": asked.Get("nonce"),
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		}
		if a.forge != nil {
			a.forge(claims)
		}
		signed := key
		if claims["other key"] != nil {
			_, signed, _ = ed25519.GenerateKey(rand.Reader)
		}
		t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
		t.Header["kid"] = "k"
		id, err := t.SignedString(signed)
		if err != nil {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{"access_token": "access for " + asked.Get("client_id"), "token_type": "Bearer", "id_token": id})
	})
	m.HandleFunc("POST /oauth/two/token", func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, `{"error":"invalid_grant"}`)
	})
	m.HandleFunc("POST /api/v1/sign-in/token", func(rw http.ResponseWriter, r *http.Request) {
		var in struct{ AccessToken string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		a.mu.Lock()
		a.swapped, a.agents = append(a.swapped, in.AccessToken), append(a.agents, r.Header.Get(tenant.Device))
		a.mu.Unlock()
		tokens(rw)
	})
}

// at is the same browser at another host.
func (b *browser) at(host string) *browser {
	return &browser{w: b.w, host: host, client: b.client}
}

// person is a browser that shows where it is sent to, in an installation that is set
// up.
func (w *world) person(host string) *browser {
	w.isSetUp.Store(true)
	b := w.browser(host)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// goes asks for an address, and returns where that leads to.
func (b *browser) goes(address string) *url.URL {
	b.w.t.Helper()
	u, err := url.Parse(address)
	require.NoError(b.w.t, err)
	at := b
	if u.Host != "" {
		at = b.at(u.Host)
	}
	a := at.do("GET", u.RequestURI(), "")
	require.Equal(b.w.t, 303, a.status, a.body)
	if u.Path != "/oauth/-/authorize" && u.Path != "/oauth/one/authorize" {
		require.Equal(b.w.t, "no-store", a.header.Get("Cache-Control"))
	}
	to, err := url.Parse(a.header.Get("Location"))
	require.NoError(b.w.t, err)
	return to
}

// arrives begins a sign-in that the authorization server grants, and returns the address
// of the answer.
func (b *browser) arrives(next string) *url.URL {
	b.w.t.Helper()
	to := b.goes(b.goes("/bff/oidc/begin?" + url.Values{"next": {next}}.Encode()).String())
	require.Equal(b.w.t, "http://"+b.host+"/bff/oidc/callback", to.Scheme+"://"+to.Host+to.Path)
	return to
}

func TestOneSignInForAllConsoles(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.person(admin)
	for _, host := range []string{admin, tenantHost, portalHost} {
		require.True(t, b.at(host).session().SignIn.OIDC, host)
	}
	require.False(t, b.at(authHost).session().SignIn.OIDC, "people sign in there itself")

	to := b.goes("/bff/oidc/begin?next=" + url.QueryEscape("/orders?a=1#keys"))
	require.Equal(t, authAt+"-/authorize", to.Scheme+"://"+to.Host+to.Path)
	q := to.Query()
	require.Equal(t, "gatehouse-admin", q.Get("client_id"))
	require.Equal(t, "http://"+admin+"/bff/oidc/callback", q.Get("redirect_uri"))
	require.Equal(t, "openid profile email gatehouse", q.Get("scope"))
	require.NotContains(t, q, "prompt")
	require.Equal(t, "/consent", b.goes(to.String()).Path, "nobody is signed in")
	require.Equal(t, authAt+"one/authorize", strings.Split(b.goes("/bff/oidc/begin?organization=one").String(), "?")[0])

	b.at(authHost).signIn()
	back := b.goes(to.String())
	require.Equal(t, "/orders?a=1#keys", b.goes(back.String()).String())
	v := b.session()
	require.True(t, v.SignedIn)
	require.Equal(t, "Ada", v.User.Name)
	require.Equal(t, "access for gatehouse-admin", w.authority.swapped[0])
	require.GreaterOrEqual(t, len(w.authority.agents[0]), 43, "the browser is known by it")

	for host, client := range map[string]string{tenantHost: "gatehouse-tenant", portalHost: "gatehouse-portal"} {
		other := b.at(host)
		require.Equal(t, "/", other.goes(other.arrives("").String()).String())
		require.True(t, other.session().SignedIn, "without a password")
		require.Contains(t, w.authority.swapped, "access for "+client)
	}
	before := cookieValue(t, b, admin)
	require.Equal(t, "/x", b.goes(b.arrives("/x").String()).String())
	require.NotEqual(t, before, cookieValue(t, b, admin), "a session of its own each time")
}

func cookieValue(t *testing.T, b *browser, host string) string {
	t.Helper()
	for _, k := range b.client.Jar.Cookies(&url.URL{Scheme: "http", Host: host, Path: "/"}) {
		if k.Name == "gatehouse" {
			return k.Value
		}
	}
	require.Fail(t, "there is no session")
	return ""
}

// Tabs that sign in at the same time do not disturb each other.
func TestTwoTabsSignIn(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.person(admin)
	b.at(authHost).signIn()
	one, two := b.arrives("/one"), b.arrives("/two")
	require.Equal(t, "/two", b.goes(two.String()).String())
	require.Equal(t, "/one", b.goes(one.String()).String())
	require.True(t, b.session().SignedIn)
}

// What this browser did not ask for, and what is not of our authorization server, signs
// nobody in.
func TestAnswersThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	failed := func(b *browser, address, name string) {
		t.Helper()
		to := b.goes(address)
		require.Equal(t, "/sign-in", to.Path, name)
		require.Equal(t, "one-sign-in", to.Query().Get("sso"), name)
		require.NotEmpty(t, to.Query().Get("request"), name)
		require.False(t, b.session().SignedIn, name)
	}
	fresh := func() (*browser, *url.URL) {
		b := w.person(admin)
		b.at(authHost).signIn()
		return b, b.arrives("/orders")
	}
	with := func(u *url.URL, change func(url.Values)) string {
		c, q := *u, u.Query()
		change(q)
		c.RawQuery = q.Encode()
		return c.String()
	}
	for name, change := range map[string]func(url.Values){
		"another state":           func(q url.Values) { q.Set("state", q.Get("state")+"x") },
		"no state":                func(q url.Values) { q.Del("state") },
		"another server":          func(q url.Values) { q.Set("iss", "https://evil.example/oauth/one") },
		"no issuer":               func(q url.Values) { q.Del("iss") },
		"two issuers":             func(q url.Values) { q.Add("iss", authAt+"one") },
		"another organization":    func(q url.Values) { q.Set("iss", authAt+"two") },
		"a path for an issuer":    func(q url.Values) { q.Set("iss", authAt+"one/../two") },
		"the door for an issuer":  func(q url.Values) { q.Set("iss", authAt+"-") },
		"another code":            func(q url.Values) { q.Set("code", "x") },
		"no code":                 func(q url.Values) { q.Del("code") },
		"two codes":               func(q url.Values) { q.Add("code", "x") },
		"an error":                func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") },
		"an error from elsewhere": func(q url.Values) { q.Set("error", "login_required"); q.Set("iss", "https://evil.example/") },
	} {
		b, to := fresh()
		failed(b, with(to, change), name)
	}
	b, to := fresh()
	failed(w.person(admin), to.String(), "another browser")
	failed(b.at(tenantHost), strings.Replace(to.String(), admin, tenantHost, 1), "another console")
	require.Equal(t, "/orders", b.goes(to.String()).String())
	require.Equal(t, "one-sign-in", b.goes(to.String()).Query().Get("sso"), "a second time")

	for name, forge := range map[string]func(jwt.MapClaims){
		"another's nonce":    func(c jwt.MapClaims) { c["nonce"] = "x" },
		"for another client": func(c jwt.MapClaims) { c["aud"] = "gatehouse-tenant" },
		"of another issuer":  func(c jwt.MapClaims) { c["iss"] = authAt + "two" },
		"run out":            func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"signed by another":  func(c jwt.MapClaims) { c["other key"] = true },
	} {
		b, to := fresh()
		w.authority.mu.Lock()
		w.authority.forge = forge
		n := len(w.authority.swapped)
		w.authority.mu.Unlock()
		failed(b, to.String(), name)
		require.Len(t, w.authority.swapped, n, name)
	}
}

// Who is signed in nowhere is asked at the host itself, and told nothing that an address
// says.
func TestNobodyIsSignedInYet(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.person(portalHost)
	to := b.goes("/bff/oidc/begin?prompt=none&next=%2Fapps")
	require.Equal(t, "none", to.Query().Get("prompt"))
	require.Equal(t, "/sign-in?asked=1&next=%2Fapps", b.goes(b.goes(to.String()).String()).String())

	for next, want := range map[string]string{
		"https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/\tx": "/", "javascript:alert(1)": "/", "x": "/", "/ok": "/ok",
		"/" + strings.Repeat("x", 2000): "/",
	} {
		to := b.goes(b.goes(b.goes("/bff/oidc/begin?" + url.Values{"prompt": {"none"}, "next": {next}}.Encode()).String()).String())
		require.Equal(t, want, to.Query().Get("next"), next)
		require.Empty(t, to.Host)
	}
	b.at(authHost).signIn()
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`} {
		require.Equal(t, "/", b.goes(b.arrives(next).String()).String())
	}
	w.authority.mu.Lock()
	w.authority.held = true
	w.authority.mu.Unlock()
	a := b.do("GET", b.arrives("/apps").RequestURI(), "")
	require.Regexp(t, `^/sign-in\?next=%2Fapps&request=[^&]+&sso=rate-limit-exceeded$`, a.header.Get("Location"))
	require.Equal(t, "7", a.header.Get("Retry-After"))
}

// The address that somebody typed in at a host, or that is known there, is filled in at
// the auth console; it decides nothing.
func TestTheAddressOfWhoIsToSignIn(t *testing.T) {
	t.Parallel()
	b := start(t, nil).person(portalHost)
	for hint, want := range map[string]string{
		"": "", "ada+x@example.com": "ada+x@example.com", "&prompt=login#x": "&prompt=login#x", strings.Repeat("x", 255): "",
	} {
		to := b.goes("/bff/oidc/begin?" + url.Values{"login_hint": {hint}, "prompt": {"none"}}.Encode())
		require.Equal(t, want, to.Query().Get("login_hint"))
		require.Equal(t, []string{"none"}, to.Query()["prompt"])
		require.Empty(t, to.Fragment)
	}
}

// Where the authorization server does not know a host, or the host does not know it,
// people sign in at the host itself.
func TestHostsWithoutTheOneSignIn(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *bff.Config) { c.Organizations = map[string]string{"developers.one.example": "one"} })
	at := w.person("developers.one.example")
	require.Equal(t, "/oauth/one/authorize", at.goes("/bff/oidc/begin").Path, "the host is one's own")
	require.False(t, at.session().SignIn.OIDC, "the issuer is another than people would be sent to")
	for _, host := range []string{authHost, "evil.example"} {
		require.Equal(t, 404, at.at(host).do("GET", "/bff/oidc/begin", "").status, host)
		require.Equal(t, 404, at.at(host).do("GET", "/bff/oidc/callback?state=x", "").status, host)
	}
	w.authority.mu.Lock()
	w.authority.foreign = true
	w.authority.mu.Unlock()
	require.False(t, at.at(admin).session().SignIn.OIDC)
	alone := start(t, func(c *bff.Config) { c.Apps.Auth = "" })
	require.False(t, alone.person(admin).session().SignIn.OIDC)
	require.Equal(t, 404, alone.person(admin).do("GET", "/bff/oidc/begin", "").status)
}
