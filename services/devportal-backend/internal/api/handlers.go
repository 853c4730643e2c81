package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/clients"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/relay"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

// Handlers answer the requests of openapi.yaml.
type Handlers struct {
	kit     *service.Kit
	relay   *relay.Relay
	tries   *tryKeys
	clients *clients.Keeper
}

var _ StrictServerInterface = (*Handlers)(nil)

// New returns handlers.
func New(kit *service.Kit, r *relay.Relay, c *clients.Keeper) *Handlers {
	return &Handlers{kit: kit, relay: r, tries: newTryKeys(), clients: c}
}

// caller returns who calls. The server lets nobody else through where somebody
// must be signed in.
func caller(ctx context.Context) (authn.Principal, error) {
	p, ok := authn.From(ctx)
	if !ok {
		return p, authn.Missing()
	}
	return p, nil
}

// known keeps the organization of a caller, whose slug gateways need.
func (h *Handlers) known(ctx context.Context, p authn.Principal) (store.Organization, error) {
	o, err := store.OrganizationByID(ctx, h.kit.DB, p.Organization)
	if !errors.Is(err, db.ErrNotFound) {
		return o, err
	}
	// tenant-manager has not told of it yet; the token says all that is needed.
	o = store.Organization{ID: p.Organization, Slug: p.OrganizationSlug, Name: p.OrganizationSlug}
	return o, store.AddOrganization(ctx, h.kit.DB, o)
}

// visitor returns whose portal is looked at: the caller's own, or the one that is
// named, or the only one there is.
func (h *Handlers) visitor(ctx context.Context, query, header *string) (o store.Organization, signedIn bool, err error) {
	if p, ok := authn.From(ctx); ok {
		o, err := h.known(ctx, p)
		return o, true, err
	}
	slug := ""
	for _, s := range []*string{header, query} {
		if s != nil && *s != "" {
			slug = *s
		}
	}
	if slug != "" {
		o, err = store.OrganizationBySlug(ctx, h.kit.DB, slug)
	} else {
		o, err = store.OnlyOrganization(ctx, h.kit.DB)
	}
	switch {
	case errors.Is(err, db.ErrNotFound) && slug == "":
		return o, false, problem.New(problem.CodeNotFound, "say which organization's portal is meant: add ?organization= and its slug, or sign in")
	case errors.Is(err, db.ErrNotFound) || err == nil && o.Suspended:
		return o, false, problem.New(problem.CodeNotFound, "there is no portal of that organization")
	}
	return o, false, err
}

// reader is as visitor, for what only those see whom the portal is visible to.
func (h *Handlers) reader(ctx context.Context, query, header *string) (store.Organization, error) {
	o, signedIn, err := h.visitor(ctx, query, header)
	if err != nil || signedIn {
		return o, err
	}
	p, err := store.PortalOf(ctx, h.kit.DB.For(o.ID), o.Name, h.kit.DB.Now())
	if err != nil {
		return o, err
	}
	if p.Visibility != store.VisibilityPublic {
		return o, authn.Missing()
	}
	return o, nil
}

// Rights that tell who looks after APIs from who consumes them: a consumer has
// permissions on applications and subscriptions too, for its own.
const (
	readsAPIs    = "api:read"
	decidesAbout = "subscription:approve"
)

// whose says what of others a caller may read: everything, or what has to do with
// some projects.
func whose(ctx context.Context, permission string, all bool) (store.Reader, error) {
	p, err := caller(ctx)
	if err != nil {
		return store.Reader{}, err
	}
	if !all {
		return store.Reader{Owner: p.Subject}, nil
	}
	var lists [2]map[string]bool
	for i, needed := range []string{permission, readsAPIs} {
		scopes, err := authn.Scopes(ctx, needed)
		if err != nil {
			return store.Reader{}, err
		}
		projects, everywhere := map[string]bool{}, false
		for _, s := range scopes {
			switch s {
			case authn.Scope{}:
				everywhere = true
			case authn.Scope{Project: s.Project}:
				projects[s.Project] = true
			}
		}
		if everywhere {
			continue
		}
		if len(projects) == 0 {
			return store.Reader{}, authn.Denied(needed, authn.Scope{})
		}
		lists[i] = projects
	}
	switch {
	case lists[0] == nil && lists[1] == nil:
		return store.Reader{}, nil
	case lists[0] == nil:
		lists[0] = lists[1]
	case lists[1] == nil:
		lists[1] = lists[0]
	}
	r := store.Reader{Projects: []string{}}
	for p := range lists[0] {
		if lists[1][p] {
			r.Projects = append(r.Projects, p)
		}
	}
	return r, nil
}

