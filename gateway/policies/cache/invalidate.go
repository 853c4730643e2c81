package cache

import (
	"net/url"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// invalidate forgets what an unsafe request has changed (section 4.4).
func (p *cache) invalidate(ex *policy.Exchange) {
	switch ex.Request.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return
	}
	if ex.Response.Status < 200 || ex.Response.Status > 399 || ex.Route == nil {
		return
	}
	p.env.Store.Delete(p.keys.resource(ex, ex.Request.Host, ex.Request.Path))
	for _, name := range [...]string{"Location", "Content-Location"} {
		v := ex.Response.Header.Get(name)
		if v == "" {
			continue
		}
		base := url.URL{Scheme: ex.Request.Scheme, Host: ex.Request.Authority, Path: ex.Request.Path}
		u, err := base.Parse(v)
		if err != nil || !strings.EqualFold(u.Host, ex.Request.Authority) {
			continue
		}
		p.env.Store.Delete(p.keys.resource(ex, ex.Request.Host, u.EscapedPath()))
	}
	ex.Note(p.id, "cache", "what is stored of this resource was dropped")
}
