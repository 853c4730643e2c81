package sso_test

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

const (
	idpName = "https://idp.example/metadata"
	ourName = "urn:gatehouse:sso:1"
	acs     = "https://console.example/bff/sso/saml/callback"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clientAt(now time.Time) *sso.Client {
	return sso.NewClient(egress.Guard{AllowLoopback: true}, func() time.Time { return now })
}

// keys are made once: making them takes longer than all else.
var keys = sync.OnceValue(func() [3]sso.SAMLKey {
	var out [3]sso.SAMLKey
	for i := range out {
		out[i], _ = clientAt(at).NewSAMLKey("test")
	}
	return out
})

func private(t testing.TB, k sso.SAMLKey) *rsa.PrivateKey {
	t.Helper()
	b, _ := pem.Decode([]byte(k.Private))
	key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	require.NoError(t, err)
	return key.(*rsa.PrivateKey) //nolint:forcetypeassert // made above
}

func connection() sso.SAMLConnection {
	k := keys()
	return sso.SAMLConnection{
		SAMLProvider: sso.SAMLProvider{EntityID: idpName, SSOURL: "https://idp.example/sso", Certificates: [][]byte{k[0].Certificate}}, Key: k[1], Name: ourName,
	}
}

func attempt() sso.Attempt { return sso.Attempt{State: "state", Binding: "binding", Redirect: acs} }

// forged is an answer that is made by hand.
type forged struct {
	response  saml.Response
	assertion saml.Assertion
	// Whether the assertion and the response are signed, with which method and key.
	signAssertion, signResponse bool
	method                      string
	key                         sso.SAMLKey
	encrypt                     bool
	block                       xmlenc.BlockCipher
	// inside changes the assertion before it is signed, outside the answer when it
	// is done.
	inside, outside func(*etree.Element)
}

func answer() *forged {
	until := at.Add(5 * time.Minute)
	session := until
	return &forged{
		signAssertion: true, method: dsig.RSASHA256SignatureMethod, key: keys()[0], block: xmlenc.AES256CBC,
		response: saml.Response{
			ID: "r1", InResponseTo: attempt().RequestID(), Version: "2.0", IssueInstant: at, Destination: acs, Issuer: &saml.Issuer{Value: idpName},
			Status: saml.Status{StatusCode: saml.StatusCode{Value: saml.StatusSuccess}},
		},
		assertion: saml.Assertion{
			ID: "a1", Version: "2.0", IssueInstant: at, Issuer: saml.Issuer{Value: idpName},
			Subject: &saml.Subject{
				NameID: &saml.NameID{Format: string(saml.PersistentNameIDFormat), Value: "eve"},
				SubjectConfirmations: []saml.SubjectConfirmation{{
					Method:                  "urn:oasis:names:tc:SAML:2.0:cm:bearer",
					SubjectConfirmationData: &saml.SubjectConfirmationData{NotOnOrAfter: until, Recipient: acs, InResponseTo: attempt().RequestID()},
				}},
			},
			Conditions: &saml.Conditions{NotBefore: at.Add(-time.Minute), NotOnOrAfter: until, AudienceRestrictions: []saml.AudienceRestriction{{Audience: saml.Audience{Value: ourName}}}},
			AuthnStatements: []saml.AuthnStatement{{
				AuthnInstant: at, SessionNotOnOrAfter: &session,
				AuthnContext: saml.AuthnContext{AuthnContextClassRef: &saml.AuthnContextClassRef{Value: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}},
			}},
			AttributeStatements: []saml.AttributeStatement{{Attributes: []saml.Attribute{
				{Name: "urn:oid:0.9.2342.19200300.100.1.3", FriendlyName: "mail", Values: []saml.AttributeValue{{Value: "eve@acme.example"}}},
				{Name: "groups", Values: []saml.AttributeValue{{Value: "apis"}, {Value: "other"}}},
			}}},
		},
	}
}

func (f *forged) sign(t testing.TB, e *etree.Element) *etree.Element {
	t.Helper()
	c := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(tls.Certificate{Certificate: [][]byte{f.key.Certificate}, PrivateKey: private(t, f.key)}))
	c.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	require.NoError(t, c.SetSignatureMethod(f.method))
	out, err := c.SignEnveloped(e)
	require.NoError(t, err)
	return out
}

func (f *forged) xml(t testing.TB) []byte {
	t.Helper()
	a := f.assertion.Element()
	if f.inside != nil {
		f.inside(a)
	}
	if f.signAssertion {
		a = f.sign(t, a)
	}
	if f.encrypt {
		b, err := etree.NewDocumentWithRoot(a).WriteToBytes()
		require.NoError(t, err)
		our, err := x509.ParseCertificate(keys()[1].Certificate)
		require.NoError(t, err)
		with := xmlenc.OAEP()
		with.BlockCipher = f.block
		with.DigestMethod = &xmlenc.SHA1
		data, err := with.Encrypt(our, b, nil)
		require.NoError(t, err)
		a = etree.NewElement("saml:EncryptedAssertion")
		a.AddChild(data)
	}
	r := f.response.Element()
	r.AddChild(a)
	if f.signResponse {
		r = f.sign(t, r)
	}
	b, err := etree.NewDocumentWithRoot(r).WriteToBytes()
	require.NoError(t, err)
	if f.outside == nil {
		return b
	}
	doc := etree.NewDocument() // whose elements know their parents
	require.NoError(t, doc.ReadFromBytes(b))
	f.outside(doc.Root())
	b, err = doc.WriteToBytes()
	require.NoError(t, err)
	return b
}
