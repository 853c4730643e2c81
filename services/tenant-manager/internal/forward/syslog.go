package forward

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
)

const (
	// Facility 13 is "log audit", severity 5 notice and 4 warning (RFC 5424 section
	// 6.2.1).
	priorityDone    = 13*8 + 5
	priorityRefused = 13*8 + 4
	// mostUDP is what fits into a datagram. The changes of a longer entry are left
	// out: the whole is in the trail.
	mostUDP = 60_000
	// mostStream is the same for TCP and TLS: rsyslog takes no longer frame than 200,000
	// bytes, as it is installed, and reads what follows one as something else.
	mostStream = 128 << 10
	// mostMsgID is the longest MSGID (RFC 5424 section 6.2.7). The whole action is in
	// the text.
	mostMsgID = 32
	// farewell is [Sender.Farewell], where nobody says otherwise.
	farewell = 10 * time.Second
	// mostChatter bounds what is read of a server that answers, which syslog does not.
	mostChatter = 64 << 10
)

// message returns an entry as a message of RFC 5424, whose text is the entry as
// JSON.
func (s *Sender) message(e audit.Entry) (string, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encoding an audit entry: %w", err)
	}
	priority := uint8(priorityDone)
	if e.Outcome != "done" {
		priority = priorityRefused
	}
	m := &rfc5424.SyslogMessage{}
	m.SetPriority(priority)
	m.SetVersion(1)
	m.SetTimestamp(e.Time.UTC().Format(rfc5424.RFC3339MICRO))
	m.SetHostname(s.host)
	m.SetAppname("gatehouse")
	m.SetProcID(e.Service)
	m.SetMsgID(e.Action[:min(len(e.Action), mostMsgID)])
	m.SetMessage(string(text))
	out, err := m.String()
	if err != nil {
		return "", fmt.Errorf("writing a syslog message: %w", err)
	}
	return out, nil
}

// syslog sends entries over TLS (RFC 5425), TCP (RFC 6587, counted octets) or UDP
// (RFC 5426). Syslog has no acknowledgement: over TCP and TLS what the server
// refuses is noticed, over UDP nothing is.
func (s *Sender) syslog(ctx context.Context, u *url.URL, roots *x509.CertPool, entries []audit.Entry) error {
	var (
		conn net.Conn
		err  error
	)
	d := s.guard.Dialer(u.Host)
	switch u.Scheme {
	case "tls":
		conn, err = (&tls.Dialer{NetDialer: d, Config: tlsConfig(roots, u.Hostname())}).DialContext(ctx, "tcp", u.Host)
	default:
		conn, err = d.DialContext(ctx, u.Scheme, u.Host)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %w", u.Host, err)
	}
	defer func() { _ = conn.Close() }() // what matters was written before
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	var stream bytes.Buffer
	for _, e := range entries {
		text, err := s.message(e)
		if most := map[bool]int{true: mostUDP, false: mostStream}[u.Scheme == "udp"]; err == nil && len(text) > most {
			e.Changes = nil
			text, err = s.message(e)
		}
		if err == nil && u.Scheme == "udp" {
			_, err = conn.Write([]byte(text))
		}
		if err != nil {
			return fmt.Errorf("sending to %s: %w", u.Host, err)
		}
		stream.WriteString(strconv.Itoa(len(text)) + " " + text)
	}
	if u.Scheme == "udp" {
		return nil
	}
	if _, err := conn.Write(stream.Bytes()); err != nil {
		return fmt.Errorf("sending to %s: %w", u.Host, err)
	}
	return goodbye(conn, u.Host, s.Farewell)
}

// goodbye ends the sending side and waits for the server to do the same, which it does
// once it has read all: what lies in its buffers when it goes away is lost, and nothing
// else says so. One that does not close has not shown that it read; it gets the same
// again, which it can tell by the ids.
func goodbye(conn net.Conn, host string, wait time.Duration) error {
	ends := []net.Conn{conn}
	if secure, ok := conn.(*tls.Conn); ok { // and what is below it, for servers that look for that
		ends = append(ends, secure.NetConn())
	}
	for _, end := range ends {
		if c, ok := end.(interface{ CloseWrite() error }); ok {
			if err := c.CloseWrite(); err != nil {
				return fmt.Errorf("sending to %s: %w", host, err)
			}
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return fmt.Errorf("sending to %s: %w", host, err)
	}
	n, err := io.Copy(io.Discard, io.LimitReader(conn, mostChatter))
	var slow net.Error
	switch {
	case err == nil && n < mostChatter:
		return nil
	case err == nil:
		return fmt.Errorf("%s answers without end, which no syslog server does", host)
	case errors.As(err, &slow) && slow.Timeout():
		return fmt.Errorf("%s takes the connection, and does not show that it reads: it did not close within %s after the last message", host, wait)
	}
	return fmt.Errorf("sending to %s: %w", host, err)
}
