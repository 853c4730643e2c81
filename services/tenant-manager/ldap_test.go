package tenantmanager_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

const (
	// directoryWord is the password of everybody in the directory.
	directoryWord = "what the directory knows"
	serviceWord   = "of the account that looks up"
	lookUp        = "cn=gatehouse,ou=services," + testkit.SlapdSuffix
)

// entries are a directory: people, and groups in groups, which go round in a circle.
var entries = strings.NewReplacer("SUFFIX", testkit.SlapdSuffix, "WORD", directoryWord, "SERVICE", serviceWord).Replace(`dn: ou=people,SUFFIX
objectClass: organizationalUnit
ou: people

dn: ou=groups,SUFFIX
objectClass: organizationalUnit
ou: groups

dn: ou=services,SUFFIX
objectClass: organizationalUnit
ou: services

dn: cn=gatehouse,ou=services,SUFFIX
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: gatehouse
userPassword: SERVICE

` + person("eve", "Eve Larsen", "eve@acme.example") + person("ada", "Ada", "Ada@acme.example") + person("boss", "Boss", "boss@acme.example") +
	person("max", "Max", "max@acme.example") + person("twin1", "Twin", "twin@acme.example") + person("twin2", "Twin", "twin@acme.example") +
	person("far", "Far", "far@elsewhere.example") + `
dn: cn=apis,ou=groups,SUFFIX
objectClass: groupOfNames
cn: apis
member: uid=eve,ou=people,SUFFIX
member: uid=max,ou=people,SUFFIX

dn: cn=staff,ou=groups,SUFFIX
objectClass: groupOfNames
cn: staff
member: cn=apis,ou=groups,SUFFIX
member: cn=everyone,ou=groups,SUFFIX

dn: cn=everyone,ou=groups,SUFFIX
objectClass: groupOfNames
cn: everyone
member: cn=staff,ou=groups,SUFFIX

`)

func person(uid, name, mail string) string {
	return "dn: uid=" + uid + ",ou=people,SUFFIX\nobjectClass: inetOrgPerson\nobjectClass: activeUser\nuid: " + uid + "\ncn: " + name + "\nsn: " + name + "\nmail: " + mail + "\nuserPassword: WORD\n\n"
}

// connectDirectory connects a directory, by StartTLS, and returns the answer.
func (w *world) connectDirectory(t *testing.T, token string, d *testkit.SlapdServer, change, ldap map[string]any) answer {
	t.Helper()
	a := w.call(t, token, "POST", "/sso/connections", directoryBody(t, d, change, ldap))
	require.Equal(t, 201, a.status, a.body)
	require.NotContains(t, a.body, serviceWord)
	return a
}

func directoryBody(t *testing.T, d *testkit.SlapdServer, change, ldap map[string]any) string {
	t.Helper()
	l := map[string]any{
		"urls": []string{d.URL}, "ca": d.CA, "bindDn": lookUp, "bindPassword": serviceWord, "userBase": "ou=people," + testkit.SlapdSuffix,
		"groupBase": "ou=groups," + testkit.SlapdSuffix, "nestedGroups": true,
	}
	c := map[string]any{
		"name": "Acme Directory", "kind": "ldap", "preset": "openldap", "enabled": true, "domains": []string{"acme.example"}, "trustEmail": true, "provision": true,
		"roles": []string{"viewer"}, "groupRoles": []map[string]string{{"group": "staff", "role": "publisher"}, {"group": "apis", "role": "operator"}}, "ldap": l,
	}
	for into, from := range map[*map[string]any]map[string]any{&l: ldap, &c: change} {
		for k, v := range from {
			(*into)[k] = v
			if v == nil {
				delete(*into, k)
			}
		}
	}
	b, err := json.Marshal(c)
	require.NoError(t, err)
	return string(b)
}

func (w *world) enter(t *testing.T, email, password string) answer {
	t.Helper()
	return w.call(t, "", "POST", "/sign-in", object(t, map[string]string{"email": email, "password": password}))
}

