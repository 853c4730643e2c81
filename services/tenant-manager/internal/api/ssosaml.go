package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crewjam/saml"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

const (
	// samlCallback is where providers have browsers post their answers to.
	samlCallback = "/bff/sso/saml/callback"
	// samlAnswerKept is how long an answer waits for the browser that began.
	samlAnswerKept = 2 * time.Minute

	samlAnswer = "saml-answer"
	samlUsed   = "saml-assertion"
)

// entityName is our entity id to the provider of a connection. It does not change
// with the address of the installation.
func entityName(id string) string { return "urn:gatehouse:sso:" + id }

func samlConnectionOf(c store.SSOConnection) sso.SAMLConnection {
	own, other := samlKeysOf(c)
	return sso.SAMLConnection{SAMLProvider: samlProviderOf(c), Key: own, Other: other, Name: entityName(c.ID), NameIDFormat: c.Settings.SAML.NameIDFormat}
}

func samlProviderOf(c store.SSOConnection) sso.SAMLProvider {
	s := c.Settings.SAML
	return sso.SAMLProvider{EntityID: c.Issuer, SSOURL: s.SSOURL, Certificates: s.Certificates}
}

// nameIDFormats are the formats that are asked for, by their names here.
func nameIDFormats() map[SamlNameIdFormat]string {
	return map[SamlNameIdFormat]string{
		Persistent: string(saml.PersistentNameIDFormat), EmailAddress: string(saml.EmailAddressNameIDFormat),
		Unspecified: "",
	}
}

// withMetadata fetches the metadata of a SAML provider whose address is new. had is
// what is kept; nil = nothing.
func (h *Handlers) withMetadata(ctx context.Context, in SsoConnectionInput, had *store.SSOSAML) (SsoConnectionInput, error) {
	if in.Kind != Saml || in.Saml == nil || deref(in.Saml.Metadata) != "" || deref(in.Saml.MetadataUrl) == "" {
		return in, nil
	}
	address := strings.TrimSpace(*in.Saml.MetadataUrl)
	if had != nil && had.MetadataURL == address && had.FetchedAt != nil {
		return in, nil
	}
	raw, err := h.sso.FetchMetadata(ctx, address)
	var failed *sso.FailedError
	if errors.As(err, &failed) {
		return in, invalid("/saml/metadataUrl", "format", "%s", failed)
	}
	if err != nil {
		return in, err
	}
	s := *in.Saml
	s.Metadata = ptr(string(raw))
	in.Saml = &s
	return in, nil
}

// readSAML reads what connections to SAML providers have.
func (h *Handlers) readSAML(in SsoConnectionInput, c *store.SSOConnection) error {
	given := deref(in.Saml)
	had := deref(c.Settings.SAML)
	now := store.SSOSAML{
		MetadataURL: strings.TrimSpace(deref(given.MetadataUrl)), SubjectAttribute: strings.TrimSpace(deref(given.SubjectAttribute)), Own: had.Own, Next: had.Next, SwitchAt: had.SwitchAt, Previous: had.Previous,
		NameIDFormat: nameIDFormats()[Persistent],
	}
	if given.NameIdFormat != nil {
		now.NameIDFormat = nameIDFormats()[*given.NameIdFormat]
	}
	p, fetched, err := h.readSAMLProvider(given, *c, now.MetadataURL)
	if err != nil {
		return err
	}
	if deref(in.Enabled) && p.EntityID == "" {
		return invalid("/saml", "required", "give the provider's metadata before it is switched on")
	}
	now.SSOURL, now.Certificates = p.SSOURL, p.Certificates
	if now.MetadataURL != "" {
		now.FetchedAt, now.TriedAt, now.FetchError = had.FetchedAt, had.TriedAt, had.FetchError
		if fetched {
			at := h.store.Now()
			now.FetchedAt, now.TriedAt, now.FetchError = &at, &at, ""
		}
	}
	// Another provider gets another key.
	if c.Secret.Reveal() == "" || c.Issuer != "" && c.Issuer != p.EntityID {
		key, err := h.sso.NewSAMLKey("Gatehouse " + in.Name)
		if err != nil {
			return fmt.Errorf("making the key of a connection: %w", err)
		}
		c.Secret, now.Own, now.Next, now.SwitchAt, now.Previous = secret.NewText(key.Private), key.Certificate, nil, nil, nil
	}
	c.Issuer, c.ClientID, c.Scopes, c.Settings = p.EntityID, "", []string{}, store.SSOSettings{SAML: &now}
	return nil
}

