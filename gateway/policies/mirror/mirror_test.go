package mirror

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type header = map[string]string

type got struct {
	method, uri, body, host string
	header                  http.Header
}

// target is a server that notes what it gets.
func target(t *testing.T) (string, chan got) {
	t.Helper()
	ch := make(chan got, 64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		ch <- got{r.Method, r.RequestURI, string(b), r.Host, r.Header}
		w.WriteHeader(http.StatusInternalServerError) // which nobody minds
	}))
	t.Cleanup(s.Close)
	return s.URL, ch
}

func client(t *testing.T) policytest.Option {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return func(e *policy.Env) { e.HTTP = &http.Client{Transport: tr} }
}

func TestCopies(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, Definition())
	url, ch := target(t)
	for _, c := range []struct {
		name   string
		body   string
		length int64
		bytes  bool
	}{
		{name: "no body"},
		{name: "body", body: "hello", length: 5},
		{name: "length unknown", body: "hello", length: -1},
		{name: "in memory", body: "hello", bytes: true},
	} {
		h := policytest.New(t, Definition(), "{url: '"+url+"/base/', headers: {X-Lab: blue}}", client(t))
		h.Do(policytest.Request{
			Method: "PUT", Path: "/items/1?a=%20b",
			Header: header{"Authorization": "Bearer s", "Cookie": "a=b", "X-Lab": "red", "Accept": "text/plain"},
			Edit: func(ex *policy.Exchange) {
				ex.Forward.Path = "/v2/items/1"
				switch {
				case c.bytes:
					ex.Request.Body.SetBytes([]byte(c.body))
				case c.body != "":
					ex.Request.Body.SetStream(strings.NewReader(c.body), c.length)
				}
			},
		}, policytest.Upstream{Body: "answer"}).Check(policytest.Want{
			Body: "answer", Sent: &policytest.Sent{Body: c.body, Header: header{"Authorization": "Bearer s", "X-Gatehouse-Mirror": ""}},
		})
		g := <-ch
		require.Equal(t, "PUT", g.method, c.name)
		require.Equal(t, "/base/v2/items/1?a=%20b", g.uri, c.name)
		require.Equal(t, c.body, g.body, c.name)
		require.Equal(t, strings.TrimPrefix(url, "http://"), g.host)
		require.Equal(t, []string{"blue"}, g.header["X-Lab"])
		require.Equal(t, []string{"text/plain"}, g.header["Accept"])
		require.Equal(t, []string{"1"}, g.header["X-Gatehouse-Mirror"])
		for _, gone := range []string{"Authorization", "Cookie", "User-Agent"} {
			require.NotContains(t, g.header, gone)
		}
	}
}

func TestWhatIsNotCopied(t *testing.T) {
	t.Parallel()
	url, ch := target(t)
	for _, c := range map[string]struct {
		config string
		r      policytest.Request
		up     policytest.Upstream
	}{
		"method": {"methods: [GET]", policytest.Request{Method: "POST"}, policytest.Upstream{}},
		"share":  {"percent: 0", policytest.Request{}, policytest.Upstream{}},
		"large":  {"maxBody: 4B", policytest.Request{Body: "hello"}, policytest.Upstream{}},
		"large, length unknown": {"maxBody: 4B", policytest.Request{Edit: func(ex *policy.Exchange) {
			ex.Request.Body.SetStream(strings.NewReader("hello"), -1)
		}}, policytest.Upstream{}},
		"upgrade":  {"", policytest.Request{Edit: func(ex *policy.Exchange) { ex.Request.Upgrade = "websocket" }}, policytest.Upstream{}},
		"refused":  {"", policytest.Request{}, policytest.Upstream{Err: problem.New(problem.CodeAccessDenied, "no")}},
		"answered": {"", policytest.Request{}, policytest.Upstream{Func: func(ex *policy.Exchange) error { ex.Respond(200, "", nil); return nil }}},
	} {
		h := policytest.New(t, Definition(), "url: '"+url+"'\n"+c.config, client(t))
		h.Do(c.r, c.up)
	}
	url2 := "url: '" + url + "'"
	policytest.New(t, Definition(), url2, client(t)).Do(policytest.Request{Path: "/last"}, policytest.Upstream{})
	require.Equal(t, "/last", (<-ch).uri, "nothing else was copied")
	require.Empty(t, ch)
}

