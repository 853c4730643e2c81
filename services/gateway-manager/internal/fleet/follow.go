package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// chunk is how many deployments are looked at in one query.
const chunk = 500

// Follow takes down how the deployments to a group's environment stand now, and
// tells of it: of the group in any case, by the event it is given, and of each API
// whose deployment went on.
func Follow(ctx context.Context, tx *db.Tx, o *store.Org, g *store.Group, why gateway.FleetChanged, now time.Time) error {
	// One after the other: of two gateways that report at once, the second sees
	// what the first said.
	if err := o.LockEnvironment(ctx, g.EnvironmentID); err != nil {
		return fmt.Errorf("locking the environment: %w", err)
	}
	open, err := o.Open(ctx, g.EnvironmentID)
	if err != nil {
		return fmt.Errorf("reading deployments: %w", err)
	}
	var groups map[string]store.Group
	var gateways map[string][]store.Gateway
	if len(open) > 0 {
		if groups, gateways, err = Members(ctx, o, g.EnvironmentID); err != nil {
			return err
		}
	}
	for len(open) > 0 {
		n := min(len(open), chunk)
		if err := follow(ctx, tx, o, open[:n], groups, gateways, now); err != nil {
			return err
		}
		open = open[n:]
	}
	return Tell(tx, why)
}

// Members returns the groups of an environment, and their gateways.
func Members(ctx context.Context, o *store.Org, environments ...string) (map[string]store.Group, map[string][]store.Gateway, error) {
	list, err := o.GroupsOf(ctx, environments...)
	if err != nil {
		return nil, nil, fmt.Errorf("reading groups: %w", err)
	}
	groups, ids := map[string]store.Group{}, make([]string, len(list))
	for i, g := range list {
		groups[g.ID], ids[i] = g, g.ID
	}
	all, err := o.GatewaysOf(ctx, ids...)
	if err != nil {
		return nil, nil, fmt.Errorf("reading gateways: %w", err)
	}
	gateways := map[string][]store.Gateway{}
	for _, gw := range all {
		gateways[gw.GroupID] = append(gateways[gw.GroupID], gw)
	}
	return groups, gateways, nil
}

func follow(ctx context.Context, tx *db.Tx, o *store.Org, open []store.Deployment, groups map[string]store.Group, gateways map[string][]store.Gateway, now time.Time) error {
	ids := make([]string, len(open))
	for i := range open {
		ids[i] = open[i].ID
	}
	went, err := o.DeploymentGroups(ctx, ids...)
	if err != nil {
		return fmt.Errorf("reading where deployments went: %w", err)
	}
	by := map[string][]store.DeploymentGroup{}
	for _, w := range went {
		by[w.DeploymentID] = append(by[w.DeploymentID], w)
	}
	for i := range open {
		d := &open[i]
		j := Judge(d, by[d.ID], groups, gateways, now)
		changed, err := o.SetState(ctx, d, j.State, j.Problem)
		if err != nil {
			return fmt.Errorf("noting how a deployment stands: %w", err)
		}
		if !changed {
			continue
		}
		if err := Tell(tx, gateway.APIChanged{Organization: d.OrganizationID, API: d.APIID}); err != nil {
			return err
		}
	}
	return nil
}

// event is what is told.
type event interface{ Subject() string }

// Tell puts an event of a group or an API into the outbox.
func Tell(tx *db.Tx, e event) error {
	key := ""
	switch e := e.(type) {
	case gateway.FleetChanged:
		key = e.Group
	case gateway.APIChanged:
		key = e.API
	}
	return tx.Emit(e.Subject(), key, e)
}
