package cache

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// passFor is how long requests for something that was not storable do not wait
// for one another.
const passFor = 10 * time.Second

// outbound stores responses, replaces those that must not be sent, and says what
// the cache did.
func (p *cache) outbound(ex *policy.Exchange) error {
	l, ok := ex.Get(p.slot).(*lookup)
	if !ok {
		return nil
	}
	if l.served || ex.Response.Source != policy.SourceUpstream {
		p.land(l, false)
		if l.served {
			p.status(ex, l)
		}
		return nil
	}
	l.restore(ex)
	now := p.env.Now()
	switch {
	case l.key == "":
		p.invalidate(ex)
	case ex.Response.Status == 304 && l.validate:
		p.validated(ex, l, now)
	case failed(ex.Response.Status) && p.inNeed(ex, l, now):
	default:
		p.keep(ex, l, now)
	}
	p.status(ex, l)
	return nil
}

func failed(status int) bool { return status == 500 || status >= 502 && status <= 504 }

// onError sends what is stored, where the error is the upstream's. Errors of
// policies, such as those that authenticate, are never covered up.
func (p *cache) onError(ex *policy.Exchange, err error) error {
	l, ok := ex.Get(p.slot).(*lookup)
	if !ok {
		return err
	}
	l.restore(ex)
	upstream := problem.Is(err, problem.CodeUpstreamUnavailable) || problem.Is(err, problem.CodeUpstreamTimeout) ||
		problem.Is(err, problem.CodeUpstreamInvalid) || problem.Is(err, problem.CodeCircuitOpen)
	if upstream && !l.served && p.inNeed(ex, l, p.env.Now()) {
		p.status(ex, l)
		return nil
	}
	p.land(l, false)
	return err
}

// inNeed sends a response that is no longer fresh, where that is allowed.
func (p *cache) inNeed(ex *policy.Exchange, l *lookup, now time.Time) bool {
	e := l.entry
	if e == nil || e.validate || -e.left(now) >= e.ifError || !p.sameCaller(ex, l) {
		return false
	}
	status := ex.Response.Status
	discard(ex)
	p.serve(ex, l, e, "stale", now)
	l.detail = "fwd=stale"
	if status != 0 {
		l.detail += "; fwd-status=" + itoa(status)
	}
	l.detail += "; detail=STALE-IF-ERROR"
	p.land(l, false)
	return true
}

// discard drops a response of the upstream.
func discard(ex *policy.Exchange) {
	_ = ex.Response.Body.Close() // nobody will read it
	ex.Response.Body.Reset()
	ex.Response.Header.Reset()
	ex.Response.Trailer.Reset()
}

// sameCaller reports whether the caller was already known when the cache was
// asked. Otherwise the cache stands before authentication, and what is for one
// caller would be sent to any.
func (p *cache) sameCaller(ex *policy.Exchange, l *lookup) bool {
	if l.caller == ex.Caller.Kind && l.who == ex.Caller.Credential {
		return true
	}
	p.warn.Do(func() {
		p.env.Log.Warn("the cache stands before authentication, so that nothing is stored for callers who are known; move it after")
	})
	ex.Note(p.id, "cache", "stands before authentication: not stored")
	return false
}

// keep stores a response while it is sent.
func (p *cache) keep(ex *policy.Exchange, l *lookup, now time.Time) {
	r := &ex.Response
	e, res, why := p.storable(ex, l, now)
	if e == nil {
		ex.Note(p.id, "cache", "not stored: "+why)
		p.pass(l)
		p.answerCondition(ex, l, now)
		return
	}
	l.detail += "; stored"
	if res != l.resource {
		if now, ok := p.env.Store.Get(l.at); ok && now == any(l.resource) { // it was not invalidated meanwhile
			p.remember(l.at, res)
		}
		l.key = p.keys.response(ex, &l.request, l.at, res)
	}
	e.header.CopyFrom(&r.Header)
	e.header.DelFunc(func(name, _ string) bool {
		return policy.EqualName(name, "Age") || policy.EqualName(name, "Content-Length")
	})
	if r.Body.Buffered() {
		e.body = r.Body.Bytes()
		p.put(l.key, e)
		p.land(l, true)
		p.answerCondition(ex, l, now)
		return
	}
	c := &copier{p: p, e: e, key: l.key, flight: l.flight, left: int64(p.c.MaxBody), want: r.Body.Length()}
	r.Body.Wrap(r.Body.Length(), func(body io.Reader) io.Reader {
		c.body = body
		return c
	})
}

