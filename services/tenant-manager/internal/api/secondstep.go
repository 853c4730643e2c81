package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// challengeLifetime is how long a step that was begun can be finished.
const challengeLifetime = 5 * time.Minute

// The purposes of challenges: one is good for nothing else.
const (
	forSecondStep = "second-step"
	forPasskey    = "passkey"     // sign-in with a passkey alone
	forNewPasskey = "new-passkey" // of a user who is signed in
	forConfirming = "confirming"
)

// challenge begins a step, and returns the secret that names it.
func (h *Handlers) challenge(ctx context.Context, c store.Challenge) (name string, expires time.Time, err error) {
	name = token.OneTime()
	c.Hash, c.ExpiresAt = token.Hash(name), h.store.Now().Add(challengeLifetime)
	return name, c.ExpiresAt.UTC(), h.store.CreateChallenge(ctx, &c)
}

// secondStep returns the challenge of a user who has second factors, after the
// first step was right; nil for who has none. amr is how they proved who they
// are so far, from the connection by which they come.
func (h *Handlers) secondStep(ctx context.Context, u store.User, amr factor.Methods, origin string, from string) (*SignInChallenge, error) {
	return h.secondStepOf(ctx, u, amr, origin, beginning{from: from})
}

// secondStepOf is as secondStep, for a session that is to begin so.
func (h *Handlers) secondStepOf(ctx context.Context, u store.User, amr factor.Methods, origin string, b beginning) (*SignInChallenge, error) {
	org := h.store.For(u.OrganizationID)
	factors, err := org.Factors(ctx, u.ID)
	if err != nil || len(factors) == 0 {
		return nil, err
	}
	methods := []FactorMethod{}
	add := func(m FactorMethod) {
		if !slices.Contains(methods, m) {
			methods = append(methods, m)
		}
	}
	party := h.opt.Passkeys.Of(origin)
	for _, f := range factors {
		if f.Kind == factor.TOTP || party != nil && f.RelyingParty == party.ID {
			add(FactorMethod(f.Kind))
		}
	}
	left, err := org.RecoveryCodesLeft(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if left > 0 {
		add(factor.Recovery)
	}
	name, expires, err := h.challenge(ctx, store.Challenge{
		OrganizationID: u.OrganizationID, UserID: u.ID, Purpose: forSecondStep, AMR: string(amr), SSOConnectionID: b.from, SSOSid: b.sid, Proven: b.proven, AuthTime: b.at, SwitchedFrom: b.switchedFrom,
		ProofsAfter: u.ProofsAfter,
	})
	if err == nil && b.idToken != "" {
		err = org.KeepSSOHint(ctx, token.Hash(name), b.from, b.idToken)
	}
	return &SignInChallenge{Challenge: name, Methods: methods, ExpiresAt: expires}, err
}

const challengeOver = "this sign-in was finished, or begun more than five minutes ago: begin again"

// begun returns the challenge of a name, and its user, who may still sign in.
func (h *Handlers) begun(ctx context.Context, purpose, name string) (c store.Challenge, u store.User, o store.Organization, err error) {
	if c, err = h.store.Challenge(ctx, purpose, token.Hash(name)); err != nil {
		return c, u, o, over(err)
	}
	org := h.store.For(c.OrganizationID)
	if u, err = org.User(ctx, c.UserID); err != nil {
		return c, u, o, over(err)
	}
	if o, err = org.Organization(ctx); err == nil && (o.Suspended || u.Status != store.Active || !u.ProvenLike(store.User{ProofsAfter: c.ProofsAfter})) {
		err = refused(challengeOver)
	}
	return c, u, o, over(err)
}

func over(err error) error {
	if store.IsNotFound(err) {
		return refused(challengeOver)
	}
	return err
}

// proof is what somebody proves with who they are. One of them is set.
type proof struct {
	totp, recovery string
	passkey        *PasskeyCredential
	// state is what the passkey was asked for.
	state string
}

// prove checks a proof of a user, takes what is good once, and returns by which
// methods it was. The error is a problem of the field where it is not right.
func (h *Handlers) prove(ctx context.Context, tx *store.Tx, u store.User, p proof) ([]string, error) {
	switch {
	case p.totp != "":
		return h.proveTOTP(ctx, tx, u, p.totp)
	case p.recovery != "":
		ok, err := tx.UseRecoveryCode(ctx, u.ID, factor.RecoveryHash(u.ID, p.recovery))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, invalid("/recoveryCode", "invalid", "this is not one of your recovery codes, or it was used")
		}
		left, err := tx.RecoveryCodesLeft(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		return []string{factor.ByRecovery}, h.recordUserChange(ctx, tx, "user.recovery-code-used", u, nil, map[string]any{"recoveryCodesLeft": left})
	case p.passkey != nil:
		return h.provePasskey(ctx, tx, u, p)
	}
	return nil, invalid("/totp", "required", "send a code of the authenticator app, a recovery code, or the answer of a passkey")
}

func (h *Handlers) proveTOTP(ctx context.Context, tx *store.Tx, u store.User, code string) ([]string, error) {
	factors, err := tx.Factors(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	for _, f := range factors {
		if f.Kind != factor.TOTP {
			continue
		}
		step, ok := factor.MatchTOTP(f.Secret.Reveal(), code, h.store.Now(), f.LastStep)
		if !ok {
			continue
		}
		if ok, err = tx.UseStep(ctx, f.ID, step); err != nil {
			return nil, err
		}
		if ok {
			return []string{factor.ByOTP}, nil
		}
	}
	return nil, invalid("/totp", "invalid", "this code is not right, or was used: wait for the next one, and see that the clock of the phone is right")
}

// owner returns a user with their passkeys at a relying party, and the rows.
func owner(u store.User, factors []store.Factor, party *factor.Party) (factor.Owner, []store.Factor) {
	o := factor.Owner{ID: u.ID, Name: u.Name, Email: u.Email}
	var rows []store.Factor
	for _, f := range factors {
		if f.Kind == factor.Passkey && f.RelyingParty == party.ID {
			o.Keys = append(o.Keys, f.Secret.Reveal())
			rows = append(rows, f)
		}
	}
	return o, rows
}

// asked is what is kept of a ceremony: where the page is, and what its answer is
// checked with.
type asked struct {
	Origin string `json:"origin"`
	State  string `json:"state"`
}

func (a asked) text() (string, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("keeping what a passkey was asked for: %w", err)
	}
	return string(b), nil
}

// party returns the relying party of pages at an origin, or a problem of the
// field.
func (h *Handlers) party(origin string) (*factor.Party, error) {
	if p := h.opt.Passkeys.Of(origin); p != nil {
		return p, nil
	}
	return nil, invalid("/origin", "invalid", "passkeys are not set up for this address: who runs the installation names it in passkeys.origins")
}

func (h *Handlers) askedFor(state string) (*factor.Party, string, error) {
	var a asked
	if err := json.Unmarshal([]byte(state), &a); err != nil {
		return nil, "", refused("ask first what the passkey has to sign")
	}
	p, err := h.party(a.Origin)
	return p, a.State, err
}

// passkeyRefused is the problem of a passkey that was not accepted.
func passkeyRefused(err error) error {
	if errors.Is(err, factor.ErrPasskey) {
		return invalid("/passkey", "invalid", "%s: try again, or use another way", err.Error())
	}
	return err
}

func (h *Handlers) provePasskey(ctx context.Context, tx *store.Tx, u store.User, p proof) ([]string, error) {
	party, state, err := h.askedFor(p.state)
	if err != nil {
		return nil, err
	}
	factors, err := tx.Factors(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	o, rows := owner(u, factors, party)
	answer, err := json.Marshal(p.passkey)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of a passkey: %w", err)
	}
	key, err := party.Proven(o, state, answer)
	if err != nil {
		return nil, passkeyRefused(err)
	}
	return passkeyMethods(key), usedPasskey(ctx, tx, rows, key)
}

func usedPasskey(ctx context.Context, tx *store.Tx, rows []store.Factor, key factor.Key) error {
	for _, f := range rows {
		if deref(f.CredentialHash) == key.Hash {
			return tx.UsedPasskey(ctx, f.ID, key.Value)
		}
	}
	return nil
}

func passkeyMethods(k factor.Key) []string {
	if k.Verified {
		return []string{factor.ByPasskey, factor.ByUser}
	}
	return []string{factor.ByPasskey}
}

// guarded holds an attempt of proving against a user and an address, runs fn,
// and takes it back where fn was right.
func (h *Handlers) guarded(ctx context.Context, u store.User, fn func() error) error {
	account := store.Limited{Name: "second factor of " + u.ID, Limit: throttle.Account}
	address, locked, err := h.tried(ctx, account)
	if err != nil {
		return err
	}
	if err := fn(); err != nil {
		if locked {
			h.lockedOut(ctx, u)
		}
		return err
	}
	return h.store.Succeeded(ctx, account, address)
}

// FinishSignIn proves a second factor, and begins the session.
func (h *Handlers) FinishSignIn(ctx context.Context, r FinishSignInRequestObject) (FinishSignInResponseObject, error) {
	c, u, o, err := h.begun(ctx, forSecondStep, r.Body.Challenge)
	if err != nil {
		return nil, err
	}
	var s store.Session
	err = h.guarded(ctx, u, func() error {
		return h.store.Tx(ctx, u.OrganizationID, u.ID, func(tx *store.Tx) error {
			methods, err := h.prove(ctx, tx, u, proof{totp: deref(r.Body.Totp), recovery: deref(r.Body.RecoveryCode), passkey: r.Body.Passkey, state: c.Data})
			if err != nil {
				return err
			}
			taken, err := h.store.TakeChallenge(ctx, tx, c.ID)
			if err != nil {
				return err
			}
			if !taken {
				return refused(challengeOver)
			}
			s, err = h.beginSession(ctx, tx, u, factor.Methods(c.AMR).With(methods...), beginning{from: c.SSOConnectionID, sid: c.SSOSid, step: c.Hash, proven: c.Proven, at: c.AuthTime, switchedFrom: c.SwitchedFrom})
			return err
		})
	})
	if err != nil {
		h.notProven(ctx, u, err)
		return nil, err
	}
	pair, err := h.pair(ctx, o, u, s)
	return FinishSignIn200JSONResponse(pair), err
}

// notProven puts it into the audit trail that a second factor was not right.
func (h *Handlers) notProven(ctx context.Context, u store.User, err error) {
	var p *problem.Problem
	if errors.As(err, &p) && p.Code == problem.CodeInvalidInput {
		h.signInRefused(ctx, u, false)
	}
}

// AskSecondStepPasskey says what a passkey has to sign as the second step.
func (h *Handlers) AskSecondStepPasskey(ctx context.Context, r AskSecondStepPasskeyRequestObject) (AskSecondStepPasskeyResponseObject, error) {
	c, u, _, err := h.begun(ctx, forSecondStep, r.Body.Challenge)
	if err != nil {
		return nil, err
	}
	ceremony, state, err := h.askOwn(ctx, u, r.Body.Origin)
	if err != nil {
		return nil, err
	}
	if err := h.store.SetChallengeData(ctx, c.ID, state); err != nil {
		return nil, err
	}
	return AskSecondStepPasskey200JSONResponse{Challenge: r.Body.Challenge, Options: ceremony.Options}, nil
}

// askOwn asks for one of a user's passkeys.
func (h *Handlers) askOwn(ctx context.Context, u store.User, origin string) (factor.Ceremony, string, error) {
	party, err := h.party(origin)
	if err != nil {
		return factor.Ceremony{}, "", err
	}
	factors, err := h.store.For(u.OrganizationID).Factors(ctx, u.ID)
	if err != nil {
		return factor.Ceremony{}, "", err
	}
	o, rows := owner(u, factors, party)
	if len(rows) == 0 {
		return factor.Ceremony{}, "", invalid("/origin", "invalid", "you have no passkey for %s: use another way", party.ID)
	}
	c, err := party.Ask(o)
	if err != nil {
		return c, "", err
	}
	text, err := asked{Origin: origin, State: c.State}.text()
	return c, text, err
}

// AskSignInPasskey says what a passkey has to sign to sign in with it alone.
func (h *Handlers) AskSignInPasskey(ctx context.Context, r AskSignInPasskeyRequestObject) (AskSignInPasskeyResponseObject, error) {
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	party, err := h.party(r.Body.Origin)
	if err != nil {
		return nil, err
	}
	c, err := party.AskAnyone()
	if err != nil {
		return nil, err
	}
	data, err := asked{Origin: r.Body.Origin, State: c.State}.text()
	if err != nil {
		return nil, err
	}
	name, _, err := h.challenge(ctx, store.Challenge{Purpose: forPasskey, Data: data})
	return AskSignInPasskey200JSONResponse{Challenge: name, Options: c.Options}, err
}

// SignInPasskey signs in with a passkey alone.
func (h *Handlers) SignInPasskey(ctx context.Context, r SignInPasskeyRequestObject) (SignInPasskeyResponseObject, error) {
	c, err := h.store.Challenge(ctx, forPasskey, token.Hash(r.Body.Challenge))
	if err != nil {
		return nil, over(err)
	}
	address, err := h.attempt(ctx, store.Limited{Name: "challenge " + c.ID, Limit: throttle.Account})
	if err != nil {
		return nil, err
	}
	party, state, err := h.askedFor(c.Data)
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(r.Body.Passkey)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of a passkey: %w", err)
	}
	var (
		u    store.User
		rows []store.Factor
	)
	key, err := party.ProvenBy(state, answer, func(hash string) (factor.Owner, error) {
		f, err := h.store.FactorByCredential(ctx, hash)
		if err != nil {
			return factor.Owner{}, unknownPasskey(err)
		}
		org := h.store.For(f.OrganizationID)
		if u, err = org.User(ctx, f.UserID); err != nil {
			return factor.Owner{}, unknownPasskey(err)
		}
		factors, err := org.Factors(ctx, u.ID)
		if err != nil {
			return factor.Owner{}, err
		}
		var o factor.Owner
		o, rows = owner(u, factors, party)
		return o, nil
	})
	if err != nil {
		if u.ID != "" {
			h.signInRefused(ctx, u, false)
		}
		return nil, passkeyRefused(err)
	}
	o, err := h.store.For(u.OrganizationID).Organization(ctx)
	if err != nil {
		return nil, err
	}
	if o.Suspended || u.Status != store.Active {
		return nil, passkeyRefused(factor.ErrPasskey)
	}
	var s store.Session
	err = h.store.Tx(ctx, u.OrganizationID, u.ID, func(tx *store.Tx) error {
		taken, err := h.store.TakeChallenge(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if !taken {
			return refused(challengeOver)
		}
		if err := usedPasskey(ctx, tx, rows, key); err != nil {
			return err
		}
		s, err = h.openSession(ctx, tx, u, factor.Methods("").With(passkeyMethods(key)...), "")
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := h.store.Succeeded(ctx, store.Limited{Name: "challenge " + c.ID}, address); err != nil {
		return nil, err
	}
	pair, err := h.pair(ctx, o, u, s)
	return SignInPasskey200JSONResponse(pair), err
}

// unknownPasskey tells no difference between a passkey that is not known and one
// that is not right.
func unknownPasskey(err error) error {
	if store.IsNotFound(err) {
		return factor.ErrPasskey
	}
	return err
}
