package file

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// partSize is how many lines of a credential file are held in memory at once.
const partSize = 4096

// maxLine bounds a line of a credential file, in bytes.
const maxLine = 1 << 20

// entry is a line of a credential file: exactly one of the two.
type entry struct {
	Application *credential.Application `json:"application"`
	Credential  *credential.Credential  `json:"credential"`
}

var errEntry = errors.New(`want {"application": {…}} or {"credential": {…}}`)

// Parts reads credential files part by part: JSON lines, each an application or
// a credential as in the credential feed. The first part is what the
// configuration itself says.
func Parts(first credential.Feed, files []string) iter.Seq2[credential.Feed, error] {
	return func(yield func(credential.Feed, error) bool) {
		if !yield(first, nil) {
			return
		}
		for _, path := range files {
			if !readParts(path, yield) {
				return
			}
		}
	}
}

func readParts(path string, yield func(credential.Feed, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return yield(credential.Feed{}, err)
	}
	defer func() { _ = f.Close() }() // read only
	r := bufio.NewReaderSize(f, 64<<10)
	var part credential.Feed
	for n := 1; ; n++ {
		line, err := readLine(r)
		if len(bytes.TrimSpace(line)) > 0 {
			if err := addEntry(&part, line); err != nil {
				return yield(credential.Feed{}, fmt.Errorf("%s:%d: %w", path, n, err))
			}
		}
		if last := errors.Is(err, io.EOF); last || n%partSize == 0 {
			if !yield(part, nil) {
				return false
			}
			if last {
				return true
			}
			part = credential.Feed{Applications: part.Applications[:0], Credentials: part.Credentials[:0]}
		} else if err != nil {
			return yield(credential.Feed{}, fmt.Errorf("%s:%d: %w", path, n, err))
		}
	}
}

var errLong = fmt.Errorf("line is longer than %d bytes", maxLine)

func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		chunk, err := r.ReadSlice('\n')
		if line == nil && err == nil {
			return chunk, nil
		}
		line = append(line, chunk...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		if len(line) > maxLine {
			return nil, errLong
		}
	}
}

func addEntry(part *credential.Feed, line []byte) error {
	var e entry
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return err
	}
	switch {
	case e.Application != nil && e.Credential == nil:
		part.Applications = append(part.Applications, *e.Application)
	case e.Credential != nil && e.Application == nil:
		part.Credentials = append(part.Credentials, *e.Credential)
	default:
		return errEntry
	}
	return nil
}

// credentialFiles returns the paths of the credential files.
func credentialFiles(cfg *Config, dir string) []string {
	files := slices.Clone(cfg.CredentialFiles)
	for i, f := range files {
		if !filepath.IsAbs(f) {
			files[i] = filepath.Join(dir, f)
		}
	}
	return files
}

// fingerprint tells whether what is known of credentials may have changed.
func fingerprint(feed credential.Feed, files []string) string {
	b, err := json.Marshal(feed)
	if err != nil {
		return ""
	}
	text := string(unit.HashOf(b))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			text += fmt.Sprintf("|%s %d %d", f, info.Size(), info.ModTime().UnixNano())
		} else {
			text += "|" + err.Error()
		}
	}
	return text
}
