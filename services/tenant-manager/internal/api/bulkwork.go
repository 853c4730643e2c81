package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// BulkJobsEvery is how often it is looked for bulk jobs that are to be worked on.
	BulkJobsEvery = time.Second
	// bulkJobsAtOnce is how many of them take turns, and bulkTurn how many rows a turn
	// is, so that a long job keeps no short one waiting.
	bulkJobsAtOnce = 50
	bulkTurn       = 50
	// bulkWaits is how long a job waits for its start.
	bulkWaits = 24 * time.Hour
	// bulkAttempts is how often a row is tried that fails.
	bulkAttempts = 3
)

// errElsewhere says that a row, or its job, was settled by another meanwhile.
var errElsewhere = errors.New("it is settled already")

// TendBulkJobs works on the bulk jobs of all organizations until there is nothing to
// do. What two workers do at the same time happens once: what became of a row is
// written in the transaction that does it.
func (h *Handlers) TendBulkJobs(ctx context.Context) error {
	for {
		jobs, err := h.store.DueBulkJobs(ctx, h.store.Now().Add(-bulkWaits), bulkJobsAtOnce)
		worked := false
		for _, j := range jobs {
			more, tended := h.tendBulk(ctx, j)
			if tended != nil {
				err = errors.Join(err, fmt.Errorf("bulk job %s: %w", j.ID, tended))
			}
			worked = worked || more
		}
		if err != nil || !worked || ctx.Err() != nil {
			return err
		}
	}
}

// tendBulk gives a job its turn, and says whether there may be more to do.
func (h *Handlers) tendBulk(ctx context.Context, j store.BulkJob) (more bool, err error) {
	as, err := h.inNameOf(ctx, j)
	if err != nil {
		return false, err
	}
	if j.Status == store.BulkReady {
		return false, h.closeBulk(as, j, store.BulkCancelled, "nobody started it within a day")
	}
	rows, err := h.store.For(j.OrganizationID).OpenBulkRows(ctx, j.ID, bulkTurn)
	if err != nil {
		return false, err
	}
	if len(rows) == 0 {
		return false, h.finishBulk(as, j)
	}
	if j.Status == store.BulkChecking {
		return true, h.checkBulk(ctx, j, rows)
	}
	for _, row := range rows {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		on, err := h.workOn(ctx, j, row)
		if err != nil || !on {
			return false, err
		}
	}
	return true, nil
}

// inNameOf returns a context in which the creator of a job calls, with what they may
// do now, by the request that set it going.
func (h *Handlers) inNameOf(ctx context.Context, j store.BulkJob) (context.Context, error) {
	who, err := rights.FindAll(ctx, h.store.For(j.OrganizationID), j.CreatedBy)
	if err != nil {
		return nil, err
	}
	p := authn.Principal{
		Organization: j.OrganizationID, Subject: j.CreatedBy, Kind: authn.Kind(j.CreatorKind), Session: j.TokenID, Token: j.TokenName, Name: who[j.CreatedBy].Name,
	}
	// What was known a moment ago may have been taken away, perhaps elsewhere.
	fresh := authn.NewAccess(h.opt.Rights, h.kit.Log, h.store.Now)
	return authn.With(httpx.Later(ctx, j.RequestID, j.Address, j.Console), p, fresh), nil
}

// lostRight returns why the creator of a job may not go on with it, "" where they may.
func lostRight(ctx context.Context, action string) (string, error) {
	var p *problem.Problem
	switch err := mayBulk(ctx, action); {
	case err == nil:
		return "", nil
	case errors.As(err, &p) && p.Status == http.StatusUnauthorized:
		return "whoever made this job is disabled or gone, or their token was revoked", nil
	case errors.As(err, &p) && p.Status < http.StatusInternalServerError:
		return "whoever made this job may not do this any longer", nil
	default:
		return "", err
	}
}

