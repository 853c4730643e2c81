package oauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"

	"github.com/gatehouse/gatehouse/libs/httpx"
)

const (
	// deviceLifetime is how long somebody may take to enter the code that a device
	// shows.
	deviceLifetime = 10 * time.Minute
	// pollEvery is how long a device waits between two questions.
	pollEvery = 5 * time.Second
	// devicePrefix begins every device code.
	devicePrefix = "ghd_"
	// userCodeLetters are those of user codes: no vowels, so that no words come of
	// them, and nothing that looks like something else (RFC 8628 section 6.1).
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// deviceRequest is what a device asked for (RFC 8628 section 3.1).
type deviceRequest struct {
	ID          string    `json:"id"`
	Client      string    `json:"client"`
	Slug        string    `json:"slug"`
	Scopes      []string  `json:"scopes,omitempty"`
	Audience    []string  `json:"audience,omitempty"`
	RequestedAt time.Time `json:"requestedAt"`
	Until       time.Time `json:"until"`
}

// oauthError is an error of an extension, answered 400.
func oauthError(code, description string) *fosite.RFC6749Error {
	return &fosite.RFC6749Error{ErrorField: code, DescriptionField: description, CodeField: http.StatusBadRequest}
}

// deviceAuthorization is the device authorization endpoint (RFC 8628 section 3.1).
func (s *realm) deviceAuthorization(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r) {
		return
	}
	ctx := r.Context()
	if wait := s.server.limits.address("device", httpx.LimitKey(ctx)); wait > 0 {
		tooMany(w, r, wait)
		return
	}
	if err := keepable(r.PostForm); err != nil {
		s.refuse(w, r, err)
		return
	}
	by, err := s.provider.AuthenticateClient(ctx, r, r.PostForm)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	c, _ := by.(*client)
	if c == nil || !slices.Contains(c.GrantTypes, GrantDevice) {
		s.refuse(w, r, fosite.ErrUnauthorizedClient.WithHint("This client is not allowed the device grant."))
		return
	}
	req := deviceRequest{ID: random(), Client: c.ID, Slug: s.org.Slug, RequestedAt: s.server.now().UTC(), Scopes: strings.Fields(r.PostForm.Get("scope")), Audience: fosite.GetAudiences(r.PostForm)}
	req.Until = req.RequestedAt.Add(deviceLifetime)
	for _, scope := range req.Scopes {
		if !slices.Contains(c.Scopes, scope) {
			s.refuse(w, r, fosite.ErrInvalidScope.WithHintf("This client is not allowed the scope %q.", scope))
			return
		}
	}
	if err := fosite.ExactAudienceMatchingStrategy(c.GetAudience(), req.Audience); err != nil {
		s.refuse(w, r, err)
		return
	}
	if _, err := audience(c, req.Scopes, req.Audience); err != nil {
		s.refuse(w, r, err)
		return
	}
	device, user, err := s.keepDevice(ctx, req)
	if err != nil {
		s.refuse(w, r, fosite.ErrTemporarilyUnavailable.WithWrap(err))
		return
	}
	page := s.server.url + "/device"
	w.Header().Set("Cache-Control", "no-store")
	write(w, http.StatusOK, map[string]any{
		"device_code": device, "user_code": user, "verification_uri": page, "verification_uri_complete": page + "?" + url.Values{"code": {user}}.Encode(),
		"expires_in": int(deviceLifetime / time.Second), "interval": int(pollEvery / time.Second),
	})
}

// keepDevice keeps what a device asked for, under the two codes that it is told.
func (s *realm) keepDevice(ctx context.Context, req deviceRequest) (device, user string, err error) {
	device = devicePrefix + random()
	for range 10 { // of some 25 thousand million
		user = newUserCode()
		added, err := s.server.short.Add(ctx, s.key("usercode", Hash(userCode(user))), Hash(device), deviceLifetime)
		if err != nil {
			return "", "", err
		}
		if !added {
			continue
		}
		// It is known for a while after its end, so that the device is told so.
		return device, user, s.server.short.Put(ctx, s.key("device", Hash(device)), jsonText(req), 2*deviceLifetime)
	}
	return "", "", errNoCode
}

func newUserCode() string {
	out := make([]byte, 0, userCodeLength+1)
	var b [1]byte
	for len(out) < userCodeLength+1 {
		if len(out) == userCodeLength/2 {
			out = append(out, '-')
			continue
		}
		_, _ = rand.Read(b[:]) // never fails
		if int(b[0]) < 256/len(userCodeLetters)*len(userCodeLetters) {
			out = append(out, userCodeLetters[int(b[0])%len(userCodeLetters)])
		}
	}
	return string(out)
}

