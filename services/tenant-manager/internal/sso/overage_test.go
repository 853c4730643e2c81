package sso_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

// Providers leave groups out of what becomes too large.
func TestGroupsThatAreLeftOut(t *testing.T) {
	t.Parallel()
	many := make([]any, 2001)
	for i := range many {
		many[i] = time.Duration(i).String()
	}
	names := sso.Names{Groups: "groups"}
	for text, left := range map[string]bool{
		`{"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://graph.example"}}}`: true,
		`{"hasgroups":true}`: true, `{"hasgroups":"true"}`: true,
		`{"hasgroups":false}`: false, `{}`: false, `{"groups":[]}`: false, `{"groups":["a"],"hasgroups":true}`: false, `{"_claim_names":{"address":"src1"}}`: false,
	} {
		require.Equal(t, left, sso.Read(claims(t, text), names).Overage != "", text)
	}
	require.Empty(t, sso.Read(claims(t, `{"hasgroups":true,"_claim_names":{"groups":"src1"}}`), sso.Names{Groups: "roles"}).Overage, "roles of the application are there")
	require.Contains(t, sso.Read(map[string]any{"groups": many}, names).Overage, "more than 2000")
	require.Empty(t, sso.Read(map[string]any{"groups": many[:2000]}, names).Overage)

	const attribute = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
	at := map[string]any{"nameId": "s", "attributes": map[string]any{"http://schemas.microsoft.com/claims/groups.link": []any{"https://graph.example"}}}
	require.NotEmpty(t, sso.ReadSAML(at, sso.Names{Groups: attribute}, "").Overage)
	at["attributes"].(map[string]any)[attribute] = []any{"a"}
	require.Empty(t, sso.ReadSAML(at, sso.Names{Groups: attribute}, "").Overage)
}

func TestNewProofs(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		claims map[string]any
		proven bool
	}{
		{map[string]any{}, false},
		{map[string]any{"auth_time": "1767323045"}, false},
		{map[string]any{"auth_time": float64(begun.Unix() + 5)}, true},
		{map[string]any{"auth_time": json.Number("1767323050")}, true},
		{map[string]any{"auth_time": float64(begun.Add(-time.Hour).Unix())}, false},
		{map[string]any{"authnInstant": "2026-01-02T03:04:09Z"}, true},
		{map[string]any{"authnInstant": "2026-01-02T02:04:09Z"}, false},
		{map[string]any{"authnInstant": "soon"}, false},
	} {
		require.Equal(t, c.proven, sso.Proven(c.claims, begun) == nil, c.claims)
	}
}
