package factor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
)

func TestMethods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		had  factor.Methods
		more []string
		want factor.Methods
	}{
		{"", []string{factor.ByPassword}, "pwd"},
		{"pwd", []string{factor.ByOTP}, "pwd otp mfa"},
		{"pwd otp mfa", []string{factor.ByOTP}, "pwd otp mfa"},
		{"link", []string{factor.ByRecovery}, "link recovery mfa"},
		{"", []string{factor.ByPasskey}, "pop"},
		{"", []string{factor.ByPasskey, factor.ByUser}, "pop user mfa"},
	} {
		require.Equal(t, c.want, c.had.With(c.more...))
	}
	require.Equal(t, []string{}, factor.Methods("").List())
}

// The vectors of RFC 6238 appendix B, SHA-1, of which apps show six digits.
func TestTOTP(t *testing.T) {
	t.Parallel()
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		now := time.Unix(at, 0)
		step, ok := factor.MatchTOTP(key, code[:3]+" "+code[3:], now, 0)
		require.True(t, ok, code)
		require.Equal(t, at/30, step)
		for _, d := range []time.Duration{-30 * time.Second, 30 * time.Second} {
			_, ok = factor.MatchTOTP(key, code, now.Add(d), 0)
			require.True(t, ok, "one step of skew")
			_, ok = factor.MatchTOTP(key, code, now.Add(3*d), 0)
			require.False(t, ok)
		}
		_, ok = factor.MatchTOTP(key, code, now, step)
		require.False(t, ok, "used")
	}
	k, err := factor.NewTOTP("Gatehouse: Acme", "ada@example.com")
	require.NoError(t, err)
	code, err := totp.GenerateCode(k.Secret, time.Unix(1e9, 0))
	require.NoError(t, err)
	_, ok := factor.MatchTOTP(k.Secret, code, time.Unix(1e9, 0), 0)
	require.True(t, ok)
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	codes := factor.NewRecoveryCodes()
	require.Len(t, codes, factor.RecoveryCodes)
	seen := map[string]bool{}
	for _, c := range codes {
		require.Regexp(t, `^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$`, c)
		require.False(t, seen[c])
		seen[c] = true
		spelled := strings.ToUpper(strings.NewReplacer("-", "", "0", "o", "1", "L").Replace(c))
		require.Equal(t, factor.RecoveryHash("u", c), factor.RecoveryHash("u", spelled))
		require.NotEqual(t, factor.RecoveryHash("u", c), factor.RecoveryHash("v", c), "of another user")
	}
}

func TestParties(t *testing.T) {
	t.Parallel()
	p, err := factor.NewParties("Gatehouse", "example.com", "https://admin.example.com", "https://example.com", "http://other.test:8080", "", "https://notexample.com")
	require.NoError(t, err)
	for origin, id := range map[string]string{
		"https://admin.example.com": "example.com", "https://EXAMPLE.com/": "example.com", "http://other.test:8080": "other.test", "https://notexample.com": "notexample.com",
	} {
		require.NotNil(t, p.Of(origin), origin)
		require.Equal(t, id, p.Of(origin).ID)
	}
	for _, origin := range []string{"https://evil.test", "http://other.test", "http://admin.example.com", ""} {
		require.Nil(t, p.Of(origin), origin)
	}
	_, err = factor.NewParties("Gatehouse", "", "nonsense")
	require.Error(t, err)
}

// Whatever a page sends, it is refused and nothing breaks.
func FuzzPasskeyAnswers(f *testing.F) {
	p, err := factor.NewParties("Gatehouse", "", "https://a.test")
	require.NoError(f, err)
	party := p.Of("https://a.test")
	o := factor.Owner{ID: "u", Name: "U", Email: "u@a.test"}
	add, err := party.Add(o)
	require.NoError(f, err)
	ask, err := party.AskAnyone()
	require.NoError(f, err)
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA","authenticatorData":"","signature":"","userHandle":"dQ"}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		_, err := party.Added(o, add.State, answer)
		require.ErrorIs(t, err, factor.ErrPasskey)
		_, err = party.ProvenBy(ask.State, answer, func(string) (factor.Owner, error) { return o, nil })
		require.ErrorIs(t, err, factor.ErrPasskey)
	})
}
