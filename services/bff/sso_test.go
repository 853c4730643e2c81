package bff_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
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
	m.HandleFunc("POST /api/v1/sign-in/sso/callback", func(rw http.ResponseWriter, r *http.Request) {
		var in map[string]string
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in["binding"] != bound || in["code"] == "" {
			problem.New(problem.CodeCredentialInvalid, "no").Write(rw)
			return
		}
		switch in["state"] {
		case "test":
			_, _ = io.WriteString(rw, `{"test":"t1"}`)
		case "second":
			_, _ = io.WriteString(rw, `{"challenge":{"challenge":"c1","methods":["totp"],"expiresAt":"2030-01-01T00:00:00Z"},"next":"/users"}`)
		default:
			_, _ = io.WriteString(rw, `{"next":"`+in["state"]+`","tokens":`)
			tokens(rw)
			_, _ = io.WriteString(rw, `}`)
		}
	})
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
	res, _ := do("GET", "/bff/sso/callback?state=%2Fusers&code=c", "", host)
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

	for query, want := range map[string]string{
		"state=test&code=c":           `^/sso/tests/t1$`,
		"state=second&code=c":         `^/sign-in\?next=%2Fusers#second=[A-Za-z0-9_-]+$`,
		"state=x&error=access_denied": `^/sign-in\?request=[^&]+&sso=credential-invalid$`,
	} {
		res, _ := do("GET", "/bff/sso/callback?"+query, "", host)
		require.Equal(t, 303, res.StatusCode)
		require.Regexp(t, want, res.Header.Get("Location"), query)
		for _, k := range res.Cookies() {
			require.NotEqual(t, "gatehouse", k.Name, "nobody is signed in by that")
		}
	}
	for next, want := range map[string]string{"/users": "/users", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/"} {
		res, _ := do("GET", "/bff/sso/callback?session_state=s&code=c&state="+url.QueryEscape(strings.ReplaceAll(next, `\`, `\\`)), "", host)
		require.Equal(t, 303, res.StatusCode)
		require.Equal(t, want, res.Header.Get("Location"), next)
	}
	_, body = do("GET", "/bff/session", "", host)
	require.Contains(t, body, `"signedIn":true`)
}
