package factor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Parties are the relying parties (WebAuthn section 4) by the origins of the
// pages that use them. A passkey belongs to one relying party.
type Parties struct {
	byOrigin map[string]*Party
}

// Party is a relying party.
type Party struct {
	// ID is the domain that passkeys belong to.
	ID string
	w  *webauthn.WebAuthn
}

// NewParties returns the relying parties of pages at the origins, such as
// https://apim-admin.example.com. Those at or below domain share passkeys, which
// belong to the domain; every other host has its own. Empty origins are left
// out. name is what authenticators show.
func NewParties(name, domain string, origins ...string) (*Parties, error) {
	p := &Parties{byOrigin: map[string]*Party{}}
	ids := map[string][]string{}
	for _, o := range origins {
		if o == "" {
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("passkeys: %q is not an origin such as https://admin.example.com", o)
		}
		origin := strings.ToLower(u.Scheme + "://" + u.Host)
		id := strings.ToLower(u.Hostname())
		if d := strings.ToLower(domain); d != "" && (id == d || strings.HasSuffix(id, "."+d)) {
			id = d
		}
		if !slices.Contains(ids[id], origin) {
			ids[id] = append(ids[id], origin)
		}
	}
	for id, list := range ids {
		w, err := webauthn.New(&webauthn.Config{RPID: id, RPDisplayName: name, RPOrigins: list, AttestationPreference: protocol.PreferNoAttestation})
		if err != nil {
			return nil, fmt.Errorf("passkeys of %s: %w", id, err)
		}
		for _, o := range list {
			p.byOrigin[o] = &Party{ID: id, w: w}
		}
	}
	return p, nil
}

// Of returns the relying party of the pages at an origin, nil where there is
// none.
func (p *Parties) Of(origin string) *Party {
	return p.byOrigin[strings.ToLower(strings.TrimSuffix(origin, "/"))]
}

// Owner is whose passkeys it is about.
type Owner struct {
	ID, Name, Email string
	// Keys are the passkeys that they have, as [Key.Value].
	Keys []string
}

// holder is an Owner as the library asks for it.
type holder struct {
	Owner
	keys []webauthn.Credential
}

func hold(o Owner) (holder, error) {
	h := holder{Owner: o, keys: make([]webauthn.Credential, len(o.Keys))}
	for i, k := range o.Keys {
		if err := json.Unmarshal([]byte(k), &h.keys[i]); err != nil {
			return h, fmt.Errorf("reading a passkey: %w", err)
		}
	}
	return h, nil
}

// WebAuthnID is the user handle.
func (h holder) WebAuthnID() []byte { return []byte(h.ID) }

// WebAuthnName is by what people tell accounts apart.
func (h holder) WebAuthnName() string { return h.Email }

// WebAuthnDisplayName is the name of the person.
func (h holder) WebAuthnDisplayName() string { return h.Name }

// WebAuthnCredentials are the passkeys.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// Key is a passkey.
type Key struct {
	// Hash is by what it is found: SHA-256 of its id, in hexadecimal digits.
	Hash string
	// Value is all that is kept of it. Nothing in it is secret.
	Value string
	// Verified says that it made sure of the person, by PIN or biometry.
	Verified bool
}

func keyOf(c *webauthn.Credential, verified bool) (Key, error) {
	c.Attestation = webauthn.CredentialAttestation{} // nobody asks for it again
	b, err := json.Marshal(c)
	if err != nil {
		return Key{}, fmt.Errorf("keeping a passkey: %w", err)
	}
	return Key{Hash: KeyHash(c.ID), Value: string(b), Verified: verified}, nil
}

// KeyHash returns the [Key.Hash] of a credential id.
func KeyHash(id []byte) string {
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:])
}

// Ceremony is what a page is asked to do with navigator.credentials, and what is
// kept until it answers.
type Ceremony struct {
	// Options is the argument, {"publicKey": …}, with bytes in base64url.
	Options map[string]any
	// State is what the answer is checked with.
	State string
}

func ceremony(options any, s *webauthn.SessionData) (Ceremony, error) {
	var c Ceremony
	b, err := json.Marshal(options)
	if err == nil {
		err = json.Unmarshal(b, &c.Options)
	}
	if err != nil {
		return c, fmt.Errorf("asking for a passkey: %w", err)
	}
	if b, err = json.Marshal(s); err != nil {
		return c, fmt.Errorf("asking for a passkey: %w", err)
	}
	c.State = string(b)
	return c, nil
}

