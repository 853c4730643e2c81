package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The lengths of the two bodies that the upstream sends, in bytes.
const (
	Small = 1_000
	Large = 100_000
)

// Body returns the n bytes that the upstream sends as a body of that length. The
// text changes all along, so that a body put together wrongly is noticed.
func Body(n int) []byte {
	b := make([]byte, 0, n+16)
	for i := 0; len(b) < n; i++ {
		b = strconv.AppendInt(b, int64(i), 36)
		b = append(b, ' ')
	}
	return b[:n]
}

// Answer is what a request must be answered with.
type Answer struct {
	Status int
	Body   []byte // nil = any
}

// ErrAnswer says that something came back which is not the awaited answer.
var ErrAnswer = errors.New("wrong answer")

// answerReader reads HTTP/1.1 answers from one connection and compares each with
// what it must be. It reads only the fields that frame the body.
type answerReader struct {
	src io.Reader
	buf []byte
	// buf[r:w] is read but not used.
	r, w int
	body int // of the current answer: bytes seen so far
}

func newAnswerReader(src io.Reader) *answerReader {
	return &answerReader{src: src, buf: make([]byte, 64<<10)}
}

// read takes one whole answer off the connection. last is true where the other
// side is about to close the connection.
func (a *answerReader) read(want *Answer) (last bool, err error) {
	head, err := a.head()
	if err != nil {
		return false, err
	}
	f, err := parseHead(head)
	if err != nil {
		return false, err
	}
	if f.status != want.Status {
		rest := a.buf[a.r:min(a.w, a.r+200)]
		return false, fmt.Errorf("%w: status %d, want %d: %q", ErrAnswer, f.status, want.Status, rest)
	}
	a.body = 0
	switch {
	case f.chunked:
		err = a.chunks(want)
	case f.length >= 0:
		err = a.take(f.length, want)
	default:
		err = fmt.Errorf("%w: neither Content-Length nor chunked", ErrAnswer)
	}
	if err == nil && want.Body != nil && a.body != len(want.Body) {
		err = fmt.Errorf("%w: body of %d bytes, want %d", ErrAnswer, a.body, len(want.Body))
	}
	return f.last, err
}

// fill reads more, after what is not used yet.
func (a *answerReader) fill() error {
	if a.r == a.w {
		a.r, a.w = 0, 0
	} else if a.w == len(a.buf) {
		if a.r == 0 {
			return fmt.Errorf("%w: header or chunk line over %d bytes", ErrAnswer, len(a.buf))
		}
		a.w = copy(a.buf, a.buf[a.r:a.w])
		a.r = 0
	}
	n, err := a.src.Read(a.buf[a.w:])
	a.w += n
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: connection closed before the end", ErrAnswer)
	}
	return err
}

func (a *answerReader) head() ([]byte, error) {
	for {
		if i := bytes.Index(a.buf[a.r:a.w], []byte("\r\n\r\n")); i >= 0 {
			head := a.buf[a.r : a.r+i+2]
			a.r += i + 4
			return head, nil
		}
		if err := a.fill(); err != nil {
			return nil, err
		}
	}
}

func (a *answerReader) line() ([]byte, error) {
	for {
		if i := bytes.Index(a.buf[a.r:a.w], []byte("\r\n")); i >= 0 {
			line := a.buf[a.r : a.r+i]
			a.r += i + 2
			return line, nil
		}
		if err := a.fill(); err != nil {
			return nil, err
		}
	}
}

// take uses n bytes of body and compares them.
func (a *answerReader) take(n int, want *Answer) error {
	for n > 0 {
		if a.r == a.w {
			if err := a.fill(); err != nil {
				return err
			}
		}
		part := a.buf[a.r:min(a.w, a.r+n)]
		if want.Body != nil {
			end := a.body + len(part)
			if end > len(want.Body) || !bytes.Equal(part, want.Body[a.body:end]) {
				return fmt.Errorf("%w: body differs after byte %d", ErrAnswer, a.body)
			}
		}
		a.body += len(part)
		a.r += len(part)
		n -= len(part)
	}
	return nil
}

func (a *answerReader) chunks(want *Answer) error {
	for {
		line, err := a.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return fmt.Errorf("%w: chunk size %q", ErrAnswer, line)
		}
		if err := a.take(int(size), want); err != nil {
			return err
		}
		// After the last chunk come trailers; the upstream sends none.
		end, err := a.line()
		if err != nil {
			return err
		}
		if len(end) != 0 {
			return fmt.Errorf("%w: %q after a chunk", ErrAnswer, end)
		}
		if size == 0 {
			return nil
		}
	}
}

type framing struct {
	status  int
	length  int // -1 = not given
	chunked bool
	last    bool
}

func parseHead(head []byte) (framing, error) {
	f := framing{length: -1}
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return f, fmt.Errorf("%w: status line %q", ErrAnswer, line)
	}
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return f, fmt.Errorf("%w: status line %q", ErrAnswer, line)
		}
		f.status = f.status*10 + int(c-'0')
	}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		// Only three field names matter; their lengths tell them from most others.
		colon := bytes.IndexByte(line, ':')
		switch {
		case colon == len("Content-Length") && bytes.EqualFold(line[:colon], []byte("Content-Length")):
			n, err := strconv.ParseUint(string(bytes.TrimSpace(line[colon+1:])), 10, 31)
			if err != nil || f.length >= 0 {
				return f, fmt.Errorf("%w: %q", ErrAnswer, line)
			}
			f.length = int(n)
		case colon == len("Transfer-Encoding") && bytes.EqualFold(line[:colon], []byte("Transfer-Encoding")):
			if !bytes.EqualFold(bytes.TrimSpace(line[colon+1:]), []byte("chunked")) {
				return f, fmt.Errorf("%w: %q", ErrAnswer, line)
			}
			f.chunked = true
		case colon == len("Connection") && bytes.EqualFold(line[:colon], []byte("Connection")):
			f.last = bytes.EqualFold(bytes.TrimSpace(line[colon+1:]), []byte("close"))
		}
	}
	if f.chunked && f.length >= 0 {
		return f, fmt.Errorf("%w: both Content-Length and Transfer-Encoding", ErrAnswer)
	}
	return f, nil
}
