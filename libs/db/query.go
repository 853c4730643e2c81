package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// Query is a query of one organization's rows of T's table. Its methods return
// a new query; mistakes in them show when it runs. T is a struct as gorm reads
// it, with a column organization_id. Hooks and associations are not used.
type Query[T any] struct {
	scope *Scope
	err   error
	parts []part
}

// part adds to a statement. text tells it apart from others, for cursors.
type part struct {
	text  string
	apply func(ctx context.Context, g *gorm.DB) (*gorm.DB, error)
}

// From begins a query of T's table.
func From[T any](s *Scope) Query[T] { return Query[T]{scope: s} }

func (q Query[T]) with(text string, apply func(context.Context, *gorm.DB) (*gorm.DB, error)) Query[T] {
	q.parts = append(slices.Clip(q.parts), part{text, apply})
	return q
}

func (q Query[T]) fail(err error) Query[T] {
	if q.err == nil {
		q.err = err
	}
	return q
}

// Where narrows the query. The condition is SQL with a ? for each argument, and
// "IN ?" for a slice; it is taken as one, so that an OR in it stays in it. For
// rows that depend on other tables see [Query.In] and [Query.Join].
func (q Query[T]) Where(condition string, args ...any) Query[T] {
	if err := checkFragment(condition); err != nil {
		return q.fail(err)
	}
	if n := strings.Count(condition, "?"); n != len(args) {
		return q.fail(fmt.Errorf("condition %q: %d places for %d arguments", condition, n, len(args)))
	}
	for _, a := range args {
		if err := checkValue(a); err != nil {
			return q.fail(fmt.Errorf("condition %q: %w", condition, err))
		}
	}
	return q.with(fmt.Sprintf("where %q %q", condition, fmt.Sprint(args...)), func(_ context.Context, g *gorm.DB) (*gorm.DB, error) {
		return g.Where(clause.Expr{SQL: "(" + condition + ")", Vars: slices.Clone(args)}), nil
	})
}

// Contains narrows the query to rows that have a text somewhere in one of the
// columns. It compares by bytes: columns to be searched hold folded text, and so
// must text be. "" narrows nothing.
func (q Query[T]) Contains(text string, columns ...string) Query[T] {
	for _, c := range columns {
		if !plainName.MatchString(c) {
			return q.fail(fmt.Errorf("%q is not the name of a column", c))
		}
	}
	if text == "" {
		return q
	}
	position := "instr"
	if q.scope.db.dialect == Postgres {
		position = "strpos"
	}
	return q.with(fmt.Sprintf("contains %q %q", columns, text), func(_ context.Context, g *gorm.DB) (*gorm.DB, error) {
		found := make([]clause.Expression, len(columns))
		for i, c := range columns {
			found[i] = clause.Expr{SQL: position + "(?, ?) > 0", Vars: []any{clause.Column{Table: clause.CurrentTable, Name: c}, text}}
		}
		return g.Where(clause.And(clause.Or(found...))), nil
	})
}

// Subquery is the values of one column of a query; see [Query.Column].
type Subquery struct {
	text  string
	build func(ctx context.Context) (*gorm.DB, clause.Column, error)
}

// Column returns the values of a column, for [Query.In].
func (q Query[T]) Column(name string) Subquery {
	return Subquery{text: q.text() + " column " + name, build: func(ctx context.Context) (*gorm.DB, clause.Column, error) {
		g, sch, err := q.build(ctx)
		if err != nil {
			return nil, clause.Column{}, err
		}
		if sch.LookUpField(name) == nil {
			return nil, clause.Column{}, fmt.Errorf("table %s has no column %q", sch.Table, name)
		}
		of := clause.Column{Table: sch.Table, Name: name}
		return g.Select("?", of), of, nil
	}}
}

// In narrows the query to rows whose column has one of the values of another
// query, which is an organization's too.
func (q Query[T]) In(column string, sub Subquery) Query[T] {
	if !plainName.MatchString(column) {
		return q.fail(fmt.Errorf("%q is not the name of a column", column))
	}
	return q.with("in "+column+" "+sub.text, func(ctx context.Context, g *gorm.DB) (*gorm.DB, error) {
		inner, _, err := sub.build(ctx)
		if err != nil {
			return nil, err
		}
		return g.Where("? IN (?)", clause.Column{Table: clause.CurrentTable, Name: column}, inner), nil
	})
}

