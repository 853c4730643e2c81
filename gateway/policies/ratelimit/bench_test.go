package ratelimit_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/policies/ratelimit"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

func BenchmarkRateLimit(b *testing.B) {
	set, err := counter.New(counter.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { _ = set.Close() })
	for name, config := range map[string]string{
		"one rule":    `{"limit": 1000000000, "window": "1s", "key": "application"}`,
		"no header":   `{"limit": 1000000000, "window": "1s", "key": "application", "headers": false}`,
		"used up":     `{"limit": 1, "window": "1s", "key": "application"}`,
		"three rules": `{"rules": [{"limit": 1000000000, "window": "1s"}, {"limit": 1000000000, "window": "1m"}, {"limit": 1000000000, "window": "1h"}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			env := policy.Env{ID: name, Counters: set, Slot: func() policy.Slot { return 0 }}
			hooks, err := ratelimit.Definition().Compile(json.RawMessage(config), env)
			require.NoError(b, err)
			b.Cleanup(hooks.Close)
			ex := &policy.Exchange{Caller: app("a")}
			b.ReportAllocs()
			for b.Loop() {
				_ = hooks.Inbound(ex)
				if hooks.Final != nil {
					hooks.Final(ex)
				}
				hooks.Done(ex)
				ex.Response.Header.Reset()
			}
		})
	}
}
