package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// candidate is an account with the e-mail address of a sign-in; the zero value is
// nobody's.
type candidate struct {
	user         store.User
	organization store.Organization
	// outdated is whether the hash of the password should be made anew.
	outdated bool
}

// found is what came of comparing a password.
type found struct {
	// right are the accounts that the password lets in, tried all others there are.
	right, tried []candidate
	// rule is that of the address's domain, and directory the connection to the
	// directory that has it; nil where none does.
	rule      store.Domain
	directory *store.SSOConnection
}

// ofDirectory returns the user who is in the organization of the directory.
func (f found) ofDirectory() store.User {
	for _, c := range f.tried {
		if c.user.OrganizationID == f.directory.OrganizationID || len(f.tried) == 1 {
			return c.user
		}
	}
	return store.User{}
}

// whose compares a password with those of the accounts that an e-mail address has,
// in the organization that is named or in all of them.
//
// As many passwords are compared for every address that is let in nowhere as the one
// with most accounts has, so that the time does not tell how many accounts it has.
func (h *Handlers) whose(ctx context.Context, in SignInInput) (found, error) {
	var out found
	accounts, least, err := h.accounts(ctx, in.Email, deref(in.Organization))
	if err != nil {
		return out, err
	}
	for i := 0; i < len(accounts) || i < least && len(out.right) == 0; i++ {
		var c candidate
		if i < len(accounts) {
			c = accounts[i]
		}
		right, err := h.lets(ctx, in, &c, &out)
		switch {
		case err != nil:
			return out, err
		case right:
			out.right = append(out.right, c)
		case c.user.ID != "":
			out.tried = append(out.tried, c)
		}
	}
	return out, nil
}

// lets reports whether a password lets somebody in to an account.
func (h *Handlers) lets(ctx context.Context, in SignInInput, c *candidate, out *found) (bool, error) {
	rule, bound, err := h.passwordRule(ctx, in, c.user, c.organization)
	if err != nil {
		return false, err
	}
	asked, local, err := h.directoryFor(ctx, in, c.user, c.organization)
	if err != nil {
		return false, err
	}
	if rule.ID != "" {
		out.rule = rule
	}
	if asked != nil {
		out.directory = asked
	}
	if bound {
		local = ""
	}
	right, outdated, err := h.passwords.Verify(ctx, in.Password, local)
	c.outdated = outdated
	return right && c.user.Status == store.Active && !c.organization.Suspended, err
}

// comparedFor is for how long it is taken as known how many accounts an address has at
// most.
const comparedFor = 10 * time.Second

// comparisons is how many passwords every sign-in compares at least. It is a fact of
// the whole installation and tells nothing of one address: one, where nobody is in
// several organizations with the same address.
type comparisons struct {
	mu    sync.Mutex
	most  int
	until time.Time
}

// least returns the number, which is never below what the address at hand has.
func (c *comparisons) least(ctx context.Context, s *store.Store, has int) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := s.Now(); c.most == 0 || !now.Before(c.until) {
		most, err := s.MostAccounts(ctx)
		if err != nil {
			return 0, err
		}
		c.most, c.until = most, now.Add(comparedFor)
	}
	c.most = max(c.most, has)
	return c.most, nil
}

// accounts returns those that an e-mail address has, at least that of nobody, and how
// many passwords are compared at least.
func (h *Handlers) accounts(ctx context.Context, email, slug string) (out []candidate, least int, err error) {
	// All is asked in any case, so that the time is the same.
	users, err := h.store.UsersWithEmail(ctx, email)
	if err != nil {
		return nil, 0, err
	}
	if slug != "" {
		var c candidate
		if c.organization, err = h.store.OrganizationBySlug(ctx, slug); err != nil {
			return []candidate{{}}, 1, store.IgnoreNotFound(err)
		}
		c.user, err = h.store.For(c.organization.ID).UserByEmail(ctx, email)
		return []candidate{c}, 1, store.IgnoreNotFound(err)
	}
	if least, err = h.compared.least(ctx, h.store, len(users)); err != nil {
		return nil, 0, err
	}
	for i := range max(least, len(users)) {
		id := "none"
		if i < len(users) {
			id = users[i].OrganizationID
		}
		o, err := h.store.For(id).Organization(ctx)
		if store.IgnoreNotFound(err) != nil {
			return nil, 0, err
		}
		if err == nil && i < len(users) {
			out = append(out, candidate{user: users[i], organization: o})
		}
	}
	return out, least, nil
}

// wasRight forgets what is held against an account and an address. Where others have
// the e-mail address too, only the attempt is taken back: whoever has an account with
// it could else guess at the password of another.
func (h *Handlers) wasRight(ctx context.Context, email string, account, address store.Limited) error {
	users, err := h.store.UsersWithEmail(ctx, email)
	if err != nil {
		return err
	}
	if len(users) == 1 {
		return h.store.Succeeded(ctx, account, address)
	}
	return h.takeBack(ctx, account, address)
}

// whichOne is the problem of somebody whose password is right in several
// organizations. It names them: the password has shown that they are theirs.
func whichOne(right []candidate) *problem.Problem {
	slices.SortFunc(right, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.organization.Name, b.organization.Name), cmp.Compare(a.organization.Slug, b.organization.Slug))
	})
	choices, named := make([]problem.Choice, len(right)), make([]string, len(right))
	for i, c := range right {
		choices[i] = problem.Choice{Value: c.organization.Slug, Label: c.organization.Name}
		named[i] = c.organization.Slug
	}
	p := invalid("/organization", "choice", "the password is that of accounts in several organizations: name one of %s", strings.Join(named, ", "))
	p.Choices = choices
	return p
}
