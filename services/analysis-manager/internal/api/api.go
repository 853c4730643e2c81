package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/explain"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/report"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// permission is what every operation needs, in some scope.
const permission = "traffic:read"

// Handlers answer the operations of the OpenAPI document.
type Handlers struct {
	Store store.Store
	// Minutes is the age up to which sums are kept by the minute.
	Minutes time.Duration
	Now     func() time.Time
}

var _ StrictServerInterface = Handlers{}

// seen is what the caller may see.
type seen struct {
	organization string
	scopes       []store.Scope
}

// look returns what the caller may see of what it asks for. Projects that it
// asks for by name must be its own; what is left open is narrowed.
func look(ctx context.Context, projects []string) (seen, error) {
	p, ok := authn.From(ctx)
	if !ok {
		return seen{}, authn.Missing()
	}
	scopes, err := authn.Scopes(ctx, permission)
	if err != nil {
		return seen{}, err
	}
	s := seen{organization: p.Organization, scopes: make([]store.Scope, len(scopes))}
	for i, x := range scopes {
		s.scopes[i] = store.Scope{Project: x.Project, API: x.API, Environment: x.Environment}
	}
	for _, id := range projects {
		if !slices.ContainsFunc(s.scopes, func(x store.Scope) bool { return x.Project == "" || x.Project == id }) {
			return seen{}, authn.Denied(permission, authn.Scope{Project: id})
		}
	}
	return s, nil
}

// GetUsage returns sums.
func (h Handlers) GetUsage(ctx context.Context, r GetUsageRequestObject) (GetUsageResponseObject, error) {
	q := r.Params
	may, err := look(ctx, list(q.Project))
	if err != nil {
		return nil, err
	}
	u := analysis.Usage{Filter: analysis.Filter{
		Organization: may.organization, From: value(q.From), To: value(q.To),
		Projects: list(q.Project), Environments: list(q.Environment), APIs: list(q.Api),
		Applications: list(q.Application), Plans: list(q.Plan), Operations: list(q.Operation),
	}, Limit: value(q.Limit)}
	for _, d := range list(q.Top) {
		u.Top = append(u.Top, string(d))
	}
	if u.Interval, err = report.Interval(value(q.Interval)); err != nil {
		return nil, err
	}
	if u, err = report.Prepare(u, report.Limits{Now: h.Now(), Minutes: h.Minutes}); err != nil {
		return nil, err
	}
	got, err := h.Store.Usage(ctx, store.Usage{Usage: u, Allowed: may.scopes})
	if err != nil {
		return nil, asProblem(err)
	}
	out := GetUsage200JSONResponse{From: u.Filter.From, To: u.Filter.To, Total: got.Total}
	if u.Interval > 0 {
		seconds := int64(u.Interval / time.Second)
		out.IntervalSeconds, out.Series = &seconds, &got.Series
	}
	if len(u.Top) > 0 {
		out.Top = &got.Top
	}
	if !got.Newest.IsZero() {
		out.Newest = &got.Newest
	}
	return out, nil
}

const defaultLimit = 50

// ListRecords returns a page of the log of requests.
func (h Handlers) ListRecords(ctx context.Context, r ListRecordsRequestObject) (ListRecordsResponseObject, error) {
	q := r.Params
	may, err := look(ctx, list(q.Project))
	if err != nil {
		return nil, err
	}
	w := store.Search{
		Filter: analysis.Filter{
			Organization: may.organization, From: value(q.From), To: value(q.To),
			Projects: list(q.Project), Environments: list(q.Environment), APIs: list(q.Api),
			Applications: list(q.Application), Plans: list(q.Plan), Operations: list(q.Operation),
		},
		Allowed: may.scopes, Gateways: list(q.Gateway), Statuses: list(q.Status), Methods: list(q.Method),
		PathPrefix: value(q.PathPrefix), ErrorCodes: list(q.ErrorCode), RequestID: value(q.RequestId),
		MinDuration: int64(value(q.MinDuration)) * 1000, Text: value(q.Q), Limit: defaultLimit,
	}
	for _, c := range list(q.StatusClass) {
		w.Classes = append(w.Classes, int(c[0]-'0'))
	}
	if q.Limit != nil {
		w.Limit = *q.Limit
	}
	if q.Cursor != nil {
		if w.After, err = parseCursor(*q.Cursor); err != nil {
			return nil, err
		}
	}
	limit := w.Limit
	w.Limit++ // one more tells whether there is another page
	rows, err := h.Store.List(ctx, w)
	if err != nil {
		return nil, asProblem(err)
	}
	out := ListRecords200JSONResponse{Items: make([]RecordSummary, 0, len(rows))}
	if len(rows) > limit {
		rows = rows[:limit]
		next := formatCursor(rows[limit-1])
		out.Next = &next
	}
	for i := range rows {
		out.Items = append(out.Items, summary(&rows[i]))
	}
	return out, nil
}

