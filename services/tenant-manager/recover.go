package tenantmanager

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// recoveryLifetime is how long the code of a recovery can be used.
const recoveryLifetime = time.Hour

// Recovery says whom to let in.
type Recovery struct {
	// Organization is the slug of the organization; "" = the first one.
	Organization string
	// Email is that of the owner; "" = a break-glass account, else any owner.
	Email string
	// Now is the clock; nil = the system's.
	Now func() time.Time
}

// Recovered is a sign-in of an owner. It is a secret.
type Recovered struct {
	// Name and Email are whose it is.
	Name, Email string
	// URL signs in once, until ExpiresAt; it is the bare code where the
	// configuration names no console.
	URL       string
	ExpiresAt time.Time
}

var errNobody = errors.New("there is no active owner like that: name another one with --user")

// Recover makes a one-time sign-in for an owner, straight in the database, for
// whoever runs the server, when nobody is let in any more. The owner becomes a
// break-glass account, so that the session is not ended by what locked them out.
// The service may run meanwhile, and has been started once.
func Recover(ctx context.Context, cfg Config, r Recovery) (Recovered, error) {
	ring, err := secret.ParseKeyring(cfg.Secrets.Keyring.Reveal())
	if err != nil {
		return Recovered{}, fmt.Errorf("reading the keyring: %w", err)
	}
	d, err := db.Open(ctx, db.Config{DSN: cfg.Database.DSN.Reveal(), Now: r.Now}, slog.New(slog.DiscardHandler))
	if err != nil {
		return Recovered{}, fmt.Errorf("opening the database: %w", err)
	}
	defer func() { _ = d.Close() }() // all was committed
	s := store.New(d, ring, nil)
	organization := ""
	if r.Organization == "" {
		organization, err = s.First(ctx)
	} else {
		var o store.Organization
		o, err = s.OrganizationBySlug(ctx, r.Organization)
		organization = o.ID
	}
	if store.IsNotFound(err) {
		return Recovered{}, errors.New("there is no such organization")
	}
	if err != nil {
		return Recovered{}, fmt.Errorf("looking for the organization: %w", err)
	}
	code := token.OneTime()
	out := Recovered{URL: code, ExpiresAt: s.Now().Add(recoveryLifetime)}
	if base := cfg.FirstRun.ConsoleURL; base != "" {
		out.URL = strings.TrimRight(base, "/") + "/setup#code=" + code
	}
	err = s.Tx(ctx, organization, "", func(tx *store.Tx) error {
		u, err := whom(ctx, tx, r.Email)
		if err != nil {
			return err
		}
		out.Name, out.Email = u.Name, u.Email
		if !u.BreakGlass {
			u.BreakGlass, u.Version = true, db.AnyVersion
			if err := tx.SaveUser(ctx, &u); err != nil {
				return err
			}
		}
		if err := tx.AddOneTimeCode(ctx, u.ID, store.ForRecovery, token.Hash(code), out.ExpiresAt); err != nil {
			return err
		}
		return service.Emit(tx.DB(), "audit:user:"+u.ID, audit.Recorded{
			ID: uuid.Must(uuid.NewV7()).String(), Organization: organization, Service: tenant.Service, Action: "user.recovery-code-created", Outcome: "done",
			Actor:  audit.Actor{Kind: "service", ID: "recover", Name: "recover, on the server"},
			Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, Time: s.Now().UTC(),
		})
	})
	return out, err
}

// whom returns the owner to let in.
func whom(ctx context.Context, tx *store.Tx, email string) (store.User, error) {
	ids, err := tx.Owners(ctx, "", "")
	if err != nil {
		return store.User{}, err
	}
	owners, err := tx.UsersByID(ctx, ids)
	if err != nil {
		return store.User{}, err
	}
	var found store.User
	for _, u := range owners {
		switch {
		case email != "" && store.FoldEmail(u.Email) != store.FoldEmail(email):
		case found.ID == "", u.BreakGlass && !found.BreakGlass:
			found = u
		}
	}
	if found.ID == "" {
		return found, errNobody
	}
	return found, nil
}

// Print says how to sign in.
func (r Recovered) Print(out io.Writer) {
	fmt.Fprintf(out, "Sign in once as %s <%s>, until %s:\n\n  %s\n\nThe account is a break-glass account from now on: the second factor and the addresses that the\nsecurity policy asks for do not keep it out. This and the sign-in are in the audit trail.\n",
		r.Name, r.Email, r.ExpiresAt.Local().Format("15:04"), r.URL)
}

// RecoverCommand is the command of the service's program that lets an owner in.
func RecoverCommand() service.Command[Config] {
	return service.Command[Config]{Name: "recover", Summary: "make a one-time sign-in for an owner whom nothing else lets in", New: func(flags *flag.FlagSet) func(context.Context, Config, io.Writer) error {
		var r Recovery
		flags.StringVar(&r.Organization, "organization", "", "the short name of the organization; the first one by default")
		flags.StringVar(&r.Email, "user", "", "the e-mail address of the owner; a break-glass account, or else any owner, by default")
		return func(ctx context.Context, cfg Config, out io.Writer) error {
			done, err := Recover(ctx, cfg, r)
			if err == nil {
				done.Print(out)
			}
			return err
		}
	}}
}
