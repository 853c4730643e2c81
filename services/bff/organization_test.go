package bff_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// otherSide lets Ada go to the organization o2, to o3 by a second step, and to o4 by a
// fresh sign-in.
func (w *world) otherSide(m *http.ServeMux) {
	m.HandleFunc("DELETE /api/v1/me/sessions/{id}", func(rw http.ResponseWriter, r *http.Request) {
		if w.asVic(r) { // who acts as somebody else
			problem.New(problem.CodeAccessDenied, "you act as Vic").Write(rw)
			return
		}
		w.mu.Lock()
		w.endedOf = append(w.endedOf, r.PathValue("id"))
		w.mu.Unlock()
		w.tenants.Revoke(w.t, "o1", r.PathValue("id"))
		rw.WriteHeader(http.StatusNoContent)
	})
	m.HandleFunc("POST /api/v1/me/organizations/{id}/session", func(rw http.ResponseWriter, r *http.Request) {
		switch r.PathValue("id") {
		case "o2":
			access := w.tenants.Token(w.t, authn.Principal{Organization: "o2", OrganizationSlug: "globex", Subject: "vic", Session: "s-o2"})
			_ = json.NewEncoder(rw).Encode(map[string]any{
				"accessToken": access, "expiresIn": 300, "refreshToken": "refresh-o2", "session": "s-o2",
				"user": map[string]string{"id": "vic"}, "organization": map[string]string{"id": "o2", "slug": "globex"},
			})
		case "o3":
			rw.WriteHeader(http.StatusAccepted)
			_, _ = rw.Write([]byte(`{"challenge":"c","methods":["totp"],"expiresAt":"2030-01-01T00:00:00Z"}`))
		default:
			problem.New(problem.CodeConfirmationRequired, "initech asks for a fresh sign-in").Write(rw)
		}
	})
}

// sessionOf returns that of the access token of a request.
func sessionOf(r *http.Request) string {
	claims := jwt.MapClaims{}
	_, _, _ = jwt.NewParser().ParseUnverified(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), claims)
	session, _ := claims["sid"].(string)
	return session
}

// whichEnded returns the sessions that were ended one by one, and forgets them.
func (w *world) whichEnded() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.endedOf
	w.endedOf = nil
	return out
}

// Whoever signs in again where they are signed in leaves no session behind that nobody
// has the cookie of; who is refused stays as they are.
func TestSigningInAgainEndsWhatWasBefore(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.person(admin)
	b.signIn()
	require.Empty(t, w.whichEnded())
	require.Equal(t, problem.CodeRateLimited, code(t, b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"wrong"}`)))
	require.Equal(t, 202, b.do("POST", "/bff/password-links/use", `{"token":"t","password":"right"}`).status)
	require.True(t, b.session().SignedIn)
	require.Empty(t, w.whichEnded())

	b.signIn()
	require.Equal(t, []string{"s-ada"}, w.whichEnded())
	require.True(t, b.session().SignedIn)
	b.at(authHost).signIn()
	require.Empty(t, w.whichEnded(), "another host has a session of its own")
	require.Equal(t, "/", b.goes(b.arrives("").String()).String())
	require.Equal(t, []string{"s-ada-2"}, w.whichEnded())
	require.True(t, b.session().SignedIn)
	require.True(t, b.at(authHost).session().SignedIn, "the sign-in that it came of")

	// Who acts as somebody else was signed in twice.
	a := b.do("POST", "/bff/impersonation", `{"user":"vic","reason":"4711"}`)
	require.Equal(t, 200, a.status, a.body)
	acting := b.session()
	require.Equal(t, "Vic", acting.User.Name)
	require.Equal(t, "/", b.goes(b.arrives("").String()).String())
	require.Equal(t, []string{"s-vic", "s-ada-4"}, w.whichEnded())
	require.Equal(t, "Ada", b.session().User.Name)
	require.Equal(t, 200, b.do("DELETE", "/bff/impersonation", "").status)
	require.Equal(t, "Ada", b.session().User.Name, "there is nothing to come back to")
}

func TestGoingOnInAnotherOrganization(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.tenants.Grant(t, "o2", "vic", tenant.Grant{Permissions: []string{"api:read"}})
	b := w.browser(admin)
	b.session()
	require.Equal(t, problem.CodeCredentialMissing, code(t, b.do("POST", "/bff/organization", `{"organization":"o2"}`)))
	b.signIn()
	own := b.csrf
	require.Equal(t, problem.CodeInvalidInput, code(t, b.do("POST", "/bff/organization", `{}`)))
	require.Equal(t, problem.CodeAccessDenied, code(t, b.do("POST", "/bff/organization", `{"organization":"o2"}`, "X-Gatehouse-CSRF", "other")))

	a := b.do("POST", "/bff/organization", `{"organization":"o3"}`)
	require.Equal(t, 202, a.status, a.body)
	require.Contains(t, a.body, `"challenge":"c"`)
	require.Equal(t, problem.CodeConfirmationRequired, code(t, b.do("POST", "/bff/organization", `{"organization":"o4"}`)))
	require.Equal(t, "Ada", b.session().User.Name, "nothing has begun")
	require.Equal(t, own, b.csrf)

	a = b.do("POST", "/bff/organization", `{"organization":"o2"}`)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "Vic", b.session().User.Name)
	require.NotEqual(t, own, b.csrf, "another session")
	require.Equal(t, []string{"s-ada"}, w.whichEnded())
}
