package tenantmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// withToken is a scenario with Eve, an administrator, and her token, which is made
// for what body says.
func withToken(t *testing.T, body string, change ...func(*tenantmanager.Config)) *scenario {
	t.Helper()
	s := newScenario(t, change...)
	eve := s.w.invite(t, s.vars["owner"], "eve@example.com", `{"role":"administrator"}`)
	s.vars["eve"], s.vars["eveId"] = eve.text(t, "accessToken"), eve.text(t, "user/id")
	s.w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")
	s.run(t, []step{{
		name: "made", as: "eve", method: "POST", path: "/me/tokens", body: `{"name":"laptop","expiresAt":"2030-03-01T00:00:00Z"` + body + `}`, status: 201,
		has: []string{`"token":"ghp_`, `"hint":"ghp_`}, events: []string{"user.token-created"}, keep: map[string]string{"ghp": "token", "ghpId": "id"},
	}})
	s.exchange(t)
	return s
}

// exchange keeps an access token for the token as "by".
func (s *scenario) exchange(t *testing.T) {
	t.Helper()
	a := s.w.call(t, "", "POST", "/token/personal", s.fill(`{"token":"{ghp}"}`))
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"email":"eve@example.com"`)
	s.vars["by"] = a.text(t, "accessToken")
}

func TestPersonalTokens(t *testing.T) {
	t.Parallel()
	s := withToken(t, "")
	s.run(t, []step{
		{name: "it has to end", as: "eve", method: "POST", path: "/me/tokens", body: `{"name":"x"}`, status: 422, has: []string{`"pointer":"/expiresAt"`}},
		{name: "not before now", as: "eve", method: "POST", path: "/me/tokens", body: `{"name":"x","expiresAt":"2020-01-01T00:00:00Z"}`, status: 422, has: []string{`"pointer":"/expiresAt"`}},
		{name: "nor too late", as: "eve", method: "POST", path: "/me/tokens", body: `{"name":"x","expiresAt":"2031-06-01T00:00:00Z"}`, status: 422, has: []string{`"pointer":"/expiresAt"`, "365 days"}},
		{name: "for what there is", as: "eve", method: "POST", path: "/me/tokens", body: `{"name":"x","expiresAt":"2030-03-01T00:00:00Z","permissions":["api:read","api:fly"]}`, status: 422, has: []string{`"pointer":"/permissions/1"`}},
		{name: "and what one has", as: "eve", method: "POST", path: "/me/tokens", body: `{"name":"x","expiresAt":"2030-03-01T00:00:00Z","permissions":["platform:read"]}`, status: 422, has: []string{`"pointer":"/permissions/0"`}},
		{name: "listed", as: "eve", method: "GET", path: "/me/tokens", status: 200, has: []string{`"name":"laptop"`, `"lastUsedFrom":"127.0.0.1"`, `"permissions":[]`, `"allowed":true`, `"maximumDays":365`}, hasNot: []string{"{ghp}"}},
		{name: "nobody else's", as: "owner", method: "GET", path: "/me/tokens", status: 200, has: []string{`"items":[]`}},
		{name: "seen by administrators", as: "owner", method: "GET", path: "/users/{eveId}/tokens", status: 200, has: []string{`"name":"laptop"`}, hasNot: []string{"{ghp}"}},

		{name: "it does what she may", as: "by", method: "GET", path: "/users", status: 200},
		{name: "and is she", as: "by", method: "GET", path: "/me", status: 200, has: []string{`"email":"eve@example.com"`, `"user:update"`}},
		{name: "and says so in the trail", as: "by", method: "POST", path: "/groups", body: `{"name":"Team"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{"team": "id"}},
		{name: "no more than she may", as: "by", method: "GET", path: "/organizations", status: 403},
	})
	require.Eventually(t, func() bool {
		a := s.w.call(t, s.vars["owner"], "GET", "/audit?action=group.created", "")
		return strings.Contains(a.body, s.fill(`"token":"{ghpId}","tokenName":"laptop"`))
	}, 10*time.Second, 5*time.Millisecond, "the entry names the token")
	valid := s.w.call(t, s.vars["owner"], "GET", "/audit/verification", "")
	require.Contains(t, valid.body, `"valid":true`)

	// What people sign in for a token does not do.
	for _, c := range [][3]string{
		{"POST", "/me/tokens", `{"name":"x","expiresAt":"2030-03-01T00:00:00Z"}`},
		{"POST", "/me/password", `{"current":"` + goodWord + `","new":"` + goodWord + `!"}`},
		{"POST", "/me/confirmation", `{"password":"` + goodWord + `"}`},
		{"POST", "/me/factors/totp", `{"name":"x"}`},
		{"GET", "/me/sessions", ""},
		{"DELETE", "/me/sessions", ""},
		{"POST", "/sign-out", ""},
		{"PATCH", "/me", `{"name":"x"}`},
		{"POST", "/users/{ownerId}/password-links", ""},
		{"POST", "/users/{eveId}/password-links", ""},
		{"DELETE", "/users/{eveId}/factors", ""},
		{"POST", "/sso/connections", `{"name":"x","kind":"oidc","issuer":"https://login.example.com","clientId":"c"}`},
		{"DELETE", "/me/tokens/other", ""},
	} {
		a := s.w.call(t, s.vars["by"], c[0], s.fill(c[1]), c[2], anyVersion...)
		require.Equal(t, 403, a.status, "%s %s: %s", c[0], c[1], a.body)
		require.Contains(t, a.body, "sign in", c[1])
	}
	account := s.w.call(t, s.vars["owner"], "POST", "/service-accounts", `{"name":"CI"}`).text(t, "id")
	require.Equal(t, 403, s.w.call(t, s.vars["by"], "POST", "/service-accounts/"+account+"/tokens", `{"name":"x"}`).status)
	s.w.expect(t, "made", "service-account.created")

	// It takes a fresh proof to make one.
	s.w.clock.Advance(11 * time.Minute)
	s.vars["eve"] = s.w.signIn(t, "eve@example.com", "")
	s.w.clock.Advance(4 * time.Minute)
	require.Equal(t, 200, s.w.call(t, s.vars["eve"], "GET", "/me/tokens", "").status)
	s.w.expect(t, "signed in", "user.signed-in")
	again := s.w.call(t, "", "POST", "/sign-in", `{"email":"eve@example.com","password":"`+goodWord+`"}`)
	s.w.clock.Advance(4 * time.Minute)
	turned := s.w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+again.text(t, "refreshToken")+`"}`)
	s.w.clock.Advance(4 * time.Minute)
	turned = s.w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+turned.text(t, "refreshToken")+`"}`)
	s.w.clock.Advance(4 * time.Minute)
	s.vars["eve"], s.vars["owner"] = turned.text(t, "accessToken"), s.w.signIn(t, "ada@example.com", "")
	s.w.expect(t, "signed in", "user.signed-in", "user.signed-in")
	s.run(t, []step{
		{name: "too long ago", as: "eve", method: "POST", path: "/me/tokens", body: `{"name":"x","expiresAt":"2030-03-01T00:00:00Z"}`, status: 403, has: []string{`"confirmation-required"`}},
		{name: "proved", as: "eve", method: "POST", path: "/me/confirmation", body: `{"password":"` + goodWord + `"}`, status: 200, events: []string{"session.confirmed"}},
		{name: "made", as: "eve", method: "POST", path: "/me/tokens", body: `{"name":"x","expiresAt":"2030-03-01T00:00:00Z"}`, status: 201, events: []string{"user.token-created"}, keep: map[string]string{"x": "id"}},
		{name: "revoked by an administrator", as: "owner", method: "DELETE", path: "/users/{eveId}/tokens/{x}", status: 204, events: []string{"user.token-revoked", "access-changed session"}},
	})
}

func TestAPersonalTokenDiesWithWhatItIsOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end, back []step
		status    int
	}{
		"revoked by itself": {end: []step{{as: "by", method: "DELETE", path: "/me/tokens/{ghpId}", status: 204, events: []string{"user.token-revoked", "access-changed session"}}}},
		"revoked":           {end: []step{{as: "owner", method: "DELETE", path: "/users/{eveId}/tokens/{ghpId}", status: 204, events: []string{"user.token-revoked", "access-changed session"}}}},
		"account disabled": {
			end:  []step{{as: "owner", method: "PATCH", path: "/users/{eveId}", body: `{"status":"disabled"}`, header: anyVersion, status: 200, events: []string{"user.disabled", "access-changed", "access-changed session"}}},
			back: []step{{as: "owner", method: "PATCH", path: "/users/{eveId}", body: `{"status":"active"}`, header: anyVersion, status: 200, events: []string{"user.enabled", "access-changed"}}},
		},
		"account deleted": {end: []step{{as: "owner", method: "DELETE", path: "/users/{eveId}", header: anyVersion, status: 204, events: []string{"user.deleted", "access-changed", "access-changed session"}}}},
		"not allowed": {
			end:  []step{{as: "owner", method: "PATCH", path: "/security-policy", body: `{"personalTokens":{"allowed":false}}`, header: anyVersion, status: 200, has: []string{`"personalTokens":{"allowed":false,"maximumDays":365}`}, events: []string{"security-policy.updated", "access-changed all"}}},
			back: []step{{as: "owner", method: "PATCH", path: "/security-policy", body: `{"personalTokens":{"allowed":true}}`, header: anyVersion, status: 200, events: []string{"security-policy.updated", "access-changed all"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := withToken(t, "")
			require.Equal(t, 200, s.w.call(t, s.vars["by"], "GET", "/users", "").status)
			s.run(t, c.end)
			require.Equal(t, 401, s.w.call(t, s.vars["by"], "GET", "/users", "").status)
			a := s.w.call(t, "", "POST", "/token/personal", s.fill(`{"token":"{ghp}"}`))
			require.Equal(t, 401, a.status)
			require.Contains(t, a.body, "has run out, or was revoked")
			if c.back != nil {
				s.w.expect(t, "it is known", "user.token-refused refused")
				s.run(t, c.back)
				require.Equal(t, 200, s.w.call(t, s.vars["by"], "GET", "/users", "").status)
				s.exchange(t)
			}
		})
	}
	t.Run("over", func(t *testing.T) {
		t.Parallel()
		s := withToken(t, "")
		s.w.clock.Advance(70 * 24 * time.Hour)
		require.Equal(t, 401, s.w.call(t, "", "POST", "/token/personal", s.fill(`{"token":"{ghp}"}`)).status)
	})
	t.Run("ended by a shorter policy", func(t *testing.T) {
		t.Parallel()
		s := withToken(t, "")
		s.w.clock.Advance(49 * time.Hour)
		s.vars["owner"] = s.w.signIn(t, "ada@example.com", "")
		require.Contains(t, s.w.call(t, s.vars["owner"], "POST", "/security-policy/preview", `{"personalTokens":{"maximumDays":2}}`).body, `"personalTokens":1`)
		s.exchange(t)
		require.Equal(t, 200, s.w.call(t, s.vars["by"], "GET", "/users", "").status)
		require.Equal(t, 200, s.w.call(t, s.vars["owner"], "PATCH", "/security-policy", `{"personalTokens":{"maximumDays":2}}`, anyVersion...).status)
		require.Equal(t, 401, s.w.call(t, s.vars["by"], "GET", "/users", "").status)
		require.Equal(t, 401, s.w.call(t, "", "POST", "/token/personal", s.fill(`{"token":"{ghp}"}`)).status)
	})
}

// A token that is made for a part of what its owner may do cannot be made more of.
func TestATokenIsNarrow(t *testing.T) {
	t.Parallel()
	s := withToken(t, `,"permissions":["user:read","role:update","user:update"]`)
	s.run(t, []step{
		{name: "it sees users", as: "by", method: "GET", path: "/users", status: 200},
		{name: "and says what it may", as: "by", method: "GET", path: "/me", status: 200, has: []string{`"permissions":["user:read","user:update","role:update"]`}},
		{name: "no roles", as: "by", method: "GET", path: "/roles", status: 403, has: []string{"the token laptop is not made for the permission role:read"}},
		{name: "she does", as: "eve", method: "GET", path: "/roles", status: 200},
		{name: "it gives nothing that it has not", as: "by", method: "POST", path: "/grants", body: `{"principal":"{eveId}","role":"viewer"}`, status: 403, has: []string{"nobody can hand on what they do not have"}},
		{name: "nor loosens its owner", as: "by", method: "PATCH", path: "/users/{eveId}", body: `{"name":"Eva"}`, header: anyVersion, status: 403, has: []string{"made for a part of what you may do"}},
	})
	in := withToken(t, `,"permissions":["*:read"],"project":"p1"`)
	in.run(t, []step{
		{name: "a project", as: "by", method: "GET", path: "/grants?project=p1", status: 200},
		{name: "not another", as: "by", method: "GET", path: "/grants?project=p2", status: 403},
		{name: "nor the organization", as: "by", method: "GET", path: "/users", status: 403},
	})
}

func TestServiceTokensCanBeNarrow(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.run(t, []step{
		{name: "account", as: "owner", method: "POST", path: "/service-accounts", body: `{"name":"CI"}`, status: 201, events: []string{"service-account.created"}, keep: map[string]string{"account": "id"}},
		{name: "role", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{account}","role":"auditor"}`, status: 201, events: []string{"grant.created", "access-changed"}},
		{name: "not what it has not", as: "owner", method: "POST", path: "/service-accounts/{account}/tokens", body: `{"name":"t","permissions":["user:delete"]}`, status: 422, has: []string{`"pointer":"/permissions/0"`}},
		{name: "token", as: "owner", method: "POST", path: "/service-accounts/{account}/tokens", body: `{"name":"t","permissions":["user:read"]}`, status: 201, has: []string{`"permissions":["user:read"]`}, events: []string{"service-account.token-created"}, keep: map[string]string{"ght": "token"}},
		{name: "exchanged", method: "POST", path: "/token/personal", body: `{"token":"{ght}"}`, status: 200, keep: map[string]string{"ci": "accessToken"}},
		{name: "made for it", as: "ci", method: "GET", path: "/users", status: 200},
		{name: "not for that", as: "ci", method: "GET", path: "/roles", status: 403, has: []string{"the token t is not made for"}},
		{name: "owner now", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{account}","role":"owner"}`, status: 201, events: []string{"grant.created", "access-changed"}},
		{name: "for connections", as: "owner", method: "POST", path: "/service-accounts/{account}/tokens", body: `{"name":"sso","permissions":["sso-connection:*"]}`, status: 201, events: []string{"service-account.token-created"}, keep: map[string]string{"sso": "token"}},
		{name: "exchanged", method: "POST", path: "/token/personal", body: `{"token":"{sso}"}`, status: 200, keep: map[string]string{"by": "accessToken"}},
		{name: "sees them", as: "by", method: "GET", path: "/sso/connections", status: 200},
		{name: "lets nobody in as more than it is", as: "by", method: "POST", path: "/sso/connections", body: `{"name":"x","kind":"oidc","issuer":"https://login.example.com","clientId":"c"}`, status: 403, has: []string{"made for a part of what you may do"}},
		{name: "has no personal ones", as: "ci", method: "GET", path: "/me/tokens", status: 403},
	})
}

// What the security policy asks of who signs in it asks of their tokens.
func TestTokensFollowTheSecurityPolicy(t *testing.T) {
	t.Parallel()
	s := withToken(t, "")
	policy := func(body string) {
		a := s.w.call(t, s.vars["owner"], "PATCH", "/security-policy", body, anyVersion...)
		require.Equal(t, 200, a.status, a.body)
	}
	policy(`{"allowedAddresses":["127.0.0.1"]}`)
	a := s.w.call(t, "", "POST", "/token/personal", s.fill(`{"token":"{ghp}"}`))
	require.Contains(t, a.body, `"allowedAddresses":["127.0.0.1/32"]`)
	policy(`{"mfa":"everyone","mfaGraceDays":0}`)
	a = s.w.call(t, "", "POST", "/token/personal", s.fill(`{"token":"{ghp}"}`))
	require.Equal(t, 403, a.status)
	require.Contains(t, a.body, "second factor")
}

func TestGuessedTokensAreSlowedDown(t *testing.T) {
	t.Parallel()
	s := withToken(t, "")
	last := "x"
	if strings.HasSuffix(s.vars["ghp"], last) {
		last = "y"
	}
	wrong := s.vars["ghp"][:len(s.vars["ghp"])-1] + last
	limited := false
	for range 200 {
		a := s.w.call(t, "", "POST", "/token/personal", `{"token":"`+wrong+`"}`)
		if limited = a.status == 429; limited {
			require.NotEmpty(t, a.header.Get("Retry-After"))
			break
		}
		require.Equal(t, 401, a.status)
	}
	require.True(t, limited)
}
