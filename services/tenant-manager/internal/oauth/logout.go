package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// logout ends the session that an ID token came of, and leads back to the client
// (OpenID Connect RP-Initiated Logout). An ID token that has run out is as good as
// another (section 4). Without one that can be checked nothing is ended before the user
// has said so on a page of ours: a page of another site must not sign anybody out.
func (s *realm) logout(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		s.page(w, r, fosite.ErrInvalidRequest)
		return
	}
	for _, name := range []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state"} {
		if len(r.Form[name]) > 1 {
			s.page(w, r, fosite.ErrInvalidRequest.WithHintf("The parameter %q is there more than once.", name))
			return
		}
	}
	ip := httpx.LimitKey(ctx)
	if wait := s.server.limits.spent("logout", ip); wait > 0 {
		s.slow(w, r, wait)
		return
	}
	hint := r.Form.Get("id_token_hint")
	if hint == "" {
		s.askLogout(w, r)
		return
	}
	claims := jwt.MapClaims{}
	err := (strategy{s}).verify(ctx, hint, "JWT", claims)
	switch {
	case err != nil && !errors.Is(err, errToken):
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return
	case errors.Is(err, errKey): // it may be older than the keys that are kept: the user is asked
		s.server.limits.address("logout", ip)
		s.askLogout(w, r)
		return
	}
	id, _ := claims["aud"].(string)
	if err != nil || claims["iss"] != s.issuer || r.Form.Get("client_id") != "" && r.Form.Get("client_id") != id {
		s.server.limits.address("logout", ip)
		s.page(w, r, fosite.ErrInvalidRequest.WithHint("id_token_hint is not an ID token of this issuer for this client."))
		return
	}
	c, back, ok := s.afterLogout(w, r, id)
	if !ok {
		return
	}
	user, _ := claims["sub"].(string)
	sid, _ := claims["sid"].(string)
	if err := s.end(withActor(ctx, c), user, sid); err != nil {
		s.refuse(w, r, err)
		return
	}
	if back == "" {
		back = s.server.url + "/signed-out"
	}
	redirect(w, back)
}

// askLogout leads to the page that asks whether to sign out, which leads back here for
// the client that is named; confirmed says that the user was asked.
func (s *realm) askLogout(w http.ResponseWriter, r *http.Request) {
	ask := url.Values{"ask": {"1"}}
	if to := r.Form.Get("post_logout_redirect_uri"); to != "" {
		id := r.Form.Get("client_id")
		if id == "" {
			s.page(w, r, fosite.ErrInvalidRequest.WithHint("post_logout_redirect_uri needs id_token_hint or client_id, by which it is known whose it is."))
			return
		}
		_, back, ok := s.afterLogout(w, r, id)
		if !ok {
			return
		}
		if r.Form.Get("confirmed") == "1" {
			redirect(w, back)
			return
		}
		ask.Set("organization", s.org.Slug)
		for _, name := range []string{"client_id", "post_logout_redirect_uri", "state"} {
			if v := r.Form.Get(name); v != "" {
				ask.Set(name, v)
			}
		}
	}
	redirect(w, s.server.url+"/signed-out?"+ask.Encode())
}

// afterLogout returns a client and where it wants its users to come back to, "" = it does
// not say. It answers where that is not an address that the client has registered.
func (s *realm) afterLogout(w http.ResponseWriter, r *http.Request, id string) (c *client, back string, ok bool) {
	c, err := s.server.client(r.Context(), s.org.ID, id)
	switch {
	case errors.Is(err, fosite.ErrNotFound):
		s.server.limits.address("logout", httpx.LimitKey(r.Context()))
		s.page(w, r, fosite.ErrInvalidRequest.WithHint("There is no such client, or not any more."))
		return nil, "", false
	case err != nil:
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return nil, "", false
	}
	to := r.Form.Get("post_logout_redirect_uri")
	if to == "" {
		return c, "", true
	}
	u, err := url.Parse(to)
	if err != nil || !slices.Contains(c.LogoutURIs, to) { // as it stands: OpenID Connect RP-Initiated Logout section 3
		s.page(w, r, fosite.ErrInvalidRequest.WithHint("post_logout_redirect_uri is not one that the client has registered."))
		return nil, "", false
	}
	if state := r.Form.Get("state"); state != "" {
		q := u.Query()
		q.Set("state", state)
		u.RawQuery = q.Encode()
	}
	return c, u.String(), true
}

// end ends the sign-in that a session of a user is of, where it has not ended.
func (s *realm) end(ctx context.Context, user, sid string) error {
	if user == "" || sid == "" {
		return nil
	}
	return s.server.store.Tx(ctx, s.org.ID, user, func(tx *store.Tx) error {
		ids, err := tx.EndSignIn(ctx, user, sid)
		if err != nil || len(ids) == 0 {
			return err
		}
		return s.server.audit(ctx, tx.DB(), service.Entry{
			Action: "user.signed-out", Target: audit.Target{Kind: "user", ID: user}, Organization: s.org.ID, Actor: actorOf(ctx),
		})
	})
}
