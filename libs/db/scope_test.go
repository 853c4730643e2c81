package db_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
)

func TestStore(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations(t), func(t *testing.T, d *db.DB) {
		for name, test := range map[string]func(*testing.T, *db.DB){
			"rows":      testRows,
			"tenancy":   testTenancy,
			"escapes":   testEscapes,
			"times":     testTimes,
			"versions":  testVersions,
			"pages":     testPages,
			"joins":     testJoins,
			"secrets":   testSecrets,
			"unscoped":  testUnscoped,
			"bad cases": testBadCursors,
		} {
			t.Run(name, func(t *testing.T) { test(t, d) })
		}
	})
}

func testRows(t *testing.T, d *db.DB) {
	ctx, s := t.Context(), d.For("rows")
	n := newNote("Größe 💡")
	n.Open, n.Rank = true, 7
	require.NoError(t, db.Create(ctx, s, n))
	require.Equal(t, "rows", n.OrganizationID)
	got, err := db.From[note](s).Get(ctx, n.ID)
	require.NoError(t, err)
	require.Equal(t, *n, got)

	require.ErrorIs(t, db.Create(ctx, s, newNote("Größe 💡")), db.ErrDuplicate)
	require.NoError(t, db.Create(ctx, s, newNote("größe 💡"), newNote("größe 💡 ")), "case and spaces count")
	require.ErrorIs(t, db.Create(ctx, s, &tag{ID: "t", NoteID: "none"}), db.ErrReference)
	_, err = db.From[note](s).Get(ctx, "none")
	require.ErrorIs(t, err, db.ErrNotFound)
	if d.Dialect() != db.SQLite { // which keeps whatever it is given
		require.ErrorIs(t, db.Create(ctx, s, newNote("no UTF-8: \xff")), db.ErrNoText)
	}
	if d.Dialect() == db.Postgres {
		require.ErrorIs(t, db.Create(ctx, s, newNote("NUL: \x00")), db.ErrNoText)
		_, err = db.From[note](s).Where("name = ?", "\x00").First(ctx)
		require.ErrorIs(t, err, db.ErrNoText)
	}

	changed, err := db.From[note](s).Where("name = ?", n.Name).Update(ctx, db.Changes{"rank": db.Increment(3), "open": false})
	require.NoError(t, err)
	require.EqualValues(t, 1, changed)
	got, err = db.From[note](s).Where("rank = ? OR rank = ?", 10, 11).First(ctx)
	require.NoError(t, err)
	require.False(t, got.Open)
	count, err := db.From[note](s).Where("name IN ?", []string{"größe 💡", n.Name}).Count(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, count)
	var sums []struct {
		Open  bool
		Total int64
	}
	require.NoError(t, db.From[note](s).Aggregate(ctx, &sums, "open, sum(rank) AS total", "open"))
	require.Len(t, sums, 1)
	require.EqualValues(t, 10, sums[0].Total)
	gone, err := db.From[note](s).Delete(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 3, gone)
}