// workOn does a row of a job that runs. on is false where the job ended.
func (h *Handlers) workOn(ctx context.Context, j store.BulkJob, row store.BulkRow) (on bool, err error) {
	as, err := h.inNameOf(ctx, j)
	if err != nil {
		return false, err
	}
	if why, err := lostRight(as, j.Action); err != nil || why != "" {
		if err == nil {
			err = h.closeBulk(as, j, store.BulkStopped, why)
		}
		return false, err
	}
	err = h.change(as, func(tx *store.Tx) error {
		var err error
		if row, err = stillOpen(as, tx, j, row.ID); err != nil {
			return err
		}
		if err := h.doRow(as, tx, j, &row); err != nil {
			return err
		}
		row.Outcome = store.RowDone
		return tx.SettleBulkRow(as, row)
	})
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, errElsewhere):
		return h.runs(ctx, j)
	case ctx.Err() != nil:
		return false, err // the service stops: it is not the row's fault
	}
	if failed := toldRow(&row, err); failed != nil {
		h.kit.Log.WarnContext(ctx, "a row of a bulk job failed", "job", j.ID, "row", row.ID, "attempt", row.Attempts+1, "err", failed)
		if row.Attempts+1 < bulkAttempts {
			return false, errors.Join(failed, h.store.Tx(ctx, j.OrganizationID, "", func(tx *store.Tx) error { return tx.BulkRowFailed(ctx, row.ID) }))
		}
		row.Outcome, row.Code, row.Detail = store.RowFailed, string(problem.CodeInternal), "something is wrong with the service: its log says what"
	}
	err = h.settleRows(ctx, j, row)
	if errors.Is(err, errElsewhere) {
		return h.runs(ctx, j)
	}
	return err == nil, err
}

// stillOpen returns a row that nobody settled, of a job that has the status still.
func stillOpen(ctx context.Context, tx *store.Tx, j store.BulkJob, row string) (store.BulkRow, error) {
	out, err := tx.LockBulkRow(ctx, row)
	if store.IsNotFound(err) {
		return out, errElsewhere
	}
	if err != nil {
		return out, err
	}
	now, err := tx.BulkJob(ctx, j.ID)
	if err == nil && now.Status != j.Status || store.IsNotFound(err) {
		err = errElsewhere
	}
	return out, err
}

func (h *Handlers) runs(ctx context.Context, j store.BulkJob) (bool, error) {
	now, err := h.store.For(j.OrganizationID).BulkJob(ctx, j.ID)
	if store.IsNotFound(err) {
		return false, nil
	}
	return now.Status == j.Status, err
}

