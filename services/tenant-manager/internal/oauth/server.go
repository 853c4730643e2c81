// Package oauth is the authorization server of an organization's APIs: OAuth 2.1
// and OpenID Connect, with an issuer for each organization. ory/fosite does the
// protocol; what is here is what it is told: clients, keys, what tokens look
// like, where codes are kept, and who may have what.
//
// Its tokens are for the APIs that consumers call, and are signed with the
// organization's own keys. The product's services do not take them: those that are for
// the product itself are swapped for one of its own first.
package oauth

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/par"
	"github.com/ory/fosite/handler/pkce"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Options are what the authorization server is made of.
type Options struct {
	// URL is where people and programs reach it, such as
	// https://auth-admin.example.com.
	URL   string
	Store *store.Store
	Short Short
	Now   func() time.Time
	Log   *slog.Logger
	// Audit records a change in its transaction.
	Audit func(ctx context.Context, tx *db.Tx, e service.Entry) error
	// Caller says who sends a request: the user of a browser's session, or nobody.
	Caller func(r *http.Request) (authn.Principal, error)
	// Certificate returns the certificate that a client has shown, nil where it has
	// shown none. Nil where none count.
	Certificate func(r *http.Request) *x509.Certificate
	// CertificatesURL is where clients are asked for one, where URL does not: "" =
	// the same.
	CertificatesURL string
	// Outbound carries requests to addresses that clients name: for their keys, and to
	// tell them that a session ended.
	Outbound http.RoundTripper
	// Ring makes nonces, so that what one instance gave out another one knows.
	Ring *secret.Keyring
	// Apps are those of the product, which sign people in by it.
	Apps []App
	// TokenRate is how many token requests a client may make in a second; 0 = any.
	TokenRate int
}

// Server is the authorization server. It is safe for concurrent use.
type Server struct {
	opt   Options
	url   string
	store *store.Store
	short Short
	now   func() time.Time
	log   *slog.Logger
	audit func(ctx context.Context, tx *db.Tx, e service.Entry) error
	// refused and refusedOfAll bound what the trail keeps of refusals.
	refused, refusedOfAll *service.PerMinute
	keys                  *keyring
	remote                *remoteKeys
	orgs                  *cache[store.Organization]
	clients               *cache[*client]
	nonces                *cache[string]
	limits                *limits
	realmsMu              sync.Mutex
	realms                map[string]*realm
	// apps are those of the product by their client ids, none is where no organization
	// is known.
	apps map[string]*client
	none *realm
}

// New returns an authorization server.
func New(o Options) *Server {
	s := &Server{
		opt: o, url: strings.TrimRight(o.URL, "/"), store: o.Store, short: outspoken{o.Short}, now: o.Now, log: o.Log, audit: o.Audit,
		refused: service.NewPerMinute(refusedKept, o.Now), refusedOfAll: service.NewPerMinute(refusedOfAll, o.Now),
		remote:  newRemoteKeys(o.Outbound, o.Now),
		keys:    &keyring{store: o.Store, now: o.Now, log: o.Log, audit: o.Audit, rings: map[string]*ring{}, failed: map[string]time.Time{}},
		orgs:    newCache[store.Organization](o.Now),
		clients: newCache[*client](o.Now), nonces: newCache[string](o.Now), limits: newLimits(o.Store, o.Now, o.TokenRate), realms: map[string]*realm{},
		apps: apps(o.Apps),
	}
	s.none = s.neutral()
	return s
}

// realm is the authorization server of one organization.
type realm struct {
	server   *Server
	org      store.Organization
	issuer   string
	provider *fosite.Fosite
}

// Issuer returns the issuer identifier of an organization (RFC 8414 section 2).
func (s *Server) Issuer(slug string) string { return s.url + "/oauth/" + url.PathEscape(slug) }

// URL is where people and programs reach it.
func (s *Server) URL() string { return s.url }

// Certificates reports whether certificates of clients count.
func (s *Server) Certificates() bool { return s.opt.Certificate != nil }

// Forget drops what is known of a client: it was changed.
func (s *Server) Forget(client string) { s.clients.forget(client) }

// longestID bounds the ids of clients, in bytes.
const longestID = 64

// errNoRealm says that there is no such organization, or not now.
var errNoRealm = errors.New("there is no such organization")

// realm returns the authorization server of an organization.
func (s *Server) realm(ctx context.Context, slug string) (*realm, error) {
	org, err := s.orgs.get(slug, func() (store.Organization, error) {
		o, err := s.store.OrganizationBySlug(ctx, slug)
		if store.IsNotFound(err) {
			return store.Organization{}, nil
		}
		return o, err
	})
	if err != nil {
		return nil, err
	}
	if org.ID == "" || org.Suspended {
		return nil, errNoRealm
	}
	s.realmsMu.Lock()
	defer s.realmsMu.Unlock()
	r := s.realms[org.ID]
	if r == nil {
		r = &realm{server: s, org: org, issuer: s.Issuer(org.Slug)}
		r.build()
		s.realms[org.ID] = r
	}
	return r, nil
}

