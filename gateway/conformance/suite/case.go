// Package suite runs conformance cases against a gateway at any address and
// says what differed. It speaks HTTP in bytes, so that it can send what no
// client library would, and it owns the upstream that sees what came through.
// It knows nothing of how a gateway works.
package suite

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Case is one thing that a gateway must do.
type Case struct {
	// Name says what is tested; it is unique in its file.
	Name string `yaml:"name"`
	// Requirement is what demands it, such as "R12.3" or "RFC 9112 6.3".
	Requirement string `yaml:"requirement"`
	// Smuggle runs the case a second time with another request right behind it,
	// which nobody may ever see.
	Smuggle *bool `yaml:"smuggle"`
	// Step is the only step where Steps is empty.
	Step `yaml:",inline"`
	// Steps are done one after the other, each on a connection of its own.
	Steps []Step `yaml:"steps"`

	// File is where the case stands.
	File string `yaml:"-"`
}

// Step is one connection: what is sent, and what must come back.
type Step struct {
	// Send is what is sent, byte for byte. {repeat TEXT N} stands for a text
	// many times over.
	Send string `yaml:"send"`
	// Request is a request in parts, instead.
	Request *Request `yaml:"request"`
	// H2 are the fields of an HTTP/2 request over clear text, instead.
	H2 []string `yaml:"h2"`
	// Body follows the fields of H2.
	Body string `yaml:"body"`
	// Wait are bytes to send once an informational response has arrived.
	Wait string `yaml:"wait"`
	// Answer is what the upstream answers, byte for byte, instead of 200. The
	// connection is closed afterwards where AnswerCloses says so.
	Answer       string `yaml:"answer"`
	AnswerCloses bool   `yaml:"answerCloses"`
	// Expect is what must come back.
	Expect Expect `yaml:"expect"`
}

// Request is a request in parts.
type Request struct {
	Method  string   `yaml:"method"`
	Target  string   `yaml:"target"`
	Host    string   `yaml:"host"`
	Headers []string `yaml:"headers"`
	Body    string   `yaml:"body"`
}

// Expect is what a step must lead to. What is left out is not looked at.
type Expect struct {
	// Status is the status of the response; 0 = no response at all.
	Status int `yaml:"status"`
	// Code is the code of the problem document.
	Code string `yaml:"code"`
	// Header are fields of the response: the value, "~" and a regular
	// expression, or null for a field that must not be there.
	Header map[string]*string `yaml:"header"`
	// Body is the body: the text, or "~" and a regular expression.
	Body *string `yaml:"body"`
	// Informational are the 1xx responses before it.
	Informational []int `yaml:"informational"`
	// Closed says whether the gateway ends the connection.
	Closed *bool `yaml:"closed"`
	// Cut says that the response must break off: less than was announced.
	Cut bool `yaml:"cut"`
	// Refused says that an HTTP/2 stream or connection must be reset, or the
	// request answered 400: RFC 9113 section 8.1.1 leaves the choice.
	Refused bool `yaml:"refused"`
	// Without are texts that may be nowhere in the response.
	Without []string `yaml:"without"`
	// Upstream is what the upstream must have seen.
	Upstream *Seen `yaml:"upstream"`
	// More are the responses that follow on the same connection.
	More []Expect `yaml:"more"`
}

// Seen is what the upstream saw.
type Seen struct {
	// Count is the number of requests; the others describe the last of them.
	Count  int                `yaml:"count"`
	Method string             `yaml:"method"`
	Target string             `yaml:"target"`
	Header map[string]*string `yaml:"header"`
	Body   *string            `yaml:"body"`
	// Trailer are fields after the body.
	Trailer map[string]*string `yaml:"trailer"`
}

// file is a file of cases: a list, with what holds for all of them.
type file struct {
	Requirement string `yaml:"requirement"`
	Smuggle     bool   `yaml:"smuggle"`
	Cases       []Case `yaml:"cases"`
}

// Load reads all files of a directory.
func Load(dir fs.FS, pattern string) ([]Case, error) {
	names, err := fs.Glob(dir, pattern)
	if err != nil {
		return nil, fmt.Errorf("finding cases: %w", err)
	}
	var cases []Case
	for _, name := range names {
		b, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("reading cases: %w", err)
		}
		d := yaml.NewDecoder(bytes.NewReader(b))
		d.KnownFields(true)
		var f file
		if err := d.Decode(&f); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		seen := map[string]bool{}
		for _, c := range f.Cases {
			c.File = strings.TrimSuffix(path.Base(name), ".yaml")
			if c.Requirement == "" {
				c.Requirement = f.Requirement
			}
			if c.Smuggle == nil {
				c.Smuggle = &f.Smuggle
			}
			if len(c.Steps) == 0 {
				c.Steps = []Step{c.Step}
			}
			if c.Name == "" || seen[c.Name] {
				return nil, fmt.Errorf("reading %s: the name %q is missing or used twice", name, c.Name) //nolint:err113 // shown as it is
			}
			seen[c.Name] = true
			cases = append(cases, c)
		}
	}
	return cases, nil
}

var repeat = regexp.MustCompile(`(?s)\{repeat (.+?) (\d+)\}`)

// expand replaces {repeat TEXT N}.
func expand(s string) string {
	return repeat.ReplaceAllStringFunc(s, func(m string) string {
		p := repeat.FindStringSubmatch(m)
		n, err := strconv.Atoi(p[2])
		if err != nil {
			return m
		}
		return strings.Repeat(p[1], n)
	})
}

// Bytes returns what is sent.
func (s *Step) Bytes() string {
	if s.Request == nil {
		return expand(s.Send)
	}
	r := s.Request
	method, host := r.Method, r.Host
	if method == "" {
		method = "GET"
	}
	if host == "" {
		host = "any.test"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, expand(r.Target), host)
	for _, h := range r.Headers {
		b.WriteString(expand(h) + "\r\n")
	}
	if body := expand(r.Body); body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	} else {
		b.WriteString("\r\n")
	}
	return b.String()
}

// method returns the method of what is sent, which decides whether a response
// has a body.
func (s *Step) method() string {
	m, _, _ := strings.Cut(strings.TrimLeft(s.Bytes(), "\r\n"), " ")
	return m
}
