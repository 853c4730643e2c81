package frontends

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func sample(t *testing.T) *handler {
	t.Helper()
	h, err := newHandler(fstest.MapFS{
		"index.html":          {Data: []byte(`<script nonce="__GATEHOUSE_NONCE__" src="/assets/a-1.js"></script>`)},
		"assets/a-1.js.gz":    {Data: packed(t, "let a = 1")},
		"assets/font-1.woff2": {Data: []byte("font")},
		"theme.js":            {Data: []byte("theme")},
	})
	require.NoError(t, err)
	return h
}

func get(t *testing.T, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPagesCarryANonceOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := sample(t)
	seen := map[string]bool{}
	for _, path := range []string{"/", "/index.html", "/default/apis/orders", "/assets/../x"} {
		w := get(t, h, http.MethodGet, path)
		require.Equal(t, http.StatusOK, w.Code, path)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		nonce := regexp.MustCompile(`script-src 'self' 'nonce-([^']+)'`).FindStringSubmatch(w.Header().Get("Content-Security-Policy"))
		require.Len(t, nonce, 2)
		require.Contains(t, w.Body.String(), `nonce="`+nonce[1]+`"`)
		require.NotContains(t, w.Body.String(), nonceMark)
		require.False(t, seen[nonce[1]], "a nonce came twice")
		seen[nonce[1]] = true
	}
}

func TestThePolicyAllowsNothingLoose(t *testing.T) {
	t.Parallel()
	p := Policy("n")
	require.NotContains(t, p, "unsafe")
	require.NotContains(t, p, "http")
	require.Contains(t, p, "default-src 'none'")
	require.Contains(t, p, "frame-ancestors 'none'")
}

func TestFilesAreStoredForGoodAndPacked(t *testing.T) {
	t.Parallel()
	h := sample(t)
	w := get(t, h, http.MethodGet, "/assets/a-1.js", "Accept-Encoding", "gzip, br")
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	require.Equal(t, "text/javascript; charset=utf-8", w.Header().Get("Content-Type"))
	require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))

	w = get(t, h, http.MethodGet, "/assets/a-1.js")
	require.Empty(t, w.Header().Get("Content-Encoding"))
	require.Equal(t, "let a = 1", w.Body.String())

	w = get(t, h, http.MethodGet, "/assets/font-1.woff2")
	require.Equal(t, "font/woff2", w.Header().Get("Content-Type"))

	w = get(t, h, http.MethodGet, "/theme.js")
	require.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
}

func TestAFileOfAnOldBuildIsNotAPage(t *testing.T) {
	t.Parallel()
	require.Equal(t, http.StatusNotFound, get(t, sample(t), http.MethodGet, "/assets/a-0.js").Code)
}

func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	w := get(t, sample(t), http.MethodPost, "/")
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
}

func TestEveryAppIsServedOrSaysHowToBuildIt(t *testing.T) {
	t.Parallel()
	for _, app := range Apps() {
		h, err := Handler(app)
		require.NoError(t, err)
		w := get(t, h, http.MethodGet, "/")
		require.Equal(t, http.StatusOK, w.Code)
		if Built(app) {
			require.Contains(t, w.Body.String(), "/assets/")
		} else {
			require.Contains(t, w.Body.String(), "npm run build")
		}
	}
	_, err := Handler("other")
	require.Error(t, err)
}
