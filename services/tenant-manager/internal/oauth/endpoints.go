package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// mostForm bounds what is sent to the endpoints, in bytes.
const mostForm = 64 << 10

// wellKnown is where RFC 8414 section 3 puts the metadata of an issuer with a
// path.
const wellKnown = "/.well-known/oauth-authorization-server/oauth/"

// ServeHTTP answers the endpoints of all organizations, below /oauth/<slug>.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	slug, rest := split(r.URL.Path)
	if slug == anyOrganization && rest == "authorize" && r.Method == http.MethodGet {
		s.authorizeAny(w, r)
		return
	}
	re, err := s.realm(r.Context(), slug)
	if err != nil {
		if !errors.Is(err, errNoRealm) {
			s.log.ErrorContext(r.Context(), "the authorization server failed", "err", err)
			fail(w, r, fosite.ErrTemporarilyUnavailable)
			return
		}
		fail(w, r, fosite.ErrNotFound.WithDescription("There is no authorization server of that name."))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if strings.HasPrefix(rest, "register/") {
		rest = configuration
	}
	e, ok := endpoints[rest]
	if !ok {
		fail(w, r, fosite.ErrNotFound.WithDescription("There is no such endpoint: the metadata at "+re.issuer+"/.well-known/openid-configuration lists them."))
		return
	}
	if e.open { // a page of another site may call it: nothing here looks at cookies
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", strings.Join(e.methods, ", "))
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce, X-Request-Id")
	}
	if !slices.Contains(e.methods, r.Method) {
		w.Header().Set("Allow", strings.Join(e.methods, ", "))
		fail(w, r, &fosite.RFC6749Error{ErrorField: "invalid_request", DescriptionField: "This endpoint does not take the method.", CodeField: http.StatusMethodNotAllowed})
		return
	}
	if r.Method == http.MethodPost && !e.body.right(r.Header["Content-Type"]) {
		fail(w, r, fosite.ErrInvalidRequest.WithHint("Send a form: the Content-Type is application/x-www-form-urlencoded, in UTF-8."))
		return
	}
	e.serve(re, w, r)
}

// right reports whether a body is of the type that is read: what others read in
// another type was held against nothing.
func (b body) right(types []string) bool {
	switch {
	case b == document || b == anyForm && len(types) == 0:
		return true
	case len(types) != 1:
		return false
	}
	kind, params, err := mime.ParseMediaType(types[0])
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return false
	}
	charset, named := params["charset"]
	return !named || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "us-ascii")
}

// split returns the organization of a path, and the endpoint.
func split(path string) (slug, rest string) {
	if slug, ok := strings.CutPrefix(path, wellKnown); ok {
		return slug, ".well-known/oauth-authorization-server"
	}
	slug, rest, _ = strings.Cut(strings.TrimPrefix(path, "/oauth/"), "/")
	return slug, rest
}

type endpoint struct {
	methods []string
	open    bool
	// body says what a POST has to send.
	body  body
	serve func(*realm, http.ResponseWriter, *http.Request)
}

// body says what a POST to an endpoint has to send.
type body int

const (
	// document is read by the endpoint itself.
	document body = iota
	// form is what RFC 6749 appendix B says, and nothing else.
	form
	// anyForm is as form, where there is something at all.
	anyForm
)

var (
	get  = []string{http.MethodGet, http.MethodHead}
	post = []string{http.MethodPost}
	both = []string{http.MethodGet, http.MethodPost}
)

// configuration stands for the endpoints of single clients (RFC 7592).
const configuration = "register/{id}"

var endpoints = map[string]endpoint{
	".well-known/openid-configuration":       {get, true, document, (*realm).metadata},
	".well-known/oauth-authorization-server": {get, true, document, (*realm).metadata},
	"jwks":                                   {get, true, document, (*realm).jwks},
	"token":                                  {post, true, form, (*realm).token},
	"introspect":                             {post, false, form, (*realm).introspect},
	"revoke":                                 {post, true, form, (*realm).revoke},
	"authorize":                              {both, false, anyForm, (*realm).authorize},
	"userinfo":                               {both, true, anyForm, (*realm).userinfo},
	"logout":                                 {both, false, anyForm, (*realm).logout},
	"par":                                    {post, true, form, (*realm).push},
	"device_authorization":                   {post, true, form, (*realm).deviceAuthorization},
	"register":                               {post, true, document, (*realm).register},
	configuration:                            {[]string{http.MethodGet, http.MethodPut, http.MethodDelete}, true, document, (*realm).registration},
}

