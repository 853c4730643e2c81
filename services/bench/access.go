//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// heldGrants is how many grants of their own somebody has whose access is looked
	// at, and heldGroups how many groups deep they are, with as many grants each.
	heldGrants, heldGroups, groupGrants = 200, 8, 5
	// provisioned is how many users a directory sends in a dry run: as many as one has.
	provisioned = 1_000
	// provisionLimit is what a provider may wait for the answer to one of them at p95.
	provisionLimit = 500 * time.Millisecond
)

// accessLists are what says what somebody may do, and who may do something. Their
// users have to be filled before.
func (b *bench) accessLists(project, environment, api string) []*list {
	effective := &list{
		name: "effective access", rows: heldGrants, search: true, hit: "deploy", most: "read",
		filters: []string{"allowed=true", "allowed=false", "project=" + project, "project=" + project + "&api=" + api, "environment=" + environment + "&environmentSlug=dev"},
	}
	explainer := &list{name: "access explainer", path: tenants + "/v1/access/check", rows: heldGrants, all: true}
	effective.fill = func(ctx context.Context, n int) error {
		who, err := b.holder(ctx, n, project, environment)
		if err != nil {
			return err
		}
		effective.path = tenants + "/v1/access/effective/" + who
		explainer.asks = []ask{
			{"for what they may do", object{"principal": who, "permission": "organization:read"}},
			{"for what they may not", object{"principal": who, "permission": "organization:delete"}},
			{"for what they may do with an API", object{"principal": who, "permission": "api:update", "project": project, "api": api}},
			{"for what they may do in an environment", object{"principal": who, "permission": "deployment:deploy", "project": project, "environment": environment, "environmentSlug": "dev"}},
		}
		return nil
	}
	explainer.fill = func(context.Context, int) error { return nil } // for the same person
	return []*list{effective, explainer, {
		// Of the auditors, who are all users, and of few.
		name: "who can", path: tenants + "/v1/access/who-can", rows: manyUsers * b.rows, asks: []ask{
			{"api:read", object{"permission": "api:read"}},
			{"api:read of an API", object{"permission": "api:read", "project": project, "api": api}},
		},
		fill: func(context.Context, int) error { return nil },
	}, {
		name: "few who can", path: tenants + "/v1/access/who-can", rows: manyUsers * b.rows, all: true, asks: []ask{
			{"user:delete", object{"permission": "user:delete"}},
			{"deployment:deploy in an environment", object{"permission": "deployment:deploy", "project": project, "environment": environment, "environmentSlug": "dev"}},
		},
		fill: func(context.Context, int) error { return nil },
	}}
}

// holder gives many roles to a user, and to groups one in the other, the innermost of
// which the user is in, and returns the user's id.
func (b *bench) holder(ctx context.Context, n int, project, environment string) (string, error) {
	users, err := b.ids(ctx, "users", 3)
	if err != nil {
		return "", err
	}
	who := users[2]
	roles := []string{"viewer", "publisher", "operator", "project-owner"}
	give := func(to string, i int) error {
		scope := object{"principal": to, "role": roles[i%len(roles)], "project": project, "api": newID()}
		if i%10 == 0 {
			scope = object{"principal": to, "role": roles[i%len(roles)], "project": newID(), "environment": environment}
		}
		_, err := b.made(ctx, tenants+"/v1/grants", scope)
		return err
	}
	for i := range n {
		if err := give(who, i); err != nil {
			return "", err
		}
	}
	inside := who
	for depth := range heldGroups {
		group, err := b.made(ctx, tenants+"/v1/groups", object{"name": fmt.Sprintf("Level %d", heldGroups-depth)})
		if err != nil {
			return "", err
		}
		if _, err := b.send(ctx, http.MethodPost, tenants+"/v1/groups/"+group+"/members", object{"member": inside}); err != nil {
			return "", err
		}
		for i := range groupGrants {
			if err := give(group, i); err != nil {
				return "", err
			}
		}
		inside = group
	}
	return who, nil
}

// provisioning measures a directory that sends as many users as a dry run takes, one
// after the other.
func (b *bench) provisioning(ctx context.Context) error {
	o, err := b.send(ctx, http.MethodPost, tenants+"/v1/scim/directories", object{"name": "Provider", "domains": []string{"acme.example"}, "dryRun": true})
	if err != nil {
		return err
	}
	id, err := text(o, "id")
	if err != nil {
		return err
	}
	if o, err = b.send(ctx, http.MethodPost, tenants+"/v1/scim/directories/"+id+"/tokens", object{"name": "provider"}); err != nil {
		return err
	}
	token, err := text(o, "token")
	if err != nil {
		return err
	}
	provider := &bench{api: strings.TrimSuffix(b.api, "api/"), token: token}
	took, began := make([]time.Duration, provisioned), time.Now()
	for i := range took {
		asked := time.Now()
		if _, err := provider.send(ctx, http.MethodPost, "scim/v2/Users", object{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": fmt.Sprintf("user-%d@acme.example", i), "displayName": fmt.Sprintf("User %d", i), "active": true,
		}); err != nil {
			return err
		}
		took[i] = time.Since(asked)
	}
	all := time.Since(began)
	p95 := percentile(took, 95)
	b.note(fmt.Sprintf("SCIM dry run of %d users: all, each at p50 / p95 / p99", provisioned), all.Round(time.Millisecond).String()+", "+three(took), "p95 under "+provisionLimit.String(), p95 < provisionLimit)
	return nil
}
