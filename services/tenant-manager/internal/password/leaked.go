package password

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // what lists of leaked passwords are made of
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
)

// The file of leaked passwords. It holds the first 48 bits of the SHA-1 of each,
// sorted: an index says where those begin that share their first bits, and each is
// the rest.
//
//	magic   8 bytes
//	width   1 byte: of the index, in bytes of the digest, 1 to 3; and 7 of zero
//	count   8 bytes: how many there are
//	sum     4 bytes: CRC-32C of width, count and index; and 4 of zero
//	index   8 bytes for each value of the first bytes, and one more: how many come before
//	rests   6 - width bytes each
//
// Numbers are big endian.
const (
	magic  = "GHLEAK1\n"
	header = 32
	prefix = 6 // bytes of a digest that are kept
)

// FalsePositives is how likely a password that is not in a list of n is taken for
// one that is: n of 2^48. With the 900 million of Have I Been Pwned that is one in
// 312,000.
func FalsePositives(n int64) float64 { return float64(n) / (1 << (8 * prefix)) }

// Leaked is a list of leaked passwords on disk, which [Import] has written. The zero
// value has none. The file is opened anew for every question, so that a new list
// counts at once.
type Leaked struct {
	// Path is the file; "" = none. One that is not there is an empty list.
	Path string
}

// ErrDamaged is a file that is not a list of leaked passwords.
var ErrDamaged = errors.New("it is not a list of leaked passwords: import it again")

// Has reports whether a password is in the list. Where the list is there and cannot
// be read the error says so: it must not count as a no.
func (l Leaked) Has(password string) (bool, error) {
	if l.Path == "" {
		return false, nil
	}
	f, err := os.Open(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the leaked passwords: %w", err)
	}
	defer func() { _ = f.Close() }()  // only read
	sum := sha1.Sum([]byte(password)) //nolint:gosec // as above
	has, err := find(f, sum[:prefix])
	if err != nil {
		return false, fmt.Errorf("reading the leaked passwords of %s: %w", l.Path, err)
	}
	return has, nil
}

// head is the beginning of the file.
type head struct {
	width int
	count uint64
	sum   uint32
}

func readHead(f io.ReaderAt) (head, error) {
	var b [header]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return head{}, damaged(err)
	}
	h := head{width: int(b[8]), count: binary.BigEndian.Uint64(b[16:]), sum: binary.BigEndian.Uint32(b[24:])}
	if string(b[:8]) != magic || h.width < 1 || h.width > 3 || h.count > 1<<40 {
		return head{}, ErrDamaged
	}
	return h, nil
}

// damaged takes the end of a file for what it is here.
func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrDamaged
	}
	return err
}

// slots is how many entries an index has.
func (h head) slots() int64 { return 1<<(8*h.width) + 1 }

func (h head) rest() int64 { return int64(prefix - h.width) }

// size is that of the whole file.
func (h head) size() int64 { return header + 8*h.slots() + int64(h.count)*h.rest() }

// find reads the few entries that share the first bytes of a digest.
func find(f io.ReaderAt, digest []byte) (bool, error) {
	h, err := readHead(f)
	if err != nil {
		return false, err
	}
	slot := int64(0)
	for _, b := range digest[:h.width] {
		slot = slot<<8 | int64(b)
	}
	var at [16]byte
	if _, err := f.ReadAt(at[:], header+8*slot); err != nil {
		return false, damaged(err)
	}
	from, to := binary.BigEndian.Uint64(at[:8]), binary.BigEndian.Uint64(at[8:])
	const most = 1 << 24 // more than can be in one slot by chance, and little enough to read
	if from > to || to > h.count || to-from > most {
		return false, ErrDamaged
	}
	rests := make([]byte, int64(to-from)*h.rest())
	if _, err := f.ReadAt(rests, header+8*h.slots()+int64(from)*h.rest()); err != nil && len(rests) > 0 {
		return false, damaged(err)
	}
	want := digest[h.width:]
	for ; len(rests) > 0; rests = rests[h.rest():] {
		if bytes.Equal(rests[:h.rest()], want) {
			return true, nil
		}
	}
	return false, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Check reads the index of the list, and returns how many passwords are in it; 0
// where there is none.
func (l Leaked) Check() (int64, error) {
	if l.Path == "" {
		return 0, nil
	}
	f, err := os.Open(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the leaked passwords: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("reading the leaked passwords: %w", err)
	}
	h, err := readHead(f)
	if err == nil && info.Size() != h.size() {
		err = ErrDamaged
	}
	if err == nil {
		sum := crc32.New(castagnoli)
		_, _ = sum.Write(h.sealed()) // never fails
		_, err = io.Copy(sum, io.NewSectionReader(f, header, 8*h.slots()))
		if err == nil && sum.Sum32() != h.sum {
			err = ErrDamaged
		}
	}
	if err != nil {
		return 0, fmt.Errorf("reading the leaked passwords of %s: %w", l.Path, err)
	}
	return int64(h.count), nil
}

// sealed is what of the head the sum is over.
func (h head) sealed() []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(h.width)}, h.count)
}
