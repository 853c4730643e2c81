package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

const (
	// chunkLines bounds the records of a chunk: few enough that reading one
	// record is quick, and so many that they compress well.
	chunkLines = 128
	// chunkBytes bounds a chunk before it is compressed, save a larger record.
	chunkBytes = 512 << 10
	// insertRows are inserted by one statement, or looked up.
	insertRows = 400
	// insertRowsSQLite are fewer, because its driver takes a time to bind values
	// that grows with the square of their number, and no way to a server is saved.
	insertRowsSQLite = 8
	// addAttempts bounds how often records are looked up that another replica
	// has just taken in.
	addAttempts = 5

	takingIn = "records of all organizations are taken in together"
)

// recordID names a record.
type recordID struct{ organization, id string }

// Add writes the batches, the records and the sums in one transaction: what is
// committed was counted, once, and what is not will come again.
//
// It goes by trust first: the batch is new, so its records are. Only when the
// database knows one of them already is each looked up.
func (s *Store) Add(ctx context.Context, batches []store.Batch) (map[string]int, error) {
	var added map[string]int
	for attempt := 1; ; attempt++ {
		err := s.db.Tx(ctx, func(tx *db.Tx) (err error) {
			added, err = s.add(tx.Unscoped(takingIn), batches, attempt > 1)
			return err
		})
		if err == nil {
			return added, nil
		}
		if !errors.Is(err, db.ErrDuplicate) || attempt == addAttempts {
			return nil, fmt.Errorf("storing records: %w", err)
		}
	}
}

func (s *Store) add(g *gorm.DB, batches []store.Batch, look bool) (map[string]int, error) {
	fresh, err := newBatches(g, batches)
	if err != nil {
		return nil, err
	}
	now := g.NowFunc().UnixMicro()
	var marks []any
	var rows []*store.Row
	seen := map[recordID]struct{}{}
	for id, b := range fresh {
		marks = append(marks, id, len(b.Rows), now)
		for i := range b.Rows {
			r := &b.Rows[i]
			name := recordID{r.Organization, r.ID}
			if _, twice := seen[name]; !twice {
				seen[name] = struct{}{}
				rows = append(rows, r)
			}
		}
	}
	if look {
		if rows, err = unknown(g, rows); err != nil {
			return nil, err
		}
	}
	if err := s.insert(g, "batches", []string{"id", "records", "received_us"}, marks); err != nil {
		return nil, err
	}
	return s.addRows(g, rows)
}

// newBatches returns those that were not taken in before, by the form of their
// id that is stored.
func newBatches(g *gorm.DB, batches []store.Batch) (map[string]*store.Batch, error) {
	fresh := make(map[string]*store.Batch, len(batches))
	ids := make([]string, 0, len(batches))
	for i := range batches {
		sum := sha256.Sum256([]byte(batches[i].ID))
		id := hex.EncodeToString(sum[:])
		if fresh[id] == nil {
			fresh[id] = &batches[i]
			ids = append(ids, id)
		}
	}
	for part := range slices.Chunk(ids, insertRows) {
		var have []string
		if err := g.Table("batches").Where("id IN ?", part).Pluck("id", &have).Error; err != nil {
			return nil, err
		}
		for _, id := range have {
			delete(fresh, id)
		}
	}
	return fresh, nil
}

