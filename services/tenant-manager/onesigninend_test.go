package tenantmanager_test

import (
	"crypto/ed25519"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Nobody is signed in at an app by a token that is not an app's, twice, or of a sign-in
// that is over; and all of that is answered the same.
func TestTokensThatSignNobodyIn(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	admin := a.atApp(t, "admin", adminBack)
	a.scopes(t, "orders:read")
	require.Equal(t, 422, a.call(t, a.owner, "POST", "/oauth/scopes", `{"name":"gatehouse","title":"x"}`).status)
	shop := a.made(t, `{"name":"Shop","grantTypes":["authorization_code","client_credentials","urn:ietf:params:oauth:grant-type:token-exchange"],
		"redirectUris":["`+back+`"],"scopes":["openid","orders:read"],"audiences":["gatehouse"],"skipConsent":true}`)
	other := a.app(t, shop, "openid", "orders:read")
	theirs := other.token(t, a.owner)
	own, err := a.credentials(shop).Token(t.Context())
	require.NoError(t, err)
	first := admin.swap(t, "nothing")
	require.Equal(t, 401, first.status, first.body)
	without := func(a answer) map[string]any {
		out := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(a.body), &out))
		delete(out, "instance") // the id of the request
		return out
	}
	refused := func(what, token string) {
		t.Helper()
		got := admin.swap(t, token)
		require.Equal(t, 401, got.status, "%s: %s", what, got.body)
		require.Equal(t, without(first), without(got), what)
	}
	refused("another client's", theirs.AccessToken)
	id, _ := theirs.Extra("id_token").(string)
	refused("an ID token", id)
	refused("a client's own", own.AccessToken)
	refused("the product's own", a.owner)
	mine := admin.token(t, a.owner)
	id, _ = mine.Extra("id_token").(string)
	refused("an ID token of the app", id)
	status, body, _ := a.form(t, "token", shop, map[string][]string{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {mine.AccessToken}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
	})
	require.Equal(t, 400, status, "no client acts by an app's token: %v", body)

	// Made by somebody else, or altered.
	claims := jwt.MapClaims{}
	_, _, err = jwt.NewParser().ParseUnverified(mine.AccessToken, claims)
	require.NoError(t, err)
	require.Equal(t, "gatehouse-admin", claims["client_id"])
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	forged, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims).SignedString(key)
	require.NoError(t, err)
	refused("forged", forged)
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	refused("unsigned", unsigned)
	refused("altered", mine.AccessToken[:len(mine.AccessToken)-4]+"AAAA")

	// Of two at the same time one gets a session.
	var (
		both  sync.WaitGroup
		count = make([]int, 4)
	)
	for i := range count {
		both.Go(func() { count[i] = admin.swap(t, mine.AccessToken).status })
	}
	both.Wait()
	require.ElementsMatch(t, []int{200, 401, 401, 401}, count)

	// One that was revoked.
	revoked := admin.token(t, a.owner)
	status, _, _ = a.form(t, "revoke", made{}, map[string][]string{"token": {revoked.AccessToken}, "client_id": {"gatehouse-admin"}})
	require.Equal(t, 200, status)
	refused("revoked", revoked.AccessToken)

	// The sign-in is over: between the code and the token, and between that and the swap.
	address, proof := admin.begin()
	session := a.signIn(t, "ada@example.com", "default")
	to := admin.visit(t, session, address)
	late := admin.token(t, session)
	require.Equal(t, 204, a.call(t, session, "POST", "/sign-out", "").status)
	_, err = admin.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.ErrorContains(t, err, "invalid_grant")
	refused("ended", late.AccessToken)

	// The user is disabled.
	eve := a.invite(t, a.owner, "eve@example.com", `{"role":"viewer"}`)
	hers := admin.token(t, eve.text(t, "accessToken"))
	require.Equal(t, 200, a.call(t, a.owner, "PATCH", "/users/"+eve.text(t, "user/id"), `{"status":"disabled"}`, anyVersion...).status)
	refused("disabled", hers.AccessToken)
	old := admin.token(t, a.owner)
	a.clock.Advance(61 * time.Second)
	refused("old", old.AccessToken)
}

