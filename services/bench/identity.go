//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

const tenants = "tenant-manager"

// ids returns the ids of rows of a table of tenant-manager.
func (b *bench) ids(ctx context.Context, table string, n int) ([]string, error) {
	s, err := b.open(ctx, tenants)
	if err != nil {
		return nil, err
	}
	var out []string
	if err := s.db.Unscoped(ctx, everything).Table(table).Order("id").Limit(n).Pluck("id", &out).Error; err != nil {
		return nil, err
	}
	if len(out) < n {
		return nil, fmt.Errorf("there are %d rows of %s, and %d are needed: fill that list as well", len(out), table, n) //nolint:err113 // shown as it is
	}
	return out, nil
}

// spread makes a copy for each of as many users, after the first two; the column
// says who it is about.
func (b *bench) spread(ctx context.Context, id, table, column string, n int) error {
	users, err := b.ids(ctx, "users", n+2)
	if err != nil {
		return err
	}
	return b.copies(ctx, tenants, id, n, part{table: table, column: "id", set: func(i int) object { return object{column: users[i+1]} }})
}

// one returns the id of the only row of a table in which a column has a value.
func (b *bench) one(ctx context.Context, table, column, value string) (string, error) {
	s, err := b.open(ctx, tenants)
	if err != nil {
		return "", err
	}
	var id string
	err = s.db.Unscoped(ctx, everything).Table(table).Select("id").Where(column+" = ?", value).Limit(1).Scan(&id).Error
	if err == nil && id == "" {
		err = fmt.Errorf("%s has no row whose %s is %s", table, column, value) //nolint:err113 // shown as it is
	}
	return id, err
}

