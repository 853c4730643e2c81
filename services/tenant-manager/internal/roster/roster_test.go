package roster_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/roster"
)

func TestListsAsSpreadsheetsWriteThem(t *testing.T) {
	t.Parallel()
	ada := roster.Person{Line: 2, Email: "ada@example.com", Name: "Ada L", Roles: []string{"viewer", "operator"}, Groups: []string{"Payments"}}
	for name, text := range map[string]string{
		"commas":     "email,name,roles,groups\nada@example.com,Ada L,viewer|operator,Payments\n",
		"no end":     "email,name,roles,groups\nada@example.com,Ada L,viewer|operator,Payments",
		"semicolons": "email;name;roles;groups\r\nada@example.com;Ada L;viewer|operator;Payments\r\n",
		"tabs":       "email\tname\troles\tgroups\nada@example.com\tAda L\tviewer, operator\tPayments\n",
		"mark":       "\ufeffEmail,Name,Roles,Groups\nada@example.com,Ada L,viewer;operator,Payments\n",
		"spelling":   "E-Mail, Full Name ,ROLE,Group\n ada@example.com , Ada L ,viewer | operator| viewer,Payments|\n",
		"order":      "groups,roles,name,email\nPayments,viewer|operator,Ada L,ada@example.com\n",
		"quotes":     "email,name,roles,groups\n\"ada@example.com\",\"Ada L\",\"viewer;operator\",\"Payments\"\n",
		"empty ends": "email,name,roles,groups,,\nada@example.com,Ada L,viewer|operator,Payments,,\n,,,,,\n\n",
	} {
		sheet, err := roster.Read(text, 10)
		require.NoError(t, err, name)
		require.Equal(t, []roster.Person{ada}, sheet.People, name)
		require.Empty(t, sheet.Unused, name)
	}
	sheet, err := roster.Read("email,name,phone\na@b.c,\"Two\nlines\",1\nd@e.f,,\n", 10)
	require.NoError(t, err)
	require.Equal(t, []string{"phone"}, sheet.Unused)
	require.Equal(t, []int{2, 4}, []int{sheet.People[0].Line, sheet.People[1].Line})
}

func TestColumnsAreNamed(t *testing.T) {
	t.Parallel()
	sheet, err := roster.ReadAs("Login,Person,Email,Team\nada@example.com,Ada,home@example.com,Payments\n", 10, roster.Columns{roster.Email: "login", roster.Name: "Person", roster.Groups: "Team"})
	require.NoError(t, err)
	require.Equal(t, []roster.Person{{Line: 2, Email: "ada@example.com", Name: "Ada", Groups: []string{"Payments"}}}, sheet.People)
	require.Equal(t, []string{"Email"}, sheet.Unused, "another column says the address")
	for want, named := range map[string]roster.Columns{
		roster.Name:   {roster.Name: "Nobody"},
		roster.Groups: {roster.Name: "Person", roster.Groups: "Person"},
	} {
		_, err := roster.ReadAs("Email,Person\na@b.c,Ada\n", 10, named)
		var e *roster.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, want, e.Column)
	}
}

func TestWhatIsWrongWithALine(t *testing.T) {
	t.Parallel()
	for cells, want := range map[string]roster.Fault{
		",Ada,viewer":                              {Field: roster.Email, Detail: "it is missing"},
		"ada,Ada,viewer":                           {Field: roster.Email, Detail: "this is not an e-mail address"},
		"a b@c.d,Ada,viewer":                       {Field: roster.Email, Detail: "this is not an e-mail address"},
		"<ada@c.d>,Ada,viewer":                     {Field: roster.Email, Detail: "this is not an e-mail address"},
		"\u202eada@c.d,Ada,viewer":                 {Field: roster.Email, Detail: "this is not an e-mail address"},
		strings.Repeat("a", 255) + "@c.d,,":        {Field: roster.Email, Detail: "this is not an e-mail address"},
		"a@b.c," + strings.Repeat("ä", 121) + ",x": {Field: roster.Name, Detail: "it is longer than 120 characters"},
		"a@b.c,Ada,viewer,more":                    {Detail: "the line has more values than there are columns: put values that contain the separator in quotation marks"},
		"a@b.c,Ada," + many(60):                    {Field: roster.Roles, Detail: "there are more than 50"},
	} {
		sheet, err := roster.Read("email,name,roles\n"+cells+"\n", 10)
		require.NoError(t, err, cells)
		require.Equal(t, []roster.Fault{want}, sheet.People[0].Faults, cells)
	}
}

