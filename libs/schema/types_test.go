package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/schema"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "150ms": 150 * time.Millisecond, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour,
		"1.5s": 1500 * time.Millisecond, "2us": 2 * time.Microsecond, "2µs": 2 * time.Microsecond, "3ns": 3,
	} {
		d, err := schema.ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, d.Std(), text)
		again, err := schema.ParseDuration(d.String())
		require.NoError(t, err)
		require.Equal(t, d, again, text)
	}
	for _, text := range []string{"", "5", "s", "-1s", "1 s", "1.s", ".5s", "1w", "1sx", "99999999999999999999d", "200000d", "100000d100000d", "1e3s"} {
		_, err := schema.ParseDuration(text)
		require.Error(t, err, text)
	}
	require.Equal(t, "1d1h1m1s1ms", schema.Duration(25*time.Hour+time.Minute+time.Second+time.Millisecond).String())
}

func FuzzDurationAgreesWithItsPattern(f *testing.F) {
	for _, s := range []string{"0", "1h30m", "1.5s", "2µs", "", "1", "00s", "1s1s", "99999999999d", "1.0000000000000000000000001h"} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(schema.Duration(0).JSONSchema().Pattern)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := schema.ParseDuration(s)
		if err != nil {
			if pattern.MatchString(s) {
				require.ErrorContains(t, err, "too long", "%q", s)
			}
			return
		}
		require.Regexp(t, pattern, s)
		again, err := schema.ParseDuration(d.String())
		require.NoError(t, err)
		require.Equal(t, d, again)
		require.GreaterOrEqual(t, d.Std(), time.Duration(0))
	})
}

func FuzzBytesAgreesWithItsPattern(f *testing.F) {
	for _, s := range []string{"0", "1kB", "1.5GiB", "", "B", "1 B", "99999999999TB", "1.B"} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(schema.Bytes(0).JSONSchema().Pattern)
	f.Fuzz(func(t *testing.T, s string) {
		b, err := schema.ParseBytes(s)
		if err != nil {
			if pattern.MatchString(s) {
				require.ErrorContains(t, err, "too large", "%q", s)
			}
			return
		}
		require.Regexp(t, pattern, s)
		again, err := schema.ParseBytes(b.String())
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]schema.Bytes{
		`"10MB"`: 10_000_000, `"1GiB"`: 1 << 30, `1048576`: 1 << 20, `"1.5kB"`: 1500, `"7"`: 7, `0`: 0, `1e3`: 1000, `"2KB"`: 2000,
	} {
		var b schema.Bytes
		require.Empty(t, schema.Decode([]byte(text), &b), text)
		require.Equal(t, want, b, text)
		again, err := schema.ParseBytes(b.String())
		require.NoError(t, err)
		require.Equal(t, b, again)
	}
	for _, text := range []string{`""`, `"MB"`, `"1 MB"`, `-1`, `1.5`, `"1mb"`, `"9999999TiB"`, `true`} {
		var b schema.Bytes
		require.NotEmpty(t, schema.Decode([]byte(text), &b), text)
	}
}

// R14.2
func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	type holder struct {
		S schema.Secret `json:"s"`
	}
	h := holder{schema.NewSecret(canary)}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", h.S, "h", h)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", h.S, "h", h)
	doc, err := json.Marshal(h)
	require.NoError(t, err)
	for _, shown := range []string{
		fmt.Sprint(h), fmt.Sprintf("%v %+v %#v %s %q %x %d", h, h, h, h.S, h.S, h.S, h.S), string(doc), log.String(),
	} {
		require.NotContains(t, shown, canary)
		require.NotContains(t, shown, fmt.Sprintf("%x", canary))
		require.Contains(t, shown, "***")
	}
	require.Equal(t, canary, h.S.Reveal())
	require.Empty(t, fmt.Sprint(schema.Secret{}))
}

