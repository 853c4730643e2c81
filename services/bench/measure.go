//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// list is a list that screens show.
type list struct {
	// name is as the screens call it; what names the option -only.
	name string
	// path returns where it is read, once it is filled.
	path string
	// rows is how many it is measured at; 0 means what -rows says.
	rows int
	fill func(ctx context.Context, n int) error
	// sorts and filters are what the screen offers; the first sort is the one that
	// it begins with.
	sorts, filters []string
	// search says that there is a field for searching, and hit is a text that few
	// rows have, near the end of the first order.
	search bool
	hit    string
	// most is a text that most rows have, where that is not what their numbers begin
	// with.
	most string
	// all says that the list has no pages.
	all bool
	// asks are the questions, where it is asked by POST.
	asks []ask
}

// ask is a question, and for what.
type ask struct {
	name string
	body object
}

// pageSize is how many rows screens ask for at once.
const pageSize = 50

// listLimit is what each way of asking for a list may take at p95.
const listLimit = 100 * time.Millisecond

// paged reports whether the list has more than one page.
func (l *list) paged() bool { return !l.all && l.rows > pageSize }

// way is one way of asking for a list.
type way struct {
	name, query string
	second      bool // the page after the first
	body        any  // nil where it is read by GET
}

// ways returns every way in which a screen asks for the list.
func (l *list) ways() []way {
	hit := cmp.Or(l.hit, number(l.rows-1))
	sorts := l.sorts
	if len(sorts) == 0 {
		sorts = []string{""}
	}
	var out []way
	for _, a := range l.asks {
		out = append(out, way{name: a.name, body: a.body})
		if l.paged() {
			out = append(out, way{name: a.name + ", second page", body: a.body, second: true})
		}
	}
	if len(l.asks) > 0 {
		return out
	}
	for i, s := range sorts {
		name, query := "as it is shown", ""
		if s != "" {
			name, query = "by "+s, "sort="+url.QueryEscape(s)+"&"
		}
		out = append(out, way{name: name, query: query})
		if i == 0 && l.paged() {
			out = append(out, way{name: name + ", second page", query: query, second: true})
		}
		if !l.search {
			continue
		}
		out = append(out,
			way{name: name + ", search: one near the end", query: query + "q=" + hit + "&"},
			way{name: name + ", search: none", query: query + "q=no+such+thing&"})
		if i == 0 && l.paged() {
			out = append(out, way{name: name + ", search: most, second page", query: query + "q=" + cmp.Or(l.most, "x0") + "&", second: true})
		}
	}
	for _, f := range l.filters {
		out = append(out, way{name: "only " + f, query: f + "&"})
		if l.search {
			out = append(out, way{name: "only " + f + ", search: one near the end", query: f + "&q=" + hit + "&"})
		}
	}
	return out
}

// figure is what was measured of one way.
type figure struct {
	list, way string
	rows      int
	p50, p95  time.Duration
}

// called is what the flag -only calls the list.
func (l *list) called() string { return strings.ReplaceAll(l.name, " ", "-") }

// knows reports as an error what -only names and is not there: measuring less than
// was asked for would look like having met all targets.
func (b *bench) knows(all []*list) error {
	names := []string{"fleet", "provisioning"}
	for _, l := range all {
		names = append(names, l.called())
	}
	for _, name := range b.only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("-only names %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// lists fills every list and measures it.
func (b *bench) lists(ctx context.Context, s *suite) error {
	all, err := b.seeds(ctx, s)
	if err != nil {
		return err
	}
	if err := b.knows(all); err != nil {
		return err
	}
	for _, l := range all {
		if len(b.only) > 0 && !slices.Contains(b.only, l.called()) {
			continue
		}
		if l.rows == 0 {
			l.rows = b.rows
		}
		if err := b.signIn(ctx, s.ready.API, ""); err != nil {
			return err
		}
		began := time.Now()
		if err := l.fill(ctx, l.rows); err != nil {
			return fmt.Errorf("filling the list of %s: %w", l.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: filled in %s\n", l.name, time.Since(began).Round(time.Millisecond))
		if err := b.signIn(ctx, s.ready.API, ""); err != nil {
			return err
		}
		for _, w := range l.ways() {
			if err := b.measure(ctx, l, w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) measure(ctx context.Context, l *list, w way) error {
	join := "?"
	if strings.Contains(l.path, "?") {
		join = "&"
	}
	at := l.path + join + w.query
	if !l.all {
		at += fmt.Sprintf("limit=%d", pageSize)
	}
	method := http.MethodGet
	if w.body != nil {
		method = http.MethodPost
	}
	if w.second {
		page, err := b.send(ctx, method, at, w.body)
		if err != nil {
			return err
		}
		next, _ := page["next"].(string)
		if next == "" {
			return fmt.Errorf("the list of %s, %s: there is no second page, although it should have %d rows; with -only, name what it is filled with as well", l.name, w.name, l.rows) //nolint:err113 // shown as it is
		}
		at += "&cursor=" + url.QueryEscape(next)
	}
	took := make([]time.Duration, b.rounds)
	for i := range took {
		began := time.Now()
		if _, err := b.send(ctx, method, at, w.body); err != nil {
			return err
		}
		took[i] = time.Since(began)
	}
	f := figure{list: l.name, way: w.name, rows: l.rows, p50: percentile(took, 50), p95: percentile(took, 95)}
	b.figures = append(b.figures, f)
	fmt.Fprintf(os.Stderr, "  %-60s p50 %-8s p95 %s\n", f.way, milli(f.p50), milli(f.p95))
	return nil
}

func milli(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// table prints what was measured of the lists, the slowest first.
func (b *bench) table() {
	if len(b.figures) == 0 {
		return
	}
	slices.SortStableFunc(b.figures, func(x, y figure) int { return cmp.Compare(y.p95, x.p95) })
	target := "p95 under " + listLimit.String()
	fmt.Print("\n| list | rows | asked for | p50 | p95 | target | |\n|---|--:|---|--:|--:|--:|---|\n") //nolint:forbidigo // the result
	for _, f := range b.figures {
		v := b.verdict(f.list+", "+f.way, milli(f.p95), target, f.p95 < listLimit)
		fmt.Printf("| %s | %d | %s | %s | %s | %s | %s |\n", f.list, f.rows, f.way, milli(f.p50), milli(f.p95), target, v) //nolint:forbidigo // the result
	}
}