// Who acts as somebody else, or has still to set up a second factor, is nobody: they sign
// in nowhere.
func TestWhoIsNobodySignsInNowhere(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	admin := a.atApp(t, "admin", adminBack)
	silent, _ := admin.begin("prompt", "none")
	ask, _ := admin.begin()

	vic := a.invite(t, a.owner, "vic@example.com", `{"role":"viewer"}`)
	begun := a.call(t, a.signIn(t, "ada@example.com", "default"), "POST", "/users/"+vic.text(t, "user/id")+"/impersonation", `{"reason":"request 4711"}`)
	require.Equal(t, 201, begun.status, begun.body)
	acting := begun.text(t, "accessToken")
	require.Equal(t, 200, a.call(t, acting, "GET", "/me", "").status)
	require.Equal(t, "login_required", admin.visit(t, acting, silent).Query().Get("error"))
	page := admin.visit(t, acting, ask)
	require.Equal(t, "/consent", page.Path)
	path := "/oauth/authorizations/by-token/" + page.Query().Get("request")
	require.Equal(t, 403, a.call(t, acting, "POST", path, `{"allow":true}`).status)

	// Also where the session came of an app's.
	session := admin.enter(t, a.signIn(t, "ada@example.com", "default"))
	begun = a.call(t, session.text(t, "accessToken"), "POST", "/users/"+vic.text(t, "user/id")+"/impersonation", `{"reason":"request 4711"}`)
	require.Equal(t, 201, begun.status, begun.body)
	acting = begun.text(t, "accessToken")
	require.Equal(t, 204, a.call(t, acting, "POST", "/sign-out", "").status)
	require.Equal(t, 200, a.call(t, session.text(t, "accessToken"), "GET", "/me", "").status, "who stops acting is who they were")

	require.Equal(t, 200, a.call(t, a.owner, "PATCH", "/security-policy", `{"mfa":"everyone","mfaGraceDays":0}`, anyVersion...).status)
	waits := a.signIn(t, "vic@example.com", "default")
	require.Equal(t, "login_required", admin.visit(t, waits, silent).Query().Get("error"))
	page = admin.visit(t, waits, ask)
	require.Equal(t, "/consent", page.Path)
	got := a.call(t, waits, "POST", "/oauth/authorizations/by-token/"+page.Query().Get("request"), `{"allow":true}`)
	require.Equal(t, 403, got.status, got.body)
}

// What ends of a family of sessions, and what stays.
func TestFamiliesOfSessions(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	admin, tenant, portal := a.atApp(t, "admin", adminBack), a.atApp(t, "tenant", tenantBack), a.atApp(t, "portal", portalBack)
	type family struct{ parent, admin, tenant, portal string }
	begin := func() family {
		parent := a.signIn(t, "ada@example.com", "default")
		return family{parent, admin.enter(t, parent).text(t, "accessToken"), tenant.enter(t, parent).text(t, "accessToken"), portal.enter(t, parent).text(t, "accessToken")}
	}
	id := func(session string) string {
		got := a.call(t, session, "GET", "/me/sessions", "")
		require.Equal(t, 200, got.status, got.body)
		var list struct {
			Items []struct {
				ID      string `json:"id"`
				Current bool   `json:"current"`
			} `json:"items"`
		}
		require.NoError(t, json.Unmarshal([]byte(got.body), &list))
		for _, s := range list.Items {
			if s.Current {
				return s.ID
			}
		}
		return ""
	}
	open := func(f family) (out [4]bool) {
		for i, s := range []string{f.parent, f.admin, f.tenant, f.portal} {
			out[i] = a.call(t, s, "GET", "/me", "").status == 200
		}
		return out
	}
	all, none := [4]bool{true, true, true, true}, [4]bool{}
	stays := begin()
	for name, c := range map[string]struct {
		end  func(f family) answer
		want [4]bool
	}{
		"signing out at an app":           {func(f family) answer { return a.call(t, f.tenant, "POST", "/sign-out", "") }, none},
		"signing out at the auth console": {func(f family) answer { return a.call(t, f.parent, "POST", "/sign-out", "") }, none},
		"one of the list":                 {func(f family) answer { return a.call(t, f.parent, "DELETE", "/me/sessions/"+id(f.admin), "") }, [4]bool{true, false, true, true}},
		"one's own of the list":           {func(f family) answer { return a.call(t, f.portal, "DELETE", "/me/sessions/"+id(f.portal), "") }, [4]bool{true, true, true, false}},
		"the parent of the list":          {func(f family) answer { return a.call(t, f.admin, "DELETE", "/me/sessions/"+id(f.parent), "") }, none},
	} {
		f := begin()
		require.Equal(t, all, open(f), name)
		res := c.end(f)
		require.Equal(t, 204, res.status, "%s: %s", name, res.body)
		require.Equal(t, c.want, open(f), name)
		require.Equal(t, all, open(stays), "%s: another sign-in goes on", name)
	}
	// The others end, and what this one came of is no other.
	f := begin()
	require.Equal(t, 204, a.call(t, f.admin, "DELETE", "/me/sessions", "").status)
	require.Equal(t, [4]bool{true, true, false, false}, open(f))
	require.Equal(t, none, open(stays))
}

