package api

import (
	"bytes"
	"cmp"
	"context"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/roster"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// mostReviewed bounds the grants of a review, and the members of a group whose are
// reviewed.
const mostReviewed = 10_000

// reviewers are those who decide in a review now.
type reviewers struct {
	ids []string
	// groups are those that each of them is in, by their ids.
	groups map[string]map[string]bool
}

// reviewers returns who decides in a review: whoever it names, of those who may sign
// in, else those who own its scope.
func (h *Handlers) reviewers(ctx context.Context, org *store.Org, r store.AccessReview) (reviewers, error) {
	ids, err := active(ctx, org, r.Reviewers)
	if err == nil && len(ids) == 0 && r.ScopeKind == store.ScopeProject {
		ids, err = projectOwners(ctx, org, r.ScopeID)
	}
	if err == nil && len(ids) == 0 {
		if ids, err = org.Owners(ctx, "", ""); err == nil {
			ids, err = active(ctx, org, ids)
		}
	}
	if err != nil {
		return reviewers{}, err
	}
	chains, err := rights.Chains(ctx, org, ids...)
	out := reviewers{ids, map[string]map[string]bool{}}
	for id, of := range chains {
		out.groups[id] = map[string]bool{}
		for _, c := range of {
			out.groups[id][c[len(c)-1].ID] = true
		}
	}
	return out, err
}

// deciding returns what returns who decides in one of many reviews, and looks no
// further where it is the same as in one before.
func (h *Handlers) deciding(org *store.Org) func(context.Context, store.AccessReview) (reviewers, error) {
	known := map[string]reviewers{}
	return func(ctx context.Context, r store.AccessReview) (reviewers, error) {
		key := strings.Join(r.Reviewers, " ")
		if r.ScopeKind == store.ScopeProject {
			key += " of " + r.ScopeID
		}
		who, ok := known[key]
		if !ok {
			var err error
			if who, err = h.reviewers(ctx, org, r); err != nil {
				return who, err
			}
			known[key] = who
		}
		return who, nil
	}
}

// active returns the ids of users who may sign in, sorted.
func active(ctx context.Context, org *store.Org, ids []string) ([]string, error) {
	users, err := org.UsersByID(ctx, ids)
	out := []string{}
	for _, u := range users {
		if u.Status == store.Active {
			out = append(out, u.ID)
		}
	}
	slices.Sort(out)
	return out, err
}

// projectOwners returns the users who own a project, by themselves or by a group.
func projectOwners(ctx context.Context, org *store.Org, project string) ([]string, error) {
	grants, err := org.ReviewedGrants(ctx, project, access.ProjectOwner, nil, mostReviewed)
	if err != nil {
		return nil, err
	}
	var ids, groups []string
	for _, g := range grants {
		switch {
		case g.APIID != "" || g.EnvironmentID != "":
		case g.PrincipalKind == store.KindGroup:
			groups = append(groups, g.PrincipalID)
		default:
			ids = append(ids, g.PrincipalID)
		}
	}
	inside, err := org.Inside(ctx, groups...)
	if err != nil {
		return nil, err
	}
	for _, m := range inside {
		ids = append(ids, m.MemberID)
	}
	slices.Sort(ids)
	return active(ctx, org, slices.Compact(ids))
}

// has reports whether somebody has what an item is about, by themselves or by a
// group.
func (r reviewers) has(who string, i store.AccessReviewItem) bool {
	return i.PrincipalID == who || r.groups[who][i.PrincipalID]
}

// may reports whether somebody may decide on an item: nobody on what they have
// themselves, unless nobody else could.
func (r reviewers) may(who string, i store.AccessReviewItem) bool {
	if !slices.Contains(r.ids, who) {
		return false
	}
	return !r.has(who, i) || !slices.ContainsFunc(r.ids, func(other string) bool { return other != who && !r.has(other, i) })
}

// snapshotted are the grants of a review as it begins.
type snapshotted struct {
	items      []store.AccessReviewItem
	principals int
	leftOut    int
}

// snapshot returns the grants in the scope of a review, as they are, that somebody
// could take away themselves.
func (h *Handlers) snapshot(ctx context.Context, org *store.Org, r store.AccessReview, starter string, held access.Holding) (snapshotted, error) {
	var out snapshotted
	project, role := "", ""
	var principals []string
	switch r.ScopeKind {
	case store.ScopeProject:
		project = r.ScopeID
	case store.ScopeRole:
		role = r.ScopeID
	case store.ScopeGroup:
		var err error
		if principals, err = insideOf(ctx, org, r.ScopeID); err != nil {
			return out, err
		}
	}
	if len(principals) > mostReviewed {
		return out, tooMuch(len(principals))
	}
	grants, err := org.ReviewedGrants(ctx, project, role, principals, mostReviewed+1)
	if err != nil {
		return out, err
	}
	if len(grants) > mostReviewed {
		return out, tooMuch(len(grants))
	}
	roles, err := rights.Roles(ctx, org)
	if err != nil {
		return out, err
	}
	type power struct {
		role  string
		scope access.Scope
		until time.Time
	}
	known, whose, now := map[power]bool{}, map[string]bool{}, h.store.Now()
	for _, g := range grants {
		p := power{g.RoleID, scopeOf(g), until(g)}
		could, checked := known[p]
		if !checked {
			could = access.Missing(held, roles[g.RoleID].Permissions, p.scope, p.until, now) == ""
			known[p] = could
		}
		if !could && g.PrincipalID != starter {
			out.leftOut++
			continue
		}
		whose[g.PrincipalID] = true
		out.items = append(out.items, store.AccessReviewItem{
			GrantID: g.ID, PrincipalID: g.PrincipalID, PrincipalKind: g.PrincipalKind, RoleID: g.RoleID, RoleName: cmp.Or(roles[g.RoleID].Name, g.RoleID),
			ProjectID: g.ProjectID, APIID: g.APIID, EnvironmentID: g.EnvironmentID, GrantedAt: g.CreatedAt, GrantedBy: g.CreatedBy, ExpiresAt: g.ExpiresAt,
		})
	}
	out.principals = len(whose)
	ids := make([]string, 0, len(whose))
	for id := range whose {
		ids = append(ids, id)
	}
	used, err := org.LastUses(ctx, ids)
	for i := range out.items {
		if at, ok := used[out.items[i].PrincipalID]; ok {
			out.items[i].LastUsedAt = &at
		}
	}
	return out, err
}

func tooMuch(n int) error {
	return invalid("/scope", "maximum", "that is more than %d, of at least %d: review a project, a role or a group at a time", mostReviewed, n)
}

// insideOf returns a group, the groups in it, and everybody in them.
func insideOf(ctx context.Context, org *store.Org, group string) ([]string, error) {
	nesting, err := org.Nesting(ctx)
	if err != nil {
		return nil, err
	}
	out := []string{group}
	for i := 0; i < len(out); i++ {
		for _, m := range nesting {
			if m.GroupID == out[i] && !slices.Contains(out, m.MemberID) {
				out = append(out, m.MemberID)
			}
		}
	}
	inside, err := org.Inside(ctx, group)
	for _, m := range inside {
		out = append(out, m.MemberID)
	}
	return out, err
}

// showItems returns items of a review as the caller sees them.
func (h *Handlers) showItems(ctx context.Context, org *store.Org, r store.AccessReview, rows []store.AccessReviewItem) ([]AccessReviewItem, error) {
	who, err := h.reviewers(ctx, org, r)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range rows {
		ids = append(ids, i.PrincipalID, i.GrantedBy, i.DecidedBy)
	}
	slices.Sort(ids)
	called, err := names(ctx, org, slices.Compact(ids))
	out := make([]AccessReviewItem, len(rows))
	for n, i := range rows {
		out[n] = AccessReviewItem{
			Id: i.ID, Grant: i.GrantID, Principal: Principal{Kind: PrincipalKind(i.PrincipalKind), Id: i.PrincipalID, Name: cmp.Or(called[i.PrincipalID], i.PrincipalID)},
			Role: i.RoleID, RoleName: i.RoleName, Project: ptr(i.ProjectID), Api: ptr(i.APIID), Environment: ptr(i.EnvironmentID),
			GrantedAt: i.GrantedAt.UTC(), GrantedBy: ptr(called[i.GrantedBy]), ExpiresAt: utc(i.ExpiresAt), LastUsedAt: utc(i.LastUsedAt),
			Decision: ptr(AccessReviewItemDecision(i.Decision)), DecidedBy: ptr(called[i.DecidedBy]), DecidedAt: utc(i.DecidedAt), Comment: ptr(i.Note),
			Outcome: ptr(AccessReviewOutcome(i.Outcome)), OutcomeAt: utc(i.OutcomeAt), OutcomeNote: ptr(i.OutcomeNote),
			MayDecide: r.Status == store.ReviewRunning && who.may(caller(ctx).Subject, i),
		}
	}
	return out, err
}

// ListAccessReviewItems returns a page of what a review is about.
func (h *Handlers) ListAccessReviewItems(ctx context.Context, r ListAccessReviewItemsRequestObject) (ListAccessReviewItemsResponseObject, error) {
	org := h.mine(ctx)
	row, err := h.readableReview(ctx, org, r.Id)
	if err != nil {
		return nil, err
	}
	f := store.ReviewItemFilter{Decision: string(deref(r.Params.Decision)), Outcome: string(deref(r.Params.Outcome)), Role: deref(r.Params.Role), Principal: deref(r.Params.Principal)}
	page, err := org.ReviewItems(ctx, row.ID, f, httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil)))
	if err != nil {
		return nil, err
	}
	items, err := h.showItems(ctx, org, row, page.Items)
	return ListAccessReviewItems200JSONResponse{Items: items, Next: ptr(page.Next)}, err
}

