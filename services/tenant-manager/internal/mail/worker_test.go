package mail

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// A letter that waited, because there was no mail server, is sent as long as it is of
// use: a link that still leads somewhere, news of today.
func TestWhatIsTooLateIsNotSent(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		queued, begun time.Duration // before now
		data          Data
		want          error
	}{
		"at once":                          {0, 0, Data{Link: "https://x", Until: now.Add(time.Hour)}, nil},
		"a link that still leads":          {5 * 24 * time.Hour, 5 * 24 * time.Hour, Data{Link: "https://x", Until: now.Add(time.Hour)}, nil},
		"a link that has ended":            {5 * 24 * time.Hour, time.Minute, Data{Link: "https://x", Until: now}, errLinkEnded},
		"a link without an end":            {5 * 24 * time.Hour, 5 * 24 * time.Hour, Data{Link: "https://x"}, nil},
		"news of today":                    {time.Hour, time.Hour, Data{At: now.Add(-time.Hour)}, nil},
		"news of last week":                {7 * 24 * time.Hour, 7 * 24 * time.Hour, Data{At: now.Add(-7 * 24 * time.Hour)}, errStale},
		"news of last week, asked for now": {7 * 24 * time.Hour, time.Minute, Data{At: now.Add(-7 * 24 * time.Hour)}, nil},
		"of what had ended when written":   {time.Minute, time.Minute, Data{Until: now.Add(-time.Hour)}, nil},
	} {
		m := store.MailMessage{CreatedAt: now.Add(-c.queued), BegunAt: now.Add(-c.begun)}
		require.ErrorIs(t, late(m, c.data, now), c.want, name)
	}
}
