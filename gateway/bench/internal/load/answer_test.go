package load

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestBody(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, Small, Large} {
		require.Len(t, Body(n), n)
	}
	require.True(t, bytes.HasPrefix(Body(Large), Body(Small)))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	ok := Answer{Status: 200, Body: []byte("hello world")}
	for name, c := range map[string]struct {
		text string
		want Answer
		last bool
		err  string
	}{
		"content length":         {text: "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", want: ok},
		"any case":               {text: "HTTP/1.1 200 OK\r\ncontent-LENGTH:11\r\n\r\nhello world", want: ok},
		"chunked":                {text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n", want: ok},
		"closes":                 {text: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 11\r\n\r\nhello world", want: ok, last: true},
		"any body":               {text: "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno!", want: Answer{Status: 401}},
		"another status":         {text: "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops", want: ok, err: `status 502, want 200: "oops"`},
		"too short":              {text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", want: ok, err: "body of 5 bytes, want 11"},
		"too long":               {text: "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world!", want: ok, err: "body differs"},
		"another body":           {text: "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello_world", want: ok, err: "body differs after byte"},
		"chunked and too short":  {text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", want: ok, err: "body of 5 bytes"},
		"no framing":             {text: "HTTP/1.1 200 OK\r\n\r\nhello world", want: ok, err: "neither Content-Length nor chunked"},
		"two framings":           {text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 11\r\n\r\n", want: ok, err: "both"},
		"two lengths":            {text: "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Length: 11\r\n\r\nhello world", want: ok, err: "Content-Length"},
		"bad length":             {text: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", want: ok, err: "Content-Length"},
		"bad chunk size":         {text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", want: ok, err: "chunk size"},
		"junk after chunk":       {text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n", want: ok, err: "after a chunk"},
		"cut off":                {text: "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello", want: ok, err: "closed before the end"},
		"nothing":                {text: "", want: ok, err: "closed before the end"},
		"another protocol":       {text: "SSH-2.0-OpenSSH_9.2\r\n\r\n", want: ok, err: "status line"},
		"header without an end":  {text: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70_000), want: ok, err: "over 65536 bytes"},
		"old version":            {text: "HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\nhello world", want: ok, err: "status line"},
		"status is not a number": {text: "HTTP/1.1 2x0 OK\r\nContent-Length: 11\r\n\r\nhello world", want: ok, err: "status line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// However the bytes arrive, the outcome is the same.
			whole := newAnswerReader(strings.NewReader(c.text))
			single := newAnswerReader(iotest.OneByteReader(strings.NewReader(c.text)))
			for _, r := range []*answerReader{whole, single} {
				last, err := r.read(&c.want)
				if c.err == "" {
					require.NoError(t, err)
					require.Equal(t, c.last, last)
					require.Equal(t, r.r, r.w, "bytes left over")
				} else {
					require.ErrorIs(t, err, ErrAnswer)
					if r == whole || !strings.Contains(c.err, `"oops"`) {
						require.ErrorContains(t, err, c.err)
					}
				}
			}
		})
	}
}

func TestAnswersFollowEachOther(t *testing.T) {
	t.Parallel()
	one := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	two := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	const n = 5_000 // more than the buffer holds
	r := newAnswerReader(strings.NewReader(strings.Repeat(one+two, n)))
	for range 2 * n {
		_, err := r.read(&Answer{Status: 200, Body: []byte("hello")})
		require.NoError(t, err)
	}
	_, err := r.read(&Answer{Status: 200})
	require.ErrorIs(t, err, ErrAnswer)
}

// Not parallel: AllocsPerRun counts the whole process.
func TestReadingDoesNotAllocate(t *testing.T) {
	answer := []byte("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
	src := bytes.NewReader(nil)
	r := newAnswerReader(src)
	want := Answer{Status: 200, Body: []byte("hello")}
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		src.Reset(answer)
		if _, err := r.read(&want); err != nil {
			t.Fatal(err)
		}
	}), 1.0) // the digits of the length
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		want := Answer{Status: 200, Body: []byte("hello")}
		r := newAnswerReader(bytes.NewReader(b))
		if _, err := r.read(&want); err == nil {
			require.Contains(t, string(b), "200")
			require.Equal(t, 5, r.body)
		}
	})
}
