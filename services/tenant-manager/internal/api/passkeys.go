package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

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
		return nil, errors.Join(store.IgnoreNotFound(err), invalid("/challenge", "invalid", "this was used, or asked for more than five minutes ago: ask again"))
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
