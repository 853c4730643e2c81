package canon

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw, want string
		flags     Flags
	}{
		{"/", "/", 0},
		{"/orders/items/17", "/orders/items/17", 0},
		{"/a/b/", "/a/b/", 0},
		{"/a.b/.c/d./...", "/a.b/.c/d./...", 0},
		{"/!$&'()*+,=:@-._~", "/!$&'()*+,=:@-._~", 0},
		// Escapes.
		{"/%41%7a%2D%5f%7E%2e5", "/Az-_~.5", 0},
		{"/caf%c3%a9", "/caf%C3%A9", 0},
		{"/caf%C3%A9", "/caf%C3%A9", 0},
		{"/a%20b%3f%23%3b", "/a%20b%3F%23%3B", 0},
		{"/%0a%0D", "/%0A%0D", 0},
		// Dot segments.
		{"/a/./b/../c", "/a/c", 0},
		{"/a/b/..", "/a/", 0},
		{"/a/b/.", "/a/b/", 0},
		{"/a/..", "/", 0},
		{"/.", "/", 0},
		{"/%2e/a/%2E%2e/b", "/b", 0},
		{"/a/.%2e/b", "/b", 0},
		// What an API may allow.
		{"/a%2fb", "/a%2Fb", EncodedSlash},
		{"/a%2Fb", "/a%2Fb", EncodedSlash},
		{"/a%5cb", "/a%5Cb", EncodedBackslash},
		{"/a%252e%252e", "/a%252e%252e", EncodedPercent},
		{"/a;v=1/b", "/a;v=1/b", PathParameters},
		{"//admin", "//admin", EmptySegment},
		{"/a//", "/a//", EmptySegment},
		{"/a/..//b", "//b", EmptySegment},
		{"/a%2Fb/../c", "/c", EncodedSlash},
		{"/a%2F.b", "/a%2F.b", EncodedSlash},
		{"/a%2F...", "/a%2F...", EncodedSlash},
		{"/a;..", "/a;..", PathParameters},
	} {
		got, flags, err := Path(c.raw)
		require.NoError(t, err, c.raw)
		require.Equal(t, c.want, got, c.raw)
		require.Equal(t, c.flags, flags, c.raw)
	}
}

func TestPathRefuses(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]error{
		"":                      errNoSlash,
		"*":                     errNoSlash,
		"a/b":                   errNoSlash,
		"http://h/":             errNoSlash,
		"/%":                    errEscape,
		"/%4":                   errEscape,
		"/%zz":                  errEscape,
		"/%%34%31":              errEscape,
		"/a%00b":                errNull,
		"/./%00":                errNull,
		"/a\x00b":               errControl,
		"/a\tb":                 errControl,
		"/a\r\nb":               errControl,
		"/a\x7f":                errControl,
		"/caf\xc3\xa9":          errHigh,
		"/a b":                  errBad,
		"/a\\b":                 errBad,
		"/..\\admin":            errBad,
		"/a#b":                  errBad,
		"/a?b":                  errBad,
		"/a|b":                  errBad,
		"/{id}":                 errBad,
		"/a[1]":                 errBad,
		"/..":                   errAbove,
		"/../etc/passwd":        errAbove,
		"/a/../../b":            errAbove,
		"/%2e%2e/":              errAbove,
		"/a/%2e%2e/%2e./b":      errAbove,
		"/a//../b":              errNothing,
		"//..":                  errNothing,
		"/admin%2f..":           errNested,
		"/admin%2F..%2Fx":       errNested,
		"/..%2fadmin":           errNested,
		"/x/..%5cadmin":         errNested,
		"/x%5C.":                errNested,
		"/a/..;/b":              errNested,
		"/a/..;x=1/b":           errNested,
		"/a/.;/b":               errNested,
		"/a/%2e%2e;/b":          errNested,
		"/a%2F..;x":             errNested,
		"/%c0%ae%c0%ae/":        errUTF8,
		"/%c0%af":               errUTF8,
		"/%e0%80%af":            errUTF8,
		"/%f0%80%80%af":         errUTF8,
		"/./%C1%9C":             errUTF8,
		"/a/%uff0e/":            errEscape,
		"/\xef\xbc\x8e/":        errHigh,
		"/admin\x85":            errHigh,
		"/a/../%2e%2e/%2fadmin": errAbove,
	} {
		got, _, err := Path(raw)
		require.ErrorIs(t, err, want, "%q gave %q", raw, got)
		require.ErrorIs(t, err, ErrPath)
		require.Empty(t, got)
	}
}