// Endpoints returns the endpoints of an organization, below its issuer, and their
// methods.
func Endpoints() map[string][]string {
	out := map[string][]string{}
	for name, e := range endpoints {
		out[name] = slices.Clone(e.methods)
	}
	return out
}

// fail answers with an error of RFC 6749 section 5.2, and the id of the request.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	e := fosite.ErrorToRFC6749Error(err)
	body := map[string]any{"error": e.ErrorField}
	if d := e.GetDescription(); d != "" {
		body["error_description"] = d
	}
	if id := httpx.RequestID(r.Context()); id != "" {
		body["request_id"] = id
	}
	h := w.Header()
	if e.CodeField == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", `Basic realm="gatehouse"`)
	}
	h.Set("Cache-Control", "no-store")
	write(w, e.CodeField, body)
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has left, or gets it
}

// plainly returns the error that says that something could not be found out, also
// where fosite took that for a refusal; others as they are.
func plainly(err error) error {
	var out *outage
	if errors.As(err, &out) {
		return fosite.ErrTemporarilyUnavailable.WithWrap(out)
	}
	return err
}

// refuse is as fail, for errors that come of fosite: those that are the server's
// own are logged, and told without their cause.
func (s *realm) refuse(w http.ResponseWriter, r *http.Request, err error) {
	err = plainly(err)
	e := fosite.ErrorToRFC6749Error(err)
	if e.CodeField >= 500 && r.Context().Err() == nil {
		s.server.log.ErrorContext(r.Context(), "the authorization server failed", "organization", s.org.Slug, "request", httpx.RequestID(r.Context()), "err", err, "cause", errors.Unwrap(e), "debug", e.DebugField)
		if e.ErrorField == "error" { // what fosite does not know
			e = fosite.ErrServerError
		}
	}
	fail(w, r, e)
}

func tooMany(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	w.Header().Set("Retry-After", seconds(wait))
	fail(w, r, &fosite.RFC6749Error{ErrorField: "slow_down", DescriptionField: "Too many requests: see Retry-After.", CodeField: http.StatusTooManyRequests})
}

// seconds returns a wait in the form of Retry-After, rounded up.
func seconds(wait time.Duration) string {
	return strconv.Itoa(int((wait + time.Second - 1) / time.Second))
}

// clientID is whom a request says to be; nothing is proven by it. No id is longer.
func clientID(r *http.Request) string {
	id, _, ok := r.BasicAuth()
	if !ok {
		id = r.PostForm.Get("client_id")
	} else if plain, err := url.QueryUnescape(id); err == nil {
		id = plain
	}
	return id[:min(len(id), longestID)]
}

// admit reads the form, and refuses who asks or guesses too fast. It returns
// false where the request is answered.
func (s *realm) admit(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		fail(w, r, fosite.ErrInvalidRequest.WithHint("The body cannot be read, or is too large: send a form."))
		return false
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && name != "audience" && name != "resource" { // RFC 6749 section 3.2
			fail(w, r, fosite.ErrInvalidRequest.WithHintf("The parameter %q is there more than once.", name))
			return false
		}
	}
	ip := httpx.LimitKey(r.Context())
	id := clientID(r)
	wait := s.server.limits.waits(id, ip)
	if wait == 0 && !s.asksForOthers(r, id) {
		wait = s.server.limits.named(s.org.ID+" "+id, ip)
	}
	if wait > 0 {
		tooMany(w, r, wait)
		return false
	}
	for _, resource := range r.PostForm["resource"] { // RFC 8707
		r.PostForm.Add("audience", resource)
	}
	return true
}

// asksForOthers reports whether a request is to the introspection, and names a client
// that may ask about the tokens of all: a gateway asks as often as anybody sends it
// something, and whoever sends it what is not a token must not keep it from asking about
// those that are. A wrong secret is held against it as everywhere.
func (s *realm) asksForOthers(r *http.Request, id string) bool {
	if !atIntrospection(r.Context()) {
		return false
	}
	c, err := s.server.client(r.Context(), s.org.ID, id)
	return err == nil && c.MayIntrospect && !c.IsPublic()
}

