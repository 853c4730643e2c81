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
	// Plain is a column of the same table in which earlier versions kept the values
	// as text; "" = there is none. What is in it is newer than what is encrypted:
	// an instance of an earlier version wrote it.
	Plain string
}

const (
	// rotateBatch bounds the rows read at once.
	rotateBatch = 500
	// mostTold bounds how many values that cannot be read are told of one by one.
	mostTold = 5
)

var name = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

func (c Column) id() string {
	if c.ID == "" {
		return "id"
	}
	return c.ID
}

// check returns an error where a name cannot be one of a column.
func (c Column) check() error {
	for _, n := range []string{c.Table, c.Name, c.id()} {
		if !name.MatchString(n) {
			return fmt.Errorf("%q.%q is not a column", c.Table, c.Name)
		}
	}
	if c.Plain != "" && !name.MatchString(c.Plain) {
		return fmt.Errorf("%q.%q is not a column", c.Table, c.Plain)
	}
	return nil
}

// Rotate encrypts every value of the column that is older with the newest key,
// and those that earlier versions kept as text, and returns their number. It works
// in small steps beside other writers, and can be broken off and run again. A value
// that cannot be read is left, and told of in the error at the end.
func (r *Keyring) Rotate(ctx context.Context, g *gorm.DB, c Column) (int, error) {
	if err := c.check(); err != nil {
		return 0, fmt.Errorf("rotating keys: %w", err)
	}
	g = g.WithContext(ctx)
	sealed, err := r.sealPlain(g, c)
	if err != nil {
		return sealed, err
	}
	done, err := r.each(g, c, c.Name, "AND "+c.Name+" NOT LIKE '"+prefix+"."+r.newest+".%' ", func(id, value string) (int64, error) {
		at := Place{Table: c.Table, Column: c.Name, Row: id}
		plain, err := r.Open(value, at)
		if err != nil {
			return 0, err
		}
		// Only if nobody has written it meanwhile.
		res := g.Exec("UPDATE "+c.Table+" SET "+c.Name+" = ? WHERE "+c.id()+" = ? AND "+c.Name+" = ?", r.Seal(plain, at), id, value)
		return res.RowsAffected, res.Error
	})
	return sealed + done, err
}

// sealPlain encrypts what earlier versions kept as text, and empties where it was.
func (r *Keyring) sealPlain(g *gorm.DB, c Column) (int, error) {
	if c.Plain == "" {
		return 0, nil
	}
	return r.each(g, c, c.Plain, "", func(id, value string) (int64, error) {
		at := Place{Table: c.Table, Column: c.Name, Row: id}
		res := g.Exec("UPDATE "+c.Table+" SET "+c.Name+" = ?, "+c.Plain+" = '' WHERE "+c.id()+" = ? AND "+c.Plain+" = ?", r.Seal([]byte(value), at), id, value)
		return res.RowsAffected, res.Error
	})
}

// each calls write for every value of a column that is not empty and that the
// condition lets through, and returns how many rows it wrote. What it fails at with
// [ErrSealed] is left, and told of at the end.
func (r *Keyring) each(g *gorm.DB, c Column, column, condition string, write func(id, value string) (int64, error)) (int, error) {
	var (
		last   string
		done   int
		failed []error
		more   int
	)
	for {
		var rows []struct{ ID, Value string }
		err := g.Raw("SELECT "+c.id()+" AS id, "+column+" AS value FROM "+c.Table+" WHERE "+c.id()+" > ? AND "+column+" <> '' "+condition+
			"ORDER BY "+c.id()+" LIMIT ?", last, rotateBatch).Scan(&rows).Error
		if err != nil {
			return done, fmt.Errorf("rotating keys of %s.%s: %w", c.Table, c.Name, err)
		}
		if len(rows) == 0 {
			if more > 0 {
				failed = append(failed, fmt.Errorf("%d more rows of %s.%s: %w", more, c.Table, c.Name, ErrSealed))
			}
			return done, errors.Join(failed...)
		}
		for _, row := range rows {
			last = row.ID
			n, err := write(row.ID, row.Value)
			switch {
			case errors.Is(err, ErrSealed) && len(failed) == mostTold:
				more++
			case errors.Is(err, ErrSealed):
				failed = append(failed, fmt.Errorf("row %s of %s.%s: %w", row.ID, c.Table, c.Name, err))
			case err != nil:
				return done, fmt.Errorf("rotating keys of %s.%s: %w", c.Table, c.Name, err)
			}
			done += int(n)
		}
	}
}
