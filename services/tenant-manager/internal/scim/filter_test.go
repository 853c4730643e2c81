package scim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
)

// written writes a filter with parentheses around everything.
func written(f *scim.Filter) string {
	switch f.Operator {
	case scim.And, scim.Or:
		parts := make([]string, len(f.Of))
		for i, p := range f.Of {
			parts[i] = written(p)
		}
		return "(" + strings.Join(parts, " "+f.Operator+" ") + ")"
	case scim.Not:
		return "not " + written(f.Of[0])
	case scim.Has:
		return f.Path.String() + "[" + written(f.Of[0]) + "]"
	case scim.Present:
		return f.Path.String() + " pr"
	}
	name := f.Path.String()
	if f.Path.Filter != nil {
		name += "{" + written(f.Path.Filter) + "}"
	}
	switch v := f.Value.(type) {
	case string:
		return name + " " + f.Operator + " '" + v + "'"
	case bool:
		return name + " " + f.Operator + " " + map[bool]string{true: "true", false: "false"}[v]
	case nil:
		return name + " " + f.Operator + " null"
	}
	return name + " " + f.Operator + " number"
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`userName eq "bjensen"`:          "username eq 'bjensen'",
		`USERNAME Eq "b\"j\u00e9"`:       "username eq 'b\"jé'",
		`name.familyName co "O'Malley"`:  "name.familyname co 'O'Malley'",
		`title pr`:                       "title pr",
		`title pr and userType eq "x"`:   "(title pr and usertype eq 'x')",
		`a eq 1 or b eq 2 and c eq -2.5`: "(a eq number or (b eq number and c eq number))",
		`(a pr or b pr) and not (c pr)`:  "((a pr or b pr) and not c pr)",
		`not(a pr)`:                      "not a pr",
		`active eq False`:                "active eq false",
		`manager eq null`:                "manager eq null",
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`:                                        "username sw 'J'",
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "x"`:                      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:department eq 'x'",
		`meta.lastModified gt "2011-05-13T04:42:34Z"`:                                                       "meta.lastmodified gt '2011-05-13T04:42:34Z'",
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`:             "(usertype eq 'Employee' and (emails co 'example.com' or emails.value co 'example.org'))",
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`: "(emails[(type eq 'work' and value co '@example.com')] or ims[(type eq 'xmpp' and value co '@foo.com')])",
		`emails[type eq "work"].value eq "ada@acme.example"`:                                                "emails.value{type eq 'work'} eq 'ada@acme.example'",
		`id eq "8d1f" and members eq "9a2b"`:                                                                "(id eq '8d1f' and members eq '9a2b')",
		`userName eq "brackets ] [ in texts" and externalId eq "(and)"`:                                     "(username eq 'brackets ] [ in texts' and externalid eq '(and)')",
	} {
		f, err := scim.ParseFilter(text)
		require.NoError(t, err, text)
		require.Equal(t, want, written(f), text)
	}
	for _, text := range []string{
		"", " ", "userName", "userName eq", `userName eq "x`, `userName xx "x"`, `userName eq "x" and`, `userName eq "x") or (a pr`, "(a pr", "a pr b pr", `eq "x"`, "not a pr",
		`a[b eq "x"`, `a[b[c pr]]`, `a.b[c pr]`, `a[b pr].`, `1a pr`, `a..b pr`, `a. pr`, `urn:x:y pr`, `a eq tru`, `a eq 1.2.3`, `a eq "\x"`, `a eq "\u0000"`, "a pr\x00", `a eq"x"`,
		strings.Repeat("(", 30) + "a pr" + strings.Repeat(")", 30), strings.Repeat("a pr and ", 200) + "a pr", `a eq "` + strings.Repeat("x", 9000) + `"`,
	} {
		_, err := scim.ParseFilter(text)
		var e *scim.Error
		require.ErrorAs(t, err, &e, "%q", text)
		require.Equal(t, scim.InvalidFilter, e.Type, "%q", text)
		require.Equal(t, 400, e.Status)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"members": "members", "name.familyName": "name.familyname", `addresses[type eq "work"]`: "addresses", `members[value eq "2819c223"].displayName`: "members.displayname",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager",
		"URN:ietf:params:scim:schemas:core:2.0:User:name.givenName":          "name.givenname",
	} {
		p, err := scim.ParsePath(text)
		require.NoError(t, err, text)
		require.Equal(t, want, p.String(), text)
	}
	for _, text := range []string{"", ".", "a b", "a.b.c", `a[b eq "x"] c`, "a[", "urn:ietf:params:scim:schemas:core:2.0:User", "urn:other:x"} {
		_, err := scim.ParsePath(text)
		var e *scim.Error
		require.ErrorAs(t, err, &e, "%q", text)
		require.Equal(t, scim.InvalidPath, e.Type, "%q", text)
	}
}

// Whatever is sent, the answer is a filter or an error, and what is read says the
// same again.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{`userName eq "x"`, `a[b eq "x" and c pr].d co "y" or not (e le 3)`, `urn:ietf:params:scim:schemas:core:2.0:User:name.givenName pr`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := scim.ParseFilter(s)
		if err != nil {
			var e *scim.Error
			require.ErrorAs(t, err, &e)
			return
		}
		again, err := scim.ParseFilter(s + " ")
		require.NoError(t, err)
		require.Equal(t, written(got), written(again))
		got.Matches(scim.User().Core.Attributes[11], map[string]any{"value": "x", "type": "work", "primary": true})
	})
}

// Whatever a patch is, what it leaves can be read again, and stays as it is.
func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"x@acme.example"}]}`,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","value":{"name.givenName":"A","active":"False"}}]}`,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"phoneNumbers"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		patch, err := scim.ParsePatch(b)
		if err != nil {
			return
		}
		for _, kind := range scim.Types() {
			in := resource(t, ada)
			in["displayName"] = "A"
			in, err := kind.Read(in)
			require.NoError(t, err)
			if kind.Patch(in, patch) != nil {
				continue
			}
			again, err := kind.Read(in)
			require.NoError(t, err)
			require.True(t, scim.Same(in, again), "%v\n%v", in, again)
		}
	})
}
