package traffic

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// TraceID is a W3C trace id; hex in JSON. Zero is none.
type TraceID [16]byte

// String returns 32 hex digits.
func (t TraceID) String() string { return hex.EncodeToString(t[:]) }

// MarshalText returns 32 hex digits.
func (t TraceID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, t[:]), nil }

// UnmarshalText reads 32 hex digits.
func (t *TraceID) UnmarshalText(b []byte) error { return unhex(t[:], b) }

// SpanID is a W3C span id; hex in JSON. Zero is none.
type SpanID [8]byte

// String returns 16 hex digits.
func (s SpanID) String() string { return hex.EncodeToString(s[:]) }

// MarshalText returns 16 hex digits.
func (s SpanID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads 16 hex digits.
func (s *SpanID) UnmarshalText(b []byte) error { return unhex(s[:], b) }

var errLength = errors.New("wrong number of hex digits")

func unhex(dst, src []byte) error {
	if hex.DecodedLen(len(src)) != len(dst) {
		return errLength
	}
	_, err := hex.Decode(dst, src)
	return err
}

// Pair is a name and its value.
type Pair struct{ Name, Value string }

// Pairs is an ordered list of names and values; one object in JSON.
type Pairs []Pair

// Get returns the value of the first pair of that name, or "".
func (p Pairs) Get(name string) string {
	for i := range p {
		if p[i].Name == name {
			return p[i].Value
		}
	}
	return ""
}

// MarshalJSON returns one object.
func (p Pairs) MarshalJSON() ([]byte, error) { return appendPairs(nil, p), nil }

// UnmarshalJSON reads an object of texts and keeps its order.
func (p *Pairs) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t == nil {
		*p = nil
		return nil
	}
	if t != json.Delim('{') {
		return fmt.Errorf("want an object of texts, not %v", t)
	}
	list := Pairs{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value string
		if err := d.Decode(&value); err != nil {
			return err
		}
		list = append(list, Pair{Name: name.(string), Value: value}) //nolint:forcetypeassert // keys are texts
	}
	*p = list
	_, err = d.Token()
	return err
}
