package api

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// bulkLong is from when on it is worth a letter that a job has ended: nobody looks at
// its page for so long.
const bulkLong = time.Minute

// RetryBulkJob makes a job of what another did not do.
func (h *Handlers) RetryBulkJob(ctx context.Context, r RetryBulkJobRequestObject) (RetryBulkJobResponseObject, error) {
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	made, err := create(ctx, h, func(tx *store.Tx) (BulkJob, error) {
		// Locked: two who ask at the same time do not both get a job.
		of, err := tx.LockBulkJob(ctx, r.Id)
		if err != nil {
			return BulkJob{}, err
		}
		if err := seesBulk(ctx, of); err != nil {
			return BulkJob{}, err
		}
		if err := mayBulk(ctx, of.Action); err != nil {
			return BulkJob{}, err
		}
		if err := db.Expect(of.Version, version); err != nil {
			return BulkJob{}, err
		}
		job, rows, err := h.planRetry(ctx, tx, of)
		if err != nil {
			return BulkJob{}, err
		}
		return h.makeBulk(ctx, tx, job, rows, false)
	})
	return RetryBulkJob201JSONResponse{Body: made, Headers: RetryBulkJob201ResponseHeaders{ETag: etag(made.Version), Location: location("bulk-jobs", made.Id)}}, err
}

// planRetry returns a job of the rows that another did not do. The lines of a list are
// taken as they were: whether the caller can give what they give is seen when it is
// found out what would become of them.
func (h *Handlers) planRetry(ctx context.Context, tx *store.Tx, of store.BulkJob) (store.BulkJob, []store.BulkRow, error) {
	if of.StartedAt == nil || of.EndedAt == nil {
		return store.BulkJob{}, nil, problem.New(problem.CodeConflict, "only a job that was started and has ended is tried again: await its end, or make another")
	}
	retries, err := tx.BulkRetries(ctx, of.ID)
	if err != nil {
		return store.BulkJob{}, nil, err
	}
	if by := retries[of.ID]; by != "" {
		return store.BulkJob{}, nil, problem.New(problem.CodeConflict, "the bulk job %s tries this again already: try again there what it does not do", by)
	}
	if of.GroupID != "" {
		if _, err := tx.Group(ctx, of.GroupID); store.IsNotFound(err) {
			return store.BulkJob{}, nil, problem.New(problem.CodeConflict, "the group is gone: make a job for another one")
		} else if err != nil {
			return store.BulkJob{}, nil, err
		}
	}
	undone, err := tx.UndoneBulkRows(ctx, of.ID)
	if err != nil {
		return store.BulkJob{}, nil, err
	}
	if len(undone) == 0 {
		return store.BulkJob{}, nil, problem.New(problem.CodeConflict, "there is nothing to try again: nothing failed, or nothing of it is left")
	}
	rows := make([]store.BulkRow, len(undone))
	for i, u := range undone {
		rows[i] = store.BulkRow{TargetID: u.TargetID, Line: u.Line, Email: u.Email, Name: u.Name, Gives: u.Gives, Faults: []store.BulkFault{}}
	}
	job := store.BulkJob{
		Action: of.Action, Name: of.Name, GroupID: of.GroupID, AskedRoles: of.AskedRoles, AskedGroups: of.AskedGroups, LeadsTo: of.LeadsTo,
		Unused: []string{}, RetryOf: of.ID,
	}
	h.onBehalf(ctx, &job)
	return job, rows, nil
}

// tellBulkEnd has a letter sent to who started a job that took long, or that did not do
// all of it, with the transaction that ends it, and therefore once. Whoever cancelled
// their own job knows.
func (h *Handlers) tellBulkEnd(ctx context.Context, tx *store.Tx, j store.BulkJob, rows BulkJobCounts) error {
	if j.StartedAt == nil || j.EndedAt == nil || j.CreatorKind != string(authn.User) {
		return nil
	}
	if j.Status == store.BulkCancelled && caller(ctx).Subject == j.CreatedBy {
		return nil
	}
	undone := rows.Refused + rows.Failed + rows.Cancelled
	if undone == 0 && j.EndedAt.Sub(*j.StartedAt) < bulkLong {
		return nil
	}
	users, err := tx.UsersByID(ctx, []string{j.CreatedBy})
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Status != store.Active {
			continue
		}
		_, err := h.post(ctx, tx, mail.BulkJobEnded, u.Email, false, mail.Data{
			Name: u.Name, Language: u.Language, At: j.StartedAt.UTC(), Task: j.Action, Done: rows.Done + rows.Unchanged, Undone: undone,
			Link: strings.TrimRight(h.opt.ConsoleURL, "/") + "/bulk-jobs/" + j.ID,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
