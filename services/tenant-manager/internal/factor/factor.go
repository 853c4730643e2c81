// Package factor is what people prove themselves with beside a password: one-time
// codes of authenticator apps, passkeys, and recovery codes. It makes and checks
// them; it knows no user and keeps nothing.
package factor

import (
	"slices"
	"strings"
)

// The kinds of factors.
const (
	// TOTP is an authenticator app (RFC 6238).
	TOTP = "totp"
	// Passkey is a WebAuthn credential.
	Passkey = "passkey"
	// Recovery is a recovery code.
	Recovery = "recovery"
)

// The methods of a sign-in, as the claim amr names them (RFC 8176 section 2).
// [ByRecovery], [ByLink] and [ByFederation] are ours: the registry has no names for them.
const (
	ByPassword = "pwd"
	ByOTP      = "otp"
	// ByPasskey is the proof of possession of a key.
	ByPasskey = "pop"
	// ByUser says that the passkey made sure of the person too, by PIN or
	// biometry.
	ByUser = "user"
	// ByMFA says that it was more than one factor.
	ByMFA      = "mfa"
	ByRecovery = "recovery"
	// ByLink is a link that was sent, or handed over by an administrator.
	ByLink = "link"
	// ByFederation is a sign-in at an identity provider; what the provider says of
	// its own methods stands beside it.
	ByFederation = "fed"
)

// Methods is how somebody signed in: names of methods, each once, parted by
// spaces.
type Methods string

// With returns the methods and further ones. [ByMFA] comes by itself where two
// factors of different kinds are among them.
func (m Methods) With(more ...string) Methods {
	all := m.List()
	for _, name := range more {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	known := slices.ContainsFunc(all, func(s string) bool { return s == ByPassword || s == ByLink || s == ByFederation })
	had := slices.ContainsFunc(all, func(s string) bool { return s == ByOTP || s == ByPasskey || s == ByRecovery })
	verified := slices.Contains(all, ByPasskey) && slices.Contains(all, ByUser)
	if (known && had || verified) && !slices.Contains(all, ByMFA) {
		all = append(all, ByMFA)
	}
	return Methods(strings.Join(all, " "))
}

// Second reports whether something else than what one knows, is sent or is told by an
// identity provider is among them.
func (m Methods) Second() bool {
	return slices.ContainsFunc(m.List(), func(s string) bool { return s == ByOTP || s == ByPasskey || s == ByRecovery })
}

// Has reports whether a method is among them.
func (m Methods) Has(method string) bool { return slices.Contains(m.List(), method) }

// List returns the names, never nil.
func (m Methods) List() []string { return append([]string{}, strings.Fields(string(m))...) }