// DecideAccessReview keeps or revokes what a review is about.
func (h *Handlers) DecideAccessReview(ctx context.Context, r DecideAccessReviewRequestObject) (DecideAccessReviewResponseObject, error) {
	b, me := r.Body, caller(ctx).Subject
	ids, all := deref(b.Items), deref(b.AllUndecided)
	if (len(ids) > 0) == all {
		return nil, invalid("/items", "required", "name the items, or decide on all that are undecided")
	}
	var out AccessReviewDecided
	err := h.change(ctx, func(tx *store.Tx) error {
		row, err := tx.LockAccessReview(ctx, r.Id)
		if err != nil {
			return err
		}
		who, err := h.reviewers(ctx, tx.Org, row)
		if err != nil {
			return err
		}
		if !slices.Contains(who.ids, me) {
			return problem.New(problem.CodeAccessDenied, "only the reviewers of %s decide in it: have whoever began it make you one", row.Name)
		}
		if err := h.whole(ctx, tx.Org); err != nil {
			return err
		}
		if row.Status != store.ReviewRunning || !h.store.Now().Before(row.Deadline) {
			return problem.New(problem.CodeConflict, "this review is over: nothing can be decided in it any more")
		}
		f := store.ReviewItemFilter{}
		if all {
			f.Decision, ids = store.Undecided, nil
		} else {
			slices.Sort(ids)
			ids = slices.Compact(ids)
		}
		items, err := tx.LockReviewItems(ctx, row.ID, ids, f, mostReviewed)
		if err != nil {
			return err
		}
		if !all && len(items) != len(ids) {
			return invalid("/items", "reference", "%d of these items are not in this review: read them again", len(ids)-len(items))
		}
		var decided []string
		for _, i := range items {
			if who.may(me, i) {
				decided = append(decided, i.ID)
			}
		}
		out = AccessReviewDecided{Decided: len(decided), Own: len(items) - len(decided)}
		if len(decided) == 0 {
			if out.Own > 0 {
				return problem.New(problem.CodeAccessDenied, "nobody decides on what they have themselves, by themselves or by a group: leave it to another reviewer")
			}
			return nil
		}
		note := strings.TrimSpace(deref(b.Comment))
		if err := tx.DecideReviewItems(ctx, decided, string(b.Decision), note); err != nil {
			return err
		}
		return h.record(ctx, tx, "access-review.decided", "access-review", row.ID, row.Name, nil, struct {
			Decision string   `json:"decision"`
			Comment  string   `json:"comment,omitempty"`
			Count    int      `json:"count"`
			Items    []string `json:"items"`
		}{string(b.Decision), note, len(decided), decided[:min(len(decided), 100)]})
	})
	return DecideAccessReview200JSONResponse(out), err
}

