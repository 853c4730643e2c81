package router

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

// naive answers as docs/reference/routing.md says, by looking at everything
// and in the most obvious way. It shares no code with the index.
func naive(apis []API, r *Request) (outcome Outcome, id, operation string, params []string) {
	lenientPath := r.Path
	lenientPath = regexp.MustCompile(`%2F|%5C`).ReplaceAllString(lenientPath, "/")
	lenientPath = regexp.MustCompile(`;[^/]*`).ReplaceAllString(lenientPath, "")
	lenientPath = regexp.MustCompile(`/+`).ReplaceAllString(lenientPath, "/")

	host, base, ok, known := naiveOwner(apis, r.Host, r.Path)
	if !known {
		return NoHost, "", "", nil
	}
	path := r.Path
	if r.Flags != 0 {
		lhost, lbase, lok, _ := naiveOwner(apis, r.Host, lenientPath)
		if !lok {
			return BadPath, "", "", nil
		}
		api := naiveChoose(apis, lhost, lbase, r)
		if api == nil {
			return BadPath, "", "", nil
		}
		for flag, allowed := range map[canon.Flags]bool{
			canon.EncodedSlash: api.AllowEncodedSlash, canon.EncodedBackslash: api.AllowEncodedBackslash,
			canon.EncodedPercent: api.AllowEncodedPercent, canon.PathParameters: api.AllowPathParameters,
			canon.EmptySegment: api.AllowEmptySegments || api.MergeSlashes,
		} {
			if r.Flags&flag != 0 && !allowed {
				return BadPath, api.ID, "", nil
			}
		}
		if api.MergeSlashes {
			path = regexp.MustCompile(`/+`).ReplaceAllString(path, "/")
		}
		if host, base, ok, _ = naiveOwner(apis, r.Host, path); !ok || host != lhost || base != lbase {
			return BadPath, api.ID, "", nil
		}
	}
	if !ok {
		return NoPath, "", "", nil
	}
	api := naiveChoose(apis, host, base, r)
	if api == nil {
		return NoPath, "", "", nil
	}
	if len(api.Operations) == 0 {
		return Matched, api.ID, "", nil
	}
	relative := strings.TrimPrefix(path, strings.TrimSuffix(base, "/"))
	if relative == "" {
		relative = "/"
	}
	type candidate struct {
		op     Operation
		rank   []string
		params []string
	}
	var all []candidate
	for _, op := range api.Operations {
		rank, params, ok := naiveTemplate(op.Path, relative, api.IgnoreTrailingSlash)
		if !ok {
			continue
		}
		switch {
		case op.Method == r.Method:
			rank = append(rank, "1")
		case op.Method == "GET" && r.Method == "HEAD":
			rank = append(rank, "2")
		case op.Method == "" || op.Method == "*":
			rank = append(rank, "3")
		default:
			rank = append(rank, "4")
		}
		all = append(all, candidate{op, rank, params})
	}
	if len(all) == 0 {
		return NoPath, api.ID, "", nil
	}
	slices.SortFunc(all, func(a, b candidate) int { return slices.Compare(a.rank, b.rank) })
	for _, c := range all {
		if c.rank[len(c.rank)-1] != "4" {
			return Matched, api.ID, c.op.ID, c.params
		}
	}
	if r.Method == "OPTIONS" {
		return OptionsAuto, api.ID, "", nil
	}
	return MethodNotAllowed, api.ID, "", nil
}

// naiveOwner returns host pattern and base path of who owns path.
func naiveOwner(apis []API, host, path string) (pattern, base string, ok, known bool) {
	best := -1
	for _, api := range apis {
		patterns := api.Hosts
		if len(patterns) == 0 {
			patterns = []string{""}
		}
		for _, p := range patterns {
			score := 0
			switch {
			case p == "":
			case p == host:
				score = 1000
			case strings.HasPrefix(p, "*.") && strings.HasSuffix(host, p[1:]) && len(host) > len(p)-1:
				score = len(p)
			default:
				continue
			}
			known = true
			b := strings.TrimSuffix(api.BasePath, "/")
			if path != b && !strings.HasPrefix(path, b+"/") {
				continue
			}
			if score = score*1000 + len(b); score > best {
				best, pattern, base, ok = score, p, api.BasePath, true
			}
		}
	}
	return pattern, base, ok, known
}

