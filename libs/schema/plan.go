package schema

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

type kind uint8

const (
	anyKind kind = iota
	objectKind
	mapKind
	listKind
	pointerKind
	stringKind
	intKind
	uintKind
	floatKind
	boolKind
	textKind // a string handed to UnmarshalText
	jsonKind // any value handed to UnmarshalJSON
)

// maxFields bounds the fields of one struct, so that the set of those present
// fits into a fixed array.
const maxFields = 256

// plan is what decoding a value of one type, under one tag, needs to know.
type plan struct {
	kind     kind
	typ      reflect.Type
	elem     *plan // of a list, map or pointer
	fields   []field
	byName   map[string]int
	groups   []group
	defaults bool  // has SetDefaults
	secret   bool  // has IsSecret
	ordered  bool  // a text type over int64, which may have bounds: Duration, Bytes
	integers bool  // a text type that also takes whole numbers
	own      *Node // from JSONSchema

	minItems, maxItems, minLength, maxLength int
	unique                                   bool
	enum                                     []string
	format                                   string
	formatOK                                 func(string) error
	pattern, keyPattern                      *regexp.Regexp
	hasMin, hasMax                           bool
	minInt, maxInt                           int64
	minFloat, maxFloat                       float64
	minText, maxText                         string
}

type field struct {
	name, goName string
	owner        reflect.Type // the struct that declares it: an embedded one or the plan's own
	index        []int
	plan         *plan
	tag          tag
}

// group is a rule over the presence of several fields of a struct.
type group struct {
	names   []string
	members []int
	exactly bool // exactly one, else at least one
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	selfDescribed   = reflect.TypeFor[interface{ JSONSchema() *Node }]()
	enumerated      = reflect.TypeFor[interface{ Enum() []string }]()
	secretType      = reflect.TypeFor[interface{ IsSecret() }]()
	defaulted       = reflect.TypeFor[interface{ SetDefaults() }]()
	unionType       = reflect.TypeFor[interface{ SchemaOneOf() }]()
	namedFormat     = reflect.TypeFor[interface{ SchemaFormat() string }]()
	integerType     = reflect.TypeFor[interface{ takesIntegers() }]()
)

// plans keeps what was derived, by type: a pure function's results.
var plans sync.Map // reflect.Type -> *plan

func planOf(t reflect.Type) (*plan, error) {
	if p, ok := plans.Load(t); ok {
		return p.(*plan), nil
	}
	p, err := (&compiler{}).compile(t, noTag())
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", t, err)
	}
	plans.Store(t, p)
	return p, nil
}

// compiler derives plans; its stack finds recursive types.
type compiler struct{ stack []reflect.Type }

func (c *compiler) compile(t reflect.Type, tg tag) (*plan, error) {
	if slices.Contains(c.stack, t) {
		return nil, fmt.Errorf("type %s contains itself, which is not supported", t)
	}
	c.stack = append(c.stack, t)
	defer func() { c.stack = c.stack[:len(c.stack)-1] }()

	p := &plan{
		typ: t, minItems: tg.minItems, maxItems: tg.maxItems, minLength: tg.minLength, maxLength: tg.maxLength,
		unique: tg.unique, enum: tg.enum, format: tg.format, formatOK: formats[tg.format],
		pattern: tg.pattern, keyPattern: tg.keyPattern,
	}
	pt := reflect.PointerTo(t)
	p.defaults = t.Kind() != reflect.Pointer && pt.Implements(defaulted)
	p.secret = pt.Implements(secretType)
	if t.Kind() == reflect.Pointer {
		p.kind = pointerKind
		var err error
		p.elem, err = c.compile(t.Elem(), tg)
		return p, err
	}
	if pt.Implements(selfDescribed) {
		p.own = reflect.New(t).Interface().(interface{ JSONSchema() *Node }).JSONSchema()
	}
	var err error
	switch {
	case t == reflect.TypeFor[json.RawMessage](), t.Kind() == reflect.Interface && t.NumMethod() == 0:
		p.kind = anyKind
	case t == reflect.TypeFor[time.Duration]():
		err = errors.New("use schema.Duration for durations")
	case t == reflect.TypeFor[time.Time]():
		p.kind, p.format, p.formatOK = textKind, "date-time", formats["date-time"]
	case p.own != nil && pt.Implements(jsonUnmarshaler):
		p.kind = jsonKind
	case pt.Implements(textUnmarshaler):
		p.kind = textKind
		p.ordered, p.integers = t.Kind() == reflect.Int64, pt.Implements(integerType)
		if p.own == nil && p.format == "" && pt.Implements(namedFormat) {
			p.format = reflect.New(t).Interface().(interface{ SchemaFormat() string }).SchemaFormat()
		}
	case p.own != nil:
		err = errors.New("has JSONSchema but neither UnmarshalJSON nor UnmarshalText")
	case pt.Implements(jsonUnmarshaler):
		err = errors.New("has UnmarshalJSON but no JSONSchema() *schema.Node")
	default:
		err = c.basic(p, tg)
	}
	if err != nil {
		return nil, err
	}
	if p.secret && (tg.enum != nil || tg.format != "") {
		return nil, errors.New("a secret can have neither enum nor format")
	}
	if p.kind != listKind && p.kind != mapKind {
		if s := tg.unused(p.kind, p.ordered); s != "" {
			return nil, fmt.Errorf("%s cannot apply to %s", s, t)
		}
	}
	return p, p.bounds(tg)
}

