// Package scenario is the main job of the suite as one story, told to a running
// installation over HTTP alone: it knows addresses, and nothing of how the
// installation is made. The shapes in which Gatehouse runs are tested by telling
// it to each of them.
package scenario

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/httpx/httpxtest"
)

// Patience is how long what happens in the background may take, on a machine
// that does other things as well.
const Patience = 60 * time.Second

// Installation is where a suite runs.
type Installation struct {
	// API is the address of the bff, such as http://127.0.0.1:8080.
	API string
	// Services, where not nil, are the addresses of the services themselves, in
	// place of API.
	Services map[string]string
	// Traffic are the addresses of the gateways, one of each.
	Traffic []string
	// Code is the one-time sign-in.
	Code string
	// Upstream is the address of the sample API.
	Upstream string
	// Echo is the address of an upstream that answers whatever it is asked.
	Echo string
	// Environment is the slug of the environment whose gateways carry the traffic.
	Environment string
	// Outage, where not nil, takes the control plane away. In one process there is
	// nothing that would be left.
	Outage *Outage
	// Logs, where not nil, returns what each program has written so far, by name.
	Logs func() map[string]string

	secrets *secrets
}

// object is a JSON object.
type object = map[string]any

// address returns where the API of a service is.
func (at Installation) address(service string) string {
	if at.Services != nil {
		return at.Services[service] + "/api/v1"
	}
	return at.API + "/api/" + service + "/v1"
}

// client calls the suite as one user.
type client struct {
	t     testing.TB
	at    Installation
	token string
	http  *http.Client
	// documents are what answers are held against, by service.
	documents map[string]*httpxtest.Document
}

func newClient(t testing.TB, at Installation) *client {
	c := &client{t: t, at: at, http: &http.Client{Timeout: Patience}, documents: map[string]*httpxtest.Document{}}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// object decodes the body.
func (a answer) object(t testing.TB) object {
	t.Helper()
	var o object
	require.NoError(t, json.Unmarshal(a.body, &o), "%s", a.body)
	return o
}

// send makes one request to a service, with a body where it is not nil. header
// are names and values.
func (c *client) send(method, service, path string, body any, header ...string) answer {
	c.t.Helper()
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(c.t, err)
		content = bytes.NewReader(b)
		c.note(method+" "+path, b)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.at.address(service)+path, content)
	require.NoError(c.t, err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a := do(c.t, c.http, r)
	if a.status < http.StatusBadRequest { // the code of a problem is no secret
		c.note("the answer to "+method+" "+path, a.body)
	}
	plain, _, _ := strings.Cut(path, "?")
	if err := c.document(service).Check(method, "/api/v1"+plain, a.status, a.header, a.body); err != nil {
		c.t.Error(err)
	}
	return a
}

// note remembers what of a document must be in no log.
func (c *client) note(where string, document []byte) {
	if c.at.secrets != nil {
		c.at.secrets.note(where, document)
	}
}

// document is what a service says of its API.
func (c *client) document(service string) *httpxtest.Document {
	c.t.Helper()
	if d := c.documents[service]; d != nil {
		return d
	}
	raw, err := os.ReadFile("../" + service + "/openapi.yaml")
	require.NoError(c.t, err)
	c.documents[service] = httpxtest.Read(c.t, raw)
	return c.documents[service]
}

// want is send for an answer of a certain status.
func (c *client) want(status int, method, service, path string, body any, header ...string) object {
	c.t.Helper()
	a := c.send(method, service, path, body, header...)
	require.Equal(c.t, status, a.status, "%s %s %s: %s", method, service, path, a.body)
	if len(a.body) == 0 || !strings.Contains(a.header.Get("Content-Type"), "json") {
		return nil
	}
	return a.object(c.t)
}

// get is want for reading.
func (c *client) get(service, path string) object {
	c.t.Helper()
	return c.want(http.StatusOK, http.MethodGet, service, path, nil)
}

func do(t testing.TB, h *http.Client, r *http.Request) answer {
	t.Helper()
	resp, err := h.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{status: resp.StatusCode, header: resp.Header, body: b}
}

// call makes one request to a gateway.
func call(t testing.TB, h *http.Client, method, url, key string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	if key != "" {
		r.Header.Set("X-API-Key", key)
	}
	return do(t, h, r)
}

// text returns a text field, which must be there.
func text(t testing.TB, o object, path ...string) string {
	t.Helper()
	s, ok := at(t, o, path...).(string)
	require.True(t, ok, "%s is no text in %v", path, o)
	return s
}

// count returns a number field, which must be there.
func count(t testing.TB, o object, path ...string) int {
	t.Helper()
	n, ok := at(t, o, path...).(float64)
	require.True(t, ok, "%s is no number in %v", path, o)
	return int(n)
}

// items returns the objects of a list field.
func items(t testing.TB, o object, path ...string) []object {
	t.Helper()
	list, ok := at(t, o, path...).([]any)
	require.True(t, ok, "%s is no list in %v", path, o)
	all := make([]object, len(list))
	for i, v := range list {
		all[i], ok = v.(object)
		require.True(t, ok, "%v", v)
	}
	return all
}

func at(t testing.TB, o object, path ...string) any {
	t.Helper()
	var v any = o
	for _, p := range path {
		m, ok := v.(object)
		require.True(t, ok, "%s in %v", path, o)
		v, ok = m[p]
		require.True(t, ok, "there is no %s in %v", path, o)
	}
	return v
}

// eventually waits until a condition holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, within, 20*time.Millisecond, what)
}
