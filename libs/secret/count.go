package secret

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
)

const (
	// unknownKey stands for values that no key has encrypted: texts of earlier
	// versions, and what is damaged.
	unknownKey = "unknown"
	// mostMissing bounds how many keys that are not there are named.
	mostMissing = 8
)

// IDs returns the ids of the keys, the one that encrypts first.
func (r *Keyring) IDs() []string { return slices.Clone(r.order) }

// Has reports whether a key is in the ring.
func (r *Keyring) Has(id string) bool { return r.keys[id] != nil }

// Count returns how many values of a column each key has encrypted, by its id,
// also those of keys that are not in the ring (see [Keyring.Has]); what no key has
// encrypted is "unknown".
func (r *Keyring) Count(ctx context.Context, g *gorm.DB, c Column) (map[string]int64, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("counting by key: %w", err)
	}
	g = g.WithContext(ctx)
	count := func(where string, args ...any) (n int64, err error) {
		if err = g.Raw("SELECT COUNT(*) FROM "+c.Table+" WHERE "+where, args...).Scan(&n).Error; err != nil {
			err = fmt.Errorf("counting values of %s.%s by key: %w", c.Table, c.Name, err)
		}
		return n, err
	}
	out := map[string]int64{}
	left, err := count(c.Name + " <> ''")
	if err != nil {
		return nil, err
	}
	// What has no known key is narrowed down, a key at a time.
	where, args := c.Name+" <> ''", []any{}
	by := func(id string) error {
		// The id has neither % nor _ (see keyID), so that nothing is to be escaped.
		like := prefix + "." + id + ".%"
		n, err := count(c.Name+" LIKE ?", like)
		if n > 0 {
			out[id] = n
		}
		where, args, left = where+" AND "+c.Name+" NOT LIKE ?", append(args, like), left-n
		return err
	}
	for _, id := range r.order {
		if err := by(id); err != nil {
			return nil, err
		}
	}
	for n := 0; left > 0 && n < mostMissing; n++ {
		var one []string
		if err := g.Raw("SELECT "+c.Name+" FROM "+c.Table+" WHERE "+where+" AND "+c.Name+" LIKE ? LIMIT 1", append(slices.Clone(args), prefix+".%")...).Scan(&one).Error; err != nil {
			return nil, fmt.Errorf("looking for keys of %s.%s: %w", c.Table, c.Name, err)
		}
		if len(one) == 0 {
			break
		}
		id := keyOf(one[0])
		if id == "" {
			break
		}
		if err := by(id); err != nil {
			return nil, err
		}
	}
	if c.Plain != "" {
		n, err := count(c.Plain + " <> ''")
		if err != nil {
			return nil, err
		}
		left += n
	}
	if left > 0 {
		out[unknownKey] = left
	}
	return out, nil
}

// keyOf returns the id of the key of a ciphertext, or "" where it is none.
func keyOf(sealed string) string {
	parts := strings.SplitN(sealed, ".", 3)
	if len(parts) != 3 || parts[0] != prefix || !keyID.MatchString(parts[1]) {
		return ""
	}
	return parts[1]
}
