package sample_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/sample"
)

// The document is what the sample does: every operation of it is answered, and
// with a status that it names.
func TestEveryOperationOfTheDocumentIsAnswered(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(sample.Document("127.0.0.1:9000"))
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	bodies := map[string]string{
		"POST /pet": `{"name":"Rex"}`, "PUT /pet": `{"id":1,"name":"Bella","status":"sold"}`,
		"POST /store/order": `{"petId":1,"quantity":1}`, "POST /user": `{"username":"a"}`,
		"POST /user/createWithList": `[{"username":"b"}]`, "PUT /user/{username}": `{"email":"a@example.com"}`,
	}
	n := 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			n++
			t.Run(method+" "+path, func(t *testing.T) {
				t.Parallel()
				target := sample.BasePath + strings.NewReplacer("{petId}", "1", "{orderId}", "1", "{username}", "lena").Replace(path) + "?username=lena"
				w := httptest.NewRecorder()
				sample.Handler().ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(bodies[method+" "+path])))
				require.NotEqual(t, http.StatusMethodNotAllowed, w.Code)
				require.NotNil(t, op.Responses.Status(w.Code), "answered %d, of which the document says nothing: %s", w.Code, w.Body)
				require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			})
		}
	}
	require.Equal(t, 19, n)
}

func TestWhatIsNotValidIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/pet", `{`, 400},
		{"POST", "/pet", `{"name":""}`, 400},
		{"POST", "/pet", `{"name":"x","status":"eaten"}`, 400},
		{"PUT", "/pet", `{"id":77,"name":"x"}`, 404},
		{"GET", "/pet/x", "", 400},
		{"GET", "/pet/77", "", 404},
		{"POST", "/store/order", `{"petId":77}`, 400},
		{"GET", "/user/nobody", "", 404},
		{"GET", "/nothing", "", 404},
	} {
		w := httptest.NewRecorder()
		sample.Handler().ServeHTTP(w, httptest.NewRequest(c.method, sample.BasePath+c.path, strings.NewReader(c.body)))
		require.Equal(t, c.status, w.Code, "%s %s %s", c.method, c.path, w.Body)
	}
}

// The health check of its container is the same program.
func TestTheCommandAsksARunningOneWhetherItIsReady(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(sample.Handler())
	defer http.DefaultClient.CloseIdleConnections()
	ask := func() error {
		c := sample.Command()
		c.SetArgs([]string{"--health", "--listen", server.Listener.Addr().String()})
		return c.ExecuteContext(t.Context())
	}
	require.NoError(t, ask())
	server.Close()
	require.Error(t, ask(), "nobody listens there")
}
