package sample

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/libs/app"
)

// Command returns the command that serves the sample by itself.
func Command() *cobra.Command {
	var listen string
	var health bool
	c := &cobra.Command{
		Use:   "sample",
		Short: "Serve the Petstore, an API to try things with",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if health {
				return app.Health(c.Context(), listen)
			}
			l, err := (&net.ListenConfig{}).Listen(c.Context(), "tcp", listen)
			if err != nil {
				return fmt.Errorf("listening on %s: %w", listen, err)
			}
			fmt.Fprintf(c.OutOrStdout(), "Petstore at http://%s%s, its document at http://%[1]s/openapi.json\n", l.Addr(), BasePath)
			return Serve(c.Context(), l)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:9000", "host and port to serve on")
	c.Flags().BoolVar(&health, "health", false, "ask a running one whether it is ready, and exit")
	return c
}

// Serve serves the sample until ctx ends.
func Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{Handler: Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving the sample: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.Shutdown(grace)
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
