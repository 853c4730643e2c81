package api

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// mostSCIMTokens is how many tokens a directory has at once: one, and the next.
const mostSCIMTokens = 2

// ListScimDirectories returns the directories.
func (h *Handlers) ListScimDirectories(ctx context.Context, _ ListScimDirectoriesRequestObject) (ListScimDirectoriesResponseObject, error) {
	if err := authn.Require(ctx, "scim:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	rows, err := org.SCIMDirectories(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := org.SCIMCounts(ctx)
	out := ScimDirectoryList{Items: make([]ScimDirectory, len(rows))}
	for i, d := range rows {
		out.Items[i] = scimDirectoryOf(d, counts[d.ID])
	}
	return ListScimDirectories200JSONResponse(out), err
}

func scimDirectoryOf(d store.SCIMDirectory, n store.SCIMCounts) ScimDirectory {
	return ScimDirectory{
		Id: d.ID, Name: d.Name, Enabled: d.Enabled, Connection: ptr(d.ConnectionID), Domains: notNil(d.Domains), UnverifiedDomains: without(d.Domains, d.Verified), Users: n.Users, Groups: n.Groups,
		LastUsedAt: utc(d.LastUsedAt), FailedAt: utc(d.FailedAt), Failure: ptr(d.Failure), DryRun: ptr(d.DryRun != ""), DryRunEndsAt: utc(d.DryRunEnds), Version: d.Version, CreatedAt: d.CreatedAt.UTC(), CreatedBy: d.CreatedBy,
	}
}

// recordedDirectory is what the audit trail says of a directory.
type recordedDirectory struct {
	Name       string   `json:"name"`
	Enabled    bool     `json:"enabled"`
	DryRun     bool     `json:"dryRun"`
	Connection string   `json:"connection,omitempty"`
	Domains    []string `json:"domains"`
}

func recordedDirectoryOf(d store.SCIMDirectory) recordedDirectory {
	return recordedDirectory{d.Name, d.Enabled, d.DryRun != "", d.ConnectionID, d.Domains}
}

func (h *Handlers) scimDirectory(ctx context.Context, org *store.Org, id string) (ScimDirectory, error) {
	d, err := org.SCIMDirectory(ctx, id)
	if err != nil {
		return ScimDirectory{}, err
	}
	counts, err := org.SCIMCounts(ctx)
	if err != nil {
		return ScimDirectory{}, err
	}
	out := scimDirectoryOf(d, counts[d.ID])
	if d.DryRun != "" {
		n, err := org.CountSCIMRehearsal(ctx, d.ID)
		if err != nil {
			return ScimDirectory{}, err
		}
		out.Rehearsed = &n
	}
	return out, nil
}

// GetScimDirectory returns a directory.
func (h *Handlers) GetScimDirectory(ctx context.Context, r GetScimDirectoryRequestObject) (GetScimDirectoryResponseObject, error) {
	if err := authn.Require(ctx, "scim:read", authn.Scope{}); err != nil {
		return nil, err
	}
	d, err := h.scimDirectory(ctx, h.mine(ctx), r.Id)
	return GetScimDirectory200JSONResponse{Body: d, Headers: GetScimDirectory200ResponseHeaders{ETag: etag(d.Version)}}, err
}

func directoryTaken(err error, name string) error {
	switch {
	case errors.Is(err, store.ErrDomainTaken):
		return problem.New(problem.CodeConflict, "a domain is of one directory, and one of these is another's: take it from there first")
	case errors.Is(err, db.ErrDuplicate):
		return problem.New(problem.CodeConflict, "there is a directory named %s already", name)
	}
	return err
}

// readDirectory writes what was sent into a directory, or returns a problem of a
// field.
func readDirectory(ctx context.Context, tx *store.Tx, in ScimDirectoryInput, d *store.SCIMDirectory) error {
	d.Name, d.Enabled, d.ConnectionID, d.Domains = in.Name, in.Enabled == nil || *in.Enabled, deref(in.Connection), nil
	rehearse(d, deref(in.DryRun), tx.Now())
	var err error
	if d.Domains, err = readDomains(deref(in.Domains)); err != nil {
		return err
	}
	if d.ConnectionID == "" {
		if len(d.Domains) == 0 {
			return invalid("/domains", "required", "a directory provides for addresses of its domains alone: name one, or a single sign-on whose domains it has")
		}
		return nil
	}
	if len(d.Domains) > 0 {
		return invalid("/domains", "invalid", "the domains are those of the single sign-on: leave them out")
	}
	c, err := tx.SSOConnection(ctx, d.ConnectionID)
	if store.IsNotFound(err) {
		return invalid("/connection", "reference", "there is no such single sign-on")
	}
	if err == nil && len(c.Domains) == 0 {
		return invalid("/connection", "invalid", "the single sign-on has no domains: give it one first")
	}
	d.Domains = c.Domains
	return err
}

// claimOwn claims the domains that a directory has itself.
func (h *Handlers) claimOwn(ctx context.Context, tx *store.Tx, d store.SCIMDirectory) error {
	if d.ConnectionID != "" {
		return nil
	}
	return h.claim(ctx, tx, d.Domains...)
}

// CreateScimDirectory makes a directory.
func (h *Handlers) CreateScimDirectory(ctx context.Context, r CreateScimDirectoryRequestObject) (CreateScimDirectoryResponseObject, error) {
	if err := authn.Require(ctx, "scim:create", authn.Scope{}); err != nil {
		return nil, err
	}
	made, err := create(ctx, h, func(tx *store.Tx) (ScimDirectory, error) {
		var d store.SCIMDirectory
		if err := readDirectory(ctx, tx, *r.Body, &d); err != nil {
			return ScimDirectory{}, err
		}
		if err := h.claimOwn(ctx, tx, d); err != nil {
			return ScimDirectory{}, err
		}
		if err := tx.CreateSCIMDirectory(ctx, &d); err != nil {
			return ScimDirectory{}, directoryTaken(err, d.Name)
		}
		return scimDirectoryOf(d, store.SCIMCounts{}), h.record(ctx, tx, "scim-directory.created", "scim-directory", d.ID, d.Name, nil, recordedDirectoryOf(d))
	})
	return CreateScimDirectory201JSONResponse{
		Body: made, Headers: CreateScimDirectory201ResponseHeaders{ETag: etag(made.Version), Location: location("scim/directories", made.Id)},
	}, err
}

// UpdateScimDirectory changes a directory. Whoever does vouches for what it does from
// now on.
func (h *Handlers) UpdateScimDirectory(ctx context.Context, r UpdateScimDirectoryRequestObject) (UpdateScimDirectoryResponseObject, error) {
	if err := authn.Require(ctx, "scim:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		d, err := tx.SCIMDirectory(ctx, r.Id)
		if err != nil {
			return err
		}
		before, run := recordedDirectoryOf(d), d.DryRun
		if err := readDirectory(ctx, tx, *r.Body, &d); err != nil {
			return err
		}
		d.Version = version
		if err := h.claimOwn(ctx, tx, d); err != nil {
			return err
		}
		if err := tx.SaveSCIMDirectory(ctx, &d); err != nil {
			return directoryTaken(err, d.Name)
		}
		if d.DryRun != run {
			if err := tx.EndSCIMRehearsal(ctx, d.ID); err != nil {
				return err
			}
		}
		if d.DryRun != "" && d.DryRun != run {
			if err := tx.ForgetSCIMOutcomes(ctx, d.ID); err != nil {
				return err
			}
		}
		return h.record(ctx, tx, "scim-directory.updated", "scim-directory", d.ID, d.Name, before, recordedDirectoryOf(d))
	})
	if err != nil {
		return nil, err
	}
	d, err := h.scimDirectory(ctx, h.mine(ctx), r.Id)
	return UpdateScimDirectory200JSONResponse{Body: d, Headers: UpdateScimDirectory200ResponseHeaders{ETag: etag(d.Version)}}, err
}

