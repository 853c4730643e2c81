package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// pendingLifetime is how long somebody may take to sign in and to allow.
	pendingLifetime = 15 * time.Minute
	pushedLifetime  = 2 * time.Minute
	// mostPending bounds an authorization request, in bytes: it is kept before
	// anybody has signed in.
	mostPending = 8 << 10
)

// pending is an authorization request that somebody has to sign in for, or to
// allow.
type pending struct {
	Organization string     `json:"organization"`
	Slug         string     `json:"slug"`
	Form         url.Values `json:"form"`
	RequestedAt  time.Time  `json:"requestedAt"`
}

// login is how and when a user signed in.
type login struct {
	user, session string
	at            time.Time
	acr           string
	amr           []string
}

// keepable refuses a request that is too large to be kept until somebody answers it.
func keepable(form url.Values) error {
	if len(form.Encode()) > mostPending {
		return fosite.ErrInvalidRequest.WithHintf("The request has more than %d bytes.", mostPending)
	}
	return nil
}

// authorize is the authorization endpoint (RFC 6749 section 3.1).
func (s *realm) authorize(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if wait := s.server.limits.address("authorize", httpx.LimitKey(ctx)); wait > 0 {
		s.slow(w, r, wait)
		return
	}
	s.answer(w, r, pending{Organization: s.org.ID, Slug: s.org.Slug}, s.signedIn)
}

