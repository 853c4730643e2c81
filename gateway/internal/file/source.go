package file

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// settle is how long changes are collected before the file is read again:
// editors write in several steps.
const settle = 100 * time.Millisecond

// Read reads the file and returns the part that may change while the gateway
// runs.
type Read func() (*Config, *config.Document, []problem.Field)

// Source is a [source.Source] of a file or a directory of files.
type Source struct {
	// Path is the file or directory, Read what reads it.
	Path string
	Read Read
	// Key signs the manifests, so that the cache can tell its own; nil = they
	// are not kept, and not signed.
	Key ed25519.PrivateKey
	Log *slog.Logger
	Now func() time.Time
	// OnProblems is told what is wrong with the file as a whole after each
	// reading; none = it was accepted.
	OnProblems func([]problem.Field)
	// Reload asks to read the file again; OnReload, where not nil, is called
	// then.
	Reload   <-chan struct{}
	OnReload func()

	version uint64
	watched []string
	text    unit.Hash         // of the files when they were read last
	stamps  map[string]string // of the other files that were read, by path
	first   bool              // was read by First
	memo    Memo
	known   string // fingerprint of the credentials delivered last
}

// origin is what a configuration was made of: the text of its files, and the
// other files that it names.
type origin struct {
	Text  unit.Hash         `json:"text"`
	Files map[string]string `json:"files,omitempty"` // size and time of change
}

// textOf returns the hash of the configuration's files.
func (s *Source) textOf() (unit.Hash, error) {
	sources, err := config.Load(s.Path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, f := range sources {
		fmt.Fprintf(h, "%s %d\n", f.Name, len(f.Data))
		_, _ = h.Write(f.Data) // never fails (hash.Hash)
	}
	return unit.Hash(hex.EncodeToString(h.Sum(nil))), nil
}

func stat(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
}

// Known reports whether the configuration is still what a snapshot of that
// origin was made of, so that it need not be read.
func (s *Source) Known(from string) bool {
	var o origin
	if from == "" || json.Unmarshal([]byte(from), &o) != nil {
		return false
	}
	text, err := s.textOf()
	if err != nil || text != o.Text {
		return false
	}
	s.watched, s.text, s.stamps = []string{s.Path}, text, o.Files
	for path, was := range o.Files {
		if stat(path) != was {
			return false
		}
		s.watched = append(s.watched, path)
	}
	return true
}

// changed reports whether something is no longer what was read last.
func (s *Source) changed() bool {
	if text, err := s.textOf(); err != nil || text != s.text {
		return true
	}
	for path, was := range s.stamps {
		if stat(path) != was {
			return true
		}
	}
	return false
}

// Skip says that the configuration as it stands is in place already.
func (s *Source) Skip() { s.first = true }

// originOf tells what was read. It is empty where that cannot be told again,
// such as for credential files, which the cache does not keep.
func (s *Source) originOf(text unit.Hash, built *Built) string {
	o := origin{Text: text, Files: map[string]string{}}
	for _, f := range built.Files {
		o.Files[f] = stat(f)
	}
	b, err := json.Marshal(o)
	if err != nil {
		return ""
	}
	return string(b)
}

// Snapshot reads the file once. The problems say why there is none, or what is
// wrong with single APIs of it.
func (s *Source) Snapshot() (source.Snapshot, []problem.Field, bool) {
	text, _ := s.textOf() // before it is read: a change meanwhile makes it unknown
	cfg, doc, fields := s.Read()
	s.watched, s.text, s.stamps = []string{s.Path}, text, map[string]string{}
	if len(fields) > 0 {
		return source.Snapshot{}, fields, false
	}
	dir := s.Path
	if !s.isDir() {
		dir = filepath.Dir(dir)
	}
	built := Build(cfg, dir, &s.memo)
	s.watched = append(s.watched, built.Files...)
	for _, f := range built.Files {
		s.stamps[f] = stat(f)
	}
	doc.Locate(built.Problems)
	// Versions rise over restarts, too, because they are times.
	s.version = max(s.version+1, uint64(s.Now().UnixMilli()))
	var keys []ed25519.PrivateKey
	if s.Key != nil {
		keys = append(keys, s.Key)
	}
	signed, m, err := unit.Assemble(
		unit.Manifest{Group: "file", Epoch: "file", Version: s.version, Issued: s.Now()},
		built.Refs, func(unit.Ref) string { return "default" }, built.Units, keys...)
	if err != nil {
		return source.Snapshot{}, append(built.Problems, problem.Field{Code: "internal", Detail: err.Error()}), false
	}
	snap := source.Snapshot{
		Manifest: m, Signed: signed, Refs: built.Refs, Units: built.Units, Credentials: &built.Credentials,
		Locate: func(kind unit.Kind, name, pointer string) (string, string) {
			at := []problem.Field{{Pointer: built.pointer(kind, name, pointer)}}
			return at[0].Pointer, doc.Locate(at)[0].Source
		},
	}
	files := credentialFiles(cfg, dir)
	if len(files) == 0 && text != "" && len(built.Problems) == 0 {
		snap.Origin = s.originOf(text, &built)
	}
	if len(files) > 0 {
		s.watched = append(s.watched, files...)
		snap.Parts = Parts(built.Credentials, files)
		if known := fingerprint(built.Credentials, files); known == s.known {
			snap.Parts, snap.Credentials = nil, nil
		} else {
			s.known = known
		}
	}
	for _, b := range built.Broken {
		snap.Broken = append(snap.Broken, source.Broken(b))
	}
	return snap, built.Problems, true
}

// pointer maps a pointer within a unit to the one in the file, where the two
// forms differ: there a policy's configuration stands under its type, a single
// upstream has no list, and the settings are at the top.
func (b *Built) pointer(kind unit.Kind, name, pointer string) string {
	at := b.Pointers[string(kind)+"/"+name]
	var tree any
	for _, r := range b.Refs {
		if r.Kind == kind && r.Name == name {
			_ = json.Unmarshal(b.Units[r.Hash], &tree) // was encoded here
		}
	}
	if kind == unit.KindSettings {
		pointer = strings.Replace(pointer, "/platform", "/policies", 1)
		if m, ok := tree.(map[string]any); ok {
			m["policies"] = m["platform"]
		}
	}
	if kind == unit.KindAPI && b.single[name] {
		pointer = strings.Replace(pointer, "/upstreams/0", "/upstream", 1)
	}
	// Walk the unit along the pointer; where a policy is passed on the way to a
	// field of its configuration, its type comes in between.
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if token == "" {
			continue
		}
		if m, ok := tree.(map[string]any); ok {
			if t, isPolicy := m["type"].(string); isPolicy && t != "" && token != "when" && token != "name" {
				at += "/" + schema.Escape(t)
				tree = nil // below it the two are the same
			}
		}
		at += "/" + token
		switch v := tree.(type) {
		case map[string]any:
			tree = v[token]
		case []any:
			if i, err := strconv.Atoi(token); err == nil && i < len(v) {
				tree = v[i]
			}
		}
	}
	return at
}

