package plane

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/bus"
)

// key16 stands for a key, in less memory.
type key16 [16]byte

func keyOf(key string) key16 {
	sum := sha256.Sum256([]byte(key))
	return key16(sum[:16])
}

// frameReader reads a journal.
type frameReader struct {
	cache   *source.Cache
	r       *bufio.Reader
	good    int64 // where the last whole frame ended
	damage  error // why reading ended
	entries int64
	keys    map[key16]int64 // the number of the last entry of each
}

// all hands on all entries, and returns the position after the last.
func (r *frameReader) all(each func(bus.Entry) error) (bus.Position, error) {
	var at bus.Position
	r.keys = map[key16]int64{}
	for first := true; ; first = false {
		plain, n, err := r.next()
		if err != nil {
			r.damage = err
			return at, nil //nolint:nilerr // what is damaged is told again
		}
		if first {
			if err := json.Unmarshal(plain, &at); err != nil || at.Epoch == "" {
				r.damage = errFrame
				return bus.Position{}, nil //nolint:nilerr // likewise
			}
			r.good += n
			continue
		}
		for len(plain) > 0 {
			var e bus.Entry
			if e, plain, err = readEntry(plain); err != nil {
				r.damage = err
				return at, nil //nolint:nilerr // likewise
			}
			r.entries++
			r.keys[keyOf(e.Key)] = r.entries
			if err := each(e); err != nil {
				return at, err
			}
			at.Revision = max(at.Revision, e.Revision)
		}
		r.good += n
	}
}

var errFrame = errors.New("a frame is not whole")

// next returns the content of the next frame, and its length in the file.
func (r *frameReader) next() ([]byte, int64, error) {
	var head [8]byte
	if n, err := io.ReadFull(r.r, head[:]); err != nil {
		if n == 0 {
			return nil, 0, io.EOF
		}
		return nil, 0, errFrame
	}
	n := binary.BigEndian.Uint32(head[:4])
	if n > frameMax+1024 {
		return nil, 0, errFrame
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(r.r, sealed); err != nil || crc32.Checksum(sealed, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
		return nil, 0, errFrame
	}
	plain, err := r.cache.Unseal(journalName, sealed)
	return plain, int64(n) + 8, err
}

func appendFrame(b, sealed []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(sealed)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(sealed, castagnoli))
	return append(b, sealed...)
}

func headFrame(at bus.Position) []byte {
	b, _ := json.Marshal(at) // a text and a number
	return b
}

func entryFrame(entries []bus.Entry) []byte {
	var b []byte
	for _, e := range entries {
		b = binary.AppendUvarint(b, e.Revision)
		deleted := byte(0)
		if e.Deleted {
			deleted = 1
		}
		b = append(b, deleted)
		b = binary.AppendUvarint(b, uint64(len(e.Key)))
		b = append(b, e.Key...)
		b = binary.AppendUvarint(b, uint64(len(e.Value)))
		b = append(b, e.Value...)
	}
	return b
}

func readEntry(b []byte) (e bus.Entry, rest []byte, err error) {
	text := func() []byte {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			err = errFrame
			return nil
		}
		t := b[used : used+int(n)]
		b = b[used+int(n):]
		return t
	}
	revision, used := binary.Uvarint(b)
	if used <= 0 || len(b) <= used {
		return e, nil, errFrame
	}
	e.Revision, e.Deleted = revision, b[used] != 0
	b = b[used+1:]
	key := text()
	if err == nil {
		e.Value = text()
	}
	e.Key = string(key)
	return e, b, err
}
