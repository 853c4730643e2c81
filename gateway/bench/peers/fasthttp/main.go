// Command fasthttp is the least that a proxy on fasthttp can be. It shows what
// that engine costs before a gateway has done anything. It streams nothing and
// is strict about nothing.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address to listen on")
	upstream := flag.String("upstream", "127.0.0.1:9000", "address to send requests to")
	cert := flag.String("cert", "", "certificate file in PEM; none = clear text")
	key := flag.String("key", "", "key file in PEM")
	flag.Parse()

	client := &fasthttp.HostClient{
		Addr:                          *upstream,
		MaxConns:                      1024,
		MaxIdleConnDuration:           time.Minute,
		DisablePathNormalizing:        true,
		DisableHeaderNamesNormalizing: true,
		NoDefaultUserAgentHeader:      true,
	}
	srv := &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.Request.Header.Del("Connection")
			if ctx.IsTLS() {
				ctx.Request.URI().SetScheme("http") // or the client refuses it
			}
			if err := client.Do(&ctx.Request, &ctx.Response); err != nil {
				ctx.Error(err.Error(), fasthttp.StatusBadGateway)
				return
			}
			ctx.Response.Header.Del("Connection")
		},
		DisableHeaderNamesNormalizing: true,
		NoDefaultServerHeader:         true,
		IdleTimeout:                   time.Minute,
	}
	var err error
	if *cert != "" {
		err = srv.ListenAndServeTLS(*listen, *cert, *key)
	} else {
		err = srv.ListenAndServe(*listen)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fasthttp:", err)
		os.Exit(1)
	}
}
