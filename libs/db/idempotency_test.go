package db_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestOnce(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations(t), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		var ran atomic.Int64
		create := func(tx *db.Tx) (db.Response, error) {
			ran.Add(1)
			n := newNote(strings.Repeat("x", int(ran.Load())))
			return db.Response{Status: 201, Header: map[string]string{"ETag": `"v1"`}, Body: []byte(n.ID)}, db.Create(ctx, tx.For("o"), n)
		}
		first, replay, err := d.Once(ctx, "o", "k", []byte("POST /notes"), create)
		require.NoError(t, err)
		require.False(t, replay)
		again, replay, err := d.Once(ctx, "o", "k", []byte("POST /notes"), create)
		require.NoError(t, err)
		require.True(t, replay)
		require.Equal(t, first, again)
		_, _, err = d.Once(ctx, "o", "k", []byte("POST /others"), create)
		require.True(t, problem.Is(err, problem.CodeIdempotencyKeyReused), "%v", err)
		_, replay, err = d.Once(ctx, "p", "k", []byte("POST /others"), create)
		require.NoError(t, err, "another organization's key")
		require.False(t, replay)
		_, _, err = d.Once(ctx, "o", strings.Repeat("k", 256), nil, create)
		require.True(t, problem.Is(err, problem.CodeBadRequest))

		// What failed may be tried again.
		boom := errors.New("boom")
		_, _, err = d.Once(ctx, "o", "fails", []byte("x"), func(tx *db.Tx) (db.Response, error) {
			require.NoError(t, db.Create(ctx, tx.For("o"), newNote("undone")))
			return db.Response{}, boom
		})
		require.ErrorIs(t, err, boom)
		_, err = db.From[note](d.For("o")).Where("name = ?", "undone").First(ctx)
		require.ErrorIs(t, err, db.ErrNotFound)

		// Many at once take effect once.
		var wg sync.WaitGroup
		ran.Store(10)
		answers := make([]string, 8)
		for i := range answers {
			wg.Go(func() {
				a, _, err := d.Once(ctx, "o", "many", []byte("x"), create)
				if err == nil {
					answers[i] = string(a.Body)
				}
			})
		}
		wg.Wait()
		require.NotEmpty(t, answers[0])
		for _, a := range answers {
			require.Equal(t, answers[0], a)
		}
		n, err := db.From[note](d.For("o")).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n, "two before, one of the many")
		forgotten, err := d.ForgetKeys(ctx)
		require.NoError(t, err)
		require.Zero(t, forgotten)
	})
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]int64{`"v1"`: 1, `"7"`: 7, ` "v9223372036854775807" `: 9223372036854775807, "*": db.AnyVersion} {
		got, err := db.ParseIfMatch(header)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, header := range []string{"", "v1", `"v0"`, `"v-1"`, `"v01"`, `W/"v1"`, `"v1", "v2"`, `"`, `"v+1"`, "7", `"07"`, `"vv1"`} {
		_, err := db.ParseIfMatch(header)
		require.True(t, problem.Is(err, problem.CodeBadRequest), header)
	}
	require.Equal(t, `"v7"`, db.ETag(7))
}
