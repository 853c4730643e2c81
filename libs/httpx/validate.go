package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// formats are checked beside those that the library knows.
var formats = openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
	"uuid":  format(func(s string) error { return uuid.Validate(s) }),
	"email": format(func(s string) error { a, err := mail.ParseAddress(s); return plainAddress(s, a, err) }),
	"uri":   format(func(s string) error { return absolute(s) }),
})

func format(check func(string) error) openapi3.StringFormatValidator {
	return openapi3.NewCallbackValidator(check)
}

func plainAddress(s string, a *mail.Address, err error) error {
	if err != nil || a.Address != s {
		return errors.New("it is no e-mail address")
	}
	return nil
}

func absolute(s string) error {
	if u, err := url.Parse(s); err != nil || u.Scheme == "" {
		return errors.New("it is no absolute URI")
	}
	return nil
}

// validate holds a request against its operation. The error is a problem that
// lists every field at fault.
func (o *operation) validate(c echo.Context, in *incoming) error {
	r := c.Request()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem.New(problem.CodeBadRequest, "the query of the address cannot be read").Because(err)
	}
	var fields []problem.Field
	for name := range query {
		if !o.anyQuery && !slices.Contains(o.query, name) {
			fields = append(fields, problem.Field{
				Pointer: "/" + schema.Escape(name), Code: schema.RuleUnknown,
				Detail: fmt.Sprintf("there is no query parameter %q%s", name, schema.Suggest(name, o.query)),
			})
		}
	}
	path := make(map[string]string, len(c.ParamNames()))
	for i, name := range c.ParamNames() {
		if path[name], err = url.PathUnescape(c.ParamValues()[i]); err != nil {
			return problem.New(problem.CodeBadPath, "the path of the address cannot be read").Because(err)
		}
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, QueryParams: query, PathParams: path,
		Options: &openapi3filter.Options{SkipSettingDefaults: true, MultiError: true, SchemaValidationOptions: []openapi3.SchemaValidationOption{formats}},
	}
	for _, p := range o.params {
		if p.In == openapi3.ParameterInHeader && strings.EqualFold(p.Name, "If-Match") && r.Header.Get("If-Match") == "" {
			if p.Required {
				return errNoIfMatch()
			}
			continue
		}
		if err := openapi3filter.ValidateParameter(r.Context(), input, p); err != nil {
			fields = append(fields, parameterFields(p, err)...)
		}
	}
	if o.takesBody(r.Method) {
		more, err := o.validateBody(r, in)
		if err != nil {
			return err
		}
		fields = append(fields, more...)
	}
	if len(fields) == 0 {
		return nil
	}
	slices.SortStableFunc(fields, func(a, b problem.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return problem.Invalid(summary(fields), fields...)
}

func summary(fields []problem.Field) string {
	if len(fields) == 1 {
		where := strings.TrimPrefix(fields[0].Pointer, "/")
		if where == "" {
			where = "the body"
		}
		return where + ": " + fields[0].Detail
	}
	return fmt.Sprintf("%d fields are not right", len(fields))
}

func parameterFields(p *openapi3.Parameter, err error) []problem.Field {
	at := "/" + schema.Escape(p.Name)
	switch {
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return []problem.Field{{Pointer: at, Code: schema.RuleRequired, Detail: "the " + p.In + " parameter " + p.Name + " is missing"}}
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		return []problem.Field{{Pointer: at, Code: schema.RuleMinLength, Detail: "the " + p.In + " parameter " + p.Name + " is empty"}}
	}
	var parse *openapi3filter.ParseError
	if errors.As(err, &parse) {
		return []problem.Field{{Pointer: at, Code: schema.RuleType, Detail: saidOfParameter(p)}}
	}
	var req *openapi3filter.RequestError
	if errors.As(err, &req) && req.Err != nil {
		err = req.Err
	}
	return schemaFields(at, err)
}

// validateBody holds a body against its operation, where it is JSON; of others
// only the type is looked at.
func (o *operation) validateBody(r *http.Request, in *incoming) ([]problem.Field, error) {
	kind := r.Header.Get("Content-Type")
	if kind == "" || r.Body == nil || r.Body == http.NoBody {
		empty, err := isEmpty(r)
		switch {
		case err != nil:
			return nil, err
		case empty && o.required:
			return nil, problem.Invalid("the request has no body", problem.Field{Pointer: "", Code: schema.RuleRequired, Detail: "send one as " + o.types()})
		case empty:
			return nil, nil
		}
	}
	media, _, err := mime.ParseMediaType(kind)
	content := o.body[media]
	if err != nil || content == nil {
		return nil, problem.New(problem.CodeUnsupportedMediaType, "the body is of type %q: send it as %s", kind, o.types())
	}
	if !isJSON(media) {
		return nil, nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	in.body = raw
	if len(raw) == 0 && !o.required {
		return nil, nil
	}
	value, field := decodeJSON(raw)
	if field != nil {
		return []problem.Field{*field}, nil
	}
	if content.Schema == nil {
		return nil, nil
	}
	found := map[string]problem.Field{}
	faults(content.Schema.Value, value, "", found)
	fields := slices.Collect(maps.Values(found))
	err = content.Schema.Value.VisitJSON(value, openapi3.VisitAsRequest(), openapi3.MultiErrors(), formats)
	if err != nil {
		for _, f := range schemaFields("", err) {
			if _, said := found[f.Pointer]; !said {
				fields = append(fields, f)
			}
		}
	}
	return fields, nil
}

// isEmpty looks whether there is a body.
func isEmpty(r *http.Request) (bool, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return true, nil
	}
	var one [1]byte
	switch _, err := io.ReadFull(r.Body, one[:]); {
	case err == io.EOF:
		return true, nil
	case err != nil:
		return false, err
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(one[:]), r.Body), r.Body}
	return false, nil
}

