package tenantmanager_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

const newWord = "quite different words of mine"

// must sends a request that is answered with a status.
func (w *world) must(t *testing.T, status int, token, method, path, body string, header ...string) answer {
	t.Helper()
	a := w.call(t, token, method, path, body, header...)
	require.Equal(t, status, a.status, "%s %s: %s", method, path, a.body)
	return a
}

// What somebody begins by a session that they should not have ends with everything that
// takes that session from them: a link to another address, a link to a new password, a
// terminal that was allowed.
func TestWhatAnOldSessionBeganEndsWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	owner, p := w.setUp(t), newPostOffice(t, false)
	w.must(t, 200, owner, "PUT", "/mail/settings", p.settings("starttls"), "If-Match", `"v1"`)
	letterTo := func(email, path string) string {
		t.Helper()
		for {
			l := p.next(t)
			if found := secretOfLink.FindStringSubmatch(l.text); l.to == email && found != nil && strings.Contains(l.text, path) {
				return found[1]
			}
		}
	}
	type owned struct {
		id, email, token string
		// reset is a link to a new password.
		reset string
	}
	for name, c := range map[string]struct {
		act func(t *testing.T, u owned)
	}{
		"the password is changed": {act: func(t *testing.T, u owned) {
			w.must(t, 204, u.token, "POST", "/me/password", `{"current":"`+goodWord+`","new":"`+newWord+`"}`)
		}},
		"the password is set by a link": {act: func(t *testing.T, u owned) {
			w.must(t, 200, "", "POST", "/password-links/by-token/"+u.reset+"/use", `{"password":"`+newWord+`"}`)
		}},
		"the owner ends the other sessions": {act: func(t *testing.T, u owned) { w.must(t, 204, u.token, "DELETE", "/me/sessions", "") }},
		"an administrator ends the sessions": {act: func(t *testing.T, u owned) {
			w.must(t, 204, owner, "DELETE", "/users/"+u.id+"/sessions", "")
		}},
		"the account is switched off and on": {act: func(t *testing.T, u owned) {
			w.must(t, 200, owner, "PATCH", "/users/"+u.id, `{"status":"disabled"}`, anyVersion...)
			w.must(t, 200, owner, "PATCH", "/users/"+u.id, `{"status":"active"}`, anyVersion...)
		}},
		"the factors are reset":  {act: func(t *testing.T, u owned) { w.must(t, 204, owner, "DELETE", "/users/"+u.id+"/factors", "") }},
		"the account is deleted": {act: func(t *testing.T, u owned) { w.must(t, 204, owner, "DELETE", "/users/"+u.id, "", anyVersion...) }},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // one clock, one post office
			email := strings.ReplaceAll(name, " ", ".") + "@example.com"
			in := w.invite(t, owner, email, `{"role":"viewer"}`)
			u := owned{id: in.text(t, "user/id"), email: email, token: in.text(t, "accessToken")}
			thief := w.password(t, email, goodWord).text(t, "accessToken")
			w.must(t, 202, thief, "POST", "/me/email", `{"email":"thief.`+email+`"}`)
			link := letterTo("thief."+email, "/email#")
			w.must(t, 202, "", "POST", "/password-links", `{"email":"`+email+`"}`)
			u.reset = letterTo(email, "/password#")
			secret, code := w.terminal(t)
			w.must(t, 204, thief, "POST", "/me/device-sign-ins/"+code, `{"allow":true}`)

			w.clock.Advance(2 * time.Second)
			c.act(t, u)
			w.must(t, 404, "", "POST", "/email-changes/by-token/"+link+"/confirm", "")
			w.must(t, 404, "", "GET", "/password-links/by-token/"+u.reset, "")
			w.must(t, 401, "", "POST", "/sign-in/device/token", `{"deviceCode":"`+secret+`"}`)
		})
	}

	// Who ends one session alone ends what that one asked for, and whoever signs out.
	in := w.invite(t, owner, "one@example.com", `{"role":"viewer"}`)
	thief := w.password(t, "one@example.com", goodWord)
	w.must(t, 202, thief.text(t, "accessToken"), "POST", "/me/email", `{"email":"thief@one.example"}`)
	link := letterTo("thief@one.example", "/email#")
	secret, code := w.terminal(t)
	w.must(t, 204, thief.text(t, "accessToken"), "POST", "/me/device-sign-ins/"+code, `{"allow":true}`)
	w.must(t, 204, in.text(t, "accessToken"), "DELETE", "/me/sessions/"+thief.text(t, "session"), "")
	w.must(t, 404, "", "POST", "/email-changes/by-token/"+link+"/confirm", "")
	w.must(t, 401, "", "POST", "/sign-in/device/token", `{"deviceCode":"`+secret+`"}`)

	// An invitation of somebody else, and what is begun afterwards, are as they were.
	secret, code = w.terminal(t)
	require.Equal(t, 200, w.atTerminal(t, in.text(t, "accessToken"), secret, code))
}

