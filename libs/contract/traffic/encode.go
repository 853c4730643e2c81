package traffic

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// Encoder encodes records, and remembers the second in which the last one
// began. Its zero value is ready; one goroutine at a time may use it.
type Encoder struct {
	second int64
	stamp  []byte // that second, up to the point
}

// AppendJSON appends the record as one JSON object, without a newline, and
// returns the extended slice. Decoding gives the same as decoding what
// encoding/json makes of the record. It allocates only where dst is too small.
func (r *Record) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"time":"`...)
	return r.appendFrom(appendTime(dst, r.Time), nil)
}

// Append is [Record.AppendJSON]. The route, where not nil, is what
// [Record.AppendRoute] has made for a record of the same gateway and route, so
// that it need not be encoded again.
func (e *Encoder) Append(dst []byte, r *Record, route []byte) []byte {
	dst = append(dst, `{"time":"`...)
	second := r.Time.Unix()
	if e.stamp == nil || second != e.second {
		var b [32]byte
		whole := appendTime(b[:0], r.Time)
		e.second, e.stamp = second, append(e.stamp[:0], whole[:len(whole)-len("000000Z")]...)
	}
	dst = append(appendMicros(append(dst, e.stamp...), r.Time), 'Z')
	return r.appendFrom(dst, route)
}

// AppendRoute appends what the record says of the gateway and the route, for
// [Encoder.Append].
func (r *Record) AppendRoute(dst []byte) []byte {
	dst = text(dst, `,"gateway":"`, r.Gateway)
	dst = text(dst, `,"organization":"`, r.Organization)
	dst = text(dst, `,"project":"`, r.Project)
	dst = text(dst, `,"environment":"`, r.Environment)
	dst = text(dst, `,"api":"`, r.API)
	dst = text(dst, `,"apiName":"`, r.APIName)
	dst = text(dst, `,"version":"`, r.Version)
	if r.Revision != 0 {
		dst = append(dst, `,"revision":`...)
		dst = strconv.AppendUint(dst, r.Revision, 10)
	}
	dst = text(dst, `,"operation":"`, r.Operation)
	dst = text(dst, `,"template":"`, r.Template)
	return text(dst, `,"unit":"`, r.Unit)
}

