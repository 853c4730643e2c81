package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// longestReview bounds how long people have to decide.
	longestReview = 366 * day
	// remindAhead is how long before the deadline reviewers are reminded, at most,
	// and remindLast when for the last time.
	remindAhead = 3 * day
	remindLast  = day
)

// reviewScope is what a review is about, as permissions to see and change it are
// asked for.
func reviewScope(r store.AccessReview) authn.Scope {
	if r.ScopeKind == store.ScopeProject {
		return authn.Scope{Project: r.ScopeID}
	}
	return authn.Scope{}
}

// scopeAskedFor checks what a review is to be about.
func (h *Handlers) scopeAskedFor(ctx context.Context, org *store.Org, s AccessReviewScope, at string) (store.AccessReview, error) {
	r := store.AccessReview{ScopeKind: string(s.Kind), ScopeID: deref(s.Id)}
	if (r.ScopeKind == store.ScopeOrganization) != (r.ScopeID == "") {
		if r.ScopeID == "" {
			return r, invalid(at+"/id", "required", "name the %s that is reviewed", r.ScopeKind)
		}
		return r, invalid(at+"/id", "invalid", "the organization needs no id: leave it out")
	}
	if err := authn.Require(ctx, "role:update", reviewScope(r)); err != nil {
		return r, err
	}
	switch r.ScopeKind {
	case store.ScopeRole:
		roles, err := rights.RolesCalled(ctx, org, r.ScopeID)
		if err != nil {
			return r, err
		}
		role, ok := findRole(roles, r.ScopeID)
		if !ok {
			return r, invalid(at+"/id", "reference", "there is no role %q: see /roles", r.ScopeID)
		}
		r.ScopeID = role.ID
	case store.ScopeGroup:
		if _, err := org.Group(ctx, r.ScopeID); store.IsNotFound(err) {
			return r, invalid(at+"/id", "reference", "there is no such group: see /groups")
		} else if err != nil {
			return r, err
		}
	}
	return r, nil
}

// PreviewAccessReview counts what a review would be about.
func (h *Handlers) PreviewAccessReview(ctx context.Context, r PreviewAccessReviewRequestObject) (PreviewAccessReviewResponseObject, error) {
	org := h.mine(ctx)
	row, err := h.scopeAskedFor(ctx, org, *r.Body, "")
	if err != nil {
		return nil, err
	}
	held, err := h.held(ctx, org)
	if err != nil {
		return nil, err
	}
	s, err := h.snapshot(ctx, org, row, caller(ctx).Subject, held)
	return PreviewAccessReview200JSONResponse{Items: len(s.items), Principals: s.principals, LeftOut: s.leftOut}, err
}

// lasts checks how long people have to decide, and after how long the next round
// begins.
func (h *Handlers) lasts(begin, deadline time.Time, repeatDays int64) error {
	switch now := h.store.Now(); {
	case !deadline.After(now):
		return invalid("/deadline", "minimum", "it is over already: name a time in the future")
	case deadline.Sub(now) > longestReview:
		return invalid("/deadline", "maximum", "a review lasts a year at most")
	case repeatDays > 0 && begin.Add(time.Duration(repeatDays)*day).Before(deadline):
		return invalid("/repeatDays", "minimum", "a round ends before the next one begins: repeat it after more days, or let it end earlier")
	}
	return nil
}

// CreateAccessReview begins a review.
func (h *Handlers) CreateAccessReview(ctx context.Context, r CreateAccessReviewRequestObject) (CreateAccessReviewResponseObject, error) {
	b := r.Body
	made, err := create(ctx, h, func(tx *store.Tx) (AccessReview, error) {
		row, err := h.scopeAskedFor(ctx, tx.Org, b.Scope, "/scope")
		if err != nil {
			return AccessReview{}, err
		}
		if err := h.lasts(h.store.Now(), b.Deadline, deref(b.RepeatDays)); err != nil {
			return AccessReview{}, err
		}
		row.Name, row.Deadline, row.Undecided, row.RepeatDays = strings.TrimSpace(b.Name), b.Deadline.UTC(), string(b.Undecided), deref(b.RepeatDays)
		if row.Reviewers, err = reviewersAskedFor(ctx, tx.Org, deref(b.Reviewers)); err != nil {
			return AccessReview{}, err
		}
		held, err := h.held(ctx, tx.Org)
		if err != nil {
			return AccessReview{}, err
		}
		row.StartedBy, row.Round = caller(ctx).Subject, 1
		if err := h.beginReview(ctx, tx, &row, held); err != nil {
			return AccessReview{}, err
		}
		out, err := h.showReviews(ctx, tx.Org, row)
		if err != nil {
			return AccessReview{}, err
		}
		return out[0], nil
	})
	return CreateAccessReview201JSONResponse{Body: made, Headers: CreateAccessReview201ResponseHeaders{ETag: etag(made.Version), Location: location("access/reviews", made.Id)}}, err
}

