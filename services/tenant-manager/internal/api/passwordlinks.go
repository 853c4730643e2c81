package api

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// passwordLinkLifetime is how long a link for a new password can be used.
const passwordLinkLifetime = 24 * time.Hour

// CreatePasswordLink makes a link by which a user sets a new password.
func (h *Handlers) CreatePasswordLink(ctx context.Context, r CreatePasswordLinkRequestObject) (CreatePasswordLinkResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	var link CreatePasswordLink201JSONResponse
	err := h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, u.ID); err != nil {
			return err
		}
		base, err := h.readyForLink(ctx, tx, u)
		if err != nil {
			return err
		}
		secret, expires := token.OneTime(), h.store.Now().Add(passwordLinkLifetime)
		if err := tx.AddCodeFor(ctx, u.ID, store.ForPassword, token.Hash(secret), expires); err != nil {
			return err
		}
		link = CreatePasswordLink201JSONResponse{Url: strings.TrimRight(base, "/") + "/password#token=" + secret, Token: secret, ExpiresAt: expires}
		return h.record(ctx, tx, "user.password-link-created", "user", u.ID, u.Name, nil, nil)
	})
	return link, err
}

// readyForLink makes way for a link by which a user sets a new password: those of
// before no longer work, and what they asked for is answered. It returns where the
// user is at home.
func (h *Handlers) readyForLink(ctx context.Context, tx *store.Tx, u store.User) (string, error) {
	switch {
	case u.SetupPending:
		return "", problem.New(problem.CodeConflict, "the first run has not been completed: that sets the password")
	case u.Status != store.Active:
		return "", problem.New(problem.CodeConflict, "the user is disabled: enable them first")
	}
	rule, err := h.ruleBinding(ctx, u)
	if err != nil {
		return "", err
	}
	if rule.ID != "" {
		return "", problem.New(problem.CodeConflict, "people of %s sign in by single sign-on alone: a password would let nobody in", rule.Domain)
	}
	c, err := h.directoryOf(ctx, u)
	if err != nil {
		return "", err
	}
	if c != nil {
		return "", problem.New(problem.CodeConflict, "the directory %s alone lets %s in: their password is set there", c.Name, u.Name)
	}
	if err := tx.DropOneTimeCodes(ctx, u.ID); err != nil {
		return "", err
	}
	if err := tx.AnswerPasswordRequest(ctx, u.ID); err != nil {
		return "", err
	}
	return h.homeOf(ctx, tx, u.ID)
}

var errNoLink = problem.New(problem.CodeNotFound, "this link does not exist, has run out or was used: ask for a new one")

// linked returns whose password a link sets.
func (h *Handlers) linked(ctx context.Context, secret string) (store.OneTimeCode, store.User, store.Organization, error) {
	code, err := h.store.OneTimeCode(ctx, store.ForPassword, token.Hash(secret))
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
	if err != nil {
		return code, u, o, noLink(err)
	}
	rule, err := h.ruleBinding(ctx, u)
	if err == nil && rule.ID != "" {
		err = h.ssoAlone(ctx, rule)
	}
	if err != nil {
		return code, u, o, err
	}
	c, err := h.directoryOf(ctx, u)
	if err != nil {
		return code, u, o, err
	}
	why, err := h.lapsedLink(ctx, org, code)
	if c != nil {
		why = "the directory " + c.Name + " alone lets the account in"
	}
	if err == nil && why != "" {
		h.closed(ctx, o.ID, "user.password-link-refused", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, why)
		err = errNoLink
	}
	return code, u, o, err
}

func noLink(err error) error {
	if store.IsNotFound(err) {
		return errNoLink
	}
	return err
}

