// Package secrettest is the contract of services that keep secrets encrypted: what
// they encrypt can be taken over by another key, at any time and whatever becomes
// of the process meanwhile, and nothing is kept as text beside it. It is for tests
// only, and runs on every database.
package secrettest

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Service is what is held to the contract.
type Service struct {
	Migrations fs.FS
	// Columns are those that the service names for rotation.
	Columns []secret.Column
	// Passing are further encrypted columns, as "table.column", whose values live for
	// no longer than a day.
	Passing []string
	// Write makes rows with a secret in every column, by "table.column". It is called
	// several times on one database, with another n each time. What there is only one of
	// it writes when n is 0.
	Write func(t *testing.T, d *db.DB, ring *secret.Keyring, n int) map[string]Secret
}

// Secret is what was written into a column.
type Secret struct {
	// Text is a part of it that is in nothing else, such as [Mark].
	Text string
	// Read reads it as the service does, with its keyring, which the context carries
	// as well.
	Read func(ctx context.Context, ring *secret.Keyring) (string, error)
}

// Mark is a text for secrets of the n. call of Write.
func Mark(n int) string { return fmt.Sprintf("hush-%d-sesame", n) }

// Run holds a service to the contract.
func Run(t *testing.T, s Service) {
	t.Helper()
	require.NotEmpty(t, s.Columns)
	a, b, c := secret.NewKey("a"), secret.NewKey("b"), secret.NewKey("c")
	dbtest.Run(t, s.Migrations, func(t *testing.T, d *db.DB) {
		x := &contract{Service: s, d: d, g: d.Unscoped(t.Context(), "a test looks at what is stored"), kept: map[string][]Secret{}, wrote: func() {}}
		require.NoError(t, x.g.Callback().Raw().After("gorm:raw").Register("secrettest", func(*gorm.DB) { x.wrote() }))
		first := ring(t, a)
		for n := range 2 {
			x.write(t, first, n)
		}
		x.nothingIsText(t)
		require.Equal(t, []string{"a"}, x.keys(t, first))

		// The service begins anew with a new key before the old one.
		both := ring(t, b, a)
		x.readable(t, both)
		x.write(t, both, 2)
		require.Equal(t, []string{"a", "b"}, x.keys(t, both), "the new one encrypts")
		x.brokenOff(t, both)
		for _, col := range s.Columns {
			n, err := both.Rotate(t.Context(), x.g, col)
			require.NoError(t, err)
			require.Zero(t, n, "%s is done", column(col))
		}
		require.Equal(t, []string{"b"}, x.keys(t, both), "nothing is left under the old key")
		x.readable(t, both)

		// The old one goes.
		alone := ring(t, b)
		x.readable(t, alone)
		x.nothingIsText(t)

		// Somebody took out the wrong one.
		x.unreadable(t, ring(t, c))
		x.readable(t, alone)
	})
}

func ring(t *testing.T, keys ...string) *secret.Keyring {
	t.Helper()
	r, err := secret.ParseKeyring(strings.Join(keys, "\n"))
	require.NoError(t, err)
	return r
}

func column(c secret.Column) string { return c.Table + "." + c.Name }

// contract is a service on one database.
type contract struct {
	Service
	d    *db.DB
	g    *gorm.DB
	kept map[string][]Secret
	// wrote is called after each UPDATE.
	wrote func()
}

func (x *contract) write(t *testing.T, r *secret.Keyring, n int) {
	t.Helper()
	made := x.Write(t, x.d, r, n)
	var want []string
	for _, c := range x.Columns {
		want = append(want, column(c))
	}
	if n == 0 {
		require.ElementsMatch(t, want, slices.Collect(maps.Keys(made)), "the test writes into every column, and the service names each for rotation")
	}
	for name, one := range made {
		require.Contains(t, want, name)
		require.NotEmpty(t, one.Text, name)
		x.kept[name] = append(x.kept[name], one)
	}
}

// keys returns which keys have encrypted something.
func (x *contract) keys(t *testing.T, r *secret.Keyring) []string {
	t.Helper()
	ids := map[string]bool{}
	for _, c := range x.Columns {
		n, err := r.Count(t.Context(), x.g, c)
		require.NoError(t, err)
		require.NotEmpty(t, n, "nothing is in %s", column(c))
		for id := range n {
			ids[id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

func (x *contract) readable(t *testing.T, r *secret.Keyring) {
	t.Helper()
	for name, all := range x.kept {
		for _, w := range all {
			got, err := w.Read(secret.With(t.Context(), r), r)
			require.NoError(t, err, name)
			require.Contains(t, got, w.Text, name)
		}
	}
}

// unreadable says that without its key a secret is an error that names the key and
// what to do, and never an empty one.
func (x *contract) unreadable(t *testing.T, r *secret.Keyring) {
	t.Helper()
	for name, all := range x.kept {
		got, err := all[0].Read(secret.With(t.Context(), r), r)
		var missing *secret.MissingKeyError
		require.ErrorAs(t, err, &missing, "%s: %q", name, got)
		require.Equal(t, "b", missing.ID)
		require.ErrorContains(t, err, `there is no key "b" in the keyring: put it back`)
		require.NotContains(t, err.Error(), all[0].Text)
	}
	require.Equal(t, []string{"b"}, x.keys(t, r), "who counts is told which key is missing")
	for _, c := range x.Columns {
		before := x.stored(t, c)
		n, err := r.Rotate(t.Context(), x.g, c)
		require.Zero(t, n)
		require.ErrorContains(t, err, `there is no key "b" in the keyring: put it back`)
		require.Equal(t, before, x.stored(t, c), "what cannot be read is left as it is")
	}
}

// brokenOff ends the rotation after each single row, until all are done: what was
// done stays done, everything can be read all along, and the next run goes on.
func (x *contract) brokenOff(t *testing.T, r *secret.Keyring) {
	t.Helper()
	for _, c := range x.Columns {
		count := func() map[string]int64 {
			n, err := r.Count(t.Context(), x.g, c)
			require.NoError(t, err)
			return n
		}
		was := count()
		require.NotZero(t, was["a"], column(c))
		for done := int64(1); ; done++ {
			ctx, end := context.WithCancel(t.Context())
			x.wrote = end
			_, err := r.Rotate(ctx, x.g, c)
			x.wrote = func() {}
			end()
			now := count()
			require.Equal(t, was["b"]+done, now["b"], "%s: one more row is under the new key", column(c))
			if now["a"] == 0 {
				break
			}
			require.Error(t, err, "it was broken off")
			x.readable(t, r)
		}
	}
	x.readable(t, r)
}

// stored returns what is in a column, by row.
func (x *contract) stored(t *testing.T, c secret.Column) map[string]string {
	t.Helper()
	id := c.ID
	if id == "" {
		id = "id"
	}
	var rows []struct{ ID, Value string }
	require.NoError(t, x.g.Raw("SELECT "+id+" AS id, "+c.Name+" AS value FROM "+c.Table).Scan(&rows).Error)
	out := map[string]string{}
	for _, r := range rows {
		out[r.ID] = r.Value
	}
	return out
}
