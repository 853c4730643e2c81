package devportal_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// tokenServer is tenant-manager as far as OAuth2 clients of applications go.
type tokenServer struct {
	mu      sync.Mutex
	away    bool
	lost    bool // what is made is not told
	made    int
	clients map[string]client
	rotated []tenant.RotateClient
}

type client struct {
	application, name string
	scopes, audiences []string
}

var errAway = problem.New(problem.CodeDependencyDown, "tenant-manager is not available: it is away")

func (s *tokenServer) serve(t *testing.T, b *bus.Bus) {
	t.Helper()
	s.clients = map[string]client{}
	at := tenant.TokenServerAt{Issuer: "http://auth.test/oauth/acme", TokenEndpoint: "http://auth.test/oauth/acme/token"}
	require.NoError(t, bus.Answer(b, func(context.Context, tenant.TokenServer) (tenant.TokenServerAt, error) { return at, nil }))
	require.NoError(t, bus.Answer(b, func(_ context.Context, q tenant.MakeClient) (tenant.MadeClient, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.away {
			return tenant.MadeClient{}, errAway
		}
		s.made++
		id := fmt.Sprintf("client-%s-%d", q.Organization, s.made)
		s.clients[id] = client{q.Application, q.Name, q.Scopes, q.Audiences}
		if s.lost {
			return tenant.MadeClient{}, errAway
		}
		return tenant.MadeClient{ClientID: id, Secret: "ghcs_first", Hint: "ghcs_f…st", TokenServerAt: at}, nil
	}))
	require.NoError(t, bus.Answer(b, func(_ context.Context, q tenant.RotateClient) (tenant.MadeClient, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.away {
			return tenant.MadeClient{}, errAway
		}
		s.rotated = append(s.rotated, q)
		return tenant.MadeClient{ClientID: q.ClientID, Secret: "ghcs_second", Hint: "ghcs_s…nd", TokenServerAt: at}, nil
	}))
	require.NoError(t, bus.Answer(b, func(_ context.Context, q tenant.KeepClients) (tenant.ClientsKept, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.away {
			return tenant.ClientsKept{}, errAway
		}
		for id, c := range s.clients {
			i := slices.IndexFunc(q.Clients, func(k tenant.KeptClient) bool { return k.ClientID == id })
			switch {
			case c.application != q.Application:
			case i < 0:
				delete(s.clients, id)
			default:
				s.clients[id] = client{c.application, q.Clients[i].Name, q.Clients[i].Scopes, q.Clients[i].Audiences}
			}
		}
		return tenant.ClientsKept{}, nil
	}))
	require.NoError(t, bus.Answer(b, func(context.Context, tenant.ClientHolders) (tenant.ClientHolderList, error) {
		return tenant.ClientHolderList{}, nil
	}))
	require.NoError(t, bus.Answer(b, func(_ context.Context, q tenant.ClientToken) (tenant.IssuedToken, error) {
		return tenant.IssuedToken{Token: "token of " + q.ClientID, ExpiresAt: time.Now().Add(5 * time.Minute)}, nil
	}))
}

func (s *tokenServer) set(change func(*tokenServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *tokenServer) all() map[string]client {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]client{}
	for id, c := range s.clients {
		out[id] = c
	}
	return out
}

// publishOAuth makes an API whose plan Gold takes tokens of the organization's own
// authorization server, and whose plan Manual does with other scopes.
func (w *world) publishOAuth(t *testing.T) {
	t.Helper()
	w.publish(t, "acme", "orders", "p1", func(_ *gateway.PublishedAPI, plans map[string]*policy.Plan) {
		for slug, scope := range map[string]string{"gold": "orders:read", "manual": "orders:write"} {
			p := plans[slug]
			p.Security, p.Credential, p.KeyHeader = "jwt", string(credential.OAuth2), ""
			p.Tokens = &policy.Tokens{Scopes: []string{scope}, Audiences: []string{"https://orders"}}
		}
	})
}

// clientInFeed finds what gateways know of a client.
func (w *world) clientInFeed(t *testing.T, id string) (c credential.Credential, found bool) {
	t.Helper()
	sum := sha256.Sum256([]byte(id))
	e, err := w.feed.Get(t.Context(), "acme.credential."+hex.EncodeToString(sum[:]))
	if err != nil {
		return c, false
	}
	return c, json.Unmarshal(e.Value, &c) == nil
}

