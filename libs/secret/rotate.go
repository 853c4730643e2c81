package secret

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"gorm.io/gorm"
)

// Column is a column of ciphertexts.
type Column struct {
	Table, Name string
	// ID is the primary key's column, of text; "" means id.
	ID string
}

// rotateBatch bounds the rows read at once.
const rotateBatch = 500

var name = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// Rotate encrypts every value of the column that is older with the newest key,
// and returns their number. It works in small steps beside other writers, and
// can be broken off and run again. A value that cannot be read is left, and
// told of in the error at the end.
func (r *Keyring) Rotate(ctx context.Context, g *gorm.DB, c Column) (int, error) {
	if c.ID == "" {
		c.ID = "id"
	}
	if !name.MatchString(c.Table) || !name.MatchString(c.Name) || !name.MatchString(c.ID) {
		return 0, fmt.Errorf("rotating keys: %q.%q is not a column", c.Table, c.Name)
	}
	g = g.WithContext(ctx)
	var (
		last   string
		done   int
		failed []error
	)
	for {
		var rows []struct{ ID, Value string }
		err := g.Raw("SELECT "+c.ID+" AS id, "+c.Name+" AS value FROM "+c.Table+" WHERE "+c.ID+" > ? AND "+c.Name+" <> '' AND "+c.Name+
			" NOT LIKE ? ORDER BY "+c.ID+" LIMIT ?", last, prefix+"."+r.newest+".%", rotateBatch).Scan(&rows).Error
		if err != nil {
			return done, fmt.Errorf("rotating keys of %s.%s: %w", c.Table, c.Name, err)
		}
		if len(rows) == 0 {
			return done, errors.Join(failed...)
		}
		for _, row := range rows {
			last = row.ID
			at := Place{Table: c.Table, Column: c.Name, Row: row.ID}
			plain, err := r.Open(row.Value, at)
			if err != nil {
				failed = append(failed, fmt.Errorf("row %s of %s.%s: %w", row.ID, c.Table, c.Name, err))
				continue
			}
			// Only if nobody has written it meanwhile.
			res := g.Exec("UPDATE "+c.Table+" SET "+c.Name+" = ? WHERE "+c.ID+" = ? AND "+c.Name+" = ?", r.Seal(plain, at), row.ID, row.Value)
			if res.Error != nil {
				return done, fmt.Errorf("rotating keys of %s.%s: %w", c.Table, c.Name, res.Error)
			}
			done += int(res.RowsAffected)
		}
	}
}
