package sso

import (
	"encoding/json"
	"time"
)

const (
	// claimAuthnInstant is when somebody proved who they are, of a SAML assertion.
	claimAuthnInstant = "authnInstant"
	// freshSkew is by how much the clocks of a provider and ours may differ.
	freshSkew = 90 * time.Second
)

func (a Attempt) force() *bool {
	if !a.Fresh {
		return nil
	}
	return &a.Fresh
}

// Proven returns an error unless claims say that somebody proved who they are after
// a time: auth_time of an ID token (OpenID Connect Core section 2), AuthnInstant of an
// assertion (SAML V2.0 Core, section 2.7.2). That a provider was asked for a new proof
// is no proof of one. The error is a [FailedError].
func Proven(claims map[string]any, after time.Time) error {
	var at time.Time
	switch v := claims["auth_time"].(type) {
	case float64:
		at = time.Unix(int64(v), 0)
	case json.Number:
		n, err := v.Int64()
		if err == nil {
			at = time.Unix(n, 0)
		}
	}
	if s, ok := claims[claimAuthnInstant].(string); ok {
		at, _ = time.Parse(time.RFC3339, s) // zero is no proof
	}
	switch {
	case at.IsZero():
		return failed("the provider does not say when the person proved who they are (auth_time): have it put that into ID tokens")
	case at.Before(after.Add(-freshSkew)):
		return failed("the provider did not ask for a new proof: the last was at %s", at.UTC().Format(time.RFC3339))
	}
	return nil
}
