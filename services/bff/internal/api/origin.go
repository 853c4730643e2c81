package api

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/clientcert"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

type (
	httpsKey       struct{}
	certificateKey struct{}
)

// Behind returns a handler that believes the given proxies: who calls, and
// whether over HTTPS, is then what they say (X-Forwarded-For, X-Forwarded-Proto),
// and in the certificate header, where one is named, the certificate that the
// client has shown to them. Nobody else is believed.
func Behind(proxies []schema.CIDR, certificate string, h http.Handler) http.Handler {
	trusted := func(a netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		https := r.TLS != nil
		r.Header.Del(tenant.ClientCertificate)
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && trusted(peer.Addr().Unmap()) {
			if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
				https = strings.EqualFold(proto, "https")
			}
			r = withCertificate(r, certificate)
			if client := clientOf(r.Header.Values("X-Forwarded-For"), trusted); client.IsValid() {
				r = r.Clone(r.Context())
				r.RemoteAddr = net.JoinHostPort(client.String(), "0")
			}
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), httpsKey{}, https)))
	})
}

// withCertificate returns a request whose context has the client certificate that
// a trusted proxy tells; one that cannot be read is none.
func withCertificate(r *http.Request, header string) *http.Request {
	if header == "" || len(r.Header.Values(header)) != 1 {
		return r
	}
	c, err := clientcert.Parse(r.Header.Get(header))
	if err != nil {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), certificateKey{}, ":"+base64.StdEncoding.EncodeToString(c.Raw)+":"))
}

// certificateOf returns the client certificate of a request as it is passed on, ""
// where there is none.
func certificateOf(r *http.Request) string {
	told, _ := r.Context().Value(certificateKey{}).(string)
	return told
}

// clientOf returns the last address that is not a trusted proxy's own.
func clientOf(fields []string, trusted func(netip.Addr) bool) netip.Addr {
	var client netip.Addr
	list := strings.Split(strings.Join(fields, ","), ",")
	for i := len(list) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(list[i]))
		if err != nil {
			break
		}
		client = a.Unmap().WithZone("")
		if !trusted(client) {
			break
		}
	}
	return client
}

func isHTTPS(r *http.Request) bool {
	https, _ := r.Context().Value(httpsKey{}).(bool)
	return https
}

// CSRFHeader is the header field by which a page shows that a write is its own.
const CSRFHeader = "X-Gatehouse-CSRF"

// anonymous is what it holds where nobody is signed in: that a script of another
// site cannot send the field at all is what counts then.
const anonymous = "anonymous"

func foreign(why string) *problem.Problem {
	return problem.New(problem.CodeAccessDenied, "this request does not come from a page of this installation: %s", why)
}

// sameOrigin refuses what browsers send on behalf of other sites.
func sameOrigin(r *http.Request) error {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, r.Host) {
			return foreign("its Origin is another")
		}
		return nil
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return foreign("Sec-Fetch-Site is " + site)
	}
	return nil
}

// checkWrite refuses a write under a session that is not one of our pages' own.
func checkWrite(r *http.Request, s *session.Session) error {
	if err := sameOrigin(r); err != nil {
		return err
	}
	sent := r.Header.Get(CSRFHeader)
	switch {
	case sent == "":
		return foreign("the header " + CSRFHeader + " is missing; its value is the csrf of GET /bff/session")
	case s != nil && !secret.Equal(sent, s.CSRF):
		return foreign("the header " + CSRFHeader + " is of another session; its value is the csrf of GET /bff/session")
	}
	return nil
}

func isWrite(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// ours lets through what pages of ours send, signed in or not.
func (h *handlers) ours(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		s, err := h.session(c)
		if err != nil {
			return err
		}
		if err := checkWrite(c.Request(), s); err != nil {
			return err
		}
		return next(c)
	}
}