// OpenPasswordLink says whose password a link sets.
func (h *Handlers) OpenPasswordLink(ctx context.Context, r OpenPasswordLinkRequestObject) (OpenPasswordLinkResponseObject, error) {
	code, u, o, err := h.linked(ctx, r.Token)
	if err != nil {
		return nil, err
	}
	shortest, err := shortestPassword(ctx, h.store.For(o.ID))
	return OpenPasswordLink200JSONResponse{Email: u.Email, Name: u.Name, Organization: organizationName(o), ExpiresAt: code.ExpiresAt.UTC(), PasswordMinLength: shortest}, err
}

// UsePasswordLink sets a new password, and signs the user in.
func (h *Handlers) UsePasswordLink(ctx context.Context, r UsePasswordLinkRequestObject) (UsePasswordLinkResponseObject, error) {
	code, u, o, err := h.linked(ctx, r.Token)
	if err != nil {
		return nil, err
	}
	hash, err := h.newPassword(ctx, o.ID, "/password", r.Body.Password, u.Email, u.Name)
	if err != nil {
		return nil, err
	}
	var (
		s    store.Session
		more bool
	)
	err = h.store.Tx(ctx, o.ID, u.ID, func(tx *store.Tx) error {
		if u, err = tx.LockUser(ctx, code.UserID); err != nil {
			return noLink(err)
		}
		used, err := tx.UseOneTimeCode(ctx, code.ID)
		if err != nil {
			return err
		}
		if !used {
			return errNoLink
		}
		if why, err := h.lapsedLink(ctx, tx.Org, code); err != nil || why != "" || u.Status != store.Active {
			return cmp.Or(err, error(errNoLink))
		}
		u.PasswordHash, u.Version = hash, db.AnyVersion
		if err := tx.SaveUser(ctx, &u); err != nil {
			return err
		}
		// Other links would set it again.
		if err := tx.DropOneTimeCodes(ctx, u.ID); err != nil {
			return err
		}
		if err := tx.AnswerPasswordRequest(ctx, u.ID); err != nil {
			return err
		}
		if _, err := tx.EndSessions(ctx, u.ID, "", ""); err != nil {
			return err
		}
		if err := h.notice(ctx, tx, mail.PasswordChanged, u, ""); err != nil {
			return err
		}
		if err := h.recordUser(ctx, tx, "user.password-changed", u, false); err != nil {
			return err
		}
		// Signed out everywhere as they are, they have shown anew who they are.
		if u, err = tx.LockUser(ctx, u.ID); err != nil {
			return err
		}
		has, err := tx.HasFactors(ctx, u.ID)
		if more = has[u.ID]; err != nil || more {
			return err
		}
		s, err = h.openSession(ctx, tx, u, factor.Methods("").With(factor.ByLink), "")
		return err
	})
	if err != nil {
		return nil, err
	}
	if more {
		next, err := h.secondStep(ctx, u, factor.Methods("").With(factor.ByLink), deref(r.Body.Origin), "")
		if err != nil {
			return nil, err
		}
		if next == nil { // they were reset this moment
			return nil, refused(proofsOver)
		}
		return UsePasswordLink202JSONResponse(*next), nil
	}
	pair, err := h.pair(ctx, o, u, s)
	return UsePasswordLink200JSONResponse(pair), err
}

