package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// emailLinkLifetime is how long a new address can be confirmed.
const emailLinkLifetime = 24 * time.Hour

// ownsEmail returns a problem where somebody else than Gatehouse says which address
// a user has, and names it.
func ownsEmail(ctx context.Context, org *store.Org, u store.User) error {
	if u.SetupPending {
		return problem.New(problem.CodeConflict, "the first run has not been completed: that sets the address")
	}
	if u.Source == store.Local {
		return nil
	}
	sources, err := org.Sources(ctx)
	if err != nil {
		return err
	}
	from := sourceOf(u.Source, sources)
	what := "the single sign-on connection"
	if from.Kind == UserSourceKindScim {
		what = "the directory"
	}
	return problem.New(problem.CodeConflict, "%s %s says which address %s has: correct it at the identity provider, from where it comes here", what, deref(from.Name), u.Name)
}

// newEmail gives a user another e-mail address. What was sent to the old one no
// longer works, and the old one is told, but not which the new one is: it may be that
// of a stranger. record writes the entry of the audit trail.
func (h *Handlers) newEmail(ctx context.Context, tx *store.Tx, u *store.User, email string, record func(before, after User) error) error {
	before := *u
	u.Email = email
	err := tx.SaveUser(ctx, u)
	if errors.Is(err, db.ErrDuplicate) {
		return invalid("/email", "duplicate", "another user of the organization has this e-mail address")
	}
	if err != nil {
		return err
	}
	if err := h.leftAddress(ctx, tx, before); err != nil {
		return err
	}
	return record(userOf(before, nil), userOf(*u, nil))
}

// leftAddress follows that a user, as they were, has another address now: what was
// sent to the old one no longer works, and it is told.
func (h *Handlers) leftAddress(ctx context.Context, tx *store.Tx, before store.User) error {
	if err := tx.DropOneTimeCodes(ctx, before.ID); err != nil {
		return err
	}
	if err := tx.AnswerPasswordRequest(ctx, before.ID); err != nil {
		return err
	}
	if before.Email == "" {
		return nil
	}
	return h.notice(ctx, tx, mail.EmailChanged, before, "")
}

// ChangeUserEmail corrects the e-mail address of a user.
func (h *Handlers) ChangeUserEmail(ctx context.Context, r ChangeUserEmailRequestObject) (ChangeUserEmailResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, u.ID); err != nil {
			return err
		}
		if err := ownsEmail(ctx, tx.Org, u); err != nil {
			return err
		}
		if u.ID == caller(ctx).Subject {
			if _, mails, err := h.opt.Mail.Settings(ctx, tx); err != nil {
				return err
			} else if mails {
				return problem.New(problem.CodeConflict, "this is you: change your own address in your account, where a link to the new one proves that it is yours")
			}
		}
		if u.Email == r.Body.Email {
			return db.Expect(u.Version, version) // it is as it should be
		}
		if err := h.staysBound(ctx, u, r.Body.Email, callerChangesRules(ctx)); err != nil {
			return err
		}
		u.Version = version
		return h.newEmail(ctx, tx, &u, r.Body.Email, func(before, after User) error {
			return h.record(ctx, tx, "user.email-changed", "user", u.ID, u.Name, before, after)
		})
	})
	if err != nil {
		return nil, err
	}
	u, err := h.user(ctx, h.mine(ctx), r.Id)
	return ChangeUserEmail200JSONResponse{Body: u, Headers: ChangeUserEmail200ResponseHeaders{ETag: etag(u.Version)}}, err
}

// ChangeMyEmail mails a link to the address that the caller wants to have. Whether
// somebody has it already is looked up after the answer, so that neither it nor its
// time tells.
func (h *Handlers) ChangeMyEmail(ctx context.Context, r ChangeMyEmailRequestObject) (ChangeMyEmailResponseObject, error) {
	u, _, err := h.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if err := ownsEmail(ctx, org, u); err != nil {
		return nil, err
	}
	if store.FoldEmail(r.Body.Email) == store.FoldEmail(u.Email) {
		return nil, invalid("/email", "unchanged", "this is your address already")
	}
	if err := h.staysBound(ctx, u, r.Body.Email, callerChangesRules(ctx)); err != nil {
		return nil, err
	}
	if _, mails, err := h.opt.Mail.Settings(ctx, h.store); err != nil {
		return nil, err
	} else if !mails {
		return nil, problem.New(problem.CodeConflict, "no mail is sent here, so that nothing can prove that the address is yours: ask an administrator to correct it")
	}
	wait, err := h.store.Attempt(ctx,
		store.Limited{Name: "another address asked for by " + u.ID, Limit: throttle.AskingFor},
		store.Limited{Name: "to be the address of somebody " + store.FoldEmail(r.Body.Email), Limit: throttle.AskingFor})
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, slower(wait, "another address was asked for several times")
	}
	cause := context.WithoutCancel(ctx)
	h.afterwards("mailing a link to a new address", func(context.Context) error {
		ctx, cancel := context.WithTimeout(cause, 10*time.Second)
		defer cancel()
		return h.change(ctx, func(tx *store.Tx) error {
			if err := h.record(ctx, tx, "user.email-change-requested", "user", u.ID, u.Name, nil, nil); err != nil {
				return err
			}
			if _, err := tx.UserByEmail(ctx, r.Body.Email); err == nil || !store.IsNotFound(err) {
				return err // somebody has it
			}
			return h.mailEmailLink(ctx, tx, u, r.Body.Email)
		})
	})
	return ChangeMyEmail202Response{}, nil
}