// answerCondition turns a response into 304 where the client has it: its own
// condition was not sent to the upstream.
func (p *cache) answerCondition(ex *policy.Exchange, l *lookup, now time.Time) {
	r := &ex.Response
	if !l.validate || r.Status != 200 || !notModified(&ex.Request.Header, &r.Header, dateOf(&r.Header, now)) {
		return
	}
	_ = r.Body.Close() // nobody will read it
	r.Body.Reset()
	r.Status = 304
	r.Header.DelFunc(func(name, _ string) bool {
		return policy.EqualName(name, "Content-Type") || policy.EqualName(name, "Content-Length")
	})
}

// storable returns the entry for a response and its resource, or why it may not
// be stored (RFC 9111 section 3).
func (p *cache) storable(ex *policy.Exchange, l *lookup, now time.Time) (*entry, *resource, string) {
	r, h := &ex.Response, &ex.Response.Header
	cc := parseControl(h)
	if p.c.Force {
		cc = forced(time.Duration(p.c.TTL))
	}
	switch {
	case ex.Request.Method != "GET":
		return nil, nil, "method"
	case l.noStore:
		return nil, nil, "no-store in the request"
	case !slices.Contains(p.c.Statuses, r.Status):
		return nil, nil, "status"
	case cc.noStore && !cc.mustUnderstand:
		return nil, nil, "no-store"
	case cc.private:
		return nil, nil, "private"
	case h.Has("Set-Cookie"):
		return nil, nil, "it sets a cookie"
	case r.Tunnel != nil || strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/event-stream"):
		return nil, nil, "it is an event stream"
	case r.Body.Length() > int64(p.c.MaxBody):
		return nil, nil, "it is larger than maxBody"
	case !p.sameCaller(ex, l):
		return nil, nil, "the cache stands before authentication"
	case !l.covered && !p.explicit(&cc):
		return nil, nil, "the request has a credential or a cookie and the response does not say that it may be shared"
	}
	vary, ok := varyOf(h, l.resource.vary)
	if !ok {
		return nil, nil, "Vary"
	}
	for _, name := range vary {
		was, _ := lookupJoined(&l.request, name)
		if is, _ := lookupJoined(&ex.Request.Header, name); is != was {
			return nil, nil, "Vary names a field that a later policy sets: " + name
		}
	}
	e := p.lifetime(h, &cc, r.Status, l.asked, now)
	e.status, e.explicit = r.Status, p.explicit(&cc)
	if e.fresh <= e.age && !validators(h) && e.ifError == 0 {
		return nil, nil, "it is not fresh"
	}
	if e.fresh == 0 && !validators(h) {
		return nil, nil, "it has no lifetime"
	}
	res := l.resource
	if len(vary) > len(res.vary) {
		res = &resource{generation: res.generation, vary: vary}
	}
	return e, res, ""
}

// forced is the Cache-Control that the configuration puts in place of the
// response's.
func forced(ttl time.Duration) control {
	return control{
		sMaxAge: ttl, maxAge: unset, minFresh: unset, maxStale: unset,
		staleWhileRevalidate: unset, staleIfError: unset,
	}
}

// explicit reports whether a response says that it may be shared although the
// request had a credential (section 3.5).
func (p *cache) explicit(cc *control) bool {
	return cc.public || cc.sMaxAge != unset && !p.c.Force || cc.mustRevalidate
}

// covered reports whether the key tells callers apart: what the gateway has
// checked is part of it, and what it has not is for the upstream, which may
// answer differently. Cookies count as credentials.
func (p *cache) covered(ex *policy.Exchange) bool {
	if p.c.Key.ShareAuthenticated {
		return true
	}
	if ex.Caller.Authenticated() && p.c.Key.Caller == "none" {
		return false
	}
	h := &ex.Request.Header
	return (byAuthorization(ex.Caller.Kind) || !h.Has("Authorization") || p.inKey("Authorization")) &&
		(!h.Has("Cookie") || p.inKey("Cookie"))
}

// byAuthorization reports whether callers of that kind are known by the
// Authorization field.
func byAuthorization(k policy.CredentialKind) bool {
	switch k {
	case policy.KindBasic, policy.KindJWT, policy.KindOAuth2, policy.KindHMAC:
		return true
	case policy.KindAPIKey, policy.KindCertificate:
	}
	return false
}

func (p *cache) inKey(name string) bool {
	return slices.ContainsFunc(p.c.Key.Headers, func(n string) bool { return policy.EqualName(n, name) })
}

