package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Entry is an entry of an organization's trail. Each is bound to the one before
// it by a hash, so that none can be changed, left out or put in between without
// all that follow. Its JSON is a line of an export.
type Entry struct {
	Recorded
	// Sequence numbers the entries of the organization from 1, without gaps.
	Sequence int64 `json:"sequence"`
	// PreviousHash is that of the entry before, "" for the first.
	PreviousHash string `json:"previousHash"`
	// Hash is that of this entry: SHA-256, in hexadecimal digits.
	Hash string `json:"hash"`
}

// Head is the last entry of a chain; the zero value is that of an empty one.
type Head struct {
	Sequence int64
	Hash     string
}

// sealed is what the hash is over: its JSON. The order of the fields is part of
// the format and never changes.
type sealed struct {
	Version      int      `json:"v"`
	Previous     string   `json:"previous"`
	Sequence     int64    `json:"sequence"`
	ID           string   `json:"id"`
	Organization string   `json:"organization"`
	Service      string   `json:"service"`
	Action       string   `json:"action"`
	Outcome      string   `json:"outcome"`
	Actor        Actor    `json:"actor"`
	Target       Target   `json:"target"`
	Changes      []Change `json:"changes"`
	RequestID    string   `json:"requestId"`
	IP           string   `json:"ip"`
	Time         string   `json:"time"`
	// Via was not there at first: entries without it are sealed as they were.
	Via string `json:"via,omitempty"`
}

// sealVersion is the format of [sealed].
const sealVersion = 1

// Append returns what was recorded as the entry after the head.
func Append(head Head, r Recorded) (Entry, error) {
	r.Time = r.Time.UTC().Truncate(time.Microsecond) // as databases keep it
	e := Entry{Recorded: r, Sequence: head.Sequence + 1, PreviousHash: head.Hash}
	var err error
	e.Hash, err = e.seal()
	return e, err
}

func (e Entry) seal() (string, error) {
	changes := e.Changes
	if len(changes) == 0 {
		changes = nil
	}
	b, err := json.Marshal(sealed{
		Version: sealVersion, Previous: e.PreviousHash, Sequence: e.Sequence,
		ID: e.ID, Organization: e.Organization, Service: e.Service, Action: e.Action, Outcome: e.Outcome,
		Actor: e.Actor, Target: e.Target, Changes: changes, RequestID: e.RequestID, IP: e.IP,
		Time: e.Time.UTC().Format(time.RFC3339Nano), Via: e.Via,
	})
	if err != nil {
		return "", fmt.Errorf("sealing an audit entry: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Verify reports whether the entry follows the head, and returns the head after
// it.
func Verify(head Head, e Entry) (Head, bool) {
	hash, err := e.seal()
	ok := err == nil && e.Sequence == head.Sequence+1 && e.PreviousHash == head.Hash && e.Hash == hash
	return Head{Sequence: e.Sequence, Hash: e.Hash}, ok
}
