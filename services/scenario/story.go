package scenario

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The services, as in addresses.
const (
	tenants   = "tenant-manager"
	gateways  = "gateway-manager"
	policies  = "policy-manager"
	portal    = "devportal-backend"
	analytics = "analysis-manager"
)

const password = "correct horse battery staple 7"

// pet is what is mostly called.
const pet = "/petstore/pet/1"

// story is one run of the scenario: what later steps need from earlier ones.
type story struct {
	Installation
	t                        testing.TB
	owner, publisher, caller *client
	http                     *http.Client
	project, api, plan       string
	application, credential  string
	key                      string
}

// Run tells the whole story: set up, users, a project, real documents, plans,
// deployments, subscriptions with a key, the answers that count from each gateway,
// usage and explanation, a control plane that is away, a revocation, and a way
// back.
func Run(t *testing.T, at Installation) {
	at.secrets = &secrets{of: map[string]string{}}
	s := &story{Installation: at, t: t, http: &http.Client{Timeout: Patience}}
	t.Cleanup(s.http.CloseIdleConnections)
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"set up", s.setUp},
		{"invite users", s.invite},
		{"make a project", s.makeProject},
		{"import", s.importDocument},
		{"plan", s.makePlan},
		{"deploy", s.deploy},
		{"subscribe", s.subscribe},
		{"call", s.callIt},
		{"a large document", s.large},
		{"usage", s.usage},
		{"explain", s.explain},
		{"outage", s.outage},
		{"without databases", s.withoutDatabases},
		{"limit", s.limit},
		{"revoke", s.revoke},
		{"roll back", s.rollBack},
		{"tokens", s.tokens},
		{"audit", s.audit},
		{"logs", s.logs},
	} {
		ok := t.Run(step.name, func(t *testing.T) {
			before := s.t
			s.use(t)
			defer s.use(before)
			step.do()
		})
		if !ok {
			t.Fatalf("%q went wrong; what follows needs it", step.name)
		}
	}
}

// use has failures reported to the step that is running.
func (s *story) use(t testing.TB) {
	s.t = t
	for _, c := range []*client{s.owner, s.publisher, s.caller} {
		if c != nil {
			c.t = t
		}
	}
}

func (s *story) client(pair object) *client {
	c := newClient(s.t, s.Installation)
	c.token = text(s.t, pair, "accessToken")
	return c
}

// get calls a path at a gateway.
func (s *story) get(gateway, path, key string) answer {
	s.t.Helper()
	return call(s.t, s.http, http.MethodGet, gateway+path, key)
}

// everywhere waits until every gateway answers a call with the status.
func (s *story) everywhere(within time.Duration, what, path, key string, status int) {
	s.t.Helper()
	eventually(s.t, within, what, func() bool {
		for _, gateway := range s.Traffic {
			if s.get(gateway, path, key).status != status {
				return false
			}
		}
		return true
	})
}

