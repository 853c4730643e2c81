package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

// ListSubscriptions lists subscriptions of own applications, or of all.
func (h *Handlers) ListSubscriptions(ctx context.Context, r ListSubscriptionsRequestObject) (ListSubscriptionsResponseObject, error) {
	reader, err := whose(ctx, "subscription:read", deref(r.Params.All))
	if err != nil {
		return nil, err
	}
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	s := h.kit.DB.For(p.Organization)
	f := store.SubscriptionFilter{
		Reader: reader, API: deref(r.Params.Api), Application: deref(r.Params.Application), Plan: deref(r.Params.Plan),
		Status: subscription.Status(deref(r.Params.Status)),
	}
	page, err := store.ListSubscriptions(ctx, s, f, httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, row := range page.Items {
		ids = append(ids, row.ApplicationID)
	}
	named, err := store.Named(ctx, s, ids)
	if err != nil {
		return nil, err
	}
	apps := make(map[string]store.Application, len(named))
	for _, a := range named {
		apps[a.ID] = a
	}
	out := SubscriptionList{Items: []Subscription{}, Next: text(page.Next)}
	for _, row := range page.Items {
		one, err := subscriptionOf(ctx, row, apps[row.ApplicationID])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, one)
	}
	return ListSubscriptions200JSONResponse(out), nil
}

func subscriptionOf(ctx context.Context, r store.Subscription, a store.Application) (Subscription, error) {
	possible, err := actions(ctx, r, a.OwnerID)
	if err != nil {
		return Subscription{}, err
	}
	out := Subscription{
		Id: r.ID, Version: r.Version, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy, UpdatedAt: r.UpdatedAt, Status: SubscriptionStatus(r.Status),
		Application: Named{Id: r.ApplicationID, Name: a.Name}, Owner: &Owner{Id: a.OwnerID, Name: a.OwnerName},
		Api: Named{Id: r.APIID, Name: r.APIName, Slug: text(r.APISlug)}, Plan: Named{Id: r.PlanID, Name: r.PlanName}, Project: r.ProjectID,
		Message: r.Message, History: []SubscriptionChange{}, Actions: []SubscriptionActions{},
	}
	for _, c := range r.History.V {
		out.History = append(out.History, SubscriptionChange{Status: SubscriptionStatus(c.Status), At: c.At, By: Owner{Id: c.By, Name: c.ByName}, Message: text(c.Message)})
	}
	for _, a := range possible {
		out.Actions = append(out.Actions, SubscriptionActions(a))
	}
	return out, nil
}

// find returns a subscription that the caller may see, with its application.
func (h *Handlers) subscription(ctx context.Context, s *db.Scope, id string, lock bool) (store.Subscription, store.Application, error) {
	p, err := caller(ctx)
	if err != nil {
		return store.Subscription{}, store.Application{}, err
	}
	r, err := store.FindSubscription(ctx, s, id, lock)
	if err != nil {
		return r, store.Application{}, err
	}
	named, err := store.Named(ctx, s, []string{r.ApplicationID})
	if err != nil {
		return r, store.Application{}, err
	}
	if len(named) == 0 {
		return r, store.Application{}, db.ErrNotFound
	}
	if named[0].OwnerID == p.Subject {
		return r, named[0], nil
	}
	ok, err := can(ctx, authn.Scope{Project: r.ProjectID, API: r.APIID}, "subscription:read", readsAPIs)
	if err == nil && !ok {
		err = db.ErrNotFound
	}
	return r, named[0], err
}

// GetSubscription answers with a subscription.
func (h *Handlers) GetSubscription(ctx context.Context, r GetSubscriptionRequestObject) (GetSubscriptionResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	row, a, err := h.subscription(ctx, h.kit.DB.For(p.Organization), r.Subscription, false)
	if err != nil {
		return nil, err
	}
	out, err := subscriptionOf(ctx, row, a)
	if err != nil {
		return nil, err
	}
	return GetSubscription200JSONResponse{Body: out, Headers: GetSubscription200ResponseHeaders{ETag: ptr(db.ETag(out.Version))}}, nil
}

// offer is a plan that can be subscribed to, with its API.
type offer struct {
	plan policy.Plan
	api  gateway.PublishedAPI
	// issuer is that of the organization's authorization server, "" = there is none.
	issuer string
}

