package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// record is a row of the table records.
type record struct {
	OrganizationID  string `gorm:"primaryKey"`
	ID              string `gorm:"primaryKey"`
	TimeUs          int64
	Project         string
	Environment     string
	API             string
	APIName         string
	Operation       string
	Template        string
	Plan            string
	Application     string
	ApplicationName string
	Gateway         string
	Method          string
	Host            string
	Path            string
	Status          int
	ErrorSource     string
	ErrorCode       string
	DurationUs      int64
	GatewayUs       int64
	Chunk           string
	Line            int
}

// TableName is for gorm.
func (record) TableName() string { return "records" }

func (r *record) summary() store.Summary {
	return store.Summary{
		ID: r.ID, Time: micros(r.TimeUs), Method: r.Method, Host: r.Host, Path: r.Path, Status: r.Status,
		Attributes: store.Attributes{
			Project: r.Project, Environment: r.Environment, API: r.API, APIName: r.APIName, Operation: r.Operation, Template: r.Template,
			Plan: r.Plan, Application: r.Application, ApplicationName: r.ApplicationName, Gateway: r.Gateway,
		},
		ErrorSource: r.ErrorSource, ErrorCode: r.ErrorCode, Duration: r.DurationUs, GatewayTime: r.GatewayUs,
	}
}

// stored is a row of the table chunks.
type stored struct {
	OrganizationID string `gorm:"primaryKey"`
	ID             string `gorm:"primaryKey"`
	Body           []byte
}

// TableName is for gorm.
func (stored) TableName() string { return "chunks" }

// lookLimit bounds the time of one question.
const lookLimit = 10 * time.Second

// bounded runs a question for as long as it may take.
func bounded(ctx context.Context, ask func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	err := ask(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return store.ErrTooWide
	}
	return err
}

// List returns records, newest first.
func (s *Store) List(ctx context.Context, w store.Search) ([]store.Summary, error) {
	q := in(db.From[record](s.db.For(w.Organization).Stale()), w.Allowed)
	q = among(q, "project", w.Projects)
	q = among(q, "environment", w.Environments)
	q = among(q, "api", w.APIs)
	q = among(q, "operation", w.Operations)
	q = among(q, "application", w.Applications)
	q = among(q, "plan", w.Plans)
	q = among(q, "gateway", w.Gateways)
	q = among(q, "status", w.Statuses)
	q = among(q, "method", w.Methods)
	q = among(q, "error_code", w.ErrorCodes)
	if len(w.Classes) > 0 {
		var any []string
		var bounds []interface{}
		for _, c := range w.Classes {
			any = append(any, "status BETWEEN ? AND ?")
			bounds = append(bounds, c*100, c*100+99)
		}
		q = q.Where(strings.Join(any, " OR "), bounds...)
	}
	if !w.From.IsZero() {
		q = q.Where("time_us >= ?", w.From.UnixMicro())
	}
	if !w.To.IsZero() {
		q = q.Where("time_us < ?", w.To.UnixMicro())
	}
	if w.PathPrefix != "" {
		q = q.Where("SUBSTR(path, 1, ?) = ?", utf8.RuneCountInString(w.PathPrefix), w.PathPrefix)
	}
	if w.RequestID != "" {
		q = q.Where("id = ?", w.RequestID)
	}
	if w.MinDuration > 0 {
		q = q.Where("duration_us >= ?", w.MinDuration)
	}
	if w.Text != "" {
		like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(w.Text)) + "%"
		// In one, because folding and looking take the time.
		q = q.Where("LOWER(CONCAT(path, '|', id, '|', error_code, '|', api_name, '|', application_name)) LIKE ? ESCAPE '!'", like)
	}
	if a := w.After; a != nil {
		us := a.Time.UnixMicro()
		q = q.Where("time_us <= ?", us). // says to the database where to begin
							Where("time_us < ? OR id < ?", us, a.ID)
	}
	var rows []record
	err := bounded(ctx, func(ctx context.Context) (err error) {
		rows, err = q.Order("time_us", true).Order("id", true).Limit(w.Limit).All(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for records: %w", err)
	}
	out := make([]store.Summary, len(rows))
	for i := range rows {
		out[i] = rows[i].summary()
	}
	return out, nil
}

// among narrows a query to rows with one of the values, where there are any.
func among[T, V any](q db.Query[T], column string, values []V) db.Query[T] {
	if len(values) == 0 {
		return q
	}
	return q.Where(column+" IN ?", values)
}

// in narrows a query to what may be seen.
func in[T any](q db.Query[T], allowed []store.Scope) db.Query[T] {
	if allowed == nil || slices.Contains(allowed, store.Scope{}) {
		return q
	}
	if len(allowed) == 0 {
		return q.Where("1 = 0")
	}
	var parts []string
	var args []any
	for _, a := range allowed {
		var part []string
		for _, f := range [][2]string{{"project", a.Project}, {"api", a.API}, {"environment", a.Environment}} {
			if f[1] != "" {
				part, args = append(part, f[0]+" = ?"), append(args, f[1])
			}
		}
		parts = append(parts, "("+strings.Join(part, " AND ")+")")
	}
	return q.Where(strings.Join(parts, " OR "), args...)
}

// Record returns one record as the gateway wrote it.
func (s *Store) Record(ctx context.Context, w store.Where) (json.RawMessage, error) {
	scope := s.db.For(w.Organization)
	q := among(in(db.From[record](scope), w.Allowed), "application", w.Applications)
	r, err := q.Get(ctx, w.ID)
	if errors.Is(err, db.ErrNotFound) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading record: %w", err)
	}
	c, err := db.From[stored](scope).Get(ctx, r.Chunk)
	if errors.Is(err, db.ErrNotFound) { // it has just been forgotten
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading record: %w", err)
	}
	body, err := s.unzip.DecodeAll(c.Body, nil)
	if err != nil {
		return nil, fmt.Errorf("reading record: chunk %s: %w", c.ID, err)
	}
	for range r.Line {
		_, body, _ = bytes.Cut(body, []byte{'\n'})
	}
	line, _, _ := bytes.Cut(body, []byte{'\n'})
	if len(line) == 0 {
		return nil, fmt.Errorf("reading record: chunk %s has no line %d", c.ID, r.Line)
	}
	return slices.Clip(line), nil
}
