package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// What bulk jobs do.
const (
	BulkInvite          = "invite"
	BulkResend          = "resend-invitation"
	BulkDisable         = "disable"
	BulkEnable          = "enable"
	BulkAddToGroup      = "add-to-group"
	BulkRemoveFromGroup = "remove-from-group"
	BulkResetFactors    = "reset-factors"
	BulkPasswordLink    = "password-link"
	BulkDelete          = "delete"
)

// The statuses of bulk jobs.
const (
	// BulkChecking is one of which it is found out what it would do, and BulkReady one
	// of which that is known, and which waits for its begin.
	BulkChecking  = "checking"
	BulkReady     = "ready"
	BulkRunning   = "running"
	BulkCompleted = "completed"
	BulkCancelled = "cancelled"
	// BulkStopped is one whose creator may not do any longer what it does.
	BulkStopped = "stopped"
)

// What became of the rows of bulk jobs; "" = it is not known yet. Before a job runs
// they say what would become of them.
const (
	RowDone      = "done"
	RowUnchanged = "unchanged"
	RowRefused   = "refused"
	RowFailed    = "failed"
	RowCancelled = "cancelled"
)

// BulkJob does the same to many users or invitations.
type BulkJob struct {
	Stored `gorm:"embedded"`
	Action string
	// Name is what its creator calls it, such as the name of a file; "" = nothing.
	Name   string
	Status string
	// GroupID is the group of [BulkAddToGroup] and [BulkRemoveFromGroup].
	GroupID string
	// AskedRoles and AskedGroups are for those whom a list gives neither, and LeadsTo
	// is where the links of invitations lead.
	AskedRoles  []InvitedRole `gorm:"serializer:json"`
	AskedGroups []string      `gorm:"serializer:json"`
	LeadsTo     string
	// Asked is the filter by which its rows were found; the zero value = by their ids.
	Asked BulkFilter `gorm:"serializer:json"`
	// Unused are the columns of a list that say nothing to us.
	Unused []string `gorm:"serializer:json"`
	// Total is the number of its rows.
	Total int64
	// RetryOf is the job whose rows it tries again; "" = none.
	RetryOf string
	// CreatorKind is what its creator is, TokenID and TokenName the token by which they
	// came; "" where they had signed in.
	CreatorKind, TokenID, TokenName string
	// RequestID, Address and Console are of the request that set it going.
	RequestID, Address string
	Console            bool
	// Reason is why it ended before its rows did.
	Reason             string
	StartedAt, EndedAt *time.Time
}

// Open reports whether there is something to do for the service.
func (j BulkJob) Open() bool { return j.Status == BulkChecking || j.Status == BulkRunning }

// BulkFilter is what a list of users was narrowed by, as it was asked for.
type BulkFilter struct {
	// All says that there is a filter, even an empty one.
	All            bool       `json:"all,omitempty"`
	Search         string     `json:"q,omitempty"`
	Status         string     `json:"status,omitempty"`
	Source         string     `json:"source,omitempty"`
	SecondFactor   *bool      `json:"secondFactor,omitempty"`
	NeverSignedIn  bool       `json:"neverSignedIn,omitempty"`
	SignedInBefore *time.Time `json:"signedInBefore,omitempty"`
	Role           string     `json:"role,omitempty"`
	Group          string     `json:"group,omitempty"`
}

// BulkRow is one user or invitation of a bulk job.
type BulkRow struct {
	ID             string
	OrganizationID string
	JobID          string
	// Turn is its place in the job, from 1.
	Turn int64
	// TargetID is the user or invitation; of [BulkInvite] the invitation that was made.
	TargetID string
	// Line is where it stands in a list, from 1; 0 = in none.
	Line                  int64
	Email, EmailKey, Name string
	Gives                 BulkGives   `gorm:"serializer:json"`
	Faults                []BulkFault `gorm:"serializer:json"`
	// Faulty says that there are faults: it is refused whatever is asked.
	Faulty  bool
	Outcome string
	// Code and Detail say why it was refused or is unchanged.
	Code, Detail string
	Mailed       bool
	// Attempts is how often it failed.
	Attempts  int64
	SettledAt *time.Time
}

// TableName is for gorm.
func (BulkRow) TableName() string { return "bulk_job_rows" }

// BulkGives is what a line of a list gives, as it is called there.
type BulkGives struct {
	Roles  []string `json:"roles,omitempty"`
	Groups []string `json:"groups,omitempty"`
}

