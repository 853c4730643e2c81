package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

const (
	// ssoLifetime is how long somebody may take at the provider, ssoTestKept how
	// long what a test received can be read.
	ssoLifetime = 10 * time.Minute
	ssoTestKept = 15 * time.Minute

	forSSO     = "sso"
	forSSOTest = "sso-test"
	ssoTested  = "sso-tested"
	// forSSOConfirm is a new proof of somebody who is signed in.
	forSSOConfirm = "sso-confirm"

	// ssoCallback is below what providers send browsers back to, at the address of an
	// app. Each connection has an address of its own, which ends in its id, so that the
	// answer of one provider is never taken for that of another (RFC 9700 section 4.4.2).
	ssoCallback = "/bff/sso/callback/"
)

// ssoBegun is what is kept of a sign-in at a provider. Its state is the name of the
// challenge; all else is derived from that and from what the browser keeps.
type ssoBegun struct {
	Connection string `json:"connection"`
	Binding    string `json:"binding"` // as a hash
	Origin     string `json:"origin"`
	Next       string `json:"next,omitempty"`
	// Session is the one that is confirmed; "" = none.
	Session string `json:"session,omitempty"`
}

// AskSignInMethods says whether a domain belongs to a connection.
func (h *Handlers) AskSignInMethods(ctx context.Context, r AskSignInMethodsRequestObject) (AskSignInMethodsResponseObject, error) {
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	c, d, err := h.store.SSOConnectionFor(ctx, sso.Domain(r.Body.Email))
	switch {
	case store.IsNotFound(err):
		return AskSignInMethods200JSONResponse{}, nil
	case err != nil:
		return nil, err
	}
	return AskSignInMethods200JSONResponse{Connection: ptr(connectionNameOf(c)), SingleSignOn: ptr(signInRule(d))}, nil
}

func connectionNameOf(c store.SSOConnection) SsoConnectionName {
	return SsoConnectionName{Id: c.ID, Name: c.Name, Kind: SsoKind(c.Kind)}
}

// BeginSsoSignIn says where to send a browser to.
func (h *Handlers) BeginSsoSignIn(ctx context.Context, r BeginSsoSignInRequestObject) (BeginSsoSignInResponseObject, error) {
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	var (
		c   store.SSOConnection
		err error
	)
	switch {
	case r.Body.Connection != nil:
		c, err = h.store.SSOConnectionByID(ctx, *r.Body.Connection)
	case r.Body.Email != nil:
		c, _, err = h.store.SSOConnectionFor(ctx, sso.Domain(*r.Body.Email))
	default:
		return nil, invalid("/email", "required", "send an e-mail address, or the id of a connection")
	}
	if store.IsNotFound(err) {
		return nil, problem.New(problem.CodeNotFound, "no identity provider is connected for this: sign in with a password, or ask your administrator")
	}
	if err != nil {
		return nil, err
	}
	if c.Kind == store.LDAP {
		return nil, problem.New(problem.CodeConflict, "%s has no sign-in page of its own: send the e-mail address and the password to /sign-in", c.Name)
	}
	address, err := h.beginSSO(ctx, forSSO, c, store.Challenge{}, r.Body.Origin, r.Body.Binding, deref(r.Body.Next), deref(r.Body.Email))
	var failed *sso.FailedError
	if errors.As(err, &failed) {
		h.kit.Log.WarnContext(ctx, "an identity provider could not be asked", "connection", c.ID, "err", failed)
		err = problem.New(problem.CodeDependencyDown, "%s cannot be reached: try again in a while, or sign in with a password", c.Name)
	}
	return BeginSsoSignIn200JSONResponse{Address: address}, err
}

