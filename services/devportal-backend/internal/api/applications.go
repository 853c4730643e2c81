package api

import (
	"context"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

// ListApplications lists own applications, or those of all.
func (h *Handlers) ListApplications(ctx context.Context, r ListApplicationsRequestObject) (ListApplicationsResponseObject, error) {
	reader, err := whose(ctx, "application:read", deref(r.Params.All))
	if err != nil {
		return nil, err
	}
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	s := h.kit.DB.For(p.Organization)
	page, err := store.ListApplications(ctx, s, store.ApplicationFilter{Reader: reader, Search: deref(r.Params.Q)}, httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	counts, err := store.CountsOf(ctx, s, page.Items, h.kit.DB.Now())
	if err != nil {
		return nil, err
	}
	out := ApplicationList{Items: []Application{}, Next: text(page.Next)}
	for _, a := range page.Items {
		out.Items = append(out.Items, applicationOf(a, counts[a.ID]))
	}
	return ListApplications200JSONResponse(out), nil
}

func applicationOf(a store.Application, c store.Counts) Application {
	return Application{
		Id: a.ID, Version: a.Version, CreatedAt: a.CreatedAt, CreatedBy: a.CreatedBy, UpdatedAt: a.UpdatedAt, Name: a.Name, Description: a.Description,
		Owner: Owner{Id: a.OwnerID, Name: a.OwnerName}, Subscriptions: SubscriptionCounts{Active: c.Active, Pending: c.Pending, Paused: c.Paused}, Credentials: c.Credentials,
	}
}

// counted returns an application as the API shows it.
func (h *Handlers) counted(ctx context.Context, s *db.Scope, a store.Application) (Application, error) {
	counts, err := store.CountsOf(ctx, s, []store.Application{a}, h.kit.DB.Now())
	if err != nil {
		return Application{}, err
	}
	return applicationOf(a, counts[a.ID]), nil
}

// make makes an application of the caller's.
func (h *Handlers) makeApplication(ctx context.Context, tx *db.Tx, p authn.Principal, n NewApplication, pointer string) (store.Application, error) {
	name := strings.TrimSpace(n.Name)
	if name == "" {
		return store.Application{}, problem.Invalid("the application has no name", problem.Field{Pointer: pointer + "/name", Code: "required", Detail: "give it a name that you will know it by"})
	}
	if err := store.Room(ctx, tx, p.Organization); err != nil {
		return store.Application{}, err
	}
	id, err := store.NewID()
	if err != nil {
		return store.Application{}, err
	}
	now := h.kit.DB.Now()
	owner := p.Name
	if owner == "" {
		owner = p.Email
	}
	a := store.Application{
		ID: id, OrganizationID: p.Organization, Name: name, Description: deref(n.Description), OwnerID: p.Subject, OwnerName: owner,
		CreatedBy: p.Subject, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := store.CreateApplication(ctx, tx.For(p.Organization), &a); err != nil {
		return a, err
	}
	return a, h.record(ctx, tx, service.Entry{Action: "application.created", Target: target("application", a.ID, a.Name, ""), After: details(a)}, feedApplication(a))
}

// applicationDetails are what the audit trail shows of an application.
type applicationDetails struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

func details(a store.Application) applicationDetails {
	return applicationDetails{a.Name, a.Description}
}

// CreateApplication makes an application.
func (h *Handlers) CreateApplication(ctx context.Context, r CreateApplicationRequestObject) (CreateApplicationResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := h.known(ctx, p); err != nil {
		return nil, err
	}
	out, err := httpx.Once(ctx, h.kit.DB, func(tx *db.Tx) (Application, error) {
		a, err := h.makeApplication(ctx, tx, p, *r.Body, "")
		return applicationOf(a, store.Counts{}), err
	})
	if err != nil {
		return nil, err
	}
	return CreateApplication201JSONResponse{Body: out, Headers: CreateApplication201ResponseHeaders{
		ETag: ptr(db.ETag(out.Version)), Location: ptr("/api/v1/applications/" + out.Id),
	}}, nil
}

// GetApplication answers with an application.
func (h *Handlers) GetApplication(ctx context.Context, r GetApplicationRequestObject) (GetApplicationResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	s := h.kit.DB.For(p.Organization)
	a, err := h.application(ctx, s, r.Application, "application:read", false)
	if err != nil {
		return nil, err
	}
	out, err := h.counted(ctx, s, a)
	if err != nil {
		return nil, err
	}
	return GetApplication200JSONResponse{Body: out, Headers: GetApplication200ResponseHeaders{ETag: ptr(db.ETag(out.Version))}}, nil
}

// UpdateApplication changes name and description.
func (h *Handlers) UpdateApplication(ctx context.Context, r UpdateApplicationRequestObject) (UpdateApplicationResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	var out Application
	err = h.kit.DB.Tx(ctx, func(tx *db.Tx) error {
		s := tx.For(p.Organization)
		a, err := h.application(ctx, s, r.Application, "application:update", true)
		if err != nil {
			return err
		}
		before := details(a)
		after, err := httpx.Merge(ctx, before)
		if err != nil {
			return err
		}
		if after.Name = strings.TrimSpace(after.Name); after.Name == "" {
			return problem.Invalid("the change does not fit", problem.Field{Pointer: "/name", Code: "required", Detail: "an application has a name"})
		}
		a.Name, a.Description, a.Version = after.Name, after.Description, version
		if err := store.SaveApplication(ctx, s, &a); err != nil {
			return err
		}
		if out, err = h.counted(ctx, s, a); err != nil {
			return err
		}
		return h.record(ctx, tx, service.Entry{Action: "application.updated", Target: target("application", a.ID, a.Name, ""), Before: before, After: details(a)}, feedApplication(a))
	})
	if err != nil {
		return nil, err
	}
	return UpdateApplication200JSONResponse{Body: out, Headers: UpdateApplication200ResponseHeaders{ETag: ptr(db.ETag(out.Version))}}, nil
}

// DeleteApplication ends an application with all that it has.
func (h *Handlers) DeleteApplication(ctx context.Context, r DeleteApplicationRequestObject) (DeleteApplicationResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	err = h.kit.DB.Tx(ctx, func(tx *db.Tx) error {
		s, now := tx.For(p.Organization), h.kit.DB.Now()
		a, err := h.application(ctx, s, r.Application, "application:delete", true)
		if err != nil {
			return err
		}
		a.Version = version
		if err := store.DeleteApplication(ctx, s, &a, now); err != nil {
			return err
		}
		events := []bus.Event{feedApplication(a)}
		open, err := store.SubscriptionsOf(ctx, s, a.ID)
		if err != nil {
			return err
		}
		for i := range open {
			open[i].Append(subscription.Change{Status: subscription.Closed, At: now, By: p.Subject, ByName: p.Name, Message: "The application was deleted."})
			if err := store.SaveSubscription(ctx, s, &open[i]); err != nil {
				return err
			}
			events = append(events, subscriptionChanged(open[i]))
		}
		keys, err := store.Unrevoked(ctx, s, a.ID)
		if err != nil {
			return err
		}
		for i := range keys {
			keys[i].RevokedAt = &now
			if err := store.SaveCredential(ctx, s, &keys[i]); err != nil {
				return err
			}
			events = append(events, feedCredential(keys[i]))
		}
		return h.record(ctx, tx, service.Entry{Action: "application.deleted", Target: target("application", a.ID, a.Name, ""), Before: details(a)}, events...)
	})
	if err != nil {
		return nil, err
	}
	return DeleteApplication204Response{}, nil
}
