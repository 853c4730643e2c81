package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/domains"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

// VerifyDomain looks for the record of a domain.
func (h *Handlers) VerifyDomain(ctx context.Context, r VerifyDomainRequestObject) (VerifyDomainResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	d, err := org.Domain(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := db.Expect(d.Version, version); err != nil {
		return nil, err
	}
	wait, err := h.store.Attempt(ctx, store.Limited{Name: "looking for " + d.ID, Limit: throttle.Looking})
	if err == nil && wait > 0 {
		err = slower(wait, "it was looked for several times")
	}
	if err != nil {
		return nil, err
	}
	if err := h.look(ctx, d, caller(ctx).Subject); err != nil {
		return nil, err
	}
	out, err := h.domain(ctx, org, d.ID)
	return VerifyDomain200JSONResponse{Body: out, Headers: VerifyDomain200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// vouchFor makes a domain one that somebody vouches for.
func vouchFor(d *store.Domain, now time.Time) {
	d.Verified, d.Method, d.VerifiedAt = &d.Domain, store.ByHand, &now
	d.LostAt, d.NextCheckAt, d.Failure, d.Attempts = nil, nil, "", 0
}

// look looks for the record of a domain, and follows what it finds.
func (h *Handlers) look(ctx context.Context, d store.Domain, by string) error {
	found := h.domains.Look(ctx, d.Domain, d.RecordValue)
	err := h.looked(ctx, d, by, found)
	if errors.Is(err, store.ErrDomainTaken) {
		err = h.looked(ctx, d, by, domains.Taken)
	}
	if err != nil && !store.IsNotFound(err) { // given up meanwhile
		return err
	}
	return nil
}

// looked follows what was found of a domain. The error is [store.ErrDomainTaken]
// where the record is there, and another organization has the domain.
func (h *Handlers) looked(ctx context.Context, d store.Domain, by, found string) error {
	return h.store.Tx(ctx, d.OrganizationID, by, func(tx *store.Tx) error {
		now, err := tx.Domain(ctx, d.ID)
		if err != nil {
			return err
		}
		at, before := h.store.Now(), recordedDomainOf(now)
		now.CheckedAt, now.Failure = &at, found
		if now.Verified != nil && now.Method != store.ByDNS && found != domains.Found {
			now.NextCheckAt = nil // it stands without a record
			return tx.NoteLook(ctx, now)
		}
		had := now.Verified != nil
		next := domains.After(domains.State{Verified: had, Proven: had || now.LostAt != nil, ClaimedAt: now.CreatedAt, LostAt: now.LostAt, Attempts: now.Attempts}, found, at)
		now.LostAt, now.Attempts, now.NextCheckAt = next.LostAt, next.Attempts, next.At
		action := ""
		switch {
		case next.Verified && (!had || now.Method != store.ByDNS):
			now.Verified, now.Method, now.VerifiedAt, action = &now.Domain, store.ByDNS, &at, "domain.verified"
		case next.Lost:
			now.Verified, action = nil, "domain.lost"
		case next.Failing:
			action = "domain.failing"
		case had && before.Status == store.DomainFailing && now.LostAt == nil:
			action = "domain.found-again"
		default:
			return tx.NoteLook(ctx, now)
		}
		if err := tx.SaveDomain(ctx, &now); err != nil {
			return err
		}
		if next.Lost || next.Failing {
			if err := h.tellOwners(ctx, tx, mail.DomainFailing, mail.Data{What: now.Domain, Until: now.LostAt.Add(domains.Grace).UTC()}); err != nil {
				return err
			}
		}
		return h.kit.Audit(ctx, tx.DB(), service.Entry{
			Action: action, Target: audit.Target{Kind: "domain", ID: now.ID, Name: now.Domain}, Before: before, After: recordedDomainOf(now), Organization: tx.ID(),
		})
	})
}

// tellOwners writes a letter to those owners who can sign in.
func (h *Handlers) tellOwners(ctx context.Context, tx *store.Tx, kind string, d mail.Data) error {
	owners, err := tx.Owners(ctx, "", "")
	if err != nil {
		return err
	}
	users, err := tx.UsersByID(ctx, owners)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Email == "" || u.Status != store.Active {
			continue
		}
		d.Name = u.Name
		if _, err := h.post(ctx, tx, kind, u.Email, false, d); err != nil {
			return err
		}
	}
	return nil
}

const (
	// mostLooks is how many domains are looked for in one go, lookedAtOnce how many of
	// them at the same time.
	mostLooks    = 200
	lookedAtOnce = 8
)

// LookForDomains looks for the records of domains that are due.
func (h *Handlers) LookForDomains(ctx context.Context) error {
	due, err := h.store.DueDomains(ctx, mostLooks)
	if err != nil {
		return err
	}
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	work := make(chan store.Domain)
	for range min(lookedAtOnce, len(due)) {
		all.Go(func() {
			for d := range work {
				err := h.look(ctx, d, "")
				if problem.Is(err, problem.CodePreconditionFailed) { // somebody looks at the same time
					err = nil
				}
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	for _, d := range due {
		if ctx.Err() != nil {
			break
		}
		work <- d
	}
	close(work)
	all.Wait()
	return errors.Join(errs...)
}
