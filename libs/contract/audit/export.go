package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// longestLine bounds a line of an export, in bytes: an entry has at most 200
// changes of 2 KiB before and after.
const longestLine = 4 << 20

// ErrEmpty says that an export holds no entry, of which there is nothing to say.
var ErrEmpty = errors.New("the export holds no entry")

// Verified is what an export came to.
type Verified struct {
	// Organization is whose trail it is, by id.
	Organization string
	// First and Last are the sequences of the first and the last entry that is as
	// it was written. First is greater than 1 where older entries had been removed
	// or were not asked for.
	First, Last int64
	// Anchor is the hash before the first entry: to be compared with what was kept
	// of an earlier export; "" at the beginning of a trail.
	Anchor string
	// Head is the hash of the last entry, to be kept elsewhere: it proves later
	// that nothing was changed or cut off.
	Head string
	// Part is what the export is a part of, where a filter made it: the hash of each
	// entry holds, and gaps between them are not checked. It has neither anchor nor
	// head. nil = it is all of a trail, from the first entry to the last.
	Part *Part
	// Entries is how many there are in a part.
	Entries int64
	// BrokenAt is the number of the first line that is not as it was written, from
	// 1; 0 = none. Why says what is wrong with it.
	BrokenAt int
	Why      string
}

// VerifyExport reads an export, one [Entry] a line as JSON, and computes its chain
// again; of one that begins with a [PartBegin], the hash of each entry. What is wrong with an entry is in the result; an error says that the
// export cannot be read, or is [ErrEmpty].
func VerifyExport(r io.Reader) (Verified, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), longestLine)
	var (
		out  Verified
		head Head
		part partly
		line int
	)
	for line = 1; in.Scan(); line++ {
		b := bytes.TrimSpace(in.Bytes())
		if len(b) == 0 {
			continue
		}
		if out.Part != nil {
			if why := part.line(&out, b); why != "" {
				return broken(out, line, why)
			}
			continue
		}
		if out.First == 0 {
			if p, ok := partOf(b); ok {
				out.Part, out.Organization = &p, p.Organization
				if why := exact(b, new(PartBegin)); why != "" {
					return broken(out, line, why)
				}
				continue
			}
		}
		var e Entry
		if why := exact(b, &e); why != "" {
			return broken(out, line, why)
		}
		if out.First == 0 {
			if e.Sequence < 1 || e.Sequence > 1 && e.PreviousHash == "" {
				return broken(out, line, fmt.Sprintf("entry %d has no hash of the one before", e.Sequence))
			}
			out.Organization, out.Anchor = e.Organization, e.PreviousHash
			head = Head{Sequence: e.Sequence - 1, Hash: e.PreviousHash}
		}
		next, ok := Verify(head, e)
		switch {
		case e.Organization != out.Organization:
			return broken(out, line, "it is of another organization than the lines before")
		case e.Sequence != head.Sequence+1:
			return broken(out, line, fmt.Sprintf("entry %d follows entry %d", e.Sequence, head.Sequence))
		case e.PreviousHash != head.Hash:
			return broken(out, line, fmt.Sprintf("entry %d does not name the hash of the one before", e.Sequence))
		case !ok:
			return broken(out, line, fmt.Sprintf("entry %d is not what its hash was made of", e.Sequence))
		}
		head = next
		if out.First == 0 {
			out.First = e.Sequence
		}
		out.Last, out.Head = head.Sequence, head.Hash
	}
	if err := in.Err(); err != nil {
		return out, fmt.Errorf("reading the export: %w", err)
	}
	switch {
	case out.Part != nil && !part.ended:
		return broken(out, line, "the end is cut off")
	case out.Part == nil && out.First == 0:
		return out, ErrEmpty
	}
	return out, nil
}

func broken(v Verified, line int, why string) (Verified, error) {
	v.BrokenAt, v.Why = line, why
	return v, nil
}
