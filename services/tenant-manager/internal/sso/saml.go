package sso

import (
	"bytes"
	"compress/flate"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// SAMLConnection is a provider, and who we are to it.
type SAMLConnection struct {
	SAMLProvider
	Key SAMLKey
	// Other is a key that decrypts as well, while one follows another; the zero value =
	// none.
	Other SAMLKey
	// Name is our entity id.
	Name string
	// NameIDFormat is what is asked for; "" leaves it to the provider.
	NameIDFormat string
}

// samlSkew is by how much the clocks of a provider and ours may differ.
const samlSkew = 90 * time.Second

// RequestID returns the id of the request (SAML V2.0 Core, section 3.2.1), which the
// answer has to name.
func (a Attempt) RequestID() string { return "id-" + a.derive("saml request") }

// SAMLAddress returns where to send the browser to: a signed request by
// HTTP-Redirect (SAML V2.0 Bindings, section 3.4). The error is a [FailedError].
func (c *Client) SAMLAddress(p SAMLConnection, a Attempt) (string, error) {
	if err := c.CheckSAML(p.SAMLProvider); err != nil {
		return "", err
	}
	key, certificate, err := p.Key.read()
	if err != nil {
		return "", err
	}
	create := true
	policy := &saml.NameIDPolicy{AllowCreate: &create}
	if p.NameIDFormat != "" {
		policy.Format = &p.NameIDFormat
	}
	r := saml.AuthnRequest{
		ID: a.RequestID(), Version: "2.0", IssueInstant: c.now().UTC(), Destination: p.SSOURL, AssertionConsumerServiceURL: a.Redirect,
		ProtocolBinding: saml.HTTPPostBinding, ForceAuthn: a.force(), Issuer: &saml.Issuer{Value: p.Name}, NameIDPolicy: policy,
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		_, err = etree.NewDocumentWithRoot(r.Element()).WriteTo(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", err
	}
	signing, err := saml.GetSigningContext(&saml.ServiceProvider{Key: key, Certificate: certificate, SignatureMethod: dsig.RSASHA256SignatureMethod})
	if err != nil {
		return "", err
	}
	// What is signed is these three, in this order, and nothing of the address's own
	// query.
	query := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes())) + "&RelayState=" + url.QueryEscape(a.State) +
		"&SigAlg=" + url.QueryEscape(dsig.RSASHA256SignatureMethod)
	signature, err := signing.SignString(query)
	if err != nil {
		return "", err
	}
	query += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
	if strings.Contains(p.SSOURL, "?") {
		return p.SSOURL + "&" + query, nil
	}
	return p.SSOURL + "?" + query, nil
}

// Asserted is what an assertion says that was verified.
type Asserted struct {
	// ID is that of the assertion, which is good once, until Until.
	ID    string
	Until time.Time
	// Claims are for [ReadSAML], and for people.
	Claims map[string]any
}

