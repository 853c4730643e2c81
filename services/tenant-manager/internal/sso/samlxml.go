package sso

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"
	xmlvalidator "github.com/mattermost/xml-roundtrip-validator"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
	nsEncrypted = "http://www.w3.org/2001/04/xmlenc#"

	// mostDepth and mostElements bound what is read of XML: what is signed is
	// walked through several times.
	mostDepth    = 40
	mostElements = 20_000
)

// readXML reads a document that every parser reads alike, with no document type,
// no entities of its own and no processing instructions.
func readXML(raw []byte) (*etree.Element, error) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	depth, elements, roots := 0, 0, 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, failed("it is not XML: %s", cut(err.Error()))
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, failed("it has a document type, which is refused")
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, failed("it has a processing instruction, which is refused")
			}
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			elements++
		case xml.EndElement:
			depth--
		}
		if depth > mostDepth || elements > mostElements || roots > 1 {
			return nil, failed("it is nested too deeply, too long, or several documents in one")
		}
	}
	if err := xmlvalidator.Validate(bytes.NewReader(raw)); err != nil {
		return nil, failed("it is XML that can be read in two ways, which is refused: %s", cut(err.Error()))
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		return nil, failed("it is not XML: %s", cut(err.Error()))
	}
	if doc.Root() == nil {
		return nil, failed("it is empty")
	}
	return doc.Root(), nil
}

// is reports whether an element has a name.
func is(e *etree.Element, space, tag string) bool { return e.Tag == tag && e.NamespaceURI() == space }

func children(e *etree.Element, space, tag string) []*etree.Element {
	return slices.DeleteFunc(e.ChildElements(), func(c *etree.Element) bool { return !is(c, space, tag) })
}

// checkShape refuses documents that signature wrapping is made of: there is at most
// one assertion, directly below the root (or it is the root); each signature is
// directly in what it signs, is the only one there, and refers to nothing else; no
// two elements have the same id.
func checkShape(root *etree.Element) error {
	ids := map[string]bool{}
	assertions := 0
	var walk func(e *etree.Element) error
	walk = func(e *etree.Element) error {
		for _, a := range e.Attr {
			if a.Key != "ID" {
				continue
			}
			if a.Space != "" || ids[a.Value] {
				return failed("two elements have the same id, or one has two")
			}
			ids[a.Value] = true
		}
		switch e.Tag {
		case "Assertion", "EncryptedAssertion":
			assertions++
			if e != root && e.Parent() != root || e.NamespaceURI() != nsAssertion {
				return failed("it has an assertion in a place where none belongs")
			}
		case "Signature":
			if err := checkSignature(root, e); err != nil {
				return err
			}
		}
		for _, c := range e.ChildElements() {
			if err := walk(c); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(root); err != nil {
		return err
	}
	if assertions > 1 {
		return failed("it has %d assertions; one is taken", assertions)
	}
	return nil
}

// The methods that are taken; those with SHA-1 are not among them (RFC 9155 says
// why), and neither is HMAC.
func signatureMethods() []string {
	return []string{
		dsig.RSASHA256SignatureMethod, dsig.RSASHA384SignatureMethod, dsig.RSASHA512SignatureMethod,
		dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod,
	}
}

func digestMethods() []string {
	return []string{nsEncrypted + "sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", nsEncrypted + "sha512"}
}

func checkSignature(root, s *etree.Element) error {
	of := s.Parent()
	if s.NamespaceURI() != nsSignature || of == nil || of != root && (of.Parent() != root || !is(of, nsAssertion, "Assertion")) {
		return failed("it has a signature in a place where none belongs")
	}
	if len(children(of, nsSignature, "Signature")) != 1 {
		return failed("it is signed twice in the same place")
	}
	infos := children(s, nsSignature, "SignedInfo")
	if len(infos) != 1 {
		return failed("its signature is not right")
	}
	methods, refs := children(infos[0], nsSignature, "SignatureMethod"), children(infos[0], nsSignature, "Reference")
	if len(methods) != 1 || len(refs) != 1 {
		return failed("its signature covers several things, or none")
	}
	if m := methods[0].SelectAttrValue("Algorithm", ""); !slices.Contains(signatureMethods(), m) {
		return failed("it is signed with %q, which is refused: have the provider sign with RSA or ECDSA and SHA-256", cut(m))
	}
	digests := children(refs[0], nsSignature, "DigestMethod")
	if len(digests) != 1 || !slices.Contains(digestMethods(), digests[0].SelectAttrValue("Algorithm", "")) {
		return failed("its signature has a digest that is refused: have the provider sign with SHA-256")
	}
	if id := of.SelectAttrValue("ID", ""); id == "" || refs[0].SelectAttrValue("URI", "") != "#"+id {
		return failed("its signature is not on what it stands in")
	}
	return nil
}

// verified returns what a signature directly in an element covers, as it was
// signed; nil where there is no signature. Only that may be read further.
func verified(e *etree.Element, certificates []*x509.Certificate, now time.Time) (*etree.Element, error) {
	if len(children(e, nsSignature, "Signature")) == 0 {
		return nil, nil //nolint:nilnil // no signature
	}
	var last error
	ran := false
	for _, c := range certificates {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			ran = true
			continue
		}
		own, err := detached(e)
		if err != nil {
			return nil, err
		}
		// The certificate that comes along says nothing: those of the connection are
		// tried, in turn.
		s := children(own, nsSignature, "Signature")[0]
		for _, k := range children(s, nsSignature, "KeyInfo") {
			s.RemoveChild(k)
		}
		v := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{c}})
		v.IdAttribute = "ID"
		signed, err := v.Validate(own)
		if err == nil && signed != nil {
			return signed, nil
		}
		last = err
	}
	switch {
	case last != nil:
		return nil, failed("its signature is of none of the connection's certificates, or it was changed: %s", cut(last.Error()))
	case ran:
		return nil, failed("the connection's certificates have run out, or are not valid yet: fetch the provider's metadata anew")
	}
	return nil, failed("the connection has no certificate to verify it with")
}

