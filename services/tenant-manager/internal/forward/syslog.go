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
	// mostMsgID is the longest MSGID (RFC 5424 section 6.2.7). The whole action is in
	// the text.
	mostMsgID = 32
	// farewell is how long a server may take to close after the last message.
	farewell = 2 * time.Second
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
		if err == nil && u.Scheme == "udp" {
			if len(text) > mostUDP {
				e.Changes = nil
				text, err = s.message(e)
			}
			if err == nil {
				_, err = conn.Write([]byte(text))
			}
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
	return goodbye(conn, u.Host)
}

// goodbye ends the sending side and waits for the server to do the same, by which
// a connection that was refused or reset is told from one that was read.
func goodbye(conn net.Conn, host string) error {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		if err := c.CloseWrite(); err != nil {
			return fmt.Errorf("sending to %s: %w", host, err)
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(farewell)); err != nil {
		return fmt.Errorf("sending to %s: %w", host, err)
	}
	_, err := io.Copy(io.Discard, conn)
	var slow net.Error
	if err == nil || errors.As(err, &slow) && slow.Timeout() {
		return nil // servers that keep the connection open have read it all the same
	}
	return fmt.Errorf("sending to %s: %w", host, err)
}
