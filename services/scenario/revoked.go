package scenario

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// atMost is how long what was taken away may still be had, anywhere.
const atMost = 2 * time.Second

// guarded are what a viewer may read of each service that asks who may do what.
var guarded = map[string]string{
	"gateway-manager": "/apis?limit=1", "policy-manager": "/policy-sets?limit=1", "devportal-backend": "/applications?limit=1", "analysis-manager": "/usage",
}

// Revoked takes what somebody may do away, in every way that there is, from an
// installation to which the story was told: every service refuses it within
// [atMost] of the answer to the change.
func Revoked(t *testing.T, at Installation) {
	t.Helper()
	anyone := newClient(t, at)
	as := func(c *client, pair object) *client {
		out := newClient(c.t, at)
		out.token = text(c.t, pair, "accessToken")
		return out
	}
	owner := as(anyone, anyone.want(http.StatusOK, http.MethodPost, tenants, "/sign-in", object{"email": "olga@example.com", "password": password}))
	made := func(path string, body object) string {
		return text(t, owner.want(http.StatusCreated, http.MethodPost, tenants, path, body), "id")
	}
	join := func(o *client, email, role string) (in *client, id string) {
		invitation := o.want(http.StatusCreated, http.MethodPost, tenants, "/invitations", object{"email": email, "roles": []object{{"role": role}}})
		in = as(o, newClient(o.t, at).want(http.StatusOK, http.MethodPost, tenants,
			"/invitations/by-token/"+text(o.t, invitation, "token")+"/accept", object{"name": email, "password": password}))
		return in, text(o.t, in.get(tenants, "/me"), "user", "id")
	}
	role := made("/roles", object{"name": "reader", "permissions": []string{"*:read"}})
	group := made("/groups", object{"name": "Readers"})
	made("/grants", object{"principal": group, "role": "viewer"})
	made("/roles", object{"name": "sees-all", "permissions": []string{"*:read"}})
	made("/roles", object{"name": "no-reading", "permissions": []string{"organization:read"}})
	made("/roles", object{"name": "acts-as-others", "permissions": []string{"user:impersonate"}})
	for name, c := range map[string]struct {
		role, group string
		// as returns who is watched instead of the user, and what take is about instead of
		// the grant; nil = the user themselves.
		as func(o, somebody *client, user string) (watched *client, what string)
		// page says that the page of a browser that the user has is not touched.
		page bool
		// take takes it away; user and grant are ids.
		take func(t *testing.T, o *client, user, grant string) answer
	}{
		"a grant is removed": {role: "viewer", take: func(_ *testing.T, o *client, _, grant string) answer {
			return o.send(http.MethodDelete, tenants, "/grants/"+grant, nil, "If-Match", "*")
		}},
		"a user is disabled": {role: "viewer", take: func(_ *testing.T, o *client, user, _ string) answer {
			return o.send(http.MethodPatch, tenants, "/users/"+user, object{"status": "disabled"}, "If-Match", "*")
		}},
		"a group is left": {role: "consumer", group: group, take: func(_ *testing.T, o *client, user, _ string) answer {
			return o.send(http.MethodDelete, tenants, "/groups/"+group+"/members/"+user, nil)
		}},
		"a role is changed": {role: role, take: func(_ *testing.T, o *client, _, _ string) answer {
			return o.send(http.MethodPatch, tenants, "/roles/"+role, object{"permissions": []string{"organization:read"}}, "If-Match", "*")
		}},
		"a role is denied": {role: "viewer", take: func(_ *testing.T, o *client, user, _ string) answer {
			return o.send(http.MethodPost, tenants, "/grants", object{"principal": user, "role": "sees-all", "effect": "deny"})
		}},
		"a boundary is set": {role: "viewer", take: func(_ *testing.T, o *client, user, _ string) answer {
			return o.send(http.MethodPut, tenants, "/boundaries/"+user, object{"role": "no-reading"}, "If-None-Match", "*")
		}},
		"the sessions are ended": {role: "viewer", take: func(_ *testing.T, o *client, user, _ string) answer {
			return o.send(http.MethodDelete, tenants, "/users/"+user+"/sessions", nil)
		}},
		"a token is revoked": {role: "viewer", page: true, as: func(o, somebody *client, _ string) (*client, string) {
			made := somebody.want(http.StatusCreated, http.MethodPost, tenants, "/me/tokens",
				object{"name": "laptop", "expiresAt": time.Now().AddDate(0, 0, 20).UTC().Format(time.RFC3339)})
			pair := newClient(o.t, at).want(http.StatusOK, http.MethodPost, tenants, "/token/personal", object{"token": text(o.t, made, "token")})
			return as(o, pair), text(o.t, made, "id")
		}, take: func(_ *testing.T, o *client, user, token string) answer {
			return o.send(http.MethodDelete, tenants, "/users/"+user+"/tokens/"+token, nil)
		}},
		"a consent is taken back": {role: "viewer", page: true, as: func(o, somebody *client, user string) (*client, string) {
			out := newClient(o.t, at)
			out.token = acting(o, somebody)
			if at.Services != nil { // the bff swaps it
				out.token = text(o.t, out.want(http.StatusOK, http.MethodPost, tenants, "/token/access", object{"accessToken": out.token}), "accessToken")
			}
			for _, c := range items(o.t, o.get(tenants, "/oauth/consents"), "items") {
				if text(o.t, c, "user", "id") == user {
					return out, text(o.t, c, "id")
				}
			}
			require.FailNow(o.t, "there is no consent")
			return nil, ""
		}, take: func(_ *testing.T, o *client, _, consent string) answer {
			return o.send(http.MethodDelete, tenants, "/oauth/consents/"+consent, nil)
		}},
		"nobody may act as them": {role: "viewer", page: true, as: func(o, _ *client, user string) (*client, string) {
			helper, id := join(o, "helper@example.com", "viewer")
			grant := text(o.t, o.want(http.StatusCreated, http.MethodPost, tenants, "/grants", object{"principal": id, "role": "acts-as-others"}), "id")
			return as(o, helper.want(http.StatusCreated, http.MethodPost, tenants, "/users/"+user+"/impersonation", object{"reason": "request 4711"})), grant
		}, take: func(_ *testing.T, o *client, _, grant string) answer {
			return o.send(http.MethodDelete, tenants, "/grants/"+grant, nil, "If-Match", "*")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newClient(t, at)
			o.token = owner.token
			email := strings.ReplaceAll(name, " ", "-") + "@example.com"
			somebody, user := join(o, email, c.role)
			grants := items(t, o.get(tenants, "/grants?principal="+user), "items")
			require.Len(t, grants, 1)
			grant := text(t, grants[0], "id")
			if c.group != "" { // what they have comes by the group alone
				o.want(http.StatusCreated, http.MethodPost, tenants, "/groups/"+c.group+"/members", object{"member": user})
				o.want(http.StatusNoContent, http.MethodDelete, tenants, "/grants/"+grant, nil, "If-Match", "*")
			}
			page := pageOf(t, at, email)
			if c.as != nil {
				somebody, grant = c.as(o, somebody, user)
			}
			// Every service has seen that they may, and keeps it.
			for service, path := range guarded {
				eventually(t, Patience, service+" lets them", func() bool { return somebody.status(service, path) == http.StatusOK })
			}
			eventually(t, Patience, "the page may", func() bool { return page.mayRead("api") })

			require.Less(t, c.take(t, o, user, grant).status, 300)
			answered := time.Now()
			var all sync.WaitGroup
			took := func(where string, gone func() bool) {
				all.Go(func() {
					for !gone() {
						if time.Since(answered) > Patience {
							break
						}
						<-time.After(10 * time.Millisecond)
					}
					if d := time.Since(answered); d > atMost {
						t.Errorf("%s: %s let them for another %s, of %s at most", name, where, d.Round(time.Millisecond), atMost)
					}
				})
			}
			for service, path := range guarded {
				took(service, func() bool {
					s := somebody.status(service, path)
					return s == http.StatusForbidden || s == http.StatusUnauthorized
				})
			}
			if !c.page {
				took("bff", func() bool { return !page.mayRead("api") })
			}
			all.Wait()
		})
	}
}

