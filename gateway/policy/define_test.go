package policy_test

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

type config struct {
	Max int           `json:"max" schema:"min=1"`
	Key schema.Secret `json:"key,omitzero"`
}

func TestDefineDecodesStrictlyFillsDefaultsAndResolvesSecrets(t *testing.T) {
	t.Parallel()
	var got config
	def := policy.Define("test", "Test", config{Max: 7}, func(c config, _ policy.Env) (policy.Hooks, error) {
		got = c
		return policy.Hooks{}, nil
	})
	env := policy.Env{Secrets: func(scheme, name string) (string, error) { return scheme + "!" + name, nil }}
	_, err := def.Compile(json.RawMessage(`{"key": "env:A"}`), env)
	require.NoError(t, err)
	require.Equal(t, 7, got.Max)
	require.Equal(t, "env!A", got.Key.Reveal())

	_, err = def.Compile(json.RawMessage(`{"maks": 1, "max": 0}`), env)
	require.True(t, problem.Is(err, problem.CodeInvalidInput))
	require.Len(t, problem.From(err).Errors, 2)
}

func TestARegistryRefusesTwoOfOneName(t *testing.T) {
	t.Parallel()
	def := policy.Define("test", "Test", config{Max: 1}, func(config, policy.Env) (policy.Hooks, error) { return policy.Hooks{}, nil })
	_, err := policy.NewRegistry(def, def)
	require.ErrorContains(t, err, `"test" is defined twice`)
}

func TestHeader(t *testing.T) {
	t.Parallel()
	var h policy.Header
	h.Add("Accept", "a")
	h.Add("X-One", "1")
	h.Add("accept", "b, C")
	require.Equal(t, "a", h.Get("ACCEPT"))
	require.Equal(t, 2, h.Count("accept"))
	require.Equal(t, "a, b, C", h.Joined("Accept"))
	require.True(t, h.HasToken("accept", "c"))
	require.False(t, h.HasToken("accept", "d"))
	h.Set("ACCEPT", "z")
	require.Equal(t, []policy.Field{{Name: "Accept", Value: "z"}, {Name: "X-One", Value: "1"}}, h.Fields())
	h.Del("accept")
	require.Equal(t, 1, h.Len())
	require.False(t, policy.EqualName("@bc", "`bc"), "only letters have case")
	require.False(t, policy.ValidName("a b"))
	require.False(t, policy.ValidValue("a\r\nb"))
	require.True(t, policy.ValidValue("a\tb"))
}

func TestBodyBuffersUpToItsLimitAndLosesNothing(t *testing.T) {
	t.Parallel()
	var b policy.Body
	require.Nil(t, b.Reader())
	b.SetBytes([]byte("abc"))
	got, err := b.Buffer(1)
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
}

func TestDigestOf(t *testing.T) {
	for _, n := range []int{0, 46, 256, 257} {
		id := strings.Repeat("k", n)
		require.Equal(t, policy.Digest(sha256.Sum256([]byte(id))), policy.DigestOf(id))
		if n <= 256 {
			require.Zero(t, testing.AllocsPerRun(100, func() { _ = policy.DigestOf(id) }), n)
		}
	}
}
