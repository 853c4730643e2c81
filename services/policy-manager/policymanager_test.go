package policymanager_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

type object = map[string]any

type list = []any

func api(policies ...any) object { return object{"api": append(list{}, policies...)} }

func level(policies ...any) object { return object{"policies": append(list{}, policies...)} }

var limit = object{"type": "rate-limit", "config": object{"limit": 10, "window": "1m"}}

func TestTheCatalogueDescribesEveryType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nobody := w.tenants.User(t, "acme", "nobody")
	a := w.must(t, 200, nobody, "GET", "/policy-types", nil)
	require.Len(t, a.at("items"), 35)
	a = w.must(t, 200, nobody, "GET", "/policy-types/rate-limit", nil)
	require.Equal(t, "traffic", a.at("category"))
	require.Equal(t, "gauge", a.at("icon"))
	require.Equal(t, list{"inbound", "final", "done"}, a.at("phases"))
	require.Equal(t, "credential", a.at("schema", "properties", "key", "default"))
	require.Equal(t, "credential", a.at("defaults", "key"))
	require.NotEmpty(t, a.at("example"))
	require.Contains(t, a.at("docs"), "| `limit` |")
	a = w.must(t, 404, nobody, "GET", "/policy-types/rate-limits", nil)
	require.Contains(t, a.at("detail"), `"rate-limit"`)
	w.must(t, 401, "", "GET", "/policy-types", nil)
}

// Every type is taken with its documented example, and refused with a field that
// it does not have: what the console stores, a gateway serves.
func TestEveryTypeIsTakenWithItsExampleAndRefusedBroken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAPI(t, "acme", "shop", "pets")
	owner := w.owner(t, "acme")
	for _, d := range policies.All() {
		example, _ := w.must(t, 200, owner, "GET", "/policy-types/"+d.Name, nil).at("example").(object)
		a := w.must(t, 200, owner, "PUT", "/apis/pets/policies", api(object{"type": d.Name, "config": example}), "If-Match", "*")
		require.Equal(t, d.Name, a.at("api", 0, "name"))
		before := a.header.Get("ETag")

		broken := object{"noSuchField": true}
		for k, v := range example {
			broken[k] = v
		}
		a = w.must(t, 422, owner, "PUT", "/apis/pets/policies", api(object{"type": "request-id"}, object{"type": d.Name, "config": broken}), "If-Match", "*")
		require.Equal(t, []string{"/api/1/config/noSuchField unknown"}, a.pointers(), d.Name)
		require.Equal(t, before, w.must(t, 200, owner, "GET", "/apis/pets/policies", nil).header.Get("ETag"), "nothing is half stored")
	}
}

func TestMistakesPointIntoTheBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAPI(t, "acme", "shop", "pets")
	owner := w.owner(t, "acme")
	w.must(t, 201, owner, "POST", "/policy-sets", object{"slug": "split", "name": "Split", "policies": list{
		object{"type": "request-id"},
	}})
	rate := func(config object) object { return object{"type": "rate-limit", "config": config} }
	const wide = "/platform/policies"
	for name, c := range map[string]struct {
		path string
		body any
		want []string
	}{
		"a bound":              {"/apis/pets/policies", api(limit, rate(object{"limit": -1, "window": "1m"})), []string{"/api/1/config/limit minimum"}},
		"several":              {"/apis/pets/policies", api(rate(object{"limit": 0, "window": "x"}), rate(object{"limit": "x", "window": "1m"})), []string{"/api/0/config/limit minimum", "/api/0/config/window format", "/api/1/config/limit type"}},
		"what compiles decide": {"/apis/pets/policies", api(object{"type": "redirect", "config": object{"to": "${request.nothing}"}}), []string{"/api/0/config/to invalid"}},
		"an unknown type":      {"/apis/pets/policies", api(object{"type": "rate-limits"}), []string{"/api/0/type unknown"}},
		"a condition":          {"/apis/pets/policies", api(object{"type": "request-id", "when": "request.nothing"}), []string{"/api/0/when invalid"}},
		"an operation":         {"/apis/pets/policies", object{"api": list{}, "operations": object{"get/pet": list{limit, rate(object{"limit": 0, "window": "1m"})}}}, []string{"/operations/get~1pet/1/config/limit minimum"}},
		"no such operation":    {"/apis/pets/policies", object{"api": list{}, "operations": object{"listPet": list{limit}}}, []string{"/operations/listPet reference"}},
		"no such set":          {"/apis/pets/policies", api(limit, object{"set": "splits"}), []string{"/api/1/set reference"}},
		"neither":              {"/apis/pets/policies", api(object{}), []string{"/api/0/type required"}},
		"both":                 {"/apis/pets/policies", api(object{"type": "request-id", "set": "split"}), []string{"/api/0/set invalid"}},
		"two of a name":        {"/apis/pets/policies", api(object{"type": "request-id", "name": "x"}, object{"type": "cors", "name": "x", "config": object{"origins": list{"*"}}}), []string{"/api/1/name duplicate"}},
		"no such upstream":     {"/apis/pets/policies", api(object{"type": "traffic-split", "config": object{"variants": list{object{"name": "a", "upstream": "third", "weight": 1}}}}), []string{"/api/0/config/variants/0/upstream invalid"}},
		"the platform":         {wide, level(limit, rate(object{"limit": 0, "window": "1m"})), []string{"/policies/1/config/limit minimum"}},
		"no document there":    {wide, level(object{"type": "openapi-validation"}), []string{"/policies/0/config invalid"}},
		"a project":            {"/projects/shop/policies", level(rate(object{"limit": 1, "windows": "1m"})), []string{"/policies/0/config/windows unknown"}},
		"an unknown field":     {"/apis/pets/policies", object{"api": list{object{"type": "request-id", "enable": true}}}, []string{"/api/0/enable unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := w.must(t, 422, owner, "PUT", c.path, c.body, "If-Match", "*")
			require.ElementsMatch(t, c.want, a.pointers(), a.text)
		})
	}
}

func TestPoliciesKeepTheirIdsNamesAndSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAPI(t, "acme", "shop", "pets")
	owner := w.owner(t, "acme")
	a := w.must(t, 200, owner, "GET", "/apis/pets/policies", nil)
	require.Equal(t, `"v1"`, a.header.Get("ETag"))
	w.must(t, 428, owner, "PUT", "/apis/pets/policies", api(limit))
	jwt := object{"type": "jwt", "config": object{"secret": "0123456789abcdef0123456789abcdef"}}
	a = w.must(t, 200, owner, "PUT", "/apis/pets/policies", object{
		"api": list{jwt, limit, limit, object{"type": "request-id", "enabled": false}}, "operations": object{"listPets": list{limit}, "get/pet": list{}},
	}, "If-Match", `"v1"`)
	require.Equal(t, `"v2"`, a.header.Get("ETag"))
	require.Equal(t, "***", a.at("api", 0, "config", "secret"))
	require.Equal(t, "rate-limit-2", a.at("api", 2, "name"))
	require.Equal(t, false, a.at("api", 3, "enabled"))
	require.Len(t, a.at("operations"), 1)
	w.must(t, 412, owner, "PUT", "/apis/pets/policies", api(limit), "If-Match", `"v1"`)

	// What was shown is handed back in another order, one policy less.
	shown, _ := a.at("api").(list)
	a = w.must(t, 200, owner, "PUT", "/apis/pets/policies", object{"api": list{shown[2], shown[0]}}, "If-Match", `"v2"`)
	require.Equal(t, list{shown[2], shown[0]}, a.at("api"))
	require.Equal(t, object{}, a.at("operations"))

	got, err := bus.Ask(t.Context(), w.caller, contract.Effective{Organization: "acme", Project: "shop", API: "pets"})
	require.NoError(t, err)
	require.Equal(t, "rate-limit-2", got.API[0].Name, "counters follow the name")
	require.JSONEq(t, `{"secret":"0123456789abcdef0123456789abcdef"}`, string(got.API[1].Config))
	require.Empty(t, got.Operations)

	// An operation that goes from the document leaves its policies as orphans.
	w.must(t, 200, owner, "PUT", "/apis/pets/policies", object{"api": list{}, "operations": object{"listPets": list{limit}}}, "If-Match", "*")
	w.mu.Lock()
	w.apis["acme"][0].Operations = w.apis["acme"][0].Operations[1:]
	w.mu.Unlock()
	require.Equal(t, list{"listPets"}, w.must(t, 200, owner, "GET", "/apis/pets/policies", nil).at("orphans"))

	// A deleted API leaves nothing behind.
	require.NoError(t, bus.Publish(t.Context(), w.caller, gateway.APIChanged{Organization: "acme", API: "pets", Deleted: true}))
	require.Eventually(t, func() bool {
		return w.call(t, owner, "GET", "/apis/pets/policies", nil).at("version") == 1.0
	}, 10*time.Second, 20*time.Millisecond)
}

func TestPolicySetsAreSharedAndWatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAPI(t, "acme", "shop", "pets")
	w.addAPI(t, "acme", "bank", "loans")
	owner, publisher := w.owner(t, "acme"), w.publisher(t, "acme", "shop")
	body := object{"slug": "baseline", "name": "Baseline", "policies": list{limit}}
	w.must(t, 403, publisher, "POST", "/policy-sets", body)
	a := w.must(t, 201, owner, "POST", "/policy-sets", body, "Idempotency-Key", "k1")
	id, _ := a.at("id").(string)
	require.Equal(t, id, w.must(t, 201, owner, "POST", "/policy-sets", body, "Idempotency-Key", "k1").at("id"), "sent again, made once")
	require.Contains(t, w.must(t, 409, owner, "POST", "/policy-sets", body).at("detail"), "baseline")
	require.Equal(t, []string{"/policies/0/set invalid"}, w.must(t, 422, owner, "POST", "/policy-sets", object{"slug": "x", "name": "x", "policies": list{object{"set": "baseline"}}}).pointers())
	require.Len(t, w.must(t, 200, publisher, "GET", "/policy-sets?q=base&sort=-createdAt&limit=1", nil).at("items"), 1)
	require.Equal(t, []string{"/sort enum"}, w.must(t, 422, publisher, "GET", "/policy-sets?sort=size", nil).pointers())

	w.must(t, 200, publisher, "PUT", "/apis/pets/policies", api(object{"set": "baseline"}), "If-Match", "*")
	w.must(t, 200, owner, "PUT", "/apis/loans/policies", api(object{"set": "baseline"}), "If-Match", "*")
	w.must(t, 200, owner, "PUT", "/platform/policies", level(object{"set": "baseline"}), "If-Match", "*")
	w.must(t, 403, publisher, "PUT", "/platform/policies", level(), "If-Match", "*")
	uses := w.must(t, 200, publisher, "GET", "/policy-sets/"+id+"/uses", nil)
	require.Equal(t, list{object{"level": "api", "project": "shop", "api": "pets"}}, uses.at("items"))
	require.InDelta(t, 2.0, uses.at("hidden"), 0, "what others do with it is only counted")
	require.Contains(t, w.must(t, 409, owner, "DELETE", "/policy-sets/"+id, nil, "If-Match", "*").at("detail"), "3 places")

	// A version that fits APIs only is not taken while the platform uses the set.
	a = w.must(t, 422, owner, "PATCH", "/policy-sets/"+id, object{"policies": list{object{"type": "openapi-validation"}}}, "If-Match", `"v1"`)
	require.Contains(t, a.text, "at the platform, which uses the set")
	a = w.must(t, 200, owner, "PATCH", "/policy-sets/"+id, object{"policies": list{object{"type": "rate-limit", "config": object{"limit": 20, "window": "1m"}}}, "description": "For all."}, "If-Match", `"v1"`)
	require.InDelta(t, 2.0, a.at("setVersion"), 0)
	require.Equal(t, "Baseline", a.at("name"))
	a = w.must(t, 200, owner, "PATCH", "/policy-sets/"+id, object{"description": nil}, "If-Match", `"v2"`)
	require.Nil(t, a.at("description"))
	require.InDelta(t, 2.0, a.at("setVersion"), 0)
	versions := w.must(t, 200, owner, "GET", "/policy-sets/"+id+"/versions", nil)
	require.InDelta(t, 20.0, versions.at("items", 0, "policies", 0, "config", "limit"), 0)
	require.InDelta(t, 10.0, versions.at("items", 1, "policies", 0, "config", "limit"), 0)

	shared, err := bus.Ask(t.Context(), w.caller, contract.Shared{Organization: "acme"})
	require.NoError(t, err)
	require.Equal(t, "baseline", shared.Platform[0].Set)
	require.EqualValues(t, 2, shared.Sets[0].Version)
	effective := w.must(t, 200, publisher, "GET", "/apis/pets/effective", nil)
	require.Equal(t, "policy set baseline version 2, at the platform", effective.at("items", 0, "source"))
	require.Equal(t, "api", effective.at("items", 1, "level"))

	w.must(t, 200, owner, "PUT", "/apis/loans/policies", api(), "If-Match", "*")
	w.must(t, 200, owner, "PUT", "/apis/pets/policies", api(), "If-Match", "*")
	w.must(t, 200, owner, "PUT", "/platform/policies", level(), "If-Match", "*")
	w.must(t, 204, owner, "DELETE", "/policy-sets/"+id, nil, "If-Match", "*")
	w.must(t, 404, owner, "GET", "/policy-sets/"+id, nil)
}

func TestAPlanFromDraftToClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAPI(t, "acme", "shop", "pets")
	publisher := w.publisher(t, "acme", "shop")
	told := make(chan contract.PoliciesChanged, 32)
	listening := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan error, 1)
	go func() {
		heard <- bus.Listen(ctx, w.caller, func(_ context.Context, e contract.PoliciesChanged) { told <- e }, func() { listening <- struct{}{} })
	}()
	defer func() { cancel(); require.NoError(t, <-heard) }()
	<-listening

	gold := object{
		"slug": "gold", "name": "Gold", "description": "For partners.", "security": object{"type": "api-key"},
		"limits":   object{"rateLimit": object{"limit": 100, "window": "1m"}, "quota": object{"limit": 1000000, "window": "month"}},
		"policies": list{object{"type": "request-id"}},
	}
	a := w.must(t, 201, publisher, "POST", "/apis/pets/plans", gold)
	id, _ := a.at("id").(string)
	require.Equal(t, contract.PoliciesChanged{Organization: "acme", Level: "api", Project: "shop", API: "pets"}, <-told)
	require.Equal(t, list{"100 requests per minute", "1,000,000 requests per calendar month"}, a.at("limitTexts"))
	require.Equal(t, "X-API-Key", a.at("keyHeader"))
	require.Equal(t, "draft", a.at("status"))
	require.Equal(t, "automatic", a.at("approval"))
	require.Contains(t, w.must(t, 409, publisher, "POST", "/apis/pets/plans", gold).at("detail"), "gold")

	for name, c := range map[string]struct {
		patch object
		want  []string
	}{
		"the limit":        {object{"limits": object{"rateLimit": object{"limit": 5, "window": "1x"}}}, []string{"/limits/rateLimit/window format"}},
		"below the bound":  {object{"limits": object{"quota": object{"window": "9000d"}}}, []string{"/limits/quota/window maximum"}},
		"its policies":     {object{"policies": list{object{"type": "request-id"}, object{"type": "rate-limit", "config": object{"limit": 0, "window": "1m"}}}}, []string{"/policies/1/config/limit minimum"}},
		"a reserved name":  {object{"policies": list{object{"type": "request-id", "name": "plan-quota"}}}, []string{"/policies/0/name duplicate"}},
		"the security":     {object{"security": object{"type": "api-key", "config": object{"header": "no header"}}}, []string{"/security/config/header invalid"}},
		"the condition":    {object{"when": "request.nothing"}, []string{"/when invalid"}},
		"keyless is bare":  {object{"security": object{"type": "keyless", "config": object{"header": "X"}}}, []string{"/security/config invalid"}},
		"an unknown field": {object{"slug": "silver"}, []string{"/slug unknown"}},
	} {
		a := w.must(t, 422, publisher, "PATCH", "/plans/"+id, c.patch, "If-Match", "*")
		require.ElementsMatch(t, c.want, a.pointers(), "%s: %s", name, a.text)
	}
	a = w.must(t, 200, publisher, "PATCH", "/plans/"+id, object{"limits": object{"rateLimit": object{"limit": 60}, "quota": nil}, "approval": "manual", "description": nil}, "If-Match", `"v1"`)
	require.Equal(t, list{"60 requests per minute"}, a.at("limitTexts"))
	w.must(t, 412, publisher, "PATCH", "/plans/"+id, object{"name": "G"}, "If-Match", `"v1"`)

	other, _ := w.must(t, 201, publisher, "POST", "/apis/pets/plans", object{"slug": "partner", "name": "Partner", "security": object{"type": "jwt", "config": object{"secret": "0123456789abcdef0123456789abcdef"}}}).at("id").(string)
	a = w.must(t, 200, publisher, "PATCH", "/plans/"+other, object{"security": object{"config": object{"secret": "***", "audience": list{"pets"}}}}, "If-Match", "*")
	require.Equal(t, "***", a.at("security", "config", "secret"))
	open, _ := w.must(t, 201, publisher, "POST", "/apis/pets/plans", object{"slug": "open", "name": "Open", "security": object{"type": "keyless"}, "limits": object{"rateLimit": object{"limit": 1, "window": "1s"}}}).at("id").(string)
	require.Equal(t, []string{"/plans required"}, w.must(t, 422, publisher, "PUT", "/apis/pets/plans/order", object{"plans": list{other, id}}).pointers())
	a = w.must(t, 200, publisher, "PUT", "/apis/pets/plans/order", object{"plans": list{other, id, open}})
	require.Equal(t, other, a.at("items", 0, "id"))

	ask := func() contract.EffectiveSet {
		got, err := bus.Ask(t.Context(), w.caller, contract.Effective{Organization: "acme", Project: "shop", API: "pets"})
		require.NoError(t, err)
		return got
	}
	got := ask()
	require.Len(t, got.Plans, 2, "a keyless draft would open the API")
	require.JSONEq(t, `{"secret":"0123456789abcdef0123456789abcdef","audience":["pets"]}`, string(got.Plans[0].Unit.Security.Config))
	require.JSONEq(t, `{"key":"subscription","limit":60,"mode":"local","name":"rate-limit","window":"1m"}`, string(got.Plans[1].Unit.Policies[0].Config))
	require.Equal(t, "request-id", got.Plans[1].Unit.Policies[1].Type)

	w.must(t, 200, publisher, "POST", "/plans/"+id+"/publish", nil)
	require.Equal(t, "published", w.must(t, 200, publisher, "POST", "/plans/"+id+"/publish", nil).at("status"))
	require.Equal(t, got.Version, ask().Version, "gateways get the same")
	w.must(t, 200, publisher, "POST", "/plans/"+open+"/publish", nil)
	require.Len(t, ask().Plans, 3)
	require.Equal(t, []string{"/security/type immutable"}, w.must(t, 422, publisher, "PATCH", "/plans/"+id, object{"security": object{"type": "basic"}}, "If-Match", "*").pointers())
	require.Len(t, w.must(t, 200, publisher, "GET", "/apis/pets/plans?status=published", nil).at("items"), 2)
	w.must(t, 409, publisher, "POST", "/plans/"+other+"/deprecate", nil)

	w.mu.Lock()
	w.subscriptions[id] = 3
	w.mu.Unlock()
	require.Contains(t, w.must(t, 409, publisher, "POST", "/plans/"+id+"/close", nil).at("detail"), "3 applications")
	require.Contains(t, w.must(t, 409, publisher, "DELETE", "/plans/"+id, nil, "If-Match", "*").at("detail"), "3 applications")
	w.must(t, 200, publisher, "POST", "/plans/"+id+"/deprecate", nil)
	w.mu.Lock()
	w.subscriptions[id] = 0
	w.mu.Unlock()
	require.Equal(t, "closed", w.must(t, 200, publisher, "POST", "/plans/"+id+"/close", nil).at("status"))
	w.must(t, 409, publisher, "POST", "/plans/"+id+"/publish", nil)
	w.must(t, 409, publisher, "PATCH", "/plans/"+id, object{"name": "G"}, "If-Match", "*")
	w.must(t, 200, publisher, "POST", "/plans/"+open+"/close", nil)
	w.must(t, 204, publisher, "DELETE", "/plans/"+other, nil, "If-Match", "*")
	got = ask()
	require.Len(t, got.Plans, 1, "an API whose plans are all closed must not be open to everybody")
	require.Equal(t, "false", got.Plans[0].Unit.When)
	require.NotNil(t, got.Plans[0].Unit.Security)

	plans, err := bus.Ask(t.Context(), w.caller, contract.Plans{Organization: "acme", IDs: []string{id, "other"}})
	require.NoError(t, err)
	require.Equal(t, "closed", plans.Plans[0].Status)
	plans, err = bus.Ask(t.Context(), w.caller, contract.Plans{Organization: "acme", API: "pets"})
	require.NoError(t, err)
	require.Len(t, plans.Plans, 2)
}

func TestTheEffectivePoliciesAreListedInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAPI(t, "acme", "shop", "pets")
	w.addAPI(t, "acme", "shop", "toys")
	owner := w.owner(t, "acme")
	w.must(t, 200, owner, "PUT", "/platform/policies", level(object{"type": "request-id"}), "If-Match", "*")
	w.must(t, 200, owner, "PUT", "/projects/shop/policies", level(object{"type": "cors", "config": object{"origins": list{"*"}}}), "If-Match", "*")
	w.must(t, 200, owner, "PUT", "/apis/pets/policies", object{"api": list{object{"type": "compress", "enabled": false}}, "operations": object{"listPets": list{object{"type": "cache"}}}}, "If-Match", "*")
	plan, _ := w.must(t, 201, owner, "POST", "/apis/pets/plans", object{
		"slug": "gold", "name": "Gold", "security": object{"type": "api-key"}, "limits": object{"quota": object{"limit": 5, "window": "1d"}}, "policies": list{object{"type": "timeout", "config": object{"total": "5s"}}},
	}).at("id").(string)
	a := w.must(t, 200, owner, "GET", "/apis/pets/effective?operation=listPets&plan="+plan, nil)
	var got []string
	items, _ := a.at("items").(list)
	for _, i := range items {
		m, _ := i.(object)
		got = append(got, m["level"].(string)+" "+m["role"].(string)+" "+m["type"].(string))
	}
	require.Equal(t, []string{
		"platform policy request-id", "project policy cors", "api policy compress",
		"plan security api-key", "plan limit quota", "plan policy timeout", "operation policy cache",
	}, got)
	require.Equal(t, false, a.at("items", 2, "enabled"))
	w.must(t, 404, owner, "GET", "/apis/toys/effective?plan="+plan, nil)
}