// client returns an active client of an organization. The error is fosite's of a
// client that is not there.
func (s *Server) client(ctx context.Context, organization, id string) (*client, error) {
	if id == "" || len(id) > longestID {
		return nil, fosite.ErrNotFound
	}
	if Reserved(id) {
		return s.app(organization, id)
	}
	c, err := s.clients.get(id, func() (*client, error) {
		org := s.store.For(organization)
		row, err := org.OAuthClient(ctx, id)
		if errors.Is(err, db.ErrNotFound) {
			return nil, fosite.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		secrets, err := org.OAuthSecrets(ctx, id)
		if err != nil {
			return nil, err
		}
		return newClient(row, secrets)
	})
	if err != nil {
		return nil, err
	}
	if c.OrganizationID != organization || c.Status != store.Active {
		return nil, fosite.ErrNotFound
	}
	return c, nil
}

// build puts fosite together: each handler with the same strategy and storage.
func (r *realm) build() {
	c := &fosite.Config{
		AccessTokenLifespan: accessLifetime, RefreshTokenLifespan: refreshLifetime, AuthorizeCodeLifespan: codeLifetime, IDTokenLifespan: idLifetime,
		IDTokenIssuer: r.issuer, AccessTokenIssuer: r.issuer, TokenURL: r.issuer + "/token", ScopeStrategy: fosite.ExactScopeStrategy,
		AudienceMatchingStrategy: fosite.ExactAudienceMatchingStrategy, EnforcePKCE: true, RefreshTokenScopes: []string{"offline_access"},
		ClientSecretsHasher: hasher{}, OmitRedirectScopeParam: true, RedirectSecureChecker: r.secure,
		PushedAuthorizeContextLifespan: pushedLifetime, AllowedPromptValues: []string{"login", "none", "consent"},
		MinParameterEntropy: 1, // any state, or none: PKCE and iss do what it was for (OAuth 2.1 section 7.12)
	}
	st, keep := strategy{r}, storage{r}
	helper := &oauth2.HandleHelper{AccessTokenStrategy: st, AccessTokenStorage: keep, Config: c}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: st, RefreshTokenStrategy: st, AuthorizeCodeStrategy: st, CoreStorage: keep, TokenRevocationStorage: keep, Config: c,
	}
	challenge := &pkce.Handler{AuthorizeCodeStrategy: st, Storage: keep, Config: c}
	identity := &openid.OpenIDConnectExplicitHandler{
		OpenIDConnectRequestStorage: keep, OpenIDConnectRequestValidator: openid.NewOpenIDConnectRequestValidator(st, c), Config: c,
		IDTokenHandleHelper: &openid.IDTokenHandleHelper{IDTokenStrategy: st},
	}
	c.AuthorizeEndpointHandlers.Append(code)
	c.AuthorizeEndpointHandlers.Append(identity)
	c.AuthorizeEndpointHandlers.Append(challenge)
	for _, h := range []fosite.TokenEndpointHandler{
		code, identity, challenge,
		&oauth2.ClientCredentialsGrantHandler{HandleHelper: helper, Config: c},
		&oauth2.RefreshTokenGrantHandler{AccessTokenStrategy: st, RefreshTokenStrategy: st, TokenRevocationStorage: keep, Config: c},
		&openid.OpenIDConnectRefreshHandler{IDTokenHandleHelper: identity.IDTokenHandleHelper, Config: c},
		&deviceGrant{realm: r, helper: helper, strategy: st, storage: keep, identity: identity.IDTokenHandleHelper},
		&exchangeGrant{realm: r, helper: helper, strategy: st, storage: keep},
	} {
		c.TokenEndpointHandlers.Append(h)
	}
	c.TokenIntrospectionHandlers.Append(&oauth2.CoreValidator{CoreStrategy: st, CoreStorage: keep, Config: c})
	c.RevocationHandlers.Append(&revocation{realm: r, strategy: st, storage: keep})
	c.PushedAuthorizeEndpointHandlers.Append(&par.PushedAuthorizeHandler{Storage: keep, Config: c})
	c.ClientAuthenticationStrategy, c.JWKSFetcherStrategy = r.authenticate, r.server.remote
	r.provider = fosite.NewOAuth2Provider(keep, c)
}

// secure reports whether an address may be redirected to: by TLS, of this
// machine, of a program's own scheme (RFC 8252 section 7), or of an app of ours, which is
// where whoever runs the installation says.
func (r *realm) secure(_ context.Context, u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return true
	case "http":
		return Loopback(u.Hostname()) || r.server.atApp(u)
	}
	return strings.Contains(u.Scheme, ".")
}

// Loopback reports whether a host name is of the own machine (RFC 8252 section
// 7.3, RFC 6761 section 6.3).
func Loopback(host string) bool {
	return host == "127.0.0.1" || host == "::1" || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

type actorKey struct{}

// withActor returns a context whose audit entries are of a client.
func withActor(ctx context.Context, c *client) context.Context {
	return context.WithValue(ctx, actorKey{}, audit.Actor{Kind: "oauth-client", ID: c.ID, Name: c.Name})
}

func actorOf(ctx context.Context) audit.Actor {
	a, _ := ctx.Value(actorKey{}).(audit.Actor)
	return a
}

// Unavailable is the problem of an authorization server that has no address.
func Unavailable() *problem.Problem {
	return problem.New(problem.CodeConflict, "this installation does not say where its authorization server is: set oauth.url to the address of the auth console")
}