// setUp signs in with the one-time code, which works once, and completes the
// first run.
func (s *story) setUp() {
	anyone := newClient(s.t, s.Installation)
	require.True(s.t, anyone.get(tenants, "/setup")["required"].(bool))
	require.Equal(s.t, http.StatusUnauthorized, anyone.send(http.MethodPost, tenants, "/sign-in/one-time", object{"code": "guessed"}).status)
	pair := anyone.want(http.StatusOK, http.MethodPost, tenants, "/sign-in/one-time", object{"code": s.Code})
	require.Equal(s.t, true, pair["setupRequired"])
	s.owner = s.client(pair)
	weak := s.owner.send(http.MethodPost, tenants, "/setup", object{"organizationName": "Acme", "name": "Olga", "email": "olga@example.com", "password": "short"})
	require.Equal(s.t, http.StatusUnprocessableEntity, weak.status, "%s", weak.body)
	require.Contains(s.t, string(weak.body), "/password")
	s.owner.want(http.StatusOK, http.MethodPost, tenants, "/setup", object{"organizationName": "Acme", "name": "Olga", "email": "olga@example.com", "password": password})
	require.Equal(s.t, http.StatusUnauthorized, anyone.send(http.MethodPost, tenants, "/sign-in/one-time", object{"code": s.Code}).status)
	require.False(s.t, anyone.get(tenants, "/setup")["required"].(bool))
	s.owner = s.client(anyone.want(http.StatusOK, http.MethodPost, tenants, "/sign-in", object{"email": "olga@example.com", "password": password}))
	require.Equal(s.t, "Acme", text(s.t, s.owner.get(tenants, "/me"), "organization", "name"))
	wrong := anyone.send(http.MethodPost, tenants, "/sign-in", object{"email": "olga@example.com", "password": "wrong"})
	unknown := anyone.send(http.MethodPost, tenants, "/sign-in", object{"email": "nobody@example.com", "password": "wrong"})
	require.Equal(s.t, http.StatusUnauthorized, wrong.status)
	require.Equal(s.t, wrong.status, unknown.status)
	require.Equal(s.t, wrong.object(s.t)["detail"], unknown.object(s.t)["detail"], "it must not show which accounts exist")
}

// invite makes a publisher and a consumer, who may do what their roles say.
func (s *story) invite() {
	roles := map[string]string{}
	for _, r := range items(s.t, s.owner.get(tenants, "/roles?limit=200"), "items") {
		roles[text(s.t, r, "name")] = text(s.t, r, "id")
	}
	join := func(name, role string) *client {
		invitation := s.owner.want(http.StatusCreated, http.MethodPost, tenants, "/invitations",
			object{"email": name + "@example.com", "roles": []object{{"role": roles[role]}}})
		pair := newClient(s.t, s.Installation).want(http.StatusOK, http.MethodPost, tenants,
			"/invitations/by-token/"+text(s.t, invitation, "token")+"/accept", object{"name": name, "password": password})
		return s.client(pair)
	}
	s.publisher, s.caller = join("paul", "publisher"), join("carla", "consumer")
	require.Equal(s.t, http.StatusForbidden, s.publisher.send(http.MethodGet, tenants, "/users", nil).status)
	require.Equal(s.t, http.StatusForbidden, s.caller.send(http.MethodGet, gateways, "/apis", nil).status)
	require.Equal(s.t, http.StatusUnauthorized, newClient(s.t, s.Installation).send(http.MethodGet, gateways, "/apis", nil).status)
}

// makeProject makes the project that the APIs are of.
func (s *story) makeProject() {
	made := object{"slug": "shop", "name": "Shop", "description": "Pets and all that they need."}
	require.Equal(s.t, http.StatusForbidden, s.caller.send(http.MethodPost, gateways, "/projects", made).status)
	bad := s.owner.send(http.MethodPost, gateways, "/projects", with(made, "slug", "The Shop"))
	require.Equal(s.t, http.StatusUnprocessableEntity, bad.status, "%s", bad.body)
	require.Contains(s.t, string(bad.body), "/slug")
	s.project = text(s.t, s.owner.want(http.StatusCreated, http.MethodPost, gateways, "/projects", made), "id")
	twice := s.owner.send(http.MethodPost, gateways, "/projects", made)
	require.Equal(s.t, http.StatusConflict, twice.status, "%s", twice.body)
	require.Equal(s.t, "Shop", text(s.t, s.publisher.get(gateways, "/projects/"+s.project), "name"))
}

// with returns a copy of an object with one more field.
func with(o object, name string, value any) object {
	more := object{name: value}
	for k, v := range o {
		if k != name {
			more[k] = v
		}
	}
	return more
}

// match returns the If-Match of a state that was read.
func (s *story) match(o object) string {
	s.t.Helper()
	return `"` + strconv.Itoa(count(s.t, o, "version")) + `"`
}
