package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// whileWaiting are the operations of [inPerson] for which a session is good that waits
// for a second factor: those that set one up, and those that go away. By any other
// something would be left that is good as soon as the account has a factor, whoever set
// that up: the password alone may be somebody else's.
var whileWaiting = map[string]bool{
	"CompleteSetup": true, "UpdateMe": true, "SignOut": true, "ConfirmMe": true, "AskMyPasskey": true, "SwitchOrganization": true,
	"ListMySessions": true, "EndMySession": true, "EndMyOtherSessions": true, "ListMyConsents": true, "DeleteMyConsent": true,
	"ListMyFactors": true, "CreateMyTotp": true, "ActivateMyTotp": true, "AskNewPasskey": true, "CreateMyPasskey": true,
}

// waitsForNothing returns a problem where the caller's session is not good for anything
// yet.
func (h *Handlers) waitsForNothing(ctx context.Context, p authn.Principal) error {
	if p.Kind != authn.User {
		return nil
	}
	s, err := h.mine(ctx).Session(ctx, p.Session)
	if err == nil && s.Pending != "" {
		return problem.New(problem.CodeAccessDenied, "your organization asks for a second factor: set up a second factor first")
	}
	return store.IgnoreNotFound(err) // a session that is gone is refused where it is looked for
}

// withoutItsFactor reports whether a session has not shown the second factor that its
// user has: it began before there was one. The link that whoever runs the server makes is
// for who has lost theirs, and makes them a break-glass account.
func (h *Handlers) withoutItsFactor(ctx context.Context, u store.User, s store.Session) (bool, error) {
	amr := factor.Methods(s.AMR)
	if amr.Second() || u.BreakGlass && amr.Has(factor.ByLink) {
		return false, nil
	}
	has, err := h.mine(ctx).HasFactors(ctx, u.ID)
	return has[u.ID], err
}
