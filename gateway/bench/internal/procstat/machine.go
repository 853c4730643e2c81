package procstat

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Busy returns the time that all cores of the machine together have not been
// idle since it started, what the host took from a virtual machine included.
func Busy() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("reading the machine's times: %w", err)
	}
	return parseBusy(b)
}

// parseBusy reads the first line of /proc/stat (proc_stat(5)): cpu, user, nice,
// system, idle, iowait, irq, softirq, steal, and guest times that user holds.
func parseBusy(b []byte) (time.Duration, error) {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	f := bytes.Fields(line)
	if len(f) < 9 || string(f[0]) != "cpu" {
		return 0, errors.New("parsing the machine's times: the first line is not that of all cores")
	}
	var busy time.Duration
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
		n, err := strconv.ParseInt(string(f[i]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("parsing the machine's times: field %d: %w", i, err)
		}
		busy += time.Duration(n) * tick
	}
	return busy, nil
}
