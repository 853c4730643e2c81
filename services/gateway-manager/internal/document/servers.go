package document

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Server is where an API is, as its document says.
type Server struct {
	// URL is absolute, or a path, with the variables replaced by their defaults.
	URL         string
	Description string
}

var variable = regexp.MustCompile(`\{([^{}]*)\}`)

func (d *Document) servers(root map[string]any) {
	list, _ := root["servers"].([]any)
	for _, e := range list {
		node, _ := e.(map[string]any)
		raw := strings.TrimSpace(text(node["url"]))
		if raw == "" || len(raw) > 2000 || len(d.Servers) == 20 {
			continue
		}
		variables, _ := node["variables"].(map[string]any)
		raw = variable.ReplaceAllStringFunc(raw, func(name string) string {
			v, _ := variables[strings.Trim(name, "{}")].(map[string]any)
			return text(v["default"])
		})
		d.Servers = append(d.Servers, Server{URL: raw, Description: cut(text(node["description"]), 500)})
	}
}

// Address returns where the API is by its first server: the base path, which may
// be "/", and the URL to be used as an upstream's target, "" where the document
// names none. from is where the document was fetched, "" = nowhere.
func (d *Document) Address(from string) (basePath, target string) {
	if len(d.Servers) == 0 {
		return "/", ""
	}
	u, err := url.Parse(d.Servers[0].URL)
	if err != nil {
		return "/", ""
	}
	if base, err := url.Parse(from); err == nil && from != "" {
		u = base.ResolveReference(u)
	}
	basePath = clean(u.EscapedPath())
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return basePath, ""
	}
	target = u.Scheme + "://" + u.Host
	if basePath != "/" {
		target += basePath
	}
	return basePath, target
}

func clean(p string) string {
	return path.Clean("/" + p)
}

// Slug makes a short name for addresses of a name for people; "" where nothing is
// left of it.
func Slug(name string) string {
	var b strings.Builder
	dash := false
	for _, c := range strings.ToLower(name) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(c)
		default:
			dash = true
		}
		if b.Len() >= 60 {
			break
		}
	}
	return b.String()
}