// readSAMLProvider reads who the provider is: from metadata, from what was fetched
// before, or by hand. It is zero where nothing is known yet.
func (h *Handlers) readSAMLProvider(given SsoSamlInput, c store.SSOConnection, metadataURL string) (p sso.SAMLProvider, fetched bool, err error) {
	if text := deref(given.Metadata); text != "" {
		at := "/saml/metadata"
		if metadataURL != "" {
			at = "/saml/metadataUrl"
			if err := h.sso.CheckEndpoint(metadataURL); err != nil {
				return p, false, invalid(at, "format", "%s", err)
			}
		}
		if p, err = h.sso.ReadMetadata([]byte(text)); err != nil {
			return p, false, invalid(at, "format", "%s", err)
		}
		return p, true, nil
	}
	if had := c.Settings.SAML; metadataURL != "" && had != nil && had.MetadataURL == metadataURL {
		return samlProviderOf(c), false, nil
	}
	p.EntityID, p.SSOURL = strings.TrimSpace(deref(given.EntityId)), strings.TrimSpace(deref(given.SsoUrl))
	for i, text := range deref(given.Certificates) {
		ders, err := sso.ReadCertificates(text)
		if err != nil {
			return p, false, invalid(fmt.Sprintf("/saml/certificates/%d", i), "format", "%s", err)
		}
		for _, der := range ders {
			if !slices.ContainsFunc(p.Certificates, func(b []byte) bool { return bytes.Equal(b, der) }) {
				p.Certificates = append(p.Certificates, der)
			}
		}
	}
	switch {
	case p.EntityID == "" && p.SSOURL == "" && len(p.Certificates) == 0:
		return p, false, nil
	case p.EntityID == "":
		return p, false, invalid("/saml/entityId", "required", "it is the provider's name for itself")
	case h.sso.CheckEndpoint(p.SSOURL) != nil:
		return p, false, invalid("/saml/ssoUrl", "format", "%s", h.sso.CheckEndpoint(p.SSOURL))
	case len(p.Certificates) == 0:
		return p, false, invalid("/saml/certificates", "required", "without a certificate nothing that the provider says can be verified")
	}
	if err := h.sso.CheckSAML(p); err != nil {
		return p, false, invalid("/saml", "format", "%s", err)
	}
	return p, false, nil
}

func ssoSAMLOf(c store.SSOConnection) *SsoSaml {
	s := c.Settings.SAML
	if s == nil {
		return nil
	}
	out := SsoSaml{
		MetadataUrl: ptr(s.MetadataURL), EntityId: c.Issuer, SsoUrl: s.SSOURL, SubjectAttribute: ptr(s.SubjectAttribute), SpEntityId: entityName(c.ID),
		Certificates: make([]SamlCertificate, len(s.Certificates)), FetchedAt: s.FetchedAt, FetchError: ptr(s.FetchError),
	}
	for name, urn := range nameIDFormats() {
		if urn == s.NameIDFormat {
			out.NameIdFormat = name
		}
	}
	for i, der := range s.Certificates {
		out.Certificates[i] = samlCertificateOf(der)
	}
	if len(s.Own) > 0 {
		out.SpCertificate = ptr(samlCertificateOf(s.Own))
	}
	if len(s.Next) > 0 {
		out.SpNextCertificate, out.SpSwitchAt = ptr(samlCertificateOf(s.Next)), utc(s.SwitchAt)
	}
	if len(s.Previous) > 0 {
		out.SpPreviousCertificate = ptr(samlCertificateOf(s.Previous))
	}
	return &out
}

func samlCertificateOf(der []byte) SamlCertificate {
	d := sso.DescribeCertificate(der)
	return SamlCertificate{Pem: d.PEM, Subject: ptr(d.Subject), Fingerprint: d.Fingerprint, NotAfter: &d.NotAfter}
}