func TestPathCanonicalAllocatesNothing(t *testing.T) {
	for raw, want := range map[string]float64{
		"/orders/items/17/lines/4?"[:23]:    0,
		"/caf%C3%A9/a%2Fb/.well-known":      0,
		"/orders/./items/%41" + "/lines/17": 1,
	} {
		require.InDelta(t, want, testing.AllocsPerRun(100, func() {
			if _, _, err := Path(raw); err != nil {
				t.Fatal(err)
			}
		}), 0, raw)
	}
}

func TestFlagsString(t *testing.T) {
	t.Parallel()
	require.Equal(t, "an encoded slash (%2F), an empty segment (//)", (EncodedSlash | EmptySegment).String())
	require.Empty(t, Flags(0).String())
}

// bypasses are strings that have been used against other gateways. R11.4
var bypasses = []string{
	"/admin%2f..", "/admin%2F%2e%2e%2f", "/a/..;/b", "/a/.;/b", "/%2e%2e/", "/%2e/admin", "//admin", "///admin", "/admin//", "/admin/.",
	"/./admin", "/x/../admin", "/x/%2e%2e/admin", "/x/..%2fadmin", "/x/..%5cadmin", "/x\\..\\admin", "/%252e%252e/admin", "/%25%32%65/",
	"/%c0%ae%c0%ae/admin", "/%c0%af", "/%e0%80%af", "/%ef%bc%8f", "/%ef%bc%8e%ef%bc%8e/", "/%u002e%u002e/", "/admin%00", "/admin%00.png",
	"/admin%20", "/admin%09", "/admin%0d%0aX: y", "/admin;x", "/;/admin", "/admin;/..", "/%61dmin", "/%41dmin", "/admin#", "/admin?",
	"/admin..;/", "/..;/admin", "/a/;../admin", "/a%2f%2fb", "/a%5c..%5cb", "/.%2e/", "/%2e.", "/...", "/a/.../b", "/a/..%00/", "/%2f", "/%",
	"/%2", "/%%32%66", "/a\x00", "/a\x80", "/~admin", "/%7eadmin", "/a/b/../../../c", "/a%2F..%2F..", "http://admin/", "*", "",
}

func FuzzPath(f *testing.F) {
	for _, s := range bypasses {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, flags, err := Path(raw)
		if err != nil {
			return
		}
		again, flagsAgain, err := Path(got)
		if err != nil || again != got {
			t.Fatalf("%q -> %q -> %q, %v", raw, got, again, err)
		}
		if flagsAgain&^flags != 0 {
			t.Fatalf("%q: flags %v, of the result %v", raw, flags, flagsAgain)
		}
		want, wantFlags := reference(raw)
		if have, err := url.PathUnescape(got); err != nil || have != want {
			t.Fatalf("%q -> %q decodes to %q, want %q (%v)", raw, got, have, want, err)
		}
		if flags != wantFlags {
			t.Fatalf("%q: flags %v, want %v", raw, flags, wantFlags)
		}
		// However a lenient upstream reads it: no dot segment appears.
		lenient := strings.NewReplacer("%2F", "/", "%5C", "/").Replace(got)
		for s := range strings.SplitSeq(lenient, "/") {
			s, _, _ = strings.Cut(s, ";")
			if s == "." || s == ".." {
				t.Fatalf("%q -> %q has a dot segment", raw, got)
			}
		}
		for i := range len(got) {
			if c := got[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' || c == '?' {
				t.Fatalf("%q -> %q has %q", raw, got, c)
			}
		}
	})
}

// reference removes dot segments with net/url's decoding, in the slow and
// obvious way.
func reference(raw string) (decoded string, flags Flags) {
	var out []string
	parts := strings.Split(raw, "/")[1:]
	for i, s := range parts {
		d, err := url.PathUnescape(s)
		if err != nil {
			return "invalid: " + err.Error(), 0
		}
		for _, x := range []struct {
			in   bool
			flag Flags
		}{
			{strings.Contains(d, "/"), EncodedSlash},
			{strings.Contains(d, "\\"), EncodedBackslash},
			{strings.Contains(d, "%"), EncodedPercent},
			{strings.Contains(s, ";"), PathParameters},
			{s == "" && i < len(parts)-1, EmptySegment},
		} {
			if x.in {
				flags |= x.flag
			}
		}
		last := i == len(parts)-1
		switch d {
		case ".", "..":
			if d == ".." {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, d)
		}
	}
	return "/" + strings.Join(out, "/"), flags
}

func BenchmarkPath(b *testing.B) {
	for name, raw := range map[string]string{
		"canonical-24": "/orders/v1/items/1234567",
		"canonical-96": "/orders/v1/items/1234567/lines/89/shipping-address/8f14e45f-ceea-467f-a8d4-9d4a1f7e5b0c/history",
		"rewrite-24":   "/orders/v1/items/%31/./x",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Path(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
