package api

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func platformDomainOf(d store.ClaimedDomain) PlatformDomain {
	out := PlatformDomain{
		Id: d.ID, Version: d.Version, Domain: d.Domain.Domain, Status: DomainStatus(d.Status()), VerifiedAt: utc(d.VerifiedAt), CheckedAt: utc(d.CheckedAt), CreatedAt: d.CreatedAt.UTC(),
		Organization: OrganizationName{Id: d.OrganizationID, Name: d.OrganizationName, Slug: d.OrganizationSlug},
	}
	if d.Method != "" {
		out.Method = ptr(DomainMethod(d.Method))
	}
	if d.Failure != "" {
		out.Failure = ptr(DomainFailure(d.Failure))
	}
	return out
}

// ListPlatformDomains returns a page of the domains that all organizations claim.
func (h *Handlers) ListPlatformDomains(ctx context.Context, r ListPlatformDomainsRequestObject) (ListPlatformDomainsResponseObject, error) {
	if _, err := h.platform(ctx, "platform:read"); err != nil {
		return nil, err
	}
	p := r.Params
	page := httpx.Page(p.Cursor, p.Limit, (*string)(nil))
	if page.Limit == 0 {
		page.Limit = 50
	}
	skip := 0
	if c := deref(p.Cursor); c != "" {
		raw, err := base64.RawURLEncoding.DecodeString(c)
		if err == nil {
			skip, err = strconv.Atoi(string(raw))
		}
		if err != nil || skip < 0 {
			return nil, invalid("/cursor", "format", "use the next of the page before")
		}
	}
	rows, err := h.store.AllDomains(ctx, store.DomainFilter{Search: strings.TrimSpace(deref(p.Q)), Status: string(deref(p.Status))}, skip, page.Limit+1)
	out := PlatformDomainList{Items: []PlatformDomain{}}
	for i, d := range rows {
		if i == page.Limit {
			out.Next = ptr(base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(skip + i))))
			break
		}
		out.Items = append(out.Items, platformDomainOf(d))
	}
	return ListPlatformDomains200JSONResponse(out), err
}

// VerifyPlatformDomain says that an organization runs a domain.
func (h *Handlers) VerifyPlatformDomain(ctx context.Context, r VerifyPlatformDomainRequestObject) (VerifyPlatformDomainResponseObject, error) {
	out, err := h.changePlatformDomain(ctx, r.Domain, r.Params.IfMatch, "domain.verified", strings.TrimSpace(r.Body.Reason), func(d *store.Domain) error {
		vouchFor(d, h.store.Now())
		return nil
	})
	return VerifyPlatformDomain200JSONResponse{Body: out, Headers: VerifyPlatformDomain200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// RevokePlatformDomain takes a domain from the organization that has it.
func (h *Handlers) RevokePlatformDomain(ctx context.Context, r RevokePlatformDomainRequestObject) (RevokePlatformDomainResponseObject, error) {
	out, err := h.changePlatformDomain(ctx, r.Domain, r.Params.IfMatch, "domain.revoked", "", func(d *store.Domain) error {
		if d.Verified == nil {
			return problem.New(problem.CodeConflict, "the organization does not have this domain")
		}
		d.Verified, d.Method, d.VerifiedAt, d.LostAt, d.Attempts = nil, "", nil, nil, 0
		d.NextCheckAt = nil // its record may still be there
		return nil
	})
	return RevokePlatformDomain200JSONResponse{Body: out, Headers: RevokePlatformDomain200ResponseHeaders{ETag: etag(out.Version)}}, err
}

func (h *Handlers) changePlatformDomain(ctx context.Context, id string, header *IfMatchOptional, action, reason string, change func(*store.Domain) error) (PlatformDomain, error) {
	if _, err := h.platform(ctx, "platform:update"); err != nil {
		return PlatformDomain{}, err
	}
	version, err := httpx.IfMatchOptional(deref(header))
	if err != nil {
		return PlatformDomain{}, err
	}
	claimed, err := h.store.DomainByID(ctx, id)
	if err != nil {
		return PlatformDomain{}, err
	}
	out := store.ClaimedDomain{}
	err = h.store.Tx(ctx, claimed.OrganizationID, "", func(tx *store.Tx) error {
		d, err := tx.Domain(ctx, id)
		if err != nil {
			return err
		}
		if err := db.Expect(d.Version, version); err != nil {
			return err
		}
		o, err := tx.Organization(ctx)
		if err != nil {
			return err
		}
		before := recordedDomainOf(d)
		if err := change(&d); err != nil {
			return err
		}
		if err := tx.SaveDomain(ctx, &d); err != nil {
			if errors.Is(err, store.ErrDomainTaken) {
				err = problem.New(problem.CodeConflict, "another organization has %s: take it from there first", d.Domain)
			}
			return err
		}
		out = store.ClaimedDomain{Domain: d, OrganizationName: o.Name, OrganizationSlug: o.Slug}
		after := recordedDomainOf(d)
		after.Reason = reason
		entry := service.Entry{
			Action: action, Target: audit.Target{Kind: "domain", ID: d.ID, Name: d.Domain}, Before: before, After: after, Organization: caller(ctx).Organization,
		}
		if err := h.kit.Audit(ctx, tx.DB(), entry); err != nil || o.ID == caller(ctx).Organization {
			return err
		}
		entry.Organization, entry.Actor = o.ID, platformActor
		return h.kit.Audit(ctx, tx.DB(), entry)
	})
	return platformDomainOf(out), err
}
