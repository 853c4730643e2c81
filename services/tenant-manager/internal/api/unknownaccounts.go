package api

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// unknownKept is how many sign-ins at addresses that nobody has are recorded in a
	// minute from one IP address, and unknownKeptOfAll of one organization.
	unknownKept      = 10
	unknownKeptOfAll = 120
	// unknownAccount is the kind of target of their entries.
	unknownAccount = "unknown-account"
)

// unknownSignIn is what is kept of a sign-in at an address that nobody has: never what
// was typed, which may be a password in the wrong field.
type unknownSignIn struct {
	// Domain is that of the address, where the organization has proven it to be its own.
	Domain string `json:"domain,omitempty"`
	service.Refusal
}

// unknownRefused puts a sign-in at an address that nobody has into the audit trail of
// the organization that looks after it, after the answer: one password tried at many
// addresses shows there, whoever of them exists.
func (h *Handlers) unknownRefused(ctx context.Context, email, slug string) {
	cause := context.WithoutCancel(ctx)
	h.afterwards("recording a refused sign-in", func(context.Context) error {
		ctx, cancel := context.WithTimeout(cause, 10*time.Second)
		defer cancel()
		organization, domain, err := h.looksAfter(ctx, email, slug)
		if err != nil || organization == "" {
			return err
		}
		ok, missed := h.unknown.Take("from " + httpx.LimitKey(ctx))
		if !ok {
			return nil
		}
		if ok, more := h.unknownOfAll.Take(organization); !ok {
			return nil
		} else if more > 0 {
			missed += more
		}
		return h.store.Tx(ctx, organization, "", func(tx *store.Tx) error {
			return h.kit.Audit(ctx, tx.DB(), service.Entry{
				Action: "user.signed-in", Target: audit.Target{Kind: unknownAccount, ID: h.pseudonym(email)}, Refused: true,
				Organization: organization, Actor: audit.Actor{Kind: "anonymous"}, After: unknownSignIn{domain, service.Refusal{Missed: missed}},
			})
		})
	})
}

// pseudonym returns what tells an address that nobody has apart from others, and from
// which it cannot be told without the installation's pepper; "" where there is none.
func (h *Handlers) pseudonym(email string) string {
	if h.kit.Hasher == nil {
		return ""
	}
	return h.kit.Hasher.Hash("unknown account " + strings.TrimSpace(store.FoldEmail(email)))[:16]
}
