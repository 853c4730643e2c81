package standalone

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nobody else can get a port between the moment it is told and the moment it is
// served.
func TestAPortThatIsToldOfIsKept(t *testing.T) {
	t.Parallel()
	open, address := map[string]net.Listener{}, "127.0.0.1:0"
	require.NoError(t, opened(t.Context(), &address, open))
	require.NotEqual(t, "127.0.0.1:0", address)
	t.Cleanup(func() { _ = open[address].Close() })
	_, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.ErrorContains(t, err, "address already in use")

	given := "127.0.0.1:8000"
	require.NoError(t, opened(t.Context(), &given, open))
	require.Equal(t, "127.0.0.1:8000", given)
	require.Len(t, open, 1, "what was not left open is opened by who serves it")

	wrong := "127.0.0.1"
	require.ErrorContains(t, opened(t.Context(), &wrong, open), "missing port")
}
