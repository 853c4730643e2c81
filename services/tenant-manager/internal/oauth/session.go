package oauth

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"
)

// confirmation is what a token is bound to (RFC 7800).
type confirmation struct {
	// JKT is the thumbprint of a key (RFC 9449 section 6.1).
	JKT string `json:"jkt,omitempty"`
	// X5T is the thumbprint of a certificate (RFC 8705 section 3.1).
	X5T string `json:"x5t#S256,omitempty"`
}

// actor is who acts for the subject (RFC 8693 section 4.1).
type actor struct {
	Subject string `json:"sub"`
	Actor   *actor `json:"act,omitempty"`
}

// session is what goes with a request from its beginning to its tokens.
type session struct {
	// Subject is the id of a user, or "" for a client on its own behalf.
	Subject string `json:"subject,omitempty"`
	// Session is that of the user which allowed it.
	Session string `json:"session,omitempty"`
	// TokenID, IssuedAt and Until are those of an access token that was read.
	TokenID  string    `json:"tokenId,omitempty"`
	IssuedAt time.Time `json:"issuedAt,omitzero"`
	Until    time.Time `json:"until,omitzero"`

	// Behalf is the id of the client that another acts for; "" for users, and
	// clients that act for themselves.
	Behalf string `json:"behalf,omitempty"`
	// NotAfter bounds the life of a token that came of another, and From are the ids
	// of those that it came of: it ends with each of them.
	NotAfter time.Time `json:"notAfter,omitzero"`
	From     []string  `json:"from,omitempty"`

	Confirm confirmation                   `json:"cnf,omitzero"`
	Actor   *actor                         `json:"act,omitempty"`
	Expires map[fosite.TokenType]time.Time `json:"expires,omitempty"`
	Claims  *jwt.IDTokenClaims             `json:"claims,omitempty"`
	// Algorithm is what the ID token is signed with.
	Algorithm string `json:"algorithm,omitempty"`
}

var _ openid.Session = (*session)(nil)

func newSession() *session { return &session{Claims: &jwt.IDTokenClaims{}} }

func (s *session) SetExpiresAt(key fosite.TokenType, t time.Time) {
	if s.Expires == nil {
		s.Expires = map[fosite.TokenType]time.Time{}
	}
	s.Expires[key] = t
}

func (s *session) GetExpiresAt(key fosite.TokenType) time.Time { return s.Expires[key] }

func (s *session) GetUsername() string { return "" }

func (s *session) GetSubject() string { return s.Subject }

func (s *session) IDTokenClaims() *jwt.IDTokenClaims {
	if s.Claims == nil {
		s.Claims = &jwt.IDTokenClaims{}
	}
	return s.Claims
}

// IDTokenHeaders says with which hash at_hash is made: that of the signature
// (OpenID Connect Core section 3.1.3.6), which for Ed25519 is SHA-512.
func (s *session) IDTokenHeaders() *jwt.Headers {
	alg := s.Algorithm
	if alg != RS256 {
		alg = "Ed512" // fosite reads the digits
	}
	return &jwt.Headers{Extra: map[string]any{"alg": alg}}
}

// Clone returns a copy that shares nothing that changes.
func (s *session) Clone() fosite.Session {
	c := *s
	c.Expires = maps.Clone(s.Expires)
	if s.Claims != nil {
		claims := *s.Claims
		claims.Audience = slices.Clone(claims.Audience)
		claims.Extra = maps.Clone(claims.Extra)
		c.Claims = &claims
	}
	return &c
}

// kept is a request as it is kept between two steps.
type kept struct {
	ID          string     `json:"id"`
	Client      string     `json:"client"`
	RequestedAt time.Time  `json:"requestedAt"`
	Scopes      []string   `json:"scopes,omitempty"`
	Granted     []string   `json:"granted,omitempty"`
	Audience    []string   `json:"audience,omitempty"`
	GrantedAud  []string   `json:"grantedAudience,omitempty"`
	Form        url.Values `json:"form,omitempty"`
	Session     *session   `json:"session"`
}

func encode(r fosite.Requester) (string, error) {
	s, _ := r.GetSession().(*session)
	b, err := json.Marshal(kept{
		ID: r.GetID(), Client: r.GetClient().GetID(), RequestedAt: r.GetRequestedAt(), Scopes: r.GetRequestedScopes(), Granted: r.GetGrantedScopes(),
		Audience: r.GetRequestedAudience(), GrantedAud: r.GetGrantedAudience(), Form: r.GetRequestForm(), Session: s,
	})
	return string(b), err
}

func (k kept) request(c fosite.Client) *fosite.Request {
	s := k.Session
	if s == nil {
		s = newSession()
	}
	return &fosite.Request{
		ID: k.ID, RequestedAt: k.RequestedAt, Client: c, RequestedScope: k.Scopes, GrantedScope: k.Granted,
		RequestedAudience: k.Audience, GrantedAudience: k.GrantedAud, Form: k.Form, Session: s,
	}
}
