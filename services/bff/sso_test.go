package bff_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// providers is a tenant-manager's side of signing in at identity providers: what
// the state is says what comes of it.
func providers(m *http.ServeMux, tokens func(http.ResponseWriter)) {
	bound := ""
	begin := func(rw http.ResponseWriter, r *http.Request) {
		var in map[string]string
		_ = json.NewDecoder(r.Body).Decode(&in)
		bound = in["binding"]
		_ = json.NewEncoder(rw).Encode(map[string]string{"address": "https://idp.example/?origin=" + in["origin"] + "&next=" + in["next"] + "&token=" + r.Header.Get("Authorization")})
	}
	m.HandleFunc("POST /api/v1/sign-in/sso", begin)
	m.HandleFunc("POST /api/v1/sso/connections/{id}/test", begin)
	m.HandleFunc("POST /api/v1/me/confirmation/sso", begin)
	m.HandleFunc("POST /api/v1/sign-in/sso/callback", func(rw http.ResponseWriter, r *http.Request) {
		var in map[string]string
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in["binding"] != bound || in["saml"] == "" && in["connection"] != "c1" || in["code"] == "" && in["saml"] != "handle of an answer" {
			problem.New(problem.CodeCredentialInvalid, "no").Write(rw)
			return
		}
		switch in["state"] {
		case "test":
			_, _ = io.WriteString(rw, `{"test":"t1"}`)
		case "confirmed", "refused":
			_, _ = io.WriteString(rw, `{"confirmed":`+strconv.FormatBool(in["state"] == "confirmed")+`,"next":"/account?tab=tokens"}`)
		case "second":
			_, _ = io.WriteString(rw, `{"challenge":{"challenge":"c1","methods":["totp"],"expiresAt":"2030-01-01T00:00:00Z"},"next":"/users"}`)
		default:
			_, _ = io.WriteString(rw, `{"next":"`+in["state"]+`","tokens":`)
			tokens(rw)
			_, _ = io.WriteString(rw, `}`)
		}
	})
}

// samlSide is a tenant-manager's side of SAML answers and metadata.
func samlSide(m *http.ServeMux) {
	m.HandleFunc("POST /api/v1/sign-in/sso/saml", func(rw http.ResponseWriter, r *http.Request) {
		var in map[string]string
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in["state"] != "/users" {
			problem.New(problem.CodeNotFound, "unasked").Write(rw)
			return
		}
		_ = json.NewEncoder(rw).Encode(map[string]string{"handle": "handle of " + in["answer"]})
	})
	m.HandleFunc("GET /api/v1/sign-in/sso/saml/{id}/metadata", func(rw http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(rw).Encode(map[string]string{"metadata": "<x id=\"" + r.PathValue("id") + "\">" + strings.Join(r.URL.Query()["origin"], " ") + "</x>"})
	})
}

