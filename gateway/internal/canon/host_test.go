package canon

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHost(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for raw, want := range map[string]string{
		"example.com":         "example.com",
		"API.Example.COM":     "api.example.com",
		"example.com:8080":    "example.com",
		"Example.com.:443":    "example.com",
		"example.com.":        "example.com",
		"localhost":           "localhost",
		"a_b.example.com":     "a_b.example.com",
		"xn--caf-dma.example": "xn--caf-dma.example",
		"127.0.0.1:80":        "127.0.0.1",
		"[::1]":               "[::1]",
		"[::1]:8443":          "[::1]",
		"[2001:DB8::0:1]:80":  "[2001:db8::1]",
		label + ".example":    label + ".example",
	} {
		got, err := Host(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, got, raw)
	}
	for _, raw := range []string{
		"", ".", ":", ":80", "..", "a..b", ".a", "a..", "user@example.com", "example.com@evil", "a b", "a/b", "a\\b", "a?b", "a#b", "a,b", "a\x00", "é.example",
		"a:b", "a:", "a:0", "a:65536", "a:080808", "a:+1", "a:80:90", "::1", "[::1", "[::1]x", "[::1]:", "[::1]:0", "[1.2.3.4]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[]",
		"%61.example", "a%00", label + "a.example", "a." + label + "a", strings.Repeat("a.", 127) + "aaaa", "*.example.com", "a\r\nb",
	} {
		got, err := Host(raw)
		require.ErrorIs(t, err, ErrHost, "%q gave %q", raw, got)
	}
}

func TestHostCanonicalAllocatesNothing(t *testing.T) {
	for _, raw := range []string{"api.example.com", "api.example.com:8080", "[2001:db8::1]:80"} {
		require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = Host(raw) }), raw)
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"a", "A.b:80", "[::1]:80", "a.", "a:b:c", "x@y", "[::ffff:1.2.3.4]", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := Host(raw)
		if err != nil {
			return
		}
		again, err := Host(got)
		if err != nil || again != got {
			t.Fatalf("%q -> %q -> %q, %v", raw, got, again, err)
		}
		if got != strings.ToLower(got) || strings.ContainsAny(got, "@/\\ %,;?#\x00") || strings.HasSuffix(got, ".") {
			t.Fatalf("%q -> %q", raw, got)
		}
		if got[0] != '[' && strings.Contains(got, ":") {
			t.Fatalf("%q -> %q", raw, got)
		}
	})
}

func BenchmarkHost(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Host("api.example.com:8080"); err != nil {
			b.Fatal(err)
		}
	}
}
