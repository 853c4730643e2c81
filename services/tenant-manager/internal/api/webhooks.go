package api

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/forward"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/webhook"
)

// ListWebhookEvents returns every kind of event.
func (h *Handlers) ListWebhookEvents(ctx context.Context, _ ListWebhookEventsRequestObject) (ListWebhookEventsResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	var out WebhookEventList
	for _, e := range webhook.Events() {
		out.Items = append(out.Items, WebhookEvent{Name: e.Name, Group: WebhookEventGroup(e.Group), Title: e.Title})
	}
	return ListWebhookEvents200JSONResponse(out), nil
}

// ListWebhooks returns the organization's webhooks.
func (h *Handlers) ListWebhooks(ctx context.Context, _ ListWebhooksRequestObject) (ListWebhooksResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	rows, err := org.Webhooks(ctx)
	if err != nil {
		return nil, err
	}
	out := WebhookList{Items: make([]Webhook, len(rows))}
	for i, w := range rows {
		if out.Items[i], err = h.webhookOf(ctx, org, w); err != nil {
			return nil, err
		}
	}
	return ListWebhooks200JSONResponse(out), nil
}

// GetWebhook returns a webhook.
func (h *Handlers) GetWebhook(ctx context.Context, r GetWebhookRequestObject) (GetWebhookResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	w, err := org.Webhook(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	out, err := h.webhookOf(ctx, org, w)
	return GetWebhook200JSONResponse{Body: out, Headers: GetWebhook200ResponseHeaders{ETag: etag(w.Version)}}, err
}

// mostWebhooks bounds how many webhooks an organization has.
const mostWebhooks = 50

// CreateWebhook makes a webhook.
func (h *Handlers) CreateWebhook(ctx context.Context, r CreateWebhookRequestObject) (CreateWebhookResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	if err := checkWebhook(*r.Body); err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createWebhook", r.Body, func(tx *store.Tx) (WebhookCreated, error) {
		all, err := tx.Webhooks(ctx)
		if err != nil {
			return WebhookCreated{}, err
		}
		if len(all) >= mostWebhooks {
			return WebhookCreated{}, problem.New(problem.CodeConflict, "an organization has at most %d webhooks: delete one first", mostWebhooks)
		}
		kept, err := tx.AuditRetention(ctx)
		if err != nil {
			return WebhookCreated{}, err
		}
		text := webhook.NewSecret()
		w := store.Webhook{
			Name: r.Body.Name, Address: r.Body.Address, Events: eventsOf(r.Body.Events), CA: deref(r.Body.Ca), Secret: secret.NewText(text),
			Enabled: r.Body.Enabled == nil || *r.Body.Enabled, Seen: kept.Last,
		}
		if err := tx.CreateWebhook(ctx, &w); err != nil {
			return WebhookCreated{}, webhookTaken(err, w.Name)
		}
		out, err := h.webhookOf(ctx, tx.Org, w)
		if err != nil {
			return WebhookCreated{}, err
		}
		return WebhookCreated{Webhook: out, Secret: text}, h.record(ctx, tx, "webhook.created", "webhook", w.ID, w.Name, nil, recordedWebhookOf(w))
	})
	return CreateWebhook201JSONResponse{
		Body: made, Headers: CreateWebhook201ResponseHeaders{ETag: etag(made.Webhook.Version), Location: location("webhooks", made.Webhook.Id)},
	}, err
}

