//go:build linux

package main

import (
	"net/http"
	"os"
	"path/filepath"
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
	"tenant-manager /access/effective/{id}":                     "- it is as long as what one person holds",
	"tenant-manager /access/requests":                           "access requests",
	"tenant-manager /access/reviews":                            "access reviews",
	"tenant-manager /access/reviews/{id}/items":                 "items of a review",
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

// A list that is added is measured, or it is said why not.
func TestEveryListIsMeasured(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		sources.Write(b)
	}
	all, err := documents.Every("..")
	require.NoError(t, err)
	var found []string
	for _, o := range all {
		if o.Method == http.MethodGet && o.Paged() {
			found = append(found, o.Service+" "+o.Path)
		}
	}
	for _, f := range found {
		list := measured[f]
		require.NotEmpty(t, list, "%s is read by the page and not measured: add it to the lists", f)
		if !strings.HasPrefix(list, "-") {
			require.Contains(t, sources.String(), `name: "`+list+`"`, "%s", f)
		}
	}
	for f := range measured {
		require.Contains(t, found, f, "there is no such list any more")
	}
}
