package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// refusedKept and refusedOfAll are how many refusals of a client, and of an
	// organization, are recorded in a minute: guessing fills no trail.
	refusedKept  = 5
	refusedOfAll = 30
	trailLimit   = 5 * time.Second
)

// refusal is what the trail keeps of somebody who did not prove who they are.
type refusal struct {
	Reason string `json:"reason"`
	// Missed is how many more there were before that are not recorded.
	Missed int64 `json:"missed,omitempty"`
}

// recordRefused puts a client that did not prove who it is into the trail, or a token
// that registers nobody. What was sent as the id is recorded only where there is such
// a client: people put secrets into the wrong field. A failure is logged; the answer
// is a refusal anyhow.
func (s *realm) recordRefused(ctx context.Context, action, client, reason string) {
	target := audit.Target{Kind: "oauth-client"}
	if client != "" {
		c, err := s.server.store.For(s.org.ID).OAuthClient(ctx, client)
		switch {
		case err == nil:
			target.ID, target.Name = c.ID, c.Name
		case !errors.Is(err, db.ErrNotFound):
			s.server.log.ErrorContext(ctx, "a refused client is not in the audit trail", "request", httpx.RequestID(ctx), "err", err)
			return
		}
	}
	// What is not recorded of one client takes nothing from what is of others.
	ok, missed := s.server.refused.Take(s.org.ID + " " + action + " " + target.ID)
	if !ok {
		return
	}
	if ok, _ := s.server.refusedOfAll.Take(s.org.ID); !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), trailLimit)
	defer cancel()
	err := s.server.store.Tx(ctx, s.org.ID, "", func(tx *store.Tx) error {
		return s.server.audit(ctx, tx.DB(), service.Entry{
			Action: action, Target: target, Organization: s.org.ID, Actor: audit.Actor{Kind: "anonymous"}, Refused: true, After: refusal{reason, missed},
		})
	})
	if err != nil {
		s.server.log.ErrorContext(ctx, "a refused client is not in the audit trail", "request", httpx.RequestID(ctx), "err", err)
	}
}

// recordSession puts into the trail that a user signed in at an application: once for
// each session and client, whether or not anything was asked.
func (s *realm) recordSession(ctx context.Context, tx *store.Tx, c *client, in *session) error {
	u, err := tx.User(ctx, in.Subject)
	if err != nil {
		return err
	}
	return s.server.audit(ctx, tx.DB(), service.Entry{
		Action: "oauth-session.started", Target: audit.Target{Kind: "oauth-client", ID: c.ID, Name: c.Name}, Organization: s.org.ID,
		Actor: audit.Actor{Kind: "user", ID: u.ID, Name: u.Name},
	})
}
