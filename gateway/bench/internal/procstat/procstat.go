// Package procstat reads what the Linux kernel has counted about a process and
// its descendants: processor time and memory. It starts and stops nothing.
package procstat

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of the times in /proc/PID/stat. USER_HZ is 100 in the kernel's
// interface to programs on every architecture that Go supports on Linux.
const tick = time.Second / 100

// Stat is a part of /proc/PID/stat (proc_pid_stat(5)).
type Stat struct {
	PID  int
	Comm string // the program's name, as the kernel has cut it
	PPID int
	User time.Duration // in steps of 10 ms
	Sys  time.Duration // in steps of 10 ms
	RSS  int64         // bytes
}

// ParseStat reads one line of /proc/PID/stat.
func ParseStat(line []byte) (Stat, error) {
	// The name is in parentheses and may itself hold spaces and parentheses.
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return Stat{}, errors.New("parsing stat: no name in parentheses")
	}
	// Field 3 (state) is rest[0].
	rest := bytes.Fields(line[end+1:])
	if len(rest) < 22 {
		return Stat{}, fmt.Errorf("parsing stat: %d fields after the name, want at least 22", len(rest))
	}
	s := Stat{Comm: string(line[open+1 : end])}
	var user, sys, pages int64
	for _, f := range []struct {
		name string
		text []byte
		set  func(int64)
	}{
		{"pid", bytes.TrimSpace(line[:open]), func(v int64) { s.PID = int(v) }},
		{"ppid", rest[1], func(v int64) { s.PPID = int(v) }},
		{"utime", rest[11], func(v int64) { user = v }},
		{"stime", rest[12], func(v int64) { sys = v }},
		{"rss", rest[21], func(v int64) { pages = v }},
	} {
		v, err := strconv.ParseInt(string(f.text), 10, 64)
		if err != nil {
			return Stat{}, fmt.Errorf("parsing stat: field %s: %w", f.name, err)
		}
		f.set(v)
	}
	s.User, s.Sys = time.Duration(user)*tick, time.Duration(sys)*tick
	s.RSS = pages * int64(os.Getpagesize())
	return s, nil
}

// OpenFiles returns how many files and connections a process has open.
func OpenFiles(pid int) (int, error) {
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil {
		return 0, fmt.Errorf("counting open files: %w", err)
	}
	return len(entries), nil
}

// Usage is what a process and its living descendants have used together.
type Usage struct {
	PIDs []int
	CPU  time.Duration // user and system time since they started
	RSS  int64         // bytes; a page shared by two of them counts twice
}

// Tree adds up a process and its living descendants, such as the workers of
// nginx. It fails where the process itself is gone.
func Tree(pid int) (Usage, error) { return tree("/proc", pid) }

func tree(root string, pid int) (Usage, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return Usage{}, fmt.Errorf("reading processes: %w", err)
	}
	children := make(map[int][]Stat)
	var top *Stat
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join(root, e.Name(), "stat"))
		if err != nil {
			continue // it ended since the listing
		}
		s, err := ParseStat(line)
		if err != nil {
			return Usage{}, fmt.Errorf("process %s: %w", e.Name(), err)
		}
		if s.PID == pid {
			top = &s
		}
		children[s.PPID] = append(children[s.PPID], s)
	}
	if top == nil {
		return Usage{}, fmt.Errorf("process %d: %w", pid, fs.ErrNotExist)
	}
	var u Usage
	for queue := []Stat{*top}; len(queue) > 0; queue = queue[1:] {
		s := queue[0]
		u.PIDs = append(u.PIDs, s.PID)
		u.CPU += s.User + s.Sys
		u.RSS += s.RSS
		queue = append(queue, children[s.PID]...)
	}
	return u, nil
}
