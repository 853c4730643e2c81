//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	documents "github.com/gatehouse/gatehouse/services/internal/operations"
)

// measured names the list of this benchmark for every list of the suite that is
// read by the page; what begins with "-" says why there is none.
var measured = map[string]string{
	"analysis-manager /records":                                 "records",
	"devportal-backend /applications":                           "applications",
	"devportal-backend /applications/{application}/credentials": "- an application has a few",
	"devportal-backend /catalogue":                              "catalogue",
	"devportal-backend /subscriptions":                          "subscriptions",
	"gateway-manager /apis":                                     "APIs",
	"gateway-manager /apis/{id}/revisions":                      "revisions",
	"gateway-manager /deployments":                              "deployments",
	"gateway-manager /environments":                             "environments",
	"gateway-manager /gateway-groups":                           "gateway groups",
	"gateway-manager /gateways":                                 "gateways",
	"gateway-manager /projects":                                 "projects",
	"policy-manager /policy-sets":                               "policy sets",
	"policy-manager /policy-sets/{policySet}/versions":          "- a set has a few",
	"tenant-manager /access/effective/{id}":                     "effective access",
	"tenant-manager /access/requests":                           "access requests",
	"tenant-manager /access/reviews":                            "access reviews",
	"tenant-manager /access/reviews/{id}/items":                 "items of a review",
	"tenant-manager /access/who-can":                            "who can",
	"tenant-manager /audit":                                     "audit trail",
	"tenant-manager /boundaries":                                "boundaries",
	"tenant-manager /bulk-jobs":                                 "bulk jobs",
	"tenant-manager /bulk-jobs/{id}/rows":                       "rows of a bulk job",
	"tenant-manager /domains":                                   "domains",
	"tenant-manager /grants":                                    "grants",
	"tenant-manager /groups":                                    "groups",
	"tenant-manager /groups/{id}/members":                       "group members",
	"tenant-manager /invitations":                               "invitations",
	"tenant-manager /mail/messages":                             "messages",
	"tenant-manager /scim/directories/{id}/outcomes":            "- the newest 2,000 of a directory are kept",
	"tenant-manager /me/consents":                               "- a person gives a few",
	"tenant-manager /oauth/clients":                             "clients",
	"tenant-manager /oauth/consents":                            "consents",
	"tenant-manager /organizations":                             "organizations",
	"tenant-manager /platform/domains":                          "domains of all organizations",
	"tenant-manager /roles":                                     "roles",
	"tenant-manager /roles/{id}/holders":                        "holders of a role",
	"tenant-manager /service-accounts":                          "service accounts",
	"tenant-manager /system/licences":                           "- they are in the program, some hundred",
	"tenant-manager /users":                                     "users",
	"tenant-manager /webhooks/{id}/deliveries":                  "deliveries of a webhook",
}

// unfiltered says why a filter of a list is not measured.
var unfiltered = map[string]string{
	"effective access environmentSlug": "it says more of the environment, and finds nothing by itself",
	"users group":                      "users of a group are a list of their own",
	"users of a group group":           "it is what the list is of",
}

// A list that is added is measured, or it is said why not; and so is each way of
// narrowing it.
func TestEveryListIsMeasured(t *testing.T) {
	t.Parallel()
	lists := map[string]*list{}
	b := &bench{rows: 1}
	for _, l := range b.every(&suite{}, "p", "e", "a", "l") {
		lists[l.name] = l
	}
	all, err := documents.Every("..")
	require.NoError(t, err)
	var found []string
	for _, o := range all {
		if !o.Paged() {
			continue
		}
		at := o.Service + " " + o.Path
		found = append(found, at)
		name := measured[at]
		require.NotEmpty(t, name, "%s is read by the page and not measured: add it to the lists", at)
		if strings.HasPrefix(name, "-") {
			continue
		}
		l := lists[name]
		require.NotNil(t, l, "%s: there is no list %q", at, name)
		for _, p := range o.Spec.Parameters {
			switch p := p.Value; {
			case p.In != "query" || p.Name == "cursor" || p.Name == "limit" || unfiltered[name+" "+p.Name] != "":
			case p.Name == "q":
				require.True(t, l.search, "%s: search is not measured", at)
			case p.Name == "sort":
				for _, order := range p.Schema.Value.Enum {
					if !slices.Contains(l.sorts, order.(string)) {
						t.Errorf("%s: the order %s is not measured", at, order)
					}
				}
			case strings.Contains(l.path, p.Name+"="):
			default:
				by := func(f string) bool { return strings.HasPrefix(f, p.Name+"=") || strings.Contains(f, "&"+p.Name+"=") }
				if !slices.ContainsFunc(l.filters, by) {
					t.Errorf("%s: narrowed by %s is not measured", at, p.Name)
				}
			}
		}
	}
	for at := range measured {
		require.Contains(t, found, at, "there is no such list any more")
	}
}

func TestWhatIsNotThereIsNotMeasured(t *testing.T) {
	all := []*list{{name: "who can"}, {name: "users"}}
	require.NoError(t, (&bench{only: []string{"who-can", "users", "fleet"}}).knows(all))
	require.ErrorContains(t, (&bench{only: []string{"users", "hwo-can"}}).knows(all), `"hwo-can"; there are fleet, provisioning, who-can, users`)
}
