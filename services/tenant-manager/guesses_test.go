package tenantmanager_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Secrets that are not right are held against the address; those that are right
// are not.
func TestGuessesAreHeldAgainstTheAddress(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{
		"/token/refresh":                 `{"refreshToken":"x"}`,
		"/token/personal":                `{"token":"ght_x"}`,
		"/sign-in/one-time":              `{"code":"x"}`,
		"/password-links/by-token/x/use": `{"password":"` + goodWord + `"}`,
		"/invitations/by-token/x/accept": `{"name":"x","password":"` + goodWord + `"}`,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.setUp(t)
			in := w.call(t, "", "POST", "/sign-in", right)
			refresh := in.text(t, "refreshToken")
			for range 60 {
				a := w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+refresh+`"}`)
				require.Equal(t, 200, a.status, "right ones are not counted")
				refresh = a.text(t, "refreshToken")
			}
			var last answer
			for range 52 {
				if last = w.call(t, "", "POST", path, body); last.status == 429 {
					break
				}
				require.Contains(t, []int{401, 404}, last.status, last.body)
			}
			require.Equal(t, 429, last.status)
			require.NotEmpty(t, last.header.Get("Retry-After"))
			w.clock.Advance(time.Minute)
			require.NotEqual(t, 429, w.call(t, "", "POST", path, body).status)
		})
	}
}
