package sso_test

import (
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

func TestAnAssertion(t *testing.T) {
	t.Parallel()
	c := clientAt(at)
	for name, change := range map[string]func(*forged){
		"signed assertion":           func(*forged) {},
		"signed answer":              func(f *forged) { f.signAssertion, f.signResponse = false, true },
		"both":                       func(f *forged) { f.signResponse = true },
		"encrypted":                  func(f *forged) { f.encrypt = true },
		"encrypted in signed answer": func(f *forged) { f.encrypt, f.signAssertion, f.signResponse = true, false, true },
		"encrypted with 128 bits":    func(f *forged) { f.encrypt, f.block = true, xmlenc.AES128CBC },
		"SHA-512":                    func(f *forged) { f.method = dsig.RSASHA512SignatureMethod },
		"no destination, no issuer":  func(f *forged) { f.response.Destination, f.response.Issuer = "", nil },
		"no certificate with it": func(f *forged) {
			f.outside = func(r *etree.Element) {
				s := r.FindElement("./Assertion/Signature")
				s.RemoveChild(s.SelectElement("KeyInfo"))
			}
		},
		"another certificate comes along": func(f *forged) {
			f.outside = func(r *etree.Element) {
				r.FindElement("./Assertion/Signature/KeyInfo/X509Data/X509Certificate").SetText(base64.StdEncoding.EncodeToString(keys()[2].Certificate))
			}
		},
		"clocks a little apart": func(f *forged) {
			f.assertion.Conditions.NotBefore, f.assertion.Conditions.NotOnOrAfter = at.Add(80*time.Second), at.Add(-80*time.Second)
			f.assertion.Subject.SubjectConfirmations[0].SubjectConfirmationData.NotOnOrAfter = at.Add(-80 * time.Second)
			f.assertion.IssueInstant, f.response.IssueInstant = at.Add(80*time.Second), at.Add(80*time.Second)
		},
		"a comment": func(f *forged) {
			f.inside = func(a *etree.Element) {
				n := a.FindElement("./Subject/NameID")
				n.SetText("ev")
				n.AddChild(etree.NewComment("x"))
				n.AddChild(etree.NewText("e"))
			}
		},
		"a comment that was put in later": func(f *forged) {
			f.outside = func(r *etree.Element) {
				n := r.FindElement("./Assertion/Subject/NameID")
				n.SetText("ev")
				n.AddChild(etree.NewComment("x"))
				n.AddChild(etree.NewText("e"))
			}
		},
	} {
		f := answer()
		change(f)
		got, err := c.Assertion(connection(), attempt(), f.xml(t))
		require.NoError(t, err, name)
		require.Equal(t, "a1", got.ID)
		p := sso.ReadSAML(got.Claims, sso.Names{Email: "mail", Name: "cn", Groups: "groups"}, "")
		require.Equal(t, sso.Person{Subject: "eve", Email: "eve@acme.example", Groups: []string{"apis", "other"}, Methods: []string{"pwd"}}, p, name)
	}
	// While a provider changes its certificate, both are known.
	p := connection()
	p.Certificates = [][]byte{keys()[2].Certificate, keys()[0].Certificate}
	_, err := c.Assertion(p, attempt(), answer().xml(t))
	require.NoError(t, err)
}

func TestWhoAnAssertionIsAbout(t *testing.T) {
	t.Parallel()
	claims := map[string]any{
		"nameId": "n1", "nameIdFormat": string(saml.TransientNameIDFormat),
		"attributes": map[string]any{"oid": []any{"o1"}, "mail": []any{"", "eve@acme.example"}, "email_verified": []any{"true"}, "amr": []any{"mfa"}, "sub": []any{"mallory"}},
	}
	names := sso.Names{Email: "mail", Name: "cn", Groups: "g"}
	p := sso.ReadSAML(claims, names, "")
	require.Empty(t, p.Subject, "it is another one every time")
	require.Contains(t, p.Why, "transient")
	p = sso.ReadSAML(claims, names, "oid")
	require.Equal(t, sso.Person{Subject: "o1", Email: "eve@acme.example"}, p, "the provider does not get to say that an address is verified")
	require.Contains(t, sso.ReadSAML(claims, names, "uid").Why, "no attribute uid")
	claims["nameIdFormat"], claims["nameId"] = string(saml.EmailAddressNameIDFormat), "eve@acme.example"
	p = sso.ReadSAML(claims, sso.Names{Email: sso.NameID}, "")
	require.Equal(t, sso.Person{Subject: "eve@acme.example", Email: "eve@acme.example"}, p)
	require.Contains(t, sso.ReadSAML(map[string]any{}, names, "").Why, "no NameID")
}

func TestARequest(t *testing.T) {
	t.Parallel()
	c, p := clientAt(at), connection()
	p.SSOURL += "?tenant=1"
	address, err := c.SAMLAddress(p, attempt())
	require.NoError(t, err)
	signed, signature, ok := strings.Cut(strings.TrimPrefix(address, "https://idp.example/sso?tenant=1&"), "&Signature=")
	require.True(t, ok, address)
	signature, err = url.QueryUnescape(signature)
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(signature)
	require.NoError(t, err)
	our, err := x509.ParseCertificate(keys()[1].Certificate)
	require.NoError(t, err)
	require.NoError(t, our.CheckSignature(x509.SHA256WithRSA, []byte(signed), raw))
	require.Contains(t, signed, "&RelayState=state&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256")
	p.SSOURL = "http://idp.example/sso"
	_, err = c.SAMLAddress(p, attempt())
	require.ErrorContains(t, err, "https://")
}
