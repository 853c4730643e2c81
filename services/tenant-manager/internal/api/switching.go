package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// The names that the generator gives these depend on what else there is.
const (
	entryCurrent    OrganizationEntry = "current"
	entryAtOnce     OrganizationEntry = "at-once"
	entrySecondStep OrganizationEntry = "second-step"
	entrySignIn     OrganizationEntry = "sign-in"

	becausePasswordChanged OrganizationEntryReason = "password-changed"
	becauseSingleSignOn    OrganizationEntryReason = "single-sign-on"
	becauseTooLongAgo      OrganizationEntryReason = "too-long-ago"
	becauseSignedOut       OrganizationEntryReason = "signed-out"
	becauseAddress         OrganizationEntryReason = "address"
)

// That an account in another organization has the same e-mail address shows nothing:
// whoever administers an organization gives its accounts addresses. What shows it is
// that the password of the sign-in was right there too, and still is the password.

// alsoRight returns the other accounts of an e-mail address in which the password of
// a sign-in that was right is right as well.
func (h *Handlers) alsoRight(ctx context.Context, in SignInInput, u store.User) ([]store.Proven, error) {
	users, err := h.store.UsersWithEmail(ctx, in.Email)
	if err != nil || len(users) < 2 {
		return nil, err
	}
	var out []store.Proven
	for _, other := range users {
		if other.ID == u.ID {
			continue
		}
		o, err := h.store.For(other.OrganizationID).Organization(ctx)
		if err != nil {
			if store.IsNotFound(err) {
				continue
			}
			return nil, err
		}
		in.Organization = &o.Slug
		right, err := h.lets(ctx, in, &candidate{user: other, organization: o}, &found{})
		if err != nil {
			return nil, err
		}
		if right {
			out = append(out, provenOf(other))
		}
	}
	return out, nil
}

func provenOf(u store.User) store.Proven {
	return store.Proven{OrganizationID: u.OrganizationID, UserID: u.ID, Password: token.Hash(u.PasswordHash)[:32]}
}

// other is an account of the caller in another organization.
type other struct {
	user         store.User
	organization store.Organization
	entry        OrganizationEntry
	reason       OrganizationEntryReason
}

// entryTo says how whoever has the session gets in to an account that it has proven.
// The error is db.ErrNotFound where nobody gets in there.
func (h *Handlers) entryTo(ctx context.Context, s store.Session, p store.Proven) (x other, err error) {
	org := h.store.For(p.OrganizationID)
	if x.organization, err = org.Organization(ctx); err != nil {
		return x, err
	}
	if x.user, err = org.User(ctx, p.UserID); err != nil {
		return x, err
	}
	if x.organization.Suspended || x.organization.DeletedAt != nil || x.user.Status != store.Active {
		return x, db.ErrNotFound
	}
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return x, err
	}
	rule, err := h.ruleBinding(ctx, x.user)
	if err != nil {
		return x, err
	}
	from := h.comesFrom(ctx, org, x.user, policy)
	if from != nil && !problem.Is(from, problem.CodeAddressDenied) {
		return x, from
	}
	asIf := store.Session{LastUsedAt: h.store.Now(), CreatedAt: s.Authenticated()}
	x.entry = entrySignIn
	switch {
	case rule.ID != "":
		x.reason = becauseSingleSignOn
	case provenOf(x.user) != p:
		x.reason = becausePasswordChanged
	case !h.sessionEnd(asIf, policy).After(h.store.Now()):
		x.reason = becauseTooLongAgo
	case x.user.ProofsAfter != nil && !s.Authenticated().After(*x.user.ProofsAfter):
		x.reason = becauseSignedOut
	case from != nil:
		x.reason = becauseAddress
	default:
		x.entry, err = h.entryWithFactors(ctx, org, x.user)
	}
	return x, err
}

func (h *Handlers) entryWithFactors(ctx context.Context, org *store.Org, u store.User) (OrganizationEntry, error) {
	factors, err := org.Factors(ctx, u.ID)
	if len(factors) > 0 {
		return entrySecondStep, err
	}
	return entryAtOnce, err
}

