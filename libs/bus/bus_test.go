package bus_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/bustest"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inProcess is a server that is reached within the process.
type inProcess struct {
	*embedded.Server
	dir string
}

func (s inProcess) Lose() { _ = os.RemoveAll(filepath.Join(s.dir, "jetstream")) }

func start(t *testing.T, o embedded.Options) inProcess {
	t.Helper()
	o.Dir, o.Access = t.TempDir(), bustest.Access()
	s, err := embedded.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return inProcess{s, o.Dir}
}

func TestInProcess(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) bustest.Server { return start(t, embedded.Options{}) })
}

// listening is a server that is reached over TCP.
type listening struct{ inProcess }

func (l listening) For(service string) bus.Options {
	o := l.Server.For(service)
	o.InProcess, o.URL = nil, "nats://"+l.Addr()
	return o
}

func TestOverTCP(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) bustest.Server { return listening{start(t, embedded.Options{Listen: "127.0.0.1:0"})} })
}