// Join adds the rows of another model's table for which the condition holds,
// and which belong to the same organization. Columns that both have must be
// named with their table.
func (q Query[T]) Join(model any, on string, args ...any) Query[T] {
	if err := checkFragment(on); err != nil {
		return q.fail(err)
	}
	for _, a := range args {
		if err := checkValue(a); err != nil {
			return q.fail(fmt.Errorf("join on %q: %w", on, err))
		}
	}
	return q.with(fmt.Sprintf("join %T %q %q", model, on, fmt.Sprint(args...)), func(_ context.Context, g *gorm.DB) (*gorm.DB, error) {
		sch, err := ownedSchema(g, model)
		if err != nil {
			return nil, err
		}
		vars := append(append([]any{clause.Table{Name: sch.Table}}, args...),
			clause.Column{Table: sch.Table, Name: organizationColumn}, q.scope.organization)
		return g.Joins("JOIN ? ON ("+on+") AND ? = ?", vars...), nil
	})
}

// Order sorts by a column of T's table, after those named before.
func (q Query[T]) Order(column string, descending bool) Query[T] {
	if !plainName.MatchString(column) {
		return q.fail(fmt.Errorf("%q is not the name of a column", column))
	}
	return q.with(fmt.Sprint("order ", column, descending), func(_ context.Context, g *gorm.DB) (*gorm.DB, error) {
		return g.Order(clause.OrderByColumn{Column: clause.Column{Table: clause.CurrentTable, Name: column}, Desc: descending}), nil
	})
}

// Limit bounds the number of rows.
func (q Query[T]) Limit(n int) Query[T] {
	return q.with("limit", func(_ context.Context, g *gorm.DB) (*gorm.DB, error) { return g.Limit(n), nil })
}

// Offset leaves out the first rows. Lists are paged by cursor (see [Query.Page]); this
// is for protocols that page by number.
func (q Query[T]) Offset(n int) Query[T] {
	return q.with("offset", func(_ context.Context, g *gorm.DB) (*gorm.DB, error) { return g.Offset(n), nil })
}

// Lock keeps others from changing the rows until the transaction ends. SQLite
// has one writer anyhow.
func (q Query[T]) Lock() Query[T] {
	return q.with("lock", func(_ context.Context, g *gorm.DB) (*gorm.DB, error) {
		if q.scope.db.dialect == SQLite {
			return g, nil
		}
		return g.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}), nil
	})
}

func (q Query[T]) text() string {
	var b strings.Builder
	for _, p := range q.parts {
		b.WriteString(p.text)
		b.WriteByte('\n')
	}
	return b.String()
}

func (q Query[T]) build(ctx context.Context) (*gorm.DB, *schema.Schema, error) {
	if q.err != nil {
		return nil, nil, q.err
	}
	g, sch, err := start[T](ctx, q.scope)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range q.parts {
		if g, err = p.apply(ctx, g); err != nil {
			return nil, nil, err
		}
	}
	return g, sch, nil
}

// All returns the rows.
func (q Query[T]) All(ctx context.Context) ([]T, error) {
	g, sch, err := q.build(ctx)
	if err != nil {
		return nil, err
	}
	rows := []T{}
	return rows, classify(g.Select("?.*", clause.Table{Name: sch.Table}).Find(&rows).Error)
}

// First returns the first row, or [ErrNotFound].
func (q Query[T]) First(ctx context.Context) (T, error) {
	rows, err := q.Limit(1).All(ctx)
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return rows[0], nil
}

// Get returns the row with the id, or [ErrNotFound].
func (q Query[T]) Get(ctx context.Context, id string) (T, error) {
	return q.byID(id).First(ctx)
}

func (q Query[T]) byID(id string) Query[T] {
	return q.with("id "+id, func(_ context.Context, g *gorm.DB) (*gorm.DB, error) {
		return g.Where(clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: idColumn}, Value: id}), nil
	})
}

// Count returns the number of rows.
func (q Query[T]) Count(ctx context.Context) (int64, error) {
	g, _, err := q.build(ctx)
	if err != nil {
		return 0, err
	}
	var n int64
	return n, classify(g.Count(&n).Error)
}

