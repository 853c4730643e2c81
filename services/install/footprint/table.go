package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// use is what a container uses.
type use struct {
	service string
	limit   float64 // MiB
	memory  float64 // MiB
	cpu     float64 // per cent of a core
}

// part is a line of the table: containers of ours, beside the memory, in MiB, that
// the containers of the comparable platform are given for the same.
type part struct {
	name       string
	services   []string
	comparable []int
}

// plane is the management plane. The comparable one has 11 containers and 4 cores.
var plane = []part{
	{"analysis-manager", []string{"analysis-manager"}, []int{1024}},
	{"bff, which also serves the consoles and the portal", []string{"bff"}, []int{512, 512, 64}},
	{"gateway-manager", []string{"gateway-manager"}, []int{768}},
	{"tenant-manager", []string{"tenant-manager"}, []int{768}},
	{"policy-manager", []string{"policy-manager"}, []int{512}},
	{"devportal-backend", []string{"devportal-backend"}, []int{512}},
	{"MariaDB, primary and replica", []string{"mariadb", "mariadb-replica"}, []int{512, 256}},
	{"PostgreSQL", []string{"postgres"}, []int{256}},
	{"NATS", []string{"nats"}, nil},
	{"Redis, primary and replica", []string{"redis", "redis-replica"}, nil},
}

const (
	comparableCores = 4
	inMiB           = 1 << 20
)

// beside are what the comparable budget is not about; they are left out where
// they do not run.
var beside = []part{
	{"gateways, two", []string{"gateway-1", "gateway-2"}, nil},
	{"ingress", []string{"ingress"}, nil},
	{"sample", []string{"sample"}, nil},
	{"Prometheus", []string{"prometheus"}, nil},
	{"Elasticsearch", []string{"elasticsearch"}, nil},
}

func mebibytes(b float64) float64 { return b / inMiB }

// add takes up a measurement as docker stats prints it, such as "11.2MiB / 128MiB"
// and "0.53%".
func (u *use) add(memory, cpu string) error {
	used, _, ok := strings.Cut(memory, " / ")
	if !ok {
		return fmt.Errorf("docker stats says of memory %q", memory)
	}
	m, err := size(used)
	if err != nil {
		return err
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(cpu, "%"), 64)
	if err != nil {
		return fmt.Errorf("docker stats says of processor time %q", cpu)
	}
	u.memory = max(u.memory, m)
	u.cpu += percent
	return nil
}

// size reads a size, and returns it in MiB.
func size(s string) (float64, error) {
	for _, unit := range []struct {
		name  string
		bytes float64
	}{{"GiB", 1 << 30}, {"MiB", inMiB}, {"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1}} {
		number, ok := strings.CutSuffix(strings.TrimSpace(s), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n < 0 {
			break
		}
		return mebibytes(n * unit.bytes), nil
	}
	return 0, fmt.Errorf("docker stats says of memory %q", s)
}

// line is a line of the table as it is printed.
type line struct{ name, memory, limit, cpu, comparable string }

type table struct {
	head  line
	lines []line
}

// tabled puts the containers into the lines. Every container of the management
// plane has to run, and each that runs has to be in a line.
func tabled(uses map[string]*use) (table, error) {
	byService := map[string]*use{}
	for _, u := range uses {
		byService[u.service] = u
	}
	t := table{head: line{"part", "used", "limit", "CPU", "comparable"}}
	var errs []error
	var all use
	budget, ours, theirs := 0, 0, 0
	for _, p := range plane {
		l, sum, missing := p.line(byService)
		if len(missing) > 0 {
			errs = append(errs, fmt.Errorf("no measurement of %s: is it healthy?", strings.Join(missing, ", ")))
		}
		t.lines = append(t.lines, l)
		all.memory, all.limit, all.cpu = all.memory+sum.memory, all.limit+sum.limit, all.cpu+sum.cpu
		ours, theirs = ours+len(p.services), theirs+len(p.comparable)
		for _, c := range p.comparable {
			budget += c
		}
	}
	t.lines = append(t.lines, line{
		fmt.Sprintf("together: %d containers, the comparable %d", ours, theirs),
		thousands(all.memory), thousands(all.limit), percent(all.cpu), thousands(float64(budget)) + fmt.Sprintf(", %d cores", comparableCores),
	})
	for _, p := range beside {
		if l, _, missing := p.line(byService); len(missing) == 0 {
			t.lines = append(t.lines, l)
		}
	}
	for _, u := range uses {
		if !slices.ContainsFunc(slices.Concat(plane, beside), func(p part) bool { return slices.Contains(p.services, u.service) }) {
			errs = append(errs, fmt.Errorf("%s is in no line of the table", u.service))
		}
	}
	return t, errors.Join(errs...)
}

// line returns the part as a line, what its containers use together, and those
// that do not run.
func (p part) line(uses map[string]*use) (l line, sum use, missing []string) {
	l.name = p.name
	var memory, limit, theirs []string
	for _, s := range p.services {
		u := uses[s]
		if u == nil {
			missing = append(missing, s)
			continue
		}
		memory, limit = append(memory, thousands(u.memory)), append(limit, thousands(u.limit))
		sum.memory, sum.limit, sum.cpu = sum.memory+u.memory, sum.limit+u.limit, sum.cpu+u.cpu
	}
	for _, c := range p.comparable {
		theirs = append(theirs, thousands(float64(c)))
	}
	l.memory, l.limit, l.cpu, l.comparable = strings.Join(memory, " + "), strings.Join(limit, " + "), percent(sum.cpu), strings.Join(theirs, " + ")
	return l, sum, missing
}

func percent(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) + " %" }

// thousands writes a number with commas between thousands.
func thousands(n float64) string {
	s := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// text is the table for a terminal.
func (t table) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range append([]line{t.head}, t.lines...) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.name, l.memory, l.limit, l.cpu, l.comparable)
	}
	_ = w.Flush() // a strings.Builder takes everything
	return b.String() + "\nMemory in MiB; processor time as a share of one core. Beside it, what a comparable platform is given.\n"
}

// markdown is the table for a page.
func (t table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n|---|--:|--:|--:|--:|\n", t.head.name, t.head.memory, t.head.limit, t.head.cpu, t.head.comparable)
	for _, l := range t.lines {
		if strings.HasPrefix(l.name, "together") {
			l = line{"**" + l.name + "**", "**" + l.memory + "**", "**" + l.limit + "**", "**" + l.cpu + "**", "**" + l.comparable + "**"}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", l.name, l.memory, l.limit, l.cpu, l.comparable)
	}
	return b.String()
}

// The table of a page is between these.
const (
	begin = "<!-- Measured by `make footprint`; do not edit. -->\n"
	end   = "<!-- End of what was measured. -->\n"
)

// put replaces the table of a page.
func put(page, table string) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("there is no place for the table: a line %q and a line %q", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + "\n" + table + "\n" + end + after, nil
}