// basic compiles the types that have no methods of their own for it.
func (c *compiler) basic(p *plan, tg tag) (err error) {
	t := p.typ
	switch t.Kind() {
	case reflect.String:
		p.kind = stringKind
		if t.Implements(enumerated) {
			p.enum = reflect.Zero(t).Interface().(interface{ Enum() []string }).Enum()
		}
	case reflect.Bool:
		p.kind = boolKind
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.kind = intKind
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.kind = uintKind
	case reflect.Float32, reflect.Float64:
		p.kind = floatKind
	case reflect.Slice:
		p.kind = listKind
		if t.Elem().Kind() == reflect.Uint8 {
			return errors.New("byte slices are not supported: use string")
		}
		if p.elem, err = c.compile(t.Elem(), tg.element()); err != nil {
			return err
		}
		k := p.elem.kind
		if p.unique && k != stringKind && k != intKind && k != uintKind {
			return errors.New("unique applies to lists of strings or whole numbers")
		}
		if tg.keyPattern != nil && k != mapKind {
			return fmt.Errorf("keyPattern cannot apply to %s", t)
		}
	case reflect.Map:
		p.kind = mapKind
		if t.Key().Kind() != reflect.String {
			return errors.New("map keys must be strings")
		}
		if tg.unique {
			return errors.New("unique cannot apply to a map")
		}
		p.elem, err = c.compile(t.Elem(), tg.element())
	case reflect.Struct:
		p.kind = objectKind
		return c.object(p)
	default:
		return fmt.Errorf("type %s is not supported", t)
	}
	return err
}

func (c *compiler) object(p *plan) error {
	if err := c.collect(p, p.typ, nil); err != nil {
		return err
	}
	if len(p.fields) > maxFields {
		return fmt.Errorf("more than %d fields", maxFields)
	}
	p.byName = make(map[string]int, len(p.fields))
	union := reflect.PointerTo(p.typ).Implements(unionType)
	groups := map[string]*group{}
	var order []string
	join := func(key string, i int, exactly bool) {
		g := groups[key]
		if g == nil {
			g = &group{exactly: exactly}
			groups[key] = g
			order = append(order, key)
		}
		g.members, g.names = append(g.members, i), append(g.names, p.fields[i].name)
	}
	for i, f := range p.fields {
		if _, ok := p.byName[f.name]; ok {
			return fmt.Errorf("two fields named %q", f.name)
		}
		p.byName[f.name] = i
		if f.tag.oneof != "" {
			join("oneof="+f.tag.oneof, i, true)
		}
		if f.tag.anyof != "" {
			join("anyof="+f.tag.anyof, i, false)
		}
		if union {
			join("union", i, true)
		}
	}
	for _, k := range order {
		if len(groups[k].members) < 2 {
			return fmt.Errorf("group %q has a single field", k)
		}
		p.groups = append(p.groups, *groups[k])
	}
	return nil
}

// collect gathers the fields of a struct, those of embedded structs in place.
func (c *compiler) collect(p *plan, t reflect.Type, prefix []int) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		index := append(slices.Clone(prefix), i)
		if sf.Anonymous && name == "" {
			if sf.Type.Kind() != reflect.Struct {
				return fmt.Errorf("embedded %s: only structs can be embedded", sf.Name)
			}
			if err := c.collect(p, sf.Type, index); err != nil {
				return err
			}
			continue
		}
		if !sf.IsExported() {
			continue
		}
		if name == "" {
			return fmt.Errorf("field %s has no json name", sf.Name)
		}
		tg, err := parseTag(sf.Tag.Get("schema"))
		if err != nil {
			return fmt.Errorf("field %s: %w", sf.Name, err)
		}
		fp, err := c.compile(sf.Type, tg)
		if err != nil {
			return fmt.Errorf("field %s: %w", sf.Name, err)
		}
		p.fields = append(p.fields, field{name: name, goName: sf.Name, owner: t, index: index, plan: fp, tag: tg})
	}
	return nil
}

// bounds parses min and max in the notation of the type.
func (p *plan) bounds(tg tag) error {
	p.hasMin, p.hasMax = tg.min != "", tg.max != ""
	p.minText, p.maxText = tg.min, tg.max
	if p.kind == listKind || p.kind == mapKind {
		p.hasMin, p.hasMax = false, false
		return nil
	}
	for _, b := range []struct {
		text string
		i    *int64
		f    *float64
	}{{tg.min, &p.minInt, &p.minFloat}, {tg.max, &p.maxInt, &p.maxFloat}} {
		if b.text == "" {
			continue
		}
		var err error
		switch {
		case p.ordered:
			v := reflect.New(p.typ)
			err = v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(b.text))
			*b.i = v.Elem().Int()
		case p.kind == floatKind:
			*b.f, err = strconv.ParseFloat(b.text, 64)
		default:
			*b.i, err = strconv.ParseInt(b.text, 10, 64)
		}
		if err != nil {
			return fmt.Errorf("bound %q: %w", b.text, err)
		}
	}
	return nil
}

// fresh returns a new value with the defaults of its type.
func (p *plan) fresh() reflect.Value {
	v := reflect.New(p.typ)
	if p.defaults {
		v.Interface().(interface{ SetDefaults() }).SetDefaults()
	}
	return v.Elem()
}
