package subscription_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

func TestEveryActionInEveryState(t *testing.T) {
	t.Parallel()
	const no = subscription.Status("")
	table := map[subscription.Status]map[subscription.Action]subscription.Status{
		//                   approve, reject, pause, resume, close
		subscription.Pending:  {subscription.Approve: subscription.Active, subscription.Reject: subscription.Rejected, subscription.Pause: no, subscription.Resume: no, subscription.Close: subscription.Closed},
		subscription.Active:   {subscription.Approve: no, subscription.Reject: no, subscription.Pause: subscription.Paused, subscription.Resume: no, subscription.Close: subscription.Closed},
		subscription.Paused:   {subscription.Approve: no, subscription.Reject: no, subscription.Pause: no, subscription.Resume: subscription.Active, subscription.Close: subscription.Closed},
		subscription.Rejected: {subscription.Approve: no, subscription.Reject: no, subscription.Pause: no, subscription.Resume: no, subscription.Close: no},
		subscription.Closed:   {subscription.Approve: no, subscription.Reject: no, subscription.Pause: no, subscription.Resume: no, subscription.Close: no},
	}
	require.Len(t, table, len(subscription.Statuses()))
	for from, actions := range table {
		require.Len(t, actions, len(subscription.Actions()))
		for action, want := range actions {
			got, err := subscription.Next(from, action)
			if want == no {
				require.Truef(t, problem.Is(err, problem.CodeConflict), "%s a %s one: %v", action, from, err)
				require.Equal(t, from, got, "a refused action changes nothing")
				require.NotContains(t, subscription.Possible(from), action)
				continue
			}
			require.NoErrorf(t, err, "%s a %s one", action, from)
			require.Equal(t, want, got)
			require.Contains(t, subscription.Possible(from), action)
		}
	}
}

func TestRefusalsSayWhatIsPossible(t *testing.T) {
	t.Parallel()
	_, err := subscription.Next(subscription.Active, subscription.Approve)
	require.ErrorContains(t, err, "the subscription is active, so there is nothing to approve: it is possible to pause or close it")
	_, err = subscription.Next(subscription.Rejected, subscription.Resume)
	require.ErrorContains(t, err, "subscribe again")
}

func TestWhereASubscriptionBegins(t *testing.T) {
	t.Parallel()
	plan := func(change func(*subscription.Plan)) subscription.Plan {
		p := subscription.Plan{Name: "gold", Security: "api-key", Approval: "automatic", Status: "published"}
		change(&p)
		return p
	}
	for name, c := range map[string]struct {
		plan subscription.Plan
		want subscription.Status
		says string
	}{
		"automatic":       {plan: plan(func(*subscription.Plan) {}), want: subscription.Active},
		"manual":          {plan: plan(func(p *subscription.Plan) { p.Approval = "manual" }), want: subscription.Pending},
		"deprecated plan": {plan: plan(func(p *subscription.Plan) { p.Status = "deprecated" }), says: "choose another plan"},
		"draft":           {plan: plan(func(p *subscription.Plan) { p.Status = "draft" }), says: "choose another plan"},
		"deprecated API":  {plan: plan(func(p *subscription.Plan) { p.Deprecated = true }), says: "newer version"},
		"keyless":         {plan: plan(func(p *subscription.Plan) { p.Security = "keyless" }), says: "without a subscription"},
		"unknown":         {plan: plan(func(p *subscription.Plan) { p.Approval = "" }), want: subscription.Pending},
	} {
		got, err := subscription.Begin(c.plan)
		require.Equal(t, c.want, got, name)
		if c.says != "" {
			require.ErrorContains(t, err, c.says, name)
			require.True(t, problem.Is(err, problem.CodeConflict), name)
		} else {
			require.NoError(t, err, name)
		}
	}
}

func TestOpenOnesHoldThePlan(t *testing.T) {
	t.Parallel()
	for _, s := range subscription.Statuses() {
		require.Equal(t, len(subscription.Possible(s)) > 0, s.Open(), s)
	}
}