// GetRecord returns a record as the gateway wrote it.
func (h Handlers) GetRecord(ctx context.Context, r GetRecordRequestObject) (GetRecordResponseObject, error) {
	raw, err := h.record(ctx, r.RequestId)
	if err != nil {
		return nil, err
	}
	return rawRecord(raw), nil
}

// rawRecord is sent as it is.
type rawRecord json.RawMessage

// VisitGetRecordResponse sends the record.
func (r rawRecord) VisitGetRecordResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(r)
	return err
}

// ExplainRequest says why a request was answered so.
func (h Handlers) ExplainRequest(ctx context.Context, r ExplainRequestRequestObject) (ExplainRequestResponseObject, error) {
	raw, err := h.record(ctx, r.RequestId)
	if err != nil {
		return nil, err
	}
	var rec traffic.Record
	if err := json.Unmarshal(raw, &rec); err != nil {
		return nil, fmt.Errorf("reading record %s: %w", r.RequestId, err)
	}
	e := explain.Of(&rec)
	out := ExplainRequest200JSONResponse{RequestId: rec.ID, Sentence: e.Sentence, Fix: some(e.Fix), Decided: &e.Decided, Record: raw}
	for i := range e.Steps {
		out.Steps = append(out.Steps, step(&e.Steps[i]))
	}
	return out, nil
}

func (h Handlers) record(ctx context.Context, id string) (json.RawMessage, error) {
	may, err := look(ctx, nil)
	if err != nil {
		return nil, err
	}
	raw, err := h.Store.Record(ctx, store.Where{Organization: may.organization, ID: id, Allowed: may.scopes})
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem.New(problem.CodeNotFound, "there is no record of a request with this id: it may not have arrived yet, be older than what is kept, or not be yours to see").Because(err)
	}
	return raw, asProblem(err)
}

func asProblem(err error) error {
	if errors.Is(err, store.ErrTooWide) {
		return problem.Invalid("there is too much to look through", problem.Field{Pointer: "/from", Code: "minimum", Detail: "ask for a shorter time, or with more filters"}).Because(err)
	}
	return err
}

func step(s *explain.Step) Step {
	out := Step{
		Kind: StepKind(s.Kind), Outcome: StepOutcome(s.Outcome), Sentence: s.Sentence, Detail: some(s.Detail),
		Policy: some(s.Policy), PolicyType: some(s.Type), Level: some(s.Level), Phase: some(s.Phase), Target: some(s.Target),
		StartUs: some(s.Start.Microseconds()), DurationUs: some(s.Duration.Microseconds()),
	}
	if len(s.Notes) > 0 {
		notes := make(map[string]string, len(s.Notes))
		for _, n := range s.Notes {
			notes[n.Name] = n.Value
		}
		out.Notes = &notes
	}
	return out
}

func summary(r *store.Summary) RecordSummary {
	return RecordSummary{
		RequestId: r.ID, Time: r.Time, Method: r.Method, Host: some(r.Host), Path: r.Path, Status: r.Status,
		DurationUs: r.Duration, GatewayUs: &r.GatewayTime, Gateway: some(r.Gateway),
		Project: some(r.Project), Environment: some(r.Environment), Api: some(r.API), ApiName: some(r.APIName),
		Operation: some(r.Operation), Template: some(r.Template), Plan: some(r.Plan),
		Application: some(r.Application), ApplicationName: some(r.ApplicationName),
		ErrorSource: some(r.ErrorSource), ErrorCode: some(r.ErrorCode),
	}
}

// formatCursor names the place after a record. There is nothing in it to
// protect: what may be seen is decided by the question.
func formatCursor(s store.Summary) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(s.Time.UnixMicro(), 36) + "." + s.ID))
}

func parseCursor(c string) (*store.Position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(c)
	at, id, ok := strings.Cut(string(raw), ".")
	us, bad := strconv.ParseInt(at, 36, 64)
	if err != nil || bad != nil || !ok || id == "" || strings.ContainsRune(id, 0) {
		return nil, problem.Invalid("the parameter cursor is not right", problem.Field{
			Pointer: "/cursor", Code: "format", Detail: "use the cursor that the page before gave, or leave it out to begin again",
		})
	}
	return &store.Position{Time: time.UnixMicro(us).UTC(), ID: id}, nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func list[T any](p *[]T) []T { return value(p) }

// some returns a pointer to a value, or nil where it is the zero value.
func some[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
