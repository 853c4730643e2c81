package policymanager_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// sent are things that are sent in place of what the document alone says.
var sent = map[string]map[string]any{
	"putPlatformPolicies": {"policies": list{}},
	"putProjectPolicies":  {"policies": list{}},
	"putApiPolicies":      {"api": list{}},
	"createPolicySet":     {"slug": "x", "policies": list{}},
	"createPlan":          {"slug": "x", "security": object{"type": "keyless"}},
	"validateUnit":        {"unit": object{"id": "x", "name": "x", "basePath": "/x"}},
}

// walk calls every operation with the ids of what belongs to somebody else, and with
// what the operation takes, so that it is refused for whose it is and nothing else.
func (w *world) walk(t *testing.T, token string, ids *strings.Replacer, tried func(o operations.Operation, a answer)) {
	t.Helper()
	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	for _, o := range all {
		made, err := o.Request(1, sent[o.ID])
		require.NoError(t, err)
		var body any
		if made.Body != "" {
			body = json.RawMessage(made.Body)
		}
		tried(o, w.call(t, token, o.Method, ids.Replace(o.Path), body, "If-Match", "*"))
	}
	require.Greater(t, len(all), 20)
}

// Nothing of one organization can be seen, changed or guessed at by another's
// owner: every operation that names a thing answers 404.
func TestOrganizationsAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAPI(t, "acme", "shop", "pets")
	w.addAPI(t, "evil", "den", "traps")
	owner, other := w.owner(t, "acme"), w.owner(t, "evil")
	plan, _ := w.must(t, 201, owner, "POST", "/apis/pets/plans", object{"slug": "gold", "name": "Gold", "security": object{"type": "api-key"}}).at("id").(string)
	set, _ := w.must(t, 201, owner, "POST", "/policy-sets", object{"slug": "baseline", "name": "Baseline", "policies": list{limit}}).at("id").(string)
	w.must(t, 200, owner, "PUT", "/platform/policies", level(limit), "If-Match", "*")
	w.must(t, 200, owner, "PUT", "/projects/shop/policies", level(limit), "If-Match", "*")
	w.must(t, 200, owner, "PUT", "/apis/pets/policies", api(limit), "If-Match", "*")

	w.walk(t, other, strings.NewReplacer("{project}", "shop", "{api}", "pets", "{plan}", plan, "{policySet}", set), func(o operations.Operation, a answer) {
		switch {
		case o.Path == "/policy-types/{type}": // of the program, and of no organization
		case strings.Contains(o.Path, "{"):
			require.Equal(t, 404, a.status, "%s: %s", o.ID, a.text)
		default:
			require.Less(t, a.status, 300, "%s: %s", o.ID, a.text)
		}
		for _, theirs := range []string{plan, set, "Baseline", "Gold"} {
			require.NotContains(t, a.text, theirs, o.ID)
		}
	})
	w.must(t, 404, other, "GET", "/apis/traps/effective?plan="+plan, nil)
	require.Equal(t, []string{"/api/0/set reference"}, w.must(t, 422, other, "PUT", "/apis/traps/policies", api(object{"set": "baseline"}), "If-Match", "*").pointers())
	require.Equal(t, []string{"/plans/0 reference"}, w.must(t, 422, other, "PUT", "/apis/traps/plans/order", object{"plans": list{plan}}).pointers())
	got, err := bus.Ask(t.Context(), w.caller, contract.Effective{Organization: "evil", Project: "shop", API: "pets"})
	require.NoError(t, err)
	require.Empty(t, got.API)
	require.Empty(t, got.Plans)
	shared, err := bus.Ask(t.Context(), w.caller, contract.Shared{Organization: "evil"})
	require.NoError(t, err)
	require.Equal(t, contract.SharedSet{}, shared)
	plans, err := bus.Ask(t.Context(), w.caller, contract.Plans{Organization: "evil", IDs: []string{plan}})
	require.NoError(t, err)
	require.Empty(t, plans.Plans)
	require.Equal(t, "Gold", w.must(t, 200, owner, "GET", "/plans/"+plan, nil).at("name"))
}

// everybodys are operations that whoever may read policies in some project may call.
var everybodys = map[string]string{
	"listPolicyTypes": "the types are those of the program", "getPolicyType": "the types are those of the program",
	"getPlatformPolicies": "what holds for all APIs is read by whoever has one of them",
	"listPolicySets":      "sets are there to be used in every project", "getPolicySet": "sets are there to be used in every project",
	"listPolicySetVersions": "sets are there to be used in every project", "listPolicySetUses": "where a set is used is shown as far as it is theirs",
	"validateUnit": "it keeps nothing",
}

// Within an organization a publisher of one project cannot touch another's, nor
// what is everybody's.
func TestProjectsAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addAPI(t, "acme", "shop", "pets")
	w.addAPI(t, "acme", "bank", "loans")
	owner, publisher := w.owner(t, "acme"), w.publisher(t, "acme", "shop")
	plan, _ := w.must(t, 201, owner, "POST", "/apis/loans/plans", object{"slug": "gold", "name": "Gold", "security": object{"type": "api-key"}}).at("id").(string)
	set, _ := w.must(t, 201, owner, "POST", "/policy-sets", object{"slug": "baseline", "name": "Baseline", "policies": list{limit}}).at("id").(string)
	w.walk(t, publisher, strings.NewReplacer("{project}", "bank", "{api}", "loans", "{plan}", plan, "{policySet}", set), func(o operations.Operation, a answer) {
		if everybodys[o.ID] != "" {
			require.NotEqual(t, 403, a.status, "%s: %s", o.ID, a.text)
			require.NotContains(t, a.text, "loans", o.ID)
			return
		}
		require.Equal(t, 403, a.status, "%s: %s", o.ID, a.text)
		require.Equal(t, "access-denied", a.at("code"), o.ID)
	})
	w.must(t, 200, publisher, "GET", "/apis/pets/plans", nil)
	w.must(t, 403, w.tenants.User(t, "acme", "nobody"), "GET", "/platform/policies", nil)
}
