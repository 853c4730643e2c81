package tenantmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSecurityPolicy(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w, owner := s.w, s.vars["owner"]
	vera := w.invite(t, owner, "vera@example.com", `{"role":"viewer"}`)
	w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")
	a := w.call(t, owner, "GET", "/security-policy", "")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"mfa":"off"`)
	require.Contains(t, a.body, `"users":2`)
	patch := func(body string) answer {
		return w.call(t, owner, "PATCH", "/security-policy", body, "If-Match", w.call(t, owner, "GET", "/security-policy", "").header.Get("ETag"))
	}
	for body, pointer := range map[string]string{
		`{"passwordMinLength":9}`:                    "/passwordMinLength",
		`{"mfa":"sometimes"}`:                        "/mfa",
		`{"allowedAddresses":["here"]}`:              "/allowedAddresses/0",
		`{"allowedAddresses":["10.0.0.0/8"]}`:        "/allowedAddresses", // not the caller's own
		`{"tokenLifetimeDays":-1}`:                   "/tokenLifetimeDays",
		`{"personalTokens":{"maximumDays":0}}`:       "/personalTokens/maximumDays",
		`{"sessionIdleMinutes":1,"nothing":1}`:       "/nothing",
		`{"mfaGraceDays":91,"mfa":"administrators"}`: "/mfaGraceDays",
		`{"lockout":{"tries":2}}`:                    "/lockout/tries",
		`{"lockout":{"longestMinutes":1441}}`:        "/lockout/longestMinutes",
		`{"lockout":{"firstSeconds":301}}`:           "/lockout/firstSeconds",
	} {
		a := patch(body)
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"pointer":"`+pointer+`"`, body)
	}
	hits := w.call(t, owner, "POST", "/security-policy/preview", `{"mfa":"everyone","allowedAddresses":["10.0.0.0/8"],"passwordMinLength":14}`)
	require.JSONEq(t, `{"users":2,"mfa":2,"allowedAddresses":2,"passwordMinLength":2,"session":0,"tokenLifetimeDays":0,"personalTokens":0,"serviceTokens":0,"lockout":0,"impersonation":0}`, hits.body)
	require.Contains(t, w.call(t, owner, "POST", "/security-policy/preview", `{"mfa":"administrators"}`).body, `"mfa":1`)
	require.Equal(t, 403, w.call(t, vera.text(t, "accessToken"), "GET", "/security-policy", "").status)

	require.Equal(t, 428, w.call(t, owner, "PATCH", "/security-policy", `{}`).status)
	a = patch(`{"passwordMinLength":20,"tokenLifetimeDays":30,"allowedAddresses":["127.0.0.1","127.0.0.1/32"]}`)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"allowedAddresses":["127.0.0.1/32"]`)
	w.expect(t, "changed", "security-policy.updated")
	require.Equal(t, 412, w.call(t, owner, "PATCH", "/security-policy", `{"passwordMinLength":12}`, "If-Match", `"v7"`).status)

	// Password length.
	a = w.call(t, owner, "POST", "/me/password", `{"current":"`+goodWord+`","new":"nineteen characters"}`)
	require.Equal(t, 422, a.status)
	require.Contains(t, a.body, "at least 20 characters, as your organization asks")

	// Lifetime of tokens.
	id := w.call(t, owner, "POST", "/service-accounts", `{"name":"CI"}`).text(t, "id")
	require.Contains(t, w.call(t, owner, "POST", "/service-accounts/"+id+"/tokens", `{"name":"t"}`).body, `"pointer":"/expiresAt"`)
	soon := w.clock.Now().Add(29 * 24 * time.Hour).UTC().Format(time.RFC3339)
	require.Equal(t, 201, w.call(t, owner, "POST", "/service-accounts/"+id+"/tokens", `{"name":"t","expiresAt":"`+soon+`"}`).status)

	// Sessions end earlier, also those of before.
	again := w.call(t, "", "POST", "/sign-in", right)
	require.Contains(t, again.body, `"allowedAddresses":["127.0.0.1/32"]`)
	require.Equal(t, 200, patch(`{"sessionIdleMinutes":5,"sessionLifetimeHours":2}`).status)
	w.clock.Advance(4 * time.Minute)
	turned := w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+again.text(t, "refreshToken")+`"}`)
	require.Equal(t, 200, turned.status, turned.body)
	w.clock.Advance(6 * time.Minute)
	require.Equal(t, 401, w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+turned.text(t, "refreshToken")+`"}`).status)
}

