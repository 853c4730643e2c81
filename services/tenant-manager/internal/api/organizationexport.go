package api

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// portionLimit bounds asking a service for one portion of an export.
const portionLimit = 30 * time.Second

// ExportOrganization hands out all that the caller's organization has.
func (h *Handlers) ExportOrganization(ctx context.Context, _ ExportOrganizationRequestObject) (ExportOrganizationResponseObject, error) {
	if err := authn.Require(ctx, "organization:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	return h.export(ctx, caller(ctx).Organization)
}

// ExportPlatformOrganization hands out all that an organization has.
func (h *Handlers) ExportPlatformOrganization(ctx context.Context, r ExportPlatformOrganizationRequestObject) (ExportPlatformOrganizationResponseObject, error) {
	if _, err := h.platform(ctx, "platform:delete"); err != nil {
		return nil, err
	}
	return h.export(ctx, r.Id)
}

// export begins an archive, which is made as it is sent. Each service has been
// asked before it begins: where one is away, nobody gets half of it.
func (h *Handlers) export(ctx context.Context, organization string) (*exported, error) {
	o, err := h.store.For(organization).Organization(ctx)
	if err != nil {
		return nil, err
	}
	e := &exported{ctx: ctx, h: h, of: o}
	for _, p := range h.parts() {
		begun := begunPart{part: p}
		if begun.first, err = p.portion(ctx, tenant.Portion{Organization: o.ID}); err != nil {
			return nil, err
		}
		e.parts = append(e.parts, begun)
	}
	err = h.store.Tx(ctx, organization, "", func(tx *store.Tx) error { return h.recordBoth(ctx, tx, "organization.exported", o, nil, nil) })
	return e, err
}

// begunPart is the export of a service, with what it said first.
type begunPart struct {
	part
	first tenant.Exported
}

// exported is an archive on its way.
type exported struct {
	ctx   context.Context //nolint:containedctx // it is the request's, and an answer has no other way to it
	h     *Handlers
	of    store.Organization
	parts []begunPart
}

// VisitExportOrganizationResponse writes the archive.
func (e *exported) VisitExportOrganizationResponse(w http.ResponseWriter) error { return e.write(w) }

// VisitExportPlatformOrganizationResponse writes the archive.
func (e *exported) VisitExportPlatformOrganizationResponse(w http.ResponseWriter) error {
	return e.write(w)
}

func (e *exported) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.zip"`, e.of.Slug, e.h.store.Now().UTC().Format(time.DateOnly)))
	w.Header().Set("Cache-Control", "no-store")
	return e.archive(w)
}

// part is the export of one service.
type part struct {
	service string
	next    func(context.Context, tenant.Portion) (tenant.Exported, error)
}

func (h *Handlers) parts() []part {
	mine := h.store.Exporter()
	return []part{
		{tenant.Service, func(ctx context.Context, p tenant.Portion) (tenant.Exported, error) {
			return h.store.Portion(ctx, mine, p)
		}},
		{gateway.Service, func(ctx context.Context, p tenant.Portion) (tenant.Exported, error) {
			return bus.Ask(ctx, h.kit.Bus, gateway.Export{Portion: p})
		}},
		{policy.Service, func(ctx context.Context, p tenant.Portion) (tenant.Exported, error) {
			return bus.Ask(ctx, h.kit.Bus, policy.Export{Portion: p})
		}},
		{portal.Service, func(ctx context.Context, p tenant.Portion) (tenant.Exported, error) {
			return bus.Ask(ctx, h.kit.Bus, portal.Export{Portion: p})
		}},
		{analysis.Service, func(ctx context.Context, p tenant.Portion) (tenant.Exported, error) {
			return bus.Ask(ctx, h.kit.Bus, analysis.Export{Portion: p})
		}},
	}
}

// exportManifest ends an archive: one without it was broken off.
type exportManifest struct {
	Organization string         `json:"organization"`
	Slug         string         `json:"slug"`
	Name         string         `json:"name"`
	ExportedAt   time.Time      `json:"exportedAt"`
	Files        map[string]int `json:"files"`
}

func (p part) portion(ctx context.Context, ask tenant.Portion) (tenant.Exported, error) {
	ctx, cancel := context.WithTimeout(ctx, portionLimit)
	defer cancel()
	got, err := p.next(ctx, ask)
	if err != nil {
		return got, fmt.Errorf("exporting %s: %w", p.service, err)
	}
	return got, nil
}

func (e *exported) archive(to io.Writer) error {
	z, o := zip.NewWriter(to), e.of
	m := exportManifest{Organization: o.ID, Slug: o.Slug, Name: o.Name, ExportedAt: e.h.store.Now().UTC(), Files: map[string]int{}}
	for _, p := range e.parts {
		if err := p.write(e.ctx, z, m); err != nil {
			return err
		}
	}
	w, err := file(z, "manifest.json", m)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return fmt.Errorf("writing an export: %w", err)
	}
	return z.Close()
}

func file(z *zip.Writer, name string, m exportManifest) (io.Writer, error) {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: m.ExportedAt})
	if err != nil {
		return nil, fmt.Errorf("writing an export: %w", err)
	}
	return w, nil
}

// write writes the files of one service.
func (p *begunPart) write(ctx context.Context, z *zip.Writer, m exportManifest) error {
	var name string
	var w io.Writer
	for got := p.first; ; {
		var err error
		if len(got.Rows) > 0 {
			if next := p.service + "/" + got.Kind + ".ndjson"; next != name {
				name = next
				if w, err = file(z, name, m); err != nil {
					return err
				}
			}
			if _, err := w.Write(got.Rows); err != nil {
				return fmt.Errorf("writing an export: %w", err)
			}
			m.Files[name] += bytes.Count(got.Rows, []byte{'\n'})
		}
		if got.Next == "" {
			return nil
		}
		if got, err = p.portion(ctx, tenant.Portion{Organization: m.Organization, Cursor: got.Next}); err != nil {
			return err
		}
	}
}
