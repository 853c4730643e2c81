package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// auditEntry is a row of the audit audit. Rows are added, and never changed.
type auditEntry struct {
	ID             string
	OrganizationID string
	Sequence       int64
	Service        string
	Action         string
	Outcome        string
	ActorKind      string
	ActorID        string
	ActorName      string
	ActorToken     string
	ActorTokenName string
	// ImpersonatorID and ImpersonatorName are who acted as the actor.
	ImpersonatorID   string
	ImpersonatorName string
	TargetKind       string
	TargetID         string
	TargetName       string
	TargetProject    string
	Changes          string
	RequestID        string
	IP               string
	Via              string
	Time             time.Time
	PreviousHash     string
	Hash             string
	// SearchText is what a search looks at; it is no part of the entry.
	SearchText string
}

// TableName is for gorm.
func (auditEntry) TableName() string { return "audit_entries" }

// auditHead is the last entry of an organization's audit.
type auditHead struct {
	OrganizationID string `gorm:"primaryKey"`
	Sequence       int64
	Hash           string
	// RetentionDays is how long entries are kept; 0 = for ever. Version is that of
	// this setting.
	RetentionDays int
	Version       int64
	// RemovedSequence and RemovedHash are those of the last entry that was removed
	// for its age.
	RemovedSequence int64
	RemovedHash     string
	// VerifiedAt is when the chain was verified last, VerifiedSequence up to which
	// entry, BrokenAt where it was broken; 0 = nowhere.
	VerifiedAt       *time.Time
	VerifiedSequence int64
	BrokenAt         int64
}

// AppendAudit adds what was recorded to the organization's trail, once however
// often it comes. The error is [db.ErrNotFound] where there is no such
// organization.
func (s *Store) AppendAudit(ctx context.Context, r audit.Recorded) error {
	return s.Tx(ctx, r.Organization, "", func(tx *Tx) error {
		head, err := db.From[auditHead](tx.scope).Lock().First(ctx)
		if err != nil {
			return err
		}
		if n, err := db.From[auditEntry](tx.scope).Where("id = ?", r.ID).Count(ctx); err != nil || n > 0 {
			return err
		}
		row, err := entryRow(audit.Head{Sequence: head.Sequence, Hash: head.Hash}, r)
		if err != nil {
			return err
		}
		if err := db.Create(ctx, tx.scope, &row); err != nil {
			return err
		}
		_, err = db.From[auditHead](tx.scope).Update(ctx, db.Changes{"sequence": row.Sequence, "hash": row.Hash})
		return err
	})
}

// entryRow seals what was recorded, as it fits the columns: the hash must be
// that of what can be read again.
func entryRow(head audit.Head, r audit.Recorded) (auditEntry, error) {
	r.ID, r.Service, r.Action, r.Outcome = cut(r.ID, 64), cut(r.Service, 64), cut(r.Action, 100), cut(r.Outcome, 16)
	r.Actor = audit.Actor{
		Kind: cut(r.Actor.Kind, 32), ID: cut(r.Actor.ID, 64), Name: cut(r.Actor.Name, 254), Token: cut(r.Actor.Token, 64), TokenName: cut(r.Actor.TokenName, 254),
		Impersonator: cut(r.Actor.Impersonator, 64), ImpersonatorName: cut(r.Actor.ImpersonatorName, 254),
	}
	r.Target = audit.Target{Kind: cut(r.Target.Kind, 64), ID: cut(r.Target.ID, 255), Name: cut(r.Target.Name, 255), Project: cut(r.Target.Project, 64)}
	r.RequestID, r.IP = cut(r.RequestID, 128), cut(r.IP, 64)
	r.Via = cut(r.Via, 16)
	e, err := audit.Append(head, r)
	if err != nil {
		return auditEntry{}, err
	}
	changes := ""
	if len(e.Changes) > 0 {
		b, err := json.Marshal(e.Changes)
		if err != nil {
			return auditEntry{}, fmt.Errorf("encoding changes: %w", err)
		}
		changes = string(b)
	}
	return auditEntry{
		ID: e.ID, Sequence: e.Sequence, Service: e.Service, Action: e.Action, Outcome: e.Outcome,
		ActorKind: e.Actor.Kind, ActorID: e.Actor.ID, ActorName: e.Actor.Name, ActorToken: e.Actor.Token, ActorTokenName: e.Actor.TokenName,
		ImpersonatorID: e.Actor.Impersonator, ImpersonatorName: e.Actor.ImpersonatorName,
		TargetKind: e.Target.Kind, TargetID: e.Target.ID, TargetName: e.Target.Name, TargetProject: e.Target.Project,
		Changes: changes, RequestID: e.RequestID, IP: e.IP, Via: e.Via, Time: e.Time, PreviousHash: e.PreviousHash, Hash: e.Hash,
		SearchText: cut(strings.ToLower(strings.Join([]string{
			e.Actor.Name, e.Actor.TokenName, e.Actor.ImpersonatorName, e.Action, e.Target.Name, e.Target.ID, e.Actor.ID, e.RequestID, e.IP,
		}, " ")), mostSearched),
	}, nil
}