// How many wrong passwords cost nothing is the organization's to say, and the same
// whether there is such an account or not.
func TestHowLongGuessingWaits(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w, owner := s.w, s.vars["owner"]
	id := w.call(t, owner, "POST", "/service-accounts", `{"name":"CI"}`).text(t, "id")
	ght := w.call(t, owner, "POST", "/service-accounts/"+id+"/tokens", `{"name":"t"}`).text(t, "token")
	a := w.call(t, owner, "PATCH", "/security-policy", `{"lockout":{"tries":3,"firstSeconds":60,"longestMinutes":5}}`, anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"lockout":{"firstSeconds":60,"longestMinutes":5,"tries":3}`)
	for _, email := range []string{"nobody@example.com", "ada@example.com"} {
		guess := func() answer { return w.password(t, email, "not the right one") }
		for range 2 {
			require.Equal(t, 401, guess().status)
		}
		require.Contains(t, w.call(t, owner, "POST", "/security-policy/preview", `{"lockout":{"tries":3}}`).body, `"lockout":0`)
		require.Equal(t, 401, guess().status)
		a := guess()
		require.Equal(t, 429, a.status)
		require.Equal(t, "60", a.header.Get("Retry-After"))
		require.Equal(t, 429, w.password(t, email, goodWord).status, "the right one waits too")
		hits := map[string]string{"nobody@example.com": `"lockout":0`, "ada@example.com": `"lockout":1`}
		require.Contains(t, w.call(t, owner, "POST", "/security-policy/preview", `{"lockout":{"tries":3}}`).body, hits[email])
		w.clock.Advance(time.Minute)
		require.Equal(t, 401, guess().status)
		require.Equal(t, "120", guess().header.Get("Retry-After"))
		w.clock.Advance(2 * time.Minute)
		if email == "ada@example.com" {
			signedIn := w.password(t, email, goodWord)
			require.Equal(t, 200, signedIn.status, signedIn.body)
			owner = signedIn.text(t, "accessToken")
			require.Contains(t, w.call(t, owner, "POST", "/security-policy/preview", `{"lockout":{"tries":3}}`).body, `"lockout":0`)
			w.lock(t, owner, id, ght)
			return
		}
	}
}

// lock switches tokens of service accounts off and on again, and addresses of the
// caller off.
func (w *world) lock(t *testing.T, owner, account, ght string) {
	t.Helper()
	exchange := func() int { return w.call(t, "", "POST", "/token/personal", `{"token":"`+ght+`"}`).status }
	require.Equal(t, 200, exchange())
	require.Contains(t, w.call(t, owner, "POST", "/security-policy/preview", `{"serviceTokens":false}`).body, `"serviceTokens":1`)
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/security-policy", `{"serviceTokens":false}`, anyVersion...).status)
	require.Equal(t, 401, exchange())
	require.Equal(t, 403, w.call(t, owner, "POST", "/service-accounts/"+account+"/tokens", `{"name":"u"}`).status)
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/security-policy", `{"serviceTokens":true}`, anyVersion...).status)
	require.Equal(t, 200, exchange())

	out := `{"allowedAddresses":["10.0.0.0/8"]}`
	a := w.call(t, owner, "PATCH", "/security-policy", out, anyVersion...)
	require.Equal(t, 422, a.status)
	require.Contains(t, a.body, `"code":"lockout"`)
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/security-policy?confirmLockout=true", out, anyVersion...).status)
	require.Equal(t, 403, w.password(t, "ada@example.com", goodWord).status)
}

func TestASecondFactorCanBeAskedFor(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w := s.w
	w.invite(t, s.vars["owner"], "vera@example.com", `{"role":"viewer"}`)
	policy := func(body string) {
		a := w.call(t, s.vars["owner"], "PATCH", "/security-policy", body, anyVersion...)
		require.Equal(t, 200, a.status, a.body)
	}
	policy(`{"mfa":"administrators","mfaGraceDays":1}`)
	require.NotContains(t, w.call(t, "", "POST", "/sign-in", right).body, "factorRequired", "there is time")
	w.clock.Advance(25 * time.Hour)
	vera := strings.Replace(right, "ada@", "vera@", 1)
	require.NotContains(t, w.call(t, "", "POST", "/sign-in", vera).body, "factorRequired", "no administrator")

	a := w.call(t, "", "POST", "/sign-in", right)
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, `"factorRequired":true`)
	s.vars["owner"] = a.text(t, "accessToken")
	for _, path := range []string{"/users", "/audit", "/security-policy"} {
		require.Equal(t, 403, w.call(t, s.vars["owner"], "GET", path, "").status, "nothing can be done before")
	}
	me := w.call(t, s.vars["owner"], "GET", "/me", "")
	require.Contains(t, me.body, `"factorRequired":true`)
	require.Contains(t, me.body, `"permissions":[]`)
	// Somebody else has the password too, and waits as well.
	thief := w.call(t, "", "POST", "/sign-in", right)
	require.Contains(t, thief.body, `"factorRequired":true`)
	s.addTOTP(t, "owner")
	require.Eventually(t, func() bool { return w.call(t, s.vars["owner"], "GET", "/users", "").status == 200 }, eventually, tick)
	require.Equal(t, 401, w.call(t, thief.text(t, "accessToken"), "GET", "/users", "").status, "only the session that showed the factor is good")
	require.Equal(t, 401, w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+thief.text(t, "refreshToken")+`"}`).status)
	require.Equal(t, 202, w.call(t, "", "POST", "/sign-in", right).status, "now with the factor")
	require.NotContains(t, w.call(t, s.vars["owner"], "GET", "/me", "").body, "factorRequired")

	// Sessions of before follow when their tokens are renewed.
	a = w.call(t, "", "POST", "/sign-in", vera)
	policy(`{"mfa":"everyone","mfaGraceDays":0}`)
	turned := w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+a.text(t, "refreshToken")+`"}`)
	require.Contains(t, turned.body, `"factorRequired":true`)
}

