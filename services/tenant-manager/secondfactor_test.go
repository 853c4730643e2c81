package tenantmanager_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A session that waits for a second factor makes nothing that is good once the account
// has one.
func TestWhoWaitsForAFactorMakesNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		w := s.w
		require.Equal(t, 200, w.call(t, s.vars["owner"], "PATCH", "/security-policy", `{"mfa":"everyone","mfaGraceDays":0}`, anyVersion...).status)
		thief := w.call(t, "", "POST", "/sign-in", right)
		require.Contains(t, thief.body, `"factorRequired":true`)
		token := thief.text(t, "accessToken")
		device := w.call(t, "", "POST", "/sign-in/device", `{"name":"laptop"}`)
		for path, body := range map[string]string{
			"/me/tokens":         `{"name":"t","expiresAt":"` + w.clock.Now().Add(24*time.Hour).UTC().Format(time.RFC3339) + `"}`,
			"/me/email":          `{"email":"thief@example.com"}`,
			"/me/password":       `{"current":"` + goodWord + `","new":"other words of my own"}`,
			"/me/recovery-codes": ``,
			"/me/device-sign-ins/" + device.text(t, "userCode"): `{"allow":true}`,
		} {
			a := w.call(t, token, "POST", path, body)
			require.Equal(t, 403, a.status, "%s: %s", path, a.body)
			require.Contains(t, a.body, "set up a second factor first", path)
		}
		require.Equal(t, 200, w.call(t, token, "GET", "/me/factors", "").status)
		require.Equal(t, 204, w.call(t, token, "POST", "/sign-out", "").status)
	})
}

// Factors of an account are changed, and tokens made, in a session that has shown one
// of them: a password that was enough before there was any is not enough for that.
func TestAPasswordChangesNoFactors(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w := s.w
	thief := w.call(t, "", "POST", "/sign-in", right).text(t, "accessToken")
	secret, _ := s.addTOTP(t, "owner")
	for _, path := range []string{"/me/factors/totp", "/me/recovery-codes"} {
		a := w.call(t, thief, "POST", path, `{}`)
		require.Equal(t, 403, a.status, "%s: %s", path, a.body)
		require.Contains(t, a.body, `"code":"confirmation-required"`, path)
	}
	a := w.call(t, thief, "POST", "/me/confirmation", `{"password":"`+goodWord+`"}`)
	require.Equal(t, 422, a.status, a.body)
	require.Contains(t, a.body, `"pointer":"/password"`)
	require.Contains(t, a.body, "second factor")
	require.Equal(t, 403, w.call(t, thief, "POST", "/me/recovery-codes", "").status)

	// Whose session it is shows the factor.
	w.clock.Advance(time.Minute)
	require.Equal(t, 200, w.call(t, thief, "POST", "/me/confirmation", `{"totp":"`+w.totp(t, secret, 0)+`"}`).status)
	require.Equal(t, 201, w.call(t, thief, "POST", "/me/recovery-codes", "").status)
}
