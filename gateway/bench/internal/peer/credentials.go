//go:build linux

package peer

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// credentialFile is the number of credentials in one file, and of one
// application.
const credentialFile = 1000

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
	for first := 0; first < f.Credentials; first += credentialFile {
		path := filepath.Join(dir, fmt.Sprintf("applications-%07d.yaml", first))
		if err := writeCredentials(path, first, min(first+credentialFile, f.Credentials)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func writeCredentials(path string, first, end int) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "applications:\n  - name: bulk-%07d\n    credentials:\n", first)
	for i := first; i < end; i++ {
		fmt.Fprintf(w, "      - apiKeyHash: sha256:%x\n", sha256.Sum256([]byte(CredentialKey(i))))
	}
	if err := w.Flush(); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
