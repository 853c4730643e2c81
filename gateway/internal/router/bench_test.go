package router

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

// benchAPI is one of many: ten operations, as a REST API has them.
func benchAPI(i int, hosts bool) API {
	api := API{ID: fmt.Sprintf("api-%05d", i), BasePath: fmt.Sprintf("/team-%02d/service-%05d", i%97, i)}
	if hosts {
		api.Hosts = []string{fmt.Sprintf("service-%05d.example.com", i)}
		api.BasePath = "/"
	}
	for _, op := range [][2]string{
		{"GET", "/items"},
		{"POST", "/items"},
		{"GET", "/items/{id}"},
		{"PUT", "/items/{id}"},
		{"DELETE", "/items/{id}"},
		{"GET", "/items/{id}/lines"},
		{"GET", "/items/{id}/lines/{line}"},
		{"GET", "/customers/{customer}"},
		{"GET", "/customers/{customer}/orders"},
		{"GET", "/files/{path...}"},
	} {
		api.Operations = append(api.Operations, Operation{ID: op[0] + op[1], Method: op[0], Path: op[1]})
	}
	return api
}

var benchTails = [...][2]string{
	{"GET", "/items"},
	{"POST", "/items"},
	{"GET", "/items/8271"},
	{"PUT", "/items/8271"},
	{"DELETE", "/items/8271"},
	{"GET", "/items/8271/lines"},
	{"GET", "/items/8271/lines/3"},
	{"GET", "/customers/c-77"},
	{"GET", "/customers/c-77/orders"},
	{"GET", "/files/a/b/c.txt"},
}

// wire makes requests in one small buffer, as a transport does: the bytes of a
// request that has just been read are in the cache, whatever its path is.
type wire struct {
	rng   *rand.PCG
	apis  uint64 // how many are asked
	hosts bool
	buf   [128]byte
	text  [128]byte
	req   Request
}

func (w *wire) next() *Request {
	n := w.rng.Uint64()
	return w.request(n>>32%w.apis, benchTails[n%10])
}

// key returns the request as one text, in the same buffer, for the map that the
// look-up is compared with.
func (w *wire) key(r *Request) []byte {
	return append(append(append(w.text[:0], r.Method...), r.Host...), r.Path...)
}

// request makes a request for one operation of API i.
func (w *wire) request(i uint64, tail [2]string) *Request {
	b := w.buf[:0]
	digits := func(v uint64, width int) {
		for p := len(b) + width - 1; p >= len(b); p-- {
			w.buf[p] = byte('0' + v%10)
			v /= 10
		}
		b = b[:len(b)+width]
	}
	if w.hosts {
		b = append(b, "service-"...)
		digits(i, 5)
		b = append(b, ".example.com"...)
		w.req.Host = unsafe.String(&w.buf[0], len(b))
	} else {
		w.req.Host = "api.example.com"
	}
	from := len(b)
	if !w.hosts {
		b = append(b, "/team-"...)
		digits(i%97, 2)
		b = append(b, "/service-"...)
		digits(i, 5)
	}
	b = append(b, tail[1]...)
	w.req.Method, w.req.Path = tail[0], unsafe.String(&w.buf[from], len(b)-from)
	return &w.req
}

