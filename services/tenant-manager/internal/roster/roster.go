// Package roster reads and writes lists of people as spreadsheets hold them: values
// separated by a sign, one person a line. It knows nothing of who is in the
// organization, and does no I/O.
package roster

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The fields of a person, by the names of their columns.
const (
	Email  = "email"
	Name   = "name"
	Roles  = "roles"
	Groups = "groups"
)

// Person is a line of a list.
type Person struct {
	// Line is where the person stands in the text, from 1.
	Line        int
	Email, Name string
	// Roles and Groups are as they are called there, each once.
	Roles, Groups []string
	// Faults are what is wrong with the line.
	Faults []Fault
}

// Fault is what is wrong with a field of a line.
type Fault struct {
	// Field is one of [Email], [Name], [Roles] and [Groups], or "" for the line.
	Field, Detail string
}

// Sheet is a list that was read.
type Sheet struct {
	People []Person
	// Unused are the columns that say nothing to us, as they are called.
	Unused []string
}

// Error says that a list cannot be read, and what to do.
type Error struct {
	// Line is where it cannot be read on; 0 = as a whole.
	Line int
	// Column is the field that was named, of one of [Columns] that is wrong.
	Column string
	Detail string
}

// Error returns what is wrong.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Detail
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Detail)
}

// Columns says which column is which field, by the name of the column as its first
// line has it. A field that is not in it is found by its usual names.
type Columns map[string]string

// called are the names that columns go by, in lower case without spaces and signs.
var called = map[string]string{
	"email": Email, "emailaddress": Email, "mail": Email,
	"name": Name, "fullname": Name, "displayname": Name,
	"roles": Roles, "role": Roles,
	"groups": Groups, "group": Groups,
}

const (
	longestEmail = 254
	longestName  = 120
	mostOfEach   = 50
)

var address = regexp.MustCompile(`^[^@\s\p{C}<>()\[\]\\,;:"]+@[^@\s\p{C}<>()\[\]\\,;:"]+$`)

// Read reads a list of at most so many people. The first line names the columns:
// email, name, roles and groups, in any order and case. Values are separated by a
// comma, a semicolon or a tab, whatever the first line has; several roles or groups
// by | or by ; where that does not separate values. A byte order mark is left out.
// The error is an [*Error].
func Read(text string, most int) (Sheet, error) { return ReadAs(text, most, nil) }

// ReadAs is as [Read], for a list whose columns are called otherwise. Columns that are
// named must be there.
func ReadAs(text string, most int, named Columns) (Sheet, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return Sheet{}, &Error{Detail: "the file is not text in UTF-8: save it as CSV in UTF-8"}
	case strings.TrimSpace(text) == "":
		return Sheet{}, &Error{Detail: "the list is empty: its first line names the columns, such as email,name,roles,groups"}
	}
	separator := separatorOf(text)
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = separator, -1, separator != '\t', true
	header, err := r.Read()
	if err != nil {
		return Sheet{}, unreadable(err)
	}
	columns, sheet, err := columnsOf(header, named)
	if err != nil {
		return Sheet{}, err
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return sheet, nil
		}
		if err != nil {
			return Sheet{}, unreadable(err)
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		if len(sheet.People) == most {
			return Sheet{}, &Error{Detail: fmt.Sprintf("the list has more than %d people: cut it in parts", most)}
		}
		line, _ := r.FieldPos(0)
		sheet.People = append(sheet.People, person(line, cells, columns, separator))
	}
}

// separatorOf returns what separates the values of the first line.
func separatorOf(text string) rune {
	first, _, _ := strings.Cut(text, "\n")
	best, most := ',', 0
	for _, sign := range ",;\t" {
		if n := strings.Count(first, string(sign)); n > most {
			best, most = sign, n
		}
	}
	return best
}

// columnsOf returns the field of each column, "" for those that say nothing to us.
func columnsOf(header []string, named Columns) ([]string, Sheet, error) {
	var sheet Sheet
	columns := make([]string, len(header))
	for _, field := range []string{Email, Name, Roles, Groups} {
		as, ok := named[field]
		if !ok {
			continue
		}
		at := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), strings.TrimSpace(as)) })
		switch {
		case at < 0:
			return nil, sheet, &Error{Line: 1, Column: field, Detail: fmt.Sprintf("no column is called %q", as)}
		case columns[at] != "":
			return nil, sheet, &Error{Line: 1, Column: field, Detail: fmt.Sprintf("the column %q says the %s already", as, columns[at])}
		}
		columns[at] = field
	}
	for i, h := range header {
		if columns[i] != "" {
			continue
		}
		field, ok := called[plain(h)]
		_, elsewhere := named[field]
		switch {
		case !ok && plain(h) != "", ok && elsewhere:
			sheet.Unused = append(sheet.Unused, strings.TrimSpace(h))
		case ok && slices.Contains(columns, field):
			return nil, sheet, &Error{Line: 1, Detail: fmt.Sprintf("two columns say the %s: leave one", field)}
		case ok:
			columns[i] = field
		}
	}
	if !slices.Contains(columns, Email) {
		return nil, sheet, &Error{Line: 1, Detail: "no column is called email: the first line names the columns, such as email,name,roles,groups"}
	}
	return columns, sheet, nil
}

// plain returns the name of a column as it is looked up.
func plain(header string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-.", r) {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(header)))
}

func person(line int, cells, columns []string, separator rune) Person {
	p := Person{Line: line}
	for i, c := range cells {
		c = strings.TrimSpace(c)
		if i >= len(columns) {
			if c != "" {
				p.fault("", "the line has more values than there are columns: put values that contain the separator in quotation marks")
				break
			}
			continue
		}
		switch columns[i] {
		case Email:
			p.Email = c
		case Name:
			p.Name = c
		case Roles:
			p.Roles = split(c, separator)
		case Groups:
			p.Groups = split(c, separator)
		}
	}
	switch n := utf8.RuneCountInString(p.Email); {
	case n == 0:
		p.fault(Email, "it is missing")
	case n > longestEmail || !address.MatchString(p.Email):
		p.fault(Email, "this is not an e-mail address")
	}
	if utf8.RuneCountInString(p.Name) > longestName {
		p.fault(Name, fmt.Sprintf("it is longer than %d characters", longestName))
	}
	if len(p.Roles) > mostOfEach {
		p.fault(Roles, fmt.Sprintf("there are more than %d", mostOfEach))
	}
	if len(p.Groups) > mostOfEach {
		p.fault(Groups, fmt.Sprintf("there are more than %d", mostOfEach))
	}
	return p
}

func (p *Person) fault(field, detail string) { p.Faults = append(p.Faults, Fault{field, detail}) }

// split returns the parts of a value, each once.
func split(value string, separator rune) []string {
	var out []string
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == '|' || r == ';' || r == ',' && separator != ',' || r == '\n' }) {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}

func unreadable(err error) error {
	var at *csv.ParseError
	if !errors.As(err, &at) {
		return &Error{Detail: err.Error()}
	}
	detail := "it cannot be read"
	if errors.Is(err, csv.ErrQuote) || errors.Is(err, csv.ErrBareQuote) {
		detail = `a quotation mark stands in the middle of a value, or is not closed: put the whole value in quotation marks, and write one that belongs to it twice`
	}
	return &Error{Line: at.Line, Detail: detail}
}
