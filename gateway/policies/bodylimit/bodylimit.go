// Package bodylimit is the policy type body-limit: it bounds the size of request
// and response bodies and says which media types a request may have. It counts
// bytes as they stream and holds nothing back.
package bodylimit

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"io"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type body-limit.
type Config struct {
	// The bound on request bodies.
	Request Request `json:"request,omitzero"`
	// The bound on response bodies.
	Response Response `json:"response,omitzero"`
}

// Request is the bound on request bodies.
type Request struct {
	// Largest body, in bytes as sent. 0 = the gateway's own limit. A request that
	// announces more is refused with 413 at once, one that sends more without
	// announcing it as soon as it does.
	Max schema.Bytes `json:"max,omitempty"`
	// Whether a body must announce its length; one that does not is refused with
	// 411.
	RequireLength bool `json:"requireLength,omitempty"`
	// Media types that a body may have, such as "application/json", "text/*" or
	// "*/*+json"; others are refused with 415. None = all.
	MediaTypes []string `json:"mediaTypes,omitempty" schema:"unique,minLength=3"`
}

// Response is the bound on response bodies.
type Response struct {
	// Largest body, in bytes as received. 0 = no bound. A response that announces
	// more is answered with 502; one that sends more without announcing it is cut
	// off, which clients notice.
	Max schema.Bytes `json:"max,omitempty"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("body-limit", "Body limit", Config{}, compile, schemaDoc)
	d.Doc = "Bounds the size of request and response bodies, counting what is really sent, and the media types of requests."
	d.Example = `request:
  max: 1MB
  mediaTypes: [application/json, "*/*+json"]
response:
  max: 10MB
`
	return d
}

type limit struct {
	request, response int64
	requireLength     bool
	media             []string
}

func compile(c Config, _ policy.Env) (policy.Hooks, error) {
	p := &limit{request: int64(c.Request.Max), response: int64(c.Response.Max), requireLength: c.Request.RequireLength}
	for i, m := range c.Request.MediaTypes {
		m = policy.MediaType(m)
		if kind, sub, ok := strings.Cut(m, "/"); !ok || kind == "" || sub == "" || strings.ContainsAny(m, " ;,") {
			return policy.Hooks{}, policy.Invalid("/request/mediaTypes/"+strconv.Itoa(i), "want type/subtype, such as application/json or text/*")
		}
		p.media = append(p.media, m)
	}
	var h policy.Hooks
	if p.request > 0 || p.requireLength || len(p.media) > 0 {
		h.Inbound = p.inbound
	}
	if p.response > 0 {
		h.Outbound = p.outbound
	}
	if h.Inbound == nil && h.Outbound == nil {
		return h, policy.Invalid("", "nothing is limited; set request.max, request.requireLength, request.mediaTypes or response.max")
	}
	return h, nil
}

func (p *limit) inbound(ex *policy.Exchange) error {
	body := &ex.Request.Body
	if body.Empty() {
		return nil
	}
	if len(p.media) > 0 && !p.accepts(ex.Request.Header.Get("Content-Type")) {
		return problem.New(problem.CodeUnsupportedMediaType, "the media type of the body is not accepted; send %s", strings.Join(p.media, " or ")).
			WithHeader("Accept", strings.Join(p.media, ", "))
	}
	length := body.Length()
	if p.requireLength && length < 0 {
		return problem.New(problem.CodeLengthRequired, "send the length of the body as Content-Length")
	}
	if p.request <= 0 || length >= 0 && length <= p.request {
		return nil // the transport holds the client to the length announced
	}
	if length > p.request {
		return p.requestTooLarge()
	}
	body.Wrap(-1, func(r io.Reader) io.Reader { return &counter{src: r, left: p.request, err: p.requestTooLarge} })
	return nil
}

func (p *limit) accepts(contentType string) bool {
	media := policy.MediaType(contentType)
	for _, m := range p.media {
		if media != "" && policy.MatchMedia(m, media) {
			return true
		}
	}
	return false
}

func (p *limit) requestTooLarge() error {
	return problem.New(problem.CodeBodyTooLarge, "the body may have at most %d bytes", p.request)
}

func (p *limit) responseTooLarge() error {
	return problem.New(problem.CodeUpstreamTooLarge, "the response exceeds %d bytes", p.response)
}

func (p *limit) outbound(ex *policy.Exchange) error {
	if ex.Response.Tunnel != nil {
		return nil
	}
	body := &ex.Response.Body
	switch length := body.Length(); {
	case length > p.response:
		return p.responseTooLarge()
	case length < 0 && !body.Empty():
		body.Wrap(-1, func(r io.Reader) io.Reader { return &counter{src: r, left: p.response, err: p.responseTooLarge} })
	}
	return nil
}

// counter passes on at most left bytes of src, and then fails.
type counter struct {
	src  io.Reader
	left int64
	err  func() error
}

// Read reads. It never hands out a byte over the limit.
func (c *counter) Read(b []byte) (int, error) {
	if c.left < 0 {
		return 0, c.err()
	}
	if int64(len(b)) > c.left+1 {
		b = b[:c.left+1] // one more, to notice
	}
	n, err := c.src.Read(b)
	if c.left -= int64(n); c.left < 0 {
		return n - 1, c.err()
	}
	return n, err
}

// Buffered returns how many bytes can be read without waiting, 0 where that is
// not known.
func (c *counter) Buffered() int {
	if b, ok := c.src.(interface{ Buffered() int }); ok {
		return b.Buffered()
	}
	return 0
}

// Interrupt ends a read under way, where the source can.
func (c *counter) Interrupt() {
	if i, ok := c.src.(interface{ Interrupt() }); ok {
		i.Interrupt()
	}
}

// Close closes the source.
func (c *counter) Close() error {
	if cl, ok := c.src.(io.Closer); ok {
		return cl.Close()
	}
	return nil
}