// ExportAccessReview returns what came of a review.
func (h *Handlers) ExportAccessReview(ctx context.Context, r ExportAccessReviewRequestObject) (ExportAccessReviewResponseObject, error) {
	org := h.mine(ctx)
	row, err := h.readableReview(ctx, org, r.Id)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := roster.NewWriter(&b)
	lines := [][]string{{
		"kind", "name", "id", "role", "project", "api", "environment", "granted at", "granted by", "expires at", "last used at",
		"decision", "decided by", "decided at", "comment", "outcome", "outcome at", "note",
	}}
	for p := (db.PageRequest{Limit: db.MaxLimit}); ; {
		page, err := org.ReviewItems(ctx, row.ID, store.ReviewItemFilter{}, p)
		if err != nil {
			return nil, err
		}
		items, err := h.showItems(ctx, org, row, page.Items)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			lines = append(lines, []string{
				string(i.Principal.Kind), i.Principal.Name, i.Principal.Id, i.RoleName, deref(i.Project), deref(i.Api), deref(i.Environment), moment(&i.GrantedAt), deref(i.GrantedBy),
				moment(i.ExpiresAt), moment(i.LastUsedAt), string(deref(i.Decision)), deref(i.DecidedBy), moment(i.DecidedAt), deref(i.Comment),
				string(deref(i.Outcome)), moment(i.OutcomeAt), deref(i.OutcomeNote),
			})
		}
		if p.Cursor = page.Next; p.Cursor == "" {
			break
		}
	}
	for _, l := range lines {
		w.Row(l...)
	}
	name := mime.FormatMediaType("attachment", map[string]string{"filename": "access-review-" + row.ID + ".csv"})
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return ExportAccessReview200TextcsvResponse{
		Body: &b, ContentLength: int64(b.Len()), Headers: ExportAccessReview200ResponseHeaders{ContentDisposition: &name},
	}, nil
}

func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
