package sso_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"net/url"
	"strings"
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

// evil is an assertion that nobody signed.
func evil(t testing.TB, id string) *etree.Element {
	t.Helper()
	f := answer()
	f.assertion.ID, f.assertion.Subject.NameID.Value = id, "mallory"
	return f.assertion.Element()
}

// refusals are answers that are not taken, and what is said of them.
var refusals = map[string]struct {
	change func(*testing.T, *forged)
	why    string
}{
	"unsigned":                 {func(_ *testing.T, f *forged) { f.signAssertion = false }, "neither the answer nor the assertion is signed"},
	"unsigned and encrypted":   {func(_ *testing.T, f *forged) { f.signAssertion, f.encrypt = false, true }, "neither the answer nor the assertion is signed"},
	"another key":              {func(_ *testing.T, f *forged) { f.key = keys()[2] }, "none of the connection's certificates"},
	"another key signs around": {func(_ *testing.T, f *forged) { f.outside = signedBy(keys()[2]) }, "none of the connection's certificates"},
	"SHA-1":                    {func(_ *testing.T, f *forged) { f.method = dsig.RSASHA1SignatureMethod }, "rsa-sha1"},
	"SHA-1 of the answer": {func(_ *testing.T, f *forged) {
		f.signResponse, f.signAssertion, f.method = true, false, dsig.RSASHA1SignatureMethod
	}, "rsa-sha1"},
	"changed": {func(_ *testing.T, f *forged) {
		f.outside = func(r *etree.Element) { r.FindElement("./Assertion/Subject/NameID").SetText("mallory") }
	}, "it was changed"},
	"changed in a signed answer": {func(_ *testing.T, f *forged) {
		f.signAssertion, f.signResponse = false, true
		f.outside = func(r *etree.Element) { r.FindElement("./Assertion/Subject/NameID").SetText("mallory") }
	}, "it was changed"},
	"the signature is taken away": {func(_ *testing.T, f *forged) {
		f.outside = func(r *etree.Element) {
			a := r.FindElement("./Assertion")
			a.RemoveChild(a.SelectElement("Signature"))
		}
	}, "neither the answer nor the assertion is signed"},
	// Signature wrapping, in the numbering of "On Breaking SAML" (Somorovsky et al.).
	"wrapped: beside": {func(t *testing.T, f *forged) { f.outside = func(r *etree.Element) { r.AddChild(evil(t, "evil")) } }, "2 assertions"},
	"wrapped: before": {func(t *testing.T, f *forged) {
		f.outside = func(r *etree.Element) { r.InsertChildAt(0, evil(t, "evil")) }
	}, "2 assertions"},
	"wrapped: same id": {func(t *testing.T, f *forged) {
		f.outside = func(r *etree.Element) { r.InsertChildAt(0, evil(t, "a1")) }
	}, "the same id"},
	"wrapped: around": {func(t *testing.T, f *forged) {
		f.outside = func(r *etree.Element) {
			signed, e := r.FindElement("./Assertion"), evil(t, "evil")
			r.RemoveChild(signed)
			e.AddChild(signed)
			r.AddChild(e)
		}
	}, "in a place where none belongs"},
	"wrapped: in the signature": {func(t *testing.T, f *forged) {
		f.outside = func(r *etree.Element) {
			signed, e := r.FindElement("./Assertion"), evil(t, "evil")
			s := signed.SelectElement("Signature")
			r.RemoveChild(signed)
			signed.RemoveChild(s)
			s.CreateElement("ds:Object").AddChild(signed)
			e.AddChild(s)
			r.AddChild(e)
		}
	}, "refused"},
	"wrapped: in the extensions": {func(t *testing.T, f *forged) {
		f.outside = func(r *etree.Element) {
			signed := r.FindElement("./Assertion")
			r.RemoveChild(signed)
			r.CreateElement("samlp:Extensions").AddChild(signed)
			r.AddChild(evil(t, "evil"))
		}
	}, "in a place where none belongs"},
	"wrapped: the answer": {func(t *testing.T, f *forged) {
		f.signAssertion, f.signResponse = false, true
		f.outside = func(r *etree.Element) {
			signed := r.Copy()
			s := r.SelectElement("Signature")
			r.RemoveChild(s)
			r.RemoveChild(r.SelectElement("Assertion"))
			r.CreateAttr("ID", "evil")
			s.CreateElement("ds:Object").AddChild(signed)
			r.AddChild(s)
			r.AddChild(evil(t, "evil2"))
		}
	}, "refused"},
	"a second signature": {func(t *testing.T, f *forged) {
		f.outside = func(r *etree.Element) {
			a := r.FindElement("./Assertion")
			a.AddChild(a.SelectElement("Signature").Copy())
		}
	}, "signed twice"},
	"a signature of something else": {func(_ *testing.T, f *forged) {
		f.outside = func(r *etree.Element) {
			r.FindElement("./Assertion/Signature/SignedInfo/Reference").CreateAttr("URI", "")
		}
	}, "not on what it stands in"},
	"two ids": {func(_ *testing.T, f *forged) {
		f.outside = func(r *etree.Element) { r.CreateAttr("saml:ID", "r2") }
	}, "the same id, or one has two"},
	"the answer is for somebody else": {func(_ *testing.T, f *forged) { f.response.Destination = "https://other.example/acs" }, "the answer is for"},
	"no destination, but signed":      {func(_ *testing.T, f *forged) { f.response.Destination, f.signResponse = "", true }, "the answer is for"},
	"another audience": {func(_ *testing.T, f *forged) {
		f.assertion.Conditions.AudienceRestrictions[0].Audience.Value = "urn:other"
	}, "(Audience)"},
	"a second audience that is another": {func(_ *testing.T, f *forged) {
		f.assertion.Conditions.AudienceRestrictions = append(f.assertion.Conditions.AudienceRestrictions, saml.AudienceRestriction{Audience: saml.Audience{Value: "urn:other"}})
	}, "(Audience)"},
	"no audience":           {func(_ *testing.T, f *forged) { f.assertion.Conditions.AudienceRestrictions = nil }, "whom it is for"},
	"no conditions":         {func(_ *testing.T, f *forged) { f.assertion.Conditions = nil }, "whom it is for"},
	"another recipient":     {func(_ *testing.T, f *forged) { data(f).Recipient = "https://other.example/acs" }, "(Recipient)"},
	"no recipient":          {func(_ *testing.T, f *forged) { data(f).Recipient = "" }, "(Recipient)"},
	"another request":       {func(_ *testing.T, f *forged) { f.response.InResponseTo = "id-other" }, "to another request"},
	"another request below": {func(_ *testing.T, f *forged) { data(f).InResponseTo = "id-other" }, "(InResponseTo)"},
	"no request": {func(_ *testing.T, f *forged) {
		f.response.InResponseTo, data(f).InResponseTo = "", ""
	}, "begin at the identity provider are refused"},
	"no request below":      {func(_ *testing.T, f *forged) { data(f).InResponseTo = "" }, "(InResponseTo)"},
	"over":                  {func(_ *testing.T, f *forged) { f.assertion.Conditions.NotOnOrAfter = at.Add(-90 * time.Second) }, "was valid until"},
	"too early":             {func(_ *testing.T, f *forged) { f.assertion.Conditions.NotBefore = at.Add(91 * time.Second) }, "is valid from"},
	"brought too late":      {func(_ *testing.T, f *forged) { data(f).NotOnOrAfter = at.Add(-90 * time.Second) }, "could be brought until"},
	"no end":                {func(_ *testing.T, f *forged) { data(f).NotOnOrAfter = time.Time{} }, "could be brought until"},
	"of the future":         {func(_ *testing.T, f *forged) { f.assertion.IssueInstant = at.Add(2 * time.Minute) }, "in the future"},
	"an answer of tomorrow": {func(_ *testing.T, f *forged) { f.response.IssueInstant = at.Add(2 * time.Minute) }, "in the future"},
	"another issuer":        {func(_ *testing.T, f *forged) { f.assertion.Issuer.Value = "https://other.example" }, `is of "https://other.example"`},
	"an answer of another":  {func(_ *testing.T, f *forged) { f.response.Issuer.Value = "https://other.example" }, `is of "https://other.example"`},
	"nobody signed in":      {func(_ *testing.T, f *forged) { f.assertion.AuthnStatements = nil }, "(AuthnStatement)"},
	"the session is over": {func(_ *testing.T, f *forged) {
		over := at.Add(-2 * time.Minute)
		f.assertion.AuthnStatements[0].SessionNotOnOrAfter = &over
	}, "the session at the provider was over"},
	"no subject":      {func(_ *testing.T, f *forged) { f.assertion.Subject = nil }, "(SubjectConfirmation)"},
	"no confirmation": {func(_ *testing.T, f *forged) { f.assertion.Subject.SubjectConfirmations = nil }, "(SubjectConfirmation)"},
	"no confirmation data": {func(_ *testing.T, f *forged) {
		f.assertion.Subject.SubjectConfirmations[0].SubjectConfirmationData = nil
	}, "(SubjectConfirmation)"},
	"another method": {func(_ *testing.T, f *forged) {
		f.assertion.Subject.SubjectConfirmations[0].Method = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
	}, "(SubjectConfirmation)"},
	"not signed in": {func(_ *testing.T, f *forged) {
		f.response.Status.StatusCode = saml.StatusCode{Value: saml.StatusResponder, StatusCode: &saml.StatusCode{Value: saml.StatusAuthnFailed}}
	}, "the provider answered Responder AuthnFailed"},
	"encrypted for another": {func(_ *testing.T, f *forged) {
		f.encrypt = true
		f.outside = func(r *etree.Element) { r.FindElement("//EncryptedKey/CipherData/CipherValue").SetText("AAAA") }
	}, "cannot be decrypted"},
	"encrypted with half a block": {func(_ *testing.T, f *forged) {
		f.encrypt = true
		f.outside = func(r *etree.Element) {
			r.FindElement("./EncryptedAssertion/EncryptedData/CipherData/CipherValue").SetText(base64.StdEncoding.EncodeToString(make([]byte, 40)))
		}
	}, "cannot be decrypted"},
	"RSA 1.5": {func(_ *testing.T, f *forged) {
		f.encrypt = true
		f.outside = func(r *etree.Element) {
			r.FindElement("//EncryptedKey/EncryptionMethod").CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmlenc#rsa-1_5")
		}
	}, "cannot be decrypted"},
}

