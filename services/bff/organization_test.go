package bff_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// otherSide lets Ada go to the organization o2, to o3 by a second step, and to o4 by a
// fresh sign-in.
func (w *world) otherSide(m *http.ServeMux) {
	m.HandleFunc("DELETE /api/v1/me/sessions/{id}", func(rw http.ResponseWriter, r *http.Request) {
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
}
