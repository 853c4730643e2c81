package api

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/forward"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListAuditReceivers returns where the trail is forwarded to.
func (h *Handlers) ListAuditReceivers(ctx context.Context, _ ListAuditReceiversRequestObject) (ListAuditReceiversResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	kept, err := org.AuditRetention(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := org.AuditReceivers(ctx)
	out := AuditReceiverList{Items: make([]AuditReceiver, len(rows))}
	for i, r := range rows {
		out.Items[i] = receiverOf(r, kept.Last)
	}
	return ListAuditReceivers200JSONResponse(out), err
}

// GetAuditReceiver returns a receiver.
func (h *Handlers) GetAuditReceiver(ctx context.Context, r GetAuditReceiverRequestObject) (GetAuditReceiverResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	kept, err := org.AuditRetention(ctx)
	if err != nil {
		return nil, err
	}
	x, err := org.AuditReceiver(ctx, r.Id)
	return GetAuditReceiver200JSONResponse{Body: receiverOf(x, kept.Last), Headers: GetAuditReceiver200ResponseHeaders{ETag: etag(x.Version)}}, err
}

// CreateAuditReceiver makes a receiver.
func (h *Handlers) CreateAuditReceiver(ctx context.Context, r CreateAuditReceiverRequestObject) (CreateAuditReceiverResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	if err := checkReceiver(*r.Body); err != nil {
		return nil, err
	}
	if err := h.secretFits(ctx, "/secret", caller(ctx).Organization, r.Body.Secret); err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createAuditReceiver", r.Body, func(tx *store.Tx) (AuditReceiver, error) {
		kept, err := tx.AuditRetention(ctx)
		if err != nil {
			return AuditReceiver{}, err
		}
		x := store.AuditReceiver{
			Name: r.Body.Name, Kind: string(r.Body.Kind), Address: r.Body.Address, Secret: secret.NewText(deref(r.Body.Secret)), CA: deref(r.Body.Ca),
			Enabled: r.Body.Enabled == nil || *r.Body.Enabled, Sent: kept.Last,
		}
		if deref(r.Body.FromBeginning) {
			x.Sent = kept.Removed.Sequence
		}
		if err := tx.CreateAuditReceiver(ctx, &x); err != nil {
			return AuditReceiver{}, receiverTaken(err, x.Name)
		}
		return receiverOf(x, kept.Last), h.record(ctx, tx, "audit-receiver.created", "audit-receiver", x.ID, x.Name, nil, recordedReceiverOf(x))
	})
	return CreateAuditReceiver201JSONResponse{
		Body: made, Headers: CreateAuditReceiver201ResponseHeaders{ETag: etag(made.Version), Location: location("audit/receivers", made.Id)},
	}, err
}

// UpdateAuditReceiver changes a receiver. The secret goes to no other address than
// the one that it was given for.
func (h *Handlers) UpdateAuditReceiver(ctx context.Context, r UpdateAuditReceiverRequestObject) (UpdateAuditReceiverResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := checkReceiver(*r.Body); err != nil {
		return nil, err
	}
	if err := h.secretFits(ctx, "/secret", caller(ctx).Organization, r.Body.Secret); err != nil {
		return nil, err
	}
	var (
		x    store.AuditReceiver
		kept store.AuditRetention
	)
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if kept, err = tx.AuditRetention(ctx); err != nil {
			return err
		}
		if x, err = tx.AuditReceiver(ctx, r.Id); err != nil {
			return err
		}
		before := recordedReceiverOf(x)
		if string(r.Body.Kind) != x.Kind {
			return invalid("/kind", "enum", "it stays %s: make another receiver instead", x.Kind)
		}
		switch {
		case r.Body.Secret != nil:
			x.Secret = secret.NewText(*r.Body.Secret)
		case r.Body.Address != x.Address:
			x.Secret = secret.Text{}
		}
		x.Name, x.Address, x.CA, x.Enabled, x.Version = r.Body.Name, r.Body.Address, deref(r.Body.Ca), r.Body.Enabled == nil || *r.Body.Enabled, version
		if err := tx.SaveAuditReceiver(ctx, &x); err != nil {
			return receiverTaken(err, x.Name)
		}
		return h.record(ctx, tx, "audit-receiver.updated", "audit-receiver", x.ID, x.Name, before, recordedReceiverOf(x))
	})
	return UpdateAuditReceiver200JSONResponse{Body: receiverOf(x, kept.Last), Headers: UpdateAuditReceiver200ResponseHeaders{ETag: etag(x.Version)}}, err
}

