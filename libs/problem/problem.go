// Package problem is the one form of error that crosses a border of Gatehouse:
// an RFC 9457 problem document with a stable code and, for bad input, JSON
// pointers to the fields at fault. The same value travels over HTTP and NATS.
// It knows the codes of every part and nothing else of them.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the media type of a problem document (RFC 9457 section 3).
const ContentType = "application/problem+json"

// Problem is an error that a client may see. Any other error is an internal
// one, of which a client learns nothing but that it happened.
type Problem struct {
	// Type is a URI reference that identifies the problem type: /problems/<code>.
	Type string `json:"type"`
	// Title is the summary of the problem type; it does not change from
	// occurrence to occurrence.
	Title string `json:"title"`
	// Status is the HTTP status code.
	Status int `json:"status"`
	// Detail says what is wrong this time, and how to mend it.
	Detail string `json:"detail,omitempty"`
	// Instance is the request id, the same as in the log and the traffic record.
	Instance string `json:"instance,omitempty"`
	// Code is stable and made for programs to compare.
	Code Code `json:"code"`
	// Policy is the instance id of the policy that refused, where one did.
	Policy string `json:"policy,omitempty"`
	// Errors lists every field at fault.
	Errors []Field `json:"errors,omitempty"`
	// Choices are what the field at fault can be, where there is one alone, and only
	// the answer can say it.
	Choices []Choice `json:"choices,omitempty"`
	// Access is what the caller lacks, where that is why they were refused.
	Access *Access `json:"access,omitempty"`

	// RetryAfter, when positive, is sent as the Retry-After header in whole
	// seconds, rounded up (RFC 9110 section 10.2.3).
	RetryAfter time.Duration `json:"-"`
	// Challenges are sent as WWW-Authenticate headers (RFC 9110 section 11.6.1).
	Challenges []string `json:"-"`
	// Header are further header fields of the answer, name and value in turn.
	Header []string `json:"-"`

	cause error
}

// Field is one field at fault in a document that was handed in.
type Field struct {
	// Pointer is the JSON pointer (RFC 6901) of the field.
	Pointer string `json:"pointer"`
	// Code is the rule that the value breaks, such as "required" or "minimum".
	Code string `json:"code"`
	// Detail says what was expected, with the fix.
	Detail string `json:"detail"`
	// Source is where the field stands in a file, as "name:line:column".
	Source string `json:"source,omitempty"`
	// Params are the values of the rule, for texts in other languages than that of
	// Detail; nil where the rule has none.
	Params *Params `json:"params,omitempty"`
}

// Params are the values of the rule that a field breaks.
type Params struct {
	// Limit is the number of the rules minimum, maximum, minLength, maxLength, minItems
	// and maxItems: the value itself, characters, or entries.
	Limit float64 `json:"limit"`
}

// Choice is a value that a field can have.
type Choice struct {
	// Value is what is sent, Label what people know it by.
	Value string `json:"value"`
	Label string `json:"label"`
}

// Why somebody lacks a permission.
const (
	// LackNone: no role of theirs has it, and one can be asked for.
	LackNone = "missing"
	// LackDenied: a role of theirs denies it, which wins over others.
	LackDenied = "denied"
	// LackToken: the token that they use is not made for it.
	LackToken = "token"
	// LackBoundary: it is outside of what they may have at most.
	LackBoundary = "boundary"
)

// Access is a permission that a caller lacks, for programs; the detail says the
// same to people.
type Access struct {
	// Permission is its name, such as api:update.
	Permission string `json:"permission"`
	// Project, API and Environment are where it is lacked, by their ids; none = in the
	// whole organization.
	Project     string `json:"project,omitempty"`
	API         string `json:"api,omitempty"`
	Environment string `json:"environment,omitempty"`
	// Reason is [LackNone], [LackDenied], [LackToken] or [LackBoundary].
	Reason string `json:"reason"`
	// By is the name of the role or the token that the reason is about.
	By string `json:"by,omitempty"`
}

// New returns a problem of the given code. The detail is formatted as by
// [fmt.Sprintf]; an error operand wrapped with %w is kept as its cause for the
// log, and its text shown to the client.
func New(code Code, format string, args ...any) *Problem {
	k := kinds[code]
	if k.status == 0 {
		k = kinds[CodeInternal]
	}
	p := &Problem{Type: "/problems/" + string(code), Title: k.title, Status: k.status, Code: code}
	if format != "" {
		err := fmt.Errorf(format, args...) //nolint:err113 // the text is the detail
		p.Detail, p.cause = err.Error(), errors.Unwrap(err)
	}
	return p
}

// Invalid returns a problem of code invalid-input that lists the fields at
// fault.
func Invalid(detail string, fields ...Field) *Problem {
	p := New(CodeInvalidInput, "%s", detail)
	p.Errors = fields
	return p
}

// Error returns the code and the detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return string(p.Code) + ": " + p.Title
	}
	return string(p.Code) + ": " + p.Detail
}

// Unwrap returns the cause, which a client does not see.
func (p *Problem) Unwrap() error { return p.cause }

// Because returns p with a cause for the log. The client does not see it.
func (p *Problem) Because(err error) *Problem {
	p.cause = err
	return p
}

// WithRetryAfter returns p with the time after which trying again makes sense.
func (p *Problem) WithRetryAfter(d time.Duration) *Problem {
	p.RetryAfter = d
	return p
}

// WithAccess returns p with the permission that the caller lacks.
func (p *Problem) WithAccess(a Access) *Problem {
	p.Access = &a
	return p
}

// WithChallenge returns p with one more WWW-Authenticate challenge.
func (p *Problem) WithChallenge(challenge string) *Problem {
	p.Challenges = append(p.Challenges, challenge)
	return p
}

// WithHeader returns p with one more header field for the answer.
func (p *Problem) WithHeader(name, value string) *Problem {
	p.Header = append(p.Header, name, value)
	return p
}

// WithStatus returns p with another status than its code's own, for
// configurations that choose one.
func (p *Problem) WithStatus(status int) *Problem {
	p.Status = status
	return p
}

// RetryAfterSeconds returns the value for the Retry-After header, or "".
func (p *Problem) RetryAfterSeconds() string {
	if p.RetryAfter <= 0 {
		return ""
	}
	return strconv.FormatInt(int64((p.RetryAfter+time.Second-1)/time.Second), 10)
}

// JSON returns the document as it is sent.
func (p *Problem) JSON() []byte {
	b, err := json.Marshal(p)
	if err != nil { // only strings and numbers: cannot happen
		return []byte(`{"code":"internal"}`)
	}
	return b
}

// Is reports whether err is, or wraps, a problem of the given code.
func Is(err error, code Code) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

// From returns err as a problem: itself where it is one, else an internal
// problem that tells the client nothing and keeps err as its cause.
func From(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return New(CodeInternal, "").Because(err)
}

// Write sends p with net/http.
func (p *Problem) Write(w http.ResponseWriter) {
	h := w.Header()
	for _, c := range p.Challenges {
		h.Add("WWW-Authenticate", c)
	}
	for i := 0; i+1 < len(p.Header); i += 2 {
		h.Set(p.Header[i], p.Header[i+1])
	}
	if s := p.RetryAfterSeconds(); s != "" {
		h.Set("Retry-After", s)
	}
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.JSON()) // the client may have left
}
