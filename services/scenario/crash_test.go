package scenario_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/scenario"
)

// writer makes things of one service, one after the other.
type writer struct {
	service, list string
	body          func(n int) string
	made          []string // their ids
}

// Killed while five services write, the suite has all that it has answered with
// success, and the audit trail tells of each.
func TestKilledItLosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	bin := build(t, "../cli/cmd/gatehouse")
	data := filepath.Join(t.TempDir(), "data")
	g := run(t, bin, data)
	c := caller{api: g.ready.API, http: &http.Client{Timeout: scenario.Patience}}
	t.Cleanup(c.http.CloseIdleConnections)
	c.token = c.field(t, "POST", "tenant-manager", "/sign-in/one-time", `{"code":"`+g.ready.SignIn.Code+`"}`, "accessToken")
	c.field(t, "POST", "tenant-manager", "/setup", `{"organizationName":"Acme","name":"Olga","email":"olga@example.com","password":"`+matrixPassword+`"}`, "")
	c.token = c.field(t, "POST", "tenant-manager", "/sign-in", `{"email":"olga@example.com","password":"`+matrixPassword+`"}`, "accessToken")
	var project string
	require.Eventually(t, func() bool {
		_, b, err := c.send("GET", "gateway-manager", "/projects", "")
		var list struct{ Items []struct{ ID string } }
		if err != nil || json.Unmarshal(b, &list) != nil || len(list.Items) == 0 {
			return false
		}
		project = list.Items[0].ID
		return true
	}, scenario.Patience, 20*time.Millisecond)

	writers := []*writer{
		{service: "tenant-manager", list: "/groups", body: func(n int) string { return fmt.Sprintf(`{"name":"Group %d"}`, n) }},
		{service: "gateway-manager", list: "/apis", body: func(n int) string {
			return fmt.Sprintf(`{"project":%q,"name":"API %d","basePath":"/api-%d","upstreams":[{"targets":[{"url":"http://127.0.0.1:9"}]}]}`, project, n, n)
		}},
		{service: "policy-manager", list: "/policy-sets", body: func(n int) string { return fmt.Sprintf(`{"slug":"set-%d","name":"Set %d","policies":[]}`, n, n) }},
		{service: "devportal-backend", list: "/applications", body: func(n int) string { return fmt.Sprintf(`{"name":"Application %d"}`, n) }},
	}
	const rounds, each = 2, 15
	for round := range rounds {
		var writing sync.WaitGroup
		var enough atomic.Int32
		full := make(chan struct{})
		for _, w := range writers {
			writing.Go(func() {
				for n := 1000 * round; ; n++ {
					status, b, err := c.send("POST", w.service, w.list, w.body(n))
					if err != nil {
						return // it was killed meanwhile: this one was not answered
					}
					var made struct{ ID string }
					if status != http.StatusCreated || json.Unmarshal(b, &made) != nil || made.ID == "" {
						t.Errorf("%s%s: %d %s", w.service, w.list, status, b)
						return
					}
					w.made = append(w.made, made.ID)
					if n == 1000*round+each && int(enough.Add(1)) == len(writers) {
						close(full)
					}
				}
			})
		}
		select {
		case <-full: // and all go on writing
		case <-time.After(scenario.Patience):
			t.Error("the services take too long to write")
		}
		g.kill()
		writing.Wait()
		require.False(t, t.Failed())
		g = run(t, bin, data)
		c.api = g.ready.API
		for _, w := range writers {
			for _, id := range w.made {
				status, b, err := c.send("GET", w.service, w.list+"/"+id, "")
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, status, "%s%s/%s was made: %s", w.service, w.list, id, b)
			}
		}
	}
	for _, w := range writers {
		require.Greater(t, len(w.made), rounds*each)
		for _, id := range w.made {
			require.Eventually(t, func() bool {
				_, b, err := c.send("GET", "tenant-manager", "/audit?target="+id, "")
				var list struct{ Items []any }
				return err == nil && json.Unmarshal(b, &list) == nil && len(list.Items) == 1
			}, scenario.Patience, 20*time.Millisecond, "the trail tells once that %s%s/%s was made", w.service, w.list, id)
		}
	}
	_, b, err := c.send("GET", "tenant-manager", "/audit/verification", "")
	require.NoError(t, err)
	require.Contains(t, string(b), `"valid":true`)
}

// caller sends requests as one user.
type caller struct {
	api, token string
	http       *http.Client
}

// send returns an error where no whole answer came.
func (c *caller) send(method, service, path, body string) (status int, answer []byte, err error) {
	r, err := http.NewRequest(method, c.api+"/api/"+service+"/v1"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// field returns a text of a good answer; none where it has no name.
func (c *caller) field(t *testing.T, method, service, path, body, name string) string {
	t.Helper()
	status, b, err := c.send(method, service, path, body)
	require.NoError(t, err)
	require.Less(t, status, 300, "%s", b)
	if name == "" {
		return ""
	}
	var o map[string]any
	require.NoError(t, json.Unmarshal(b, &o))
	text, _ := o[name].(string)
	require.NotEmpty(t, text, "%s", b)
	return text
}
