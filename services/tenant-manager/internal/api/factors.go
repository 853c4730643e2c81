package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// mostFactors bounds the factors of one user.
const mostFactors = 20

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
	if err := tx.SettleSession(ctx, u.ID, s.ID, store.PendingFactor); err != nil {
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