func naiveChoose(apis []API, pattern, base string, r *Request) *API {
	var all []API
	for _, api := range apis {
		if api.BasePath == base && (slices.Contains(api.Hosts, pattern) || pattern == "" && len(api.Hosts) == 0) {
			all = append(all, api)
		}
	}
	slices.SortFunc(all, func(a, b API) int {
		return cmp.Or(len(b.Conditions)-len(a.Conditions), strings.Compare(naiveConditions(a), naiveConditions(b)), strings.Compare(a.ID, b.ID))
	})
	for _, api := range all {
		holds := true
		for _, c := range api.Conditions {
			var values []string
			if c.Header != "" {
				for _, f := range r.Header.(fields) {
					if strings.EqualFold(f[0], c.Header) {
						values = append(values, f[1])
					}
				}
			} else {
				for pair := range strings.SplitSeq(r.RawQuery, "&") {
					if k, v, _ := strings.Cut(pair, "="); k == c.Query {
						values = append(values, v)
					}
				}
			}
			switch {
			case c.Equals != "":
				holds = holds && len(values) == 1 && values[0] == c.Equals
			case c.Matches != "":
				holds = holds && len(values) == 1 && regexp.MustCompile("^(?:"+c.Matches+")$").MatchString(values[0])
			default:
				holds = holds && len(values) > 0
			}
		}
		if holds {
			return &api
		}
	}
	return nil
}

func naiveConditions(api API) string {
	c, _ := compileConditions(api.Conditions)
	texts := make([]string, len(c))
	for i := range c {
		texts[i] = c[i].text
	}
	return strings.Join(texts, " and ")
}

// naiveTemplate matches one template. The rank of a more specific template
// sorts before that of a less specific one that matches the same path.
func naiveTemplate(template, path string, ignoreTrailing bool) (rank, params []string, ok bool) {
	ts := strings.Split(template[1:], "/")
	if n := len(ts); ignoreTrailing && n > 1 && ts[n-1] == "" {
		ts = ts[:n-1]
	}
	variants := []string{path}
	if ignoreTrailing && path != "/" {
		if short, cut := strings.CutSuffix(path, "/"); cut {
			variants = append(variants, short)
		} else {
			variants = append(variants, path+"/")
		}
	}
	for _, v := range variants {
		if rank, params, ok = naiveSegments(ts, strings.Split(v[1:], "/")); ok {
			return rank, params, true
		}
	}
	return nil, nil, false
}

func naiveSegments(ts, ps []string) (rank, params []string, ok bool) {
	for i, t := range ts {
		if i >= len(ps) {
			return nil, nil, false
		}
		open, end := strings.IndexByte(t, '{'), strings.IndexByte(t, '}')
		switch {
		case t == "*" || strings.HasSuffix(t, "...}"):
			return append(rank, "4"), append(params, strings.Join(ps[i:], "/")), true
		case open < 0:
			if t != ps[i] {
				return nil, nil, false
			}
			rank = append(rank, "1")
		default:
			before, after := t[:open], t[end+1:]
			if len(ps[i]) <= len(before)+len(after) || !strings.HasPrefix(ps[i], before) || !strings.HasSuffix(ps[i], after) {
				return nil, nil, false
			}
			value := ps[i][len(before) : len(ps[i])-len(after)]
			if regexp.MustCompile(`%.?$`).MatchString(value) {
				return nil, nil, false
			}
			params = append(params, value)
			if before+after == "" {
				rank = append(rank, "3")
			} else {
				rank = append(rank, "2"+string(rune('z'-len(before)))+string(rune('z'-len(after)))+before+"\x00"+after)
			}
		}
	}
	if len(ts) < len(ps) {
		return nil, nil, false
	}
	return append(rank, "0"), params, true
}

// fields is a header for tests.
type fields [][2]string

func (f fields) Lookup(name string) (string, bool) {
	for _, x := range f {
		if strings.EqualFold(x[0], name) {
			return x[1], true
		}
	}
	return "", false
}

func (f fields) Count(name string) (n int) {
	for _, x := range f {
		if strings.EqualFold(x[0], name) {
			n++
		}
	}
	return n
}
