//go:build linux

package peer

import (
	"context"
	"debug/buildinfo"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The names of the peers.
const (
	Gatehouse = "gatehouse"
	Nginx     = "nginx"
	NginxLua  = "nginx+lua"
	HAProxy   = "haproxy"
	Caddy     = "caddy"
	FastHTTP  = "go-fasthttp"
	NetHTTP   = "go-net-http"
	Bytes     = "go-bytes"
)

// Base returns the name of another build of Gatehouse's gateway, counted from 0.
func Base(i int) string {
	if i == 0 {
		return "gatehouse-base"
	}
	return "gatehouse-base" + strconv.Itoa(i+1)
}

// luaModules is where Debian's libnginx-mod-http-lua and -ndk put the modules.
const luaModules = "/usr/lib/nginx/modules"

// Binaries are the programs to use, each a path or a name to be looked up.
type Binaries struct {
	Gateway, Nginx, HAProxy, Caddy string
	// Bases are other builds of the gateway.
	Bases []string
	// Built is the directory with the programs built from gateway/bench/peers.
	Built string
}

// All returns every peer, Gatehouse first and after it its other builds.
func All(b Binaries) []*Peer {
	all := []*Peer{
		{
			Name: Gatehouse, Binary: b.Gateway,
			modes:   []Mode{Plain, Managed, TLS, Fleet},
			version: gatewayVersion,
			command: gatewayCommand,
		},
		{
			Name: Nginx, Binary: b.Nginx, Packages: []string{"nginx-light"},
			modes:   []Mode{Plain, TLS, Fleet},
			version: nginxVersion,
			command: nginxCommand,
		},
		{
			Name: NginxLua, Binary: b.Nginx, Packages: []string{"nginx-light", "libnginx-mod-http-lua"},
			modes:   []Mode{Managed},
			files:   []string{luaModules + "/ndk_http_module.so", luaModules + "/ngx_http_lua_module.so"},
			version: nginxVersion,
			command: nginxCommand,
		},
		{
			Name: HAProxy, Binary: b.HAProxy, Packages: []string{"haproxy"},
			modes:   []Mode{Plain, TLS},
			version: func(ctx context.Context, bin string) (string, error) { return firstLine(ctx, bin, "-v") },
			command: func(bin string, f files) ([]string, []string, error) {
				config, err := f.render("haproxy.cfg.tmpl", "haproxy.cfg")
				// -db: stay in the foreground.
				return []string{bin, "-db", "-f", config}, nil, err
			},
		},
		{
			Name: Caddy, Binary: b.Caddy, Packages: []string{"caddy"},
			modes: []Mode{Plain, TLS},
			version: func(ctx context.Context, bin string) (string, error) {
				v, err := firstLine(ctx, bin, "version")
				return "Caddy " + strings.TrimPrefix(v, "v"), err
			},
			command: func(bin string, f files) ([]string, []string, error) {
				config, err := f.render("Caddyfile.tmpl", "Caddyfile")
				env := []string{"XDG_DATA_HOME=" + f.Dir, "XDG_CONFIG_HOME=" + f.Dir, "HOME=" + f.Dir}
				return []string{bin, "run", "--adapter", "caddyfile", "--config", config}, env, err
			},
		},
		sketch(FastHTTP, filepath.Join(b.Built, "fasthttp"), "", "github.com/valyala/fasthttp"),
		sketch(NetHTTP, filepath.Join(b.Built, "nethttp"), "http://", ""),
		{
			Name: Bytes, Binary: filepath.Join(b.Built, "bytes"),
			modes: []Mode{Plain},
			version: func(context.Context, string) (string, error) {
				return "no proxy: passes bytes on and looks at none", nil
			},
			command: func(bin string, f files) ([]string, []string, error) {
				return []string{bin, "-listen", f.Listen, "-upstream", f.Upstream}, nil, nil
			},
		},
	}
	for i, binary := range b.Bases {
		base := *all[0]
		base.Name, base.Binary = Base(i), binary
		all = slices.Insert(all, 1+i, &base)
	}
	return all
}

// sketch is a program from gateway/bench/peers. module is the one whose version
// counts; "" = Go's own.
func sketch(name, binary, scheme, module string) *Peer {
	return &Peer{
		Name: name, Binary: binary,
		modes: []Mode{Plain, TLS},
		version: func(_ context.Context, bin string) (string, error) {
			info, err := buildinfo.ReadFile(bin)
			if err != nil {
				return "", err
			}
			for _, m := range info.Deps {
				if m.Path == module {
					return m.Path + " " + m.Version + ", " + info.GoVersion, nil
				}
			}
			return "net/http of " + info.GoVersion, nil
		},
		command: func(bin string, f files) ([]string, []string, error) {
			argv := []string{bin, "-listen", f.Listen, "-upstream", scheme + f.Upstream}
			if f.Mode == TLS {
				argv = append(argv, "-cert", f.Cert, "-key", f.Key)
			}
			return argv, nil, nil
		},
	}
}

func nginxVersion(ctx context.Context, bin string) (string, error) {
	v, err := firstLine(ctx, bin, "-v")
	return strings.TrimPrefix(v, "nginx version: "), err
}

func nginxCommand(bin string, f files) ([]string, []string, error) {
	if f.Mode == Managed {
		if _, err := f.render("gate.lua.tmpl", "gate.lua"); err != nil {
			return nil, nil, err
		}
	}
	config, err := f.render("nginx.conf.tmpl", "nginx.conf")
	return []string{bin, "-e", "stderr", "-p", f.Dir, "-c", config}, nil, err
}
