package datamask

import (
	"errors"
	"strconv"
	"strings"
)

// step is one step of a JSON path.
type step struct {
	name  string
	index int  // of a list, -1 = none
	any   bool // every member or element
	deep  bool // at any depth below
}

var errPath = errors.New("want a path such as $.a.b, $.list[*].c, $.list[0], $['a b'] or $..name")

// parsePath reads a JSON path (RFC 9535): names, indexes, wildcards and
// descendants. Filters and slices are not supported.
func parsePath(s string) ([]step, error) {
	rest, ok := strings.CutPrefix(s, "$")
	if !ok || rest == "" {
		return nil, errPath
	}
	var steps []step
	for rest != "" {
		st := step{index: -1}
		if st.deep = strings.HasPrefix(rest, ".."); st.deep {
			rest = rest[1:]
			if strings.HasPrefix(rest, ".[") {
				rest = rest[1:]
			}
		}
		var err error
		switch rest[0] {
		case '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			st.name, rest = rest[1:end], rest[end:]
			if st.name == "" || strings.ContainsAny(st.name, "]'\"?()@ ") {
				return nil, errPath
			}
			st.any = st.name == "*"
		case '[':
			if rest, err = st.bracket(rest[1:]); err != nil {
				return nil, err
			}
		default:
			return nil, errPath
		}
		steps = append(steps, st)
	}
	if len(steps) > 32 {
		return nil, errors.New("a path has at most 32 steps")
	}
	return steps, nil
}

// bracket reads what follows an opening bracket.
func (st *step) bracket(s string) (rest string, err error) {
	if s == "" {
		return "", errPath
	}
	if q := s[0]; q == '\'' || q == '"' {
		end := strings.IndexByte(s[1:], q) + 1
		if end == 0 || !strings.HasPrefix(s[end:], string(q)+"]") || strings.Contains(s[:end], `\`) {
			return "", errPath
		}
		st.name = s[1:end]
		return s[end+2:], nil
	}
	inner, rest, ok := strings.Cut(s, "]")
	if !ok {
		return "", errPath
	}
	if inner == "*" {
		st.any = true
		return rest, nil
	}
	if st.index, err = strconv.Atoi(inner); err != nil || st.index < 0 {
		return "", errPath
	}
	return rest, nil
}

// matches reports whether the step leads to a member of that name (index < 0)
// or to an element.
func (st *step) matches(name string, index int) bool {
	if st.any {
		return true
	}
	if index >= 0 {
		return st.index == index
	}
	return st.index < 0 && st.name == name
}

// position is how far one path has been followed.
type position struct{ rule, step int }

// follow returns the positions behind a member or an element, appended to out,
// and the rules whose paths end there (the first of them, or -1).
func (s *set) follow(at []position, name string, index int, out []position) ([]position, int) {
	hit := -1
	for _, p := range at {
		steps := s.paths[p.rule].steps
		st := &steps[p.step]
		if st.deep {
			out = append(out, p)
		}
		if !st.matches(name, index) {
			continue
		}
		if p.step+1 == len(steps) {
			if hit < 0 || p.rule < hit {
				hit = p.rule
			}
			continue
		}
		next := position{p.rule, p.step + 1}
		seen := false
		for _, o := range out {
			seen = seen || o == next
		}
		if !seen {
			out = append(out, next)
		}
	}
	return out, hit
}
