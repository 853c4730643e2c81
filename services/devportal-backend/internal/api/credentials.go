package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/apikey"
	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
)

// mostKeys is how many working credentials an application may have: past it
// nobody knows any more what each is for.
const mostKeys = 50

// ListCredentials lists the credentials of an application.
func (h *Handlers) ListCredentials(ctx context.Context, r ListCredentialsRequestObject) (ListCredentialsResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	s := h.kit.DB.For(p.Organization)
	a, err := h.application(ctx, s, r.Application, "credential:read", false)
	if err != nil {
		return nil, err
	}
	page, err := store.ListCredentials(ctx, s, a.ID, httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	out := CredentialList{Items: []Credential{}, Next: text(page.Next)}
	server := h.tokenServer(ctx, p.Organization, page.Items...)
	for _, c := range page.Items {
		out.Items = append(out.Items, server.into(h.credentialOf(c)))
	}
	return ListCredentials200JSONResponse(out), nil
}

func (h *Handlers) credentialOf(c store.Credential) Credential {
	status := CredentialStatusActive
	switch now := h.kit.DB.Now(); {
	case c.RevokedAt != nil:
		status = CredentialStatusRevoked
	case !c.Works(now):
		status = CredentialStatusExpired
	case c.ReplacedBy != "":
		status = CredentialStatusExpiring
	}
	return Credential{
		Id: c.ID, Version: c.Version, CreatedAt: c.CreatedAt, CreatedBy: c.CreatedBy, UpdatedAt: c.UpdatedAt, Application: c.ApplicationID,
		Kind: CredentialKind(c.Kind), Name: c.Name, Hint: c.Hint, Status: status, ExpiresAt: c.ExpiresAt, RevokedAt: c.RevokedAt, ReplacedBy: text(c.ReplacedBy),
		ClientId: text(c.Identifier), PreviousEndsAt: c.PreviousEndsAt,
	}
}

// credentialDetails are what the audit trail shows of a credential.
type credentialDetails struct {
	Name       string     `json:"name"`
	Hint       string     `json:"hint"`
	Kind       string     `json:"kind"`
	ExpiresAt  *time.Time `json:"expiresAt,omitempty"`
	RevokedAt  *time.Time `json:"revokedAt,omitempty"`
	ReplacedBy string     `json:"replacedBy,omitempty"`
	Identifier string     `json:"identifier,omitempty"`
}

func keyDetails(c store.Credential) credentialDetails {
	return credentialDetails{c.Name, c.Hint, c.Kind, c.ExpiresAt, c.RevokedAt, c.ReplacedBy, c.Identifier}
}

var errNoPepper = errors.New("making a key: no pepper is configured (secrets.pepper)")

// newKey makes a key and its row, which is not written yet.
func (h *Handlers) newKey(a store.Application, name, purpose, by string, expires *time.Time) (string, store.Credential, error) {
	if h.kit.Hasher == nil {
		return "", store.Credential{}, errNoPepper
	}
	key, err := apikey.New()
	if err != nil {
		return "", store.Credential{}, fmt.Errorf("making a key: %w", err)
	}
	id, err := store.NewID()
	if err != nil {
		return "", store.Credential{}, err
	}
	sum := sha256.Sum256([]byte(key))
	now := h.kit.DB.Now()
	return key, store.Credential{
		ID: id, OrganizationID: a.OrganizationID, ApplicationID: a.ID, Kind: string(credential.APIKey), Purpose: purpose, Name: name,
		Hint: key[:8] + "…" + key[len(key)-4:], Hash: h.kit.Hasher.Hash(key), Digest: hex.EncodeToString(sum[:]), ExpiresAt: expires,
		Version: 1, CreatedAt: now, CreatedBy: by, UpdatedAt: now,
	}, nil
}

// makeKey makes a key of an application and tells of it.
func (h *Handlers) makeKey(ctx context.Context, tx *db.Tx, a store.Application, p authn.Principal, name, purpose string, expires *time.Time) (string, store.Credential, error) {
	key, c, err := h.newKey(a, name, purpose, p.Subject, expires)
	if err != nil {
		return "", c, err
	}
	if err := store.CreateCredential(ctx, tx.For(a.OrganizationID), &c); err != nil {
		return "", c, err
	}
	return key, c, h.record(ctx, tx, service.Entry{Action: "credential.created", Target: target("credential", c.ID, a.Name+" / "+c.Name, ""), After: keyDetails(c)}, feedCredential(c))
}

// CreateCredential makes a key, or an OAuth2 client.
func (h *Handlers) CreateCredential(ctx context.Context, r CreateCredentialRequestObject) (CreateCredentialResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := h.known(ctx, p); err != nil {
		return nil, err
	}
	name := strings.TrimSpace(r.Body.Name)
	if name == "" {
		return nil, problem.Invalid("the credential has no name", problem.Field{Pointer: "/name", Code: "required", Detail: "name it after where it is used, such as production"})
	}
	if e := r.Body.ExpiresAt; e != nil && !e.After(h.kit.Now()) {
		return nil, problem.Invalid("the credential would have ended already", problem.Field{Pointer: "/expiresAt", Code: "minimum", Detail: "give a time to come, or leave it out"})
	}
	var shown shown
	out, err := httpx.Once(ctx, h.kit.DB, func(tx *db.Tx) (Credential, error) {
		s := tx.For(p.Organization)
		a, err := h.application(ctx, s, r.Application, "credential:create", true)
		if err != nil {
			return Credential{}, err
		}
		if err := h.roomForKey(ctx, s, a); err != nil {
			return Credential{}, err
		}
		var c store.Credential
		if deref(r.Body.Kind) == CredentialKindOauth2 {
			c, err = h.makeClient(ctx, tx, a, p, name, utc(r.Body.ExpiresAt), &shown)
		} else {
			shown.key, c, err = h.makeKey(ctx, tx, a, p, name, "", utc(r.Body.ExpiresAt))
		}
		if err != nil {
			return Credential{}, err
		}
		return shown.server.into(h.credentialOf(c)), nil
	})
	if err != nil {
		return nil, h.undone(ctx, p.Organization, shown, err)
	}
	shown.show(&out) // what is kept for a repeated request has it not
	return CreateCredential201JSONResponse{Body: out, Headers: CreateCredential201ResponseHeaders{
		ETag: ptr(db.ETag(out.Version)), Location: ptr("/api/v1/credentials/" + out.Id),
	}}, nil
}

func (h *Handlers) roomForKey(ctx context.Context, s *db.Scope, a store.Application) error {
	working, err := store.Working(ctx, s, a.ID, h.kit.DB.Now())
	if err != nil {
		return err
	}
	if len(working) >= mostKeys {
		return problem.New(problem.CodeConflict, "the application has %d working credentials: revoke those that are not used any more", len(working))
	}
	return nil
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return ptr(t.UTC().Truncate(time.Microsecond))
}

// credential returns a credential with its application.
func (h *Handlers) credential(ctx context.Context, s *db.Scope, id, permission string, change bool) (store.Credential, store.Application, error) {
	c, err := store.FindCredential(ctx, s, id, change)
	if err != nil {
		return c, store.Application{}, err
	}
	if c.Purpose != "" {
		return store.Credential{}, store.Application{}, db.ErrNotFound
	}
	a, err := h.application(ctx, s, c.ApplicationID, permission, change)
	return c, a, err
}

// GetCredential answers with a credential.
func (h *Handlers) GetCredential(ctx context.Context, r GetCredentialRequestObject) (GetCredentialResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	c, _, err := h.credential(ctx, h.kit.DB.For(p.Organization), r.Credential, "credential:read", false)
	if err != nil {
		return nil, err
	}
	out := h.tokenServer(ctx, p.Organization, c).into(h.credentialOf(c))
	return GetCredential200JSONResponse{Body: out, Headers: GetCredential200ResponseHeaders{ETag: ptr(db.ETag(c.Version))}}, nil
}

// RevokeCredential ends a credential.
func (h *Handlers) RevokeCredential(ctx context.Context, r RevokeCredentialRequestObject) (RevokeCredentialResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	err = h.kit.DB.Tx(ctx, func(tx *db.Tx) error {
		s := tx.For(p.Organization)
		c, a, err := h.credential(ctx, s, r.Credential, "credential:delete", true)
		if err != nil || c.RevokedAt != nil {
			return err
		}
		before := keyDetails(c)
		c.RevokedAt, c.Version = ptr(h.kit.DB.Now()), version
		if err := store.SaveCredential(ctx, s, &c); err != nil {
			return err
		}
		return h.record(ctx, tx, service.Entry{Action: "credential.revoked", Target: target("credential", c.ID, a.Name+" / "+c.Name, ""), Before: before, After: keyDetails(c)}, feedCredential(c))
	})
	if err != nil {
		return nil, err
	}
	return RevokeCredential204Response{}, nil
}

// defaultOverlap is how long a rotated key goes on to work, in seconds.
const defaultOverlap = 24 * 60 * 60

// RotateCredential replaces a key, or the secret of an OAuth2 client.
func (h *Handlers) RotateCredential(ctx context.Context, r RotateCredentialRequestObject) (RotateCredentialResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	overlap := int64(defaultOverlap)
	if r.Body.Overlap != nil {
		overlap = *r.Body.Overlap
	}
	var shown shown
	out, err := httpx.Once(ctx, h.kit.DB, func(tx *db.Tx) (Credential, error) {
		s, now := tx.For(p.Organization), h.kit.DB.Now()
		old, a, err := h.credential(ctx, s, r.Credential, "credential:create", true)
		if err != nil {
			return Credential{}, err
		}
		if err := db.Expect(old.Version, version); err != nil {
			return Credential{}, err
		}
		switch {
		case !old.Works(now):
			return Credential{}, problem.New(problem.CodeConflict, "the credential does not work any more: make a new one instead")
		case old.ReplacedBy != "":
			return Credential{}, problem.New(problem.CodeConflict, "the credential has been replaced already: rotate the one that replaces it")
		}
		if old.Kind == string(credential.OAuth2) {
			c, err := h.rotateClient(ctx, tx, a, p, old, overlap, &shown)
			return shown.server.into(h.credentialOf(c)), err
		}
		name := old.Name
		if n := strings.TrimSpace(deref(r.Body.Name)); n != "" {
			name = n
		}
		var c store.Credential
		if shown.key, c, err = h.makeKey(ctx, tx, a, p, name, "", nil); err != nil {
			return Credential{}, err
		}
		before := keyDetails(old)
		old.ReplacedBy = c.ID
		if overlap == 0 {
			old.RevokedAt = &now
		} else if end := now.Add(time.Duration(overlap) * time.Second); old.ExpiresAt == nil || end.Before(*old.ExpiresAt) {
			old.ExpiresAt = &end
		}
		if err := store.SaveCredential(ctx, s, &old); err != nil {
			return Credential{}, err
		}
		entry := service.Entry{Action: "credential.rotated", Target: target("credential", old.ID, a.Name+" / "+old.Name, ""), Before: before, After: keyDetails(old)}
		return h.credentialOf(c), h.record(ctx, tx, entry, feedCredential(old))
	})
	if err != nil {
		return nil, err
	}
	shown.show(&out)
	return RotateCredential201JSONResponse{Body: out, Headers: RotateCredential201ResponseHeaders{
		ETag: ptr(db.ETag(out.Version)), Location: ptr("/api/v1/credentials/" + out.Id),
	}}, nil
}
