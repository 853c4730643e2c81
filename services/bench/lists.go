//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// manyUsers is how many times as many users, and grants, there are as of all else.
const manyUsers = 10

// manyEntries is how many times as many entries the audit trail has.
const manyEntries = 100

// seeds returns every list, and how it is filled. Some things of one are used by
// others: they are made here.
func (b *bench) seeds(ctx context.Context, s *suite) ([]*list, error) {
	project, err := b.first(ctx, "gateway-manager/v1/projects")
	if err != nil {
		return nil, err
	}
	environment, err := b.first(ctx, "gateway-manager/v1/environments")
	if err != nil {
		return nil, err
	}
	api, err := b.deployed(ctx, project, environment)
	if err != nil {
		return nil, err
	}
	large, err := b.first(ctx, "gateway-manager/v1/apis?q=large-0")
	if err != nil {
		return nil, err
	}
	return b.every(s, project, environment, api, large), nil
}

// every returns every list, in the order in which they are filled.
func (b *bench) every(s *suite, project, environment, api, large string) []*list {
	return slices.Concat(
		b.tenantLists(project, environment, api), b.accessLists(project, environment, api), b.gatewayLists(project, environment, api, large), b.otherLists(s, api),
		b.identityLists(), b.settingLists(),
	)
}

// deployed makes an API that is deployed and published, with a plan.
func (b *bench) deployed(ctx context.Context, project, environment string) (string, error) {
	api, err := b.made(ctx, "gateway-manager/v1/apis", object{
		"project": project, "slug": "api-" + marker, "name": "API " + marker, "basePath": "/api-" + marker,
		"upstreams": []object{{"targets": []object{{"url": "http://127.0.0.1:9"}}}},
	})
	if err != nil {
		return "", err
	}
	plan, err := b.made(ctx, "policy-manager/v1/apis/"+api+"/plans", object{
		"slug": "plan-" + marker, "name": "Plan " + marker, "security": object{"type": "api-key"}, "approval": "automatic",
	})
	if err != nil {
		return "", err
	}
	anyVersion := []string{"If-Match", "*"}
	if _, err := b.send(ctx, http.MethodPost, "policy-manager/v1/plans/"+plan+"/publish", nil, anyVersion...); err != nil {
		return "", err
	}
	if _, err := b.send(ctx, http.MethodPost, "gateway-manager/v1/apis/"+api+"/deployments", object{"environment": environment}); err != nil {
		return "", err
	}
	if _, err := b.send(ctx, http.MethodPost, "gateway-manager/v1/apis/"+api+"/publish", nil, anyVersion...); err != nil {
		return "", err
	}
	// The portal hears of it a little later; an application subscribes to it.
	var last error
	for range 200 {
		if _, last = b.send(ctx, http.MethodPost, "devportal-backend/v1/subscriptions", object{
			"plan": plan, "newApplication": object{"name": "Application " + marker}, "createKey": true,
		}); last == nil {
			return api, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	return "", last
}

func (b *bench) tenantLists(project, environment, api string) []*list {
	const at = "tenant-manager"
	copied := func(path string, body object, parts ...part) func(context.Context, int) error {
		return func(ctx context.Context, n int) error {
			id, err := b.made(ctx, at+"/v1/"+path, body)
			if err != nil {
				return err
			}
			return b.copies(ctx, at, id, n, parts...)
		}
	}
	return []*list{
		{
			name: "users", path: at + "/v1/users", rows: manyUsers * b.rows, search: true,
			sorts: []string{"name", "-name", "email", "-email", "createdAt", "-createdAt", "lastSignInAt", "-lastSignInAt"}, filters: []string{
				"status=active", "status=disabled", "source=local", "source=sso", "source=scim", "secondFactor=false", "secondFactor=true", "neverSignedIn=true",
				"signedInBefore=2020-01-01T00:00:00Z", "role=auditor", "role=owner", "role=auditor&secondFactor=true",
			},
			fill: func(ctx context.Context, n int) error {
				o, err := b.send(ctx, http.MethodPost, at+"/v1/invitations", object{"email": marker + "@example.com", "roles": []object{{"role": "auditor"}}})
				if err != nil {
					return err
				}
				token, err := text(o, "token")
				if err != nil {
					return err
				}
				if _, err := b.send(ctx, http.MethodPost, at+"/v1/invitations/by-token/"+token+"/accept", object{"name": "User " + marker, "password": "correct horse battery staple"}); err != nil {
					return err
				}
				id, err := b.first(ctx, at+"/v1/users?q="+marker)
				if err != nil {
					return err
				}
				return b.copies(ctx, at, id, n, part{table: "users", column: "id"}, part{table: "grants", column: "principal_id", set: func(i int) object {
					switch i % 10 { // three in ten have the role in a part of the organization
					case 7:
						return object{"project_id": project}
					case 8:
						return object{"project_id": project, "api_id": api}
					case 9:
						return object{"environment_id": environment}
					}
					return nil
				}})
			},
		},
		{
			// They were filled with the users.
			name: "grants", path: at + "/v1/grants", rows: manyUsers * b.rows, filters: []string{
				"role=owner", "role=auditor", "project=" + project, "api=" + api, "api=none", "environment=" + environment, "environment=none",
				"project=" + project + "&api=" + api, "api=" + api + "&role=auditor", "environment=" + environment + "&role=owner", "api=" + api + "&environment=" + environment,
				"effect=deny", "effect=allow", "standing=true", "standing=true&role=auditor", "principal=nobody",
			},
			fill: func(context.Context, int) error { return nil },
		},
		{
			name: "service accounts", path: at + "/v1/service-accounts", search: true, sorts: []string{"name", "-name", "createdAt", "-createdAt"},
			fill: copied("service-accounts", object{"name": "account-" + marker}, part{table: "service_accounts", column: "id"}),
		},
		{
			name: "invitations", path: at + "/v1/invitations", search: true, filters: []string{"status=pending", "status=accepted", "status=expired"},
			fill: copied("invitations", object{"email": "i-" + marker + "@example.com", "name": "Invited " + marker, "roles": []object{{"role": "auditor"}}}, part{table: "invitations", column: "id"}),
		},
		{
			name: "audit trail", path: at + "/v1/audit", rows: manyEntries * b.rows, search: true, hit: number(1), most: "x0",
			filters: []string{"impersonator=nobody", "to=2020-01-01T00:00:00Z", "action=user.*", "action=api.created", "outcome=done", "outcome=refused", "service=gateway-manager", "actor=nobody", "actor=actor-7", "target=nothing", "from=2020-01-01T00:00:00Z", "via=console", "action=user.*&outcome=refused", "service=gateway-manager&outcome=refused", "actor=actor-7&action=user.updated"},
			fill:    b.fillAudit,
		},
		{
			name: "roles", path: at + "/v1/roles",
			fill: copied("roles", object{"name": "role-" + marker, "title": "Role " + marker, "permissions": []string{"api:read"}}, part{table: "roles", column: "id"}),
		},
	}
}

// fillAudit copies the newest entry of the trail to its end.
func (b *bench) fillAudit(ctx context.Context, n int) error {
	s, err := b.open(ctx, "tenant-manager")
	if err != nil {
		return err
	}
	var last struct {
		ID, OrganizationID string
		Sequence           int
	}
	if err := s.db.Unscoped(ctx, everything).Table("audit_entries").Order("sequence DESC").Limit(1).Scan(&last).Error; err != nil {
		return err
	}
	// Room first: others may be writing.
	room := s.db.Unscoped(ctx, everything).Exec("UPDATE audit_heads SET sequence = sequence + ? WHERE organization_id = ?", n+1_000, last.OrganizationID)
	if room.Error != nil {
		return room.Error
	}
	// A year of what happens, most of it sign-ins, and some of it refused.
	actions, services := []string{"user.signed-in", "user.signed-in", "user.updated", "api.updated", "deployment.created"}, []string{"tenant-manager", "tenant-manager", "tenant-manager", "gateway-manager", "gateway-manager"}
	year := time.Now().UTC().Add(-365 * 24 * time.Hour)
	return b.copies(ctx, "tenant-manager", last.ID, n, part{
		table: "audit_entries", column: "id", set: func(i int) object {
			kind, actor, outcome := i%len(actions), fmt.Sprintf("actor-%d", i%1_000), "done"
			if i%50 == 0 {
				outcome = "refused"
			}
			return object{
				"sequence": last.Sequence + 500 + i, "action": actions[kind], "service": services[kind], "outcome": outcome, "actor_id": actor,
				"time":        year.Add(time.Duration(float64(365*24*time.Hour) * float64(i) / float64(n))),
				"search_text": fmt.Sprintf("user %s %s thing %s %s 192.0.2.%d", actor, actions[kind], number(i), newID(), i%250),
			}
		},
	})
}

func (b *bench) gatewayLists(project, environment, api, large string) []*list {
	const at = "gateway-manager"
	copied := func(path string, body object, parts ...part) func(context.Context, int) error {
		return func(ctx context.Context, n int) error {
			id, err := b.made(ctx, at+"/v1/"+path, body)
			if err != nil {
				return err
			}
			return b.copies(ctx, at, id, n, parts...)
		}
	}
	sorts := []string{"name", "-name", "slug", "createdAt", "-createdAt", "-updatedAt"}
	return []*list{
		{
			name: "APIs", path: at + "/v1/apis", search: true, sorts: sorts,
			filters: []string{"project=" + project, "status=published", "status=unpublished", "status=deprecated", "status=deployed", "status=undeployed"},
			fill: func(ctx context.Context, n int) error {
				return b.copies(ctx, at, api, n, part{table: "apis", column: "id"}, part{table: "api_operations", column: "id"},
					part{table: "deployed", column: "api_id"}, part{table: "routes", column: "api_id"})
			},
		},
		{
			name: "revisions", path: at + "/v1/apis/" + api + "/revisions",
			fill: func(ctx context.Context, n int) error {
				s, err := b.open(ctx, at)
				if err != nil {
					return err
				}
				var id string
				if err := s.db.Unscoped(ctx, everything).Table("revisions").Select("id").Where("api_id = ? AND number = 1", api).Scan(&id).Error; err != nil {
					return err
				}
				return b.copies(ctx, at, id, n, part{table: "revisions", column: "id", set: func(i int) object { return object{"number": 1_000 + i} }})
			},
		},
		{
			name: "deployments", path: at + "/v1/deployments",
			filters: []string{"api=" + api, "environment=" + environment, "api=" + api + "&environment=" + environment, "state=live", "state=failed"},
			fill: func(ctx context.Context, n int) error {
				id, err := b.first(ctx, at+"/v1/deployments")
				if err != nil {
					return err
				}
				return b.copies(ctx, at, id, n, part{table: "deployments", column: "id"}, part{table: "deployment_groups", column: "deployment_id"})
			},
		},
		{
			// As many as a large document has.
			name: "operations", path: at + "/v1/apis/" + large + "/operations", rows: 500, search: true, hit: "things-499", all: true,
			fill: func(context.Context, int) error { return nil },
		},
		{
			name: "projects", path: at + "/v1/projects", search: true, sorts: sorts,
			fill: copied("projects", object{"slug": "project-" + marker, "name": "Project " + marker}, part{table: "projects", column: "id"}),
		},
		{
			name: "gateways", path: at + "/v1/gateways", search: true, sorts: []string{"name", "-name", "-createdAt"},
			filters: []string{"state=healthy", "state=stale", "state=lost", "state=offline", "group=nothing"},
			fill: func(ctx context.Context, n int) error {
				id, err := b.first(ctx, at+"/v1/gateways")
				if err != nil {
					return err
				}
				return b.copies(ctx, at, id, n, part{table: "gateways", column: "id", set: func(i int) object {
					// Stopped, or thousands would be missed at once.
					return object{"name": "gateway-" + number(i), "search_text": "gateway-" + number(i), "stopped": true, "announced": "offline"}
				}})
			},
		},
		{
			name: "gateway groups", path: at + "/v1/gateway-groups", search: true, sorts: sorts, filters: []string{"environment=" + environment},
			fill: func(ctx context.Context, n int) error {
				// They wait to be published, as if each had just been made.
				p := part{table: "gateway_groups", column: "id", set: func(int) object {
					return object{"manifest_version": 0, "published_at": nil, "wanted": 1, "done": 0}
				}}
				body := object{"slug": "group-" + marker, "name": "Group " + marker, "environment": environment}
				return errors.Join(copied("gateway-groups", body, p)(ctx, n), b.published(ctx))
			},
		},
		{
			name: "environments", path: at + "/v1/environments", search: true, sorts: []string{"order", "name", "slug", "-createdAt"},
			fill: copied("environments", object{"slug": "stage-" + marker, "name": "Stage " + marker}, part{table: "environments", column: "id"}),
		},
	}
}

func (b *bench) otherLists(s *suite, api string) []*list {
	return []*list{
		{
			name: "plans", path: "policy-manager/v1/apis/" + api + "/plans", all: true,
			fill: func(ctx context.Context, n int) error {
				id, err := b.first(ctx, "policy-manager/v1/apis/"+api+"/plans")
				if err != nil {
					return err
				}
				// Of as many other APIs: an API has some plans, not thousands.
				return b.copies(ctx, "policy-manager", id, n, part{table: "plans", column: "id", set: func(int) object { return object{"api_id": newID()} }})
			},
		},
		{
			name: "policy sets", path: "policy-manager/v1/policy-sets", search: true,
			sorts: []string{"name", "-name", "createdAt", "-createdAt", "updatedAt", "-updatedAt"},
			fill: func(ctx context.Context, n int) error {
				id, err := b.made(ctx, "policy-manager/v1/policy-sets", object{"slug": "set-" + marker, "name": "Set " + marker, "policies": []object{}})
				if err != nil {
					return err
				}
				return b.copies(ctx, "policy-manager", id, n, part{table: "policy_sets", column: "id"}, part{table: "policy_set_versions", column: "policy_set_id"})
			},
		},
		{
			name: "catalogue", path: "devportal-backend/v1/catalogue", search: true, sorts: []string{"name", "-name", "-createdAt", "-updatedAt"}, filters: []string{"organization=default"},
			fill: func(ctx context.Context, n int) error {
				return b.copies(ctx, "devportal-backend", api, n, part{table: "catalogue_apis", column: "id"}, part{table: "catalogue_operations", column: "api_id"})
			},
		},
		{
			name: "applications", path: "devportal-backend/v1/applications?all=true", search: true, sorts: []string{"name", "-name", "createdAt", "-createdAt"},
			fill: func(ctx context.Context, n int) error {
				id, err := b.first(ctx, "devportal-backend/v1/applications")
				if err != nil {
					return err
				}
				return b.copies(ctx, "devportal-backend", id, n, part{table: "applications", column: "id"},
					part{table: "subscriptions", column: "application_id"}, part{table: "credentials", column: "application_id"})
			},
		},
		{
			name: "own applications", path: "devportal-backend/v1/applications", search: true, sorts: []string{"name", "-name", "createdAt", "-createdAt"},
			fill: func(context.Context, int) error { return nil }, // they are the same
		},
		{
			name: "subscriptions", path: "devportal-backend/v1/subscriptions?all=true", sorts: []string{"-createdAt", "createdAt", "-updatedAt", "status"},
			filters: []string{"api=" + api, "status=active", "status=pending", "api=" + api + "&status=active", "application=nothing", "plan=nothing"},
			fill:    func(context.Context, int) error { return nil }, // with the applications
		},
		{
			name: "own subscriptions", path: "devportal-backend/v1/subscriptions", sorts: []string{"-createdAt", "createdAt", "-updatedAt", "status"},
			filters: []string{"api=" + api, "status=active", "status=pending", "api=" + api + "&status=active", "application=nothing", "plan=nothing"},
			fill:    func(context.Context, int) error { return nil },
		},
		{
			name: "records", path: "analysis-manager/v1/records", search: true, hit: fmt.Sprintf("nothing/%d", b.rows/2), most: "nothing",
			filters: []string{
				"status=404", "statusClass=4xx", "statusClass=5xx", "method=GET", "method=POST", "pathPrefix=/nothing/1", "errorCode=no-route", "minDuration=1000",
				"from=2020-01-01T00:00:00Z", "to=2020-01-01T00:00:00Z", "api=" + api, "environment=" + newID(), "project=" + newID(), "application=" + newID(), "plan=" + newID(),
				"operation=nothing", "gateway=nothing", "requestId=" + newID(),
			},
			fill: func(ctx context.Context, n int) error {
				if err := each(n, func(i int) error {
					r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/nothing/%d", s.ready.Traffic, i), nil)
					if err != nil {
						return err
					}
					resp, err := client.Do(r)
					if err != nil {
						return err
					}
					return resp.Body.Close()
				}); err != nil {
					return err
				}
				return b.counted(ctx, n)
			},
		},
	}
}
