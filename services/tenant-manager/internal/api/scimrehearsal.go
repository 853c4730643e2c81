package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// dryRunLife is how long a rehearsal is answered.
	dryRunLife = 7 * 24 * time.Hour
	// mostRehearsed bounds the users and groups that a rehearsal makes or changes: all
	// of them are put in place for each of its requests.
	mostRehearsed = 1000
)

// rehearse begins a rehearsal of a directory, or ends the one that it has.
func rehearse(d *store.SCIMDirectory, on bool, now time.Time) {
	switch {
	case !on:
		d.DryRun, d.DryRunEnds = "", nil
	case d.DryRun == "":
		ends := now.Add(dryRunLife)
		d.DryRun, d.DryRunEnds = store.NewID(), &ends
	}
}

// scimDeed is what a request would have done: what the audit trail would tell.
type scimDeed struct {
	action, kind, id, name string
	before, after          any
}

// rehearse answers a request as if it were done. It is done, by the same code, in a
// transaction that has what the rehearsal has come to so far, and is taken back; what
// it came to is kept.
func (c *scimCall) rehearse(ctx context.Context, r *http.Request) (out scimAnswer, err error) {
	if ends := c.dir.DryRunEnds; ends == nil || !c.h.store.Now().Before(*ends) {
		return out, scim.Fail(http.StatusForbidden, "", "the dry run of this directory is over: an administrator begins another, or switches the directory on")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return out, err
	}
	var (
		refused error
		try     scimCall
	)
	err = c.h.store.Tx(ctx, c.org.ID(), c.dir.ID, func(tx *store.Tx) error {
		if err := tx.LockOrganization(ctx); err != nil {
			return err
		}
		states, err := tx.SCIMRehearsal(ctx, c.dir.ID)
		if err != nil {
			return err
		}
		var next []store.SCIMRehearsed
		err = tx.Rehearse(ctx, c.dir.ID, states, func(inner *store.Tx) error {
			try, refused = *c, nil
			try.org, try.within, try.deeds = inner.Org, inner, nil
			again := r.Clone(ctx)
			again.Body = io.NopCloser(bytes.NewReader(body))
			if out, refused = try.answer(ctx, again); refused != nil {
				if isAnswer(refused) {
					return nil
				}
				return refused
			}
			next, err = try.left(ctx, inner, states)
			return err
		})
		if err != nil || refused != nil {
			return err
		}
		for _, s := range next {
			if err := tx.SaveSCIMRehearsed(ctx, s); err != nil {
				return err
			}
		}
		if n, err := tx.CountSCIMRehearsal(ctx, c.dir.ID); err != nil {
			return err
		} else if n > mostRehearsed && len(next) > 0 {
			refused = scim.Fail(http.StatusServiceUnavailable, "", "a dry run has at most %d users and groups, and this one has them: an administrator begins another, or switches the directory on", mostRehearsed)
			return refused
		}
		return tx.AddSCIMOutcomes(ctx, try.outcomes(ctx, out.status)...)
	})
	c.sel, c.match = try.sel, try.match
	return out, errors.Join(err, refused)
}

// isAnswer reports whether an error is what a provider is told of its request, and not
// the end of the transaction.
func isAnswer(err error) bool {
	var e *scim.Error
	var p *problem.Problem
	return errors.As(err, &e) || errors.As(err, &p) && p.Status < http.StatusInternalServerError || store.IsNotFound(err) || errors.Is(err, db.ErrDuplicate)
}

// left returns what the rehearsal has come to for what a request was about.
func (c *scimCall) left(ctx context.Context, tx *store.Tx, states []store.SCIMRehearsed) ([]store.SCIMRehearsed, error) {
	var out []store.SCIMRehearsed
	for _, d := range c.deeds {
		var before *store.SCIMRehearsed
		if i := slices.IndexFunc(states, func(s store.SCIMRehearsed) bool { return s.ResourceID == d.id }); i >= 0 {
			before = &states[i]
		}
		var added, removed []string
		if g, ok := d.after.(recordedGroup); ok {
			added, removed = g.Added, g.Removed
		}
		s, err := tx.TakeRehearsed(ctx, c.dir.ID, d.kind, d.id, before, added, removed)
		if err != nil {
			return nil, err
		}
		if before == nil {
			s.State.Made = d.action == "user.provisioned" || d.action == "group.created"
		}
		out = append(out, s)
		if d.kind == store.KindUser && s.State.Gone {
			out = append(out, withoutMember(states, d.id)...)
		}
	}
	return out, nil
}