func testTenancy(t *testing.T, d *db.DB) {
	ctx := t.Context()
	mine, theirs := d.For("mine"), d.For("theirs")
	a, b := newNote("a"), newNote("a")
	require.NoError(t, db.Create(ctx, mine, a))
	require.NoError(t, db.Create(ctx, theirs, b))

	foreign := newNote("c")
	foreign.OrganizationID = "theirs"
	require.ErrorContains(t, db.Create(ctx, mine, foreign), "another organization")
	_, err := db.From[note](mine).Get(ctx, b.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	rows, err := db.From[note](mine).Where("1 = 1 OR organization_id = ?", "theirs").All(ctx)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	rows, err = db.From[note](mine.Stale()).All(ctx)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	n, err := db.From[note](mine).Where("id = ? OR 1 = 1", b.ID).Update(ctx, db.Changes{"rank": 9})
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	stolen := *b
	stolen.Name = "stolen"
	require.ErrorIs(t, db.Save(ctx, mine, &stolen, "name"), db.ErrNotFound)
	require.ErrorIs(t, db.Remove[note](ctx, mine, b.ID, db.AnyVersion), db.ErrNotFound)
	require.NoError(t, d.Tx(ctx, func(tx *db.Tx) error {
		n, err := db.From[note](tx.For("mine")).Where("1 = 1 OR 1 = 1").Delete(ctx)
		require.EqualValues(t, 1, n)
		return err
	}))
	still, err := db.From[note](theirs).Get(ctx, b.ID)
	require.NoError(t, err)
	require.Equal(t, "a", still.Name)
}

func testEscapes(t *testing.T, d *db.DB) {
	ctx, s := t.Context(), d.For("escapes")
	for _, condition := range []string{
		"1 = 1) OR (1 = 1", "id = ''; DELETE FROM notes", "1 = 1 -- ", "1 = 1 /* ", "1 = 1 # ", "id IN (SELECT id FROM notes)",
		"name = 'a\\' OR ?", "EXISTS (TABLE notes)", "1 = 1 union all select 1", "(1 = 1", "name = 'a", "name = '?'", "$$x$$ = name", "name = @name",
	} {
		_, err := db.From[note](s).Where(condition).All(ctx)
		require.Error(t, err, condition)
		require.Error(t, db.From[note](s).Aggregate(ctx, &[]string{}, condition, ""), condition)
	}
	for _, value := range []any{clause.Expr{SQL: "1) OR (1 = 1"}, gorm.Expr("1 = 1"), clause.Column{Name: "1", Raw: true}, []any{gorm.Expr("1")}, &gorm.DB{}} {
		_, err := db.From[note](s).Where("name = ?", value).All(ctx)
		require.ErrorContains(t, err, "not a value", "%T", value)
		_, err = db.From[note](s).Update(ctx, db.Changes{"name": value})
		require.Error(t, err)
	}
	for _, column := range []string{"name, (SELECT 1)", "name;", "1"} {
		_, err := db.From[note](s).Order(column, false).All(ctx)
		require.Error(t, err, column)
		_, err = db.From[note](s).In(column, db.From[tag](s).Column("note_id")).All(ctx)
		require.Error(t, err, column)
		_, err = db.From[note](s).Update(ctx, db.Changes{column: 1})
		require.Error(t, err, column)
	}
	_, err := db.From[note](s).Update(ctx, db.Changes{"organization_id": "theirs"})
	require.ErrorContains(t, err, "cannot be changed")
	_, err = db.From[note](d.For("")).All(ctx)
	require.ErrorContains(t, err, "without an organization")
	require.ErrorContains(t, db.Create(ctx, d.For(""), newNote("x")), "without an organization")
	type lane struct{ Lane int }
	_, err = db.From[lane](s).All(ctx)
	require.ErrorContains(t, err, "Unscoped")
	_, err = db.From[note](s).Where("name = ?").All(ctx)
	require.ErrorContains(t, err, "1 places for 0 arguments")
}

func testTimes(t *testing.T, d *db.DB) {
	ctx, s := t.Context(), d.For("times")
	at := time.Date(2026, 3, 29, 2, 30, 0, 123456789, time.FixedZone("far", 5*3600+1800))
	n := newNote("late")
	n.DueAt = &at
	require.NoError(t, db.Create(ctx, s, n))
	got, err := db.From[note](s).Where("due_at = ?", at).First(ctx)
	require.NoError(t, err)
	require.Equal(t, at.UTC().Truncate(time.Microsecond), *got.DueAt)
	require.Equal(t, time.UTC, got.DueAt.Location())
	require.Equal(t, time.UTC, got.CreatedAt.Location())
	count, err := db.From[note](s).Where("due_at < ?", at.Add(time.Microsecond).In(time.FixedZone("west", -8*3600))).Count(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, count, "compared as moments, whatever the zone")
}

func testVersions(t *testing.T, d *db.DB) {
	ctx, s := t.Context(), d.For("versions")
	n := newNote("a")
	require.NoError(t, db.Create(ctx, s, n))
	first, second := *n, *n
	first.Name, second.Name = "first", "second"
	require.NoError(t, db.Save(ctx, s, &first, "name"))
	require.EqualValues(t, 2, first.Version)
	err := db.Save(ctx, s, &second, "name")
	require.True(t, problem.Is(err, problem.CodePreconditionFailed), "%v", err)
	require.ErrorContains(t, err, `"v2" now, and not "v1"`)
	require.EqualValues(t, 1, second.Version)
	second.Version = db.AnyVersion
	require.NoError(t, db.Save(ctx, s, &second, "name"))
	require.EqualValues(t, 3, second.Version)
	require.True(t, problem.Is(db.Remove[note](ctx, s, n.ID, 2), problem.CodePreconditionFailed))
	require.NoError(t, db.Remove[note](ctx, s, n.ID, 3))
	require.ErrorIs(t, db.Save(ctx, s, &second, "name"), db.ErrNotFound)
}

func testPages(t *testing.T, d *db.DB) {
	ctx, s := t.Context(), d.For("pages")
	var want []string
	for i := range 25 {
		n := newNote(fmt.Sprintf("%02d", i))
		n.Rank = int64(i / 4) // equal ranks
		n.CreatedAt = time.Date(2026, 1, 1, 0, 0, i/3, 0, time.UTC)
		require.NoError(t, db.Create(ctx, s, n))
		want = append(want, n.Name)
	}
	require.NoError(t, db.Create(ctx, d.For("others"), newNote("x")))
	for _, sort := range []string{"name", "rank", "created_at"} {
		for _, descending := range []bool{false, true} {
			var got []string
			last, cursor := int64(-1), ""
			for {
				p, err := db.From[note](s).Where("open = ?", false).Page(ctx, db.PageRequest{Cursor: cursor, Limit: 4, Sort: sort, Descending: descending, Unique: sort == "name"}, "name", "rank", "created_at")
				require.NoError(t, err)
				for _, n := range p.Items {
					if sort == "rank" && !descending {
						require.GreaterOrEqual(t, n.Rank, last)
						last = n.Rank
					}
					got = append(got, n.Name)
				}
				if cursor = p.Next; cursor == "" {
					break
				}
				require.Len(t, p.Items, 4)
			}
			require.ElementsMatch(t, want, got, "%s %v", sort, descending)
			if sort == "name" {
				if descending {
					slices.Reverse(got)
				}
				require.Equal(t, want, got)
			}
		}
	}
}

func testBadCursors(t *testing.T, d *db.DB) {
	ctx, s := t.Context(), d.For("cursors")
	require.NoError(t, db.Create(ctx, s, newNote("a"), newNote("b"), newNote("c")))
	q := db.From[note](s)
	p, err := q.Page(ctx, db.PageRequest{Limit: 1}, "name", "rank")
	require.NoError(t, err)
	for name, f := range map[string]func() error{
		"damaged":  func() error { _, err := q.Page(ctx, db.PageRequest{Cursor: p.Next + "A"}, "name"); return err },
		"nonsense": func() error { _, err := q.Page(ctx, db.PageRequest{Cursor: "x"}, "name"); return err },
		"other order": func() error {
			_, err := q.Page(ctx, db.PageRequest{Cursor: p.Next, Sort: "rank"}, "name", "rank")
			return err
		},
		"other filter": func() error {
			_, err := q.Where("rank > ?", 1).Page(ctx, db.PageRequest{Cursor: p.Next}, "name")
			return err
		},
		"other tenant": func() error {
			_, err := db.From[note](d.For("x")).Page(ctx, db.PageRequest{Cursor: p.Next}, "name")
			return err
		},
		"sort":     func() error { _, err := q.Page(ctx, db.PageRequest{Sort: "secret"}, "name"); return err },
		"limit":    func() error { _, err := q.Page(ctx, db.PageRequest{Limit: 201}, "name"); return err },
		"negative": func() error { _, err := q.Page(ctx, db.PageRequest{Limit: -1}, "name"); return err },
	} {
		err := f()
		require.True(t, problem.Is(err, problem.CodeInvalidInput), "%s: %v", name, err)
		require.NotEmpty(t, problem.From(err).Errors, name)
	}
	_, err = q.Page(ctx, db.PageRequest{}, "due_at")
	require.ErrorContains(t, err, "may be null")
}

func testJoins(t *testing.T, d *db.DB) {
	ctx, s := t.Context(), d.For("joins")
	a, b := newNote("a"), newNote("b")
	require.NoError(t, db.Create(ctx, s, a, b))
	require.NoError(t, db.Create(ctx, s, &tag{ID: "t1", NoteID: a.ID, Label: "red"}))
	require.NoError(t, db.Create(ctx, d.For("spies"), &tag{ID: "t2", NoteID: b.ID, Label: "red"}))
	rows, err := db.From[note](s).In("id", db.From[tag](s).Where("label = ?", "red").Column("note_id")).All(ctx)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	rows, err = db.From[note](s).Join(tag{}, "tags.note_id = notes.id AND tags.label = ?", "red").Order("name", true).All(ctx)
	require.NoError(t, err)
	require.Len(t, rows, 1, "another organization's row does not match")
	red, blue := db.From[tag](s).Where("label = ?", "red").Column("note_id"), db.From[tag](s).Where("label = ?", "blue").Column("note_id")
	for _, c := range []struct {
		subs []db.Subquery
		want int
	}{{[]db.Subquery{red}, 1}, {[]db.Subquery{blue}, 0}, {[]db.Subquery{blue, red}, 1}, {nil, 0}} {
		page, err := db.From[note](s).HasAny("id", c.subs...).Page(ctx, db.PageRequest{}, "name")
		require.NoError(t, err)
		require.Len(t, page.Items, c.want)
	}
	_, err = db.From[note](s).HasAny("id; x", red).All(ctx)
	require.Error(t, err)
	_, err = db.From[note](s).HasAny("id", db.From[note](s).Column("id")).All(ctx)
	require.ErrorContains(t, err, "in itself")
	require.Equal(t, "a", rows[0].Name)
}

func testSecrets(t *testing.T, d *db.DB) {
	s := d.For("secrets")
	first := secret.NewKey("k1")
	old, err := secret.ParseKeyring(first)
	require.NoError(t, err)
	both, err := secret.ParseKeyring(secret.NewKey("k2") + "\n" + first)
	require.NoError(t, err)
	ctx := secret.With(t.Context(), old)
	var ids []string
	for i := range 3 {
		n := newNote(fmt.Sprint(i))
		n.Secret = secret.NewText("hush")
		require.NoError(t, db.Create(ctx, s, n))
		ids = append(ids, n.ID)
	}
	g := d.Unscoped(ctx, "looking at what is stored")
	stored := func() (out []string) {
		require.NoError(t, g.Raw("SELECT secret FROM notes WHERE organization_id = 'secrets' ORDER BY name").Scan(&out).Error)
		return out
	}
	for _, v := range stored() {
		require.Regexp(t, `^gh1\.k1\.`, v)
	}
	got, err := db.From[note](s).Get(ctx, ids[0])
	require.NoError(t, err)
	require.Equal(t, "hush", got.Secret.Reveal())
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", got, got, got, got.Secret), "hush")

	got.Secret = secret.NewText("other")
	require.NoError(t, db.Save(secret.With(t.Context(), both), s, &got, "secret"))
	n, err := both.Rotate(ctx, g, secret.Column{Table: "notes", Name: "secret"})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for _, v := range stored() {
		require.Regexp(t, `^gh1\.k2\.`, v)
	}
	rows, err := db.From[note](s).Order("name", false).All(secret.With(t.Context(), both))
	require.NoError(t, err)
	require.Equal(t, []string{"other", "hush", "hush"}, []string{rows[0].Secret.Reveal(), rows[1].Secret.Reveal(), rows[2].Secret.Reveal()})
	_, err = db.From[note](s).All(ctx)
	require.ErrorIs(t, err, secret.ErrSealed, "the old ring lacks the new key")
	_, err = db.From[note](s).All(t.Context())
	require.ErrorContains(t, err, "secret.With")

	require.NoError(t, g.Exec("UPDATE notes SET secret = ? WHERE id = ?", stored()[0], ids[1]).Error)
	_, err = db.From[note](s).Get(secret.With(t.Context(), both), ids[1])
	require.ErrorIs(t, err, secret.ErrSealed, "a value moved to another row")
}

func testUnscoped(t *testing.T, d *db.DB) {
	var n int64
	require.ErrorContains(t, d.Unscoped(t.Context(), "").Table("notes").Count(&n).Error, "without a reason")
	require.NoError(t, d.Unscoped(t.Context(), "counting everything").Table("notes").Count(&n).Error)
	require.ErrorContains(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		return tx.Unscoped("").Exec("DELETE FROM notes").Error
	}), "without a reason")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, d.Unscoped(ctx, "an ended context").Table("notes").Count(&n).Error, context.Canceled)
}
