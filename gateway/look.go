package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/admin"
	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/gateway/internal/listen"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/internal/tracing"
	internaltraffic "github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// DryRun describes a request that is not sent.
type DryRun = admin.DryRun

// PrintRecord writes a record and its decision as a text for people.
func PrintRecord(w io.Writer, r *traffic.Record) error { return internaltraffic.Print(w, r) }

// Ask asks the running gateway of a configuration why it answered a request as
// it did.
func Ask(ctx context.Context, o Options, id string) (*traffic.Record, error) {
	resp, cancel, err := o.askAdmin(ctx, "/explain/"+url.PathEscape(id))
	if err != nil {
		return nil, err
	}
	defer cancel()
	defer func() { _ = resp.Body.Close() }() // read to its end
	body, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return nil, fmt.Errorf("asking the gateway: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var p problem.Problem
		if json.Unmarshal(body, &p) == nil && p.Detail != "" {
			return nil, &p
		}
		return nil, fmt.Errorf("asking the gateway: %s", resp.Status) //nolint:err113 // shown as it is
	}
	var rec traffic.Record
	if err := json.Unmarshal(body, &rec); err != nil {
		return nil, fmt.Errorf("asking the gateway: %w", err)
	}
	return &rec, nil
}

// Warnings are what is allowed but rarely meant, by the names of the APIs.
func (s *Sandbox) Warnings() []string {
	var out []string
	units := s.live.Current().Units()
	slices.SortFunc(units, func(a, b *table.Unit) int { return cmp.Compare(a.ID, b.ID) })
	for _, u := range units {
		if u.Broken {
			continue
		}
		if !u.Operation(0).Authenticates() {
			out = append(out, fmt.Sprintf("API %s: anyone may call it; add a policy such as api-key, or plans, if that is not meant", u.ID))
		}
		if u.Operation(0).Upstream == nil && !u.Operation(0).Chain.Has("mock", "redirect") {
			out = append(out, fmt.Sprintf("API %s: it has no upstream, so requests are answered 502", u.ID))
		}
	}
	return out
}

// Summary says in a few words what the configuration serves.
func (s *Sandbox) Summary() string {
	t := s.live.Current()
	ops := 0
	for _, u := range t.Units() {
		ops += max(len(u.Operations()), 1)
	}
	return fmt.Sprintf("%d APIs with %d operations", t.APIs(), ops)
}

// Schema describes the configuration file, without the policies in it.
func Schema() (*schema.Schema, error) {
	docs := append(file.Docs(), schemaDoc, listen.SchemaDoc, internaltraffic.SchemaDoc, tracing.SchemaDoc, reference.Docs)
	defaults := DefaultConfig()
	defaults.Name = "" // that of this machine is not that of others
	return schema.Of(defaults, schema.WithDocs(docs...))
}

// FileSchema returns the JSON Schema of the configuration file, with those of the
// policies in it, for editors.
func FileSchema(registry *policy.Registry) ([]byte, error) {
	s, err := Schema()
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	if err := json.Unmarshal(s.JSON(), &doc); err != nil {
		return nil, err
	}
	defs := map[string]any{}
	for _, name := range registry.Names() {
		def, _ := registry.Get(name)
		ps, err := def.Schema()
		if err != nil {
			return nil, err
		}
		var node any
		if err := json.Unmarshal(ps.JSON(), &node); err != nil {
			return nil, err
		}
		defs[name] = node
	}
	doc["$defs"] = defs
	return json.MarshalIndent(doc, "", "  ")
}

// Health asks the running gateway of a configuration, on this machine, whether it
// is ready to take traffic. The error says what it lacks.
func Health(ctx context.Context, o Options) error {
	resp, cancel, err := o.askAdmin(ctx, "/health/ready")
	if err != nil {
		return err
	}
	defer cancel()
	defer func() { _ = resp.Body.Close() }() // nothing is kept of it
	if resp.StatusCode != http.StatusOK {
		b, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return errors.Join(fmt.Errorf("the gateway is not ready: %s", b), err)
	}
	return nil
}

// askAdmin asks the admin listener of the gateway of a configuration.
func (o Options) askAdmin(ctx context.Context, path string) (*http.Response, context.CancelFunc, error) {
	cfg, _, fields := Load(o.Path, o.Secrets)
	if len(fields) > 0 {
		return nil, nil, fmt.Errorf("%s: %w: %w", o.Path, ErrConfig, schema.Violations(fields))
	}
	if cfg.Admin.Address == "" {
		return nil, nil, fmt.Errorf("%s: %w: there is no admin listener to ask; add admin: {address: …}", o.Path, ErrConfig)
	}
	host, port, err := net.SplitHostPort(cfg.Admin.Address)
	if err != nil {
		return nil, nil, err
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	if t := cfg.Admin.Token.Reveal(); t != "" {
		r.Header.Set("Authorization", "Bearer "+t)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("asking the gateway: %w", err)
	}
	return resp, cancel, nil
}
