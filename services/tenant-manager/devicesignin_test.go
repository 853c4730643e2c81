package tenantmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A terminal shows a code, somebody enters it where they are signed in, and the
// terminal has a session of theirs.
func TestSigningInOnADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setUp(t)
	owner := w.signIn(t, "ada@example.com", "")
	begin := func() (secret, code string) {
		a := w.call(t, "", "POST", "/sign-in/device", `{"name":"gatehouse on build-7"}`)
		require.Equal(t, 200, a.status, a.body)
		code = a.text(t, "userCode")
		require.Regexp(t, `^([B-Z]{3}-){2}[B-Z]{3}$`, code)
		require.True(t, strings.HasSuffix(a.text(t, "urlWithCode"), "/device?code="+code))
		return a.text(t, "deviceCode"), code
	}
	poll := func(secret string) answer {
		w.clock.Advance(2 * time.Second)
		return w.call(t, "", "POST", "/sign-in/device/token", `{"deviceCode":"`+secret+`"}`)
	}

	secret, code := begin()
	a := poll(secret)
	require.Equal(t, 202, a.status)
	require.Empty(t, a.body)
	for range 3 {
		hasty := w.call(t, "", "POST", "/sign-in/device/token", `{"deviceCode":"`+secret+`"}`)
		require.Equal(t, 429, hasty.status, "it asks before its interval is over")
		require.Equal(t, "2", hasty.header.Get("Retry-After"))
	}
	require.Equal(t, 202, poll(secret).status, "which it has nothing of")
	require.Equal(t, 401, poll(code).status, "the code that is shown is no secret of the device")
	require.Equal(t, 401, poll("none").status)

	path := "/me/device-sign-ins/" + strings.ToLower(strings.ReplaceAll(code, "-", "%20"))
	require.Equal(t, 401, w.call(t, "", "GET", path, "").status)
	a = w.call(t, owner, "GET", path, "")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "gatehouse on build-7", a.text(t, "name"))
	require.Equal(t, "127.0.0.1", a.text(t, "address"))
	require.Equal(t, 202, poll(secret).status, "looking at it decides nothing")
	require.Equal(t, 204, w.call(t, owner, "POST", path, `{"allow":true}`).status)
	require.Equal(t, 404, w.call(t, owner, "POST", path, `{"allow":true}`).status, "a code is good once")
	a = poll(secret)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, 401, poll(secret).status, "so is the secret of the device")
	mine := w.call(t, a.text(t, "accessToken"), "GET", "/me", "")
	require.Equal(t, "ada@example.com", mine.text(t, "user/email"))
	require.Equal(t, 200, w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+a.text(t, "refreshToken")+`"}`).status, "it is a session like any other")
	require.Eventually(t, func() bool { // entries reach the trail over the bus
		return strings.Contains(w.call(t, owner, "GET", "/audit?action=user.device-allowed", "").body, "gatehouse on build-7")
	}, 10*time.Second, 10*time.Millisecond)

	// Denied, and too late.
	secret, code = begin()
	require.Equal(t, 204, w.call(t, owner, "POST", "/me/device-sign-ins/"+code, `{"allow":false}`).status)
	require.Equal(t, 401, poll(secret).status)
	secret, code = begin()
	w.clock.Advance(10 * time.Minute)
	owner = w.signIn(t, "ada@example.com", "")
	require.Equal(t, 404, w.call(t, owner, "GET", "/me/device-sign-ins/"+code, "").status)
	require.Equal(t, 401, poll(secret).status)

	// Who allowed it has left in the meantime.
	eve := w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`)
	secret, code = begin()
	require.Equal(t, 204, w.call(t, eve.text(t, "accessToken"), "POST", "/me/device-sign-ins/"+code, `{"allow":true}`).status)
	id := w.call(t, eve.text(t, "accessToken"), "GET", "/me", "").text(t, "user/id")
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+id, `{"status":"disabled"}`, anyVersion...).status)
	require.Equal(t, 401, poll(secret).status)
}

// Nobody finds a code by trying, and no token of a person lets somebody in.
func TestCodesOfDevicesAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setUp(t)
	owner := w.signIn(t, "ada@example.com", "")
	token := w.call(t, owner, "POST", "/me/tokens", `{"name":"t","expiresAt":"`+w.clock.Now().AddDate(0, 0, 20).UTC().Format(time.RFC3339)+`"}`)
	require.Equal(t, 201, token.status, token.body)
	exchanged := w.call(t, "", "POST", "/token/personal", `{"token":"`+token.text(t, "token")+`"}`)
	a := w.call(t, "", "POST", "/sign-in/device", `{"name":"terminal"}`)
	require.Equal(t, 403, w.call(t, exchanged.text(t, "accessToken"), "POST", "/me/device-sign-ins/"+a.text(t, "userCode"), `{"allow":true}`).status)

	last := 0
	for range 20 {
		if last = w.call(t, owner, "GET", "/me/device-sign-ins/BBB-BBB-BBC", "").status; last == 429 {
			break
		}
	}
	require.Equal(t, 429, last)
	require.Equal(t, 422, w.call(t, "", "POST", "/sign-in/device", `{"name":""}`).status)
}
