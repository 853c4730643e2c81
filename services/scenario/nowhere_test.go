package scenario_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// wrongPassword is one that somebody types, and that is not theirs: it may be that of
// another account.
const wrongPassword = "not that one at all"

// hooked is in the address of a webhook, as a chat has it.
const (
	hooked      = "services-T0-B0-lets-messages-in"
	hookAddress = "the address of a webhook"
)

// keys are how private keys begin: in files, in PKCS #8 and in that as text (Ed25519,
// P-256, RSA).
var keys = []string{
	"-----BEGIN PRIVATE KEY", "-----BEGIN RSA PRIVATE KEY", "-----BEGIN EC PRIVATE KEY",
	"MC4CAQAwBQYDK2Vw", "MIGHAgEAMBMGByqGSM49", "IBADANBgkqhkiG9w0BAQEFAAS",
	"\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04", "\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06", "\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04",
}

// window is how much of a secret is looked up at once, in bytes.
const window = 8

// finder finds many secrets in one pass.
type finder struct {
	at     map[uint64][]string
	may    [1 << 16]bool
	called map[string]string
}

func (f *finder) add(form, name string) {
	if len(form) < window {
		return
	}
	key := binary.LittleEndian.Uint64([]byte(form))
	f.at[key] = append(f.at[key], form)
	f.may[slot(key)] = true
	f.called[form] = name
}

func slot(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> 48 }

// in returns what was found, by name.
func (f *finder) in(b []byte) map[string]bool {
	out := map[string]bool{}
	var key uint64
	for i, c := range b {
		key = key>>8 | uint64(c)<<56
		if i+1 < window || !f.may[slot(key)] {
			continue
		}
		for _, form := range f.at[key] {
			if from := b[i+1-window:]; len(from) >= len(form) && string(from[:len(form)]) == form {
				out[f.called[form]] = true
			}
		}
	}
	return out
}

// finds returns what finds the secrets of the test, as they are and in the forms that
// they are carried in: in addresses, and in base64 (by itself or after something
// else) and hexadecimal digits.
func (w *writes) finds() *finder {
	f := &finder{at: map[uint64][]string{}, called: map[string]string{}}
	for s, where := range w.secrets {
		name := fmt.Sprintf("%.12s… of %s", s, where)
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), hex.EncodeToString([]byte(s))} {
			f.add(form, name)
		}
		for before := range 3 {
			raw := append(make([]byte, before), s...)
			from, to := (before*8+5)/6, len(raw)*8/6
			f.add(base64.RawStdEncoding.EncodeToString(raw)[from:to], name)
			f.add(base64.RawURLEncoding.EncodeToString(raw)[from:to], name)
		}
	}
	for _, k := range keys {
		f.add(k, "a private key")
	}
	return f
}

// search looks for secrets in what was written somewhere, and in what is compressed
// there.
type search struct {
	*finder
	zip *zstd.Decoder
	// found says where what was found, opened how much was compressed.
	found  map[string]bool
	opened int
}

func (s *search) look(where string, b []byte) {
	for name := range s.in(b) {
		s.found[name+" is in "+where] = true
	}
}

// compressed looks into each piece of what is written there that is compressed.
func (s *search) compressed(where string, b []byte) {
	for rest := b; ; {
		at := bytes.Index(rest, []byte{0x1f, 0x8b, 8})
		if at < 0 {
			break
		}
		rest = rest[at:]
		if z, err := gzip.NewReader(bytes.NewReader(rest)); err == nil {
			s.piece(where, z)
		}
		rest = rest[3:]
	}
	for rest := b; ; {
		at := bytes.Index(rest, []byte{0x28, 0xb5, 0x2f, 0xfd})
		if at < 0 {
			break
		}
		rest = rest[at:]
		if s.zip.Reset(bytes.NewReader(rest)) == nil {
			s.piece(where, s.zip)
		}
		rest = rest[4:]
	}
}

func (s *search) piece(where string, from io.Reader) {
	plain, _ := io.ReadAll(io.LimitReader(from, 4<<20)) // something else follows it
	if len(plain) > 0 {
		s.opened++
		s.look(where+" (compressed)", plain)
	}
}

