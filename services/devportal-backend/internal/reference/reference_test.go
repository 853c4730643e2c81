package reference_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/reference"
)

func orders(t *testing.T) *reference.Digest {
	t.Helper()
	raw, err := os.ReadFile("testdata/orders.json")
	require.NoError(t, err)
	d, err := reference.Make(raw)
	require.NoError(t, err)
	return d
}

// The pages are read by browsers: they must be what openapi.yaml promises.
func TestPagesAreWhatTheAPIPromises(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromFile("../../openapi.yaml")
	require.NoError(t, err)
	schema := doc.Components.Schemas["OperationPage"].Value
	for _, o := range orders(t).Operations {
		var v any
		require.NoError(t, json.Unmarshal(o.Page, &v))
		require.NoError(t, schema.VisitJSON(v), string(o.Page))
	}
}

func TestPagesKeepTheirForm(t *testing.T) {
	t.Parallel()
	d := orders(t)
	for _, o := range d.Operations {
		pretty, err := json.MarshalIndent(o.Page, "", "  ")
		require.NoError(t, err)
		name := strings.Map(func(r rune) rune {
			if strings.ContainsRune("/{} ", r) {
				return '-'
			}
			return r
		}, o.ID)
		testkit.Golden(t, "page-"+name+".json", append(pretty, '\n'))
	}
	overview, err := json.MarshalIndent(d.Overview, "", "  ")
	require.NoError(t, err)
	testkit.Golden(t, "overview.json", append(overview, '\n'))
}

func TestOperationsAreNamedAsGatewaysNameThem(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, o := range orders(t).Operations {
		ids = append(ids, o.ID)
	}
	require.Equal(t, []string{"createOrder", "listOpenOrders", "DELETE /orders/{id}/notes/{n}", "requestReturn"}, ids)
}

func TestGroupsAreInTheOrderOfTheDocument(t *testing.T) {
	t.Parallel()
	var names []string
	for _, g := range orders(t).Overview.Groups {
		names = append(names, g.Name)
	}
	require.Equal(t, []string{"Returns", "Orders", ""}, names)
}

func TestOperationsAreFoundByTheirSchemasAndParameters(t *testing.T) {
	t.Parallel()
	d := orders(t)
	require.Contains(t, d.Operations[0].Search, "line")
	require.Contains(t, d.Operations[0].Search, "problem")
	require.Contains(t, d.Operations[1].Search, "x-trace")
	require.Equal(t, "List open orders", d.Operations[1].Summary)
	require.Equal(t, "Deletes a note for good.", d.Operations[2].Summary)
}

func TestADocumentBringsNoScripts(t *testing.T) {
	t.Parallel()
	d := orders(t)
	require.Empty(t, d.Overview.Contact.URL)
	require.Equal(t, "https://example.com/mit", d.Overview.License.URL)
}

func TestWhatIsNoDocumentIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "list": "[]", "text": `"x"`, "two": `{"openapi":"3.0.0"}{}`, "other": `{"swagger":"1.2"}`, "none": `{"info":{}}`,
		"deep": `{"openapi":"3.0.0","x":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`,
	} {
		_, err := reference.Make([]byte(text))
		require.Error(t, err, name)
	}
}

func TestSwaggerIsRead(t *testing.T) {
	t.Parallel()
	d, err := reference.Make([]byte(`{"swagger":"2.0","info":{"title":"Old","version":"1"},"basePath":"/v1","paths":{"/pets":{"post":{
		"operationId":"addPet","parameters":[{"in":"body","name":"pet","required":true,"schema":{"$ref":"#/definitions/Pet"}}],
		"responses":{"200":{"description":"ok","schema":{"$ref":"#/definitions/Pet"}}}}}},
		"definitions":{"Pet":{"type":"object","properties":{"name":{"type":"string"}}}}}`))
	require.NoError(t, err)
	require.Len(t, d.Operations, 1)
	require.Contains(t, string(d.Operations[0].Page), `"ref":"Pet"`)
}

// large returns a document of so many operations whose schemas refer to each
// other all around.
func large(operations int) []byte {
	var b strings.Builder
	b.WriteString(`{"openapi":"3.0.3","info":{"title":"Large","version":"1"},"paths":{`)
	for i := range operations {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"/things/%d/{id}":{"post":{"operationId":"op%d","tags":["t%d"],"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],
			"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/S%d"}}}},
			"responses":{"200":{"description":"ok","content":{"application/json":{"schema":{"$ref":"#/components/schemas/S%d"}}}}}}}`, i, i, i%20, i%80, (i+7)%80)
	}
	b.WriteString(`},"components":{"schemas":{`)
	for i := range 80 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"S%d":{"type":"object","properties":{`, i)
		for p := range 12 {
			fmt.Fprintf(&b, `"p%d":{"type":"string","description":"Property %d of schema %d, which says something."},`, p, p, i)
		}
		fmt.Fprintf(&b, `"next":{"$ref":"#/components/schemas/S%d"}}}`, (i+1)%80)
	}
	b.WriteString(`}}}`)
	return []byte(b.String())
}

func TestALargeDocumentIsDigestedInWellUnderASecond(t *testing.T) {
	t.Parallel()
	doc := large(500)
	began := time.Now()
	d, err := reference.Make(doc)
	require.NoError(t, err)
	t.Logf("500 operations of %d bytes took %s", len(doc), time.Since(began))
	require.Len(t, d.Operations, 500)
	for _, o := range d.Operations {
		require.Less(t, len(o.Page), 1<<20, "trees are bounded")
	}
	if !testing.Short() {
		require.Less(t, time.Since(began), 8*time.Second, "on a busy machine")
	}
}

func TestTreesOfManyBranchesEnd(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"openapi":"3.0.3","info":{"title":"Wide","version":"1"},"paths":{"/":{"get":{"operationId":"wide","responses":{"200":{"description":"ok","content":{"application/json":{"schema":{"$ref":"#/components/schemas/S0"}}}}}}}},"components":{"schemas":{`)
	for i := range 30 { // each refers to the next one ten times: 10^30 nodes
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"S%d":{"type":"object","properties":{`, i)
		for p := range 10 {
			if p > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"p%d":{"$ref":"#/components/schemas/S%d"}`, p, i+1)
		}
		b.WriteString(`}}`)
	}
	b.WriteString(`}}}`)
	d, err := reference.Make([]byte(b.String()))
	require.NoError(t, err)
	require.Contains(t, string(d.Operations[0].Page), `"cut":true`)
	require.Less(t, len(d.Operations[0].Page), 1<<20)
}

func BenchmarkMake(b *testing.B) {
	doc := large(500)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := reference.Make(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzMake(f *testing.F) {
	raw, err := os.ReadFile("testdata/orders.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"openapi":"3.0.0","paths":{"/":{"get":{"parameters":[{"$ref":"#/paths/~1/get/parameters/0"}]}}}}`))
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/":{"get":{"requestBody":{"content":{"application/json":{"schema":{"allOf":[{"$ref":"#/paths/~1/get/requestBody/content/application~1json/schema"}]}}}}}}}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		d, err := reference.Make(doc)
		if err != nil {
			return
		}
		for _, o := range d.Operations {
			require.True(t, json.Valid(o.Page))
		}
	})
}
