package relay_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func upstream(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestTheRequestGoesWhereTheAPIIs(t *testing.T) {
	t.Parallel()
	base := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "r-1")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s|%v|%v", r.Method, r.RequestURI, r.Header.Get("X-Mine"), r.Header["Cookie"], r.Header["X-Forwarded-For"])
	})
	res, err := relay.New(relay.Limits{}, nil).Do(t.Context(), relay.Request{
		Base: base + "/orders/v1/", Method: "POST", Path: "/items/a%2Fb", Query: []relay.Pair{{"q", "x y"}, {"q", "ü&"}},
		Headers: []relay.Pair{{"x-mine", "1"}, {"cookie", "session=1"}, {"X-Forwarded-For", "10.0.0.1"}, {"Host", "evil.example"}}, Body: []byte("hi"),
	})
	require.NoError(t, err)
	require.Equal(t, 418, res.Status)
	require.Equal(t, "POST /orders/v1/items/a%2Fb?q=x+y&q=%C3%BC%26 1|[]|[]", res.Body)
	require.Equal(t, "r-1", res.RequestID)
	require.Positive(t, res.Total)
	require.GreaterOrEqual(t, res.Total, res.FirstByte)
	for _, h := range res.Headers {
		require.NotEqual(t, "Set-Cookie", h.Name)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	asked := false
	elsewhere := upstream(t, func(http.ResponseWriter, *http.Request) { asked = true })
	base := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere+"/secret", http.StatusFound)
	})
	res, err := relay.New(relay.Limits{}, nil).Do(t.Context(), relay.Request{Base: base, Method: "GET", Path: "/"})
	require.NoError(t, err)
	require.Equal(t, 302, res.Status)
	require.False(t, asked)
}

func TestNothingButPathsBelowTheAddress(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "items", "//evil.example/x?", "/a/../../admin", "/a/%2e%2e/admin", "/%2E/", "/a?b=c", "/a#b", "/a\\..\\b", "/a b", "/ü", "/\r\nHost: x", "/%zz", "@evil.example/",
	} {
		_, err := relay.Target(relay.Request{Base: "http://api.example/base", Path: path})
		require.Truef(t, problem.Is(err, problem.CodeInvalidInput), "%q: %v", path, err)
	}
	for _, path := range []string{"/", "/a", "/a/b%20c", "//double", "/a/..b", "/:x@y"} {
		u, err := relay.Target(relay.Request{Base: "http://api.example/base", Path: path})
		require.NoError(t, err, path)
		require.Equal(t, "api.example", u.Host)
		require.True(t, strings.HasPrefix(u.EscapedPath(), "/base/"), u.String())
	}
	for _, base := range []string{"", "file:///etc/passwd", "gopher://x/", "http://user@host/", "//host", "http://"} {
		_, err := relay.Target(relay.Request{Base: base, Path: "/"})
		require.True(t, problem.Is(err, problem.CodeUpstreamUnavailable), base)
	}
}

func TestAddressesThatNoAPIIsAt(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://169.254.169.254", "http://[fe80::1]", "http://0.0.0.0:1", "http://[::ffff:169.254.169.254]"} {
		_, err := relay.New(relay.Limits{Time: 2 * time.Second}, nil).Do(t.Context(), relay.Request{Base: base, Method: "GET", Path: "/latest/meta-data"})
		require.True(t, problem.Is(err, problem.CodeUpstreamUnavailable), "%s: %v", base, err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	base := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			for range 100 {
				if _, err := w.Write([]byte(strings.Repeat("ü", 100))); err != nil {
					return
				}
			}
		case "/binary":
			_, _ = w.Write([]byte{0xff, 0xfe, 0})
		case "/slow":
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
	})
	t.Cleanup(func() { close(hold) })
	r := relay.New(relay.Limits{Body: 101, Time: 200 * time.Millisecond, Calls: 1}, map[string]string{"api.example:80": strings.TrimPrefix(base, "http://")})
	res, err := r.Do(t.Context(), relay.Request{Base: "http://api.example", Method: "GET", Path: "/long"})
	require.NoError(t, err, "it is dialled elsewhere")
	require.True(t, res.Truncated)
	require.Equal(t, strings.Repeat("ü", 50), res.Body)
	require.EqualValues(t, 101, res.Bytes)
	res, err = r.Do(t.Context(), relay.Request{Base: base, Method: "GET", Path: "/binary"})
	require.NoError(t, err)
	require.True(t, res.Binary)
	require.Equal(t, "//4A", res.Body)
	_, err = r.Do(t.Context(), relay.Request{Base: base, Method: "GET", Path: "/slow"})
	require.True(t, problem.Is(err, problem.CodeUpstreamTimeout), err)
	_, err = r.Do(t.Context(), relay.Request{Base: "http://127.0.0.1:1", Method: "GET", Path: "/"})
	require.True(t, problem.Is(err, problem.CodeUpstreamUnavailable), err)
	require.NotContains(t, problem.From(err).Detail, "refused", "nothing of the network within")
}

func TestHeadersThatCannotBeSentAreNamed(t *testing.T) {
	t.Parallel()
	for _, h := range []relay.Pair{{"a b", "x"}, {"", "x"}, {"X-A", "x\r\nX-B: y"}} {
		_, err := relay.New(relay.Limits{}, nil).Do(t.Context(), relay.Request{Base: "http://127.0.0.1:1", Method: "GET", Path: "/", Headers: []relay.Pair{{"X-Ok", "1"}, h}})
		require.True(t, problem.Is(err, problem.CodeInvalidInput))
		require.Equal(t, "/headers/1", problem.From(err).Errors[0].Pointer)
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("/a/%2e%2e/b")
	f.Add("//x@y:80/z")
	f.Fuzz(func(t *testing.T, path string) {
		u, err := relay.Target(relay.Request{Base: "https://api.example:8443/base", Path: path})
		if err != nil {
			return
		}
		require.Equal(t, "https", u.Scheme)
		require.Equal(t, "api.example:8443", u.Host)
		require.True(t, strings.HasPrefix(u.Path, "/base/"), u.Path)
		require.NotContains(t, "/"+u.Path+"/", "/../")
	})
}