// Aggregate reads columns and sums into dest, a pointer to a slice of structs
// or of values. columns is what follows SELECT, groups what follows GROUP BY,
// where there is any.
func (q Query[T]) Aggregate(ctx context.Context, dest any, columns, groups string) error {
	if err := errors.Join(checkFragment(columns), checkFragment(groups)); err != nil {
		return err
	}
	g, _, err := q.build(ctx)
	if err != nil {
		return err
	}
	g = g.Select(columns)
	if groups != "" {
		g = g.Clauses(clause.GroupBy{Columns: []clause.Column{{Name: groups, Raw: true}}})
	}
	return classify(g.Scan(dest).Error)
}

// Delete deletes the rows and returns their number.
func (q Query[T]) Delete(ctx context.Context) (int64, error) {
	g, _, err := q.build(ctx)
	if err != nil {
		return 0, err
	}
	g = g.Delete(new(T))
	return g.RowsAffected, classify(g.Error)
}

// Changes are new values by column.
type Changes map[string]any

// Increment is a change that adds to a number.
type Increment int64

// Update changes the rows and returns their number. Columns of encrypted values
// need [Save].
func (q Query[T]) Update(ctx context.Context, changes Changes) (int64, error) {
	g, sch, err := q.build(ctx)
	if err != nil {
		return 0, err
	}
	set := make(map[string]any, len(changes))
	for column, v := range changes {
		f := sch.LookUpField(column)
		switch {
		case f == nil || f.DBName != column:
			return 0, fmt.Errorf("table %s has no column %q", sch.Table, column)
		case column == organizationColumn || column == idColumn:
			return 0, fmt.Errorf("column %s cannot be changed", column)
		case f.Serializer != nil:
			return 0, fmt.Errorf("column %s has a form of its own: use Save", column)
		}
		if n, ok := v.(Increment); ok {
			set[column] = clause.Expr{SQL: "? + ?", Vars: []any{clause.Column{Name: column}, int64(n)}}
			continue
		}
		if err := checkValue(v); err != nil {
			return 0, fmt.Errorf("column %s: %w", column, err)
		}
		set[column] = v
	}
	g = g.Updates(set)
	return g.RowsAffected, classify(g.Error)
}

func reflectValue(row any) reflect.Value { return reflect.Indirect(reflect.ValueOf(row)) }

var (
	plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
	statement = regexp.MustCompile(`(?i)\b(SELECT|UNION|WITH|TABLE|VALUES|RETURNING|INTO|FROM|JOIN)\b`)
)

// checkValue refuses values that gorm would write as SQL.
func checkValue(v any) error {
	switch v.(type) {
	case driver.Valuer:
		return nil
	case clause.Expression, *gorm.DB, gorm.DB, gorm.Valuer, clause.Column, clause.Table, schema.SerializerValuerInterface:
		return fmt.Errorf("%T is not a value", v)
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Interface {
		for i := range r.Len() {
			if err := checkValue(r.Index(i).Interface()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFragment refuses SQL that could reach beyond the condition that it is
// put into.
func checkFragment(sql string) error {
	depth := 0
	var bare strings.Builder
	for i := 0; i < len(sql); {
		n, comment, err := token(sql[i:])
		if err != nil {
			return fmt.Errorf("condition %q: %w", sql, err)
		}
		part := sql[i : i+n]
		i += n
		switch {
		case comment, part == ";", part == "#", strings.ContainsAny(part, "\\@?") && n > 1, part == "\\", part == "@", part[0] == '$':
			return fmt.Errorf("condition %q: %q is not allowed here", sql, part)
		case part == "(":
			depth++
		case part == ")":
			if depth--; depth < 0 {
				return fmt.Errorf("condition %q: a parenthesis too many", sql)
			}
		}
		if n == 1 {
			bare.WriteString(part)
		} else {
			bare.WriteByte('"')
		}
	}
	if depth != 0 {
		return fmt.Errorf("condition %q: a parenthesis too few", sql)
	}
	if w := statement.FindString(bare.String()); w != "" {
		return fmt.Errorf("condition %q: %s is not allowed here: use In or Join", sql, w)
	}
	return nil
}