// answer answers an authorization request; p says whose it is where it has to wait.
func (s *realm) answer(w http.ResponseWriter, r *http.Request, p pending, signedIn func(context.Context, *http.Request) (*login, error)) {
	ctx := r.Context()
	for _, name := range []string{"request", "registration"} {
		if r.FormValue(name) != "" {
			s.page(w, r, fosite.ErrInvalidRequest.WithHintf("The parameter %s is not taken here.", name))
			return
		}
	}
	withState(r.Form)
	ar, err := s.provider.NewAuthorizeRequest(ctx, r)
	if err != nil {
		s.deny(w, r, ar, err)
		return
	}
	if len(ar.GetRequestForm()["redirect_uri"]) != 1 || ar.GetRequestForm().Get("code_challenge") == "" {
		s.deny(w, r, ar, fosite.ErrInvalidRequest.WithHint("redirect_uri and code_challenge are required."))
		return
	}
	if err := atHome(ar); err != nil {
		s.page(w, r, err)
		return
	}
	form := url.Values{}
	for name, values := range ar.GetRequestForm() {
		if name != "request_uri" && name != "client_secret" {
			form[name] = values
		}
	}
	if err := keepable(form); err != nil {
		s.deny(w, r, ar, err)
		return
	}
	if c, _ := ar.GetClient().(*client); c != nil {
		if _, err := audience(c, ar.GetRequestedScopes(), ar.GetRequestedAudience()); err != nil {
			s.deny(w, r, ar, err)
			return
		}
	}
	p.Form, p.RequestedAt = form, s.server.now()
	in, err := signedIn(ctx, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	prompts := strings.Fields(form.Get("prompt"))
	missing, err := s.missing(ctx, p, in, ar)
	switch {
	case err != nil:
		s.refuse(w, r, err)
	case missing == nil:
		to, err := s.issue(ctx, p, in)
		if err != nil {
			s.deny(w, r, ar, err)
			return
		}
		redirect(w, to)
	case slices.Contains(prompts, "none"):
		s.deny(w, r, ar, missing)
	default:
		if wait := s.server.limits.waiting(httpx.LimitKey(ctx)); wait > 0 {
			s.slow(w, r, wait)
			return
		}
		id := random()
		if err := s.server.short.Put(ctx, "pending:"+id, jsonText(p), pendingLifetime); err != nil {
			s.refuse(w, r, err)
			return
		}
		to := url.Values{"request": {id}}
		if c, _ := ar.GetClient().(*client); c != nil && c.app { // for which app one signs in
			to.Set("client", c.ID)
		}
		if hint := form.Get("login_hint"); hint != "" { // of whoever is to sign in there
			to.Set("login_hint", hint)
		}
		redirect(w, s.server.url+"/consent?"+to.Encode())
	}
}

// signedIn returns who uses the browser; nil for nobody, or somebody of another
// organization.
func (s *realm) signedIn(ctx context.Context, r *http.Request) (*login, error) {
	p, err := s.server.opt.Caller(r)
	var refused *problem.Problem
	switch {
	case errors.As(err, &refused) && refused.Status < 500:
		return nil, nil //nolint:nilnil // a session that has ended is none
	case err != nil:
		return nil, err
	case p.Kind != authn.User || p.Organization != s.org.ID:
		return nil, nil //nolint:nilnil // nobody
	}
	return s.login(ctx, p)
}

// login returns how and when a caller signed in; nil where the session is not
// there any more.
func (s *realm) login(ctx context.Context, p authn.Principal) (*login, error) {
	row, err := s.server.store.For(s.org.ID).Session(ctx, p.Session)
	switch {
	case store.IsNotFound(err):
		return nil, nil //nolint:nilnil // nobody
	case err != nil:
		return nil, err
	case row.UserID != p.Subject || !row.Open(s.server.now()) || row.Pending != "":
		return nil, nil //nolint:nilnil // nobody
	}
	return &login{user: p.Subject, session: row.ID, at: row.Authenticated().UTC(), amr: factor.Methods(row.AMR).List()}, nil
}

// missing returns what has to be done before a request can be granted, as the
// error that prompt=none is answered with; nil = nothing.
func (s *realm) missing(ctx context.Context, p pending, in *login, ar fosite.AuthorizeRequester) (error, error) {
	if in == nil || s.again(p, in) {
		return fosite.ErrLoginRequired, nil
	}
	c, _ := ar.GetClient().(*client)
	if c == nil {
		return nil, fosite.ErrInvalidClient
	}
	if c.app { // there is nothing to allow
		return nil, nil
	}
	if slices.Contains(strings.Fields(p.Form.Get("prompt")), "consent") {
		return fosite.ErrConsentRequired, nil
	}
	open, err := s.open(ctx, c, in.user, ar.GetRequestedScopes())
	if err != nil {
		return nil, err
	}
	if len(open) > 0 || c.IsPublic() && ar.GetRedirectURI().Scheme != "https" {
		// On a machine of its own another program can say that it is this one: a
		// person looks each time (RFC 8252 section 8.6).
		return fosite.ErrConsentRequired, nil
	}
	return nil, nil
}

// again reports whether the user has to sign in anew (OpenID Connect Core
// section 3.1.2.1).
func (s *realm) again(p pending, in *login) bool {
	if slices.Contains(strings.Fields(p.Form.Get("prompt")), "login") && in.at.Before(p.RequestedAt) {
		return true
	}
	maxAge, err := strconv.ParseInt(p.Form.Get("max_age"), 10, 64)
	return err == nil && (maxAge == 0 && in.at.Before(p.RequestedAt) || maxAge > 0 && in.at.Add(time.Duration(maxAge)*time.Second).Before(p.RequestedAt))
}

// open returns the scopes that a user has not allowed a client yet.
func (s *realm) open(ctx context.Context, c *client, user string, scopes []string) ([]string, error) {
	if c.SkipConsent {
		return nil, nil
	}
	known, err := s.server.store.For(s.org.ID).OAuthConsentOf(ctx, user, c.ID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return nil, err
	}
	if errors.Is(err, db.ErrNotFound) && len(scopes) == 0 {
		return []string{""}, nil // that it may at all is to be allowed, too
	}
	var out []string
	for _, scope := range scopes {
		if !slices.Contains(known.Scopes, scope) {
			out = append(out, scope)
		}
	}
	return out, nil
}

// parse reads a request that was kept.
func (s *realm) parse(ctx context.Context, p pending) (fosite.AuthorizeRequester, error) {
	return s.provider.NewAuthorizeRequest(ctx, &http.Request{Method: http.MethodGet, URL: &url.URL{RawQuery: p.Form.Encode()}})
}

// issue grants a request in the name of a user, and returns where the browser
// goes with the code.
func (s *realm) issue(ctx context.Context, p pending, in *login) (string, error) {
	ar, err := s.parse(ctx, p)
	if err != nil {
		return "", err
	}
	c, _ := ar.GetClient().(*client)
	if c == nil {
		return "", fosite.ErrInvalidClient
	}
	if err := atHome(ar); err != nil {
		return "", err
	}
	for _, scope := range ar.GetRequestedScopes() {
		ar.GrantScope(scope)
	}
	to, err := audience(c, ar.GetRequestedScopes(), ar.GetRequestedAudience())
	if err != nil {
		return "", err
	}
	for _, a := range to {
		ar.GrantAudience(a)
	}
	sn := newSession()
	sn.Subject, sn.Session, sn.Confirm.JKT, sn.Algorithm = in.user, in.session, p.Form.Get("dpop_jkt"), c.Algorithm
	sn.Claims.Subject, sn.Claims.AuthTime, sn.Claims.RequestedAt = in.user, in.at, p.RequestedAt
	if !slices.Contains(strings.Fields(p.Form.Get("prompt")), "login") && in.at.After(p.RequestedAt) {
		sn.Claims.RequestedAt = in.at // signed in for this request: it begins anew
	}
	sn.Claims.AuthenticationContextClassReference, sn.Claims.AuthenticationMethodsReferences = in.acr, in.amr
	res, err := s.provider.NewAuthorizeResponse(ctx, ar, sn)
	if err != nil {
		return "", err
	}
	res.AddParameter("iss", s.issuer) // RFC 9207
	rec := httptest.NewRecorder()
	s.provider.WriteAuthorizeResponse(ctx, rec, ar, res)
	at := rec.Header().Get("Location")
	if p.Form.Get("state") == noState {
		at = strings.Replace(at, "&state="+noState, "", 1)
	}
	return at, nil
}

// noState stands for the state of a request that has none, which fosite insists
// on.
const noState = "gatehouse-none"

func withState(form url.Values) {
	if form.Get("state") == "" {
		form.Set("state", noState)
	}
}

func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}