// offer asks the owners of plans and APIs, rather than the catalogue, which may
// be a moment behind.
func (h *Handlers) offer(ctx context.Context, organization, plan string) (offer, error) {
	none := problem.Invalid("there is no such plan", problem.Field{Pointer: "/plan", Code: "reference", Detail: "choose a plan of a published API"})
	plans, err := bus.Ask(ctx, h.kit.Bus, policy.Plans{Organization: organization, IDs: []string{plan}})
	if err != nil {
		return offer{}, err
	}
	i := slices.IndexFunc(plans.Plans, func(p policy.Plan) bool { return p.ID == plan })
	if i < 0 {
		return offer{}, none
	}
	o := offer{plan: plans.Plans[i]}
	if o.plan.Tokens != nil {
		server, err := bus.Ask(ctx, h.kit.Bus, tenant.TokenServer{Organization: organization})
		if err != nil {
			return offer{}, err
		}
		o.issuer = server.Issuer
	}
	api, found, err := h.published(ctx, organization, o.plan.API)
	if err != nil {
		return offer{}, err
	}
	o.api = api
	if !found {
		return offer{}, none
	}
	if !api.Published { // who looks after the API may try it before
		ok, err := can(ctx, authn.Scope{Project: api.Project, API: api.ID}, decidesAbout)
		if err != nil {
			return offer{}, err
		}
		if !ok {
			return offer{}, none
		}
	}
	if !slices.Contains(api.Plans, plan) {
		return offer{}, problem.New(problem.CodeConflict, "the plan %s is not deployed yet: the API's owner has to deploy the API with it first", o.plan.Name)
	}
	return o, nil
}

// CreateSubscription subscribes an application to a plan.
func (h *Handlers) CreateSubscription(ctx context.Context, r CreateSubscriptionRequestObject) (CreateSubscriptionResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := h.known(ctx, p); err != nil {
		return nil, err
	}
	in := *r.Body
	if (in.Application == nil) == (in.NewApplication == nil) {
		return nil, problem.Invalid("which application is meant?", problem.Field{Pointer: "/application", Code: "required", Detail: "name an application, or describe a new one in newApplication"})
	}
	for _, needed := range needs(in) {
		if err := authn.Require(ctx, needed, authn.Scope{}); err != nil {
			return nil, err
		}
	}
	o, err := h.offer(ctx, p.Organization, in.Plan)
	if err != nil {
		return nil, err
	}
	status, err := subscription.Begin(subscription.Plan{
		Name: o.plan.Name, Security: o.plan.Security, Approval: o.plan.Approval, Status: o.plan.Status, Deprecated: o.api.Deprecated,
	})
	if err != nil {
		return nil, err
	}
	var shown shown
	out, err := httpx.Once(ctx, h.kit.DB, func(tx *db.Tx) (SubscriptionCreated, error) {
		return h.subscribe(ctx, tx, p, in, o, status, &shown)
	})
	if err != nil {
		return nil, h.undone(ctx, p.Organization, shown, err)
	}
	if out.Credential != nil {
		shown.show(out.Credential)
	}
	return CreateSubscription201JSONResponse{Body: out, Headers: CreateSubscription201ResponseHeaders{
		ETag: ptr(db.ETag(out.Subscription.Version)), Location: ptr("/api/v1/subscriptions/" + out.Subscription.Id),
	}}, nil
}

// needs lists what else a request needs the right to.
func needs(in NewSubscription) []string {
	var out []string
	if in.NewApplication != nil {
		out = append(out, "application:create")
	}
	if deref(in.CreateKey) {
		out = append(out, "credential:create")
	}
	return out
}

func (h *Handlers) subscribe(ctx context.Context, tx *db.Tx, p authn.Principal, in NewSubscription, o offer, status subscription.Status, shown *shown) (out SubscriptionCreated, err error) {
	s, now := tx.For(p.Organization), h.kit.DB.Now()
	var a store.Application
	if in.NewApplication != nil {
		a, err = h.makeApplication(ctx, tx, p, *in.NewApplication, "/newApplication")
	} else if a, err = h.application(ctx, s, *in.Application, "subscription:create", true); errors.Is(err, db.ErrNotFound) {
		err = problem.Invalid("there is no such application", problem.Field{Pointer: "/application", Code: "reference", Detail: "choose an application of yours"})
	}
	if err != nil {
		return out, err
	}
	id, err := store.NewID()
	if err != nil {
		return out, err
	}
	row := store.Subscription{
		ID: id, OrganizationID: p.Organization, ApplicationID: a.ID, APIID: o.api.ID, APIName: o.api.Name, APISlug: o.api.Slug, PlanID: o.plan.ID, PlanName: o.plan.Name,
		ProjectID: o.api.Project, Message: deref(in.Message), Version: 1, CreatedAt: now, CreatedBy: p.Subject, UpdatedAt: now,
	}
	row.Append(subscription.Change{Status: status, At: now, By: p.Subject, ByName: p.Name, Message: deref(in.Message)})
	open, err := store.SubscriptionsOf(ctx, s, a.ID)
	if err != nil {
		return out, err
	}
	for _, other := range open {
		if other.PlanID == row.PlanID {
			return out, problem.New(problem.CodeConflict, "the application %s has a subscription to the plan %s already, which is %s", a.Name, row.PlanName, other.Status)
		}
	}
	if err := store.CreateSubscription(ctx, s, &row); err != nil {
		return out, err
	}
	entry := service.Entry{Action: "subscription.created", Target: target("subscription", row.ID, a.Name+" → "+row.APIName+" / "+row.PlanName, row.ProjectID), After: state{row.Status, row.Message}}
	if err := h.record(ctx, tx, entry, subscriptionChanged(row), feedApplication(a)); err != nil {
		return out, err
	}
	if deref(in.CreateKey) {
		if out.Credential, err = h.firstCredential(ctx, tx, p, a, o, shown); err != nil {
			return out, err
		}
	}
	if out.Subscription, err = subscriptionOf(ctx, row, a); err != nil {
		return out, err
	}
	out.Plan = ptr(planOf(store.PlanOf(o.plan, o.issuer)))
	if out.Plan.Status != Published { // cannot be: Begin has seen to it
		out.Plan = nil
	}
	out.Application, err = h.counted(ctx, s, a)
	return out, err
}

