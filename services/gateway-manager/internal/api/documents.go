package api

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

func field(pointer, code, detail string) error {
	return problem.Invalid(detail, problem.Field{Pointer: pointer, Code: code, Detail: detail})
}

// read reads the document of a request: what was sent, or what is at an address.
func (h *Handlers) read(ctx context.Context, text, url *string) (*document.Document, string, error) {
	var raw []byte
	at := "/document"
	switch {
	case (text == nil) == (url == nil):
		return nil, "", field("/document", "oneOf", "send either the document or the url where it is")
	case text != nil:
		raw = []byte(*text)
	default:
		at = "/url"
		var err error
		if raw, err = h.Fetcher.Fetch(ctx, *url); err != nil {
			return nil, "", field(at, "invalid", "the document cannot be fetched: "+err.Error())
		}
	}
	d, err := document.Read(raw)
	if err != nil {
		return nil, "", field(at, "invalid", err.Error())
	}
	return d, get(url), nil
}

func warnings(list []document.Warning) []ImportWarning {
	out := make([]ImportWarning, len(list))
	for i, w := range list {
		out[i] = ImportWarning{Code: w.Code, Pointer: some(w.Pointer), Detail: w.Detail}
	}
	return out
}

// ImportApi makes an API of an OpenAPI document.
func (h *Handlers) ImportApi(ctx context.Context, r ImportApiRequestObject) (ImportApiResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	p, err := h.project(ctx, c, r.Body.Project)
	if err != nil {
		return nil, err
	}
	doc, from, err := h.read(ctx, r.Body.Document, r.Body.Url)
	if err != nil {
		return nil, err
	}
	d, err := h.imported(ctx, c, r.Body, doc, from)
	if err != nil {
		return nil, err
	}
	a := store.API{
		ProjectID: p.ID, Slug: get(r.Body.Slug), DocumentFormat: doc.Format, DocumentTitle: doc.Title, DocumentSize: int64(len(doc.JSON)),
	}
	if get(r.Body.DryRun) {
		out, err := h.dry(ctx, c, a, d)
		return ImportApi200JSONResponse{Api: out, Operations: len(doc.Operations), Warnings: warnings(doc.Warnings)}, err
	}
	if err := h.right(ctx, c.Organization, d); err != nil {
		return nil, err
	}
	made, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (ApiImported, error) {
		if err := h.Store.In(tx, c.Organization).PutDocument(ctx, doc.Hash, doc.JSON); err != nil {
			return ApiImported{}, err
		}
		out, err := h.create(ctx, tx, c, a, d, r.Body.Slug != nil)
		return ApiImported{Api: out, Operations: len(doc.Operations), Warnings: warnings(doc.Warnings)}, err
	})
	if err != nil {
		return nil, err
	}
	return ImportApi201JSONResponse{Body: made, Headers: ImportApi201ResponseHeaders{ETag: etag(made.Api.Version)}}, nil
}

// imported makes the draft of a document, with what the request says of it.
func (h *Handlers) imported(ctx context.Context, c caller, in *ApiImport, doc *document.Document, from string) (*revision.Draft, error) {
	basePath, address := doc.Address(from)
	d := &revision.Draft{
		Name: or(in.Name, doc.Title), APIVersion: doc.Version, Description: doc.Description, BasePath: get(in.BasePath),
		Hosts: get(in.Hosts), StripPath: or(in.StripPath, true), Operations: doc.Operations, Document: doc.Hash,
	}
	if d.Name == "" {
		d.Name = "API"
	}
	slug := or(in.Slug, document.Slug(d.Name))
	if slug == "" {
		slug = "api"
	}
	if in.BasePath == nil {
		// The document says where the API is at its own server; here others may be
		// there as well.
		d.BasePath = basePath
		if d.BasePath == "/" {
			d.BasePath = "/" + slug
		}
		other, err := c.BasePathTaken(ctx, d.BasePath)
		if err != nil {
			return nil, err
		}
		if other != "" {
			doc.Warnings = append(doc.Warnings, document.Warning{
				Code: "base-path", Pointer: "/servers/0/url", Detail: "the API " + other + " has the base path " + d.BasePath + " already: this one gets /" + slug + strings.TrimSuffix(basePath, "/"),
			})
			d.BasePath = "/" + slug + strings.TrimSuffix(basePath, "/")
		}
	}
	switch {
	case in.Upstream != nil:
		d.Upstreams = []unit.Upstream{*in.Upstream}
	case address != "" && revision.CheckTarget(address) == "":
		d.Upstreams = []unit.Upstream{{Name: "default", Targets: []unit.Target{{URL: address}}}}
	case !get(in.DryRun):
		return nil, field("/upstream", "required", "the document names no server: say where requests are to be sent to")
	default:
		doc.Warnings = append(doc.Warnings, document.Warning{Code: "no-server", Pointer: "/servers", Detail: "the document names no server: say where requests are to be sent to"})
	}
	return d, nil
}

