package password

import (
	"bufio"
	"bytes"
	"container/heap"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Imported is what an import came to.
type Imported struct {
	// Lines is how many lines the list has, Passwords how many different passwords
	// are in the file now.
	Lines, Passwords int64
	// Bytes is the size of the file.
	Bytes int64
}

// chunk is how many passwords are sorted in memory at once: 128 MiB.
const chunk = 16 << 20

// Import reads a list of leaked passwords and writes it to a file, which takes the
// place of the one before when it is complete. The list has the form of Have I Been
// Pwned: the SHA-1 of a password in hexadecimal digits and, after a colon, how often
// it was seen, a line each, in any order. It needs room for the list, at 6 bytes a
// password, and for the file beside the destination. An error names the line.
func Import(ctx context.Context, list io.Reader, path string) (Imported, error) {
	return importList(ctx, list, path, chunk)
}

func importList(ctx context.Context, list io.Reader, path string, atOnce int) (out Imported, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".leaked-*")
	if err != nil {
		return out, fmt.Errorf("importing leaked passwords: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	runs, lines, err := split(ctx, list, dir, atOnce)
	if err != nil {
		return out, err
	}
	out.Lines = lines
	made := filepath.Join(dir, "made")
	if out.Passwords, out.Bytes, err = join(ctx, runs, made, lines); err != nil {
		return out, fmt.Errorf("importing leaked passwords: %w", err)
	}
	if err := os.Rename(made, path); err != nil {
		return out, fmt.Errorf("importing leaked passwords: %w", err)
	}
	return out, nil
}

// errLine is what is wrong with a line; it does not say what is in it.
var errLine = errors.New("want the SHA-1 of a password as 40 hexadecimal digits, a colon, and a number")

// digestOf reads a line. ok is false for one that says nothing.
func digestOf(line []byte) (digest uint64, ok bool, err error) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return 0, false, nil
	}
	sum, count, counted := bytes.Cut(line, []byte{':'})
	if len(sum) != 40 || counted && !digits(count) {
		return 0, false, errLine
	}
	var b [20]byte
	if _, err := hex.Decode(b[:], sum); err != nil {
		return 0, false, errLine
	}
	return binary.BigEndian.Uint64(b[:8]) >> (64 - 8*prefix), true, nil
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 20
}

// longestLine bounds a line.
const longestLine = 256

// split reads the list into sorted runs.
func split(ctx context.Context, list io.Reader, dir string, atOnce int) (runs []string, lines int64, err error) {
	in := bufio.NewScanner(bufio.NewReaderSize(list, 1<<20))
	in.Buffer(make([]byte, longestLine), longestLine)
	var held []uint64
	flush := func() error {
		if len(held) == 0 {
			return nil
		}
		slices.Sort(held)
		name := filepath.Join(dir, fmt.Sprintf("run-%d", len(runs)))
		if err := writeRun(name, held); err != nil {
			return fmt.Errorf("importing leaked passwords: %w", err)
		}
		runs, held = append(runs, name), held[:0]
		return ctx.Err()
	}
	for number := int64(1); in.Scan(); number++ {
		d, ok, err := digestOf(in.Bytes())
		if err != nil {
			return nil, 0, fmt.Errorf("line %d of the list: %w", number, err)
		}
		if !ok {
			continue
		}
		lines++
		if held = append(held, d); len(held) >= atOnce {
			if err := flush(); err != nil {
				return nil, 0, err
			}
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, 0, fmt.Errorf("a line of the list is too long: %w", errLine)
	case err != nil:
		return nil, 0, fmt.Errorf("reading the list: %w", err)
	}
	if err := flush(); err != nil {
		return nil, 0, err
	}
	if lines == 0 {
		return nil, 0, errors.New("the list is empty")
	}
	return runs, lines, nil
}

func writeRun(name string, held []uint64) (err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	var b [8]byte
	for _, d := range held {
		binary.BigEndian.PutUint64(b[:], d)
		if _, err := w.Write(b[8-prefix:]); err != nil {
			return err
		}
	}
	return w.Flush()
}

// run is a sorted run that is read, at its next digest.
type run struct {
	in   *bufio.Reader
	next uint64
}

// advance goes to the next digest; the error is io.EOF where there is none.
func (r *run) advance() error {
	var b [8]byte
	if _, err := io.ReadFull(r.in, b[8-prefix:]); err != nil {
		return err
	}
	r.next = binary.BigEndian.Uint64(b[:])
	return nil
}

// merge is runs, the one with the least digest first.
type merge []*run

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[i].next < m[j].next }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)        { *m = append(*m, x.(*run)) } //nolint:forcetypeassert // only runs are pushed
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// join writes the file of the runs.
func join(ctx context.Context, names []string, path string, lines int64) (passwords, size int64, err error) {
	var m merge
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return 0, 0, err
		}
		defer func() { _ = f.Close() }() // only read
		r := &run{in: bufio.NewReaderSize(f, 256<<10)}
		if err := r.advance(); err != nil {
			return 0, 0, err
		}
		m = append(m, r)
	}
	heap.Init(&m)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o644)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := head{width: width(lines)}
	if _, err := f.Seek(header+8*h.slots(), io.SeekStart); err != nil {
		return 0, 0, err
	}
	index := make([]uint64, h.slots())
	w := bufio.NewWriterSize(f, 1<<20)
	var b [8]byte
	for last := uint64(1 << 63); m.Len() > 0; {
		r := m[0]
		if d := r.next; d != last {
			last = d
			h.count++
			index[d>>(8*h.rest())+1]++
			binary.BigEndian.PutUint64(b[:], d)
			if _, err := w.Write(b[8-h.rest():]); err != nil {
				return 0, 0, err
			}
			if h.count%(1<<20) == 0 && ctx.Err() != nil {
				return 0, 0, ctx.Err()
			}
		}
		switch err := r.advance(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&m)
		case err != nil:
			return 0, 0, err
		default:
			heap.Fix(&m, 0)
		}
	}
	if err := w.Flush(); err != nil {
		return 0, 0, err
	}
	return int64(h.count), h.size(), h.finish(f, index)
}

// finish writes the beginning of the file, whose index counts the entries of each
// slot one further on.
func (h head) finish(f *os.File, index []uint64) error {
	sum := crc32.New(castagnoli)
	_, _ = sum.Write(h.sealed()) // never fails
	w := bufio.NewWriterSize(io.NewOffsetWriter(f, header), 1<<20)
	before := uint64(0)
	var b [8]byte
	for _, n := range index {
		before += n
		binary.BigEndian.PutUint64(b[:], before)
		_, _ = sum.Write(b[:]) // never fails
		if _, err := w.Write(b[:]); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var top [header]byte
	copy(top[:], magic)
	top[8] = byte(h.width)
	binary.BigEndian.PutUint64(top[16:], h.count)
	binary.BigEndian.PutUint32(top[24:], sum.Sum32())
	if _, err := f.WriteAt(top[:], 0); err != nil {
		return err
	}
	return f.Sync()
}

// width is that of the index for as many entries: so that few share a slot, and a
// short list has a short one.
func width(n int64) int {
	switch {
	case n < 1<<14:
		return 1
	case n < 1<<22:
		return 2
	}
	return 3
}
