package password_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	for pw, want := range map[string]error{
		"correct horse battery":      nil,
		"Tr0ub4dor&3x":               nil,
		"日本語のパスワードです":                nil,
		"short":                      password.ErrShort,
		"":                           password.ErrShort,
		"日本語":                        password.ErrShort,
		strings.Repeat("abcdef", 50): password.ErrLong,
		"aaaaaaaaaaaaaaaa":           password.ErrSimple,
		"abababababab":               password.ErrSimple,
		"Password123!":               password.ErrKnown,
		"1234567890":                 password.ErrKnown,
		"Administrator2030":          password.ErrKnown,
		"gatehouse-2030":             password.ErrKnown,
		"ada.lovelace@example.com":   password.ErrOwn,
		"ada.lovelace1":              password.ErrOwn,
		"Ada Lovelace":               password.ErrOwn,
		"AdaLovelace!2030":           password.ErrOwn,
		"Acme-2030-Acme":             password.ErrOwn,
		"acmerockets":                password.ErrOwn,
		"4cm3L0velace99":             password.ErrOwn,
		"Ada likes the rockets":      nil,
		"the canadian lovers":        nil,
		"Manchester2030":             password.ErrKnown,
		"m4nch3st3r!!":               password.ErrKnown,
		"1qaz2wsx3edc":               password.ErrKnown,
		"1QAZ2wsx3edc":               password.ErrKnown,
		"dragondragon":               password.ErrKnown,
		"dragon 8274-1193-5520":      nil, // the number is not guessed
		"P@$$w0rd2030!":              password.ErrKnown,
	} {
		require.Equal(t, want, password.Accept(pw, password.About{Email: "ada.lovelace@example.com", Name: "Ada Lovelace", Organization: []string{"Acme Rockets", "acme"}}), "%q", pw)
	}
	require.NoError(t, password.Accept("manchurian candidate", password.About{}))
}

func TestTheCommonList(t *testing.T) {
	t.Parallel()
	list := password.Commons()
	require.Greater(t, len(list), 50_000)
	require.True(t, slices.IsSorted(list))
	require.Contains(t, list, "qwertyuiop")
	for _, s := range list {
		require.GreaterOrEqual(t, utf8.RuneCountInString(s), 4)
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	h := password.NewHasher()
	ctx := t.Context()
	hash, err := h.Hash(ctx, "correct horse battery")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), hash)
	for pw, want := range map[string]bool{"correct horse battery": true, "correct horse batterz": false, "": false} {
		right, outdated, err := h.Verify(ctx, pw, hash)
		require.NoError(t, err)
		require.Equal(t, want, right)
		require.False(t, outdated)
	}
	right, outdated, err := h.Verify(ctx, "nobody has this password", "")
	require.NoError(t, err)
	require.False(t, right, "nobody signs in to an account that is not there")
	require.False(t, outdated)
	decoy, _, _, err := argon2id.DecodeHash(password.Decoy)
	require.NoError(t, err)
	real, _, _, err := argon2id.DecodeHash(hash)
	require.NoError(t, err)
	require.Equal(t, real, decoy, "what is compared with instead costs the same")

	weak, err := argon2id.CreateHash("old password here", &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	require.NoError(t, err)
	right, outdated, err = h.Verify(ctx, "old password here", weak)
	require.NoError(t, err)
	require.True(t, right)
	require.True(t, outdated)

	ended, cancel := context.WithCancel(ctx)
	cancel()
	for range 8 { // whichever of the two the select takes
		if _, err = h.Hash(ended, "x"); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = h.Verify(ctx, "x", "not a hash")
	require.ErrorContains(t, err, "comparing a password")
}

// A flood is refused at once, and those who wait get their turn.
func TestTooManyAtOnce(t *testing.T) {
	t.Parallel()
	h := password.NewHasher()
	hold, held := make(chan struct{}), make(chan struct{}, 1000)
	h.Slow = func() {
		held <- struct{}{}
		<-hold
	}
	answers := make(chan error, 200)
	come := func(n int) {
		for range n {
			go func() {
				_, _, err := h.Verify(t.Context(), "not right", "")
				answers <- err
			}()
		}
	}
	come(2)
	<-held
	<-held // two are at it
	come(150)
	for range 50 { // and a hundred wait
		var p *problem.Problem
		require.ErrorAs(t, <-answers, &p)
		require.Equal(t, 503, p.Status)
		require.Equal(t, "2", p.RetryAfterSeconds())
	}
	close(hold)
	for range 102 {
		require.NoError(t, <-answers)
	}
}
