// Package sketch is a histogram of durations that is small, can be merged and
// gives quantiles with a bounded relative error. It knows nothing of what is
// measured.
//
// The buckets grow by a constant factor, as in DDSketch (Masson, Rim and Lee,
// VLDB 2019): bucket i holds the values in (g^(i-1), g^i] with g = (1+a)/(1-a),
// and every value in it is within the fraction a of 2·g^i/(g+1). Since the
// bounds do not depend on the values, merging two sketches is adding their
// counts, and loses nothing.
package sketch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

const (
	// Error is the largest relative error of a quantile.
	Error = 0.01

	gamma = (1 + Error) / (1 - Error)
	// version is the first byte of an encoded sketch.
	version = 1
	// maxIndex is the bucket of the largest int64, and the largest that a decoder
	// takes.
	maxIndex = 2184
)

// Sketch counts values. The zero value is empty and ready. One goroutine at a
// time may use it.
type Sketch struct {
	count uint64
	zeros uint64 // values of 0 and below
	low   int    // index of the first bucket of counts
	bins  []uint64
}

// Add counts a value, n times. Values below 0 count as 0.
func (s *Sketch) Add(value int64, n uint64) {
	if n == 0 {
		return
	}
	s.count += n
	if value <= 0 {
		s.zeros += n
		return
	}
	*s.bin(index(value)) += n
}

// index returns the bucket of a value above 0.
func index(value int64) int {
	return int(math.Ceil(math.Log(float64(value)) * (1 / logGamma)))
}

// logGamma is the natural logarithm of gamma: 2·artanh(Error).
const logGamma = 2 * (Error + Error*Error*Error/3 + Error*Error*Error*Error*Error/5 + Error*Error*Error*Error*Error*Error*Error/7)

// bin returns the count of a bucket, and makes room for it.
func (s *Sketch) bin(i int) *uint64 {
	switch {
	case len(s.bins) == 0:
		s.low = i
		s.bins = append(s.bins[:0], 0)
	case i < s.low:
		grown := make([]uint64, s.low-i+len(s.bins), s.low-i+len(s.bins)+8)
		copy(grown[s.low-i:], s.bins)
		s.bins, s.low = grown, i
	case i >= s.low+len(s.bins):
		for i >= s.low+len(s.bins) {
			s.bins = append(s.bins, 0)
		}
	}
	return &s.bins[i-s.low]
}

// Count returns how many values were counted.
func (s *Sketch) Count() uint64 { return s.count }

// Merge adds what the other sketch has counted.
func (s *Sketch) Merge(o *Sketch) {
	s.count += o.count
	s.zeros += o.zeros
	for i, n := range o.bins {
		if n > 0 {
			*s.bin(o.low + i) += n
		}
	}
}

// Reset forgets everything and keeps the memory.
func (s *Sketch) Reset() {
	clear(s.bins)
	s.count, s.zeros, s.bins = 0, 0, s.bins[:0]
}

// Quantile returns the value that the fraction q of the values does not exceed,
// within [Error] of the true one (the nearest rank); 0 where nothing was
// counted.
func (s *Sketch) Quantile(q float64) int64 {
	if s.count == 0 {
		return 0
	}
	rank := uint64(max(1, math.Ceil(min(1, max(0, q))*float64(s.count))))
	if rank <= s.zeros {
		return 0
	}
	seen := s.zeros
	for i, n := range s.bins {
		if seen += n; seen >= rank {
			return middle(s.low + i)
		}
	}
	return middle(s.low + len(s.bins) - 1) // the rank is a rounded number
}

// middle returns the value that is nearest, relatively, to all of a bucket.
func middle(i int) int64 {
	v := math.Exp(float64(i)*logGamma) * (2 / (gamma + 1))
	if v >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(math.Round(v))
}

// AppendBinary appends the sketch in a form for [Sketch.Decode]: a version, the
// number of zeros, and for each bucket that is not empty the distance to the one
// before and the count, all as varints. It never fails.
func (s *Sketch) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, version)
	dst = binary.AppendUvarint(dst, s.zeros)
	last := -1
	for i, n := range s.bins {
		if n > 0 {
			dst = binary.AppendUvarint(dst, uint64(s.low+i-last))
			dst = binary.AppendUvarint(dst, n)
			last = s.low + i
		}
	}
	return dst, nil
}

var (
	errVersion = errors.New("unknown version")
	errCut     = errors.New("cut off or not a number")
	errBucket  = errors.New("bucket out of range")
	errCount   = errors.New("count out of range")
)

// Decode adds what an encoded sketch has counted. After an error the sketch is
// as it was.
func (s *Sketch) Decode(b []byte) error {
	if err := walk(b, func(int, uint64) {}); err != nil {
		return fmt.Errorf("reading sketch: %w", err)
	}
	return walk(b, func(i int, n uint64) {
		s.count += n
		if i < 0 {
			s.zeros += n
		} else {
			*s.bin(i) += n
		}
	})
}

// walk visits the buckets of an encoded sketch; -1 is that of the zeros.
func walk(b []byte, visit func(i int, n uint64)) error {
	if len(b) == 0 || b[0] != version {
		return errVersion
	}
	b = b[1:]
	var total uint64
	next := func() (uint64, error) {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			return 0, errCut
		}
		b = b[size:]
		return n, nil
	}
	count := func(i int) error {
		n, err := next()
		if err != nil {
			return err
		}
		if n > math.MaxInt64 || total+n > math.MaxInt64 {
			return errCount
		}
		total += n
		if n > 0 {
			visit(i, n)
		}
		return nil
	}
	if err := count(-1); err != nil {
		return err
	}
	for i := -1; len(b) > 0; {
		step, err := next()
		if err != nil {
			return err
		}
		if step == 0 || step > maxIndex+1 || i+int(step) > maxIndex {
			return errBucket
		}
		i += int(step)
		if err := count(i); err != nil {
			return err
		}
	}
	return nil
}

// Bin returns the bucket of a value, for counting elsewhere; -1 is that of
// values of 0 and below.
func Bin(value int64) int {
	if value <= 0 {
		return -1
	}
	return index(value)
}

// AddBin counts what was counted in a bucket of [Bin]. Buckets that there are
// not are left out.
func (s *Sketch) AddBin(bin int, n uint64) {
	switch {
	case n == 0 || bin > maxIndex || bin < -1:
		return
	case bin < 0:
		s.zeros += n
	default:
		*s.bin(bin) += n
	}
	s.count += n
}
