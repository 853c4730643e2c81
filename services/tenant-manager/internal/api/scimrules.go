package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// provides returns an error where the directory does not provide for the domain of
// an address.
func (c *scimCall) provides(s said) error {
	if s.email == "" {
		return scim.Fail(http.StatusBadRequest, scim.InvalidValue, "there is no e-mail address: send one as the userName, or in emails")
	}
	if domain := sso.Domain(s.email); !slices.Contains(c.dir.Verified, domain) {
		if slices.Contains(c.dir.Domains, domain) {
			return refuseSCIM(http.StatusBadRequest, s.email, "the domain of the e-mail address %s is not verified yet", s.email)
		}
		return refuseSCIM(http.StatusBadRequest, s.email, "the e-mail address %s is of none of the domains of this directory", s.email)
	}
	return nil
}

// mayTouch refuses to change an account that may do more than whoever saved the
// directory, or that is the way in when nothing else is.
func (c *scimCall) mayTouch(ctx context.Context, tx *store.Tx, u store.User) error {
	if u.BreakGlass {
		return refuseSCIM(http.StatusForbidden, u.Email, "the account is a break-glass account, which is changed by hand alone")
	}
	if u.ID == c.dir.SavedBy {
		return nil
	}
	held, err := rights.Holdings(ctx, tx.Org, u.ID, c.dir.SavedBy)
	if err != nil {
		return err
	}
	if notAbove(held[u.ID], held[c.dir.SavedBy], c.h.store.Now()) != nil {
		return refuseSCIM(http.StatusForbidden, u.Email, "the account may do more than whoever saved the directory: somebody who may do as much saves it again")
	}
	return nil
}

// keepsOwner refuses to take the last owner away.
func (c *scimCall) keepsOwner(ctx context.Context, tx *store.Tx, u store.User) error {
	err := keepsAnOwner(ctx, tx, u.ID, "")
	if errors.Is(err, errLastOwner) {
		return refuseSCIM(http.StatusConflict, u.Email, "%s", errLastOwner.Detail)
	}
	return err
}

func taken(format string, args ...any) error {
	return scim.Fail(http.StatusConflict, scim.Uniqueness, format, args...)
}

// nameFree returns an error where another user of the directory has the name.
func (c *scimCall) nameFree(ctx context.Context, tx *store.Tx, name, except string) error {
	other, err := tx.SCIMUserNamed(ctx, c.dir.ID, name)
	if store.IsNotFound(err) || err == nil && other.ResourceID == except {
		return nil
	}
	if err == nil {
		err = taken("another user has the userName %s", name)
	}
	return err
}
