package mock

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
)

// formatted makes a text of a format.
func (g *generator) formatted(format string) (string, bool) {
	word := func() string { return words[g.random.IntN(len(words))] }
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(g.random.IntN(365*86400)) * time.Second)
	switch format {
	case "date":
		return at.Format(time.DateOnly), true
	case "date-time":
		return at.Format(time.RFC3339), true
	case "time":
		return at.Format("15:04:05Z"), true
	case "duration":
		return fmt.Sprintf("PT%dM", 1+g.random.IntN(59)), true
	case "uuid":
		a, b := g.random.Uint64(), g.random.Uint64()
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff), true
	case "email", "idn-email":
		return word() + "@example.com", true
	case "uri", "url", "iri", "uri-reference", "iri-reference":
		return "https://example.com/" + word(), true
	case "hostname", "idn-hostname":
		return word() + ".example.com", true
	case "ipv4":
		return fmt.Sprintf("192.0.2.%d", g.random.IntN(256)), true
	case "ipv6":
		return fmt.Sprintf("2001:db8::%x", 1+g.random.IntN(0xffff)), true
	case "byte":
		return base64.StdEncoding.EncodeToString([]byte(word())), true
	case "json-pointer":
		return "/" + word(), true
	}
	return "", false
}

// matching makes a text that a pattern matches.
func (g *generator) matching(pattern string) (string, bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	g.expand(&b, re, 0)
	ok, err := regexp.MatchString(pattern, b.String())
	return b.String(), err == nil && ok
}

const maxRepeat = 3 // beyond the least, where a pattern sets no bound

func (g *generator) expand(b *strings.Builder, re *syntax.Regexp, depth int) {
	if depth > 50 || b.Len() > 4096 {
		return
	}
	repeat := func(low, high int) {
		if high < 0 {
			high = low + maxRepeat
		}
		for range low + g.random.IntN(min(high-low, 20)+1) {
			g.expand(b, re.Sub[0], depth+1)
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		b.WriteRune(g.pick(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(byte('a' + g.random.IntN(26)))
	case syntax.OpStar:
		repeat(0, -1)
	case syntax.OpPlus:
		repeat(1, -1)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(re.Min, re.Max)
	case syntax.OpCapture, syntax.OpConcat:
		for _, s := range re.Sub {
			g.expand(b, s, depth+1)
		}
	case syntax.OpAlternate:
		g.expand(b, re.Sub[g.random.IntN(len(re.Sub))], depth+1)
	}
}

// pick returns a character of a class, a printable one of ASCII where there is
// one.
func (g *generator) pick(ranges []rune) rune {
	var printable []rune
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := max(ranges[i], ' '); r <= min(ranges[i+1], '~'); r++ {
			printable = append(printable, r)
		}
	}
	switch {
	case len(printable) > 0:
		return printable[g.random.IntN(len(printable))]
	case len(ranges) > 0:
		return ranges[0]
	}
	return 'a'
}
