package authn_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// A token that was good is looked at anew each time: it ends, and so does its
// key. One whose text differs at all is another.
func TestWhatIsRememberedOfATokenDoesNotOutliveIt(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.SetNow(clock.Now)
	v := authn.NewVerifier(tenants, quiet, clock.Now)
	token := tenants.Token(t, ada)
	for range 3 {
		p, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, ada, p)
	}
	last := token[len(token)-3]
	other := byte('A')
	if last == other {
		other = 'B'
	}
	_, err := v.Verify(t.Context(), token[:len(token)-3]+string(other)+token[len(token)-2:])
	require.Equal(t, problem.CodeCredentialInvalid, code(t, err))
	clock.Advance(authn.Lifetime)
	_, err = v.Verify(t.Context(), token)
	require.Equal(t, problem.CodeCredentialExpired, code(t, err))

	token = tenants.Token(t, ada)
	_, err = v.Verify(t.Context(), token)
	require.NoError(t, err)
	tenants.Rotate(t)
	clock.Advance(2 * time.Second)
	_, err = v.Verify(t.Context(), tenants.Token(t, ada)) // brings the new keys
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), token)
	require.Equal(t, problem.CodeCredentialInvalid, code(t, err), "its key was withdrawn")

	first := tenants.Token(t, ada)
	for range 100 { // more than enough to see that others push nothing out of its place
		p := ada
		p.Subject = rand.Text()
		got, err := v.Verify(t.Context(), tenants.Token(t, p))
		require.NoError(t, err)
		require.Equal(t, p.Subject, got.Subject)
	}
	p, err := v.Verify(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, ada, p)
}

func BenchmarkVerify(b *testing.B) {
	tenants := authntest.New(b)
	v := authn.NewVerifier(tenants, quiet, time.Now)
	token := tenants.Token(b, ada)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
