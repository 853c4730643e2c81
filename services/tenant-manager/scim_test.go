package tenantmanager_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// directory is a directory of an identity provider, and what it sends.
type directory struct {
	t     *testing.T
	w     *world
	id    string
	token string
}

// directory makes one that provides for domains.
func (w *world) directory(t *testing.T, owner, name string, domains ...string) *directory {
	t.Helper()
	b, err := json.Marshal(map[string]any{"name": name, "domains": domains})
	require.NoError(t, err)
	a := w.call(t, owner, "POST", "/scim/directories", string(b))
	require.Equal(t, 201, a.status, a.body)
	d := &directory{t: t, w: w, id: a.text(t, "id")}
	d.token = d.newToken(owner)
	return d
}

func (d *directory) newToken(owner string) string {
	d.t.Helper()
	a := d.w.call(d.t, owner, "POST", "/scim/directories/"+d.id+"/tokens", `{"name":"provider"}`)
	require.Equal(d.t, 201, a.status, a.body)
	return a.text(d.t, "token")
}

// send sends a request as a provider does.
func (d *directory) send(method, path, body string, header ...string) answer {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.w.url+"/scim/v2"+path, strings.NewReader(body))
	require.NoError(d.t, err)
	r.Header.Set("Content-Type", "application/scim+json")
	if d.token != "" {
		r.Header.Set("Authorization", "Bearer "+d.token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := d.w.client.Do(r)
	require.NoError(d.t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(d.t, err)
	a := answer{res.StatusCode, string(b), res.Header}
	if a.body != "" {
		require.Equal(d.t, "application/scim+json", a.header.Get("Content-Type"), a.body)
	}
	return a
}

// fails sends a request that is refused, and returns the answer.
func (d *directory) fails(status int, kind, method, path, body string, header ...string) string {
	d.t.Helper()
	a := d.send(method, path, body, header...)
	require.Equal(d.t, status, a.status, "%s %s %s: %s", method, path, body, a.body)
	var e struct {
		Schemas          []string
		Status, ScimType string
		Detail           string
	}
	require.NoError(d.t, json.Unmarshal([]byte(a.body), &e), a.body)
	require.Equal(d.t, []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, e.Schemas)
	require.Equal(d.t, fmt.Sprint(status), e.Status)
	require.Equal(d.t, kind, e.ScimType, a.body)
	require.NotEmpty(d.t, e.Detail)
	return e.Detail
}

// user makes a user and returns the id.
func (d *directory) user(name string) string {
	d.t.Helper()
	a := d.send("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`","active":true}`)
	require.Equal(d.t, 201, a.status, a.body)
	return a.text(d.t, "id")
}

// ids returns what a list has, and how many there are.
func (d *directory) ids(path string) (ids []string, total int) {
	d.t.Helper()
	a := d.send("GET", path, "")
	require.Equal(d.t, 200, a.status, a.body)
	var list struct {
		TotalResults int
		Resources    []struct{ ID string }
	}
	require.NoError(d.t, json.Unmarshal([]byte(a.body), &list), a.body)
	ids = []string{}
	for _, r := range list.Resources {
		ids = append(ids, r.ID)
	}
	return ids, list.TotalResults
}

func (d *directory) object(method, path, body string, status int) map[string]any {
	d.t.Helper()
	a := d.send(method, path, body)
	require.Equal(d.t, status, a.status, a.body)
	var out map[string]any
	require.NoError(d.t, json.Unmarshal([]byte(a.body), &out), a.body)
	return out
}

const patchOp = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`

// everyDialect runs a test on SQLite, PostgreSQL and MariaDB.
func everyDialect(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres, db.MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, func(c *configuration) {
				if dialect != db.SQLite {
					c.Database.DSN = schema.NewSecret(dbtest.DSN(t, dialect))
				}
			}))
		})
	}
}

