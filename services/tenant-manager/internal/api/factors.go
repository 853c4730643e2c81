package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// confirmedFor is how long a proof of who somebody is counts for changes of
// factors and tokens.
const confirmedFor = 10 * time.Minute

// mostFactors bounds the factors of one user.
const mostFactors = 20

// myself returns the caller, who is a person, and their session.
func (h *Handlers) myself(ctx context.Context) (u store.User, s store.Session, err error) {
	p := caller(ctx)
	if err = personal(p); err != nil {
		return u, s, err
	}
	org := h.mine(ctx)
	if u, err = org.User(ctx, p.Subject); err != nil {
		return u, s, err
	}
	s, err = org.Session(ctx, p.Session)
	if store.IsNotFound(err) {
		err = problem.New(problem.CodeAccessDenied, "this is for people who are signed in, not for their tokens: sign in")
	}
	return u, s, err
}

// confirmedUntil returns until when the last proof of a session counts.
func confirmedUntil(s store.Session) time.Time {
	at := s.Authenticated()
	if s.ConfirmedAt != nil {
		at = *s.ConfirmedAt
	}
	return at.Add(confirmedFor).UTC()
}

// confirmed is as myself, and returns a problem where the last proof is too long
// ago.
func (h *Handlers) confirmed(ctx context.Context) (store.User, store.Session, error) {
	u, s, err := h.myself(ctx)
	if err == nil && !h.store.Now().Before(confirmedUntil(s)) {
		err = problem.New(problem.CodeConfirmationRequired, "this needs a fresh proof that it is you: GET /me/confirmation says how you can give one; then try again")
	}
	return u, s, err
}

// ConfirmMe takes a fresh proof of who the caller is.
func (h *Handlers) ConfirmMe(ctx context.Context, r ConfirmMeRequestObject) (ConfirmMeResponseObject, error) {
	u, s, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	var c store.Challenge
	if r.Body.Challenge != nil {
		c, err = h.store.Challenge(ctx, forConfirming, token.Hash(*r.Body.Challenge))
		if err != nil || c.UserID != u.ID {
			return nil, errors.Join(ignoreNotFound(err), invalid("/challenge", "invalid", "this was used, or asked for more than five minutes ago: ask again"))
		}
	}
	err = h.guarded(ctx, u, func() error {
		methods := []string{factor.ByPassword}
		if r.Body.Password != nil {
			if err := h.rightPassword(ctx, u, *r.Body.Password); err != nil {
				return err
			}
		}
		return h.change(ctx, func(tx *store.Tx) error {
			if r.Body.Password == nil {
				var err error
				if methods, err = h.prove(ctx, tx, u, proof{totp: deref(r.Body.Totp), recovery: deref(r.Body.RecoveryCode), passkey: r.Body.Passkey, state: c.Data}); err != nil {
					return err
				}
				if c.ID != "" {
					if _, err := h.store.TakeChallenge(ctx, tx, c.ID); err != nil {
						return err
					}
				}
			}
			if err := tx.ConfirmSession(ctx, s.ID, string(factor.Methods(s.AMR).With(methods...))); err != nil {
				return err
			}
			return h.record(ctx, tx, "session.confirmed", "user", u.ID, u.Name, nil, nil)
		})
	})
	if err != nil {
		return nil, err
	}
	return ConfirmMe200JSONResponse{ConfirmedUntil: h.store.Now().Add(confirmedFor).UTC()}, nil
}

// AskMyPasskey says what an own passkey has to sign for [Handlers.ConfirmMe].
func (h *Handlers) AskMyPasskey(ctx context.Context, r AskMyPasskeyRequestObject) (AskMyPasskeyResponseObject, error) {
	u, _, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	c, data, err := h.askOwn(ctx, u, r.Body.Origin)
	if err != nil {
		return nil, err
	}
	name, _, err := h.challenge(ctx, store.Challenge{OrganizationID: u.OrganizationID, UserID: u.ID, Purpose: forConfirming, Data: data})
	return AskMyPasskey200JSONResponse{Challenge: name, Options: c.Options}, err
}

