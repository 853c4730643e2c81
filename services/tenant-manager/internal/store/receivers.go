package store

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// The kinds of receivers of the audit trail.
const (
	Syslog = "syslog"
	HTTP   = "http"
)

// AuditReceiver is where an organization's audit trail is forwarded to.
type AuditReceiver struct {
	Stored  `gorm:"embedded"`
	Name    string
	NameKey string
	// Kind is [Syslog] or [HTTP].
	Kind string
	// Address is kept encrypted, as that of a [Webhook].
	Address       string `gorm:"-"`
	SealedAddress secret.Text
	PlainAddress  string `gorm:"column:address"`
	// Secret is what requests carry in Authorization.
	Secret secret.Text
	// CA is the authority of the receiver's certificate, as PEM; "" = the
	// system's.
	CA      string `gorm:"column:ca"`
	Enabled bool
	// Sent is the sequence of the last entry that it got, SentAt when that was.
	Sent   int64
	SentAt *time.Time
	// Failures counts the attempts since then that did not work, Error is what
	// went wrong at the last one.
	Failures int
	Error    string
	// NextAt is not before which time sending is tried.
	NextAt time.Time
}

// TableName is for gorm.
func (AuditReceiver) TableName() string { return "audit_receivers" }

// AuditReceivers returns all receivers of the organization, by name.
func (o *Org) AuditReceivers(ctx context.Context) ([]AuditReceiver, error) {
	out, err := db.From[AuditReceiver](o.scope).Order("name_key", false).All(o.store.secrets(ctx))
	return opened(out, (*AuditReceiver).addressed), err
}

// AuditReceiver returns a receiver.
func (o *Org) AuditReceiver(ctx context.Context, id string) (AuditReceiver, error) {
	r, err := db.From[AuditReceiver](o.scope).Get(o.store.secrets(ctx), id)
	r.addressed()
	return r, err
}

func (r *AuditReceiver) addressed() { r.Address = address(r.PlainAddress, r.SealedAddress) }

func (r *AuditReceiver) seal() { r.SealedAddress, r.PlainAddress = secret.NewText(r.Address), "" }

// CreateAuditReceiver makes a receiver, which has got everything up to r.Sent. The
// error is [db.ErrDuplicate] where the name is taken.
func (t *Tx) CreateAuditReceiver(ctx context.Context, r *AuditReceiver) error {
	r.Stored = t.stored()
	r.Name, r.NameKey, r.NextAt = strings.TrimSpace(r.Name), Fold(r.Name), t.store.Now()
	r.seal()
	return db.Create(t.store.secrets(ctx), t.scope, r)
}

// SaveAuditReceiver writes what people change, if the row has the version that is
// in r, and has sending tried at once.
func (t *Tx) SaveAuditReceiver(ctx context.Context, r *AuditReceiver) error {
	r.Name, r.NameKey, r.NextAt, r.Failures, r.Error = strings.TrimSpace(r.Name), Fold(r.Name), t.store.Now(), 0, ""
	r.seal()
	return db.Save(t.store.secrets(ctx), t.scope, r, "name", "name_key", "address", "sealed_address", "secret", "ca", "enabled", "next_at", "failures", "error")
}

// DeleteAuditReceiver deletes a receiver of a version.
func (t *Tx) DeleteAuditReceiver(ctx context.Context, id string, version int64) error {
	return db.Remove[AuditReceiver](ctx, t.scope, id, version)
}

// DueAuditReceivers returns the receivers of all organizations that may be sent to
// now and have something to get, those that wait longest first.
func (s *Store) DueAuditReceivers(ctx context.Context, most int) ([]AuditReceiver, error) {
	var out []AuditReceiver
	err := s.db.Unscoped(s.secrets(ctx), "one worker sends for all organizations").
		Joins("JOIN audit_heads ON audit_heads.organization_id = audit_receivers.organization_id").
		Where("audit_receivers.enabled = ? AND audit_receivers.next_at <= ? AND audit_receivers.sent < audit_heads.sequence", true, s.Now()).
		Order("audit_receivers.next_at, audit_receivers.id").Limit(most).Find(&out).Error
	return opened(out, (*AuditReceiver).addressed), err
}

// AuditReceiversBehind returns how many entries the receiver has yet to get that is
// farthest behind, and how many receivers did not take what they were sent last.
func (s *Store) AuditReceiversBehind(ctx context.Context) (behind, failing int64, err error) {
	var out struct{ Behind, Failing int64 }
	err = s.db.Unscoped(ctx, "the metrics are of all organizations together").Model(&AuditReceiver{}).
		Joins("JOIN audit_heads ON audit_heads.organization_id = audit_receivers.organization_id").
		Where("audit_receivers.enabled = ?", true).
		Select("COALESCE(MAX(audit_heads.sequence - audit_receivers.sent), 0) AS behind, COALESCE(SUM(CASE WHEN audit_receivers.failures > 0 THEN 1 ELSE 0 END), 0) AS failing").
		Scan(&out).Error
	return out.Behind, out.Failing, err
}

// AuditReceiverSent notes that a receiver got everything up to a sequence. It is
// not a change of the receiver as people know it.
func (o *Org) AuditReceiverSent(ctx context.Context, id string, sequence int64) error {
	now := o.store.Now()
	_, err := db.From[AuditReceiver](o.scope).Where("id = ? AND sent < ?", id, sequence).
		Update(ctx, db.Changes{"sent": sequence, "sent_at": now, "failures": 0, "error": "", "next_at": now})
	return err
}

// AuditReceiverFailed notes that sending did not work, and until when to wait.
func (o *Org) AuditReceiverFailed(ctx context.Context, r AuditReceiver, why string, next time.Time) error {
	_, err := db.From[AuditReceiver](o.scope).Where("id = ? AND version = ?", r.ID, r.Version).
		Update(ctx, db.Changes{"failures": r.Failures + 1, "error": cut(why, 500), "next_at": next})
	return err
}