func data(f *forged) *saml.SubjectConfirmationData {
	return f.assertion.Subject.SubjectConfirmations[0].SubjectConfirmationData
}

// signedBy puts the signature of a stranger around an answer that has one inside.
func signedBy(k sso.SAMLKey) func(*etree.Element) {
	return func(r *etree.Element) {
		b, _ := pem.Decode([]byte(k.Private))
		key, _ := x509.ParsePKCS8PrivateKey(b.Bytes)
		c := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(tls.Certificate{Certificate: [][]byte{k.Certificate}, PrivateKey: key}))
		_ = c.SetSignatureMethod(dsig.RSASHA256SignatureMethod)
		if s, err := c.ConstructSignature(r, true); err == nil {
			r.InsertChildAt(1, s)
		}
	}
}

func TestAnAssertionIsRefused(t *testing.T) {
	t.Parallel()
	c := clientAt(at)
	for name, r := range refusals {
		f := answer()
		r.change(t, f)
		_, err := c.Assertion(connection(), attempt(), f.xml(t))
		var failed *sso.FailedError
		require.ErrorAs(t, err, &failed, name)
		require.Contains(t, failed.Reason, r.why, name)
	}
	good := string(answer().xml(t))
	_, err := c.Assertion(connection(), attempt(), []byte(good))
	require.NoError(t, err)
	for text, why := range map[string]string{
		`<!DOCTYPE r [<!ENTITY x "mallory">]>` + good:     "document type",
		`<!DOCTYPE r SYSTEM "file:///etc/passwd">` + good: "document type",
		`<?xml-stylesheet href="x"?>` + good:              "processing instruction",
		strings.Replace(good, ">eve<", ">&x;<", 1):        "not XML",
		"":     "empty",
		"<a/>": "no SAML 2.0 response",
		strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100): "nested too deeply",
		good + good: "several documents",
		strings.Replace(good, "saml:Issuer>", "saml:Issuer>\x00", 1):             "not XML",
		"<a>" + strings.Repeat("<b/>", 30_000) + "</a>":                          "too long",
		strings.Replace(good, "samlp:Response ", "samlp:Response ::a=\"b\" ", 1): "XML",
		strings.Repeat(" ", sso.MostSAMLAnswer) + good:                           "bytes",
	} {
		_, err := c.Assertion(connection(), attempt(), []byte(text))
		require.Error(t, err, text)
		require.Contains(t, err.Error(), why)
	}
	// Another browser, another state, another app.
	for _, a := range []sso.Attempt{{State: "state", Binding: "other", Redirect: acs}, {State: "other", Binding: "binding", Redirect: acs}, {State: "state", Binding: "binding", Redirect: "https://other.example/x"}} {
		_, err := c.Assertion(connection(), a, []byte(good))
		require.Error(t, err)
	}
	// A certificate that has run out is not believed.
	_, err = clientAt(at.Add(11*365*24*time.Hour)).Assertion(connection(), attempt(), []byte(good))
	require.ErrorContains(t, err, "have run out")
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

