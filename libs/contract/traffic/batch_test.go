package traffic_test

import (
	"bytes"
	"compress/gzip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return z.Bytes()
}

func TestBatchCrossesTheBus(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	b := traffic.Batch{Records: 2, Lost: []traffic.Loss{{Records: 7, From: at, To: at.Add(time.Hour), Reason: "full"}}}
	h, err := b.Header()
	require.NoError(t, err)
	got, lines, err := traffic.OpenBatch(h, zipped(t, []byte("{\"a\":1}\n{}\n")))
	require.NoError(t, err)
	require.Equal(t, b, got)
	require.Equal(t, [][]byte{[]byte(`{"a":1}`), []byte("{}")}, lines)

	for name, damage := range map[string]func(h map[string]string, body []byte) []byte{
		"encoding":   func(h map[string]string, body []byte) []byte { h["Encoding"] = "zip"; return body },
		"number":     func(h map[string]string, body []byte) []byte { h["Records"] = "two"; return body },
		"losses":     func(h map[string]string, body []byte) []byte { h["Lost"] = "{"; return body },
		"no gzip":    func(_ map[string]string, _ []byte) []byte { return []byte("plain") },
		"cut off":    func(_ map[string]string, body []byte) []byte { return body[:len(body)-4] },
		"too long":   func(_ map[string]string, _ []byte) []byte { return zipped(t, make([]byte, traffic.MaxLines+1)) },
		"no headers": func(h map[string]string, body []byte) []byte { clear(h); return body },
	} {
		h, err := b.Header()
		require.NoError(t, err)
		body := damage(h, zipped(t, []byte("{}\n")))
		_, _, err = traffic.OpenBatch(h, body)
		require.Error(t, err, name)
	}
}

func FuzzOpenBatch(f *testing.F) {
	f.Add("gzip", "1", "", zipped(f, []byte("{}\n")))
	f.Add("gzip", "1", "[]", []byte("x"))
	f.Fuzz(func(_ *testing.T, encoding, records, lost string, body []byte) {
		_, _, _ = traffic.OpenBatch(map[string]string{"Encoding": encoding, "Records": records, "Lost": lost}, body)
	})
}