// TestSsoConnection begins a test sign-in; with a directory it is finished at once.
func (h *Handlers) TestSsoConnection(ctx context.Context, r TestSsoConnectionRequestObject) (TestSsoConnectionResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:update", authn.Scope{}); err != nil {
		return nil, err
	}
	p := caller(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	c, err := h.mine(ctx).SSOConnection(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if c.Kind == store.LDAP {
		return h.testLDAP(ctx, c, *r.Body)
	}
	switch {
	case r.Body.Origin == nil:
		return nil, invalid("/origin", "required", "send the origin of the page, such as https://admin.example.com")
	case r.Body.Binding == nil:
		return nil, invalid("/binding", "required", "send a random secret that the browser keeps")
	}
	if c.Kind != store.SAML && c.ClientID == "" {
		return nil, problem.New(problem.CodeConflict, "the test cannot begin: give the client id that the provider knows Gatehouse by, and save it")
	}
	address, err := h.beginSSO(ctx, forSSOTest, c, store.Challenge{UserID: p.Subject}, *r.Body.Origin, *r.Body.Binding, "", "")
	var failed *sso.FailedError
	if errors.As(err, &failed) {
		return nil, problem.New(problem.CodeConflict, "the test cannot begin: %s", failed)
	}
	if err == nil {
		err = h.change(ctx, func(tx *store.Tx) error {
			return h.record(ctx, tx, "sso-connection.tested", "sso-connection", c.ID, c.Name, nil, nil)
		})
	}
	return TestSsoConnection200JSONResponse{Address: &address}, err
}

func (h *Handlers) beginSSO(ctx context.Context, purpose string, c store.SSOConnection, ch store.Challenge, origin, binding, next, hint string) (string, error) {
	if !isOrigin(origin) {
		return "", invalid("/origin", "format", "use the origin of the page, such as https://admin.example.com")
	}
	a := attemptAt(c, token.OneTime(), binding, origin)
	a.Fresh = purpose == forSSOConfirm
	address, err := h.ssoAddress(ctx, c, a, hint)
	if err != nil {
		return "", err
	}
	begun := ssoBegun{Connection: c.ID, Binding: token.Hash(binding), Origin: origin, Next: next}
	if a.Fresh {
		begun.Session = caller(ctx).Session
	}
	data, err := json.Marshal(begun)
	if err != nil {
		return "", err
	}
	ch.OrganizationID, ch.Purpose, ch.Data, ch.Hash, ch.ExpiresAt = c.OrganizationID, purpose, string(data), token.Hash(a.State), h.store.Now().Add(ssoLifetime)
	return address, h.store.CreateChallenge(ctx, &ch)
}

// attemptAt returns an attempt at a connection's provider, from the app at an origin.
func attemptAt(c store.SSOConnection, state, binding, origin string) sso.Attempt {
	a := sso.Attempt{State: state, Binding: binding, Redirect: origin + ssoCallback + c.ID}
	if c.Kind == store.SAML {
		a.Redirect = origin + samlCallback
	}
	return a
}

// ssoAddress returns where to send the browser to.
func (h *Handlers) ssoAddress(ctx context.Context, c store.SSOConnection, a sso.Attempt, hint string) (string, error) {
	switch c.Kind {
	case store.SAML:
		return h.sso.SAMLAddress(samlConnectionOf(c), a)
	case store.OAuth2:
		return h.sso.OAuth2Address(oauth2ProviderOf(c), a)
	}
	return h.sso.Address(ctx, providerOf(c), a, hint)
}

func providerOf(c store.SSOConnection) sso.Provider {
	return sso.Provider{Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.Secret.Reveal(), Scopes: c.Scopes}
}

const (
	ssoOver    = "this sign-in was finished, begun more than ten minutes ago, or begun in another browser: begin again"
	ssoRefused = "the identity provider knows you, but you cannot sign in here with that account: ask your administrator"
	ssoFailed  = "the identity provider did not sign you in: begin again, or ask your administrator"
)

// ssoChallenge returns what was begun under the hash of a state.
func (h *Handlers) ssoChallenge(ctx context.Context, state string) (ch store.Challenge, err error) {
	for _, purpose := range []string{forSSO, forSSOTest, forSSOConfirm} {
		if ch, err = h.store.Challenge(ctx, purpose, state); !store.IsNotFound(err) {
			break
		}
	}
	return ch, err
}

// takeSSO returns what was begun under a state by this browser, and takes it.
func (h *Handlers) takeSSO(ctx context.Context, state, binding string) (ch store.Challenge, begun ssoBegun, err error) {
	ch, err = h.ssoChallenge(ctx, token.Hash(state))
	if store.IsNotFound(err) {
		return ch, begun, refused(ssoOver)
	}
	if err != nil {
		return ch, begun, err
	}
	if err := json.Unmarshal([]byte(ch.Data), &begun); err != nil {
		return ch, begun, err
	}
	// Another browser cannot spoil it for this one.
	if !secret.Equal(token.Hash(binding), begun.Binding) {
		return ch, begun, refused(ssoOver)
	}
	taken := false
	err = h.store.Tx(ctx, ch.OrganizationID, "", func(tx *store.Tx) error {
		taken, err = h.store.TakeChallenge(ctx, tx, ch.ID)
		return err
	})
	if err == nil && !taken {
		err = refused(ssoOver)
	}
	return ch, begun, err
}

// FinishSsoSignIn takes what a provider sent back.
func (h *Handlers) FinishSsoSignIn(ctx context.Context, r FinishSsoSignInRequestObject) (FinishSsoSignInResponseObject, error) {
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	ch, begun, err := h.takeSSO(ctx, r.Body.State, r.Body.Binding)
	if err != nil {
		return nil, err
	}
	c, err := h.store.For(ch.OrganizationID).SSOConnection(ctx, begun.Connection)
	if store.IsNotFound(err) || err == nil && !c.Enabled && ch.Purpose != forSSOTest {
		return nil, refused(ssoOver)
	}
	if err != nil {
		return nil, err
	}
	claims, idToken, err := h.claims(ctx, c, ch, *r.Body, begun)
	var failed *sso.FailedError
	if err != nil && !errors.As(err, &failed) {
		return nil, err
	}
	if ch.Purpose == forSSOTest {
		id, err := h.keepTest(ctx, ch.UserID, c, claims, failed)
		return FinishSsoSignIn200JSONResponse{Test: &id}, err
	}
	if ch.Purpose == forSSOConfirm {
		return h.confirmBySSO(ctx, c, ch, begun, claims, failed)
	}
	if failed != nil {
		h.ssoRefused(ctx, c, "", failed.Reason)
		return nil, refused(ssoFailed)
	}
	out, err := h.signInBySSO(ctx, c, personOf(c, claims), idToken, begun.Origin)
	out.Next = ptr(begun.Next)
	return FinishSsoSignIn200JSONResponse(out), err
}

func namesOf(c store.SSOConnection) sso.Names {
	return sso.Names{Email: c.EmailClaim, Name: c.NameClaim, Groups: c.GroupsClaim}
}

// personOf reads what a provider said of who signed in.
func personOf(c store.SSOConnection, claims map[string]any) sso.Person {
	switch c.Kind {
	case store.SAML:
		return sso.ReadSAML(claims, namesOf(c), c.Settings.SAML.SubjectAttribute)
	case store.OAuth2:
		return sso.ReadOAuth2(claims, namesOf(c), c.Settings.OAuth2.Subject)
	}
	return sso.Read(claims, namesOf(c))
}

// claims returns what the provider says in the answer to an attempt, and the ID token
// where there is one.
func (h *Handlers) claims(ctx context.Context, c store.SSOConnection, ch store.Challenge, in SsoCallbackInput, begun ssoBegun) (claims map[string]any, idToken string, err error) {
	a := attemptAt(c, in.State, in.Binding, begun.Origin)
	if c.Kind == store.SAML {
		claims, err = h.samlClaims(ctx, c, ch, a, deref(in.Saml))
		return claims, "", err
	}
	if deref(in.Connection) != c.ID {
		return nil, "", &sso.FailedError{Reason: "the answer came to the address of another connection than the sign-in was begun at: a provider may have led the browser to another provider (mix-up), or the redirect address that is registered at it is not the one of this connection"}
	}
	if in.Error != nil {
		return nil, "", &sso.FailedError{Reason: "the provider answered " + *in.Error + " " + deref(in.ErrorDescription)}
	}
	if deref(in.Code) == "" {
		return nil, "", &sso.FailedError{Reason: "the provider sent no code"}
	}
	if c, err = h.revealed(ctx, c); err != nil {
		return nil, "", err
	}
	answer := sso.Answer{Code: *in.Code, Issuer: deref(in.Iss)}
	if c.Kind == store.OAuth2 {
		claims, err = h.sso.OAuth2Claims(ctx, oauth2ProviderOf(c), a, answer)
		return claims, "", err
	}
	return h.sso.Claims(ctx, providerOf(c), a, answer)
}

// ssoRefused puts into the audit trail, after the answer, why somebody was not
// signed in. user is "" where that is not known.
func (h *Handlers) ssoRefused(ctx context.Context, c store.SSOConnection, user, why string) {
	cause := context.WithoutCancel(ctx)
	h.afterwards("recording a refused sign-in", func(context.Context) error {
		ctx, cancel := context.WithTimeout(cause, 10*time.Second)
		defer cancel()
		return h.store.Tx(ctx, c.OrganizationID, "", func(tx *store.Tx) error {
			return h.kit.Audit(ctx, tx.DB(), service.Entry{
				Action: "sso-connection.sign-in", Target: audit.Target{Kind: "sso-connection", ID: c.ID, Name: c.Name}, Refused: true,
				Organization: c.OrganizationID, Actor: audit.Actor{Kind: "anonymous"},
				After: struct {
					Reason string `json:"reason"`
					User   string `json:"user,omitempty"`
				}{why, user},
			})
		})
	})
}

// signInBySSO begins the session of a person, by the same rules as every other.
func (h *Handlers) signInBySSO(ctx context.Context, c store.SSOConnection, p sso.Person, idToken, origin string) (SsoFinished, error) {
	var out SsoFinished
	org := h.store.For(c.OrganizationID)
	o, err := org.Organization(ctx)
	if err != nil {
		return out, err
	}
	m, err := h.match(ctx, org, c, p)
	if err != nil {
		return out, err
	}
	if m.refused == "" && o.Suspended {
		m.refused = "the organization is suspended"
	}
	if m.refused == "" {
		rule, err := h.ruleBinding(ctx, m.user)
		if err != nil {
			return out, err
		}
		if rule.ID != "" && rule.ConnectionID != c.ID {
			m.refused = "people of " + rule.Domain + " sign in by another connection alone"
		}
	}
	if m.refused != "" {
		h.ssoRefused(ctx, c, m.user.ID, m.refused)
		return out, refused(ssoRefused)
	}
	var u store.User
	err = h.store.Tx(ctx, o.ID, m.user.ID, func(tx *store.Tx) error {
		u, err = h.settle(ctx, tx, c, p, m)
		return err
	})
	if tenancy.IsFull(err) {
		h.ssoRefused(ctx, c, "", problem.From(err).Detail)
	}
	if err != nil {
		return out, err
	}
	amr := factor.Methods("").With(factor.ByFederation).With(p.Methods...)
	came := beginning{from: c.ID, idToken: hintOf(c, idToken)}
	if p.SID != "" {
		came.sid = token.Hash(p.SID)
	}
	if out.Challenge, err = h.secondStepOf(ctx, u, amr, origin, came); err != nil || out.Challenge != nil {
		return out, err
	}
	var s store.Session
	err = h.store.Tx(ctx, o.ID, u.ID, func(tx *store.Tx) error {
		s, err = h.beginSession(ctx, tx, u, amr, came)
		return err
	})
	if err != nil {
		return out, err
	}
	pair, err := h.pair(ctx, o, u, s)
	out.Tokens = &pair
	return out, err
}
