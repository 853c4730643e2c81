package gateway

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// wrong are files with a mistake each, by what it is.
var wrong = map[string]string{
	"no listener":                     "name: gw\n",
	"empty list of listeners":         "listeners: []\n",
	"address without a port":          "listeners:\n  - address: 127.0.0.1\n",
	"unknown field":                   "listeners:\n  - address: 127.0.0.1:0\n    adress: x\n",
	"admin without a token":           "listeners: [{address: \"127.0.0.1:0\"}]\nadmin:\n  address: 0.0.0.0:9000\n",
	"admin with a short token":        "listeners: [{address: \"127.0.0.1:0\"}]\nadmin:\n  address: 0.0.0.0:9000\n  token: short\n",
	"admin on a port of traffic":      "listeners: [{address: \"127.0.0.1:9000\"}]\nadmin:\n  address: 127.0.0.1:9000\n",
	"secret that is not there":        "listeners: [{address: \"127.0.0.1:0\"}]\nadmin:\n  address: 127.0.0.1:1\n  token: env:GATEHOUSE_NOT_SET\n",
	"data key that is none":           "listeners: [{address: \"127.0.0.1:0\"}]\ndataKey: 00ff\n",
	"data key of the wrong alphabet":  "listeners: [{address: \"127.0.0.1:0\"}]\ndataKey: \"!!!!\"\n",
	"trusted proxy that is none":      "listeners: [{address: \"127.0.0.1:0\"}]\ntrustedProxies: [10.0.0.0/33]\n",
	"duration without a unit":         "listeners: [{address: \"127.0.0.1:0\"}]\ndrainTime: 30\n",
	"negative duration":               "listeners: [{address: \"127.0.0.1:0\"}]\ndrainDelay: -1s\n",
	"redis without addresses":         "listeners: [{address: \"127.0.0.1:0\"}]\nredis: {addresses: []}\n",
	"sampling over one":               "listeners: [{address: \"127.0.0.1:0\"}]\nlog:\n  sample: 2\n",
	"tracing to nowhere":              "listeners: [{address: \"127.0.0.1:0\"}]\ntracing:\n  endpoint: nowhere\n",
	"size that is none":               "listeners: [{address: \"127.0.0.1:0\"}]\nmemory: lots\n",
	"no YAML":                         "listeners: [\n",
	"control plane without its facts": joined("controlPlane: {}\n"),
	"control plane beside APIs": joined("controlPlane: {url: \"nats://127.0.0.1:4222\", organization: acme, group: main, joinToken: t}\n" +
		"apis: [{name: a, basePath: /a, upstream: {targets: [{url: \"http://127.0.0.1:1\"}]}}]\nproject: p\n"),
	"control plane without data": "listeners: [{address: \"127.0.0.1:0\"}]\ncontrolPlane: {organization: Acme, group: a_b, joinToken: t}\n",
	"control plane with bad keys": joined("controlPlane: {url: \"nats://127.0.0.1:4222\", organization: acme, group: main, joinToken: t, " +
		"publicKeys: [AAAA], tls: {certificate: x}, heartbeat: 1ms, username: \"a b\"}\n"),
	"two mistakes": "listeners:\n  - address: nonsense\nmemory: lots\nnonsense: 1\n",
}

func joined(text string) string {
	return "listeners: [{address: \"127.0.0.1:0\"}]\ndata: /tmp/x\n" + text
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestEveryMistakeIsToldWithItsPlace(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		path := write(t, wrong[name])
		_, _, fields := Load(path, schema.SystemResolver())
		require.NotEmpty(t, fields, name)
		fmt.Fprintf(&out, "# %s\n", name)
		for _, f := range fields {
			source := strings.ReplaceAll(f.Source, filepath.Dir(path)+string(filepath.Separator), "")
			detail := strings.ReplaceAll(f.Detail, filepath.Dir(path)+string(filepath.Separator), "")
			fmt.Fprintf(&out, "%s: %s: %s: %s\n", source, f.Pointer, f.Code, detail)
		}
	}
	testkit.Golden(t, "mistakes.txt", []byte(out.String()))
}

// Reading only how the gateway itself runs accepts nothing that reading all of
// the file does not, and comes to the same.
func TestTheShortReadingAgreesWithTheWholeOne(t *testing.T) {
	t.Parallel()
	look := schema.SystemResolver()
	for name, text := range wrong {
		_, ok := loadStatic(write(t, text), look)
		require.False(t, ok, name)
	}
	_, ok := loadStatic(filepath.Join(t.TempDir(), "none.yaml"), look)
	require.False(t, ok)
	key := strings.Repeat("0f", 32)
	for name, text := range map[string]string{
		"least": "listeners: [{address: \"127.0.0.1:0\"}]\n",
		"much": "name: gw\nlisteners:\n  - address: 127.0.0.1:0\nadmin: {address: \"127.0.0.1:0\"}\ndata: /tmp/x\ndataKey: " + key +
			"\ntrustedProxies: [10.0.0.0/8]\nmemory: 1MiB\ndrainTime: 5s\nredis: {addresses: [\"127.0.0.1:1\"], budget: 5ms}\n",
		"with what it serves": "apis:\n  - name: a\n    basePath: /a\n    upstream: {targets: [{url: \"http://127.0.0.1:1\"}]}\n" +
			"listeners: [{address: \"127.0.0.1:0\"}]\npolicies: []\npolicySets: {x: []}\nproject: p\norganization: o\nenvironment: e\n" +
			"applications: []\ncredentialFiles: []\ndrainDelay: 1s\n",
		"JSON": `{"listeners":[{"address":"127.0.0.1:0"}],"apis":[]}`,
	} {
		path := write(t, text)
		whole, _, fields := Load(path, look)
		require.Empty(t, fields, name)
		if short, ok := loadStatic(path, look); ok {
			require.True(t, sameStatic(whole, short), name)
		} else {
			require.Equal(t, "JSON", name, "the usual forms are read the short way")
		}
	}
}

func TestTheKeyOfTheCacheIsHexOrBase64(t *testing.T) {
	t.Parallel()
	for text, length := range map[string]int{
		"": 0, strings.Repeat("0f", 32): 32, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=": 32,
	} {
		key, err := (&Config{DataKey: schema.NewSecret(text)}).dataKey()
		require.NoError(t, err, text)
		require.Len(t, key, length)
	}
}

func TestWhomTheControlPlaneIsTrustedBy(t *testing.T) {
	t.Parallel()
	var none *ControlPlaneTLS
	c, err := none.config()
	require.NoError(t, err)
	require.Nil(t, c)
	dir := t.TempDir()
	cert, key := selfSigned(t, dir, "nats.example.com")
	c, err = (&ControlPlaneTLS{CA: cert, Certificate: cert, Key: key, ServerName: "nats.example.com"}).config()
	require.NoError(t, err)
	require.NotNil(t, c.RootCAs)
	require.Equal(t, "nats.example.com", c.ServerName)
	pair, err := c.GetClientCertificate(nil)
	require.NoError(t, err)
	require.NotEmpty(t, pair.Certificate)
	for _, bad := range []ControlPlaneTLS{{CA: "/none"}, {CA: key}, {Certificate: cert, Key: "/none"}} {
		_, err = bad.config()
		require.Error(t, err)
	}
}

// selfSigned writes a certificate and its key, and returns the files.
func selfSigned(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pub, private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	return cert, key
}
