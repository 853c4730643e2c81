package scim_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
)

const ada = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "given by us", "userName": "ada@acme.example", "active": true,
	"name": {"givenName": "Ada", "familyName": "Lovelace"},
	"emails": [{"value": "ada@acme.example", "type": "work", "primary": true}, {"value": "ada@home.example", "type": "home"}],
	"phoneNumbers": [{"value": "+49 1", "type": "work"}]
}`

func resource(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	return out
}

func TestReadingResources(t *testing.T) {
	t.Parallel()
	got, err := scim.User().Read(resource(t, `{
		"SCHEMAS": ["x"], "USERNAME": "ada", "Active": "True", "groups": [{"value": "g"}], "nothing": 1, "title": "", "password": "secret", "roles": [],
		"emails": {"VALUE": "a@b.example", "unknown": true, "Primary": "true"},
		"urn:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User": {"Department": "R&D", "manager": "26118915", "other": 1},
		"urn:example:other": {"x": 1}
	}`))
	require.NoError(t, err)
	require.Equal(t, resource(t, `{
		"userName": "ada", "active": true, "emails": [{"value": "a@b.example", "primary": true}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R&D", "manager": {"value": "26118915"}}
	}`), got)
	require.Equal(t, []string{scim.UserSchema, scim.EnterpriseSchema}, scim.User().Schemas(got))
	for text, kind := range map[string]string{
		`{}`: scim.InvalidValue, `{"userName":""}`: scim.InvalidValue, `{"userName":1}`: scim.InvalidValue, `{"userName":"a","username":"b"}`: scim.InvalidSyntax,
		`{"userName":"a","active":"perhaps"}`: scim.InvalidValue, `{"userName":"a","name":"Ada"}`: scim.InvalidValue, `{"userName":"a\u0000"}`: scim.InvalidValue,
		`{"userName":"a","emails":[{"value":"x","primary":true},{"value":"y","primary":true}]}`: scim.InvalidValue,
		`{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":"x"}`:     scim.InvalidValue,
	} {
		_, err := scim.User().Read(resource(t, text))
		var e *scim.Error
		require.ErrorAs(t, err, &e, text)
		require.Equal(t, kind, e.Type, text)
	}
}

