package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// journal records what happens, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// part is ready at once and runs until it is told to stop, then does stop.
func (j *journal) part(name string, stop func() error) Part {
	return Part{name, func(Env) (Service, error) {
		j.add("new " + name)
		return Func(func(ctx context.Context, ready func()) error {
			j.add("run " + name)
			ready()
			<-ctx.Done()
			j.add("stop " + name)
			if stop != nil {
				return stop()
			}
			return ctx.Err()
		}), nil
	}}
}

func service(f Func) func(Env) (Service, error) {
	return func(Env) (Service, error) { return f, nil }
}

func TestRunStartsInOrderAndStopsInReverse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- Run(ctx, Options{}, j.part("a", nil), j.part("b", nil), j.part("c", nil)) }()
		synctest.Wait()
		cancel()
		require.NoError(t, <-result)
		require.Equal(t, []string{"new a", "new b", "new c", "run a", "run b", "run c", "stop c", "stop b", "stop a"}, j.all())
	})
}

func TestAFailingPartStopsTheOthers(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		part Part
		want string
	}{
		{"fails before it is ready", Part{"bad", service(func(context.Context, func()) error { return boom })}, "bad: boom"},
		{"fails when it is ready", Part{"bad", service(func(_ context.Context, ready func()) error { ready(); return boom })}, "bad: boom"},
		{"ends", Part{"bad", service(func(_ context.Context, ready func()) error { ready(); return nil })}, "bad: it ended without being told to"},
		{"panics", Part{"bad", service(func(context.Context, func()) error { panic("ouch") })}, "bad: panic: ouch"},
		{"cancels itself", Part{"bad", service(func(context.Context, func()) error { return context.Canceled })}, "bad: context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			err := Run(t.Context(), Options{}, j.part("a", func() error { return errors.New("closing a") }), c.part)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "a: closing a")
			require.Equal(t, []string{"new a", "run a", "stop a"}, j.all())
		})
	}
}

func TestNothingStartsWhenAPartCannotBeBuilt(t *testing.T) {
	t.Parallel()
	var j journal
	for name, bad := range map[string]Part{
		"error":     {"bad", func(Env) (Service, error) { return nil, errors.New("no such file") }},
		"panic":     {"bad", func(Env) (Service, error) { panic("ouch") }},
		"no name":   {"", service(nil)},
		"same name": j.part("a", nil),
	} {
		require.Error(t, Run(t.Context(), Options{}, j.part("a", nil), bad), name)
	}
	require.NotContains(t, j.all(), "run a")
}

func TestStartAndStopAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		start := time.Now()
		err := Run(t.Context(), Options{StartTimeout: time.Minute}, j.part("a", nil),
			Part{"slow", service(func(ctx context.Context, _ func()) error { <-ctx.Done(); return nil })})
		require.EqualError(t, err, "slow was not ready within 1m0s")
		require.Equal(t, time.Minute, time.Since(start))
		require.Equal(t, "stop a", j.all()[2])

		hang := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = Run(ctx, Options{StopTimeout: time.Second},
			Part{"stuck", service(func(context.Context, func()) error { <-hang; return nil })})
		require.EqualError(t, err, "stuck did not stop within 1s")
		close(hang)
	})
}

func TestCancelWhileStarting(t *testing.T) {
	t.Parallel()
	var j journal
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, Options{}, Part{"first", service(func(ctx context.Context, _ func()) error {
		cancel()
		<-ctx.Done()
		return nil
	})}, j.part("second", nil))
	require.NoError(t, err)
	require.Equal(t, []string{"new second"}, j.all())
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	body, err := io.ReadAll(rec.Body)
	require.NoError(t, err)
	return rec.Code, strings.TrimSpace(string(body))
}