func many(n int) string {
	var out []string
	for i := range n {
		out = append(out, strings.Repeat("x", i+1))
	}
	return strings.Join(out, "|")
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "the list is empty",
		"\ufeff \n":                       "the list is empty",
		"name\nAda\n":                     "line 1: no column is called email",
		"email,mail\na@b.c,d@e.f\n":       "line 1: two columns say the email",
		"email\n\xff\n":                   "not text in UTF-8",
		"e\x00mail\n":                     "not text in UTF-8",
		"email,name\na@b.c,\"open\n":      "line 2: a quotation mark",
		"email,name\na@b.c,in \"side\"\n": "line 2: a quotation mark",
		"email\na@b.c\nd@e.f\ng@h.i\n":    "more than 2 people",
	} {
		_, err := roster.Read(text, 2)
		var e *roster.Error
		require.ErrorAs(t, err, &e, text)
		require.ErrorContains(t, err, want)
	}
}

func TestTablesHoldNoFormulas(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := roster.NewWriter(&b)
	w.Row("=1+1", "+1", "-1", "@x", "\t=1", "＝1", "a=b", "", `say "x", y`)
	require.NoError(t, w.Flush())
	require.Equal(t, "\ufeff'=1+1,'+1,'-1,'@x,'\t=1,'＝1,a=b,,\"say \"\"x\"\", y\"\r\n", b.String())
	require.Equal(t, "a|b", roster.List([]string{"a", "b", "a"}))
}

// Whatever is written is read as it was, and no cell begins a formula.
func FuzzWrite(f *testing.F) {
	f.Add("=1+1", "a,b", "say \"x\"")
	f.Add("\t", "two\nlines", "＝1")
	f.Add("", "", "\xff")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var out bytes.Buffer
		w := roster.NewWriter(&out)
		w.Row(a, b, c)
		w.Row("x", "y", "z")
		require.NoError(t, w.Flush())
		text, marked := strings.CutPrefix(out.String(), "\ufeff")
		require.True(t, marked)
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		require.NoError(t, err)
		require.Equal(t, []string{"x", "y", "z"}, rows[1])
		for i, value := range []string{a, b, c} {
			// Lines end as RFC 4180 says, within cells too.
			plain := strings.NewReplacer("\r\n", "\n", "\r", "").Replace
			require.Equal(t, plain(roster.Safe(value)), plain(rows[0][i]))
			if rows[0][i] != "" {
				require.NotContains(t, "=+-@\t\r\n", rows[0][i][:1])
			}
		}
	})
}

// Whatever is read has as many people as were asked for, each on a line that there
// is, with an address or a fault.
func FuzzRead(f *testing.F) {
	f.Add("email,name,roles,groups\nada@example.com,Ada,viewer|operator,Payments\n")
	f.Add("\ufeffE-Mail;Name\r\n\"a@b.c\";\"x\ny\"\r\n")
	f.Add("email\tname\n=cmd\t@x\n")
	f.Add("mail,who\na@b.c,\"x\n")
	f.Fuzz(func(t *testing.T, text string) {
		if sheet, err := roster.ReadAs(text, 100, roster.Columns{roster.Name: "who"}); err == nil {
			require.LessOrEqual(t, len(sheet.People), 100)
		}
		sheet, err := roster.Read(text, 100)
		if err != nil {
			var e *roster.Error
			if !errors.As(err, &e) {
				t.Fatalf("not an error of ours: %v", err)
			}
			return
		}
		require.LessOrEqual(t, len(sheet.People), 100)
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		last := 1
		var b bytes.Buffer
		w := roster.NewWriter(&b)
		w.Row(roster.Email, roster.Name)
		for _, p := range sheet.People {
			require.Greater(t, p.Line, last)
			require.LessOrEqual(t, p.Line, lines)
			last = p.Line
			require.True(t, strings.Contains(p.Email, "@") || len(p.Faults) > 0)
			w.Row(p.Email, p.Name)
		}
		require.NoError(t, w.Flush())
		again, err := roster.Read(b.String(), 100)
		require.NoError(t, err)
		require.LessOrEqual(t, len(again.People), len(sheet.People))
	})
}
