// Package firstrun makes what must be there before anybody can sign in: the
// first organization and its owner, and the one-time code by which the owner
// comes in and completes the first run.
package firstrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// CodeLifetime is how long a one-time code can be used.
const CodeLifetime = 7 * 24 * time.Hour

// Options say what the first start makes.
type Options struct {
	// Organization is the slug of the first organization, Name its name.
	Organization, Name string
	// ConsoleURL is where the owner goes with the code; "" gives the bare code.
	ConsoleURL string
	// OnCode is handed each new code; nil is fine.
	OnCode func(code string)
}

// Run makes the organization and its owner where there is none, and a new
// one-time code as long as the owner has not completed the first run. The code
// is logged once: nobody else could sign in.
func Run(ctx context.Context, s *store.Store, log *slog.Logger, o Options) error {
	all, err := s.Organizations(ctx)
	if err != nil {
		return fmt.Errorf("looking for the first run: %w", err)
	}
	if len(all) == 0 {
		err := create(ctx, s, o)
		if err != nil && !errors.Is(err, db.ErrDuplicate) { // another instance was faster
			return fmt.Errorf("making the first organization: %w", err)
		}
	}
	if err := administer(ctx, s); err != nil {
		return fmt.Errorf("looking for administrators of the platform: %w", err)
	}
	owners, err := s.PendingOwners(ctx)
	if err != nil {
		return fmt.Errorf("looking for the first owner: %w", err)
	}
	for _, u := range owners {
		code := token.OneTime()
		err := s.Tx(ctx, u.OrganizationID, "", func(tx *store.Tx) error {
			return tx.AddOneTimeCode(ctx, u.ID, store.ForSetup, token.Hash(code), s.Now().Add(CodeLifetime))
		})
		if err != nil {
			return fmt.Errorf("making a one-time code: %w", err)
		}
		log.InfoContext(ctx, "sign in once with "+link(o.ConsoleURL, code)) //nolint:sloglint // a line that people look for, and copy the end of
		if o.OnCode != nil {
			o.OnCode(code)
		}
	}
	return nil
}

func link(console, code string) string {
	if console == "" {
		return code
	}
	return strings.TrimRight(console, "/") + "/setup#code=" + code
}

// create makes the organization and an owner without a name.
func create(ctx context.Context, s *store.Store, o Options) error {
	return s.Tx(ctx, store.NewID(), "", func(tx *store.Tx) error {
		if _, err := tx.CreateOrganization(ctx, o.Organization, o.Name); err != nil {
			return err
		}
		owner := store.User{Name: "Owner", SetupPending: true}
		if err := tx.CreateUser(ctx, &owner); err != nil {
			return err
		}
		if err := tx.CreateGrant(ctx, &store.Grant{PrincipalID: owner.ID, PrincipalKind: "user", RoleID: access.Owner}); err != nil {
			return err
		}
		if err := tx.CreateGrant(ctx, &store.Grant{PrincipalID: owner.ID, PrincipalKind: "user", RoleID: access.PlatformAdministrator}); err != nil {
			return err
		}
		return tx.OrganizationChanged(true, owner.ID)
	})
}

// administer makes the owners of the first organization administrators of the
// platform, where nobody is: it was made before there were any.
func administer(ctx context.Context, s *store.Store) error {
	first, err := s.First(ctx)
	if err != nil {
		return err
	}
	return s.Tx(ctx, first, "", func(tx *store.Tx) error {
		if err := tx.LockOrganization(ctx); err != nil { // other instances start as well
			return err
		}
		uses, err := tx.RoleUses(ctx, access.PlatformAdministrator)
		if err != nil || uses > 0 {
			return err
		}
		owners, err := tx.Owners(ctx, "", "")
		for _, o := range owners {
			if err := tx.CreateGrant(ctx, &store.Grant{PrincipalID: o, PrincipalKind: "user", RoleID: access.PlatformAdministrator}); err != nil {
				return err
			}
		}
		return err
	})
}