// BulkFault is what is wrong with a field of a line; Field is "" for the line.
type BulkFault struct {
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// bulkBatch is how many rows are written at once.
const bulkBatch = 200

// CreateBulkJob keeps a job with its rows.
func (t *Tx) CreateBulkJob(ctx context.Context, j *BulkJob, rows []BulkRow) error {
	j.Stored, j.Total = t.stored(), int64(len(rows))
	if err := db.Create(ctx, t.scope, j); err != nil {
		return err
	}
	for begin := 0; begin < len(rows); begin += bulkBatch {
		part := rows[begin:min(begin+bulkBatch, len(rows))]
		made := make([]*BulkRow, len(part))
		for i := range part {
			r := &part[i]
			r.ID, r.JobID, r.Turn, r.EmailKey, r.Detail = NewID(), j.ID, int64(begin+i+1), FoldEmail(r.Email), cut(r.Detail, 500)
			made[i] = r
		}
		if err := db.Create(ctx, t.scope, made...); err != nil {
			return fmt.Errorf("keeping the rows of a bulk job: %w", err)
		}
	}
	return nil
}

// BulkJob returns a job.
func (o *Org) BulkJob(ctx context.Context, id string) (BulkJob, error) {
	return db.From[BulkJob](o.scope).Get(ctx, id)
}

// LockBulkJob is as [Org.BulkJob], and keeps others waiting until the transaction
// ends.
func (t *Tx) LockBulkJob(ctx context.Context, id string) (BulkJob, error) {
	return db.From[BulkJob](t.scope).Lock().Get(ctx, id)
}

// BulkJobs returns a page of jobs of a status and an action and by a creator, "" =
// any, by creation.
func (o *Org) BulkJobs(ctx context.Context, status, action, creator string, p db.PageRequest) (db.Page[BulkJob], error) {
	q := db.From[BulkJob](o.scope)
	for _, c := range [...]struct{ condition, value string }{{"status = ?", status}, {"action = ?", action}, {"created_by = ?", creator}} {
		if c.value != "" {
			q = q.Where(c.condition, c.value)
		}
	}
	return q.Page(ctx, p, "created_at")
}

// OpenBulkJobs returns how many jobs of the organization have not ended.
func (o *Org) OpenBulkJobs(ctx context.Context) (int64, error) {
	return db.From[BulkJob](o.scope).Where("status IN ?", []string{BulkChecking, BulkReady, BulkRunning}).Count(ctx)
}

// SaveBulkJob writes a job, if the row has the version that is in j.
func (t *Tx) SaveBulkJob(ctx context.Context, j *BulkJob) error {
	j.Reason = cut(j.Reason, 500)
	return db.Save(ctx, t.scope, j, "status", "creator_kind", "token_id", "token_name", "request_id", "address", "console", "reason", "started_at", "ended_at")
}

// BulkCounts returns how many rows of jobs became what, by the ids of the jobs and
// the outcome; those of which it is not known yet are under "".
func (o *Org) BulkCounts(ctx context.Context, jobs ...string) (map[string]map[string]int64, error) {
	out := map[string]map[string]int64{}
	if len(jobs) == 0 {
		return out, nil
	}
	var rows []struct {
		JobID   string
		Outcome string
		N       int64
	}
	err := db.From[BulkRow](o.scope).Where("job_id IN ?", jobs).Aggregate(ctx, &rows, "job_id, outcome, count(*) AS n", "job_id, outcome")
	for _, r := range rows {
		if out[r.JobID] == nil {
			out[r.JobID] = map[string]int64{}
		}
		out[r.JobID][r.Outcome] = r.N
	}
	return out, err
}

// undone are the rows of jobs that can be tried again: not those that cannot be read,
// nor those of which nothing is left.
const undone = "job_id IN ? AND outcome IN ? AND faulty = ? AND code <> ? AND (target_id <> '' OR email <> '')"

func (o *Org) undoneRows(jobs ...string) db.Query[BulkRow] {
	return db.From[BulkRow](o.scope).Where(undone, jobs, []string{RowRefused, RowFailed}, false, string(problem.CodeNotFound))
}

// UndoneBulkRows returns the rows of a job that can be tried again, in their turn.
func (o *Org) UndoneBulkRows(ctx context.Context, job string) ([]BulkRow, error) {
	return o.undoneRows(job).Order("turn", false).All(ctx)
}

// CountUndoneBulkRows returns how many rows of jobs can be tried again, by the ids of
// the jobs.
func (o *Org) CountUndoneBulkRows(ctx context.Context, jobs ...string) (map[string]int64, error) {
	out := map[string]int64{}
	if len(jobs) == 0 {
		return out, nil
	}
	var rows []struct {
		JobID string
		N     int64
	}
	err := o.undoneRows(jobs...).Aggregate(ctx, &rows, "job_id, count(*) AS n", "job_id")
	for _, r := range rows {
		out[r.JobID] = r.N
	}
	return out, err
}

// BulkRetries returns which job tries again the rows of each, by the ids of those;
// jobs that ended before they were started do not count.
func (o *Org) BulkRetries(ctx context.Context, jobs ...string) (map[string]string, error) {
	out := map[string]string{}
	if len(jobs) == 0 {
		return out, nil
	}
	made, err := db.From[BulkJob](o.scope).Where("retry_of IN ? AND (started_at IS NOT NULL OR ended_at IS NULL)", jobs).All(ctx)
	for _, j := range made {
		out[j.RetryOf] = j.ID
	}
	return out, err
}

// BulkRows returns a page of the rows of a job in their turn: those with an outcome
// where it is not nil.
func (o *Org) BulkRows(ctx context.Context, job string, outcome *string, p db.PageRequest) (db.Page[BulkRow], error) {
	q := db.From[BulkRow](o.scope).Where("job_id = ?", job)
	if outcome != nil {
		q = q.Where("outcome = ?", *outcome)
	}
	return q.Page(ctx, p, "turn")
}

// OpenBulkRows returns the first rows of a job of which it is not known what became
// of them, at most so many.
func (o *Org) OpenBulkRows(ctx context.Context, job string, most int) ([]BulkRow, error) {
	return db.From[BulkRow](o.scope).Where("job_id = ? AND outcome = ''", job).Order("turn", false).Limit(most).All(ctx)
}

// LockBulkRow returns a row of which it is not known what became of it, and keeps
// others waiting. The error is [db.ErrNotFound] where that is known meanwhile.
func (t *Tx) LockBulkRow(ctx context.Context, id string) (BulkRow, error) {
	return db.From[BulkRow](t.scope).Where("outcome = ''").Lock().Get(ctx, id)
}

// SettleBulkRow writes what became of a row, where that is not known yet.
func (t *Tx) SettleBulkRow(ctx context.Context, r BulkRow) error {
	_, err := db.From[BulkRow](t.scope).Where("id = ? AND outcome = ''", r.ID).Update(ctx, db.Changes{
		"outcome": r.Outcome, "code": r.Code, "detail": cut(r.Detail, 500), "mailed": r.Mailed, "target_id": r.TargetID, "settled_at": t.store.Now(),
	})
	return err
}

// BulkRowFailed counts that a row could not be worked on.
func (t *Tx) BulkRowFailed(ctx context.Context, id string) error {
	_, err := db.From[BulkRow](t.scope).Where("id = ? AND outcome = ''", id).Update(ctx, db.Changes{"attempts": db.Increment(1)})
	return err
}

// EndBulkRows settles the rows of a job of which it is not known what became of them.
func (t *Tx) EndBulkRows(ctx context.Context, job, outcome, code, detail string) error {
	_, err := db.From[BulkRow](t.scope).Where("job_id = ? AND outcome = ''", job).
		Update(ctx, db.Changes{"outcome": outcome, "code": code, "detail": cut(detail, 500), "settled_at": t.store.Now()})
	return err
}

// ForgetBulkOutcomes forgets what would have become of the rows of a job, but for
// lines that cannot be read whenever it is.
func (t *Tx) ForgetBulkOutcomes(ctx context.Context, job string) error {
	_, err := db.From[BulkRow](t.scope).Where("job_id = ? AND faulty = ?", job, false).
		Update(ctx, db.Changes{"outcome": "", "code": "", "detail": "", "mailed": false, "attempts": 0, "settled_at": nil})
	return err
}

// eraseBulkRows erases who a user was from the lists by which people were invited, by
// their address and by the invitations that they accepted.
func (t *Tx) eraseBulkRows(ctx context.Context, user, email string) error {
	var came []string
	if err := db.From[Invitation](t.scope).Where("accepted_by = ?", user).Aggregate(ctx, &came, "id", ""); err != nil {
		return fmt.Errorf("reading by which invitation they came: %w", err)
	}
	if len(came) == 0 {
		came = []string{user}
	}
	_, err := db.From[BulkRow](t.scope).Where("email_key <> '' AND (email_key = ? OR target_id IN ?)", FoldEmail(email), came).
		Update(ctx, db.Changes{"email": "", "email_key": "", "name": ""})
	if err != nil {
		return fmt.Errorf("taking them out of bulk jobs: %w", err)
	}
	return nil
}

const bulkReason = "one worker goes on with the bulk jobs of all organizations"

// DueBulkJobs returns the jobs of all organizations that are worked on, those that
// were set going first first, and those that wait for their begin since before the
// time.
func (s *Store) DueBulkJobs(ctx context.Context, waitingSince time.Time, most int) ([]BulkJob, error) {
	var out []BulkJob
	err := s.db.Unscoped(ctx, bulkReason).
		Where("status IN ? OR (status = ? AND updated_at <= ?)", []string{BulkChecking, BulkRunning}, BulkReady, waitingSince).
		Order("updated_at, id").Limit(most).Find(&out).Error
	return out, err
}

// ForgetBulkJobs removes jobs of all organizations that ended before a time, with
// their rows.
func (s *Store) ForgetBulkJobs(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, "old bulk jobs of all organizations are cleaned away")
	over := s.db.Unscoped(ctx, "old bulk jobs of all organizations are cleaned away").Model(&BulkJob{}).Select("id").Where("ended_at < ?", before)
	if err := g.Where("job_id IN (?)", over).Delete(&BulkRow{}).Error; err != nil {
		return 0, fmt.Errorf("removing the rows of old bulk jobs: %w", err)
	}
	done := s.db.Unscoped(ctx, "old bulk jobs of all organizations are cleaned away").Delete(&BulkJob{}, "ended_at < ?", before)
	return done.RowsAffected, done.Error
}
