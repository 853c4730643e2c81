package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// userinfo says who an access token is about (OpenID Connect Core section 5.3).
func (s *realm) userinfo(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	challenge := func(code string) {
		value := `Bearer realm="gatehouse"`
		if code != "" {
			value += `, error="` + code + `"`
		}
		w.Header().Set("WWW-Authenticate", value)
	}
	bound := strings.EqualFold(scheme, "DPoP")
	if token = strings.TrimSpace(token); token == "" || !bound && !strings.EqualFold(scheme, "Bearer") {
		challenge("")
		fail(w, r, fosite.ErrRequestUnauthorized.WithHint("Send the access token in the header Authorization."))
		return
	}
	ip := httpx.LimitKey(ctx)
	if wait := s.server.limits.spent("userinfo", ip); wait > 0 {
		tooMany(w, r, wait)
		return
	}
	_, req, err := s.provider.IntrospectToken(ctx, token, fosite.AccessToken, newSession())
	if err != nil && !expected(err) {
		s.refuse(w, r, err)
		return
	}
	var in *session
	if err == nil {
		in, _ = req.GetSession().(*session)
	}
	invalid := &fosite.RFC6749Error{ErrorField: "invalid_token", DescriptionField: "The access token is not valid, or is not about a user.", CodeField: http.StatusUnauthorized}
	if in == nil || in.Subject == "" || strings.HasPrefix(token, refreshPrefix) || bound != (in.Confirm.JKT != "") ||
		in.Confirm.X5T != "" && !s.shows(r, in.Confirm.X5T) {
		s.server.limits.address("userinfo", ip)
		challenge("invalid_token")
		fail(w, r, invalid)
		return
	}
	if bound {
		of, _ := req.GetClient().(*client)
		c, err := s.proven(w, r, r.Header.Get("DPoP"), "userinfo", token, of != nil && of.DPoPNonce)
		if isNonce(err) { // RFC 9449 section 9
			w.Header().Set("WWW-Authenticate", `DPoP realm="gatehouse", error="use_dpop_nonce"`)
			fail(w, r, &fosite.RFC6749Error{ErrorField: "use_dpop_nonce", DescriptionField: nonceHint, CodeField: http.StatusUnauthorized})
			return
		}
		if err != nil || c.JKT != in.Confirm.JKT {
			s.server.limits.address("userinfo", ip)
			w.Header().Set("WWW-Authenticate", `DPoP realm="gatehouse", error="invalid_token"`)
			fail(w, r, invalid)
			return
		}
	}
	if !req.GetGrantedScopes().Has("openid") {
		challenge("insufficient_scope")
		fail(w, r, &fosite.RFC6749Error{ErrorField: "insufficient_scope", DescriptionField: "The access token lacks the scope openid.", CodeField: http.StatusForbidden})
		return
	}
	if err := s.stands(ctx, in.Subject); err != nil {
		if !errors.Is(err, fosite.ErrInvalidGrant) {
			s.refuse(w, r, err)
			return
		}
		challenge("invalid_token")
		fail(w, r, invalid)
		return
	}
	out, err := (strategy{s}).about(ctx, in.Subject, req.GetGrantedScopes())
	if err != nil {
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return
	}
	out["sub"] = in.Subject
	w.Header().Set("Cache-Control", "no-store")
	write(w, http.StatusOK, out)
}

// logout ends the session that an ID token came of, and leads back to the client
// (OpenID Connect RP-Initiated Logout). Without an ID token of ours nothing is
// ended: a page of another site must not sign anybody out.
func (s *realm) logout(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		s.page(w, r, fosite.ErrInvalidRequest)
		return
	}
	done := s.server.url + "/signed-out"
	hint := r.Form.Get("id_token_hint")
	if hint == "" {
		redirect(w, done+"?"+url.Values{"ask": {"1"}}.Encode())
		return
	}
	ip := httpx.LimitKey(ctx)
	if wait := s.server.limits.spent("logout", ip); wait > 0 {
		s.slow(w, r, wait)
		return
	}
	claims := jwt.MapClaims{}
	err := (strategy{s}).verify(ctx, hint, "JWT", claims)
	if err != nil && !errors.Is(err, errToken) {
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return
	}
	id, _ := claims["aud"].(string)
	if err != nil || claims["iss"] != s.issuer || r.Form.Get("client_id") != "" && r.Form.Get("client_id") != id {
		s.server.limits.address("logout", ip)
		s.page(w, r, fosite.ErrInvalidRequest.WithHint("id_token_hint is not an ID token of this issuer for this client."))
		return
	}
	c, err := s.server.client(ctx, s.org.ID, id)
	if err != nil {
		s.page(w, r, fosite.ErrInvalidRequest.WithHint("The client of the ID token is not there any more."))
		return
	}
	to := r.Form.Get("post_logout_redirect_uri")
	if to != "" && !slices.Contains(c.LogoutURIs, to) {
		s.page(w, r, fosite.ErrInvalidRequest.WithHint("post_logout_redirect_uri is not one that the client has registered."))
		return
	}
	user, _ := claims["sub"].(string)
	sid, _ := claims["sid"].(string)
	if err := s.end(withActor(ctx, c), user, sid); err != nil {
		s.refuse(w, r, err)
		return
	}
	if to == "" {
		redirect(w, done)
		return
	}
	back, err := url.Parse(to)
	if err != nil {
		s.page(w, r, fosite.ErrInvalidRequest)
		return
	}
	if state := r.Form.Get("state"); state != "" {
		q := back.Query()
		q.Set("state", state)
		back.RawQuery = q.Encode()
	}
	redirect(w, back.String())
}

// end ends a session of a user, where it has not ended.
func (s *realm) end(ctx context.Context, user, sid string) error {
	if user == "" || sid == "" {
		return nil
	}
	return s.server.store.Tx(ctx, s.org.ID, user, func(tx *store.Tx) error {
		ids, err := tx.EndSessions(ctx, user, sid, "")
		if err != nil || len(ids) == 0 {
			return err
		}
		return s.server.audit(ctx, tx.DB(), service.Entry{
			Action: "user.signed-out", Target: audit.Target{Kind: "user", ID: user}, Organization: s.org.ID, Actor: actorOf(ctx),
		})
	})
}

// push is the endpoint for pushed authorization requests (RFC 9126).
func (s *realm) push(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r) {
		return
	}
	ctx := r.Context()
	if r.PostForm.Get("request_uri") != "" || r.PostForm.Get("request") != "" {
		s.refuse(w, r, fosite.ErrInvalidRequest.WithHint("request and request_uri are not taken here."))
		return
	}
	if err := keepable(r.PostForm); err != nil {
		s.refuse(w, r, err)
		return
	}
	withState(r.Form)
	req, err := s.provider.NewPushedAuthorizeRequest(ctx, r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	res, err := s.provider.NewPushedAuthorizeResponse(ctx, req, newSession())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.provider.WritePushedAuthorizeResponse(ctx, w, req, res)
}
