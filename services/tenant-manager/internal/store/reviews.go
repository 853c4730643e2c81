package store

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// The statuses of access reviews.
const (
	// ReviewRunning is one that is decided on. ReviewClosing is one that is over, and
	// whose decisions are being carried out.
	ReviewRunning   = "running"
	ReviewClosing   = "closing"
	ReviewClosed    = "closed"
	ReviewCancelled = "cancelled"
)

// What access reviews are about.
const (
	ScopeOrganization = "organization"
	ScopeProject      = "project"
	ScopeRole         = "role"
	ScopeGroup        = "group"
)

// The decisions on grants.
const (
	Keep   = "keep"
	Revoke = "revoke"
)

// What became of grants that were reviewed.
const (
	OutcomeKept    = "kept"
	OutcomeRevoked = "revoked"
	// OutcomeGone is one that was taken away, or had ended, before.
	OutcomeGone = "gone"
	// OutcomeBlocked is one that could not be taken away.
	OutcomeBlocked = "blocked"
)

// AccessReview asks people whether others still need what they were given.
type AccessReview struct {
	Stored `gorm:"embedded"`
	Name   string
	// ScopeKind and ScopeID say what it is about; the id is "" for the organization.
	ScopeKind string
	ScopeID   string
	// Reviewers are the ids of users; none = those who own the scope.
	Reviewers []string `gorm:"serializer:json"`
	// Undecided is what becomes of what nobody decides on: Keep or Revoke.
	Undecided string
	Status    string
	Deadline  time.Time
	// RepeatDays is after how many days the next round begins; 0 = never.
	RepeatDays int64
	Round      int64
	PreviousID string
	// StartedBy is on whose authority grants are taken away: LeftOut counts those
	// that they could not take away, which are not in it.
	StartedBy string
	LeftOut   int64
	// RemindAt is when its reviewers are reminded, NextAt when the next round begins;
	// nil = not. RepeatError is why there is none.
	RemindAt    *time.Time
	NextAt      *time.Time
	RepeatError string
	ClosedAt    *time.Time
	ClosedBy    string
}

// AccessReviewItem is a grant that is reviewed, as it was when the review began.
type AccessReviewItem struct {
	Stored        `gorm:"embedded"`
	ReviewID      string
	GrantID       string
	PrincipalID   string
	PrincipalKind string
	RoleID        string
	RoleName      string
	ProjectID     string
	APIID         string `gorm:"column:api_id"`
	EnvironmentID string
	GrantedAt     time.Time
	GrantedBy     string
	ExpiresAt     *time.Time
	// LastUsedAt is when whoever has it signed in or used a token last; nil = never,
	// or not known, as of groups.
	LastUsedAt *time.Time
	// Decision is Keep, Revoke or "".
	Decision  string
	DecidedBy string
	DecidedAt *time.Time
	Note      string
	// Outcome is "" until it is carried out.
	Outcome     string
	OutcomeAt   *time.Time
	OutcomeNote string
}

// reviewBatch is how many rows are written at once.
const reviewBatch = 200

// CreateAccessReview keeps a review with what it is about.
func (t *Tx) CreateAccessReview(ctx context.Context, r *AccessReview, items []AccessReviewItem) error {
	r.Stored = t.stored()
	if err := db.Create(ctx, t.scope, r); err != nil {
		return err
	}
	for begin := 0; begin < len(items); begin += reviewBatch {
		part := items[begin:min(begin+reviewBatch, len(items))]
		rows := make([]*AccessReviewItem, len(part))
		for i := range part {
			part[i].Stored, part[i].ReviewID = t.stored(), r.ID
			rows[i] = &part[i]
		}
		if err := db.Create(ctx, t.scope, rows...); err != nil {
			return err
		}
	}
	return nil
}

// ReviewedGrants returns grants that allow and have not ended, of some principals
// where any are given, at a project and of a role where these are not "", by their
// creation and at most so many.
func (o *Org) ReviewedGrants(ctx context.Context, project, role string, principals []string, most int) ([]Grant, error) {
	q := db.From[Grant](o.scope).Where("effect = ? AND (expires_at IS NULL OR expires_at > ?)", Allow, o.store.Now())
	if project != "" {
		q = q.Where("project_id = ?", project)
	}
	if role != "" {
		q = q.Where("role_id = ?", role)
	}
	if principals != nil {
		q = q.Where("principal_id IN ?", principals)
	}
	return q.Order("created_at", false).Order("id", false).Limit(most).All(ctx)
}