func TestAnOAuth2ClientOfAnApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	pub := w.tenants.User(t, "acme", "pub", publisher...)
	w.publishOAuth(t)
	soon(t, "the catalogue says what the plan takes", func() bool {
		return w.call(t, ann, "GET", "/catalogue/orders", "").at("plans", 0, "credential") == "oauth2"
	})
	made := w.call(t, ann, "POST", "/subscriptions", `{"newApplication":{"name":"Shop"},"plan":"orders-gold","createKey":true}`)
	require.Equal(t, 201, made.status, made.text)
	app, id := made.at("application", "id").(string), made.at("credential", "id").(string)
	clientID, _ := made.at("credential", "clientId").(string)
	require.Equal(t, "oauth2", made.at("credential", "kind"))
	require.Equal(t, "ghcs_first", made.at("credential", "clientSecret"))
	require.Equal(t, "http://auth.test/oauth/acme/token", made.at("credential", "tokenEndpoint"))
	require.Nil(t, made.at("credential", "key"))
	require.Equal(t, client{app, "Orders", []string{"orders:read"}, []string{"https://orders"}}, w.clients.all()[clientID])
	soon(t, "gateways know the client", func() bool {
		c, ok := w.clientInFeed(t, clientID)
		return ok && c.Kind == credential.OAuth2 && c.Application == app && c.ID == id && !c.Revoked
	})
	list := w.call(t, ann, "GET", "/applications/"+app+"/credentials", "")
	require.Equal(t, clientID, list.at("items", 0, "clientId"))
	require.NotContains(t, list.text, "ghcs_first", "a secret is shown once")

	// What it may have follows from what the application is subscribed to.
	sub := w.call(t, ann, "POST", "/subscriptions", `{"application":"`+app+`","plan":"orders-manual"}`)
	require.Equal(t, 201, sub.status, sub.text)
	require.Equal(t, []string{"orders:read"}, w.clients.all()[clientID].scopes, "nobody has approved it yet")
	require.Equal(t, 200, w.call(t, pub, "POST", "/subscriptions/"+sub.at("subscription", "id").(string)+"/approve", "{}").status)
	soon(t, "the client may have the scope", func() bool {
		return slices.Equal(w.clients.all()[clientID].scopes, []string{"orders:read", "orders:write"})
	})

	// Rotated, it stays the same client.
	turned := w.call(t, ann, "POST", "/credentials/"+id+"/rotate", `{"overlap":3600}`)
	require.Equal(t, 201, turned.status, turned.text)
	require.Equal(t, id, turned.at("id"))
	require.Equal(t, clientID, turned.at("clientId"))
	require.Equal(t, "ghcs_second", turned.at("clientSecret"))
	require.Equal(t, "ghcs_s…nd", turned.at("hint"))
	require.NotNil(t, turned.at("previousEndsAt"))
	w.clients.set(func(s *tokenServer) { require.EqualValues(t, 3600, s.rotated[0].Overlap) })

	// Others see nothing of it, and cannot touch it.
	eve := w.tenants.User(t, "acme", "eve", consumer...)
	for method, path := range map[string]string{"GET": "", "POST": "/rotate", "DELETE": ""} {
		require.Equal(t, 404, w.call(t, eve, method, "/credentials/"+id+path, "{}", "If-Match", "*").status, method)
	}

	// Revoked, it is refused by gateways at once, and gone at the server.
	require.Equal(t, 204, w.call(t, ann, "DELETE", "/credentials/"+id, "", "If-Match", "*").status)
	soon(t, "gateways know that it was revoked", func() bool { c, ok := w.clientInFeed(t, clientID); return ok && c.Revoked })
	soon(t, "the client is gone", func() bool { return len(w.clients.all()) == 0 })
	for action, n := range map[string]int{"credential.created": 1, "credential.rotated": 1, "credential.revoked": 1} {
		soon(t, action, func() bool { return w.audited(action) == n })
	}
}

// Nothing is half applied: neither where the authorization server is away, nor where
// its answer is lost. A revocation needs nobody.
func TestOAuth2ClientsWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	w.publishOAuth(t)
	app := w.call(t, ann, "POST", "/applications", `{"name":"Shop"}`).at("id").(string)
	path := "/applications/" + app + "/credentials"
	first := w.call(t, ann, "POST", path, `{"kind":"oauth2","name":"production"}`)
	require.Equal(t, 201, first.status, first.text)

	w.clients.set(func(s *tokenServer) { s.away = true })
	a := w.call(t, ann, "POST", path, `{"kind":"oauth2","name":"other"}`)
	require.Equal(t, 503, a.status, a.text)
	require.Contains(t, a.text, "tenant-manager is not available")
	a = w.call(t, ann, "POST", "/subscriptions", `{"newApplication":{"name":"Second"},"plan":"orders-gold","createKey":true}`)
	require.Equal(t, 503, a.status, a.text)
	require.Equal(t, 503, w.call(t, ann, "POST", "/credentials/"+first.at("id").(string)+"/rotate", "{}").status)
	require.Equal(t, 1, w.call(t, ann, "GET", path, "").items(), "nothing is written")
	require.Equal(t, 1, w.call(t, ann, "GET", "/applications", "").items(), "nothing is written")
	require.Nil(t, w.call(t, ann, "GET", "/credentials/"+first.at("id").(string), "").at("previousEndsAt"))
	require.Equal(t, 204, w.call(t, ann, "DELETE", "/credentials/"+first.at("id").(string), "", "If-Match", "*").status)
	soon(t, "gateways refuse it", func() bool { c, ok := w.clientInFeed(t, first.at("clientId").(string)); return ok && c.Revoked })
	require.Len(t, w.clients.all(), 1)
	w.clients.set(func(s *tokenServer) { s.away = false })
	soon(t, "it is gone when the server is back", func() bool { return len(w.clients.all()) == 0 })

	w.clients.set(func(s *tokenServer) { s.lost = true })
	a = w.call(t, ann, "POST", path, `{"kind":"oauth2","name":"lost"}`)
	require.Equal(t, 503, a.status, a.text)
	require.Empty(t, w.clients.all(), "a client that nobody has the secret of is undone")
	w.clients.set(func(s *tokenServer) { s.lost = false })

	// An application takes its clients with it.
	require.Equal(t, 201, w.call(t, ann, "POST", path, `{"kind":"oauth2","name":"again"}`).status)
	require.Len(t, w.clients.all(), 1)
	require.Equal(t, 204, w.call(t, ann, "DELETE", "/applications/"+app, "", "If-Match", "*").status)
	soon(t, "the clients are gone", func() bool { return len(w.clients.all()) == 0 })
}
