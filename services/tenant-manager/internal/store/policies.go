package store

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// SecurityPolicy returns the organization's policy. Where none was set it is one
// of version 1 without an id, that asks for nothing.
func (o *Org) SecurityPolicy(ctx context.Context) (SecurityPolicy, error) {
	p, err := db.From[SecurityPolicy](o.scope).Get(ctx, o.ID())
	if IsNotFound(err) {
		return SecurityPolicy{Stored: Stored{Version: 1}, MFA: MFAOff, AllowedAddresses: []string{}, PersonalTokens: true, PersonalTokenDays: PersonalTokenDays, ServiceTokens: true, Impersonation: true}, nil
	}
	return p, err
}

var errPolicyChanged = problem.New(problem.CodePreconditionFailed, "the policy was changed in the meantime: read it again, and repeat the change")

// SaveSecurityPolicy writes the policy, if it has the version that is in p, else
// the error is a problem.
func (t *Tx) SaveSecurityPolicy(ctx context.Context, p *SecurityPolicy) error {
	now, err := t.SecurityPolicy(ctx)
	if err != nil {
		return err
	}
	if now.ID == "" {
		if p.Version != now.Version && p.Version != db.AnyVersion {
			return errPolicyChanged
		}
		p.Stored = t.stored()
		p.ID, p.Version = t.ID(), now.Version+1
		err := db.Create(ctx, t.scope, p)
		if errors.Is(err, db.ErrDuplicate) { // somebody was faster
			err = errPolicyChanged
		}
		return err
	}
	p.ID = t.ID()
	return db.Save(ctx, t.scope, p, "password_min_length", "mfa", "mfa_grace_days", "mfa_since", "session_idle_minutes", "session_lifetime_hours", "allowed_addresses", "token_lifetime_days", "personal_tokens", "personal_token_days",
		"service_tokens", "impersonation", "lockout_tries", "lockout_first_seconds", "lockout_longest_minutes")
}

// ActiveUsers returns how many users may sign in.
func (o *Org) ActiveUsers(ctx context.Context) (int64, error) {
	return db.From[User](o.scope).Where("status = ?", Active).Count(ctx)
}

// BreakGlassUsers returns how many of those who may sign in are break-glass
// accounts.
func (o *Org) BreakGlassUsers(ctx context.Context) (int64, error) {
	return db.From[User](o.scope).Where("status = ? AND break_glass = ?", Active, true).Count(ctx)
}

// UsersWithoutFactor returns how many of those who may sign in have no second
// factor.
func (o *Org) UsersWithoutFactor(ctx context.Context) (int64, error) {
	q := db.From[User](o.scope).Where("status = ?", Active)
	all, err := q.Count(ctx)
	if err != nil {
		return 0, err
	}
	with, err := q.In("id", db.From[Factor](o.scope).Where("confirmed_at IS NOT NULL").Column("user_id")).Count(ctx)
	return all - with, err
}

// LiveSessions returns sessions of all users that have not ended, at most a
// number of them.
func (o *Org) LiveSessions(ctx context.Context, most int) ([]Session, error) {
	return db.From[Session](o.scope).Where("ended_at IS NULL AND expires_at > ?", o.store.Now()).Order("id", true).Limit(most).All(o.store.secrets(ctx))
}

// TokensBeyond returns how many tokens of service accounts last beyond a time.
func (o *Org) TokensBeyond(ctx context.Context, at time.Time) (int64, error) {
	return db.From[ServiceToken](o.scope).Where("expires_at IS NULL OR expires_at > ?", at).Count(ctx)
}

// LiveServiceTokens returns how many tokens of service accounts have not ended.
func (o *Org) LiveServiceTokens(ctx context.Context) (int64, error) {
	return db.From[ServiceToken](o.scope).Where("expires_at IS NULL OR expires_at > ?", o.store.Now()).Count(ctx)
}

// Guessed returns how many active users have at least as many failures held against
// them as there are tries. name says by which name they are held against an e-mail
// address; most bounds the users that are looked at.
func (o *Org) Guessed(ctx context.Context, name func(email string) string, tries, most int) (int, error) {
	var rows []signInAttempt
	err := o.store.db.Unscoped(ctx, attemptsReason).Where("failures >= ?", tries).Limit(most).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	held := make(map[string]bool, len(rows))
	for _, r := range rows {
		held[r.ID] = true
	}
	users, err := db.From[User](o.scope).Where("status = ? AND email_key IS NOT NULL", Active).Limit(most).All(ctx)
	n := 0
	for _, u := range users {
		if held[(Limited{Name: name(u.Email)}).key()] {
			n++
		}
	}
	return n, err
}

// AskForPassword notes that a user asked for a new password; again replaces what
// was noted before.
func (t *Tx) AskForPassword(ctx context.Context, user, ip string) error {
	if err := t.AnswerPasswordRequest(ctx, user); err != nil {
		return err
	}
	return db.Create(ctx, t.scope, &PasswordRequest{ID: NewID(), UserID: user, IP: cut(ip, 64), CreatedAt: t.store.Now()})
}

// AnswerPasswordRequest forgets that a user asked for a new password.
func (t *Tx) AnswerPasswordRequest(ctx context.Context, user string) error {
	_, err := db.From[PasswordRequest](t.scope).Where("user_id = ?", user).Delete(ctx)
	return err
}

// PasswordRequests returns who asked for a new password since a time, newest
// first.
func (o *Org) PasswordRequests(ctx context.Context, since time.Time) ([]PasswordRequest, error) {
	return db.From[PasswordRequest](o.scope).Where("created_at > ?", since).Order("created_at", true).Order("id", true).Limit(200).All(ctx)
}