func TestProcessEndpoints(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h http.Handler
		proceed, stopping, stopped := make(chan struct{}), make(chan struct{}), make(chan struct{})
		slow := Part{"slow", func(env Env) (Service, error) {
			h = env.Process
			return Func(func(ctx context.Context, ready func()) error {
				<-proceed
				ready()
				ready() // a second call does nothing
				<-ctx.Done()
				close(stopping)
				<-stopped
				return nil
			}), nil
		}}
		var j journal
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- Run(ctx, Options{}, j.part("quick", nil), slow) }()
		synctest.Wait()

		status, body := get(t, h, "/health/ready")
		require.Equal(t, 503, status)
		require.JSONEq(t, `{"status":"not-ready","waitingFor":["slow"]}`, body)
		close(proceed)
		synctest.Wait()
		status, body = get(t, h, "/health/ready")
		require.Equal(t, 200, status)
		require.JSONEq(t, `{"status":"ready"}`, body)
		status, body = get(t, h, "/health/alive")
		require.Equal(t, 200, status)
		require.JSONEq(t, `{"status":"alive"}`, body)

		_, body = get(t, h, "/version")
		var b BuildInfo
		require.NoError(t, json.Unmarshal([]byte(body), &b))
		require.NotEmpty(t, b.Version)
		require.NotEmpty(t, b.Go)
		_, body = get(t, h, "/metrics")
		require.Contains(t, body, `gatehouse_part_ready{part="slow"} 1`)
		require.Contains(t, body, "gatehouse_build_info{")
		require.Contains(t, body, "go_goroutines")
		status, _ = get(t, h, "/other")
		require.Equal(t, 404, status)

		cancel()
		<-stopping
		status, body = get(t, h, "/health/ready")
		require.Equal(t, 503, status)
		require.JSONEq(t, `{"status":"stopping"}`, body)
		close(stopped)
		require.NoError(t, <-result)
	})
}

func TestSeveralProcessesInOneTest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		for range 2 {
			go func() { results <- Run(ctx, Options{}, new(journal).part("a", nil)) }()
		}
		synctest.Wait()
		cancel()
		require.NoError(t, <-results)
		require.NoError(t, <-results)
	})
}

func TestReloadReachesEveryPartAndIsJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		listen := func(name string) Part {
			return Part{name, func(env Env) (Service, error) {
				return Func(func(ctx context.Context, ready func()) error {
					ready()
					for {
						select {
						case <-ctx.Done():
							return nil
						case <-env.Reload:
							j.add("reload " + name)
						}
					}
				}), nil
			}}
		}
		reload := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- Run(ctx, Options{Reload: reload}, listen("a"), new(journal).part("deaf", nil)) }()
		synctest.Wait()
		for range 3 {
			reload <- struct{}{}
			synctest.Wait()
		}
		cancel()
		require.NoError(t, <-result)
		require.Equal(t, []string{"reload a", "reload a", "reload a"}, j.all())
	})
}

func TestSignals(t *testing.T) {
	t.Parallel()
	var j journal
	received, done := make(chan os.Signal), make(chan struct{})
	reload := make(chan struct{}, 1)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		handle(received, nil, done, func() { j.add("stop") }, reload, func(code int) {
			j.add("exit " + strconv.Itoa(code))
		})
	}()
	received <- syscall.SIGHUP
	received <- syscall.SIGHUP
	<-reload
	received <- syscall.SIGTERM
	received <- syscall.SIGINT
	<-finished
	require.Equal(t, []string{"stop", "exit " + strconv.Itoa(exitInterrupted)}, j.all())
}

func TestSIGTERMEndsTheProcessGracefully(t *testing.T) {
	var j journal
	err := RunUntilSignal(t.Context(), Options{}, j.part("a", nil), Part{"killer", service(func(ctx context.Context, ready func()) error {
		ready()
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	})})
	require.NoError(t, err)
	require.Equal(t, []string{"new a", "run a", "stop a"}, j.all())
}

func ExampleRun() {
	hello := Part{Name: "hello", New: func(env Env) (Service, error) {
		return Func(func(ctx context.Context, ready func()) error {
			ready()
			env.Log.InfoContext(ctx, "serving")
			<-ctx.Done()
			return nil
		}), nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // told to stop at once
	if err := Run(ctx, Options{}, hello); err != nil {
		os.Exit(1)
	}
	// Output:
}
