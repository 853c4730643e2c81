package tenantmanager_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// However somebody comes in, nobody does who is one too many.
func TestAFullOrganizationTakesNobodyIn(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	d := s.w.directory(t, s.vars["owner"], "People", "acme.example")
	s.w.expect(t, "directory", "domain.claimed", "scim-directory.created", "scim-directory.token-created")
	s.run(t, []step{
		{name: "not by themselves", as: "eve", method: "PATCH", path: "/organizations/{org}", body: `{"quotas":{"users":9}}`, header: anyVersion, status: 403},
		{name: "not less than nothing", as: "owner", method: "PATCH", path: "/organizations/{org}", body: `{"quotas":{"users":-1}}`, header: anyVersion, status: 422, has: []string{`"pointer":"/quotas/users"`}},
		{name: "nor of something else", as: "owner", method: "PATCH", path: "/organizations/{org}", body: `{"quotas":{"cats":1}}`, header: anyVersion, status: 422},
		{
			name: "limited", as: "owner", method: "PATCH", path: "/organizations/{org}", body: `{"quotas":{"users":4,"serviceAccounts":0,"apis":5}}`, header: anyVersion, status: 200,
			has: []string{`"quotas":{"apis":5,"serviceAccounts":0,"users":4}`}, events: []string{"organization-changed", "organization.limited"},
		},
		{name: "one is left", as: "eve", method: "GET", path: "/organization/usage", status: 200, has: []string{
			`{"limit":4,"resource":"users","used":3}`, `{"limit":0,"resource":"serviceAccounts","used":0}`, `{"limit":5,"resource":"apis"}`, `{"resource":"policySets"}`,
		}},
		{name: "the platform sees it", as: "owner", method: "GET", path: "/organizations/{org}/usage", status: 200, has: []string{`{"limit":4,"resource":"users","used":3}`}},
		{name: "no program", as: "eve", method: "POST", path: "/service-accounts", body: `{"name":"CI"}`, status: 409, has: []string{`"code":"organization-full"`, "0 service accounts and has 0"}},
		{name: "a fourth", as: "eve", method: "POST", path: "/invitations", body: `{"email":"dan@example.com","roles":[{"role":"viewer"}]}`, status: 201, keep: map[string]string{"dan": "token"}, events: []string{"invitation.created"}},
		{name: "or another", as: "eve", method: "POST", path: "/invitations", body: `{"email":"fay@example.com","roles":[{"role":"viewer"}]}`, status: 201, keep: map[string]string{"fay": "token"}, events: []string{"invitation.created"}},
		{name: "who is faster", method: "POST", path: "/invitations/by-token/{dan}/accept", body: `{"name":"Dan","password":"{good}"}`, status: 200, events: []string{"invitation.accepted", "user.signed-in", "access-changed"}},
		{
			name: "who is not", method: "POST", path: "/invitations/by-token/{fay}/accept", body: `{"name":"Fay","password":"{good}"}`, status: 409,
			has: []string{`"code":"organization-full"`, "4 users and has 4", "administrator of the platform"},
		},
		{name: "nobody is invited", as: "eve", method: "POST", path: "/invitations", body: `{"email":"gus@example.com","roles":[{"role":"viewer"}]}`, status: 409, has: []string{`"code":"organization-full"`}},
	})
	require.Contains(t, d.fails(409, "", "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"hal@acme.example"}`), "4 users and has 4")
	s.w.expect(t, "told", "scim-directory.change refused")
	s.run(t, []step{
		{name: "nobody is half there", as: "eve", method: "GET", path: "/users?q=hal", status: 200, has: []string{`"items":[]`}},
		{name: "nor there", as: "eve", method: "GET", path: "/users?q=fay", status: 200, has: []string{`"items":[]`}},
		{
			name: "no limit", as: "owner", method: "PATCH", path: "/organizations/{org}", body: `{"quotas":{"users":null}}`, header: anyVersion, status: 200,
			has: []string{`"quotas":{"apis":5,"serviceAccounts":0}`}, events: []string{"organization-changed", "organization.limited"},
		},
		{name: "then so", method: "POST", path: "/invitations/by-token/{fay}/accept", body: `{"name":"Fay","password":"{good}"}`, status: 200, events: []string{"invitation.accepted", "user.signed-in", "access-changed"}},
	})
	list, err := bus.Ask(t.Context(), s.w.other, tenant.Organizations{IDs: []string{s.vars["org"]}})
	require.NoError(t, err)
	require.Equal(t, tenant.Quotas{tenant.ResourceAPIs: 5, tenant.ResourceServiceAccounts: 0}, list.Organizations[0].Quotas)
	require.Positive(t, list.Organizations[0].Version)
}

func TestAFullOrganizationTakesNobodyInFromAProvider(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve"}})
	w, owner := ssoWorld(t)
	w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}})
	id := w.call(t, owner, "GET", "/organization", "").text(t, "id")
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/organizations/"+id, `{"quotas":{"users":1}}`, anyVersion...).status)
	a := w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 409, a.status, a.body)
	require.Contains(t, a.body, `"code":"organization-full"`)
	require.Contains(t, w.call(t, owner, "GET", "/users?q=eve", "").body, `"items":[]`)
	require.Eventually(t, func() bool {
		return strings.Contains(w.call(t, owner, "GET", "/audit?action=sso-connection.sign-in", "").body, "1 users and has 1")
	}, 5*time.Second, 20*time.Millisecond)
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/organizations/"+id, `{"quotas":{"users":2}}`, anyVersion...).status)
	a = w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 200, a.status, a.body)
}