// Run delivers the configuration now and after each change of a file. A file
// that is not accepted changes nothing.
func (s *Source) Run(ctx context.Context, deliver func(source.Snapshot) error) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", s.Path, err)
	}
	defer func() { _ = watcher.Close() }() // nothing is left to lose
	dirs := map[string]bool{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Reload:
			if s.OnReload != nil {
				s.OnReload()
			}
			timer.Reset(0)
		case err := <-watcher.Errors:
			s.Log.Warn("a change of the configuration may have been missed", "err", err)
		case ev := <-watcher.Events:
			if s.concerns(ev.Name) {
				timer.Reset(settle)
			}
		case <-timer.C:
			if !s.first {
				s.read(deliver)
			}
			s.first = false
			added := false
			for _, path := range s.watched {
				dir := filepath.Dir(path)
				if path == s.Path && s.isDir() {
					dir = path
				}
				if !dirs[dir] {
					dirs[dir], added = true, true
					if err := watcher.Add(dir); err != nil {
						return fmt.Errorf("watching %s: %w", dir, err)
					}
				}
			}
			// What changed between reading and watching is told by no event.
			if added && s.changed() {
				timer.Reset(settle)
			}
		}
	}
}

func (s *Source) isDir() bool {
	info, err := os.Stat(s.Path)
	return err == nil && info.IsDir()
}

// concerns reports whether a change of that file matters. Symbolic links of
// mounted volumes change beside the file, so anything in its directory whose
// name is unknown counts where the directory has such links.
func (s *Source) concerns(name string) bool {
	if filepath.Base(name) == "..data" { // how Kubernetes swaps a mounted volume
		return true
	}
	for _, w := range s.watched {
		if filepath.Clean(name) == filepath.Clean(w) || w == s.Path && filepath.Dir(name) == filepath.Clean(w) && s.isDir() {
			return true
		}
	}
	return false
}

// First reads and delivers the file once, before Run. It returns why the file
// as a whole was not accepted.
func (s *Source) First(deliver func(source.Snapshot) error) []problem.Field {
	s.first = true
	return s.read(deliver)
}

func (s *Source) read(deliver func(source.Snapshot) error) []problem.Field {
	snap, problems, ok := s.Snapshot()
	if s.OnProblems != nil {
		s.OnProblems(problems)
	}
	for _, p := range problems {
		s.Log.Error("the configuration has a mistake", "at", p.Source, "pointer", p.Pointer, "rule", p.Code, "detail", p.Detail)
	}
	if !ok {
		s.Log.Error("the configuration was not accepted; what was served is served on", "path", s.Path)
		return problems
	}
	if err := deliver(snap); err != nil {
		s.Log.Error("the configuration was not applied; what was served is served on", "path", s.Path, "err", err)
	}
	return nil
}