func (h *Handlers) mailEmailLink(ctx context.Context, tx *store.Tx, u store.User, email string) error {
	now, err := tx.LockUser(ctx, u.ID)
	if store.IsNotFound(err) || err == nil && (now.Status != store.Active || !now.ProvenLike(u)) {
		return nil // who asked for it may be who was signed out meanwhile
	}
	if err != nil {
		return err
	}
	if s, err := tx.Session(ctx, caller(ctx).Session); err != nil || !s.Open(h.store.Now()) {
		return store.IgnoreNotFound(err)
	}
	base, err := h.homeOf(ctx, tx, u.ID)
	if err != nil {
		return err
	}
	secret, expires := token.OneTime(), h.store.Now().Add(emailLinkLifetime)
	mailed, err := h.post(ctx, tx, mail.EmailLink, email, true, mail.Data{
		Name: u.Name, Link: strings.TrimRight(base, "/") + "/email#token=" + secret, Until: expires.UTC(), What: email, Language: u.Language,
	})
	if err != nil || !mailed {
		return err
	}
	return tx.AddEmailCode(ctx, u.ID, email, token.Hash(secret), expires)
}

// emailChange returns whose address a link changes.
func (h *Handlers) emailChange(ctx context.Context, secret string) (store.OneTimeCode, store.User, store.Organization, error) {
	code, err := h.store.OneTimeCode(ctx, store.ForEmail, token.Hash(secret))
	if err != nil {
		return code, store.User{}, store.Organization{}, noLink(err)
	}
	org := h.store.For(code.OrganizationID)
	u, err := org.User(ctx, code.UserID)
	if err != nil {
		return code, u, store.Organization{}, noLink(err)
	}
	o, err := org.Organization(ctx)
	if err == nil && (o.Suspended || u.Status != store.Active) {
		err = errNoLink
	}
	return code, u, o, noLink(err)
}

// OpenEmailChange says which address a link confirms.
func (h *Handlers) OpenEmailChange(ctx context.Context, r OpenEmailChangeRequestObject) (OpenEmailChangeResponseObject, error) {
	code, _, o, err := h.emailChange(ctx, r.Token)
	if err != nil {
		return nil, err
	}
	return OpenEmailChange200JSONResponse{Email: code.Email, Organization: organizationName(o), ExpiresAt: code.ExpiresAt.UTC()}, nil
}

// ConfirmEmailChange gives a user the address that they asked for.
func (h *Handlers) ConfirmEmailChange(ctx context.Context, r ConfirmEmailChangeRequestObject) (ConfirmEmailChangeResponseObject, error) {
	code, u, o, err := h.emailChange(ctx, r.Token)
	if err != nil {
		return nil, err
	}
	err = h.store.Tx(ctx, o.ID, u.ID, func(tx *store.Tx) error {
		u, err := tx.LockUser(ctx, code.UserID)
		if err != nil {
			return noLink(err)
		}
		used, err := tx.UseOneTimeCode(ctx, code.ID)
		if err != nil {
			return err
		}
		if !used {
			return errNoLink
		}
		if u.Status != store.Active {
			return errNoLink
		}
		if err := ownsEmail(ctx, tx.Org, u); err != nil {
			return err
		}
		// A rule may have come to bind them since they asked.
		may, err := mayChangeRules(ctx, tx.Org, u.ID, h.store.Now())
		if err != nil {
			return err
		}
		if err := h.staysBound(ctx, u, code.Email, may); err != nil {
			return err
		}
		u.Version = db.AnyVersion
		return h.newEmail(ctx, tx, &u, code.Email, func(before, after User) error {
			return h.recordUserChange(ctx, tx, "user.email-changed", u, before, after)
		})
	})
	return ConfirmEmailChange204Response{}, err
}
