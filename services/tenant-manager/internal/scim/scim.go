// Package scim is the protocol by which directories of identity providers make,
// change and disable users and groups (SCIM 2.0, RFC 7643 and RFC 7644): schemas,
// filters, patches, and the form of answers. It takes what Microsoft Entra ID and
// Okta send where that is not as the RFCs have it. It does no I/O and knows neither
// users nor groups of Gatehouse.
package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ContentType is that of all answers (RFC 7644 section 8.1).
const ContentType = "application/scim+json"

// The schemas of messages (RFC 7644 section 8.2).
const (
	listSchema   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorSchema  = "urn:ietf:params:scim:api:messages:2.0:Error"
	patchSchema  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	searchSchema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
)

// The values of scimType (RFC 7644 section 3.12).
const (
	InvalidFilter = "invalidFilter"
	InvalidPath   = "invalidPath"
	InvalidSyntax = "invalidSyntax"
	InvalidValue  = "invalidValue"
	Mutability    = "mutability"
	NoTarget      = "noTarget"
	TooMany       = "tooMany"
	Uniqueness    = "uniqueness"
)

// Error is an answer that says what is wrong (RFC 7644 section 3.12).
type Error struct {
	// Status is that of HTTP.
	Status int
	// Type is the scimType, "" where there is none for it.
	Type string
	// Detail is for people.
	Detail string
}

// Error implements error.
func (e *Error) Error() string { return e.Detail }

// MarshalJSON writes the error as it is sent.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Schemas []string `json:"schemas"`
		Status  string   `json:"status"`
		Type    string   `json:"scimType,omitempty"`
		Detail  string   `json:"detail,omitempty"`
	}{[]string{errorSchema}, strconv.Itoa(e.Status), e.Type, e.Detail})
}

// Fail returns an error of a status.
func Fail(status int, kind, format string, args ...any) *Error {
	return &Error{Status: status, Type: kind, Detail: fmt.Sprintf(format, args...)}
}

// bad is an error of what was sent.
func bad(kind, format string, args ...any) *Error {
	return Fail(http.StatusBadRequest, kind, format, args...)
}

// List is a page of resources (RFC 7644 section 3.4.2).
type List struct {
	Total     int64
	Start     int
	Resources []map[string]any
}

// MarshalJSON writes the list as it is sent.
func (l List) MarshalJSON() ([]byte, error) {
	if l.Resources == nil {
		l.Resources = []map[string]any{}
	}
	return json.Marshal(struct {
		Schemas   []string         `json:"schemas"`
		Total     int64            `json:"totalResults"`
		Start     int              `json:"startIndex"`
		PerPage   int              `json:"itemsPerPage"`
		Resources []map[string]any `json:"Resources"`
	}{[]string{listSchema}, l.Total, l.Start, len(l.Resources), l.Resources})
}

// Object reads a JSON object.
func Object(body []byte) (map[string]any, error) {
	var out map[string]any
	if err := json.Unmarshal(body, &out); err != nil || out == nil {
		return nil, bad(InvalidSyntax, "the body is not a JSON object")
	}
	if !utf8.Valid(body) || !isText(out) {
		return nil, errNoText()
	}
	return out, nil
}

// errNoText refuses what PostgreSQL keeps nowhere and other databases do.
func errNoText() error {
	return bad(InvalidValue, "a text holds U+0000, or is not UTF-8: no text may")
}

// isText reports whether all texts in a JSON value are without NUL.
func isText(v any) bool {
	switch v := v.(type) {
	case string:
		return !strings.ContainsRune(v, 0)
	case []any:
		return !slices.ContainsFunc(v, func(of any) bool { return !isText(of) })
	case map[string]any:
		for name, of := range v {
			if !isText(name) || !isText(of) {
				return false
			}
		}
	}
	return true
}
