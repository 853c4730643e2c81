package api

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/sheet"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/roster"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// showBulkJobs represents jobs, with how far they are.
func (h *Handlers) showBulkJobs(ctx context.Context, org *store.Org, jobs ...store.BulkJob) ([]BulkJob, error) {
	ids, people, groups, ended := make([]string, len(jobs)), make([]string, 0, len(jobs)), []string{}, []string{}
	for i, j := range jobs {
		ids[i], people = j.ID, append(people, j.CreatedBy)
		if j.GroupID != "" {
			groups = append(groups, j.GroupID)
		}
		if j.StartedAt != nil && j.EndedAt != nil {
			ended = append(ended, j.ID)
		}
	}
	undone, err := org.CountUndoneBulkRows(ctx, ended...)
	if err != nil {
		return nil, err
	}
	retries, err := org.BulkRetries(ctx, ended...)
	if err != nil {
		return nil, err
	}
	counts, err := org.BulkCounts(ctx, ids...)
	if err != nil {
		return nil, err
	}
	who, err := rights.FindAll(ctx, org, people...)
	if err != nil {
		return nil, err
	}
	named, err := org.GroupsByID(ctx, groups)
	if err != nil {
		return nil, err
	}
	ends, err := authn.Allow(ctx, "user:update", authn.Scope{})
	if err != nil {
		return nil, err
	}
	out := make([]BulkJob, len(jobs))
	for i, j := range jobs {
		mine := j.CreatedBy == caller(ctx).Subject
		out[i] = BulkJob{
			Id: j.ID, Version: j.Version, Action: BulkJobAction(j.Action), Name: ptr(j.Name), Status: BulkJobStatus(j.Status), Preview: j.StartedAt == nil,
			Total: j.Total, Counts: countsOf(counts[j.ID]), Filter: filterOf(j.Asked), Unused: some(j.Unused), Reason: ptr(j.Reason),
			CreatedBy: Principal{Kind: PrincipalKind(j.CreatorKind), Id: j.CreatedBy, Name: who[j.CreatedBy].Name},
			MayStart:  mine && j.Status == store.BulkReady, MayCancel: (mine || ends.Allowed) && (j.Open() || j.Status == store.BulkReady),
			CreatedAt: j.CreatedAt.UTC(), UpdatedAt: j.UpdatedAt.UTC(), StartedAt: utc(j.StartedAt), EndedAt: utc(j.EndedAt),
		}
		out[i].RetryOf, out[i].RetriedBy = ptr(j.RetryOf), ptr(retries[j.ID])
		if slices.Contains(ended, j.ID) {
			out[i].Retriable = new(undone[j.ID])
			out[i].MayRetry = undone[j.ID] > 0 && retries[j.ID] == "" && mayBulk(ctx, j.Action) == nil
		}
		if j.EndedAt != nil {
			out[i].KeptUntil = new(j.EndedAt.UTC().Add(BulkJobsKept))
		}
		for _, g := range named {
			if g.ID == j.GroupID {
				out[i].Group = &GroupName{Id: g.ID, Name: g.Name}
			}
		}
		if j.GroupID != "" && out[i].Group == nil { // it is gone
			out[i].Group = &GroupName{Id: j.GroupID}
		}
	}
	return out, nil
}

func countsOf(by map[string]int64) BulkJobCounts {
	return BulkJobCounts{
		Pending: by[""], Done: by[store.RowDone], Unchanged: by[store.RowUnchanged], Refused: by[store.RowRefused], Failed: by[store.RowFailed], Cancelled: by[store.RowCancelled],
	}
}

func filterOf(f store.BulkFilter) *BulkJobFilter {
	if !f.All {
		return nil
	}
	return &BulkJobFilter{
		Q: ptr(f.Search), Status: ptr(Status(f.Status)), Source: ptr(f.Source), SecondFactor: f.SecondFactor, NeverSignedIn: ptr(f.NeverSignedIn),
		SignedInBefore: utc(f.SignedInBefore), Role: ptr(f.Role), Group: ptr(f.Group),
	}
}

// outcomeAsked returns how an outcome is kept, nil for any.
func outcomeAsked(asked *BulkJobOutcome) *string {
	if asked == nil {
		return nil
	}
	kept := string(*asked)
	if *asked == BulkJobOutcomePending {
		kept = ""
	}
	return &kept
}

// ListBulkJobRows returns a page of the rows of a job.
func (h *Handlers) ListBulkJobRows(ctx context.Context, r ListBulkJobRowsRequestObject) (ListBulkJobRowsResponseObject, error) {
	org := h.mine(ctx)
	j, err := h.bulkJob(ctx, org, r.Id)
	if err != nil {
		return nil, err
	}
	page, err := org.BulkRows(ctx, j.ID, outcomeAsked(r.Params.Outcome), httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil)))
	if err != nil {
		return nil, err
	}
	items, err := showBulkRows(ctx, org, j, page.Items)
	return ListBulkJobRows200JSONResponse{Items: items, Next: ptr(page.Next)}, err
}

