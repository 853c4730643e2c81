package fleet

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// TokenPrefix begins every join token, so that scanners for leaked secrets find
// it.
const TokenPrefix = "ghj_"

// NewToken returns a fresh join token of 260 random bits. It is a secret.
func NewToken() string { return TokenPrefix + rand.Text() + rand.Text() }

// HashToken returns what is kept of a join token. Tokens are long and random, so
// that a plain hash cannot be guessed back.
func HashToken(token string) string { return string(unit.HashOf([]byte(token))) }

// Fleet takes gateways in.
type Fleet struct {
	Store *store.Store
	Now   func() time.Time
	// Audit records a change in its transaction.
	Audit func(ctx context.Context, tx *db.Tx, e service.Entry) error
	// Heartbeat is how often gateways are to report.
	Heartbeat time.Duration
}

// The bounds of what a gateway may say of itself.
const (
	maxName      = 64
	maxBuild     = 200
	maxListeners = 32
	maxIssues    = 200
	maxDetail    = 1000
)

func refused() error {
	return problem.New(problem.CodeCredentialInvalid, "there is no such organization, gateway group and join token: look at organization, group and joinToken in the gateway's configuration")
}

// member finds the group of who comes with a token.
func (f *Fleet) member(ctx context.Context, organization, group, token string) (*store.Org, store.Organization, store.Group, store.JoinToken, error) {
	fail := func(err error) (*store.Org, store.Organization, store.Group, store.JoinToken, error) {
		if errors.Is(err, db.ErrNotFound) {
			err = refused()
		}
		return nil, store.Organization{}, store.Group{}, store.JoinToken{}, err
	}
	org, err := f.Store.OrganizationBySlug(ctx, organization)
	if err != nil {
		return fail(err)
	}
	o := f.Store.For(org.ID)
	g, err := o.GroupBySlug(ctx, group)
	if err != nil {
		return fail(err)
	}
	t, err := o.JoinToken(ctx, g.ID, HashToken(token))
	if err != nil {
		return fail(err)
	}
	if t.ExpiresAt != nil && !f.Now().Before(*t.ExpiresAt) {
		return fail(problem.New(problem.CodeCredentialExpired, "the join token expired at %s: make a new one for the gateway group", t.ExpiresAt.Format(time.RFC3339)))
	}
	return o, org, g, t, nil
}

// Description is what the audit trail keeps of a gateway.
type Description struct {
	Group     string   `json:"group"`
	Instance  string   `json:"instance"`
	Build     string   `json:"build,omitempty"`
	Listeners []string `json:"listeners,omitempty"`
}

// Described returns what the audit trail keeps of a gateway.
func Described(gw store.Gateway) Description {
	return Description{gw.GroupID, gw.Instance, gw.Build, gw.Listeners.V}
}

// joined is the entry of a gateway that has started, and came with a join token.
func joined(organization string, gw store.Gateway, t store.JoinToken, before any) service.Entry {
	return service.Entry{
		Action: "gateway.joined", Target: audit.Target{Kind: "gateway", ID: gw.ID, Name: gw.Name}, Before: before, After: Described(gw),
		Organization: organization, Actor: audit.Actor{Kind: "gateway", ID: gw.ID, Name: gw.Name, Token: t.ID, TokenName: t.Name}, Via: audit.ViaService,
	}
}