// userCode returns a user code in the form to compare: people write small letters,
// and leave out the hyphen or write something else.
func userCode(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		if strings.ContainsRune(userCodeLetters, r) {
			return r
		}
		return -1
	}, text[:min(len(text), 64)])
}

// deviceGrant gives a device its tokens (RFC 8628 section 3.4).
type deviceGrant struct {
	*realm
	helper   *oauth2.HandleHelper
	strategy strategy
	storage  storage
	identity *openid.IDTokenHandleHelper
}

var _ fosite.TokenEndpointHandler = (*deviceGrant)(nil)

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*deviceGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*deviceGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(GrantDevice)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (d *deviceGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !d.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	if !r.GetClient().GetGrantTypes().Has(GrantDevice) {
		return fosite.ErrUnauthorizedClient.WithHint("This client is not allowed the device grant.")
	}
	k, err := d.decided(ctx, Hash(r.GetRequestForm().Get("device_code")), r.GetClient().GetID())
	if err != nil {
		return err
	}
	r.SetID(k.ID)
	r.SetSession(k.Session)
	r.SetRequestedScopes(k.Scopes)
	r.SetRequestedAudience(k.Audience)
	for _, scope := range k.Granted {
		r.GrantScope(scope)
	}
	for _, audience := range k.GrantedAud {
		r.GrantAudience(audience)
	}
	return nil
}

// decided returns what was allowed a device, once, or says how it stands.
func (d *deviceGrant) decided(ctx context.Context, hash, client string) (kept, error) {
	short := d.server.short
	away := func(err error) error { return fosite.ErrTemporarilyUnavailable.WithWrap(err) }
	text, ok, err := short.Get(ctx, d.key("device", hash))
	var asked deviceRequest
	switch {
	case err != nil:
		return kept{}, away(err)
	case !ok || json.Unmarshal([]byte(text), &asked) != nil || asked.Client != client:
		return kept{}, fosite.ErrInvalidGrant.WithHint("There is no such device_code of this client.")
	case !d.server.now().Before(asked.Until):
		return kept{}, oauthError("expired_token", "Nobody has entered the code in time: begin again.")
	}
	// A moment less, since clocks and networks are not exact.
	added, err := short.Add(ctx, d.key("polled", hash), "", pollEvery-time.Second)
	switch {
	case err != nil:
		return kept{}, away(err)
	case !added:
		return kept{}, oauthError("slow_down", "The device asks too often: wait five seconds more between two questions.")
	}
	text, ok, err = short.Get(ctx, d.key("decided", hash))
	switch {
	case err != nil:
		return kept{}, away(err)
	case !ok:
		return kept{}, oauthError("authorization_pending", "Nobody has decided yet.")
	}
	if _, ok, err = short.Take(ctx, d.key("device", hash)); err != nil || !ok { // of two that ask, one is told
		if err != nil {
			return kept{}, away(err)
		}
		return kept{}, fosite.ErrInvalidGrant.WithHint("The device_code was used before.")
	}
	var k kept
	if text == "" {
		return k, fosite.ErrAccessDenied.WithDescription("The user did not allow it.")
	}
	if err := json.Unmarshal([]byte(text), &k); err != nil || k.Session == nil {
		return k, fosite.ErrServerError.WithWrap(err)
	}
	return k, nil
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (d *deviceGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, res fosite.AccessResponder) error {
	if !d.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	signature, err := d.helper.IssueAccessToken(ctx, accessLifetime, r, res)
	if err != nil {
		return err
	}
	if r.GetGrantedScopes().Has("offline_access") && r.GetClient().GetGrantTypes().Has(GrantRefresh) {
		token, hash, err := d.strategy.GenerateRefreshToken(ctx, r)
		if err != nil {
			return err
		}
		if err := d.storage.CreateRefreshTokenSession(ctx, hash, signature, r.Sanitize([]string{})); err != nil {
			return err
		}
		res.SetExtra("refresh_token", token)
	}
	if in, _ := r.GetSession().(*session); in != nil && r.GetGrantedScopes().Has("openid") {
		in.IDTokenClaims().AccessTokenHash = d.identity.GetAccessTokenHash(ctx, r, res)
		return d.identity.IssueExplicitIDToken(ctx, idLifetime, r, res)
	}
	return nil
}
