package listen

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// auth is one way of authenticating clients, with all that a handshake under it
// needs. Session tickets are sealed by keys of its own: a session that began
// under another way, or under other issuers, cannot be resumed here.
type auth struct {
	mode   tls.ClientAuthType
	roots  []*x509.Certificate
	id     [sha256.Size]byte
	config *tls.Config
}

// authOf returns the auth of a configuration, from known where it is the same.
func (c *Certificates) authOf(a ClientAuth, minVersion string, known map[[sha256.Size]byte]*auth) (*auth, error) {
	x := &auth{}
	pool := x509.NewCertPool()
	var ca []byte
	switch a.Mode {
	case "", "none":
		x.mode = tls.NoClientCert
	case "request", "require":
		x.mode = tls.VerifyClientCertIfGiven
		if a.Mode == "require" {
			x.mode = tls.RequireAndVerifyClientCert
		}
		var err error
		if ca, err = textOrFile(a.CA, a.CAFile); err != nil {
			return nil, fmt.Errorf("loading the client CA: %w", err)
		}
		if x.roots, err = parseRoots(ca); err != nil {
			return nil, fmt.Errorf("loading the client CA: %w", err)
		}
		for _, r := range x.roots {
			pool.AddCert(r)
		}
	default:
		return nil, fmt.Errorf("client authentication %q: want none, request or require", a.Mode) //nolint:err113 // shown as it is
	}
	x.id = sha256.Sum256(fmt.Append(nil, x.mode, minVersion, c.http2, string(ca)))
	if old := known[x.id]; old != nil {
		return old, nil
	}
	x.config = &tls.Config{
		MinVersion: tls.VersionTLS12, ClientAuth: x.mode, ClientCAs: pool,
		NextProtos: []string{"http/1.1"}, GetCertificate: c.choose,
	}
	if c.http2 {
		x.config.NextProtos = []string{"h2", "http/1.1"}
	}
	if minVersion == "1.3" {
		x.config.MinVersion = tls.VersionTLS13
	}
	x.config.SetSessionTicketKeys(c.tickets.keys(x.id))
	known[x.id] = x
	return x, nil
}

func parseRoots(text []byte) ([]*x509.Certificate, error) {
	var roots []*x509.Certificate
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("a PEM block %q among the certificates", b.Type) //nolint:err113 // shown as it is
		}
		r, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, err
		}
		roots = append(roots, r)
	}
	if len(roots) == 0 {
		return nil, errors.New("no certificate in it") //nolint:err113 // shown as it is
	}
	return roots, nil
}

// Misdirected reports whether a request for authority must not be served over a
// connection in that state, because the name asks for a client certificate that
// the connection was not opened with: the client spoke to another name, or the
// requirement is newer than the connection. Such a request is answered 421, upon
// which a client opens a connection for that name (RFC 9110 section 15.5.20).
// Names without client authentication are served over any connection: that
// connections are shared between the names of one listener is how HTTP/2 is
// meant (RFC 9113 section 9.1.1), and nothing is gained there by refusing.
func (c *Certificates) Misdirected(state *tls.ConnectionState, authority string) bool {
	s := c.state.Load()
	x := s.find(canonicalHost(authority))
	if x == nil {
		// A name without a certificate is held to what its handshake would be.
		if x = s.unknown; x == nil {
			x = s.first
		}
	}
	switch {
	case x.auth.mode == tls.NoClientCert:
		return false
	case len(state.VerifiedChains) > 0:
		return !x.auth.trusts(state.VerifiedChains)
	case x.auth.mode == tls.RequireAndVerifyClientCert:
		return true
	}
	// A certificate is optional here, but the client must have been asked.
	opened := s.site(state.ServerName)
	return opened == nil || opened.auth != x.auth
}

// trusts reports whether a chain ends at one of the issuers.
func (a *auth) trusts(chains [][]*x509.Certificate) bool {
	for _, chain := range chains {
		if len(chain) == 0 {
			continue
		}
		for _, r := range a.roots {
			if r.Equal(chain[len(chain)-1]) {
				return true
			}
		}
	}
	return false
}

// canonicalHost returns the host of an authority in canonical form.
func canonicalHost(authority string) string {
	host := authority
	if rest, ok := strings.CutPrefix(host, "["); ok {
		host, _, _ = strings.Cut(rest, "]")
	} else if i := strings.IndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i+1:], ':') < 0 {
		host = host[:i]
	}
	return canonicalName(host)
}

// tickets are the secrets that session ticket keys come from, the newest first.
type tickets [][32]byte

const keptTickets = 3

func (t *tickets) rotate() error {
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return fmt.Errorf("making a session ticket key: %w", err)
	}
	*t = append(tickets{secret}, (*t)[:min(len(*t), keptTickets-1)]...)
	return nil
}

// keys returns the keys for one way of client authentication.
func (t *tickets) keys(id [sha256.Size]byte) [][32]byte {
	keys := make([][32]byte, 0, len(*t))
	for _, secret := range *t {
		k, err := hkdf.Key(sha256.New, secret[:], nil, "session tickets "+string(id[:]), 32)
		if err != nil {
			continue // only for keys that are far too long
		}
		keys = append(keys, [32]byte(k))
	}
	return keys
}