func factorOf(f store.Factor) Factor {
	return Factor{
		Id: f.ID, Kind: FactorMethod(f.Kind), Name: f.Name, RelyingParty: ptr(f.RelyingParty), CreatedAt: f.CreatedAt.UTC(), LastUsedAt: utc(f.LastUsedAt),
	}
}

func (h *Handlers) factorList(ctx context.Context, org *store.Org, user string) (FactorList, error) {
	rows, err := org.Factors(ctx, user)
	if err != nil {
		return FactorList{}, err
	}
	left, err := org.RecoveryCodesLeft(ctx, user)
	out := FactorList{Items: make([]Factor, len(rows)), RecoveryCodesLeft: int(left)}
	for i, f := range rows {
		out.Items[i] = factorOf(f)
	}
	return out, err
}

// ListMyFactors returns the caller's second factors.
func (h *Handlers) ListMyFactors(ctx context.Context, _ ListMyFactorsRequestObject) (ListMyFactorsResponseObject, error) {
	u, s, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	out, err := h.factorList(ctx, h.mine(ctx), u.ID)
	if until := confirmedUntil(s); h.store.Now().Before(until) {
		out.ConfirmedUntil = &until
	}
	return ListMyFactors200JSONResponse(out), err
}

var errManyFactors = problem.New(problem.CodeConflict, "these are as many factors as anybody can have (%d): remove one first", mostFactors)

// CreateMyTotp begins to set up an authenticator app.
func (h *Handlers) CreateMyTotp(ctx context.Context, r CreateMyTotpRequestObject) (CreateMyTotpResponseObject, error) {
	u, _, err := h.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	o, err := h.mine(ctx).Organization(ctx)
	if err != nil {
		return nil, err
	}
	key, err := factor.NewTOTP("Gatehouse "+o.Name, u.Email)
	if err != nil {
		return nil, err
	}
	f := store.Factor{UserID: u.ID, Kind: factor.TOTP, Name: "Authenticator app", Secret: secret.NewText(key.Secret)}
	if r.Body.Name != nil {
		f.Name = *r.Body.Name
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		if err := tx.DropNewFactors(ctx, u.ID, factor.TOTP); err != nil {
			return err
		}
		rows, err := tx.Factors(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(rows) >= mostFactors {
			return errManyFactors
		}
		if err := tx.CreateFactor(ctx, &f); err != nil {
			return err
		}
		return h.record(ctx, tx, "user.factor-begun", "user", u.ID, u.Name, nil, factorOf(f))
	})
	return CreateMyTotp201JSONResponse{Id: f.ID, Secret: key.Secret, Url: key.URL, Qr: key.QR}, err
}

// ActivateMyTotp finishes setting up an authenticator app.
func (h *Handlers) ActivateMyTotp(ctx context.Context, r ActivateMyTotpRequestObject) (ActivateMyTotpResponseObject, error) {
	u, s, err := h.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	var out FactorCreated
	err = h.guarded(ctx, u, func() error {
		return h.change(ctx, func(tx *store.Tx) error {
			f, err := tx.Factor(ctx, u.ID, r.Id)
			if err != nil {
				return err
			}
			if f.Kind != factor.TOTP || f.ConfirmedAt != nil {
				return problem.New(problem.CodeConflict, "this factor is set up already")
			}
			step, ok := factor.MatchTOTP(f.Secret.Reveal(), r.Body.Code, h.store.Now(), 0)
			if !ok {
				return invalid("/code", "invalid", "this code is not right: see that the app shows the account that was just added, and that the clock of the phone is right")
			}
			if err := tx.ConfirmFactor(ctx, u.ID, f.ID, step); err != nil {
				return err
			}
			out, err = h.factorAdded(ctx, tx, u, s, f, factor.ByOTP)
			return err
		})
	})
	return ActivateMyTotp200JSONResponse(out), err
}

