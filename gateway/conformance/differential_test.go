package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
	"github.com/gatehouse/gatehouse/gateway/conformance/suite"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// bypass are paths that have led around the rules of one server or another.
var bypass = []string{
	"/echo/..;/private/data", "/echo/%2e%2e/private/data", "/echo/%2e%2e%2fprivate/data", "/echo/..%2fprivate/data",
	"/echo/.%2e/private/data", "/echo/%2e./private/data", "/echo/..%5cprivate%5cdata", "/echo/..\\private\\data",
	"/echo/%252e%252e%252fprivate/data", "/echo/..%c0%afprivate/data", "/echo/%c0%ae%c0%ae/private/data",
	"/echo/..%ef%bc%8fprivate/data", "/echo/./../private/data", "/echo//../private/data", "//echo/../private/data",
	"/./private/data", "/%2e/private/data", "/private%2fdata", "/private/%64ata", "/%70rivate/data", "/private/data/",
	"/private/data/.", "/private/data/..", "/private/data%00", "/private/data%20", "/private/data%09", "/private/data?",
	"/private/data#x", "/private/data;x=y", "/private;x=y/data", "/private/./data", "/private//data", "/PRIVATE/data",
	"/private/data.json", "/private/data%2f", "/private/data%2e", "/private/data...", "/echo/%2e", "/echo/...", "/echo/%2e%2e%2e",
	"/echo/a%2e%2e", "/echo/%ff", "/echo/%E2%80%AE", "/echo/a:b@c", "/echo/a,b!c", "/echo/a'(b)*", "/echo/a+b", "/echo/a%2Bb",
	"/echo/%23", "/echo/%3f", "/echo/%3F/x?y", "/echo/%7B%7D", "/echo/a=b&c", "/echo/~a", "/echo/%7ea", "/echo/-._",
	"/strip/../private/data", "/strip/%2e%2e/private/data", "/strip//private", "/encoded/a%2f..%2fb", "/encoded/a%2fb", "/encoded/..%5c",
	"/encoded/%2e%2e%2fprivate", "/encoded/a;b/c", "/encoded/..;/private/data", "/encoded/%252e%252e/private/data",
	"/merged///a//b", "/merged//../private/data", "/merged/..//private/data", "/empty//a//", "/empty//../private/data",
	"/ops/items/%31", "/ops/items/..", "/ops/items/%2e%2e/items/1", "/ops/files/../items/1", "/ops/files/a/../../../private/data",
}

// The same is decided, and the same is seen, whoever stands behind the gateway:
// Go's server, nginx and Java's. What they saw is the path as sent and as each of
// them decodes it, and every field that says who calls, in every spelling that
// each of them takes for it. R11.4, R12.3
func TestAllUpstreamsSeeTheSame(t *testing.T) {
	t.Parallel()
	servers := []struct{ name, address string }{{"go", goServer(t)}, {"nginx", nginxServer(t)}, {"java", javaServer(t)}}
	gateways := make([]string, len(servers))
	for i, s := range servers {
		if s.address != "" {
			gateways[i] = harness.Start(t, config(s.address)).Traffic[0]
		}
	}
	cases, err := suite.Load(caseFiles, "cases/*.yaml")
	require.NoError(t, err)
	corpus := map[string]string{}
	for _, c := range cases {
		s := c.Steps[0]
		if len(c.Steps) == 1 && s.H2 == nil && s.Answer == "" && s.Wait == "" && c.File != "limits" && c.File != "upgrade" && !strings.Contains(c.Name, "pipelined") {
			corpus[c.File+"/"+c.Name] = s.Bytes()
		}
	}
	for _, key := range []string{"", "X-API-Key: a-key-for-the-conformance-suite\r\n", "X_API_Key: a-key-for-the-conformance-suite\r\nX_Gatehouse_Application: root\r\nX.Real.IP: 1.1.1.1\r\n"} {
		for _, p := range bypass {
			corpus[p+" "+key] = "GET " + p + " HTTP/1.1\r\nHost: any.test\r\n" + key + "\r\n"
		}
	}
	require.Greater(t, len(corpus), 300)
	reached := 0
	for name, raw := range corpus {
		want := decision(t, gateways[0], raw)
		if strings.HasPrefix(want, "200 ") {
			reached++
		}
		// Who reaches the guarded API has shown a key, whatever the path looked like.
		if strings.Contains(want, "\n/private/data") {
			require.Contains(t, want, "x-gatehouse-application=storefront", "%s got to a guarded API without a key", name)
		}
		for i := 1; i < len(gateways); i++ {
			if gateways[i] == "" {
				continue
			}
			got := decision(t, gateways[i], raw)
			// A server that answers without reading the body may be quicker than
			// what is wrong in the body: then that ends the connection, not the
			// answer. What comes behind it is never taken for a request.
			if strings.HasPrefix(name, "strict/chunked") && strings.HasPrefix(want, "400 ") && strings.HasPrefix(got, "200 ") {
				continue
			}
			require.Equal(t, want, got, "%s: %s and %s disagree about %q", name, servers[0].name, servers[i].name, raw)
		}
	}
	require.Greater(t, reached, 60, "most of the corpus is refused: nothing is compared")
}

