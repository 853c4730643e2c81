package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/apis"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/check"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

// Handlers are the operations of the API.
type Handlers struct {
	Kit   *service.Kit
	Store *store.Store
	Types *catalogue.Catalogue
	Check *check.Checker
	APIs  *apis.Known
	// LimitMode says where limits of plans count that do not say it themselves.
	LimitMode string
	// Subscriptions returns how many subscriptions a plan has that are not closed.
	Subscriptions func(ctx context.Context, organization, plan string) (int64, error)
}

var _ StrictServerInterface = (*Handlers)(nil)

// caller returns who calls; httpx has seen to it that somebody does.
func caller(ctx context.Context) authn.Principal {
	p, _ := authn.From(ctx)
	return p
}

// mine returns what the caller's organization has.
func (h *Handlers) mine(ctx context.Context) *store.Organization {
	return h.Store.For(caller(ctx).Organization)
}

// change runs fn in a transaction of the caller's organization.
func (h *Handlers) change(ctx context.Context, fn func(o *store.Organization) error) error {
	return h.Store.Change(ctx, caller(ctx).Organization, fn)
}

// api returns an API on which the caller has a permission.
func (h *Handlers) api(ctx context.Context, id, permission string) (gateway.API, error) {
	a, err := h.APIs.API(ctx, caller(ctx).Organization, id)
	if err != nil {
		return a, err
	}
	return a, authn.Require(ctx, permission, authn.Scope{Project: a.Project, API: a.ID})
}

// version reads an If-Match header.
func version(header *IfMatchParam) (int64, error) {
	if header == nil {
		return httpx.IfMatch("")
	}
	return httpx.IfMatch(*header)
}

// audit records a change in its transaction. Secrets must be masked before.
func (h *Handlers) audit(ctx context.Context, o *store.Organization, action string, target audit.Target, before, after any) error {
	return h.Kit.Audit(ctx, o.Tx(), service.Entry{Action: action, Target: target, Before: before, After: after})
}

// refuse is the problem of what gateways would not take.
func refuse(what string, fields []problem.Field) error {
	return problem.Invalid(what+" cannot be used like this; nothing was changed", fields...)
}

// sets returns the policy sets of slugs as gateways get them, policies that are
// disabled left out.
func (h *Handlers) sets(ctx context.Context, slugs []string) ([]unit.PolicySet, error) {
	found, err := h.mine(ctx).SetsBySlug(ctx, slugs)
	if err != nil {
		return nil, err
	}
	out := make([]unit.PolicySet, len(found))
	for i := range found {
		out[i] = found[i].Unit()
	}
	return out, nil
}

// hold keeps the sets from being deleted until the transaction ends.
func hold(ctx context.Context, o *store.Organization, slugs []string) error {
	there, err := o.LockSets(ctx, slugs)
	if err != nil {
		return err
	}
	for _, s := range slugs {
		if !slices.Contains(there, s) {
			return problem.New(problem.CodeConflict, "the policy set %s was deleted meanwhile", s)
		}
	}
	return nil
}

// input reads policies that were handed in.
func input(in []PolicyInput) []policies.Policy {
	out := make([]policies.Policy, len(in))
	for i, p := range in {
		out[i] = policies.Policy{
			ID: value(p.Id), Type: value(p.Type), Name: value(p.Name), When: value(p.When), Set: value(p.Set),
			Disabled: p.Enabled != nil && !*p.Enabled,
		}
		if p.Config != nil && string(*p.Config) != "null" {
			out[i].Config = *p.Config
		}
	}
	return out
}

// output shows policies, with secrets masked.
func (h *Handlers) output(list []policies.Policy) []Policy {
	out := make([]Policy, len(list))
	for i, p := range policies.Hide(list, h.Types) {
		out[i] = Policy{Id: p.ID, Enabled: !p.Disabled, Type: set(p.Type), Name: set(p.Name), When: set(p.When), Set: set(p.Set), Config: raw(p.Config)}
	}
	return out
}

func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// set returns a pointer to what is not empty.
func set[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func raw(b json.RawMessage) *json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	return &b
}

// page reads the parameters of a list.
func page(cursor *CursorParam, limit *LimitParam, sort *ListPolicySetsParamsSort) db.PageRequest {
	return httpx.Page(cursor, limit, sort)
}

// fields shows mistakes.
func fields(in []problem.Field, prefix string) []FieldProblem {
	out := make([]FieldProblem, len(in))
	for i, f := range in {
		out[i] = FieldProblem{Pointer: prefix + f.Pointer, Code: f.Code, Detail: f.Detail, Source: set(f.Source)}
	}
	return out
}

// plain trims what people type.
func plain(s string) string { return strings.TrimSpace(s) }
