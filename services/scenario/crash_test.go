package scenario_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/scenario"
)

// writer makes things of one kind, one after the other.
type writer struct {
	service, list string
	// read is where one is read; "" = below list.
	read string
	// in is the field of the answer that has it; "" = it is the answer.
	in string
	// with is what is made by the same request; nil = nothing.
	with *writer
	body func(n int) string
	made []string // their ids
}

func (w *writer) path(id string) string {
	if w.read != "" {
		return w.read + "/" + id
	}
	return w.list + "/" + id
}

// id returns the id of what was made, "" where the answer has none.
func (w *writer) id(status int, answer []byte) string {
	var o object
	if status != http.StatusCreated && status != http.StatusAccepted || json.Unmarshal(answer, &o) != nil {
		return ""
	}
	if w.in != "" {
		o, _ = o[w.in].(object)
	}
	id, _ := o["id"].(string)
	return id
}

// Killed while the four services that people write to write, the suite has all
// that it has answered with success, and the audit trail tells of each.
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

	// What is deployed, subscribed to and called.
	document, err := os.ReadFile("testdata/petstore3.json")
	require.NoError(t, err)
	in, err := json.Marshal(object{"project": project, "document": string(document), "slug": "petstore", "upstream": object{"targets": []object{{"url": "http://127.0.0.1:9"}}}})
	require.NoError(t, err)
	status, b, err := c.send("POST", "gateway-manager", "/apis/import", string(in))
	require.NoError(t, err)
	api := (&writer{in: "api"}).id(status, b)
	require.NotEmpty(t, api, "%s", b)
	plan := c.field(t, "POST", "policy-manager", "/apis/"+api+"/plans", `{"slug":"bronze","name":"Bronze","security":{"type":"api-key"},"approval":"automatic"}`, "id")
	c.field(t, "POST", "policy-manager", "/plans/"+plan+"/publish", "", "")
	c.field(t, "POST", "gateway-manager", "/apis/"+api+"/deployments", `{"environment":"dev"}`, "")
	c.field(t, "POST", "gateway-manager", "/apis/"+api+"/publish", "", "")
	require.Eventually(t, func() bool {
		status, _, err := c.send("GET", "devportal-backend", "/catalogue/"+api, "")
		return err == nil && status == http.StatusOK
	}, scenario.Patience, 20*time.Millisecond)

	keys := &writer{service: "devportal-backend", read: "/credentials", in: "credential"}
	writers := []*writer{
		{service: "tenant-manager", list: "/groups", body: func(n int) string { return fmt.Sprintf(`{"name":"Group %d"}`, n) }},
		{service: "gateway-manager", list: "/apis", body: func(n int) string {
			return fmt.Sprintf(`{"project":%q,"name":"API %d","basePath":"/api-%d","upstreams":[{"targets":[{"url":"http://127.0.0.1:9"}]}]}`, project, n, n)
		}},
		{service: "policy-manager", list: "/policy-sets", body: func(n int) string { return fmt.Sprintf(`{"slug":"set-%d","name":"Set %d","policies":[]}`, n, n) }},
		{service: "devportal-backend", list: "/applications", body: func(n int) string { return fmt.Sprintf(`{"name":"Application %d"}`, n) }},
		{service: "gateway-manager", list: "/apis/" + api + "/deployments", read: "/deployments", body: func(n int) string {
			return fmt.Sprintf(`{"environment":"dev","message":"Deployment %d"}`, n)
		}},
		{service: "devportal-backend", list: "/subscriptions", in: "subscription", with: keys, body: func(n int) string {
			return fmt.Sprintf(`{"plan":%q,"newApplication":{"name":"Subscriber %d"},"createKey":true}`, plan, n)
		}},
	}
	written := append([]*writer{keys}, writers...)
	const rounds, each = 2, 6
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
					id := w.id(status, b)
					if id == "" {
						t.Errorf("%s%s: %d %s", w.service, w.list, status, b)
						return
					}
					w.made = append(w.made, id)
					if w.with != nil {
						w.with.made = append(w.with.made, w.with.id(status, b))
					}
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
		for _, w := range written {
			for _, id := range w.made {
				status, b, err := c.send("GET", w.service, w.path(id), "")
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, status, "%s%s was made: %s", w.service, w.path(id), b)
			}
		}
	}
	for _, w := range written {
		require.Greater(t, len(w.made), rounds*each)
		for _, id := range w.made {
			told := func() bool {
				_, b, err := c.send("GET", "tenant-manager", "/audit?target="+id, "")
				var list struct{ Items []any }
				return err == nil && json.Unmarshal(b, &list) == nil && len(list.Items) == 1
			}
			if !told() { // mostly it does at once, and there are many
				require.Eventually(t, told, scenario.Patience, 20*time.Millisecond, "the trail tells once that %s%s was made", w.service, w.path(id))
			}
		}
	}
	_, b, err = c.send("GET", "tenant-manager", "/audit/verification", "")
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
