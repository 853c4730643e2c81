// Package intake turns what gateways ship into rows of the store: it unpacks,
// checks whose records they are and what they say, and bounds every field. It
// neither receives nor stores.
package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

const (
	// maxUnpacked bounds the lines of one shipment.
	maxUnpacked = 64 << 20
	// maxLine bounds one record.
	maxLine = 1 << 20
	// ahead is how far the clock of a gateway may be ahead of ours.
	ahead = time.Hour
	// maxWeight bounds how many requests a sampled record stands for.
	maxWeight = 1_000_000
)

// ErrDamaged says that a shipment cannot be read, now or ever.
var ErrDamaged = errors.New("damaged shipment")

// Owner is whose gateway has shipped something, and what is kept for it.
type Owner struct {
	// Organization and Slug are the id and the short name of the organization;
	// an empty id is nobody's.
	Organization, Slug string
	// Gateway names the gateway in records that do not.
	Gateway string
	// Now is the time, and Keep the age of the oldest record that is kept.
	Now  time.Time
	Keep time.Duration
}

// Result is what came of a shipment.
type Result struct {
	Rows []store.Row
	// Orphans are records that no organization owns: that of the gateway is
	// unknown, or the record names another than it.
	Orphans int
	// Invalid are lines that are no record; Old are records that would be
	// forgotten at once.
	Invalid, Old int
}

// line is what is read of a record.
type line struct {
	Time            time.Time `json:"time"`
	ID              string    `json:"id"`
	Gateway         string    `json:"gateway"`
	Organization    string    `json:"organization"`
	Project         string    `json:"project"`
	Environment     string    `json:"environment"`
	API             string    `json:"api"`
	APIName         string    `json:"apiName"`
	Operation       string    `json:"operation"`
	Template        string    `json:"template"`
	Plan            string    `json:"plan"`
	Application     string    `json:"application"`
	ApplicationName string    `json:"applicationName"`
	Method          string    `json:"method"`
	Host            string    `json:"host"`
	Path            string    `json:"path"`
	Status          int       `json:"status"`
	Sample          float64   `json:"sample"`
	ErrorSource     string    `json:"errorSource"`
	ErrorCode       string    `json:"errorCode"`
	Duration        int64     `json:"durationUs"`
	GatewayTime     int64     `json:"gatewayUs"`
	RequestBytes    int64     `json:"requestBytes"`
	ResponseBytes   int64     `json:"responseBytes"`
}

// Read reads a shipment: JSON lines, plain or compressed with gzip or zstd. The
// error is [ErrDamaged]; a line that is no record is only counted.
func Read(body []byte, o Owner) (Result, error) {
	lines, err := unpack(body)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	r := Result{Rows: make([]store.Row, 0, bytes.Count(lines, []byte{'\n'})+1)}
	for len(lines) > 0 {
		var text []byte
		text, lines, _ = bytes.Cut(lines, []byte{'\n'})
		if text = bytes.TrimSpace(text); len(text) > 0 {
			r.take(text, o)
		}
	}
	return r, nil
}

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

func unpack(body []byte) ([]byte, error) {
	var from io.Reader
	switch {
	case bytes.HasPrefix(body, gzipMagic):
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		from = z
	case bytes.HasPrefix(body, zstdMagic):
		z, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		from = z
	default:
		from = bytes.NewReader(body)
	}
	out, err := io.ReadAll(io.LimitReader(from, maxUnpacked+1))
	if err != nil {
		return nil, err
	}
	if len(out) > maxUnpacked {
		return nil, fmt.Errorf("more than %d bytes", maxUnpacked)
	}
	return out, nil
}

func (r *Result) take(text []byte, o Owner) {
	var l line
	if len(text) > maxLine || json.Unmarshal(text, &l) != nil || !l.valid(o.Now) {
		r.Invalid++
		return
	}
	switch {
	case o.Organization == "", l.Organization != "" && l.Organization != o.Organization && l.Organization != o.Slug:
		r.Orphans++
	case l.Time.Before(o.Now.Add(-o.Keep)):
		r.Old++
	default:
		r.Rows = append(r.Rows, l.row(text, o))
	}
}

func (l *line) valid(now time.Time) bool {
	return l.ID != "" && len(l.ID) <= 128 && !strings.ContainsRune(l.ID, 0) &&
		l.Status >= 100 && l.Status <= 599 && l.Time.Year() >= 2000 && !l.Time.After(now.Add(ahead))
}

func (l *line) row(text []byte, o Owner) store.Row {
	r := store.Row{
		Organization: o.Organization,
		Summary: store.Summary{
			ID: l.ID, Time: l.Time.UTC().Truncate(time.Microsecond),
			Attributes: store.Attributes{
				Project: cut(l.Project, 128), Environment: cut(l.Environment, 128), API: cut(l.API, 128), APIName: cut(l.APIName, 255),
				Operation: cut(l.Operation, 255), Template: cut(l.Template, 1024), Plan: cut(l.Plan, 128),
				Application: cut(l.Application, 128), ApplicationName: cut(l.ApplicationName, 255), Gateway: cut(l.Gateway, 128),
			},
			Method: cut(l.Method, 32), Host: cut(l.Host, 255), Path: cut(l.Path, 2048), Status: l.Status,
			ErrorSource: cut(l.ErrorSource, 16), ErrorCode: cut(l.ErrorCode, 64),
			Duration: max(0, l.Duration), GatewayTime: max(0, l.GatewayTime),
		},
		RequestBytes: max(0, l.RequestBytes), ResponseBytes: max(0, l.ResponseBytes), Weight: 1,
		Refused: refused(l),
		JSON:    text,
	}
	if l.Sample > 0 && l.Sample < 1 {
		r.Weight = int64(min(maxWeight, math.Round(1/l.Sample)))
	}
	if r.Gateway == "" {
		r.Gateway = cut(o.Gateway, 128)
	}
	return r
}

// refused says that the gateway answered with 4xx itself.
func refused(l *line) bool {
	return l.Status/100 == 4 && l.Status != traffic.StatusClientClosed && l.ErrorSource != "" && l.ErrorSource != string(traffic.SourceUpstream)
}

// cut bounds a text to n characters, and leaves out what databases do not take.
func cut(s string, n int) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\ufffd")
	}
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