// lifetime says for how long a response may be sent.
func (p *cache) lifetime(h *policy.Header, cc *control, status int, asked, now time.Time) *entry {
	date := dateOf(h, now)
	e := &entry{date: date, arrived: now, age: initialAge(h, date, asked, now)}
	fresh, says := cc.freshness(h, date)
	if p.c.Force {
		e.age, says = 0, true
		if status >= 400 {
			fresh = time.Duration(p.c.NegativeTTL)
		}
	}
	switch {
	case says:
	case status >= 400:
		fresh = time.Duration(p.c.NegativeTTL)
	case status != 302 && status != 307: // those are stored only where they say so
		fresh = time.Duration(p.c.TTL)
	}
	e.fresh = min(fresh, time.Duration(p.c.MaxTTL))
	e.validate = cc.noCache
	if cc.mustRevalidate || cc.proxyRevalidate || cc.sMaxAge != unset && !p.c.Force {
		return e // never sent when no longer fresh (section 5.2.2)
	}
	e.whileRevalidate, e.ifError = time.Duration(p.c.StaleWhileRevalidate), time.Duration(p.c.StaleIfError)
	if cc.staleWhileRevalidate != unset {
		e.whileRevalidate = min(cc.staleWhileRevalidate, longestStale)
	}
	if cc.staleIfError != unset {
		e.ifError = min(cc.staleIfError, longestStale)
	}
	return e
}

// longestStale bounds what responses may ask for.
const longestStale = 7 * 24 * time.Hour

// put stores an entry for as long as it can be of use.
func (p *cache) put(key string, e *entry) {
	after := max(e.whileRevalidate, e.ifError)
	if validators(&e.header) {
		after = max(after, time.Duration(p.c.KeepStale))
	}
	size := int64(len(e.body)) + 256
	for _, f := range e.header.Fields() {
		size += int64(len(f.Name)+len(f.Value)) + 32
	}
	p.env.Store.Set(key, e, size, e.left(e.arrived)+after)
}

// validated sends what is stored, which has not changed, with the newer header
// (section 3.2).
func (p *cache) validated(ex *policy.Exchange, l *lookup, now time.Time) {
	old, r := l.entry, &ex.Response
	cc := parseControl(&r.Header)
	if !hasLifetime(&r.Header) {
		cc = parseControl(&old.header)
	}
	if p.c.Force {
		cc = forced(time.Duration(p.c.TTL))
	}
	var h policy.Header
	h.CopyFrom(&old.header)
	for _, f := range r.Header.Fields() {
		if !keepsOld(f.Name) {
			h.Del(f.Name)
		}
	}
	for _, f := range r.Header.Fields() {
		if !keepsOld(f.Name) {
			h.Add(f.Name, f.Value)
		}
	}
	e := p.lifetime(&h, &cc, old.status, l.asked, now)
	e.status, e.body, e.header, e.explicit = old.status, old.body, h, p.explicit(&cc)
	e.header.Del("Age")
	discard(ex)
	forbidden := cc.noStore || cc.private || !l.covered && !e.explicit || e.header.Has("Set-Cookie") || !p.sameCaller(ex, l)
	if forbidden {
		p.env.Store.Delete(l.key)
	} else {
		p.put(l.key, e)
	}
	p.land(l, !forbidden)
	p.serve(ex, l, e, "revalidated", now)
	l.detail = "fwd=stale; fwd-status=304"
}

func hasLifetime(h *policy.Header) bool { return h.Has("Cache-Control") || h.Has("Expires") }

// keepsOld reports whether a field of the stored response outlives validation:
// those that describe the content.
func keepsOld(name string) bool {
	return policy.EqualName(name, "Content-Length") || policy.EqualName(name, "Content-Encoding") ||
		policy.EqualName(name, "Content-Type") || policy.EqualName(name, "Content-Range")
}

// land lets those go on who wait for this exchange.
func (p *cache) land(l *lookup, stored bool) {
	if l.flight != nil {
		p.flights.land(l.flight, stored)
	}
}

// pass is land for what cannot be stored: the next ones shall not wait.
func (p *cache) pass(l *lookup) {
	if l.flight != nil && p.flights.land(l.flight, false) > 0 {
		p.env.Store.Set(l.key, &passing{}, 16, passFor)
	}
}

// status adds to Cache-Status (RFC 9211).
func (p *cache) status(ex *policy.Exchange, l *lookup) {
	if !p.c.Status || l.detail == "" {
		return
	}
	v := "Gatehouse; " + l.detail
	if have := ex.Response.Header.Joined("Cache-Status"); have != "" && policy.ValidValue(have) {
		v = have + ", " + v
	}
	ex.Response.Header.Set("Cache-Status", v)
}