// A body that the upstream did not want to its end is not whole.
func TestBodyThatIsNotReadOn(t *testing.T) {
	t.Parallel()
	b := &tee{body: strings.NewReader("hello"), left: 10, want: -1}
	_, err := io.ReadFull(b, make([]byte, 5))
	require.NoError(t, err)
	_, err = b.whole()
	require.ErrorIs(t, err, errNotYet)
	_, _ = b.Read(make([]byte, 1))
	whole, err := b.whole()
	require.NoError(t, err)
	require.Equal(t, "hello", string(whole))
}

func TestShare(t *testing.T) {
	t.Parallel()
	url, ch := target(t)
	numbers := []float64{0.24, 0.25, 0.9, 0}
	d := definition(func() float64 { n := numbers[0]; numbers = numbers[1:]; return n })
	h := policytest.New(t, d, "{url: '"+url+"', percent: 25}", client(t))
	for range 4 {
		h.Do(policytest.Request{}, policytest.Upstream{})
	}
	<-ch
	<-ch
	require.Empty(t, ch)
}

// A mirror that hangs delays nothing, and further copies are dropped.
func TestMirrorThatHangs(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{}, 8)
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(release)
	var log bytes.Buffer
	var hooks policy.Hooks
	policytest.New(t, Definition(), "{url: '"+s.URL+"'}", client(t), func(e *policy.Env) {
		e.Log = slog.New(slog.NewTextHandler(&log, nil))
		var err error
		hooks, err = Definition().Compile(policytest.JSON(t, "{url: '"+s.URL+"', concurrency: 1, queue: 1, timeout: 5m}"), *e)
		require.NoError(t, err)
	})
	do := func() []policy.Note {
		ex := &policy.Exchange{}
		ex.SetNoting(true)
		ex.Request.Method, ex.Request.Path = "GET", "/"
		require.NoError(t, hooks.Inbound(ex))
		ex.Response.Source = policy.SourceUpstream
		require.NoError(t, hooks.Outbound(ex))
		hooks.Done(ex)
		return ex.Notes()
	}
	require.Empty(t, do())
	<-entered
	require.Empty(t, do())
	require.Equal(t, "the queue is full", do()[0].Value)
	hooks.Close() // does not wait for the mirror
	require.Contains(t, log.String(), "the queue is full")
	require.Equal(t, "the mirror is closed", do()[0].Value)
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{}":                                "/url",
		"{url: 'ftp://a.example'}":          "/url",
		"{url: 'http://user:pw@a.example'}": "/url",
		"{url: 'http://a.example/?x=1'}":    "/url",
		"{url: 'http://a.example', dropHeaders: ['a b']}": "/dropHeaders/0",
		"{url: 'http://a.example', mark: 'a b'}":          "/mark",
		"{url: 'http://a.example', headers: {Host: x}}":   "/headers/Host",
		"{url: 'http://a.example', percent: 101}":         "/percent",
	} {
		_, err := policytest.Compile(t, Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func TestNothingIsAllocatedForWhatIsNotCopied(t *testing.T) {
	hooks, err := definition(func() float64 { return 1 }).Compile([]byte(`{"url":"http://a.example","percent":1}`), policy.Env{
		Slot: func() policy.Slot { return 0 },
	})
	require.NoError(t, err)
	defer hooks.Close()
	ex := &policy.Exchange{}
	ex.Request.Method = "GET"
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = hooks.Inbound(ex)
		_ = hooks.Outbound(ex)
		hooks.Done(ex)
	}))
}