// reviewersAskedFor checks who is to decide.
func reviewersAskedFor(ctx context.Context, org *store.Org, ids []string) ([]string, error) {
	users, err := org.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for i, id := range ids {
		known := slices.ContainsFunc(users, func(u store.User) bool { return u.ID == id && u.Status == store.Active })
		if !known {
			return nil, invalid(fmt.Sprintf("/reviewers/%d", i), "reference", "there is no such user who may sign in: see /users")
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

// beginReview keeps a review with the grants that are in it now, and tells those who
// decide.
func (h *Handlers) beginReview(ctx context.Context, tx *store.Tx, row *store.AccessReview, held access.Holding) error {
	s, err := h.snapshot(ctx, tx.Org, *row, row.StartedBy, held)
	if err != nil {
		return err
	}
	if len(s.items) == 0 {
		if s.leftOut > 0 {
			return invalid("/scope", "invalid", "there is nothing to review: none of the %d grants there are could be taken away by you", s.leftOut)
		}
		return invalid("/scope", "invalid", "there is nothing to review: nobody was given anything there")
	}
	now := h.store.Now()
	row.Status, row.LeftOut = store.ReviewRunning, int64(s.leftOut)
	row.RemindAt = new(row.Deadline.Add(-min(remindAhead, row.Deadline.Sub(now)/2)))
	if row.RepeatDays > 0 {
		row.NextAt = new(now.Add(time.Duration(row.RepeatDays) * day))
	}
	if err := tx.CreateAccessReview(ctx, row, s.items); err != nil {
		return err
	}
	if err := h.tellReviewers(ctx, tx, *row, mail.ReviewBegun); err != nil {
		return err
	}
	return h.record(ctx, tx, "access-review.begun", "access-review", row.ID, row.Name, nil, struct {
		reviewFields
		Scope string `json:"scope"`
		Round int64  `json:"round"`
		Items int    `json:"items"`
	}{fieldsOfReview(*row), strings.TrimSpace(row.ScopeKind + " " + row.ScopeID), row.Round, len(s.items)})
}

// tellReviewers has a letter sent to everybody who decides.
func (h *Handlers) tellReviewers(ctx context.Context, tx *store.Tx, row store.AccessReview, kind string) error {
	who, err := h.reviewers(ctx, tx.Org, row)
	if err != nil {
		return err
	}
	users, err := tx.UsersByID(ctx, who.ids)
	if err != nil {
		return err
	}
	for _, u := range users {
		_, err := h.post(ctx, tx, kind, u.Email, false, mail.Data{
			Name: u.Name, Review: row.Name, Until: row.Deadline.UTC(), Link: strings.TrimRight(h.opt.ConsoleURL, "/") + "/reviews/" + row.ID,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reviewFields is what people change of a review.
type reviewFields struct {
	Name       string    `json:"name"`
	Reviewers  []string  `json:"reviewers"`
	Deadline   time.Time `json:"deadline"`
	Undecided  string    `json:"undecided"`
	RepeatDays int64     `json:"repeatDays"`
}

func fieldsOfReview(r store.AccessReview) reviewFields {
	return reviewFields{r.Name, r.Reviewers, r.Deadline.UTC(), r.Undecided, r.RepeatDays}
}

// recordedReview is what the audit trail says of a review.
type recordedReview struct {
	reviewFields
	Status string `json:"status"`
}

func recordedReviewOf(r store.AccessReview) recordedReview {
	return recordedReview{fieldsOfReview(r), r.Status}
}

// UpdateAccessReview changes a review.
func (h *Handlers) UpdateAccessReview(ctx context.Context, r UpdateAccessReviewRequestObject) (UpdateAccessReviewResponseObject, error) {
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	row, err := h.changeReview(ctx, r.Id, version, "access-review.updated", func(tx *store.Tx, row *store.AccessReview) error {
		was := fieldsOfReview(*row)
		f, err := httpx.Merge(ctx, was)
		if err != nil {
			return err
		}
		f.Name, f.Deadline = strings.TrimSpace(f.Name), f.Deadline.UTC()
		if row.Status != store.ReviewRunning && (!f.Deadline.Equal(was.Deadline) || f.Undecided != was.Undecided || !slices.Equal(f.Reviewers, was.Reviewers)) {
			return problem.New(problem.CodeConflict, "this review is over: only its name and whether it is repeated can be changed")
		}
		if row.Status == store.ReviewCancelled && f.RepeatDays != was.RepeatDays {
			return problem.New(problem.CodeConflict, "this review was cancelled: begin another one")
		}
		if !f.Deadline.Equal(was.Deadline) || f.RepeatDays != was.RepeatDays && row.Status == store.ReviewRunning {
			if err := h.lasts(row.CreatedAt, f.Deadline, f.RepeatDays); err != nil {
				return err
			}
			now := h.store.Now()
			row.RemindAt = new(f.Deadline.Add(-min(remindAhead, f.Deadline.Sub(now)/2)))
		}
		if !slices.Equal(f.Reviewers, was.Reviewers) {
			if f.Reviewers, err = reviewersAskedFor(ctx, tx.Org, f.Reviewers); err != nil {
				return err
			}
		}
		if f.RepeatDays != was.RepeatDays {
			row.NextAt, row.RepeatError = nil, ""
			if f.RepeatDays > 0 {
				row.NextAt = new(row.CreatedAt.Add(time.Duration(f.RepeatDays) * day))
			}
		}
		row.Name, row.Reviewers, row.Deadline, row.Undecided, row.RepeatDays = f.Name, f.Reviewers, f.Deadline, f.Undecided, f.RepeatDays
		if row.Reviewers == nil {
			row.Reviewers = []string{}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out, err := h.showReviews(ctx, h.mine(ctx), row)
	if err != nil {
		return nil, err
	}
	return UpdateAccessReview200JSONResponse{Body: out[0], Headers: UpdateAccessReview200ResponseHeaders{ETag: etag(row.Version)}}, nil
}

// changeReview changes a review that the caller may change, and records it.
func (h *Handlers) changeReview(ctx context.Context, id string, version int64, action string, change func(tx *store.Tx, row *store.AccessReview) error) (store.AccessReview, error) {
	row, err := h.mine(ctx).AccessReview(ctx, id)
	if err != nil {
		return row, err
	}
	if err := authn.Require(ctx, "role:update", reviewScope(row)); err != nil {
		return row, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		if row, err = tx.LockAccessReview(ctx, id); err != nil {
			return err
		}
		if err := db.Expect(row.Version, version); err != nil {
			return err
		}
		before := recordedReviewOf(row)
		if err := change(tx, &row); err != nil {
			return err
		}
		if err := tx.SaveAccessReview(ctx, &row); err != nil {
			return err
		}
		return h.record(ctx, tx, action, "access-review", row.ID, row.Name, before, recordedReviewOf(row))
	})
	return row, err
}

// CloseAccessReview ends a review before its deadline.
func (h *Handlers) CloseAccessReview(ctx context.Context, r CloseAccessReviewRequestObject) (CloseAccessReviewResponseObject, error) {
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	row, err := h.changeReview(ctx, r.Id, version, "access-review.ended", func(_ *store.Tx, row *store.AccessReview) error {
		if row.Status != store.ReviewRunning {
			return problem.New(problem.CodeConflict, "this review is over already")
		}
		row.Status, row.ClosedBy, row.RemindAt = store.ReviewClosing, caller(ctx).Subject, nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	organization := caller(ctx).Organization
	h.afterwards("carrying out a review", func(ctx context.Context) error { return h.carryOut(ctx, organization, row.ID) })
	out, err := h.showReviews(ctx, h.mine(ctx), row)
	if err != nil {
		return nil, err
	}
	return CloseAccessReview200JSONResponse{Body: out[0], Headers: CloseAccessReview200ResponseHeaders{ETag: etag(row.Version)}}, nil
}

// CancelAccessReview ends a review without carrying anything out.
func (h *Handlers) CancelAccessReview(ctx context.Context, r CancelAccessReviewRequestObject) (CancelAccessReviewResponseObject, error) {
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	row, err := h.changeReview(ctx, r.Id, version, "access-review.cancelled", func(_ *store.Tx, row *store.AccessReview) error {
		if row.Status != store.ReviewRunning {
			return problem.New(problem.CodeConflict, "this review is over already")
		}
		now := h.store.Now()
		row.Status, row.ClosedBy, row.ClosedAt, row.RemindAt, row.NextAt, row.RepeatDays = store.ReviewCancelled, caller(ctx).Subject, &now, nil, nil, 0
		return nil
	})
	if err != nil {
		return nil, err
	}
	out, err := h.showReviews(ctx, h.mine(ctx), row)
	if err != nil {
		return nil, err
	}
	return CancelAccessReview200JSONResponse{Body: out[0], Headers: CancelAccessReview200ResponseHeaders{ETag: etag(row.Version)}}, nil
}
