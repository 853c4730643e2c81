package tenancy

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/gatehouse/gatehouse/libs/db"
)

// owned is a table whose rows belong to organizations.
type owned struct {
	name string
	// columns are all, keys those of the primary key, each in their order.
	columns, keys []string
	// parents are the tables that its rows refer to.
	parents []string
}

func (t *owned) has(column string) bool { return slices.Contains(t.columns, column) }

// catalogQueries read the schema: tables with their columns; those of the primary
// keys; and who refers to whom. Names come in the order that matters.
var catalogQueries = map[db.Dialect]struct{ columns, keys, references string }{
	db.Postgres: {
		`SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`,
		`SELECT t.relname, a.attname FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
		 CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
		 WHERE x.indisprimary AND n.nspname = current_schema() ORDER BY 1, k.n`,
		`SELECT c.relname, p.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
		 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND n.nspname = current_schema()`,
	},
	db.MySQL: {
		`SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = database() ORDER BY table_name, ordinal_position`,
		`SELECT table_name, column_name FROM information_schema.statistics WHERE table_schema = database() AND index_name = 'PRIMARY' ORDER BY 1, seq_in_index`,
		`SELECT table_name, referenced_table_name FROM information_schema.key_column_usage WHERE table_schema = database() AND referenced_table_name IS NOT NULL`,
	},
	db.SQLite: {
		`SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`,
		`SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk > 0 ORDER BY m.name, c.pk`,
		`SELECT m.name, f."table" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`,
	},
}

// tables returns the tables with a column organization_id, those that refer to
// others before these.
func tables(ctx context.Context, d *db.DB) ([]owned, error) {
	q := catalogQueries[d.Dialect()]
	g := d.Unscoped(ctx, "the schema is no organization's")
	byName := map[string]*owned{}
	err := pairs(g, q.columns, func(name, c string) {
		if byName[name] == nil {
			byName[name] = &owned{name: name}
		}
		byName[name].columns = append(byName[name].columns, c)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	for name, t := range byName {
		if !t.has(column) {
			delete(byName, name)
		}
	}
	add := func(to func(*owned) *[]string) func(string, string) {
		return func(name, value string) {
			if t := byName[name]; t != nil {
				*to(t) = append(*to(t), value)
			}
		}
	}
	if err := pairs(g, q.keys, add(func(t *owned) *[]string { return &t.keys })); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	if err := pairs(g, q.references, add(func(t *owned) *[]string { return &t.parents })); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	return ordered(byName), nil
}

func pairs(g *gorm.DB, query string, each func(a, b string)) (err error) {
	rows, err := g.Raw(query).Rows()
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		each(strings.ToLower(a), strings.ToLower(b))
	}
	return rows.Err()
}

// ordered sorts tables by name, and each before those that it refers to.
func ordered(byName map[string]*owned) []owned {
	var names []string
	for n := range byName {
		names = append(names, n)
	}
	slices.Sort(names)
	var out []owned
	state := map[string]bool{}
	var visit func(string)
	visit = func(n string) {
		t := byName[n]
		if _, seen := state[n]; seen || t == nil {
			return
		}
		state[n] = true
		for _, p := range t.parents {
			visit(p)
		}
		out = append(out, *t)
	}
	for _, n := range names {
		visit(n)
	}
	slices.Reverse(out) // parents were first
	return out
}

// Tables returns the names of the tables whose rows belong to organizations: those
// that [Purge] empties.
func Tables(ctx context.Context, d *db.DB) ([]string, error) {
	all, err := tables(ctx, d)
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = t.name
	}
	return out, err
}

// Purge deletes the rows of an organization from every table that has a column
// organization_id, but those of leave. Each table is a transaction of its own;
// what is kept of the organization goes last, so that a purge that was broken off
// is made again. It may be run any number of times.
func Purge(ctx context.Context, d *db.DB, organization string, leave ...string) error {
	if organization == "" {
		return errNone
	}
	all, err := tables(ctx, d)
	if err != nil {
		return fmt.Errorf("purging organization %s: %w", organization, err)
	}
	i := slices.IndexFunc(all, func(t owned) bool { return t.name == table })
	if i >= 0 {
		all = append(append(all[:i:i], all[i+1:]...), all[i])
	}
	for _, t := range all {
		if slices.Contains(leave, t.name) {
			continue
		}
		err := d.Tx(ctx, func(tx *db.Tx) error {
			return tx.Unscoped("an organization is over").WithContext(ctx).Exec("DELETE FROM "+quoted(d, t.name)+" WHERE "+column+" = ?", organization).Error
		})
		if err != nil {
			return fmt.Errorf("purging organization %s: table %s: %w", organization, t.name, err)
		}
	}
	return nil
}

// quoted returns a name from the schema as a statement takes it.
func quoted(d *db.DB, name string) string {
	mark := `"`
	if d.Dialect() == db.MySQL {
		mark = "`"
	}
	return mark + strings.ReplaceAll(name, mark, mark+mark) + mark
}

func scanned(rows *sql.Rows, n int) ([]any, error) {
	values, into := make([]any, n), make([]any, n)
	for i := range values {
		into[i] = &values[i]
	}
	return values, rows.Scan(into...)
}