// withoutMember returns the groups of a rehearsal that somebody is in who is gone,
// without them.
func withoutMember(states []store.SCIMRehearsed, id string) []store.SCIMRehearsed {
	var out []store.SCIMRehearsed
	for _, s := range states {
		if _, in := s.State.Added[id]; in {
			delete(s.State.Added, id)
			out = append(out, s)
		}
	}
	return out
}

// scimActions are what outcomes call what the audit trail tells.
var scimActions = map[string]ScimAction{
	"user.provisioned": ScimActionCreated, "group.created": ScimActionCreated, "user.directory-linked": ScimActionLinked,
	"user.updated": ScimActionUpdated, "group.updated": ScimActionUpdated, "user.enabled": ScimActionEnabled, "user.disabled": ScimActionDisabled,
	"user.deleted": ScimActionDeleted, "group.deleted": ScimActionDeleted, "group.members-changed": ScimActionMembersChanged,
}

// mostMembersTold bounds the members that an outcome names.
const mostMembersTold = 20

// outcomes returns what a request would have done.
func (c *scimCall) outcomes(ctx context.Context, status int) []store.SCIMOutcome {
	out := make([]store.SCIMOutcome, len(c.deeds))
	for i, d := range c.deeds {
		out[i] = store.SCIMOutcome{
			DirectoryID: c.dir.ID, DryRun: c.dir.DryRun, Action: string(scimActions[d.action]), Kind: d.kind, ResourceID: d.id, Name: d.name,
			Changes: changesOf(d.before, d.after), Status: status, RequestID: httpx.RequestID(ctx),
		}
		if was, ok := d.before.(User); ok && d.name == "" {
			out[i].Name = was.Name
		}
	}
	return out
}

// changesOf says what a deed would have changed.
func changesOf(before, after any) store.SCIMChanges {
	var out store.SCIMChanges
	field := func(name, was, is string) {
		if was != is {
			out.Fields = append(out.Fields, store.SCIMField{Field: name, Before: was, After: is})
		}
	}
	switch is := after.(type) {
	case User:
		was, _ := before.(User)
		field("name", was.Name, is.Name)
		field("email", was.Email, is.Email)
		field("status", string(was.Status), string(is.Status))
	case recordedGroup:
		was, _ := before.(recordedGroup)
		field("name", was.Name, is.Name)
		field("externalId", was.ExternalID, is.ExternalID)
		out.AddedCount, out.RemovedCount = len(is.Added), len(is.Removed)
		out.Added, out.Removed = is.Added[:min(len(is.Added), mostMembersTold)], is.Removed[:min(len(is.Removed), mostMembersTold)]
	}
	return out
}

// noteFailure keeps what a directory was refused.
func (c *scimCall) noteFailure(ctx context.Context, r *http.Request, e *scim.Error, refused *scimRefusal) error {
	o := store.SCIMOutcome{
		DirectoryID: c.dir.ID, DryRun: c.dir.DryRun, Action: store.SCIMRefused, Detail: e.Detail, Status: e.Status, RequestID: httpx.RequestID(ctx),
	}
	if e.Status >= http.StatusInternalServerError {
		o.Action = store.SCIMFailed
	}
	if refused != nil {
		o.Name = refused.about
	}
	if t, is := scimTypeOf(r); is {
		o.Kind = store.KindUser
		if t.Endpoint == scim.Group().Endpoint {
			o.Kind = store.KindGroup
		}
	}
	return c.h.store.Tx(ctx, c.org.ID(), c.dir.ID, func(tx *store.Tx) error { return tx.AddSCIMOutcomes(ctx, o) })
}
