package audit_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
)

func chain(t testing.TB, n int) []audit.Entry {
	t.Helper()
	var (
		head audit.Head
		out  []audit.Entry
	)
	for i := range n {
		e, err := audit.Append(head, audit.Recorded{
			ID: strconv.Itoa(i), Organization: "o", Service: "s", Action: "api.updated", Outcome: "done",
			Actor: audit.Actor{Kind: "user", ID: "u"}, Target: audit.Target{Kind: "api", ID: "a"},
			Changes: []audit.Change{{Field: "/name", Before: `"a"`, After: `"b"`}},
			Time:    time.Date(2030, 1, 1, 0, 0, i, 123456789, time.FixedZone("", 3600)),
		})
		require.NoError(t, err)
		head = audit.Head{Sequence: e.Sequence, Hash: e.Hash}
		out = append(out, e)
	}
	return out
}

// brokenAt returns the sequence of the first entry that does not verify, or 0.
func brokenAt(es []audit.Entry) int64 {
	var head audit.Head
	for _, e := range es {
		var ok bool
		if head, ok = audit.Verify(head, e); !ok {
			return e.Sequence
		}
	}
	return 0
}

func TestWhateverIsChangedShows(t *testing.T) {
	t.Parallel()
	require.Zero(t, brokenAt(chain(t, 5)))
	for name, c := range map[string]struct {
		change func(es []audit.Entry) []audit.Entry
		at     int64
	}{
		"action":     {func(es []audit.Entry) []audit.Entry { es[2].Action = "api.deleted"; return es }, 3},
		"actor":      {func(es []audit.Entry) []audit.Entry { es[2].Actor.ID = "v"; return es }, 3},
		"actor name": {func(es []audit.Entry) []audit.Entry { es[2].Actor.Name = "v"; return es }, 3},
		"time":       {func(es []audit.Entry) []audit.Entry { es[2].Time = es[2].Time.Add(time.Microsecond); return es }, 3},
		"change":     {func(es []audit.Entry) []audit.Entry { es[2].Changes[0].After = `"c"`; return es }, 3},
		"address":    {func(es []audit.Entry) []audit.Entry { es[2].IP = "::1"; return es }, 3},
		"via":        {func(es []audit.Entry) []audit.Entry { es[2].Via = audit.ViaConsole; return es }, 3},
		"outcome":    {func(es []audit.Entry) []audit.Entry { es[0].Outcome = "refused"; return es }, 1},
		"left out":   {func(es []audit.Entry) []audit.Entry { return slices.Delete(es, 2, 3) }, 4},
		"first gone": {func(es []audit.Entry) []audit.Entry { return es[1:] }, 2},
		"swapped":    {func(es []audit.Entry) []audit.Entry { es[1], es[2] = es[2], es[1]; return es }, 3},
		"new hash": {func(es []audit.Entry) []audit.Entry {
			e := es[2].Recorded
			e.Action = "other"
			es[2], _ = audit.Append(audit.Head{Sequence: 2, Hash: es[1].Hash}, e)
			return es
		}, 4},
	} {
		require.Equal(t, c.at, brokenAt(c.change(chain(t, 5))), name)
	}
}

// The format is kept in databases for years.
func TestTheFormatStays(t *testing.T) {
	t.Parallel()
	require.Equal(t, "00d35f7714e9ca3de6420322c5e9f2c37eb43780001100dd9d02d2bb83ef0a3f", chain(t, 1)[0].Hash)
}
