package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

func shownRevision(r *store.Revision, environments []string) Revision {
	out := Revision{
		Api: r.APIID, Number: r.Number, Hash: r.Hash, Message: r.Message, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy,
		Name: r.Name, ApiVersion: r.APIVersion, BasePath: &r.BasePath, OperationCount: r.OperationCount, PolicyCount: r.PolicyCount,
		Plans: make([]RevisionPlan, len(r.Plans.V)), Environments: append([]string{}, environments...),
	}
	for i, p := range r.Plans.V {
		out.Plans[i] = RevisionPlan{Id: p.ID, Name: p.Name}
	}
	return out
}

// where returns the environments in which the revisions of an API are deployed.
func where(ctx context.Context, o *store.Org, api string) (map[int64][]string, error) {
	rows, err := o.DeployedAPIs(ctx, api)
	out := map[int64][]string{}
	for _, d := range rows {
		out[d.Revision] = append(out[d.Revision], d.EnvironmentID)
	}
	return out, err
}

// ListRevisions lists an API's revisions, newest first.
func (h *Handlers) ListRevisions(ctx context.Context, r ListRevisionsRequestObject) (ListRevisionsResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:read")
	if err != nil {
		return nil, err
	}
	page, err := c.Revisions(ctx, a.ID, httpx.Page[string, string](r.Params.Cursor, r.Params.Limit, nil))
	if err != nil {
		return nil, err
	}
	envs, err := where(ctx, c.Org, a.ID)
	if err != nil {
		return nil, err
	}
	out := ListRevisions200JSONResponse{Items: make([]Revision, len(page.Items)), Next: next(page.Next)}
	for i := range page.Items {
		out.Items[i] = shownRevision(&page.Items[i], envs[page.Items[i].Number])
	}
	return out, nil
}

// revision returns a revision of an API that the caller may see.
func (h *Handlers) revision(ctx context.Context, id string, number int64) (caller, store.Revision, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return c, store.Revision{}, err
	}
	a, err := h.api(ctx, c, id, "api:read")
	if err != nil {
		return c, store.Revision{}, err
	}
	r, err := c.Revision(ctx, a.ID, number)
	return c, r, err
}

// GetRevision reads a revision.
func (h *Handlers) GetRevision(ctx context.Context, r GetRevisionRequestObject) (GetRevisionResponseObject, error) {
	c, rev, err := h.revision(ctx, r.Id, r.Number)
	if err != nil {
		return nil, err
	}
	envs, err := where(ctx, c.Org, r.Id)
	if err != nil {
		return nil, err
	}
	return GetRevision200JSONResponse(shownRevision(&rev, envs[rev.Number])), nil
}

// GetRevisionDocument reads a revision's OpenAPI document.
func (h *Handlers) GetRevisionDocument(ctx context.Context, r GetRevisionDocumentRequestObject) (GetRevisionDocumentResponseObject, error) {
	c, rev, err := h.revision(ctx, r.Id, r.Number)
	if err != nil {
		return nil, err
	}
	raw, err := c.Org.Document(ctx, unit.Hash(rev.DocumentHash))
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, noDocument()
	}
	return GetRevisionDocument200JSONResponse(json.RawMessage(raw)), nil
}

// prepared is a content that a gateway would accept.
type prepared struct {
	content *revision.Content
	hash    string
	openapi []byte
}

// prepare takes the draft with its policies and plans, and has it tried.
func (h *Handlers) prepare(ctx context.Context, c caller, a *store.API) (*prepared, error) {
	effective, err := h.effective(ctx, c, a)
	if err != nil {
		return nil, err
	}
	d, err := c.Draft(ctx, a)
	if err != nil {
		return nil, err
	}
	p := &prepared{content: &revision.Content{Draft: d, Effective: effective}}
	if p.hash, err = p.content.Hash(); err != nil {
		return nil, err
	}
	if p.openapi, err = c.Org.Document(ctx, d.Document); err != nil {
		return nil, err
	}
	return p, h.try(ctx, c, a, p)
}

