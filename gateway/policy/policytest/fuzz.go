package policytest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// FuzzConfig compiles configurations, beginning with the example and those
// given (YAML or JSON), and sends a request through what compiles: neither may
// panic.
func FuzzConfig(f *testing.F, def policy.Definition, configs ...string) {
	f.Helper()
	for _, c := range append(configs, def.Example) {
		var v any
		if err := yaml.Unmarshal([]byte(c), &v); err != nil {
			f.Fatal(err)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		h := &Harness{t: t, Clock: NewClock()}
		env := h.env()
		env.Store = nil
		hooks, err := def.Compile(raw, env)
		if err != nil {
			return
		}
		if hooks.Close != nil {
			t.Cleanup(hooks.Close)
		}
		h.step = &chain.Step{ID: env.ID, Type: def.Name, Level: env.Scope.Level, Hooks: hooks}
		h.chain = chain.New("api", []*chain.Step{h.step}, nil)
		res := h.Do(Request{
			Method: "POST", Path: "/a/b?c=d", Body: `{"a":1}`,
			Header: map[string]string{"Content-Type": "application/json", "Origin": "https://a.example", "Accept-Encoding": "gzip"},
			Edit:   func(ex *policy.Exchange) { ex.SetContext(ctx) },
		}, Upstream{Body: `{"a":1}`, Header: map[string]string{"Content-Type": "application/json"}})
		for _, v := range res.Verdicts {
			if v.Err != nil && strings.HasPrefix(v.Err.Error(), "panic: ") { // as the chain records it
				t.Fatalf("%s\n%v", raw, v.Err)
			}
		}
	})
}
