// Package jsonthreat is the policy json-threat: it refuses JSON bodies that are
// made to hurt parsers. It knows the form of JSON and nothing of its meaning.
package jsonthreat

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of the protection against harmful JSON.
type Config struct {
	// MaxDepth is how deep objects and arrays may nest; 0 = any depth.
	MaxDepth int `json:"maxDepth" schema:"min=0,max=10000"`
	// MaxKeys is how many keys an object may have; 0 = any number.
	MaxKeys int `json:"maxKeys" schema:"min=0"`
	// MaxItems is how many items an array may have; 0 = any number.
	MaxItems int `json:"maxItems" schema:"min=0"`
	// MaxString is how long a string may be, in bytes as it is written; 0 = any
	// length.
	MaxString int `json:"maxString" schema:"min=0"`
	// MaxKey is how long a key may be, in bytes as it is written; 0 = any length.
	MaxKey int `json:"maxKey" schema:"min=0"`
	// MaxNumber is how many characters a number may have; 0 = any.
	MaxNumber int `json:"maxNumber" schema:"min=0"`
	// MaxValues is how many values a body may have in all; 0 = any number.
	MaxValues int `json:"maxValues" schema:"min=0"`
	// DuplicateKeys allows the same key twice in an object. Parsers disagree about
	// which of them counts.
	DuplicateKeys bool `json:"duplicateKeys,omitempty"`
	// ContentTypes are the media types of the bodies that are checked; a * stands
	// for anything. A body without Content-Type is checked as well.
	ContentTypes []string `json:"contentTypes" schema:"minItems=1,maxItems=32,unique"`
	// Mode says when the body is checked. Buffer: it is read into memory first, and
	// the upstream sees nothing of one that is refused. Stream: it is checked as it
	// passes; the upstream gets the part before the first fault and then a broken
	// connection.
	Mode string `json:"mode" schema:"enum=buffer|stream"`
	// MaxBody is the largest body that is read into memory; a larger one is refused
	// with 413. It does not concern mode stream.
	MaxBody schema.Bytes `json:"maxBody" schema:"min=1,max=256MiB"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("json-threat", "JSON threat protection", Config{
		MaxDepth: 32, MaxKeys: 1000, MaxItems: 10000, MaxString: 1 << 20, MaxKey: 256, MaxNumber: 64, MaxValues: 100000,
		ContentTypes: []string{"application/json", "application/*+json", "text/json"}, Mode: "buffer", MaxBody: 10 << 20,
	}, compile, schemaDoc)
	d.Doc = "Refuses JSON request bodies that nest too deep, have too many or too long parts, or are no valid JSON, before " +
		"a parser of the upstream meets them. A compressed body is refused, since it cannot be checked."
	d.Example = "{maxDepth: 10, maxKeys: 100, maxItems: 1000, maxString: 65536, maxBody: 1MiB}"
	return d
}

// guard is one configured policy.
type guard struct {
	c        Config
	id       string
	limits   limits
	types    []string
	scanners sync.Pool
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	g := &guard{c: c, id: env.ID, limits: limits{
		depth: c.MaxDepth, keys: c.MaxKeys, items: c.MaxItems, str: c.MaxString, key: c.MaxKey,
		number: c.MaxNumber, values: c.MaxValues, unique: !c.DuplicateKeys,
	}}
	for i, t := range c.ContentTypes {
		t = strings.ToLower(t)
		if strings.Count(t, "*") > 1 || strings.Count(t, "/") != 1 || strings.ContainsAny(t, " ;,") {
			return policy.Hooks{}, policy.Invalid("/contentTypes/"+strconv.Itoa(i),
				"%q is no media type; write it like application/json or application/*+json", t)
		}
		g.types = append(g.types, t)
	}
	g.scanners.New = func() any { return new(scanner) }
	return policy.Hooks{Inbound: g.inbound}, nil
}

func (g *guard) inbound(ex *policy.Exchange) error {
	r := &ex.Request
	if r.Body.Empty() || r.GRPC || r.Upgrade != "" || !g.concerns(r.Header.Get("Content-Type")) {
		return nil
	}
	if e := r.Header.Joined("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return problem.New(problem.CodeUnsupportedMediaType, "a compressed body cannot be checked; send it without Content-Encoding")
	}
	if g.c.Mode == "stream" && !r.Body.Buffered() {
		s := new(scanner) // not pooled: an upstream's client may read on after the exchange
		s.reset(&g.limits)
		left := r.Body.Length()
		r.Body.Wrap(left, func(body io.Reader) io.Reader { return &filter{g: g, body: body, s: s, left: left} })
		return nil
	}
	body, err := r.Body.Buffer(int64(g.c.MaxBody))
	if err != nil {
		return bodyProblem(err, int64(g.c.MaxBody))
	}
	if len(body) == 0 {
		return nil // a stream of unknown length that bears nothing
	}
	if !utf8.Valid(body) {
		return g.refuse(ex, &violation{rule: errSyntax})
	}
	s := g.scanners.Get().(*scanner) //nolint:forcetypeassert // the pool has only these
	defer g.scanners.Put(s)
	s.reset(&g.limits)
	if err = s.write(body); err == nil {
		err = s.end()
	}
	if err != nil {
		return g.refuse(ex, err)
	}
	return nil
}

func bodyProblem(err error, limit int64) error {
	var p *problem.Problem
	switch {
	case errors.Is(err, policy.ErrBodyTooLarge):
		return problem.New(problem.CodeBodyTooLarge, "the body exceeds %d bytes", limit)
	case errors.As(err, &p):
		return p
	}
	return problem.New(problem.CodeBadRequest, "the request body could not be read").Because(err)
}

// refuse says what is wrong with the body.
func (g *guard) refuse(ex *policy.Exchange, err error) error {
	p := explain(err)
	if ex != nil && ex.Noting() {
		ex.Note(g.id, "refused", p.Detail)
	}
	return p
}

func explain(err error) *problem.Problem {
	var v *violation
	if !errors.As(err, &v) {
		return problem.From(err)
	}
	switch {
	case errors.Is(v.rule, errSyntax):
		return problem.New(problem.CodeBadRequest, "the body is refused: at byte %d %v", v.offset, v.rule)
	case v.limit > 0:
		return problem.New(problem.CodeThreatDetected, "the body is refused: at byte %d %v; the limit is %d", v.offset, v.rule, v.limit)
	}
	return problem.New(problem.CodeThreatDetected, "the body is refused: at byte %d %v", v.offset, v.rule)
}

// concerns reports whether bodies of that Content-Type are checked.
func (g *guard) concerns(contentType string) bool {
	contentType, _, _ = strings.Cut(contentType, ";")
	contentType = strings.Trim(contentType, " \t")
	if contentType == "" {
		return true
	}
	for _, t := range g.types {
		before, after, wild := strings.Cut(t, "*")
		if !wild && strings.EqualFold(t, contentType) {
			return true
		}
		if wild && len(contentType) >= len(before)+len(after) && strings.EqualFold(contentType[:len(before)], before) &&
			strings.EqualFold(contentType[len(contentType)-len(after):], after) {
			return true
		}
	}
	return false
}

// filter checks a body as it passes.
type filter struct {
	g    *guard
	body io.Reader
	s    *scanner
	left int64 // of the length; negative = unknown
	some bool
	err  error
}

// Read reads the body up to the first piece that has a fault.
func (f *filter) Read(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.body.Read(b)
	if n > 0 {
		f.some = true
		if bad := f.s.write(b[:n]); bad != nil {
			f.err = f.g.refuse(nil, bad)
			return 0, f.err
		}
		if f.left -= int64(n); f.left == 0 && err == nil {
			// The last piece of a known length: the upstream would take it for whole.
			err = io.EOF
		}
	}
	if errors.Is(err, io.EOF) && f.some {
		if bad := f.s.end(); bad != nil {
			f.err = f.g.refuse(nil, bad)
			return 0, f.err
		}
	}
	f.err = err
	return n, err
}

// Close closes the body.
func (f *filter) Close() error {
	if c, ok := f.body.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
