package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/sample"
)

func TestOperationsThatNeedLeastAreTriedFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string
		want     []string
	}{
		"no document":  {`: [`, []string{"/"}},
		"no GET":       {`{"paths":{"/a":{"post":{}}}}`, []string{"/"}},
		"the shortest": {`{"paths":{"/abc":{"get":{}},"/b":{"get":{}},"/c":{"delete":{}}}}`, []string{"/b", "/abc"}},
		"parameters": {`
openapi: 3.0.3
paths:
  /pets/{id}:
    parameters: [{$ref: "#/components/parameters/Id"}]
    get: {parameters: [{name: full, in: query, schema: {type: boolean}}]}
  /pets:
    get: {parameters: [{name: status, in: query, required: true, schema: {$ref: "#/components/schemas/Status"}}]}
  /secret:
    get: {parameters: [{name: X-Secret, in: header, required: true}]}
  /made/{up}:
    get: {}
  /all/of/them:
    get: {parameters: [{name: limit, in: query}]}
components:
  parameters: {Id: {name: id, in: path, required: true, schema: {type: string}, example: "a b"}}
  schemas: {Status: {type: string, enum: [available, sold]}}
`, []string{"/all/of/them", "/pets?status=available", "/pets/a%20b", "/made/1"}},
	} {
		require.Equal(t, c.want, pathsToTry(c.document), name)
	}
	require.Contains(t, pathsToTry(string(sample.Document("127.0.0.1:80")))[:3], "/store/inventory")
}

func TestSlugsAreMadeOfNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Quickstart": "quickstart", " Big & Bold! ": "big-bold", "Größe 2": "gr-e-2", "---": ""} {
		require.Equal(t, want, slugOf(name))
	}
}

func TestLimitsAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"100/1m": "1m", "100/minute": "1m", "1/second": "1s", "5/month": "month", "5/30d": "30d"} {
		n, window, err := limit("--x", text)
		require.NoError(t, err)
		require.Positive(t, n)
		require.Equal(t, want, window)
	}
	for _, text := range []string{"", "100", "0/1m", "-1/1m", "x/1m", "99999999999999999999/1m"} {
		_, _, err := limit("--x", text)
		require.Error(t, err, text)
	}
}