// owners answers for the services that own what is exported.
func (s *scenario) owners(t *testing.T) {
	t.Helper()
	for _, name := range []string{gateway.Service, policy.Service, portal.Service, analysis.Service} {
		b, err := bus.Connect(s.w.nats.For(name))
		require.NoError(t, err)
		t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
		answer := func(p tenant.Portion) (tenant.Exported, error) {
			switch {
			case p.Organization == "":
				return tenant.Exported{}, problem.New(problem.CodeInvalidInput, "of whom?")
			case name == policy.Service:
				return tenant.Exported{}, nil
			case p.Cursor == "": // a row that is cut in two
				return tenant.Exported{Kind: "things", Rows: []byte(`{"of":"` + name), Next: "2"}, nil
			}
			return tenant.Exported{Kind: "things", Rows: []byte("\"}\n{}\n")}, nil
		}
		switch name {
		case gateway.Service:
			err = bus.Answer(b, func(_ context.Context, e gateway.Export) (tenant.Exported, error) { return answer(e.Portion) })
			require.NoError(t, bus.Answer(b, func(context.Context, gateway.Holdings) (tenant.Counts, error) {
				return tenant.Counts{Counts: map[tenant.Resource]int64{tenant.ResourceAPIs: 7}, Served: 5}, nil
			}))
		case policy.Service:
			err = bus.Answer(b, func(_ context.Context, e policy.Export) (tenant.Exported, error) { return answer(e.Portion) })
		case portal.Service:
			err = bus.Answer(b, func(_ context.Context, e portal.Export) (tenant.Exported, error) { return answer(e.Portion) })
		case analysis.Service:
			err = bus.Answer(b, func(_ context.Context, e analysis.Export) (tenant.Exported, error) { return answer(e.Portion) })
		}
		require.NoError(t, err)
	}
}

// unzip returns the files of an archive.
func unzip(t *testing.T, a answer) map[string]string {
	t.Helper()
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "application/zip", a.header.Get("Content-Type"))
	z, err := zip.NewReader(strings.NewReader(a.body), int64(len(a.body)))
	require.NoError(t, err)
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		var b bytes.Buffer
		_, err = io.Copy(&b, r)
		require.NoError(t, err)
		out[f.Name] = b.String()
	}
	return out
}

