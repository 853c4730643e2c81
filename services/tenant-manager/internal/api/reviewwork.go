package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// ReviewsEvery is how often it is looked for reviews for which there is something
	// to do, and reviewsAtOnce how many of each kind are taken.
	ReviewsEvery  = 2 * time.Second
	reviewsAtOnce = 50
	// itemsAtOnce is how many items are looked up before they are carried out one by
	// one.
	itemsAtOnce = 500
)

// TendReviews ends reviews at their deadline, carries them out, reminds reviewers, and
// begins the next rounds, as far as each is due. What two workers do
// at the same time happens once.
func (h *Handlers) TendReviews(ctx context.Context) error {
	rows, err := h.store.DueReviews(ctx, reviewsAtOnce)
	for _, r := range rows {
		if tended := h.tendReview(ctx, r); tended != nil {
			err = errors.Join(err, fmt.Errorf("review %s: %w", r.ID, tended))
		}
	}
	return err
}

// tendReview does what there is to do for a review now.
func (h *Handlers) tendReview(ctx context.Context, r store.AccessReview) error {
	now := h.store.Now()
	due := func(t *time.Time) bool { return t != nil && !now.Before(*t) }
	// The row says it again, locked: another instance may have been faster.
	err := h.store.Tx(ctx, r.OrganizationID, "", func(tx *store.Tx) error {
		var err error
		if r, err = tx.LockAccessReview(ctx, r.ID); err != nil {
			return err
		}
		switch {
		case r.Status == store.ReviewRunning && due(&r.Deadline):
			r.Status, r.RemindAt = store.ReviewClosing, nil
			if err := h.recordReview(ctx, tx, "access-review.ended", r, nil); err != nil {
				return err
			}
		case r.Status == store.ReviewRunning && due(r.RemindAt):
			if err := h.remind(ctx, tx, &r, now); err != nil {
				return err
			}
		case due(r.NextAt):
			return h.nextRound(ctx, tx, &r)
		default:
			return nil
		}
		return tx.SaveAccessReview(ctx, &r)
	})
	if err != nil || r.Status != store.ReviewClosing {
		return err
	}
	return h.carryOut(ctx, r.OrganizationID, r.ID)
}

func (h *Handlers) recordReview(ctx context.Context, tx *store.Tx, action string, r store.AccessReview, after any) error {
	return h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: "access-review", ID: r.ID, Name: r.Name}, Organization: tx.ID(), After: after,
	})
}

// remind tells the reviewers that something is undecided, and says when to do so
// again.
func (h *Handlers) remind(ctx context.Context, tx *store.Tx, r *store.AccessReview, now time.Time) error {
	r.RemindAt = nil
	if last := r.Deadline.Add(-remindLast); last.After(now) {
		r.RemindAt = &last
	}
	counts, err := tx.ReviewCounts(ctx, r.ID)
	if err != nil || counts[r.ID].Undecided == 0 {
		return err
	}
	return h.tellReviewers(ctx, tx, *r, mail.ReviewWaits)
}

// nextRound begins a review again, on the authority of who began it, as it is now.
func (h *Handlers) nextRound(ctx context.Context, tx *store.Tx, was *store.AccessReview) error {
	lasted := was.Deadline.Sub(was.CreatedAt)
	was.NextAt = nil
	err := h.repeatReview(ctx, tx, *was, lasted)
	var p *problem.Problem
	if errors.As(err, &p) { // nothing was written before it was found out
		was.RepeatError = p.Detail
		err = h.kit.Audit(ctx, tx.DB(), service.Entry{
			Action: "access-review.begun", Target: audit.Target{Kind: "access-review", ID: was.ID, Name: was.Name}, Organization: tx.ID(), Refused: true,
			After: struct {
				Reason string `json:"reason"`
			}{p.Detail},
		})
	}
	if err != nil {
		return err
	}
	return tx.SaveAccessReview(ctx, was)
}

func (h *Handlers) repeatReview(ctx context.Context, tx *store.Tx, was store.AccessReview, lasted time.Duration) error {
	starter, err := rights.Find(ctx, tx.Org, was.StartedBy)
	if err != nil && !store.IsNotFound(err) {
		return err
	}
	if err != nil || !starter.Active {
		return problem.New(problem.CodeConflict, "whoever began it has left: begin a new one")
	}
	held, err := rights.Of(ctx, tx.Org, was.StartedBy)
	if err != nil {
		return err
	}
	scope := access.Scope{Project: reviewScope(was).Project}
	if access.Missing(held, []string{"role:update"}, scope, noEnd, h.store.Now()) != "" {
		return problem.New(problem.CodeConflict, "whoever began it may not change roles any more: begin a new one")
	}
	next := store.AccessReview{
		Name: was.Name, ScopeKind: was.ScopeKind, ScopeID: was.ScopeID, Reviewers: was.Reviewers, Undecided: was.Undecided, RepeatDays: was.RepeatDays,
		Deadline: h.store.Now().Add(lasted), Round: was.Round + 1, PreviousID: was.ID, StartedBy: was.StartedBy,
	}
	return h.beginReview(ctx, tx, &next, held)
}