// told waits until the audit trail says of a refused sign-in why it was.
func (w *world) told(t *testing.T, owner, why string) {
	t.Helper()
	w.recordedAs(t, owner, "sso-connection.sign-in", why)
}

func (w *world) recordedAs(t *testing.T, owner, action, text string) answer {
	t.Helper()
	var a answer
	require.Eventually(t, func() bool {
		a = w.call(t, owner, "GET", "/audit?action="+action, "")
		return strings.Contains(a.body, text)
	}, 5*time.Second, 20*time.Millisecond, "%s %s", action, text)
	return a
}

func directoryWorld(t *testing.T) (w *world, owner string) {
	t.Helper()
	w = newWorld(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	return w, w.setUp(t)
}

func TestSigningInByADirectory(t *testing.T) {
	t.Parallel()
	d := testkit.Slapd(t, entries)
	w, owner := directoryWorld(t)
	require.Equal(t, 200, w.call(t, w.invite(t, owner, "ada@acme.example", `{"role":"viewer"}`).text(t, "accessToken"), "GET", "/me", "").status)
	made := w.connectDirectory(t, owner, d, nil, nil)
	id := made.text(t, "id")
	require.Contains(t, made.body, `"hasSecret":true`)
	for _, email := range []string{"eve@acme.example", "nobody@Acme.Example"} {
		require.JSONEq(t, `{"connection":{"id":"`+id+`","name":"Acme Directory","kind":"ldap"},"singleSignOn":"preferred"}`, w.call(t, "", "POST", "/sign-in/methods", `{"email":"`+email+`"}`).body)
	}
	require.Equal(t, 409, w.call(t, "", "POST", "/sign-in/sso", object(t, map[string]string{"connection": id, "origin": ssoOrigin, "binding": binding})).status)

	// Somebody new: a user, with the roles of nested groups.
	a := w.enter(t, "eve@acme.example", directoryWord)
	require.Equal(t, 200, a.status, a.body)
	eve, token := a.text(t, "user/id"), a.text(t, "accessToken")
	me := w.call(t, token, "GET", "/me", "").body
	require.Contains(t, me, `"name":"Eve Larsen"`)
	for _, role := range []string{"viewer", "publisher", "operator"} {
		require.Contains(t, me, `"roleName":"`+role+`"`)
	}
	require.Contains(t, w.call(t, token, "GET", "/me/sessions", "").body, `"methods":["fed","pwd"]`)

	// The same person again, and what the groups do not give any more goes.
	d.Modify("dn: cn=staff,ou=groups," + testkit.SlapdSuffix + "\nchangetype: modify\ndelete: member\nmember: cn=apis,ou=groups," + testkit.SlapdSuffix + "\n")
	a = w.enter(t, "EVE@acme.example", directoryWord)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, eve, a.text(t, "user/id"))
	me = w.call(t, a.text(t, "accessToken"), "GET", "/me", "").body
	require.Contains(t, me, `"roleName":"operator"`)
	require.NotContains(t, me, `"roleName":"publisher"`)

	// Who is a user already comes in by either password, until they are linked.
	a = w.enter(t, "ada@acme.example", goodWord)
	require.Equal(t, 200, a.status, a.body)
	ada := a.text(t, "user/id")
	a = w.enter(t, "ada@acme.example", directoryWord)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, ada, a.text(t, "user/id"))
	require.Equal(t, 401, w.enter(t, "ada@acme.example", goodWord).status, "from now on the directory decides")
	require.Equal(t, 200, w.enter(t, "ada@acme.example", directoryWord).status)

	// All these get the same answer; the trail tells them apart.
	for email, why := range map[string]string{
		"eve@acme.example":      "does not take the password",
		"nobody@acme.example":   "nobody below ou=people",
		"*|uid=*@acme.example":  `mail=\\\\2a|uid=\\\\2a@acme.example`,
		"twin@acme.example":     "more than one entry",
	} {
		a := w.enter(t, email, "what the directory does not know")
		require.Equal(t, 401, a.status, a.body)
		require.Contains(t, a.body, "the e-mail address or the password is not right")
		require.NotContains(t, a.body, "directory")
		w.told(t, owner, why)
	}
	require.Equal(t, 401, w.enter(t, "twin@acme.example", directoryWord).status)
	require.Equal(t, 422, w.enter(t, "eve@acme.example", "").status)
	require.Equal(t, 422, w.enter(t, "eve@acme.example", "\x00").status, "which directories take for the end, and so for no password")
	require.Equal(t, 422, w.enter(t, "*)(uid=*@acme.example", directoryWord).status)

	// Many attempts wait, whether there is somebody or not.
	for _, email := range []string{"max@acme.example", "nobody2@acme.example"} {
		for range 5 {
			require.Equal(t, 401, w.enter(t, email, "wrong").status)
		}
		require.Equal(t, 429, w.enter(t, email, "wrong").status)
	}
	w.clock.Advance(time.Hour)
	owner = w.signIn(t, "ada@example.com", "")
	require.Equal(t, 200, w.enter(t, "max@acme.example", directoryWord).status)

	// An account that the directory has switched off.
	for attribute, why := range map[string]string{"userAccountControl: 514": "ACCOUNTDISABLE", "pwdAccountLockedTime: 000001010000Z": "locked in the directory"} {
		name, _, _ := strings.Cut(attribute, ":")
		at := "dn: uid=max,ou=people," + testkit.SlapdSuffix + "\nchangetype: modify\n"
		d.Modify(at + "add: " + name + "\n" + attribute + "\n")
		require.Equal(t, 401, w.enter(t, "max@acme.example", directoryWord).status)
		w.told(t, owner, why)
		d.Modify(at + "delete: " + name + "\n")
		require.Equal(t, 200, w.enter(t, "max@acme.example", directoryWord).status)
	}
	// And one that is switched off here.
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+eve, `{"status":"disabled"}`, anyVersion...).status)
	require.Equal(t, 401, w.enter(t, "eve@acme.example", directoryWord).status)

	w.stop()
	for _, secret := range []string{directoryWord, serviceWord, goodWord, "what the directory does not know"} {
		require.NotContains(t, w.logged(), secret)
	}
}

