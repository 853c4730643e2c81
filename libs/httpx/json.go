package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// deepest bounds how deeply a body may be nested.
const deepest = 200

// decodeJSON decodes one JSON value. Unlike encoding/json it refuses a key that
// comes twice, since the validation and the handler would not see the same.
func decodeJSON(raw []byte) (any, *problem.Field) {
	if !utf8.Valid(raw) { // which encoding/json would replace
		return nil, &problem.Field{Pointer: "", Code: schema.RuleSyntax, Detail: "the body is not JSON: it is not text in UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	j := &jsonDecoder{d: d}
	v, err := j.value("", 0)
	if err == nil {
		if _, end := d.Token(); end != io.EOF {
			err = errors.New("something follows the JSON value")
		}
	}
	if err == nil {
		return v, nil
	}
	if j.field != nil {
		return nil, j.field
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	return nil, &problem.Field{Pointer: "", Code: schema.RuleSyntax, Detail: fmt.Sprintf("the body is not JSON: %v (at byte %d)", err, d.InputOffset())}
}

type jsonDecoder struct {
	d     *json.Decoder
	field *problem.Field
}

var errField = errors.New("a field is at fault")

func (j *jsonDecoder) value(at string, depth int) (any, error) {
	t, err := j.d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == deepest {
		j.field = &problem.Field{Pointer: at, Code: schema.RuleInvalid, Detail: fmt.Sprintf("it is nested more than %d deep", deepest)}
		return nil, errField
	}
	if delim == '[' {
		list := []any{}
		for i := 0; j.d.More(); i++ {
			v, err := j.value(at+"/"+strconv.Itoa(i), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = j.d.Token()
		return list, err
	}
	object := map[string]any{}
	for j.d.More() {
		t, err := j.d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		below := at + "/" + schema.Escape(key)
		if _, twice := object[key]; twice {
			j.field = &problem.Field{Pointer: below, Code: schema.RuleDuplicate, Detail: "the field comes twice"}
			return nil, errField
		}
		if object[key], err = j.value(below, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = j.d.Token()
	return object, err
}

// binder decodes bodies for generated code, of any media type that is JSON. The
// validation has read them before.
type binder struct{}

// Bind implements echo.Binder.
func (binder) Bind(i any, c echo.Context) error {
	if err := json.NewDecoder(c.Request().Body).Decode(i); err != nil && !errors.Is(err, io.EOF) {
		return problem.Invalid("the body cannot be read", jsonField(err)).Because(err)
	}
	return nil
}

func jsonField(err error) problem.Field {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		pointer := ""
		for _, b := range bytes.Split([]byte(t.Field), []byte{'.'}) {
			if len(b) > 0 {
				pointer += "/" + schema.Escape(string(b))
			}
		}
		return problem.Field{Pointer: pointer, Code: schema.RuleType, Detail: "it is of type " + t.Value + ", and another was expected"}
	}
	// What was read before as JSON does not fit: Go's types are in the error, which the log has.
	if name := quoted(err.Error()); strings.Contains(err.Error(), "unknown field") && name != "" {
		return problem.Field{Pointer: "/" + schema.Escape(name), Code: schema.RuleUnknown, Detail: fmt.Sprintf("there is no field %q", name)}
	}
	return problem.Field{Pointer: "", Code: schema.RuleInvalid, Detail: "a value is not of the form that is taken: see the reference of the API"}
}