// try asks policy-manager whether a gateway would accept a content. Where it
// cannot be asked, nothing is deployed.
func (h *Handlers) try(ctx context.Context, c caller, a *store.API, p *prepared) error {
	b, err := revision.Build(p.content, p.openapi, revision.Place{API: a.ID, Organization: c.Organization, Project: a.ProjectID})
	if err != nil {
		return problem.Invalid("the API cannot be built: "+err.Error(), problem.Field{Pointer: "/policies", Code: "reference", Detail: err.Error()})
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	if _, err := h.Units.Put(ctx, c.OrganizationSlug, map[unit.Hash][]byte{b.Hash: b.Document}); err != nil {
		return fmt.Errorf("sending the unit to be tried: %w", err)
	}
	v, err := h.Policies.Validate(ctx, policy.Validate{Organization: c.OrganizationSlug, Unit: b.Hash})
	if err != nil {
		return fmt.Errorf("asking whether a gateway would accept it: %w", err)
	}
	if len(v.Mistakes) == 0 {
		return nil
	}
	fields := make([]problem.Field, len(v.Mistakes))
	for i, m := range v.Mistakes {
		fields[i] = problem.Field{Pointer: m.Pointer, Code: m.Code, Detail: m.Detail}
	}
	return problem.Invalid(fmt.Sprintf("no gateway would accept the API %q as it is: %s", a.Name, fields[0].Detail), fields...)
}

// latest makes a revision of what was prepared, in a transaction, or returns the
// latest one where that is the same. made says which.
func (h *Handlers) latest(ctx context.Context, tx *db.Tx, c caller, id string, p *prepared, message string) (a store.API, r store.Revision, made bool, err error) {
	o := h.Store.In(tx, c.Organization)
	if a, err = o.LockAPI(ctx, id); err != nil {
		return a, r, false, err
	}
	draft, err := p.content.Draft.Hash()
	if err != nil {
		return a, r, false, err
	}
	if a.DraftHash != draft {
		return a, r, false, problem.New(problem.CodeConflict, "somebody changed the API in this moment: try again")
	}
	if a.LatestRevision > 0 {
		if r, err = o.Revision(ctx, a.ID, a.LatestRevision); err != nil || r.Hash == p.hash {
			return a, r, false, err
		}
	}
	if r, err = o.CreateRevision(ctx, &a, p.content, message, c.Subject); err != nil {
		return a, r, false, err
	}
	err = h.Audit(ctx, tx, service.Entry{
		Action: "revision.created", Target: target("revision", fmt.Sprintf("%s/%d", a.ID, r.Number), fmt.Sprintf("%s revision %d", a.Name, r.Number), a.ProjectID),
		After: cut{r.Number, r.Message, r.Hash},
	})
	return a, r, true, err
}

// cut is what the audit trail says of a revision.
type cut struct {
	Number        int64
	Message, Hash string
}

// CreateRevision makes a revision of the draft.
func (h *Handlers) CreateRevision(ctx context.Context, r CreateRevisionRequestObject) (CreateRevisionResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:update")
	if err != nil {
		return nil, err
	}
	p, err := h.prepare(ctx, c, &a)
	if err != nil {
		return nil, err
	}
	type answer struct {
		Revision Revision
		Made     bool
	}
	got, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (answer, error) {
		a, rev, made, err := h.latest(ctx, tx, c, a.ID, p, get(r.Body.Message))
		if err != nil {
			return answer{}, err
		}
		envs, err := where(ctx, h.Store.In(tx, c.Organization), a.ID)
		if err != nil {
			return answer{}, err
		}
		if made {
			key, e := apiChanged(c.Organization, a.ID, false)()
			err = service.Emit(tx, key, e)
		}
		return answer{shownRevision(&rev, envs[rev.Number]), made}, err
	})
	if err != nil {
		return nil, err
	}
	if !got.Made {
		return CreateRevision200JSONResponse(got.Revision), nil
	}
	return CreateRevision201JSONResponse(got.Revision), nil
}

// changes says what is different in the draft since the latest revision.
func (h *Handlers) changes(ctx context.Context, c caller, a *store.API, effective policy.EffectiveSet) ([]revision.Change, error) {
	before, err := h.stored(ctx, c, a, a.LatestRevision)
	if err != nil {
		return nil, err
	}
	after, err := h.draft(ctx, c, a, effective)
	if err != nil {
		return nil, err
	}
	return revision.Diff(before, after), nil
}

