package traffic

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"hash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// What a client sends is cut to these lengths, in bytes, so that a record stays
// within bounds.
const (
	maxText    = 512
	maxAddress = 4096
	maxFields  = 64
)

// StatusOf returns the status as it is recorded and counted: 499 where the
// client left before the end of the answer.
func StatusOf(ex *policy.Exchange) int {
	if ex.Outcome.ClientGone {
		return traffic.StatusClientClosed
	}
	return ex.Response.Status
}

// ErrorOf returns who caused an answer of 400 or above, and the code of its
// problem; both are empty below.
func ErrorOf(ex *policy.Exchange, status int) (traffic.ErrorSource, problem.Code) {
	if status == traffic.StatusClientClosed && ex.Outcome.ClientGone {
		return traffic.SourceClient, problem.CodeClientClosed
	}
	if status < 400 && status != 0 {
		return "", ""
	}
	if ex.Outcome.Err == nil {
		switch ex.Response.Source {
		case policy.SourceUpstream:
			return traffic.SourceUpstream, ""
		case policy.SourcePolicy:
			return traffic.SourcePolicy, ""
		case policy.SourceNone, policy.SourceError:
		}
		return traffic.SourceGateway, ""
	}
	code := problem.CodeInternal
	var p *problem.Problem
	if errors.As(ex.Outcome.Err, &p) {
		code = p.Code
	}
	switch code {
	case problem.CodeUpstreamUnavailable, problem.CodeUpstreamInvalid, problem.CodeUpstreamTimeout, problem.CodeUpstreamTooLarge:
		return traffic.SourceUpstream, code
	case problem.CodeClientClosed:
		return traffic.SourceClient, code
	}
	if ex.Outcome.Policy != "" {
		return traffic.SourcePolicy, code
	}
	if status >= 400 && status < 500 {
		return traffic.SourceClient, code
	}
	return traffic.SourceGateway, code
}

func (r *Recorder) fill(s *state, ex *policy.Exchange, status int, tap *Tap) {
	rec, req, out := &s.record, &ex.Request, &ex.Outcome
	rec.Time, rec.ID, rec.Gateway = ex.Start, cut(ex.ID, maxText), r.o.Gateway
	if t := ex.Route; t != nil {
		rec.Organization, rec.Project, rec.Environment = t.Organization, t.Project, t.Environment
		rec.API, rec.APIName, rec.Version, rec.Revision = t.API, t.APIName, t.Version, t.Revision
		rec.Operation, rec.Template, rec.Unit = t.Operation, t.Template, t.Unit
	}
	c := &ex.Caller
	rec.Plan, rec.Subscription = c.Plan, c.Subscription
	if c.Application != nil {
		rec.Application, rec.ApplicationName = c.Application.ID, c.Application.Name
	}
	rec.Credential, rec.CredentialKind = c.Credential, string(c.Kind)
	if c.Subject != "" {
		rec.Subject = r.subject.of(c.Subject)
	}

	rec.ClientIP = r.clientIP(req.Client)
	if agent, ok := req.Header.Lookup("User-Agent"); ok {
		rec.UserAgent = cut(mask(ex, "request.header.User-Agent", agent), maxText)
	}
	rec.Protocol, rec.Scheme, rec.Method = req.Proto, req.Scheme, cut(req.Method, maxText)
	if req.TLS != nil {
		rec.TLS = tlsVersion(req.TLS.Version)
	}
	rec.Host, rec.Path = cut(req.Host, maxText), cut(req.Path, maxAddress)
	if req.Query != "" {
		rec.Query = cut(mask(ex, "request.query", r.redact.Query(req.Query)), maxAddress)
	}

	source, code := ErrorOf(ex, status)
	rec.Status, rec.ErrorSource, rec.ErrorCode = status, source, string(code)
	rec.Policy, rec.Cache = out.Policy, out.Cache

	total := out.End.Sub(ex.Start)
	rec.Duration = max(0, total.Microseconds())
	rec.UpstreamTime, rec.TransferTime = out.UpstreamTime.Microseconds(), out.TransferTime.Microseconds()
	rec.GatewayTime = max(0, (total - out.UpstreamTime - out.TransferTime).Microseconds())
	rec.RequestBytes, rec.ResponseBytes = out.RequestBytes, out.ResponseBytes
	if n := len(out.Attempts); n > 0 {
		last := &out.Attempts[n-1]
		rec.Upstream, rec.UpstreamStatus = last.Target, last.Status
		rec.Attempts, rec.Retries = n, n-1
	}
	rec.TraceID, rec.SpanID = traffic.TraceID(ex.Trace.TraceID), traffic.SpanID(ex.Trace.SpanID)

	if len(ex.Log.Attributes) > 0 {
		s.attributes = s.attributes[:0]
		for k, v := range ex.Log.Attributes {
			if r.redact.Parameter(k) {
				v = Redacted
			}
			s.attributes = append(s.attributes, traffic.Pair{Name: k, Value: r.redact.Text(ex, v)})
		}
		slices.SortFunc(s.attributes, func(a, b traffic.Pair) int { return strings.Compare(a.Name, b.Name) })
		rec.Attributes = s.attributes
	}
	if len(r.config.RequestHeaders)+len(ex.Log.RequestHeaders) > 0 {
		s.requestHeaders = r.headers(s.requestHeaders[:0], ex, "request.header.", &req.Header, r.config.RequestHeaders, ex.Log.RequestHeaders)
		rec.RequestHeaders = s.requestHeaders
	}
	if len(r.config.ResponseHeaders)+len(ex.Log.ResponseHeaders) > 0 {
		s.responseHeaders = r.headers(s.responseHeaders[:0], ex, "response.header.", &ex.Response.Header, r.config.ResponseHeaders, ex.Log.ResponseHeaders)
		rec.ResponseHeaders = s.responseHeaders
	}
	if ex.Log.RequestBody > 0 || ex.Log.ResponseBody > 0 {
		var none Tap
		if tap == nil {
			tap = &none
		}
		rec.RequestBody = mask(ex, "request.body", r.redact.body(&req.Header, &req.Body, tap.request, ex.Log.RequestBody))
		rec.ResponseBody = mask(ex, "response.body", r.redact.body(&ex.Response.Header, &ex.Response.Body, tap.response, ex.Log.ResponseBody))
	}
}