// keptAnswer is an answer that waits for the browser that began.
type keptAnswer struct {
	State  string `json:"state"` // as a hash
	Answer string `json:"answer"`
}

// samlUnasked says what is wrong with an answer that nobody asked for.
const samlUnasked = "this answer belongs to no sign-in that was begun here: sign-ins that begin at the identity provider are refused, and ten minutes are the most; begin at the sign-in page"

// KeepSamlAnswer keeps what a provider had the browser post, until the browser
// comes with the secret that it began with.
func (h *Handlers) KeepSamlAnswer(ctx context.Context, r KeepSamlAnswerRequestObject) (KeepSamlAnswerResponseObject, error) {
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	state := token.Hash(r.Body.State)
	ch, err := h.ssoChallenge(ctx, state)
	if store.IsNotFound(err) {
		return nil, problem.New(problem.CodeNotFound, samlUnasked)
	}
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(keptAnswer{state, r.Body.Answer})
	if err != nil {
		return nil, err
	}
	handle := token.OneTime()
	kept := store.Challenge{OrganizationID: ch.OrganizationID, Purpose: samlAnswer, Hash: token.Hash(handle), Data: string(data), ExpiresAt: h.store.Now().Add(samlAnswerKept)}
	err = h.store.Tx(ctx, ch.OrganizationID, "", func(tx *store.Tx) error { return h.store.SealedChallenge(ctx, tx, &kept) })
	return KeepSamlAnswer200JSONResponse{Handle: handle}, err
}

// samlClaims returns what an answer says, of which the browser brings the handle.
func (h *Handlers) samlClaims(ctx context.Context, c store.SSOConnection, ch store.Challenge, a sso.Attempt, handle string) (map[string]any, error) {
	kept, err := h.store.TakeSealed(ctx, samlAnswer, token.Hash(handle))
	if store.IsNotFound(err) {
		return nil, &sso.FailedError{Reason: "the provider sent no answer, or the browser brought it too late"}
	}
	if err != nil {
		return nil, err
	}
	var answer keptAnswer
	if err := json.Unmarshal([]byte(kept.Data), &answer); err != nil {
		return nil, err
	}
	if kept.OrganizationID != ch.OrganizationID || answer.State != ch.Hash {
		return nil, &sso.FailedError{Reason: "the answer is to another sign-in"}
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(answer.Answer), ""))
	if err != nil {
		return nil, &sso.FailedError{Reason: "the provider's answer is not Base64"}
	}
	said, err := h.sso.Assertion(samlConnectionOf(c), a, raw)
	if err != nil {
		return nil, err
	}
	first, err := h.store.For(c.OrganizationID).SeenFirst(ctx, samlUsed, token.Hash(c.ID+"\n"+c.Issuer+"\n"+said.ID), said.Until)
	if err == nil && !first {
		err = &sso.FailedError{Reason: "the assertion was used before"}
	}
	return said.Claims, err
}

// GetSamlMetadata returns what a provider is set up with.
func (h *Handlers) GetSamlMetadata(ctx context.Context, r GetSamlMetadataRequestObject) (GetSamlMetadataResponseObject, error) {
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	c, err := h.store.SAMLConnectionByID(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	acs := make([]string, len(r.Params.Origin))
	for i, origin := range r.Params.Origin {
		if !isOrigin(origin) {
			return nil, invalid("/origin", "format", "use the origin of an app, such as https://admin.example.com")
		}
		acs[i] = origin + samlCallback
	}
	own := c.Settings.SAML
	b, err := sso.SPMetadata(entityName(c.ID), sso.SPCertificates{Own: own.Own, Next: own.Next, Previous: own.Previous}, acs)
	return GetSamlMetadata200JSONResponse{Metadata: string(b)}, err
}

// isOrigin reports whether something is the origin of a page.
func isOrigin(origin string) bool {
	at, err := url.Parse(origin)
	return err == nil && at.Host != "" && (at.Scheme == "https" || at.Scheme == "http") && at.Path == "" && at.RawQuery == "" && at.Fragment == "" && at.User == nil
}
