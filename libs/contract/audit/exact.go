package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"
)

// deepest bounds how deep a line of an export is nested; an entry has four levels.
const deepest = 8

var (
	errTwice = errors.New("it is there twice")
	errDeep  = errors.New("it is nested too deep")
)

// exact decodes a line of an export into v, and returns what is wrong with it. A hash
// is over what a line means to this program, while people and other programs read
// the line itself: one that means something else to them (a member twice, or with
// another case, or one that nobody knows) is not as it was written, whatever its hash.
func exact(line []byte, v any) (why string) {
	if !utf8.Valid(line) {
		return "it is not text in UTF-8"
	}
	if err := json.Unmarshal(line, v); err != nil {
		return "it is not an entry of an audit trail: " + err.Error()
	}
	written, err := tree(line)
	if err != nil {
		return "it is not an entry of an audit trail: " + err.Error()
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "it is not an entry of an audit trail: " + err.Error()
	}
	meant, err := tree(b)
	if err != nil {
		return "it is not an entry of an audit trail: " + err.Error()
	}
	if at := differs(written, meant, ""); at != "" {
		return "it is not as it was written: " + at
	}
	return ""
}

// tree reads one value of JSON, in which no name of an object may be there twice.
func tree(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := value(d, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows it")
	}
	return v, nil
}

func value(d *json.Decoder, at string, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", at, err)
	}
	open, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == deepest {
		return nil, fmt.Errorf("%s: %w", at, errDeep)
	}
	members, list := map[string]any{}, []any{}
	for d.More() {
		if open == '[' {
			v, err := value(d, at+"/"+fmt.Sprint(len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
			continue
		}
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", at, err)
		}
		n := fmt.Sprint(name)
		if _, twice := members[n]; twice {
			return nil, fmt.Errorf("%s/%s: %w", at, n, errTwice)
		}
		if members[n], err = value(d, at+"/"+n, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil { // the end of it
		return nil, fmt.Errorf("reading %s: %w", at, err)
	}
	if open == '[' {
		return list, nil
	}
	return members, nil
}

// differs returns where a line has something else than what it was read as; "" for
// nowhere.
func differs(written, meant any, at string) string {
	w, object := written.(map[string]any)
	m, both := meant.(map[string]any)
	if !object || !both {
		if reflect.DeepEqual(written, meant) {
			return ""
		}
		return "an entry has something else at " + at
	}
	for name, v := range w {
		of, ok := m[name]
		if !ok {
			return fmt.Sprintf("%s/%s is nothing that an entry has", at, name)
		}
		if why := differs(v, of, at+"/"+name); why != "" {
			return why
		}
	}
	for name := range m {
		if _, ok := w[name]; !ok {
			return fmt.Sprintf("%s/%s is not there", at, name)
		}
	}
	return ""
}
