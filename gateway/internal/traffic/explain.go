package traffic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// Print writes a record and its decision as a text for people, as `gateway
// explain` shows it. Control characters in it are made visible.
func Print(w io.Writer, r *traffic.Record) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", show(r.Method), show(address(r)))
	fmt.Fprintf(&b, "%s\n\n", verdictLine(r))

	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name string, parts ...string) {
		if v := join("  ", parts...); v != "" {
			fmt.Fprintf(t, "  %s\t%s\n", name, v)
		}
	}
	row("request", show(r.ID), r.Time.UTC().Format("2006-01-02 15:04:05.000000 MST"))
	client := ""
	if r.ClientIP.IsValid() {
		client = show(r.ClientIP.String())
	}
	tls := ""
	if r.TLS != "" {
		tls = "TLS " + show(r.TLS)
	}
	row("client", client, show(r.Protocol), tls, show(r.UserAgent))
	if r.API == "" {
		row("api", "none matched")
	} else {
		row("api", show(first(r.APIName, r.API)), show(r.Version), ifSet("revision ", r.Revision), show(r.Environment))
		row("operation", show(r.Template), paren(show(r.Operation)))
	}
	caller := ""
	if r.Application+r.ApplicationName != "" {
		caller = "application " + show(first(r.ApplicationName, r.Application))
	}
	row("caller", first(caller, "unknown"), prefix(show(r.CredentialKind)+" ", show(r.Credential)), prefix("subject ", show(r.Subject)))
	row("plan", show(r.Plan), prefix("subscription ", show(r.Subscription)))
	row("cache", show(r.Cache))
	row("time", micros(r.Duration), fmt.Sprintf("(gateway %s, upstream %s, transfer %s)", micros(r.GatewayTime), micros(r.UpstreamTime), micros(r.TransferTime)))
	row("bytes", fmt.Sprintf("%d received, %d sent", r.RequestBytes, r.ResponseBytes))
	if r.TraceID != (traffic.TraceID{}) {
		row("trace", r.TraceID.String())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if d := r.Decision; d != nil {
		printDecision(&b, d)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func printDecision(b *bytes.Buffer, d *traffic.Decision) {
	if len(d.Policies) > 0 {
		b.WriteString("\nPolicies\n")
		printPolicies(b, d.Policies)
	}
	if len(d.Attempts) > 0 {
		b.WriteString("\nUpstream\n")
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		for i := range d.Attempts {
			a := &d.Attempts[i]
			came := show(a.Error)
			if a.Status != 0 {
				came = join("  ", fmt.Sprint(a.Status), came)
			}
			conn := "new connection"
			if a.Reused {
				conn = "kept connection"
			}
			fmt.Fprintf(t, "  %d.\t%s\t%s\tat %s for %s\t%s\n", i+1, show(a.Target), came, micros(a.Start), micros(a.Duration), conn)
		}
		_ = t.Flush() // a buffer takes everything
	}
	if len(d.Match) > 0 {
		b.WriteString("\nMatch\n")
		printMatch(b, d.Match)
	}
	if len(d.RequestHeaders) > 0 {
		b.WriteString("\nRequest headers\n")
		for _, h := range d.RequestHeaders {
			fmt.Fprintf(b, "  %s\n", show(h))
		}
	}
}

// printMatch writes a flat object as rows, and anything else as JSON.
func printMatch(b *bytes.Buffer, match json.RawMessage) {
	var facts map[string]string
	if json.Unmarshal(match, &facts) == nil {
		width := 0
		for name := range facts {
			width = max(width, utf8.RuneCountInString(name))
		}
		for _, name := range slices.Sorted(maps.Keys(facts)) {
			fmt.Fprintf(b, "  %-*s  %s\n", width, show(name), show(facts[name]))
		}
		return
	}
	var indented bytes.Buffer
	if json.Indent(&indented, match, "  ", "  ") == nil {
		b.WriteString("  ")
		for line := range strings.Lines(indented.String()) {
			b.WriteString(show(strings.TrimRight(line, "\n")) + "\n")
		}
	}
}

// marks stand before the outcomes.
var marks = map[traffic.Outcome]string{traffic.Pass: "✓", traffic.Refuse: "✗", traffic.Answer: "●", traffic.Skip: "–", traffic.Error: "!"}

// printPolicies aligns the verdicts by hand, since the lines between them would
// end a tabwriter's columns.
func printPolicies(b *bytes.Buffer, list []traffic.Verdict) {
	rows, widths := make([][]string, len(list)), [5]int{}
	for i := range list {
		v := &list[i]
		rows[i] = []string{show(string(v.Outcome)), show(v.Type), show(v.Policy), show(v.Phase), show(v.Level)}
		for c, cell := range rows[i] {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	for i := range list {
		fmt.Fprintf(b, "  %s ", first(marks[list[i].Outcome], "?"))
		for c, cell := range rows[i] {
			fmt.Fprintf(b, "%-*s  ", widths[c], cell)
		}
		fmt.Fprintf(b, "%9s\n", nanos(list[i].Duration))
		for _, line := range details(&list[i]) {
			fmt.Fprintf(b, "      %s\n", line)
		}
	}
}

// verdictLine is the answer to "why?" in one line.
func verdictLine(r *traffic.Record) string {
	status := fmt.Sprint(r.Status)
	var d traffic.Decision
	if r.Decision != nil {
		d = *r.Decision
	}
	who := map[traffic.ErrorSource]string{
		traffic.SourceClient: "because of the request", traffic.SourcePolicy: "by policy " + show(r.Policy),
		traffic.SourceGateway: "by the gateway", traffic.SourceUpstream: "because of the upstream",
	}[r.ErrorSource]
	if r.Status == traffic.StatusClientClosed && r.ErrorSource == traffic.SourceClient {
		who = "since the client left"
	}
	if r.ErrorSource == "" && r.Policy != "" {
		who = "by policy " + show(r.Policy)
	}
	line := join(" ", "→", status, show(r.ErrorCode), who)
	if d.Detail != "" {
		line += ": " + show(d.Detail)
	}
	return line
}

func details(v *traffic.Verdict) []string {
	var lines []string
	if v.Reason != "" {
		lines = append(lines, show(v.Reason))
	}
	for _, n := range v.Notes {
		lines = append(lines, show(n.Name)+" = "+show(n.Value))
	}
	return lines
}

func address(r *traffic.Record) string {
	a := r.Path
	if r.Host != "" {
		a = first(r.Scheme, "http") + "://" + r.Host + r.Path
	}
	if r.Query != "" {
		a += "?" + r.Query
	}
	return a
}

// show makes a text safe for a terminal.
func show(s string) string {
	clean := true
	for _, c := range s {
		if c < 0x20 || c >= 0x7f && c < 0xa0 || c == 0xfffd || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	q := fmt.Sprintf("%+q", s)
	return q[1 : len(q)-1]
}

func join(sep string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func paren(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

func prefix(p, s string) string {
	if s == "" {
		return ""
	}
	return p + s
}

func ifSet(p string, n uint64) string {
	if n == 0 {
		return ""
	}
	return p + fmt.Sprint(n)
}

func micros(us int64) string { return nanos(time.Duration(us) * time.Microsecond) }

func nanos(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