// status returns that of a request to read, 0 where there was no answer. Unlike
// send, it may be called by several at a time.
func (c *client) status(service, path string) int {
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.at.address(service)+path, nil)
	if err != nil {
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// page is a page of a browser app, whose session is a cookie.
type page struct {
	t    *testing.T
	at   string
	http *http.Client
}

func pageOf(t *testing.T, at Installation, email string) *page {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	p := &page{t: t, at: at.API, http: &http.Client{Timeout: Patience, Jar: jar}}
	t.Cleanup(p.http.CloseIdleConnections)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.API+"/bff/sign-in", strings.NewReader(`{"email":"`+email+`","password":"`+password+`"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Gatehouse-Csrf", "anonymous")
	a := do(t, p.http, r)
	require.Equal(t, http.StatusOK, a.status, "%s", a.body)
	return p
}

// mayRead reports whether the page shows what is read of a kind; so it does not when
// nobody is signed in.
func (p *page) mayRead(kind string) bool {
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.at+"/bff/session", nil)
	if err != nil {
		return true
	}
	res, err := p.http.Do(r)
	if err != nil {
		return true
	}
	defer func() { _ = res.Body.Close() }()
	var said struct{ Permissions []string }
	if json.NewDecoder(res.Body).Decode(&said) != nil || res.StatusCode != http.StatusOK {
		return true
	}
	return slices.Contains(said.Permissions, kind+":read")
}
