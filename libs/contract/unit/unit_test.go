package unit_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func TestAUnitIsNamedByItsContent(t *testing.T) {
	t.Parallel()
	a := unit.API{ID: "orders", Name: "Orders", BasePath: "/orders", Policies: []unit.Policy{
		{Type: "rate-limit", Config: unit.Raw(`{"limit": 10, "burst": 5}`)},
	}}
	doc, hash, err := unit.Encode(a)
	require.NoError(t, err)
	require.JSONEq(t, `{"basePath":"/orders","id":"orders","name":"Orders","policies":[{"config":{"burst":5,"limit":10},"type":"rate-limit"}]}`, string(doc))
	require.NoError(t, hash.Verify(doc))
	require.ErrorIs(t, hash.Verify(append(doc, ' ')), unit.ErrHash)
	require.Equal(t, unit.Hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), unit.HashOf(nil))

	a.Policies[0].Config = unit.Raw(`{"burst":5,   "limit":1e1}`)
	_, same, err := unit.Encode(a)
	require.NoError(t, err)
	require.Equal(t, hash, same, "how a configuration is written does not matter")
	back, err := unit.Decode[unit.API](doc)
	require.NoError(t, err)
	_, same, err = unit.Encode(back)
	require.NoError(t, err)
	require.Equal(t, hash, same)
}

func TestAUnitIsReadStrictly(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"unknown field":        `{"id":"a","name":"a","basePath":"/","policy":[]}`,
		"unknown nested field": `{"id":"a","name":"a","basePath":"/","plans":[{"id":"p","name":"p","securty":null}]}`,
		"two values":           `{"id":"a","name":"a","basePath":"/"}{}`,
		"trailing text":        `{"id":"a","name":"a","basePath":"/"} x`,
		"torn":                 `{"id":"a","name":"a"`,
		"empty":                ``,
		"bad duration":         `{"id":"a","name":"a","basePath":"/","upstreams":[{"targets":[],"timeouts":{"total":"5"}}]}`,
	} {
		_, err := unit.Decode[unit.API]([]byte(doc))
		require.ErrorContains(t, err, "decoding unit", name)
	}
}

func TestAManifestIsOpenedWithATrustedKeyOnly(t *testing.T) {
	t.Parallel()
	pubA, a, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	pubB, b, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	pubC, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	m := unit.Manifest{
		Group: "g", Epoch: "e", Version: 1 << 60, Issued: time.Date(2030, 1, 2, 3, 4, 5, 6e6, time.UTC),
		Units: []unit.Ref{{Kind: unit.KindSettings, Name: "settings", Hash: unit.HashOf(nil)}},
	}
	s, err := unit.Sign(m, a, b)
	require.NoError(t, err)
	for _, trusted := range [][]ed25519.PublicKey{{pubA}, {pubB}, {pubC, pubB}} {
		got, err := s.Open(trusted...)
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
	for name, c := range map[string]struct {
		signed  unit.Signed
		trusted []ed25519.PublicKey
	}{
		"another key":    {s, []ed25519.PublicKey{pubC}},
		"no trusted key": {s, nil},
		"no signature":   {unit.Signed{Payload: s.Payload}, []ed25519.PublicKey{pubA}},
		"other payload":  {unit.Signed{Payload: append([]byte(" "), s.Payload...), Signatures: s.Signatures}, []ed25519.PublicKey{pubA}},
		"the key's id on another's signature": {
			unit.Signed{Payload: s.Payload, Signatures: []unit.Signature{{Key: unit.KeyID(pubA), Sig: s.Signatures[1].Sig}}},
			[]ed25519.PublicKey{pubA},
		},
		// What the same key signed for another purpose is no manifest.
		"without the context": {
			unit.Signed{Payload: s.Payload, Signatures: []unit.Signature{{Key: unit.KeyID(pubA), Sig: ed25519.Sign(a, s.Payload)}}},
			[]ed25519.PublicKey{pubA},
		},
	} {
		_, err := c.signed.Open(c.trusted...)
		require.ErrorIs(t, err, unit.ErrUnsigned, name)
	}
	require.Len(t, unit.KeyID(pubA), 16)
	require.NotEqual(t, unit.KeyID(pubA), unit.KeyID(pubB))
}

func TestDurationsAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0s": 0, "150ms": 150 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "5m": 5 * time.Minute, "90m": 90 * time.Minute,
		"1h30m": 90 * time.Minute, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "0d": 0, "10m": 10 * time.Minute, "1h10m": 70 * time.Minute,
	} {
		got, err := unit.ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for d, want := range map[time.Duration]string{
		0: "0s", time.Millisecond: "1ms", time.Minute: "1m", 10 * time.Minute: "10m", 90 * time.Minute: "1h30m", time.Hour: "1h",
		24 * time.Hour: "1d", 48 * time.Hour: "2d", 36 * time.Hour: "36h", 61 * time.Second: "1m1s", time.Hour + time.Second: "1h0m1s",
	} {
		require.Equal(t, want, unit.Duration(d).String())
	}
	for text, said := range map[string]string{
		"":         `want a number and a unit, such as 150ms, 2s, 5m, 1h or 7d`,
		"5":        `want a number and a unit`,
		"five":     `want a number and a unit`,
		"-1s":      `must not be negative`,
		"-1d":      `want a number of days before the d`,
		"1.5d":     `want a number of days before the d`,
		"d":        `want a number of days before the d`,
		"1h1d":     `want a number of days before the d`,
		"9999999d": `want a number of days before the d`,
	} {
		_, err := unit.ParseDuration(text)
		require.ErrorContains(t, err, said, text)
		require.ErrorContains(t, err, `"`+text+`"`, "the message names the value")
	}
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"1h30m", "7d", "150ms", "0s", "1h0m0s", "1.000000001s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := unit.ParseDuration(text)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, d, time.Duration(0))
		again, err := unit.ParseDuration(unit.Duration(d).String())
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}
