package searchstore_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/searchstore"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store/storetest"
)

func open(t testing.TB, url string) *searchstore.Store {
	t.Helper()
	prefix := "test-" + strings.ToLower(rand.Text()[:10])
	s, err := searchstore.New(searchstore.Options{URLs: []string{url}, Prefix: prefix, Refresh: 20 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, path := range []string{prefix + "-records-*", "_index_template/" + prefix + "-records"} {
			r, err := http.NewRequest(http.MethodDelete, url+"/"+path, nil)
			require.NoError(t, err)
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
		}
	})
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	url := testkit.Search(t)
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		return open(t, url)
	})
}

// Shards of a new index are there a moment later than the index: a search waits
// for them, and takes no part of an answer for the whole.
func TestShardsThatAreNotThereYet(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !strings.HasSuffix(r.URL.Path, "_search") {
			_, _ = w.Write([]byte(`{"version":{"number":"2.19.1","distribution":"opensearch"}}`))
			return
		}
		if asked++; r.URL.Query().Get("allow_partial_search_results") != "false" {
			t.Error("a part would do")
		}
		if asked < 6 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"error":{"type":"search_phase_execution_exception","reason":"all shards failed"}}`))
			return
		}
		_, _ = w.Write([]byte(`{"hits":{"hits":[]}}`))
	}))
	t.Cleanup(server.Close)
	s, err := searchstore.New(searchstore.Options{URLs: []string{server.URL}})
	require.NoError(t, err)
	list, err := s.List(t.Context(), store.Search{Limit: 1})
	require.NoError(t, err)
	require.Empty(t, list)
	require.GreaterOrEqual(t, asked, 6)
}

// OpenSearch sends no X-Elastic-Product, without which the client takes no answer:
// it is supplied, and what the cluster is, is told by what it says of itself.
func TestOpenSearchIsTakenThoughItDoesNotBearElasticsearchsHeader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ header, info string }{
		"OpenSearch, no header":                              {"", `{"version":{"number":"2.19.1","distribution":"opensearch"},"tagline":"The OpenSearch Project: https://opensearch.org/"}`},
		"OpenSearch 3, no header":                            {"", `{"version":{"number":"3.0.0","distribution":"opensearch"}}`},
		"Elasticsearch, its header":                          {"Elasticsearch", `{"version":{"number":"8.19.7"},"tagline":"You Know, for Search"}`},
		"Elasticsearch, behind a proxy that lost the header": {"", `{"version":{"number":"9.0.1"},"tagline":"You Know, for Search"}`},
	} {
		var asked []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Method+" "+r.URL.Path)
			w.Header().Set("Content-Type", "application/json")
			if c.header != "" {
				w.Header().Set("X-Elastic-Product", c.header)
			}
			answer := `{"errors":false,"items":[{"create":{"status":201}}]}`
			if r.URL.Path == "/" {
				answer = c.info
			}
			_, _ = w.Write([]byte(answer))
		}))
		s, err := searchstore.New(searchstore.Options{URLs: []string{server.URL}})
		require.NoError(t, err)
		_, err = s.Add(t.Context(), []store.Batch{storetest.Batch("b", storetest.Row("acme", "1", 0))})
		require.NoError(t, err, name)
		require.NoError(t, s.Health(), name)
		server.Close()
		require.Equal(t, []string{"GET /", "PUT /_index_template/gatehouse-records"}, asked[:2], name)
		require.Greater(t, len(asked), 2, "%s: nothing was written", name)
	}
}

// Nothing is known of such a server, so nothing is written to it: supplying the
// header makes no other server one that is taken.
func TestAServerThatIsNeitherElasticsearchNorOpenSearchIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ header, info, want string }{
		"old Elasticsearch":        {"Elasticsearch", `{"version":{"number":"7.17.0"},"tagline":"You Know, for Search"}`, `Elasticsearch "7.17.0": use Elasticsearch 8`},
		"old OpenSearch":           {"", `{"version":{"number":"1.3.0","distribution":"opensearch"}}`, `opensearch "1.3.0"`},
		"another fork":             {"", `{"version":{"number":"9.1.0","distribution":"searchalike"},"tagline":"You Know, for Search"}`, `searchalike "9.1.0"`},
		"a version and no name":    {"", `{"version":{"number":"9.1.0"},"tagline":"Search, but otherwise"}`, `another server that calls itself "9.1.0"`},
		"the header and no motto":  {"Elasticsearch", `{"version":{"number":"9.1.0"}}`, "use Elasticsearch 8"},
		"another name in a header": {"Searchalike", `{"version":{"number":"9.1.0"},"tagline":"You Know, for Search"}`, "not Elasticsearch"},
		"no search at all":         {"", `{}`, "use Elasticsearch 8"},
		"no JSON":                  {"", `<html>`, "invalid character"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != "/" {
				t.Errorf("%s: %s %s", name, r.Method, r.URL)
			}
			w.Header().Set("Content-Type", "application/json")
			if c.header != "" {
				w.Header().Set("X-Elastic-Product", c.header)
			}
			_, _ = w.Write([]byte(c.info))
		}))
		s, err := searchstore.New(searchstore.Options{URLs: []string{server.URL}})
		require.NoError(t, err)
		_, err = s.Add(t.Context(), []store.Batch{storetest.Batch("b", storetest.Row("acme", "1", 0))})
		require.ErrorContains(t, err, c.want, name)
		require.Error(t, s.Health(), name)
		server.Close()
	}
}

// A cluster that is away or refuses the credentials is waited for; a record that
// it does not take is not.
func TestHealth(t *testing.T) {
	t.Parallel()
	status, body := http.StatusOK, `{"version":{"number":"8.1.0"},"tagline":"You Know, for Search"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "_bulk") {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return
		}
		_, _ = w.Write([]byte(`{"version":{"number":"8.1.0"},"tagline":"You Know, for Search"}`))
	}))
	t.Cleanup(server.Close)
	s, err := searchstore.New(searchstore.Options{URLs: []string{server.URL}})
	require.NoError(t, err)
	batch := []store.Batch{storetest.Batch("b", storetest.Row("acme", "1", 0))}
	for name, c := range map[string]struct {
		status int
		body   string
		away   bool
	}{
		"unauthorized": {401, `{}`, true},
		"overloaded":   {429, `{}`, true},
		"broken":       {500, `{"error":{"type":"x","reason":"y"}}`, true},
		"item refused": {200, `{"items":[{"create":{"status":400,"error":{"type":"strict_dynamic_mapping_exception","reason":"no"}}}]}`, false},
		"item busy":    {200, `{"items":[{"create":{"status":429,"error":{"type":"rejected","reason":"full"}}}]}`, true},
		"odd":          {200, `{"items":[]}`, false},
	} {
		status, body = c.status, c.body
		_, err := s.Add(t.Context(), batch)
		require.Error(t, err, name)
		require.Equal(t, c.away, s.Health() != nil, name)
	}
	status, body = 200, `{"items":[{"create":{"status":201}}]}`
	added, err := s.Add(t.Context(), batch)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"acme": 1}, added)
	require.NoError(t, s.Health())
}

func TestOptions(t *testing.T) {
	t.Parallel()
	_, err := searchstore.New(searchstore.Options{})
	require.ErrorContains(t, err, "no address")
	_, err = searchstore.New(searchstore.Options{URLs: []string{"http://127.0.0.1:1"}, CA: []byte("none")})
	require.ErrorContains(t, err, "no certificates")
}