const patchOf = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`

// What Entra ID, Okta and the RFC have as patches. want are the fields that are
// other than before; null is one that is gone.
func TestPatches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ operations, want string }{
		"Entra: capitals and a boolean as text": {`{"op":"Replace","path":"active","value":"False"}`, `{"active":false}`},
		"Okta: without a path":                  {`{"op":"replace","value":{"active":false}}`, `{"active":false}`},
		"Entra: the address of work": {
			`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"new@acme.example"}`,
			`{"emails":[{"value":"new@acme.example","type":"work","primary":true},{"value":"ada@home.example","type":"home"}]}`,
		},
		"Entra: one of a type that is not there": {
			`{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+49 2"}`,
			`{"phoneNumbers":[{"value":"+49 1","type":"work"},{"value":"+49 2","type":"mobile"}]}`,
		},
		"Entra: names with dots in the value": {
			`{"op":"Add","value":{"name.givenName":"Augusta","emails[type eq \"home\"].value":"x@home.example","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"R&D","what":"x"}}`,
			`{"name":{"givenName":"Augusta","familyName":"Lovelace"},"emails":[{"value":"ada@acme.example","type":"work","primary":true},{"value":"x@home.example","type":"home"}],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}}`,
		},
		"Entra: a manager as a text": {
			`{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"26118915"}`,
			`{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"26118915"}}}`,
		},
		"Entra: a manager who goes": {
			`{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":"2"},{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}`, `{}`,
		},
		"Entra: a single value in a list":  {`{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"Ada L"}]}`, `{"displayName":"Ada L"}`},
		"an extension as a whole":          {`{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"7","x":"y"}}}`, `{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"7"}}`},
		"parts of what is complex stay":    {`{"op":"replace","path":"name","value":{"familyName":"King"}}`, `{"name":{"givenName":"Ada","familyName":"King"}}`},
		"a part goes":                      {`{"op":"remove","path":"name.givenName"}`, `{"name":{"familyName":"Lovelace"}}`},
		"the last part goes":               {`{"op":"remove","path":"name.givenName"},{"op":"remove","path":"name.familyName"}`, `{"name":null}`},
		"all values go":                    {`{"op":"remove","path":"phoneNumbers"}`, `{"phoneNumbers":null}`},
		"some values go":                   {`{"op":"remove","path":"emails[type eq \"home\" and value co \"HOME\"]"}`, `{"emails":[{"value":"ada@acme.example","type":"work","primary":true}]}`},
		"what is not there goes":           {`{"op":"remove","path":"emails[type eq \"other\"]"},{"op":"remove","path":"title"}`, `{}`},
		"values are added once":            {`{"op":"add","path":"phoneNumbers","value":[{"value":"+49 1","type":"work"},{"value":"+49 3"}]}`, `{"phoneNumbers":[{"value":"+49 1","type":"work"},{"value":"+49 3"}]}`},
		"there is one primary value":       {`{"op":"add","path":"emails","value":{"value":"z@acme.example","primary":true}}`, `{"emails":[{"value":"ada@acme.example","type":"work","primary":false},{"value":"ada@home.example","type":"home"},{"value":"z@acme.example","primary":true}]}`},
		"null takes away":                  {`{"op":"replace","path":"name.familyName","value":null}`, `{"name":{"givenName":"Ada"}}`},
		"what is ours is left alone there": {`{"op":"replace","value":{"id":"mine","meta":{"x":1},"schemas":["x"],"groups":[],"title":"Dr"}}`, `{"title":"Dr"}`},
		"an empty path is none":            {`{"op":"replace","path":"","value":{"title":"Dr"}}`, `{"title":"Dr"}`},
		"the whole of some values":         {`{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"y@home.example","type":"other"}}`, `{"emails":[{"value":"ada@acme.example","type":"work","primary":true},{"value":"y@home.example","type":"other"}]}`},
	} {
		user, err := scim.User().Read(resource(t, ada))
		require.NoError(t, err)
		want := scim.Clone(user)
		for k, v := range resource(t, c.want) {
			if want[k] = v; v == nil {
				delete(want, k)
			}
		}
		patch, err := scim.ParsePatch([]byte(patchOf + c.operations + `]}`))
		require.NoError(t, err, name)
		require.NoError(t, scim.User().Patch(user, patch), name)
		require.Equal(t, want, user, name)
	}
	for operations, kind := range map[string]string{
		`{"op":"move","path":"title"}`: scim.InvalidSyntax, `{"op":"remove"}`: scim.NoTarget, `{"op":"add","value":"x"}`: scim.InvalidValue, ``: scim.InvalidSyntax,
		`{"op":"replace","path":"id","value":"x"}`: scim.Mutability, `{"op":"replace","path":"groups","value":[]}`: scim.Mutability, `{"op":"remove","path":"userName"}`: scim.Mutability,
		`{"op":"replace","path":"nothing","value":"x"}`: scim.InvalidPath, `{"op":"replace","path":"name.nothing","value":"x"}`: scim.InvalidPath, `{"op":"replace","path":"name[a pr]","value":"x"}`: scim.InvalidPath,
		`{"op":"replace","path":"emails[type ne \"work\" and type ne \"home\"].value","value":"x"}`: scim.NoTarget, `{"op":"replace","path":"active","value":"perhaps"}`: scim.InvalidValue,
		`{"op":"replace","path":"title","value":"a\u0000"}`: scim.InvalidValue, "{\"op\":\"replace\",\"path\":\"title\",\"value\":\"\xff\"}": scim.InvalidValue, `{"op":"replace","value":{"emails":[{"value":"\u0000"}]}}`: scim.InvalidValue,
		`{"op":"replace","path":"emails[","value":"x"}`: scim.InvalidPath, `{"op":"replace","path":"userName","value":""}`: scim.InvalidValue,
	} {
		patch, err := scim.ParsePatch([]byte(patchOf + operations + `]}`))
		if err == nil {
			user, readErr := scim.User().Read(resource(t, ada))
			require.NoError(t, readErr)
			err = scim.User().Patch(user, patch)
		}
		var e *scim.Error
		require.ErrorAs(t, err, &e, operations)
		require.Equal(t, kind, e.Type, operations)
	}
}