// A second step is of the first one, and that is over when the password is another.
func TestASecondStepOfAnOldPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	eve := w.enrol(t, owner, "eve@example.com", w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`))
	w.clock.Advance(time.Second)
	w.must(t, 204, eve.session, "POST", "/me/password", `{"current":"`+goodWord+`","new":"`+newWord+`"}`)
	a := w.must(t, 401, "", "POST", "/sign-in/second-step", `{"challenge":"`+eve.challenge+`","recoveryCode":"`+eve.recovery+`"}`)
	require.Contains(t, a.body, "begin again")
	w.must(t, 401, "", "POST", "/sign-in/second-step/passkey-options", `{"challenge":"`+eve.challenge+`","origin":"http://apim-admin.test"}`)
	a = w.password(t, "eve@example.com", newWord)
	require.Equal(t, 202, a.status, a.body)
	w.must(t, 200, "", "POST", "/sign-in/second-step", `{"challenge":"`+a.text(t, "challenge")+`","recoveryCode":"`+eve.recovery+`"}`)

	// After a link, too, and the step that follows it is of the new password.
	link := w.must(t, 201, owner, "POST", "/users/"+w.must(t, 200, eve.session, "GET", "/me", "").text(t, "user/id")+"/password-links", "").text(t, "token")
	a = w.must(t, 202, "", "POST", "/password-links/by-token/"+link+"/use", `{"password":"`+goodWord+` again"}`)
	w.clock.Advance(31 * time.Second) // the code was used to set it up
	w.must(t, 200, "", "POST", "/sign-in/second-step", `{"challenge":"`+a.text(t, "challenge")+`","totp":"`+w.totp(t, eve.totp, 0)+`"}`)
}

// Sign-ins by the old password that are on their way when it is changed, or the account
// is switched off, leave no session, on every database.
func TestSigningInWhileThatIsTakenAway(t *testing.T) {
	t.Parallel()
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *tenantmanager.Config) {
				if dialect != db.SQLite {
					c.Database.DSN = schema.NewSecret(dbtest.DSN(t, dialect))
				}
			})
			owner := w.setUp(t)
			for name, take := range map[string]func(token, id string){
				"password": func(token, _ string) {
					w.must(t, 204, token, "POST", "/me/password", `{"current":"`+goodWord+`","new":"`+newWord+`"}`)
				},
				"disabled": func(_, id string) {
					w.must(t, 200, owner, "PATCH", "/users/"+id, `{"status":"disabled"}`, anyVersion...)
				},
			} {
				email := name + "@example.com"
				in := w.invite(t, owner, email, `{"role":"viewer"}`)
				var (
					mu    sync.Mutex
					begun []string
					all   sync.WaitGroup
				)
				for range 3 {
					all.Go(func() {
						for {
							a := w.password(t, email, goodWord)
							if a.status != 200 {
								return
							}
							mu.Lock()
							begun = append(begun, a.text(t, "accessToken"))
							mu.Unlock()
						}
					})
				}
				require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(begun) > 5 }, 30*time.Second, time.Millisecond)
				take(in.text(t, "accessToken"), in.text(t, "user/id"))
				all.Wait()
				if name == "disabled" {
					w.must(t, 200, owner, "PATCH", "/users/"+in.text(t, "user/id"), `{"status":"active"}`, anyVersion...)
				}
				for _, s := range begun {
					require.Equal(t, 401, w.call(t, s, "GET", "/me", "").status, name)
				}
			}
		})
	}
}

// A device that somebody allowed at the authorization server gets nothing once they have
// signed out.
func TestADeviceOfWhoSignedOut(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"TV","authMethod":"none","grantTypes":["`+deviceGrant+`"],"scopes":["openid"]}`)
	status, d, _ := a.form(t, "device_authorization", made{}, url.Values{"client_id": {m.id}, "scope": {"openid"}})
	require.Equal(t, 200, status, d)
	session := a.signIn(t, "ada@example.com", "default")
	a.must(t, 204, session, "POST", "/oauth/devices/"+fmt.Sprint(d["user_code"]), `{"allow":true}`)
	a.must(t, 204, session, "POST", "/sign-out", "")
	a.clock.Advance(5 * time.Second)
	status, body, _ := a.form(t, "token", made{}, url.Values{"grant_type": {deviceGrant}, "device_code": {fmt.Sprint(d["device_code"])}, "client_id": {m.id}})
	require.Equal(t, 400, status, body)
	require.Equal(t, "invalid_grant", body["error"], body)
}