// identityLists are the lists of the tenant console that are about users, whose
// list has to be filled before.
func (b *bench) identityLists() []*list {
	groups := &list{name: "groups", path: tenants + "/v1/groups", search: true, sorts: []string{"name", "-name", "createdAt", "-createdAt"}, filters: []string{"top=true", "parent=nothing", "member=nobody", "path=%2Fgroup"}}
	groups.fill = func(ctx context.Context, n int) error {
		id, err := b.made(ctx, tenants+"/v1/groups", object{"name": "Group " + marker})
		if err != nil {
			return err
		}
		return b.copies(ctx, tenants, id, n, part{table: "principal_groups", column: "id"})
	}
	members := &list{name: "group members", search: true, filters: []string{"kind=user", "kind=service-account"}}
	ofGroup := &list{name: "users of a group", search: true, filters: []string{"role=auditor", "status=active"}, fill: func(context.Context, int) error { return nil }}
	members.fill = func(ctx context.Context, n int) error {
		id, err := b.made(ctx, tenants+"/v1/groups", object{"name": "Everybody"})
		if err != nil {
			return err
		}
		members.path, ofGroup.path = tenants+"/v1/groups/"+id+"/members", tenants+"/v1/users?group="+id
		users, err := b.ids(ctx, "users", 1)
		if err != nil {
			return err
		}
		if _, err := b.send(ctx, http.MethodPost, tenants+"/v1/groups/"+id+"/members", object{"member": users[0]}); err != nil {
			return err
		}
		row, err := b.one(ctx, "group_members", "group_id", id)
		if err != nil {
			return err
		}
		return b.spread(ctx, row, "group_members", "member_id", n)
	}
	holders := &list{name: "holders of a role", rows: manyUsers * b.rows}
	holders.fill = func(ctx context.Context, _ int) error { // they were filled with the users
		s, err := b.open(ctx, tenants)
		if err != nil {
			return err
		}
		var role string
		if err := s.db.Unscoped(ctx, everything).Table("grants").Select("role_id").Order("id DESC").Limit(1).Scan(&role).Error; err != nil {
			return err
		}
		holders.path = tenants + "/v1/roles/" + role + "/holders"
		return nil
	}
	boundaries := &list{name: "boundaries", path: tenants + "/v1/boundaries", filters: []string{"role=viewer"}}
	boundaries.fill = func(ctx context.Context, n int) error {
		users, err := b.ids(ctx, "users", 2)
		if err != nil {
			return err
		}
		who := users[1] // the first is the owner, who is not bounded
		if _, err := b.send(ctx, http.MethodPut, tenants+"/v1/boundaries/"+who, object{"role": "auditor"}, "If-None-Match", "*"); err != nil {
			return err
		}
		row, err := b.one(ctx, "boundaries", "principal_id", who)
		if err != nil {
			return err
		}
		return b.spread(ctx, row, "boundaries", "principal_id", n)
	}
	requests := &list{name: "access requests", path: tenants + "/v1/access/requests", filters: []string{"status=pending", "status=approved", "principal=nobody", "project=nothing"}}
	requests.fill = func(ctx context.Context, n int) error {
		id, err := b.made(ctx, tenants+"/v1/access/requests", object{"role": "viewer", "reason": "Request " + marker})
		if err != nil {
			return err
		}
		return b.spread(ctx, id, "access_requests", "principal_id", n)
	}
	reviews := &list{name: "access reviews", path: tenants + "/v1/access/reviews", filters: []string{"status=running", "status=closed", "waiting=true"}}
	items := &list{
		name: "items of a review", fill: func(context.Context, int) error { return nil },
		filters: []string{"decision=undecided", "decision=keep", "outcome=revoked", "role=auditor", "role=owner", "principal=nobody"},
	}
	reviews.fill = func(ctx context.Context, n int) error {
		// Of the owners: of one grant, which is copied, and then the review as well.
		id, err := b.made(ctx, tenants+"/v1/access/reviews", object{
			"name": "Review " + marker, "scope": object{"kind": "role", "id": "owner"}, "undecided": "keep",
			"deadline": time.Now().Add(14 * 24 * time.Hour).UTC().Format(time.RFC3339),
		})
		if err != nil {
			return err
		}
		row, err := b.one(ctx, "access_review_items", "review_id", id)
		if err != nil {
			return err
		}
		users, err := b.ids(ctx, "users", n+1)
		if err != nil {
			return err
		}
		if err := b.copies(ctx, tenants, row, n, part{table: "access_review_items", column: "id", set: func(i int) object {
			return object{"principal_id": users[i], "grant_id": newID()}
		}}); err != nil {
			return err
		}
		items.path = tenants + "/v1/access/reviews/" + id + "/items"
		return b.copies(ctx, tenants, id, n, part{table: "access_reviews", column: "id"})
	}
	jobs := &list{
		name: "bulk jobs", path: tenants + "/v1/bulk-jobs", sorts: []string{"createdAt", "-createdAt"},
		filters: []string{"status=completed", "action=disable", "mine=true"},
	}
	rows := &list{
		name: "rows of a bulk job", fill: func(context.Context, int) error { return nil }, filters: []string{"outcome=done", "outcome=refused", "outcome=pending"},
	}
	jobs.fill = func(ctx context.Context, n int) error {
		users, err := b.ids(ctx, "users", 1)
		if err != nil {
			return err
		}
		id, err := b.made(ctx, tenants+"/v1/bulk-jobs", object{"action": "disable", "users": users})
		if err != nil {
			return err
		}
		// Ended, so that the copies are not worked on; then one row is copied, and the job.
		if _, err := b.send(ctx, http.MethodPost, tenants+"/v1/bulk-jobs/"+id+"/cancel", nil); err != nil {
			return err
		}
		row, err := b.one(ctx, "bulk_job_rows", "job_id", id)
		if err != nil {
			return err
		}
		if err := b.copies(ctx, tenants, row, n, part{table: "bulk_job_rows", column: "id", set: func(i int) object {
			return object{"turn": i + 2, "outcome": []string{"done", "refused", "unchanged"}[i%3]}
		}}); err != nil {
			return err
		}
		rows.path = tenants + "/v1/bulk-jobs/" + id + "/rows"
		return b.copies(ctx, tenants, id, n, part{table: "bulk_jobs", column: "id"})
	}
	return []*list{groups, members, ofGroup, holders, boundaries, requests, reviews, items, jobs, rows}
}