// ListMyOrganizations returns the organizations that the caller can go to, wants at
// hand, and used last.
func (h *Handlers) ListMyOrganizations(ctx context.Context, _ ListMyOrganizationsRequestObject) (ListMyOrganizationsResponseObject, error) {
	p, org := caller(ctx), h.mine(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	o, err := org.Organization(ctx)
	if err != nil {
		return nil, err
	}
	out := MyOrganizations{Items: []MyOrganization{{Organization: organizationName(o), Entry: entryCurrent}}}
	s, err := org.Session(ctx, p.Session)
	if store.IgnoreNotFound(err) != nil {
		return nil, err
	}
	mine := map[string]bool{o.ID: true}
	for _, proven := range s.Proven {
		x, err := h.entryTo(ctx, s, proven)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		mine[proven.OrganizationID] = true
		out.Items = append(out.Items, MyOrganization{Organization: organizationName(x.organization), Entry: x.entry, Reason: ptr(x.reason)})
	}
	slices.SortFunc(out.Items[1:], func(a, b MyOrganization) int { return cmp.Compare(a.Organization.Name, b.Organization.Name) })
	all := authn.Require(ctx, "platform:read", authn.Scope{}) == nil
	favourites, err := org.FavouriteOrganizations(ctx, p.Subject)
	if err != nil {
		return nil, err
	}
	recent, err := org.RecentOrganizations(ctx, p.Subject)
	if err != nil {
		return nil, err
	}
	known, err := h.namesOfOrganizations(ctx, append(slices.Clone(favourites), recent...), mine, all)
	if err != nil {
		return nil, err
	}
	out.Favourites, out.Recent = pick(favourites, known), pick(recent, known)
	slices.SortFunc(out.Favourites, func(a, b OrganizationName) int { return cmp.Compare(a.Name, b.Name) })
	return ListMyOrganizations200JSONResponse(out), nil
}

// namesOfOrganizations returns the names of those that the caller may know of, which
// are not deleted, by their ids.
func (h *Handlers) namesOfOrganizations(ctx context.Context, ids []string, mine map[string]bool, all bool) (map[string]OrganizationName, error) {
	out := map[string]OrganizationName{}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := h.store.Organizations(ctx, ids...)
	for _, o := range rows {
		if (all || mine[o.ID]) && o.DeletedAt == nil {
			out[o.ID] = organizationName(o)
		}
	}
	return out, err
}

func pick(ids []string, known map[string]OrganizationName) []OrganizationName {
	out := []OrganizationName{}
	for _, id := range ids {
		if o, ok := known[id]; ok {
			out = append(out, o)
		}
	}
	return out
}

// MarkMyOrganization keeps an organization at hand for the caller, or notes that they
// use it.
func (h *Handlers) MarkMyOrganization(ctx context.Context, r MarkMyOrganizationRequestObject) (MarkMyOrganizationResponseObject, error) {
	p, org := caller(ctx), h.mine(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	if err := h.knows(ctx, org, r.Id); err != nil {
		return nil, err
	}
	if deref(r.Body.Favourite) {
		marked, err := org.FavouriteOrganizations(ctx, p.Subject)
		if err != nil {
			return nil, err
		}
		if len(marked) >= store.MostFavourites && !slices.Contains(marked, r.Id) {
			return nil, invalid("/favourite", "maximum", "there are %d favourites, and no more fit: remove one first", store.MostFavourites)
		}
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		return tx.MarkOrganization(ctx, p.Subject, r.Id, r.Body.Favourite, deref(r.Body.Used))
	})
	return MarkMyOrganization204Response{}, err
}

// knows returns db.ErrNotFound where the caller is not to know of an organization.
func (h *Handlers) knows(ctx context.Context, org *store.Org, id string) error {
	p := caller(ctx)
	if id == p.Organization {
		return nil
	}
	if authn.Require(ctx, "platform:read", authn.Scope{}) == nil {
		_, err := h.store.For(id).Organization(ctx)
		return err
	}
	s, err := org.Session(ctx, p.Session)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.Proven, func(x store.Proven) bool { return x.OrganizationID == id }) {
		return db.ErrNotFound
	}
	return nil
}

// freshSignIn says why the password has to be typed again.
var freshSignIn = map[OrganizationEntryReason]string{
	becausePasswordChanged: "the password there was changed since you signed in",
	becauseSingleSignOn:    "people of your domain sign in there by single sign-on alone",
	becauseTooLongAgo:      "you signed in longer ago than a session lasts there",
	becauseSignedOut:       "you were signed out there",
	becauseAddress:         "it does not let people in from this address",
}

// SwitchOrganization begins a session of the caller in another of their organizations.
func (h *Handlers) SwitchOrganization(ctx context.Context, r SwitchOrganizationRequestObject) (SwitchOrganizationResponseObject, error) {
	me, mine, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(mine.Proven, func(x store.Proven) bool { return x.OrganizationID == r.Id })
	if at < 0 {
		return nil, db.ErrNotFound
	}
	to, err := h.entryTo(ctx, mine, mine.Proven[at])
	if err != nil {
		return nil, err
	}
	if to.entry == entrySignIn {
		return nil, problem.New(problem.CodeConfirmationRequired, "%s asks for a fresh sign-in: %s", to.organization.Name, freshSignIn[to.reason])
	}
	b := beginning{proven: slices.Clone(mine.Proven), at: authenticated(mine), switchedFrom: cmp.Or(mine.SwitchedFrom, mine.SignIn()), source: &mine}
	b.proven[at] = provenOf(me)
	amr := factor.Methods("").With(factor.ByPassword)
	next, err := h.secondStepOf(ctx, to.user, amr, deref(r.Body.Origin), b)
	if err != nil {
		return nil, err
	}
	if next != nil {
		return SwitchOrganization202JSONResponse(*next), nil
	}
	var s store.Session
	err = h.store.Tx(ctx, to.user.OrganizationID, to.user.ID, func(tx *store.Tx) error {
		s, err = h.beginSession(ctx, tx, to.user, amr, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	pair, err := h.pair(ctx, to.organization, to.user, s)
	return SwitchOrganization200JSONResponse(pair), err
}

func authenticated(s store.Session) *time.Time {
	at := s.Authenticated()
	return &at
}
