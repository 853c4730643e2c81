package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// switchOrganization goes on in another organization of whoever is signed in. Where a
// second step is needed it answers 202 with the challenge, and the session stays as
// it is.
func (h *handlers) switchOrganization(c echo.Context) error {
	own, err := h.session(c)
	if err != nil {
		return err
	}
	if own == nil {
		return authn.Missing()
	}
	if own.Return != "" {
		return problem.New(problem.CodeConflict, "you act as somebody else: stop that first")
	}
	body, err := content(c)
	if err != nil {
		return err
	}
	var in struct {
		Organization string `json:"organization" schema:"required,minLength=1,maxLength=64"`
		Origin       string `json:"origin,omitempty" schema:"maxLength=300"`
	}
	if fields := schema.Decode(body, &in); len(fields) > 0 {
		return problem.Invalid("the body is not right", fields...)
	}
	t, second, err := h.Tenants.Switch(c.Request(), own.Access, in.Organization, in.Origin)
	if err != nil {
		return err
	}
	if second != nil {
		return c.JSON(http.StatusAccepted, second)
	}
	s, err := h.replaceSession(c, t)
	if err != nil {
		return err
	}
	v, err := h.signedIn(c, &s)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

// Switch begins a session of whose token it is in another of their organizations; a
// challenge where that needs a second step.
func (t *Tenants) Switch(from *http.Request, token, organization, origin string) (session.Tokens, *challenge, error) {
	var out struct {
		session.Tokens
		challenge
	}
	in := map[string]string{}
	if origin != "" {
		in["origin"] = origin
	}
	err := t.call(from.Context(), from, http.MethodPost, "/me/organizations/"+url.PathEscape(organization)+"/session", token, marshal(in), &out)
	if err == nil && out.Challenge != "" {
		return session.Tokens{}, &out.challenge, nil
	}
	if err == nil && (out.Access == "" || out.Refresh == "") {
		err = errors.New("tenant-manager answered without tokens")
	}
	return out.Tokens, nil, err
}
