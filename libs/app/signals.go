package app

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// exitInterrupted is the status of a process that was interrupted twice.
const exitInterrupted = 130

// Main runs parts as a process of their own, with a JSON log on standard error,
// and exits: 0 when it was told to stop and every part did, else 1.
func Main(parts ...Part) {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := RunUntilSignal(context.Background(), Options{Log: log}, parts...); err != nil {
		log.Error("the process has failed", "err", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// RunUntilSignal is [Run] that SIGTERM and SIGINT end gracefully. A second of
// them exits at once. SIGHUP is passed on as Env.Reload, as is what arrives on
// Options.Reload.
func RunUntilSignal(ctx context.Context, opt Options, parts ...Part) error {
	received := make(chan os.Signal, 4)
	signal.Notify(received, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(received)
	ctx, cancel := context.WithCancel(ctx)
	asked, reload := opt.Reload, make(chan struct{}, 1)
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		handle(received, asked, done, cancel, reload, os.Exit)
	}()
	defer func() {
		cancel()
		close(done)
		<-finished
	}()
	opt.Reload = reload
	return Run(ctx, opt, parts...)
}

// handle turns signals into what they mean until done.
func handle(received <-chan os.Signal, asked, done <-chan struct{}, stop func(), reload chan<- struct{}, exit func(int)) {
	stopping := false
	again := func() {
		select {
		case reload <- struct{}{}:
		default: // one waits already
		}
	}
	for {
		select {
		case <-done:
			return
		case <-asked:
			again()
		case s := <-received:
			switch {
			case s == syscall.SIGHUP:
				again()
			case stopping:
				exit(exitInterrupted)
				return
			default:
				stopping = true
				stop()
			}
		}
	}
}
