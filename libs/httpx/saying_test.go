package httpx

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// What every pattern of the services takes is said to people in words.
func TestPatternsAreSaidInWords(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../services/*/openapi.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 6)
	n := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		doc, err := openapi3.NewLoader().LoadFromData(b)
		require.NoError(t, err)
		for _, s := range doc.Components.Schemas {
			for _, p := range s.Value.Properties {
				if p.Value.Pattern != "" {
					n++
					require.NotContains(t, saidOfPattern(p.Value), "not of the form", "%s: %s: say with %s what it takes", name, p.Value.Pattern, expects)
				}
			}
		}
	}
	require.Positive(t, n)
	own := &openapi3.Schema{Pattern: "^x$", Description: "The letter x.", Extensions: map[string]any{expects: "write x"}}
	require.Equal(t, "write x", saidOfPattern(own))
	own.Extensions = nil
	require.Equal(t, "it is not of the form that is taken: The letter x.", saidOfPattern(own))
	require.Equal(t, "it is not of the form that is taken", saidOfPattern(nil))
}