// The answer of a SAML provider is a post of another site: no cookie comes along, and
// it does nothing but lead to where the browser shows who it is.
func TestASAMLAnswer(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	const host = "apim-admin.localhost:8080"
	do := func(method, path, body, kind string, cookies ...*http.Cookie) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.bff+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Host = host
		if kind != "" {
			r.Header.Set("Content-Type", kind)
			r.Header.Set("Origin", "https://idp.example")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		if kind == "application/json" {
			r.Header.Set("Origin", "http://"+host)
			r.Header.Set("X-Gatehouse-CSRF", "anonymous")
		}
		for _, k := range cookies {
			r.AddCookie(k)
		}
		var res *http.Response
		for range 20 {
			again := r.Clone(t.Context())
			again.Body, err = r.GetBody()
			require.NoError(t, err)
			// What is too large is not read, and the connection may end before the answer is.
			if res, err = c.Do(again); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
				break
			}
		}
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res, string(b)
	}
	const form = "application/x-www-form-urlencoded"
	res, body := do("POST", "/bff/sign-in/sso", `{"connection":"x","next":"/users"}`, "application/json")
	require.Equal(t, 200, res.StatusCode, body)
	began := res.Cookies()[0]

	res, body = do("POST", "/bff/sso/saml/callback", url.Values{"RelayState": {"/users"}, "SAMLResponse": {"an answer"}}.Encode(), form)
	require.Equal(t, 303, res.StatusCode, body)
	require.Empty(t, res.Cookies(), "nobody is signed in by a post of another site")
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	to := res.Header.Get("Location")
	require.Equal(t, "/bff/sso/callback?saml=handle+of+an+answer&state=%2Fusers", to)
	res, _ = do("GET", to, "", "")
	require.Regexp(t, `^/sign-in\?request=[^&]+&sso=credential-invalid$`, res.Header.Get("Location"), "another browser")
	res, _ = do("GET", to, "", "", began)
	require.Equal(t, "/users", res.Header.Get("Location"))
	require.NotEmpty(t, res.Cookies())

	for _, fields := range []url.Values{{"SAMLResponse": {"an answer"}}, {"SAMLResponse": {"an answer"}, "RelayState": {"https://portal.example/"}}} {
		res, _ = do("POST", "/bff/sso/saml/callback", fields.Encode(), form)
		require.Equal(t, 303, res.StatusCode)
		require.Regexp(t, `^/sign-in\?request=[^&]+&sso=unasked$`, res.Header.Get("Location"), "it was begun at the provider")
	}
	res, _ = do("POST", "/bff/sso/saml/callback", "RelayState=x", form)
	require.Equal(t, 400, res.StatusCode)
	res, _ = do("POST", "/bff/sso/saml/callback", "{}", "application/json")
	require.Equal(t, 415, res.StatusCode)
	res, _ = do("POST", "/bff/sso/saml/callback", "RelayState=x&SAMLResponse="+strings.Repeat("A", 600_000), form)
	require.Equal(t, 413, res.StatusCode)

	res, body = do("GET", "/bff/sso/saml/c1/metadata", "", "")
	require.Equal(t, 200, res.StatusCode, body)
	require.Equal(t, "application/samlmetadata+xml", res.Header.Get("Content-Type"))
	require.Regexp(t, `^<x id="c1">http://apim-admin.localhost:8080 http`, body)
	require.Contains(t, body, "tenant-admin.localhost:8080")
}

