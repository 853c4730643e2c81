package reference

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
)

// maxDepth bounds how deep a document may be nested.
const maxDepth = 200

// object is a JSON object that keeps the order of its members. A nil one has
// none.
type object struct {
	order  []string
	values map[string]any
}

func newObject() *object { return &object{values: map[string]any{}} }

func (o *object) set(name string, v any) {
	if _, ok := o.values[name]; !ok {
		o.order = append(o.order, name)
	}
	o.values[name] = v
}

func (o *object) get(name string) any {
	if o == nil {
		return nil
	}
	return o.values[name]
}

func (o *object) has(name string) bool {
	if o == nil {
		return false
	}
	_, ok := o.values[name]
	return ok
}

func (o *object) names() []string {
	if o == nil {
		return nil
	}
	return o.order
}

func (o *object) object(name string) *object { v, _ := o.get(name).(*object); return v }
func (o *object) list(name string) []any     { v, _ := o.get(name).([]any); return v }
func (o *object) text(name string) string    { v, _ := o.get(name).(string); return v }
func (o *object) flag(name string) bool      { v, _ := o.get(name).(bool); return v }

func (o *object) texts(name string) []string {
	var out []string
	for _, v := range o.list(name) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// MarshalJSON writes the members in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.order {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[name])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// decode reads a JSON object, its numbers as they are written.
func decode(document []byte) (*object, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	o, ok := v.(*object)
	if !ok {
		return nil, ErrForm
	}
	return o, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested more than %d deep", maxDepth)
	}
	switch t {
	case json.Delim('{'):
		o := newObject()
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			key, _ := name.(string)
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			o.set(key, v)
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return t, nil
}

// maxHops bounds chains of references.
const maxHops = 32

// deref follows the references of an object other than a schema to its end; nil
// where they lead nowhere.
func (w *walker) deref(o *object) *object {
	for range maxHops {
		ref := o.text("$ref")
		if ref == "" {
			return o
		}
		o, _ = w.find(ref).(*object)
	}
	return nil
}

// find returns what a reference within the document points to (RFC 6901
// section 6), or nil.
func (w *walker) find(ref string) any {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	var at any = w.root
	for part := range strings.SplitSeq(pointer, "/") {
		if plain, err := url.PathUnescape(part); err == nil {
			part = plain
		}
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		switch v := at.(type) {
		case *object:
			at = v.get(part)
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			return nil
		}
	}
	return at
}

// refName returns the name by which readers know what a reference points to.
func refName(ref string) string {
	name := ref[strings.LastIndexByte(ref, '/')+1:]
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
}
