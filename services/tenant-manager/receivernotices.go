package tenantmanager

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// receiverNotices puts it into the audit trail that a receiver of it takes nothing any
// more, and that it does again: other receivers, and webhooks, tell of it.
type receiverNotices struct {
	store *store.Store
	kit   *service.Kit
}

// Failing implements forward.Notices.
func (n receiverNotices) Failing(ctx context.Context, r store.AuditReceiver, why string) error {
	return n.record(ctx, r, "audit-receiver.failing", struct {
		Reason string `json:"reason"`
		Sent   int64  `json:"sent"`
	}{why, r.Sent})
}

// Recovered implements forward.Notices.
func (n receiverNotices) Recovered(ctx context.Context, r store.AuditReceiver) error {
	return n.record(ctx, r, "audit-receiver.recovered", nil)
}

func (n receiverNotices) record(ctx context.Context, r store.AuditReceiver, action string, after any) error {
	return n.store.Tx(ctx, r.OrganizationID, "", func(tx *store.Tx) error {
		return n.kit.Audit(ctx, tx.DB(), service.Entry{
			Action: action, Target: audit.Target{Kind: "audit-receiver", ID: r.ID, Name: r.Name}, Organization: r.OrganizationID, After: after,
		})
	})
}
