package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/libs/app"
)

// runGateway serves until it is told to stop.
func runGateway(ctx context.Context, args []string, _ io.Reader, _, errs io.Writer) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(errs)
	path := flags.String("config", "gateway.yaml", "the configuration: a file, or a directory of files")
	ready := flags.String("ready-file", "", "a file to write the addresses to once traffic is served")
	level := flags.String("log-level", "info", "debug, info, warn or error")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(*level)); err != nil {
		return fmt.Errorf("--log-level: want debug, info, warn or error (%w)", errUsage)
	}
	log := slog.New(slog.NewJSONHandler(errs, &slog.HandlerOptions{Level: l}))
	o := options(*path)
	o.Ready = func(addresses []net.Addr, admin net.Addr) {
		if *ready == "" {
			return
		}
		var b strings.Builder
		for _, a := range addresses {
			fmt.Fprintf(&b, "traffic %s\n", a)
		}
		if admin != nil {
			fmt.Fprintf(&b, "admin %s\n", admin)
		}
		if err := os.WriteFile(*ready, []byte(b.String()), 0o600); err != nil {
			log.Error("the ready file could not be written", "err", err)
		}
	}
	err := app.RunUntilSignal(ctx, app.Options{Log: log}, gateway.Part(o))
	if errors.Is(err, gateway.ErrConfig) {
		fmt.Fprintln(errs, err)
		return errRefused
	}
	return err
}

// health asks the running gateway whether it is ready.
func health(ctx context.Context, args []string, _ io.Reader, out, errs io.Writer) error {
	flags := flag.NewFlagSet("health", flag.ContinueOnError)
	flags.SetOutput(errs)
	path := flags.String("config", "gateway.yaml", "the configuration: a file, or a directory of files")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	if err := gateway.Health(ctx, options(*path)); err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	return nil
}

// parse reads flags, which may stand before and after the arguments, and checks
// how many arguments there are at least.
func parse(flags *flag.FlagSet, args []string, least int) error {
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return errRefused
			}
			return errUsage
		}
		if flags.NArg() == 0 {
			break
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
	if len(rest) < least {
		return fmt.Errorf("gateway %s: too few arguments (%w)", flags.Name(), errUsage)
	}
	return flags.Parse(append([]string{"--"}, rest...))
}
