package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A frame is a header and a gzip member of JSON lines. All numbers are big
// endian; both parts have a CRC-32C of their own, so that a header can be trusted
// without reading what follows.
const (
	headerSize = 40
	maxPayload = 16 << 20
)

var (
	magic      = [4]byte{0xf5, 'G', 'H', '1'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errDamaged = errors.New("damaged frame")
)

type header struct {
	size, records uint32
	first, last   int64 // Unix nanoseconds
	sum           uint32
}

func (h header) length() int64 { return headerSize + int64(h.size) }

func appendFrame(dst, payload []byte, records uint32, first, last int64) []byte {
	at := len(dst)
	dst = append(dst, magic[:]...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.BigEndian.AppendUint32(dst, records)
	dst = binary.BigEndian.AppendUint64(dst, uint64(first))
	dst = binary.BigEndian.AppendUint64(dst, uint64(last))
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(payload, castagnoli))
	dst = binary.BigEndian.AppendUint32(dst, 0) // for later use
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
	return append(dst, payload...)
}

func parseHeader(b []byte) (header, error) {
	if len(b) < headerSize || [4]byte(b) != magic ||
		crc32.Checksum(b[:headerSize-4], castagnoli) != binary.BigEndian.Uint32(b[headerSize-4:]) {
		return header{}, errDamaged
	}
	h := header{
		size: binary.BigEndian.Uint32(b[4:]), records: binary.BigEndian.Uint32(b[8:]),
		first: int64(binary.BigEndian.Uint64(b[12:])), last: int64(binary.BigEndian.Uint64(b[20:])),
		sum: binary.BigEndian.Uint32(b[28:]),
	}
	if h.size > maxPayload {
		return header{}, errDamaged
	}
	return h, nil
}

// readFrame reads the frame at off of a segment of the given size. It returns
// errDamaged where there is no whole one.
func readFrame(r io.ReaderAt, off, size int64, payload bool) (header, []byte, error) {
	var b [headerSize]byte
	if size-off < headerSize {
		return header{}, nil, errDamaged
	}
	if _, err := r.ReadAt(b[:], off); err != nil {
		return header{}, nil, err
	}
	h, err := parseHeader(b[:])
	if err != nil || size-off < h.length() {
		return header{}, nil, errDamaged
	}
	if !payload {
		return h, nil, nil
	}
	p := make([]byte, h.size)
	if _, err := r.ReadAt(p, off+headerSize); err != nil {
		return header{}, nil, err
	}
	if crc32.Checksum(p, castagnoli) != h.sum {
		return header{}, nil, errDamaged
	}
	return h, p, nil
}

// nextFrame returns the first offset after off at which a whole header stands,
// or size.
func nextFrame(r io.ReaderAt, off, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for off++; off+headerSize <= size; {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := 0; i+headerSize <= n; i++ {
			if buf[i] == magic[0] {
				if h, err := parseHeader(buf[i:n]); err == nil && off+int64(i)+h.length() <= size {
					return off + int64(i), nil
				}
			}
		}
		if n < headerSize {
			break
		}
		off += int64(n - headerSize + 1)
	}
	return size, nil
}
