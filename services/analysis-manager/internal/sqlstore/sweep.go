package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

const (
	// sweepRows are deleted or merged at once, so that nobody waits long for the
	// locks.
	sweepRows = 2000
	// mergeFrom is the number of unmerged rows of one time from which merging
	// them pays.
	mergeFrom = 2

	sweeping = "what is old is forgotten for all organizations"
)

// errMoved says that somebody else has merged the same rows.
var errMoved = errors.New("the rows were merged by somebody else")

// Sweep forgets what is older than the retention, and merges sums over the same
// minute or hour. Several may run at once, though only one needs to.
func (s *Store) Sweep(ctx context.Context, keep store.Retention) error {
	oldest := keep.Now.Add(-keep.Records).UnixMicro()
	var owners []string
	if err := s.db.Unscoped(ctx, sweeping).Table("chunks").Distinct("organization_id").Pluck("organization_id", &owners).Error; err != nil {
		return fmt.Errorf("looking for old records: %w", err)
	}
	for _, o := range owners { // each apart, as the index is
		if err := s.forget(ctx, "records", "time_us", "organization_id = ? AND time_us < ?", o, oldest); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		table, column, where string
		args                 []any
	}{
		{"chunks", "newest_us", "newest_us < ?", []any{oldest}},
		// Ids of batches outlast their records: what comes again after so long a
		// time is too old to be counted.
		{"batches", "received_us", "received_us < ?", []any{oldest - (24 * time.Hour).Microseconds()}},
		{"rollups", "time_s", "resolution = ? AND time_s < ?", []any{minute, keep.Now.Add(-keep.Minutes).Unix()}},
		{"rollups", "time_s", "resolution = ? AND time_s < ?", []any{hour, keep.Now.Add(-keep.Hours).Unix()}},
	} {
		if err := s.forget(ctx, f.table, f.column, f.where, f.args...); err != nil {
			return err
		}
	}
	return s.merge(ctx)
}

// Forget forgets all traffic of an organization: first what there is much of, in
// parts, then whatever else is its.
func (s *Store) Forget(ctx context.Context, organization string) error {
	if organization == "" {
		return errors.New("forgetting traffic: no organization is named")
	}
	for _, f := range []struct{ table, column string }{{"records", "time_us"}, {"chunks", "newest_us"}, {"rollups", "time_s"}} {
		if err := s.forget(ctx, f.table, f.column, "organization_id = ?", organization); err != nil {
			return err
		}
	}
	return tenancy.Purge(ctx, s.db, organization)
}

// forget deletes rows in parts: by a bound that moves in steps, since not every
// dialect can limit what it deletes.
func (s *Store) forget(ctx context.Context, table, column, where string, args ...any) error {
	for {
		var bound []int64
		err := s.db.Unscoped(ctx, sweeping).Table(table).Where(where, args...).Order(column).Offset(sweepRows).Limit(1).Pluck(column, &bound).Error
		if err != nil {
			return fmt.Errorf("looking for old %s: %w", table, err)
		}
		text, values := "DELETE FROM "+table+" WHERE "+where, args
		if len(bound) == 1 {
			text, values = text+" AND "+column+" <= ?", append(slices.Clone(args), bound[0])
		}
		if err := s.db.Unscoped(ctx, sweeping).Exec(text, values...).Error; err != nil {
			return fmt.Errorf("forgetting old %s: %w", table, err)
		}
		if len(bound) == 0 {
			return nil
		}
	}
}

// group is what is merged at once.
type group struct {
	OrganizationID string
	Resolution     int
	TimeS          int64
}

// merge merges the sums that were added since the last time.
func (s *Store) merge(ctx context.Context) error {
	for {
		var groups []group
		err := s.db.Unscoped(ctx, sweeping).Table("rollups").Select("organization_id, resolution, time_s").Where("merged = 0").
			Group("organization_id, resolution, time_s").Having("COUNT(*) >= ?", mergeFrom).Limit(100).Scan(&groups).Error
		if err != nil {
			return fmt.Errorf("looking for sums to merge: %w", err)
		}
		for _, g := range groups {
			if err := s.mergeGroup(ctx, g); err != nil {
				return fmt.Errorf("merging sums: %w", err)
			}
		}
		if len(groups) < 100 {
			return nil
		}
	}
}

// mergeGroup replaces the rows of one time by one for each key. Rows that are
// added meanwhile are left for the next time.
func (s *Store) mergeGroup(ctx context.Context, of group) error {
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		g := tx.Unscoped(sweeping)
		var rows []*rollup
		err := g.Where("organization_id = ? AND resolution = ? AND time_s = ?", of.OrganizationID, of.Resolution, of.TimeS).Find(&rows).Error
		if err != nil {
			return err
		}
		merged, gone, err := mergeRows(rows)
		if err != nil {
			return err
		}
		if err := remove(g, gone); err != nil {
			return err
		}
		return s.addRollups(g, merged, 1)
	})
	if errors.Is(err, errMoved) {
		return nil
	}
	return err
}

// mergeRows returns the sums by key, and the rows that they stand for. A merged
// row that nothing is added to stays as it is.
func mergeRows(rows []*rollup) (cells, []string, error) {
	byKey := map[key][]*rollup{}
	for _, r := range rows {
		byKey[r.key()] = append(byKey[r.key()], r)
	}
	out := cells{}
	var gone []string
	for k, parts := range byKey {
		if len(parts) == 1 && parts[0].Merged == 1 {
			continue
		}
		x := out.at(k)
		for _, r := range parts {
			c, err := r.cell()
			if err != nil {
				return nil, nil, fmt.Errorf("row %s: %w", r.ID, err)
			}
			x.merge(c)
			gone = append(gone, r.ID)
		}
	}
	return out, gone, nil
}

// remove deletes exactly the rows of the ids, or fails.
func remove(g *gorm.DB, ids []string) error {
	for part := range slices.Chunk(ids, insertRows) {
		d := g.Where("id IN ?", part).Delete(&rollup{})
		if d.Error != nil {
			return d.Error
		}
		if d.RowsAffected != int64(len(part)) {
			return errMoved
		}
	}
	return nil
}