// factorAdded follows the setting up of a factor: recovery codes come with the
// first, and the session has shown it.
func (h *Handlers) factorAdded(ctx context.Context, tx *store.Tx, u store.User, s store.Session, f store.Factor, methods ...string) (FactorCreated, error) {
	now := h.store.Now()
	f.LastUsedAt = &now
	out := FactorCreated{Factor: factorOf(f)}
	left, err := tx.RecoveryCodesLeft(ctx, u.ID)
	if err != nil {
		return out, err
	}
	if left == 0 {
		codes, err := h.newRecoveryCodes(ctx, tx, u)
		if err != nil {
			return out, err
		}
		out.RecoveryCodes = &codes
	}
	if err := tx.ConfirmSession(ctx, s.ID, string(factor.Methods(s.AMR).With(methods...))); err != nil {
		return out, err
	}
	if err := tx.SettleSessions(ctx, u.ID, store.PendingFactor); err != nil {
		return out, err
	}
	if err := h.notice(ctx, tx, mail.FactorAdded, u, out.Factor.Name); err != nil {
		return out, err
	}
	return out, h.record(ctx, tx, "user.factor-added", "user", u.ID, u.Name, nil, out.Factor)
}

func (h *Handlers) newRecoveryCodes(ctx context.Context, tx *store.Tx, u store.User) ([]string, error) {
	codes := factor.NewRecoveryCodes()
	hashes := make([]string, len(codes))
	for i, c := range codes {
		hashes[i] = factor.RecoveryHash(u.ID, c)
	}
	return codes, tx.ReplaceRecoveryCodes(ctx, u.ID, hashes)
}

// CreateMyRecoveryCodes makes new recovery codes.
func (h *Handlers) CreateMyRecoveryCodes(ctx context.Context, _ CreateMyRecoveryCodesRequestObject) (CreateMyRecoveryCodesResponseObject, error) {
	u, _, err := h.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	var codes []string
	err = h.change(ctx, func(tx *store.Tx) error {
		rows, err := tx.Factors(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return problem.New(problem.CodeConflict, "recovery codes are for who has a second factor: set up an authenticator app or a passkey first")
		}
		if codes, err = h.newRecoveryCodes(ctx, tx, u); err != nil {
			return err
		}
		return h.record(ctx, tx, "user.recovery-codes-made", "user", u.ID, u.Name, nil, nil)
	})
	return CreateMyRecoveryCodes201JSONResponse{RecoveryCodes: codes}, err
}

// AskNewPasskey says what a new passkey has to sign.
func (h *Handlers) AskNewPasskey(ctx context.Context, r AskNewPasskeyRequestObject) (AskNewPasskeyResponseObject, error) {
	u, _, err := h.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	party, err := h.party(r.Body.Origin)
	if err != nil {
		return nil, err
	}
	rows, err := h.mine(ctx).Factors(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if len(rows) >= mostFactors {
		return nil, errManyFactors
	}
	o, _ := owner(u, rows, party)
	c, err := party.Add(o)
	if err != nil {
		return nil, err
	}
	data, err := asked{Origin: r.Body.Origin, State: c.State}.text()
	if err != nil {
		return nil, err
	}
	name, _, err := h.challenge(ctx, store.Challenge{OrganizationID: u.OrganizationID, UserID: u.ID, Purpose: forNewPasskey, Data: data})
	return AskNewPasskey200JSONResponse{Challenge: name, Options: c.Options}, err
}

// CreateMyPasskey adds a passkey.
func (h *Handlers) CreateMyPasskey(ctx context.Context, r CreateMyPasskeyRequestObject) (CreateMyPasskeyResponseObject, error) {
	u, s, err := h.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	c, err := h.store.Challenge(ctx, forNewPasskey, token.Hash(r.Body.Challenge))
	if err != nil || c.UserID != u.ID {
		return nil, errors.Join(ignoreNotFound(err), invalid("/challenge", "invalid", "this was used, or asked for more than five minutes ago: ask again"))
	}
	party, state, err := h.askedFor(c.Data)
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(r.Body.Passkey)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of a passkey: %w", err)
	}
	var out FactorCreated
	err = h.change(ctx, func(tx *store.Tx) error {
		taken, err := h.store.TakeChallenge(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if !taken {
			return invalid("/challenge", "invalid", "this was used: ask again")
		}
		rows, err := tx.Factors(ctx, u.ID)
		if err != nil {
			return err
		}
		o, _ := owner(u, rows, party)
		key, err := party.Added(o, state, answer)
		if err != nil {
			return passkeyRefused(err)
		}
		now := h.store.Now()
		f := store.Factor{
			UserID: u.ID, Kind: factor.Passkey, Name: "Passkey", Secret: secret.NewText(key.Value), CredentialHash: &key.Hash, RelyingParty: party.ID,
			ConfirmedAt: &now, LastUsedAt: &now,
		}
		if r.Body.Name != nil {
			f.Name = *r.Body.Name
		}
		if err := tx.CreateFactor(ctx, &f); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return invalid("/passkey", "duplicate", "this passkey is set up already")
			}
			return err
		}
		out, err = h.factorAdded(ctx, tx, u, s, f, passkeyMethods(key)...)
		return err
	})
	return CreateMyPasskey201JSONResponse(out), err
}

