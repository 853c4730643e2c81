package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// healthLimit is how long [Health] waits for an answer.
const healthLimit = 3 * time.Second

// Health asks the process that serves at a listen address, on this machine,
// whether it is ready: for health checks of containers that have no other program.
// The error says why it is not.
func Health(ctx context.Context, listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return errors.New("there is no listener to ask: set listen")
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health/ready", nil)
	if err != nil {
		return fmt.Errorf("asking whether it is ready: %w", err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("asking whether it is ready: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // only read
	if res.StatusCode != http.StatusOK {
		b, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
		return errors.Join(fmt.Errorf("it is not ready: %s", b), err)
	}
	return nil
}
