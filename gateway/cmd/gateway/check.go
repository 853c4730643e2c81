package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/gateway/policies/basicauth"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// printProblems writes one line for each mistake, as compilers do.
func printProblems(w io.Writer, fields []problem.Field) {
	for _, f := range fields {
		if f.Source != "" {
			fmt.Fprintf(w, "%s: ", f.Source)
		}
		if f.Pointer != "" {
			fmt.Fprintf(w, "%s: ", f.Pointer)
		}
		fmt.Fprintf(w, "%s\n", f.Detail)
	}
}

// check compiles a configuration as a running gateway would, and serves nothing.
func check(_ context.Context, args []string, _ io.Reader, out, errs io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(errs)
	path := flags.String("config", "gateway.yaml", "the configuration: a file, or a directory of files")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	s, fields, err := gateway.Open(*path, options(*path))
	if err != nil {
		return err
	}
	printProblems(errs, fields)
	summary := ""
	if s != nil {
		summary = s.Summary()
		for _, w := range s.Warnings() {
			fmt.Fprintf(errs, "warning: %s\n", w)
		}
		err = s.Close()
	}
	if len(fields) > 0 {
		noun := "mistakes"
		if len(fields) == 1 {
			noun = "mistake"
		}
		fmt.Fprintf(errs, "%s: %d %s\n", *path, len(fields), noun)
		return errors.Join(errRefused, err)
	}
	fmt.Fprintf(out, "%s: fine, %s\n", *path, summary)
	return err
}

// errEmpty says that there was no password.
var errEmpty = errors.New("the password is empty")

// hash reads a password and prints its hash.
func hash(_ context.Context, _ []string, in io.Reader, out, _ io.Writer) error {
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return errEmpty
	}
	h, err := basicauth.Hash(password)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, h)
	return err
}

// printSchema prints the JSON Schema of the file, for editors, or of a policy.
func printSchema(_ context.Context, args []string, _ io.Reader, out, _ io.Writer) error {
	registry, err := policy.NewRegistry(policies.All()...)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		b, err := gateway.FileSchema(registry)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", b)
		return err
	}
	def, ok := registry.Get(args[0])
	if !ok {
		return fmt.Errorf("there is no policy %q; there are %s", args[0], strings.Join(registry.Names(), ", ")) //nolint:err113 // shown as it is
	}
	s, err := def.Schema()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", s.JSON())
	return err
}
