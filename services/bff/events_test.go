package bff_test

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// stream is an open stream of events.
type stream struct {
	body  io.ReadCloser
	lines *bufio.Scanner
}

func (b *browser) open(path string, header ...string) (*stream, int) {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), "GET", "http://"+b.host+path, nil)
	require.NoError(b.w.t, err)
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(r)
	require.NoError(b.w.t, err)
	b.w.t.Cleanup(func() { _ = res.Body.Close() })
	return &stream{res.Body, bufio.NewScanner(res.Body)}, res.StatusCode
}

// next returns the next event, and false at the end.
func (s *stream) next() (name, data string, ok bool) {
	for s.lines.Scan() {
		switch line := s.lines.Text(); {
		case strings.HasPrefix(line, "event: "):
			name = line[7:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		case line == "" && name != "":
			return name, data, true
		}
	}
	return "", "", false
}

func TestPagesAreToldWhatChanges(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	_, status := b.open("/bff/live")
	require.Equal(t, 401, status)
	b.signIn()
	_, status = b.open("/bff/live?topics=apis,nonsense")
	require.Equal(t, 422, status)
	all, status := b.open("/bff/live?topics=deployments,apis,gateways,traffic")
	require.Equal(t, 200, status)
	fleet, status := b.open("/bff/live?topics=gateways")
	require.Equal(t, 200, status)
	// Who may not read APIs is told of no API.
	w.tenants.Grant(t, "o1", "eve", tenant.Grant{Permissions: []string{"gateway:read"}})
	eve, status := w.browser(admin).open("/bff/live", "Authorization", "Bearer "+w.tenants.Token(t, authn.Principal{Organization: "o1", Subject: "eve"}))
	require.Equal(t, 200, status)

	publish := func(e bus.Event) { require.NoError(t, bus.Publish(t.Context(), w.fleet, e)) }
	publish(gateway.APIChanged{Organization: "o2", API: "theirs"})
	publish(gateway.APIChanged{Organization: "o1", API: "ours"})
	publish(gateway.FleetChanged{Organization: "o1", Group: "g1"})
	got := map[string]string{}
	for range 2 { // the kinds come by ways of their own, in any order
		name, data, ok := all.next()
		require.True(t, ok)
		got[name] = data
	}
	require.JSONEq(t, `{"organization":"o1","api":"ours"}`, got["api-changed"])
	require.JSONEq(t, `{"organization":"o1","group":"g1"}`, got["fleet-changed"])
	for _, s := range []*stream{fleet, eve} {
		name, _, ok := s.next()
		require.True(t, ok)
		require.Equal(t, "fleet-changed", name)
	}

	// Streams of services are passed on as they come, and none holds up the end.
	theirs, status := b.open("/api/gateway-manager/v1/stream")
	require.Equal(t, 200, status)
	name, _, ok := theirs.next()
	require.True(t, ok)
	require.Equal(t, "hello", name)
	begun := time.Now()
	require.NoError(t, w.stop())
	require.Less(t, time.Since(begun), 5*time.Second)
	_, _, ok = all.next()
	require.False(t, ok)
}

// A session that an administrator ends is over here as well, also for a page
// that only listens.
func TestASessionIsEndedElsewhere(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	b.signIn()
	s, status := b.open("/bff/live?topics=gateways")
	require.Equal(t, 200, status)
	w.tenants.Revoke(t, "o1", "s-ada")
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	for ok := true; ok; { // until the bff has heard of it
		require.NoError(t, bus.Publish(t.Context(), w.fleet, gateway.FleetChanged{Organization: "o1"}))
		_, _, ok = s.next()
	}
	v := b.session()
	require.False(t, v.SignedIn)
	require.Equal(t, "anonymous", v.CSRF)
	u, err := url.Parse("http://" + admin)
	require.NoError(t, err)
	left := b.client.Jar.Cookies(u)
	require.Len(t, left, 1, "the cookie is taken back")
	require.Equal(t, "gatehouse-device", left[0].Name)
}