// deny takes an error back to the client, or to a page of ours where the address
// of the client is not known to be its own (RFC 6749 section 4.1.2.1).
func (s *realm) deny(w http.ResponseWriter, r *http.Request, ar fosite.AuthorizeRequester, err error) {
	to := s.denied(r.Context(), ar, err)
	if to == "" {
		s.page(w, r, err)
		return
	}
	redirect(w, to)
}

// denied returns where the browser goes with an error; "" where that is not known.
func (s *realm) denied(ctx context.Context, ar fosite.AuthorizeRequester, err error) string {
	e := fosite.ErrorToRFC6749Error(plainly(err))
	if e.CodeField >= 500 || e.ErrorField == "error" {
		s.server.log.ErrorContext(ctx, "the authorization endpoint failed", "organization", s.org.Slug, "request", httpx.RequestID(ctx), "err", err, "cause", errors.Unwrap(e), "debug", e.DebugField)
		if e.ErrorField != fosite.ErrTemporarilyUnavailable.ErrorField {
			e = fosite.ErrServerError
		}
	}
	if ar == nil || !ar.IsRedirectURIValid() || atHome(ar) != nil {
		return ""
	}
	to := *ar.GetRedirectURI()
	q := to.Query()
	q.Set("error", e.ErrorField)
	if d := e.GetDescription(); d != "" {
		q.Set("error_description", d)
	}
	if ar.GetState() != "" && ar.GetState() != noState {
		q.Set("state", ar.GetState())
	}
	q.Set("iss", s.issuer)
	to.RawQuery, to.Fragment = q.Encode(), ""
	return to.String()
}

// page leads to the page that shows an error with the id of the request. Anyone can
// write the address of that page, and it bears the organization's brand: it is told a
// code, for which it has words of its own; the details are in the log, by request.
func (s *realm) page(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	e := fosite.ErrorToRFC6749Error(plainly(err))
	code := e.ErrorField
	if e.CodeField >= http.StatusInternalServerError || code == "error" {
		code = fosite.ErrServerError.ErrorField
	}
	s.server.log.InfoContext(ctx, "a request of an application was not taken back to it", "organization", s.org.Slug, "request", httpx.RequestID(ctx), "error", code, "description", e.GetDescription())
	redirect(w, s.server.url+"/error?"+url.Values{"error": {code}, "request_id": {httpx.RequestID(ctx)}}.Encode())
}

// slow leads a browser that asks too often to the page that says so.
func (s *realm) slow(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	w.Header().Set("Retry-After", seconds(wait))
	s.page(w, r, &fosite.RFC6749Error{ErrorField: "slow_down", DescriptionField: "Too many requests from this address: try again in a moment.", CodeField: http.StatusTooManyRequests})
}