// UpdateWebhook changes a webhook. One that leads elsewhere signs with the secret
// that its receiver was given, which tells nobody anything.
func (h *Handlers) UpdateWebhook(ctx context.Context, r UpdateWebhookRequestObject) (UpdateWebhookResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := checkWebhook(*r.Body); err != nil {
		return nil, err
	}
	var out Webhook
	err = h.change(ctx, func(tx *store.Tx) error {
		w, err := tx.Webhook(ctx, r.Id)
		if err != nil {
			return err
		}
		before, on := recordedWebhookOf(w), r.Body.Enabled == nil || *r.Body.Enabled
		if on && !w.Enabled { // what happened meanwhile it is not told of
			kept, err := tx.AuditRetention(ctx)
			if err != nil {
				return err
			}
			w.Seen = kept.Last
		}
		w.Name, w.Address, w.Events, w.CA, w.Enabled, w.Version = r.Body.Name, r.Body.Address, eventsOf(r.Body.Events), deref(r.Body.Ca), on, version
		if err := tx.SaveWebhook(ctx, &w); err != nil {
			return webhookTaken(err, w.Name)
		}
		if out, err = h.webhookOf(ctx, tx.Org, w); err != nil {
			return err
		}
		return h.record(ctx, tx, "webhook.updated", "webhook", w.ID, w.Name, before, recordedWebhookOf(w))
	})
	return UpdateWebhook200JSONResponse{Body: out, Headers: UpdateWebhook200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// DeleteWebhook deletes a webhook.
func (h *Handlers) DeleteWebhook(ctx context.Context, r DeleteWebhookRequestObject) (DeleteWebhookResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		w, err := tx.Webhook(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := tx.DeleteWebhook(ctx, w.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "webhook.deleted", "webhook", w.ID, w.Name, recordedWebhookOf(w), nil)
	})
	return DeleteWebhook204Response{}, err
}

// RotateWebhookSecret makes a new secret.
func (h *Handlers) RotateWebhookSecret(ctx context.Context, r RotateWebhookSecretRequestObject) (RotateWebhookSecretResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	overlap := 24 * time.Hour
	if r.Body.OverlapHours != nil {
		overlap = time.Duration(*r.Body.OverlapHours) * time.Hour
	}
	text := webhook.NewSecret()
	out := WebhookCreated{Secret: text}
	err = h.change(ctx, func(tx *store.Tx) error {
		w, err := tx.Webhook(ctx, r.Id)
		if err != nil {
			return err
		}
		before := recordedWebhookOf(w)
		w.PreviousSecret, w.PreviousUntil, w.Secret, w.Version = secret.Text{}, nil, secret.NewText(text), version
		if overlap > 0 {
			until := h.store.Now().Add(overlap)
			w.PreviousSecret, w.PreviousUntil = before.Secret, &until
		}
		if err := tx.SaveWebhook(ctx, &w); err != nil {
			return err
		}
		if out.Webhook, err = h.webhookOf(ctx, tx.Org, w); err != nil {
			return err
		}
		return h.record(ctx, tx, "webhook.secret-rotated", "webhook", w.ID, w.Name, before, recordedWebhookOf(w))
	})
	return RotateWebhookSecret200JSONResponse{Body: out, Headers: RotateWebhookSecret200ResponseHeaders{ETag: etag(out.Webhook.Version)}}, err
}

// TestWebhook sends a test.
func (h *Handlers) TestWebhook(ctx context.Context, r TestWebhookRequestObject) (TestWebhookResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	w, err := h.mine(ctx).Webhook(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	p, now := caller(ctx), h.store.Now()
	d := store.WebhookDelivery{
		ID: store.NewID(), WebhookID: w.ID, Event: webhook.TestEvent, State: store.DeliveryDead, Attempts: 1, BegunAt: now, NextAt: now, CreatedAt: now,
	}
	if d.Body, err = webhook.TestBody(p.Organization, audit.Actor{Kind: string(p.Kind), ID: p.Subject, Name: p.Name}, w, now); err != nil {
		return nil, err
	}
	out := h.webhooks.Send(ctx, w, d)
	d.StatusCode, d.Answer, d.TookMS = out.Status, out.Answer, int(out.Took.Milliseconds())
	if out.Err != nil {
		d.Error = out.Err.Error()
	} else {
		d.State, d.DeliveredAt = store.DeliverySent, &now
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		if err := tx.AddDelivery(ctx, &d); err != nil {
			return err
		}
		return h.record(ctx, tx, "webhook.tested", "webhook", w.ID, w.Name, nil, nil)
	})
	return TestWebhook200JSONResponse(deliveryOf(d, true)), err
}

// ListWebhookDeliveries returns a page of what a webhook gets or got.
func (h *Handlers) ListWebhookDeliveries(ctx context.Context, r ListWebhookDeliveriesRequestObject) (ListWebhookDeliveriesResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if _, err := org.Webhook(ctx, r.Id); err != nil {
		return nil, err
	}
	p := httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil))
	p.Descending = true
	page, err := org.Deliveries(ctx, r.Id, string(deref(r.Params.State)), deref(r.Params.Event), p)
	out := WebhookDeliveryList{Items: make([]WebhookDelivery, len(page.Items)), Next: ptr(page.Next)}
	for i, d := range page.Items {
		out.Items[i] = deliveryOf(d, false)
	}
	return ListWebhookDeliveries200JSONResponse(out), err
}

// GetWebhookDelivery returns a delivery with what is sent.
func (h *Handlers) GetWebhookDelivery(ctx context.Context, r GetWebhookDeliveryRequestObject) (GetWebhookDeliveryResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	d, err := h.mine(ctx).Delivery(ctx, r.Id, r.Delivery)
	return GetWebhookDelivery200JSONResponse(deliveryOf(d, true)), err
}