// RequestPasswordLink notes that somebody asks for a new password. What is done
// about it is done after the answer, so that neither it nor its time tells
// whether there is such an account.
func (h *Handlers) RequestPasswordLink(ctx context.Context, r RequestPasswordLinkRequestObject) (RequestPasswordLinkResponseObject, error) {
	wait, err := h.store.Attempt(ctx,
		store.Limited{Name: "asked by " + httpx.LimitKey(ctx), Limit: throttle.Asking},
		store.Limited{Name: "password asked for " + store.FoldEmail(r.Body.Email), Limit: throttle.AskingFor})
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, slower(wait, "a new password was asked for several times")
	}
	cause, from := context.WithoutCancel(ctx), httpx.Address(ctx)
	h.afterwards("noting that a new password was asked for", func(context.Context) error {
		ctx, cancel := context.WithTimeout(cause, 10*time.Second)
		defer cancel()
		users, err := h.store.UsersWithEmail(ctx, r.Body.Email)
		for _, u := range users {
			if u.Status != store.Active || u.SetupPending {
				continue
			}
			rule, errRule := h.ruleBinding(ctx, u)
			c, errDirectory := h.directoryOf(ctx, u)
			if errRule != nil || errDirectory != nil || rule.ID != "" || c != nil { // a password would not let them in
				err = errors.Join(err, errRule, errDirectory)
				continue
			}
			err = errors.Join(err, h.store.Tx(ctx, u.OrganizationID, "", func(tx *store.Tx) error {
				now, err := tx.LockUser(ctx, u.ID)
				if store.IsNotFound(err) || err == nil && (now.Status != store.Active || now.Email != u.Email) {
					return nil // nobody is to have a link at an address of before
				}
				if err != nil {
					return err
				}
				mailed, err := h.mailPasswordLink(ctx, tx, u)
				if err != nil {
					return err
				}
				if !mailed {
					if err := tx.AskForPassword(ctx, u.ID, from); err != nil {
						return err
					}
				}
				return h.recordAnonymous(ctx, tx, "user.password-requested", u)
			}))
		}
		return err
	})
	return RequestPasswordLink202Response{}, nil
}

// mailedLinkLifetime is how long a link that somebody had mailed to them works.
const mailedLinkLifetime = time.Hour

// mailPasswordLink mails a link to a user who asked for a new password, and
// reports whether mail is sent at all. Links of before keep working, because
// anybody can ask for anybody.
func (h *Handlers) mailPasswordLink(ctx context.Context, tx *store.Tx, u store.User) (bool, error) {
	base, err := h.homeOf(ctx, tx, u.ID)
	if err != nil {
		return false, err
	}
	secret, expires := token.OneTime(), h.store.Now().Add(mailedLinkLifetime)
	mailed, err := h.post(ctx, tx, mail.PasswordLink, u.Email, true, mail.Data{
		Name: u.Name, Link: strings.TrimRight(base, "/") + "/password#token=" + secret, Until: expires.UTC(), Language: u.Language,
	})
	if err != nil || !mailed {
		return false, err
	}
	return true, tx.AddOneTimeCode(ctx, u.ID, store.ForPassword, token.Hash(secret), expires)
}

// homeOf returns where a user is at home.
func (h *Handlers) homeOf(ctx context.Context, tx *store.Tx, user string) (string, error) {
	grants, err := tx.GrantsOf(ctx, user)
	given := make([]string, len(grants))
	for i, g := range grants {
		given[i] = g.RoleID
	}
	return h.home(given), err
}

// requestsShown is how long a request for a new password is shown.
const requestsShown = 7 * 24 * time.Hour

// ListPasswordRequests returns who asked for a new password.
func (h *Handlers) ListPasswordRequests(ctx context.Context, _ ListPasswordRequestsRequestObject) (ListPasswordRequestsResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	rows, err := org.PasswordRequests(ctx, h.store.Now().Add(-requestsShown))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.UserID
	}
	users, err := org.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := PasswordRequestList{Items: []PasswordRequest{}}
	for _, r := range rows {
		for _, u := range users {
			if u.ID == r.UserID && u.Status == store.Active {
				out.Items = append(out.Items, PasswordRequest{User: userName(u), Ip: ptr(r.IP), CreatedAt: r.CreatedAt.UTC()})
			}
		}
	}
	return ListPasswordRequests200JSONResponse(out), nil
}

// DismissPasswordRequest turns the request of a user down.
func (h *Handlers) DismissPasswordRequest(ctx context.Context, r DismissPasswordRequestRequestObject) (DismissPasswordRequestResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := tx.AnswerPasswordRequest(ctx, u.ID); err != nil {
			return err
		}
		return h.record(ctx, tx, "user.password-request-dismissed", "user", u.ID, u.Name, nil, nil)
	})
	return DismissPasswordRequest204Response{}, err
}
