package api

import (
	"context"
	"net/http"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

// shortestDevice is how many characters the secret of a device has at least: one that
// is shorter could be guessed, and is none.
const shortestDevice = 43

// deviceOf returns the secret of the device of a request, "" where it has none.
func deviceOf(r *http.Request) string {
	if d := r.Header.Get(tenant.Device); len(d) >= shortestDevice && len(d) <= 256 {
		return d
	}
	return ""
}

// device returns the secret of the device of the request being answered, "" where it
// has none.
func device(ctx context.Context) string {
	a, _ := ctx.Value(userAgentKey{}).(agent)
	return a.device
}

// ofDevice returns what wrong passwords for an e-mail address are held against that
// come from a device at which everybody has signed in before who could be meant: by
// itself, so that strangers cannot keep its owner waiting; and whether it is such a
// device.
func (h *Handlers) ofDevice(ctx context.Context, email, slug string, limit throttle.Limit) (store.Limited, bool, error) {
	secret := device(ctx)
	if secret == "" {
		return store.Limited{}, false, nil
	}
	accounts, _, err := h.accounts(ctx, email, slug)
	if err != nil {
		return store.Limited{}, false, err
	}
	var users []store.User
	for _, c := range accounts {
		if c.user.ID != "" {
			users = append(users, c.user)
		}
	}
	known, err := h.store.KnowsDevice(ctx, users, secret)
	return store.Limited{Name: "device " + secret + " for " + store.FoldEmail(email), Limit: limit}, known, err
}
