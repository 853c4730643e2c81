package db

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
)

//go:embed system
var systemFiles embed.FS

// The two sets of migrations of a database.
const (
	setSystem  = "system"
	setService = "service"
)

// migration is one file.
type migration struct {
	set     string
	version int64
	name    string
	steps   []step
	sums    []string // of each step
}

func (m migration) String() string {
	return fmt.Sprintf("%s %04d_%s", m.set, m.version, m.name)
}

var migrationName = regexp.MustCompile(`^(\d{4,})_([a-z0-9_]+)\.sql$`)

// loadMigrations reads the files of one dialect, and sees to it that the other
// dialects have files of the same numbers and names.
func loadMigrations(set string, files fs.FS, dialect Dialect) ([]migration, error) {
	names := map[Dialect][]string{}
	for _, d := range Dialects() {
		entries, err := fs.ReadDir(files, string(d))
		if err != nil {
			return nil, fmt.Errorf("folder %s: %w", d, err)
		}
		for _, e := range entries {
			names[d] = append(names[d], e.Name())
		}
	}
	for _, d := range Dialects() {
		for _, n := range names[dialect] {
			if !slices.Contains(names[d], n) {
				return nil, fmt.Errorf("folder %s lacks %s, which %s has", d, n, dialect)
			}
		}
		for _, n := range names[d] {
			if !slices.Contains(names[dialect], n) {
				return nil, fmt.Errorf("folder %s lacks %s, which %s has", dialect, n, d)
			}
		}
	}
	out := make([]migration, 0, len(names[dialect]))
	for _, n := range names[dialect] {
		m, err := loadMigration(set, files, dialect, n)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", dialect, n, err)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b migration) int { return cmp.Compare(a.version, b.version) })
	for i := 1; i < len(out); i++ {
		if out[i].version == out[i-1].version {
			return nil, fmt.Errorf("%s and %s have the same number", out[i-1], out[i])
		}
	}
	return out, nil
}

func loadMigration(set string, files fs.FS, dialect Dialect, file string) (migration, error) {
	parts := migrationName.FindStringSubmatch(file)
	if parts == nil {
		return migration{}, errors.New("want a name such as 0001_create_apis.sql")
	}
	version, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return migration{}, err
	}
	text, err := fs.ReadFile(files, string(dialect)+"/"+file)
	if err != nil {
		return migration{}, err
	}
	m := migration{set: set, version: version, name: parts[2]}
	if m.steps, err = splitSQL(string(text)); err != nil {
		return migration{}, err
	}
	if len(m.steps) == 0 {
		return migration{}, errors.New("holds no statement")
	}
	for _, s := range m.steps {
		if dialect == MySQL {
			if err := checkRepeatable(s); err != nil {
				return migration{}, err
			}
		}
		sum := sha256.Sum256([]byte(s.sql))
		m.sums = append(m.sums, hex.EncodeToString(sum[:]))
	}
	return m, nil
}
