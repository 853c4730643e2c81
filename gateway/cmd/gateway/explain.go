package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/gatehouse/gatehouse/gateway"
)

// described is a request as the command line tells it.
type described struct {
	path   string
	method string
	url    string
	header map[string]string
	client string
	json   bool
	id     string
}

// headers collects -H flags.
type headers map[string]string

func (h headers) String() string { return "" }

func (h headers) Set(v string) error {
	name, value, ok := strings.Cut(v, ":")
	if !ok {
		return fmt.Errorf("want 'Name: value', got %q", v) //nolint:err113 // shown as it is
	}
	h[strings.TrimSpace(name)] = strings.TrimSpace(value)
	return nil
}

func describe(name string, args []string, errs io.Writer, least int) (described, error) {
	d := described{header: headers{}}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&d.path, "config", "gateway.yaml", "the configuration: a file, or a directory of files")
	flags.Var(headers(d.header), "H", "a header field, 'Name: value'; may be repeated")
	flags.StringVar(&d.client, "client", "", "the address that the request comes from")
	flags.BoolVar(&d.json, "json", false, "print JSON")
	if err := parse(flags, args, least); err != nil {
		return d, err
	}
	switch flags.NArg() {
	case 1:
		d.id = flags.Arg(0)
	case 2:
		d.method, d.url = flags.Arg(0), flags.Arg(1)
	default:
		return d, fmt.Errorf("gateway %s: want METHOD URL (%w)", name, errUsage)
	}
	return d, nil
}

// sandbox opens a configuration for a look at it. Mistakes are printed, and what
// compiles can be asked all the same.
func sandbox(d described, errs io.Writer) (*gateway.Sandbox, error) {
	s, fields, err := gateway.Open(d.path, options(d.path))
	if err != nil {
		return nil, err
	}
	printProblems(errs, fields)
	if s == nil {
		return nil, errRefused
	}
	return s, nil
}

func match(_ context.Context, args []string, _ io.Reader, out, errs io.Writer) (err error) {
	d, err := describe("match", args, errs, 2)
	if err != nil {
		return err
	}
	s, err := sandbox(d, errs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	e, err := s.Match(gateway.DryRun{Method: d.method, URL: d.url, Header: d.header})
	if err != nil {
		return err
	}
	if d.json {
		return print(out, e)
	}
	_, err = fmt.Fprint(out, e)
	return err
}

func explain(ctx context.Context, args []string, _ io.Reader, out, errs io.Writer) (err error) {
	d, err := describe("explain", args, errs, 1)
	if err != nil {
		return err
	}
	if d.id != "" {
		rec, err := gateway.Ask(ctx, options(d.path), d.id)
		if err != nil {
			return err
		}
		if d.json {
			return print(out, rec)
		}
		return gateway.PrintRecord(out, rec)
	}
	s, err := sandbox(d, errs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	rec, err := s.Explain(gateway.DryRun{Method: d.method, URL: d.url, Header: d.header, Client: d.client})
	if err != nil {
		return err
	}
	if d.json {
		return print(out, rec)
	}
	return gateway.PrintRecord(out, rec)
}

func print(out io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return err
}
