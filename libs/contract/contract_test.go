package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract"
)

func TestSubjectsKeepEventsAndRequestsApart(t *testing.T) {
	t.Parallel()
	require.Equal(t, "gatehouse.v1.event.acme.policy-manager.policies-changed",
		contract.Event("acme", "policy-manager", "policies-changed"))
	require.Equal(t, "gatehouse.v1.event.*.policy-manager.policies-changed",
		contract.Event("", "policy-manager", "policies-changed"))
	require.Equal(t, "gatehouse.v1.rpc.policy-manager.effective", contract.Request("policy-manager", "effective"))
}
