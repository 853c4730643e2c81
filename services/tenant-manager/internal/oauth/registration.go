package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// initialPrefix begins the tokens by which programs register themselves, and
	// registrationPrefix those by which they change what they registered.
	initialPrefix      = "ghri_"
	registrationPrefix = "ghra_"
)

// NewInitialToken returns a token by which programs register themselves, and what
// of it is shown later.
func NewInitialToken() (plain, hint string) {
	plain = initialPrefix + random()
	return plain, plain[:len(initialPrefix)+4] + "…" + plain[len(plain)-4:]
}

var errRegistrationToken = &fosite.RFC6749Error{ErrorField: "invalid_token", DescriptionField: "The token is not one that is good for this.", CodeField: http.StatusUnauthorized}

// presented returns the bearer token of a request to the registration, after it has
// been held against who asks. It returns false where the request is answered.
func (s *realm) presented(w http.ResponseWriter, r *http.Request) (string, bool) {
	ip := httpx.LimitKey(r.Context())
	if wait := max(s.server.limits.address("register", ip), s.server.limits.waits("registration", ip)); wait > 0 {
		tooMany(w, r, wait)
		return "", false
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		s.refuseToken(w, r, false)
		return "", false
	}
	return token, true
}

// refuseToken answers a request to the registration whose token is missing, or is
// not good, which is held against the address.
func (s *realm) refuseToken(w http.ResponseWriter, r *http.Request, wrong bool) {
	if wrong {
		if err := s.server.limits.wrong(r.Context(), "registration", httpx.LimitKey(r.Context())); err != nil {
			s.refuse(w, r, err)
			return
		}
		s.recordRefused(r.Context(), "oauth-client.registered", "", "the token is not one that is good for this")
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse", error="invalid_token"`)
	} else {
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`)
	}
	fail(w, r, errRegistrationToken)
}

func (s *realm) readMetadata(w http.ResponseWriter, r *http.Request) (clientMetadata, bool) {
	doc, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, r, metadataError("The body cannot be read, or is too large."))
		return clientMetadata{}, false
	}
	m, err := parseMetadata(doc)
	if err == nil && m.CertificateBound && s.server.opt.Certificate == nil {
		err = metadataError("tls_client_certificate_bound_access_tokens: no certificates are taken here.")
	}
	if err != nil {
		fail(w, r, err)
		return m, false
	}
	return m, true
}

// register is the client registration endpoint (RFC 7591 section 3). Nobody
// registers without a token that an administrator made.
func (s *realm) register(w http.ResponseWriter, r *http.Request) {
	token, ok := s.presented(w, r)
	if !ok {
		return
	}
	ctx := r.Context()
	org := s.server.store.For(s.org.ID)
	initial, err := org.OAuthInitialTokenByHash(ctx, Hash(token))
	if errors.Is(err, db.ErrNotFound) {
		s.refuseToken(w, r, true)
		return
	}
	if err != nil {
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return
	}
	m, ok := s.readMetadata(w, r)
	if !ok {
		return
	}
	c := store.OAuthClient{TokenFormat: FormatJWT, AccessSeconds: int64(accessLifetime / time.Second), RefreshSeconds: int64(refreshLifetime / time.Second)}
	if err := m.into(&c, limitsOf{Scopes: initial.Scopes, GrantTypes: initial.GrantTypes, Audiences: initial.Audiences}); err != nil {
		fail(w, r, err)
		return
	}
	plain := registrationPrefix + random()
	c.RegistrationHash = Hash(plain)
	secretText, err := s.createRegistered(ctx, initial, &c)
	switch {
	case errors.Is(err, db.ErrNotFound): // the last use was somebody else's
		s.refuseToken(w, r, true)
		return
	case err != nil:
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return
	}
	s.tellRegistered(w, http.StatusCreated, c, plain, secretText)
}

// createRegistered makes a client that registers itself, with a secret where it has
// one. Names are made different.
func (s *realm) createRegistered(ctx context.Context, initial store.OAuthInitialToken, c *store.OAuthClient) (plain string, err error) {
	if c.Name == "" {
		c.Name = "Registered client"
	}
	name := c.Name
	actor := audit.Actor{Kind: "oauth-initial-token", ID: initial.ID, Name: initial.Name}
	for try := range 3 {
		if try > 0 {
			c.Name = name + " " + random()[:6]
		}
		err = s.server.store.Tx(ctx, s.org.ID, initial.ID, func(tx *store.Tx) error {
			used, err := tx.UseOAuthInitialToken(ctx, initial)
			if err != nil {
				return err
			}
			if !used {
				return db.ErrNotFound
			}
			if err := tx.CreateOAuthClient(ctx, c); err != nil {
				return err
			}
			if HasSecret(c.AuthMethod) {
				var hint string
				plain, hint = NewSecret()
				if err := tx.AddOAuthSecret(ctx, &store.OAuthSecret{ClientID: c.ID, Hash: Hash(plain), Hint: hint}, time.Time{}); err != nil {
					return err
				}
			}
			return s.server.audit(ctx, tx.DB(), service.Entry{
				Action: "oauth-client.registered", Target: audit.Target{Kind: "oauth-client", ID: c.ID, Name: c.Name}, Organization: s.org.ID, Actor: actor,
				After: metadataOf(*c),
			})
		})
		if !errors.Is(err, db.ErrDuplicate) {
			return plain, err
		}
	}
	return plain, err
}

// tellRegistered answers with what is registered (RFC 7591 section 3.2.1, RFC 7592
// section 3). The secret is in the first answer only.
func (s *realm) tellRegistered(w http.ResponseWriter, status int, c store.OAuthClient, token, plain string) {
	out := struct {
		clientMetadata
		Issued  int64  `json:"client_id_issued_at"`
		Secret  string `json:"client_secret,omitempty"`
		Expires *int   `json:"client_secret_expires_at,omitempty"`
		Token   string `json:"registration_access_token"`
		URI     string `json:"registration_client_uri"`
	}{clientMetadata: metadataOf(c), Issued: c.CreatedAt.Unix(), Secret: plain, Token: token, URI: s.issuer + "/register/" + c.ID}
	if plain != "" {
		out.Expires = new(int) // never
	}
	w.Header().Set("Cache-Control", "no-store")
	write(w, status, out)
}

// registration is the client configuration endpoint (RFC 7592).
func (s *realm) registration(w http.ResponseWriter, r *http.Request) {
	token, ok := s.presented(w, r)
	if !ok {
		return
	}
	ctx := r.Context()
	id := strings.TrimPrefix(r.URL.Path, "/oauth/"+s.org.Slug+"/register/")
	c, err := s.server.store.For(s.org.ID).OAuthClient(ctx, id)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return
	}
	// One that is not there, was not registered, or is disabled is told the same.
	if err != nil || !registeredWith(c, token) {
		s.refuseToken(w, r, true)
		return
	}
	switch r.Method {
	case http.MethodPut:
		s.updateRegistered(w, r, c.ID, token)
	case http.MethodDelete:
		err := s.server.store.Tx(ctx, s.org.ID, c.ID, func(tx *store.Tx) error {
			if err := tx.DeleteOAuthClient(ctx, c.ID, db.AnyVersion); err != nil {
				return err
			}
			return s.recordRegistered(ctx, tx, "oauth-client.deleted", c, metadataOf(c), nil)
		})
		if err != nil {
			s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
			return
		}
		s.server.Forget(c.ID)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	default:
		s.tellRegistered(w, http.StatusOK, c, token, "")
	}
}

// updateRegistered puts other metadata in place of those of a client (RFC 7592
// section 2.2). Of several at the same time each is done, one after the other: what
// counts is what the last one says, all of it.
func (s *realm) updateRegistered(w http.ResponseWriter, r *http.Request, id, token string) {
	ctx := r.Context()
	m, ok := s.readMetadata(w, r)
	if !ok {
		return
	}
	if m.ID != id {
		fail(w, r, metadataError("client_id is not that of the address."))
		return
	}
	var c store.OAuthClient
	err := s.server.store.Tx(ctx, s.org.ID, id, func(tx *store.Tx) error {
		var err error
		if c, err = tx.LockOAuthClient(ctx, id); err != nil {
			return err
		}
		if !registeredWith(c, token) {
			return db.ErrNotFound
		}
		return s.replaceRegistered(ctx, tx, &c, m)
	})
	var wrong *fosite.RFC6749Error
	switch {
	case err == nil:
		s.server.Forget(id)
		s.tellRegistered(w, http.StatusOK, c, token, "")
	case errors.Is(err, db.ErrNotFound): // it ended meanwhile
		s.refuseToken(w, r, true)
	case errors.Is(err, db.ErrDuplicate):
		fail(w, r, metadataError("There is another client of this client_name."))
	case errors.As(err, &wrong):
		fail(w, r, wrong)
	default:
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
	}
}

// registeredWith reports whether a token is that of a client which registered itself,
// and is active.
func registeredWith(c store.OAuthClient, token string) bool {
	return c.RegistrationHash != "" && c.Status == store.Active && secret.Equal(c.RegistrationHash, Hash(token))
}

func (s *realm) replaceRegistered(ctx context.Context, tx *store.Tx, c *store.OAuthClient, m clientMetadata) error {
	var kept registered
	if err := json.Unmarshal([]byte(c.Registration), &kept); err != nil {
		return fmt.Errorf("reading what a client registered: %w", err)
	}
	before := metadataOf(*c)
	if m.AuthMethod != c.AuthMethod {
		return metadataError("A client keeps its token_endpoint_auth_method, %s: register anew.", c.AuthMethod)
	}
	if m.Name == "" {
		m.Name = c.Name
	}
	if err := m.into(c, kept.Limits); err != nil {
		return err
	}
	if err := tx.SaveOAuthClient(ctx, c); err != nil {
		return err
	}
	// People allowed it to send them to the addresses that they were shown.
	if slices.ContainsFunc(c.RedirectURIs, func(u string) bool { return !slices.Contains(before.RedirectURIs, u) }) {
		if err := tx.ForgetOAuthConsents(ctx, c.ID); err != nil {
			return err
		}
	}
	return s.recordRegistered(ctx, tx, "oauth-client.updated", *c, before, metadataOf(*c))
}

func (s *realm) recordRegistered(ctx context.Context, tx *store.Tx, action string, c store.OAuthClient, before, after any) error {
	return s.server.audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: "oauth-client", ID: c.ID, Name: c.Name}, Organization: s.org.ID,
		Actor: audit.Actor{Kind: "oauth-client", ID: c.ID, Name: c.Name}, Before: before, After: after,
	})
}