// restrictions are the audiences of an assertion; the library keeps one of each
// restriction alone.
type restrictions struct {
	Conditions struct {
		Restrictions []struct {
			Audiences []string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Audience"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:assertion AudienceRestriction"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion Conditions"`
}

// Assertion verifies an answer of a provider to an attempt (SAML V2.0 Profiles,
// section 4.1.4.3) and returns what it says. Nothing is read but what a signature
// of the provider covers. The error is a [FailedError].
func (c *Client) Assertion(p SAMLConnection, a Attempt, raw []byte) (Asserted, error) {
	var out Asserted
	if len(raw) > MostSAMLAnswer {
		return out, failed("the answer has more than %d bytes", MostSAMLAnswer)
	}
	trusted, err := certificates(p.Certificates)
	if err != nil {
		return out, err
	}
	root, err := readXML(raw)
	if err != nil {
		return out, failed("the answer is refused: %s", err)
	}
	if !is(root, nsProtocol, "Response") {
		return out, failed("the answer is no SAML 2.0 response")
	}
	if err := checkShape(root); err != nil {
		return out, failed("the answer is refused: %s", err)
	}
	signed, err := verified(root, trusted, c.now())
	if err != nil {
		return out, failed("the answer is refused: %s", err)
	}
	if signed != nil {
		root = signed
	}
	if err := c.checkResponse(root, p, a, signed != nil); err != nil {
		return out, err
	}
	e, err := c.assertionIn(root, p, trusted, signed != nil)
	if err != nil {
		return out, err
	}
	var (
		as       saml.Assertion
		audience restrictions
	)
	if err := decode(e, &as, &audience); err != nil {
		return out, failed("the assertion is refused: %s", err)
	}
	if err := c.checkAssertion(as, audience, p); err != nil {
		return out, err
	}
	until, err := c.confirmed(as, a)
	if err != nil {
		return out, err
	}
	out.ID, out.Until = as.ID, until.Add(samlSkew)
	out.Claims = samlClaims(as)
	return out, nil
}

// MostSAMLAnswer bounds an answer, in bytes.
const MostSAMLAnswer = 256 << 10

func (c *Client) checkResponse(root *etree.Element, p SAMLConnection, a Attempt, signed bool) error {
	var r saml.Response
	// The assertion has its own turn.
	bare := root.Copy()
	for _, e := range bare.ChildElements() {
		if e.Tag == "Assertion" || e.Tag == "EncryptedAssertion" || e.Tag == "Signature" {
			bare.RemoveChild(e)
		}
	}
	if err := decode(bare, &r); err != nil {
		return failed("the answer is refused: %s", err)
	}
	switch {
	case r.Version != "2.0":
		return failed("the answer is of SAML %q, and not of 2.0", cut(r.Version))
	case r.InResponseTo == "":
		return failed("the answer is to no request: sign-ins that begin at the identity provider are refused; begin at the sign-in page")
	case r.InResponseTo != a.RequestID():
		return failed("the answer is to another request")
	case r.Status.StatusCode.Value != saml.StatusSuccess:
		return failed("the provider answered %s", status(r.Status))
	case r.Destination != a.Redirect && (signed || r.Destination != ""):
		return failed("the answer is for %q, and not for %s", cut(r.Destination), a.Redirect)
	case r.Issuer != nil && r.Issuer.Value != p.EntityID:
		return failed("the answer is of %q, and not of %q", cut(r.Issuer.Value), p.EntityID)
	case r.IssueInstant.After(c.now().Add(samlSkew)):
		return failed("the answer was made in the future: is the provider's clock right?")
	}
	return nil
}

func status(s saml.Status) string {
	text := strings.TrimPrefix(s.StatusCode.Value, "urn:oasis:names:tc:SAML:2.0:status:")
	if s.StatusCode.StatusCode != nil {
		text += " " + strings.TrimPrefix(s.StatusCode.StatusCode.Value, "urn:oasis:names:tc:SAML:2.0:status:")
	}
	if s.StatusMessage != nil {
		text += ": " + s.StatusMessage.Value
	}
	return cut(text)
}

// assertionIn returns the assertion of a response as it was signed: with the
// response, or by itself.
func (c *Client) assertionIn(root *etree.Element, p SAMLConnection, trusted []*x509.Certificate, signed bool) (*etree.Element, error) {
	plain, hidden := children(root, nsAssertion, "Assertion"), children(root, nsAssertion, "EncryptedAssertion")
	var e *etree.Element
	switch {
	case len(plain) == 1 && len(hidden) == 0:
		e = plain[0]
	case len(plain) == 0 && len(hidden) == 1:
		var err error
		if e, err = c.decrypted(hidden[0], p); err != nil {
			return nil, err
		}
		if !is(e, nsAssertion, "Assertion") {
			return nil, errDecrypt()
		}
		if err := checkShape(e); err != nil {
			return nil, failed("the assertion is refused: %s", err)
		}
	default:
		return nil, failed("the answer has no assertion")
	}
	own, err := verified(e, trusted, c.now())
	switch {
	case err != nil:
		return nil, failed("the assertion is refused: %s", err)
	case own != nil:
		e = own
	case !signed:
		return nil, failed("neither the answer nor the assertion is signed")
	}
	if !is(e, nsAssertion, "Assertion") {
		return nil, failed("what is signed is no assertion")
	}
	return e, nil
}

// decrypted returns what is encrypted for a connection: for its key, or for the other
// one until that has ended.
func (c *Client) decrypted(hidden *etree.Element, p SAMLConnection) (*etree.Element, error) {
	key, _, err := p.Key.read()
	if err != nil {
		return nil, err
	}
	e, err := decrypted(hidden, key)
	if err == nil || p.Other.Private == "" {
		return e, err
	}
	other, certificate, bad := p.Other.read()
	if bad != nil || c.now().After(certificate.NotAfter) {
		return nil, err
	}
	return decrypted(hidden, other)
}

func (c *Client) checkAssertion(as saml.Assertion, audience restrictions, p SAMLConnection) error {
	now := c.now()
	switch {
	case as.Version != "2.0" || as.ID == "":
		return failed("the assertion has no id, or is not of SAML 2.0")
	case as.Issuer.Value != p.EntityID:
		return failed("the assertion is of %q, and not of %q", cut(as.Issuer.Value), p.EntityID)
	case as.IssueInstant.After(now.Add(samlSkew)):
		return failed("the assertion was made in the future: is the provider's clock right?")
	case as.Conditions == nil || len(audience.Conditions.Restrictions) == 0:
		return failed("the assertion does not say whom it is for (Audience)")
	case now.Add(samlSkew).Before(as.Conditions.NotBefore):
		return failed("the assertion is valid from %s: is the provider's clock right?", as.Conditions.NotBefore.UTC().Format(time.RFC3339))
	case !as.Conditions.NotOnOrAfter.IsZero() && !now.Add(-samlSkew).Before(as.Conditions.NotOnOrAfter):
		return failed("the assertion was valid until %s", as.Conditions.NotOnOrAfter.UTC().Format(time.RFC3339))
	case len(as.AuthnStatements) == 0:
		return failed("the assertion does not say that somebody signed in (AuthnStatement)")
	}
	for _, s := range as.AuthnStatements {
		if s.SessionNotOnOrAfter != nil && !now.Add(-samlSkew).Before(*s.SessionNotOnOrAfter) {
			return failed("the session at the provider was over at %s", s.SessionNotOnOrAfter.UTC().Format(time.RFC3339))
		}
	}
	for _, r := range audience.Conditions.Restrictions {
		if !slices.ContainsFunc(r.Audiences, func(s string) bool { return strings.TrimSpace(s) == p.Name }) {
			return failed("the assertion is for %q (Audience), and not for %s", cut(strings.Join(r.Audiences, " ")), p.Name)
		}
	}
	return nil
}

// bearer is the method of browsers (SAML V2.0 Profiles, section 3.3).
const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer" //nolint:gosec // a name, and no secret

// confirmed returns until when a confirmation of the subject by this attempt is
// valid.
func (c *Client) confirmed(as saml.Assertion, a Attempt) (time.Time, error) {
	why := failed("the assertion does not say who brings it (SubjectConfirmation)")
	if as.Subject == nil {
		return time.Time{}, why
	}
	now := c.now()
	for _, s := range as.Subject.SubjectConfirmations {
		d := s.SubjectConfirmationData
		if s.Method != bearer || d == nil {
			continue
		}
		switch {
		case d.InResponseTo != a.RequestID():
			why = failed("the assertion is to another request (InResponseTo)")
		case d.Recipient != a.Redirect:
			why = failed("the assertion is for %q (Recipient), and not for %s", cut(d.Recipient), a.Redirect)
		case d.NotOnOrAfter.IsZero() || !now.Add(-samlSkew).Before(d.NotOnOrAfter):
			why = failed("the assertion could be brought until %s", d.NotOnOrAfter.UTC().Format(time.RFC3339))
		case now.Add(samlSkew).Before(d.NotBefore):
			why = failed("the assertion can be brought from %s: is the provider's clock right?", d.NotBefore.UTC().Format(time.RFC3339))
		default:
			return d.NotOnOrAfter, nil
		}
	}
	return time.Time{}, why
}

// samlClaims returns what an assertion says, as JSON would.
func samlClaims(as saml.Assertion) map[string]any {
	attributes, friendly := map[string]any{}, map[string]any{}
	for _, s := range as.AttributeStatements {
		for _, at := range s.Attributes {
			var values []any
			for _, v := range at.Values {
				value := strings.TrimSpace(v.Value)
				if value == "" && v.NameID != nil {
					value = strings.TrimSpace(v.NameID.Value)
				}
				values = append(values, value)
			}
			before, _ := attributes[at.Name].([]any)
			attributes[at.Name] = append(before, values...)
			if at.FriendlyName != "" {
				friendly[at.FriendlyName] = attributes[at.Name]
			}
		}
	}
	for name, v := range friendly {
		if _, there := attributes[name]; !there {
			attributes[name] = v
		}
	}
	out := map[string]any{"issuer": as.Issuer.Value, "attributes": attributes}
	if n := as.Subject.NameID; n != nil {
		out["nameId"], out["nameIdFormat"] = strings.TrimSpace(n.Value), n.Format
	}
	for _, s := range as.AuthnStatements {
		out[claimAuthnInstant] = s.AuthnInstant.UTC().Format(time.RFC3339)
		if ref := s.AuthnContext.AuthnContextClassRef; ref != nil {
			out["authnContext"] = strings.TrimSpace(ref.Value)
		}
	}
	return out
}

// entraGroupsLink is what Microsoft Entra ID sends in place of more than 150 groups.
const entraGroupsLink = "http://schemas.microsoft.com/claims/groups.link"

// NameID stands for the NameID in place of the name of an attribute.
const NameID = "NameID"

// ReadSAML reads what an assertion says. The subject is the NameID, or an attribute
// where one is named.
func ReadSAML(claims map[string]any, names Names, subject string) Person {
	attributes, _ := claims["attributes"].(map[string]any)
	nameID, format := text(claims["nameId"]), text(claims["nameIdFormat"])
	first := func(name string) string {
		if name == NameID {
			return nameID
		}
		for _, v := range list(attributes[name]) {
			if v != "" {
				return v
			}
		}
		return ""
	}
	p := Person{Subject: nameID, Name: cut(first(names.Name)), Methods: samlMethods(text(claims["authnContext"]))}
	switch {
	case subject != "" && subject != NameID:
		if p.Subject = first(subject); p.Subject == "" {
			p.Why = "the assertion has no attribute " + subject + ", which is the subject"
		}
	case nameID == "":
		p.Why = "the assertion has no NameID that can be read"
	case format == string(saml.TransientNameIDFormat):
		p.Subject = ""
		p.Why = "the NameID is transient, another one at every sign-in: have the provider send a persistent one, or name an attribute as the subject"
	}
	p.Email = address(first(names.Email))
	p.Groups, p.Overage = groups(list(attributes[names.Groups]))
	if _, linked := attributes[entraGroupsLink]; linked && len(p.Groups) == 0 {
		p.Overage = "the provider left the groups out, because there are too many for an assertion: have it name only those that are assigned to the application, or use app roles"
	}
	return p
}

// samlMethods returns the methods (RFC 8176) of an authentication context (SAML V2.0
// Authentication Context, section 3.4, and those of Entra and REFEDS).
func samlMethods(context string) []string {
	switch strings.TrimPrefix(context, "urn:oasis:names:tc:SAML:2.0:ac:classes:") {
	case "Password", "PasswordProtectedTransport":
		return []string{"pwd"}
	case "Kerberos":
		return []string{"wia"}
	case "X509", "TLSClient", "Smartcard", "SmartcardPKI":
		return []string{"sc"}
	case "MobileTwoFactorContract", "MobileTwoFactorUnregistered", "http://schemas.microsoft.com/claims/multipleauthn", "https://refeds.org/profile/mfa":
		return []string{"mfa"}
	}
	return nil
}
