package api

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// BulkJobsKept is how long bulk jobs are kept after their end.
	BulkJobsKept = 30 * 24 * time.Hour
	// mostInBulk bounds the rows of a bulk job, and mostBulkJobs how many jobs of an
	// organization have not ended.
	mostInBulk   = 10_000
	mostBulkJobs = 20
)

// mayBulk returns a problem where the caller may not do an action to anybody. What
// they may not do to one is said of that row.
func mayBulk(ctx context.Context, action string) error {
	switch action {
	case store.BulkInvite, store.BulkResend:
		return authn.RequireAnywhere(ctx, "invitation:create")
	case store.BulkDelete:
		return authn.Require(ctx, "user:delete", authn.Scope{})
	case store.BulkAddToGroup, store.BulkRemoveFromGroup:
		if err := authn.Require(ctx, "group:update", authn.Scope{}); err != nil {
			return err
		}
	case store.BulkResetFactors, store.BulkPasswordLink:
		if p := caller(ctx); p.Kind == authn.User && p.Token != "" { // as for one
			return problem.New(problem.CodeAccessDenied, "this is for people who are signed in, not for their tokens: sign in")
		}
	}
	return authn.Require(ctx, "user:update", authn.Scope{})
}

// CreateBulkJob makes a job.
func (h *Handlers) CreateBulkJob(ctx context.Context, r CreateBulkJobRequestObject) (CreateBulkJobResponseObject, error) {
	if err := mayBulk(ctx, string(r.Body.Action)); err != nil {
		return nil, err
	}
	job, rows, err := h.planBulk(ctx, *r.Body)
	if err != nil {
		return nil, err
	}
	made, err := create(ctx, h, func(tx *store.Tx) (BulkJob, error) {
		return h.makeBulk(ctx, tx, job, rows, deref(r.Body.Start))
	})
	return CreateBulkJob201JSONResponse{Body: made, Headers: CreateBulkJob201ResponseHeaders{ETag: etag(made.Version), Location: location("bulk-jobs", made.Id)}}, err
}

// makeBulk keeps a job with its rows, and starts it or has found out first what it
// would do.
func (h *Handlers) makeBulk(ctx context.Context, tx *store.Tx, job store.BulkJob, rows []store.BulkRow, start bool) (BulkJob, error) {
	open, err := tx.OpenBulkJobs(ctx)
	if err != nil {
		return BulkJob{}, err
	}
	if open >= mostBulkJobs {
		return BulkJob{}, problem.New(problem.CodeConflict, "%d bulk jobs have not ended: start, cancel or await some of them first", open)
	}
	job.Status = store.BulkChecking
	if start {
		h.setGoing(ctx, &job)
	}
	if err := tx.CreateBulkJob(ctx, &job, rows); err != nil {
		return BulkJob{}, err
	}
	if err := h.recordBulk(ctx, tx, "bulk-job.created", job, bulkMade{job.Action, job.Name, job.Total, job.GroupID, job.Asked, job.RetryOf}); err != nil {
		return BulkJob{}, err
	}
	if job.StartedAt != nil {
		if err := h.recordBulk(ctx, tx, "bulk-job.started", job, bulkStarted{job.Action, job.Total}); err != nil {
			return BulkJob{}, err
		}
	}
	out, err := h.showBulkJobs(ctx, tx.Org, job)
	if err != nil {
		return BulkJob{}, err
	}
	return out[0], nil
}

// bulkMade is what the audit trail says of a job that was made. Asked is as in
// [exportedFilter].
type bulkMade struct {
	Action string           `json:"action"`
	Name   string           `json:"name,omitempty"`
	Total  int64            `json:"total"`
	Group  string           `json:"group,omitempty"`
	Asked  store.BulkFilter `json:"filter,omitzero"`
	// RetryOf is the id of the job whose rows it tries again.
	RetryOf string `json:"retryOf,omitempty"`
}

// bulkStarted is what the audit trail says of a job that was started.
type bulkStarted struct {
	Action string `json:"action"`
	Total  int64  `json:"total"`
}

