package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/gateway/internal/keyset"
	"github.com/gatehouse/gatehouse/gateway/internal/metrics"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/gateway/internal/store"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/internal/upstream"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Validator says what gateways would find wrong with units, by compiling them as
// they do. It calls nobody: key sets are not fetched, names not looked up, and
// references to secrets, which only the gateway can follow, are taken to name
// something long enough. It is safe for concurrent use.
type Validator struct {
	// Secrets, where not nil, says in place of the gateways which references are
	// allowed. It is set before the validator is used.
	Secrets schema.Resolver

	registry *policy.Registry
	guard    *upstream.Guard
	metrics  *metrics.Metrics
}

// NewValidator returns a validator that knows the given policy types.
func NewValidator(registry *policy.Registry) (*Validator, error) {
	m, err := metrics.New(prometheus.NewRegistry(), metrics.Options{})
	if err != nil {
		return nil, fmt.Errorf("making a validator: %w", err)
	}
	// Which networks upstreams may be in is each gateway's own decision.
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	return &Validator{registry: registry, guard: upstream.NewGuard(nil, all), metrics: m}, nil
}

// Unit returns what is wrong with the document of an API's unit, together with
// the settings and policy sets it would meet. Pointers are within the document,
// with "/config" between a policy and the fields of its configuration; those of
// settings begin with /platform or /projects, those of sets that no policy
// refers to with /sets.
func (v *Validator) Unit(document []byte, sets []unit.PolicySet, settings unit.Settings) []problem.Field {
	fields, err := v.compile(document, sets, settings, nil)
	if err != nil {
		return []problem.Field{{Code: "invalid", Detail: err.Error()}}
	}
	return fields
}

// Acts tells what a policy does: "preflight", "inbound", "outbound", "error",
// "final" and "done" are the phases in which it acts, and authenticates that it
// establishes who calls. The error is a problem with pointers into config.
func (v *Validator) Acts(kind string, config json.RawMessage) (phases []string, authenticates bool, err error) {
	target := []unit.Target{{URL: "http://127.0.0.1:1"}}
	a := unit.API{
		ID: "probe", Name: "probe", BasePath: "/", Document: json.RawMessage(`{"openapi":"3.0.3","info":{"title":"probe","version":"1"},"paths":{}}`),
		Upstreams: []unit.Upstream{{Name: "default", Targets: target}, {Name: "other", Targets: target}},
		Policies:  []unit.Policy{{Type: kind, Config: config}},
	}
	document, _, err := unit.Encode(a)
	if err != nil {
		return nil, false, err
	}
	fields, err := v.compile(document, nil, unit.Settings{}, func(t *table.Table) {
		h := t.Unit(a.ID).Operation(-1).Chain.Steps[0].Hooks
		for _, p := range []struct {
			name string
			acts bool
		}{
			{"preflight", h.Preflight != nil},
			{"inbound", h.Inbound != nil},
			{"outbound", h.Outbound != nil},
			{"error", h.OnError != nil},
			{"final", h.Final != nil},
			{"done", h.Done != nil},
		} {
			if p.acts {
				phases = append(phases, p.name)
			}
		}
		authenticates = h.Authenticates
	})
	if err == nil && len(fields) > 0 {
		for i := range fields {
			fields[i].Pointer = strings.TrimPrefix(fields[i].Pointer, "/policies/0/config")
		}
		err = problem.Invalid("the configuration of policy "+kind+" is invalid", fields...)
	}
	return phases, authenticates, err
}

// compile compiles a unit with what it refers to, lets look see it where it has
// no mistakes, and gives it up again.
func (v *Validator) compile(document []byte, sets []unit.PolicySet, settings unit.Settings, look func(*table.Table)) (_ []problem.Field, err error) {
	var head struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(document, &head); err != nil {
		return []problem.Field{{Code: "format", Detail: "the unit is no JSON document of an API: " + err.Error()}}, nil
	}
	if head.ID == "" {
		return []problem.Field{{Pointer: "/id", Code: "required", Detail: "a unit has the id of its API"}}, nil
	}
	snap := source.Snapshot{Manifest: unit.Manifest{Group: "validator", Epoch: "1", Version: 1}, Units: map[unit.Hash][]byte{}}
	add := func(kind unit.Kind, name string, body any) {
		doc, hash, e := unit.Encode(body)
		err = errors.Join(err, e)
		snap.Refs = append(snap.Refs, unit.Ref{Kind: kind, Name: name, Hash: hash})
		snap.Units[hash] = doc
	}
	add(unit.KindSettings, "settings", settings)
	for _, s := range sets {
		add(unit.KindPolicySet, s.Name, s)
	}
	if err != nil {
		return nil, err
	}
	hash := unit.HashOf(document)
	snap.Refs = append(snap.Refs, unit.Ref{Kind: unit.KindAPI, Name: head.ID, Hash: hash})
	snap.Units[hash] = document

	log := slog.New(slog.DiscardHandler)
	counters, err := counter.New(counter.Options{Log: log})
	if err != nil {
		return nil, err
	}
	closed := &http.Client{Transport: refuses{}, Timeout: time.Second}
	keys := keyset.New(keyset.Options{HTTP: closed, Log: log})
	real := newUpstreams(log, v.guard, v.metrics, nil)
	secrets := v.Secrets
	if secrets == nil {
		secrets = longEnough
	}
	c := table.Compiler{
		Registry: v.registry, Log: log, Now: time.Now, Counters: counted{counters}, Credentials: identity.New(),
		KeySets: keys, Store: store.New(1<<20, time.Now), HTTP: closed, Secrets: secrets, SecretsStand: true, ConfigAt: "/config",
		NewUpstream: func(api string, cfg unit.Upstream, _ table.Upstream) (table.Upstream, error) {
			u, err := real(api, cfg, nil)
			if err != nil {
				return nil, err
			}
			u.Close()
			return notCalled{}, nil
		},
	}
	var live table.Live
	t, _ := c.Compile(snap, nil)
	live.Swap(t)
	defer func() {
		live.Close()
		keys.Close()
		err = errors.Join(err, counters.Close())
	}()
	if look != nil && len(t.Issues) == 0 {
		look(t)
	}
	return mistakes(t), nil
}

// mistakes lists what a table says is wrong, each once.
func mistakes(t *table.Table) []problem.Field {
	var out []problem.Field
	seen := map[problem.Field]bool{}
	for _, i := range t.Issues {
		for _, f := range i.Problems {
			if i.Kind == unit.KindPolicySet {
				f.Pointer = "/sets/" + i.Unit + f.Pointer
			}
			if !seen[f] {
				seen[f] = true
				out = append(out, f)
			}
		}
	}
	return out
}

// errClosed says that a validator calls nobody.
var errClosed = errors.New("nothing is called while a configuration is checked")

// refuses is a transport that calls nobody.
type refuses struct{}

// RoundTrip returns an error.
func (refuses) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return nil, errClosed
}

// longEnough stands for what a reference to a secret names on a gateway.
func longEnough(_, _ string) (string, error) { return strings.Repeat("x", 64), nil }