// appendFrom appends what follows the time.
func (r *Record) appendFrom(dst, route []byte) []byte {
	dst = quoted(append(dst, `","id":"`...), r.ID)
	if route != nil {
		dst = append(dst, route...)
	} else {
		dst = r.AppendRoute(dst)
	}
	dst = text(dst, `,"plan":"`, r.Plan)
	dst = text(dst, `,"subscription":"`, r.Subscription)
	dst = text(dst, `,"application":"`, r.Application)
	dst = text(dst, `,"applicationName":"`, r.ApplicationName)
	dst = text(dst, `,"credential":"`, r.Credential)
	dst = text(dst, `,"credentialKind":"`, r.CredentialKind)
	dst = text(dst, `,"subject":"`, r.Subject)
	if r.ClientIP.IsValid() {
		dst = append(dst, `,"clientIp":"`...)
		if r.ClientIP.Zone() == "" {
			dst = append(r.ClientIP.AppendTo(dst), '"')
		} else { // a zone is free text
			dst = quoted(dst, r.ClientIP.String())
		}
	}
	dst = text(dst, `,"userAgent":"`, r.UserAgent)
	dst = text(dst, `,"protocol":"`, r.Protocol)
	dst = text(dst, `,"scheme":"`, r.Scheme)
	dst = text(dst, `,"tls":"`, r.TLS)
	dst = quoted(append(dst, `,"method":"`...), r.Method)
	dst = text(dst, `,"host":"`, r.Host)
	dst = quoted(append(dst, `,"path":"`...), r.Path)
	dst = text(dst, `,"query":"`, r.Query)
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(r.Status), 10)
	if r.Sample > 0 && r.Sample < 1 {
		dst = append(dst, `,"sample":`...)
		dst = strconv.AppendFloat(dst, r.Sample, 'g', -1, 64)
	}
	dst = text(dst, `,"errorSource":"`, string(r.ErrorSource))
	dst = text(dst, `,"errorCode":"`, r.ErrorCode)
	dst = text(dst, `,"policy":"`, r.Policy)
	dst = text(dst, `,"cache":"`, r.Cache)
	dst = append(dst, `,"durationUs":`...)
	dst = strconv.AppendInt(dst, r.Duration, 10)
	dst = append(dst, `,"gatewayUs":`...)
	dst = strconv.AppendInt(dst, r.GatewayTime, 10)
	dst = number(dst, `,"upstreamUs":`, r.UpstreamTime)
	dst = number(dst, `,"transferUs":`, r.TransferTime)
	dst = append(dst, `,"requestBytes":`...)
	dst = strconv.AppendInt(dst, r.RequestBytes, 10)
	dst = append(dst, `,"responseBytes":`...)
	dst = strconv.AppendInt(dst, r.ResponseBytes, 10)
	dst = text(dst, `,"upstream":"`, r.Upstream)
	dst = number(dst, `,"upstreamStatus":`, int64(r.UpstreamStatus))
	dst = number(dst, `,"attempts":`, int64(r.Attempts))
	dst = number(dst, `,"retries":`, int64(r.Retries))
	if r.TraceID != (TraceID{}) {
		dst = append(dst, `,"traceId":"`...)
		dst = append(hex.AppendEncode(dst, r.TraceID[:]), '"')
	}
	if r.SpanID != (SpanID{}) {
		dst = append(dst, `,"spanId":"`...)
		dst = append(hex.AppendEncode(dst, r.SpanID[:]), '"')
	}
	dst = pairs(dst, `,"attributes":`, r.Attributes)
	dst = pairs(dst, `,"requestHeaders":`, r.RequestHeaders)
	dst = pairs(dst, `,"responseHeaders":`, r.ResponseHeaders)
	dst = text(dst, `,"requestBody":"`, r.RequestBody)
	dst = text(dst, `,"responseBody":"`, r.ResponseBody)
	if r.Decision != nil {
		dst = append(dst, `,"decision":`...)
		dst = r.Decision.AppendJSON(dst)
	}
	return append(dst, '}')
}

// AppendJSON appends the decision as one JSON object and returns the extended
// slice.
func (d *Decision) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"kept":`...)
	dst = appendString(dst, string(d.Kept))
	dst = text(dst, `,"detail":"`, d.Detail)
	for i, h := range d.RequestHeaders {
		dst = item(dst, `,"requestHeaders":[`, i)
		dst = appendString(dst, h)
	}
	if len(d.RequestHeaders) > 0 {
		dst = append(dst, ']')
	}
	if len(d.Match) > 0 && json.Valid(d.Match) {
		dst = append(dst, `,"match":`...)
		dst = appendCompact(dst, d.Match)
	}
	for i := range d.Policies {
		v := &d.Policies[i]
		dst = item(dst, `,"policies":[`, i)
		dst = append(dst, `{"policy":`...)
		dst = appendString(dst, v.Policy)
		dst = append(dst, `,"type":`...)
		dst = appendString(dst, v.Type)
		dst = text(dst, `,"level":"`, v.Level)
		dst = text(dst, `,"phase":"`, v.Phase)
		dst = append(dst, `,"outcome":`...)
		dst = appendString(dst, string(v.Outcome))
		dst = text(dst, `,"reason":"`, v.Reason)
		dst = number(dst, `,"startNs":`, int64(v.Start))
		dst = append(dst, `,"durationNs":`...)
		dst = strconv.AppendInt(dst, int64(v.Duration), 10)
		dst = pairs(dst, `,"notes":`, v.Notes)
		dst = append(dst, '}')
	}
	if len(d.Policies) > 0 {
		dst = append(dst, ']')
	}
	for i := range d.Attempts {
		a := &d.Attempts[i]
		dst = item(dst, `,"attempts":[`, i)
		dst = append(dst, `{"target":`...)
		dst = appendString(dst, a.Target)
		dst = number(dst, `,"status":`, int64(a.Status))
		dst = text(dst, `,"error":"`, a.Error)
		dst = append(dst, `,"startUs":`...)
		dst = strconv.AppendInt(dst, a.Start, 10)
		dst = append(dst, `,"durationUs":`...)
		dst = strconv.AppendInt(dst, a.Duration, 10)
		if a.Reused {
			dst = append(dst, `,"reused":true`...)
		}
		dst = append(dst, '}')
	}
	if len(d.Attempts) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func item(dst []byte, open string, i int) []byte {
	if i == 0 {
		return append(dst, open...)
	}
	return append(dst, ',')
}

