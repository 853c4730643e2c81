//go:build linux

package peer

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// perApplication is the number of credentials of one application.
const perApplication = 1000

// CredentialKey returns the API key of credential i of those that
// [Setup] asks for.
func CredentialKey(i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "gatehouse bench credential %d", i))
	return fmt.Sprintf("%x", sum[:16])
}

// credentials writes a configuration directory of mode Managed in which more
// callers, given as the hashes of their keys, are known: a thousand for each
// application.
func (f files) credentials() (string, error) {
	dir := filepath.Join(f.Dir, "gateway.d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if _, err := f.render("gateway.yaml.tmpl", "gateway.d/gateway.yaml"); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "credentials.yaml"), []byte("credentialFiles: [credentials.jsonl]\n"), 0o600); err != nil {
		return "", err
	}
	return dir, writeCredentials(filepath.Join(dir, "credentials.jsonl"), f.Credentials)
}

// writeCredentials writes a credential file.
func writeCredentials(path string, n int) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	for i := range n {
		app := fmt.Sprintf("bulk-%07d", i/perApplication)
		if i%perApplication == 0 {
			fmt.Fprintf(w, "{\"application\":{\"id\":%q,\"name\":%q}}\n", app, app)
		}
		fmt.Fprintf(w, "{\"credential\":{\"id\":\"%s/%d\",\"kind\":\"api-key\",\"digest\":\"%x\",\"application\":%q}}\n",
			app, i, sha256.Sum256([]byte(CredentialKey(i))), app)
	}
	if err := w.Flush(); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