// What is answered does not tell whether there is such an account; an
// administrator sees who asked, and makes the link.
func TestAskingForANewPassword(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w := s.w
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		a := w.call(t, "", "POST", "/password-links", `{"email":"`+email+`"}`)
		require.Equal(t, 202, a.status)
		require.Empty(t, a.body)
	}
	require.Contains(t, w.call(t, "", "POST", "/password-links", `{"email":"nonsense"}`).body, `"pointer":"/email"`)
	w.expect(t, "asked", "user.password-requested")
	a := w.call(t, s.vars["owner"], "GET", "/password-requests", "")
	require.Contains(t, a.body, `"email":"ada@example.com"`)
	require.Contains(t, a.body, `"ip":"127.0.0.1"`)
	require.Equal(t, 201, w.call(t, s.vars["owner"], "POST", "/users/"+s.vars["ownerId"]+"/password-links", "").status)
	require.JSONEq(t, `{"items":[]}`, w.call(t, s.vars["owner"], "GET", "/password-requests", "").body, "answered")
	require.Equal(t, 204, w.call(t, s.vars["owner"], "DELETE", "/password-requests/"+s.vars["ownerId"], "").status)
	var last answer
	for range 7 {
		last = w.call(t, "", "POST", "/password-links", `{"email":"nobody@example.com"}`)
	}
	require.Equal(t, 429, last.status, "nobody is swamped, and nobody learns anything by it")
	require.NotEmpty(t, last.header.Get("Retry-After"))
}

// Whether anybody acts as somebody else is the organization's to say: who does stops at once.
func TestNobodyActsAsOthersWhereThePolicySaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	eve := w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`)
	w.invite(t, owner, "vic@example.com", `{"role":"administrator"}`)
	as := "/users/" + eve.text(t, "user/id") + "/impersonation"
	begun := w.call(t, owner, "POST", as, `{"reason":"to see what they see"}`)
	require.Equal(t, 201, begun.status, begun.body)
	acting := begun.text(t, "accessToken")
	require.Equal(t, 200, w.call(t, acting, "GET", "/me", "").status)
	require.Contains(t, w.call(t, owner, "GET", "/security-policy", "").body, `"impersonation":true`)
	hits := w.call(t, owner, "POST", "/security-policy/preview", `{"impersonation":false}`)
	require.Equal(t, 200, hits.status, hits.body)
	require.Contains(t, hits.body, `"impersonation":1`, "the owner")
	a := w.call(t, owner, "PATCH", "/security-policy", `{"impersonation":false}`, anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	require.Eventually(t, func() bool { return w.call(t, acting, "GET", "/me", "").status == 401 }, 10*time.Second, 10*time.Millisecond)
	again := w.call(t, owner, "POST", as, `{"reason":"to see what they see"}`)
	require.Equal(t, 403, again.status)
	require.Contains(t, again.body, "lets nobody act as somebody else")

	// How long a password is at least stands where one is chosen.
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/security-policy", `{"passwordMinLength":17,"impersonation":true}`, anyVersion...).status)
	require.Contains(t, w.call(t, owner, "GET", "/me", "").body, `"passwordMinLength":17`)
	link := w.call(t, owner, "POST", "/users/"+eve.text(t, "user/id")+"/password-links", "").text(t, "token")
	require.Contains(t, w.call(t, "", "GET", "/password-links/by-token/"+link, "").body, `"passwordMinLength":17`)
	invitation := w.call(t, owner, "POST", "/invitations", `{"email":"fay@example.com","roles":[{"role":"viewer"}]}`).text(t, "token")
	require.Contains(t, w.call(t, "", "GET", "/invitations/by-token/"+invitation, "").body, `"passwordMinLength":17`)
	require.Equal(t, 201, w.call(t, owner, "POST", as, `{"reason":"to see what they see"}`).status)
}
