package upstream

import (
	"bufio"
	"net/netip"
	"os"
	"strings"
)

// lookupHosts returns the addresses of host in a hosts file; none where the file
// cannot be read.
func lookupHosts(path, host string) []netip.Addr {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	var addrs []netip.Addr
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		ip, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		for _, name := range fields[1:] {
			if strings.EqualFold(strings.TrimSuffix(name, "."), host) {
				addrs = append(addrs, ip)
				break
			}
		}
	}
	return tidy(addrs)
}
