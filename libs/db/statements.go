package db

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// step is one statement of a migration.
type step struct {
	sql string
	// repeat: run again until it changes no row, a transaction each time.
	repeat bool
	// check is the message of a query that must return no rows; "" is none.
	check string
}

const (
	directiveRepeat = "repeat"
	directiveCheck  = "check:"
)

// splitSQL cuts a file into statements at semicolons outside quotes, comments
// and PostgreSQL's dollar quotes. A comment line "-- repeat" or "-- check: …"
// is about the statement that follows it.
func splitSQL(text string) ([]step, error) {
	var (
		steps []step
		cur   step
		buf   strings.Builder
	)
	end := func() error {
		cur.sql = strings.TrimSpace(buf.String())
		buf.Reset()
		if cur.sql == "" {
			if cur.repeat || cur.check != "" {
				return errors.New("a directive without a statement")
			}
			return nil
		}
		steps = append(steps, cur)
		cur = step{}
		return nil
	}
	for i := 0; i < len(text); {
		n, comment, err := token(text[i:])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", 1+strings.Count(text[:i], "\n"), err)
		}
		part := text[i : i+n]
		i += n
		switch {
		case comment:
			buf.WriteByte('\n')
			if body, ok := strings.CutPrefix(part, "--"); ok && strings.TrimSpace(buf.String()) == "" {
				body = strings.TrimSpace(body)
				if body == directiveRepeat {
					cur.repeat = true
				} else if why, ok := strings.CutPrefix(body, directiveCheck); ok {
					cur.check = strings.TrimSpace(why)
				}
			}
		case part == ";":
			if err := end(); err != nil {
				return nil, err
			}
		default:
			buf.WriteString(part)
		}
	}
	return steps, end()
}

var dollarTag = regexp.MustCompile(`^\$([A-Za-z_][A-Za-z_0-9]*)?\$`)

// token returns the length of what s begins with: a quoted text, a comment or a
// single byte.
func token(s string) (n int, comment bool, err error) {
	switch {
	case strings.HasPrefix(s, "--"):
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i + 1, true, nil
		}
		return len(s), true, nil
	case strings.HasPrefix(s, "/*"):
		if i := strings.Index(s[2:], "*/"); i >= 0 {
			return i + 4, true, nil
		}
		return 0, false, errors.New("a comment that does not end")
	case s[0] == '\'' || s[0] == '"' || s[0] == '`':
		// A doubled quote is two texts side by side, which cuts nothing.
		if i := strings.IndexByte(s[1:], s[0]); i >= 0 {
			return i + 2, false, nil
		}
		return 0, false, errors.New("a quote that does not end")
	case s[0] == '$':
		tag := dollarTag.FindString(s)
		if tag == "" {
			return 1, false, nil
		}
		if i := strings.Index(s[len(tag):], tag); i >= 0 {
			return i + 2*len(tag), false, nil
		}
		return 0, false, fmt.Errorf("a quote %s that does not end", tag)
	default:
		return 1, false, nil
	}
}

var (
	dataStatement = regexp.MustCompile(`(?i)^(INSERT|UPDATE|DELETE|REPLACE|SELECT|WITH)\b`)
	guarded       = regexp.MustCompile(`(?i)\bIF\s+(NOT\s+)?EXISTS\b|^CREATE\s+OR\s+REPLACE\b`)
	alterTable    = regexp.MustCompile("(?is)^ALTER\\s+TABLE\\s+(?:IF\\s+EXISTS\\s+)?[`\"\\w.]+\\s+(.*)$")
	makesOrDrops  = regexp.MustCompile(`(?i)^(ADD|DROP|RENAME|CHANGE)\b`)
)

// checkRepeatable refuses statements that cannot be run again on MariaDB. It
// commits each change of the schema by itself, so after a crash nobody knows
// whether the last statement was done: it is run again.
func checkRepeatable(s step) error {
	if dataStatement.MatchString(s.sql) {
		return nil // in one transaction with its record
	}
	if m := alterTable.FindStringSubmatch(s.sql); m != nil {
		for _, clause := range topLevel(m[1]) {
			if makesOrDrops.MatchString(clause) && !guarded.MatchString(clause) {
				return fmt.Errorf("%q cannot be run twice: write it with IF EXISTS or IF NOT EXISTS", clause)
			}
		}
		return nil
	}
	if !guarded.MatchString(s.sql) {
		line, _, _ := strings.Cut(s.sql, "\n")
		return fmt.Errorf("%q cannot be run twice: write it with IF EXISTS or IF NOT EXISTS", line)
	}
	return nil
}

// topLevel cuts a list at commas outside parentheses and quotes.
func topLevel(list string) []string {
	var (
		out   []string
		depth int
		start int
	)
	for i := 0; i < len(list); {
		n, _, err := token(list[i:])
		if err != nil {
			n = 1 // splitSQL has refused it
		}
		if n == 1 {
			switch list[i] {
			case '(':
				depth++
			case ')':
				depth--
			case ',':
				if depth == 0 {
					out = append(out, strings.TrimSpace(list[start:i]))
					start = i + 1
				}
			}
		}
		i += n
	}
	return append(out, strings.TrimSpace(list[start:]))
}
