package tenancy

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
)

var errNone = errors.New("no organization is named")

// Exporter hands out what a service has of an organization, table by table.
type Exporter struct {
	DB *db.DB
	// Skip are tables that nobody can do anything with elsewhere.
	Skip []string
	// Hide are columns, as "table.column", beyond those whose name says that they
	// hold a secret or its hash.
	Hide []string
	// Show returns what is in a column whose values have a form of their own, by
	// "table.column"; it leaves out secrets. Without it such a column is left out.
	Show map[string]func(ctx context.Context, organization string, row map[string]any) (any, error)
	// Kinds are the names of tables for people, where they differ.
	Kinds map[string]string
}

const (
	// portion is the most bytes of rows in one answer: as text of JSON it is a third
	// longer, and NATS carries a megabyte.
	portion = 600 << 10
	// pageRows are read at once.
	pageRows = 500
	// sealed begins what is encrypted.
	sealed = "gh1."
)

// secretName is what columns are called that hold secrets, hashes of them, what
// secrets are found by, or folded text that others have unfolded.
var secretName = regexp.MustCompile(`(^|_)(hash|hashes|secret|secrets|password|passwords|private|digest|hint|nonce|salt|seed|last4|fingerprint)(_|$)|(^|_)(key|token|code|challenge)$|^search_text$`)

// Columns returns what is exported, as "table.column", in order: for tests, so
// that nobody exports a new column without looking at it.
func (e *Exporter) Columns(ctx context.Context) ([]string, error) {
	all, err := e.tables(ctx)
	var out []string
	for _, t := range all {
		for _, c := range e.columns(&t) {
			out = append(out, t.name+"."+c)
		}
	}
	return out, err
}

func (e *Exporter) tables(ctx context.Context) ([]owned, error) {
	all, err := tables(ctx, e.DB)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t owned) bool {
		return t.name == table || t.name == "idempotency_keys" || slices.Contains(e.Skip, t.name)
	})
	slices.SortFunc(all, func(a, b owned) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// columns are those of a table that are handed out.
func (e *Exporter) columns(t *owned) []string {
	var out []string
	for _, c := range t.columns {
		name := t.name + "." + c
		_, shown := e.Show[name]
		if c != column && !slices.Contains(e.Hide, name) && (shown || !secretName.MatchString(c)) {
			out = append(out, c)
		}
	}
	return out
}

// place is where a portion goes on.
type place struct {
	Table string `json:"t"`
	// Skip rows were handed out of it before those after After.
	After string `json:"a,omitempty"`
	Skip  int    `json:"s,omitempty"`
	// Within is how many bytes of the next row were handed out.
	Within int `json:"w,omitempty"`
}

// Portion returns the next rows.
func (e *Exporter) Portion(ctx context.Context, ask tenant.Portion) (tenant.Exported, error) {
	if ask.Organization == "" {
		return tenant.Exported{}, errNone
	}
	all, err := e.tables(ctx)
	if err != nil || len(all) == 0 {
		return tenant.Exported{}, err
	}
	at := place{Table: all[0].name}
	if ask.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(ask.Cursor)
		if err != nil || json.Unmarshal(raw, &at) != nil {
			return tenant.Exported{}, problem.New(problem.CodeInvalidInput, "the cursor is not one of an export")
		}
	}
	i := slices.IndexFunc(all, func(t owned) bool { return t.name >= at.Table })
	for ; i >= 0 && i < len(all); i++ {
		t := &all[i]
		if t.name != at.Table {
			at = place{Table: t.name}
		}
		out, err := e.rows(ctx, ask.Organization, t, &at)
		if err != nil {
			return out, fmt.Errorf("exporting %s: %w", t.name, err)
		}
		if out.Next == "" && i+1 < len(all) {
			out.Next = (&place{Table: all[i+1].name}).cursor()
		}
		if len(out.Rows) > 0 || out.Next == "" {
			return out, nil
		}
	}
	return tenant.Exported{}, nil
}