// failed answers a request whose client did not prove who it is, or that failed
// otherwise.
func (s *realm) failed(w http.ResponseWriter, r *http.Request, err error) {
	var much *throttledError
	if errors.As(err, &much) {
		tooMany(w, r, much.wait)
		return
	}
	var out *outage
	if errors.As(err, &out) { // fosite takes it for a client that is not there: nobody guessed anything
		s.refuse(w, r, out)
		return
	}
	if r.PostForm.Get("client_assertion") != "" && fosite.ErrorToRFC6749Error(err).ErrorField == "error" { // of the library that reads it
		err = fosite.ErrInvalidClient.WithWrap(err)
	}
	if errors.Is(err, fosite.ErrInvalidClient) && clientID(r) != "" {
		if err := s.server.limits.wrong(r.Context(), clientID(r), httpx.LimitKey(r.Context())); err != nil {
			s.refuse(w, r, err)
			return
		}
		s.recordRefused(r.Context(), "oauth-client.authenticated", clientID(r), "it did not prove who it is")
		// What was wrong is not told: not even whether there is such a client.
		err = fosite.ErrInvalidClient
	}
	s.refuse(w, r, err)
}

// token is the token endpoint (RFC 6749 section 3.2).
func (s *realm) token(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r) {
		return
	}
	ctx := r.Context()
	demanded := s.demandsNonce(r)
	proof, err := s.proof(w, r, demanded)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	req, err := s.provider.NewAccessRequest(ctx, r, newSession())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	c, _ := req.GetClient().(*client)
	in, _ := req.GetSession().(*session)
	if c == nil || in == nil {
		s.refuse(w, r, fosite.ErrServerError)
		return
	}
	if c.DPoPNonce && !demanded && proof.JKT != "" { // it was not known which client it is
		s.giveNonce(w)
		s.refuse(w, r, errNonce())
		return
	}
	ctx = withActor(ctx, c)
	if err := s.grant(ctx, req, c, in, proof); err != nil {
		s.refuse(w, r, err)
		return
	}
	res, err := s.provider.NewAccessResponse(ctx, req)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if in, _ := req.GetSession().(*session); in != nil && in.Confirm.JKT != "" {
		res.SetTokenType("DPoP")
	} else {
		res.SetTokenType("Bearer")
	}
	res.SetExpiresIn(in.Until.Sub(in.IssuedAt))
	s.provider.WriteAccessResponse(ctx, w, req, res)
}

// grant says what of a request is granted, after its handler has taken it.
func (s *realm) grant(ctx context.Context, req fosite.AccessRequester, c *client, in *session, proof confirmation) error {
	if req.GetGrantTypes().ExactOne(GrantClient) {
		scopes, audience := req.GetRequestedScopes(), req.GetRequestedAudience()
		if len(scopes) == 0 { // RFC 6749 section 3.3
			scopes = c.Scopes
		}
		if len(audience) == 0 {
			audience = slices.DeleteFunc(slices.Clone(c.Audiences), func(a string) bool { return a == Audience })
		}
		if req.GetRequestedScopes().Has(Scope) || req.GetRequestedAudience().Has(Audience) {
			return fosite.ErrInvalidScope.WithHintf("By the scope %q a client acts as a person who allowed it: it is not given to a client by itself.", Scope)
		}
		for _, name := range scopes {
			if !slices.Contains(identityScopes, name) && name != Scope {
				req.GrantScope(name)
			}
		}
		for _, name := range audience {
			req.GrantAudience(name)
		}
	}
	if in.Subject != "" {
		if err := s.stands(ctx, in.Subject); err != nil {
			return err
		}
	}
	if err := s.bind(req, c, in, proof); err != nil {
		return err
	}
	return s.noteSession(ctx, req, c, in)
}

// stands returns an error where a user may not have tokens any more.
func (s *realm) stands(ctx context.Context, user string) error {
	u, err := s.server.store.For(s.org.ID).User(ctx, user)
	switch {
	case store.IsNotFound(err) || err == nil && u.Status != store.Active:
		return fosite.ErrInvalidGrant.WithHint("The user is not active any more.")
	case err != nil:
		return fosite.ErrServerError.WithWrap(err)
	}
	return nil
}
