package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// errDryRun takes back what a dry run has done.
var errDryRun = errors.New("nothing is done in a dry run")

// unchangedError says that something is so already.
type unchangedError string

// Error returns why there is nothing to do.
func (e unchangedError) Error() string { return string(e) }

// ActOnUsers does the same to several users, each in a transaction of its own. A dry
// run is those transactions, taken back: it says what they say.
func (h *Handlers) ActOnUsers(ctx context.Context, r ActOnUsersRequestObject) (ActOnUsersResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	org, in := h.mine(ctx), r.Body
	var group store.Group
	if in.Action == UserActionsActionAddToGroup {
		if err := authn.Require(ctx, "group:update", authn.Scope{}); err != nil {
			return nil, err
		}
		if in.Group == nil {
			return nil, invalid("/group", "required", "name the group that they are put into")
		}
		var err error
		if group, err = org.Group(ctx, *in.Group); err != nil {
			if store.IsNotFound(err) {
				err = invalid("/group", "reference", "there is no such group: see /groups")
			}
			return nil, err
		}
	}
	known, err := org.UsersByID(ctx, in.Users)
	if err != nil {
		return nil, err
	}
	out := UserActionResults{Items: make([]UserActionResult, len(in.Users))}
	for i, id := range in.Users {
		out.Items[i].User = UserName{Id: id}
		if at := slices.IndexFunc(known, func(u store.User) bool { return u.ID == id && u.Status != store.Deleted }); at >= 0 {
			out.Items[i].User = userName(known[at])
		}
		res := &out.Items[i]
		err := h.change(ctx, func(tx *store.Tx) error {
			if err := h.act(ctx, tx, string(in.Action), id, group, res); err != nil {
				return err
			}
			if deref(in.DryRun) {
				return errDryRun
			}
			return nil
		})
		if err := told(res, err, deref(in.DryRun)); err != nil {
			return nil, err
		}
	}
	return ActOnUsers200JSONResponse(out), nil
}

// told says what became of one of several. The error is one that has nothing to do
// with it.
func told(res *UserActionResult, err error, dry bool) error {
	var (
		p    *problem.Problem
		same unchangedError
	)
	switch {
	case err == nil, errors.Is(err, errDryRun):
		res.Outcome = UserActionResultOutcomeDone
		if dry {
			res.Url = nil // of a link that was taken back
		}
		return nil
	case errors.As(err, &same):
		res.Outcome, res.Detail = UserActionResultOutcomeUnchanged, ptr(string(same))
	case store.IsNotFound(err):
		res.Outcome, res.Code, res.Detail = UserActionResultOutcomeRefused, ptr(string(problem.CodeNotFound)), new("there is no such user any more")
	case errors.As(err, &p) && p.Status < http.StatusInternalServerError && p.Status != http.StatusUnauthorized:
		res.Outcome, res.Code, res.Detail = UserActionResultOutcomeRefused, ptr(string(p.Code)), ptr(p.Detail)
	default:
		return err
	}
	res.Url, res.Mailed = nil, nil
	return nil
}

func (h *Handlers) act(ctx context.Context, tx *store.Tx, action, id string, group store.Group, res *UserActionResult) error {
	u, err := tx.User(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case u.ID == caller(ctx).Subject:
		return problem.New(problem.CodeConflict, "this is you: nobody does this to themselves among others")
	case u.BreakGlass:
		return problem.New(problem.CodeConflict, "this is a break-glass account: open it, and do it there")
	}
	if err := h.mayManage(ctx, tx, u.ID); err != nil {
		return err
	}
	switch action {
	case store.BulkDisable, store.BulkEnable:
		return h.setStatus(ctx, tx, u, action)
	case store.BulkDelete:
		return h.deleteUser(ctx, tx, u)
	case store.BulkRemoveFromGroup:
		if _, err := tx.Member(ctx, group.ID, u.ID); store.IsNotFound(err) {
			return unchangedError("they are not in the group itself")
		} else if err != nil {
			return err
		}
		return h.takeOut(ctx, tx, group, u.ID)
	case store.BulkAddToGroup:
		if _, err := tx.Member(ctx, group.ID, u.ID); err == nil {
			return unchangedError("they are in the group already")
		} else if !store.IsNotFound(err) {
			return err
		}
		_, err := h.putInto(ctx, tx, group, rights.Principal{Kind: authn.User, ID: u.ID, Name: u.Name, Active: u.Status == store.Active})
		return err
	case store.BulkResetFactors:
		if !u.SecondFactor {
			return unchangedError("they have no second factor")
		}
		return h.resetFactors(ctx, tx, u)
	default:
		return h.sendPasswordLink(ctx, tx, u, res)
	}
}

func (h *Handlers) setStatus(ctx context.Context, tx *store.Tx, u store.User, action string) error {
	before, to := userOf(u, nil), store.Active
	if action == store.BulkDisable {
		to = store.Disabled
	}
	if u.Status == to {
		return unchangedError("they are " + map[string]string{store.Active: "enabled", store.Disabled: "disabled"}[to] + " already")
	}
	if to == store.Disabled {
		if err := keepsAnOwner(ctx, tx, u.ID, ""); err != nil {
			return err
		}
	}
	u.Status = to
	if err := tx.SaveUser(ctx, &u); err != nil {
		return err
	}
	return h.switched(ctx, tx, u, before)
}

// sendPasswordLink sends a user a link by which they set a new password, or puts it
// into the answer where no mail is sent.
func (h *Handlers) sendPasswordLink(ctx context.Context, tx *store.Tx, u store.User, res *UserActionResult) error {
	base, err := h.readyForLink(ctx, tx, u)
	if err != nil {
		return err
	}
	secret, expires := token.OneTime(), h.store.Now().Add(passwordLinkLifetime)
	if err := tx.AddCodeFor(ctx, u.ID, store.ForPassword, token.Hash(secret), expires); err != nil {
		return err
	}
	link := strings.TrimRight(base, "/") + "/password#token=" + secret
	mailed, err := h.post(ctx, tx, mail.PasswordLink, u.Email, false, mail.Data{Name: u.Name, Link: link, Until: expires.UTC()})
	if err != nil {
		return err
	}
	res.Mailed = new(mailed)
	if !mailed {
		res.Url = new(link)
	}
	return h.record(ctx, tx, "user.password-link-created", "user", u.ID, u.Name, nil, nil)
}
