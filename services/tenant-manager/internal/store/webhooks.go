package store

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Webhook is where an organization is told of what happens.
type Webhook struct {
	Stored  `gorm:"embedded"`
	Name    string
	NameKey string
	// Address is where it is sent to. It is kept encrypted, because who knows those of
	// chats is let in: in SealedAddress, or still in PlainAddress, as an earlier version
	// left it.
	Address       string `gorm:"-"`
	SealedAddress secret.Text
	PlainAddress  string `gorm:"column:address"`
	// Events are the names of those that it gets.
	Events []string `gorm:"serializer:json"`
	// Secret signs what is sent; PreviousSecret does as well, until PreviousUntil.
	Secret         secret.Text
	PreviousSecret secret.Text
	PreviousUntil  *time.Time
	// CA is the authority of the receiver's certificate, as PEM; "" = the system's.
	CA      string `gorm:"column:ca"`
	Enabled bool
	// Seen is the sequence of the last entry of the trail that was looked at for it.
	Seen int64
}

// Secrets returns what signs at a time.
func (w Webhook) Secrets(now time.Time) []string {
	out := []string{w.Secret.Reveal()}
	if w.PreviousUntil != nil && now.Before(*w.PreviousUntil) && w.PreviousSecret.Reveal() != "" {
		out = append(out, w.PreviousSecret.Reveal())
	}
	return out
}

// The states of deliveries.
const (
	DeliveryWaiting = "waiting"
	DeliverySent    = "delivered"
	DeliveryDead    = "dead"
)

// WebhookDelivery is an event that a webhook gets, or got. Its id is that of the
// message.
type WebhookDelivery struct {
	ID             string
	OrganizationID string
	WebhookID      string
	Event          string
	Body           string
	// State is [DeliveryWaiting], [DeliverySent] or [DeliveryDead].
	State    string
	Attempts int
	// StatusCode, Answer, Error and TookMS are of the last attempt.
	StatusCode int
	Error      string
	Answer     string
	TookMS     int `gorm:"column:took_ms"`
	// BegunAt is since when it is tried, NextAt not before which time.
	BegunAt     time.Time
	NextAt      time.Time
	DeliveredAt *time.Time
	CreatedAt   time.Time
}

// Webhooks returns all webhooks of the organization, by name.
func (o *Org) Webhooks(ctx context.Context) ([]Webhook, error) {
	out, err := db.From[Webhook](o.scope).Order("name_key", false).All(o.store.secrets(ctx))
	return opened(out, (*Webhook).addressed), err
}

// Webhook returns a webhook.
func (o *Org) Webhook(ctx context.Context, id string) (Webhook, error) {
	w, err := db.From[Webhook](o.scope).Get(o.store.secrets(ctx), id)
	w.addressed()
	return w, err
}

func (w *Webhook) addressed() { w.Address = address(w.PlainAddress, w.SealedAddress) }

func (w *Webhook) seal() { w.SealedAddress, w.PlainAddress = secret.NewText(w.Address), "" }

// address returns an address that an earlier version may have written meanwhile.
func address(plain string, sealed secret.Text) string {
	if plain != "" {
		return plain
	}
	return sealed.Reveal()
}

// opened does with each row what is to be done once it was read.
func opened[T any](rows []T, each func(*T)) []T {
	for i := range rows {
		each(&rows[i])
	}
	return rows
}

// CreateWebhook makes a webhook, which gets what happens after w.Seen. The error is
// [db.ErrDuplicate] where the name is taken.
func (t *Tx) CreateWebhook(ctx context.Context, w *Webhook) error {
	w.Stored = t.stored()
	w.Name, w.NameKey = strings.TrimSpace(w.Name), Fold(w.Name)
	w.seal()
	return db.Create(t.store.secrets(ctx), t.scope, w)
}

// SaveWebhook writes what people change, if the row has the version that is in w.
func (t *Tx) SaveWebhook(ctx context.Context, w *Webhook) error {
	w.Name, w.NameKey = strings.TrimSpace(w.Name), Fold(w.Name)
	w.seal()
	return db.Save(t.store.secrets(ctx), t.scope, w, "name", "name_key", "address", "sealed_address", "events", "secret", "previous_secret", "previous_until", "ca", "enabled", "seen")
}

// DeleteWebhook deletes a webhook of a version, and its deliveries.
func (t *Tx) DeleteWebhook(ctx context.Context, id string, version int64) error {
	if err := db.Remove[Webhook](ctx, t.scope, id, version); err != nil {
		return err
	}
	_, err := db.From[WebhookDelivery](t.scope).Where("webhook_id = ?", id).Delete(ctx)
	return err
}

// WebhooksBehind returns the webhooks of all organizations that have not seen the
// end of the trail.
func (s *Store) WebhooksBehind(ctx context.Context, most int) ([]Webhook, error) {
	var out []Webhook
	err := s.db.Unscoped(s.secrets(ctx), "one worker looks at the trails of all organizations").
		Joins("JOIN audit_heads ON audit_heads.organization_id = webhooks.organization_id").
		Where("webhooks.enabled = ? AND webhooks.seen < audit_heads.sequence", true).
		Order("webhooks.seen, webhooks.id").Limit(most).Find(&out).Error
	return opened(out, (*Webhook).addressed), err
}