func TestUnitsAreValidatedByTheGatewaysCompile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.owner(t, "acme")
	broken := object{"id": "x", "name": "x", "basePath": "/x", "policies": list{object{"type": "rate-limit", "config": object{"limit": 0, "window": "1m"}}}}
	a := w.must(t, 200, owner, "POST", "/validate", object{"unit": broken})
	require.Equal(t, "/unit/policies/0/config/limit", a.at("mistakes", 0, "pointer"))
	require.Equal(t, list{}, w.must(t, 200, owner, "POST", "/validate", object{"unit": object{"id": "x", "name": "x", "basePath": "/x"}}).at("mistakes"))

	raw, err := json.Marshal(broken)
	require.NoError(t, err)
	hash := unit.HashOf(raw)
	_, err = bus.Ask(t.Context(), w.caller, contract.Validate{Organization: "acme", Unit: hash})
	require.ErrorContains(t, err, "there is no unit")
	_, err = w.units.Put(t.Context(), "acme", map[unit.Hash][]byte{hash: raw})
	require.NoError(t, err)
	got, err := bus.Ask(t.Context(), w.caller, contract.Validate{Organization: "acme", Unit: hash})
	require.NoError(t, err)
	require.Equal(t, "/policies/0/config/limit", got.Mistakes[0].Pointer)
}