// settingLists are the other lists of the tenant and auth consoles.
func (b *bench) settingLists() []*list {
	copied := func(path string, body object, table string) func(context.Context, int) error {
		return func(ctx context.Context, n int) error {
			id, err := b.made(ctx, tenants+"/v1/"+path, body)
			if err != nil {
				return err
			}
			return b.copies(ctx, tenants, id, n, part{table: table, column: "id"})
		}
	}
	clients := &list{
		name: "clients", path: tenants + "/v1/oauth/clients", search: true, sorts: []string{"name", "-name", "createdAt", "-createdAt"},
	}
	clients.fill = func(ctx context.Context, n int) error {
		o, err := b.send(ctx, http.MethodPost, tenants+"/v1/oauth/clients", object{"name": "Client " + marker, "grantTypes": []string{"client_credentials"}})
		if err != nil {
			return err
		}
		id, err := text(o, "client", "id")
		if err != nil {
			return err
		}
		return b.copies(ctx, tenants, id, n, part{table: "oauth_clients", column: "id"}, part{table: "oauth_client_secrets", column: "client_id"})
	}
	consents := &list{name: "consents", path: tenants + "/v1/oauth/consents"}
	consents.fill = func(ctx context.Context, n int) error {
		users, err := b.ids(ctx, "users", 1)
		if err != nil {
			return err
		}
		client, err := b.first(ctx, tenants+"/v1/oauth/clients?q="+marker)
		if err != nil {
			return err
		}
		s, err := b.open(ctx, tenants)
		if err != nil {
			return err
		}
		var org string
		if err := s.db.Unscoped(ctx, everything).Table("users").Select("organization_id").Where("id = ?", users[0]).Scan(&org).Error; err != nil {
			return err
		}
		// Given in a browser, in many steps: the row alone is made.
		id, now := newID(), time.Now().UTC()
		if err := s.db.Unscoped(ctx, everything).Table("oauth_consents").Create(object{
			"id": id, "organization_id": org, "user_id": users[0], "client_id": client, "scopes": `["openid","profile"]`,
			"version": 1, "created_at": now, "created_by": users[0], "updated_at": now,
		}).Error; err != nil {
			return err
		}
		return b.spread(ctx, id, "oauth_consents", "user_id", n)
	}
	deliveries := &list{name: "deliveries of a webhook", filters: []string{"state=dead", "state=delivered", "event=webhook.test"}}
	deliveries.fill = func(ctx context.Context, n int) error {
		o, err := b.send(ctx, http.MethodPost, tenants+"/v1/webhooks", object{"name": "Webhook", "address": "http://127.0.0.1:9/", "events": []string{"sign-in.refused"}})
		if err != nil {
			return err
		}
		id, err := text(o, "webhook", "id")
		if err != nil {
			return err
		}
		deliveries.path = tenants + "/v1/webhooks/" + id + "/deliveries"
		if _, err := b.send(ctx, http.MethodPost, tenants+"/v1/webhooks/"+id+"/test", nil); err != nil {
			return err
		}
		row, err := b.one(ctx, "webhook_deliveries", "webhook_id", id)
		if err != nil {
			return err
		}
		return b.copies(ctx, tenants, row, n, part{table: "webhook_deliveries", column: "id"})
	}
	messages := &list{name: "messages", path: tenants + "/v1/mail/messages", filters: []string{"state=sent", "state=dead"}}
	messages.fill = func(ctx context.Context, n int) error {
		if _, err := b.send(ctx, http.MethodPut, tenants+"/v1/mail/settings", object{
			"host": "127.0.0.1", "port": 9, "security": "none", "fromAddress": "gatehouse@example.com",
		}, "If-Match", "*"); err != nil {
			return err
		}
		if _, err := b.send(ctx, http.MethodPost, tenants+"/v1/invitations", object{"email": "m-" + marker + "@example.com", "roles": []object{{"role": "auditor"}}}); err != nil {
			return err
		}
		row, err := b.first(ctx, tenants+"/v1/mail/messages")
		if err != nil {
			return err
		}
		// Sent, or the server that is not there would be tried for each.
		return b.copies(ctx, tenants, row, n, part{table: "mail_messages", column: "id", set: func(int) object { return object{"state": "sent"} }})
	}
	domains := &list{
		name: "domains", path: tenants + "/v1/domains", search: true, sorts: []string{"domain", "-domain", "createdAt", "-createdAt"},
		filters: []string{"status=pending", "status=verified"}, fill: copied("domains", object{"domain": marker + ".example.com"}, "domains"),
	}
	everybodys := &list{
		name: "domains of all organizations", path: tenants + "/v1/platform/domains", search: true, filters: []string{"status=pending"},
		fill: func(context.Context, int) error { return nil }, // they are the same
	}
	// Last, since each has an owner who is invited.
	organizations := &list{
		name: "organizations", path: tenants + "/v1/organizations", search: true, sorts: []string{"name", "-name", "slug", "-slug", "createdAt", "-createdAt"},
		filters: []string{"suspended=true", "suspended=false", "deleted=true"},
	}
	organizations.fill = func(ctx context.Context, n int) error {
		o, err := b.send(ctx, http.MethodPost, tenants+"/v1/organizations", object{"slug": "org-" + marker, "name": "Organization " + marker, "ownerEmail": "owner@example.com"})
		if err != nil {
			return err
		}
		id, err := text(o, "organization", "id")
		if err != nil {
			return err
		}
		return b.copies(ctx, tenants, id, n, part{table: "organizations", column: "id"})
	}
	return []*list{clients, consents, deliveries, messages, domains, everybodys, organizations}
}