// LastUses returns when users signed in and service accounts used a token last, by
// their ids.
func (o *Org) LastUses(ctx context.Context, ids []string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	for begin := 0; begin < len(ids); begin += 1000 {
		part := ids[begin:min(begin+1000, len(ids))]
		users, err := db.From[User](o.scope).Where("id IN ? AND last_sign_in_at IS NOT NULL", part).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			out[u.ID] = u.LastSignInAt.UTC()
		}
		tokens, err := db.From[ServiceToken](o.scope).Where("service_account_id IN ? AND last_used_at IS NOT NULL", part).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range tokens {
			if k.LastUsedAt.After(out[k.ServiceAccountID]) {
				out[k.ServiceAccountID] = k.LastUsedAt.UTC()
			}
		}
	}
	return out, nil
}

// AccessReview returns a review.
func (o *Org) AccessReview(ctx context.Context, id string) (AccessReview, error) {
	return db.From[AccessReview](o.scope).Get(ctx, id)
}

// LockAccessReview is as [Org.AccessReview], and keeps others waiting until the
// transaction ends.
func (t *Tx) LockAccessReview(ctx context.Context, id string) (AccessReview, error) {
	return db.From[AccessReview](t.scope).Lock().Get(ctx, id)
}

// AccessReviews returns a page of reviews of a status, "" = any, by creation.
func (o *Org) AccessReviews(ctx context.Context, status string, p db.PageRequest) (db.Page[AccessReview], error) {
	q := db.From[AccessReview](o.scope)
	if status != "" {
		q = q.Where("status = ?", status)
	}
	return q.Page(ctx, p, "created_at")
}

// RunningReviews returns the reviews that are decided on, by their deadline.
func (o *Org) RunningReviews(ctx context.Context) ([]AccessReview, error) {
	return db.From[AccessReview](o.scope).Where("status = ?", ReviewRunning).Order("deadline", false).Limit(500).All(ctx)
}

// SaveAccessReview writes a review, if the row has the version that is in r.
func (t *Tx) SaveAccessReview(ctx context.Context, r *AccessReview) error {
	return db.Save(ctx, t.scope, r, "name", "reviewers", "undecided", "status", "deadline", "repeat_days", "remind_at", "next_at", "repeat_error", "closed_at", "closed_by")
}

// ReviewCounts is how far a review is.
type ReviewCounts struct {
	// Items are all; Kept and Revoked were decided so, Undecided are the others.
	Items, Kept, Revoked, Undecided int64
	// Open are those that are not carried out, Blocked could not be, Gone had been
	// taken away before.
	Open, Blocked, Gone, Taken int64
}

// ReviewCounts returns how far reviews are, by their ids.
func (o *Org) ReviewCounts(ctx context.Context, reviews ...string) (map[string]ReviewCounts, error) {
	out := map[string]ReviewCounts{}
	if len(reviews) == 0 {
		return out, nil
	}
	var rows []struct {
		ReviewID string
		Decision string
		Outcome  string
		N        int64
	}
	err := db.From[AccessReviewItem](o.scope).Where("review_id IN ?", reviews).
		Aggregate(ctx, &rows, "review_id, decision, outcome, count(*) AS n", "review_id, decision, outcome")
	for _, r := range rows {
		c := out[r.ReviewID]
		c.Items += r.N
		switch r.Decision {
		case Keep:
			c.Kept += r.N
		case Revoke:
			c.Revoked += r.N
		default:
			c.Undecided += r.N
		}
		switch r.Outcome {
		case "":
			c.Open += r.N
		case OutcomeBlocked:
			c.Blocked += r.N
		case OutcomeGone:
			c.Gone += r.N
		case OutcomeRevoked:
			c.Taken += r.N
		}
		out[r.ReviewID] = c
	}
	return out, err
}

// ReviewItemFilter narrows the items of a review; "" = any. Undecided is a decision
// here.
type ReviewItemFilter struct{ Decision, Outcome, Role, Principal string }

