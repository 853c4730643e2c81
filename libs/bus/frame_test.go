package bus

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sampleHeads() (requestHead, responseHead) {
	req := requestHead{
		Method: "POST", Target: "/a?b=c", Host: "h", Remote: "192.0.2.1:4", ContentLength: -1, Timeout: time.Second,
		Header: http.Header{"A": {"1", "2"}, "B": {"\xff"}}, Trailer: []string{"T"},
	}
	res := responseHead{
		Inbox: "gatehouse.v1.inbox.x.y.s.z", Status: 207, ContentLength: 1 << 40, Header: http.Header{"C": {""}},
	}
	return req, res
}

func TestHeadsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	req, res := sampleHeads()
	gotReq, content, err := readRequestHead(append(req.append(nil), "content"...))
	require.NoError(t, err)
	require.Equal(t, req, gotReq)
	require.Equal(t, "content", string(content))
	gotRes, content, err := readResponseHead(res.append(nil))
	require.NoError(t, err)
	require.Equal(t, res, gotRes)
	require.Empty(t, content)
}

func FuzzFrame(f *testing.F) {
	req, res := sampleHeads()
	f.Add(req.append(appendFrame(nil, frameOpen, flagEnd, 0)))
	f.Add(res.append(appendFrame(nil, frameHead, 0, 1)))
	f.Add(appendHeader(appendFrame(nil, frameEnd, 0, 1), http.Header{"T": {"x"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _, rest, err := parseFrame(b)
		if err != nil {
			return
		}
		if h, content, err := readRequestHead(rest); err == nil {
			again, content2, err := readRequestHead(append(h.append(nil), content...))
			require.NoError(t, err)
			require.Equal(t, h, again)
			require.Equal(t, string(content), string(content2))
		}
		if h, _, err := readResponseHead(rest); err == nil {
			again, _, err := readResponseHead(h.append(nil))
			require.NoError(t, err)
			require.Equal(t, h, again)
		}
		// Whatever comes, a stream takes it or says no, and does not hang.
		s := &stream{b: &Bus{}, heads: make(chan responseHead, 1), done: make(chan struct{}), credit: window}
		s.moved.L = &s.mu
		_ = s.receive(b[0], b[1], 0, rest)
	})
}
