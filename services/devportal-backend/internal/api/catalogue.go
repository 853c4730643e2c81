package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/reference"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

// ListCatalogue lists published APIs.
func (h *Handlers) ListCatalogue(ctx context.Context, r ListCatalogueRequestObject) (ListCatalogueResponseObject, error) {
	o, err := h.reader(ctx, r.Params.Organization, r.Params.XGatehouseOrganization)
	if err != nil {
		return nil, err
	}
	page, matches, err := store.SearchCatalogue(ctx, h.kit.DB.For(o.ID).Stale(), deref(r.Params.Q), httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	out := CatalogueList{Items: []CatalogueItem{}, Next: text(page.Next)}
	for _, a := range page.Items {
		out.Items = append(out.Items, itemOf(a, matches[a.ID]))
	}
	return ListCatalogue200JSONResponse(out), nil
}

func itemOf(a store.API, m store.Matches) CatalogueItem {
	item := CatalogueItem{
		Id: a.ID, Slug: a.Slug, Name: a.Name, ApiVersion: a.APIVersion, Summary: reference.FirstSentence(a.Overview.V.Description, 200),
		Project: a.ProjectID, OperationCount: int(a.OperationCount), Deprecated: a.Deprecated,
		Plans: []PlanBrief{}, Environments: []string{}, Tags: []string{}, UpdatedAt: a.UpdatedAt,
	}
	for _, p := range a.Plans.V {
		item.Plans = append(item.Plans, PlanBrief{Id: p.ID, Name: p.Name, Security: p.Security, Approval: p.Approval})
	}
	for _, e := range a.Endpoints.V {
		item.Environments = append(item.Environments, e.EnvironmentName)
	}
	for _, g := range a.Overview.V.Groups {
		if g.Name != "" && len(item.Tags) < 12 {
			item.Tags = append(item.Tags, g.Name)
		}
	}
	if m.Count > 0 {
		found := []OperationBrief{}
		for _, op := range m.First {
			found = append(found, OperationBrief{Id: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Deprecated: op.Deprecated})
		}
		item.Matches, item.MatchCount = &found, &m.Count
	}
	return item
}

// GetCatalogueEntry answers with one API.
func (h *Handlers) GetCatalogueEntry(ctx context.Context, r GetCatalogueEntryRequestObject) (GetCatalogueEntryResponseObject, error) {
	o, err := h.reader(ctx, r.Params.Organization, r.Params.XGatehouseOrganization)
	if err != nil {
		return nil, err
	}
	a, err := store.FindAPI(ctx, h.kit.DB.For(o.ID), r.Api)
	if err != nil {
		return nil, err
	}
	return GetCatalogueEntry200JSONResponse(entryOf(a)), nil
}

func entryOf(a store.API) CatalogueEntry {
	v := a.Overview.V
	e := CatalogueEntry{
		Id: a.ID, Slug: a.Slug, Name: a.Name, ApiVersion: a.APIVersion, Title: v.Title, Description: v.Description, Project: a.ProjectID,
		OperationCount: int(a.OperationCount), Deprecated: a.Deprecated, Revision: a.Revision, HasDocument: len(a.Document) > 0,
		Authentication: authentication(a.Plans.V), TermsOfService: text(v.TermsOfService), License: linkOf(v.License), ExternalDocs: linkOf(v.ExternalDocs),
		Plans: []Plan{}, Endpoints: []Endpoint{}, Groups: []OperationGroup{}, UpdatedAt: a.UpdatedAt,
	}
	if c := v.Contact; c != nil {
		e.Contact = &Contact{Name: text(c.Name), Url: text(c.URL), Email: text(c.Email)}
	}
	for _, p := range a.Plans.V {
		e.Plans = append(e.Plans, planOf(p))
	}
	for _, p := range a.Endpoints.V {
		e.Endpoints = append(e.Endpoints, Endpoint{Environment: p.Environment, Name: p.EnvironmentName, Url: p.URL})
	}
	for _, g := range v.Groups {
		group := OperationGroup{Name: g.Name, Description: g.Description, Operations: []OperationBrief{}}
		for _, op := range g.Operations {
			group.Operations = append(group.Operations, OperationBrief{Id: op.ID, Method: op.Method, Path: op.Path, Summary: op.Summary, Deprecated: op.Deprecated})
		}
		e.Groups = append(e.Groups, group)
	}
	return e
}

func linkOf(l *reference.Link) *Link {
	if l == nil {
		return nil
	}
	return &Link{Name: text(l.Name), Url: text(l.URL)}
}

func planOf(p store.Plan) Plan {
	out := Plan{
		Id: p.ID, Slug: p.Slug, Name: p.Name, Description: p.Description, Security: PlanSecurity(p.Security), Approval: PlanApproval(p.Approval),
		Status: PlanStatus(p.Status), Limits: p.Limits, KeyHeader: text(p.KeyHeader),
	}
	switch {
	case p.Credential == string(credential.APIKey), p.Security == subscription.SecurityAPIKey:
		out.Credential = ptr(CredentialKindApiKey)
	case p.Own:
		out.Credential = ptr(CredentialKindOauth2)
	}
	if out.Limits == nil {
		out.Limits = []string{}
	}
	return out
}

// defaultKeyHeader is the one of plans that do not say otherwise.
const defaultKeyHeader = "X-API-Key"

func keyHeader(p store.Plan) string {
	if p.KeyHeader != "" {
		return p.KeyHeader
	}
	return defaultKeyHeader
}

// authentication says how callers prove who they are, in a sentence.
func authentication(plans []store.Plan) string {
	var ways []string
	for _, p := range plans {
		way := map[string]string{
			"keyless": "nothing", "api-key": "an API key in the header " + keyHeader(p), "jwt": "a JWT as bearer token",
			"oauth2": "an OAuth2 access token as bearer token", "basic": "a user name and a password", "mtls": "a client certificate",
		}[p.Security]
		if way != "" && !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	switch {
	case len(ways) == 0:
		return "There is no plan to subscribe to yet."
	case len(ways) == 1 && ways[0] == "nothing":
		return "No credential is needed."
	}
	for i, w := range ways {
		if w == "nothing" {
			ways[i] = "nothing at all"
		}
	}
	return "Send " + strings.Join(ways, ", or ") + "."
}

// document is an OpenAPI document as it is kept.
type document struct {
	body       []byte
	name, etag string
}

// VisitGetCatalogueDocumentResponse writes the document.
func (d document) VisitGetCatalogueDocumentResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(d.name))
	w.Header().Set("ETag", d.etag)
	return writeJSON(w, d.body)
}

