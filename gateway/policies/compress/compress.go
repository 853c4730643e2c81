// Package compress is the policy type compress: it compresses responses for
// clients that accept that, and decompresses requests for upstreams. Both
// stream in constant memory; what the upstream has sent when it pauses is passed
// on at once.
package compress

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type compress.
type Config struct {
	// Encodings that may be used, the preferred first. Where a client weighs them,
	// its weights win.
	Encodings []string `json:"encodings" schema:"unique,minItems=1,enum=br|gzip|zstd"`
	// Responses that are known to be smaller are left alone, in bytes.
	MinLength schema.Bytes `json:"minLength"`
	// Media types to compress, such as "application/json", "text/*" or "*/*+json".
	MediaTypes []string `json:"mediaTypes" schema:"unique,minItems=1,minLength=3"`
	// Whether event streams (text/event-stream) are compressed too, each event as
	// it comes.
	Events bool `json:"events,omitempty"`
	// How hard gzip tries, from 1 (fast) to 9.
	GzipLevel int `json:"gzipLevel" schema:"min=1,max=9"`
	// How hard brotli tries, from 0 (fast) to 11.
	BrotliLevel int `json:"brotliLevel" schema:"min=0,max=11"`
	// How hard zstd tries, from 1 (fast) to 4.
	ZstdLevel int `json:"zstdLevel" schema:"min=1,max=4"`
	// What is done with compressed requests.
	Request Request `json:"request,omitzero"`
}

