// Command nethttp is the least that a proxy on Go's net/http and
// httputil.ReverseProxy can be. It shows what that engine costs before a gateway
// has done anything.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address to listen on")
	upstream := flag.String("upstream", "http://127.0.0.1:9000", "URL to send requests to")
	cert := flag.String("cert", "", "certificate file in PEM; none = clear text")
	key := flag.String("key", "", "key file in PEM")
	flag.Parse()
	if err := run(*listen, *upstream, *cert, *key); err != nil {
		fmt.Fprintln(os.Stderr, "nethttp:", err)
		os.Exit(1)
	}
}

func run(listen, upstream, cert, key string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return fmt.Errorf("reading -upstream: %w", err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
		},
		Transport: &http.Transport{
			MaxIdleConns:        1024,
			MaxIdleConnsPerHost: 1024,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
		},
	}
	srv := &http.Server{Addr: listen, Handler: proxy, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	if cert != "" {
		// HTTP/1.1 only, as for every other peer of the comparison.
		srv.Protocols = new(http.Protocols)
		srv.Protocols.SetHTTP1(true)
		return srv.ListenAndServeTLS(cert, key)
	}
	return srv.ListenAndServe()
}
