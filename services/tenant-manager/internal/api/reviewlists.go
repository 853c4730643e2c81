package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListAccessReviews returns a page of reviews.
func (h *Handlers) ListAccessReviews(ctx context.Context, r ListAccessReviewsRequestObject) (ListAccessReviewsResponseObject, error) {
	org := h.mine(ctx)
	d, err := authn.Allow(ctx, "role:read", authn.Scope{})
	if err != nil {
		return nil, err
	}
	if !d.Allowed || deref(r.Params.Waiting) {
		items, err := h.myReviews(ctx, org, string(deref(r.Params.Status)), deref(r.Params.Waiting))
		return ListAccessReviews200JSONResponse{Items: items}, err
	}
	p := httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil))
	p.Descending = true
	page, err := org.AccessReviews(ctx, string(deref(r.Params.Status)), p)
	if err != nil {
		return nil, err
	}
	items, err := h.showReviews(ctx, org, page.Items...)
	return ListAccessReviews200JSONResponse{Items: items, Next: ptr(page.Next)}, err
}

// myReviews returns the reviews that the caller decides in, by their deadline, and of
// these only those with something undecided where waiting is set.
func (h *Handlers) myReviews(ctx context.Context, org *store.Org, status string, waiting bool) ([]AccessReview, error) {
	out := []AccessReview{}
	if status != "" && status != store.ReviewRunning {
		return out, nil
	}
	rows, err := org.RunningReviews(ctx)
	if err != nil {
		return nil, err
	}
	deciding := h.deciding(org)
	mine := rows[:0]
	for _, r := range rows {
		who, err := deciding(ctx, r)
		if err != nil {
			return nil, err
		}
		if slices.Contains(who.ids, caller(ctx).Subject) {
			mine = append(mine, r)
		}
	}
	all, err := h.showReviews(ctx, org, mine...)
	for _, r := range all {
		if !waiting || r.Waiting {
			out = append(out, r)
		}
	}
	return out, err
}

// GetAccessReview returns a review.
func (h *Handlers) GetAccessReview(ctx context.Context, r GetAccessReviewRequestObject) (GetAccessReviewResponseObject, error) {
	row, err := h.readableReview(ctx, h.mine(ctx), r.Id)
	if err != nil {
		return nil, err
	}
	out, err := h.showReviews(ctx, h.mine(ctx), row)
	if err != nil {
		return nil, err
	}
	return GetAccessReview200JSONResponse{Body: out[0], Headers: GetAccessReview200ResponseHeaders{ETag: etag(row.Version)}}, nil
}

// readableReview returns a review that the caller may see: because they may read
// roles in its scope, or decide in it.
func (h *Handlers) readableReview(ctx context.Context, org *store.Org, id string) (store.AccessReview, error) {
	row, err := org.AccessReview(ctx, id)
	if err != nil {
		return row, err
	}
	d, err := authn.Allow(ctx, "role:read", reviewScope(row))
	if err != nil || d.Allowed {
		return row, err
	}
	who, err := h.reviewers(ctx, org, row)
	if err == nil && !slices.Contains(who.ids, caller(ctx).Subject) {
		err = authn.Denied("role:read", reviewScope(row))
	}
	return row, err
}

// showReviews returns reviews as the caller sees them.
func (h *Handlers) showReviews(ctx context.Context, org *store.Org, rows ...store.AccessReview) ([]AccessReview, error) {
	ids, people := make([]string, len(rows)), []string{}
	deciding, find := make([]reviewers, len(rows)), h.deciding(org)
	for i, r := range rows {
		ids[i] = r.ID
		people = append(people, r.StartedBy, r.ScopeID)
		var err error
		if deciding[i], err = find(ctx, r); err != nil {
			return nil, err
		}
		people = append(people, deciding[i].ids...)
	}
	counts, err := org.ReviewCounts(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var scopes []string
	for _, r := range rows {
		if r.ScopeKind == store.ScopeRole {
			scopes = append(scopes, r.ScopeID)
		}
	}
	roles, err := rights.RolesCalled(ctx, org, scopes...)
	if err != nil {
		return nil, err
	}
	slices.Sort(people)
	called, err := names(ctx, org, slices.Compact(people))
	if err != nil {
		return nil, err
	}
	out := make([]AccessReview, len(rows))
	for i, r := range rows {
		c := counts[r.ID]
		manage, err := authn.Allow(ctx, "role:update", reviewScope(r))
		if err != nil {
			return nil, err
		}
		v := AccessReview{
			Id: r.ID, Version: r.Version, Name: r.Name, Scope: AccessReviewScope{Kind: AccessReviewScopeKind(r.ScopeKind), Id: ptr(r.ScopeID)},
			Status: AccessReviewStatus(r.Status), ByOwners: len(r.Reviewers) == 0, Reviewers: []Principal{}, Deadline: r.Deadline.UTC(), Undecided: AccessReviewDefault(r.Undecided),
			RepeatDays: ptr(r.RepeatDays), NextAt: utc(r.NextAt), RepeatError: ptr(r.RepeatError), Round: r.Round, Previous: ptr(r.PreviousID),
			Items: c.Items, Decided: c.Kept + c.Revoked, Kept: c.Kept, Revoked: c.Revoked, CarriedOut: c.Items - c.Open, Taken: c.Taken, Blocked: c.Blocked, Gone: c.Gone, LeftOut: r.LeftOut,
			MayManage: manage.Allowed, ClosedAt: utc(r.ClosedAt), CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
			StartedBy: &Principal{Kind: "user", Id: r.StartedBy, Name: called[r.StartedBy]},
		}
		switch r.ScopeKind {
		case store.ScopeRole:
			v.ScopeName = ptr(cmp.Or(roles[r.ScopeID].Title, r.ScopeID))
		case store.ScopeGroup:
			v.ScopeName = ptr(cmp.Or(called[r.ScopeID], r.ScopeID))
		}
		for _, id := range deciding[i].ids {
			v.Reviewers = append(v.Reviewers, Principal{Kind: "user", Id: id, Name: called[id]})
		}
		v.Waiting = r.Status == store.ReviewRunning && c.Undecided > 0 && slices.Contains(deciding[i].ids, caller(ctx).Subject)
		out[i] = v
	}
	return out, nil
}
