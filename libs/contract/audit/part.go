package audit

import (
	"encoding/json"
	"fmt"
	"time"
)

// Part is the first line of an export that a filter made: what it is a part of. Its
// entries have gaps between them, so that each is verified by itself.
type Part struct {
	// Organization is whose trail it is, by id.
	Organization string `json:"organization"`
	// Filter is what the entries were narrowed by.
	Filter map[string]string `json:"filter"`
	// Last and Head are the sequence and the hash of the last entry that the trail had
	// then.
	Last int64  `json:"last"`
	Head string `json:"head"`
	// At is when it was made.
	At time.Time `json:"at"`
}

// PartBegin and PartEnd are the first and the last line of such an export.
type (
	PartBegin struct {
		Part Part `json:"part"`
	}
	// PartEnd says how many entries there are, so that an end that is cut off shows.
	PartEnd struct {
		Entries *int64 `json:"entries"`
	}
)

// partOf returns what a line says of a part; ok is false for an entry.
func partOf(line []byte) (p Part, ok bool) {
	var begin struct {
		Part *Part `json:"part"`
	}
	if json.Unmarshal(line, &begin) != nil || begin.Part == nil {
		return Part{}, false
	}
	return *begin.Part, true
}

// own reports whether an entry is what its hash was made of.
func (e Entry) own() bool {
	hash, err := e.seal()
	return err == nil && e.Hash == hash
}

// partly verifies the lines of a part, one at a time.
type partly struct {
	last  Entry
	ended bool
}

// line takes a line, and returns why it is not as it was written.
func (p *partly) line(out *Verified, b []byte) (why string) {
	if p.ended {
		return "it stands after the end"
	}
	var end PartEnd
	if json.Unmarshal(b, &end) == nil && end.Entries != nil {
		p.ended = true
		if why := exact(b, &end); why != "" {
			return why
		}
		if *end.Entries != out.Entries {
			return fmt.Sprintf("%d entries were written, and %d are there", *end.Entries, out.Entries)
		}
		return ""
	}
	var e Entry
	if why := exact(b, &e); why != "" {
		return why
	}
	switch {
	case e.Organization != out.Organization:
		return "it is of another organization than the export"
	case e.Sequence <= p.last.Sequence:
		return fmt.Sprintf("entry %d comes after entry %d", e.Sequence, p.last.Sequence)
	case !e.own():
		return fmt.Sprintf("entry %d is not what its hash was made of", e.Sequence)
	case e.Sequence == p.last.Sequence+1 && e.PreviousHash != p.last.Hash:
		return fmt.Sprintf("entry %d does not name the hash of the one before", e.Sequence)
	case e.Sequence > out.Part.Last, e.Sequence == out.Part.Last && e.Hash != out.Part.Head:
		return fmt.Sprintf("entry %d is not of the trail as it was when the export was made", e.Sequence)
	}
	p.last = e
	if out.First == 0 {
		out.First = e.Sequence
	}
	out.Last, out.Entries = e.Sequence, out.Entries+1
	return ""
}
