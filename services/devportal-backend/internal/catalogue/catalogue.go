// Package catalogue keeps the read model of published APIs: it asks
// gateway-manager what is published, policy-manager for the plans, fetches the
// document, and has it digested when it is another one than before. It serves
// nobody; what it makes is in the store.
package catalogue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/reference"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
)

// Documents is where OpenAPI documents are, by hash; a unitstore.Store.
type Documents interface {
	Get(ctx context.Context, organization string, h unit.Hash) ([]byte, error)
}

// Keeper keeps the catalogue.
type Keeper struct {
	DB        *db.DB
	Bus       *bus.Bus
	Documents Documents
	Log       *slog.Logger
	// Forget, where not nil, takes away what gateways know of an organization.
	Forget func(context.Context, tenant.Organization) error
}

// Organization takes in what tenant-manager says of an organization.
func (k *Keeper) Organization(ctx context.Context, e tenant.OrganizationChanged) error {
	return k.organizations(ctx, tenant.Organizations{IDs: []string{e.Organization}})
}

// forget takes away what is known of an organization that is over, and what
// gateways were told of it.
func (k *Keeper) forget(ctx context.Context, o tenant.Organization) error {
	if k.Forget != nil {
		if err := k.Forget(ctx, o); err != nil {
			return err
		}
	}
	return store.ForgetOrganization(ctx, k.DB, o.ID)
}

func (k *Keeper) organizations(ctx context.Context, ask tenant.Organizations) error {
	list, err := bus.Ask(ctx, k.Bus, ask)
	if err != nil {
		return fmt.Errorf("asking for organizations: %w", err)
	}
	for _, o := range list.Organizations {
		if _, err := store.SaveOrganization(ctx, k.DB, store.Organization{ID: o.ID, Slug: o.Slug, Name: o.Name, Suspended: o.Suspended}); err != nil {
			return err
		}
	}
	return errors.Join(
		tenancy.Keep(ctx, k.DB, list.Organizations...),
		tenancy.TakeAway(ctx, k.DB, list.Purged, len(ask.IDs) > 0, k.forget),
	)
}

// find returns an organization, and asks for it where it is not known yet.
func (k *Keeper) find(ctx context.Context, id string) (store.Organization, error) {
	o, err := store.OrganizationByID(ctx, k.DB, id)
	if !errors.Is(err, db.ErrNotFound) {
		return o, err
	}
	if err := k.organizations(ctx, tenant.Organizations{IDs: []string{id}}); err != nil {
		return o, err
	}
	return store.OrganizationByID(ctx, k.DB, id)
}

// APIChanged brings one API up to date.
func (k *Keeper) APIChanged(ctx context.Context, e gateway.APIChanged) error {
	return k.refresh(ctx, e.Organization, e.API)
}

// PoliciesChanged brings the plans up to date that a change may be about.
func (k *Keeper) PoliciesChanged(ctx context.Context, e policy.PoliciesChanged) error {
	if e.Level != "api" || e.API == "" {
		return nil // plans are an API's
	}
	ids, err := store.APIIDs(ctx, k.DB.For(e.Organization))
	if err != nil {
		return fmt.Errorf("refreshing the catalogue: %w", err)
	}
	for _, id := range ids {
		if id == e.API {
			return k.refresh(ctx, e.Organization, e.API)
		}
	}
	return nil // not published
}

func (k *Keeper) refresh(ctx context.Context, organization, api string) error {
	o, err := k.find(ctx, organization)
	if err != nil {
		return fmt.Errorf("refreshing the catalogue: organization %s: %w", organization, err)
	}
	list, err := bus.Ask(ctx, k.Bus, gateway.Published{Organization: o.ID, APIs: []string{api}})
	if err != nil {
		return fmt.Errorf("asking what is published: %w", err)
	}
	for _, p := range list.APIs {
		if p.ID == api && p.Published {
			return k.put(ctx, o, p)
		}
	}
	return k.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := store.RemoveAPI(ctx, tx.For(o.ID), api)
		return err
	})
}

