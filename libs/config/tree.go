package config

import (
	"encoding/json"
	"slices"
	"strconv"
)

type kind uint8

const (
	scalarKind kind = iota
	objectKind
	listKind
)

// node is a value of the merged document, with its place.
type node struct {
	kind   kind
	at     Position
	scalar string // as JSON
	keys   []string
	values []*node
	byKey  map[string]int // of objects with many keys
}

// manyKeys is the number of keys from which an object has an index.
const manyKeys = 16

func (n *node) find(key string) int {
	if len(n.keys) < manyKeys {
		return slices.Index(n.keys, key)
	}
	if n.byKey == nil {
		n.byKey = make(map[string]int, len(n.keys))
		for i, k := range n.keys {
			n.byKey[k] = i
		}
	}
	if i, ok := n.byKey[key]; ok {
		return i
	}
	return -1
}

// add appends a member to an object.
func (n *node) add(key string, v *node) {
	n.keys, n.values = append(n.keys, key), append(n.values, v)
	if n.byKey != nil {
		n.byKey[key] = len(n.keys) - 1
	}
}

// child returns the value that a token of a JSON pointer leads to, or nil.
func (n *node) child(token string) *node {
	switch n.kind {
	case objectKind:
		if i := n.find(token); i >= 0 {
			return n.values[i]
		}
	case listKind:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.values) && token == strconv.Itoa(i) {
			return n.values[i]
		}
	}
	return nil
}

func (n *node) appendJSON(b []byte) []byte {
	switch n.kind {
	case objectKind:
		b = append(b, '{')
		for i, v := range n.values {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, quote(n.keys[i])...), ':')
			b = v.appendJSON(b)
		}
		return append(b, '}')
	case listKind:
		b = append(b, '[')
		for i, v := range n.values {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.appendJSON(b)
		}
		return append(b, ']')
	}
	return append(b, n.scalar...)
}

// text returns the content of a string, and false for anything else.
func (n *node) text() (s string, ok bool) {
	if n == nil || n.kind != scalarKind || n.scalar[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal([]byte(n.scalar), &s) == nil
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a string cannot fail
	return b
}
