package oauth

import (
	"errors"
	"net/http"
	"strings"

	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/httpx"
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
		var out *outage
		if errors.As(err, &out) {
			s.refuse(w, r, err)
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
