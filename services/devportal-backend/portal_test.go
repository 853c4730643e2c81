package devportal_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

func TestTheCatalogueShowsWhatIsPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	w.publish(t, "acme", "orders", "p1", nil)
	a := w.inCatalogue(t, ann, "orders")
	require.Equal(t, "Takes orders. And more.", a.at("description"))
	require.Equal(t, "Orders", a.at("groups", 0, "name"))
	require.Equal(t, "DEV", a.at("endpoints", 0, "name"))
	require.Equal(t, "Send an API key in the header X-API-Key, or nothing at all.", a.at("authentication"))
	require.Len(t, a.at("plans"), 3)

	op := w.call(t, ann, "GET", "/catalogue/orders/operations/createOrder", "")
	require.Equal(t, 200, op.status, op.text)
	require.Equal(t, "Order", op.at("requestBody", "contents", 0, "schema", "ref"))
	require.Equal(t, true, op.at("requestBody", "contents", 0, "schema", "properties", 1, "recursive"))
	require.Contains(t, op.at("sample", "body"), `"sku": "text"`)
	op = w.call(t, ann, "GET", "/catalogue/orders/operations/"+url.PathEscape("DELETE /orders/{id}"), "")
	require.Equal(t, 200, op.status, "operations without an id are named by method and path: %s", op.text)
	doc := w.call(t, ann, "GET", "/catalogue/orders/document", "")
	require.JSONEq(t, ordersDocument, doc.text)
	require.Contains(t, doc.header.Get("Content-Disposition"), "orders.openapi.json")

	found := w.call(t, ann, "GET", "/catalogue?q=cancel", "")
	require.Equal(t, 1, found.items(), found.text)
	require.Equal(t, "/orders/{id}", found.at("items", 0, "matches", 0, "path"))
	require.Zero(t, w.call(t, ann, "GET", "/catalogue?q=nothing-like-it", "").items())
	require.Equal(t, 422, w.call(t, ann, "GET", "/catalogue?sort=secret", "").status)

	// Plans change without a deployment.
	w.mu.Lock()
	w.plans["acme"][0].Name = "Renamed"
	w.mu.Unlock()
	require.NoError(t, bus.Publish(t.Context(), w.policy, policy.PoliciesChanged{Organization: "acme", Level: "api", API: "orders"}))
	soon(t, "the plan is renamed", func() bool {
		got := w.call(t, ann, "GET", "/catalogue/orders", "")
		for i := range 3 {
			if got.at("plans", i, "name") == "Renamed" {
				return true
			}
		}
		return false
	})
	w.publish(t, "acme", "orders", "p1", func(a *gateway.PublishedAPI, _ map[string]*policy.Plan) { a.Published = false })
	soon(t, "what is not published any more is gone", func() bool { return w.call(t, ann, "GET", "/catalogue/orders", "").status == 404 })
	require.Equal(t, 404, w.call(t, ann, "GET", "/catalogue/orders/operations/createOrder", "").status)
}

func TestTheCatalogueIsCompleteAfterAStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	w.publish(t, "acme", "orders", "p1", nil)
	w.publish(t, "acme", "stock", "p1", nil)
	w.inCatalogue(t, ann, "orders")
	w.inCatalogue(t, ann, "stock")
	w.stop()
	w.mu.Lock()
	w.apis["acme"] = removed(w.apis["acme"], "stock")
	w.apis["acme"][0].Name = "Orders renamed"
	w.mu.Unlock()
	w.start(t)
	soon(t, "what changed meanwhile is there", func() bool {
		list := w.call(t, ann, "GET", "/catalogue", "")
		return list.items() == 1 && list.at("items", 0, "name") == "Orders renamed"
	})
}

func TestThePortalIsPrivateUntilSomebodyOpensIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pub := w.tenants.User(t, "acme", "pub", publisher...)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	w.publish(t, "acme", "orders", "p1", nil)
	w.inCatalogue(t, ann, "orders")
	for _, path := range []string{"/catalogue", "/catalogue/orders", "/catalogue/orders/document", "/catalogue/orders/operations/listOrders"} {
		require.Equal(t, 401, w.call(t, "", "GET", path+"?organization=acme", "").status, path)
	}
	p := w.call(t, "", "GET", "/portal?organization=acme", "")
	require.Equal(t, 200, p.status, "the page for signing in needs the title")
	soon(t, "the organization's name is known", func() bool {
		p = w.call(t, "", "GET", "/portal?organization=acme", "")
		return p.at("title") == "Acme developers"
	})
	require.Equal(t, "private", p.at("visibility"))
	require.Equal(t, 404, w.call(t, "", "GET", "/portal?organization=nobody", "").status)
	require.Equal(t, 404, w.call(t, "", "GET", "/portal", "").status, "there are two organizations: it must be said which")

	require.Equal(t, 403, w.call(t, ann, "PATCH", "/portal", `{"title":"Mine"}`, "If-Match", "*").status)
	require.Equal(t, 428, w.call(t, pub, "PATCH", "/portal", `{"title":"Shop"}`).status)
	require.Equal(t, 422, w.call(t, pub, "PATCH", "/portal", `{"accent":"red"}`, "If-Match", "*").status)
	require.Equal(t, 422, w.call(t, pub, "PATCH", "/portal", `{"colour":"red"}`, "If-Match", "*").status)
	got := w.call(t, pub, "PATCH", "/portal", `{"visibility":"public","accent":"#17693f"}`, "If-Match", p.header.Get("Etag"), "Content-Type", "application/merge-patch+json")
	require.Equal(t, 200, got.status, got.text)
	require.Equal(t, "Acme developers", got.at("title"), "what is not named stays")
	require.Equal(t, 412, w.call(t, pub, "PATCH", "/portal", `{"title":"Other"}`, "If-Match", p.header.Get("Etag")).status)
	require.Equal(t, 200, w.call(t, pub, "PATCH", "/portal", `{"tagline":"Build on us"}`, "If-Match", "*").status)

	require.Equal(t, 200, w.call(t, "", "GET", "/catalogue/orders?organization=acme", "").status)
	require.Equal(t, 1, w.call(t, "", "GET", "/catalogue", "", "X-Gatehouse-Organization", "acme").items())
	require.Equal(t, 401, w.call(t, "", "GET", "/catalogue", "", "X-Gatehouse-Organization", "globex").status)
	require.Equal(t, 401, w.call(t, "", "GET", "/applications", "").status, "only the catalogue is open")
	soon(t, "it is in the audit trail", func() bool { return w.audited("portal.updated") == 2 })
}

func (w *world) audited(action string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, e := range w.audits {
		if e.Action == action {
			n++
		}
	}
	return n
}

func TestOrganizationsAreFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenants := w.connect(t, tenant.Service)
	require.NoError(t, bus.Publish(t.Context(), tenants, tenant.OrganizationChanged{Organization: "acme"}))
	soon(t, "the organization is known", func() bool { return w.call(t, "", "GET", "/portal?organization=acme", "").status == 200 })
}