// can reports whether the caller has all of some permissions in a scope.
func can(ctx context.Context, s authn.Scope, permissions ...string) (bool, error) {
	for _, p := range permissions {
		d, err := authn.Allow(ctx, p, s)
		if err != nil || !d.Allowed {
			return false, err
		}
	}
	return true, nil
}

// application returns an application that the caller may read, or change where
// lock is true. One that it may not does not exist.
func (h *Handlers) application(ctx context.Context, s *db.Scope, id, permission string, change bool) (store.Application, error) {
	p, err := caller(ctx)
	if err != nil {
		return store.Application{}, err
	}
	if change && strings.HasPrefix(permission, "credential:") { // the owner's own, whoever may what
		if err := authn.InPerson(ctx); err != nil {
			return store.Application{}, err
		}
	}
	a, err := store.FindApplication(ctx, s, id, change)
	if err != nil || a.OwnerID == p.Subject {
		return a, err
	}
	needed := readsAPIs
	if change {
		needed = decidesAbout
	}
	ok, err := can(ctx, authn.Scope{}, permission, needed)
	if err != nil || ok {
		return a, err
	}
	if !change { // a publisher sees who subscribed to APIs of its projects
		r, err := whose(ctx, permission, true)
		var refused *problem.Problem
		switch {
		case errors.As(err, &refused) && refused.Code == problem.CodeAccessDenied:
		case err != nil:
			return store.Application{}, err
		default:
			list, err := store.ListSubscriptions(ctx, s, store.SubscriptionFilter{Reader: r, Application: id}, db.PageRequest{Limit: 1})
			if err != nil {
				return store.Application{}, err
			}
			if len(list.Items) > 0 {
				return a, nil
			}
		}
	}
	return store.Application{}, db.ErrNotFound
}

// actions says what the caller may do with a subscription now.
func actions(ctx context.Context, r store.Subscription, owner string) ([]subscription.Action, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	out := []subscription.Action{}
	for _, a := range subscription.Possible(r.Status) {
		ok, err := may(ctx, p, a, r, owner)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, a)
		}
	}
	return out, nil
}

// may reports whether a caller may do something with a subscription: its owner
// may end it, who decides about the API's subscriptions may do everything.
func may(ctx context.Context, p authn.Principal, a subscription.Action, r store.Subscription, owner string) (bool, error) {
	if a == subscription.Close && owner == p.Subject {
		return can(ctx, authn.Scope{}, a.Permission())
	}
	return can(ctx, authn.Scope{Project: r.ProjectID, API: r.APIID}, a.Permission(), decidesAbout)
}

// record emits what follows from a change: the entry of the audit trail, and the
// events.
func (h *Handlers) record(ctx context.Context, tx *db.Tx, e service.Entry, events ...bus.Event) error {
	for _, ev := range events {
		key := ""
		switch ev := ev.(type) {
		case portal.FeedChanged:
			key = "feed:" + ev.Application + ev.Credential
		case portal.SubscriptionChanged:
			key = "subscription:" + ev.Subscription
		default:
			return fmt.Errorf("an event %T without a key", ev)
		}
		if err := service.Emit(tx, key, ev); err != nil {
			return err
		}
	}
	return h.kit.Audit(ctx, tx, e)
}

func target(kind, id, name, project string) audit.Target {
	return audit.Target{Kind: kind, ID: id, Name: name, Project: project}
}

// feedApplication says that gateways must learn of an application anew.
func feedApplication(a store.Application) bus.Event {
	return portal.FeedChanged{Organization: a.OrganizationID, Application: a.ID}
}

// feedCredential says that gateways must learn of a credential anew.
func feedCredential(c store.Credential) bus.Event {
	return portal.FeedChanged{Organization: c.OrganizationID, Application: c.ApplicationID, Credential: c.ID}
}

func subscriptionChanged(r store.Subscription) bus.Event {
	return portal.SubscriptionChanged{
		Organization: r.OrganizationID, Subscription: r.ID, Application: r.ApplicationID, API: r.APIID, Plan: r.PlanID, Status: string(r.Status),
	}
}

// published asks gateway-manager what an API is now.
func (h *Handlers) published(ctx context.Context, organization, id string) (gateway.PublishedAPI, bool, error) {
	list, err := bus.Ask(ctx, h.kit.Bus, gateway.Published{Organization: organization, APIs: []string{id}})
	if err != nil {
		return gateway.PublishedAPI{}, false, err
	}
	for _, a := range list.APIs {
		if a.ID == id {
			return a, true, nil
		}
	}
	return gateway.PublishedAPI{}, false, nil
}

func ptr[T any](v T) *T { return &v }

// text returns a pointer to s, or nil where it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