// settleRows writes what became of rows with which nothing was done.
func (h *Handlers) settleRows(ctx context.Context, j store.BulkJob, rows ...store.BulkRow) error {
	return h.store.Tx(ctx, j.OrganizationID, "", func(tx *store.Tx) error {
		// Locked: what was found out before a job was started is no outcome of it.
		now, err := tx.LockBulkJob(ctx, j.ID)
		if err == nil && now.Status != j.Status || store.IsNotFound(err) {
			err = errElsewhere
		}
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := tx.SettleBulkRow(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// toldRow says what became of a row that was not done. The error is one that has
// nothing to do with it.
func toldRow(row *store.BulkRow, err error) error {
	var res UserActionResult
	if err := told(&res, err, false); err != nil {
		return err
	}
	row.Outcome, row.Code, row.Detail, row.Mailed = string(res.Outcome), deref(res.Code), deref(res.Detail), false
	if row.Outcome == store.RowRefused && row.Code == string(problem.CodeNotFound) {
		row.Detail = "it is not there any more"
	}
	return nil
}

// checkBulk finds out what would become of rows: it does them, and takes that back.
func (h *Handlers) checkBulk(ctx context.Context, j store.BulkJob, rows []store.BulkRow) error {
	as, err := h.inNameOf(ctx, j)
	if err != nil {
		return err
	}
	if why, err := lostRight(as, j.Action); err != nil || why != "" {
		if err == nil {
			err = h.closeBulk(as, j, store.BulkStopped, why)
		}
		return err
	}
	for i := range rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		row := rows[i]
		err := h.change(as, func(tx *store.Tx) error {
			row = rows[i]
			if err := h.doRow(as, tx, j, &row); err != nil {
				return err
			}
			return errDryRun
		})
		if errors.Is(err, errDryRun) {
			row.Outcome, row.TargetID = store.RowDone, rows[i].TargetID
		} else if failed := toldRow(&row, err); failed != nil {
			if ctx.Err() != nil {
				return failed
			}
			h.kit.Log.WarnContext(ctx, "a row of a bulk job could not be checked", "job", j.ID, "row", row.ID, "err", failed)
			row.Outcome, row.Code, row.Detail = store.RowFailed, string(problem.CodeInternal), "it could not be found out what would become of it"
		}
		rows[i] = row
	}
	err = h.settleRows(ctx, j, rows...)
	if errors.Is(err, errElsewhere) {
		err = nil
	}
	return err
}

// doRow does one row, as the single operation would.
func (h *Handlers) doRow(ctx context.Context, tx *store.Tx, j store.BulkJob, row *store.BulkRow) error {
	switch j.Action {
	case store.BulkInvite, store.BulkResend:
		g, err := h.giving(ctx, tx.Org)
		if err != nil {
			return err
		}
		if j.Action == store.BulkInvite {
			return h.inviteRow(ctx, tx, g, j, row)
		}
		made, err := h.resend(ctx, tx, g, row.TargetID, db.AnyVersion)
		if err != nil {
			return err
		}
		row.Mailed = deref(made.Mailed)
		return reaches(row.Mailed)
	}
	var group store.Group
	if j.GroupID != "" {
		var err error
		if group, err = tx.Group(ctx, j.GroupID); err != nil {
			if store.IsNotFound(err) {
				err = problem.New(problem.CodeConflict, "the group is gone")
			}
			return err
		}
	}
	var res UserActionResult
	if err := h.act(ctx, tx, j.Action, row.TargetID, group, &res); err != nil {
		return err
	}
	if j.Action == store.BulkPasswordLink {
		row.Mailed = deref(res.Mailed)
		return reaches(row.Mailed)
	}
	return nil
}

// reaches returns a problem of a link that goes out by no mail: jobs keep no links.
func reaches(mailed bool) error {
	if mailed {
		return nil
	}
	return problem.New(problem.CodeConflict, "no mail is set up, so that the link would reach nobody: set it up, or make links one by one, which shows them")
}

func (h *Handlers) inviteRow(ctx context.Context, tx *store.Tx, g *giving, j store.BulkJob, row *store.BulkRow) error {
	known, err := tx.KnownByEmail(ctx, []string{row.Email})
	if err != nil {
		return err
	}
	switch key := store.FoldEmail(row.Email); {
	case known.Users[key]:
		return unchangedError("they are a user already")
	case known.Invited[key]:
		return unchangedError("they are invited already, and have not come yet: send that again")
	}
	invitation, err := h.planned(ctx, g, itemOf(j, *row))
	if err != nil {
		return err
	}
	made, err := h.inviteTo(ctx, tx, g, &invitation, j.LeadsTo)
	if err != nil {
		return err
	}
	row.TargetID, row.Mailed = made.Id, deref(made.Mailed)
	if !row.Mailed {
		row.Detail = "no mail is set up: the invitations show the link when it is sent again"
	}
	return nil
}

// finishBulk ends a job whose rows have all had their turn, or lets one wait for its
// start of which it is known what it would do.
func (h *Handlers) finishBulk(ctx context.Context, j store.BulkJob) error {
	return h.change(ctx, func(tx *store.Tx) error {
		now, err := tx.LockBulkJob(ctx, j.ID)
		if store.IsNotFound(err) || err == nil && now.Status != j.Status {
			return nil
		}
		if err != nil {
			return err
		}
		if now.Status == store.BulkChecking {
			now.Status = store.BulkReady
			return tx.SaveBulkJob(ctx, &now)
		}
		ended := h.store.Now()
		now.Status, now.EndedAt = store.BulkCompleted, &ended
		if err := tx.SaveBulkJob(ctx, &now); err != nil {
			return err
		}
		return h.recordBulkEnd(ctx, tx, now)
	})
}

// closeBulk ends a job before its rows did, if it has the status still.
func (h *Handlers) closeBulk(ctx context.Context, j store.BulkJob, status, reason string) error {
	return h.change(ctx, func(tx *store.Tx) error {
		now, err := tx.LockBulkJob(ctx, j.ID)
		if store.IsNotFound(err) || err == nil && now.Status != j.Status {
			return nil
		}
		if err != nil {
			return err
		}
		return h.endBulk(ctx, tx, &now, status, reason)
	})
}
