package config_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/config"
)

func TestWithoutCutsKeysOutOfPlainText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text, want string
		ok         bool
	}{
		"block":     {"a: 1\napis:\n  - x: {y: 1}\n# note\n    \nb: [2,\n  3]\n", "a: 1\nb: [2,\n  3]\n", true},
		"flow":      {"apis: [1, 2]\na: 1", "a: 1", true},
		"list at 0": {"apis:\n- 1\n- 2\na: 1\n", "a: 1\n", true},
		"documents": {"a: 1\n---\napis: []\n", "", false},
		"json":      {`{"apis": []}`, "", false},
		"quoted":    {"\"apis\": []\n", "", false},
		"open flow": {"apis: [\n]\n", "", false},
		"tab":       {"\ta: 1\n", "", false},
		"no space":  {"a:1\n", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, ok := config.Without([]config.Source{{Name: "f", Data: []byte(tc.text)}}, "apis")
			require.Equal(t, tc.ok, ok)
			if ok {
				require.Equal(t, tc.want, string(out[0].Data))
			}
		})
	}
}

// What is left decodes to the same as the whole, less what was cut.
func FuzzWithout(f *testing.F) {
	f.Add("a: 1\napis:\n  - x: |\n      text\n\n      more\nb: {c: [1]}\n")
	f.Add("apis: &x\n  - 1\nb: *x\n")
	f.Fuzz(func(t *testing.T, text string) {
		sources := []config.Source{{Name: "f", Data: []byte(text)}}
		rest, ok := config.Without(sources, "apis")
		if !ok {
			return
		}
		whole, okWhole := decodeText(text)
		left, okLeft := decodeText(string(rest[0].Data))
		if !okWhole || !okLeft {
			return
		}
		delete(whole, "apis")
		require.Equal(t, whole, left)
	})
}

func decodeText(text string) (map[string]any, bool) {
	var into map[string]any
	doc, fields := config.Decode("f", []byte(text), &struct{}{})
	for _, f := range fields {
		if f.Code == config.RuleYAML || f.Code == config.RuleAlias || f.Code == config.RuleMerge {
			return nil, false
		}
	}
	return into, doc != nil && json.Unmarshal(doc.JSON(), &into) == nil && into != nil
}
