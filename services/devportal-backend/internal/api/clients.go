package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

// tokenServer is where the clients of an organization get their tokens.
type tokenServer struct {
	endpoint string
}

// tokenServer returns where clients get their tokens, if there is one among some
// credentials. Where tenant-manager is away the credentials are shown without it.
func (h *Handlers) tokenServer(ctx context.Context, organization string, list ...store.Credential) tokenServer {
	if !slices.ContainsFunc(list, func(c store.Credential) bool { return c.Kind == string(credential.OAuth2) }) {
		return tokenServer{}
	}
	at, err := bus.Ask(ctx, h.kit.Bus, tenant.TokenServer{Organization: organization})
	if err != nil {
		h.kit.Log.WarnContext(ctx, "OAuth2 clients are shown without the token endpoint", "err", err)
	}
	return tokenServer{at.TokenEndpoint}
}

// into tells of the token endpoint in a credential that needs it.
func (t tokenServer) into(c Credential) Credential {
	if c.Kind == CredentialKindOauth2 {
		c.TokenEndpoint = text(t.endpoint)
	}
	return c
}

// shown is what is shown once of a credential that was made.
type shown struct {
	key, secret string
	server      tokenServer
	// application is whose client was made at the authorization server; "" = none
	// was.
	application string
}

// show puts it into an answer.
func (s *shown) show(c *Credential) {
	c.Key, c.ClientSecret = text(s.key), text(s.secret)
}

// undone takes a client away again whose transaction failed, and returns why it did.
// What cannot be undone now is undone when all clients are looked at.
func (h *Handlers) undone(ctx context.Context, organization string, s shown, err error) error {
	if s.application == "" {
		return err
	}
	if e := h.clients.Application(context.WithoutCancel(ctx), organization, s.application); e != nil {
		h.kit.Log.WarnContext(ctx, "an OAuth2 client without credential is taken away later", "application", s.application, "err", e)
	}
	return err
}

func actorOf(p authn.Principal) audit.Actor {
	return audit.Actor{Kind: string(p.Kind), ID: p.Subject, Name: cmp.Or(p.Name, p.Email)}
}

// makeClient makes an OAuth2 client of an application, at the authorization server
// and here, and tells gateways of it. Nothing is written where the server cannot be
// reached.
func (h *Handlers) makeClient(ctx context.Context, tx *db.Tx, a store.Application, p authn.Principal, name string, expires *time.Time, out *shown) (store.Credential, error) {
	if h.kit.Hasher == nil {
		return store.Credential{}, errNoPepper
	}
	id, err := store.NewID()
	if err != nil {
		return store.Credential{}, err
	}
	s := tx.For(a.OrganizationID)
	out.application = a.ID // also where the answer is lost
	made, err := h.clients.Make(ctx, s, a, name, actorOf(p))
	if err != nil {
		return store.Credential{}, err
	}
	sum := sha256.Sum256([]byte(made.ClientID))
	now := h.kit.DB.Now()
	c := store.Credential{
		ID: id, OrganizationID: a.OrganizationID, ApplicationID: a.ID, Kind: string(credential.OAuth2), Name: name, Hint: made.Hint, Identifier: made.ClientID,
		Hash: h.kit.Hasher.Hash(made.ClientID), Digest: hex.EncodeToString(sum[:]), ExpiresAt: expires, Version: 1, CreatedAt: now, CreatedBy: p.Subject, UpdatedAt: now,
	}
	if err := store.CreateCredential(ctx, s, &c); err != nil {
		return c, err
	}
	out.secret, out.server = made.Secret, tokenServer{made.TokenEndpoint}
	return c, h.record(ctx, tx, service.Entry{Action: "credential.created", Target: target("credential", c.ID, a.Name+" / "+c.Name, ""), After: keyDetails(c)}, feedCredential(c))
}

// rotateClient gives an OAuth2 client another secret. The client stays: gateways do
// not notice.
func (h *Handlers) rotateClient(ctx context.Context, tx *db.Tx, a store.Application, p authn.Principal, c store.Credential, overlap int64, out *shown) (store.Credential, error) {
	before := keyDetails(c)
	ask, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	made, err := bus.Ask(ask, h.kit.Bus, tenant.RotateClient{
		Organization: a.OrganizationID, Application: a.ID, ClientID: c.Identifier, Overlap: overlap, Actor: actorOf(p),
	})
	if err != nil {
		return c, err
	}
	c.Hint, c.PreviousEndsAt = made.Hint, nil
	if overlap > 0 {
		c.PreviousEndsAt = ptr(h.kit.DB.Now().Add(time.Duration(overlap) * time.Second))
	}
	if err := store.SaveCredential(ctx, tx.For(a.OrganizationID), &c); err != nil {
		return c, err
	}
	out.secret, out.server = made.Secret, tokenServer{made.TokenEndpoint}
	return c, h.record(ctx, tx, service.Entry{Action: "credential.rotated", Target: target("credential", c.ID, a.Name+" / "+c.Name, ""), Before: before, After: keyDetails(c)})
}

// firstCredential makes a credential of the kind that a plan takes where an
// application has none that works. It is nil where nothing is made.
func (h *Handlers) firstCredential(ctx context.Context, tx *db.Tx, p authn.Principal, a store.Application, o offer, out *shown) (*Credential, error) {
	kind := credential.APIKey
	switch {
	case store.Own(o.plan, o.issuer):
		kind = credential.OAuth2
	case o.plan.Security != subscription.SecurityAPIKey:
		return nil, nil //nolint:nilnil // there is nothing to make
	}
	working, err := store.Working(ctx, tx.For(p.Organization), a.ID, h.kit.DB.Now())
	if err != nil || slices.ContainsFunc(working, func(c store.Credential) bool { return c.Kind == string(kind) }) {
		return nil, err
	}
	var c store.Credential
	if name := clipped(o.api.Name, 100); kind == credential.OAuth2 {
		c, err = h.makeClient(ctx, tx, a, p, name, nil, out)
	} else {
		out.key, c, err = h.makeKey(ctx, tx, a, p, name, "", nil)
	}
	if err != nil {
		return nil, err
	}
	return ptr(out.server.into(h.credentialOf(c))), nil
}

// tokenOf returns an access token with which the portal calls for an application: of
// the newest client of it that works. The client's own secret is known to nobody
// here.
func (h *Handlers) tokenOf(ctx context.Context, s *db.Scope, a store.Application) (tryKey, error) {
	now := h.kit.DB.Now()
	cached := a.ID + "/token"
	if k, ok := h.tries.get(cached, now); ok {
		if c, err := store.FindCredential(ctx, s, k.credential, false); err == nil && c.Works(now) {
			return k, nil
		}
	}
	working, err := store.Working(ctx, s, a.ID, now)
	if err != nil {
		return tryKey{}, err
	}
	slices.Reverse(working) // the newest first
	i := slices.IndexFunc(working, func(c store.Credential) bool { return c.Kind == string(credential.OAuth2) })
	if i < 0 {
		return tryKey{}, problem.New(problem.CodeConflict, "the application %s has no OAuth 2.0 client: make one under its credentials first", a.Name)
	}
	token, err := bus.Ask(ctx, h.kit.Bus, tenant.ClientToken{Organization: a.OrganizationID, Application: a.ID, ClientID: working[i].Identifier})
	if err != nil {
		return tryKey{}, err
	}
	k := tryKey{key: token.Token, credential: working[i].ID, made: now, ends: token.ExpiresAt}
	h.tries.put(cached, k, now)
	return k, nil
}