// RenameMyFactor gives one of the caller's factors another name.
func (h *Handlers) RenameMyFactor(ctx context.Context, r RenameMyFactorRequestObject) (RenameMyFactorResponseObject, error) {
	u, _, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	var out Factor
	err = h.change(ctx, func(tx *store.Tx) error {
		f, err := tx.Factor(ctx, u.ID, r.Id)
		if err != nil {
			return err
		}
		before := factorOf(f)
		f.Name = r.Body.Name
		if err := tx.RenameFactor(ctx, f.ID, f.Name); err != nil {
			return err
		}
		out = factorOf(f)
		return h.record(ctx, tx, "user.factor-renamed", "user", u.ID, u.Name, before, out)
	})
	return RenameMyFactor200JSONResponse(out), err
}

// DeleteMyFactor removes one of the caller's factors. With the last one go the
// recovery codes.
func (h *Handlers) DeleteMyFactor(ctx context.Context, r DeleteMyFactorRequestObject) (DeleteMyFactorResponseObject, error) {
	u, _, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := h.mine(ctx).Factor(ctx, u.ID, r.Id); err != nil {
		return nil, err
	}
	if _, _, err := h.confirmed(ctx); err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		f, err := tx.Factor(ctx, u.ID, r.Id)
		if err != nil {
			return err
		}
		if err := tx.DropFactor(ctx, u.ID, f.ID); err != nil {
			return err
		}
		rows, err := tx.Factors(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			if _, err := tx.DropFactors(ctx, u.ID); err != nil {
				return err
			}
		}
		return h.record(ctx, tx, "user.factor-removed", "user", u.ID, u.Name, factorOf(f), nil)
	})
	return DeleteMyFactor204Response{}, err
}

// ListUserFactors returns the second factors of a user.
func (h *Handlers) ListUserFactors(ctx context.Context, r ListUserFactorsRequestObject) (ListUserFactorsResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if _, err := org.User(ctx, r.Id); err != nil {
		return nil, err
	}
	out, err := h.factorList(ctx, org, r.Id)
	return ListUserFactors200JSONResponse(out), err
}

// ResetUserFactors removes all second factors of a user, and signs them out.
func (h *Handlers) ResetUserFactors(ctx context.Context, r ResetUserFactorsRequestObject) (ResetUserFactorsResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, u.ID); err != nil {
			return err
		}
		return h.resetFactors(ctx, tx, u)
	})
	return ResetUserFactors204Response{}, err
}

// resetFactors removes all second factors of a user, and signs them out.
func (h *Handlers) resetFactors(ctx context.Context, tx *store.Tx, u store.User) error {
	before, err := h.factorList(ctx, tx.Org, u.ID)
	if err != nil {
		return err
	}
	if _, err := tx.DropFactors(ctx, u.ID); err != nil {
		return err
	}
	if _, err := tx.EndSessions(ctx, u.ID, "", ""); err != nil {
		return err
	}
	if err := h.notice(ctx, tx, mail.FactorsReset, u, ""); err != nil {
		return err
	}
	return h.record(ctx, tx, "user.factors-reset", "user", u.ID, u.Name, before, nil)
}

// asksOften returns a problem where an address asks for too much at once of what
// takes no secret.
func (h *Handlers) asksOften(ctx context.Context) error {
	wait, err := h.store.Attempt(ctx, store.Limited{Name: "asked by " + httpx.Address(ctx), Limit: throttle.Asking})
	if err == nil && wait > 0 {
		err = slower(wait, "too many requests from this address")
	}
	return err
}
