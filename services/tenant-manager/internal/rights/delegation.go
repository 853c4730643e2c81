package rights

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// skew is how far the clocks of two processes may be apart, and the second to which a token
// says when it was made.
const skew = 5 * time.Second

// Delegation returns what an application does in the name of a user by an access token
// of the authorization server, as a token of that user, named as the application, until
// the access token runs out. It is nil where that is over; why is a sentence that says so,
// "" where there is nothing to say.
func Delegation(ctx context.Context, o *store.Org, policy store.SecurityPolicy, user, id string) (k *store.Token, why string, err error) {
	d, err := o.OAuthDelegation(ctx, user, id)
	if err != nil {
		return nil, "", store.IgnoreNotFound(err)
	}
	c, why, err := Delegated(ctx, o, policy, d)
	if err != nil || why != "" {
		return nil, why, err
	}
	return &store.Token{ID: d.ID, OrganizationID: d.OrganizationID, Name: c.Name, ExpiresAt: &d.ExpiresAt}, "", nil
}

// Delegated returns the application that acts as a user, and why it may no longer, as a
// sentence; "" = it may. An access token is held to all that ends it whenever it is
// asked about: the policy, the session in which it was allowed, the client and the consent.
func Delegated(ctx context.Context, o *store.Org, policy store.SecurityPolicy, d store.OAuthDelegation) (c store.OAuthClient, why string, err error) {
	now := o.Now()
	if !now.Before(d.ExpiresAt) {
		return c, "the access token has run out", nil
	}
	if !policy.PersonalTokens {
		return c, "your organization does not let people have tokens, nor applications act as them", nil
	}
	s, err := o.Session(ctx, d.SessionID)
	if store.IgnoreNotFound(err) != nil {
		return c, "", err
	}
	over := err != nil || s.UserID != d.UserID || !s.Open(now) || s.Pending != "" || s.ImpersonatorID != ""
	if over {
		return c, "the sign-in in which the application was allowed to act is over", nil
	}
	if !now.Before(s.CreatedAt.AddDate(0, 0, policy.PersonalTokenDays)) {
		return c, "the application was allowed to act longer ago than your organization lets tokens last", nil
	}
	c, err = o.OAuthClient(ctx, d.ClientID)
	gone := store.IsNotFound(err)
	if err != nil && !gone {
		return c, "", err
	}
	if gone || !c.MayAct() {
		return c, "the application may not act as people any more", nil
	}
	consent, err := o.OAuthConsentOf(ctx, d.UserID, d.ClientID)
	gone = store.IsNotFound(err)
	if err != nil && !gone {
		return c, "", err
	}
	// One that was given again is for tokens that were made after it.
	if gone || !slices.Contains(consent.Scopes, store.ManagementScope) || d.IssuedAt.Before(consent.CreatedAt.Add(-skew)) {
		return c, "it was taken back that the application acts", nil
	}
	return c, "", nil
}
