// Package fleet is what is known of gateways: how they join and report, and what
// their reports say of deployments.
//
// [Judge] is pure; the rest works on the store. The package knows nothing of how
// configurations get to gateways.
package fleet

import (
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// What a gateway has made of a deployment.
const (
	Pending = "pending"
	Applied = "applied"
	Issue   = "issue"
	Away    = "away"
)

// Verdict is what one gateway has made of a deployment.
type Verdict struct {
	Gateway store.Gateway
	State   string
	// Detail says what is the matter.
	Detail string
}

// Judgement is how a deployment stands.
type Judgement struct {
	State string
	// Problem says why it does not get on.
	Problem  string
	Gateways []Verdict
}

// Judge says how a deployment stands: where it went to, with the groups and their
// gateways as they are now.
func Judge(d *store.Deployment, went []store.DeploymentGroup, groups map[string]store.Group, gateways map[string][]store.Gateway, now time.Time) Judgement {
	j := Judgement{State: store.Live}
	published, pending, active := true, 0, 0
	for _, w := range went {
		g, there := groups[w.GroupID]
		if !there {
			continue // it was deleted since
		}
		if w.ManifestVersion == 0 {
			published = false
			if g.Problem != "" && j.Problem == "" {
				j.Problem = "publishing to " + g.Name + ": " + g.Problem
			}
		}
		for i := range gateways[w.GroupID] {
			v := judge(d.APIID, &w, &g, &gateways[w.GroupID][i], now)
			j.Gateways = append(j.Gateways, v)
			if v.State != Away {
				active++
			}
			if v.State == Pending {
				pending++
			}
		}
	}
	switch issue := firstIssue(j.Gateways); {
	case !published:
		j.State = store.Publishing
	case issue != "":
		j.State, j.Problem = store.Failed, issue
	case pending > 0:
		j.State = store.Applying
	case active == 0 && (d.Action == store.ActionDeploy || len(j.Gateways) > 0):
		j.State, j.Problem = store.Applying, fmt.Sprintf("no gateway of %s is online", d.EnvironmentName)
	}
	return j
}

func firstIssue(list []Verdict) string {
	for _, v := range list {
		if v.State == Issue {
			return v.Gateway.Name + ": " + v.Detail
		}
	}
	return ""
}

func judge(api string, w *store.DeploymentGroup, g *store.Group, gw *store.Gateway, now time.Time) Verdict {
	v := Verdict{Gateway: *gw, State: Pending}
	has := w.ManifestVersion > 0 && has(w, g, gw)
	for _, i := range gw.Issues.V {
		// One of the manifest concerns whoever waits for it, one of a unit whoever
		// has it.
		if has && i.Kind == string(unit.KindAPI) && i.Name == api || !has && w.ManifestVersion > 0 && i.Kind == "manifest" {
			v.State, v.Detail = Issue, text(i)
			break
		}
	}
	switch state := gw.State(now); {
	case state == store.Lost || state == store.Offline:
		v.State, v.Detail = Away, map[string]string{store.Lost: "it does not report", store.Offline: "it was stopped"}[state]
	case v.State == Issue:
	case has:
		v.State = Applied
	}
	return v
}

// has reports whether a gateway has the manifest, or a later one.
func has(w *store.DeploymentGroup, g *store.Group, gw *store.Gateway) bool {
	if gw.Epoch == w.Epoch {
		return gw.AppliedVersion >= w.ManifestVersion
	}
	return gw.Epoch != "" && gw.Epoch == g.Epoch // a later history began with all that was deployed
}

func text(i gateway.Issue) string {
	if i.Pointer == "" {
		return i.Detail
	}
	return i.Pointer + ": " + i.Detail
}
