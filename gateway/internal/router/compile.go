package router

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

// Compiled is an API that is ready to be put into an [Index]. It never changes.
type Compiled struct {
	form    form
	allowed canon.Flags
	merge   bool

	names      [][]string // of the parameters, by operation
	conditions []condition
	custom     []string // methods without a bit of their own
	hosts      []string // canonical, sorted, each once; none = any
	condKey    string
	api        API
}

// API returns what was compiled. It must not be changed.
func (c *Compiled) API() *API { return &c.api }

// ID returns the API's ID.
func (c *Compiled) ID() string { return c.api.ID }

// BasePath returns the canonical base path: "" for the root, else without a
// slash at its end.
func (c *Compiled) BasePath() string { return c.form.base() }

// Template returns the path template of an operation with the base path before
// it, or the base path and "/*" for -1, the operation of an API that has none.
func (c *Compiled) Template(operation int) string {
	if operation < 0 {
		return c.BasePath() + "/*"
	}
	return c.BasePath() + c.api.Operations[operation].Path
}

// Compile checks an API and makes the form that requests are matched with. The
// error is an [Errors] and names every operation that cannot be compiled.
func Compile(api API) (*Compiled, error) {
	c := &Compiled{api: api, merge: api.MergeSlashes}
	for _, f := range [...]struct {
		on   bool
		flag canon.Flags
	}{
		{api.AllowEncodedSlash, canon.EncodedSlash},
		{api.AllowEncodedBackslash, canon.EncodedBackslash},
		{api.AllowEncodedPercent, canon.EncodedPercent},
		{api.AllowPathParameters, canon.PathParameters},
		{api.MergeSlashes || api.AllowEmptySegments, canon.EmptySegment},
	} {
		if f.on {
			c.allowed |= f.flag
		}
	}
	var errs Errors
	if api.MergeSlashes && api.AllowEmptySegments {
		errs = append(errs, Error{"/paths/mergeSlashes", "slashes cannot be both merged and kept; remove mergeSlashes or allowEmptySegments"})
	}
	errs = append(errs, c.compileHosts()...)
	base, err := compileBase(api.BasePath)
	if err != nil {
		errs = append(errs, Error{"/basePath", err.Error()})
	}
	conditions, condErrs := compileConditions(api.Conditions)
	c.conditions, errs = conditions, append(errs, condErrs...)
	texts := make([]string, len(conditions))
	for i := range conditions {
		texts[i] = conditions[i].text
	}
	c.condKey = strings.Join(texts, " and ")
	if opErrs := c.compileOperations(base); len(opErrs) > 0 {
		errs = append(errs, opErrs...)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return c, nil
}

func (c *Compiled) compileHosts() (errs Errors) {
	for i, raw := range c.api.Hosts {
		host, err := compileHost(raw)
		if err != nil {
			errs = append(errs, Error{fmt.Sprintf("/hosts/%d", i), err.Error()})
			continue
		}
		c.hosts = append(c.hosts, host)
	}
	slices.Sort(c.hosts)
	c.hosts = slices.Compact(c.hosts)
	return errs
}

func compileHost(raw string) (string, error) {
	name, wild := strings.CutPrefix(raw, "*.")
	if strings.IndexByte(name, '*') >= 0 {
		return "", fmt.Errorf("%q: a wildcard is %q before a name, such as *.example.com; for any host leave hosts empty", raw, "*.")
	}
	host, err := canon.Host(name)
	if err != nil {
		return "", fmt.Errorf("%q: %w; write a name such as api.example.com or *.example.com", raw, err)
	}
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, ']') {
		return "", fmt.Errorf("%q has a port; hosts are matched without it, remove %q", raw, name[colon:])
	}
	if !wild {
		return host, nil
	}
	if host[0] == '[' {
		return "", fmt.Errorf("%q: an address has no wildcard; remove %q", raw, "*.")
	}
	return "*." + host, nil
}

func compileBase(raw string) (string, error) {
	path, flags, err := canon.Path(raw)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w; write it percent-encoded and with a slash at the start, such as /orders", err)
	case flags != 0:
		return "", fmt.Errorf("it holds %s; base paths cannot", flags)
	}
	path = strings.TrimSuffix(path, "/")
	if strings.Count(path, "/") > MaxBaseDepth {
		return "", fmt.Errorf("more than %d segments; shorten it", MaxBaseDepth)
	}
	if len(path) > MaxTemplate {
		return "", fmt.Errorf("longer than %d octets; shorten it", MaxTemplate)
	}
	return path, nil
}

func (c *Compiled) compileOperations(base string) (errs Errors) {
	ops := c.api.Operations
	if len(ops) > MaxOperations {
		return Errors{{"/operations", fmt.Sprintf("more than %d operations; split the API", MaxOperations)}}
	}
	if len(ops) == 0 {
		c.form = flatten(nil, base, false)
		return nil
	}
	root := &branch{}
	c.names = make([][]string, len(ops))
	ids := make(map[string]int, len(ops))
	for i, op := range ops {
		fail := func(field, format string, args ...any) {
			errs = append(errs, Error{fmt.Sprintf("/operations/%d/%s", i, field), "operation " + label(op) + ": " + fmt.Sprintf(format, args...)})
		}
		if first, ok := ids[op.ID]; ok && op.ID != "" {
			fail("id", "the id is also that of operation %s; rename one", label(ops[first]))
		}
		ids[op.ID] = i
		t, err := parseTemplate(op.Path)
		if err != nil {
			fail("path", "%v", err)
			continue
		}
		if refused := t.flags &^ c.allowed; refused != 0 {
			fail("path", "it holds %s, which the API does not allow, so that it can never match; allow it under paths, or change the template", refused)
			continue
		}
		bit, err := c.register(op.Method)
		if err != nil {
			fail("method", "%v", err)
			continue
		}
		if c.api.IgnoreTrailingSlash {
			t.trimSlash()
		}
		c.names[i] = t.names
		if other, ok := root.insert(t.segments, bit, i); !ok {
			fail("path", "it matches the same requests as operation %s; remove one, or change its method or path", label(ops[other]))
		}
	}
	if len(errs) == 0 {
		c.form = flatten(root, base, c.api.IgnoreTrailingSlash)
	}
	return errs
}

// register returns the bit of a method and gives it one where it has none.
func (c *Compiled) register(method string) (methods, error) {
	if method == "" || method == "*" {
		return anyMethod, nil
	}
	if bit := c.bitOf(method); bit != 0 {
		return bit, nil
	}
	if !validMethod(method) {
		return 0, fmt.Errorf("%q is not a method; use one such as GET, or * for any", method)
	}
	if upper := strings.ToUpper(method); methodBit(upper) != 0 {
		return 0, fmt.Errorf("methods are case-sensitive; write %s", upper)
	}
	if len(c.custom) == maxCustom {
		return 0, fmt.Errorf("more than %d methods that are not standard; use *", maxCustom)
	}
	c.custom = append(c.custom, method)
	return firstCustom << (len(c.custom) - 1), nil
}

// label names an operation in an error.
func label(op Operation) string {
	method := op.Method
	if method == "" {
		method = "*"
	}
	if op.ID == "" {
		return method + " " + op.Path
	}
	return fmt.Sprintf("%s (%s %s)", op.ID, method, op.Path)
}