// ErrPasskey is an answer of a page or authenticator that is not right.
var ErrPasskey = errors.New("the passkey was not accepted")

func refused(err error) error {
	var p *protocol.Error
	if errors.As(err, &p) {
		return fmt.Errorf("%w: %s", ErrPasskey, p.Details)
	}
	return fmt.Errorf("%w: %w", ErrPasskey, err)
}

// Add begins the registration of a passkey that its owner does not have yet. It
// can sign in without an e-mail address where the authenticator has room for
// that.
func (p *Party) Add(o Owner) (Ceremony, error) {
	h, err := hold(o)
	if err != nil {
		return Ceremony{}, err
	}
	options, s, err := p.w.BeginRegistration(h,
		webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
		}))
	if err != nil {
		return Ceremony{}, fmt.Errorf("beginning a registration: %w", err)
	}
	return ceremony(options, s)
}

// Added checks the answer to [Party.Add]. The error is [ErrPasskey] where it is
// not right.
func (p *Party) Added(o Owner, state string, answer []byte) (Key, error) {
	h, s, err := p.begun(o, state)
	if err != nil {
		return Key{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Key{}, refused(err)
	}
	c, err := p.w.CreateCredential(h, s, parsed)
	if err != nil {
		return Key{}, refused(err)
	}
	return keyOf(c, c.Flags.UserVerified)
}

func (p *Party) begun(o Owner, state string) (h holder, s webauthn.SessionData, err error) {
	if err = json.Unmarshal([]byte(state), &s); err != nil {
		return h, s, fmt.Errorf("reading what was asked for: %w", err)
	}
	h, err = hold(o)
	return h, s, err
}

// Ask begins a proof with one of the owner's passkeys.
func (p *Party) Ask(o Owner) (Ceremony, error) {
	h, err := hold(o)
	if err != nil {
		return Ceremony{}, err
	}
	options, s, err := p.w.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return Ceremony{}, fmt.Errorf("asking for a passkey: %w", err)
	}
	return ceremony(options, s)
}

// AskAnyone begins a sign-in with a passkey that says itself whose it is. It has
// to make sure of the person, because nothing else does.
func (p *Party) AskAnyone() (Ceremony, error) {
	options, s, err := p.w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Ceremony{}, fmt.Errorf("asking for a passkey: %w", err)
	}
	return ceremony(options, s)
}

// Proven checks the answer to [Party.Ask], and returns the passkey as it is to
// be kept now. The error is [ErrPasskey] where it is not right.
func (p *Party) Proven(o Owner, state string, answer []byte) (Key, error) {
	h, s, err := p.begun(o, state)
	if err != nil {
		return Key{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Key{}, refused(err)
	}
	c, err := p.w.ValidateLogin(h, s, parsed)
	if err != nil {
		return Key{}, refused(err)
	}
	return proven(c, parsed)
}

// ProvenBy is as [Party.Proven], for [Party.AskAnyone]. find returns the owner of
// a passkey by its [Key.Hash]; its error ends the sign-in.
func (p *Party) ProvenBy(state string, answer []byte, find func(hash string) (Owner, error)) (Key, error) {
	_, s, err := p.begun(Owner{}, state)
	if err != nil {
		return Key{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Key{}, refused(err)
	}
	o, err := find(KeyHash(parsed.RawID))
	if err != nil {
		return Key{}, err
	}
	h, err := hold(o)
	if err != nil {
		return Key{}, err
	}
	_, c, err := p.w.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		if string(handle) != o.ID {
			return nil, ErrPasskey
		}
		return h, nil
	}, s, parsed)
	if err != nil {
		return Key{}, refused(err)
	}
	return proven(c, parsed)
}

// proven refuses a passkey whose counter went backwards: there is a copy of it
// (WebAuthn section 6.1.1).
func proven(c *webauthn.Credential, parsed *protocol.ParsedCredentialAssertionData) (Key, error) {
	if c.Authenticator.CloneWarning {
		return Key{}, fmt.Errorf("%w: its counter went backwards, so that there may be a copy of it", ErrPasskey)
	}
	return keyOf(c, parsed.Response.AuthenticatorData.Flags.HasUserVerified())
}
