// Command collect writes down what the suite is made of: the Go modules that are
// linked into the command gatehouse and the gateway, and the npm packages that the
// browser apps name, with what those need. It fails where one has no licence.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/licences"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "collect:", err)
		os.Exit(1)
	}
}

// collector collects packages and texts.
type collector struct {
	licences.Collection
	missing []string
}

func run() error {
	c := collector{Collection: licences.Collection{Texts: map[string]string{}}}
	services := filepath.Join("..", "..", "..")
	if err := c.modules(services); err != nil {
		return err
	}
	if err := c.packages(filepath.Join(services, "..", "frontends")); err != nil {
		return err
	}
	if len(c.missing) > 0 {
		return fmt.Errorf("these have no licence: %s", strings.Join(c.missing, ", "))
	}
	slices.SortFunc(c.Packages, func(a, b licences.Package) int { return strings.Compare(a.Name, b.Name) })
	b, err := json.Marshal(c.Collection)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err = z.Write(b); err == nil {
		err = z.Close()
	}
	if err != nil {
		return err
	}
	return os.WriteFile("licences.json.gz", out.Bytes(), 0o600)
}

// modules collects the Go modules of the binaries, and Go itself.
func (c *collector) modules(services string) error {
	cmd := exec.CommandContext(context.Background(), "go", "list", "-deps", "-tags", "noui", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}",
		"./cli/cmd/gatehouse", "github.com/gatehouse/gatehouse/gateway/cmd/gateway")
	cmd.Dir, cmd.Stderr = services, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("listing modules: %w", err)
	}
	lines := strings.Split(string(out), "\n")
	slices.Sort(lines)
	for _, line := range slices.Compact(lines) {
		f := strings.Split(line, "\t")
		if len(f) != 3 || strings.HasPrefix(f[0], "github.com/gatehouse/gatehouse") {
			continue
		}
		if err := c.add(licences.Package{Name: f[0], Version: f[1], Kind: licences.Go}, f[2], ""); err != nil {
			return err
		}
	}
	root, err := exec.CommandContext(context.Background(), "go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return fmt.Errorf("asking for Go: %w", err)
	}
	f := strings.Fields(string(root))
	return c.add(licences.Package{Name: "Go standard library", Version: f[1], Kind: licences.Go}, f[0], "BSD-3-Clause")
}

// elsewhere are the licences of packages that name none themselves, as they stand
// in their repositories.
var elsewhere = map[string]string{
	"vaul-vue": "MIT", // github.com/unovue/vaul-vue
}

// manifest is what a package.json says.
type manifest struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	License      any               `json:"license"`
	Dependencies map[string]string `json:"dependencies"`
	Private      bool              `json:"private"`
}

func readManifest(dir string) (manifest, error) {
	var m manifest
	b, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	return m, err
}

// packages collects the npm packages that the apps depend on, and theirs.
func (c *collector) packages(frontends string) error {
	var queue []string
	for _, pattern := range []string{"*/package.json", "packages/*/package.json"} {
		found, err := filepath.Glob(filepath.Join(frontends, pattern))
		if err != nil {
			return err
		}
		for _, f := range found {
			m, err := readManifest(filepath.Dir(f))
			if err != nil {
				return err
			}
			for name := range m.Dependencies {
				queue = append(queue, name)
			}
		}
	}
	seen := map[string]bool{}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if seen[name] || strings.HasPrefix(name, "@gatehouse/") {
			continue
		}
		seen[name] = true
		dir := filepath.Join(frontends, "node_modules", filepath.FromSlash(name))
		m, err := readManifest(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue // optional, or of another platform
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		for d := range m.Dependencies {
			queue = append(queue, d)
		}
		id, _ := m.License.(string)
		if o, ok := m.License.(map[string]any); ok {
			id, _ = o["type"].(string)
		}
		if id == "" {
			id = elsewhere[m.Name]
		}
		if err := c.add(licences.Package{Name: m.Name, Version: m.Version, Kind: licences.NPM}, dir, id); err != nil {
			return err
		}
	}
	return nil
}

var files = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense|copyright)`)

// add adds a package with the texts in its folder. id is what it says of itself.
func (c *collector) add(p licences.Package, dir, id string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking into %s: %w", p.Name, err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() || !files.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), ".js") {
			continue
		}
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		b, err := io.ReadAll(io.LimitReader(f, 1<<20))
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		text := strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
		sum := sha256.Sum256([]byte(text))
		digest := hex.EncodeToString(sum[:8])
		c.Texts[digest] = text
		p.Texts = append(p.Texts, digest)
		if is := identify(text); is != "" && !slices.Contains(ids, is) {
			ids = append(ids, is)
		}
	}
	p.Licence = id
	if p.Licence == "" {
		p.Licence = strings.Join(ids, " AND ")
	}
	if p.Licence == "" {
		c.missing = append(c.missing, p.Name)
	}
	if p.Texts == nil {
		p.Texts = []string{}
	}
	c.Packages = append(c.Packages, p)
	return nil
}

// identify returns the identifier by SPDX of a text.
func identify(text string) string {
	t := strings.ToLower(strings.Join(strings.Fields(text), " "))
	has := func(parts ...string) bool {
		return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(t, p) })
	}
	switch {
	case has("mozilla public license", "2.0"):
		return "MPL-2.0"
	case has("apache license", "version 2.0"):
		return "Apache-2.0"
	case has("sil open font license"):
		return "OFL-1.1"
	case has("redistribution and use in source and binary forms", "neither the name"),
		has("redistribution and use in source and binary forms", "names of its contributors"),
		has("redistribution and use in source and binary forms", "name of the author may not"):
		return "BSD-3-Clause"
	case has("redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	case has("permission to use, copy, modify, and/or distribute"), has("permission to use, copy, modify, and distribute"):
		return "ISC"
	case has("permission is hereby granted, free of charge"):
		return "MIT"
	case has("unencumbered software released into the public domain"):
		return "Unlicense"
	case has("creative commons", "cc0"):
		return "CC0-1.0"
	case has("creative commons", "attribution 4.0"):
		return "CC-BY-4.0"
	}
	return ""
}
