// Package cli is the gatehouse command: what people and scripts do with a running
// suite from a terminal. It talks to the suite over HTTP alone, as the browser
// apps do.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli/internal/session"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

// Options say what else the command does, and where it reads and writes. What is
// left out is the process's own.
type Options struct {
	// Extra are commands that run something rather than use it, such as standalone.
	Extra []*cobra.Command
	// In, Out and Err are the three streams.
	In       io.Reader
	Out, Err io.Writer
	// Environ returns variables.
	Environ func(string) string
	// HTTP makes requests to the suite, and calls to gateways.
	HTTP *http.Client
	// Now is the clock.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Err == nil {
		o.Err = os.Stderr
	}
	if o.Environ == nil {
		o.Environ = os.Getenv
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 2 * time.Minute}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// The exit codes.
const (
	exitFailed    = 1
	exitUsage     = 2
	exitSignedOut = 3
)

// New returns the command.
func New(o Options) *cobra.Command {
	a := &tool{o: o.withDefaults()}
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "API management: publish APIs, decide who may call them, see what happens",
		Long: "API management: publish APIs, decide who may call them, see what happens.\n\n" +
			"Sign in with gatehouse login; then gatehouse quickstart puts an API online in one step.\n" +
			"In scripts, GATEHOUSE_URL and GATEHOUSE_TOKEN (yours, or a service account's) stand in place of signing in,\n" +
			"and --output json answers for programs.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("there is no command %q; gatehouse --help lists them", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(a.o.In)
	root.SetOut(a.o.Out)
	root.SetErr(a.o.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%v; %s --help lists what there is", err, c.CommandPath())
	})
	f := root.PersistentFlags()
	f.StringVarP(&a.output, "output", "o", "table", "table for people, json for programs")
	f.StringVar(&a.profile, "profile", "", "which of several sessions to use (GATEHOUSE_PROFILE)")
	root.AddCommand(
		a.login(), a.logout(), a.whoami(), a.setup(), a.quickstart(), a.apis(), a.plans(), a.applications(), a.subscribe(),
		a.keys(), a.usage(), a.explain(), a.gateways(), a.users(),
		a.access(), a.groups(), a.roles(), a.grants(), a.tokens(), a.organizations(), a.audit(), a.system(), a.request(), a.apply(), version(),
	)
	root.AddCommand(o.Extra...)
	return root
}

// Main runs the command with arguments until it is done or told to stop, and
// returns the exit code: 0 when all is well, 1 when something failed, 2 when the
// command line was not understood, 3 when nobody is signed in.
func Main(ctx context.Context, o Options, args []string) int {
	o = o.withDefaults()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := New(o)
	c.SetArgs(args)
	err := c.ExecuteContext(ctx)
	if err != nil {
		complain(show.Plain(o.Err), err)
	}
	return code(err)
}

// usageError is a command line that was not understood.
type usageError struct{ text string }

// Error returns what is wrong with it.
func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func code(err error) int {
	var u *usageError
	var p *problem.Problem
	switch {
	case err == nil:
		return 0
	case errors.As(err, &u):
		return exitUsage
	case errors.Is(err, session.ErrSignedOut), errors.As(err, &p) && p.Status == http.StatusUnauthorized:
		return exitSignedOut
	}
	return exitFailed
}

// complain says what went wrong: a line, and one for each field at fault.
func complain(w io.Writer, err error) {
	var p *problem.Problem
	if !errors.As(err, &p) {
		fmt.Fprintf(w, "gatehouse: %v\n", err)
		return
	}
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if p.Instance != "" {
		text += " (" + string(p.Code) + ", request " + p.Instance + ")"
	}
	fmt.Fprintf(w, "gatehouse: %s\n", text)
	for _, f := range p.Errors {
		at := f.Pointer
		if at == "" {
			at = "/"
		}
		fmt.Fprintf(w, "  %s: %s\n", at, f.Detail)
	}
}

// exactly wants a number of arguments, which it names.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usage("%s is missing; see %s --help", names[len(args)], c.CommandPath())
		case len(args) > len(names):
			return usage("what is %q? See %s --help", args[len(names)], c.CommandPath())
		}
		return nil
	}
}

// atMost is as exactly, for arguments that may all be left out.
func atMost(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > n {
			return usage("what is %q? See %s --help", args[n], c.CommandPath())
		}
		return nil
	}
}

// group returns a command that only has others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage("there is no command %q; %s --help lists them", args[0], c.CommandPath())
		}
		return nil
	}, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(below...)
	return c
}