func writeJSON(w http.ResponseWriter, body []byte) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, err := io.Copy(w, bytes.NewReader(body))
	return err
}

// GetCatalogueDocument answers with the OpenAPI document.
func (h *Handlers) GetCatalogueDocument(ctx context.Context, r GetCatalogueDocumentRequestObject) (GetCatalogueDocumentResponseObject, error) {
	o, err := h.reader(ctx, r.Params.Organization, r.Params.XGatehouseOrganization)
	if err != nil {
		return nil, err
	}
	a, err := store.FindAPI(ctx, h.kit.DB.For(o.ID), r.Api)
	if err != nil {
		return nil, err
	}
	raw, err := a.OpenAPI()
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, fmt.Errorf("the API has no document: %w", db.ErrNotFound)
	}
	return document{body: raw, name: a.Slug + ".openapi.json", etag: `"` + a.DocumentHash + `"`}, nil
}

// operationPage is a page of the reference as it is kept.
type operationPage []byte

// VisitGetCatalogueOperationResponse writes the page.
func (p operationPage) VisitGetCatalogueOperationResponse(w http.ResponseWriter) error {
	return writeJSON(w, p)
}

// GetCatalogueOperation answers with a page of the reference.
func (h *Handlers) GetCatalogueOperation(ctx context.Context, r GetCatalogueOperationRequestObject) (GetCatalogueOperationResponseObject, error) {
	o, err := h.reader(ctx, r.Params.Organization, r.Params.XGatehouseOrganization)
	if err != nil {
		return nil, err
	}
	s := h.kit.DB.For(o.ID)
	a, err := store.FindAPI(ctx, s, r.Api)
	if err != nil {
		return nil, err
	}
	op, err := store.FindOperation(ctx, s, a.ID, r.Operation)
	if err != nil {
		return nil, err
	}
	return operationPage(op.Page), nil
}