// R14.3
func TestSecretReferencesAreResolvedOnlyWhenAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte("from-file\n"), 0o600))
	t.Setenv("SCHEMA_TEST_SECRET", "env:not-followed")
	type config struct {
		A    schema.Secret            `json:"a"`
		B    *schema.Secret           `json:"b"`
		List []schema.Secret          `json:"list"`
		Map  map[string]schema.Secret `json:"map"`
	}
	var c config
	require.Empty(t, schema.Decode([]byte(`{"a":"env:SCHEMA_TEST_SECRET","b":"file:`+path+`","list":["plain"],"map":{"x/y":"env:SCHEMA_TEST_NONE"}}`), &c))
	require.Empty(t, c.A.Reveal())
	require.Equal(t, "env:SCHEMA_TEST_SECRET", c.A.Reference())

	fs := schema.ResolveSecrets(&c, schema.SystemResolver())
	require.Equal(t, []string{"/map/x~1y invalid: resolving a secret: environment variable SCHEMA_TEST_NONE is not set"}, lines(fs))
	require.Equal(t, "env:not-followed", c.A.Reveal())
	require.Equal(t, "from-file", c.B.Reveal())
	require.Equal(t, "plain", c.List[0].Reveal())

	fs = schema.ResolveSecrets(&c, func(string, string) (string, error) { return "v", nil })
	require.Empty(t, fs)
	require.Equal(t, "v", c.Map["x/y"].Reveal())

	var r redis
	require.Empty(t, schema.Decode([]byte(`{"url":"x:y","key":"env:K"}`), &r))
	fs = schema.ResolveSecrets(&r, func(string, string) (string, error) { return "a b", nil })
	require.Equal(t, []string{
		"/key minLength: what env:K names must have at least 4 characters",
		"/key pattern: what env:K names must match ^[^ ]+$",
	}, lines(fs))

	large := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(large, make([]byte, 70<<10), 0o600))
	for _, name := range []string{large, filepath.Join(t.TempDir(), "none")} {
		_, err := schema.SystemResolver()("file", name)
		require.Error(t, err)
	}
}

func TestCIDRContains(t *testing.T) {
	t.Parallel()
	for text, in := range map[string]string{
		"10.0.0.0/8": "10.1.2.3", "192.0.2.1": "::ffff:192.0.2.1", "2001:db8::/32": "2001:db8::1", "::ffff:10.0.0.0/104": "10.1.1.1",
	} {
		var c schema.CIDR
		require.NoError(t, c.UnmarshalText([]byte(text)), text)
		require.True(t, c.Contains(netip.MustParseAddr(in)), text)
		require.False(t, c.Contains(netip.MustParseAddr("203.0.113.9")), text)
	}
	require.False(t, schema.CIDR{}.Contains(netip.MustParseAddr("10.0.0.1")))
}

func TestRegexpThatIsNotSetMatchesNothing(t *testing.T) {
	t.Parallel()
	require.False(t, schema.Regexp{}.MatchString(""))
	r, err := schema.NewRegexp("^a+$")
	require.NoError(t, err)
	require.True(t, r.MatchString("aaa"))
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.Equal(t, `"^a+$"`, string(text))
}