func (o *operation) types() string {
	var names []string
	for name := range o.body {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " or ")
}

func isJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// schemaFields turns the library's errors into fields below a pointer.
func schemaFields(at string, err error) []problem.Field {
	var many openapi3.MultiError
	if errors.As(err, &many) {
		var out []problem.Field
		for _, e := range many {
			out = append(out, schemaFields(at, e)...)
		}
		return out
	}
	var s *openapi3.SchemaError
	if !errors.As(err, &s) {
		return []problem.Field{{Pointer: at, Code: schema.RuleInvalid, Detail: err.Error()}}
	}
	if s.Origin != nil && (s.SchemaField == "allOf" || s.SchemaField == "oneOf" && s.Schema != nil && s.Schema.Discriminator != nil) {
		return schemaFields(at, s.Origin)
	}
	pointer := at
	for _, key := range s.JSONPointer() {
		pointer += "/" + schema.Escape(key)
	}
	f := problem.Field{Pointer: pointer, Code: s.SchemaField, Detail: said(s), Params: params(s)}
	switch {
	case s.SchemaField == "properties" || s.SchemaField == "additionalProperties":
		f.Code = schema.RuleUnknown
		name := quoted(s.Reason)
		if name == "" {
			break
		}
		if !strings.HasSuffix(pointer, "/"+schema.Escape(name)) {
			f.Pointer += "/" + schema.Escape(name)
		}
		var known []string
		if s.Schema != nil {
			for k := range s.Schema.Properties {
				known = append(known, k)
			}
		}
		slices.Sort(known)
		f.Detail = fmt.Sprintf("there is no field %q%s", name, schema.Suggest(name, known))
	case s.SchemaField == "required":
		f.Detail = "the field is missing"
	case s.SchemaField == "nullable":
		f.Code, f.Detail = schema.RuleType, "it must not be null: leave it out instead"
	}
	return []problem.Field{f}
}

// params returns the number of the rule that was broken, nil where it has none.
func params(s *openapi3.SchemaError) *problem.Params {
	if s.Schema == nil {
		return nil
	}
	var limit *float64
	count := func(n uint64) { limit = new(float64(n)) }
	switch s.SchemaField {
	case schema.RuleMinimum:
		limit = s.Schema.Min
	case schema.RuleMaximum:
		limit = s.Schema.Max
	case schema.RuleMinLength:
		count(s.Schema.MinLength)
	case schema.RuleMinItems:
		count(s.Schema.MinItems)
	case schema.RuleMaxLength:
		if s.Schema.MaxLength != nil {
			count(*s.Schema.MaxLength)
		}
	case schema.RuleMaxItems:
		if s.Schema.MaxItems != nil {
			count(*s.Schema.MaxItems)
		}
	}
	if limit == nil {
		return nil
	}
	return &problem.Params{Limit: *limit}
}

// quoted returns the first text in double quotes.
func quoted(s string) string {
	_, rest, _ := strings.Cut(s, `"`)
	name, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return ""
	}
	return name
}