func TestPatchesOfMembers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ operations, want string }{
		"Entra adds":           {`{"op":"Add","path":"members","value":[{"$ref":null,"value":"c"}]}`, `["a","b","c"]`},
		"Entra removes":        {`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"a"}]}`, `["b"]`},
		"Okta removes":         {`{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"c","display":"C"}]}`, `["b","c"]`},
		"Okta replaces":        {`{"op":"replace","path":"members","value":[{"value":"z"}]}`, `["z"]`},
		"all go":               {`{"op":"remove","path":"members"}`, `[]`},
		"Okta renames":         {`{"op":"replace","value":{"id":"x","displayName":"New"}}`, `["a","b"]`},
		"without a path":       {`{"op":"add","value":{"members":[{"value":"c"}]}}`, `["a","b","c"]`},
		"replaced by an empty": {`{"op":"replace","path":"members","value":[]}`, `[]`},
	} {
		group, err := scim.Group().Read(resource(t, `{"displayName":"G","members":[{"value":"a","type":"User"},{"value":"b","type":"User"}]}`))
		require.NoError(t, err)
		patch, err := scim.ParsePatch([]byte(patchOf + c.operations + `]}`))
		require.NoError(t, err, name)
		require.NoError(t, scim.Group().Patch(group, patch), name)
		got := []string{}
		list, _ := group["members"].([]any)
		for _, m := range list {
			got = append(got, m.(map[string]any)["value"].(string))
		}
		b, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, c.want, string(b), name)
	}
}

func TestSelections(t *testing.T) {
	t.Parallel()
	user, err := scim.User().Read(resource(t, ada))
	require.NoError(t, err)
	user["id"], user["schemas"] = "1", []any{"s"}
	user[scim.EnterpriseSchema] = map[string]any{"department": "R&D", "division": "X"}
	for query, want := range map[string]string{
		"":                      `{"id":"1","schemas":["s"],"userName":"ada@acme.example","active":true,"name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"value":"ada@acme.example","type":"work","primary":true},{"value":"ada@home.example","type":"home"}],"phoneNumbers":[{"value":"+49 1","type":"work"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D","division":"X"}}`,
		"userName,emails.value": `{"id":"1","schemas":["s"],"userName":"ada@acme.example","emails":[{"value":"ada@acme.example"},{"value":"ada@home.example"}]}`,
		"NAME.familyName,name.givenName, nothing":                                                                       `{"id":"1","schemas":["s"],"name":{"givenName":"Ada","familyName":"Lovelace"}}`,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":                                         `{"id":"1","schemas":["s"],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}}`,
		"-emails,name,phoneNumbers,id,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":                       `{"id":"1","schemas":["s"],"userName":"ada@acme.example","active":true}`,
		"-emails.value,name.givenName,phoneNumbers,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division": `{"id":"1","schemas":["s"],"userName":"ada@acme.example","active":true,"name":{"familyName":"Lovelace"},"emails":[{"type":"work","primary":true},{"type":"home"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D"}}`,
	} {
		var s scim.Selection
		if without, ok := cutMinus(query); ok {
			s.Without, err = scim.ParseNames(without)
		} else {
			s.Only, err = scim.ParseNames(query)
		}
		require.NoError(t, err, query)
		b, err := json.Marshal(s.Of(scim.User(), user))
		require.NoError(t, err)
		require.JSONEq(t, want, string(b), query)
	}
	_, err = scim.ParseNames("a b")
	require.Error(t, err)
}

func cutMinus(s string) (string, bool) {
	if s == "" || s[0] != '-' {
		return s, false
	}
	return s[1:], true
}
