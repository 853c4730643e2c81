package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Asked is what somebody is asked to allow.
type Asked struct {
	Client store.OAuthClient
	// Scopes are those that were asked for; New those not allowed before.
	Scopes, New []string
	// SignIn says that the user has to sign in anew first.
	SignIn bool
	// Automatic says that nothing is asked, because it is an app of the product.
	Automatic bool
	// Host is where the browser goes afterwards.
	Host string
}

// waiting returns a request that waits for the caller.
func (s *Server) waiting(ctx context.Context, id string, caller authn.Principal) (*realm, pending, *login, error) {
	none := problem.New(problem.CodeNotFound, "the request of the application is not there any more: go back to the application, and begin again")
	text, ok, err := s.short.Get(ctx, "pending:"+id)
	if err != nil {
		return nil, pending{}, nil, err
	}
	var p pending
	if !ok || json.Unmarshal([]byte(text), &p) != nil {
		return nil, p, nil, none
	}
	if p.Organization == "" { // an app asks: it is of whoever signs in
		p.Organization, p.Slug = caller.Organization, caller.OrganizationSlug
	}
	if p.Organization != caller.Organization {
		return nil, p, nil, none
	}
	re, err := s.realm(ctx, p.Slug)
	if errors.Is(err, errNoRealm) || err == nil && re.org.ID != caller.Organization {
		err = none
	}
	if err != nil {
		return nil, p, nil, err
	}
	in, err := re.login(ctx, caller)
	if err == nil && in == nil {
		err = authn.Missing()
	}
	return re, p, in, err
}

// OrganizationOf returns the id of the organization at which a request waits for
// somebody; "" where there is no such request, or it is of any organization.
func (s *Server) OrganizationOf(ctx context.Context, id string) (string, error) {
	text, ok, err := s.short.Get(ctx, "pending:"+id)
	var p pending
	if err != nil || !ok || json.Unmarshal([]byte(text), &p) != nil {
		return "", err
	}
	return p.Organization, nil
}

// Waiting says what the caller is asked to allow.
func (s *Server) Waiting(ctx context.Context, id string, caller authn.Principal) (Asked, error) {
	re, p, in, err := s.waiting(ctx, id, caller)
	if err != nil {
		return Asked{}, err
	}
	ar, err := re.parse(ctx, p)
	if err != nil {
		return Asked{}, problem.New(problem.CodeConflict, "the request of the application cannot be answered any more: go back to the application, and begin again").Because(err)
	}
	c, _ := ar.GetClient().(*client)
	open, err := re.open(ctx, c, in.user, ar.GetRequestedScopes())
	open = slices.DeleteFunc(open, func(s string) bool { return s == "" })
	return Asked{Client: c.OAuthClient, Scopes: ar.GetRequestedScopes(), New: open, SignIn: re.again(p, in), Automatic: c.app, Host: ar.GetRedirectURI().Host}, err
}

// Decide allows a request in the name of the caller, or does not, and returns
// where the browser goes.
func (s *Server) Decide(ctx context.Context, id string, caller authn.Principal, allow bool) (string, error) {
	re, p, in, err := s.waiting(ctx, id, caller)
	if err != nil {
		return "", err
	}
	if allow && re.again(p, in) {
		return "", problem.New(problem.CodeConflict, "the application wants you to sign in anew: sign in first, then allow it")
	}
	ar, err := re.parse(ctx, p)
	if err != nil {
		return re.denied(ctx, ar, err), nil
	}
	c, _ := ar.GetClient().(*client)
	if _, ok, err := s.short.Take(ctx, "pending:"+id); err != nil || !ok { // of two who decide, one does
		return "", errors.Join(err, problem.New(problem.CodeNotFound, "the request of the application was answered before"))
	}
	if !allow {
		err := s.store.Tx(ctx, re.org.ID, in.user, func(tx *store.Tx) error {
			return s.recordConsent(ctx, tx, "oauth-consent.refused", c, in.user, nil, nil)
		})
		return re.denied(ctx, ar, fosite.ErrAccessDenied.WithDescription("The user did not allow it.")), err
	}
	if !c.SkipConsent {
		err = s.store.Tx(ctx, re.org.ID, in.user, func(tx *store.Tx) error {
			before, err := tx.OAuthConsentOf(ctx, in.user, c.ID)
			if err != nil && !errors.Is(err, db.ErrNotFound) {
				return err
			}
			after, err := tx.AllowOAuth(ctx, in.user, c.ID, ar.GetRequestedScopes())
			if err != nil {
				return err
			}
			return s.recordConsent(ctx, tx, "oauth-consent.given", c, in.user, before.Scopes, after.Scopes)
		})
		if err != nil {
			return "", err
		}
	}
	to, err := re.issue(ctx, p, in)
	if err != nil {
		return re.denied(ctx, ar, err), nil
	}
	return to, nil
}

type consentFields struct {
	User   string   `json:"user"`
	Scopes []string `json:"scopes"`
}

func (s *Server) recordConsent(ctx context.Context, tx *store.Tx, action string, c *client, user string, before, after []string) error {
	return s.audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: "oauth-client", ID: c.ID, Name: c.Name}, Organization: tx.ID(),
		Before: consentFields{user, before}, After: consentFields{user, after},
	})
}
