package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// exchangeH2 sends one request in HTTP/2 with the fields exactly as given. The
// result is nil where the stream or the connection was reset.
func exchangeH2(c net.Conn, fields []string, body string) (*Message, int, error) {
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		return nil, 0, err
	}
	f := http2.NewFramer(c, c)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, line := range fields {
		i := strings.Index(line[1:], ":") + 1
		if err := enc.WriteField(hpack.HeaderField{Name: line[:i], Value: strings.TrimPrefix(expand(line[i+1:]), " ")}); err != nil {
			return nil, 0, err
		}
	}
	first := block.Bytes()
	var rest []byte
	if len(first) > 16<<10 {
		first, rest = first[:16<<10], first[16<<10:]
	}
	err := errors.Join(
		f.WriteSettings(),
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndHeaders: len(rest) == 0, EndStream: body == ""}),
	)
	for len(rest) > 0 && err == nil {
		n := min(len(rest), 16<<10)
		err = f.WriteContinuation(1, n == len(rest), rest[:n])
		rest = rest[n:]
	}
	if body != "" && err == nil {
		err = f.WriteData(1, true, []byte(body))
	}
	if err != nil {
		return nil, 0, err
	}
	return readH2(f)
}

func readH2(f *http2.Framer) (*Message, int, error) {
	m, status := &Message{Framing: "frames"}, 0
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return nil, 0, err
		}
		switch fr := frame.(type) {
		case *http2.SettingsFrame:
			if !fr.IsAck() {
				if err := f.WriteSettingsAck(); err != nil {
					return nil, 0, err
				}
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return nil, 0, nil
		case *http2.MetaHeadersFrame:
			for _, h := range fr.Fields {
				switch {
				case h.Name != ":status" && status < 200:
					m.Trailer = append(m.Trailer, Field{h.Name, h.Value})
				case h.Name == ":status":
					if status, err = strconv.Atoi(h.Value); err != nil {
						return nil, 0, fmt.Errorf("%w: status %q", errForm, h.Value)
					}
				default:
					m.Header = append(m.Header, Field{h.Name, h.Value})
				}
			}
			if fr.StreamEnded() {
				return m, status, nil
			}
		case *http2.DataFrame:
			m.Body = append(m.Body, fr.Data()...)
			if fr.StreamEnded() {
				return m, status, nil
			}
		}
	}
}
