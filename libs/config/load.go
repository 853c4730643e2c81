package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile bounds the size of one file.
const maxFile = 256 << 20

// Source is one file.
type Source struct {
	// Name is how messages call it, usually its path.
	Name string
	Data []byte
}

// Load reads a file, or the files *.yaml, *.yml and *.json of a directory in
// the order of their names. Hidden files and subdirectories are left out.
func Load(path string) ([]Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("loading the configuration: %w", err)
	}
	if !info.IsDir() {
		s, err := load(path)
		return []Source{s}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("loading the configuration: %w", err)
	}
	var sources []Source
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		if strings.HasPrefix(e.Name(), ".") || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) {
			continue
		}
		// Through symbolic links, by which Kubernetes mounts a ConfigMap.
		if info, err := os.Stat(name); err != nil {
			return nil, fmt.Errorf("loading the configuration: %w", err)
		} else if info.IsDir() {
			continue
		}
		s, err := load(name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("loading the configuration: no *.yaml, *.yml or *.json in %s", path)
	}
	return sources, nil
}

func load(path string) (Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return Source{}, fmt.Errorf("loading the configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Source{}, fmt.Errorf("loading the configuration: %w", err)
	}
	if len(data) > maxFile {
		return Source{}, fmt.Errorf("loading the configuration: %s is larger than 256 MiB", path)
	}
	return Source{Name: path, Data: data}, nil
}
