package service

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/libs/reference"
)

const (
	masked      = "***"
	fromDefault = "default"
	// maxSettings bounds what one service tells.
	maxSettings = 500
)

// credentials finds user and password in addresses.
var credentials = regexp.MustCompile(`://[^/@\s"]+@`)

// Describe keeps what a configuration says, for administrators to see: doc is what
// it was read from, nil where a program has made it. Secrets must not be resolved
// yet where there is a document.
func Describe[C any, P Configuration[C]](cfg P, doc *config.Document) {
	cfg.Common().Settings = settingsOf(cfg, doc)
}

func settingsOf(cfg any, doc *config.Document) []system.Setting {
	values := map[string]any{}
	flatten("", jsonOf(cfg), values)
	written := map[string]any{}
	if doc != nil {
		flatten("", decoded(doc.JSON()), written)
	}
	var out []system.Setting
	for _, pointer := range slices.Sorted(maps.Keys(values)) {
		s := system.Setting{Pointer: pointer, Value: text(values[pointer]), Source: fromDefault}
		if v, ok := values[pointer].(string); ok && v == masked {
			s.Secret = true
			if ref, ok := written[pointer].(string); ok && reference.Is(ref) {
				s.Value = ref
			}
		}
		if _, ok := written[pointer]; ok {
			if at, known := doc.Position(pointer); known {
				s.Source = at.String()
			}
		}
		if out = append(out, s); len(out) == maxSettings {
			break
		}
	}
	return out
}

// jsonOf returns a value as JSON has it.
func jsonOf(v any) any {
	if rv := reflect.ValueOf(v); !rv.IsValid() {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return decoded(b)
}

func decoded(b []byte) any {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out any
	if d.Decode(&out) != nil {
		return nil
	}
	return out
}

// flatten collects what is not an object or a list by its pointer.
func flatten(at string, v any, out map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			flatten(at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k), e, out)
		}
	case []any:
		for i, e := range v {
			flatten(at+"/"+strconv.Itoa(i), e, out)
		}
	case nil:
	default:
		out[at] = v
	}
}

func text(v any) string {
	if s, ok := v.(string); ok {
		return credentials.ReplaceAllString(s, "://"+masked+"@")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
