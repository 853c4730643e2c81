package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// maxSAML bounds the form that a SAML provider has the browser post, in bytes.
const maxSAML = 512 << 10

// samlUnasked is what the sign-in page says of an answer to no sign-in that was
// begun here.
const samlUnasked = "unasked"

// samlCallback takes the answer of a SAML provider. It is the one write that another
// site may have a browser make: nothing comes along by which the browser is known,
// because its cookies are SameSite=Lax, and nothing is done for it. The answer is
// handed on unread, and the browser is led to where it comes by itself, with its
// cookie: only there does it count who began.
func (h *handlers) samlCallback(c echo.Context) error {
	r := c.Request()
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	if _, err := h.origin(r); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxSAML)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return problem.New(problem.CodeBodyTooLarge, "the answer of the identity provider has more than %d bytes", maxSAML)
		}
		return problem.New(problem.CodeBadRequest, "the form cannot be read").Because(err)
	}
	state, answer := r.PostForm.Get("RelayState"), r.PostForm.Get("SAMLResponse")
	if answer == "" {
		return problem.New(problem.CodeBadRequest, "this takes the answer of a SAML identity provider: the field SAMLResponse is missing")
	}
	if state == "" {
		return ssoRefused(c, samlUnasked)
	}
	var out struct {
		Handle string `json:"handle"`
	}
	err := h.Tenants.call(r.Context(), r, http.MethodPost, "/sign-in/sso/saml", "", marshal(map[string]string{"state": state, "answer": answer}), &out)
	var p *problem.Problem
	switch {
	case err == nil:
	case !errors.As(err, &p):
		h.Log.WarnContext(r.Context(), "a sign-in at an identity provider failed", "request", httpx.RequestID(r.Context()), "err", err)
		return ssoFailed(c, problem.From(err))
	case p.Status == http.StatusNotFound, p.Status == http.StatusUnprocessableEntity:
		return ssoRefused(c, samlUnasked)
	default:
		return ssoFailed(c, p)
	}
	return c.Redirect(http.StatusSeeOther, ssoPath+"/callback?"+url.Values{"state": {state}, "saml": {out.Handle}}.Encode())
}

// samlMetadata answers what a SAML provider is set up with: where it sends answers
// to at this app, and at the others.
func (h *handlers) samlMetadata(c echo.Context) error {
	r := c.Request()
	own, err := h.origin(r)
	if err != nil {
		return err
	}
	origins := []string{own}
	for _, address := range h.Apps.addresses(r) {
		if !slices.Contains(origins, address) {
			origins = append(origins, address)
		}
	}
	slices.Sort(origins[1:])
	var out struct {
		Metadata string `json:"metadata"`
	}
	path := "/sign-in/sso/saml/" + url.PathEscape(c.Param("id")) + "/metadata?" + url.Values{"origin": origins}.Encode()
	if err := h.Tenants.call(r.Context(), r, http.MethodGet, path, "", nil, &out); err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/samlmetadata+xml", []byte(out.Metadata))
}
