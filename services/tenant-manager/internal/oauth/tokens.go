package oauth

import (
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	fositejwt "github.com/ory/fosite/token/jwt"
)

// The prefixes of what the authorization server gives out, so that scanners for
// leaked secrets find them.
const (
	accessPrefix  = "gha_"
	refreshPrefix = "ghrt_"
	codePrefix    = "ghc_"
)

const (
	accessLifetime  = 10 * time.Minute
	refreshLifetime = 30 * 24 * time.Hour
	codeLifetime    = time.Minute
	idLifetime      = time.Hour
	// LongestAccess bounds the life of an access token: a revocation is kept for
	// as long, and a key is published for as long after it signed.
	LongestAccess = 24 * time.Hour
)

// accessType is the typ of an access token (RFC 9068 section 2.1).
const accessType = "at+jwt"

// accessClaims are those of an access token (RFC 9068 section 2.2).
type accessClaims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience jwt.ClaimStrings `json:"aud"`
	Expires  int64            `json:"exp"`
	Issued   int64            `json:"iat"`
	ID       string           `json:"jti"`
	Client   string           `json:"client_id"`
	Scope    string           `json:"scope,omitempty"`
	AuthTime int64            `json:"auth_time,omitempty"`
	ACR      string           `json:"acr,omitempty"`
	AMR      []string         `json:"amr,omitempty"`
	Confirm  *confirmation    `json:"cnf,omitempty"`
	Actor    *actor           `json:"act,omitempty"`
	// SessionID is the session of the user, in tokens that the product itself takes.
	SessionID string `json:"sid,omitempty"`
	// From are the ids of the tokens that it was exchanged for.
	From []string `json:"gatehouse_from,omitempty"`
}

func (c accessClaims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires), nil }
func (c accessClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return date(c.Issued), nil }
func (c accessClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil } //nolint:nilnil // there is none
func (c accessClaims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c accessClaims) GetSubject() (string, error)                  { return c.Subject, nil }
func (c accessClaims) GetAudience() (jwt.ClaimStrings, error)       { return c.Audience, nil }

func date(seconds int64) *jwt.NumericDate { return jwt.NewNumericDate(time.Unix(seconds, 0)) }

// strategy makes and reads what the authorization server of one organization
// gives out.
type strategy struct {
	*realm
}

var (
	_ oauth2.CoreStrategy               = strategy{}
	_ openid.OpenIDConnectTokenStrategy = strategy{}
	_ fositejwt.Signer                  = strategy{}
)

func method(algorithm string) jwt.SigningMethod {
	if algorithm == RS256 {
		return jwt.SigningMethodRS256
	}
	return jwt.SigningMethodEdDSA
}

func (s strategy) sign(ctx context.Context, algorithm, typ string, claims jwt.Claims) (string, error) {
	if algorithm == "" {
		algorithm = EdDSA
	}
	key, err := s.server.keys.signer(ctx, s.org.ID, algorithm)
	if err != nil {
		return "", err
	}
	t := jwt.NewWithClaims(method(algorithm), claims)
	t.Header["kid"], t.Header["typ"] = key.ID, typ
	return t.SignedString(key.private)
}

// verify reads a token that this organization's keys signed; its times are not
// looked at.
func (s strategy) verify(ctx context.Context, token, typ string, into jwt.Claims) error {
	var away error
	parser := jwt.NewParser(jwt.WithValidMethods([]string{EdDSA, RS256}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(token, into, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		if has, _ := t.Header["typ"].(string); !strings.EqualFold(has, typ) {
			return nil, errors.New("it is of another type")
		}
		k, ok, err := s.server.keys.byID(ctx, s.org.ID, id)
		switch {
		case err != nil:
			away = err
			return nil, err
		case !ok || k.Algorithm != t.Method.Alg():
			return nil, errKey
		}
		return k.private.Public(), nil
	})
	if away != nil {
		return away
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errToken, err)
	}
	return nil
}

// errToken says that a token is not one of ours.
var errToken = errors.New("the token is not right")

// errKey says that the key of a token is not one that is kept: it may never have been.
var errKey = errors.New("its key is not known")

func isJWT(token string) bool { return strings.Count(token, ".") == 2 }

