package fetch_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fetch"
)

func fetcher(loopback bool) *fetch.Fetcher {
	return fetch.New(fetch.Options{MaxSize: 1 << 20, Guard: egress.Guard{AllowLoopback: loopback}, Timeout: 5 * time.Second})
}

func TestFetch(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			_, _ = w.Write([]byte("openapi: 3.0.0"))
		case "/large":
			_, _ = w.Write([]byte(strings.Repeat("a", 1<<20+1)))
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/inside":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	f := fetcher(true)
	body, err := f.Fetch(t.Context(), s.URL+"/good")
	require.NoError(t, err)
	require.Equal(t, "openapi: 3.0.0", string(body))
	for path, says := range map[string]string{
		"/none": "404", "/large": "larger", "/loop": "redirected", "/inside": "private or local", "/file": "http://",
	} {
		_, err := f.Fetch(t.Context(), s.URL+path)
		require.ErrorContains(t, err, says, path)
	}
	_, err = fetcher(false).Fetch(t.Context(), s.URL+"/good")
	require.ErrorContains(t, err, "private or local")
}

func TestPrivateNetworksAreRefused(t *testing.T) {
	t.Parallel()
	f := fetcher(false)
	for _, u := range []string{
		"http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://10.0.0.1/", "http://192.168.1.1/", "http://169.254.169.254/",
		"http://0.0.0.0/", "http://100.64.0.1/", "http://[fd00::1]/", "http://[::ffff:127.0.0.1]/", "http://[fe80::1]/", "http://[64:ff9b::7f00:1]/",
	} {
		_, err := f.Fetch(t.Context(), u)
		require.ErrorContains(t, err, "private or local", u)
	}
	for _, u := range []string{"", "ftp://a", "http://u:p@example.com", "://"} {
		_, err := f.Fetch(t.Context(), u)
		require.Error(t, err, u)
	}
}
