package credential_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// What is written here is read by gateways of other versions: a change of the
// golden file is a change of the contract.
func TestFeedKeepsItsForm(t *testing.T) {
	t.Parallel()
	until := time.Date(2030, 12, 31, 23, 59, 59, 0, time.UTC)
	feed := credential.Feed{
		Full: true,
		Applications: []credential.Application{
			{
				ID: "app-1", Name: "Shop", Organization: "acme", Groups: []string{"partners"}, Attributes: map[string]string{"tier": "gold"},
				Subscriptions: []credential.Subscription{
					{ID: "sub-1", API: "orders", Plan: "basic", Active: true, ExpiresAt: until},
					{ID: "sub-2", API: "stock", Plan: "free"},
				},
			},
			{ID: "app-2", Name: "Bare"},
		},
		Credentials: []credential.Credential{
			{ID: "c1", Kind: credential.APIKey, Digest: "00", Application: "app-1", Plan: "basic", ExpiresAt: until, Version: 3},
			{ID: "c2", Kind: credential.Basic, Digest: "01", Application: "app-1", Verifier: "$argon2id$…"},
			{ID: "c3", Kind: credential.JWT, Digest: "02", Application: "app-1"},
			{ID: "c4", Kind: credential.OAuth2, Digest: "03", Application: "app-1"},
			{ID: "c5", Kind: credential.Certificate, Digest: "04", Application: "app-1"},
			{ID: "c6", Kind: credential.HMAC, Digest: "05", Application: "app-1", Verifier: "shared"},
			{ID: "c7", Kind: credential.APIKey, Digest: "06", Application: "app-2", Revoked: true, Version: 1 << 40},
		},
	}
	b, err := json.MarshalIndent(feed, "", "  ")
	require.NoError(t, err)
	testkit.Golden(t, "feed.json", append(b, '\n'))
	var back credential.Feed
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, feed, back)
	empty, err := json.Marshal(credential.Feed{})
	require.NoError(t, err)
	require.Equal(t, "{}", string(empty))
}
