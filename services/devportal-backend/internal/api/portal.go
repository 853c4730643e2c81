package api

import (
	"context"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
)

// GetPortal answers how the portal looks.
func (h *Handlers) GetPortal(ctx context.Context, r GetPortalRequestObject) (GetPortalResponseObject, error) {
	o, _, err := h.visitor(ctx, r.Params.Organization, r.Params.XGatehouseOrganization)
	if err != nil {
		return nil, err
	}
	p, err := store.PortalOf(ctx, h.kit.DB.For(o.ID), o.Name, h.kit.DB.Now())
	if err != nil {
		return nil, err
	}
	return GetPortal200JSONResponse{Body: portalOf(p, o), Headers: GetPortal200ResponseHeaders{ETag: ptr(db.ETag(p.Version))}}, nil
}

// settings are what can be changed of a portal.
type settings struct {
	Title      string           `json:"title"`
	Tagline    string           `json:"tagline"`
	Accent     string           `json:"accent"`
	Visibility PortalVisibility `json:"visibility"`
	SignUp     PortalSignUp     `json:"signUp"`
}

func settingsOf(p store.Portal) settings {
	return settings{p.Title, p.Tagline, p.Accent, PortalVisibility(p.Visibility), PortalSignUp(p.SignUp)}
}

// UpdatePortal changes how the portal looks.
func (h *Handlers) UpdatePortal(ctx context.Context, r UpdatePortalRequestObject) (UpdatePortalResponseObject, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "portal:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	o, err := h.known(ctx, who)
	if err != nil {
		return nil, err
	}
	var p store.Portal
	err = h.kit.DB.Tx(ctx, func(tx *db.Tx) error {
		s := tx.For(o.ID)
		var err error
		if p, err = store.PortalOf(ctx, s, o.Name, h.kit.DB.Now()); err != nil {
			return err
		}
		before := settingsOf(p)
		after, err := httpx.Merge(ctx, before)
		if err != nil {
			return err
		}
		if strings.TrimSpace(after.Title) == "" {
			return problem.Invalid("the change does not fit", problem.Field{Pointer: "/title", Code: "required", Detail: "give the portal a title"})
		}
		p.Title, p.Tagline, p.Accent = after.Title, after.Tagline, after.Accent
		p.Visibility, p.SignUp = string(after.Visibility), string(after.SignUp)
		p.CreatedBy, p.Version = who.Subject, version
		if version == db.AnyVersion {
			p.Version = 1
			if now, err := store.PortalOf(ctx, s, o.Name, h.kit.DB.Now()); err == nil {
				p.Version = now.Version
			}
		}
		if err := store.SavePortal(ctx, s, &p); err != nil {
			return err
		}
		return h.record(ctx, tx, service.Entry{Action: "portal.updated", Target: target("portal", p.ID, p.Title, ""), Before: before, After: settingsOf(p)})
	})
	if err != nil {
		return nil, err
	}
	return UpdatePortal200JSONResponse{Body: portalOf(p, o), Headers: UpdatePortal200ResponseHeaders{ETag: ptr(db.ETag(p.Version))}}, nil
}

func portalOf(p store.Portal, o store.Organization) Portal {
	return Portal{
		Version: p.Version, Organization: PortalOrganization{Slug: o.Slug, Name: o.Name}, Title: p.Title, Tagline: p.Tagline, Accent: p.Accent,
		Visibility: PortalVisibility(p.Visibility), SignUp: PortalSignUp(p.SignUp), UpdatedAt: p.UpdatedAt,
	}
}