func metadata(t testing.TB, change func(*saml.EntityDescriptor)) []byte {
	t.Helper()
	e := saml.EntityDescriptor{EntityID: idpName, ValidUntil: at.Add(time.Hour), IDPSSODescriptors: []saml.IDPSSODescriptor{{
		SingleSignOnServices: []saml.Endpoint{{Binding: saml.HTTPPostBinding, Location: "https://idp.example/post"}, {Binding: saml.HTTPRedirectBinding, Location: "https://idp.example/sso"}},
	}}}
	for i, use := range []string{"signing", "encryption", "", "signing"} {
		e.IDPSSODescriptors[0].KeyDescriptors = append(e.IDPSSODescriptors[0].KeyDescriptors, saml.KeyDescriptor{Use: use, KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{
			X509Certificates: []saml.X509Certificate{{Data: "\n " + base64.StdEncoding.EncodeToString(keys()[i%3].Certificate) + "\n"}},
		}}})
	}
	if change != nil {
		change(&e)
	}
	b, err := xml.Marshal(e)
	require.NoError(t, err)
	return b
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	c := clientAt(at)
	want := sso.SAMLProvider{EntityID: idpName, SSOURL: "https://idp.example/sso", Certificates: [][]byte{keys()[0].Certificate, keys()[2].Certificate}}
	good := metadata(t, nil)
	got, err := c.ReadMetadata(append([]byte("\ufeff"+xml.Header), good...))
	require.NoError(t, err)
	require.Equal(t, want, got, "each certificate that signs, once")
	got, err = c.ReadMetadata([]byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + string(good) + `<EntityDescriptor entityID="sp"/></EntitiesDescriptor>`))
	require.NoError(t, err)
	require.Equal(t, want, got)
	for why, raw := range map[string][]byte{
		"2 identity providers": []byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + string(good) + string(good) + `</EntitiesDescriptor>`),
		"0 identity providers": metadata(t, func(e *saml.EntityDescriptor) { e.IDPSSODescriptors = nil }),
		"valid until":          metadata(t, func(e *saml.EntityDescriptor) { e.ValidUntil = at.Add(-time.Second) }),
		"HTTP-Redirect": metadata(t, func(e *saml.EntityDescriptor) {
			e.IDPSSODescriptors[0].SingleSignOnServices[1].Binding = saml.SOAPBinding
		}),
		"https://": metadata(t, func(e *saml.EntityDescriptor) {
			e.IDPSSODescriptors[0].SingleSignOnServices[1].Location = "http://idp.example/sso"
		}),
		"at least one":         metadata(t, func(e *saml.EntityDescriptor) { e.IDPSSODescriptors[0].KeyDescriptors = nil }),
		"entity id":            metadata(t, func(e *saml.EntityDescriptor) { e.EntityID = "" }),
		"document type":        append([]byte(`<!DOCTYPE x>`), good...),
		"its root is \"html\"": []byte(`<html></html>`),
		"not XML":              []byte(`{"issuer":"x"}<`),
		"is not right": metadata(t, func(e *saml.EntityDescriptor) {
			e.IDPSSODescriptors[0].KeyDescriptors[0].KeyInfo.X509Data.X509Certificates[0].Data = "AAAA"
		}),
		"is not Base64": metadata(t, func(e *saml.EntityDescriptor) {
			e.IDPSSODescriptors[0].KeyDescriptors[0].KeyInfo.X509Data.X509Certificates[0].Data = "*"
		}),
		"more than 524288 byte": make([]byte, sso.MostMetadata+1),
	} {
		_, err := c.ReadMetadata(raw)
		require.ErrorContains(t, err, why)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: private(t, keys()[0]).N}, &x509.Certificate{}, small.Public(), small)
	if err == nil {
		require.ErrorContains(t, c.CheckSAML(sso.SAMLProvider{EntityID: idpName, SSOURL: "https://idp.example", Certificates: [][]byte{der}}), "1024 bits")
	}

	// Ours is read by others, and by ourselves.
	own, err := sso.SPMetadata(ourName, keys()[1].Certificate, []string{acs, "https://portal.example/x"})
	require.NoError(t, err)
	var e saml.EntityDescriptor
	require.NoError(t, xml.Unmarshal(own, &e))
	require.Equal(t, ourName, e.EntityID)
	require.True(t, e.ValidUntil.After(at.Add(9*365*24*time.Hour)))
	require.Len(t, e.SPSSODescriptors[0].AssertionConsumerServices, 2)
	require.Equal(t, acs, e.SPSSODescriptors[0].AssertionConsumerServices[0].Location)

	pasted, err := sso.ReadCertificates(sso.DescribeCertificate(keys()[0].Certificate).PEM + sso.DescribeCertificate(keys()[1].Certificate).PEM)
	require.NoError(t, err)
	require.Equal(t, [][]byte{keys()[0].Certificate, keys()[1].Certificate}, pasted)
	pasted, err = sso.ReadCertificates(base64.StdEncoding.EncodeToString(keys()[0].Certificate))
	require.NoError(t, err)
	require.Equal(t, [][]byte{keys()[0].Certificate}, pasted)
	_, err = sso.ReadCertificates(keys()[0].Private)
	require.ErrorContains(t, err, "PRIVATE KEY")
	_, err = sso.ReadCertificates("nonsense!")
	require.ErrorContains(t, err, "BEGIN CERTIFICATE")
}