// A session at an app lasts no longer than the sign-in that it came of, and keeps that in
// use while it is.
func TestAnAppIsUsedNoLongerThanTheSignIn(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	admin := a.atApp(t, "admin", adminBack)
	require.Equal(t, 200, a.call(t, a.owner, "PATCH", "/security-policy", `{"sessionLifetimeHours":3,"sessionIdleMinutes":30}`, anyVersion...).status)
	parent := a.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"`+goodWord+`"}`)
	require.Equal(t, 200, parent.status, parent.body)
	in := admin.enter(t, parent.text(t, "accessToken"))
	refresh := func() int {
		next := a.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+in.text(t, "refreshToken")+`"}`)
		if next.status == 200 {
			in = next
		}
		return next.status
	}
	for range 8 { // more than the sign-in may be idle
		a.clock.Advance(20 * time.Minute)
		require.Equal(t, 200, refresh())
	}
	next := a.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+parent.text(t, "refreshToken")+`"}`)
	require.Equal(t, 200, next.status, "the sign-in was in use")
	again := admin.enter(t, next.text(t, "accessToken"))
	a.clock.Advance(21 * time.Minute)
	require.Equal(t, 401, refresh(), "three hours after signing in")
	require.Equal(t, 401, a.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+again.text(t, "refreshToken")+`"}`).status, "though it began minutes ago")
}

// Who switches to another of their organizations and signs out there is signed out.
func TestSigningOutAfterSwitching(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	admin := a.atApp(t, "admin", adminBack)
	globex := a.organization(t, "globex", "ada@example.com")
	parent := a.signIn(t, "ada@example.com", "default")
	at := admin.enter(t, parent).text(t, "accessToken")
	switched := a.call(t, at, "POST", "/me/organizations/"+globex+"/session", `{}`)
	require.Equal(t, 200, switched.status, switched.body)
	there := switched.text(t, "accessToken")
	require.Equal(t, 204, a.call(t, there, "POST", "/sign-out", "").status)
	for _, session := range []string{there, at, parent} {
		require.Equal(t, 401, a.call(t, session, "GET", "/me", "").status)
	}
	// And the other way round; an administrator of the one has no say in the other.
	parent = a.signIn(t, "ada@example.com", "default")
	at = admin.enter(t, parent).text(t, "accessToken")
	there = a.call(t, at, "POST", "/me/organizations/"+globex+"/session", `{}`).text(t, "accessToken")
	require.Equal(t, 204, a.call(t, parent, "POST", "/sign-out", "").status)
	require.Equal(t, 401, a.call(t, there, "GET", "/me", "").status)
	parent = a.signIn(t, "ada@example.com", "default")
	there = a.call(t, parent, "POST", "/me/organizations/"+globex+"/session", `{}`).text(t, "accessToken")
	me := a.call(t, a.owner, "GET", "/me", "").text(t, "user/id")
	d := a.database(t)
	require.NoError(t, d.Tx(t.Context(), a.call(t, a.owner, "GET", "/organization", "").text(t, "id"), "", func(tx *store.Tx) error {
		_, err := tx.EndSessions(t.Context(), me, "", "")
		return err
	}))
	require.Equal(t, 200, a.call(t, there, "GET", "/me", "").status)
}
