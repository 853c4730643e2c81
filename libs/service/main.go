package service

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Configuration is a pointer to a service's configuration, which embeds [Config].
// Where it has a method Validate() []problem.Field, that checks what the form
// does not say.
type Configuration[C any] interface {
	*C
	Common() *Config
}

// startLimit is how long a service waits for what it needs: as good as for ever,
// since its database may well be set up after it.
const startLimit = 365 * 24 * time.Hour

var (
	errUsage   = errors.New("usage")
	errLater   = errors.New("a secret cannot be read now")
	errRotated = errors.New("a secret of the configuration has changed")
)

// Main is the process of one service. It reads the configuration from a file and
// from environment variables with the prefix GATEHOUSE_<NAME>_, runs until it is
// told to stop, and exits: 0 when all is well, 1 when something failed, 2 when
// the command line was not understood.
//
//	name [--config FILE]          run
//	name --check [--config FILE]  say what is wrong with the configuration
//	name health [--config FILE]   ask a running one whether it is ready
//	name schema                   print the JSON Schema of the configuration
//	name reference                print a page with every key and variable
//	name version                  say what it was built from
func Main[C any, P Configuration[C]](name string, defaults C, part func(C) app.Part, docs ...schema.Docs) {
	MainWith[C, P](name, defaults, part, nil, docs...)
}

// Command is a command that a service's program has beside those of [Main]. It
// has the configuration, and the service does not run in its process.
type Command[C any] struct {
	// Name is a word, or several.
	Name string
	// Operands name what follows the flags; all have to be there. The flags of New
	// hold them.
	Operands []string
	// Summary is what it does, for people.
	Summary string
	// New adds the flags of the command and returns what it does.
	New func(flags *flag.FlagSet) func(ctx context.Context, cfg C, out io.Writer) error
}

// MainWith is as [Main], for a program with more commands.
func MainWith[C any, P Configuration[C]](name string, defaults C, part func(C) app.Part, more []Command[C], docs ...schema.Docs) {
	p := program[C, P]{name: name, defaults: defaults, part: part, more: more, docs: described(docs), environ: os.Environ(), pause: 10 * time.Second}
	err := p.run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	os.Exit(1)
}

// program is a process of a service, with all that it takes from its system.
type program[C any, P Configuration[C]] struct {
	name     string
	defaults C
	part     func(C) app.Part
	more     []Command[C]
	docs     []schema.Docs
	environ  []string
	// look, where not nil, reads environment and files in place of the system.
	look schema.Resolver
	// pause bounds how long is waited at random before starting anew, so that not
	// all replicas do at once.
	pause time.Duration
}

func (p program[C, P]) run(ctx context.Context, args []string, out, errs io.Writer) error {
	verb := "run"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet(p.name, flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprintf(errs, "Usage: %s [run|health|schema|reference|version] [--config FILE] [--check]\n\nEvery key of the file can be set as an environment variable %s_….\n", p.name, prefix(p.name))
		for _, c := range p.more {
			fmt.Fprintf(errs, "  %s %s\n\t%s\n", p.name, strings.Join(append([]string{c.Name}, c.Operands...), " "), c.Summary)
		}
		flags.PrintDefaults()
	}
	var more func(context.Context, C, io.Writer) error
	var operands []string
	for _, c := range p.more {
		words := strings.Fields(c.Name)
		if n := len(words) - 1; words[0] == verb && n <= len(args) && slices.Equal(words[1:], args[:n]) {
			more, operands, args = c.New(flags), c.Operands, args[n:]
		}
	}
	path := flags.String("config", "", "the configuration: a file, or a directory of files")
	check := flags.Bool("check", false, "only say what is wrong with the configuration")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%s: %w (%w)", p.name, err, errUsage)
	}
	switch n := flags.NArg(); {
	case n > len(operands):
		return fmt.Errorf("%s: what is %q? (%w)", p.name, flags.Arg(len(operands)), errUsage)
	case n < len(operands):
		return fmt.Errorf("%s %s: name the %s, after the flags (%w)", p.name, verb, operands[n], errUsage)
	}
	quiet := slog.New(slog.DiscardHandler)
	if more != nil {
		cfg, err := p.load(*path, quiet)
		if err != nil {
			return err
		}
		return more(ctx, cfg, out)
	}
	switch verb {
	case "run":
		if !*check {
			return p.serve(ctx, *path, errs)
		}
		if _, err := p.load(*path, quiet); err != nil {
			return err
		}
		fmt.Fprintln(out, "the configuration is good")
	case "health":
		cfg, err := p.load(*path, quiet)
		if err != nil {
			return err
		}
		return app.Health(ctx, P(&cfg).Common().Listen)
	case "schema":
		s, err := p.schema()
		if err != nil {
			return err
		}
		fmt.Fprintln(out, string(indented(s.JSON())))
	case "reference":
		page, err := Page(p.name, p.defaults, p.docs...)
		if err != nil {
			return err
		}
		fmt.Fprint(out, page)
	case "version":
		b := app.Build()
		fmt.Fprintf(out, "%s %s %s %s\n", p.name, b.Version, b.Revision, b.Go)
	default:
		flags.Usage()
		return fmt.Errorf("%s: there is no command %q (%w)", p.name, verb, errUsage)
	}
	return nil
}