func (h *Handlers) stored(ctx context.Context, c caller, a *store.API, number int64) (*revision.State, error) {
	r, err := c.Revision(ctx, a.ID, number)
	if err != nil {
		return nil, err
	}
	return c.State(ctx, &r)
}

func (h *Handlers) draft(ctx context.Context, c caller, a *store.API, effective policy.EffectiveSet) (*revision.State, error) {
	d, err := c.Draft(ctx, a)
	if err != nil {
		return nil, err
	}
	raw, err := c.Org.Document(ctx, d.Document)
	return &revision.State{Content: revision.Content{Draft: d, Effective: effective}, OpenAPI: raw}, err
}

// state returns the state of an API that a request names, and what it is called;
// nil where there is none yet.
func (h *Handlers) state(ctx context.Context, c caller, a *store.API, name, parameter string) (*revision.State, string, error) {
	place, deployed := strings.CutPrefix(name, "deployed:")
	number, err := strconv.ParseInt(name, 10, 64)
	switch {
	case name == "draft":
		effective, err := h.effective(ctx, c, a)
		if err != nil {
			return nil, "", err
		}
		s, err := h.draft(ctx, c, a, effective)
		return s, "draft", err
	case name == "latest" && a.LatestRevision == 0:
		return nil, "nothing", nil
	case name == "latest":
		number = a.LatestRevision
	case deployed:
		env, err := h.environment(ctx, c, place)
		if err != nil {
			return nil, "", missing(err, "/"+parameter, "there is no such environment")
		}
		d, err := c.DeployedIn(ctx, a.ID, env.ID)
		if isNotFound(err) {
			return nil, "nothing", nil
		}
		if err != nil {
			return nil, "", err
		}
		number = d.Revision
	case err != nil || number < 1:
		return nil, "", field("/"+parameter, "format", `want the number of a revision, "draft", "latest", or "deployed:" and an environment`)
	}
	s, err := h.stored(ctx, c, a, number)
	return s, "revision " + strconv.FormatInt(number, 10), missing(err, "/"+parameter, "there is no such revision")
}

// DiffApi says what is different between two states of an API.
func (h *Handlers) DiffApi(ctx context.Context, r DiffApiRequestObject) (DiffApiResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:read")
	if err != nil {
		return nil, err
	}
	before, from, err := h.state(ctx, c, &a, or(r.Params.From, "latest"), "from")
	if err != nil {
		return nil, err
	}
	after, to, err := h.state(ctx, c, &a, or(r.Params.To, "draft"), "to")
	if err != nil {
		return nil, err
	}
	out := DiffApi200JSONResponse{From: from, To: to, Changes: []Change{}}
	switch {
	case before == nil && after == nil:
	case before == nil:
		out.Changes = append(out.Changes, Change{Kind: Added, Path: "/", Summary: fmt.Sprintf("The API is new, with %d operations.", len(after.Operations))})
	case after == nil:
		out.Changes = append(out.Changes, Change{Kind: Removed, Path: "/", Summary: "The API is gone: its callers get 404.", Breaking: true})
		out.Breaking = 1
	default:
		for _, ch := range revision.Diff(before, after) {
			if ch.Breaking {
				out.Breaking++
			}
			out.Changes = append(out.Changes, Change{
				Kind: ChangeKind(ch.Kind), Area: ptr(ChangeArea(ch.Area)), Path: ch.Path, Summary: ch.Summary, Before: some(ch.Before), After: some(ch.After), Breaking: ch.Breaking,
			})
		}
	}
	if get(r.Params.Raw) {
		out.Raw = &DiffRaw{Before: raw(before), After: raw(after)}
	}
	return out, nil
}

// raw writes a state for people, without private keys.
func raw(s *revision.State) string {
	if s == nil {
		return ""
	}
	c := s.Content
	c.Upstreams = revision.MaskKeys(c.Upstreams)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(struct {
		revision.Content
		OpenAPI json.RawMessage `json:"openapi,omitempty"`
	}{c, s.OpenAPI}); err != nil {
		return err.Error()
	}
	return b.String()
}
