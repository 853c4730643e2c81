package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/signing"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

func testAttempts(t *testing.T, s *store.Store) {
	ctx := t.Context()
	limit := throttle.Limit{Free: 3, First: time.Hour, Longest: time.Hour, Forget: time.Hour}
	account := store.Limited{Name: "account of attempts", Limit: limit}
	address := store.Limited{Name: "address of attempts", Limit: throttle.Limit{Free: 100, First: time.Hour, Longest: time.Hour, Forget: time.Hour}}
	var let, held int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			wait, err := s.Attempt(ctx, account, address)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if wait == 0 {
				let++
			} else {
				held++
			}
		})
	}
	all.Wait()
	require.Equal(t, 3, let, "at the same time, too")
	require.Equal(t, 9, held)
	require.NoError(t, s.Succeeded(ctx, account, address))
	wait, err := s.Attempt(ctx, account, address)
	require.NoError(t, err)
	require.Zero(t, wait)
	_, err = s.ForgetAttempts(ctx, s.Now().Add(time.Minute))
	require.NoError(t, err)
}

func testKeys(t *testing.T, s *store.Store) {
	ctx := t.Context()
	var all sync.WaitGroup
	for range 4 { // instances that start together
		all.Go(func() {
			if _, err := s.RotateSigningKeys(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	keys, err := s.SigningKeys(ctx)
	require.NoError(t, err)
	require.Len(t, keys, 2, "one that signs and the next")
	current, ok := signing.Current(keys, s.Now())
	require.True(t, ok)
	require.EqualValues(t, 1, current.Number)
	again, err := s.RotateSigningKeys(ctx)
	require.NoError(t, err)
	require.Equal(t, keys, again)
	var raw []string
	require.NoError(t, s.DB().Unscoped(ctx, "reading what is on the disk").Table("signing_keys").Pluck("private_key", &raw).Error)
	for _, r := range raw {
		require.Regexp(t, `^gh1\.k\.`, r, "it is encrypted")
	}
}

// testTrailSearch goes through a trail a few entries at a time: all that matches comes,
// once, and each page says how far back it looked.
func testTrailSearch(t *testing.T, s *store.Store) {
	ctx := t.Context()
	id := organization(t, s, "trail-search")
	at := s.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	want := []string{}
	const entries = 40
	for i := range entries {
		e := audit.Recorded{ID: fmt.Sprintf("s%02d", i), Organization: id, Action: "api.updated", Time: at.Add(time.Duration(i) * time.Minute)}
		if i == 1 || i == 2 || i == 3 || i == 20 || i == 39 {
			e.Target.Name = "The Needle_"
			want = append([]string{e.ID}, want...)
		}
		if i == 30 { // it came late: its time is that of one long before
			e.Time, e.Target.Name = at.Add(5*time.Minute), "A late needle_"
			want = append([]string{e.ID}, want...)
		}
		require.NoError(t, s.AppendAudit(ctx, e))
	}
	search := func(f store.AuditFilter, span int64, limit int) (found []string, pages int) {
		f.Search = "NEEDLE_"
		cursor, oldest := "", s.Now()
		for {
			p, err := s.For(id).AuditWithin(ctx, f, db.PageRequest{Cursor: cursor, Limit: limit}, span)
			require.NoError(t, err)
			pages++
			for _, e := range p.Items {
				found = append(found, e.ID)
			}
			if p.LookedBackTo != nil {
				require.Less(t, len(p.Items), limit+1)
				require.NotEmpty(t, p.Next)
				if !p.LookedBackTo.Equal(at.Add(5 * time.Minute)) {
					require.True(t, p.LookedBackTo.Before(oldest))
					oldest = *p.LookedBackTo
				}
			}
			if cursor = p.Next; cursor == "" {
				require.Nil(t, p.LookedBackTo, "it looked at all")
				return found, pages
			}
		}
	}
	for _, limit := range []int{1, 2, 50} {
		for _, span := range []int64{1, 7, entries, 1_000} {
			found, pages := search(store.AuditFilter{}, span, limit)
			require.Equal(t, want, found, "%d entries a page, %d of them shown", span, limit)
			require.GreaterOrEqual(t, int64(pages), (entries+span-1)/span)
		}
	}
	found, _ := search(store.AuditFilter{To: at.Add(10 * time.Minute)}, 7, 50)
	require.Equal(t, []string{"s30", "s03", "s02", "s01"}, found, "also the one that came late")
	found, pages := search(store.AuditFilter{From: at.Add(19 * time.Minute)}, 10, 50)
	require.Equal(t, []string{"s39", "s20"}, found)
	require.Equal(t, 3, pages, "it does not look at what is older than wanted")
	found, pages = search(store.AuditFilter{From: at.Add(3 * time.Hour)}, 10, 50)
	require.Empty(t, found)
	require.Equal(t, 1, pages)

	// A cursor is of its search.
	p, err := s.For(id).AuditWithin(ctx, store.AuditFilter{Search: "needle"}, db.PageRequest{}, 7)
	require.NoError(t, err)
	_, err = s.For(id).Audit(ctx, store.AuditFilter{Search: "another"}, db.PageRequest{Cursor: p.Next})
	require.True(t, problem.Is(err, problem.CodeInvalidInput), "%v", err)
}

func testTrail(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "trail-a"), organization(t, s, "trail-b")
	at := s.Now().Add(-time.Hour)
	for i, id := range []string{"e1", "e2", "e2", "e3", "e1"} {
		require.NoError(t, s.AppendAudit(ctx, audit.Recorded{
			ID: id, Organization: a, Service: "gateway-manager", Action: "api.updated", Outcome: "done", Time: at.Add(time.Duration(i)*time.Minute + 123),
			Actor: audit.Actor{Kind: "user", ID: "u", Name: "Ünï\x00"}, Target: audit.Target{Kind: "api", ID: "t" + id},
			Changes: []audit.Change{{Field: "/name", After: `"<b>"`}},
		}))
	}
	require.NoError(t, s.AppendAudit(ctx, audit.Recorded{ID: "f1", Organization: b, Action: "user.signed-in", Time: at}))
	require.ErrorIs(t, s.AppendAudit(ctx, audit.Recorded{ID: "g", Organization: "none", Time: at}), db.ErrNotFound)

	p, err := s.For(a).Audit(ctx, store.AuditFilter{}, db.PageRequest{Limit: 2})
	require.NoError(t, err)
	require.Len(t, p.Items, 2)
	require.EqualValues(t, 3, p.Items[0].Sequence)
	p, err = s.For(a).Audit(ctx, store.AuditFilter{}, db.PageRequest{Limit: 2, Cursor: p.Next})
	require.NoError(t, err)
	require.Len(t, p.Items, 1)
	require.Equal(t, "e1", p.Items[0].ID)
	require.Equal(t, "/name", p.Items[0].Changes[0].Field)
	for _, c := range []struct {
		f    store.AuditFilter
		want int
	}{
		{store.AuditFilter{Actor: "u", Action: "api.*", Service: "gateway-manager", Outcome: "done"}, 3},
		{store.AuditFilter{Target: "te2"}, 1},
		{store.AuditFilter{Action: "api.updated"}, 3},
		{store.AuditFilter{Action: "api.upd*"}, 3},
		{store.AuditFilter{Action: "ap_.*"}, 0},
		{store.AuditFilter{Actor: "other"}, 0},
		{store.AuditFilter{Search: "API.UPD"}, 3},
		{store.AuditFilter{Search: "te2"}, 1},
		{store.AuditFilter{Search: "te%"}, 0},
		{store.AuditFilter{From: at.Add(30 * time.Second), To: at.Add(2 * time.Minute)}, 1},
		{store.AuditFilter{From: at.Add(30 * time.Second)}, 2},
		{store.AuditFilter{From: at.Add(time.Hour)}, 0},
	} {
		p, err := s.For(a).Audit(ctx, c.f, db.PageRequest{})
		require.NoError(t, err)
		require.Len(t, p.Items, c.want, "%+v", c.f)
	}
	// Since a time, however many there are; and a page may have been read in the way of
	// fewer.
	for _, f := range []store.AuditFilter{{From: at.Add(-time.Minute)}, {From: at.Add(30 * time.Second), Actor: "u"}, {From: at.Add(time.Hour)}, {}} {
		pages, next, err := s.For(a).AuditBothWays(ctx, f, db.PageRequest{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, pages[0], pages[1], "%+v", f)
		for _, cursor := range next {
			if cursor == "" {
				continue
			}
			p, err := s.For(a).Audit(ctx, f, db.PageRequest{Limit: 1, Cursor: cursor})
			require.NoError(t, err)
			require.Equal(t, pages[0][0]-1, p.Items[0].Sequence)
		}
	}

	testTrailSearch(t, s)
	v, err := s.For(a).VerifyAudit(ctx)
	require.NoError(t, err)
	require.Zero(t, v.BrokenAt)
	require.EqualValues(t, 3, v.Head.Sequence)
	require.EqualValues(t, 3, v.Entries)
	tamper := func(sql string) int64 {
		g := s.DB().Unscoped(ctx, "somebody with the password of the database")
		require.NoError(t, g.Exec(sql, a).Error)
		v, err := s.For(a).VerifyAudit(ctx)
		require.NoError(t, err)
		return v.BrokenAt
	}
	require.EqualValues(t, 3, tamper("DELETE FROM audit_entries WHERE organization_id = ? AND sequence = 3"))
	require.EqualValues(t, 2, tamper("UPDATE audit_entries SET actor_id = 'v' WHERE organization_id = ? AND sequence = 2"))
}

func testOnce(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a := organization(t, s, "once-a")
	runs := 0
	do := func(key, request string) (string, error) {
		b, err := s.Once(ctx, a, by, key, []byte(request), func(*store.Tx) ([]byte, error) {
			runs++
			return []byte("a token that is shown once"), nil
		})
		return string(b), err
	}
	for range 2 {
		b, err := do("key", "request")
		require.NoError(t, err)
		require.Equal(t, "a token that is shown once", b)
	}
	require.Equal(t, 1, runs)
	_, err := do("key", "other")
	require.True(t, problem.Is(err, problem.CodeIdempotencyKeyReused))
	_, err = do("", "request")
	require.NoError(t, err)
	var raw []string
	require.NoError(t, s.DB().Unscoped(ctx, "reading what is on the disk").Table("idempotency_keys").Pluck("body", &raw).Error)
	require.NotContains(t, raw[0], "token")
}