// Undecided is the decision of those without one, for [ReviewItemFilter].
const Undecided = "undecided"

func (o *Org) reviewItems(review string, f ReviewItemFilter) db.Query[AccessReviewItem] {
	q := db.From[AccessReviewItem](o.scope).Where("review_id = ?", review)
	switch f.Decision {
	case "":
	case Undecided:
		q = q.Where("decision = ''")
	default:
		q = q.Where("decision = ?", f.Decision)
	}
	for _, c := range [...]struct{ condition, value string }{
		{"outcome = ?", f.Outcome}, {"role_id = ?", f.Role}, {"principal_id = ?", f.Principal},
	} {
		if c.value != "" {
			q = q.Where(c.condition, c.value)
		}
	}
	return q
}

// ReviewItems returns a page of what a review is about, in the order in which it was
// given.
func (o *Org) ReviewItems(ctx context.Context, review string, f ReviewItemFilter, p db.PageRequest) (db.Page[AccessReviewItem], error) {
	return o.reviewItems(review, f).Page(ctx, p, "id")
}

// LockReviewItems returns items of a review, some of the ids or, without, all that
// the filter has and at most so many, and keeps others waiting.
func (t *Tx) LockReviewItems(ctx context.Context, review string, ids []string, f ReviewItemFilter, most int) ([]AccessReviewItem, error) {
	q := t.reviewItems(review, f)
	if ids != nil {
		q = q.Where("id IN ?", ids)
	}
	return q.Order("id", false).Limit(most).Lock().All(ctx)
}

// DecideReviewItems writes a decision on items.
func (t *Tx) DecideReviewItems(ctx context.Context, ids []string, decision, note string) error {
	now := t.store.Now()
	for begin := 0; begin < len(ids); begin += 1000 {
		_, err := db.From[AccessReviewItem](t.scope).Where("id IN ? AND outcome = ''", ids[begin:min(begin+1000, len(ids))]).
			Update(ctx, db.Changes{"decision": decision, "decided_by": t.by, "decided_at": now, "note": note, "version": db.Increment(1), "updated_at": now})
		if err != nil {
			return err
		}
	}
	return nil
}

// OpenReviewItems returns the ids of items of a review that are not carried out, at
// most so many.
func (o *Org) OpenReviewItems(ctx context.Context, review string, most int) ([]string, error) {
	rows, err := db.From[AccessReviewItem](o.scope).Where("review_id = ? AND outcome = ''", review).Order("id", false).Limit(most).All(ctx)
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.ID
	}
	return out, err
}

// LockReviewItem returns an item that is not carried out, and keeps others waiting.
// The error is [db.ErrNotFound] where it was carried out meanwhile.
func (t *Tx) LockReviewItem(ctx context.Context, id string) (AccessReviewItem, error) {
	return db.From[AccessReviewItem](t.scope).Where("outcome = ''").Lock().Get(ctx, id)
}

// SettleReviewItem writes what became of an item.
func (t *Tx) SettleReviewItem(ctx context.Context, id, outcome, note string) error {
	now := t.store.Now()
	_, err := db.From[AccessReviewItem](t.scope).Where("id = ? AND outcome = ''", id).
		Update(ctx, db.Changes{"outcome": outcome, "outcome_at": now, "outcome_note": cut(note, 500), "updated_at": now})
	return err
}

const reviewsReason = "one worker looks after the reviews of all organizations"

// DueReviews returns reviews of all organizations for which there is something to do
// now: whose deadline is over, that are being carried out, whose reviewers are to be
// reminded, or whose next round begins.
func (s *Store) DueReviews(ctx context.Context, most int) ([]AccessReview, error) {
	now := s.Now()
	var out []AccessReview
	for _, c := range []struct {
		condition string
		args      []any
	}{
		{"status = ? AND deadline <= ?", []any{ReviewRunning, now}},
		{"status = ?", []any{ReviewClosing}},
		{"status = ? AND remind_at <= ?", []any{ReviewRunning, now}},
		{"next_at <= ?", []any{now}},
	} {
		var rows []AccessReview
		if err := s.db.Unscoped(ctx, reviewsReason).Where(c.condition, c.args...).Order("id").Limit(most).Find(&rows).Error; err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}
