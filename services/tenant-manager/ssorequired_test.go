package tenantmanager_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
)

// enrolled is somebody who had every other way in before single sign-on was demanded.
type enrolled struct {
	email, totp         string
	session, refresh    string
	passkey             *phone
	personal            string
	challenge, link     string
	terminal, code      string
	recovery, recovered string
}

const here = `{"origin":"http://apim-admin.test"}`

// enrol gives somebody a passkey, an authenticator app, a personal token, a link for a
// new password, and a terminal that waits for them.
func (w *world) enrol(t *testing.T, owner, email string, a answer) *enrolled {
	t.Helper()
	id := a.text(t, "user/id")
	e := &enrolled{email: email, session: a.text(t, "accessToken"), refresh: a.text(t, "refreshToken"), passkey: newPhone("http://apim-admin.test", "apim-admin.test", id)}
	a = w.call(t, e.session, "POST", "/me/factors/passkeys", e.passkey.create(t, w.call(t, e.session, "POST", "/me/factors/passkey-options", here), `"name":"Laptop",`))
	require.Equal(t, 201, a.status, a.body)
	var made struct{ RecoveryCodes []string }
	require.NoError(t, json.Unmarshal([]byte(a.body), &made))
	e.recovery = made.RecoveryCodes[0]
	e.passkey.auth.AddCredential(e.passkey.cred)
	a = w.call(t, e.session, "POST", "/me/factors/totp", `{"name":"Phone"}`)
	require.Equal(t, 201, a.status, a.body)
	e.totp = a.text(t, "secret")
	a = w.call(t, e.session, "POST", "/me/factors/"+a.text(t, "id")+"/activation", `{"code":"`+w.totp(t, e.totp, 0)+`"}`)
	require.Equal(t, 200, a.status, a.body)
	a = w.call(t, e.session, "POST", "/me/tokens", `{"name":"t","expiresAt":"`+w.clock.Now().Add(48*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	require.Equal(t, 201, a.status, a.body)
	e.personal = a.text(t, "token")
	for _, into := range []*string{&e.challenge, &e.recovered} {
		a = w.password(t, email, goodWord)
		require.Equal(t, 202, a.status, a.body)
		*into = a.text(t, "challenge")
	}
	a = w.call(t, owner, "POST", "/users/"+id+"/password-links", "")
	require.Equal(t, 201, a.status, a.body)
	e.link = a.text(t, "token")
	e.terminal, e.code = w.terminal(t)
	return e
}

// terminal begins a sign-in at a terminal.
func (w *world) terminal(t *testing.T) (secret, code string) {
	t.Helper()
	a := w.call(t, "", "POST", "/sign-in/device", `{"name":"gatehouse"}`)
	require.Equal(t, 200, a.status, a.body)
	return a.text(t, "deviceCode"), a.text(t, "userCode")
}

// atTerminal allows a terminal with a session, and returns what the terminal gets.
func (w *world) atTerminal(t *testing.T, session, secret, code string) int {
	t.Helper()
	if a := w.call(t, session, "POST", "/me/device-sign-ins/"+code, `{"allow":true}`); a.status != 204 {
		return a.status
	}
	w.clock.Advance(2 * time.Second)
	return w.call(t, "", "POST", "/sign-in/device/token", `{"deviceCode":"`+secret+`"}`).status
}

// What lets somebody in whose organization demands single sign-on, and what lets in
// who is kept for the day when that does not work.
func TestWaysInWhenSingleSignOnIsDemanded(t *testing.T) {
	t.Parallel()
	w, p, owner, domain, _, tokens := ruleWorld(t)
	bound := w.enrol(t, owner, "max@acme.example", tokens["max"])
	boss := w.enrol(t, owner, "boss@acme.example", tokens["boss"])
	require.Equal(t, 200, w.federate(t, p, "eve@acme.example", "eve").status)
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+tokens["boss"].text(t, "user/id"), `{"breakGlass":true}`, anyVersion...).status)
	a := w.call(t, owner, "PATCH", "/domains/"+domain, `{"singleSignOn":"required"}`, anyVersion...)
	require.Equal(t, 200, a.status, a.body)

	post := func(path, body string) int { return w.call(t, "", "POST", path, body).status }
	expires := w.clock.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	for _, way := range []struct {
		name         string
		try          func(e *enrolled) int
		bound, glass int
	}{
		{"password", func(e *enrolled) int { return w.password(t, e.email, goodWord).status }, 401, 202},
		{"passkey", func(e *enrolled) int {
			return post("/sign-in/passkey", e.passkey.get(t, w.call(t, "", "POST", "/sign-in/passkey-options", here)))
		}, 403, 200},
		{"authenticator app, after a password of before", func(e *enrolled) int {
			w.clock.Advance(31 * time.Second) // its code was used to set it up
			return post("/sign-in/second-step", `{"challenge":"`+e.challenge+`","totp":"`+w.totp(t, e.totp, 0)+`"}`)
		}, 403, 200},
		{"recovery code, after a password of before", func(e *enrolled) int {
			return post("/sign-in/second-step", `{"challenge":"`+e.recovered+`","recoveryCode":"`+e.recovery+`"}`)
		}, 403, 200},
		{"terminal, allowed by a session of before", func(e *enrolled) int { return w.atTerminal(t, e.session, e.terminal, e.code) }, 403, 200},
		{"a new personal token, by a session of before", func(e *enrolled) int {
			return w.call(t, e.session, "POST", "/me/tokens", `{"name":"u","expiresAt":"`+expires+`"}`).status
		}, 403, 201},
		{"a personal token of before", func(e *enrolled) int { return post("/token/personal", `{"token":"`+e.personal+`"}`) }, 200, 200},
		{"a session of before, when it is renewed", func(e *enrolled) int { return post("/token/refresh", `{"refreshToken":"`+e.refresh+`"}`) }, 401, 200},
		{"a link for a new password of before", func(e *enrolled) int {
			return post("/password-links/by-token/"+e.link+"/use", `{"password":"another quiet evening 4"}`)
		}, 403, 202},
	} {
		require.Equal(t, way.bound, way.try(bound), "%s: who is bound", way.name)
		require.Equal(t, way.glass, way.try(boss), "%s: the break-glass account", way.name)
	}

	// By the provider they come in, and can do all of it.
	in := w.federate(t, p, "max@acme.example", "max")
	require.Equal(t, 200, in.status, in.body)
	challenge := in.text(t, "challenge/challenge")
	a = w.call(t, "", "POST", "/sign-in/second-step", `{"challenge":"`+challenge+`","totp":"`+w.totp(t, bound.totp, 30*time.Second)+`"}`)
	require.Equal(t, 200, a.status, a.body)
	session := a.text(t, "accessToken")
	secret, code := w.terminal(t)
	require.Equal(t, 200, w.atTerminal(t, session, secret, code))
	require.Equal(t, 201, w.call(t, session, "POST", "/me/tokens", `{"name":"v","expiresAt":"`+expires+`"}`).status)
}

