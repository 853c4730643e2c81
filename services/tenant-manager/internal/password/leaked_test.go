package password_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
)

func leakedLine(pw string, n int) string {
	sum := sha1.Sum([]byte(pw))
	return strings.ToUpper(hex.EncodeToString(sum[:])) + fmt.Sprintf(":%d", n)
}

func TestLeakedPasswordsAreFound(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"few": 40, "some": 20_000, "one": 1} {
		for _, atOnce := range []int{7, 1000, 1 << 20} {
			if n/atOnce > 500 {
				continue
			}
			t.Run(fmt.Sprintf("%s, %d at once", name, atOnce), func(t *testing.T) {
				t.Parallel()
				lines := make([]string, 0, n)
				for i := range n {
					lines = append(lines, leakedLine(fmt.Sprintf("leaked %d", i), i+1))
				}
				lines = append(lines, lines[0], "", strings.ToLower(lines[len(lines)-1]))
				rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
				dir := t.TempDir()
				path := filepath.Join(dir, "leaked")
				done, err := password.ImportList(t.Context(), strings.NewReader(strings.Join(lines, "\r\n")), path, atOnce)
				require.NoError(t, err)
				require.EqualValues(t, n+2, done.Lines)
				require.EqualValues(t, n, done.Passwords)
				info, err := os.Stat(path)
				require.NoError(t, err)
				require.Equal(t, done.Bytes, info.Size())
				entries, err := os.ReadDir(dir)
				require.NoError(t, err)
				require.Len(t, entries, 1, "nothing else is left")
				l := password.Leaked{Path: path}
				count, err := l.Check()
				require.NoError(t, err)
				require.EqualValues(t, n, count)
				for i := range min(n, 2000) {
					has, err := l.Has(fmt.Sprintf("leaked %d", i))
					require.NoError(t, err)
					require.True(t, has, "%d", i)
					has, err = l.Has(fmt.Sprintf("not leaked %d", i))
					require.NoError(t, err)
					require.False(t, has, "%d", i)
				}
			})
		}
	}
}

func TestANewListCountsAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "leaked")
	l := password.Leaked{Path: path}
	has, err := l.Has("first of all")
	require.NoError(t, err, "a list that is not there is empty")
	require.False(t, has)
	for _, pw := range []string{"first of all", "second of all"} {
		_, err := password.Import(t.Context(), strings.NewReader(leakedLine(pw, 3)), path)
		require.NoError(t, err)
		has, err := l.Has(pw)
		require.NoError(t, err)
		require.True(t, has)
	}
	has, err = l.Has("first of all")
	require.NoError(t, err)
	require.False(t, has, "it took the place of the one before")

	// A list that is refused, or broken off, changes nothing.
	for text, want := range map[string]string{
		leakedLine("x", 1) + "\nhunter2:3": "line 2 of the list: want the SHA-1",
		leakedLine("x", 1)[1:]:             "line 1 of the list",
		strings.Repeat("g", 40) + ":1":     "line 1 of the list",
		leakedLine("x", 1) + "x":           "line 1 of the list",
		strings.Repeat("0", 40) + ":":      "line 1 of the list",
		strings.Repeat("0", 5000):          "too long",
		"\n \n":                            "the list is empty",
		"":                                 "the list is empty",
	} {
		_, err := password.Import(t.Context(), strings.NewReader(text), path)
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "hunter2")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = password.Import(ended, strings.NewReader(leakedLine("x", 1)), path)
	require.ErrorIs(t, err, context.Canceled)
	has, err = l.Has("second of all")
	require.NoError(t, err)
	require.True(t, has)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// What is damaged must not say that a password is not in it.
func TestADamagedListIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "leaked")
	_, err := password.Import(t.Context(), strings.NewReader(leakedLine("first of all", 3)), path)
	require.NoError(t, err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	l := password.Leaked{Path: path}
	for name, b := range map[string][]byte{
		"empty": {}, "text": []byte("password\n123456\n"), "cut": whole[:len(whole)-1], "half": whole[:len(whole)/2], "magic": append([]byte("X"), whole[1:]...),
	} {
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_, err := l.Check()
		require.ErrorIs(t, err, password.ErrDamaged, name)
	}
	for i := range 40 { // the head and the beginning of the index
		b := bytes.Clone(whole)
		b[i] ^= 0x40
		require.NoError(t, os.WriteFile(path, b, 0o600))
		if _, err := l.Check(); err == nil {
			require.True(t, i >= 9 && i < 16 || i >= 28 && i < 32, "byte %d", i) // which mean nothing
		}
	}
	require.NoError(t, os.WriteFile(path, whole[:40], 0o600))
	_, err = l.Has("first of all")
	require.ErrorIs(t, err, password.ErrDamaged)
	_, err = password.Leaked{Path: filepath.Dir(path)}.Has("x")
	require.Error(t, err)
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(leakedLine("a", 1) + "\n" + leakedLine("b", 2)))
	f.Add([]byte("\r\n:\n"))
	f.Add([]byte(strings.Repeat("0", 40)))
	f.Fuzz(func(t *testing.T, list []byte) {
		path := filepath.Join(t.TempDir(), "leaked")
		done, err := password.Import(t.Context(), bytes.NewReader(list), path)
		if err != nil {
			_, err := os.Stat(path)
			require.ErrorIs(t, err, os.ErrNotExist)
			return
		}
		n, err := password.Leaked{Path: path}.Check()
		require.NoError(t, err)
		require.Equal(t, done.Passwords, n)
		require.Positive(t, n)
		require.LessOrEqual(t, n, done.Lines)
	})
}

// FuzzFind reads files that are damaged: an error or an answer, never a panic.
func FuzzFind(f *testing.F) {
	path := filepath.Join(f.TempDir(), "leaked")
	_, err := password.Import(f.Context(), strings.NewReader(leakedLine("a", 1)), path)
	require.NoError(f, err)
	b, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(b)
	f.Add(b[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = password.Find(bytes.NewReader(b), []byte{1, 2, 3, 4, 5, 6})
	})
}

func BenchmarkLeaked(b *testing.B) {
	path := filepath.Join(b.TempDir(), "leaked")
	var list bytes.Buffer
	r := rand.New(rand.NewChaCha8([32]byte{1}))
	const n = 5_000_000
	var sum [20]byte
	for range n {
		for i := 0; i < len(sum); i += 4 {
			x := r.Uint32()
			sum[i], sum[i+1], sum[i+2], sum[i+3] = byte(x), byte(x>>8), byte(x>>16), byte(x>>24)
		}
		fmt.Fprintf(&list, "%X:1\n", sum)
	}
	list.WriteString(leakedLine("several words of my own", 1)) // and the index is the widest
	_, err := password.Import(b.Context(), &list, path)
	require.NoError(b, err)
	l := password.Leaked{Path: path}
	for b.Loop() {
		if has, err := l.Has("several words of my own"); err != nil || !has {
			b.Fatal(has, err)
		}
	}
}

func BenchmarkAccept(b *testing.B) {
	about := password.About{Email: "ada.lovelace@example.com", Name: "Ada Lovelace", Organization: []string{"Acme Corporation", "acme"}}
	for b.Loop() {
		if err := password.Accept("several words of my own", about); err != nil {
			b.Fatal(err)
		}
	}
}