// mostSearched is the size of the column that is searched, in characters.
const mostSearched = 1000

func (r auditEntry) entry() (audit.Entry, error) {
	e := audit.Entry{
		Recorded: audit.Recorded{
			ID: r.ID, Organization: r.OrganizationID, Service: r.Service, Action: r.Action, Outcome: r.Outcome,
			Actor:     audit.Actor{Kind: r.ActorKind, ID: r.ActorID, Name: r.ActorName, Token: r.ActorToken, TokenName: r.ActorTokenName, Impersonator: r.ImpersonatorID, ImpersonatorName: r.ImpersonatorName},
			Target:    audit.Target{Kind: r.TargetKind, ID: r.TargetID, Name: r.TargetName, Project: r.TargetProject},
			RequestID: r.RequestID, IP: r.IP, Via: r.Via, Time: r.Time.UTC(),
		},
		Sequence: r.Sequence, PreviousHash: r.PreviousHash, Hash: r.Hash,
	}
	if r.Changes == "" {
		return e, nil
	}
	if err := json.Unmarshal([]byte(r.Changes), &e.Changes); err != nil {
		return e, fmt.Errorf("reading the changes of audit entry %d: %w", r.Sequence, err)
	}
	return e, nil
}

// AuditFilter narrows the trail; empty fields do not.
type AuditFilter struct {
	Actor, Target, Service, Outcome, Via string
	// Impersonator is who acted as the actor.
	Impersonator string
	// Action is one, or all of a kind: "user.*".
	Action string
	// Search is looked for in names, ids, the action and the address, whatever its
	// case.
	Search string
	// From and To bound the time; To is exclusive.
	From, To time.Time
}

// fewSince is up to how many entries are sorted that came since a time. Where there are
// more, the newest are found sooner by looking at one after the other.
const fewSince = 5_000

// newest returns the entries that a filter leaves, in two ways: first the one by which
// the newest are found sooner. A cursor is of the one that its page was read by.
func (o *Org) newest(ctx context.Context, f AuditFilter) (first, second db.Query[auditEntry], err error) {
	first, second = o.trail(f), o.trail(f)
	from := f.From
	if from.IsZero() || !f.To.IsZero() {
		return first, second, nil
	}
	f.From = time.Time{}
	// As an expression it is nothing that an index is entered by.
	second = o.trail(f).Where("coalesce(time, time) >= ?", from.UTC())
	var since []int64
	if err := db.From[auditEntry](o.scope).Where("time >= ?", from.UTC()).Limit(fewSince+1).Aggregate(ctx, &since, "sequence", ""); err != nil {
		return first, second, fmt.Errorf("reading the trail: %w", err)
	}
	if len(since) > fewSince {
		first, second = second, first
	}
	return first, second, nil
}

// trail returns the entries that a filter leaves.
func (o *Org) trail(f AuditFilter) db.Query[auditEntry] {
	q := db.From[auditEntry](o.scope)
	for _, c := range [...]struct{ condition, value string }{
		{"actor_id = ?", f.Actor}, {"impersonator_id = ?", f.Impersonator}, {"target_id = ?", f.Target}, {"service = ?", f.Service}, {"outcome = ?", f.Outcome}, {"via = ?", f.Via},
	} {
		if c.value != "" {
			q = q.Where(c.condition, c.value)
		}
	}
	if kind, all := strings.CutSuffix(f.Action, "*"); all {
		q = q.Where("action LIKE ? ESCAPE '!'", strings.TrimPrefix(like(kind), "%"))
	} else if f.Action != "" {
		q = q.Where("action = ?", f.Action)
	}
	if text := strings.TrimSpace(f.Search); text != "" {
		q = q.Contains(strings.ToLower(text), "search_text")
	}
	if !f.From.IsZero() {
		q = q.Where("time >= ?", f.From.UTC())
	}
	if !f.To.IsZero() {
		q = q.Where("time < ?", f.To.UTC())
	}
	return q
}

