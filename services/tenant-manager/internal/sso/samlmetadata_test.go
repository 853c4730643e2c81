package sso_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

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
	own, err := sso.SPMetadata(ourName, sso.SPCertificates{Own: keys()[1].Certificate}, []string{acs, "https://portal.example/x"})
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
