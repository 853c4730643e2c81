package db

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// HasAny narrows the query to rows whose column is the value of a row in at least
// one of the other queries, which are an organization's too. It means the same as
// [Query.In] of each with OR between them, and is asked row by row: it is for lists
// that are read in the order of an index until a page is full, while most rows have
// what is asked for. Without queries it finds nothing.
func (q Query[T]) HasAny(column string, subs ...Subquery) Query[T] {
	if !plainName.MatchString(column) {
		return q.fail(fmt.Errorf("%q is not the name of a column", column))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "has any %s", column)
	for _, s := range subs {
		fmt.Fprintf(&text, " %q", s.text)
	}
	return q.with(text.String(), func(ctx context.Context, g *gorm.DB) (*gorm.DB, error) {
		sch, err := ownedSchema(g, new(T))
		if err != nil {
			return nil, err
		}
		of := clause.Column{Table: sch.Table, Name: column}
		// Planners would turn a sole EXISTS into a join and sort all of it: one among
		// others they leave alone, and so do PostgreSQL and MariaDB one with an OFFSET.
		found, exists := []clause.Expression{clause.Expr{SQL: "? <> ?", Vars: []any{of, of}}}, "EXISTS (?)"
		switch q.scope.db.dialect {
		case Postgres:
			exists = "EXISTS (? OFFSET 0)"
		case MySQL:
			exists = "EXISTS (? LIMIT 1 OFFSET 0)"
		case SQLite:
		}
		for _, s := range subs {
			inner, theirs, err := s.build(ctx)
			if err != nil {
				return nil, err
			}
			if theirs.Table == sch.Table {
				return nil, fmt.Errorf("rows of %s cannot be looked for in itself", sch.Table)
			}
			found = append(found, clause.Expr{SQL: exists, Vars: []any{inner.Where("? = ?", theirs, of)}})
		}
		return g.Where(clause.And(clause.Or(found...))), nil
	})
}
