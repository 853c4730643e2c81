package httpx_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/internal/example"
)

// What an API costs at the start, and what its surroundings cost a request: the
// token's signature is most of it.
func BenchmarkServer(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		tenants := authntest.New(b)
		for b.Loop() {
			_, err := httpx.New(httpx.Options{
				Service: "shelf", Document: example.Document,
				Verifier: authn.NewVerifier(tenants, nil, time.Now), Access: authn.NewAccess(tenants, nil, time.Now),
			})
			require.NoError(b, err)
		}
	})
	f := serve(b)
	token := f.tenants.User(b, "o1", "u1", "*")
	for _, c := range []struct {
		name string
		call call
	}{
		{"public", call{method: "GET", path: "/api/v1/opening-hours"}},
		{"list", call{method: "GET", path: "/api/v1/books?limit=10", token: token}},
		{"create", call{method: "POST", path: "/api/v1/books", token: token, body: `{"title":"T","pages":3,"shelf":{"row":1,"side":"left"}}`}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := f.do(c.call); w.Code >= 300 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