// A directory that is away keeps those out that it alone lets in, and nobody else.
func TestADirectoryThatIsAway(t *testing.T) {
	t.Parallel()
	first, second := testkit.Slapd(t, entries), testkit.Slapd(t, entries)
	w, owner := directoryWorld(t)
	local := w.invite(t, owner, "local@acme.example", `{"role":"viewer"}`)
	boss := w.invite(t, owner, "boss@acme.example", `{"role":"owner"}`)
	require.Equal(t, 200, local.status)
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+boss.text(t, "user/id"), `{"breakGlass":true}`, anyVersion...).status)
	// Two authorities: each server has one of its own.
	id := w.connectDirectory(t, owner, first, map[string]any{"groupRoles": []any{}}, map[string]any{"urls": []string{first.URL, second.TLS}, "ca": first.CA + second.CA, "groupBase": ""}).text(t, "id")
	require.Equal(t, 200, w.enter(t, "eve@acme.example", directoryWord).status)
	require.Equal(t, 200, w.enter(t, "boss@acme.example", directoryWord).status)

	first.Stop()
	a := w.enter(t, "max@acme.example", directoryWord)
	require.Equal(t, 200, a.status, "the second server answers: %s", a.body)

	second.Stop()
	for _, email := range []string{"eve@acme.example", "nobody@acme.example", "local@acme.example"} {
		a := w.enter(t, email, directoryWord)
		require.Equal(t, 503, a.status, "%s: %s", email, a.body)
		require.Contains(t, a.body, "Acme Directory cannot be asked at the moment")
		require.NotContains(t, a.body, "127.0.0.1")
	}
	w.told(t, owner, "connection refused")
	require.Equal(t, 200, w.enter(t, "local@acme.example", goodWord).status, "who is not linked has the password here")
	require.Equal(t, 200, w.enter(t, "boss@acme.example", goodWord).status, "a break-glass account always")
	require.Equal(t, 200, w.enter(t, "ada@example.com", goodWord).status, "and so has everybody of another domain")
	require.Equal(t, 401, w.enter(t, "ada@example.com", directoryWord).status)

	// Away for the test as well, which says how.
	a = w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, map[string]string{"username": "eve@acme.example", "password": directoryWord}))
	require.Equal(t, 200, a.status, a.body)
	a = w.call(t, owner, "GET", "/sso/tests/"+a.text(t, "test"), "")
	require.Contains(t, a.body, `"outcome":"failed"`)
	require.Contains(t, a.body, first.URL)
	require.Contains(t, a.body, second.TLS)

	first.Restart()
	require.Equal(t, 200, w.enter(t, "eve@acme.example", directoryWord).status)
	require.Equal(t, 200, w.call(t, owner, "PUT", "/sso/connections/"+id, directoryBody(t, first, map[string]any{"enabled": false}, nil), anyVersion...).status)
	require.Equal(t, 401, w.enter(t, "eve@acme.example", directoryWord).status, "it is switched off")
}

