package api

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Whoever opens a door to an account for somebody else could go through it
// themselves. What they may do is weighed when it is gone through, because both they
// and the account may have come to do more or less since.

// beyond says why a connection lets nobody into an account; "" = it does. Whoever
// saved it may be the one who runs the provider.
func (h *Handlers) beyond(ctx context.Context, org *store.Org, c store.SSOConnection, u store.User) (string, error) {
	if u.ID == c.SavedBy {
		return "", nil
	}
	held, err := rights.Holdings(ctx, org, u.ID, c.SavedBy)
	if err != nil {
		return "", err
	}
	theirs := held[c.SavedBy]
	if c.Settings.Left != nil {
		theirs = *c.Settings.Left
	}
	if p, scope := access.Above(held[u.ID], theirs, h.store.Now()); p != "" {
		return "the account may do more than whoever saved the connection, such as " + p + " in " + scope.String() +
			": somebody who may do as much opens the connection and saves it again, and so vouches for it", nil
	}
	return "", nil
}

// leaveDoors keeps what somebody who is deleted has vouched for at what they could
// do: neither does everybody lose their way in, nor does it come to be worth more.
func (h *Handlers) leaveDoors(ctx context.Context, tx *store.Tx, principal string) error {
	held, err := rights.Of(ctx, tx.Org, principal)
	if err != nil {
		return err
	}
	return tx.LeaveSSOConnections(ctx, principal, held)
}

// maker returns what somebody may do who made something here, and why it counts no
// more; "" = it does.
func (h *Handlers) maker(ctx context.Context, org *store.Org, id string) (held access.Holding, why string, err error) {
	status := ""
	u, err := org.User(ctx, id)
	if err == nil {
		status = u.Status
	} else if store.IsNotFound(err) {
		var a store.ServiceAccount
		a, err = org.ServiceAccount(ctx, id)
		status = a.Status
	}
	switch {
	case store.IsNotFound(err):
		return held, "whoever made it was deleted", nil
	case err != nil:
		return held, "", err
	case status != store.Active:
		return held, "whoever made it was disabled", nil
	}
	held, err = rights.Of(ctx, org, id)
	return held, "", err
}

// lapsedLink says why a link that somebody made for a user sets no password any
// more; "" = it does.
func (h *Handlers) lapsedLink(ctx context.Context, org *store.Org, code store.OneTimeCode) (string, error) {
	if code.MadeBy == "" || code.MadeBy == code.UserID {
		return "", nil
	}
	held, why, err := h.maker(ctx, org, code.MadeBy)
	if err != nil || why != "" {
		return why, err
	}
	theirs, err := rights.Of(ctx, org, code.UserID)
	if err != nil {
		return "", err
	}
	if p, scope := access.Above(theirs, held, h.store.Now()); p != "" {
		return "the account may do more than whoever made the link, such as " + p + " in " + scope.String(), nil
	}
	return "", nil
}

// lapsedInvitation says why an invitation lets nobody in any more; "" = it does.
// Whoever made it has to be able to invite to the same now. The first owner of an
// organization is invited by the platform.
func (h *Handlers) lapsedInvitation(ctx context.Context, org *store.Org, row store.Invitation) (string, error) {
	if row.CreatedBy == "" {
		return "", nil
	}
	held, why, err := h.maker(ctx, org, row.CreatedBy)
	if err != nil || why != "" {
		return why, err
	}
	roles, err := invitedRoles(ctx, org, row)
	if err != nil {
		return "", err
	}
	now := h.store.Now()
	for _, r := range row.Roles {
		at := access.Scope{Project: r.Project}
		if missing := access.Missing(held, []string{"invitation:create"}, at, noEnd, now); missing != "" {
			return "whoever made it may invite nobody any more in " + at.String(), nil
		}
		if missing := access.Missing(held, roles[r.Role].Permissions, at, noEnd, now); missing != "" {
			return "whoever made it could not give " + roles[r.Role].Name + " any more: they lack " + missing + " in " + at.String(), nil
		}
	}
	if len(row.Roles) == 0 {
		if missing := access.Missing(held, []string{"invitation:create"}, access.Scope{}, noEnd, now); missing != "" {
			return "whoever made it may invite nobody any more", nil
		}
	}
	gives, err := rights.Holdings(ctx, org, row.GroupIDs...)
	if err != nil {
		return "", err
	}
	for _, group := range row.GroupIDs {
		for _, grant := range gives[group].Grants {
			if grant.Deny || grant.Ended(now) {
				continue
			}
			if missing := access.Missing(held, grant.Permissions, grant.Scope, grant.ExpiresAt, now); missing != "" {
				return "whoever made it could not put anybody into a group that gives " + missing + " in " + grant.Scope.String() + " any more", nil
			}
		}
	}
	return "", nil
}

// closed puts into the audit trail, after the answer, why a door did not open.
func (h *Handlers) closed(ctx context.Context, organization, action string, target audit.Target, why string) {
	cause := context.WithoutCancel(ctx)
	h.afterwards("recording a refused "+target.Kind, func(context.Context) error {
		ctx, cancel := context.WithTimeout(cause, 10*time.Second)
		defer cancel()
		return h.store.Tx(ctx, organization, "", func(tx *store.Tx) error {
			return h.kit.Audit(ctx, tx.DB(), service.Entry{
				Action: action, Target: target, Refused: true, Organization: organization, Actor: audit.Actor{Kind: "anonymous"},
				After: struct {
					Reason string `json:"reason"`
				}{why},
			})
		})
	})
}
