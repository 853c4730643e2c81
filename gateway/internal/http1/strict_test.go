package http1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// requestCases are what a client sends and how it is answered; 0 = not at all.
// Where a request is accepted, sees is what the handler is to see of it.
var requestCases = []struct {
	name, send string
	status     int
	sees       string
}{
	{"plain", "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", 200, "GET /a?b=c x HTTP/1.1 ''"},
	{"field without space or value", "GET / HTTP/1.1\r\nHost:x\r\nA:\r\n\r\n", 200, "GET / x HTTP/1.1 '' A="},
	{"white space around value", "GET / HTTP/1.1\r\nHost: \t x\t \r\nA: \tb c\t\r\n\r\n", 200, "GET / x HTTP/1.1 '' A=b c"},
	{"bytes over 127 in value", "GET / HTTP/1.1\r\nHost: x\r\nA: \xc3\xa4\r\n\r\n", 200, "GET / x HTTP/1.1 '' A=\xc3\xa4"},
	{"one empty line before", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 200, "GET / x HTTP/1.1 ''"},
	{"http/1.0 without host", "GET / HTTP/1.0\r\n\r\n", 200, "GET /  HTTP/1.0 ''"},
	{"absolute form", "GET http://x:80/p?q HTTP/1.1\r\nHost: x:80\r\n\r\n", 200, "GET /p?q x:80 HTTP/1.1 ''"},
	{"absolute form without path", "GET http://x?q HTTP/1.1\r\nHost: X\r\n\r\n", 200, "GET /?q X HTTP/1.1 ''"},
	{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 200, "OPTIONS * x HTTP/1.1 ''"},
	{"unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 200, "BREW / x HTTP/1.1 ''"},
	{"ipv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200, "GET / [::1]:80 HTTP/1.1 ''"},
	{"length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 200, "POST / x HTTP/1.1 'abc'"},
	{"length 0", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200, "POST / x HTTP/1.1 ''"},
	{"chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n", 200, "POST / x HTTP/1.1 'abc0123456789'"},
	{"chunk extension", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0;z\r\n\r\n", 200, "POST / x HTTP/1.1 'abc'"},
	{"trailer", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 5\r\n\r\n", 200, "POST / x HTTP/1.1 'a' trailer X-Sum=5"},
	{"h2c offer", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n", 200, "GET / x HTTP/1.1 '' Connection=Upgrade, HTTP2-Settings"},
	{"websocket by post", "POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200, "POST / x HTTP/1.1 '' Connection=Upgrade"},

	{"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"space before", " GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"lf before", "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"lf lines", "GET / HTTP/1.1\nHost: x\n\n", 400, ""},
	{"lf after request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400, ""},
	{"lf after field", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400, ""},
	{"lf at the end", "GET / HTTP/1.1\r\nHost: x\r\n\nGET /", 400, ""},
	{"cr in value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400, ""},
	{"cr before cr lf", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\r\n\r\n", 400, ""},
	{"cr as line", "GET / HTTP/1.1\r\nHost: x\r\n\rA: b\r\n\r\n", 400, ""},
	{"cr in request line", "GET /\r HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"nul in value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", 400, ""},
	{"nul in name", "GET / HTTP/1.1\r\nHost: x\r\nA\x00: b\r\n\r\n", 400, ""},
	{"del in value", "GET / HTTP/1.1\r\nHost: x\r\nA: 0123456\x7f89\r\n\r\n", 400, ""},
	{"fold", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400, ""},
	{"fold with tab", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n", 400, ""},
	{"fold first", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400, ""},
	{"space before colon", "GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400, ""},
	{"tab before colon", "GET / HTTP/1.1\r\nHost: x\r\nA\t: b\r\n\r\n", 400, ""},
	{"space in name", "GET / HTTP/1.1\r\nHost: x\r\nA B: b\r\n\r\n", 400, ""},
	{"empty name", "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400, ""},
	{"no colon", "GET / HTTP/1.1\r\nHost: x\r\nAbc\r\n\r\n", 400, ""},
	{"name with slash", "GET / HTTP/1.1\r\nHost: x\r\nA/B: b\r\n\r\n", 400, ""},
	{"name beyond ascii", "GET / HTTP/1.1\r\nHost: x\r\n\xc3\xa4: b\r\n\r\n", 400, ""},

	{"no host", "GET / HTTP/1.1\r\n\r\n", 400, ""},
	{"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, ""},
	{"two hosts in 1.0", "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400, ""},
	{"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, ""},
	{"userinfo in host", "GET / HTTP/1.1\r\nHost: a@x\r\n\r\n", 400, ""},
	{"space in host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, ""},
	{"path in host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, ""},
	{"port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400, ""},
	{"port not a number", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", 400, ""},
	{"empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400, ""},
	{"open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, ""},
	{"absolute form of another host", "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"absolute form of another port", "GET http://x:81/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"absolute form with userinfo", "GET http://a@x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"absolute form of another scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"authority form", "GET x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 400, ""},
	{"connect", "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 405, ""},
	{"asterisk with get", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"relative target", "GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"space in target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"tab in request line", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"control in target", "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"target beyond ascii", "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"no version", "GET /\r\nHost: x\r\n\r\n", 400, ""},
	{"space after version", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400, ""},
	{"lower case version", "GET / http/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"version 1", "GET / HTTP/1\r\nHost: x\r\n\r\n", 400, ""},
	{"version 1.10", "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400, ""},
	{"version 1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505, ""},
	{"version 2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, ""},
	{"version 9.9", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505, ""},
	{"h2 preface", preface, 505, ""},
	{"method not a token", "G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
	{"tls hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, ""},

	{"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, ""},
	{"differing lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400, ""},
	{"list of lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3,3\r\n\r\nabc", 400, ""},
	{"length with plus", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400, ""},
	{"length with minus", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc", 400, ""},
	{"length with zeros", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 003\r\n\r\nabc", 400, ""},
	{"length in hex", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", 400, ""},
	{"length overflow", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551619\r\n\r\nabc", 400, ""},
	{"length empty", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\nabc", 400, ""},
	{"length with space", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3 3\r\n\r\nabc", 400, ""},
	{"length with underscore", "POST / HTTP/1.1\r\nHost: x\r\nContent_Length: 3\r\n\r\n", 400, ""},
	{"length and coding", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding and length", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding in 1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding identity", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 400, ""},
	{"coding gzip, chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding chunked, chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding chunked twice", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding xchunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding with vertical tab", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding with parameter", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding quoted", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400, ""},
	{"coding empty", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n", 400, ""},
	{"coding with underscore", "POST / HTTP/1.1\r\nHost: x\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""},
	{"expectation", "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417, ""},
	{"websocket with content", "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\na", 400, ""},
}

// chunkCases are bodies behind a head with Transfer-Encoding: chunked, all of
// which must fail.
var chunkCases = map[string]string{
	"size empty":              "\r\nabc\r\n0\r\n\r\n",
	"size not hex":            "g\r\nabc\r\n0\r\n\r\n",
	"size with 0x":            "0x3\r\nabc\r\n0\r\n\r\n",
	"size with plus":          "+3\r\nabc\r\n0\r\n\r\n",
	"size with minus":         "-3\r\nabc\r\n0\r\n\r\n",
	"size with space before":  " 3\r\nabc\r\n0\r\n\r\n",
	"size with space after":   "3 \r\nabc\r\n0\r\n\r\n",
	"size with space and ext": "3 ;a\r\nabc\r\n0\r\n\r\n",
	"size with underscore":    "0_3\r\nabc\r\n0\r\n\r\n",
	"size of 17 digits":       "00000000000000003\r\nabc\r\n0\r\n\r\n",
	"size overflow":           "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
	"size wraps":              "10000000000000003\r\nabc\r\n0\r\n\r\n",
	"size line with lf":       "3\nabc\r\n0\r\n\r\n",
	"size line with cr":       "3\rabc\r\n0\r\n\r\n",
	"chunk ends with lf":      "3\r\nabc\n0\r\n\r\n",
	"chunk too long":          "3\r\nabcd\r\n0\r\n\r\n",
	"chunk too short":         "3\r\nab\r\n0\r\n\r\n",
	"last chunk with lf":      "3\r\nabc\r\n0\n\r\n",
	"end with lf":             "3\r\nabc\r\n0\r\n\n",
	"extension with cr":       "3;a\rb\r\nabc\r\n0\r\n\r\n",
	"extension with nul":      "3;a\x00\r\nabc\r\n0\r\n\r\n",
	"extension too long":      "3;" + strings.Repeat("a", 300) + "\r\nabc\r\n0\r\n\r\n",
	"extensions too long":     strings.Repeat("1;"+strings.Repeat("a", 200)+"\r\na\r\n", 30) + "0\r\n\r\n",
	"trailer frames":          "0\r\nContent-Length: 3\r\n\r\n",
	"trailer codes":           "0\r\nTransfer-Encoding: chunked\r\n\r\n",
	"trailer routes":          "0\r\nHost: y\r\n\r\n",
	"trailer authenticates":   "0\r\nAuthorization: y\r\n\r\n",
	"trailer says who":        "0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
	"trailer name invalid":    "0\r\nA B: y\r\n\r\n",
	"trailer fold":            "0\r\nA: y\r\n z\r\n\r\n",
	"trailer too long":        "0\r\nA: " + strings.Repeat("y", 9000) + "\r\n\r\n",
	"trailer with lf":         "0\r\nA: y\n\r\n",
}

// teller answers what it saw of a request.
func teller() *forwarder {
	return &forwarder{serve: func(ex *policy.Exchange) {
		req := &ex.Request
		b, err := []byte(nil), error(nil)
		if r := req.Body.Reader(); r != nil {
			b, err = io.ReadAll(r)
		}
		if err != nil {
			fail(ex, problemOf(&transport.CallError{Failure: transport.FailedBody, Err: err}))
			return
		}
		s := req.Method + " " + req.RawPath
		if req.Query != "" {
			s += "?" + req.Query
		}
		s += " " + req.Authority + " " + req.Proto + " '" + string(b) + "'"
		for _, f := range req.Header.Fields() {
			s += " " + f.Name + "=" + f.Value
		}
		for _, f := range req.Trailer.Fields() {
			s += " trailer " + f.Name + "=" + f.Value
		}
		ex.Response.Status = 200
		ex.Response.Body.SetBytes([]byte(s))
	}}
}

// ask sends bytes on a new connection and returns the answer, and whether the
// connection was closed after it.
func ask(t *testing.T, addr, send string) (status int, body string, closed bool) {
	t.Helper()
	c, br := dial(t, addr)
	defer c.Close()
	return askOn(t, c, br, send)
}

// askKept is ask on a connection that has served a request before.
func askKept(t *testing.T, addr, send string) (status int, body string, closed bool) {
	t.Helper()
	c, br := dial(t, addr)
	defer c.Close()
	status, body, closed = askOn(t, c, br, "GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Equal(t, 200, status, body)
	require.False(t, closed)
	return askOn(t, c, br, send)
}

func askOn(t *testing.T, c net.Conn, br *bufio.Reader, send string) (status int, body string, closed bool) {
	t.Helper()
	_, err := io.WriteString(c, send)
	require.NoError(t, err)
	resp, err := http.ReadResponse(br, nil)
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if resp.Close {
		_, err = br.ReadByte()
		require.ErrorIs(t, err, io.EOF)
	}
	return resp.StatusCode, string(b), resp.Close
}

// R12.3
func TestRequestStrictness(t *testing.T) {
	t.Parallel()
	addr, _ := start(t, teller(), nil)
	for when, ask := range map[string]func(*testing.T, string, string) (int, string, bool){"first": ask, "kept": askKept} {
		for _, c := range requestCases {
			t.Run(when+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				status, body, closed := ask(t, addr, c.send)
				require.Equal(t, c.status, status, body)
				if c.status == 200 {
					require.Equal(t, c.sees, body)
					return
				}
				require.True(t, closed, "a refused request must end the connection")
				require.Contains(t, body, `"status":`)
			})
		}
		for name, chunks := range chunkCases {
			t.Run(when+"/chunked/"+name, func(t *testing.T) {
				t.Parallel()
				status, body, closed := ask(t, addr, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+chunks)
				require.Equal(t, 400, status, body)
				require.True(t, closed)
			})
		}
	}
}

// What is accepted must mean the same to another parser: the standard library's
// server stands behind ours and is to see the same request.
func TestSameAsStandardLibrary(t *testing.T) {
	t.Parallel()
	addr, _ := proxy(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s := r.Method + " " + r.RequestURI + " " + r.Host + " '" + string(b) + "'"
		if v, ok := r.Header["A"]; ok {
			s += " A=" + strings.Join(v, ",")
		}
		_, _ = io.WriteString(w, s)
	}))
	for _, c := range requestCases {
		if c.status != 200 || strings.Contains(c.name, "without host") || strings.Contains(c.name, "asterisk") {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, body, _ := ask(t, addr, c.send)
			require.Equal(t, 200, status, body)
			want := strings.Replace(c.sees, " HTTP/1.1", "", 1)
			want, _, _ = strings.Cut(want, " trailer")
			want, _, _ = strings.Cut(want, " Connection=")
			require.Equal(t, want, body)
		})
	}
}