// rows looks into what is compressed in the tables of a database: in its file, a value
// is not in one piece.
func (s *search) rows(name, path string) (err error) {
	d, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // it was only read
	var tables []string
	names, err := d.Query("SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		return err
	}
	for names.Next() {
		var table string
		if err := names.Scan(&table); err != nil {
			return err
		}
		tables = append(tables, table)
	}
	if err := names.Err(); err != nil {
		return err
	}
	for _, table := range tables {
		rows, err := d.Query(`SELECT * FROM "` + table + `"`)
		if err != nil {
			return err
		}
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		values, to := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(to...); err != nil {
				return err
			}
			for i, v := range values {
				where := name + ", " + table + "." + columns[i]
				s.look(where, v)
				s.compressed(where, v)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// folder looks into every file of a folder, but for those of a folder "secrets" in it,
// and returns how many there are of which kind.
func (s *search) folder(root string) (files map[string]int, err error) {
	files = map[string]int{}
	return files, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "secrets":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, root+"/")
		folder, _, _ := strings.Cut(name, "/")
		files[strings.TrimPrefix(filepath.Ext(folder), ".")+strings.TrimSuffix(folder, filepath.Ext(folder))]++
		s.look(name, b)
		if bytes.HasPrefix(b, []byte("SQLite format 3\x00")) {
			return s.rows(name, path)
		}
		s.compressed(name, b)
		return nil
	})
}

// secret takes down a secret that was typed or shown.
func (w *writes) secret(s, where string) {
	if len(s) >= 10 && !strings.HasPrefix(s, "http://127.0.0.1") && !strings.HasPrefix(s, "/api/") && w.secrets[s] == "" {
		w.secrets[s] = where
	}
}

// answered takes down the secrets of an answer that shows them once, and keeps every
// other answer, to look for secrets in it.
func (w *writes) answered(where, method string, status int, answer string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if status >= 400 || method == http.MethodGet {
		fmt.Fprintf(&w.answers, "\n%s: %d %s", where, status, answer)
		return
	}
	var doc any
	if answer == "" || json.Unmarshal([]byte(answer), &doc) != nil {
		return
	}
	w.look(where, doc, "")
}

// reads asks everything that can be asked, so that its answers are looked at.
func (w *writes) reads() {
	w.t.Helper()
	all, err := operations.Every("..")
	require.NoError(w.t, err)
	well := 0
	for _, o := range all {
		if o.Method != http.MethodGet || o.Service == "bff" {
			continue
		}
		path, at, known := "", 0, true
		for _, p := range pathParameter.FindAllStringIndex(o.Path, -1) {
			id := w.ids[o.Service+" "+o.Path[:p[1]]]
			known = known && id != ""
			path, at = path+o.Path[at:p[0]]+id, p[1]
		}
		if !known {
			continue
		}
		if status, _, _ := w.send("owner", http.MethodGet, o.Service, path+o.Path[at:], ""); status == http.StatusOK {
			well++
		}
	}
	require.Greater(w.t, well, 80)
}

// nowhere ends the suite, and sees that no secret that was typed or shown is in an
// answer that does not show it on purpose, in its log, nor in anything it keeps: the
// databases with their journals and what they have not written over yet, the streams and
// buckets of NATS, the spool of the gateway. The keys that all is encrypted with are in
// a folder of their own, and the log has the code of the first run, both on purpose.
func (w *writes) nowhere(log *testkit.Output, trail string) {
	w.t.Helper()
	w.end()
	begun := time.Now()
	require.Greater(w.t, len(w.secrets), 80)
	zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	require.NoError(w.t, err)
	defer zip.Close()
	s := &search{finder: w.finds(), zip: zip, found: map[string]bool{}}
	s.look("the trail", []byte(trail))
	for line := range bytes.Lines(w.answers.Bytes()) {
		if bytes.HasPrefix(line, []byte("GET tenant-manager /webhooks/")) {
			continue // it shows the address to whoever may change it
		}
		what, _, _ := bytes.Cut(line, []byte(": "))
		what = what[:min(len(what), 100)]
		s.look("the answer of "+string(what), line)
	}
	text := log.String()
	require.Contains(w.t, text, `"msg":"request"`)
	for line := range strings.Lines(text) {
		if found := s.in([]byte(line)); len(found) > 0 {
			s.look(fmt.Sprintf("the log: %.160s", line), []byte(line))
		}
	}
	files, err := s.folder(w.data)
	require.NoError(w.t, err)
	for _, there := range []string{"nats", "gateway", "dbtenant-manager", "dbgateway-manager", "dbpolicy-manager", "dbdevportal-backend", "dbanalysis-manager"} {
		if files[there] == 0 {
			w.fault("%s is not there: %v", there, files)
		}
	}
	require.Greater(w.t, s.opened, 2, "nothing compressed was looked into")
	for what := range s.found {
		if strings.HasSuffix(what, hookAddress+" is in tenant-manager.db") {
			continue // it is kept as text, unlike what it is signed with
		}
		w.fault("a secret is found: %s", what)
	}
	w.t.Logf("%d secrets, %d bytes of log, %d of answers, %d pieces that were compressed, %v, in %s", len(w.secrets), len(text), w.answers.Len(), s.opened, files, time.Since(begun))
}
