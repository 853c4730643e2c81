package testkit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These name a real Vault or OpenBao: its address, a token that may do everything,
// and, where it may be sealed, one key that opens it again.
const (
	realVault      = "GATEHOUSE_TEST_VAULT"
	realVaultToken = "GATEHOUSE_TEST_VAULT_TOKEN"
	realVaultKey   = "GATEHOUSE_TEST_VAULT_KEY"
)

// RealVault is a Vault or OpenBao of somebody's, with engines, policies and roles
// of one test, which are removed with it. It does what [VaultServer] does, in real
// time and without namespaces.
type RealVault struct {
	// URL is its address, Root a token that may do everything, Mount where the test's
	// KV engine is.
	URL, Root, Mount string

	t      testing.TB
	key    string
	policy int
	made   []string // accessors of tokens
}

// Real returns the Vault that the environment names; nil = it names none.
func Real(t testing.TB) *RealVault {
	t.Helper()
	v := &RealVault{URL: os.Getenv(realVault), Root: os.Getenv(realVaultToken), key: os.Getenv(realVaultKey), Mount: "gh-" + strings.ToLower(rand.Text()[:10]), t: t}
	if v.URL == "" {
		return nil
	}
	v.do(http.MethodPost, "sys/mounts/"+v.Mount, map[string]any{"type": "kv", "options": map[string]any{"version": "2"}})
	v.do(http.MethodPost, "sys/auth/"+v.Mount, map[string]any{"type": "approle"})
	t.Cleanup(func() {
		v.do(http.MethodDelete, "sys/mounts/"+v.Mount, nil)
		v.do(http.MethodDelete, "sys/auth/"+v.Mount, nil)
		for i := range v.policy {
			v.do(http.MethodDelete, fmt.Sprintf("sys/policies/acl/%s-%d", v.Mount, i+1), nil)
		}
	})
	// An engine is not ready the moment it is there.
	require.Eventually(t, func() bool {
		status, _ := v.ask(http.MethodPost, v.Mount+"/data/ready", map[string]any{"data": map[string]any{"a": "b"}})
		return status == http.StatusOK
	}, 10*time.Second, 20*time.Millisecond)
	return v
}

func (v *RealVault) ask(method, path string, body any) (int, map[string]any) {
	v.t.Helper()
	b, err := json.Marshal(body)
	require.NoError(v.t, err)
	// Cleaning up goes on after the test has ended.
	r, err := http.NewRequestWithContext(context.WithoutCancel(v.t.Context()), method, v.URL+"/v1/"+path, bytes.NewReader(b))
	require.NoError(v.t, err)
	r.Header.Set("X-Vault-Token", v.Root)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := client.Do(r)
	require.NoError(v.t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	require.NoError(v.t, res.Body.Close())
	var out map[string]any
	if len(raw) > 0 {
		require.NoError(v.t, json.Unmarshal(raw, &out), "%s", raw)
	}
	return res.StatusCode, out
}

func (v *RealVault) do(method, path string, body any) map[string]any {
	v.t.Helper()
	status, out := v.ask(method, path, body)
	require.Less(v.t, status, 300, "%s %s: %v", method, path, out)
	return out
}

// Put writes a new version of a secret and returns its number.
func (v *RealVault) Put(_, path string, data map[string]any) int {
	out, _ := v.do(http.MethodPost, v.Mount+"/data/"+path, map[string]any{"data": data})["data"].(map[string]any)
	n, _ := out["version"].(float64)
	return int(n)
}

// Delete deletes a version, which could be undeleted; 0 = the newest.
func (v *RealVault) Delete(_, path string, version int) {
	if version == 0 {
		v.do(http.MethodDelete, v.Mount+"/data/"+path, nil)
		return
	}
	v.do(http.MethodPost, v.Mount+"/delete/"+path, map[string]any{"versions": []int{version}})
}

// Destroy removes the data of a version for good.
func (v *RealVault) Destroy(_, path string, version int) {
	v.do(http.MethodPost, v.Mount+"/destroy/"+path, map[string]any{"versions": []int{version}})
}

// CanSeal reports whether it can be sealed and opened again.
func (v *RealVault) CanSeal() bool { return v.key != "" }

// Seal seals it, or opens it.
func (v *RealVault) Seal(sealed bool) {
	if sealed {
		v.do(http.MethodPost, "sys/seal", nil)
		return
	}
	v.do(http.MethodPost, "sys/unseal", map[string]any{"key": v.key})
	require.Eventually(v.t, func() bool {
		status, _ := v.ask(http.MethodGet, v.Mount+"/data/ready", nil)
		return status == http.StatusOK
	}, 10*time.Second, 50*time.Millisecond)
}

func (v *RealVault) allow(paths []string) string {
	v.policy++
	name := fmt.Sprintf("%s-%d", v.Mount, v.policy)
	var text strings.Builder
	for _, p := range paths {
		fmt.Fprintf(&text, "path \"%s/data/%s*\" { capabilities = [\"read\"] }\n", v.Mount, p)
	}
	v.do(http.MethodPost, "sys/policies/acl/"+name, map[string]any{"policy": text.String()})
	return name
}

// Token makes a token that may read what begins with one of the paths. It can be
// renewed until the longest time; 0 = it cannot.
func (v *RealVault) Token(_ string, ttl, longest time.Duration, paths ...string) string {
	body := map[string]any{"policies": []string{v.allow(paths)}, "ttl": ttl.String(), "renewable": longest > 0}
	if longest > 0 {
		body["explicit_max_ttl"] = longest.String()
	}
	auth, _ := v.do(http.MethodPost, "auth/token/create", body)["auth"].(map[string]any)
	id, _ := auth["client_token"].(string)
	accessor, _ := auth["accessor"].(string)
	v.made = append(v.made, accessor)
	return id
}

// Revoke ends the tokens that were made, and those of roles.
func (v *RealVault) Revoke() {
	for _, a := range v.made {
		v.ask(http.MethodPost, "auth/token/revoke-accessor", map[string]any{"accessor": a}) // it may have ended
	}
	v.made = nil
	v.do(http.MethodPost, "sys/leases/revoke-prefix/auth/"+v.Mount, nil)
}

// AppRole lets who has a role id and its secret id have tokens.
func (v *RealVault) AppRole(_, role, secret string, ttl, longest time.Duration, paths ...string) {
	at := "auth/" + v.Mount + "/role/" + role
	v.do(http.MethodPost, at, map[string]any{"token_policies": v.allow(paths), "token_ttl": ttl.String(), "token_max_ttl": longest.String()})
	v.do(http.MethodPost, at+"/role-id", map[string]any{"role_id": role})
	v.do(http.MethodPost, at+"/custom-secret-id", map[string]any{"secret_id": secret})
}