// The whole way: deleted, restored, deleted again, exported, and gone for good.
func TestTheEndOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	s.run(t, []step{
		{
			name: "made", as: "owner", method: "POST", path: "/organizations", body: `{"slug":"big","name":"Big Co","ownerEmail":"big@example.com"}`, status: 201,
			keep: map[string]string{"big": "organization/id", "link": "token"}, events: []string{"organization-changed created by nobody", "organization.created", "organization.created"},
		},
		{
			name: "its owner", method: "POST", path: "/invitations/by-token/{link}/accept", body: `{"name":"Bo","password":"{good}"}`, status: 200,
			keep: map[string]string{"bo": "accessToken"}, events: []string{"invitation.accepted", "user.signed-in", "access-changed"},
		},
		{name: "a program", as: "bo", method: "POST", path: "/service-accounts", body: `{"name":"CI"}`, status: 201, keep: map[string]string{"ci": "id"}, events: []string{"service-account.created"}},
		{name: "its token", as: "bo", method: "POST", path: "/service-accounts/{ci}/tokens", body: `{"name":"t"}`, status: 201, keep: map[string]string{"ght": "token"}, events: []string{"service-account.token-created"}},
		{name: "an application", as: "bo", method: "POST", path: "/oauth/clients", body: `{"name":"Billing"}`, status: 201, keep: map[string]string{"clientSecret": "secret/secret"}, events: []string{"oauth-client.created"}},
		{name: "somebody who may not", as: "eve", method: "DELETE", path: "/organizations/{big}?slug=big", header: anyVersion, status: 403},
		{name: "nor its owner", as: "bo", method: "DELETE", path: "/organizations/{big}?slug=big", header: anyVersion, status: 403},
		{name: "the first one stays", as: "owner", method: "DELETE", path: "/organizations/{org}?slug=default", header: anyVersion, status: 409},
		{name: "not by mistake", as: "owner", method: "DELETE", path: "/organizations/{big}?slug=bug", header: anyVersion, status: 422, has: []string{`"pointer":"/slug"`}},
		{name: "not deleted yet", as: "owner", method: "POST", path: "/organizations/{big}/restore", header: anyVersion, status: 409},
		{name: "none", as: "owner", method: "DELETE", path: "/organizations/x?slug=x", header: anyVersion, status: 404},
		{name: "an export wants all services", as: "bo", method: "GET", path: "/organization/export", status: 503},
	})
	s.owners(t)
	s.run(t, []step{
		{
			name: "deleted", as: "owner", method: "DELETE", path: "/organizations/{big}?slug=big", header: anyVersion, status: 200, has: []string{`"suspended":true`, `"deletedAt":`}, keep: map[string]string{"purge": "purgeAt"},
			events: []string{"organization-changed", "access-changed all", "organization.deleted", "organization.deleted"},
		},
		{name: "once", as: "owner", method: "DELETE", path: "/organizations/{big}?slug=big", header: anyVersion, status: 409},
		{name: "among the deleted", as: "owner", method: "GET", path: "/organizations?deleted=true", status: 200, has: []string{`"slug":"big"`}, hasNot: []string{`"slug":"default"`}},
		{name: "and not among the others", as: "owner", method: "GET", path: "/organizations?deleted=false", status: 200, hasNot: []string{`"slug":"big"`}},
		{name: "its people are out", as: "bo", method: "GET", path: "/me", status: 401},
		{name: "and stay out", method: "POST", path: "/sign-in", body: `{"email":"big@example.com","password":"{good}"}`, status: 401, events: []string{"user.signed-in refused"}},
		{name: "nor is it resumed", as: "owner", method: "PATCH", path: "/organizations/{big}", body: `{"suspended":false}`, header: anyVersion, status: 409},
		{name: "what it has is still known", as: "owner", method: "GET", path: "/organizations/{big}/usage", status: 200, has: []string{`{"resource":"apis","used":7}`, `{"resource":"users","used":1}`, `"servedApis":5`}},
	})
	list, err := bus.Ask(t.Context(), s.w.other, tenant.Organizations{IDs: []string{s.vars["big"]}})
	require.NoError(t, err)
	require.True(t, list.Organizations[0].Deleted)
	require.True(t, list.Organizations[0].Suspended)
	s.run(t, []step{
		{
			name: "restored", as: "owner", method: "POST", path: "/organizations/{big}/restore", header: anyVersion, status: 200, has: []string{`"suspended":false`}, hasNot: []string{"purgeAt"},
			events: []string{"organization-changed", "access-changed all", "organization.restored", "organization.restored"},
		},
		{name: "back in", as: "bo", method: "GET", path: "/me", status: 200},
		{
			name: "suspended", as: "owner", method: "PATCH", path: "/organizations/{big}", body: `{"suspended":true}`, header: anyVersion, status: 200,
			events: []string{"organization-changed", "access-changed all", "organization.suspended", "organization.suspended"},
		},
		{name: "deleted again", as: "owner", method: "DELETE", path: "/organizations/{big}?slug=big", header: anyVersion, status: 200, events: []string{"organization-changed", "access-changed all", "organization.deleted", "organization.deleted"}},
		{
			name: "still suspended then", as: "owner", method: "POST", path: "/organizations/{big}/restore", header: anyVersion, status: 200, has: []string{`"suspended":true`},
			events: []string{"organization-changed", "access-changed all", "organization.restored", "organization.restored"},
		},
		{name: "for good", as: "owner", method: "DELETE", path: "/organizations/{big}?slug=big", header: anyVersion, status: 200, events: []string{"organization-changed", "access-changed all", "organization.deleted", "organization.deleted"}},
	})

	files := unzip(t, s.w.call(t, s.vars["owner"], "GET", "/organizations/"+s.vars["big"]+"/export", ""))
	s.w.expect(t, "exported", "organization.exported", "organization.exported")
	require.Contains(t, files["tenant-manager/users.ndjson"], `"email":"big@example.com"`)
	require.Contains(t, files["tenant-manager/oauth_clients.ndjson"], `"name":"Billing"`)
	require.Contains(t, files["tenant-manager/audit.ndjson"], `"organization.deleted"`)
	things := strings.Split(files["gateway-manager/things.ndjson"], "\n")
	require.Len(t, things, 3, "two lines, each with its end")
	require.JSONEq(t, `{"of":"gateway-manager"}`, things[0])
	require.Contains(t, files["manifest.json"], `"gateway-manager/things.ndjson": 2`)
	require.Contains(t, files["manifest.json"], `"slug": "big"`)
	for name, text := range files {
		for _, secret := range []string{s.vars["ght"], s.vars["clientSecret"], s.vars["link"], goodWord, "$argon2", "gh1.", "ada@example.com", "Acme"} {
			require.NotContains(t, text, secret, name)
		}
	}

	// What is left of it goes, and others are told; what was done is known.
	s.w.clock.Advance(7*24*time.Hour + time.Minute)
	s.vars["owner"] = s.w.signIn(t, "ada@example.com", "default")
	require.Eventually(t, func() bool {
		return s.w.call(t, s.vars["owner"], "GET", "/organizations/"+s.vars["big"], "").status == 404
	}, 10*time.Second, 50*time.Millisecond)
	list, err = bus.Ask(t.Context(), s.w.other, tenant.Organizations{IDs: []string{s.vars["big"], s.vars["org"]}})
	require.NoError(t, err)
	require.Equal(t, []tenant.Organization{{ID: s.vars["big"], Slug: "big"}}, list.Purged)
	require.Len(t, list.Organizations, 1)
	require.Eventually(t, func() bool {
		b := s.w.call(t, s.vars["owner"], "GET", "/audit?target="+s.vars["big"], "").body
		return strings.Contains(b, "organization.purged") && strings.Contains(b, "organization.deleted")
	}, 10*time.Second, 50*time.Millisecond)
	s.w.expect(t, "over", "user.signed-in", "organization-changed", "organization.purged")
	s.run(t, []step{
		{name: "too late", as: "owner", method: "POST", path: "/organizations/{big}/restore", header: anyVersion, status: 404},
		{name: "its slug is nobody's", as: "owner", method: "POST", path: "/organizations", body: `{"slug":"big","name":"Big","ownerEmail":"big@example.com"}`, status: 409, has: []string{"never given again"}},
		{name: "its people are nobody", method: "POST", path: "/sign-in", body: `{"email":"big@example.com","password":"{good}"}`, status: 401, events: []string{"user.signed-in refused"}},
		{name: "the others are as they were", as: "owner", method: "GET", path: "/users", status: 200, has: []string{"eve@example.com", "vic@example.com"}},
	})
}
