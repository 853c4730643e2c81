package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// reserved begins the ids of the apps of the product, which are clients in every
	// organization. No other client has such an id.
	reserved = "gatehouse-"
	// Scope is what a token must be good for that the product itself takes.
	Scope = store.ManagementScope
	// Audience is what such a token must be for.
	Audience = "gatehouse"
	// appSeconds is how long an access token of an app is good: it is swapped at once.
	appSeconds = 60
	// appCallback is where at an app people come back to.
	appCallback = "/bff/oidc/callback"
	// anyOrganization stands in an address for the organization of whoever is signed in.
	// It can be the slug of none.
	anyOrganization = "-"
)

// App is one of the apps of the product that people sign in at.
type App struct {
	// Name is that of the app: admin, tenant or portal.
	Name string
	// Title is what people read.
	Title string
	// Origins are where it is, such as https://admin.example.com.
	Origins []string
}

// apps are the clients that the apps of the product are, by their ids. They are made
// here and not in the database: nobody changes them, and where people go back to is what
// the installation is configured with.
func apps(list []App) map[string]*client {
	out := map[string]*client{}
	for _, a := range list {
		c := &client{
			OAuthClient: store.OAuthClient{
				Name: a.Title, Status: store.Active, AuthMethod: AuthNone, GrantTypes: []string{GrantCode}, Scopes: []string{"openid", "profile", "email", Scope},
				Audiences: []string{Audience}, TokenFormat: FormatJWT, Algorithm: EdDSA, AccessSeconds: appSeconds, SkipConsent: true,
			},
			app: true,
		}
		c.ID, c.scopes = reserved+a.Name, c.Scopes
		for _, origin := range a.Origins {
			if u, err := url.Parse(origin); err == nil && u.Host != "" {
				c.RedirectURIs = append(c.RedirectURIs, u.Scheme+"://"+u.Host+appCallback)
			}
		}
		slices.Sort(c.RedirectURIs)
		c.RedirectURIs = slices.Compact(c.RedirectURIs)
		if len(c.RedirectURIs) > 0 {
			out[c.ID] = c
		}
	}
	return out
}

// Reserved reports whether an id is one that only apps of the product have.
func Reserved(id string) bool { return strings.HasPrefix(id, reserved) }

// AppTitle returns what people read of an app by its client id; "" = it is none.
func (s *Server) AppTitle(id string) string {
	if c := s.apps[id]; c != nil {
		return c.Name
	}
	return ""
}

// app returns an app as a client of an organization.
func (s *Server) app(organization, id string) (*client, error) {
	c := s.apps[id]
	if c == nil {
		return nil, fosite.ErrNotFound
	}
	of := *c
	of.OrganizationID = organization
	return &of, nil
}

// atApp reports whether an address is where an app takes people back.
func (s *Server) atApp(u *url.URL) bool {
	for _, c := range s.apps {
		if slices.Contains(c.RedirectURIs, u.String()) {
			return true
		}
	}
	return false
}

// atHome returns an error where a request of an app does not lead back to exactly one of
// its addresses: of this machine's addresses the library lets any port pass.
func atHome(ar fosite.AuthorizeRequester) error {
	c, _ := ar.GetClient().(*client)
	if c == nil || !c.app || slices.Contains(c.RedirectURIs, ar.GetRequestForm().Get("redirect_uri")) && slices.Contains(c.RedirectURIs, ar.GetRedirectURI().String()) {
		return nil
	}
	return fosite.ErrInvalidRequest.WithHint("redirect_uri is not an address of the app.")
}

// neutral returns what stands for the authorization server of an organization that is
// not known yet: apps alone are clients of it, and it gives nothing out.
func (s *Server) neutral() *realm {
	r := &realm{server: s, org: store.Organization{Slug: anyOrganization}, issuer: s.Issuer(anyOrganization)}
	r.build()
	return r
}