// What Microsoft Entra ID sends, as its documentation has it.
func TestEntraProvisions(t *testing.T) {
	t.Parallel()
	everyDialect(t, func(t *testing.T, w *world) {
		owner := w.setUp(t)
		d := w.directory(t, owner, "Entra ID", "acme.example")
		_, total := d.ids(`/Users?filter=userName+eq+%22eve%40acme.example%22`)
		require.Zero(t, total)
		made := d.send("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
			"externalId":"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef","userName":"Eve@acme.example","active":true,
			"emails":[{"primary":true,"type":"work","value":"eve.larsen@acme.example"}],"meta":{"resourceType":"User"},
			"name":{"formatted":"Eve Larsen","familyName":"Larsen","givenName":"Eve"},"roles":[],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"APIs"}}`)
		require.Equal(t, 201, made.status, made.body)
		id := made.text(t, "id")
		require.Equal(t, "http://console.test/scim/v2/Users/"+id, made.header.Get("Location"))
		require.Equal(t, `W/"v1"`, made.header.Get("ETag"))
		for _, part := range []string{`"userName":"Eve@acme.example"`, `"externalId":"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"`, `"active":true`, `"department":"APIs"`, `"resourceType":"User"`, `"formatted":"Eve Larsen"`} {
			require.Contains(t, made.body, part)
		}
		here := w.call(t, owner, "GET", "/users/"+id, "")
		require.Contains(t, here.body, `"email":"Eve@acme.example"`)
		require.Contains(t, here.body, `"name":"Eve Larsen"`)
		require.Contains(t, here.body, `"roles":[]`)

		for _, filter := range []string{
			`userName eq "EVE@acme.example"`, `externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"`, `id eq "` + id + `"`, `emails[type eq "work"].value eq "eve@acme.example"`,
			`emails.value eq "eve@acme.example" and active eq true`, `displayName sw "eve l"`, `userName co "acme" or displayName eq "nobody"`, `not (active eq false)`,
			`meta.lastModified gt "2001-01-01T00:00:00Z" and externalId pr`, `emails[type eq "work" and value ew "acme.example"]`, `emails co "EVE@"`, `active ne "False"`,
		} {
			ids, total := d.ids("/Users?filter=" + strings.NewReplacer(" ", "+", `"`, "%22").Replace(filter))
			require.Equal(t, []string{id}, ids, filter)
			require.Equal(t, 1, total, filter)
		}
		for _, filter := range []string{`userName eq "eve"`, `active eq false`, `externalId eq "0A21F0F2-8D2A-4F8E-BF98-7363C4AED4EF"`, `meta.created lt "2001-01-01T00:00:00Z"`, `emails[type eq "home"]`, `not (userName pr)`, `userName sw "%"`} {
			a := d.send("GET", "/Users?filter="+strings.NewReplacer(" ", "+", `"`, "%22", "%", "%25").Replace(filter), "")
			if a.status == 400 { // of type alone nothing can be asked
				continue
			}
			require.Contains(t, a.body, `"totalResults":0`, filter)
		}

		// Changes: the path of an address, a name, and what is said in text.
		got := d.object("PATCH", "/Users/"+id, fmt.Sprintf(patchOp, `{"op":"Replace","path":"name.familyName","value":"Berg"},{"op":"Replace","path":"displayName","value":"Eve Berg"},
			{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+49 1"},{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"26118915"}`), 200)
		require.Equal(t, "Eve Berg", got["displayName"])
		require.Contains(t, w.call(t, owner, "GET", "/users/"+id, "").body, `"name":"Eve Berg"`)
		require.Contains(t, fmt.Sprint(got["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]), "26118915")
		d.object("PATCH", "/Users/"+id, fmt.Sprintf(patchOp, `{"op":"Replace","path":"userName","value":"eve.berg@acme.example"}`), 200)
		require.Contains(t, w.call(t, owner, "GET", "/users/"+id, "").body, `"email":"eve.berg@acme.example"`)

		// Who is switched off is out of all sessions at once.
		s := w.signInAs(t, owner, id)
		require.Equal(t, 200, w.call(t, s, "GET", "/me", "").status)
		got = d.object("PATCH", "/Users/"+id, fmt.Sprintf(patchOp, `{"op":"Replace","path":"active","value":"False"}`), 200)
		require.Equal(t, false, got["active"])
		require.Equal(t, 401, w.call(t, s, "GET", "/me", "").status)
		require.Contains(t, w.call(t, owner, "GET", "/users/"+id, "").body, `"status":"disabled"`)
		_, total = d.ids("/Users?filter=active+eq+false")
		require.Equal(t, 1, total)
		d.object("PATCH", "/Users/"+id, fmt.Sprintf(patchOp, `{"op":"Replace","path":"active","value":"True"}`), 200)
		require.Contains(t, w.call(t, owner, "GET", "/users/"+id, "").body, `"status":"active"`)

		// Groups.
		other := d.user("bob@acme.example")
		group := d.object("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
			"externalId":"8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159","displayName":"API team","meta":{"resourceType":"Group"}}`, 201)["id"].(string)
		require.NotContains(t, d.send("GET", "/Groups/"+group+"?excludedAttributes=members", "").body, "members")
		ids, _ := d.ids("/Groups?excludedAttributes=members&filter=displayName+eq+%22API+team%22")
		require.Equal(t, []string{group}, ids)
		for range 2 { // it is sent again where an answer was lost
			require.Equal(t, 204, d.send("PATCH", "/Groups/"+group, fmt.Sprintf(patchOp, `{"op":"Add","path":"members","value":[{"$ref":null,"value":"`+id+`"},{"$ref":null,"value":"`+other+`"}]}`)).status)
		}
		a := d.send("GET", "/Groups/"+group, "")
		require.Equal(t, 2, strings.Count(a.body, `"type":"User"`), a.body)
		ids, _ = d.ids("/Groups?filter=id+eq+%22" + group + "%22+and+members+eq+%22" + id + "%22")
		require.Equal(t, []string{group}, ids)
		ids, _ = d.ids("/Groups?filter=members%5Bvalue+eq+%22none%22%5D")
		require.Empty(t, ids)
		require.Contains(t, d.send("GET", "/Users/"+id, "").body, `"display":"API team"`)
		require.Equal(t, 204, d.send("PATCH", "/Groups/"+group, fmt.Sprintf(patchOp, `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"`+other+`"}]},{"op":"Replace","path":"displayName","value":"APIs"}`)).status)
		a = w.call(t, owner, "GET", "/groups/"+group, "")
		require.Contains(t, a.body, `"members":1`)
		require.Contains(t, a.body, `"name":"APIs"`)
		require.Contains(t, a.body, `"directory":{"id":"`+d.id+`","name":"Entra ID"}`)

		// By hand nobody changes it, but it is given roles.
		for _, request := range [][3]string{
			{"POST", "/groups/" + group + "/members", `{"member":"` + other + `"}`}, {"DELETE", "/groups/" + group + "/members/" + id, ""}, {"DELETE", "/groups/" + group, ""}, {"PATCH", "/groups/" + group, `{"name":"x"}`},
		} {
			a := w.call(t, owner, request[0], request[1], request[2], anyVersion...)
			require.Equal(t, 409, a.status, a.body)
			require.Contains(t, a.body, "Entra ID")
		}
		require.Equal(t, 200, w.call(t, owner, "PATCH", "/groups/"+group, `{"description":"those of the APIs"}`, anyVersion...).status)
		require.Equal(t, 201, w.call(t, owner, "POST", "/grants", `{"principal":"`+group+`","role":"auditor"}`).status)
		s = w.signInAs(t, owner, id)
		require.Equal(t, 200, w.call(t, s, "GET", "/users", "").status)
		require.Equal(t, 204, d.send("PATCH", "/Groups/"+group, fmt.Sprintf(patchOp, `{"op":"Remove","path":"members[value eq \"`+id+`\"]"}`)).status)
		require.Eventually(t, func() bool { return w.call(t, s, "GET", "/users", "").status == 403 }, 2*time.Second, 5*time.Millisecond)

		// Whoever is gone there is gone here.
		require.Equal(t, 204, d.send("DELETE", "/Groups/"+group, "").status)
		require.Equal(t, 404, w.call(t, owner, "GET", "/groups/"+group, "").status)
		require.Equal(t, 204, d.send("DELETE", "/Users/"+id, "").status)
		d.fails(404, "", "GET", "/Users/"+id, "")
		d.fails(404, "", "DELETE", "/Users/"+id, "")
		require.Equal(t, 404, w.call(t, owner, "GET", "/users/"+id, "").status)
		require.Equal(t, 401, w.call(t, s, "GET", "/me", "").status)
		list := w.call(t, owner, "GET", "/scim/directories", "")
		require.Contains(t, list.body, `"users":1`)
		require.Contains(t, list.body, `"groups":0`)
		require.Contains(t, list.body, `"lastUsedAt"`)
		for _, action := range []string{"user.provisioned", "user.updated", "user.disabled", "user.enabled", "user.deleted", "group.created", "group.members-changed", "group.deleted"} {
			require.Eventually(t, func() bool {
				a := w.call(t, owner, "GET", "/audit?action="+action, "")
				return strings.Contains(a.body, `"kind":"scim-token"`) && strings.Contains(a.body, `"name":"Entra ID"`)
			}, 5*time.Second, 10*time.Millisecond, action)
		}
	})
}

// signInAs returns an access token of a user who has no password yet.
func (w *world) signInAs(t *testing.T, owner, id string) string {
	t.Helper()
	a := w.call(t, owner, "POST", "/users/"+id+"/password-links", "")
	require.Equal(t, 201, a.status, a.body)
	a = w.call(t, "", "POST", "/password-links/by-token/"+a.text(t, "token")+"/use", `{"password":"`+goodWord+`"}`)
	require.Equal(t, 200, a.status, a.body)
	return a.text(t, "accessToken")
}

// What Okta sends, as its documentation has it.
func TestOktaProvisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	d := w.directory(t, owner, "Okta", "okta.example", "acme.example")
	a := d.send("GET", `/Users?filter=userName%20eq%20%22test.user%40okta.example%22&startIndex=1&count=100`, "")
	require.JSONEq(t, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`, a.body)
	sent := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"test.user@okta.example","name":{"givenName":"Test","familyName":"User"},
		"emails":[{"primary":true,"value":"test.user@okta.example","type":"work"}],"displayName":"Test User","locale":"en-US","externalId":"00ujl29u0le5T6Aj10h7","groups":[],"password":"1mz050nq","active":%t}`
	made := d.object("POST", "/Users", fmt.Sprintf(sent, true), 201)
	id := made["id"].(string)
	require.NotContains(t, fmt.Sprint(made), "1mz050nq")
	require.Contains(t, d.fails(409, "uniqueness", "POST", "/Users", fmt.Sprintf(sent, true)), "userName")
	// What is put comes back.
	got := d.object("PUT", "/Users/"+id, strings.Replace(fmt.Sprintf(sent, true), `"en-US"`, `"de-DE","title":"Dr","nickName":"T"`, 1), 200)
	require.Equal(t, got, d.object("GET", "/Users/"+id, "", 200))
	require.Equal(t, []any{"de-DE", "Dr", "T", "Test User"}, []any{got["locale"], got["title"], got["nickName"], got["displayName"]})
	got = d.object("PUT", "/Users/"+id, fmt.Sprintf(sent, true), 200)
	require.Nil(t, got["title"], "what is not put is gone")
	require.Equal(t, false, d.object("PATCH", "/Users/"+id, fmt.Sprintf(patchOp, `{"op":"replace","value":{"active":false}}`), 200)["active"])
	require.Equal(t, true, d.object("PUT", "/Users/"+id, fmt.Sprintf(sent, true), 200)["active"])
	// Where nothing is said of it, it stays.
	require.Equal(t, false, d.object("PUT", "/Users/"+id, fmt.Sprintf(sent, false), 200)["active"])
	require.Equal(t, false, d.object("PUT", "/Users/"+id, strings.Replace(fmt.Sprintf(sent, false), `,"active":false`, "", 1), 200)["active"])

	group := d.object("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Test SCIMv2","members":[]}`, 201)["id"].(string)
	require.Equal(t, 204, d.send("PATCH", "/Groups/"+group, fmt.Sprintf(patchOp, `{"op":"replace","value":{"id":"`+group+`","displayName":"Test SCIMv3"}}`)).status)
	require.Equal(t, 204, d.send("PATCH", "/Groups/"+group, fmt.Sprintf(patchOp, `{"op":"remove","path":"members[value eq \"none\"]"},{"op":"add","path":"members","value":[{"value":"`+id+`","display":"test.user@okta.example"}]}`)).status)
	put := d.object("PUT", "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"x","displayName":"Test SCIMv2","members":[{"value":"`+id+`","display":"T"}]}`, 200)
	require.Equal(t, "Test SCIMv2", put["displayName"])
	require.Len(t, put["members"], 1)
	require.Equal(t, 204, d.send("PATCH", "/Groups/"+group, fmt.Sprintf(patchOp, `{"op":"replace","path":"members","value":[]}`)).status)
	require.NotContains(t, d.send("GET", "/Groups/"+group, "").body, "members")

	// A name that is no address is kept, and the address is the primary one.
	got = d.object("POST", "/Users", `{"userName":"ada","emails":[{"value":"a@home.example","type":"home"},{"value":"ada@acme.example","primary":true}],"name":{"givenName":"Ada","familyName":"Lovelace"}}`, 201)
	require.Equal(t, "ada", got["userName"])
	here := w.call(t, owner, "GET", "/users/"+got["id"].(string), "")
	require.Contains(t, here.body, `"email":"ada@acme.example"`)
	require.Contains(t, here.body, `"name":"Ada Lovelace"`)
	// Renamed here, it is said there.
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+got["id"].(string), `{"name":"Ada K"}`, anyVersion...).status)
	require.Equal(t, "Ada K", d.object("GET", "/Users/"+got["id"].(string), "", 200)["displayName"])
	w.stop()
	require.NotContains(t, w.logged(), d.token)
	require.NotContains(t, w.logged(), "1mz050nq")
}

func TestTheProvisioningProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	d := w.directory(t, owner, "Entra ID", "acme.example")
	config := d.object("GET", "/ServiceProviderConfig", "", 200)
	require.Equal(t, map[string]any{"supported": true}, config["patch"])
	require.Equal(t, false, config["bulk"].(map[string]any)["supported"])
	require.EqualValues(t, 200, config["filter"].(map[string]any)["maxResults"])
	ids, total := d.ids("/ResourceTypes")
	require.Equal(t, []string{"User", "Group"}, ids)
	require.Equal(t, 2, total)
	ids, _ = d.ids("/Schemas")
	require.Len(t, ids, 3)
	for _, id := range ids {
		require.Equal(t, id, d.object("GET", "/Schemas/"+id, "", 200)["id"])
	}
	require.Equal(t, "/Groups", d.object("GET", "/ResourceTypes/Group", "", 200)["endpoint"])
	d.fails(404, "", "GET", "/ResourceTypes/Device", "")
	d.fails(403, "", "GET", "/Schemas?filter=id+pr", "")
	d.fails(405, "", "POST", "/Schemas", "{}")
	d.fails(501, "", "POST", "/Bulk", "{}")
	d.fails(501, "", "GET", "/Me", "")
	d.fails(404, "", "GET", "/Devices", "")
	d.fails(405, "", "PUT", "", "{}")
	d.fails(405, "", "DELETE", "/Users", "")
	d.fails(404, "", "GET", "/Users/none", "")

	var made []string
	for i := range 5 {
		made = append(made, d.user(fmt.Sprintf("u%d@acme.example", i)))
	}
	for path, want := range map[string][]string{
		"/Users?startIndex=2&count=2": made[1:3], "/Users?startIndex=5": made[4:], "/Users?startIndex=6": {}, "/Users?count=0": {}, "/Users?startIndex=-3&count=1": made[:1], "/Users?count=100000": made,
	} {
		ids, total := d.ids(path)
		require.Equal(t, want, ids, path)
		require.Equal(t, 5, total, path)
	}
	found := d.object("POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"attributes":["userName"],"filter":"userName sw \"u3\"","startIndex":1,"count":10}`, 200)
	require.Equal(t, []any{map[string]any{"id": made[3], "schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "u3@acme.example"}}, found["Resources"])
	require.JSONEq(t, `{"id":"`+made[0]+`","schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u0@acme.example"}`, d.send("GET", "/Users/"+made[0]+"?attributes=userName", "").body)
	for filter, kind := range map[string]string{"nonsense": "invalidFilter", "title+eq+%22x%22": "invalidFilter", "userName+eq+1": "invalidFilter", "meta.created+co+%22x%22": "invalidFilter", "active+gt+true": "invalidFilter", "photos%5Btype+eq+%22x%22%5D": "invalidFilter"} {
		d.fails(400, kind, "GET", "/Users?filter="+filter, "")
	}
	d.fails(400, "invalidValue", "GET", "/Users?count=x", "")
	d.fails(400, "invalidValue", "GET", "/Users?attributes=id&excludedAttributes=id", "")
	d.fails(400, "invalidPath", "GET", "/Users?attributes=a%20b", "")
	for body, kind := range map[string]string{
		"": "invalidSyntax", "[]": "invalidSyntax", "null": "invalidSyntax", `{"userName":1}`: "invalidValue", `{}`: "invalidValue", `{"userName":"ada"}`: "invalidValue",
		`{"userName":"` + strings.Repeat("a", 255) + `","emails":[{"value":"x@acme.example"}]}`: "invalidValue", `{"userName":"x@other.example"}`: "",
		`{"userName":"z@acme.example","nickName":"` + strings.Repeat("a", 70_000) + `"}`: "invalidValue",
	} {
		d.fails(400, kind, "POST", "/Users", body)
	}
	d.fails(413, "tooMany", "POST", "/Users", `{"userName":"`+strings.Repeat("a", 9<<20)+`"}`)

	// Versions.
	a := d.send("GET", "/Users/"+made[0], "")
	tag := a.header.Get("ETag")
	require.Equal(t, 304, d.send("GET", "/Users/"+made[0], "", "If-None-Match", tag).status)
	rename := fmt.Sprintf(patchOp, `{"op":"replace","path":"displayName","value":"New"}`)
	require.Equal(t, 200, d.send("PATCH", "/Users/"+made[0], rename, "If-Match", `"v9", `+tag).status)
	d.fails(412, "", "PATCH", "/Users/"+made[0], strings.Replace(rename, "New", "Newer", 1), "If-Match", tag)
	d.fails(412, "", "DELETE", "/Users/"+made[0], "", "If-Match", tag)
	require.Equal(t, 200, d.send("PATCH", "/Users/"+made[0], rename, "If-Match", "*").status)
	d.fails(409, "uniqueness", "PATCH", "/Users/"+made[0], fmt.Sprintf(patchOp, `{"op":"replace","path":"userName","value":"U1@acme.example"}`))
	d.fails(400, "", "PATCH", "/Users/"+made[0], fmt.Sprintf(patchOp, `{"op":"replace","path":"userName","value":"u0@elsewhere.example"}`))

	// Groups in groups, never in a circle; only what is of the directory.
	outer := d.object("POST", "/Groups", `{"displayName":"Outer"}`, 201)["id"].(string)
	inner := d.object("POST", "/Groups", `{"displayName":"Inner","members":[{"value":"`+made[1]+`"}]}`, 201)["id"].(string)
	into := func(group, member string) string {
		return fmt.Sprintf(patchOp, `{"op":"add","path":"members","value":[{"value":"`+member+`"}]}`)
	}
	require.Equal(t, 204, d.send("PATCH", "/Groups/"+outer, into(outer, inner)).status)
	ids, total = d.ids("?startIndex=5&count=2")
	require.Equal(t, []string{made[4], outer}, ids, "users, and then groups")
	require.Equal(t, 7, total)
	found = d.object("POST", "/.search", `{"filter":"userName sw \"u3\" or id eq \"`+inner+`\"","attributes":["id"]}`, 200)
	require.EqualValues(t, 1, found["totalResults"], "groups have no userName")
	d.fails(400, "invalidFilter", "GET", "?filter=what+pr", "")
	require.Contains(t, d.send("GET", "/Groups/"+outer, "").body, `"type":"Group"`)
	d.fails(400, "invalidValue", "PATCH", "/Groups/"+inner, into(inner, outer))
	d.fails(400, "invalidValue", "PATCH", "/Groups/"+inner, into(inner, "none"))
	d.fails(400, "invalidValue", "PATCH", "/Groups/"+inner, fmt.Sprintf(patchOp, `{"op":"add","path":"members","value":[{"type":"User"}]}`))
	d.fails(409, "uniqueness", "POST", "/Groups", `{"displayName":"INNER"}`)
	require.Equal(t, 201, w.call(t, owner, "POST", "/groups", `{"name":"By hand"}`).status)
	d.fails(409, "uniqueness", "POST", "/Groups", `{"displayName":"By hand"}`)
	d.fails(409, "uniqueness", "PATCH", "/Groups/"+inner, fmt.Sprintf(patchOp, `{"op":"replace","path":"displayName","value":"By hand"}`))
}
