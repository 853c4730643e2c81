// Command samlidp is a SAML 2.0 identity provider for trying single sign-on in a
// browser: crewjam/saml's, with its own login form. It knows eve, whose password is
// "any". The first line of the output is where it is; it ends with its input.
package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"time"

	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlidp"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

const eve = `{"name":"eve","password":"any","email":"eve@acme.example","common_name":"Eve Larsen","groups":["API team","Berlin"]}`

// persistent makes assertions whose names do not change.
type persistent struct{ saml.DefaultAssertionMaker }

// MakeAssertion makes an assertion.
func (p persistent) MakeAssertion(r *saml.IdpAuthnRequest, s *saml.Session) error {
	err := p.DefaultAssertionMaker.MakeAssertion(r, s)
	if err == nil {
		r.Assertion.Subject.NameID.Format = string(saml.PersistentNameIDFormat)
	}
	return err
}

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	key, certificate, err := signer()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	at := url.URL{Scheme: "http", Host: listener.Addr().String()}
	idp, err := samlidp.New(samlidp.Options{URL: at, Key: key, Certificate: certificate, Store: &samlidp.MemoryStore{}, Logger: slog.NewLogLogger(slog.NewTextHandler(os.Stderr, nil), slog.LevelInfo)})
	if err != nil {
		return err
	}
	idp.IDP.SignatureMethod, idp.IDP.LoginURL, idp.IDP.AssertionMaker = dsig.RSASHA256SignatureMethod, idp.IDP.SSOURL, persistent{}
	made := httptest.NewRecorder()
	idp.ServeHTTP(made, httptest.NewRequestWithContext(ctx, http.MethodPut, "/users/eve", bytes.NewReader([]byte(eve))))
	server := &http.Server{Handler: idp, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = server.Close()
	}()
	if _, err := fmt.Fprintln(out, at.String()); err != nil {
		return err
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func signer() (crypto.PrivateKey, *x509.Certificate, error) {
	k, err := sso.NewClient(egress.Guard{}, time.Now).NewSAMLKey("Acme login")
	if err != nil {
		return nil, nil, err
	}
	b, _ := pem.Decode([]byte(k.Private))
	key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, nil, err
	}
	c, err := x509.ParseCertificate(k.Certificate)
	return key, c, err
}
