package sso_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

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
