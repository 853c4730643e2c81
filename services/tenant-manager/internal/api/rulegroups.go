package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// changesRules is what changing a domain's rule of sign-in needs, and so does changing
// who is in the groups that it binds: it comes to the same.
const changesRules = "sso-connection:update"

// ruledBy returns a domain whose rule lets those in a group in by single sign-on alone:
// it names the group, or one that this is in. The zero value where none does. A rule
// counts whether its domain is verified at the moment or not.
func ruledBy(ctx context.Context, org *store.Org, group string) (store.Domain, error) {
	rules, err := org.RulesOnGroups(ctx)
	if err != nil || len(rules) == 0 {
		return store.Domain{}, err
	}
	chains, err := rights.Chains(ctx, org, group)
	if err != nil {
		return store.Domain{}, err
	}
	for _, d := range rules {
		if slices.Contains(d.SSOGroups, group) {
			return d, nil
		}
		for _, chain := range chains[group] {
			if slices.Contains(d.SSOGroups, chain[len(chain)-1].ID) {
				return d, nil
			}
		}
	}
	return store.Domain{}, nil
}

// mayBind returns a problem where a rule binds who is in a group, and the caller may not
// change rules.
func mayBind(ctx context.Context, org *store.Org, group store.Group) error {
	d, err := ruledBy(ctx, org, group.ID)
	if err != nil || d.ID == "" || authn.Require(ctx, changesRules, authn.Scope{}) == nil {
		return err
	}
	return problem.New(problem.CodeAccessDenied,
		"who is in the group %s signs in to %s by single sign-on alone: changing the group changes that rule, which needs %s; ask somebody who has it",
		group.Name, d.Domain, changesRules)
}

// mayBind returns a problem where a rule binds who is in a group, and whoever saved the
// directory may not change rules.
func (c *scimCall) mayBind(ctx context.Context, org *store.Org, group store.Group) error {
	d, err := ruledBy(ctx, org, group.ID)
	if err != nil || d.ID == "" {
		return err
	}
	may, err := mayChangeRules(ctx, org, c.dir.SavedBy, c.h.store.Now())
	if err != nil || may {
		return err
	}
	return refuseSCIM(http.StatusForbidden, group.Name, "who is in the group signs in to %s by single sign-on alone: changing the group changes that rule, which needs %s, and whoever saved the directory does not have it: somebody who has it saves it again", d.Domain, changesRules)
}

// staysBound refuses another e-mail address that takes a user out of a rule that binds
// them, unless whoever saved the directory may change rules.
func (c *scimCall) staysBound(ctx context.Context, tx *store.Tx, u store.User, email string) error {
	may, err := mayChangeRules(ctx, tx.Org, c.dir.SavedBy, c.h.store.Now())
	if err != nil {
		return err
	}
	err = c.h.staysBound(ctx, u, email, may)
	if problem.Is(err, problem.CodeAccessDenied) {
		return refuseSCIM(http.StatusForbidden, email, "%s", problem.From(err).Detail)
	}
	return err
}

func isSCIMRefusal(err error) bool {
	var r *scimRefusal
	return errors.As(err, &r)
}

// staysBound returns a problem where another e-mail address takes a user out of a rule
// that binds them, unless whoever gives it to them may change rules.
func (h *Handlers) staysBound(ctx context.Context, u store.User, email string, may bool) error {
	d, err := h.ruleBinding(ctx, u)
	if err != nil || d.ID == "" || sso.Domain(email) == d.Domain || may {
		return err
	}
	return problem.New(problem.CodeAccessDenied,
		"people of %s sign in by single sign-on alone: an address elsewhere would take %s out of that rule, which needs %s; ask somebody who has it",
		d.Domain, u.Name, changesRules)
}

func callerChangesRules(ctx context.Context) bool {
	return authn.Require(ctx, changesRules, authn.Scope{}) == nil
}

// mayChangeRules reports whether a principal may change rules of sign-in now.
func mayChangeRules(ctx context.Context, org *store.Org, principal string, now time.Time) (bool, error) {
	held, err := rights.Of(ctx, org, principal)
	return err == nil && access.Missing(held, []string{changesRules}, access.Scope{}, noEnd, now) == "", err
}
