// Command gateway carries API traffic from a configuration file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/app"
)

// command is one verb of the command line.
type command struct {
	name, args, doc string
	run             func(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) error
}

func commands() []command {
	return []command{
		{"run", "--config FILE", "carry traffic", runGateway},
		{"check", "--config FILE", "say what is wrong with a configuration", check},
		{"match", "--config FILE METHOD URL [-H 'Name: value']…", "say which route a request takes, and why the near misses lost", match},
		{"explain", "--config FILE REQUEST-ID | METHOD URL [-H 'Name: value']…", "say why a request was answered as it was, or what would become of one", explain},
		{"health", "--config FILE", "ask a running gateway whether it is ready, for health checks", health},
		{"hash", "", "hash a password, read from standard input, for a basic credential", hash},
		{"schema", "[POLICY]", "print the JSON Schema of the configuration, or of one policy", printSchema},
		{"version", "", "say what this binary was built from", version},
	}
}

// errUsage and errRefused choose the exit status: 2 for a command that was not
// understood, 1 for anything that did not go well.
var (
	errUsage   = errors.New("usage")
	errRefused = errors.New("refused")
)

func main() {
	err := dispatch(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case errors.Is(err, errRefused): // has been said
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) error {
	if len(args) > 0 {
		for _, c := range commands() {
			if c.name == args[0] {
				return c.run(ctx, args[1:], in, out, errs)
			}
		}
	}
	usage(errs)
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		return nil
	}
	return fmt.Errorf("gateway: there is no command %q (%w)", args[0], errUsage)
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "Usage: gateway COMMAND")
	for _, c := range commands() {
		fmt.Fprintf(w, "\n  gateway %s %s\n      %s\n", c.name, c.args, c.doc)
	}
}

// options are what every command runs with.
func options(path string) gateway.Options {
	return gateway.Options{Path: path, Policies: policies.All()}
}

func version(_ context.Context, _ []string, _ io.Reader, out, _ io.Writer) error {
	b := app.Build()
	_, err := fmt.Fprintf(out, "gateway %s %s %s\n", b.Version, b.Revision, b.Go)
	return err
}
