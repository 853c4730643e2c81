package router

import "strings"

// methods is a set of methods: a bit for each of the standard ones, then for
// those that an API names itself; the last bit stands for any method.
type methods uint32

const (
	get methods = 1 << iota
	head
	post
	put
	patch
	del
	options
	trace
	connect
	firstCustom

	anyMethod methods = 1 << 31
	maxCustom         = 22
)

// standard are the methods of the bits, in the order in which Allow lists them.
var standard = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

// methodBit returns the bit of a standard method, or 0.
func methodBit(method string) methods {
	switch method {
	case "GET":
		return get
	case "HEAD":
		return head
	case "POST":
		return post
	case "PUT":
		return put
	case "PATCH":
		return patch
	case "DELETE":
		return del
	case "OPTIONS":
		return options
	case "TRACE":
		return trace
	case "CONNECT":
		return connect
	}
	return 0
}

// bitOf returns the bit of a method for this API, or 0 where no operation names
// it.
func (c *Compiled) bitOf(method string) methods {
	if bit := methodBit(method); bit != 0 {
		return bit
	}
	for i, name := range c.custom {
		if name == method {
			return firstCustom << i
		}
	}
	return 0
}

// allows has the Allow value of every set of standard methods.
var allows = allowTable()

func allowTable() (t [firstCustom]string) {
	for set := range t {
		t[set] = allowText(methods(set), nil)
	}
	return t
}

// allow returns the value of an Allow field (RFC 9110 section 10.2.1) for the
// methods of operations: with HEAD where there is GET, and with OPTIONS, which
// the gateway answers itself.
func (c *Compiled) allow(set methods) string {
	set |= options
	if set&get != 0 {
		set |= head
	}
	if set < firstCustom {
		return allows[set]
	}
	return allowText(set, c.custom)
}

func allowText(set methods, custom []string) string {
	names := make([]string, 0, len(standard))
	for i, name := range standard {
		if set&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	for i, name := range custom {
		if set&(firstCustom<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// validMethod is the token of RFC 9110 section 5.6.2.
func validMethod(method string) bool {
	for i := range len(method) {
		c := method[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return method != ""
}