// decision sends bytes and returns the status, and what the upstream saw or why
// it was not asked.
func decision(t *testing.T, address, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	require.NoError(t, c.SetDeadline(time.Now().Add(harness.Patience)))
	_, err = io.WriteString(c, raw)
	require.NoError(t, err)
	method, _, _ := strings.Cut(raw, " ")
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	require.NoError(t, err, "%s %q", address, raw)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	text := strings.ReplaceAll(string(body), resp.Header.Get("X-Request-Id"), "ID")
	// Java has no text for octets that are not UTF-8. They are sent encoded.
	return fmt.Sprintf("%d %s", resp.StatusCode, strings.ToValidUTF8(text, "\ufffd"))
}

// identityNames are what servers tell of who calls.
var identityNames = []string{"x-forwarded-for", "x-forwarded-proto", "x-gatehouse-application", "x-gatehouse-subject", "x-real-ip", "x-authenticated-user"}

func goServer(t *testing.T) string {
	t.Helper()
	fold := strings.NewReplacer("_", "-", ".", "-")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what was sent has been looked at elsewhere
		fmt.Fprintf(w, "%s\n%s\n%s\n", r.Method, r.RequestURI, r.URL.Path)
		for _, name := range identityNames {
			var values []string
			for k, v := range r.Header {
				if fold.Replace(strings.ToLower(k)) == name {
					values = append(values, v...)
				}
			}
			fmt.Fprintf(w, "%s=%s\n", name, strings.Join(values, ", "))
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// program starts a server that ends with the test; "" where it is not installed
// and this is not a machine that must have it.
func program(t *testing.T, name string, args ...string) (*exec.Cmd, bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		t.Logf("%s is not installed; the comparison does without it", name)
		return nil, false
	}
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill() // it may have ended by itself
			_ = cmd.Wait()
		}
	})
	return cmd, true
}

func nginxServer(t *testing.T) string {
	t.Helper()
	conf, err := os.ReadFile("testdata/nginx.conf")
	require.NoError(t, err)
	dir, port := t.TempDir(), testkit.FreePort(t)
	text := strings.NewReplacer("DIR", dir, "PORT", strconv.Itoa(port)).Replace(string(conf))
	path := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	cmd, ok := program(t, "nginx", "-c", path, "-p", dir)
	if !ok {
		return ""
	}
	require.NoError(t, cmd.Start())
	address := fmt.Sprintf("127.0.0.1:%d", port)
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", address)
		return err == nil && c.Close() == nil
	}, harness.Patience, 10*time.Millisecond, "nginx does not start")
	return address
}

func javaServer(t *testing.T) string {
	t.Helper()
	cmd, ok := program(t, "java", "testdata/Echo.java")
	if !ok {
		return ""
	}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "java does not start")
	return "127.0.0.1:" + strings.TrimSpace(line)
}
