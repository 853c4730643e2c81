// Package api is what browsers and command lines talk to: sessions, the services'
// own APIs behind one address, live updates, and the pages of the browser apps.
// It imports Echo, and decides nothing that a service can decide.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/bff/internal/live"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// Sessions are the sessions of browsers; it is a session.Manager.
type Sessions interface {
	Create(ctx context.Context, t session.Tokens, back string) (cookie string, s session.Session, err error)
	Get(ctx context.Context, cookie string) (session.Session, error)
	Leave(ctx context.Context, cookie string) error
	Hand(ctx context.Context, t session.Tokens) (ticket string, err error)
	Take(ctx context.Context, ticket, back string) (cookie string, s session.Session, err error)
	End(ctx context.Context, cookie string) error
}

// Options are what the API is made of.
type Options struct {
	Sessions Sessions
	// Services are the transports to the services, by name.
	Services map[string]http.RoundTripper
	// Tenants is tenant-manager.
	Tenants  *Tenants
	Verifier httpx.Verifier
	Access   *authn.Access
	Hub      *live.Hub
	Apps     Apps
	// Organization is the slug of the organization of visitors who are not signed
	// in.
	Organization string
	// Organizations are others by the host names under which they are reached.
	Organizations map[string]string
	// Lifetime is that of cookies.
	Lifetime time.Duration
	// Version is that of the program.
	Version string
	Log     *slog.Logger
	Now     func() time.Time
	// Stopping ends when the process is told to stop.
	Stopping context.Context //nolint:containedctx // of streams that never end by themselves
}

// handlers is the API.
type handlers struct {
	Options
	proxies  map[string]*httputil.ReverseProxy
	exchange *exchange
	guesses  *guesses
	// direct carries requests to the authorization server and to provisioning, as
	// they are.
	direct *httputil.ReverseProxy
	// auth is the authorization server, of which the apps are clients; nil = there is
	// none.
	auth *authServer
}

// Register puts the API and the pages on a router. What is below /bff is in
// openapi.yaml, by which it is validated before it comes here.
func Register(e *echo.Echo, o Options) {
	h := &handlers{Options: o, proxies: map[string]*httputil.ReverseProxy{}, exchange: newExchange(o.Tenants, o.Now), guesses: newGuesses(o.Now)}
	for name, rt := range o.Services {
		h.proxies[name] = h.proxy(name, rt)
	}
	if rt := o.Services[tenant.Service]; rt != nil {
		h.direct = h.passThrough(rt)
		h.auth = newAuthServer(rt, o.Now)
	}
	e.GET("/bff/session", h.getSession)
	e.POST("/bff/sign-in", h.ours(h.signIn))
	e.POST("/bff/sign-in/second-step", h.ours(h.passed("/sign-in/second-step")))
	e.POST("/bff/sign-in/passkey", h.ours(h.passed("/sign-in/passkey")))
	e.POST("/bff/sign-in/one-time", h.ours(h.passed("/sign-in/one-time")))
	e.POST("/bff/sign-in/sso", h.ours(h.beginSSO))
	e.POST("/bff/sso/test", h.ours(h.testSSO))
	e.POST("/bff/sso/confirmation", h.ours(h.confirmBySSO))
	e.GET("/bff/oidc/begin", h.beginOIDC)
	e.GET(oidcCallback, h.endOIDC)
	e.GET("/bff/sso/callback", h.endSSO)
	e.GET("/bff/sso/signed-out", h.signedOut)
	e.GET("/bff/sso/callback/:connection", h.endSSO)
	e.POST("/bff/sso/saml/callback", h.samlCallback) // of another site: see there
	e.GET("/bff/sso/saml/:id/metadata", h.samlMetadata)
	e.POST("/bff/password-links/use", h.ours(h.usePasswordLink))
	e.POST("/bff/invitations/accept", h.ours(h.acceptInvitation))
	e.POST("/bff/sign-out", h.ours(h.signOut))
	e.POST("/bff/organization", h.ours(h.switchOrganization))
	e.POST("/bff/impersonation", h.ours(h.impersonate))
	e.POST("/bff/impersonation/elsewhere", h.ours(h.impersonateElsewhere))
	e.POST("/bff/impersonation/taking", h.ours(h.takeImpersonation))
	e.DELETE("/bff/impersonation", h.ours(h.stopImpersonating))
	e.GET("/bff/live", h.live)
	e.Any("/api/:service/v1/*", h.forward)
	e.Any("/api/*", func(echo.Context) error { return echo.ErrNotFound })
	e.Any("/scim/v2", h.provisioning)
	e.Any("/scim/v2/*", h.provisioning)
	e.Any("/oauth/*", h.authorizationServer)
	e.Any("/.well-known/oauth-authorization-server/*", h.authorizationServer)
	e.Any("/*", h.page)
}
