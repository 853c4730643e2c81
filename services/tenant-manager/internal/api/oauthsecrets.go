package api

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// defaultOverlap is how long secrets go on after a newer one was made.
	defaultOverlap = 24 * time.Hour
	// mostSecrets bounds how many secrets a client has at a time.
	mostSecrets = 10
)

func oauthSecretOf(s store.OAuthSecret) OAuthSecret {
	return OAuthSecret{
		Id: s.ID, Name: s.Name, Hint: s.Hint, ExpiresAt: utc(s.ExpiresAt), LastUsedAt: utc(s.LastUsedAt), CreatedAt: s.CreatedAt.UTC(), CreatedBy: s.CreatedBy,
	}
}

// ListOAuthSecrets returns the secrets of an OAuth2 client.
func (h *Handlers) ListOAuthSecrets(ctx context.Context, r ListOAuthSecretsRequestObject) (ListOAuthSecretsResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if _, err := org.OAuthClient(ctx, r.Id); err != nil {
		return nil, err
	}
	rows, err := org.OAuthSecrets(ctx, r.Id)
	out := OAuthSecretList{Items: make([]OAuthSecret, len(rows))}
	for i, s := range rows {
		out.Items[i] = oauthSecretOf(s)
	}
	return ListOAuthSecrets200JSONResponse(out), err
}

// RotateOAuthSecret makes a new secret, in place of those before it or beside them. It
// is in this answer only.
func (h *Handlers) RotateOAuthSecret(ctx context.Context, r RotateOAuthSecretRequestObject) (RotateOAuthSecretResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:update", authn.Scope{}); err != nil {
		return nil, err
	}
	now := h.store.Now()
	var othersEnd time.Time
	if !deref(r.Body.KeepOthers) {
		othersEnd = now.Add(defaultOverlap)
		if r.Body.OverlapSeconds != nil {
			othersEnd = now.Add(time.Duration(*r.Body.OverlapSeconds) * time.Second)
		}
	}
	var expires *time.Time
	if r.Body.ExpiresAt != nil {
		at := r.Body.ExpiresAt.UTC().Truncate(time.Microsecond)
		if expires = &at; !at.After(now) {
			return nil, invalid("/expiresAt", "minimum", "it is over already: name a time in the future")
		}
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "rotateOAuthSecret "+r.Id, r.Body, func(tx *store.Tx) (OAuthSecretCreated, error) {
		c, err := tx.OAuthClient(ctx, r.Id)
		if err == nil {
			err = notOfApplication(c)
		}
		if err != nil {
			return OAuthSecretCreated{}, err
		}
		if !oauth.HasSecret(c.AuthMethod) {
			return OAuthSecretCreated{}, problem.New(problem.CodeConflict, "this client authenticates itself with %s, which needs no secret", c.AuthMethod)
		}
		out, err := addOAuthSecret(ctx, tx, store.OAuthSecret{ClientID: c.ID, Name: deref(r.Body.Name), ExpiresAt: expires}, othersEnd)
		if err != nil {
			return out, err
		}
		all, err := tx.OAuthSecrets(ctx, c.ID)
		if err != nil {
			return out, err
		}
		if len(all) > mostSecrets {
			return out, problem.New(problem.CodeConflict, "a client has %d secrets at most: revoke one that is not used", mostSecrets)
		}
		return out, h.record(ctx, tx, "oauth-client.secret-created", "oauth-client", c.ID, c.Name, nil, OAuthSecret{
			Id: out.Id, Name: out.Name, Hint: out.Hint, ExpiresAt: out.ExpiresAt, CreatedAt: out.CreatedAt, CreatedBy: out.CreatedBy,
		})
	})
	h.forgetClient(r.Id)
	return RotateOAuthSecret201JSONResponse(made), err
}

// DeleteOAuthSecret revokes a secret of an OAuth2 client.
func (h *Handlers) DeleteOAuthSecret(ctx context.Context, r DeleteOAuthSecretRequestObject) (DeleteOAuthSecretResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:update", authn.Scope{}); err != nil {
		return nil, err
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		c, err := tx.OAuthClient(ctx, r.Id)
		if err == nil {
			err = notOfApplication(c)
		}
		if err != nil {
			return err
		}
		s, err := tx.OAuthSecret(ctx, c.ID, r.Secret)
		if err != nil {
			return err
		}
		if err := tx.DeleteOAuthSecret(ctx, c.ID, s.ID); err != nil {
			return err
		}
		return h.record(ctx, tx, "oauth-client.secret-deleted", "oauth-client", c.ID, c.Name, oauthSecretOf(s), nil)
	})
	h.forgetClient(r.Id)
	return DeleteOAuthSecret204Response{}, err
}
