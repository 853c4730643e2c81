package secrettest_test

import (
	"context"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/secret/secrettest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// box is a row of the tests.
type box struct {
	ID      string `gorm:"primaryKey"`
	Note    secret.Text
	Written string
}

func migrations() fs.FS { return os.DirFS("testdata/migrations") }

func note(d *db.DB, id string) func(context.Context, *secret.Keyring) (string, error) {
	return func(ctx context.Context, _ *secret.Keyring) (string, error) {
		var row box
		err := d.Unscoped(ctx, "a test reads").First(&row, "id = ?", id).Error
		return row.Note.Reveal(), err
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, secrettest.Service{
		Migrations: migrations(), Columns: []secret.Column{{Table: "boxes", Name: "note", Plain: "written"}},
		Write: func(t *testing.T, d *db.DB, ring *secret.Keyring, n int) map[string]secrettest.Secret {
			t.Helper()
			row := box{ID: string(rune('a' + n)), Note: secret.NewText("it is " + secrettest.Mark(n))}
			require.NoError(t, d.Unscoped(secret.With(t.Context(), ring), "a test writes").Create(&row).Error)
			return map[string]secrettest.Secret{"boxes.note": {Text: secrettest.Mark(n), Read: note(d, row.ID)}}
		},
	})
}

// What an earlier version kept as text is encrypted, also where one that still runs
// has written it anew; what cannot be read is counted and told of, but not endlessly.
func TestTextsOfEarlierVersions(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations(), func(t *testing.T, d *db.DB) {
		ring, err := secret.ParseKeyring(secret.NewKey("k"))
		require.NoError(t, err)
		ctx := secret.With(t.Context(), ring)
		g := d.Unscoped(ctx, "a test writes")
		c := secret.Column{Table: "boxes", Name: "note", Plain: "written"}
		rows := []box{{ID: "a", Written: "first"}, {ID: "b", Note: secret.NewText("older"), Written: "newer"}, {ID: "c", Note: secret.NewText("kept")}, {ID: "d"}}
		require.NoError(t, g.Create(&rows).Error)
		n, err := ring.Count(ctx, g, c)
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"k": 2, "unknown": 2}, n)

		done, err := ring.Rotate(ctx, g, c)
		require.NoError(t, err)
		require.Equal(t, 2, done)
		for id, want := range map[string]string{"a": "first", "b": "newer", "c": "kept", "d": ""} {
			got, err := note(d, id)(ctx, ring)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		var left int64
		require.NoError(t, g.Raw("SELECT COUNT(*) FROM boxes WHERE written <> ''").Scan(&left).Error)
		require.Zero(t, left)
		n, err = ring.Count(ctx, g, c)
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"k": 3}, n)

		lost, err := secret.ParseKeyring(secret.NewKey("lost"))
		require.NoError(t, err)
		more := make([]box, 20)
		for i := range more {
			more[i] = box{ID: "lost-" + string(rune('a'+i)), Note: secret.NewText("gone")}
		}
		require.NoError(t, d.Unscoped(secret.With(ctx, lost), "a test writes").Create(&more).Error)
		require.NoError(t, g.Exec("UPDATE boxes SET note = 'torn' WHERE id = 'c'").Error)
		n, err = ring.Count(ctx, g, c)
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"k": 2, "lost": 20, "unknown": 1}, n)
		_, err = ring.Rotate(ctx, g, c)
		require.ErrorIs(t, err, secret.ErrSealed)
		require.ErrorContains(t, err, "row c of boxes.note")
		require.ErrorContains(t, err, `there is no key "lost" in the keyring: put it back`)
		require.ErrorContains(t, err, "16 more rows of boxes.note")
	})
}
