//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// bench runs the whole program with the test program as the gateway, with the
// fault that it is to have, and returns the report.
func bench(t *testing.T, fault string, args ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv("GATEWAY_FAULT", fault)
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	err = run(t.Context(), append([]string{
		"-gateway", self, "-install=false", "-rounds", "1", "-duration", "50ms", "-connections", "4",
		"-apis", "30", "-credentials", "2000", "-swaps", "5",
	}, args...), &out, t.Output())
	left, globErr := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "gatehouse-bench-*"))
	require.NoError(t, globErr)
	require.Empty(t, left)
	return out.String(), err
}

func TestWholeRun(t *testing.T) {
	markdown := filepath.Join(t.TempDir(), "report.md")
	text, err := bench(t, "", "-peers", "gatehouse,go-fasthttp,go-net-http", "-out", markdown)
	require.NoError(t, err)
	b, err := os.ReadFile(markdown)
	require.NoError(t, err)
	for _, report := range []string{text, string(b)} {
		for _, want := range []string{
			"Plain proxy, 1 kB", "Plain proxy, 100 kB", "Managed request", "TLS 1.3", "30 APIs with 10 operations",
			"One API of 30 changed", "0 of ", "Cold start with 30 APIs", "Idle memory", "2000 credentials",
			"go-fasthttp", "go-net-http", "Linux", "4 connections", "compiled 1 units of 31 APIs and reused 30, in 1.50 ms",
		} {
			require.Contains(t, report, want)
		}
		require.NotContains(t, report, "FAILED")
	}
}

func TestBuildsAreCompared(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := bench(t, "", "-base", self+","+self, "-scenarios", "managed", "-peers", "gatehouse,gatehouse-base,gatehouse-base2,go-bytes")
	require.NoError(t, err)
	for _, want := range []string{"gatehouse-base ", "gatehouse-base2 ", "go-bytes (no HTTP)"} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "FAILED")
}

// A gateway that leaves out a part of the work is a failed run, not a fast one.
func TestWorkLeftOutIsFound(t *testing.T) {
	for fault, want := range map[string]string{
		"no-key":   "a request without a key got 200, want 401",
		"no-limit": "three requests passed a limit of one",
		"no-log":   "lines in the log",
		"no-call":  "but the upstream saw",
		"short":    "body of 999 bytes, want 1000",
	} {
		t.Run(fault, func(t *testing.T) {
			if testing.Short() && fault != "no-log" {
				t.Skip("one fault is enough for a quick look")
			}
			text, err := bench(t, fault, "-peers", "gatehouse", "-scenarios", "managed")
			require.ErrorContains(t, err, "managed: gatehouse")
			require.Contains(t, text, want)
		})
	}
}

func TestFailuresDuringSwapsAreCounted(t *testing.T) {
	text, err := bench(t, "swap", "-peers", "gatehouse", "-scenarios", "swaps", "-check")
	require.ErrorContains(t, err, "a target was missed")
	require.Contains(t, text, "status 503, want 200")
	require.Contains(t, text, "MISSED")
}

func TestMissingGatewayIsSaid(t *testing.T) {
	text, err := bench(t, "", "-gateway", "/none/gateway", "-peers", "gatehouse,go-fasthttp", "-scenarios", "plain-1k,swaps", "-check")
	require.ErrorContains(t, err, "not measured")
	require.Contains(t, text, "MISSING")
	require.Contains(t, text, "gatehouse: not installed")
}

// after calls f when text is written.
type after struct {
	io.Writer
	text string
	f    func()
}

func (a after) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(a.text)) {
		a.f()
	}
	return a.Writer.Write(b)
}

func TestInterruptedRunCleansUp(t *testing.T) {
	for _, when := range []string{"building", "round 1/3: go-fasthttp", "round 2/3"} {
		t.Run(when, func(t *testing.T) {
			if testing.Short() && when != "round 1/3: go-fasthttp" {
				t.Skip("one moment is enough for a quick look")
			}
			t.Setenv("TMPDIR", t.TempDir())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var out bytes.Buffer
			err := run(ctx, []string{
				"-install=false", "-peers", "go-fasthttp,go-net-http", "-scenarios", "plain-1k", "-duration", "50ms", "-retries", "0",
			}, &out, after{t.Output(), when, cancel})
			require.ErrorIs(t, err, errInterrupted)
			require.Empty(t, out.String())
			left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "gatehouse-bench-*"))
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}