// Register takes a gateway into its group.
func (f *Fleet) Register(ctx context.Context, r gateway.Register) (gateway.Registered, error) {
	o, org, g, token, err := f.member(ctx, r.Organization, r.Group, r.Token)
	if err != nil {
		return gateway.Registered{}, err
	}
	if r.Gateway == "" || len(r.Gateway) > maxName || strings.ContainsAny(r.Gateway, " .*>") || len(r.Instance) > maxName {
		return gateway.Registered{}, problem.Invalid("the gateway's name is not right", problem.Field{
			Pointer: "/gateway", Code: "format", Detail: "a name has 1 to 64 letters, digits, hyphens and underscores",
		})
	}
	keys, err := o.SigningKeys(ctx)
	if err != nil {
		return gateway.Registered{}, err
	}
	env, err := o.Environment(ctx, g.EnvironmentID)
	if err != nil {
		return gateway.Registered{}, fmt.Errorf("reading the environment: %w", err)
	}
	now := f.Store.DB().Now()
	gw := store.Gateway{GroupID: g.ID, Name: r.Gateway, CreatedAt: now}
	var before any
	err = f.Store.Tx(ctx, func(tx *db.Tx) error {
		o := f.Store.In(tx, org.ID)
		known, err := o.GatewayNamed(ctx, g.ID, r.Gateway)
		if err == nil {
			gw, before = known, Described(known)
		} else if !errors.Is(err, db.ErrNotFound) {
			return err
		}
		again := gw.ID != "" && gw.Instance == r.Instance // it runs on, and asks anew
		gw.Instance, gw.Build, gw.Listeners.V = r.Instance, short(r.Build, maxBuild), listeners(r.Listeners)
		gw.StartedAt, gw.LastSeenAt, gw.Stopped, gw.Announced = started(r.Started, now), now, false, store.Healthy
		if gw.ID == "" {
			err = o.CreateGateway(ctx, &gw)
		} else {
			err = o.RejoinGateway(ctx, &gw)
		}
		if err != nil {
			return err
		}
		if err := o.UsedJoinToken(ctx, token.ID); err != nil {
			return err
		}
		if !again {
			if err := f.Audit(ctx, tx, joined(org.ID, gw, token, before)); err != nil {
				return err
			}
		}
		return Tell(tx, gateway.FleetChanged{Organization: org.ID, Group: g.ID, Gateway: gw.ID, Time: now})
	})
	if err != nil {
		return gateway.Registered{}, fmt.Errorf("taking gateway %s in: %w", r.Gateway, err)
	}
	answer := gateway.Registered{
		Gateway: gw.ID, Group: g.ID, Environment: env.ID, Organization: org.ID, EnvironmentName: env.Name,
		Heartbeat: f.Heartbeat, Time: f.Now().UTC(),
	}
	for _, k := range keys {
		if public, ok := k.Public().(ed25519.PublicKey); ok {
			answer.ManifestKeys = append(answer.ManifestKeys, public)
		}
	}
	return answer, nil
}

func started(t, now time.Time) time.Time {
	if t.IsZero() || t.After(now) {
		return now
	}
	return t.UTC().Truncate(time.Microsecond)
}

func listeners(list []string) []string {
	if len(list) > maxListeners {
		list = list[:maxListeners]
	}
	out := make([]string, len(list))
	for i, l := range list {
		out[i] = short(l, maxBuild)
	}
	return out
}

func short(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// Report takes in how a gateway is.
func (f *Fleet) Report(ctx context.Context, r gateway.Report) (gateway.Reported, error) {
	o, org, g, _, err := f.member(ctx, r.Organization, r.Group, r.Token)
	if err != nil {
		return gateway.Reported{}, err
	}
	answer := gateway.Reported{Time: f.Now().UTC()}
	was, err := o.GatewayNamed(ctx, g.ID, r.Gateway)
	if errors.Is(err, db.ErrNotFound) || err == nil && was.Instance != r.Instance {
		answer.Again = true
		return answer, nil
	}
	if err != nil {
		return gateway.Reported{}, fmt.Errorf("reading gateway %s: %w", r.Gateway, err)
	}
	now := f.Store.DB().Now()
	gw := was
	gw.LastSeenAt, gw.Stopped, gw.Epoch = now, r.Stopping, short(r.Epoch, maxName)
	gw.AppliedVersion = int64(min(r.Version, 1<<62))
	gw.APIs, gw.InFlight, gw.Requests, gw.Memory = max(r.APIs, 0), max(r.InFlight, 0), max(r.Requests, 0), max(r.Memory, 0)
	gw.Issues.V = issues(r.Issues)
	if !r.Time.IsZero() {
		gw.ClockSkewMS = r.Time.Sub(now).Milliseconds()
	}
	gw.Announced = gw.State(now)
	changed := gw.Epoch != was.Epoch || gw.AppliedVersion != was.AppliedVersion || gw.Announced != was.Announced ||
		(len(gw.Issues.V) > 0 || len(was.Issues.V) > 0) && !reflect.DeepEqual(gw.Issues.V, was.Issues.V)
	err = f.Store.Tx(ctx, func(tx *db.Tx) error {
		o := f.Store.In(tx, org.ID)
		if err := o.ReportGateway(ctx, &gw); err != nil || !changed {
			return err
		}
		return Follow(ctx, tx, o, &g, gateway.FleetChanged{Organization: org.ID, Group: g.ID, Gateway: gw.ID, Version: r.Version, Time: now}, now)
	})
	if errors.Is(err, db.ErrNotFound) {
		answer.Again = true // it was forgotten meanwhile
		return answer, nil
	}
	if err != nil {
		return gateway.Reported{}, fmt.Errorf("taking in the report of gateway %s: %w", r.Gateway, err)
	}
	return answer, nil
}

func issues(list []gateway.Issue) []gateway.Issue {
	if len(list) > maxIssues {
		list = list[:maxIssues]
	}
	out := make([]gateway.Issue, len(list))
	for i, e := range list {
		out[i] = gateway.Issue{
			Kind: short(e.Kind, maxName), Name: short(e.Name, maxBuild), Pointer: short(e.Pointer, maxDetail), Detail: short(e.Detail, maxDetail), Serving: short(e.Serving, maxName),
		}
	}
	return out
}
