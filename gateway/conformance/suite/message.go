package suite

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Field is a header field as it came over the wire, white space around the
// value apart.
type Field struct{ Name, Value string }

// Fields are header or trailer fields in their order.
type Fields []Field

// Get returns the values of a name, joined by a comma, and whether it is there.
func (f Fields) Get(name string) (string, bool) {
	var values []string
	for _, x := range f {
		if strings.EqualFold(x.Name, name) {
			values = append(values, x.Value)
		}
	}
	return strings.Join(values, ", "), len(values) > 0
}

// Message is a request or a response as it came over the wire.
type Message struct {
	// Start is the first line without its end, Head the bytes up to the body.
	Start, Head string
	Header      Fields
	Body        []byte
	Trailer     Fields
	// Framing is "none", "length", "chunked" or "close".
	Framing string
}

// The errors of reading a message.
var (
	errForm = errors.New("malformed message")
	errCut  = errors.New("the body ends too early")
)

const maxHead = 1 << 20

// readHead reads up to the empty line.
func readHead(r *bufio.Reader) (*Message, error) {
	m := &Message{}
	var head strings.Builder
	for n := 0; ; n++ {
		line, err := r.ReadString('\n')
		if err != nil {
			if head.Len()+len(line) > 0 && errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: the head ends after %q", errForm, head.String()+line)
			}
			return nil, err
		}
		if head.WriteString(line); head.Len() > maxHead {
			return nil, fmt.Errorf("%w: the head is too long", errForm)
		}
		text, ok := strings.CutSuffix(line, "\r\n")
		if !ok {
			return nil, fmt.Errorf("%w: a line ends with LF alone: %q", errForm, line)
		}
		if n == 0 {
			m.Start = text
			continue
		}
		if text == "" {
			m.Head = head.String()
			return m, nil
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%w: not a field: %q", errForm, line)
		}
		m.Header = append(m.Header, Field{name, strings.Trim(value, " \t")})
	}
}

// readBody reads the body of a message that has one. A message with two
// framings is malformed: whoever sent it could be misunderstood.
func (m *Message) readBody(r *bufio.Reader, untilClose bool) error {
	length, hasLength := m.Header.Get("Content-Length")
	coding, hasCoding := m.Header.Get("Transfer-Encoding")
	var err error
	switch {
	case hasLength && hasCoding:
		return fmt.Errorf("%w: Content-Length and Transfer-Encoding", errForm)
	case hasCoding && coding != "chunked":
		return fmt.Errorf("%w: Transfer-Encoding: %s", errForm, coding)
	case hasCoding:
		m.Framing = "chunked"
		return m.readChunks(r)
	case hasLength:
		m.Framing = "length"
		n, convErr := strconv.ParseUint(length, 10, 40)
		if convErr != nil {
			return fmt.Errorf("%w: Content-Length: %s", errForm, length)
		}
		m.Body, err = io.ReadAll(io.LimitReader(r, int64(n)))
		if err == nil && uint64(len(m.Body)) < n {
			err = errCut
		}
	case untilClose:
		m.Framing = "close"
		m.Body, err = io.ReadAll(r)
	default:
		m.Framing = "none"
	}
	return err
}

func (m *Message) readChunks(r *bufio.Reader) error {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%w: %w", errCut, err)
		}
		size, _, _ := strings.Cut(strings.TrimSuffix(line, "\r\n"), ";")
		n, err := strconv.ParseUint(size, 16, 32)
		if err != nil || !strings.HasSuffix(line, "\r\n") {
			return fmt.Errorf("%w: chunk size %q", errForm, line)
		}
		if n == 0 {
			break
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return fmt.Errorf("%w: %w", errCut, err)
		}
		if string(chunk[n:]) != "\r\n" {
			return fmt.Errorf("%w: a chunk ends with %q", errForm, chunk[n:])
		}
		m.Body = append(m.Body, chunk[:n]...)
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%w: %w", errCut, err)
		}
		text, ok := strings.CutSuffix(line, "\r\n")
		if !ok {
			return fmt.Errorf("%w: a trailer ends with LF alone: %q", errForm, line)
		}
		if text == "" {
			return nil
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return fmt.Errorf("%w: trailer %q", errForm, text)
		}
		m.Trailer = append(m.Trailer, Field{name, strings.Trim(value, " \t")})
	}
}

// readResponse reads one response; those of a HEAD request and with some
// statuses have no body (RFC 9112 section 6.3).
func readResponse(r *bufio.Reader, method string) (*Message, int, error) {
	m, err := readHead(r)
	if err != nil {
		return nil, 0, err
	}
	version, rest, _ := strings.Cut(m.Start, " ")
	text, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(text)
	if err != nil || version != "HTTP/1.1" || len(text) != 3 {
		return nil, 0, fmt.Errorf("%w: status line %q", errForm, m.Start)
	}
	if status < 200 || status == 204 || status == 304 || method == "HEAD" {
		return m, status, nil
	}
	return m, status, m.readBody(r, true)
}
