package intake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/intake"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

var now = time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)

var owner = intake.Owner{Organization: "o-1", Slug: "acme", Gateway: "gw-9", Now: now, Keep: 24 * time.Hour}

func record(change func(*traffic.Record)) []byte {
	r := &traffic.Record{
		Time: now.Add(-time.Minute), ID: "r1", Gateway: "gw-1", Organization: "o-1", Project: "p1", Environment: "e1",
		API: "a1", APIName: "Orders", Operation: "getItem", Template: "/orders/{id}", Plan: "gold", Application: "app1", ApplicationName: "Store",
		ClientIP: netip.MustParseAddr("203.0.113.7"), Method: "GET", Host: "api.example.com", Path: "/orders/1",
		Status: 200, Duration: 1234, GatewayTime: 34, RequestBytes: 10, ResponseBytes: 20,
	}
	if change != nil {
		change(r)
	}
	return append(r.AppendJSON(nil), '\n')
}

func TestEveryFieldIsRead(t *testing.T) {
	t.Parallel()
	text := record(nil)
	got, err := intake.Read(text, owner)
	require.NoError(t, err)
	require.Equal(t, intake.Result{Rows: []store.Row{{
		Organization: "o-1", Weight: 1, RequestBytes: 10, ResponseBytes: 20, JSON: bytes.TrimSpace(text),
		Summary: store.Summary{
			ID: "r1", Time: now.Add(-time.Minute), Method: "GET", Host: "api.example.com", Path: "/orders/1", Status: 200, Duration: 1234, GatewayTime: 34,
			Attributes: store.Attributes{
				Project: "p1", Environment: "e1", API: "a1", APIName: "Orders", Operation: "getItem", Template: "/orders/{id}", Plan: "gold",
				Application: "app1", ApplicationName: "Store", Gateway: "gw-1",
			},
		},
	}}}, got)
}

func TestWhoseRecordsTheyAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		organization string
		owner        intake.Owner
		rows         int
	}{
		"by id":            {"o-1", owner, 1},
		"by slug":          {"acme", owner, 1},
		"no API matched":   {"", owner, 1},
		"another's":        {"o-2", owner, 0},
		"unknown owner":    {"o-1", intake.Owner{Slug: "acme", Now: now, Keep: time.Hour}, 0},
		"unknown, without": {"", intake.Owner{Now: now, Keep: time.Hour}, 0},
	} {
		got, err := intake.Read(record(func(r *traffic.Record) { r.Organization = c.organization }), c.owner)
		require.NoError(t, err)
		require.Len(t, got.Rows, c.rows, name)
		require.Equal(t, 1-c.rows, got.Orphans, name)
		for _, r := range got.Rows {
			require.Equal(t, "o-1", r.Organization)
		}
	}
}

func TestWhatIsCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*traffic.Record)
		weight  int64
		refused bool
	}{
		"plain":              {func(*traffic.Record) {}, 1, false},
		"sample":             {func(r *traffic.Record) { r.Sample = 0.3 }, 3, false},
		"tiny sample":        {func(r *traffic.Record) { r.Sample = 1e-300 }, 1_000_000, false},
		"refused by policy":  {func(r *traffic.Record) { r.Status, r.ErrorSource = 429, traffic.SourcePolicy }, 1, true},
		"refused by gateway": {func(r *traffic.Record) { r.Status, r.ErrorSource = 404, traffic.SourceClient }, 1, true},
		"upstream's":         {func(r *traffic.Record) { r.Status, r.ErrorSource = 404, traffic.SourceUpstream }, 1, false},
		"without a source":   {func(r *traffic.Record) { r.Status = 404 }, 1, false},
		"client left":        {func(r *traffic.Record) { r.Status, r.ErrorSource = 499, traffic.SourceClient }, 1, false},
		"failed":             {func(r *traffic.Record) { r.Status, r.ErrorSource = 503, traffic.SourceGateway }, 1, false},
	} {
		got, err := intake.Read(record(c.change), owner)
		require.NoError(t, err)
		require.Len(t, got.Rows, 1, name)
		require.Equal(t, c.weight, got.Rows[0].Weight, name)
		require.Equal(t, c.refused, got.Rows[0].Refused, name)
	}
}

func TestFieldsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 3000) + "\x00"
	got, err := intake.Read(record(func(r *traffic.Record) {
		r.Path, r.Template, r.Host, r.APIName, r.Method, r.Gateway = "/\x00"+long, long, long, long, long, ""
		r.Duration, r.RequestBytes = -5, -1
	}), owner)
	require.NoError(t, err)
	require.Len(t, got.Rows, 1)
	r := got.Rows[0]
	require.Equal(t, "/\ufffd"+strings.Repeat("é", 2046), r.Path)
	require.Equal(t, strings.Repeat("é", 1024), r.Template)
	require.Equal(t, strings.Repeat("é", 255), r.Host)
	require.Equal(t, strings.Repeat("é", 32), r.Method)
	require.Equal(t, "gw-9", r.Gateway)
	require.Zero(t, r.Duration)
	require.Zero(t, r.RequestBytes)
	require.True(t, json.Valid(r.JSON))
}

// One bad line costs that line alone.
func TestBadLines(t *testing.T) {
	t.Parallel()
	body := bytes.Join([][]byte{
		[]byte("no JSON\n"), record(nil), []byte("\n  \n"), []byte("{}\n"), []byte("[1]\n"),
		record(func(r *traffic.Record) { r.ID = "" }), record(func(r *traffic.Record) { r.ID = strings.Repeat("x", 129) }),
		record(func(r *traffic.Record) { r.Status = 0 }), record(func(r *traffic.Record) { r.Status = 600 }),
		record(func(r *traffic.Record) { r.Time = now.Add(61 * time.Minute) }), record(func(r *traffic.Record) { r.Time = time.Time{} }),
		record(func(r *traffic.Record) { r.Time = now.Add(-25 * time.Hour) }),
		[]byte(`{"id":"` + strings.Repeat("x", 2<<20) + "\"}\n"),
		bytes.TrimSpace(record(func(r *traffic.Record) { r.ID = "last" })),
	}, nil)
	for name, packed := range map[string][]byte{"plain": body, "gzip": zip(t, body), "zstd": zst(t, body)} {
		got, err := intake.Read(packed, owner)
		require.NoError(t, err, name)
		require.Len(t, got.Rows, 2, name)
		require.Equal(t, "last", got.Rows[1].ID)
		require.Equal(t, 10, got.Invalid, name)
		require.Equal(t, 1, got.Old, name)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	good := bytes.Repeat(record(nil), 100)
	for name, b := range map[string][]byte{
		"cut gzip":  zip(t, good)[:200],
		"cut zstd":  zst(t, good)[:20],
		"bomb":      zip(t, make([]byte, 65<<20)),
		"zstd bomb": zst(t, make([]byte, 65<<20)),
	} {
		_, err := intake.Read(b, owner)
		require.ErrorIs(t, err, intake.ErrDamaged, name)
	}
}

func zip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(b)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

func zst(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, z.Close()) }()
	return z.EncodeAll(b, nil)
}

func FuzzRead(f *testing.F) {
	f.Add(record(nil))
	f.Add(zip(f, record(nil)))
	f.Add(zst(f, record(nil)))
	f.Add([]byte(`{"id":"x","status":200,"time":"2026-03-09T07:59:00Z","sample":1e-9,"durationUs":-1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := intake.Read(b, owner)
		if err != nil {
			require.ErrorIs(t, err, intake.ErrDamaged)
			return
		}
		for _, r := range got.Rows {
			require.True(t, json.Valid(r.JSON))
			require.NotContains(t, string(r.JSON), "\n")
			require.Positive(t, r.Weight)
			require.Equal(t, "o-1", r.Organization)
			require.LessOrEqual(t, len([]rune(r.Path)), 2048)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var lines []byte
	for i := range 1000 {
		lines = append(lines, record(func(r *traffic.Record) { r.ID = fmt.Sprint(i) })...)
	}
	body := zip(b, lines)
	for b.Loop() {
		_, err := intake.Read(body, owner)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "records/s")
}
