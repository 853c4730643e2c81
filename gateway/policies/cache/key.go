package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// keyer makes the keys under which responses are stored. Each response belongs
// to a resource (host and path), whose key leads to a [resource]; the response's
// own key is made of that resource's generation and all that tells requests for
// it apart. Forgetting the resource makes every response of it unreachable.
type keyer struct {
	// print keeps entries of other policies and of other configurations of this
	// one apart: they may have had other key parts.
	print   string
	key     Key
	ignored map[string]bool
	only    map[string]bool
}

func newKeyer(c Config, id string) (*keyer, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(id+"\x00"), b...))
	k := &keyer{print: hex.EncodeToString(sum[:8]), key: c.Key}
	if c.Key.Query != nil {
		k.only = setOf(c.Key.Query)
	}
	if len(c.Key.IgnoreQuery) > 0 {
		k.ignored = setOf(c.Key.IgnoreQuery)
	}
	return k, nil
}

func setOf(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// resource is the key of the resource at that host and path. It begins with the
// API's id, so that an API's entries can be purged.
func (k *keyer) resource(ex *policy.Exchange, host, path string) string {
	return ex.Route.API + "/cache/" + k.print + "/" + host + path
}

// response is the key of a response of the resource r to a request with the
// header h. Parts are led by their length, so that no two requests run into one
// another.
func (k *keyer) response(ex *policy.Exchange, h *policy.Header, at string, r *resource) string {
	b := make([]byte, 0, 256)
	b = append(b, at...)
	b = append(b, '\n')
	b = append(b, r.generation...)
	b = part(b, ex.Request.Scheme)
	b = part(b, ex.Forward.Upstream)
	b = part(b, ex.Forward.Path)
	b = part(b, ex.Forward.Authority)
	b = part(b, k.query(ex.Request.Query))
	for _, name := range k.key.Headers {
		b = part(b, h.Joined(name))
	}
	b = k.caller(b, &ex.Caller)
	for _, name := range r.vary {
		v, ok := lookupJoined(h, name)
		if !ok {
			b = append(b, 0)
			continue
		}
		b = part(append(b, 1), v)
	}
	return string(b)
}

// lookupJoined returns the values of a field as one, without the white space
// that makes no difference.
func lookupJoined(h *policy.Header, name string) (string, bool) {
	if !h.Has(name) {
		return "", false
	}
	return strings.Trim(h.Joined(name), " \t"), true
}

func part(b []byte, s string) []byte {
	n := len(s)
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	b = append(b, byte(n))
	return append(b, s...)
}

func (k *keyer) caller(b []byte, c *policy.Caller) []byte {
	switch {
	case k.key.Caller == "none" || !c.Authenticated():
		return append(b, '-')
	case k.key.Caller == "application" && c.Application != nil:
		b = part(append(b, 'a'), c.Application.ID)
		return part(b, c.Plan)
	}
	b = part(append(b, 'c'), string(c.Kind))
	b = part(b, c.Credential)
	b = part(b, c.ApplicationID())
	b = part(b, c.Issuer)
	b = part(b, c.Subject)
	return part(b, c.Plan)
}

// query returns the query as far as it is part of the key.
func (k *keyer) query(q string) string {
	if k.only == nil && k.ignored == nil || q == "" {
		return q
	}
	kept := make([]string, 0, 8)
	for pair := range strings.SplitSeq(q, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		if k.ignored[name] || k.only != nil && !k.only[name] {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&")
}

// resource is what is known of a host and path.
type resource struct {
	// generation tells it from what was stored before it was forgotten.
	generation string
	// vary are the fields, in lower case and ordered, that some response for it
	// has named in Vary.
	vary []string
}

const maxVary = 16

// varyOf returns the fields of Vary joined with those known; false where the
// response cannot be chosen by fields.
func varyOf(h *policy.Header, known []string) ([]string, bool) {
	names := known
	for v := range h.Values("Vary") {
		for name := range strings.SplitSeq(v, ",") {
			name = strings.ToLower(strings.Trim(name, " \t"))
			switch {
			case name == "":
			case !policy.ValidName(name) || name == "*":
				return nil, false
			case !slices.Contains(names, name):
				names = append(slices.Clip(names), name)
			}
		}
	}
	if len(names) > len(known) {
		slices.Sort(names)
	}
	return names, len(names) <= maxVary
}
