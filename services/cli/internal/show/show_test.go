package show_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func TestColumnsAreAligned(t *testing.T) {
	t.Parallel()
	tab := show.NewTable("api", "name", "state")
	tab.Row("petstore", "Größe", "live")
	tab.Row("a", "B\x1b[31m\nC", "")
	var b strings.Builder
	tab.Write(&b, "")
	require.Equal(t, "API       NAME      STATE\npetstore  Größe     live\na         B [31m C\n", b.String(), "nothing drives the terminal")
	b.Reset()
	show.NewTable("api").Write(&b, "There are none.")
	require.Equal(t, "There are none.\n", b.String())
	b.Reset()
	_, err := show.Plain(&b).Write([]byte("a\x1b[2J\tb\u009bc\nd\x07\n"))
	require.NoError(t, err)
	require.Equal(t, "a [2J b c\nd \n", b.String())
	b.Reset()
	show.Pairs(&b, "user", "Ada", "e-mail", "", "roles", "owner")
	require.Equal(t, "user   Ada\nroles  owner\n", b.String())
	b.Reset()
	require.NoError(t, show.JSON(&b, map[string]string{"curl": "curl 'a&b'"}))
	require.Contains(t, b.String(), "  \"curl\": \"curl 'a&b'\"\n", "it can be copied")
}
