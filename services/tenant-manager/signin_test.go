package tenantmanager_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

func TestTheFirstRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.expect(t, "the first start", "organization-changed created by 0", "access-changed", "access-changed")
	require.Len(t, w.code, 43)
	require.Equal(t, 1, strings.Count(w.logged(), "sign in once with http://apim-admin.test/setup#code="+w.code))
	require.JSONEq(t, `{"required":true}`, w.call(t, "", "GET", "/setup", "").body)

	first := w.code
	w.stop()
	w.start(t)
	require.NotEqual(t, first, w.code, "each start makes a new code until somebody completes it")
	orgs, err := bus.Ask(t.Context(), w.other, tenant.Organizations{})
	require.NoError(t, err)
	require.Len(t, orgs.Organizations, 1, "and nothing else")
	require.Equal(t, "default", orgs.Organizations[0].Slug)

	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/one-time", `{"code":"wrong"}`).status)
	a := w.call(t, "", "POST", "/sign-in/one-time", `{"code":"`+w.code+`"}`)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"setupRequired":true`)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/one-time", `{"code":"`+w.code+`"}`).status, "once")
	w.expect(t, "one-time sign-in", "user.signed-in")
	token := a.text(t, "accessToken")

	for body, field := range map[string]string{
		`{"organizationName":"A","name":"Ada","email":"ada@example.com","password":"short"}`:            "/password",
		`{"organizationName":"A","name":"Ada","email":"ada@example.com","password":"Password12345"}`:    "/password",
		`{"organizationName":" ","name":"Ada","email":"ada@example.com","password":"` + goodWord + `"}`: "/organizationName",
		`{"organizationName":"A","name":"Ada","email":"ada","password":"` + goodWord + `"}`:             "/email",
	} {
		a := w.call(t, token, "POST", "/setup", body)
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"pointer":"`+field+`"`)
		require.NotContains(t, a.body, "Password12345")
	}
	setup := `{"organizationName":"Acme","name":"Ada","email":"ada@example.com","password":"` + goodWord + `"}`
	a = w.call(t, token, "POST", "/setup", setup)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"setupRequired":false`)
	w.expect(t, "set-up", "organization-changed", "organization.updated", "user.set-up")
	require.Equal(t, 409, w.call(t, token, "POST", "/setup", setup).status)
	require.JSONEq(t, `{"required":false}`, w.call(t, "", "GET", "/setup", "").body)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/one-time", `{"code":"`+first+`"}`).status, "codes from before are void")

	before := w.code
	w.stop()
	w.start(t)
	require.Equal(t, before, w.code, "no new code is made any more")
	a = w.call(t, "", "POST", "/sign-in", `{"email":"ADA@example.com","password":"`+goodWord+`"}`)
	require.Equal(t, 200, a.status, a.body)
	require.NotContains(t, a.body, "setupRequired")
	require.Contains(t, a.body, `"organization":{"id":"`+orgs.Organizations[0].ID+`","name":"Acme","slug":"default"}`)
}

// What is answered does not tell whether there is such an account.
func TestSigningInRevealsNoAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	w.organization(t, "second", "both@example.com")
	w.invite(t, owner, "both@example.com", `{"role":"viewer"}`)
	eve := w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`)
	id := eve.text(t, "user/id")
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+id, `{"status":"disabled"}`, "If-Match", "*").status)

	var bodies []string
	for _, body := range []string{
		`{"email":"ada@example.com","password":"not the right one"}`,
		`{"email":"nobody@example.com","password":"not the right one"}`,
		`{"email":"eve@example.com","password":"` + goodWord + `"}`,                                   // disabled
		`{"email":"both@example.com","password":"not the right one"}`,                                 // in two organizations
		`{"email":"ada@example.com","password":"` + goodWord + `","organization":"second"}`,           // in another
		`{"email":"ada@example.com","password":"` + goodWord + `","organization":"there-is-no-such"}`, // in none
	} {
		a := w.call(t, "", "POST", "/sign-in", body)
		require.Equal(t, 401, a.status, body)
		bodies = append(bodies, strings.ReplaceAll(a.body, a.header.Get("X-Request-Id"), ""))
	}
	require.Len(t, slices.Compact(bodies), 1, "%v", bodies)
	w.signIn(t, "both@example.com", "second")
	w.signIn(t, "both@example.com", "default")
}

// Guessing gets slower, whether there is such an account or not, and in every
// instance.
func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setUp(t)
	guess := func(email, pw string) answer {
		return w.call(t, "", "POST", "/sign-in", `{"email":"`+email+`","password":"`+pw+`"}`)
	}
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		for range 5 {
			require.Equal(t, 401, guess(email, "not the right one").status)
		}
		a := guess(email, goodWord)
		require.Equal(t, 429, a.status, "even the right one waits: %s", a.body)
		require.Equal(t, "1", a.header.Get("Retry-After"))
		w.clock.Advance(time.Second)
		require.Equal(t, 401, guess(email, "not the right one").status)
		require.Equal(t, "2", guess(email, "not the right one").header.Get("Retry-After"), "it doubles")
	}
	w.stop()
	w.start(t)
	require.Equal(t, 429, guess("nobody@example.com", goodWord).status, "a restart forgets nothing")
	w.clock.Advance(time.Second)
	require.Equal(t, 200, guess("ada@example.com", goodWord).status)
	require.Equal(t, 401, guess("ada@example.com", "not the right one").status, "all is forgiven")
}

func TestRefreshTokensAreGoodForOneUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setUp(t)
	in := w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"`+goodWord+`"}`)
	refresh := func(token string) answer {
		return w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+token+`"}`)
	}
	first := in.text(t, "refreshToken")
	a := refresh(first)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, in.text(t, "session"), a.text(t, "session"))
	second := a.text(t, "refreshToken")
	require.NotEqual(t, first, second)
	made := strings.Replace(second, ".2.", ".1.", 1)
	require.Equal(t, 401, refresh(made).status, "one that was made up is refused")
	require.Equal(t, 401, refresh("ghr_nothing").status)
	a = refresh(second)
	require.Equal(t, 200, a.status, "and ends nothing: %s", a.body)
	third, token := a.text(t, "refreshToken"), a.text(t, "accessToken")
	require.Equal(t, 200, w.call(t, token, "GET", "/me", "").status)

	require.Equal(t, 401, refresh(second).status)
	require.Equal(t, 401, refresh(third).status, "one that comes again ends the session")
	require.Equal(t, 401, w.call(t, token, "GET", "/me", "").status, "with its access tokens")

	in = w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"`+goodWord+`"}`)
	w.clock.Advance(7*24*time.Hour + time.Second)
	require.Equal(t, 401, refresh(in.text(t, "refreshToken")).status, "a session that was not used for a week has run out")
}

func TestALostAnswerCanBeForgiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *configuration) { c.Sessions.RefreshLeeway = seconds(10) })
	w.setUp(t)
	in := w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"`+goodWord+`"}`)
	body := `{"refreshToken":"` + in.text(t, "refreshToken") + `"}`
	a := w.call(t, "", "POST", "/token/refresh", body)
	b := w.call(t, "", "POST", "/token/refresh", body)
	require.Equal(t, 200, b.status)
	require.Equal(t, a.text(t, "refreshToken"), b.text(t, "refreshToken"), "the same successor")
	w.clock.Advance(10 * time.Second)
	require.Equal(t, 401, w.call(t, "", "POST", "/token/refresh", body).status)
}

// Others verify tokens with the published keys, and lose nobody when they turn.
func TestKeysOfAccessTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.setUp(t)
	a := w.call(t, "", "GET", "/jwks", "")
	require.Equal(t, 2, strings.Count(a.body, `"kty":"OKP"`), "the present key and the next: %s", a.body)
	require.NotContains(t, a.body, `"d":`, "no private part")
	require.Equal(t, "public, max-age=300", a.header.Get("Cache-Control"))

	log := newLog()
	verifier := authn.NewVerifier(authn.FromBus(w.other), log, w.clock.Now)
	p, err := verifier.Verify(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, authn.User, p.Kind)
	require.Equal(t, "default", p.OrganizationSlug)

	granted, err := bus.Ask(t.Context(), w.other, tenant.Grants{Organization: p.Organization, Principal: p.Subject, Session: p.Session})
	require.NoError(t, err)
	require.True(t, granted.Active)
	require.Equal(t, []string{"*"}, granted.Grants[0].Permissions)
	for _, ask := range []tenant.Grants{
		{},
		{Organization: p.Organization, Principal: "none"},
		{Organization: "none", Principal: p.Subject},
		{Organization: p.Organization, Principal: p.Subject, Session: "none"},
	} {
		granted, err := bus.Ask(t.Context(), w.other, ask)
		require.NoError(t, err)
		require.False(t, granted.Active, "%+v", ask)
		require.Empty(t, granted.Grants)
	}
	users, err := bus.Ask(t.Context(), w.other, tenant.Users{Organization: p.Organization, IDs: []string{p.Subject, "none"}})
	require.NoError(t, err)
	require.Equal(t, []tenant.User{{ID: p.Subject, Name: "Ada", Email: "ada@example.com"}}, users.Users)

	w.stop()
	w.clock.Advance(30 * 24 * time.Hour)
	w.start(t)
	token = w.signIn(t, "ada@example.com", "")
	_, err = verifier.Verify(t.Context(), token)
	require.NoError(t, err, "the next key was known long before it signed")
	require.Equal(t, 3, strings.Count(w.call(t, "", "GET", "/jwks", "").body, `"kty":"OKP"`), "previous, present, next")
}

// A user who is disabled is out everywhere within two seconds.
func TestADisabledUserIsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	eve := w.invite(t, owner, "eve@example.com", `{"role":"viewer"},{"role":"publisher","project":"p1"}`)
	id, token := eve.text(t, "user/id"), eve.text(t, "accessToken")

	// Another service, as it keeps what it was told.
	access := authn.NewAccess(authn.FromBus(w.other), newLog(), time.Now)
	ctx, cancel := contextOf(t)
	ended := make(chan error, 1)
	go func() { ended <- authn.Listen(ctx, w.other, access) }()
	defer func() { cancel(); require.NoError(t, <-ended) }()
	p, err := authn.NewVerifier(authn.FromBus(w.other), newLog(), w.clock.Now).Verify(ctx, token)
	require.NoError(t, err)
	as := authn.With(ctx, p, access)
	require.NoError(t, authn.Require(as, "api:update", authn.Scope{Project: "p1"}))
	require.Error(t, authn.Require(as, "api:update", authn.Scope{Project: "p2"}))

	begun := time.Now()
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+id, `{"status":"disabled"}`, "If-Match", "*").status)
	require.Equal(t, 401, w.call(t, token, "GET", "/me", "").status, "here at once")
	require.Eventually(t, func() bool { return authn.CheckSession(as) != nil }, 2*time.Second, time.Millisecond)
	require.Less(t, time.Since(begun), 2*time.Second)
	require.Equal(t, 401, w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+eve.text(t, "refreshToken")+`"}`).status)
}