func (p *place) cursor() string {
	raw, err := json.Marshal(p)
	if err != nil {
		return "" // it has texts and numbers only
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// rows returns rows of a table from a place on; Next is "" at its end.
func (e *Exporter) rows(ctx context.Context, organization string, t *owned, at *place) (tenant.Exported, error) {
	out := tenant.Exported{Kind: t.name}
	if k := e.Kinds[t.name]; k != "" {
		out.Kind = k
	}
	columns := e.columns(t)
	if len(columns) == 0 {
		return out, nil
	}
	read, err := e.read(ctx, organization, t, at)
	if err != nil {
		return out, err
	}
	for _, row := range read {
		line, err := e.line(ctx, organization, t, columns, row)
		if err != nil {
			return out, err
		}
		rest := line[min(at.Within, len(line)):]
		if len(out.Rows) > 0 && len(out.Rows)+len(rest) > portion {
			out.Next = at.cursor()
			return out, nil
		}
		if len(rest) > portion {
			out.Rows = append(out.Rows, rest[:portion]...)
			at.Within += portion
			out.Next = at.cursor()
			return out, nil
		}
		out.Rows = append(out.Rows, rest...)
		at.Within = 0
		if id, ok := row["id"].(string); ok && t.byID() {
			at.After = id
		} else {
			at.Skip++
		}
	}
	if len(read) == pageRows {
		out.Next = at.cursor()
	}
	return out, nil
}

// byID says whether rows can be told apart by their id alone.
func (t *owned) byID() bool { return slices.Contains(t.keys, "id") && len(t.keys) <= 2 }

// read returns the next rows of a table, by column.
func (e *Exporter) read(ctx context.Context, organization string, t *owned, at *place) ([]map[string]any, error) {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = quoted(e.DB, c)
	}
	text, args := "SELECT "+strings.Join(names, ", ")+" FROM "+quoted(e.DB, t.name)+" WHERE "+column+" = ?", []any{organization}
	if t.byID() {
		text, args = text+" AND id > ? ORDER BY id LIMIT ?", append(args, at.After, pageRows)
	} else {
		keys := t.keys
		if len(keys) == 0 {
			keys = t.columns
		}
		order := make([]string, len(keys))
		for i, c := range keys {
			order[i] = quoted(e.DB, c)
		}
		text, args = text+" ORDER BY "+strings.Join(order, ", ")+" LIMIT ? OFFSET ?", append(args, pageRows, at.Skip)
	}
	rows, err := e.DB.Unscoped(ctx, "the organization is in the condition").Raw(text, args...).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells
	var out []map[string]any
	for rows.Next() {
		values, err := scanned(rows, len(t.columns))
		if err != nil {
			return nil, err
		}
		row := make(map[string]any, len(values))
		for i, v := range values {
			if b, ok := v.([]byte); ok && utf8.Valid(b) {
				v = string(b)
			}
			row[t.columns[i]] = v
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// line writes a row as a line of JSON.
func (e *Exporter) line(ctx context.Context, organization string, t *owned, columns []string, row map[string]any) ([]byte, error) {
	out := make(map[string]any, len(columns))
	for _, c := range columns {
		if show := e.Show[t.name+"."+c]; show != nil {
			v, err := show(ctx, organization, row)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", c, err)
			}
			if v != nil {
				out[c] = v
			}
			continue
		}
		if v := plain(row[c]); v != nil {
			out[c] = v
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b) // which ends with a line feed
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// plain returns a value as JSON has it; nil leaves it out.
func plain(v any) any {
	switch x := v.(type) {
	case []byte:
		return nil // packed: only Show knows what it is
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case string:
		if strings.HasPrefix(x, sealed) {
			return nil
		}
		if len(x) > 1 && (x[0] == '{' || x[0] == '[') && json.Valid([]byte(x)) && !strings.Contains(x, `"`+sealed) {
			return json.RawMessage(x)
		}
		if strings.Contains(x, sealed) {
			return nil
		}
		return x
	}
	return v
}
