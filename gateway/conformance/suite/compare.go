package suite

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// differences collects what was not as it should be.
type differences struct{ list []string }

func (d *differences) add(format string, args ...any) {
	d.list = append(d.list, fmt.Sprintf(format, args...))
}

// response compares a response with what it must be, and with what every
// response must be (R9.1).
func (d *differences) response(e *Expect, m *Message, status int) {
	if status != e.Status {
		d.add("want status %d, got %d: %.200s", e.Status, status, m.Body)
		return
	}
	id, ok := m.Header.Get("X-Request-Id")
	if !ok {
		d.add("the response has no X-Request-Id")
	}
	if e.Code != "" {
		d.problem(e, m, id)
	}
	d.fields("response field", e.Header, m.Header)
	d.text("body", e.Body, string(m.Body))
	for _, t := range e.Without {
		if strings.Contains(m.Head+string(m.Body), t) {
			d.add("the response tells %q", t)
		}
	}
}

// problem compares a problem document.
func (d *differences) problem(e *Expect, m *Message, id string) {
	if t, _ := m.Header.Get("Content-Type"); t != "application/problem+json" {
		d.add("want a problem document, got Content-Type %q", t)
		return
	}
	var p struct {
		Type, Title, Code, Instance string
		Status                      int
	}
	if err := json.Unmarshal(m.Body, &p); err != nil {
		if len(m.Body) > 0 || m.Framing != "" { // HEAD has no body
			d.add("the problem is not JSON: %v: %q", err, m.Body)
		}
		return
	}
	if p.Code != e.Code || p.Status != e.Status {
		d.add("want problem %s (%d), got %s (%d): %s", e.Code, e.Status, p.Code, p.Status, m.Body)
	}
	if p.Type == "" || p.Title == "" {
		d.add("the problem has no type or title: %s", m.Body)
	}
	if p.Instance != id {
		d.add("the problem is about %q, X-Request-Id says %q", p.Instance, id)
	}
}

func (d *differences) fields(what string, want map[string]*string, got Fields) {
	for name, v := range want {
		have, ok := got.Get(name)
		switch {
		case v == nil && ok:
			d.add("%s %s: want none, got %q", what, name, have)
		case v == nil:
		case !ok:
			d.add("%s %s: want %q, got none", what, name, *v)
		default:
			d.text(what+" "+name, v, have)
		}
	}
	slices.Sort(d.list)
}

func (d *differences) text(what string, want *string, got string) {
	if want == nil {
		return
	}
	if pattern, ok := strings.CutPrefix(*want, "~"); ok {
		re, err := regexp.Compile(`(?s)\A(?:` + pattern + `)\z`)
		if err != nil {
			d.add("%s: the case is wrong: %v", what, err)
		} else if !re.MatchString(got) {
			d.add("%s: want %s, got %.300q", what, pattern, got)
		}
		return
	}
	if w := expand(*want); w != got {
		d.add("%s: want %.300q, got %.300q", what, w, got)
	}
}

// upstream compares what the upstream saw.
func (d *differences) upstream(want *Seen, seen []*Message) {
	if len(seen) != want.Count {
		var all []string
		for _, m := range seen {
			all = append(all, m.Start)
		}
		d.add("want the upstream to see %d requests, it saw %d: %q", want.Count, len(seen), all)
		return
	}
	if len(seen) == 0 {
		return
	}
	m := seen[len(seen)-1]
	method, rest, _ := strings.Cut(m.Start, " ")
	target, version, _ := strings.Cut(rest, " ")
	if version != "HTTP/1.1" {
		d.add("the upstream saw the version %q", version)
	}
	if want.Method != "" && method != want.Method {
		d.add("upstream: want method %q, got %q", want.Method, method)
	}
	if want.Target != "" {
		d.text("upstream target", &want.Target, target)
	}
	d.fields("upstream field", want.Header, m.Header)
	d.fields("upstream trailer", want.Trailer, m.Trailer)
	d.text("upstream body", want.Body, string(m.Body))
}
