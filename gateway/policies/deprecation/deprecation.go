// Package deprecation is the policy type deprecation: it tells clients that an
// API is deprecated (RFC 9745) and when it goes away (RFC 8594).
package deprecation

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Config is the configuration of the policy type deprecation.
type Config struct {
	// When the API was or will be deprecated: a date such as 2026-03-31 (its
	// beginning in UTC), or a time such as 2026-03-31T12:00:00Z.
	Since string `json:"since,omitempty" schema:"minLength=10"`
	// When the API goes away, in the same form; not before since.
	Sunset string `json:"sunset,omitempty" schema:"minLength=10"`
	// Address of a page about the deprecation.
	Info string `json:"info,omitempty" schema:"format=http-url"`
	// Address of a page about the end of the API.
	SunsetInfo string `json:"sunsetInfo,omitempty" schema:"format=http-url"`
	// Address of what to use instead.
	Successor string `json:"successor,omitempty" schema:"format=http-url"`
	// What happens after the sunset: serve goes on as before, gone answers 410.
	AfterSunset string `json:"afterSunset" schema:"enum=serve|gone"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("deprecation", "Deprecation", Config{AfterSunset: "serve"}, compile, schemaDoc)
	d.Doc = "Announces in every answer that the API is deprecated and when it goes away, with links to more; after that day " +
		"it can answer 410."
	d.Example = `since: 2026-01-31
sunset: 2026-12-31
info: https://developer.example.com/deprecations/orders-v1
successor: https://api.example.com/v2/orders
afterSunset: gone
`
	return d
}

type deprecation struct {
	since, link, sunsetText string
	sunset                  time.Time
	gone                    bool
	detail                  string
	now                     func() time.Time
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &deprecation{gone: c.AfterSunset == "gone", now: env.Now}
	if c.Since == "" && c.Sunset == "" {
		return policy.Hooks{}, policy.Invalid("/since", "nothing is announced; set since, sunset or both")
	}
	var since time.Time
	if c.Since != "" {
		var err error
		if since, err = parse(c.Since, "/since"); err != nil {
			return policy.Hooks{}, err
		}
		p.since = "@" + strconv.FormatInt(since.Unix(), 10)
	}
	if c.Sunset != "" {
		var err error
		if p.sunset, err = parse(c.Sunset, "/sunset"); err != nil {
			return policy.Hooks{}, err
		}
		if p.sunset.Before(since) {
			return policy.Hooks{}, policy.Invalid("/sunset", "the API cannot go away before it is deprecated (RFC 9745 section 4)")
		}
		p.sunsetText = p.sunset.Format(http.TimeFormat)
	} else if p.gone {
		return policy.Hooks{}, policy.Invalid("/afterSunset", "set sunset, after which it is to answer 410")
	}
	var links []string
	for _, l := range []struct{ url, rel string }{
		{c.Info, "deprecation"}, {c.SunsetInfo, "sunset"}, {c.Successor, "successor-version"},
	} {
		if l.url == "" {
			continue
		}
		if strings.ContainsAny(l.url, "<>\"\\ ") || !policy.ValidValue(l.url) {
			return policy.Hooks{}, policy.Invalid("/"+map[string]string{"deprecation": "info", "sunset": "sunsetInfo", "successor-version": "successor"}[l.rel],
				"the address has characters that must be percent-encoded")
		}
		links = append(links, "<"+l.url+`>; rel="`+l.rel+`"`)
	}
	p.link = strings.Join(links, ", ")
	p.detail = "this API is no longer served since " + p.sunset.Format(time.DateOnly)
	if c.Successor != "" {
		p.detail += "; use " + c.Successor
	}
	h := policy.Hooks{Final: p.final}
	if p.gone {
		h.Inbound = p.inbound
	}
	return h, nil
}

func parse(s, at string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, policy.Invalid(at, "want a date such as 2026-03-31 or a time such as 2026-03-31T12:00:00Z")
	}
	return t.UTC(), nil
}

func (p *deprecation) inbound(*policy.Exchange) error {
	if p.now().Before(p.sunset) {
		return nil
	}
	return problem.New(problem.CodeGone, "%s", p.detail)
}

// final announces on every answer. What the upstream says itself is replaced;
// its other links stay.
func (p *deprecation) final(ex *policy.Exchange) {
	h := &ex.Response.Header
	if p.since != "" {
		h.Set("Deprecation", p.since)
	}
	if p.sunsetText != "" {
		h.Set("Sunset", p.sunsetText)
	}
	if p.link != "" {
		h.Add("Link", p.link)
	}
}
