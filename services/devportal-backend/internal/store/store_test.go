package store_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/reference"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
	"github.com/gatehouse/gatehouse/services/devportal-backend/migrations"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

const (
	acme   = "org-acme"
	globex = "org-globex"
)

func TestSchemasAreTheSameInEveryDialect(t *testing.T) {
	t.Parallel()
	dbtest.CompareSchemas(t, migrations.Files)
}

func everywhere(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Parallel()
	dbtest.Run(t, migrations.Files, test)
}

func application(t *testing.T, d *db.DB, organization, owner, name string) store.Application {
	t.Helper()
	id, err := store.NewID()
	require.NoError(t, err)
	a := store.Application{ID: id, Name: name, Description: "Of " + owner, OwnerID: owner, OwnerName: "Who " + owner, CreatedBy: owner, Version: 1, CreatedAt: d.Now(), UpdatedAt: d.Now()}
	require.NoError(t, store.CreateApplication(t.Context(), d.For(organization), &a))
	return a
}

func subscribe(t *testing.T, d *db.DB, a store.Application, api, plan, project string, status subscription.Status) (store.Subscription, error) {
	t.Helper()
	id, err := store.NewID()
	require.NoError(t, err)
	r := store.Subscription{
		ID: id, ApplicationID: a.ID, APIID: api, APIName: "API " + api, APISlug: api, PlanID: plan, PlanName: "Plan " + plan, ProjectID: project,
		Message: "please", CreatedBy: a.OwnerID, Version: 1, CreatedAt: d.Now(), UpdatedAt: d.Now(),
	}
	r.Append(subscription.Change{Status: status, At: d.Now(), By: a.OwnerID})
	return r, store.CreateSubscription(t.Context(), d.For(a.OrganizationID), &r)
}

func credential(t *testing.T, d *db.DB, a store.Application, name string, change func(*store.Credential)) store.Credential {
	t.Helper()
	id, err := store.NewID()
	require.NoError(t, err)
	c := store.Credential{ID: id, ApplicationID: a.ID, Kind: "api-key", Name: name, Hint: "ghk_…", Hash: "h" + id, Digest: "d" + id, CreatedBy: a.OwnerID, Version: 1, CreatedAt: d.Now(), UpdatedAt: d.Now()}
	if change != nil {
		change(&c)
	}
	require.NoError(t, store.CreateCredential(t.Context(), d.For(a.OrganizationID), &c))
	return c
}

func TestApplicationsAreTheirOwners(t *testing.T) {
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		shop := application(t, d, acme, "ann", "Shop 100%")
		bill := application(t, d, acme, "bob", "Billing")
		application(t, d, globex, "ann", "Foreign")
		list := func(f store.ApplicationFilter) []string {
			page, err := store.ListApplications(ctx, d.For(acme), f, db.PageRequest{})
			require.NoError(t, err)
			names := []string{}
			for _, a := range page.Items {
				names = append(names, a.Name)
			}
			return names
		}
		require.Equal(t, []string{"Billing", "Shop 100%"}, list(store.ApplicationFilter{}))
		require.Equal(t, []string{"Shop 100%"}, list(store.ApplicationFilter{Reader: store.Reader{Owner: "ann"}}))
		require.Equal(t, []string{"Shop 100%"}, list(store.ApplicationFilter{Search: "0% SHOP"}), "a percent sign stands for itself")
		require.Empty(t, list(store.ApplicationFilter{Search: "shop_100"}))
		require.Empty(t, list(store.ApplicationFilter{Reader: store.Reader{Projects: []string{"p1"}}}))
		_, err := subscribe(t, d, bill, "orders", "gold", "p1", subscription.Active)
		require.NoError(t, err)
		require.Equal(t, []string{"Billing"}, list(store.ApplicationFilter{Reader: store.Reader{Projects: []string{"p1"}}}))
		require.Empty(t, list(store.ApplicationFilter{Reader: store.Reader{Projects: []string{}}}), "no project is none")

		_, err = store.FindApplication(ctx, d.For(globex), shop.ID, false)
		require.ErrorIs(t, err, db.ErrNotFound, "another organization's does not exist")

		shop.Name = "Shop"
		require.NoError(t, store.SaveApplication(ctx, d.For(acme), &shop))
		require.EqualValues(t, 2, shop.Version)
		stale := shop
		stale.Version = 1
		require.True(t, problem.Is(store.SaveApplication(ctx, d.For(acme), &stale), problem.CodePreconditionFailed))

		require.NoError(t, store.DeleteApplication(ctx, d.For(acme), &shop, d.Now()))
		_, err = store.FindApplication(ctx, d.For(acme), shop.ID, false)
		require.ErrorIs(t, err, db.ErrNotFound)
		require.Equal(t, []string{"Billing"}, list(store.ApplicationFilter{}))
		named, err := store.Named(ctx, d.For(acme), []string{shop.ID, "nobody"})
		require.NoError(t, err)
		require.Len(t, named, 1, "traffic of the past keeps its name")
	})
}

func TestListsArePagedToTheirEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, d *db.DB) {
		for i := range 7 {
			application(t, d, acme, "ann", fmt.Sprintf("App %d", i))
		}
		f := store.ApplicationFilter{Reader: store.Reader{Owner: "ann"}, Search: "app"}
		var names []string
		page := db.PageRequest{Limit: 3, Sort: "name", Descending: true}
		for {
			got, err := store.ListApplications(t.Context(), d.For(acme), f, page)
			require.NoError(t, err)
			for _, a := range got.Items {
				names = append(names, a.Name)
			}
			if page.Cursor = got.Next; page.Cursor == "" {
				break
			}
		}
		require.Equal(t, []string{"App 6", "App 5", "App 4", "App 3", "App 2", "App 1", "App 0"}, names)
	})
}

func TestAnApplicationHasAPlanOnceAtATime(t *testing.T) {
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), d.For(acme)
		shop := application(t, d, acme, "ann", "Shop")
		first, err := subscribe(t, d, shop, "orders", "gold", "p1", subscription.Active)
		require.NoError(t, err)
		_, err = subscribe(t, d, shop, "orders", "gold", "p1", subscription.Pending)
		require.ErrorIs(t, err, db.ErrDuplicate)
		_, err = subscribe(t, d, shop, "orders", "free", "p1", subscription.Pending)
		require.NoError(t, err)

		first.Append(subscription.Change{Status: subscription.Closed, At: d.Now(), By: "ann", Message: "enough"})
		require.NoError(t, store.SaveSubscription(ctx, s, &first))
		_, err = subscribe(t, d, shop, "orders", "gold", "p1", subscription.Active)
		require.NoError(t, err, "one that is over leaves its place")

		again, err := store.FindSubscription(ctx, s, first.ID, false)
		require.NoError(t, err)
		require.Equal(t, subscription.Closed, again.Status)
		require.Len(t, again.History.V, 2)
		require.Equal(t, "enough", again.History.V[1].Message)
		open, err := store.SubscriptionsOf(ctx, s, shop.ID)
		require.NoError(t, err)
		require.Len(t, open, 2)
	})
}

func TestSubscriptionsAreFilteredAndCounted(t *testing.T) {
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), d.For(acme)
		shop, bill := application(t, d, acme, "ann", "Shop"), application(t, d, acme, "bob", "Billing")
		for _, c := range []struct {
			app       store.Application
			api, plan string
			status    subscription.Status
		}{
			{shop, "orders", "gold", subscription.Active},
			{shop, "orders", "free", subscription.Paused},
			{bill, "orders", "gold", subscription.Pending},
			{bill, "stock", "only", subscription.Active},
			{bill, "stock", "old", subscription.Rejected},
		} {
			_, err := subscribe(t, d, c.app, c.api, c.plan, "p-"+c.api, c.status)
			require.NoError(t, err)
		}
		for name, c := range map[string]struct {
			filter store.SubscriptionFilter
			want   int
		}{
			"all":      {store.SubscriptionFilter{}, 5},
			"owner":    {store.SubscriptionFilter{Reader: store.Reader{Owner: "ann"}}, 2},
			"project":  {store.SubscriptionFilter{Reader: store.Reader{Projects: []string{"p-stock"}}}, 2},
			"api":      {store.SubscriptionFilter{API: "orders"}, 3},
			"plan":     {store.SubscriptionFilter{Plan: "gold"}, 2},
			"status":   {store.SubscriptionFilter{Status: subscription.Active}, 2},
			"together": {store.SubscriptionFilter{API: "orders", Application: bill.ID, Status: subscription.Pending}, 1},
		} {
			page, err := store.ListSubscriptions(ctx, s, c.filter, db.PageRequest{})
			require.NoError(t, err, name)
			require.Len(t, page.Items, c.want, name)
		}
		active, pending, apps, err := store.Subscribers(ctx, s, "orders", "")
		require.NoError(t, err)
		require.Equal(t, []int64{2, 1, 2}, []int64{active, pending, apps})
		active, pending, apps, err = store.Subscribers(ctx, s, "", "old")
		require.NoError(t, err)
		require.Equal(t, []int64{0, 0, 0}, []int64{active, pending, apps}, "who was rejected is no subscriber")
		active, _, _, err = store.Subscribers(ctx, d.For(globex), "orders", "")
		require.NoError(t, err)
		require.Zero(t, active)
	})
}

func TestCredentialsWorkUntilTheyEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), d.For(acme)
		shop := application(t, d, acme, "ann", "Shop")
		past, future := d.Now().Add(-time.Hour), d.Now().Add(time.Hour)
		credential(t, d, shop, "for ever", nil)
		credential(t, d, shop, "ending", func(c *store.Credential) { c.ExpiresAt = &future })
		credential(t, d, shop, "ended", func(c *store.Credential) { c.ExpiresAt = &past })
		credential(t, d, shop, "revoked", func(c *store.Credential) { c.RevokedAt = &past })
		credential(t, d, shop, "own", func(c *store.Credential) { c.Purpose = store.PurposeTry })
		working, err := store.Working(ctx, s, shop.ID, d.Now())
		require.NoError(t, err)
		var names []string
		for _, c := range working {
			names = append(names, c.Name)
			require.True(t, c.Works(d.Now()))
		}
		require.ElementsMatch(t, []string{"for ever", "ending"}, names)
		page, err := store.ListCredentials(ctx, s, shop.ID, db.PageRequest{})
		require.NoError(t, err)
		require.Len(t, page.Items, 4, "those that the portal made for itself are not listed")
		rest, err := store.Unrevoked(ctx, s, shop.ID)
		require.NoError(t, err)
		require.Len(t, rest, 4)
		counts, err := store.CountsOf(ctx, s, []store.Application{shop}, d.Now())
		require.NoError(t, err)
		require.Equal(t, 2, counts[shop.ID].Credentials)

		c := working[0]
		c.RevokedAt = &past
		require.NoError(t, store.SaveCredential(ctx, s, &c))
		require.EqualValues(t, 2, c.Version)
		_, err = store.FindCredential(ctx, d.For(globex), c.ID, false)
		require.ErrorIs(t, err, db.ErrNotFound)
	})
}

