package tenantmanager_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/internal/operations"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// two is an organization with one of everything, and the owner of another.
type two struct {
	*scenario
	stranger string   // the access token of the other owner
	ids      []string // everything of the first organization that must not show
}

func newTwo(t *testing.T) *two {
	t.Helper()
	s := newScenario(t)
	s.run(t, []step{
		{name: "role", as: "owner", method: "POST", path: "/roles", body: `{"name":"support","permissions":["user:read"]}`, status: 201, keep: map[string]string{"role": "id"}, events: []string{"role.created"}},
		{name: "account", as: "owner", method: "POST", path: "/service-accounts", body: `{"name":"CI"}`, status: 201, keep: map[string]string{"account": "id"}, events: []string{"service-account.created"}},
		{name: "token", as: "owner", method: "POST", path: "/service-accounts/{account}/tokens", body: `{"name":"t"}`, status: 201, keep: map[string]string{"tokenId": "id", "ght": "token"}, events: []string{"service-account.token-created"}},
		{name: "grant", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{account}","role":"support"}`, status: 201, keep: map[string]string{"grant": "id"}, events: []string{"grant.created", "access-changed"}},
		{name: "invitation", as: "owner", method: "POST", path: "/invitations", body: `{"email":"eve@example.com","roles":[{"role":"viewer"}]}`, status: 201, keep: map[string]string{"invitation": "id", "invited": "token"}, events: []string{"invitation.created"}},
		{name: "receiver", as: "owner", method: "POST", path: "/audit/receivers", body: `{"name":"SIEM","kind":"syslog","address":"udp://127.0.0.1:9","enabled":false}`, status: 201, keep: map[string]string{"receiver": "id"}, events: []string{"audit-receiver.created"}},
		{name: "factor", as: "owner", method: "POST", path: "/me/factors/totp", body: `{"name":"p"}`, status: 201, keep: map[string]string{"factor": "id"}, events: []string{"user.factor-begun"}},
		{name: "step", as: "owner", method: "POST", path: "/me/factors/passkey-options", body: `{"origin":"http://console.test"}`, status: 200, keep: map[string]string{"step": "challenge"}},
		{name: "own token", as: "owner", method: "POST", path: "/me/tokens", body: `{"name":"t","expiresAt":"2030-02-01T00:00:00Z"}`, status: 201, keep: map[string]string{"ghpId": "id", "ghp": "token"}, events: []string{"user.token-created"}},
		{name: "session", as: "owner", method: "GET", path: "/me/sessions", status: 200, keep: map[string]string{"session": "items/0/id"}},
	})
	s.run(t, []step{
		{name: "group", as: "owner", method: "POST", path: "/groups", body: `{"name":"Staff"}`, status: 201, keep: map[string]string{"group": "id"}, events: []string{"group.created"}},
		{name: "member", as: "owner", method: "POST", path: "/groups/{group}/members", body: `{"member":"{account}"}`, status: 201, events: []string{"group.member-added", "access-changed"}},
		{name: "boundary", as: "owner", method: "PUT", path: "/boundaries/{account}", body: `{"role":"viewer"}`, status: 200, events: []string{"boundary.set", "access-changed"}},
		{
			name: "review", as: "owner", method: "POST", path: "/access/reviews", body: `{"name":"Acme quarter","scope":{"kind":"role","id":"support"},"undecided":"keep","deadline":"2030-02-01T00:00:00Z"}`,
			status: 201, keep: map[string]string{"review": "id"}, events: []string{"access-review.begun"},
		},
		{name: "request", as: "owner", method: "POST", path: "/access/requests", body: `{"role":"viewer","reason":"to see"}`, status: 201, keep: map[string]string{"request": "id"}, events: []string{"access-request.created"}},
		{name: "key", as: "owner", method: "GET", path: "/oauth/keys", status: 200, keep: map[string]string{"key": "items/0/id"}, events: []string{"oauth-key.created", "oauth-key.created", "oauth-key.created", "oauth-key.created"}},
		{name: "scope", as: "owner", method: "POST", path: "/oauth/scopes", body: `{"name":"orders:read"}`, status: 201, keep: map[string]string{"scope": "id"}, events: []string{"oauth-scope.created"}},
		{
			name: "client", as: "owner", method: "POST", path: "/oauth/clients", body: `{"name":"Billing","scopes":["orders:read"]}`, status: 201,
			keep: map[string]string{"client": "client/id", "clientSecretId": "secret/id", "clientSecret": "secret/secret"}, events: []string{"oauth-client.created"},
		},
	})
	s.run(t, []step{{
		name: "connection", as: "owner", method: "POST", path: "/sso/connections", body: `{"name":"Staff ID","kind":"oidc","issuer":"https://login.example.com","clientId":"gatehouse-of-acme","domains":["acme.example"]}`,
		status: 201, keep: map[string]string{"connection": "id"}, events: []string{"domain.claimed", "sso-connection.created"},
	}, {name: "domain", as: "owner", method: "GET", path: "/domains", status: 200, keep: map[string]string{"domain": "items/0/id"}}})
	s.run(t, []step{{
		name: "TV", as: "owner", method: "POST", path: "/oauth/clients", body: `{"name":"TV","authMethod":"none","grantTypes":["urn:ietf:params:oauth:grant-type:device_code"]}`,
		status: 201, keep: map[string]string{"tv": "client/id"}, events: []string{"oauth-client.created"},
	}, {
		name: "initial token", as: "owner", method: "POST", path: "/oauth/initial-tokens", body: `{"name":"Partners"}`,
		status: 201, keep: map[string]string{"initial": "initialToken/id", "initialToken": "token"}, events: []string{"oauth-initial-token.created"},
	}})
	res, err := s.w.client.PostForm(s.w.url+"/oauth/default/device_authorization", url.Values{"client_id": {s.vars["tv"]}})
	require.NoError(t, err)
	var device struct {
		Code string `json:"user_code"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&device))
	require.NoError(t, res.Body.Close())
	s.vars["deviceCode"] = device.Code
	s.run(t, []step{
		{name: "directory", as: "owner", method: "POST", path: "/scim/directories", body: `{"name":"People","connection":"{connection}"}`, status: 201, keep: map[string]string{"directory": "id"}, events: []string{"scim-directory.created"}},
		{
			name: "its token", as: "owner", method: "POST", path: "/scim/directories/{directory}/tokens", body: `{"name":"t"}`, status: 201,
			keep: map[string]string{"directoryTokenId": "id", "ghs": "token"}, events: []string{"scim-directory.token-created"},
		},
	})
	require.NoError(t, s.w.database(t).Tx(t.Context(), s.vars["org"], s.vars["ownerId"], func(tx *store.Tx) error {
		c, err := tx.AllowOAuth(t.Context(), s.vars["ownerId"], s.vars["client"], []string{"orders:read"})
		s.vars["consent"] = c.ID
		if err != nil {
			return err
		}
		m := store.MailMessage{Kind: "invitation", Recipient: "eve@example.com", Language: "en", Data: secret.NewText(`{"organization":"Acme"}`)}
		err = tx.QueueMail(t.Context(), &m)
		s.vars["mail"] = m.ID
		return err
	}))
	s.run(t, []step{
		{name: "webhook", as: "owner", method: "POST", path: "/webhooks", body: `{"name":"Chat","address":"http://127.0.0.1:9","events":["owner.granted"]}`, status: 201, keep: map[string]string{"webhook": "webhook/id", "whsec": "secret"}, events: []string{"webhook.created"}},
		{name: "delivery", as: "owner", method: "POST", path: "/webhooks/{webhook}/test", status: 200, keep: map[string]string{"delivery": "id"}, events: []string{"webhook.tested"}},
		{name: "bulk job", as: "owner", method: "POST", path: "/bulk-jobs", body: `{"action":"enable","name":"Acme people","users":["{account}"]}`, status: 201, keep: map[string]string{"bulk": "id"}, events: []string{"bulk-job.created"}},
		{name: "brand", as: "owner", method: "PUT", path: "/brand", body: `{"language":"en","displayName":"Acme as it is shown"}`, header: anyVersion, status: 200, events: []string{"brand.updated"}},
	})
	s.w.organization(t, "second", "stranger@example.com")
	o := &two{scenario: s, stranger: s.w.signIn(t, "stranger@example.com", "second")}
	for _, name := range []string{"ownerId", "org", "role", "account", "tokenId", "ght", "grant", "invitation", "invited", "session", "receiver", "client", "clientSecretId", "clientSecret", "scope", "key", "consent", "group", "request", "factor", "step", "connection", "domain", "mail", "deviceCode", "tv", "initial", "initialToken", "ghpId", "ghp", "directory", "directoryTokenId", "ghs", "review"} {
		o.ids = append(o.ids, s.vars[name])
	}
	o.ids = append(o.ids, "ada@example.com", "eve@example.com", "Acme")
	o.ids = append(o.ids, s.vars["bulk"], s.vars["webhook"], s.vars["whsec"], s.vars["delivery"])
	return o
}

// foreign says, by path, which ids of the first organization go into it.
var foreign = map[string]string{
	"/me/sessions/{id}":                        "/me/sessions/{session}",
	"/me/factors/{id}":                         "/me/factors/{factor}",
	"/me/factors/{id}/activation":              "/me/factors/{factor}/activation",
	"/password-requests/{id}":                  "/password-requests/{ownerId}",
	"/users/{id}/factors":                      "/users/{ownerId}/factors",
	"/users/{id}":                              "/users/{ownerId}",
	"/users/{id}/sessions":                     "/users/{ownerId}/sessions",
	"/users/{id}/sessions/{session}":           "/users/{ownerId}/sessions/{session}",
	"/users/{id}/password-links":               "/users/{ownerId}/password-links",
	"/users/{id}/email":                        "/users/{ownerId}/email",
	"/users/{id}/tokens":                       "/users/{ownerId}/tokens",
	"/users/{id}/tokens/{token}":               "/users/{ownerId}/tokens/{ghpId}",
	"/me/tokens/{id}":                          "/me/tokens/{ghpId}",
	"/roles/{id}":                              "/roles/{role}",
	"/grants/{id}":                             "/grants/{grant}",
	"/invitations/{id}":                        "/invitations/{invitation}",
	"/service-accounts/{id}":                   "/service-accounts/{account}",
	"/service-accounts/{id}/tokens":            "/service-accounts/{account}/tokens",
	"/service-accounts/{id}/tokens/{token}":    "/service-accounts/{account}/tokens/{tokenId}",
	"/audit/receivers/{id}":                    "/audit/receivers/{receiver}",
	"/audit/receivers/{id}/test":               "/audit/receivers/{receiver}/test",
	"/sso/connections/{id}":                    "/sso/connections/{connection}",
	"/sso/connections/{id}/test":               "/sso/connections/{connection}/test",
	"/sso/connections/{id}/sign-out":           "/sso/connections/{connection}/sign-out",
	"/sso/connections/{id}/metadata":           "/sso/connections/{connection}/metadata",
	"/sso/connections/{id}/certificate":        "/sso/connections/{connection}/certificate",
	"/sso/connections/{id}/certificate/switch": "/sso/connections/{connection}/certificate/switch",
	"/sso/tests/{id}":                          "/sso/tests/{step}",
	"/scim/directories/{id}":                   "/scim/directories/{directory}",
	"/scim/directories/{id}/outcomes":          "/scim/directories/{directory}/outcomes",
	"/scim/directories/{id}/tokens":            "/scim/directories/{directory}/tokens",
	"/scim/directories/{id}/tokens/{token}":    "/scim/directories/{directory}/tokens/{directoryTokenId}",
	"/mail/messages/{id}/retry":                "/mail/messages/{mail}/retry",
	"/access/effective/{id}":                   "/access/effective/{account}",
	"/access/requests/{id}":                    "/access/requests/{request}",
	"/access/requests/{id}/approve":            "/access/requests/{request}/approve",
	"/access/requests/{id}/deny":               "/access/requests/{request}/deny",
	"/access/requests/{id}/withdraw":           "/access/requests/{request}/withdraw",
	"/boundaries/{id}":                         "/boundaries/{account}",
	"/organizations/{id}":                      "/organizations/{org}",
	"/organizations/{id}/restore":              "/organizations/{org}/restore",
	"/organizations/{id}/usage":                "/organizations/{org}/usage",
	"/organizations/{id}/export":               "/organizations/{org}/export",
	"/groups/{id}":                             "/groups/{group}",
	"/groups/{id}/move":                        "/groups/{group}/move",
	"/groups/{id}/members":                     "/groups/{group}/members",
	"/groups/{id}/members/{member}":            "/groups/{group}/members/{account}",
	"/invitations/by-token/{token}":            "", // whoever has the link is invited
	"/invitations/by-token/{token}/accept":     "",
	"/oauth/clients/{id}":                      "/oauth/clients/{client}",
	"/oauth/clients/{id}/secrets":              "/oauth/clients/{client}/secrets",
	"/oauth/clients/{id}/secrets/{secret}":     "/oauth/clients/{client}/secrets/{clientSecretId}",
	"/oauth/scopes/{id}":                       "/oauth/scopes/{scope}",
	"/oauth/keys/{id}":                         "/oauth/keys/{key}",
	"/oauth/consents/{id}":                     "/oauth/consents/{consent}",
	"/me/consents/{id}":                        "/me/consents/{consent}",
	"/oauth/authorizations/by-token/{token}":   "/oauth/authorizations/by-token/none",
	"/oauth/initial-tokens/{id}":               "/oauth/initial-tokens/{initial}",
	"/oauth/devices/{code}":                    "/oauth/devices/{deviceCode}",
	"/me/device-sign-ins/{code}":               "/me/device-sign-ins/BBB-BBB-BBB", // a device is of no organization yet
	"/domains/{id}":                            "/domains/{domain}",
	"/domains/{id}/verification":               "/domains/{domain}/verification",
	"/domains/{id}/preview":                    "/domains/{domain}/preview",
	"/platform/domains/{domain}/verification":  "/platform/domains/{domain}/verification",

	"/letters/{kind}/{language}":                  "/letters/invitation/en", // every organization has its own
	"/letters/{kind}/{language}/preview":          "/letters/invitation/en/preview",
	"/letters/{kind}/{language}/test":             "/letters/invitation/en/test",
	"/webhooks/{id}":                              "/webhooks/{webhook}",
	"/webhooks/{id}/secret":                       "/webhooks/{webhook}/secret",
	"/webhooks/{id}/test":                         "/webhooks/{webhook}/test",
	"/webhooks/{id}/deliveries":                   "/webhooks/{webhook}/deliveries",
	"/webhooks/{id}/deliveries/{delivery}":        "/webhooks/{webhook}/deliveries/{delivery}",
	"/webhooks/{id}/deliveries/{delivery}/replay": "/webhooks/{webhook}/deliveries/{delivery}/replay",
	"/roles/{id}/holders":                         "/roles/{role}/holders",
	"/access/reviews/{id}":                        "/access/reviews/{review}",
	"/access/reviews/{id}/close":                  "/access/reviews/{review}/close",
	"/access/reviews/{id}/cancel":                 "/access/reviews/{review}/cancel",
	"/access/reviews/{id}/items":                  "/access/reviews/{review}/items",
	"/access/reviews/{id}/decisions":              "/access/reviews/{review}/decisions",
	"/access/reviews/{id}/result":                 "/access/reviews/{review}/result",
	"/boundaries/{id}/preview":                    "/boundaries/{account}/preview",
	"/setup-steps/{step}":                         "/setup-steps/sso", // every organization has it
	"/invitations/{id}/resend":                    "/invitations/{invitation}/resend",
	"/users/{id}/impersonation":                   "/users/{ownerId}/impersonation",
	"/users/{id}/impersonations":                  "/users/{ownerId}/impersonations",
	"/me/organizations/{id}":                      "/me/organizations/{ownerId}", // an id, if not of an organization
	"/me/organizations/{id}/session":              "/me/organizations/{ownerId}/session",
	"/bulk-jobs/{id}":                             "/bulk-jobs/{bulk}",
	"/bulk-jobs/{id}/start":                       "/bulk-jobs/{bulk}/start",
	"/bulk-jobs/{id}/cancel":                      "/bulk-jobs/{bulk}/cancel",
	"/bulk-jobs/{id}/retry":                       "/bulk-jobs/{bulk}/retry",
	"/bulk-jobs/{id}/rows":                        "/bulk-jobs/{bulk}/rows",
	"/bulk-jobs/{id}/result":                      "/bulk-jobs/{bulk}/result",
	"/system/jobs/{service}/{job}/run":            "/system/jobs/tenant-manager/housekeeping/run",
	"/system/licences/{digest}":                   "/system/licences/0000000000000000",
}

const letterBody = `{"subject":"x","greeting":"x","body":"x","action":"x"}`

// foreignBodies say, by operation, what is sent; want is the status, where no id
// is in the path.
var foreignBodies = map[string]struct {
	body string
	want int
}{
	"updateUser": {body: `{"status":"disabled"}`}, "updateRole": {body: `{"title":"x"}`}, "updateServiceAccount": {body: `{"name":"x"}`},
	"changeUserEmail":     {body: `{"email":"x@example.com"}`},
	"renewSsoCertificate": {body: `{"switchAt":"2026-12-24T00:00:00Z"}`}, "switchSsoCertificate": {body: `{"switchAt":"2026-12-24T00:00:00Z"}`},
	"changeMyEmail":              {`{"email":"x@example.com"}`, 409}, // no mail is sent
	"createServiceAccountToken":  {body: `{"name":"x"}`},
	"createMyToken":              {`{"name":"x","expiresAt":"2030-02-01T00:00:00Z"}`, 201},
	"createGrant":                {`{"principal":"{ownerId}","role":"viewer"}`, 422},
	"checkAccess":                {`{"principal":"{ownerId}","permission":"api:read"}`, 404},
	"whoCan":                     {`{"permission":"api:read"}`, 200},
	"createAccessRequest":        {`{"role":"{role}","reason":"x"}`, 422},
	"createAccessReview":         {`{"name":"x","scope":{"kind":"role","id":"{role}"},"undecided":"keep","deadline":"2030-02-01T00:00:00Z"}`, 422},
	"previewAccessReview":        {`{"kind":"group","id":"{group}"}`, 422},
	"updateAccessReview":         {body: `{"name":"x"}`},
	"decideAccessReview":         {body: `{"allUndecided":true,"decision":"keep"}`},
	"previewBoundary":            {body: `{"role":"viewer"}`},
	"setSetupStep":               {`{"skipped":true}`, 200},
	"approveAccessRequest":       {body: `{}`},
	"denyAccessRequest":          {body: `{}`},
	"setBoundary":                {body: `{"role":"viewer"}`},
	"createGroup":                {`{"name":"Staff"}`, 201},
	"updateGroup":                {body: `{"name":"x"}`},
	"addGroupMember":             {body: `{"member":"{account}"}`},
	"moveGroup":                  {body: `{}`},
	"createInvitation":           {`{"email":"x@example.com","roles":[{"role":"{role}"}]}`, 422},
	"createInvitations":          {`{"items":[{"email":"x@example.com","roles":[{"role":"{role}"}],"groups":["{group}"]}]}`, 200},
	"resendInvitations":          {`{"invitations":["{invitation}"]}`, 200},
	"previewInvitations":         {`{"csv":"email,roles,groups\nx@example.com,{role},{group}"}`, 200},
	"actOnUsers":                 {`{"action":"disable","users":["{ownerId}"]}`, 200},
	"createBulkJob":              {`{"action":"disable","users":["{ownerId}"]}`, 201}, // nobody of theirs is called so: TestABulkJobDoesToManyWhatOneIsDone
	"impersonateUser":            {body: `{"reason":"to see"}`},
	"getMissingAccess":           {"", 422}, // it asks for a permission
	"markMyOrganization":         {body: `{"favourite":true}`},
	"switchOrganization":         {body: `{}`},
	"updateMyPreferences":        {`{"theme":"dark"}`, 200},
	"createRole":                 {`{"name":"support","permissions":["user:read"]}`, 201}, // names are free in another organization
	"createServiceAccount":       {`{"name":"CI"}`, 201},
	"updateMe":                   {`{"name":"Stranger"}`, 200},
	"updateOrganization":         {`{"name":"Second"}`, 200},
	"completeSetup":              {`{"organizationName":"A","name":"A","email":"a@example.com","password":"{good}"}`, 409},
	"createAuditReceiver":        {`{"name":"SIEM","kind":"syslog","address":"udp://127.0.0.1:9","enabled":false}`, 201},
	"updateAuditReceiver":        {body: `{"name":"x","kind":"syslog","address":"udp://127.0.0.1:9"}`},
	"setAuditRetention":          {`{"days":90}`, 200},
	"changePassword":             {`{"current":"not the right one","new":"{good}!"}`, 422},
	"setMailSettings":            {body: `{"host":"x.example.com","port":587,"security":"starttls","fromAddress":"x@example.com"}`},
	"testSecretReference":        {`{"reference":"vault:secret/first#key"}`, 422},
	"testMail":                   {body: `{"to":"x@example.com"}`},
	"createOrganization":         {body: `{"slug":"third","name":"Third","ownerEmail":"x@example.com"}`},
	"updatePlatformOrganization": {body: `{"suspended":true}`},
	"confirmMe":                  {`{"password":"{good}"}`, 200},
	"askMyPasskey":               {`{"origin":"http://console.test"}`, 422},
	"beginSsoConfirmation":       {`{"connection":"{connection}","origin":"http://console.test","binding":"` + strings.Repeat("b", 32) + `"}`, 404},
	"createMyTotp":               {`{"name":"x"}`, 201},
	"askNewPasskey":              {`{"origin":"http://console.test"}`, 200},
	"createMyPasskey":            {`{"challenge":"{step}","passkey":{}}`, 422},
	"renameMyFactor":             {body: `{"name":"x"}`},
	"activateMyTotp":             {body: `{"code":"000000"}`},
	"createMyRecoveryCodes":      {"", 409},
	"exportOrganization":         {"", 503}, // the other services are not there
	"updateSecurityPolicy":       {`{"passwordMinLength":12}`, 200},
	"previewSecurityPolicy":      {`{"passwordMinLength":12}`, 200},
	"endMyOtherSessions":         {"", 204},
	"createOAuthScope":           {`{"name":"orders:read"}`, 201},
	"createOAuthClient":          {`{"name":"Billing"}`, 201},
	"updateOAuthClient":          {body: `{"name":"x"}`}, "updateOAuthScope": {body: `{"title":"x"}`}, "rotateOAuthSecret": {body: `{}`},
	"rotateOAuthKeys":          {`{"algorithm":"EdDSA"}`, 200},
	"createSsoConnection":      {`{"name":"Staff ID","kind":"oidc","issuer":"https://login.example.com","clientId":"c","domains":["second.example"]}`, 201},
	"updateSsoConnection":      {body: `{"name":"x","kind":"oidc","issuer":"https://login.example.com","clientId":"c"}`},
	"testSsoConnection":        {body: `{"origin":"http://console.test","binding":"` + binding + `"}`},
	"previewSsoGroupRoles":     {`{"connection":"{connection}","groupRoles":[]}`, 404},
	"decideOAuthAuthorization": {body: `{"allow":true}`}, "decideOAuthDevice": {body: `{"allow":true}`}, "decideMyDeviceSignIn": {body: `{"allow":true}`},
	"createOAuthInitialToken": {`{"name":"Partners"}`, 201},
	"claimDomain":             {`{"domain":"acme.example"}`, 201}, // whoever proves it has it
	"updateDomain":            {body: `{"singleSignOn":"off"}`},
	"previewDomain":           {body: `{"singleSignOn":"required"}`},
	"verifyPlatformDomain":    {body: `{"reason":"mine"}`},
	"createScimDirectory":     {`{"name":"People","domains":["second.example"]}`, 201},
	"updateScimDirectory":     {body: `{"name":"x","domains":["second.example"]}`},
	"createScimToken":         {body: `{"name":"x"}`},

	"setBrand":            {`{"language":"en"}`, 200},
	"deleteBrand":         {"", 204},
	"previewBrand":        {`{"language":"en"}`, 200},
	"addBrandImage":       {`{"content":"PHN2ZyB3aWR0aD0iMSIgaGVpZ2h0PSIxIi8+"}`, 201},
	"getLetter":           {"", 200},
	"setLetter":           {letterBody, 200},
	"deleteLetter":        {"", 204},
	"previewLetter":       {letterBody, 200},
	"testLetter":          {letterBody, 200},
	"createWebhook":       {`{"name":"Chat","address":"http://127.0.0.1:9","events":["*"]}`, 201},
	"updateWebhook":       {body: `{"name":"x","address":"http://127.0.0.1:9","events":["*"]}`},
	"rotateWebhookSecret": {body: `{}`},
}

// shown returns what of the first organization is in an answer, and not in what was
// sent, which may come back.
func (o *two) shown(answer, sent string) (ids []string) {
	for _, id := range o.ids {
		if strings.Contains(answer, id) && !strings.Contains(sent, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Every operation, called by the owner of another organization: what is not
// theirs is not there, and no list holds any of it.
func TestOrganizationsAreApart(t *testing.T) {
	t.Parallel()
	o := newTwo(t)
	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	calls := 0
	for _, op := range all {
		method, path := op.Method, op.Path
		if op.Public || op.ID == "signOut" {
			continue // public: of no organization; and signing out is the caller's own
		}
		calls++
		target, want := path, 200
		if strings.Contains(path, "{") {
			var known bool
			target, known = foreign[path]
			require.True(t, known, "%s %s: which ids go into it?", method, path)
			want = 404
		}
		given, has := foreignBodies[op.ID]
		require.Equal(t, op.Spec.RequestBody != nil, has && given.body != "", "%s: what is sent?", op.ID)
		if given.want != 0 {
			want = given.want
		}
		if strings.HasPrefix(op.Permission, "platform:") {
			want = 403 // only for those of the first organization
		}
		a := o.w.call(t, o.stranger, method, o.fill(target), o.fill(given.body), anyVersion...)
		require.Equal(t, want, a.status, "%s %s: %s", method, target, a.body)
		require.Empty(t, o.shown(a.body, o.fill(target)+o.fill(given.body)), "%s %s: %s", method, target, a.body)
	}
	require.Greater(t, calls, 35)

	// Filters and the bus do not reach over, either.
	for _, query := range []string{"/grants?principal={ownerId}", "/grants?role={role}", "/groups?member={account}", "/groups?parent={group}", "/boundaries?role=viewer", "/access/requests?project=p", "/audit?actor={ownerId}", "/audit?target={org}&outcome=done", "/users?q=ada"} {
		a := o.w.call(t, o.stranger, "GET", o.fill(query), "")
		require.Equal(t, 200, a.status)
		require.Contains(t, a.body, `"items":[]`, query)
	}
	me := o.w.call(t, o.stranger, "GET", "/me", "")
	second := me.text(t, "organization/id")
	ctx := context.WithoutCancel(t.Context())
	granted, err := bus.Ask(ctx, o.w.other, tenant.Grants{Organization: second, Principal: o.vars["ownerId"]})
	require.NoError(t, err)
	require.False(t, granted.Active)
	users, err := bus.Ask(ctx, o.w.other, tenant.Users{Organization: second, IDs: []string{o.vars["ownerId"]}})
	require.NoError(t, err)
	require.Empty(t, users.Users)

	// And the first organization is as it was.
	o.w.mu.Lock()
	o.w.events = nil
	o.w.mu.Unlock()
	for _, path := range []string{"/users/{ownerId}", "/roles/{role}", "/grants/{grant}", "/invitations/{invitation}", "/service-accounts/{account}", "/oauth/clients/{client}", "/oauth/scopes/{scope}"} {
		require.Equal(t, 200, o.w.call(t, o.vars["owner"], "GET", o.fill(path), "").status, path)
	}
}

// Who may read may not write, and who has a role in a project has it only there.
func TestRolesAreKeptTo(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.vars["auditor"] = s.w.invite(t, s.vars["owner"], "aud@example.com", `{"role":"auditor"}`).text(t, "accessToken")
	s.vars["publisher"] = s.w.invite(t, s.vars["owner"], "pub@example.com", `{"role":"publisher","project":"p1"}`).text(t, "accessToken")
	for _, path := range []string{"/organization", "/users", "/roles", "/grants", "/invitations", "/service-accounts", "/oauth/clients", "/oauth/scopes", "/oauth/keys", "/oauth/consents", "/oauth/initial-tokens", "/audit", "/audit/verification"} {
		require.Equal(t, 200, s.w.call(t, s.vars["auditor"], "GET", path, "").status, path)
		require.Equal(t, 403, s.w.call(t, s.vars["publisher"], "GET", path, "").status, path)
		require.Equal(t, 401, s.w.call(t, "", "GET", path, "").status, path)
	}
	for path, body := range map[string]string{
		"/roles":                `{"name":"x","permissions":["user:read"]}`,
		"/grants":               `{"principal":"{ownerId}","role":"viewer"}`,
		"/invitations":          `{"email":"x@example.com","roles":[{"role":"auditor"}]}`,
		"/service-accounts":     `{"name":"x"}`,
		"/oauth/clients":        `{"name":"x"}`,
		"/oauth/scopes":         `{"name":"x"}`,
		"/oauth/initial-tokens": `{"name":"x"}`,
	} {
		require.Equal(t, 403, s.w.call(t, s.vars["auditor"], "POST", path, s.fill(body)).status, path)
	}
	for _, path := range []string{"/users/{ownerId}", "/organization"} {
		require.Equal(t, 403, s.w.call(t, s.vars["auditor"], "PATCH", s.fill(path), `{"name":"x"}`, anyVersion...).status, path)
	}
}

// Whatever is secret is shown once, and never in the log.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.code
	in := w.call(t, "", "POST", "/sign-in/one-time", `{"code":"`+code+`"}`)
	owner := in.text(t, "accessToken")
	w.call(t, owner, "POST", "/setup", `{"organizationName":"Acme","name":"Ada","email":"ada@example.com","password":"`+goodWord+`"}`)
	again := w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"`+goodWord+`"}`)
	w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"a secret that is wrong"}`)
	turned := w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+again.text(t, "refreshToken")+`"}`)
	w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+again.text(t, "refreshToken")+`"}`)
	invitation := w.call(t, owner, "POST", "/invitations", `{"email":"eve@example.com","roles":[{"role":"viewer"}]}`).text(t, "token")
	w.call(t, "", "GET", "/invitations/by-token/"+invitation, "")
	w.call(t, "", "POST", "/invitations/by-token/"+invitation+"/accept", `{"name":"Eve","password":"`+goodWord+`"}`)
	account := w.call(t, owner, "POST", "/service-accounts", `{"name":"CI"}`).text(t, "id")
	token := w.call(t, owner, "POST", "/service-accounts/"+account+"/tokens", `{"name":"t"}`).text(t, "token")
	personal := w.call(t, "", "POST", "/token/personal", `{"token":"`+token+`"}`)
	require.Equal(t, 200, personal.status)
	w.stop()

	log := w.logged()
	require.Contains(t, log, `"msg":"request"`)
	require.Equal(t, 1, strings.Count(log, code), "the code of the first run is logged once, for whoever installs it")
	for name, s := range map[string]string{
		"password": goodWord, "wrong password": "a secret that is wrong", "access token": owner, "another": personal.text(t, "accessToken"),
		"refresh token": in.text(t, "refreshToken"), "a used one": again.text(t, "refreshToken"), "the next": turned.text(t, "refreshToken"),
		"invitation": invitation, "service account": token, "keyring": strings.TrimPrefix(w.cfg.Secrets.Keyring.Reveal(), "k1:"),
		"signature": owner[strings.LastIndexByte(owner, '.'):],
	} {
		require.NotContains(t, log, s, name)
	}
}