// DeleteScimDirectory deletes a directory.
func (h *Handlers) DeleteScimDirectory(ctx context.Context, r DeleteScimDirectoryRequestObject) (DeleteScimDirectoryResponseObject, error) {
	if err := authn.Require(ctx, "scim:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		d, err := tx.SCIMDirectory(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := tx.DeleteSCIMDirectory(ctx, d.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "scim-directory.deleted", "scim-directory", d.ID, d.Name, recordedDirectoryOf(d), nil)
	})
	return DeleteScimDirectory204Response{}, err
}

func scimTokenOf(k store.SCIMToken) ServiceToken {
	return ServiceToken{Id: k.ID, Name: k.Name, Hint: k.Hint, ExpiresAt: utc(k.ExpiresAt), LastUsedAt: utc(k.LastUsedAt), CreatedAt: k.CreatedAt.UTC(), CreatedBy: k.CreatedBy}
}

// ListScimTokens returns the tokens of a directory.
func (h *Handlers) ListScimTokens(ctx context.Context, r ListScimTokensRequestObject) (ListScimTokensResponseObject, error) {
	if err := authn.Require(ctx, "scim:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if _, err := org.SCIMDirectory(ctx, r.Id); err != nil {
		return nil, err
	}
	rows, err := org.SCIMTokens(ctx, r.Id)
	out := ServiceTokenList{Items: make([]ServiceToken, len(rows))}
	for i, k := range rows {
		out.Items[i] = scimTokenOf(k)
	}
	return ListScimTokens200JSONResponse(out), err
}

