package bus_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/bustest"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	o.Dir, o.Access = t.TempDir(), bustest.Access()
	s, err := embedded.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func TestInProcess(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) bustest.Server { return start(t, embedded.Options{}) })
}

// listening is a server that is reached over TCP.
type listening struct{ *embedded.Server }

func (l listening) For(service string) bus.Options {
	o := l.Server.For(service)
	o.InProcess, o.URL = nil, "nats://"+l.Addr()
	return o
}

func TestOverTCP(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) bustest.Server { return listening{start(t, embedded.Options{Listen: "127.0.0.1:0"})} })
}