// setGoing starts a job by the request that is being answered, with the rights by
// which that came.
func (h *Handlers) setGoing(ctx context.Context, j *store.BulkJob) {
	now := h.store.Now()
	j.Status, j.StartedAt = store.BulkRunning, &now
	h.onBehalf(ctx, j)
}

// onBehalf notes by what the caller came, and by which request.
func (h *Handlers) onBehalf(ctx context.Context, j *store.BulkJob) {
	p := caller(ctx)
	j.CreatorKind, j.TokenID, j.TokenName = string(p.Kind), "", p.Token
	if p.Token != "" { // a session may end meanwhile, a token may not
		j.TokenID = p.Session
	}
	j.RequestID, j.Address, j.Console = httpx.RequestID(ctx), httpx.Address(ctx), httpx.FromConsole(ctx)
}

func (h *Handlers) recordBulk(ctx context.Context, tx *store.Tx, action string, j store.BulkJob, after any) error {
	return h.kit.Audit(ctx, tx.DB(), service.Entry{Action: action, Target: bulkTarget(j), Organization: tx.ID(), After: after})
}

func bulkTarget(j store.BulkJob) audit.Target {
	return audit.Target{Kind: "bulk-job", ID: j.ID, Name: strings.TrimSpace(j.Action + " " + j.Name)}
}

// ListBulkJobs returns a page of jobs.
func (h *Handlers) ListBulkJobs(ctx context.Context, r ListBulkJobsRequestObject) (ListBulkJobsResponseObject, error) {
	all, err := authn.Allow(ctx, "user:read", authn.Scope{})
	if err != nil {
		return nil, err
	}
	creator := ""
	if !all.Allowed {
		if err := authn.RequireAnywhere(ctx, "invitation:create"); err != nil {
			return nil, err
		}
	}
	if !all.Allowed || deref(r.Params.Mine) {
		creator = caller(ctx).Subject
	}
	page := httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort)
	page.Descending = r.Params.Sort == nil || page.Descending
	org := h.mine(ctx)
	rows, err := org.BulkJobs(ctx, string(deref(r.Params.Status)), string(deref(r.Params.Action)), creator, page)
	if err != nil {
		return nil, err
	}
	items, err := h.showBulkJobs(ctx, org, rows.Items...)
	return ListBulkJobs200JSONResponse{Items: items, Next: ptr(rows.Next)}, err
}

// seesBulk returns a problem where a job is none of the caller's business. To those it
// is not there.
func seesBulk(ctx context.Context, j store.BulkJob) error {
	if j.CreatedBy == caller(ctx).Subject {
		return authn.CheckSession(ctx)
	}
	return authn.Require(ctx, "user:read", authn.Scope{})
}

// bulkJob returns a job that the caller may see.
func (h *Handlers) bulkJob(ctx context.Context, org *store.Org, id string) (store.BulkJob, error) {
	j, err := org.BulkJob(ctx, id)
	if err != nil {
		return j, err
	}
	return j, seesBulk(ctx, j)
}

// GetBulkJob returns a job.
func (h *Handlers) GetBulkJob(ctx context.Context, r GetBulkJobRequestObject) (GetBulkJobResponseObject, error) {
	org := h.mine(ctx)
	j, err := h.bulkJob(ctx, org, r.Id)
	if err != nil {
		return nil, err
	}
	out, err := h.showBulkJobs(ctx, org, j)
	if err != nil {
		return nil, err
	}
	return GetBulkJob200JSONResponse{Body: out[0], Headers: GetBulkJob200ResponseHeaders{ETag: etag(j.Version)}}, nil
}

// changeBulk changes a job that the caller may see, and returns it as it is then.
func (h *Handlers) changeBulk(ctx context.Context, id string, ifMatch *string, change func(tx *store.Tx, j *store.BulkJob) error) (BulkJob, error) {
	version, err := httpx.IfMatchOptional(deref(ifMatch))
	if err != nil {
		return BulkJob{}, err
	}
	var j store.BulkJob
	err = h.change(ctx, func(tx *store.Tx) error {
		if j, err = tx.LockBulkJob(ctx, id); err != nil {
			return err
		}
		if err := seesBulk(ctx, j); err != nil {
			return err
		}
		if err := db.Expect(j.Version, version); err != nil {
			return err
		}
		return change(tx, &j)
	})
	if err != nil {
		return BulkJob{}, err
	}
	out, err := h.showBulkJobs(ctx, h.mine(ctx), j)
	if err != nil {
		return BulkJob{}, err
	}
	return out[0], nil
}

