package cache

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// entry is a stored response. It never changes: a validated one is replaced.
type entry struct {
	status  int
	header  policy.Header
	body    []byte
	date    time.Time // when the upstream made it
	arrived time.Time
	age     time.Duration // when it arrived
	fresh   time.Duration // lifetime, from date
	// whileRevalidate and ifError are how long it may be sent when no longer fresh.
	whileRevalidate, ifError time.Duration
	// validate says that it must not be sent without asking (no-cache).
	validate bool
	// explicit says that the response allows to be sent to anyone.
	explicit bool
}

// passing stands where a response was not storable, so that requests for it do
// not wait for one another.
type passing struct{}

func (e *entry) ageAt(now time.Time) time.Duration { return e.age + max(now.Sub(e.arrived), 0) }

// left returns for how long it is fresh yet; not positive = no longer.
func (e *entry) left(now time.Time) time.Duration { return e.fresh - e.ageAt(now) }

// validators reports whether the upstream can be asked if a response has changed.
func validators(h *policy.Header) bool { return h.Has("ETag") || h.Has("Last-Modified") }

// find looks a response up and answers, or makes the request ready for the
// upstream. Requests for what is being fetched wait for it.
func (p *cache) find(ex *policy.Exchange, l *lookup, cc *control) error {
	deadline := time.Time{}
	collapsed := false
	for {
		known, pass := p.get(ex, l)
		now := p.env.Now()
		if known != nil && p.usable(known, cc, now) {
			p.serve(ex, l, known, "hit", now)
			if collapsed {
				l.detail = "fwd=miss; collapsed"
				ex.Outcome.Cache = "hit"
			}
			return nil
		}
		if cc.onlyIfCached {
			return problem.New(problem.CodeUpstreamTimeout, "nothing fresh is stored and the request asks for no more (only-if-cached)")
		}
		l.entry = known
		if pass || l.noStore || !p.c.Collapse || ex.Request.Method != "GET" || conditional(ex) && known == nil {
			return p.miss(ex, l)
		}
		f, leads := p.flights.join(l.key)
		if leads {
			l.flight = f
			return p.miss(ex, l)
		}
		if known != nil && !known.validate && -known.left(now) < known.whileRevalidate {
			p.serve(ex, l, known, "stale", now)
			l.detail = "hit; ttl=" + secondsText(known.left(now)) + "; detail=REVALIDATING"
			return nil
		}
		if deadline.IsZero() {
			deadline = time.Now().Add(time.Duration(p.c.CollapseWait))
		}
		again, err := wait(ex, f, time.Until(deadline))
		if err != nil {
			return err
		}
		if !again {
			return p.miss(ex, l)
		}
		collapsed = true
	}
}

// get finds what is stored for a request, and sets the keys.
func (p *cache) get(ex *policy.Exchange, l *lookup) (known *entry, pass bool) {
	if v, ok := p.env.Store.Get(l.at); ok {
		l.resource, _ = v.(*resource)
	} else {
		l.resource = nil
	}
	if l.resource == nil {
		// Whoever stores first makes the resource known.
		l.resource = &resource{generation: strconv.FormatUint(rand.Uint64(), 36)}
		p.remember(l.at, l.resource)
	}
	l.key = p.keys.response(ex, &ex.Request.Header, l.at, l.resource)
	v, _ := p.env.Store.Get(l.key)
	switch v := v.(type) {
	case *entry:
		if !l.covered && !v.explicit {
			return nil, true // it is for those without a credential
		}
		return v, false
	case *passing:
		return nil, true
	}
	return nil, false
}

// longest is how long a resource is known. It is longer than any response is
// kept: 30d fresh and 7d stale.
const longest = 40 * 24 * time.Hour

func (p *cache) remember(at string, r *resource) {
	size := int64(64)
	for _, v := range r.vary {
		size += int64(len(v)) + 16
	}
	p.env.Store.Set(at, r, size, longest)
}

// usable reports whether a stored response may be sent without asking.
func (p *cache) usable(e *entry, cc *control, now time.Time) bool {
	left := e.left(now)
	if e.validate || left <= 0 {
		return false
	}
	if !p.c.RespectClient {
		return true
	}
	return !cc.noCache && (cc.maxAge == unset || e.ageAt(now) <= cc.maxAge) && (cc.minFresh == unset || left >= cc.minFresh)
}

func conditional(ex *policy.Exchange) bool {
	return ex.Request.Header.Has("If-None-Match") || ex.Request.Header.Has("If-Modified-Since")
}

// miss sends the request on. Where something is stored the upstream is asked
// whether it has changed; the client's own conditions are kept for the answer.
func (p *cache) miss(ex *policy.Exchange, l *lookup) error {
	ex.Outcome.Cache = "miss"
	l.request.CopyFrom(&ex.Request.Header)
	l.detail = "fwd=uri-miss"
	if l.entry == nil {
		ex.Note(p.id, "cache", "nothing is stored")
		return nil
	}
	l.detail = "fwd=stale"
	ex.Note(p.id, "cache", "what is stored is no longer fresh")
	if !validators(&l.entry.header) || ex.Request.Method != "GET" {
		return nil
	}
	h := &ex.Request.Header
	l.validate = true
	l.clientINM, l.clientIMS = h.Joined("If-None-Match"), h.Get("If-Modified-Since")
	setOrDel(h, "If-None-Match", l.entry.header.Get("ETag"))
	setOrDel(h, "If-Modified-Since", l.entry.header.Get("Last-Modified"))
	return nil
}

func setOrDel(h *policy.Header, name, value string) {
	if value == "" {
		h.Del(name)
		return
	}
	h.Set(name, value)
}

// restore gives the request the client's own conditions again.
func (l *lookup) restore(ex *policy.Exchange) {
	if l.validate {
		setOrDel(&ex.Request.Header, "If-None-Match", l.clientINM)
		setOrDel(&ex.Request.Header, "If-Modified-Since", l.clientIMS)
	}
}

// serve answers with a stored response.
func (p *cache) serve(ex *policy.Exchange, l *lookup, e *entry, outcome string, now time.Time) {
	r := &ex.Response
	r.Header.CopyFrom(&e.header)
	if e.status == 200 && notModified(&ex.Request.Header, &e.header, e.date) {
		ex.Respond(304, "", nil)
		r.Header.Del("Content-Length")
		r.Header.DelFunc(func(name, _ string) bool { return policy.EqualName(name, "Content-Type") })
	} else {
		ex.Respond(e.status, "", e.body)
	}
	r.Header.Set("Age", secondsText(e.ageAt(now)))
	l.served = true
	l.detail = "hit; ttl=" + secondsText(e.left(now))
	ex.Outcome.Cache = outcome
	ex.Note(p.id, "cache", outcome)
}

func secondsText(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

func itoa(n int) string { return strconv.Itoa(n) }