// text appends a member whose key ends with the quote that opens the value,
// unless the value is empty.
func text(dst []byte, key, v string) []byte {
	if v == "" {
		return dst
	}
	return quoted(append(dst, key...), v)
}

func number(dst []byte, key string, v int64) []byte {
	if v == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, key...), v, 10)
}

func pairs(dst []byte, key string, p Pairs) []byte {
	if len(p) == 0 {
		return dst
	}
	return appendPairs(append(dst, key...), p)
}

func appendPairs(dst []byte, p Pairs) []byte {
	dst = append(dst, '{')
	for i := range p {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, p[i].Name)
		dst = append(dst, ':')
		dst = appendString(dst, p[i].Value)
	}
	return append(dst, '}')
}

// appendTime writes RFC 3339 in UTC with six digits always, so that lines sort
// by text.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	y, mo, d := t.Date()
	h, mi, s := t.Clock()
	if y < 0 || y > 9999 {
		y = 0
	}
	dst = append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-')
	dst = append(two(dst, int(mo)), '-')
	dst = append(two(dst, d), 'T')
	dst = append(two(dst, h), ':')
	dst = append(two(dst, mi), ':')
	dst = append(two(dst, s), '.')
	return append(appendMicros(dst, t), 'Z')
}

func appendMicros(dst []byte, t time.Time) []byte {
	us := t.Nanosecond() / 1000
	return two(two(two(dst, us/10000), us/100%100), us%100)
}

func two(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

const hexDigits = "0123456789abcdef"

// plain marks the bytes that stand for themselves in a JSON text.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends s as a JSON text. Bytes that are no UTF-8 become U+FFFD;
// whatever could end a line, move a terminal's cursor or turn the direction of
// text is escaped, so that nothing a client sends can pass for another record.
func appendString(dst []byte, s string) []byte { return quoted(append(dst, '"'), s) }

// quoted appends what stands behind the quote that opens a text.
func quoted(dst []byte, s string) []byte {
	at := len(dst)
	if dst = append(dst, s...); allPlain(dst[at:]) {
		return append(dst, '"')
	}
	dst = dst[:at]
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || unsafeRune(r) {
			dst = append(dst, s[start:i]...)
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			start = i + n
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// allPlain reports whether all bytes stand for themselves. It looks at eight at
// a time.
func allPlain(b []byte) bool {
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		quote, slash, del := x^'"'*ones, x^'\\'*ones, x^0x7f*ones
		// Borrows may only make a plain byte behind another one look like it.
		odd := x | (x-' '*ones)&^x | (quote-ones)&^quote | (slash-ones)&^slash | (del-ones)&^del
		if odd&highs != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if !plain[c] {
			return false
		}
	}
	return true
}

// unsafeRune reports C1 controls, line and paragraph separators and the marks
// that turn the direction of text.
func unsafeRune(r rune) bool {
	return r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0xfeff
}

// appendCompact copies valid JSON without the white space between its tokens,
// so that a record stays one line.
func appendCompact(dst, src []byte) []byte {
	in, skip := false, false
	for _, c := range src {
		switch {
		case skip:
			skip = false
		case in && c == '\\':
			skip = true
		case c == '"':
			in = !in
		case !in && (c == ' ' || c == '\n' || c == '\r' || c == '\t'):
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
