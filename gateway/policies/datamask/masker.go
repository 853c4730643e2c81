package datamask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode/utf8"
)

// masker makes what stands in place of a value.
type masker struct {
	how, replacement string
	keep             int
	key              []byte
}

// apply returns what stands in place of a value.
func (m *masker) apply(value string) string {
	switch m.how {
	case "partial":
		return m.partial(value)
	case "hash":
		h := hmac.New(sha256.New, m.key)
		_, _ = h.Write([]byte(value)) // never fails
		return hex.EncodeToString(h.Sum(nil))
	}
	return m.replacement
}

// whole returns what stands in place of an object or a list.
func (m *masker) whole(value string) string {
	if m.how == "partial" { // its end would be brackets and whatever is last
		return "***"
	}
	return m.apply(value)
}

// partial keeps the last characters, never more than half.
func (m *masker) partial(value string) string {
	n := utf8.RuneCountInString(value)
	keep := min(m.keep, n/2)
	i := len(value)
	for range keep {
		_, size := utf8.DecodeLastRuneInString(value[:i])
		i -= size
	}
	return strings.Repeat("*", min(n-keep, 64)) + value[i:]
}

// textRule masks what a pattern matches.
type textRule struct {
	re   *regexp.Regexp
	mask masker
}

func (r *textRule) apply(text string) string {
	if !r.re.MatchString(text) {
		return text
	}
	group := 0
	if r.re.NumSubexp() > 0 {
		group = 1
	}
	var b strings.Builder
	last := 0
	for _, loc := range r.re.FindAllStringSubmatchIndex(text, -1) {
		from, to := loc[2*group], loc[2*group+1]
		if from < 0 || from == to || from < last {
			continue
		}
		b.WriteString(text[last:from])
		b.WriteString(r.mask.apply(text[from:to]))
		last = to
	}
	b.WriteString(text[last:])
	return b.String()
}
