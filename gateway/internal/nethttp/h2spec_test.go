package nethttp

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// explained are the cases of h2spec that fail, each with its reason in
// docs/reference/http2-conformance.md.
var explained = []string{"http2/6.5.3/1", "http2/8.1.2.2/1", "http2/8.1.2.2/2"}

// TestConformance runs h2spec against the server.
func TestConformance(t *testing.T) {
	e := &engine{serve: func(ex *policy.Exchange) {
		_, _ = ex.Request.Body.Buffer(1 << 20) // the cases want answers only
		ex.Respond(200, "text/plain", []byte(strings.Repeat("conformance ", 40)))
	}}
	for _, secure := range []bool{false, true} {
		if secure && testing.Short() {
			continue // the same frames, half a minute longer
		}
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			var address string
			if secure {
				server, _ := certificate(t, "localhost")
				address = serveH2(t, &Server{Handler: e}, server)
			} else {
				address = serveH2(t, &Server{Handler: e}, nil)
			}
			host, port, err := net.SplitHostPort(address)
			require.NoError(t, err)
			number, err := strconv.Atoi(port)
			require.NoError(t, err)
			c := &config.Config{
				Host: host, Port: number, Path: "/", Timeout: 5 * time.Second, MaxHeaderLen: 4000,
				TLS: secure, Insecure: true,
			}
			passed, failed := 0, []string{}
			for _, g := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
				g.Test(c)
				passed += g.PassedCount
				require.Zero(t, g.SkippedCount)
				failed = append(failed, failures(g)...)
			}
			t.Logf("h2spec: %d of %d passed", passed, passed+len(failed))
			slices.Sort(failed)
			require.Empty(t, slices.DeleteFunc(failed, func(name string) bool { return slices.Contains(explained, name) }))
			require.GreaterOrEqual(t, passed, 140)
		})
	}
}

func failures(g *spec.TestGroup) []string {
	var names []string
	for i, tc := range g.Tests {
		if tc.Result != nil && tc.Result.Failed {
			names = append(names, fmt.Sprintf("%s/%d", g.ID(), i+1))
		}
	}
	for _, sub := range g.Groups {
		names = append(names, failures(sub)...)
	}
	return names
}
