package jwt_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/jwt"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

func BenchmarkRemembered(b *testing.B) {
	hooks, ex := benchmark(b, `{"secret":"0123456789abcdef0123456789abcdef"}`, hs([]byte("0123456789abcdef0123456789abcdef"), `{"alg":"HS256"}`, with(nil)))
	for b.Loop() {
		if hooks.Inbound(ex) != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkVerifyES256(b *testing.B) {
	raw, _ := json.Marshal(map[string]any{"jwks": keys().jwks, "cacheTtl": "0s"})
	hooks, ex := benchmark(b, string(raw), keys().sign("ES256", nil, with(nil)))
	for b.Loop() {
		if hooks.Inbound(ex) != nil {
			b.Fatal("refused")
		}
	}
}

type mapStore struct{ sync.Map }

func (m *mapStore) Get(k string) (any, bool)                      { return m.Load(k) }
func (m *mapStore) Set(k string, v any, _ int64, _ time.Duration) { m.Store(k, v) }
func (m *mapStore) Delete(k string)                               { m.Map.Delete(k) }
func (m *mapStore) DeletePrefix(string) int                       { return 0 }

func benchmark(b *testing.B, config, token string) (policy.Hooks, *policy.Exchange) {
	b.Helper()
	b.ReportAllocs()
	return benchmarked(b, config, token)
}

func benchmarked(b testing.TB, config, token string) (policy.Hooks, *policy.Exchange) {
	b.Helper()
	hooks, err := jwt.Definition().Compile(json.RawMessage(config), policy.Env{Store: &mapStore{}, KeySets: sets(b, nil, nil)})
	require.NoError(b, err)
	ex := &policy.Exchange{Start: time.Unix(now, 0)}
	ex.Request.Header.Add("Authorization", "Bearer "+token)
	return hooks, ex
}