// authorizeAny is the authorization endpoint for apps of the product, which do not know
// of which organization somebody is: it is that of whoever is signed in, or signs in.
func (s *Server) authorizeAny(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	// Requests of the suite itself, which have no address, are let through.
	if ip := httpx.LimitKey(ctx); ip != "" {
		if wait := s.limits.address("authorize", ip); wait > 0 {
			s.none.slow(w, r, wait)
			return
		}
	}
	if s.apps[r.FormValue("client_id")] == nil {
		s.none.page(w, r, fosite.ErrInvalidRequest.WithHint("The client_id is not that of an app: other clients name their organization in the address."))
		return
	}
	if r.FormValue("request_uri") != "" {
		s.none.page(w, r, fosite.ErrInvalidRequest.WithHint("The parameter request_uri is not taken here."))
		return
	}
	if slug := r.FormValue("organization"); slug != "" {
		re, err := s.realm(ctx, slug)
		if errors.Is(err, errNoRealm) {
			s.none.page(w, r, fosite.ErrInvalidRequest.WithHint("There is no such organization."))
			return
		}
		if err != nil {
			s.none.refuse(w, r, err)
			return
		}
		re.answer(w, r, pending{Organization: re.org.ID, Slug: re.org.Slug}, re.signedIn)
		return
	}
	re, in, err := s.here(r)
	if err != nil {
		s.none.refuse(w, r, err)
		return
	}
	re.answer(w, r, pending{}, func(context.Context, *http.Request) (*login, error) { return in, nil })
}

// here returns who is signed in at this browser, and the authorization server of their
// organization; nobody is nil, at none.
func (s *Server) here(r *http.Request) (*realm, *login, error) {
	p, err := s.opt.Caller(r)
	var refused *problem.Problem
	switch {
	case errors.As(err, &refused) && refused.Status < 500:
		return s.none, nil, nil // a session that has ended is none
	case err != nil:
		return nil, nil, err
	case p.Kind != authn.User:
		return s.none, nil, nil
	}
	re, err := s.realm(r.Context(), p.OrganizationSlug)
	if errors.Is(err, errNoRealm) || err == nil && re.org.ID != p.Organization {
		return s.none, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	in, err := re.login(r.Context(), p)
	if err != nil || in == nil {
		return s.none, nil, err
	}
	return re, in, nil
}

// Swapped is what an access token of an app was granted for.
type Swapped struct {
	Organization, User string
	// Session is the one under which it was granted.
	Session string
	// Client is the id of the app.
	Client string
}

// ErrSwap says that a token is not one that an app gets a session for: all that can be
// wrong with it is the same.
var ErrSwap = errors.New("the token is not one of an app, has run out, or was used")

// swappedKept is how long it is known that a token was swapped: longer than it is good.
const swappedKept = 10 * appSeconds * time.Second

// Swap takes an access token of an app of the product. Of several who do one gets it.
func (s *Server) Swap(ctx context.Context, token string) (Swapped, error) {
	var said accessClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &said); err != nil {
		return Swapped{}, ErrSwap
	}
	slug, ok := strings.CutPrefix(said.Issuer, s.Issuer(""))
	if !ok {
		return Swapped{}, ErrSwap
	}
	re, err := s.realm(ctx, slug)
	if errors.Is(err, errNoRealm) {
		return Swapped{}, ErrSwap
	}
	if err != nil {
		return Swapped{}, err
	}
	r, err := storage{re}.GetAccessTokenSession(ctx, token, nil)
	if errors.Is(err, fosite.ErrNotFound) {
		return Swapped{}, ErrSwap
	}
	if err != nil {
		return Swapped{}, err
	}
	c, _ := r.GetClient().(*client)
	in, _ := r.GetSession().(*session)
	audience := r.GetGrantedAudience()
	switch {
	case c == nil || in == nil || !c.app:
	case (strategy{re}).ValidateAccessToken(ctx, r, token) != nil:
	case !r.GetGrantedScopes().Has(Scope) || len(audience) != 1 || audience[0] != Audience:
	case in.Subject == "" || in.Session == "" || in.Actor != nil || in.Confirm != (confirmation{}):
	default:
		first, err := s.short.Add(ctx, re.key("swapped", in.TokenID), "", swappedKept)
		if err != nil {
			return Swapped{}, err
		}
		if !first {
			return Swapped{}, ErrSwap
		}
		return Swapped{re.org.ID, in.Subject, in.Session, c.ID}, nil
	}
	return Swapped{}, ErrSwap
}
