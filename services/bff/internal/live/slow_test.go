package live

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A browser that does not keep up holds up nobody, and is let go.
func TestASlowBrowserIsLetGo(t *testing.T) {
	t.Parallel()
	hub := NewHub()
	slow, quick := hub.Listen("o1", []string{APIChanged}), hub.Listen("o1", []string{APIChanged})
	for i := range room + 1 {
		hub.tell("o1", Event{APIChanged, i})
		require.Equal(t, Event{APIChanged, i}, <-quick.Events())
	}
	n := 0
	for range slow.Events() {
		n++
	}
	require.Equal(t, room, n)
	slow.Close()
	quick.Close()
}