// searchSpan is at how many entries one page of a search looks. No index that all three
// databases have answers where a text is in another: a search reads entry after entry,
// and this many take some 50 ms.
const searchSpan = 25_000

// AuditPage is a page of the trail.
type AuditPage struct {
	db.Page[audit.Entry]
	// LookedBackTo is the time of the oldest entry that a search looked at, where it
	// stopped there before the end of the trail; nil otherwise. Next goes on.
	LookedBackTo *time.Time
}

// Audit returns a page of the trail, newest first. One page of a search looks at a
// bounded number of entries: it may have few, or none, and still a Next.
func (o *Org) Audit(ctx context.Context, f AuditFilter, p db.PageRequest) (AuditPage, error) {
	p.Descending, p.Unique = true, true
	if strings.TrimSpace(f.Search) != "" {
		return o.searchAudit(ctx, f, p, searchSpan)
	}
	first, second, err := o.newest(ctx, f)
	if err != nil {
		return AuditPage{}, err
	}
	rows, err := first.Page(ctx, p, "sequence")
	if p.Cursor != "" && problem.Is(err, problem.CodeInvalidInput) {
		rows, err = second.Page(ctx, p, "sequence")
	}
	return auditPage(rows, err)
}

func auditPage(rows db.Page[auditEntry], err error) (AuditPage, error) {
	out := AuditPage{Page: db.Page[audit.Entry]{Items: make([]audit.Entry, len(rows.Items)), Next: rows.Next, Looked: rows.Looked}}
	for i, r := range rows.Items {
		var e error
		out.Items[i], e = r.entry()
		err = errors.Join(err, e)
	}
	return out, err
}

// searchAudit returns a page of what a search finds, which looks at so many entries.
func (o *Org) searchAudit(ctx context.Context, f AuditFilter, p db.PageRequest, span int64) (AuditPage, error) {
	reach, err := o.reach(ctx, f)
	if err != nil {
		return AuditPage{}, err
	}
	reach.Span = span
	p.Reach = &reach
	out, err := auditPage(o.trail(f).Page(ctx, p, "sequence"))
	if err != nil || out.Looked == 0 {
		return out, err
	}
	if ended, err := o.noneBefore(ctx, f.From, out.Looked); err != nil || ended {
		out.Next = ""
		return out, err
	}
	oldest, err := db.From[auditEntry](o.scope).Where("sequence >= ?", out.Looked).Order("sequence", false).First(ctx)
	if errors.Is(err, db.ErrNotFound) { // all that was looked at is too old by now
		return out, nil
	}
	at := oldest.Time.UTC()
	out.LookedBackTo = &at
	return out, err
}

// noneBefore reports whether no entry before a sequence has a time from so on.
func (o *Org) noneBefore(ctx context.Context, from time.Time, sequence int64) (bool, error) {
	if from.IsZero() {
		return false, nil
	}
	var one []int64
	// As a sum it is nothing that an index is entered by: the time is.
	err := db.From[auditEntry](o.scope).Where("time >= ?", from.UTC()).Where("sequence + 0 < ?", sequence).Limit(1).Aggregate(ctx, &one, "sequence", "")
	if err != nil {
		return false, fmt.Errorf("looking for what is older in the trail: %w", err)
	}
	return len(one) == 0, nil
}

// reach returns between which entries of the trail a search looks. Entries come
// through queues: that one is newer does not mean that it has the later time.
func (o *Org) reach(ctx context.Context, f AuditFilter) (db.Reach, error) {
	head, err := db.From[auditHead](o.scope).First(ctx)
	if err != nil {
		return db.Reach{}, fmt.Errorf("reading the head of the trail: %w", err)
	}
	out := db.Reach{From: head.Sequence, To: head.RemovedSequence + 1}
	if f.To.IsZero() {
		return out, nil
	}
	var most []int64
	err = o.trail(AuditFilter{From: f.From, To: f.To}).Aggregate(ctx, &most, "coalesce(max(sequence + 0), 0)", "")
	if err != nil {
		return out, fmt.Errorf("reading where a search begins: %w", err)
	}
	for _, n := range most {
		out.From = min(out.From, n)
	}
	return out, nil
}

// follows reports whether the row is as it was written after the head, and
// returns the head after it. A row that cannot be read is not.
func (r auditEntry) follows(head audit.Head) (audit.Head, bool) {
	e, err := r.entry()
	if err != nil {
		return head, false
	}
	return audit.Verify(head, e)
}