// BenchmarkMatch is the look-up, in tables of 10 to 100,000 operations. "make" is
// what making the request costs, and is to be taken off.
//
// "same-ten" asks the same ten operations of each table, so that what is asked is
// in the processor's caches: it tells whether the look-up itself does more work
// where there is more to look through. The target is 1.2 times for 100,000
// operations as against 10.
//
// "operations" asks all operations of the table at random. What 100,000 of them
// take up is larger than the caches, so that this tells how long the machine's
// memory is waited for, once for each cache line: "map" is the same for a plain
// Go map from method, host and path to a number, as what cannot be beaten
// by much.
func BenchmarkMatch(b *testing.B) {
	for _, hosts := range []bool{false, true} {
		name := "base-paths"
		if hosts {
			name = "hosts"
		}
		w := &wire{rng: rand.NewPCG(1, 2), apis: 10_000, hosts: hosts}
		b.Run(name+"/make", func(b *testing.B) {
			for b.Loop() {
				w.next()
			}
		})
		for _, n := range []int{1, 100, 10_000} {
			var apis []*Compiled
			for i := range n {
				apis = append(apis, compileAll(b, []API{benchAPI(i, hosts)})...)
			}
			x, _ := Build(apis)
			for _, c := range []struct {
				name  string
				asked int
			}{{"same-ten", 1}, {"operations", n}} {
				w := &wire{rng: rand.NewPCG(1, 2), apis: uint64(c.asked), hosts: hosts}
				b.Run(fmt.Sprintf("%s/%s=%d", name, c.name, 10*n), func(b *testing.B) {
					b.ReportAllocs()
					var m Match
					for b.Loop() {
						if x.Match(w.next(), &m); m.Outcome != Matched {
							b.Fatal(w.req.Path)
						}
					}
				})
			}
			w := &wire{rng: rand.NewPCG(1, 2), apis: uint64(n), hosts: hosts}
			plain := make(map[string]int, 10*n)
			for i := range uint64(n) {
				for _, tail := range benchTails {
					plain[string(w.key(w.request(i, tail)))] = len(plain)
				}
			}
			b.Run(fmt.Sprintf("%s/map=%d", name, 10*n), func(b *testing.B) {
				for b.Loop() {
					if _, ok := plain[string(w.key(w.next()))]; !ok {
						b.Fatal(w.req.Path)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/with-canon/operations=%d", name, 10*n), func(b *testing.B) {
				b.ReportAllocs()
				var m Match
				var err error
				for b.Loop() {
					req := w.next()
					if req.Path, req.Flags, err = canon.Path(req.Path); err != nil {
						b.Fatal(err)
					}
					if req.Host, err = canon.Host(req.Host); err != nil {
						b.Fatal(err)
					}
					if x.Match(req, &m); m.Outcome != Matched {
						b.Fatal(w.req.Path)
					}
				}
			})
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		apis := make([]*Compiled, 10_000)
		for i := range apis {
			c, err := Compile(benchAPI(i, false))
			if err != nil {
				b.Fatal(err)
			}
			apis[i] = c
		}
		Build(apis)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, hosts := range []bool{false, true} {
		b.Run(fmt.Sprintf("hosts=%v", hosts), func(b *testing.B) {
			var apis []API
			for i := range 10_000 {
				apis = append(apis, benchAPI(i, hosts))
			}
			compiled := compileAll(b, apis)
			x, _ := Build(compiled)
			next := slices.Clone(compiled)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 7919) % len(apis)
				c, err := Compile(apis[i])
				if err != nil {
					b.Fatal(err)
				}
				x, _ = x.Update(next[i:i+1], []*Compiled{c})
				next[i] = c
			}
		})
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	apis := []API{benchAPI(1, false), benchAPI(2, true)}
	conditional := benchAPI(3, false)
	conditional.Conditions = []Condition{{Header: "X-Version", Matches: "[0-9]+"}, {Query: "beta", Equals: "1"}}
	apis = append(apis, conditional)
	x, _ := Build(compileAll(t, apis))
	for _, c := range []struct {
		want   Outcome
		method string
		host   string
		path   string
	}{
		{Matched, "GET", "a.example", "/team-01/service-00001/items/8/lines/9"},
		{Matched, "HEAD", "service-00002.example.com", "/files/a/b"},
		{Matched, "GET", "a.example", "/team-03/service-00003/items"},
		{MethodNotAllowed, "PATCH", "a.example", "/team-01/service-00001/items/8"},
		{OptionsAuto, "OPTIONS", "a.example", "/team-01/service-00001/items/8"},
		{NoPath, "GET", "a.example", "/team-01/service-00001x/items/8"},
	} {
		req := &Request{Method: c.method, Host: c.host, Path: c.path, RawQuery: "beta=1", Header: fields{{"x-version", "12"}}}
		var m Match
		require.Zero(t, testing.AllocsPerRun(100, func() {
			x.Match(req, &m)
			m.Param("id")
		}), c.path)
		require.Equal(t, c.want, m.Outcome, c.path)
	}
}

// BenchmarkUpdateOnly is the exchange of one of 10,000 APIs that is compiled
// already.
func BenchmarkUpdateOnly(b *testing.B) {
	var apis []API
	for i := range 10_000 {
		apis = append(apis, benchAPI(i, false))
	}
	old, now := compileAll(b, apis), compileAll(b, apis)
	x, _ := Build(old)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 7919) % len(apis)
		x, _ = x.Update(old[i:i+1], now[i:i+1])
		old[i], now[i] = now[i], old[i]
	}
}
