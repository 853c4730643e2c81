package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// shelfConfig is the configuration of the service of the tests.
type shelfConfig struct {
	Config
	// Shelves is their number.
	Shelves int `json:"shelves,omitempty" schema:"min=1"`
}

// Validate checks what the form does not say.
func (c *shelfConfig) Validate() []problem.Field {
	if c.Shelves == 13 {
		return []problem.Field{{Pointer: "/shelves", Code: schema.RuleInvalid, Detail: "not 13"}}
	}
	return nil
}

type result struct {
	out, errs string
	err       error
	got       shelfConfig
}

func invoke(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	var r result
	p := program[shelfConfig, *shelfConfig]{
		name: "shelf-manager", defaults: shelfConfig{Config: DefaultConfig(), Shelves: 3}, docs: []schema.Docs{Docs}, environ: environ,
		look: func(scheme, name string) (string, error) {
			if name == "NATS_PASSWORD" {
				return "from-" + scheme, nil
			}
			return "", errors.New("there is no " + name)
		},
		part: func(c shelfConfig) app.Part {
			r.got = c
			return app.Part{Name: "shelf-manager", New: func(app.Env) (app.Service, error) { return nil, errors.New("stop here") }}
		},
	}
	var out, errs bytes.Buffer
	r.err = p.run(context.Background(), args, &out, &errs)
	r.out, r.errs = out.String(), errs.String()
	return r
}

func TestAConfigurationComesFromFileAndEnvironment(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "shelf.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`
listen: 127.0.0.1:7001
bus: {url: nats://nats:4222, password: env:NATS_PASSWORD}
database: {dsn: "sqlite:/data/shelf.db", maxOpen: 4}
shelves: 5
`), 0o600))
	r := invoke(t, []string{"GATEHOUSE_SHELF_MANAGER_SHELVES=7", "GATEHOUSE_SHELF_MANAGER_LOG_LEVEL=debug", "OTHER=1"}, "--config", path)
	require.ErrorContains(t, r.err, "stop here")
	require.Equal(t, 7, r.got.Shelves)
	require.Equal(t, "debug", r.got.Log.Level)
	require.Equal(t, 4, r.got.Database.MaxOpen)
	require.Equal(t, "from-env", r.got.Bus.Password.Reveal())
	require.Equal(t, "127.0.0.1:7001", r.got.Listen)
	o, err := r.got.busOptions("shelf-manager")
	require.NoError(t, err)
	require.Equal(t, "shelf-manager", o.Username, "the user's name is the service's")

	r = invoke(t, nil, "--check", "--config", path)
	require.NoError(t, r.err)
	require.Contains(t, r.out, "good")
}

func TestMistakesAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	bus := "GATEHOUSE_SHELF_MANAGER_BUS_URL=nats://nats:4222"
	for name, c := range map[string]struct {
		environ []string
		want    string
	}{
		"no NATS":              {nil, "/bus/url"},
		"an unknown variable":  {[]string{bus, "GATEHOUSE_SHELF_MANAGER_SHELFS=1"}, "GATEHOUSE_SHELF_MANAGER_SHELFS"},
		"out of bounds":        {[]string{bus, "GATEHOUSE_SHELF_MANAGER_SHELVES=0"}, "/shelves"},
		"the service's own":    {[]string{bus, "GATEHOUSE_SHELF_MANAGER_SHELVES=13"}, "not 13"},
		"a secret not there":   {[]string{bus, "GATEHOUSE_SHELF_MANAGER_DATABASE_DSN=env:NOPE"}, "there is no NOPE"},
		"a short pepper":       {[]string{bus, "GATEHOUSE_SHELF_MANAGER_SECRETS_PEPPER=short"}, "/secrets/pepper"},
		"a keyring":            {[]string{bus, "GATEHOUSE_SHELF_MANAGER_SECRETS_KEYRING=k1:abc"}, "/secrets/keyring"},
		"half a certificate":   {[]string{bus, "GATEHOUSE_SHELF_MANAGER_BUS_CERTIFICATE=/x.pem"}, "a certificate needs its key"},
		"a level":              {[]string{bus, "GATEHOUSE_SHELF_MANAGER_LOG_LEVEL=loud"}, "/log/level"},
		"a listener's address": {[]string{bus, "GATEHOUSE_SHELF_MANAGER_LISTEN=7001"}, "/listen"},
	} {
		r := invoke(t, c.environ, "--check")
		require.ErrorContains(t, r.err, c.want, name)
	}
	require.ErrorIs(t, invoke(t, nil, "dance").err, errUsage)
	require.ErrorIs(t, invoke(t, nil, "--nope").err, errUsage)
	require.ErrorIs(t, invoke(t, nil, "run", "more").err, errUsage)
	r := invoke(t, nil, "--help")
	require.ErrorIs(t, r.err, flag.ErrHelp)
	require.Contains(t, r.errs, "GATEHOUSE_SHELF_MANAGER_")
}

func TestAServiceDescribesItsConfiguration(t *testing.T) {
	t.Parallel()
	r := invoke(t, nil, "schema")
	require.NoError(t, r.err)
	require.True(t, json.Valid([]byte(r.out)))
	require.Contains(t, r.out, "Pepper goes into the hashes")
	r = invoke(t, nil, "reference")
	require.NoError(t, r.err)
	require.Contains(t, r.out, "GATEHOUSE_SHELF_MANAGER_DATABASE_DSN")
	r = invoke(t, nil, "version")
	require.NoError(t, r.err)
	require.True(t, strings.HasPrefix(r.out, "shelf-manager "))
}

func TestHealthAsksTheRunningService(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health/ready" {
			t.Error(r.URL.Path)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"waitingFor":["bus"]}`))
	}))
	defer s.Close()
	defer http.DefaultClient.CloseIdleConnections()
	at := s.Listener.Addr().String()
	environ := []string{"GATEHOUSE_SHELF_MANAGER_BUS_URL=nats://nats:4222", "GATEHOUSE_SHELF_MANAGER_LISTEN=0.0.0.0:" + at[strings.LastIndexByte(at, ':')+1:]}
	require.NoError(t, invoke(t, environ, "health").err)
	status = http.StatusServiceUnavailable
	require.ErrorContains(t, invoke(t, environ, "health").err, `waitingFor`)
	require.ErrorContains(t, invoke(t, environ[:1], "health").err, "set listen")
}