func TestSigningInAtAnIdentityProvider(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	at := &url.URL{Scheme: "http", Host: w.bff}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	do := func(method, path, body, host string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, at.String()+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Host = host
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Gatehouse-CSRF", "anonymous")
		}
		for _, k := range jar.Cookies(&url.URL{Scheme: "http", Host: w.bff, Path: r.URL.Path}) {
			r.AddCookie(k)
		}
		res, err := c.Do(r)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		jar.SetCookies(at, res.Cookies())
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res, string(b)
	}
	const host = "apim-admin.localhost:8080"
	res, _ := do("GET", "/bff/sso/callback/c1?state=%2Fusers&code=c", "", host)
	require.Equal(t, 303, res.StatusCode)
	require.Regexp(t, `^/sign-in\?request=[^&]+&sso=credential-invalid$`, res.Header.Get("Location"), "this browser began nothing")

	res, body := do("POST", "/bff/sign-in/sso", `{"email":"eve@acme.example","next":"/users"}`, host)
	require.Equal(t, 200, res.StatusCode, body)
	require.Contains(t, body, "origin=http://"+host)
	require.Contains(t, body, "next=/users")
	k := res.Cookies()[0]
	require.Equal(t, "gatehouse-sso", k.Name)
	require.True(t, k.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, k.SameSite)
	require.Equal(t, "/bff/sso", k.Path)
	res, body = do("POST", "/bff/sign-in/sso", `{"connection":"x","next":"//evil.example"}`, host)
	require.Equal(t, 200, res.StatusCode, body)
	require.NotContains(t, body, "evil")
	res, _ = do("POST", "/bff/sign-in/sso", `{"email":"eve@acme.example"}`, "evil.example")
	require.Equal(t, 404, res.StatusCode, "no app is there")
	res, _ = do("POST", "/bff/sso/test", `{"connection":"x"}`, host)
	require.Equal(t, 401, res.StatusCode, "nobody is signed in")
	res, _ = do("POST", "/bff/sso/confirmation", `{"connection":"x","next":"/account"}`, host)
	require.Equal(t, 401, res.StatusCode, "nobody is signed in")

	res, _ = do("GET", "/bff/sso/callback?state=%2Fusers&code=c", "", host)
	require.Regexp(t, `^/sign-in\?request=[^&]+&sso=credential-invalid$`, res.Header.Get("Location"), "no connection's address")
	for query, want := range map[string]string{
		"state=test&code=c":           `^/sso/tests/t1$`,
		"state=confirmed&code=c":      `^/account\?identity=confirmed&tab=tokens$`,
		"state=refused&code=c":        `^/account\?identity=refused&tab=tokens$`,
		"state=second&code=c":         `^/sign-in\?next=%2Fusers#second=[A-Za-z0-9_-]+$`,
		"state=x&error=access_denied": `^/sign-in\?request=[^&]+&sso=credential-invalid$`,
	} {
		res, _ := do("GET", "/bff/sso/callback/c1?"+query, "", host)
		require.Equal(t, 303, res.StatusCode)
		require.Regexp(t, want, res.Header.Get("Location"), query)
		for _, k := range res.Cookies() {
			require.NotEqual(t, "gatehouse", k.Name, "nobody is signed in by that")
		}
	}
	for next, want := range map[string]string{"/users": "/users", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/"} {
		res, _ := do("GET", "/bff/sso/callback/c1?session_state=s&code=c&state="+url.QueryEscape(strings.ReplaceAll(next, `\`, `\\`)), "", host)
		require.Equal(t, 303, res.StatusCode)
		require.Equal(t, want, res.Header.Get("Location"), next)
	}
	_, body = do("GET", "/bff/session", "", host)
	require.Contains(t, body, `"signedIn":true`)
}

// A browser that was signed out at its identity provider comes back to where its page
// wanted it, and only the one that signed out.
func TestSigningOutAtAnIdentityProvider(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	address := "https://idp.example/end"
	w.signOutAddress.Store(&address)
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	const host = "apim-admin.localhost:8080"
	jar := map[string]*http.Cookie{}
	do := func(method, path, body, csrf string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.bff+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Host = host
		if method == "POST" {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Gatehouse-CSRF", csrf)
		}
		for _, k := range jar {
			r.AddCookie(k)
		}
		res, err := c.Do(r)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		for _, k := range res.Cookies() {
			if jar[k.Name] = k; k.MaxAge < 0 {
				delete(jar, k.Name)
			}
		}
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res, string(b)
	}
	for next, want := range map[string]string{"": "/sign-in?signed-out=provider", "/oauth/default/logout?x=1": "/oauth/default/logout?x=1", "//evil.example": "/sign-in?signed-out=provider"} {
		do("POST", "/bff/sign-in/sso", `{"email":"eve@acme.example"}`, "anonymous")
		res, _ := do("GET", "/bff/sso/callback/c1?code=c&state=%2Fusers", "", "")
		require.Equal(t, "/users", res.Header.Get("Location"))
		_, body := do("GET", "/bff/session", "", "")
		var v struct{ CSRF string }
		require.NoError(t, json.Unmarshal([]byte(body), &v))
		res, body = do("POST", "/bff/sign-out", `{"next":"`+next+`"}`, v.CSRF)
		require.Equal(t, 200, res.StatusCode, body)
		require.JSONEq(t, `{"address":"https://idp.example/end"}`, body)
		require.NotContains(t, jar, "gatehouse")
		kept := jar["gatehouse-signed-out"]
		require.NotNil(t, kept)
		require.True(t, kept.HttpOnly)
		state, _, _ := strings.Cut(kept.Value, ".")
		require.Equal(t, "http://"+host+" "+state, *w.signedOutAt.Load(), "tenant-manager is told where, and the state")
		res, _ = do("GET", "/bff/sso/signed-out?state="+state, "", "")
		require.Equal(t, 303, res.StatusCode)
		require.Equal(t, want, res.Header.Get("Location"))
		require.NotContains(t, jar, "gatehouse-signed-out")
		jar["gatehouse-signed-out"] = kept
		res, _ = do("GET", "/bff/sso/signed-out?state=another", "", "")
		require.Equal(t, "/sign-in", res.Header.Get("Location"))
	}
}