// showBulkRows represents rows. Who users are is looked up, so that nothing of those
// who are deleted is kept here.
func showBulkRows(ctx context.Context, org *store.Org, j store.BulkJob, rows []store.BulkRow) ([]BulkJobRow, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.TargetID
	}
	users, invitations := map[string]store.User{}, map[string]store.Invitation{}
	switch j.Action {
	case store.BulkInvite:
	case store.BulkResend:
		found, err := org.InvitationsByID(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, i := range found {
			invitations[i.ID] = i
		}
	default:
		found, err := org.UsersByID(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, u := range found {
			users[u.ID] = u
		}
	}
	out := make([]BulkJobRow, len(rows))
	for i, r := range rows {
		o := BulkJobRow{
			Id: r.ID, Turn: r.Turn, Line: ptr(r.Line), Email: ptr(r.Email), Name: ptr(r.Name), Outcome: BulkJobOutcome(r.Outcome),
			Code: ptr(r.Code), Detail: ptr(r.Detail), Mailed: ptr(r.Mailed), SettledAt: utc(r.SettledAt),
		}
		if r.Outcome == "" {
			o.Outcome = BulkJobOutcomePending
		}
		switch j.Action {
		case store.BulkInvite:
			item := itemOf(j, r)
			var roles []string
			for _, a := range deref(item.Roles) {
				roles = append(roles, strings.TrimSuffix(a.Role+"@"+deref(a.Project), "@"))
			}
			o.Roles, o.Groups, o.Invitation = some(roles), item.Groups, ptr(r.TargetID)
		case store.BulkResend:
			known := invitations[r.TargetID]
			o.Invitation, o.Email, o.Name = new(r.TargetID), ptr(known.Email), ptr(known.Name)
		default:
			known := users[r.TargetID]
			o.User = &UserName{Id: r.TargetID, Name: known.Name, Email: known.Email}
		}
		var faults []InvitationFault
		for _, f := range r.Faults {
			faults = append(faults, InvitationFault{Field: ptr(InvitationFaultField(f.Field)), Detail: f.Detail})
		}
		o.Errors = some(faults)
		out[i] = o
	}
	return out, nil
}

// ExportBulkJob returns the rows of a job as a table.
func (h *Handlers) ExportBulkJob(ctx context.Context, r ExportBulkJobRequestObject) (ExportBulkJobResponseObject, error) {
	org := h.mine(ctx)
	j, err := h.bulkJob(ctx, org, r.Id)
	if err != nil {
		return nil, err
	}
	e := &bulkExport{ctx: ctx, org: org, job: j, outcome: outcomeAsked(r.Params.Outcome)}
	e.table = roster.NewWriter(&e.lines)
	e.table.Row("line", "name", "email", "roles", "groups", "outcome", "code", "detail", "mailed", "time", "id")
	name := j.Action + "-" + j.CreatedAt.UTC().Format(time.DateOnly) + ".csv"
	return ExportBulkJob200TextcsvResponse{Body: e, Headers: ExportBulkJob200ResponseHeaders{ContentDisposition: ptr(`attachment; filename="` + name + `"`)}}, nil
}

// bulkExport reads the lines of an export as they are asked for.
type bulkExport struct {
	ctx     context.Context //nolint:containedctx // of the request that reads it
	org     *store.Org
	job     store.BulkJob
	outcome *string
	table   *sheet.Writer
	lines   bytes.Buffer
	cursor  string
	ended   bool
}

// Read returns the next bytes.
func (e *bulkExport) Read(p []byte) (int, error) {
	for e.lines.Len() == 0 {
		if e.ended {
			return 0, io.EOF
		}
		if err := e.next(); err != nil {
			return 0, err
		}
	}
	return e.lines.Read(p)
}

func (e *bulkExport) next() error {
	page, err := e.org.BulkRows(e.ctx, e.job.ID, e.outcome, db.PageRequest{Cursor: e.cursor, Limit: db.MaxLimit})
	if err != nil {
		return err
	}
	rows, err := showBulkRows(e.ctx, e.org, e.job, page.Items)
	if err != nil {
		return err
	}
	for _, r := range rows {
		line, name, email, id := "", deref(r.Name), deref(r.Email), deref(r.Invitation)
		if r.Line != nil {
			line = strconv.FormatInt(*r.Line, 10)
		}
		if r.User != nil {
			name, email, id = r.User.Name, r.User.Email, r.User.Id
		}
		e.table.Row(line, name, email, roster.List(deref(r.Roles)), roster.List(deref(r.Groups)), string(r.Outcome), deref(r.Code), deref(r.Detail), yes(deref(r.Mailed)), timeText(r.SettledAt), id)
	}
	e.cursor, e.ended = page.Next, page.Next == ""
	return e.table.Flush()
}