func clipped(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// state is what the audit trail shows of a subscription.
type state struct {
	Status  subscription.Status `json:"status"`
	Message string              `json:"message,omitempty"`
}

// act does something with a subscription.
func (h *Handlers) act(ctx context.Context, id string, header *IfMatchOptional, action subscription.Action, d *Decision) (SubscriptionJSONResponse, error) {
	var out SubscriptionJSONResponse
	p, err := caller(ctx)
	if err != nil {
		return out, err
	}
	version, err := httpx.IfMatchOptional(deref(header))
	if err != nil {
		return out, err
	}
	message := ""
	if d != nil {
		message = deref(d.Message)
	}
	err = h.kit.DB.Tx(ctx, func(tx *db.Tx) error {
		s := tx.For(p.Organization)
		row, a, err := h.subscription(ctx, s, id, true)
		if err != nil {
			return err
		}
		allowed, err := may(ctx, p, action, row, a.OwnerID)
		if err != nil {
			return err
		}
		if !allowed {
			return problem.New(problem.CodeAccessDenied, "to %s this subscription is for who looks after the API: it needs %s and %s in its project", action, action.Permission(), decidesAbout)
		}
		if err := db.Expect(row.Version, version); err != nil {
			return err
		}
		next, err := subscription.Next(row.Status, action)
		if err != nil {
			return err
		}
		before := state{Status: row.Status}
		row.Append(subscription.Change{Status: next, At: h.kit.DB.Now(), By: p.Subject, ByName: p.Name, Message: message})
		if err := store.SaveSubscription(ctx, s, &row); err != nil {
			return err
		}
		if out.Body, err = subscriptionOf(ctx, row, a); err != nil {
			return err
		}
		out.Headers.ETag = ptr(db.ETag(row.Version))
		return h.record(ctx, tx, service.Entry{
			Action: "subscription." + action.Past(), Target: target("subscription", row.ID, a.Name+" → "+row.APIName+" / "+row.PlanName, row.ProjectID),
			Before: before, After: state{next, message},
		}, subscriptionChanged(row), feedApplication(a))
	})
	return out, err
}

// ApproveSubscription lets calls pass.
func (h *Handlers) ApproveSubscription(ctx context.Context, r ApproveSubscriptionRequestObject) (ApproveSubscriptionResponseObject, error) {
	out, err := h.act(ctx, r.Subscription, r.Params.IfMatch, subscription.Approve, r.Body)
	return ApproveSubscription200JSONResponse{out}, err
}

// RejectSubscription refuses a subscription.
func (h *Handlers) RejectSubscription(ctx context.Context, r RejectSubscriptionRequestObject) (RejectSubscriptionResponseObject, error) {
	out, err := h.act(ctx, r.Subscription, r.Params.IfMatch, subscription.Reject, r.Body)
	return RejectSubscription200JSONResponse{out}, err
}

// PauseSubscription stops calls for a while.
func (h *Handlers) PauseSubscription(ctx context.Context, r PauseSubscriptionRequestObject) (PauseSubscriptionResponseObject, error) {
	out, err := h.act(ctx, r.Subscription, r.Params.IfMatch, subscription.Pause, r.Body)
	return PauseSubscription200JSONResponse{out}, err
}

// ResumeSubscription lets calls pass again.
func (h *Handlers) ResumeSubscription(ctx context.Context, r ResumeSubscriptionRequestObject) (ResumeSubscriptionResponseObject, error) {
	out, err := h.act(ctx, r.Subscription, r.Params.IfMatch, subscription.Resume, r.Body)
	return ResumeSubscription200JSONResponse{out}, err
}

// CloseSubscription ends a subscription.
func (h *Handlers) CloseSubscription(ctx context.Context, r CloseSubscriptionRequestObject) (CloseSubscriptionResponseObject, error) {
	out, err := h.act(ctx, r.Subscription, r.Params.IfMatch, subscription.Close, r.Body)
	return CloseSubscription200JSONResponse{out}, err
}
