// Package tenancytest proves for the tables of a service, whatever they are, that
// the end of an organization leaves nothing of it, and all of the others. It is
// for tests only.
package tenancytest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// The two organizations that have a row in every table.
const (
	Mine   = "m1"
	Theirs = "t2"
)

// bookkeeping are the tables of package db that are of no organization.
var bookkeeping = []string{"outbox", "outbox_lanes", "outbox_stalls", "schema_migrations"}

type column struct{ name, kind string }

// Purge puts a row of two organizations into every table that has the column
// organization_id, has one of them purged, and looks for what is left. nobodys are
// the tables without that column: those that are of no organization, or that purge
// empties by other means. A table that is neither fails the test, so that nobody
// adds one without thinking of the end of organizations.
func Purge(t *testing.T, d *db.DB, nobodys []string, purge func(organization string) error) {
	t.Helper()
	all := tables(t, d)
	owned, err := tenancy.Tables(t.Context(), d)
	require.NoError(t, err)
	for name, columns := range all {
		has := slices.ContainsFunc(columns, func(c column) bool { return c.name == "organization_id" })
		require.Equal(t, has, slices.Contains(owned, name), name)
		require.True(t, has || slices.Contains(nobodys, name) || slices.Contains(bookkeeping, name),
			"table %s has no column organization_id: whose are its rows, and where do they go when an organization is over?", name)
	}
	for _, name := range slices.Backward(owned) { // what others refer to first
		fill(t, d, name, all[name], Mine, 1)
		fill(t, d, name, all[name], Theirs, 2)
	}
	for range 2 { // and once more, as after a purge that was broken off
		require.NoError(t, purge(Mine))
		for _, name := range owned {
			require.Zero(t, count(t, d, name, Mine), "rows that are left in %s", name)
			require.EqualValues(t, 1, count(t, d, name, Theirs), "rows of another organization in %s", name)
		}
	}
}

// tables returns all tables with their columns.
func tables(t *testing.T, d *db.DB) map[string][]column {
	t.Helper()
	out := map[string][]column{}
	for _, line := range dbtest.Schema(t, d) {
		name, rest, _ := strings.Cut(line, " ")
		table, col, isColumn := strings.Cut(name, ".")
		if isColumn {
			out[table] = append(out[table], column{col, rest})
		}
	}
	return out
}

// fill writes a row: whatever refers to another row refers to the organization's.
func fill(t *testing.T, d *db.DB, name string, columns []column, organization string, n int) {
	t.Helper()
	row := map[string]any{}
	for _, c := range columns {
		switch {
		case c.name == "organization_id":
			row[c.name] = organization
		case strings.HasPrefix(c.kind, "number"):
			row[c.name] = n
		case strings.HasPrefix(c.kind, "boolean"):
			row[c.name] = false
		case strings.HasPrefix(c.kind, "time"):
			row[c.name] = time.Date(2030, 1, n, 0, 0, 0, 0, time.UTC)
		case strings.HasPrefix(c.kind, "text"):
			row[c.name] = "{}" // as good as any, and JSON
		case strings.HasPrefix(c.kind, "varchar"):
			row[c.name] = organization
		default:
			row[c.name] = []byte(organization)
		}
	}
	require.NoError(t, d.Unscoped(t.Context(), "a test").Table(name).Create(row).Error, name)
}

func count(t *testing.T, d *db.DB, name, organization string) int64 {
	t.Helper()
	var n int64
	require.NoError(t, d.Unscoped(t.Context(), "a test").Table(name).Where("organization_id = ?", organization).Count(&n).Error, name)
	return n
}

// Columns compares what an exporter hands out with testdata/exported.txt: a column
// that is new is looked at by somebody before anybody gets it.
func Columns(t *testing.T, e *tenancy.Exporter) {
	t.Helper()
	got, err := e.Columns(t.Context())
	require.NoError(t, err)
	testkit.Golden(t, "exported.txt", []byte(strings.Join(got, "\n")+"\n"))
}
