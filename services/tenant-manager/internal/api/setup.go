package api

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// GetSetup says whether the first run has to be completed.
func (h *Handlers) GetSetup(ctx context.Context, _ GetSetupRequestObject) (GetSetupResponseObject, error) {
	pending, err := h.store.PendingOwners(ctx)
	return GetSetup200JSONResponse{Required: len(pending) > 0}, err
}

// newPassword returns the hash of a password that is accepted, also by the policy
// of the organization, else a problem of the field. more are names that it must not
// be made of, either.
func (h *Handlers) newPassword(ctx context.Context, organization, pointer, pw, email, name string, more ...string) (string, error) {
	org := h.store.For(organization)
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return "", err
	}
	o, err := org.Organization(ctx)
	if err != nil {
		return "", err
	}
	if n := policy.PasswordMinLength; utf8.RuneCountInString(pw) < n {
		return "", invalid(pointer, "minLength", "use at least %d characters, as your organization asks: several words make a good password", n)
	}
	if err := password.Accept(pw, password.About{Email: email, Name: name, Organization: append(more, o.Name, o.Slug)}); err != nil {
		return "", invalid(pointer, "invalid", "%s", err.Error())
	}
	leaked, err := h.opt.Leaked.Has(pw)
	if err != nil {
		return "", problem.New(problem.CodeDependencyDown, "the list of leaked passwords cannot be read, so that no new password can be set: ask whoever runs the server to import it again").Because(err)
	}
	if leaked {
		return "", invalid(pointer, "leaked", "%s", password.ErrLeaked.Error())
	}
	return h.passwords.Hash(ctx, pw)
}

// shortestPassword returns how many characters a new password has at least in an
// organization.
func shortestPassword(ctx context.Context, org *store.Org) (int, error) {
	policy, err := org.SecurityPolicy(ctx)
	return max(policy.PasswordMinLength, password.MinLength), err
}

var errDone = problem.New(problem.CodeConflict, "the first run has been completed: sign in with your e-mail address and password")

// CompleteSetup gives the first owner a name, an address and a password.
func (h *Handlers) CompleteSetup(ctx context.Context, r CompleteSetupRequestObject) (CompleteSetupResponseObject, error) {
	p := caller(ctx)
	if u, err := h.mine(ctx).User(ctx, p.Subject); err != nil || !u.SetupPending {
		return nil, errors.Join(store.IgnoreNotFound(err), errDone)
	}
	hash, err := h.newPassword(ctx, p.Organization, "/password", r.Body.Password, r.Body.Email, r.Body.Name, r.Body.OrganizationName)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		if err := tx.LockOrganization(ctx); err != nil {
			return err
		}
		u, err := tx.User(ctx, p.Subject)
		if err != nil {
			return err
		}
		if !u.SetupPending {
			return errDone
		}
		o, err := tx.Organization(ctx)
		if err != nil {
			return err
		}
		before, org := userOf(u, nil), organizationOf(o)
		u.Name, u.Email, u.PasswordHash, u.SetupPending = r.Body.Name, r.Body.Email, hash, false
		if err := tx.SaveUser(ctx, &u); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return invalid("/email", "duplicate", "somebody has this e-mail address already")
			}
			return err
		}
		if err := tx.DropOneTimeCodes(ctx, u.ID); err != nil {
			return err
		}
		o.Name = r.Body.OrganizationName
		if err := tx.SaveOrganization(ctx, &o); err != nil {
			return err
		}
		if err := tx.OrganizationChanged(false, ""); err != nil {
			return err
		}
		if err := h.record(ctx, tx, "organization.updated", "organization", o.ID, o.Name, org, organizationOf(o)); err != nil {
			return err
		}
		return h.record(ctx, tx, "user.set-up", "user", u.ID, u.Name, before, userOf(u, nil))
	})
	if err != nil {
		return nil, err
	}
	me, err := h.me(ctx)
	return CompleteSetup200JSONResponse(me), err
}
