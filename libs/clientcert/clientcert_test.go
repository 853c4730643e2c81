package clientcert_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/clientcert"
)

func TestParse(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	require.NoError(t, err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	b64 := base64.StdEncoding.EncodeToString(der)
	for name, value := range map[string]string{"RFC 9440": ":" + b64 + ":", "DER": b64, "escaped PEM": url.PathEscape(text), "nginx": strings.ReplaceAll(url.QueryEscape(text), "+", "%20")} {
		c, err := clientcert.Parse(value)
		require.NoError(t, err, name)
		require.Equal(t, der, c.Raw, name)
	}
	for name, value := range map[string]string{
		"nothing": "", "colons": "::", "no base64": "%%", "no certificate": "AAAA", "PEM of another kind": strings.ReplaceAll(url.PathEscape(text), "CERTIFICATE", "KEY"),
		"two": url.PathEscape(text + text), "a broken escape": "-----BEGIN%2", "large": strings.Repeat("A", 20_000),
	} {
		_, err := clientcert.Parse(value)
		require.ErrorIs(t, err, clientcert.ErrForm, name)
	}
}

// The example of RFC 8705 appendix A cannot be had without its certificate: the
// form is what is checked.
func TestThumbprint(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0", clientcert.Thumbprint([]byte("abc")))
}

func FuzzParse(f *testing.F) {
	f.Add("-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----")
	f.Add(":MIIB:")
	f.Add("MIIB")
	f.Fuzz(func(t *testing.T, value string) {
		if c, err := clientcert.Parse(value); (c == nil) == (err == nil) {
			t.Fatal("either a certificate or an error")
		}
	})
}
