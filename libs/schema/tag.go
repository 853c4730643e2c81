package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tag is a parsed `schema` struct tag.
type tag struct {
	required, unique, deprecated bool
	min, max                     string
	minLength, maxLength         int // -1: none
	minItems, maxItems           int // -1: none
	enum                         []string
	format                       string
	pattern, keyPattern          *regexp.Regexp
	oneof, anyof, group          string
	when                         *When
}

func noTag() tag { return tag{minLength: -1, maxLength: -1, minItems: -1, maxItems: -1} }

// parseTag parses the text of a `schema` tag.
func parseTag(s string) (tag, error) {
	t := noTag()
	for s != "" {
		var item string
		if strings.HasPrefix(s, "pattern=") {
			item, s = s, ""
		} else {
			item, s, _ = strings.Cut(s, ",")
		}
		key, val, hasVal := strings.Cut(item, "=")
		if err := t.set(key, val, hasVal); err != nil {
			return t, fmt.Errorf("schema tag %q: %w", item, err)
		}
	}
	return t, nil
}

func (t *tag) set(key, val string, hasVal bool) (err error) {
	flags := map[string]*bool{"required": &t.required, "unique": &t.unique, "deprecated": &t.deprecated}
	if f, ok := flags[key]; ok {
		if hasVal {
			return fmt.Errorf("takes no value")
		}
		*f = true
		return nil
	}
	if val == "" {
		return fmt.Errorf("unknown, or without a value")
	}
	switch key {
	case "min":
		t.min = val
	case "max":
		t.max = val
	case "minLength":
		t.minLength, err = count(val)
	case "maxLength":
		t.maxLength, err = count(val)
	case "minItems":
		t.minItems, err = count(val)
	case "maxItems":
		t.maxItems, err = count(val)
	case "enum":
		t.enum = strings.Split(val, "|")
	case "format":
		if !slices.Contains(Formats(), val) {
			return fmt.Errorf("unknown format; known are %s", strings.Join(Formats(), ", "))
		}
		t.format = val
	case "pattern":
		t.pattern, err = regexp.Compile(val)
	case "keyPattern":
		t.keyPattern, err = regexp.Compile(val)
	case "oneof":
		t.oneof = val
	case "anyof":
		t.anyof = val
	case "group":
		t.group = val
	case "when":
		field, values, ok := strings.Cut(val, ":")
		if !ok {
			return fmt.Errorf("write when=field:value|value")
		}
		t.when = &When{Field: field, In: strings.Split(values, "|")}
	default:
		return fmt.Errorf("unknown")
	}
	return err
}

func count(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err == nil && n < 0 {
		err = fmt.Errorf("must not be negative")
	}
	return n, err
}

// element returns the part of a container's tag that concerns its elements.
func (t tag) element() tag {
	e := t
	e.required, e.unique, e.deprecated = false, false, false
	e.minItems, e.maxItems, e.keyPattern = -1, -1, nil
	e.oneof, e.anyof, e.group, e.when = "", "", "", nil
	return e
}

// unused names a bound of the tag that the kind of value cannot have.
func (t tag) unused(k kind, ordered bool) string {
	container, text := k == listKind || k == mapKind, k == stringKind || k == textKind
	number := k == intKind || k == uintKind || k == floatKind || ordered
	switch {
	case (t.min != "" || t.max != "") && !number:
		return "min, max"
	case (t.minLength >= 0 || t.maxLength >= 0 || t.pattern != nil || t.format != "" || t.enum != nil) && !text:
		return "minLength, maxLength, pattern, format, enum"
	case (t.minItems >= 0 || t.maxItems >= 0) && !container:
		return "minItems, maxItems"
	case t.unique && k != listKind:
		return "unique"
	case t.keyPattern != nil && k != mapKind:
		return "keyPattern"
	}
	return ""
}