// GenerateAccessToken returns an access token and under what it is found.
func (s strategy) GenerateAccessToken(ctx context.Context, r fosite.Requester) (token, signature string, err error) {
	c, _ := r.GetClient().(*client)
	in, _ := r.GetSession().(*session)
	if c == nil || in == nil {
		return "", "", errors.New("a request without a client or a session")
	}
	now := s.server.now()
	life := c.GetEffectiveLifespan("", fosite.AccessToken, accessLifetime)
	in.TokenID, in.IssuedAt, in.Until = r.GetID()+"."+random()[:16], now, now.Add(life)
	if !in.NotAfter.IsZero() && in.Until.After(in.NotAfter) {
		in.Until = in.NotAfter
	}
	if c.TokenFormat == FormatOpaque {
		token = accessPrefix + random()
		return token, Hash(token), nil
	}
	token, err = s.sign(ctx, c.Algorithm, accessType, s.claims(r, c, in))
	return token, token, err
}

func (s strategy) claims(r fosite.Requester, c *client, in *session) accessClaims {
	out := accessClaims{
		Issuer: s.issuer, Subject: in.Subject, Audience: jwt.ClaimStrings(r.GetGrantedAudience()), Expires: in.Until.Unix(), Issued: in.IssuedAt.Unix(),
		ID: in.TokenID, Client: c.ID, Scope: strings.Join(r.GetGrantedScopes(), " "), Actor: in.Actor, From: in.From,
	}
	if out.Subject == "" { // RFC 9068 section 2.2
		out.Subject = cmp.Or(in.Behalf, c.ID)
	}
	if c.app || r.GetGrantedScopes().Has(Scope) {
		out.SessionID = in.Session
	}
	if len(out.Audience) == 0 {
		out.Audience = jwt.ClaimStrings{s.issuer}
	}
	if in.Confirm != (confirmation{}) {
		out.Confirm = &in.Confirm
	}
	if in.Subject != "" && in.Claims != nil {
		out.AMR, out.ACR = in.Claims.AuthenticationMethodsReferences, in.Claims.AuthenticationContextClassReference
		if !in.Claims.AuthTime.IsZero() {
			out.AuthTime = in.Claims.AuthTime.Unix()
		}
	}
	return out
}

// subject returns the sub of an access token that was read.
func (s strategy) subject(r fosite.Requester) string {
	in, _ := r.GetSession().(*session)
	if in == nil {
		return r.GetClient().GetID()
	}
	return cmp.Or(in.Subject, in.Behalf, r.GetClient().GetID())
}

// AccessTokenSignature returns under what an access token is found: one that
// says everything itself under its own text.
func (s strategy) AccessTokenSignature(_ context.Context, token string) string {
	if isJWT(token) {
		return token
	}
	return Hash(token)
}

// ValidateAccessToken holds the life of a token against the clock.
func (s strategy) ValidateAccessToken(_ context.Context, r fosite.Requester, _ string) error {
	in, _ := r.GetSession().(*session)
	if in == nil || !s.server.now().Before(in.Until) {
		return fosite.ErrTokenExpired
	}
	return nil
}

// read returns the request that a signed access token came of.
func (s strategy) read(ctx context.Context, token string) (*fosite.Request, error) {
	var c accessClaims
	if err := s.verify(ctx, token, accessType, &c); err != nil {
		return nil, err
	}
	id, _, _ := strings.Cut(c.ID, ".")
	if c.Issuer != s.issuer || id == "" {
		return nil, errToken
	}
	by, err := s.server.client(ctx, s.org.ID, c.Client)
	if err != nil {
		return nil, err
	}
	in := newSession()
	in.Session = c.SessionID
	in.TokenID, in.IssuedAt, in.Until, in.Actor, in.From = c.ID, time.Unix(c.Issued, 0), time.Unix(c.Expires, 0), c.Actor, c.From
	if c.Confirm != nil {
		in.Confirm = *c.Confirm
	}
	if c.Actor != nil { // of somebody else, who may be a client as well
		switch _, err := s.server.client(ctx, s.org.ID, c.Subject); {
		case err == nil:
			in.Behalf = c.Subject
		case !errors.Is(err, fosite.ErrNotFound):
			return nil, err
		}
	}
	if c.Subject != c.Client && in.Behalf == "" {
		in.Subject = c.Subject
		in.Claims.Subject = c.Subject
	}
	if c.AuthTime != 0 {
		in.Claims.AuthTime = time.Unix(c.AuthTime, 0).UTC()
	}
	in.Claims.AuthenticationContextClassReference, in.Claims.AuthenticationMethodsReferences = c.ACR, c.AMR
	return &fosite.Request{
		ID: id, RequestedAt: in.IssuedAt, Client: by, Session: in, GrantedScope: strings.Fields(c.Scope), GrantedAudience: fosite.Arguments(c.Audience),
	}, nil
}

// RefreshTokenSignature returns under what a refresh token is kept.
func (s strategy) RefreshTokenSignature(_ context.Context, token string) string { return Hash(token) }