func (p program[C, P]) schema() (*schema.Schema, error) {
	return schema.Of(p.defaults, schema.WithDocs(p.docs...))
}

// described adds the texts of what the configurations of services are made of.
func described(docs []schema.Docs) []schema.Docs {
	return append(docs, Docs, reference.Docs, egress.Docs)
}

// prefix begins the environment variables of a service.
func prefix(name string) string {
	return "GATEHOUSE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Page returns Markdown with every key of a service's configuration, its bounds,
// default and environment variable. Texts come from docs, and from those of this
// package.
func Page[C any](name string, defaults C, docs ...schema.Docs) (string, error) {
	s, err := schema.Of(defaults, schema.WithDocs(described(docs)...))
	if err != nil {
		return "", fmt.Errorf("describing the configuration of %s: %w", name, err)
	}
	return config.Reference(config.Section{Title: name, Schema: s, Prefix: prefix(name)}), nil
}

// load reads the configuration, with its secrets. The error is [errLater] where a
// secret cannot be read now.
func (p program[C, P]) load(path string, log *slog.Logger) (C, error) {
	cfg := p.defaults
	doc, err := config.Read(path, prefix(p.name), p.environ, &cfg)
	if err != nil {
		return cfg, err
	}
	common := P(&cfg).Common()
	Describe[C, P](&cfg, doc)
	fields := common.Vault.Validate()
	for i := range fields {
		fields[i].Pointer = "/vault" + fields[i].Pointer
	}
	later := false
	if len(fields) == 0 {
		if common.Resolver, err = reference.New(reference.Options{Vault: common.Vault, Log: log}); err != nil {
			return cfg, err
		}
		look := common.Resolver.Look()
		fields = schema.ResolveSecrets(&cfg, func(scheme, name string) (string, error) {
			if p.look != nil && scheme != reference.Vault {
				return p.look(scheme, name)
			}
			v, err := look(scheme, name)
			later = later || errors.Is(err, reference.ErrUnavailable)
			return v, err
		})
	}
	if len(fields) == 0 {
		fields = common.validate()
		if v, ok := any(&cfg).(interface{ Validate() []problem.Field }); ok {
			fields = append(fields, v.Validate()...)
		}
	}
	if len(fields) == 0 {
		return cfg, nil
	}
	if doc != nil {
		doc.Locate(fields)
	}
	if later {
		return cfg, fmt.Errorf("%w: %w", errLater, schema.Violations(fields))
	}
	return cfg, schema.Violations(fields)
}

func indented(b []byte) []byte {
	var v any
	if json.Unmarshal(b, &v) != nil {
		return b
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return b
	}
	return out
}