func TestFormats(t *testing.T) {
	t.Parallel()
	type formatted struct {
		URI      string `json:"uri" schema:"format=uri"`
		HTTP     string `json:"http-url" schema:"format=http-url"`
		Hostname string `json:"hostname" schema:"format=hostname"`
		IP       string `json:"ip" schema:"format=ip"`
		CIDR     string `json:"cidr" schema:"format=cidr"`
		Duration string `json:"duration" schema:"format=duration"`
		Bytes    string `json:"bytes" schema:"format=bytes"`
		Regex    string `json:"regex" schema:"format=regex"`
		DateTime string `json:"date-time" schema:"format=date-time"`
		Date     string `json:"date" schema:"format=date"`
		Email    string `json:"email" schema:"format=email"`
		UUID     string `json:"uuid" schema:"format=uuid"`
		Hostport string `json:"hostport" schema:"format=hostport"`
	}
	good := map[string][]string{
		"uri": {"urn:x", "https://a/b"}, "http-url": {"http://a", "https://[::1]:1/x"}, "hostname": {"a", "A-1.b"}, "ip": {"::1", "1.2.3.4"},
		"cidr": {"10.0.0.0/8"}, "duration": {"5s"}, "bytes": {"5MB"}, "regex": {"a|b"}, "date-time": {"2026-01-02T03:04:05Z"},
		"date": {"2026-01-02"}, "email": {"a@b.example"}, "uuid": {"01234567-89ab-cdef-0123-456789ABCDEF"}, "hostport": {":80", "a:1", "[::1]:65535"},
	}
	bad := map[string][]string{
		"uri": {"", "a", "/a", "http://[", "%zz:"}, "http-url": {"a", "ftp://a", "http:///x", "http://:80"}, "hostname": {"", "-a", "a-", "a..b", "a_b", "a b"}, "ip": {"1.2.3"},
		"cidr": {"10.0.0.0/33", "fe80::1%eth0"}, "duration": {"5"}, "bytes": {"x"}, "regex": {"["}, "date-time": {"2026-01-02"},
		"date": {"2026-13-02"}, "email": {"a", "A <a@b.example>"}, "uuid": {"0123", "01234567-89ab-cdef-0123-456789ABCDEX"}, "hostport": {"80", "a:", "a:65536", "a:-1", "[::1", "[1.2.3.4]:1", "a b:1"},
	}
	require.Len(t, good, len(schema.Formats()))
	for format, values := range good {
		for _, v := range values {
			doc, err := json.Marshal(map[string]string{format: v})
			require.NoError(t, err)
			require.Empty(t, schema.Decode(doc, &formatted{}), "%s %s", format, v)
		}
	}
	for format, values := range bad {
		for _, v := range values {
			doc, err := json.Marshal(map[string]string{format: v})
			require.NoError(t, err)
			fs := schema.Decode(doc, &formatted{})
			require.Len(t, fs, 1, "%s %q", format, v)
			require.Equal(t, schema.RuleFormat, fs[0].Code)
		}
	}
}

// single describes and decodes itself.
type single struct{ Key string }

func (s *single) UnmarshalJSON(raw []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil || len(m) != 1 {
		return errors.New("give one key")
	}
	for k := range m {
		if k == "bad" {
			return schema.Violations{{Pointer: "/bad", Code: "unknown", Detail: "no such type"}}
		}
		s.Key = k
	}
	return nil
}

func (single) JSONSchema() *schema.Node {
	return &schema.Node{Type: schema.Types{"object"}}
}

// mute describes itself and cannot be decoded.
type mute struct{}

func (mute) JSONSchema() *schema.Node { return &schema.Node{} }

func TestTypesThatDescribeThemselvesMustDecodeThemselves(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, errOf(struct {
		M mute `json:"m"`
	}{}), "neither UnmarshalJSON nor UnmarshalText")
}

func TestTypesThatDecodeThemselves(t *testing.T) {
	t.Parallel()
	type config struct {
		List []single `json:"list"`
	}
	var c config
	require.Empty(t, schema.Decode([]byte(`{"list":[{"a":1}]}`), &c))
	require.Equal(t, "a", c.List[0].Key)
	require.Equal(t, []string{
		"/list/0 invalid: give one key", "/list/1/bad unknown: no such type",
		"/list/2 type: expected a value, got null; give a value or remove the key",
	},
		lines(schema.Decode([]byte(`{"list":[5,{"bad":1},null]}`), &c)))
	s, err := schema.Of(config{})
	require.NoError(t, err)
	require.Equal(t, schema.Types{"object"}, s.Node().Properties["list"].Items.Type)
}
