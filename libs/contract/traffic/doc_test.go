package traffic_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The reference of the traffic record is made from the struct and its comments.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	var doc strings.Builder
	doc.WriteString(`# Traffic record

A gateway writes one JSON object a line about each request. Fields without a value are left out. Names and meanings
never change; new fields may be added. Lines are nearly, not strictly, in order of time.

<!-- Generated from libs/contract/traffic by ` + "`go test ./contract/traffic -update`" + `; do not edit. -->

| field | type | meaning |
|---|---|---|
`)
	structs := parse(t, "record.go", "decision.go")
	rows(&doc, structs["Record"], "", true)
	doc.WriteString("\n## decision\n\nPresent where the request was refused or failed, was chosen as a sample, or was asked for by a debug rule.\n\n")
	doc.WriteString("| field | type | meaning |\n|---|---|---|\n")
	rows(&doc, structs["Decision"], "decision.", false)
	rows(&doc, structs["Verdict"], "decision.policies[].", false)
	rows(&doc, structs["Attempt"], "decision.attempts[].", false)

	path := filepath.Join("..", "..", "..", "docs", "reference", "traffic-record.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(doc.String()), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, doc.String(), string(have), "run go test ./contract/traffic -update")
}

func parse(t *testing.T, files ...string) map[string]*ast.StructType {
	t.Helper()
	all := map[string]*ast.StructType{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			if ts, ok := n.(*ast.TypeSpec); ok {
				if st, ok := ts.Type.(*ast.StructType); ok {
					all[ts.Name.Name] = st
				}
			}
			return true
		})
	}
	return all
}

func rows(w *strings.Builder, st *ast.StructType, prefix string, all bool) {
	kinds := map[string]string{
		"string": "text", "int": "number", "float64": "number", "[]string": "list of texts", "int64": "number", "uint64": "number", "bool": "boolean", "time.Time": "time",
		"time.Duration": "number", "netip.Addr": "address", "TraceID": "32 hex digits", "SpanID": "16 hex digits",
		"Pairs": "object of texts", "ErrorSource": "text", "Kept": "text", "Outcome": "text", "json.RawMessage": "any",
		"*Decision": "object", "[]Verdict": "list of objects", "[]Attempt": "list of objects",
	}
	comment := ""
	for _, f := range st.Fields.List {
		if f.Doc != nil {
			comment = strings.Join(strings.Fields(f.Doc.Text()), " ")
		} else if all {
			comment = ""
		}
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
		name, _, _ := strings.Cut(tag, ",")
		kind := kinds[typeName(f.Type)]
		if kind == "" {
			kind = "UNKNOWN " + typeName(f.Type)
		}
		fmt.Fprintf(w, "| `%s%s` | %s | %s |\n", prefix, name, kind, comment)
		if f.Doc == nil {
			comment = ""
		}
	}
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + typeName(e.X)
	case *ast.ArrayType:
		return "[]" + typeName(e.Elt)
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	}
	return ""
}
