// Package clients keeps the OAuth2 clients of applications, which tenant-manager has,
// in line with the credentials here: those whose credential ended are deleted there,
// and what they may have follows from what the application is subscribed to. What is
// in the database here is what holds.
package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

// Keeper keeps clients. All replicas have one.
type Keeper struct {
	DB  *db.DB
	Bus *bus.Bus
}

// Needs are what the tokens of an application must be good for.
type Needs struct {
	Scopes, Audiences []string
}

// asking bounds a question that is asked while an application is locked.
const asking = 3 * time.Second

// Needs returns what the plans ask of tokens that an application is subscribed to,
// and that are served by the organization's own authorization server.
func (k *Keeper) Needs(ctx context.Context, s *db.Scope, organization, application string) (Needs, error) {
	var out Needs
	open, err := store.SubscriptionsOf(ctx, s, application)
	if err != nil {
		return out, err
	}
	ids := []string{}
	for _, r := range open {
		if r.Status != subscription.Pending {
			ids = append(ids, r.PlanID)
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	server, err := bus.Ask(ctx, k.Bus, tenant.TokenServer{Organization: organization})
	if err != nil {
		return out, err
	}
	plans, err := bus.Ask(ctx, k.Bus, policy.Plans{Organization: organization, IDs: ids})
	if err != nil {
		return out, err
	}
	for _, p := range plans.Plans {
		if slices.Contains(ids, p.ID) && store.Own(p, server.Issuer) {
			out.Scopes = append(out.Scopes, p.Tokens.Scopes...)
			out.Audiences = append(out.Audiences, p.Tokens.Audiences...)
		}
	}
	slices.Sort(out.Scopes)
	slices.Sort(out.Audiences)
	out.Scopes, out.Audiences = slices.Compact(out.Scopes), slices.Compact(out.Audiences)
	return out, nil
}

// Make makes a client of an application. It is called as the last step but one of a
// transaction that has the application locked: where the transaction fails after
// it, [Keeper.Application] takes the client away again.
func (k *Keeper) Make(ctx context.Context, s *db.Scope, a store.Application, name string, by audit.Actor) (tenant.MadeClient, error) {
	needs, err := k.Needs(ctx, s, a.OrganizationID, a.ID)
	if err != nil {
		return tenant.MadeClient{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	return bus.Ask(ctx, k.Bus, tenant.MakeClient{
		Organization: a.OrganizationID, Application: a.ID, ApplicationName: a.Name, Name: name,
		Scopes: needs.Scopes, Audiences: needs.Audiences, Actor: by,
	})
}

// Changed brings the clients of the application in line that an event is about.
func (k *Keeper) Changed(ctx context.Context, e portal.FeedChanged) error {
	rows, err := store.OfKind(ctx, k.DB.For(e.Organization), e.Application, string(credential.OAuth2))
	if err != nil || len(rows) == 0 {
		return err
	}
	return k.Application(ctx, e.Organization, e.Application)
}

// Application brings the clients of an application in line. It is locked meanwhile:
// no client is taken away that is just being made.
func (k *Keeper) Application(ctx context.Context, organization, id string) error {
	err := k.DB.Tx(ctx, func(tx *db.Tx) error {
		s := tx.For(organization)
		ask := tenant.KeepClients{Organization: organization, Application: id, Clients: []tenant.KeptClient{}}
		a, err := store.FindApplication(ctx, s, id, true)
		switch {
		case errors.Is(err, db.ErrNotFound): // deleted, with all that it had
		case err != nil:
			return err
		default:
			ask.ApplicationName = a.Name
			if ask.Clients, err = k.clients(ctx, s, a); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithTimeout(ctx, asking)
		defer cancel()
		_, err = bus.Ask(ctx, k.Bus, ask)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping the OAuth2 clients of application %s: %w", id, err)
	}
	return nil
}

func (k *Keeper) clients(ctx context.Context, s *db.Scope, a store.Application) ([]tenant.KeptClient, error) {
	out := []tenant.KeptClient{}
	rows, err := store.OfKind(ctx, s, a.ID, string(credential.OAuth2))
	if err != nil {
		return nil, err
	}
	needs, err := k.Needs(ctx, s, a.OrganizationID, a.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range rows {
		if c.Works(k.DB.Now()) {
			out = append(out, tenant.KeptClient{ClientID: c.Identifier, Name: c.Name, Scopes: needs.Scopes, Audiences: needs.Audiences})
		}
	}
	return out, nil
}

// All brings the clients of all applications in line.
func (k *Keeper) All(ctx context.Context) error {
	organizations, err := store.Organizations(ctx, k.DB)
	if err != nil {
		return fmt.Errorf("keeping OAuth2 clients: %w", err)
	}
	for _, o := range organizations {
		there, err := bus.Ask(ctx, k.Bus, tenant.ClientHolders{Organization: o.ID})
		if err != nil {
			return fmt.Errorf("asking which applications have OAuth2 clients: %w", err)
		}
		for _, id := range there.Applications {
			if err := k.Application(ctx, o.ID, id); err != nil {
				return err
			}
		}
	}
	return nil
}
