// Package mirror is the policy mirror: it sends copies of requests to another
// address and throws the answers away. Nothing that happens to a copy is felt by
// the request it was made of.
package mirror

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a mirror.
type Config struct {
	// URL is where copies go. The path and the query of the request, as the
	// upstream gets them, are added.
	URL string `json:"url" schema:"required,format=uri,maxLength=2048"`
	// Percent is the share of requests that are copied, from 0 to 100.
	Percent float64 `json:"percent" schema:"min=0,max=100"`
	// Methods are the methods that are copied; empty = all. A copy of an unsafe
	// method changes things twice where the mirror shares data with the upstream.
	Methods []string `json:"methods,omitempty" schema:"unique,maxItems=32"`
	// DropHeaders are request fields that copies do not have. Set it to an empty
	// list to hand credentials on.
	DropHeaders []string `json:"dropHeaders" schema:"maxItems=64,unique"`
	// Headers are fields that copies have besides, or instead. Their values are
	// secrets, such as a key of the mirror.
	Headers map[string]schema.Secret `json:"headers,omitempty" schema:"maxItems=64"`
	// Mark is the name of the field that tells a copy, with the value "1".
	Mark string `json:"mark" schema:"minLength=1,maxLength=64"`
	// MaxBody is the largest body that is copied. A request with a larger one is not
	// copied.
	MaxBody schema.Bytes `json:"maxBody" schema:"min=0,max=64MiB"`
	// Timeout bounds the time of one copy.
	Timeout schema.Duration `json:"timeout" schema:"min=10ms,max=5m"`
	// Concurrency is how many copies are on their way at the same time.
	Concurrency int `json:"concurrency" schema:"min=1,max=1000"`
	// Queue is how many copies wait for their turn. Further ones are dropped.
	Queue int `json:"queue" schema:"min=0,max=100000"`
}

// Definition returns the policy type.
func Definition() policy.Definition { return definition(rand.Float64) }

func definition(random func() float64) policy.Definition {
	d := policy.Define("mirror", "Traffic mirror", Config{
		Percent: 100, DropHeaders: []string{"Authorization", "Cookie", "X-API-Key"}, Mark: "X-Gatehouse-Mirror",
		MaxBody: 1 << 20, Timeout: schema.Duration(5 * time.Second), Concurrency: 16, Queue: 256,
	}, func(c Config, env policy.Env) (policy.Hooks, error) { return compile(c, env, random) }, schemaDoc)
	d.Doc = "Sends a copy of each request, or of a share of them, to another address, to try out a new version with real " +
		"traffic. Answers are thrown away. Copies never delay or fail the request: when the mirror is slow or down they " +
		"are dropped, and counted in the log."
	d.Example = "{url: 'http://next.internal:9000', percent: 10, methods: [GET, HEAD]}"
	return d
}

// mirror is one configured policy.
type mirror struct {
	c       Config
	id      string
	random  func() float64
	share   float64
	base    *url.URL
	drop    []string
	slot    policy.Slot
	sender  *sender
	maxBody int64
}

// copied is a request that is to be copied.
type copied struct {
	job  *job
	tee  *tee // nil = the body is whole
	sent bool
}

func compile(c Config, env policy.Env, random func() float64) (policy.Hooks, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return policy.Hooks{}, policy.Invalid("/url", "%q is no address of a server; write it like http://host:port or https://host/path", c.URL)
	}
	if u.User != nil {
		return policy.Hooks{}, policy.Invalid("/url", "an address with a user name would be sent in the clear; use headers instead")
	}
	for i, name := range append(slices.Clone(c.DropHeaders), c.Mark) {
		pointer := "/mark"
		if i < len(c.DropHeaders) {
			pointer = "/dropHeaders/" + strconv.Itoa(i)
		}
		if !policy.ValidName(name) {
			return policy.Hooks{}, policy.Invalid(pointer, "%q is no field name; use letters, digits and dashes", name)
		}
	}
	for name, value := range c.Headers {
		if !policy.ValidName(name) || !policy.ValidValue(value.Reveal()) || policy.EqualName(name, "Host") {
			return policy.Hooks{}, policy.Invalid("/headers/"+name, "%q is no field that can be set; use a field name other than Host, and printable text", name)
		}
	}
	m := &mirror{
		c: c, id: env.ID, random: random, share: c.Percent / 100, base: u, slot: env.Slot(), maxBody: int64(c.MaxBody),
		drop: append(slices.Clone(c.DropHeaders), "Host", "Content-Length"),
	}
	m.sender = newSender(&c, env)
	return policy.Hooks{Inbound: m.inbound, Outbound: m.outbound, Done: m.done, Close: m.sender.close}, nil
}

