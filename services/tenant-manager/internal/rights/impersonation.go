package rights

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Acting is whether somebody may go on to act as a user in a session.
type Acting struct {
	// Over is why not, as the end of a sentence; "" = they may.
	Over string
	// Until is when they may no longer as things are now; zero = not known before it
	// happens.
	Until time.Time
}

// ActingIn says whether whoever acts as a user in a session may still do so: what was
// looked at when they began has to be true now, so that neither what is taken from them
// nor what is given to the user makes more of the session than they may do themselves.
func ActingIn(ctx context.Context, o *store.Org, s store.Session) (Acting, error) {
	policy, err := o.SecurityPolicy(ctx)
	if err != nil {
		return Acting{}, err
	}
	if !policy.Impersonation {
		return Acting{Over: "your organization lets nobody act as somebody else"}, nil
	}
	now := o.Now()
	me, err := o.User(ctx, s.ImpersonatorID)
	if store.IgnoreNotFound(err) != nil {
		return Acting{}, err
	}
	own, errOwn := o.Session(ctx, s.ImpersonatorSession)
	if store.IgnoreNotFound(errOwn) != nil {
		return Acting{}, errOwn
	}
	u, errUser := o.User(ctx, s.UserID)
	switch {
	case store.IgnoreNotFound(errUser) != nil:
		return Acting{}, errUser
	case me.Status != store.Active:
		return Acting{Over: "your account is disabled"}, nil
	case own.UserID != me.ID || !own.Open(now) || own.Pending != "" || own.ImpersonatorID != "":
		return Acting{Over: "your own session has ended"}, nil
	case u.Status != store.Active:
		return Acting{Over: "the account is disabled"}, nil
	case u.BreakGlass && !me.BreakGlass:
		return Acting{Over: "it is a break-glass account now"}, nil
	}
	held, err := Holdings(ctx, o, me.ID, u.ID)
	if err != nil {
		return Acting{}, err
	}
	if may, _ := access.Decide(true, held[me.ID], access.Impersonate, "", access.Scope{}, now); !may {
		return Acting{Over: "you may not act as other people any more"}, nil
	}
	if p, where := access.Above(held[u.ID], held[me.ID], now); p != "" {
		return Acting{Over: fmt.Sprintf("they may do more than you now: %s in %s", p, where)}, nil
	}
	return Acting{Until: lastOf(held[me.ID], now)}, nil
}

// lastOf returns when the last grant ends by which somebody may act as other people;
// zero = one does not end.
func lastOf(h access.Holding, now time.Time) time.Time {
	var last time.Time
	for _, g := range h.Grants {
		if g.Deny || g.Ended(now) || g.Scope != (access.Scope{}) || !slices.Contains(access.Expand(g.Permissions), access.Impersonate) {
			continue
		}
		if g.ExpiresAt.IsZero() {
			return time.Time{}
		}
		if g.ExpiresAt.After(last) {
			last = g.ExpiresAt
		}
	}
	return last
}