// CreateScimToken makes a token, which is in this answer only.
func (h *Handlers) CreateScimToken(ctx context.Context, r CreateScimTokenRequestObject) (CreateScimTokenResponseObject, error) {
	if err := authn.Require(ctx, "scim:update", authn.Scope{}); err != nil {
		return nil, err
	}
	expires := utc(r.Body.ExpiresAt)
	if expires != nil && !expires.After(h.store.Now()) {
		return nil, invalid("/expiresAt", "minimum", "it is over already: name a time in the future")
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createScimToken "+r.Id, r.Body, func(tx *store.Tx) (ServiceTokenCreated, error) {
		if err := tx.LockOrganization(ctx); err != nil { // others would make one too
			return ServiceTokenCreated{}, err
		}
		d, err := tx.SCIMDirectory(ctx, r.Id)
		if err != nil {
			return ServiceTokenCreated{}, err
		}
		if h.mayManage(ctx, tx, d.SavedBy) != nil {
			return ServiceTokenCreated{}, problem.New(problem.CodeAccessDenied, "the directory acts for whoever saved it, who may do more than you: save it yourself first")
		}
		there, err := tx.SCIMTokens(ctx, d.ID)
		if err != nil {
			return ServiceTokenCreated{}, err
		}
		if len(there) >= mostSCIMTokens {
			return ServiceTokenCreated{}, problem.New(problem.CodeConflict, "a directory has at most %d tokens, one of them to change to: revoke one first", mostSCIMTokens)
		}
		secret := token.NewSCIM()
		k := store.SCIMToken{DirectoryID: d.ID, Name: r.Body.Name, Hash: token.Hash(secret), Hint: token.Hint(secret), ExpiresAt: expires}
		if err := tx.CreateSCIMToken(ctx, &k); err != nil {
			return ServiceTokenCreated{}, err
		}
		out := scimTokenOf(k)
		return ServiceTokenCreated{
			Id: out.Id, Name: out.Name, Hint: out.Hint, ExpiresAt: out.ExpiresAt, CreatedAt: out.CreatedAt, CreatedBy: out.CreatedBy, Token: secret,
		}, h.record(ctx, tx, "scim-directory.token-created", "scim-directory", d.ID, d.Name, nil, out)
	})
	return CreateScimToken201JSONResponse(made), err
}

// DeleteScimToken revokes a token.
func (h *Handlers) DeleteScimToken(ctx context.Context, r DeleteScimTokenRequestObject) (DeleteScimTokenResponseObject, error) {
	if err := authn.Require(ctx, "scim:update", authn.Scope{}); err != nil {
		return nil, err
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		d, err := tx.SCIMDirectory(ctx, r.Id)
		if err != nil {
			return err
		}
		k, err := tx.DeleteSCIMToken(ctx, d.ID, r.Token)
		if err != nil {
			return err
		}
		return h.record(ctx, tx, "scim-directory.token-revoked", "scim-directory", d.ID, d.Name, scimTokenOf(k), nil)
	})
	return DeleteScimToken204Response{}, err
}