// WebhookSeen notes how far a webhook has seen the trail. It is not a change of the
// webhook as people know it.
func (t *Tx) WebhookSeen(ctx context.Context, id string, from, to int64) error {
	n, err := db.From[Webhook](t.scope).Where("id = ? AND seen = ?", id, from).Update(ctx, db.Changes{"seen": to})
	if err == nil && n == 0 {
		err = db.ErrNotFound // somebody else was faster: what was made is taken back
	}
	return err
}

// QueueDelivery has an event sent once the transaction is committed.
func (t *Tx) QueueDelivery(ctx context.Context, d *WebhookDelivery) error {
	now := t.store.Now()
	d.ID, d.State, d.BegunAt, d.NextAt, d.CreatedAt = NewID(), DeliveryWaiting, now, now, now
	return db.Create(ctx, t.scope, d)
}

// AddDelivery keeps a delivery as it is, of which something has come already.
func (t *Tx) AddDelivery(ctx context.Context, d *WebhookDelivery) error {
	d.Error, d.Answer = cut(d.Error, 500), cut(d.Answer, 1000)
	return db.Create(ctx, t.scope, d)
}

// DueDeliveries returns deliveries of all organizations that may be sent now, those
// that wait longest first. Those of webhooks that are switched off wait.
func (s *Store) DueDeliveries(ctx context.Context, most int) ([]WebhookDelivery, error) {
	var out []WebhookDelivery
	err := s.db.Unscoped(ctx, "one worker sends for all organizations").
		Joins("JOIN webhooks ON webhooks.id = webhook_deliveries.webhook_id").
		Where("webhook_deliveries.state = ? AND webhook_deliveries.next_at <= ? AND webhooks.enabled = ?", DeliveryWaiting, s.Now(), true).
		Order("webhook_deliveries.next_at, webhook_deliveries.id").Limit(most).Find(&out).Error
	return out, err
}

// Deliveries returns a page of what a webhook gets or got, in a state, of an event;
// "" = any. It is sortable by creation.
func (o *Org) Deliveries(ctx context.Context, webhook, state, event string, p db.PageRequest) (db.Page[WebhookDelivery], error) {
	q := db.From[WebhookDelivery](o.scope).Where("webhook_id = ?", webhook)
	if state != "" {
		q = q.Where("state = ?", state)
	}
	if event != "" {
		q = q.Where("event = ?", event)
	}
	return q.Page(ctx, p, "created_at")
}

// Delivery returns a delivery of a webhook.
func (o *Org) Delivery(ctx context.Context, webhook, id string) (WebhookDelivery, error) {
	return db.From[WebhookDelivery](o.scope).Where("webhook_id = ?", webhook).Get(ctx, id)
}

// LastDelivery returns the newest delivery of a webhook that was tried.
func (o *Org) LastDelivery(ctx context.Context, webhook string) (WebhookDelivery, error) {
	return db.From[WebhookDelivery](o.scope).Where("webhook_id = ? AND attempts > 0", webhook).Order("created_at", true).Order("id", true).First(ctx)
}

// WaitingDeliveries counts what a webhook has yet to get.
func (o *Org) WaitingDeliveries(ctx context.Context, webhook string) (int64, error) {
	return db.From[WebhookDelivery](o.scope).Where("webhook_id = ? AND state = ?", webhook, DeliveryWaiting).Count(ctx)
}

// NoteDelivery writes what came of an attempt.
func (o *Org) NoteDelivery(ctx context.Context, d WebhookDelivery) error {
	_, err := db.From[WebhookDelivery](o.scope).Where("id = ? AND attempts < ?", d.ID, d.Attempts).Update(ctx, db.Changes{
		"state": d.State, "attempts": d.Attempts, "status_code": d.StatusCode, "error": cut(d.Error, 500), "answer": cut(d.Answer, 1000),
		"took_ms": d.TookMS, "next_at": d.NextAt, "delivered_at": d.DeliveredAt,
	})
	return err
}

// ReplayDelivery has a delivery sent again, from now on.
func (t *Tx) ReplayDelivery(ctx context.Context, d *WebhookDelivery) error {
	now := t.store.Now()
	d.State, d.BegunAt, d.NextAt, d.DeliveredAt = DeliveryWaiting, now, now, nil
	_, err := db.From[WebhookDelivery](t.scope).Where("id = ?", d.ID).Update(ctx, db.Changes{"state": d.State, "begun_at": now, "next_at": now, "delivered_at": nil})
	return err
}

// ForgetDeliveries deletes deliveries from before a time that wait no more, and
// returns their number.
func (s *Store) ForgetDeliveries(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, "old deliveries of all organizations are cleaned away").Delete(&WebhookDelivery{}, "created_at < ? AND state <> ?", before, DeliveryWaiting)
	return g.RowsAffected, g.Error
}
