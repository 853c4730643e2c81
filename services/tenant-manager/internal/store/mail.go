package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// How connections to the mail server are kept from others.
const (
	// MailTLS is TLS from the start (RFC 8314), MailStartTLS begins it by a command
	// (RFC 3207), MailPlain is none.
	MailTLS      = "tls"
	MailStartTLS = "starttls"
	MailPlain    = "none"
)

// MailSettings say how the installation sends mail.
type MailSettings struct {
	ID       string
	Host     string
	Port     int
	Security string
	// Username is "" where the server asks for none.
	Username string
	Password secret.Text
	// FromAddress is the sender's, FromName their name; "" = the organization's.
	FromAddress string
	FromName    string
	// Language is that of letters to people of whom none is known.
	Language string
	// CA is the authority of the server's certificate, as PEM; "" = the system's.
	CA        string `gorm:"column:ca"`
	Version   int64
	CreatedAt time.Time
	CreatedBy string
	UpdatedAt time.Time
}

// TableName is for gorm.
func (MailSettings) TableName() string { return "mail_settings" }

// Configured reports whether they come from the configuration of the installation.
func (m MailSettings) Configured() bool { return m.ID == "" }

const (
	mailID     = "installation"
	mailReason = "how mail is sent is the installation's"
)

// MailSettings returns what was set. The error is [db.ErrNotFound] where nothing
// was.
func (s *Store) MailSettings(ctx context.Context) (MailSettings, error) {
	var out []MailSettings
	err := s.db.Unscoped(s.secrets(ctx), mailReason).Where("id = ?", mailID).Find(&out).Error
	return one(out, err)
}

// MailSettings is as [Store.MailSettings], within the transaction.
func (t *Tx) MailSettings(ctx context.Context) (MailSettings, error) {
	var out []MailSettings
	err := t.tx.Unscoped(mailReason).WithContext(t.store.secrets(ctx)).Where("id = ?", mailID).Find(&out).Error
	return one(out, err)
}

var errMailChanged = problem.New(problem.CodePreconditionFailed, "the settings were changed in the meantime: read them again, and repeat the change")

// SaveMailSettings sets how mail is sent, if the version is that of m; 1 is that
// of what was never set. Else the error is a problem.
func (t *Tx) SaveMailSettings(ctx context.Context, m *MailSettings) error {
	was, err := t.MailSettings(ctx)
	if err != nil && !IsNotFound(err) {
		return err
	}
	now := t.store.Now()
	version := max(was.Version, 1)
	if m.Version != version && m.Version != db.AnyVersion {
		return errMailChanged
	}
	m.ID, m.Version, m.UpdatedAt = mailID, version+1, now
	m.CreatedAt, m.CreatedBy = was.CreatedAt, was.CreatedBy
	g := t.tx.Unscoped(mailReason).WithContext(t.store.secrets(ctx))
	if was.ID == "" {
		m.CreatedAt, m.CreatedBy = now, t.by
		return g.Create(m).Error
	}
	res := g.Where("version = ?", version).Select("*").Updates(m)
	if res.Error == nil && res.RowsAffected == 0 {
		return errMailChanged
	}
	return res.Error
}

// DropMailSettings goes back to the configuration, if the version is still that
// of m. Else the error is a problem.
func (t *Tx) DropMailSettings(_ context.Context, m MailSettings) error {
	res := t.tx.Unscoped(mailReason).Delete(&MailSettings{}, "id = ? AND version = ?", mailID, m.Version)
	if res.Error == nil && res.RowsAffected == 0 {
		return errMailChanged
	}
	return res.Error
}

// The states of letters.
const (
	MailWaiting = "waiting"
	MailSent    = "sent"
	MailDead    = "dead"
)

// MailMessage is a letter that is to be sent, or was.
type MailMessage struct {
	ID             string
	OrganizationID string
	Kind           string
	Recipient      string
	Language       string
	// Data is what goes into it, as JSON; "" once it was sent.
	Data secret.Text
	// State is [MailWaiting], [MailSent] or [MailDead].
	State string
	// Failures counts the attempts that did not work, Error is what went wrong at
	// the last one.
	Failures int
	Error    string
	// BegunAt is since when sending is tried, NextAt not before which time.
	BegunAt   time.Time
	NextAt    time.Time
	SentAt    *time.Time
	CreatedAt time.Time
}

// QueueMail has a letter sent once the transaction is committed.
func (t *Tx) QueueMail(ctx context.Context, m *MailMessage) error {
	now := t.store.Now()
	m.ID, m.State, m.BegunAt, m.NextAt, m.CreatedAt = NewID(), MailWaiting, now, now, now
	return db.Create(t.store.secrets(ctx), t.scope, m)
}

// Mail returns a page of letters of a state, "" = any, sortable by creation.
func (o *Org) Mail(ctx context.Context, state string, p db.PageRequest) (db.Page[MailMessage], error) {
	q := db.From[MailMessage](o.scope)
	if state != "" {
		q = q.Where("state = ?", state)
	}
	return q.Page(o.store.secrets(ctx), p, "created_at")
}

// RetryMail has a letter that was not sent tried again, from now on. The error is
// [db.ErrNotFound] where there is none.
func (t *Tx) RetryMail(ctx context.Context, id string) (MailMessage, error) {
	m, err := db.From[MailMessage](t.scope).Where("state <> ?", MailSent).Get(t.store.secrets(ctx), id)
	if err != nil {
		return m, err
	}
	now := t.store.Now()
	_, err = db.From[MailMessage](t.scope).Where("id = ? AND state <> ?", id, MailSent).
		Update(ctx, db.Changes{"state": MailWaiting, "failures": 0, "begun_at": now, "next_at": now})
	m.State, m.Failures, m.NextAt = MailWaiting, 0, now
	return m, err
}

// DueMail returns letters of all organizations that may be sent now, those that
// wait longest first.
func (s *Store) DueMail(ctx context.Context, most int) ([]MailMessage, error) {
	var out []MailMessage
	err := s.db.Unscoped(s.secrets(ctx), "one worker sends for all organizations").
		Where("state = ? AND next_at <= ?", MailWaiting, s.Now()).Order("next_at, id").Limit(most).Find(&out).Error
	return out, err
}

// MailSent notes that a letter was sent, and forgets what was in it.
func (o *Org) MailSent(ctx context.Context, id string) error {
	// Columns of secrets are written with their row only; an empty one is no secret.
	return o.store.db.Unscoped(ctx, "the worker that sends for all organizations notes it").Model(&MailMessage{}).
		Where("id = ? AND organization_id = ?", id, o.ID()).
		UpdateColumns(map[string]any{"state": MailSent, "sent_at": o.store.Now(), "error": "", "data": gorm.Expr("''")}).Error
}

// MailFailed notes that sending did not work, until when to wait, and whether it
// is given up.
func (o *Org) MailFailed(ctx context.Context, m MailMessage, why string, next time.Time, dead bool) error {
	state := MailWaiting
	if dead {
		state = MailDead
	}
	_, err := db.From[MailMessage](o.scope).Where("id = ? AND state = ? AND failures = ?", m.ID, MailWaiting, m.Failures).
		Update(ctx, db.Changes{"state": state, "failures": m.Failures + 1, "error": cut(why, 500), "next_at": next})
	return err
}

// ForgetMail deletes letters from before a time, and returns their number: also those
// that wait for a mail server which nobody sets up.
func (s *Store) ForgetMail(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, "old letters of all organizations are cleaned away").Delete(&MailMessage{}, "created_at < ? AND begun_at < ?", before, before)
	return g.RowsAffected, g.Error
}
