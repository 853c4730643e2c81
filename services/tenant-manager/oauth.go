package tenantmanager

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/clientcert"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
)

// oauthServer returns the authorization server, nil where it has no address.
func (m *manager) oauthServer(k *service.Kit) *oauth.Server {
	if m.cfg.OAuth.URL == "" {
		return nil
	}
	return oauth.New(oauth.Options{
		URL: m.cfg.OAuth.URL, Store: m.store, Short: m.short(k), Now: k.Now, Log: k.Log, Audit: k.Audit, TokenRate: m.cfg.OAuth.TokensPerSecond, Apps: m.cfg.apps(),
		Caller:   func(r *http.Request) (authn.Principal, error) { return callerOf(k, r) },
		Outbound: m.cfg.Outbound.Transport(), Ring: k.Keyring,
		Certificate: m.cfg.OAuth.certificates(), CertificatesURL: m.cfg.OAuth.certificatesURL(),
	})
}

// certificates returns what finds the certificate of a client, nil where none
// count.
func (o *OAuth) certificates() func(*http.Request) *x509.Certificate {
	cc := o.ClientCertificates
	if cc == nil {
		return nil
	}
	told := func(r *http.Request, header string) *x509.Certificate {
		if len(r.Header.Values(header)) != 1 {
			return nil
		}
		c, err := clientcert.Parse(r.Header.Get(header))
		if err != nil {
			return nil
		}
		return c
	}
	return func(r *http.Request) *x509.Certificate {
		if httpx.OverBus(r.Context()) {
			return told(r, tenant.ClientCertificate)
		}
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		trusted := err == nil && slices.ContainsFunc(cc.TrustedProxies, func(c schema.CIDR) bool { return c.Contains(peer.Addr()) })
		switch {
		case trusted: // its own certificate is not the client's
			return told(r, cc.Header)
		case r.TLS != nil && len(r.TLS.PeerCertificates) > 0:
			return r.TLS.PeerCertificates[0]
		}
		return nil
	}
}

// callerOf returns who sends a request to the authorization server: the user of a
// browser's session, whose token the bff puts in place of the cookie. Nobody is
// the zero principal.
func callerOf(k *service.Kit, r *http.Request) (authn.Principal, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return authn.Principal{}, nil
	}
	p, err := k.Verifier.Verify(r.Context(), strings.TrimSpace(token))
	if err != nil {
		return authn.Principal{}, err
	}
	if p.ImpersonatorID != "" { // who acts as somebody signs in nowhere in their name
		return authn.Principal{}, nil
	}
	return p, authn.CheckSession(authn.With(r.Context(), p, k.Access))
}

// short returns where codes, opaque tokens and revocations are kept.
func (m *manager) short(k *service.Kit) oauth.Short {
	r := m.cfg.OAuth.Redis
	if r == nil {
		return oauth.NewTable(m.store)
	}
	o := &redis.UniversalOptions{
		Addrs: r.Addresses, MasterName: r.Primary, IsClusterMode: r.Cluster, Username: r.Username, Password: r.Password.Reveal(),
		SentinelPassword: r.SentinelPassword.Reveal(), DB: r.Database, ClientName: tenant.Service,
		DialTimeout: 2 * time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
	}
	if r.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	client := redis.NewUniversalClient(o)
	k.Go("Redis", func(ctx context.Context) error {
		<-ctx.Done()
		return client.Close()
	})
	return oauth.NewRedis(client, r.Prefix+"gatehouse:oauth:")
}