// Nothing makes it panic, and nothing that is not signed is taken.
func FuzzAssertion(f *testing.F) {
	for _, change := range []func(*forged){
		func(*forged) {}, func(x *forged) { x.encrypt = true }, func(x *forged) { x.signResponse = true }, func(x *forged) { x.signAssertion = false },
		func(x *forged) { x.outside = func(r *etree.Element) { r.AddChild(evil(f, "evil")) } },
	} {
		x := answer()
		change(x)
		f.Add(x.xml(f))
	}
	c, p := clientAt(at), connection()
	p.Certificates = [][]byte{keys()[2].Certificate} // which signed none of them
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, err := c.Assertion(p, attempt(), raw)
		require.Error(t, err)
	})
}

// Whatever is done to an answer that is right: it is refused, or says the same.
func FuzzTamperedAssertion(f *testing.F) {
	var good [][]byte
	for _, change := range []func(*forged){func(*forged) {}, func(x *forged) { x.signResponse = true }, func(x *forged) { x.signAssertion, x.signResponse = false, true }} {
		x := answer()
		change(x)
		good = append(good, x.xml(f))
	}
	for _, insert := range []string{"", "x", "<!-- -->", "<![CDATA[mallory]]>", ` ID="a1"`, `<saml:NameID>mallory</saml:NameID>`, `<saml:Assertion ID="a2"/>`} {
		f.Add(byte(0), uint16(700), uint16(0), insert)
		f.Add(byte(2), uint16(1200), uint16(3), insert)
	}
	c, p := clientAt(at), connection()
	f.Fuzz(func(t *testing.T, which byte, from, cut uint16, insert string) {
		g := string(good[int(which)%len(good)])
		start := int(from) % len(g)
		raw := g[:start] + insert + g[min(start+int(cut), len(g)):]
		got, err := c.Assertion(p, attempt(), []byte(raw))
		if err != nil {
			return
		}
		require.Equal(t, "a1", got.ID)
		read := sso.ReadSAML(got.Claims, sso.Names{Email: "mail", Name: "cn", Groups: "groups"}, "")
		require.Equal(t, sso.Person{Subject: "eve", Email: "eve@acme.example", Groups: []string{"apis", "other"}, Methods: []string{"pwd"}}, read)
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add(metadata(f, nil))
	f.Add([]byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><EntityDescriptor entityID="sp"/></EntitiesDescriptor>`))
	c := clientAt(at)
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := c.ReadMetadata(raw)
		if err == nil {
			require.NoError(t, c.CheckSAML(p))
		}
	})
}