// headers appends the named fields that are present, each once.
func (r *Recorder) headers(dst traffic.Pairs, ex *policy.Exchange, field string, h *policy.Header, lists ...[]string) traffic.Pairs {
	for _, list := range lists {
		for _, name := range list {
			if len(dst) == maxFields || !h.Has(name) {
				continue
			}
			lower := strings.ToLower(name)
			if slices.ContainsFunc(dst, func(p traffic.Pair) bool { return p.Name == lower }) {
				continue
			}
			value := r.redact.HeaderValue(name, h.Joined(name))
			if len(ex.Log.Masks) > 0 {
				value = mask(ex, field+name, value)
			}
			dst = append(dst, traffic.Pair{Name: lower, Value: cut(value, maxAddress)})
		}
	}
	return dst
}

// decide adds the decision. It may allocate: most requests have none.
func (r *Recorder) decide(s *state, ex *policy.Exchange, kept traffic.Kept, verdicts []traffic.Verdict) {
	d := &s.decision
	d.Kept = kept
	var p *problem.Problem
	if errors.As(ex.Outcome.Err, &p) {
		d.Detail = r.redact.Text(ex, p.Detail)
	}
	for _, f := range ex.Request.Header.Fields() {
		if len(d.RequestHeaders) == maxFields {
			break
		}
		value := cut(mask(ex, "request.header."+f.Name, r.redact.HeaderValue(f.Name, f.Value)), maxText)
		d.RequestHeaders = append(d.RequestHeaders, cut(strings.ToLower(f.Name), maxText)+": "+value)
	}
	if r.o.Match != nil {
		d.Match = r.o.Match(ex)
	}
	for _, v := range verdicts {
		v.Reason, v.Notes = r.redact.Text(ex, v.Reason), slices.Clone(v.Notes)
		d.Policies = append(d.Policies, v)
	}
	for _, n := range ex.Notes() {
		i := slices.IndexFunc(d.Policies, func(v traffic.Verdict) bool { return v.Policy == n.Policy })
		if i < 0 {
			d.Policies = append(d.Policies, traffic.Verdict{Policy: n.Policy, Outcome: traffic.Pass})
			i = len(d.Policies) - 1
		}
		notes := &d.Policies[i].Notes
		value := r.redact.Text(ex, n.Value)
		if r.redact.hides(n.Key) {
			value = Redacted
		}
		if j := slices.IndexFunc(*notes, func(p traffic.Pair) bool { return p.Name == n.Key }); j >= 0 {
			(*notes)[j].Value += ", " + value
		} else {
			*notes = append(*notes, traffic.Pair{Name: n.Key, Value: value})
		}
	}
	for i := range ex.Outcome.Attempts {
		a := &ex.Outcome.Attempts[i]
		d.Attempts = append(d.Attempts, traffic.Attempt{
			Target: a.Target, Status: a.Status, Error: r.redact.Text(ex, a.Error),
			Start: a.Start.Microseconds(), Duration: a.Duration.Microseconds(), Reused: a.Reused,
		})
	}
	s.record.Decision = d
}

// clear lets go of everything that belongs to the request.
func (s *state) clear() {
	s.record = traffic.Record{}
	d := &s.decision
	clear(d.Policies)
	clear(d.Attempts)
	clear(d.RequestHeaders)
	*d = traffic.Decision{Policies: d.Policies[:0], Attempts: d.Attempts[:0], RequestHeaders: d.RequestHeaders[:0]}
	clear(s.attributes)
	clear(s.requestHeaders)
	clear(s.responseHeaders)
	if cap(s.line) > 256<<10 {
		s.line = nil
	}
}

func (r *Recorder) clientIP(a netip.Addr) netip.Addr {
	switch r.config.ClientIP {
	case "omit":
		return netip.Addr{}
	case "truncate":
		bits := 48
		if a = a.Unmap(); a.Is4() {
			bits = 24
		}
		p, err := a.WithZone("").Prefix(bits)
		if err != nil {
			return netip.Addr{}
		}
		return p.Addr()
	}
	return a
}

func mask(ex *policy.Exchange, field, value string) string {
	if value != "" {
		for _, m := range ex.Log.Masks {
			value = m(field, value)
		}
	}
	return value
}

// cut shortens a text to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func tlsVersion(v uint16) string {
	switch v {
	case tls.VersionTLS13:
		return "1.3"
	case tls.VersionTLS12:
		return "1.2"
	}
	return tls.VersionName(v)
}

// subjects turns subjects into what is recorded of them.
type subjects struct {
	how  string
	pool *sync.Pool
}

func newSubjects(how, key string) subjects {
	if key == "" {
		key = rand.Text()
	}
	return subjects{how: how, pool: &sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(key)) }}}
}

func (s subjects) of(subject string) string {
	switch s.how {
	case "omit":
		return ""
	case "plain":
		return cut(subject, maxText)
	}
	h := s.pool.Get().(hash.Hash) //nolint:forcetypeassert // the pool holds nothing else
	defer s.pool.Put(h)
	h.Reset()
	h.Write([]byte(subject))
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0])[:16])
}
