// Package domains finds out whether an organization runs a domain: by a record in
// DNS that says a random value. It has the rules of when to look, and asks; it keeps
// nothing.
package domains

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

// label is what the record's name begins with.
const label = "_gatehouse-verification."

// RecordName returns the name of the TXT record of a domain.
func RecordName(domain string) string { return label + domain }

// IsDomain reports whether something is a domain in lower case that can have the
// record: names in DNS have 253 characters at most (RFC 1035 section 2.3.4).
func IsDomain(s string) bool { return len(label)+len(s) <= 253 && sso.IsDomain(s) }

// What a look found.
const (
	// Found is the record with the value.
	Found = ""
	// Missing is no such record.
	Missing = "missing"
	// Other is a record with other values alone.
	Other = "other-value"
	// Unanswered is no answer that says either: servers that are away or fail.
	Unanswered = "unanswered"
	// Taken is the record, of a domain that another organization has.
	Taken = "taken"
)

// Resolver asks DNS.
type Resolver struct{ net *net.Resolver }

// askTimeout bounds one look.
const askTimeout = 10 * time.Second

// NewResolver returns a resolver that asks servers, host:port, in turn; none = those
// of the system.
func NewResolver(servers []string) *Resolver {
	if len(servers) == 0 {
		return &Resolver{net.DefaultResolver}
	}
	d := &net.Dialer{Timeout: 3 * time.Second}
	next := make(chan int, 1)
	next <- 0
	return &Resolver{&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		i := <-next
		next <- (i + 1) % len(servers)
		return d.DialContext(ctx, network, servers[i])
	}}}
}

// Look returns Found, Missing, Other or Unanswered.
func (r *Resolver) Look(ctx context.Context, domain, value string) string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	// The dot at the end keeps the search list of the system out of it.
	texts, err := r.net.LookupTXT(ctx, RecordName(domain)+".")
	var failed *net.DNSError
	switch {
	case err == nil && slices.ContainsFunc(texts, func(s string) bool { return strings.TrimSpace(s) == value }):
		return Found
	case err == nil && len(texts) > 0:
		return Other
	case err == nil || errors.As(err, &failed) && failed.IsNotFound:
		return Missing
	}
	return Unanswered
}

const (
	// Grace is how long a domain counts whose record is missing.
	Grace = 7 * 24 * time.Hour
	// Patience is how long a record is waited for that was never there.
	Patience = 30 * 24 * time.Hour

	again   = 24 * time.Hour   // when all is well
	first   = time.Minute      // after a first look in vain
	longest = 6 * time.Hour    // between looks in vain
	failing = time.Hour        // while a domain is about to be lost
	soon    = 10 * time.Minute // after no answer
)

// State is how a domain stands.
type State struct {
	// Verified says that the organization has it; Proven that it once did.
	Verified, Proven bool
	// ClaimedAt is since when it is waited for.
	ClaimedAt time.Time
	// LostAt is since when the record is missing of one that was verified.
	LostAt *time.Time
	// Attempts counts looks in vain since the last that was not.
	Attempts int
}

// Next is what becomes of a domain after a look.
type Next struct {
	State
	// Lost says that it has just ceased to count, Failing that its record has just
	// gone missing.
	Lost, Failing bool
	// At is when to look again; nil = not by itself.
	At *time.Time
}

// After returns what becomes of a domain after a look found something.
func After(s State, found string, now time.Time) Next {
	n := Next{State: s}
	in := func(d time.Duration) {
		at := now.Add(d)
		n.At = &at
	}
	switch {
	case found == Found:
		n.Verified, n.Proven, n.LostAt, n.Attempts = true, true, nil, 0
		in(again)
	case s.Verified && found == Unanswered:
		in(soon) // nobody said that it is gone
	case s.Verified && s.LostAt == nil:
		n.LostAt, n.Failing, n.Attempts = &now, true, 1
		in(failing)
	case s.Verified && now.Before(s.LostAt.Add(Grace)):
		n.Attempts++
		in(failing)
	case s.Verified:
		n.Verified, n.Lost = false, true
		n.Attempts++
		in(again)
	default:
		n.Attempts++
		since := s.ClaimedAt
		if s.LostAt != nil {
			since = s.LostAt.Add(Grace)
		}
		if now.Before(since.Add(Patience)) {
			in(min(first<<min(n.Attempts-1, 12), longest))
		}
	}
	return n
}
