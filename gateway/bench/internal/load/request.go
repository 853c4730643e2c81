package load

import "fmt"

// Get returns a GET request without a body. Header lines come in pairs of name
// and value.
func Get(host, path string, header ...string) []byte {
	b := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: gatehouse-bench\r\nAccept: */*\r\n", path, host)
	for i := 0; i+1 < len(header); i += 2 {
		b = fmt.Appendf(b, "%s: %s\r\n", header[i], header[i+1])
	}
	return append(b, "\r\n"...)
}
