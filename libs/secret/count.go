package secret

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
)

// unknownKey stands for values of keys that are not in the ring.
const unknownKey = "unknown"

// IDs returns the ids of the keys, the one that encrypts first.
func (r *Keyring) IDs() []string { return slices.Clone(r.order) }

// Count returns how many values of a column each key has encrypted, by its id;
// those of keys that are not in the ring are "unknown".
func (r *Keyring) Count(ctx context.Context, g *gorm.DB, c Column) (map[string]int64, error) {
	if !name.MatchString(c.Table) || !name.MatchString(c.Name) {
		return nil, fmt.Errorf("counting by key: %q.%q is not a column", c.Table, c.Name)
	}
	g = g.WithContext(ctx)
	var all int64
	if err := g.Raw("SELECT COUNT(*) FROM " + c.Table + " WHERE " + c.Name + " <> ''").Scan(&all).Error; err != nil {
		return nil, fmt.Errorf("counting by key: %w", err)
	}
	out := map[string]int64{}
	for _, id := range r.order {
		var n int64
		// The id has neither % nor _ (see keyID), so that nothing is to be escaped.
		if err := g.Raw("SELECT COUNT(*) FROM "+c.Table+" WHERE "+c.Name+" LIKE ?", prefix+"."+id+".%").Scan(&n).Error; err != nil {
			return nil, fmt.Errorf("counting by key: %w", err)
		}
		if n > 0 {
			out[id] = n
		}
		all -= n
	}
	if all > 0 {
		out[unknownKey] = all
	}
	return out, nil
}