// unknown returns the rows that the table does not have.
func unknown(g *gorm.DB, rows []*store.Row) ([]*store.Row, error) {
	byOrganization := map[string][]string{}
	for _, r := range rows {
		byOrganization[r.Organization] = append(byOrganization[r.Organization], r.ID)
	}
	known := map[recordID]struct{}{}
	for organization, ids := range byOrganization {
		for part := range slices.Chunk(ids, insertRows) {
			var have []string
			if err := g.Table("records").Where("organization_id = ? AND id IN ?", organization, part).Pluck("id", &have).Error; err != nil {
				return nil, err
			}
			for _, id := range have {
				known[recordID{organization, id}] = struct{}{}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r *store.Row) bool {
		_, have := known[recordID{r.Organization, r.ID}]
		return have
	}), nil
}

var recordColumns = []string{
	"organization_id", "id", "time_us", "project", "environment", "api", "api_name", "operation", "template", "plan",
	"application", "application_name", "gateway", "method", "host", "path", "status", "error_source", "error_code",
	"duration_us", "gateway_us", "chunk", "line",
}

// addRows writes records that are new, and the sums over them.
func (s *Store) addRows(g *gorm.DB, rows []*store.Row) (map[string]int, error) {
	// By organization, as chunks are; then by time, which databases like best.
	slices.SortStableFunc(rows, func(a, b *store.Row) int {
		if c := strings.Compare(a.Organization, b.Organization); c != 0 {
			return c
		}
		return a.Time.Compare(b.Time)
	})
	added := map[string]int{}
	minutes := cells{}
	values := make([]any, 0, len(rows)*len(recordColumns))
	var chunks []any
	for len(rows) > 0 {
		n, body := chunk(rows)
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		for line, r := range rows[:n] {
			minutes.add(r)
			values = append(values, r.Organization, r.ID, r.Time.UnixMicro(), r.Project, r.Environment, r.API, r.APIName, r.Operation, r.Template, r.Plan,
				r.Application, r.ApplicationName, r.Gateway, r.Method, r.Host, r.Path, r.Status, r.ErrorSource, r.ErrorCode,
				r.Duration, r.GatewayTime, id.String(), line)
		}
		owner := rows[0].Organization
		added[owner] += n
		chunks = append(chunks, owner, id.String(), rows[n-1].Time.UnixMicro(), s.zip.EncodeAll(body, nil))
		rows = rows[n:]
	}
	if err := s.insert(g, "records", recordColumns, values); err != nil {
		return nil, err
	}
	if err := s.insert(g, "chunks", []string{"organization_id", "id", "newest_us", "body"}, chunks); err != nil {
		return nil, err
	}
	for _, c := range []cells{minutes, minutes.hours()} {
		if err := s.addRollups(g, c, 0); err != nil {
			return nil, err
		}
	}
	return added, nil
}

// chunk returns how many of the rows, all of one organization, make the next
// chunk, and their lines.
func chunk(rows []*store.Row) (n int, body []byte) {
	for n < len(rows) && n < chunkLines && rows[n].Organization == rows[0].Organization &&
		(n == 0 || len(body)+len(rows[n].JSON) <= chunkBytes) {
		body = append(append(body, rows[n].JSON...), '\n')
		n++
	}
	return n, body
}

var rollupColumns = []string{
	"id", "organization_id", "resolution", "time_s", "merged", "project", "environment", "api", "operation", "plan",
	"application", "gateway", "status", "error_code", "api_name", "operation_name", "application_name", "requests",
	"refused", "request_bytes", "response_bytes", "max_us", "newest_us", "duration", "gateway_time",
}

func (s *Store) addRollups(g *gorm.DB, c cells, merged int) error {
	rows, err := c.rows(merged)
	if err != nil {
		return err
	}
	values := make([]any, 0, len(rows)*len(rollupColumns))
	for _, r := range rows {
		values = append(values, r.ID, r.OrganizationID, r.Resolution, r.TimeS, r.Merged, r.Project, r.Environment, r.API, r.Operation, r.Plan,
			r.Application, r.Gateway, r.Status, r.ErrorCode, r.APIName, r.OperationName, r.ApplicationName, r.Requests,
			r.Refused, r.RequestBytes, r.ResponseBytes, r.MaxUs, r.NewestUs, r.Duration, r.GatewayTime)
	}
	return s.insert(g, "rollups", rollupColumns, values)
}

// insertKey names a statement.
type insertKey struct {
	table string
	rows  int
}

// insert writes rows, many with each statement: their values one after the
// other, in the order of the columns.
func (s *Store) insert(g *gorm.DB, table string, columns []string, values []any) error {
	most := insertRows
	if s.db.Dialect() == db.SQLite {
		most = insertRowsSQLite
	}
	for part := range slices.Chunk(values, most*len(columns)) {
		text := s.statement(table, columns, len(part)/len(columns))
		if _, err := g.Statement.ConnPool.ExecContext(g.Statement.Context, text, part...); err != nil {
			return fmt.Errorf("inserting into %s: %w", table, err)
		}
	}
	return nil
}

func (s *Store) statement(table string, columns []string, rows int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := insertKey{table, rows}
	if text, ok := s.inserts[k]; ok {
		return text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ", "))
	place := 0
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		for c := range columns {
			b.WriteByte("(,"[min(c, 1)])
			place++
			if s.db.Dialect() == db.Postgres {
				fmt.Fprintf(&b, "$%d", place)
			} else {
				b.WriteByte('?')
			}
		}
		b.WriteByte(')')
	}
	s.inserts[k] = b.String() // at most insertRows for each table
	return s.inserts[k]
}