func TestTestingADirectory(t *testing.T) {
	t.Parallel()
	d := testkit.Slapd(t, entries)
	w, owner := directoryWorld(t)
	id := w.connectDirectory(t, owner, d, map[string]any{"enabled": false}, nil).text(t, "id")
	test := func(user, password string) answer {
		a := w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, map[string]string{"username": user, "password": password}))
		require.Equal(t, 200, a.status, a.body)
		require.NotContains(t, a.body, "address")
		return w.call(t, owner, "GET", "/sso/tests/"+a.text(t, "test"), "")
	}
	change := func(ldap map[string]any) {
		ldap["bindPassword"] = serviceWord
		a := w.call(t, owner, "PUT", "/sso/connections/"+id, directoryBody(t, d, map[string]any{"enabled": false}, ldap), anyVersion...)
		require.Equal(t, 200, a.status, a.body)
	}
	a := test("eve@acme.example", directoryWord)
	for _, part := range []string{
		`"outcome":"made"`, `"groups":["apis","everyone","staff"]`, `"roles":["operator","publisher","viewer"]`, `"email":"eve@acme.example"`, `"emailVerified":true`,
		`"dn":"uid=eve,ou=people,dc=acme,dc=example"`, `"sn":["Eve Larsen"]`, `"kind":"ldap"`,
	} {
		require.Contains(t, a.body, part)
	}
	require.NotContains(t, a.body, directoryWord)
	require.NotContains(t, a.body, "userPassword")
	require.NotContains(t, w.call(t, owner, "GET", "/users", "").body, "eve@acme.example", "nobody was made")
	w.recordedAs(t, owner, "sso-connection.tested", id)
	for _, missing := range []string{"username", "password"} {
		body := map[string]string{"username": "eve", "password": "x"}
		delete(body, missing)
		a := w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, body))
		require.Equal(t, 422, a.status)
		require.Contains(t, a.body, `"pointer":"/`+missing+`"`)
	}

	// What goes wrong is told as it is.
	require.Contains(t, test("nobody@acme.example", directoryWord).body, "nobody below ou=people")
	require.Contains(t, test("twin@acme.example", directoryWord).body, "more than one entry")
	require.Contains(t, test("eve@acme.example", "no").body, "does not take the password")
	change(map[string]any{"urls": []string{d.TLS}, "ca": nil})
	require.Contains(t, test("eve@acme.example", directoryWord).body, "certificate signed by unknown authority")
	change(map[string]any{"ca": nil})
	require.Contains(t, test("eve@acme.example", directoryWord).body, "certificate signed by unknown authority")
	change(map[string]any{"urls": []string{d.TLS}})
	require.Contains(t, test("eve@acme.example", directoryWord).body, `"outcome":"made"`)
	change(map[string]any{"startTls": false})
	require.Contains(t, test("eve@acme.example", directoryWord).body, `"outcome":"made"`)
	change(map[string]any{"userBase": "ou=nowhere," + testkit.SlapdSuffix})
	require.Contains(t, test("eve@acme.example", directoryWord).body, "ou=nowhere,dc=acme,dc=example, which is not there")
	change(map[string]any{"groupBase": "ou=nowhere," + testkit.SlapdSuffix})
	require.Contains(t, test("eve@acme.example", directoryWord).body, "looking for groups below ou=nowhere")
	change(map[string]any{"bindDn": nil})
	require.Contains(t, test("eve@acme.example", directoryWord).body, `"outcome":"failed"`, "it shows nothing to nobody")
	change(map[string]any{"subjectAttribute": "employeeNumber"})
	require.Contains(t, test("eve@acme.example", directoryWord).body, "has no employeeNumber")
	change(map[string]any{"userFilter": "(uid={username})", "nestedGroups": false, "groupNameAttribute": "dn"})
	a = test("eve", directoryWord)
	require.Contains(t, a.body, `"groups":["cn=apis,ou=groups,dc=acme,dc=example"]`)
	w.stop()
	for _, secret := range []string{directoryWord, serviceWord} {
		require.NotContains(t, w.logged(), secret)
	}
}

