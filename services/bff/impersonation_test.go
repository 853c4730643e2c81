package bff_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// asVic reports whether a request is made by the one who acts as Vic, as long as
// that goes on.
func (w *world) asVic(r *http.Request) bool {
	parts := strings.Split(r.Header.Get("Authorization"), ".")
	if len(parts) != 3 {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && bytes.Contains(b, []byte(`"sub":"vic"`))
}

// actingSide lets Ada act as Vic.
func (w *world) actingSide(m *http.ServeMux) {
	m.HandleFunc("POST /api/v1/users/{id}/impersonation", func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.PathValue("id") != "vic" || !bytes.Contains(b, []byte("4711")) {
			authn.Denied("user:impersonate", authn.Scope{}).Write(rw)
			return
		}
		access := w.tenants.Token(w.t, authn.Principal{
			Organization: "o1", OrganizationSlug: "acme", Subject: "vic", Session: "s-vic", ImpersonatorID: "ada", ImpersonatorName: "Ada",
		})
		rw.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(rw).Encode(map[string]any{
			"accessToken": access, "expiresIn": 300, "refreshToken": "refresh-vic", "session": "s-vic",
			"user": map[string]string{"id": "vic"}, "organization": map[string]string{"id": "o1", "slug": "acme"},
		})
	})
}

func TestActingAsSomebodyElseAndComingBack(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.tenants.Grant(t, "o1", "vic", tenant.Grant{Permissions: []string{"api:read"}})
	b := w.browser(admin)
	b.session()
	require.Equal(t, problem.CodeCredentialMissing, code(t, b.do("POST", "/bff/impersonation", `{"user":"vic","reason":"4711"}`)))
	b.signIn()
	own := b.csrf
	require.Equal(t, problem.CodeInvalidInput, code(t, b.do("POST", "/bff/impersonation", `{"user":"vic"}`)))
	require.Equal(t, problem.CodeAccessDenied, code(t, b.do("POST", "/bff/impersonation", `{"user":"eve","reason":"4711"}`)))
	require.Equal(t, "Ada", b.session().User.Name, "nothing has begun")
	require.Equal(t, problem.CodeAccessDenied, code(t, b.do("POST", "/bff/impersonation", `{"user":"vic","reason":"4711"}`, "X-Gatehouse-CSRF", "other")))

	begin := func() {
		t.Helper()
		a := b.do("POST", "/bff/impersonation", `{"user":"vic","reason":"4711"}`)
		require.Equal(t, 200, a.status, a.body)
		require.Contains(t, a.body, `"impersonator":{"id":"ada","name":"Ada"}`)
		require.Equal(t, "Vic", b.session().User.Name)
	}
	begin()
	require.NotEqual(t, own, b.csrf)
	require.Equal(t, problem.CodeConflict, code(t, b.do("POST", "/bff/impersonation", `{"user":"vic","reason":"4711"}`)), "no further")
	require.Equal(t, 200, b.do("GET", "/api/gateway-manager/v1/apis", "").status)
	require.True(t, w.asVic(w.last()))

	a := b.do("DELETE", "/bff/impersonation", "")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "Ada", b.session().User.Name)
	require.Equal(t, own, b.csrf, "the session of before")
	require.Equal(t, 200, b.do("GET", "/api/gateway-manager/v1/apis", "").status)
	require.False(t, w.asVic(w.last()))
	require.Equal(t, 200, b.do("DELETE", "/bff/impersonation", "").status, "nothing to stop")

	// In another app, where nobody is signed in.
	a = b.do("POST", "/bff/impersonation/elsewhere", `{"user":"vic","reason":"4711","app":"portal"}`)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "Ada", b.session().User.Name, "nothing changes here")
	_, ticket, ok := strings.Cut(a.body, "http://developers.example.com:8443/#act=")
	require.True(t, ok, a.body)
	ticket = ticket[:43]
	portal := w.browser("developers.example.com:8443")
	portal.session()
	portal.client.Jar.SetCookies(&url.URL{Scheme: "http", Host: portal.host}, []*http.Cookie{{Name: "gatehouse", Value: ticket}})
	require.False(t, portal.session().SignedIn, "a ticket is no cookie")
	a = portal.do("POST", "/bff/impersonation/taking", `{"ticket":"`+ticket+`"}`)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "Vic", portal.session().User.Name)
	require.Equal(t, problem.CodeNotFound, code(t, portal.do("POST", "/bff/impersonation/taking", `{"ticket":"`+ticket+`"}`)), "once")
	require.Equal(t, problem.CodeInvalidInput, code(t, b.do("POST", "/bff/impersonation/elsewhere", `{"user":"vic","reason":"4711","app":"other"}`)))
	require.Equal(t, 200, portal.do("DELETE", "/bff/impersonation", "").status)
	require.False(t, portal.session().SignedIn)

	// Signing out is out of both.
	begin()
	require.Equal(t, 204, b.do("POST", "/bff/sign-out", "").status)
	require.False(t, b.session().SignedIn)
}
