package http1

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if kind, up, ok := strings.Cut(os.Getenv(proxyEnv), " "); ok {
		fmt.Fprintln(os.Stderr, serveBenchProxy(kind, up))
		os.Exit(1)
	}
	code := m.Run()
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