func TestSettingsOfADirectory(t *testing.T) {
	t.Parallel()
	d := testkit.Slapd(t, entries)
	w, owner := directoryWorld(t)
	for field, c := range map[string]struct{ change, ldap map[string]any }{
		"/ldap":              {change: map[string]any{"ldap": nil}},
		"/issuer":            {change: map[string]any{"issuer": "https://login.example.com"}},
		"/clientSecret":      {change: map[string]any{"clientSecret": "x"}},
		"/ldap/urls/0":       {ldap: map[string]any{"urls": []string{"https://ldap.example.com"}}},
		"/ldap/startTls":     {ldap: map[string]any{"urls": []string{"ldap://ldap.example.com"}, "startTls": false}},
		"/ldap/ca":           {ldap: map[string]any{"ca": "x"}},
		"/ldap/bindPassword": {ldap: map[string]any{"bindPassword": nil}},
		"/ldap/userBase":     {ldap: map[string]any{"userBase": "people"}},
		"/ldap/userFilter":   {ldap: map[string]any{"userFilter": "(mail=*)"}},
		"/ldap/groupFilter":  {ldap: map[string]any{"groupFilter": "(member={dn}"}},
		"/ldap/more":         {ldap: map[string]any{"more": true}},
	} {
		a := w.call(t, owner, "POST", "/sso/connections", directoryBody(t, d, c.change, c.ldap))
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"pointer":"`+field+`"`)
	}
	a := w.call(t, owner, "POST", "/sso/connections", directoryBody(t, d, map[string]any{"kind": "oidc", "preset": "generic", "issuer": "https://login.example.com", "clientId": "c"}, nil))
	require.Equal(t, 422, a.status)
	require.Contains(t, a.body, `"pointer":"/ldap"`)

	// What decides who somebody is was linked for the servers that were there.
	id := w.connectDirectory(t, owner, d, nil, nil).text(t, "id")
	eve := w.enter(t, "eve@acme.example", directoryWord).text(t, "user/id")
	put := func(ldap map[string]any) answer {
		return w.call(t, owner, "PUT", "/sso/connections/"+id, directoryBody(t, d, map[string]any{"trustEmail": false}, ldap), anyVersion...)
	}
	a = put(map[string]any{"bindPassword": nil, "groupBase": ""})
	require.Equal(t, 200, a.status, "the password stays: %s", a.body)
	require.Equal(t, 200, w.enter(t, "eve@acme.example", directoryWord).status, "who is linked needs no verified address")
	a = put(map[string]any{"bindPassword": nil, "urls": []string{d.URL, d.TLS}})
	require.Equal(t, 422, a.status, "a new server does not get it")
	require.Contains(t, a.body, `"pointer":"/ldap/bindPassword"`)
	require.Equal(t, 200, put(map[string]any{"urls": []string{d.URL, d.TLS}}).status)
	require.Equal(t, 401, w.enter(t, "eve@acme.example", directoryWord).status, "linked anew, by an address that nobody vouches for")
	w.told(t, owner, "does not say that the e-mail address is verified")
	require.Equal(t, 200, w.call(t, owner, "PUT", "/sso/connections/"+id, directoryBody(t, d, nil, map[string]any{"urls": []string{d.TLS}}), anyVersion...).status)
	a = w.enter(t, "eve@acme.example", directoryWord)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, eve, a.text(t, "user/id"))
	require.NotContains(t, w.recordedAs(t, owner, "sso-connection.updated", d.TLS).body, serviceWord)
}

// Who has a directory cannot use it to guess at passwords that are kept here, nor
// to become somebody who may do more than whoever connected it.
func TestADirectoryGivesNoMoreThanWhoMadeItHas(t *testing.T) {
	t.Parallel()
	d := testkit.Slapd(t, entries)
	w, owner := directoryWorld(t)
	require.Equal(t, 200, w.invite(t, owner, "boss@acme.example", `{"role":"owner"}`).status)
	admin := w.invite(t, owner, "adm@example.com", `{"role":"administrator"}`).text(t, "accessToken")
	w.connectDirectory(t, admin, d, nil, nil)
	w.verifyAll(t, owner)
	require.Equal(t, 200, w.enter(t, "boss@acme.example", goodWord).status)
	for range 4 {
		require.Equal(t, 401, w.enter(t, "boss@acme.example", "a guess").status)
	}
	a := w.enter(t, "boss@acme.example", directoryWord)
	require.Equal(t, 401, a.status)
	require.Contains(t, a.body, "ask your administrator")
	w.told(t, owner, "may do more than whoever saved the connection")
	require.Equal(t, 429, w.enter(t, "boss@acme.example", goodWord).status, "the guesses are not forgotten")
	w.clock.Advance(time.Hour)
	require.Equal(t, 200, w.enter(t, "boss@acme.example", goodWord).status)
}

// Passwords that are not right are held against the entry of the directory, by whatever
// address it was found, so that the directory does not come to lock it; and who is locked
// out here is told of as with a password that is kept here.
func TestGuessingAtAnEntryOfADirectory(t *testing.T) {
	t.Parallel()
	d := testkit.Slapd(t, entries)
	w, owner := directoryWorld(t)
	w.connectDirectory(t, owner, d, map[string]any{"domains": []string{"acme.example", "acme.test"}}, map[string]any{"userFilter": "(uid={username})"})
	a := w.enter(t, "eve@acme.example", directoryWord)
	require.Equal(t, 200, a.status, a.body)
	user := a.text(t, "user/id")
	unknown := w.enter(t, "nobody@acme.example", "wrong")
	for i := range 5 {
		a := w.enter(t, []string{"eve@acme.example", "eve@acme.test"}[i%2], "wrong")
		require.Equal(t, 401, a.status, a.body)
		require.Equal(t, unknown.text(t, "detail"), a.text(t, "detail"), "it does not show whether there is somebody")
	}
	// The sixth is the first that would have to wait under one address: the directory is
	// not asked, and nothing shows it.
	a = w.enter(t, "eve@acme.test", directoryWord)
	require.Equal(t, 401, a.status, a.body)
	require.Equal(t, unknown.text(t, "detail"), a.text(t, "detail"))
	w.told(t, owner, "the directory was not asked")
	w.clock.Advance(time.Hour)
	owner = w.signIn(t, "ada@example.com", "default")
	require.Equal(t, 200, w.enter(t, "eve@acme.example", directoryWord).status)

	// Under one address: the account is locked, and that is recorded as for passwords.
	for range 5 {
		require.Equal(t, 401, w.enter(t, "eve@acme.example", "wrong").status)
	}
	a = w.enter(t, "eve@acme.example", directoryWord)
	require.Equal(t, 429, a.status, a.body)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	w.recordedAs(t, owner, "user.locked-out", user)
	// So is somebody of whom nobody knows.
	for range 4 {
		require.Equal(t, 401, w.enter(t, "nobody@acme.example", "wrong").status)
	}
	require.Equal(t, 429, w.enter(t, "nobody@acme.example", "wrong").status)
}