// GenerateRefreshToken returns a refresh token and its hash.
func (s strategy) GenerateRefreshToken(context.Context, fosite.Requester) (token, signature string, err error) {
	token = refreshPrefix + random()
	return token, Hash(token), nil
}

// ValidateRefreshToken has nothing to do: one that ran out is not found.
func (s strategy) ValidateRefreshToken(context.Context, fosite.Requester, string) error { return nil }

// AuthorizeCodeSignature returns under what a code is kept.
func (s strategy) AuthorizeCodeSignature(_ context.Context, token string) string { return Hash(token) }

// GenerateAuthorizeCode returns a code and its hash.
func (s strategy) GenerateAuthorizeCode(context.Context, fosite.Requester) (token, signature string, err error) {
	token = codePrefix + random()
	return token, Hash(token), nil
}

// ValidateAuthorizeCode has nothing to do: one that ran out is not found.
func (s strategy) ValidateAuthorizeCode(context.Context, fosite.Requester, string) error { return nil }

// GenerateIDToken returns an ID token (OpenID Connect Core section 2).
func (s strategy) GenerateIDToken(ctx context.Context, _ time.Duration, r fosite.Requester) (string, error) {
	c, _ := r.GetClient().(*client)
	in, _ := r.GetSession().(*session)
	if c == nil || in == nil || in.Subject == "" {
		return "", errors.New("an ID token of nobody")
	}
	now := s.server.now()
	of := *in.IDTokenClaims()
	claims := jwt.MapClaims{
		"iss": s.issuer, "sub": in.Subject, "aud": c.ID, "iat": now.Unix(), "exp": now.Add(idLifetime).Unix(), "auth_time": of.AuthTime.Unix(),
		"azp": c.ID, "sid": in.Session,
	}
	for name, value := range map[string]string{
		"nonce": r.GetRequestForm().Get("nonce"), "at_hash": of.AccessTokenHash, "acr": of.AuthenticationContextClassReference,
	} {
		if value != "" {
			claims[name] = value
		}
	}
	if len(of.AuthenticationMethodsReferences) > 0 {
		claims["amr"] = of.AuthenticationMethodsReferences
	}
	about, err := s.about(ctx, in.Subject, r.GetGrantedScopes())
	if err != nil {
		return "", err
	}
	for name, value := range about {
		claims[name] = value
	}
	return s.sign(ctx, c.Algorithm, "JWT", claims)
}

// about returns what the scopes tell of a user (OpenID Connect Core section 5.4).
func (s strategy) about(ctx context.Context, user string, scopes fosite.Arguments) (map[string]any, error) {
	out := map[string]any{}
	if !scopes.HasOneOf("profile", "email") {
		return out, nil
	}
	u, err := s.server.store.For(s.org.ID).User(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("reading a user: %w", err)
	}
	if scopes.Has("profile") {
		out["name"], out["updated_at"] = u.Name, u.UpdatedAt.Unix()
	}
	if scopes.Has("email") && u.Email != "" {
		// People come in by an invitation that was sent to the address.
		out["email"], out["email_verified"] = u.Email, true
	}
	return out, nil
}

// Hash implements fosite's jwt.Signer: it is for at_hash.
func (s strategy) Hash(_ context.Context, in []byte) ([]byte, error) {
	h := crypto.SHA256.New()
	_, _ = h.Write(in) // never fails
	return h.Sum(nil), nil
}

// Decode implements fosite's jwt.Signer: it reads the id_token_hint.
func (s strategy) Decode(ctx context.Context, token string) (*fositejwt.Token, error) {
	claims := jwt.MapClaims{}
	if err := s.verify(ctx, token, "JWT", claims); err != nil {
		return nil, err
	}
	if claims["iss"] != s.issuer {
		return nil, errToken
	}
	return &fositejwt.Token{Claims: fositejwt.MapClaims(claims)}, nil
}

// GetSigningMethodLength implements fosite's jwt.Signer.
func (s strategy) GetSigningMethodLength(context.Context) int { return crypto.SHA256.Size() }

var errUnused = errors.New("this is not used")

// Generate implements fosite's jwt.Signer; nothing asks for it.
func (s strategy) Generate(context.Context, fositejwt.MapClaims, fositejwt.Mapper) (string, string, error) {
	return "", "", errUnused
}

// Validate implements fosite's jwt.Signer; nothing asks for it.
func (s strategy) Validate(context.Context, string) (string, error) { return "", errUnused }

// GetSignature implements fosite's jwt.Signer; nothing asks for it.
func (s strategy) GetSignature(context.Context, string) (string, error) { return "", errUnused }

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