// dry shows what an import would make.
func (h *Handlers) dry(ctx context.Context, c caller, a store.API, d *revision.Draft) (Api, error) {
	fields := d.Check()
	for _, f := range fields {
		if !strings.HasPrefix(f.Pointer, "/upstreams") || len(d.Upstreams) > 0 {
			return Api{}, wrong(fields)
		}
	}
	if err := a.SetDraft(d); err != nil {
		return Api{}, err
	}
	if a.Slug == "" {
		var err error
		if a.Slug, err = freeSlug(ctx, c.Org, d.Name); err != nil {
			return Api{}, err
		}
	}
	a.CreatedAt, a.UpdatedAt, a.CreatedBy = h.Now().UTC(), h.Now().UTC(), c.Subject
	list, err := h.show(ctx, c.Org, a)
	if err != nil {
		return Api{}, err
	}
	return list[0], nil
}

// GetApiDocument reads the draft's OpenAPI document.
func (h *Handlers) GetApiDocument(ctx context.Context, r GetApiDocumentRequestObject) (GetApiDocumentResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:read")
	if err != nil {
		return nil, err
	}
	raw, err := c.Org.Document(ctx, unit.Hash(a.DocumentHash))
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, noDocument()
	}
	return GetApiDocument200JSONResponse{Body: json.RawMessage(raw), Headers: GetApiDocument200ResponseHeaders{ETag: etag(a.Version)}}, nil
}

// PutApiDocument replaces the draft's OpenAPI document. Operations that go on to
// be keep their upstreams.
func (h *Handlers) PutApiDocument(ctx context.Context, r PutApiDocumentRequestObject) (PutApiDocumentResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:update")
	if err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	doc, _, err := h.read(ctx, &r.Body.Document, nil)
	if err != nil {
		return nil, err
	}
	d, err := c.Draft(ctx, &a)
	if err != nil {
		return nil, err
	}
	before := auditOf(&a, &d)
	upstreams := map[string]string{}
	for _, o := range d.Operations {
		upstreams[o.Method+" "+o.Path] = o.Upstream
	}
	d.Operations, d.Document = doc.Operations, doc.Hash
	for i := range d.Operations {
		d.Operations[i].Upstream = upstreams[d.Operations[i].Method+" "+d.Operations[i].Path]
	}
	d.APIVersion = or(some(doc.Version), d.APIVersion)
	a.DocumentFormat, a.DocumentTitle, a.DocumentSize, a.Version = doc.Format, doc.Title, int64(len(doc.JSON)), version
	if err := h.right(ctx, a.OrganizationID, &d); err != nil {
		return nil, err
	}
	if get(r.Body.DryRun) {
		a.ID, a.Version = r.Id, 0
		out, err := h.dry(ctx, c, a, &d)
		return PutApiDocument200JSONResponse{Body: ApiImported{Api: out, Operations: len(doc.Operations), Warnings: warnings(doc.Warnings)}}, err
	}
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		if err := o.PutDocument(ctx, doc.Hash, doc.JSON); err != nil {
			return service.Entry{}, err
		}
		err := o.SaveAPI(ctx, &a, &d)
		return service.Entry{Action: "api.document-updated", Target: target("api", a.ID, a.Name, a.ProjectID), Before: before, After: auditOf(&a, &d)}, err
	}, apiChanged(c.Organization, a.ID, false))
	if err != nil {
		return nil, err
	}
	out, err := h.whole(ctx, c, a)
	if err != nil {
		return nil, err
	}
	return PutApiDocument200JSONResponse{
		Body: ApiImported{Api: out, Operations: len(doc.Operations), Warnings: warnings(doc.Warnings)}, Headers: PutApiDocument200ResponseHeaders{ETag: etag(a.Version)},
	}, nil
}
