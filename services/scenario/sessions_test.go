package scenario_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// ofSession is how an operation of the bff is tried on another organization by
// whoever has a session: what is sent, with an id of the first organization in place
// of $id, and what is answered; or why it is not tried.
type ofSession struct {
	id, body string
	status   int
	reason   string
}

const (
	letsIn = "it lets in whoever proves to be somebody, into what that one is in: tenant-manager signs in, and is walked"
	back   = "it ends what this browser has begun, which it knows by a cookie: bff TestSigningInAtAnIdentityProvider"
)

var ofSessions = map[string]ofSession{
	"getSession":            {status: http.StatusOK},
	"beginSsoTest":          {id: "tenant-manager /sso/connections/{id}", body: `{"connection":"$id"}`, status: http.StatusNotFound},
	"beginSsoConfirmation":  {id: "tenant-manager /sso/connections/{id}", body: `{"connection":"$id"}`, status: http.StatusNotFound},
	"samlMetadata":          {id: "tenant-manager /sso/connections/{id}", status: http.StatusNotFound}, // of another kind
	"impersonate":           {id: "tenant-manager /users/{id}", body: `{"user":"$id","reason":"to see"}`, status: http.StatusNotFound},
	"switchOrganization":    {id: "tenant-manager /organizations/{id}", body: `{"organization":"$id"}`, status: http.StatusNotFound},
	"impersonateElsewhere":  {id: "tenant-manager /users/{id}", body: `{"user":"$id","reason":"to see","app":"tenant"}`, status: http.StatusNotFound},
	"stopImpersonating":     {status: http.StatusOK},
	"takeImpersonation":     {body: `{"ticket":"` + noSuch + `"}`, status: http.StatusNotFound},
	"listenLive":            {reason: "a stream: bff TestPagesAreToldWhatChanges has an event of another organization in it"},
	"signIn":                {reason: letsIn},
	"finishSignIn":          {reason: letsIn},
	"signInPasskey":         {reason: letsIn},
	"beginSsoSignIn":        {reason: letsIn},
	"usePasswordLink":       {reason: letsIn},
	"signInOnce":            {reason: letsIn},
	"acceptInvitation":      {reason: letsIn},
	"beginOneSignIn":        {reason: "it leads to the authorization server, which knows who signs in"},
	"endOneSignIn":          {reason: back},
	"ssoCallback":           {reason: back},
	"ssoConnectionCallback": {reason: back},
	"ssoSignedOut":          {reason: "it leads to the sign-in page, and begins and ends nothing"},
	"samlCallback":          {reason: back},
	"signOut":               {reason: "it ends the session of the browser, and has nothing to name another by"},
}

// sessions has the owner of another organization try what the bff does for browsers,
// and returns what is wrong.
func (m *matrix) sessions(all []operations.Operation) (wrong []string) {
	m.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(m.t, err)
	browser := &http.Client{Jar: jar}
	m.t.Cleanup(browser.CloseIdleConnections)
	csrf := "anonymous"
	do := func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(m.t.Context(), method, m.api+path, strings.NewReader(body))
		require.NoError(m.t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Gatehouse-Csrf", csrf)
		res, err := browser.Do(r)
		require.NoError(m.t, err)
		defer func() { _ = res.Body.Close() }() // it was read
		b, err := io.ReadAll(res.Body)
		require.NoError(m.t, err)
		return res.StatusCode, string(b)
	}
	status, answer := do(http.MethodPost, "/bff/sign-in", `{"email":"owner@second.example","password":"`+matrixPassword+`"}`)
	require.Equal(m.t, http.StatusOK, status, answer)
	var session struct{ CSRF string }
	require.NoError(m.t, json.Unmarshal([]byte(answer), &session), answer)
	csrf = session.CSRF
	tried := map[string]bool{}
	for _, o := range all {
		if o.Service != "bff" {
			continue
		}
		tried[o.ID] = true
		s, known := ofSessions[o.ID]
		if !known {
			wrong = append(wrong, o.Name()+": say in ofSessions how it is tried on another organization, or why not")
		}
		if !known || s.reason != "" {
			continue
		}
		id := m.ids[s.id]
		path := "/bff" + pathParameter.ReplaceAllString(o.Path, id)
		body := strings.ReplaceAll(s.body, "$id", id)
		status, answer := do(o.Method, path, body)
		if status != s.status {
			wrong = append(wrong, fmt.Sprintf("%s is answered %d %s", o.Name(), status, answer))
		}
		for _, id := range m.ids {
			if len(id) > 20 && !strings.Contains(path+body, id) && strings.Contains(answer, id) {
				wrong = append(wrong, fmt.Sprintf("%s tells another organization of %s: %s", o.Name(), id, answer))
			}
		}
	}
	for id := range ofSessions {
		if !tried[id] {
			wrong = append(wrong, "the bff has no operation "+id+" any more")
		}
	}
	return wrong
}