// StartBulkJob starts a job.
func (h *Handlers) StartBulkJob(ctx context.Context, r StartBulkJobRequestObject) (StartBulkJobResponseObject, error) {
	out, err := h.changeBulk(ctx, r.Id, r.Params.IfMatch, func(tx *store.Tx, j *store.BulkJob) error {
		if j.CreatedBy != caller(ctx).Subject {
			return problem.New(problem.CodeAccessDenied, "a bulk job is done in the name of who made it, who alone starts it: make one of your own")
		}
		if err := mayBulk(ctx, j.Action); err != nil {
			return err
		}
		switch j.Status {
		case store.BulkReady:
		case store.BulkChecking:
			return problem.New(problem.CodeConflict, "it is still found out what it would do: start it then")
		default:
			return problem.New(problem.CodeConflict, "it has been started, or ended, already")
		}
		if err := tx.ForgetBulkOutcomes(ctx, j.ID); err != nil {
			return err
		}
		h.setGoing(ctx, j)
		if err := tx.SaveBulkJob(ctx, j); err != nil {
			return err
		}
		return h.recordBulk(ctx, tx, "bulk-job.started", *j, bulkStarted{j.Action, j.Total})
	})
	return StartBulkJob200JSONResponse{Body: out, Headers: StartBulkJob200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// CancelBulkJob ends a job before it is done.
func (h *Handlers) CancelBulkJob(ctx context.Context, r CancelBulkJobRequestObject) (CancelBulkJobResponseObject, error) {
	out, err := h.changeBulk(ctx, r.Id, r.Params.IfMatch, func(tx *store.Tx, j *store.BulkJob) error {
		if j.CreatedBy != caller(ctx).Subject {
			if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
				return err
			}
		}
		if !j.Open() && j.Status != store.BulkReady {
			return problem.New(problem.CodeConflict, "it has ended already")
		}
		return h.endBulk(ctx, tx, j, store.BulkCancelled, "")
	})
	return CancelBulkJob200JSONResponse{Body: out, Headers: CancelBulkJob200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// endBulk ends a job whose rows have not all had their turn.
func (h *Handlers) endBulk(ctx context.Context, tx *store.Tx, j *store.BulkJob, status, reason string) error {
	outcome, code := store.RowCancelled, ""
	if status == store.BulkStopped {
		outcome, code = store.RowRefused, string(problem.CodeAccessDenied)
	}
	if j.StartedAt == nil { // nothing was done of what it would have done
		if err := tx.ForgetBulkOutcomes(ctx, j.ID); err != nil {
			return err
		}
	}
	if err := tx.EndBulkRows(ctx, j.ID, outcome, code, reason); err != nil {
		return err
	}
	now := h.store.Now()
	j.Status, j.Reason, j.EndedAt = status, reason, &now
	if err := tx.SaveBulkJob(ctx, j); err != nil {
		return err
	}
	return h.recordBulkEnd(ctx, tx, *j)
}

// bulkEnded is what the audit trail says of a job that has ended.
type bulkEnded struct {
	Reason string        `json:"reason,omitempty"`
	Rows   BulkJobCounts `json:"rows"`
}

// recordBulkEnd notes that a job ended, and tells who started it.
func (h *Handlers) recordBulkEnd(ctx context.Context, tx *store.Tx, j store.BulkJob) error {
	counts, err := tx.BulkCounts(ctx, j.ID)
	if err != nil {
		return err
	}
	if err := h.tellBulkEnd(ctx, tx, j, countsOf(counts[j.ID])); err != nil {
		return err
	}
	return h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: "bulk-job." + j.Status, Target: bulkTarget(j), Organization: tx.ID(), Refused: j.Status == store.BulkStopped,
		After: bulkEnded{j.Reason, countsOf(counts[j.ID])},
	})
}
