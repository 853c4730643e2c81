package oauth

import (
	"context"
	"errors"
	"slices"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
)

// typeAccess is the type of an access token (RFC 8693 section 3).
const typeAccess = "urn:ietf:params:oauth:token-type:access_token"

// mostActors bounds how many act for each other in a token.
const mostActors = 5

// exchangeGrant gives a client a token that it acts with for the subject of
// another, with what that one is good for or less (RFC 8693).
type exchangeGrant struct {
	*realm
	helper   *oauth2.HandleHelper
	strategy strategy
	storage  storage
}

var _ fosite.TokenEndpointHandler = (*exchangeGrant)(nil)

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*exchangeGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*exchangeGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(GrantExchange)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (x *exchangeGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !x.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	c, _ := r.GetClient().(*client)
	if c == nil || c.IsPublic() || !slices.Contains(c.GrantTypes, GrantExchange) {
		return fosite.ErrUnauthorizedClient.WithHint("This client is not allowed to exchange tokens.")
	}
	form := r.GetRequestForm()
	if t := form.Get("requested_token_type"); t != "" && t != typeAccess {
		return fosite.ErrInvalidRequest.WithHintf("requested_token_type can be %s only.", typeAccess)
	}
	subject, err := x.token(ctx, form.Get("subject_token"), form.Get("subject_token_type"), "subject_token")
	if err != nil {
		return err
	}
	if of, _ := subject.GetClient().(*client); of == nil || of.app {
		return fosite.ErrInvalidRequest.WithHint("The subject_token is of an app of the product, and for nobody else.")
	}
	if subject.GetGrantedScopes().Has(Scope) {
		return fosite.ErrInvalidRequest.WithHint("The subject_token is for the product itself, and for nobody else.")
	}
	from, _ := subject.GetSession().(*session)
	act := &actor{Subject: c.ID, Actor: from.Actor}
	if text := form.Get("actor_token"); text != "" || form.Get("actor_token_type") != "" {
		other, err := x.token(ctx, text, form.Get("actor_token_type"), "actor_token")
		if err != nil {
			return err
		}
		act.Subject = x.strategy.subject(other)
	}
	if act.depth() > mostActors {
		return fosite.ErrInvalidRequest.WithHint("The subject_token was exchanged too often.")
	}
	if err := narrow(r, c, subject, x.issuer); err != nil {
		return err
	}
	in := newSession()
	in.Subject, in.Session, in.Claims, in.Actor, in.NotAfter, in.Confirm = from.Subject, from.Session, from.Claims, act, from.Until, from.Confirm
	in.From = append(slices.Clone(from.From), from.TokenID)
	if in.Subject == "" {
		in.Behalf = x.strategy.subject(subject)
	}
	r.SetSession(in)
	r.SetID(subject.GetID()) // what ends the one ends the other
	return nil
}

// token reads a token of this server that is good.
func (x *exchangeGrant) token(ctx context.Context, text, kind, name string) (fosite.Requester, error) {
	if text == "" || kind != typeAccess {
		return nil, fosite.ErrInvalidRequest.WithHintf("%s must be there, and %s_type must be %s.", name, name, typeAccess)
	}
	r, err := x.storage.GetAccessTokenSession(ctx, x.strategy.AccessTokenSignature(ctx, text), nil)
	if err == nil {
		err = x.strategy.ValidateAccessToken(ctx, r, text)
	}
	switch {
	case err == nil:
		return r, nil
	case errors.Is(err, fosite.ErrNotFound) || errors.Is(err, fosite.ErrTokenExpired):
		return nil, fosite.ErrInvalidRequest.WithHintf("%s is not an access token of this issuer that is good.", name)
	}
	return nil, fosite.ErrTemporarilyUnavailable.WithWrap(err)
}

// narrow grants what was asked for, of what both the subject's token and the client
// have.
func narrow(r fosite.AccessRequester, c *client, subject fosite.Requester, issuer string) error {
	both := func(has, may []string) (out []string) {
		for _, one := range has {
			if slices.Contains(may, one) && !slices.Contains(identityScopes, one) && one != issuer {
				out = append(out, one)
			}
		}
		return out
	}
	scopes := both(subject.GetGrantedScopes(), c.Scopes)
	wanted := r.GetRequestedScopes()
	if len(wanted) == 0 {
		wanted = scopes
	}
	for _, scope := range wanted {
		if !slices.Contains(scopes, scope) {
			return fosite.ErrInvalidScope.WithHintf("The scope %q is not one that both the subject_token and the client have.", scope)
		}
		r.GrantScope(scope)
	}
	audience := both(subject.GetGrantedAudience(), c.Audiences)
	target := r.GetRequestedAudience()
	named := slices.ContainsFunc(subject.GetGrantedAudience(), func(a string) bool { return a != issuer })
	if len(target) == 0 {
		target = audience
	}
	if named && len(target) == 0 {
		return errTarget("The client may have tokens for none of the APIs that the subject_token is for.")
	}
	for _, one := range target {
		if !slices.Contains(audience, one) {
			return errTarget("The audience or resource is not one that both the subject_token and the client are for.")
		}
		r.GrantAudience(one)
	}
	return nil
}

// errTarget is the error of RFC 8707 section 2, and RFC 8693 section 2.2.2.
func errTarget(hint string) error {
	return oauthError("invalid_target", "The target of the token is not allowed.").WithHint(hint)
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (x *exchangeGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, res fosite.AccessResponder) error {
	if !x.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	if _, err := x.helper.IssueAccessToken(ctx, accessLifetime, r, res); err != nil {
		return err
	}
	res.SetExtra("issued_token_type", typeAccess)
	return nil
}

func (a *actor) depth() int {
	n := 0
	for ; a != nil; a = a.Actor {
		n++
	}
	return n
}