// DeleteAuditReceiver deletes a receiver.
func (h *Handlers) DeleteAuditReceiver(ctx context.Context, r DeleteAuditReceiverRequestObject) (DeleteAuditReceiverResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		x, err := tx.AuditReceiver(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := tx.DeleteAuditReceiver(ctx, x.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "audit-receiver.deleted", "audit-receiver", x.ID, x.Name, recordedReceiverOf(x), nil)
	})
	return DeleteAuditReceiver204Response{}, err
}

// TestAuditReceiver sends a test entry.
func (h *Handlers) TestAuditReceiver(ctx context.Context, r TestAuditReceiverRequestObject) (TestAuditReceiverResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	x, err := h.mine(ctx).AuditReceiver(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	p := caller(ctx)
	sent := h.forward.Test(ctx, x, h.store.Now(), audit.Actor{Kind: string(p.Kind), ID: p.Subject, Name: p.Name})
	detail := "The receiver took a test entry."
	if sent != nil {
		detail = sent.Error()
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		return h.record(ctx, tx, "audit-receiver.tested", "audit-receiver", x.ID, x.Name, nil, nil)
	})
	return TestAuditReceiver200JSONResponse{Ok: sent == nil, Detail: detail}, err
}

// checkReceiver returns a problem of the fields that the form does not check.
func checkReceiver(in AuditReceiverInput) error {
	if in.Kind == Syslog && deref(in.Secret) != "" {
		return invalid("/secret", "format", "syslog knows no secrets: leave it out")
	}
	_, err := forward.Check(string(in.Kind), in.Address, deref(in.Ca))
	var wrong *forward.InvalidError
	if errors.As(err, &wrong) {
		return invalid("/"+wrong.Field, "format", "%s", wrong)
	}
	return err
}

func receiverTaken(err error, name string) error {
	if errors.Is(err, db.ErrDuplicate) {
		return problem.New(problem.CodeConflict, "there is a receiver named %s already", name)
	}
	return err
}

// recordedReceiver is what the audit trail says of a receiver.
type recordedReceiver struct {
	Name, Kind, Address, CA string
	Secret                  secret.Text
	Enabled                 bool
}

func recordedReceiverOf(r store.AuditReceiver) recordedReceiver {
	return recordedReceiver{r.Name, r.Kind, host(r.Address), r.CA, r.Secret, r.Enabled}
}

func receiverOf(r store.AuditReceiver, last int64) AuditReceiver {
	out := AuditReceiver{
		Id: r.ID, Name: r.Name, Kind: AuditReceiverKind(r.Kind), Address: r.Address, Ca: ptr(r.CA), Enabled: r.Enabled,
		HasSecret: r.Secret.Reveal() != "", SecretReference: ptr(secrets.Reference(r.Secret)), Sent: r.Sent, Behind: ptr(max(0, last-r.Sent)), SentAt: utc(r.SentAt), Version: r.Version,
		CreatedAt: r.CreatedAt.UTC(), State: AuditReceiverStateSending,
	}
	switch {
	case !r.Enabled:
		out.State = AuditReceiverStateDisabled
	case r.Failures > 0:
		out.State, out.Error, out.NextAttemptAt = AuditReceiverStateFailing, ptr(r.Error), ptr(r.NextAt.UTC())
	case r.Sent >= last:
		out.State = AuditReceiverStateWaiting
	}
	return out
}