// Request is what is done with compressed requests.
type Request struct {
	// Whether bodies that are compressed with gzip, br, zstd or deflate are
	// decompressed before other policies and the upstream see them. Others are
	// refused with 415.
	Decompress bool `json:"decompress,omitempty"`
	// Largest decompressed body, in bytes; a larger one is refused with 413.
	// 0 = 10 MiB.
	MaxSize schema.Bytes `json:"maxSize,omitempty"`
	// How many times larger than sent a body may become, beyond its first 64 KiB;
	// one that grows more is refused with 413. 0 = 100.
	MaxRatio int `json:"maxRatio,omitempty" schema:"min=0,max=10000"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("compress", "Compression", Config{
		Encodings: []string{"br", "gzip"}, MinLength: 1 << 10, GzipLevel: 5, BrotliLevel: 4, ZstdLevel: 2,
		MediaTypes: []string{
			"text/*", "application/json", "*/*+json", "application/xml", "*/*+xml", "application/javascript",
			"application/x-ndjson", "application/yaml", "application/wasm", "image/svg+xml",
		},
	}, compile, schemaDoc)
	d.Doc = "Compresses responses with brotli, gzip or zstd for clients that accept it, streaming, and on request decompresses " +
		"requests within a size and a ratio."
	d.Example = `encodings: [br, gzip]
minLength: 1KiB
request: {decompress: true, maxSize: 5MB}
`
	return d
}

// compressor is one configured policy.
type compressor struct {
	encodings []encoding
	min       int64
	media     []string
	events    bool
	maxSize   int64
	maxRatio  int64
}

// encoding is a content coding with its writers.
type encoding struct {
	name string
	pool *writers
}

func compile(c Config, _ policy.Env) (policy.Hooks, error) {
	p := &compressor{min: int64(c.MinLength), events: c.Events, maxSize: int64(c.Request.MaxSize), maxRatio: int64(c.Request.MaxRatio)}
	for _, name := range c.Encodings {
		p.encodings = append(p.encodings, encoding{name, newWriters(name, c)})
	}
	for i, m := range c.MediaTypes {
		m = policy.MediaType(m)
		if kind, sub, ok := strings.Cut(m, "/"); !ok || kind == "" || sub == "" {
			return policy.Hooks{}, policy.Invalid("/mediaTypes/"+strconv.Itoa(i), "want type/subtype, such as application/json or text/*")
		}
		p.media = append(p.media, m)
	}
	h := policy.Hooks{Outbound: p.outbound}
	if !c.Request.Decompress {
		if c.Request != (Request{}) {
			return h, policy.Invalid("/request/decompress", "set it to true, for the limits to have a meaning")
		}
		return h, nil
	}
	if p.maxSize == 0 {
		p.maxSize = 10 << 20
	}
	if p.maxRatio == 0 {
		p.maxRatio = 100
	}
	h.Inbound = p.inbound
	return h, nil
}

// outbound compresses the response where it can and may be.
func (p *compressor) outbound(ex *policy.Exchange) error {
	resp := &ex.Response
	if !p.eligible(ex) {
		return nil
	}
	// Also where this client gets it as it is: a cache must ask for others.
	policy.AddVary(&resp.Header, "Accept-Encoding")
	if resp.Status == 304 || ex.Request.Method == "HEAD" || resp.Body.Empty() || resp.Body.Length() >= 0 && resp.Body.Length() < p.min {
		return nil
	}
	e := p.choose(&ex.Request.Header)
	if e == nil {
		return nil
	}
	if !p.encode(ex, e) {
		return nil
	}
	h := &resp.Header
	h.Set("Content-Encoding", e.name)
	h.Del("Content-Length")
	h.Del("Accept-Ranges") // ranges would be of other bytes
	h.Del("Content-MD5")
	h.Del("Content-Digest")
	if tag, ok := h.Lookup("ETag"); ok && !strings.HasPrefix(tag, "W/") {
		h.Set("ETag", "W/"+tag) // no longer the same bytes (RFC 9110 section 8.8.1)
	}
	return nil
}

const eventStream = "text/event-stream"

// eligible reports whether a response of this kind is ever compressed.
func (p *compressor) eligible(ex *policy.Exchange) bool {
	resp := &ex.Response
	switch {
	case resp.Tunnel != nil, ex.Request.GRPC, resp.Status < 200, resp.Status == 204, resp.Status == 205, resp.Status == 206:
		return false
	}
	h := &resp.Header
	if h.Has("Content-Encoding") || h.Has("Content-Range") || h.HasToken("Cache-Control", "no-transform") {
		return false
	}
	media := policy.MediaType(h.Get("Content-Type"))
	switch media {
	case "":
		return resp.Status == 304 // which leaves it out
	case eventStream:
		return p.events
	}
	return slices.ContainsFunc(p.media, func(m string) bool { return policy.MatchMedia(m, media) })
}

// choose returns the encoding that the client likes best, of those the one that
// stands first; nil where it wants none (RFC 9110 section 12.5.3).
func (p *compressor) choose(h *policy.Header) *encoding {
	var best *encoding
	bestWeight, identity := 0, -1
	for i := range p.encodings {
		weight, any := -1, -1
		for name, q := range h.Preferences("Accept-Encoding") {
			switch {
			case policy.EqualName(name, p.encodings[i].name), p.encodings[i].name == "gzip" && policy.EqualName(name, "x-gzip"):
				weight = q
			case name == "*":
				any = q
			case policy.EqualName(name, "identity"):
				identity = q
			}
		}
		if weight < 0 {
			weight = any
		}
		if weight > bestWeight {
			best, bestWeight = &p.encodings[i], weight
		}
	}
	if identity > bestWeight {
		return nil
	}
	return best
}

// inMemory is up to which size content in memory is compressed at once, so that
// its length is known.
const inMemory = 256 << 10

// encode puts the compressed content in place of the content. It reports false
// where it leaves it as it is.
func (p *compressor) encode(ex *policy.Exchange, e *encoding) bool {
	body := &ex.Response.Body
	if body.Buffered() && body.Length() <= inMemory {
		var out bytes.Buffer
		out.Grow(int(body.Length())/2 + 64)
		w := e.pool.get(&out)
		_, err := w.Write(body.Bytes())
		if err == nil {
			err = w.Close()
		}
		e.pool.put(w)
		if err != nil || int64(out.Len()) >= body.Length() {
			return false
		}
		body.SetBytes(out.Bytes())
		return true
	}
	events := policy.MediaType(ex.Response.Header.Get("Content-Type")) == eventStream
	body.Wrap(-1, func(src io.Reader) io.Reader { return newReader(src, e.pool, events) })
	return true
}