// Where a directory is what single sign-on is demanded of, its password lets in, and
// one that is kept here does not.
func TestADirectoryThatIsDemanded(t *testing.T) {
	t.Parallel()
	slapd := testkit.Slapd(t, entries)
	w, owner := directoryWorld(t)
	boss := w.invite(t, owner, "boss@acme.example", `{"role":"owner"}`)
	w.invite(t, owner, "max@acme.example", `{"role":"viewer"}`)
	w.connectDirectory(t, owner, slapd, nil, nil)
	require.Equal(t, 200, w.enter(t, "eve@acme.example", directoryWord).status)
	require.Equal(t, 200, w.enter(t, "max@acme.example", goodWord).status, "nothing is demanded yet")
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+boss.text(t, "user/id"), `{"breakGlass":true}`, anyVersion...).status)
	domain := w.call(t, owner, "GET", "/domains", "").text(t, "items/0/id")
	a := w.call(t, owner, "PATCH", "/domains/"+domain, `{"singleSignOn":"required"}`, anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	for _, c := range []struct {
		email, word string
		want        int
	}{
		{"max@acme.example", goodWord, 401},
		{"max@acme.example", directoryWord, 200},
		{"boss@acme.example", goodWord, 200},
		{"eve@acme.example", directoryWord, 200},
		{"eve@acme.example", goodWord, 401},
	} {
		a := w.enter(t, c.email, c.word)
		require.Equal(t, c.want, a.status, "%s: %s", c.email, a.body)
		if c.want == 200 {
			secret, code := w.terminal(t)
			require.Equal(t, 200, w.atTerminal(t, a.text(t, "accessToken"), secret, code), c.email)
		}
	}
}