// carryOut does what was decided in a review that is over: each grant in a
// transaction of its own, so that one that cannot be taken away keeps no other.
func (h *Handlers) carryOut(ctx context.Context, organization, id string) error {
	org := h.store.For(organization)
	review, err := org.AccessReview(ctx, id)
	if err != nil || review.Status != store.ReviewClosing {
		return err
	}
	for {
		items, err := org.OpenReviewItems(ctx, id, itemsAtOnce)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			break
		}
		for _, i := range items {
			if err := h.settleItem(ctx, review, i); err != nil && !store.IsNotFound(err) { // that was carried out by another
				return err
			}
		}
	}
	return h.store.Tx(ctx, organization, "", func(tx *store.Tx) error {
		r, err := tx.LockAccessReview(ctx, id)
		if err != nil || r.Status != store.ReviewClosing {
			return err
		}
		counts, err := tx.ReviewCounts(ctx, id)
		if err != nil {
			return err
		}
		now := h.store.Now()
		r.Status, r.ClosedAt = store.ReviewClosed, &now
		if err := tx.SaveAccessReview(ctx, &r); err != nil {
			return err
		}
		c := counts[id]
		return h.recordReview(ctx, tx, "access-review.closed", r, struct {
			Items   int64 `json:"items"`
			Revoked int64 `json:"revoked"`
			Blocked int64 `json:"blocked"`
			Gone    int64 `json:"gone"`
		}{c.Items, c.Taken, c.Blocked, c.Gone})
	})
}

// settleItem carries one item out.
func (h *Handlers) settleItem(ctx context.Context, review store.AccessReview, id string) error {
	return h.store.Tx(ctx, review.OrganizationID, "", func(tx *store.Tx) error {
		i, err := tx.LockReviewItem(ctx, id)
		if err != nil {
			return err
		}
		decision := i.Decision
		if decision == "" {
			decision = review.Undecided
		}
		if decision != store.Revoke {
			return tx.SettleReviewItem(ctx, id, store.OutcomeKept, "")
		}
		g, err := tx.Grant(ctx, i.GrantID)
		if store.IsNotFound(err) || err == nil && !until(g).IsZero() && !until(g).After(h.store.Now()) {
			return tx.SettleReviewItem(ctx, id, store.OutcomeGone, "")
		}
		if err != nil {
			return err
		}
		if g.RoleID == access.Owner {
			var p *problem.Problem
			if err := keepsAnOwner(ctx, tx, "", g.ID); errors.As(err, &p) {
				return tx.SettleReviewItem(ctx, id, store.OutcomeBlocked, p.Detail)
			} else if err != nil {
				return err
			}
		}
		if err := tx.DeleteGrant(ctx, g, db.AnyVersion); err != nil {
			return err
		}
		if err := h.recordRevoked(ctx, tx, review, i, g); err != nil {
			return err
		}
		return tx.SettleReviewItem(ctx, id, store.OutcomeRevoked, "")
	})
}

// recordRevoked tells of a grant that was taken away in the name of whoever decided
// so, and of the service where nobody did.
func (h *Handlers) recordRevoked(ctx context.Context, tx *store.Tx, review store.AccessReview, i store.AccessReviewItem, g store.Grant) error {
	roles, err := rights.Roles(ctx, tx.Org)
	if err != nil {
		return err
	}
	called, err := names(ctx, tx.Org, []string{g.PrincipalID, i.DecidedBy})
	if err != nil {
		return err
	}
	e := service.Entry{
		Action: "grant.deleted", Target: audit.Target{Kind: "grant", ID: g.ID, Name: grantName(g, roles[g.RoleID], called[g.PrincipalID])}, Organization: tx.ID(),
		Before: grantOf(g, roles[g.RoleID], called[g.PrincipalID]),
		After: struct {
			Review  string `json:"review"`
			Comment string `json:"comment,omitempty"`
		}{review.Name, i.Note},
	}
	if i.DecidedBy != "" {
		e.Actor = audit.Actor{Kind: "user", ID: i.DecidedBy, Name: called[i.DecidedBy]}
	}
	return h.kit.Audit(ctx, tx.DB(), e)
}
