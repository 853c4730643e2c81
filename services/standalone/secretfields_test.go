package standalone

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
	analysismanager "github.com/gatehouse/gatehouse/services/analysis-manager"
	"github.com/gatehouse/gatehouse/services/bff"
	devportal "github.com/gatehouse/gatehouse/services/devportal-backend"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
	policymanager "github.com/gatehouse/gatehouse/services/policy-manager"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

const secretFieldsIntro = `# Fields for secrets

Written from the code by a test (` + "`go test ./standalone -run TestFieldsForSecrets -update`" + ` in services), so that none is left out.
What references are, and who may name which, is in [secrets](../guide/secrets.md).

`

// The page of all fields for secrets is what the code says.
func TestFieldsForSecrets(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	page.WriteString(secretFieldsIntro)
	row := func(cells ...string) { fmt.Fprintf(&page, "| %s |\n", strings.Join(cells, " | ")) }
	page.WriteString("## Configuration files\n\nEach takes the text, `env:`, `file:` or `vault:`; what opens Vault itself takes the first three. They are read at the start by the\nprocess of the file and kept nowhere; listeners of the gateway read certificates and keys anew every ten seconds.\n\n")
	row("file of", "field")
	row("---", "---")
	for _, c := range []struct {
		name   string
		config any
	}{
		{"analysis-manager", &analysismanager.Config{}},
		{"bff", &bff.Config{}},
		{"devportal-backend", &devportal.Config{}},
		{"gateway", &gateway.Config{}},
		{"gateway-manager", &gatewaymanager.Config{}},
		{"policy-manager", &policymanager.Config{}},
		{"tenant-manager", &tenantmanager.Config{}},
	} {
		s, err := schema.OfPointer(c.config)
		require.NoError(t, err)
		found := secretsIn(s.Node(), "")
		require.NotEmpty(t, found, c.name)
		if c.name == "gateway" { // texts, since either may be in PEM
			found = append(found, "listeners[].tls.certificates[].key")
			slices.Sort(found)
		}
		for _, f := range found {
			row("`"+c.name+"`", "`"+f+"`")
		}
	}
	page.WriteString("\n## Policies\n\nEach takes the text or a reference, which the gateway reads: any in a file of the gateway's own, those that `references.organizations`\nlists in what a control plane serves. Texts are kept encrypted by policy-manager, and are answered as asterisks.\n\n")
	row("policy", "field")
	row("---", "---")
	for _, d := range policies.All() {
		s, err := d.Schema()
		require.NoError(t, err)
		for _, f := range secretsIn(s.Node(), "") {
			row("`"+d.Name+"`", "`"+f+"`")
		}
	}
	page.WriteString("\n## Interfaces\n\nTexts are kept encrypted by the service, and never shown.\n\n")
	row("service", "field", "takes")
	row("---", "---", "---")
	files, err := filepath.Glob("../*/openapi.yaml")
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var doc struct {
			Components struct {
				Schemas map[string]any `yaml:"schemas"`
			} `yaml:"components"`
		}
		require.NoError(t, yaml.Unmarshal(raw, &doc))
		for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
			for _, f := range marked(doc.Components.Schemas[name], name, false) {
				row("`"+filepath.Base(filepath.Dir(file))+"`", "`"+f.at+"`", f.takes)
			}
		}
	}
	testkit.Golden(t, "../../../docs/reference/secret-fields.md", page.Bytes())
}

// secretsIn returns where a schema has secrets.
func secretsIn(n *schema.Node, at string) []string {
	if n == nil {
		return nil
	}
	var out []string
	if n.WriteOnly && n.Format == "password" {
		out = append(out, strings.TrimPrefix(at, "."))
	}
	for _, k := range slices.Sorted(maps.Keys(n.Properties)) {
		out = append(out, secretsIn(n.Properties[k], at+"."+k)...)
	}
	out = append(out, secretsIn(n.Items, at+"[]")...)
	if n.AdditionalProperties != nil {
		out = append(out, secretsIn(n.AdditionalProperties.Node, at+".*")...)
	}
	for _, list := range [][]*schema.Node{n.AllOf, n.AnyOf, n.OneOf} {
		for _, m := range list {
			out = append(out, secretsIn(m, at)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type secretField struct{ at, takes string }

// marked returns the fields of an OpenAPI schema that are marked as secrets.
func marked(v any, at string, reference bool) []secretField {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	about, _ := m["description"].(string)
	reference = reference || strings.Contains(about, "reference")
	var out []secretField
	if secret, _ := m["x-secret"].(bool); secret {
		takes := "the secret itself"
		switch {
		case reference:
			takes = "the secret, or a reference"
		case strings.Contains(about, "shown once"):
			takes = "made by Gatehouse, shown once"
		}
		out = append(out, secretField{at, takes})
	}
	if p, ok := m["properties"].(map[string]any); ok {
		for _, k := range slices.Sorted(maps.Keys(p)) {
			out = append(out, marked(p[k], at+"."+k, reference)...)
		}
	}
	return append(out, marked(m["items"], at+"[]", reference)...)
}
