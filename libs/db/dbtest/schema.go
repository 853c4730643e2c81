package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
)

// CompareSchemas migrates all three dialects and compares what came of it:
// tables, columns with their kinds of type and nullability, primary keys and
// indexes.
func CompareSchemas(t *testing.T, files fs.FS) {
	t.Helper()
	want := Schema(t, Open(t, db.SQLite, files))
	require.NotEmpty(t, want)
	for _, dialect := range []db.Dialect{db.Postgres, db.MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			got := Schema(t, Open(t, dialect, files))
			require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"), "the schemas of sqlite (wanted) and %s (got) differ", dialect)
		})
	}
}

// Schema describes the tables of a database, a line for each column and index,
// in the same words for every dialect.
func Schema(t testing.TB, d *db.DB) []string {
	t.Helper()
	s, err := d.Unscoped(t.Context(), "reading the schema").DB()
	require.NoError(t, err)
	q := schemaQueries[d.Dialect()]
	var out []string
	for _, r := range query(t, s, q.columns) {
		null := "not null"
		if strings.EqualFold(r[3], "YES") || r[3] == "0" {
			null = "null"
		}
		out = append(out, fmt.Sprintf("%s.%s %s %s", r[0], r[1], family(t, r[2]), null))
	}
	indexes := map[string][]string{}
	for _, r := range query(t, s, q.indexes) { // table, index, unique, column in order
		kind := "index"
		if r[2] == "1" || r[2] == "true" {
			kind = "unique index"
		}
		name := kind + " " + r[1]
		if r[1] == "PRIMARY" {
			name = "primary key"
		}
		key := r[0] + " " + name
		indexes[key] = append(indexes[key], r[3])
	}
	for k, columns := range indexes {
		out = append(out, k+" ("+strings.Join(columns, ", ")+")")
	}
	slices.Sort(out)
	return out
}

var schemaQueries = map[db.Dialect]struct{ columns, indexes string }{
	db.Postgres: {
		`SELECT table_name, column_name, data_type || coalesce('(' || character_maximum_length || ')', ''), is_nullable
		 FROM information_schema.columns WHERE table_schema = current_schema()`,
		`SELECT t.relname, CASE WHEN x.indisprimary THEN 'PRIMARY' ELSE i.relname END, x.indisunique::int::text, a.attname
		 FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
		 JOIN pg_namespace n ON n.oid = t.relnamespace
		 CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k(attnum, n)
		 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
		 WHERE n.nspname = current_schema() ORDER BY 1, 2, k.n`,
	},
	db.MySQL: {
		`SELECT table_name, column_name, column_type, is_nullable FROM information_schema.columns WHERE table_schema = database()`,
		`SELECT table_name, index_name, CAST(1 - non_unique AS char), column_name
		 FROM information_schema.statistics WHERE table_schema = database() ORDER BY 1, 2, seq_in_index`,
	},
	db.SQLite: {
		`SELECT m.name, c.name, c.type, CAST(c."notnull" OR c.pk AS text) FROM sqlite_master m JOIN pragma_table_info(m.name) c
		 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`,
		`SELECT * FROM (SELECT m.name AS t, l.name AS i, CAST(l."unique" AS text), c.name, c.seqno AS n
		 FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) c
		 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND l.origin <> 'pk'
		 UNION ALL SELECT m.name, 'PRIMARY', '1', c.name, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
		 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.pk > 0) ORDER BY 1, 2, 5`,
	},
}

func query(t testing.TB, s *sql.DB, q string) [][]string {
	t.Helper()
	rows, err := s.QueryContext(context.WithoutCancel(t.Context()), q)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }() // Err tells
	columns, err := rows.Columns()
	require.NoError(t, err)
	var out [][]string
	for rows.Next() {
		row := make([]string, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		require.NoError(t, rows.Scan(into...))
		out = append(out, row)
	}
	require.NoError(t, rows.Err())
	return out
}

// families name what is the same in the three dialects.
var families = map[string]string{
	"text": "text", "longtext": "text", "character varying": "varchar", "varchar": "varchar",
	"bigint": "number", "integer": "number", "int": "number", "boolean": "boolean", "tinyint(1)": "boolean",
	"timestamp with time zone": "time", "datetime": "time", "datetime(6)": "time",
	"bytea": "bytes", "longblob": "bytes", "blob": "bytes", "double precision": "fraction", "double": "fraction",
}

func family(t testing.TB, kind string) string {
	t.Helper()
	kind = strings.ToLower(kind)
	if f, ok := families[kind]; ok {
		return f
	}
	name, rest, _ := strings.Cut(kind, "(")
	f, ok := families[name]
	if !ok || f == "time" {
		t.Fatalf("the type %q is not one of the portable types", kind)
	}
	if f == "varchar" {
		return f + "(" + rest
	}
	return f
}
