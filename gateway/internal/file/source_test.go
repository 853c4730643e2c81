package file_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// No event tells of a change between the first reading and the moment from
// which the file is watched; it must be noticed all the same. R3
func TestAChangeBeforeTheFileIsWatchedIsNoticed(t *testing.T) {
	t.Parallel()
	const before = "apis: [{name: one, basePath: /one, upstream: {targets: [{url: \"http://127.0.0.1:1\"}]}}]\n"
	const after = before + "applications: [{name: app}]\n"
	for _, what := range []string{"the file itself", "a document that it names"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, document := filepath.Join(dir, "gateway.yaml"), filepath.Join(dir, "openapi.yaml")
			text := before
			if what != "the file itself" {
				text = "apis: [{name: one, basePath: /one, openapi: openapi.yaml, upstream: {targets: [{url: \"http://127.0.0.1:1\"}]}}]\n"
				require.NoError(t, os.WriteFile(document, []byte("openapi: 3.0.3\ninfo: {title: a, version: \"1\"}\npaths: {/a: {get: {responses: {}}}}\n"), 0o600))
			}
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			src := &file.Source{Path: path, Log: slog.New(slog.DiscardHandler), Now: time.Now, Read: func() (*file.Config, *config.Document, []problem.Field) {
				var c file.Config
				sources, err := config.Load(path)
				require.NoError(t, err)
				doc, fields := config.DecodeAll(sources, &c)
				return &c, doc, fields
			}}
			delivered := make(chan source.Snapshot, 1)
			deliver := func(s source.Snapshot) error { delivered <- s; return nil }
			require.Empty(t, src.First(deliver))
			first := <-delivered

			if what == "the file itself" {
				require.NoError(t, os.WriteFile(path, []byte(after), 0o600))
			} else {
				require.NoError(t, os.WriteFile(document, []byte("openapi: 3.0.3\ninfo: {title: a, version: \"1\"}\npaths: {/b/c: {get: {responses: {}}}}\n"), 0o600))
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- src.Run(ctx, deliver) }()
			second := <-delivered
			require.Greater(t, second.Manifest.Version, first.Manifest.Version)
			stop()
			require.NoError(t, <-ended)
		})
	}
}