// ReplayWebhookDelivery has a delivery sent again.
func (h *Handlers) ReplayWebhookDelivery(ctx context.Context, r ReplayWebhookDeliveryRequestObject) (ReplayWebhookDeliveryResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	var d store.WebhookDelivery
	err := h.change(ctx, func(tx *store.Tx) error {
		w, err := tx.Webhook(ctx, r.Id)
		if err != nil {
			return err
		}
		if d, err = tx.Delivery(ctx, w.ID, r.Delivery); err != nil {
			return err
		}
		if !w.Enabled {
			return problem.New(problem.CodeConflict, "the webhook is switched off: switch it on first")
		}
		if err := tx.ReplayDelivery(ctx, &d); err != nil {
			return err
		}
		return h.record(ctx, tx, "webhook.replayed", "webhook", w.ID, w.Name, nil, map[string]string{"delivery": d.ID, "event": d.Event})
	})
	return ReplayWebhookDelivery200JSONResponse(deliveryOf(d, true)), err
}

// checkWebhook returns a problem of the fields that the form does not check.
func checkWebhook(in WebhookInput) error {
	if name := webhook.Unknown(in.Events); name != "" {
		at := slices.Index(in.Events, name)
		return invalid("/events", "unknown", "there is no event %q (the %d. of the list): GET /webhook-events lists them", name, at+1)
	}
	_, err := forward.Check(store.HTTP, in.Address, deref(in.Ca))
	var wrong *forward.InvalidError
	if errors.As(err, &wrong) {
		return invalid("/"+wrong.Field, "format", "%s", wrong)
	}
	return err
}

// eventsOf returns names in order, each once; all others are nothing beside all.
func eventsOf(names []string) []string {
	if slices.Contains(names, webhook.Every) {
		return []string{webhook.Every}
	}
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}

func webhookTaken(err error, name string) error {
	if errors.Is(err, db.ErrDuplicate) {
		return problem.New(problem.CodeConflict, "there is a webhook named %s already", name)
	}
	return err
}

// recordedWebhook is what the audit trail says of a webhook.
type recordedWebhook struct {
	Name, Address, CA string
	Events            []string
	Secret            secret.Text
	Enabled           bool
}

func recordedWebhookOf(w store.Webhook) recordedWebhook {
	return recordedWebhook{w.Name, host(w.Address), w.CA, w.Events, w.Secret, w.Enabled}
}

// host returns an address without what leads on from there: for those of chats, that is
// the secret that lets a message in. A few digits of its hash show that it is another one.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "***"
	}
	if u.User == nil && u.RawQuery == "" && strings.Trim(u.Path, "/") == "" {
		return address
	}
	return u.Scheme + "://" + u.Host + "/***" + token.Hash(address)[:8]
}

func (h *Handlers) webhookOf(ctx context.Context, org *store.Org, w store.Webhook) (Webhook, error) {
	out := Webhook{
		Id: w.ID, Version: w.Version, Name: w.Name, Address: w.Address, Events: w.Events, Ca: ptr(w.CA), Enabled: w.Enabled,
		CreatedAt: w.CreatedAt.UTC(), State: WebhookStateQuiet,
	}
	if w.PreviousUntil != nil && h.store.Now().Before(*w.PreviousUntil) {
		out.PreviousSecretUntil = utc(w.PreviousUntil)
	}
	var err error
	if out.Waiting, err = org.WaitingDeliveries(ctx, w.ID); err != nil {
		return out, err
	}
	last, err := org.LastDelivery(ctx, w.ID)
	switch {
	case store.IsNotFound(err):
		err = nil
	case err != nil:
	default:
		out.LastAt, out.Error, out.State = ptr(last.CreatedAt.UTC()), ptr(last.Error), WebhookStateWorking
		if last.Error != "" {
			out.State = WebhookStateFailing
		}
	}
	if !w.Enabled {
		out.State = WebhookStateDisabled
	}
	return out, err
}

func deliveryOf(d store.WebhookDelivery, whole bool) WebhookDelivery {
	out := WebhookDelivery{
		Id: d.ID, Event: d.Event, State: WebhookDeliveryState(d.State), Attempts: d.Attempts, Status: ptr(d.StatusCode), Error: ptr(d.Error),
		Answer: ptr(d.Answer), Took: ptr(d.TookMS), DeliveredAt: utc(d.DeliveredAt), CreatedAt: d.CreatedAt.UTC(),
	}
	if whole {
		out.Body = ptr(d.Body)
	}
	if d.State == store.DeliveryWaiting {
		out.NextAttemptAt = ptr(d.NextAt.UTC())
	}
	return out
}