// inbound draws the request, and listens to its body.
func (m *mirror) inbound(ex *policy.Exchange) error {
	r := &ex.Request
	if m.share == 0 || r.Upgrade != "" || r.GRPC || len(m.c.Methods) > 0 && !slices.Contains(m.c.Methods, r.Method) ||
		m.share < 1 && m.random() >= m.share {
		return nil
	}
	c := &copied{job: &job{method: r.Method, header: m.header(&r.Header)}}
	switch {
	case r.Body.Empty():
	case r.Body.Length() > m.maxBody:
		m.drops(ex, "the body is larger than maxBody")
		return nil
	case r.Body.Buffered():
		c.job.body = r.Body.Bytes()
	default:
		c.tee = &tee{left: m.maxBody, want: r.Body.Length()}
		r.Body.Wrap(r.Body.Length(), func(body io.Reader) io.Reader {
			c.tee.body = body
			return c.tee
		})
	}
	ex.Put(m.slot, c)
	return nil
}

func (m *mirror) drops(ex *policy.Exchange, why string) {
	m.sender.drop(why)
	ex.Note(m.id, "dropped", why)
}

func (m *mirror) header(h *policy.Header) http.Header {
	out := make(http.Header, h.Len()+len(m.c.Headers)+1)
	for _, f := range h.Fields() {
		if !slices.ContainsFunc(m.drop, func(n string) bool { return policy.EqualName(n, f.Name) }) {
			k := http.CanonicalHeaderKey(f.Name)
			out[k] = append(out[k], f.Value)
		}
	}
	for k, v := range m.c.Headers {
		out.Set(k, v.Reveal())
	}
	if !h.Has("User-Agent") {
		out["User-Agent"] = nil // not that of this program
	}
	out.Set(m.c.Mark, "1")
	return out
}

// outbound sends the copy where the upstream was called and has the whole body.
func (m *mirror) outbound(ex *policy.Exchange) error {
	if c, ok := ex.Get(m.slot).(*copied); ok && ex.Response.Source == policy.SourceUpstream {
		m.send(ex, c, false)
	}
	return nil
}

// done sends what outbound could not.
func (m *mirror) done(ex *policy.Exchange) {
	c, ok := ex.Get(m.slot).(*copied)
	if !ok || c == nil {
		return
	}
	ex.Put(m.slot, nil)
	if ex.Response.Source == policy.SourceUpstream || len(ex.Outcome.Attempts) > 0 {
		m.send(ex, c, true)
	}
}

func (m *mirror) send(ex *policy.Exchange, c *copied, last bool) {
	if c.sent {
		return
	}
	if c.tee != nil {
		body, err := c.tee.whole()
		switch {
		case errors.Is(err, errNotYet) && !last:
			return
		case err != nil:
			c.sent = true
			m.drops(ex, err.Error())
			return
		}
		c.job.body = body
	}
	c.sent = true
	path := ex.Forward.Path
	if path == "" {
		path = ex.Request.Path
	}
	c.job.url = m.base.Scheme + "://" + m.base.Host + strings.TrimSuffix(m.base.EscapedPath(), "/") + path
	if ex.Request.Query != "" {
		c.job.url += "?" + ex.Request.Query
	}
	if why := m.sender.enqueue(c.job); why != "" {
		ex.Note(m.id, "dropped", why)
	}
}

var (
	errNotYet   = errors.New("the body was not read to its end")
	errTooLarge = errors.New("the body is larger than maxBody")
)

// tee passes a body on and keeps a copy. Upstream clients may read in another
// goroutine, even after the exchange.
type tee struct {
	body io.Reader
	want int64 // length; -1 = unknown

	mu   sync.Mutex
	left int64
	copy []byte
	end  bool
	err  error
}

// Read reads the body.
func (t *tee) Read(b []byte) (int, error) {
	n, err := t.body.Read(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return n, err
	}
	if int64(n) > t.left {
		t.err, t.copy = errTooLarge, nil
		return n, err
	}
	t.left -= int64(n)
	t.copy = append(t.copy, b[:n]...)
	t.end = t.end || errors.Is(err, io.EOF) || t.want >= 0 && int64(len(t.copy)) == t.want
	return n, err
}

// Close closes the body.
func (t *tee) Close() error {
	if c, ok := t.body.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// whole returns the copy once it is complete.
func (t *tee) whole() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil && !t.end {
		return nil, errNotYet
	}
	return t.copy, t.err
}