func TestTheCatalogueIsFoundByOperation(t *testing.T) {
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), d.For(acme)
		put := func(org, id, name string, operations ...string) {
			doc, err := store.Pack([]byte(`{"name":"` + name + `"}`))
			require.NoError(t, err)
			a := store.API{
				ID: id, Slug: name, Name: name, APIVersion: "1", ProjectID: "p1", DocumentHash: "h", Document: doc, OperationCount: int64(len(operations)),
				Overview:  store.JSON[reference.Overview]{V: reference.Overview{Title: name}},
				Plans:     store.JSON[[]store.Plan]{V: []store.Plan{{ID: "gold", Name: "Gold"}}},
				Endpoints: store.JSON[[]gateway.Endpoint]{V: []gateway.Endpoint{{Environment: "e1", URL: "http://x/" + name}}},
			}
			a.SearchText = a.Searchable("about " + name)
			rows := []store.Operation{}
			for i, o := range operations {
				rows = append(rows, store.Operation{ID: id + o, APIID: id, OperationID: o, Position: int64(i), Method: "GET", Path: "/" + o, Summary: o, SearchText: o + " /" + o, Page: []byte("{}")})
			}
			require.NoError(t, store.PutAPI(ctx, d.For(org), &a, rows, d.Now()))
		}
		put(acme, "a1", "orders", "list orders", "make order")
		put(acme, "a2", "stock", "count items")
		put(globex, "a3", "orders", "foreign orders")
		search := func(q string) (names []string, m map[string]store.Matches) {
			page, m, err := store.SearchCatalogue(ctx, s, q, db.PageRequest{})
			require.NoError(t, err)
			for _, a := range page.Items {
				names = append(names, a.Name)
			}
			return names, m
		}
		names, m := search("")
		require.Equal(t, []string{"orders", "stock"}, names)
		require.Empty(t, m)
		names, m = search("ORDER make")
		require.Equal(t, []string{"orders"}, names)
		require.Equal(t, 1, m["a1"].Count)
		require.Equal(t, "make order", m["a1"].First[0].OperationID)
		names, m = search("about stock")
		require.Equal(t, []string{"stock"}, names)
		require.Empty(t, m)
		names, _ = search("foreign")
		require.Empty(t, names, "another organization's operations are not searched")

		put(acme, "a1", "orders", "list orders")
		names, _ = search("make")
		require.Empty(t, names, "operations are replaced")
		a, err := store.FindAPI(ctx, s, "orders")
		require.NoError(t, err)
		require.Equal(t, "a1", a.ID)
		doc, err := a.OpenAPI()
		require.NoError(t, err)
		require.JSONEq(t, `{"name":"orders"}`, string(doc))
		put(acme, "a4", "orders")
		_, err = store.FindAPI(ctx, s, "a1")
		require.ErrorIs(t, err, db.ErrNotFound, "a slug goes from one API to another")
		found, err := store.RemoveAPI(ctx, s, "a2")
		require.NoError(t, err)
		require.True(t, found)
		ids, err := store.APIIDs(ctx, s)
		require.NoError(t, err)
		require.Equal(t, []string{"a4"}, ids)
		_, err = store.FindOperation(ctx, s, "a2", "count items")
		require.ErrorIs(t, err, db.ErrNotFound)
	})
}

func TestPortalSettings(t *testing.T) {
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), d.For(acme)
		p, err := store.PortalOf(ctx, s, "Acme", d.Now())
		require.NoError(t, err)
		require.Equal(t, "Acme developers", p.Title)
		require.Equal(t, store.VisibilityPrivate, p.Visibility, "nothing is public that nobody made so")
		p.Visibility = store.VisibilityPublic
		require.NoError(t, store.SavePortal(ctx, s, &p))
		require.EqualValues(t, 2, p.Version)
		stale := p
		stale.Version = 1
		require.True(t, problem.Is(store.SavePortal(ctx, s, &stale), problem.CodePreconditionFailed))
		p, err = store.PortalOf(ctx, s, "Acme", d.Now())
		require.NoError(t, err)
		require.Equal(t, store.VisibilityPublic, p.Visibility)
		p, err = store.PortalOf(ctx, d.For(globex), "Globex", d.Now())
		require.NoError(t, err)
		require.Equal(t, store.VisibilityPrivate, p.Visibility)
	})
}

func TestOrganizationsAreKnownByTheirSlug(t *testing.T) {
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		_, err := store.OnlyOrganization(ctx, d)
		require.ErrorIs(t, err, db.ErrNotFound)
		changed, err := store.SaveOrganization(ctx, d, store.Organization{ID: acme, Slug: "acme", Name: "Acme"})
		require.NoError(t, err)
		require.True(t, changed)
		changed, err = store.SaveOrganization(ctx, d, store.Organization{ID: acme, Slug: "acme", Name: "Acme"})
		require.NoError(t, err)
		require.False(t, changed)
		require.NoError(t, store.AddOrganization(ctx, d, store.Organization{ID: acme, Slug: "acme", Name: "acme"}))
		o, err := store.OnlyOrganization(ctx, d)
		require.NoError(t, err)
		require.Equal(t, acme, o.ID)
		require.Equal(t, "Acme", o.Name, "what tenant-manager said stays")
		_, err = store.SaveOrganization(ctx, d, store.Organization{ID: globex, Slug: "globex", Name: "Globex"})
		require.NoError(t, err)
		_, err = store.OnlyOrganization(ctx, d)
		require.ErrorIs(t, err, db.ErrNotFound)
		o, err = store.OrganizationBySlug(ctx, d, "globex")
		require.NoError(t, err)
		require.Equal(t, globex, o.ID)
	})
}
