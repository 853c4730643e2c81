package scenario_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// declared has every operation called by whoever has the permission that its document
// declares and no other, and by whoever has all others: the first gets past, and the
// second is told which one it is. It returns what is wrong.
func (m *matrix) declared(all []operations.Operation) (wrong []string) {
	m.t.Helper()
	status, _, answer := m.send("owner", http.MethodGet, "tenant-manager", "/permissions", "")
	require.Equal(m.t, http.StatusOK, status, answer)
	var known struct{ Items []struct{ Name string } }
	require.NoError(m.t, json.Unmarshal([]byte(answer), &known))
	var permissions []string
	for _, p := range known.Items {
		permissions = append(permissions, p.Name)
	}
	by := map[string][]operations.Operation{}
	for _, o := range all {
		if o.Permission == "" {
			continue
		}
		if !slices.Contains(permissions, o.Permission) {
			wrong = append(wrong, fmt.Sprintf("%s needs %s, which no role can have", o.Name(), o.Permission))
		}
		by[o.Permission] = append(by[o.Permission], o)
	}
	require.Greater(m.t, len(by), 80)
	for _, p := range permissions {
		if by[p] == nil {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(permissions), func(other string) bool { return other == p })
		m.limited("only", []string{p})
		m.limited("but", others)
		for _, o := range by[p] {
			if status, answer := m.knock("only", o); status == http.StatusForbidden && !strings.Contains(answer, "this is for people who are signed in") {
				wrong = append(wrong, fmt.Sprintf("%s declares %s, and needs more: %s", o.Name(), p, answer))
			}
			if status, answer := m.knock("but", o); status != http.StatusForbidden || !strings.Contains(answer, "permission "+p) {
				wrong = append(wrong, fmt.Sprintf("%s declares %s, and without it is answered %d %s", o.Name(), p, status, answer))
			}
		}
	}
	return wrong
}

// limited makes somebody a token of the owner's with some of the owner's permissions.
func (m *matrix) limited(name string, permissions []string) {
	m.t.Helper()
	list, err := json.Marshal(permissions)
	require.NoError(m.t, err)
	id := m.token(name, `,"permissions":`+string(list))
	m.t.Cleanup(func() { delete(m.tokens, name) })
	// What was given for it is good until its end; a user has so many tokens at most.
	m.spent = append(m.spent, id)
	for len(m.spent) > 4 {
		status, _, answer := m.send("owner", http.MethodDelete, "tenant-manager", "/me/tokens/"+m.spent[0], "")
		require.Equal(m.t, http.StatusNoContent, status, answer)
		m.spent = m.spent[1:]
	}
}

// knock sends an operation what it refuses, or an id of nothing.
func (m *matrix) knock(who string, o operations.Operation) (int, string) {
	m.t.Helper()
	body, query := "", ""
	if o.Spec.RequestBody != nil {
		body = "{}"
	}
	for _, p := range o.Spec.Parameters {
		if p.Value.In == "query" && p.Value.Required {
			query = "?" + p.Value.Name + "=" + noSuch
		}
	}
	status, _, answer := m.send(who, o.Method, o.Service, pathParameter.ReplaceAllString(o.Path, noSuch)+query, body, "If-Match", `"v0"`)
	return status, answer
}