// detached returns an element by itself, with the namespaces of its surroundings.
func detached(e *etree.Element) (*etree.Element, error) {
	ctx, err := etreeutils.NSBuildParentContext(e)
	if err == nil {
		if ctx, err = ctx.SubContext(e); err == nil {
			e, err = etreeutils.NSDetatch(ctx, e)
		}
	}
	if err != nil {
		return nil, failed("its namespaces are not right: %s", cut(err.Error()))
	}
	return e, nil
}

// decode reads an element into a struct.
func decode(e *etree.Element, into ...any) error {
	e, err := detached(e)
	if err != nil {
		return err
	}
	b, err := etree.NewDocumentWithRoot(e).WriteToBytes()
	if err != nil {
		return failed("it cannot be read: %s", cut(err.Error()))
	}
	for _, v := range into {
		if err := xml.Unmarshal(b, v); err != nil {
			return failed("it cannot be read: %s", cut(err.Error()))
		}
	}
	return nil
}

const (
	keyTransport = nsEncrypted + "rsa-oaep-mgf1p"
	gcmPrefix    = "http://www.w3.org/2009/xmlenc11#aes"
	cbcPrefix    = nsEncrypted + "aes"
)

// errDecrypt says the same for everything that can go wrong, so that it helps
// nobody to guess (XML Encryption, section 6.1.1).
func errDecrypt() error {
	return failed("the assertion cannot be decrypted: does the provider have this connection's present certificate, and use AES with RSA-OAEP?")
}

// decrypted returns the assertion that is encrypted for a key. The key is carried by
// RSA-OAEP; AES of 128, 192 or 256 bits, in GCM or CBC mode, is taken.
func decrypted(e *etree.Element, key *rsa.PrivateKey) (*etree.Element, error) {
	data := children(e, nsEncrypted, "EncryptedData")
	if len(data) != 1 {
		return nil, errDecrypt()
	}
	keys := children(e, nsEncrypted, "EncryptedKey")
	for _, info := range children(data[0], nsSignature, "KeyInfo") {
		keys = append(keys, children(info, nsEncrypted, "EncryptedKey")...)
	}
	if len(keys) != 1 || algorithm(keys[0]) != keyTransport {
		return nil, errDecrypt()
	}
	content, err := xmlenc.Decrypt(key, keys[0])
	if err != nil {
		return nil, errDecrypt()
	}
	plain, ok := decryptAES(algorithm(data[0]), content, cipherText(data[0]))
	if !ok {
		return nil, errDecrypt()
	}
	return readXML(plain)
}

func algorithm(e *etree.Element) string {
	for _, m := range children(e, nsEncrypted, "EncryptionMethod") {
		return m.SelectAttrValue("Algorithm", "")
	}
	return ""
}

func cipherText(e *etree.Element) []byte {
	for _, d := range children(e, nsEncrypted, "CipherData") {
		for _, v := range children(d, nsEncrypted, "CipherValue") {
			b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v.Text()), ""))
			if err == nil {
				return b
			}
		}
	}
	return nil
}

// decryptAES decrypts what XML Encryption encrypts, section 5.2.
func decryptAES(method string, key, text []byte) ([]byte, bool) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	bits := map[int]string{16: "128", 24: "192", 32: "256"}[len(key)]
	switch method {
	case gcmPrefix + bits + "-gcm":
		g, err := cipher.NewGCM(block)
		if err != nil || len(text) < g.NonceSize() {
			return nil, false
		}
		plain, err := g.Open(nil, text[:g.NonceSize()], text[g.NonceSize():], nil)
		return plain, err == nil
	case cbcPrefix + bits + "-cbc":
		if len(text) < 2*aes.BlockSize || len(text)%aes.BlockSize != 0 {
			return nil, false
		}
		plain := make([]byte, len(text)-aes.BlockSize)
		cipher.NewCBCDecrypter(block, text[:aes.BlockSize]).CryptBlocks(plain, text[aes.BlockSize:])
		pad := int(plain[len(plain)-1])
		if pad < 1 || pad > aes.BlockSize {
			return nil, false
		}
		return plain[:len(plain)-pad], true
	}
	return nil, false
}