// All brings everything up to date. One replica does it, under a lease, when it
// starts and from time to time.
func (k *Keeper) All(ctx context.Context) error {
	if err := k.organizations(ctx, tenant.Organizations{}); err != nil {
		return err
	}
	organizations, err := store.Organizations(ctx, k.DB)
	if err != nil {
		return fmt.Errorf("refreshing the catalogue: %w", err)
	}
	for _, o := range organizations {
		if err := k.all(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) all(ctx context.Context, o store.Organization) error {
	list, err := bus.Ask(ctx, k.Bus, gateway.Published{Organization: o.ID})
	if err != nil {
		return fmt.Errorf("asking what is published: %w", err)
	}
	published := map[string]bool{}
	for _, p := range list.APIs {
		if !p.Published {
			continue
		}
		published[p.ID] = true
		if err := k.put(ctx, o, p); err != nil {
			return err
		}
	}
	ids, err := store.APIIDs(ctx, k.DB.For(o.ID))
	if err != nil {
		return fmt.Errorf("refreshing the catalogue: %w", err)
	}
	for _, id := range ids {
		if published[id] {
			continue
		}
		// It may have been published since: it is asked for once more.
		if err := k.refresh(ctx, o.ID, id); err != nil {
			return err
		}
	}
	return nil
}

// put writes one API.
func (k *Keeper) put(ctx context.Context, o store.Organization, p gateway.PublishedAPI) error {
	s := k.DB.For(o.ID)
	plans, err := k.plans(ctx, o.ID, p)
	if err != nil {
		return err
	}
	row := store.API{
		ID: p.ID, Slug: p.Slug, Name: p.Name, APIVersion: p.Version, ProjectID: p.Project, Deprecated: p.Deprecated,
		Revision: int64(p.Revision), Document: []byte{}, DigestForm: reference.Form,
		Plans: store.JSON[[]store.Plan]{V: plans}, Endpoints: store.JSON[[]gateway.Endpoint]{V: p.Endpoints},
	}
	old, err := store.FindAPI(ctx, s, p.ID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("refreshing the catalogue: %w", err)
	}
	var operations []store.Operation
	search := ""
	if err == nil && old.ID == p.ID && old.DocumentHash == string(p.Document) && old.DigestForm == reference.Form {
		row.DocumentHash, row.Document, row.OperationCount, row.Overview = old.DocumentHash, old.Document, old.OperationCount, old.Overview
		search = strings.ToLower(old.Overview.V.Title + " " + old.Overview.V.Description)
	} else if operations, search, err = k.digest(ctx, o, p, &row); err != nil {
		return err
	}
	if row.Overview.V.Title == "" {
		row.Overview.V.Title = p.Title
	}
	if row.Overview.V.Description == "" {
		row.Overview.V.Description = p.Description
	}
	if row.Overview.V.Groups == nil {
		row.Overview.V.Groups = []reference.Group{}
	}
	row.SearchText = row.Searchable(search)
	if operations == nil && unchanged(old, row) {
		return nil
	}
	return k.DB.Tx(ctx, func(tx *db.Tx) error {
		return store.PutAPI(ctx, tx.For(o.ID), &row, operations, k.DB.Now())
	})
}

// unchanged reports whether nothing would be written.
func unchanged(old, row store.API) bool {
	old.Document, row.Document = nil, nil
	old.CreatedAt, old.UpdatedAt, old.OrganizationID = row.CreatedAt, row.UpdatedAt, row.OrganizationID
	return reflect.DeepEqual(old, row)
}

// plans returns the plans of what is deployed, in their order, as far as
// consumers may know them.
func (k *Keeper) plans(ctx context.Context, organization string, p gateway.PublishedAPI) ([]store.Plan, error) {
	list, err := bus.Ask(ctx, k.Bus, policy.Plans{Organization: organization, API: p.ID})
	if err != nil {
		return nil, fmt.Errorf("asking for plans: %w", err)
	}
	server, err := bus.Ask(ctx, k.Bus, tenant.TokenServer{Organization: organization})
	if err != nil {
		return nil, fmt.Errorf("asking for the authorization server: %w", err)
	}
	byID := map[string]policy.Plan{}
	for _, plan := range list.Plans {
		if plan.Status == "published" || plan.Status == "deprecated" {
			byID[plan.ID] = plan
		}
	}
	out := []store.Plan{}
	for _, id := range p.Plans {
		if plan, ok := byID[id]; ok {
			out = append(out, store.PlanOf(plan, server.Issuer))
		}
	}
	return out, nil
}

// digest fetches the document and makes the pages of it. A document that cannot
// be digested leaves an entry without pages: the API can be called all the same.
func (k *Keeper) digest(ctx context.Context, o store.Organization, p gateway.PublishedAPI, row *store.API) ([]store.Operation, string, error) {
	row.DocumentHash = string(p.Document)
	if p.Document == "" {
		return []store.Operation{}, "", nil
	}
	raw, err := k.Documents.Get(ctx, o.Slug, p.Document)
	if err != nil {
		return nil, "", fmt.Errorf("fetching the document of API %s: %w", p.ID, err)
	}
	if row.Document, err = store.Pack(raw); err != nil {
		return nil, "", err
	}
	d, err := reference.Make(raw)
	if err != nil {
		k.Log.WarnContext(ctx, "an API is shown without its operations", "organization", o.ID, "api", p.ID, "err", err)
		return []store.Operation{}, "", nil
	}
	row.Overview.V, row.OperationCount = d.Overview, int64(len(d.Operations))
	operations := make([]store.Operation, 0, len(d.Operations))
	for i, op := range d.Operations {
		id, err := store.NewID()
		if err != nil {
			return nil, "", err
		}
		if len(op.ID) > 255 { // no gateway has it either
			continue
		}
		operations = append(operations, store.Operation{
			ID: id, APIID: p.ID, OperationID: op.ID, Position: int64(i), Method: op.Method, Path: op.Path, Summary: op.Summary,
			Deprecated: op.Deprecated, SearchText: op.Search, Page: op.Page,
		})
	}
	return operations, d.Search, nil
}
