package tenantmanager_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlidp"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

const samlACS = ssoOrigin + "/bff/sso/saml/callback"

// samlProvider is an identity provider that nobody here wrote: crewjam/saml's, over
// HTTP, with its own login form.
type samlProvider struct {
	url    string
	client *http.Client
	// change is done to each assertion before it is signed.
	change func(*saml.Assertion)
	// certificate and method are what it signs with.
	sign func(key sso.SAMLKey, method string)
	stop func()
}

func samlKey(t *testing.T) sso.SAMLKey {
	t.Helper()
	k, err := sso.NewClient(egress.Guard{}, time.Now).NewSAMLKey("identity provider")
	require.NoError(t, err)
	return k
}

// MakeAssertion makes the assertion that the provider makes, with persistent names.
func (p *samlProvider) MakeAssertion(req *saml.IdpAuthnRequest, s *saml.Session) error {
	err := saml.DefaultAssertionMaker{}.MakeAssertion(req, s)
	if err == nil {
		req.Assertion.Subject.NameID.Format = string(saml.PersistentNameIDFormat)
		if p.change != nil {
			p.change(req.Assertion)
		}
	}
	return err
}

func startSAML(t *testing.T, users ...samlidp.User) *samlProvider {
	t.Helper()
	var handler atomic.Pointer[samlidp.Server]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	at, err := url.Parse(s.URL)
	require.NoError(t, err)
	idp, err := samlidp.New(samlidp.Options{URL: *at, Store: &samlidp.MemoryStore{}, Logger: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)})
	require.NoError(t, err)
	p := &samlProvider{url: s.URL, stop: s.Close, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	p.sign = func(k sso.SAMLKey, method string) {
		b, _ := pem.Decode([]byte(k.Private))
		key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
		require.NoError(t, err)
		idp.IDP.Certificate, err = x509.ParseCertificate(k.Certificate)
		require.NoError(t, err)
		idp.IDP.Key, idp.IDP.SignatureMethod = key, method
	}
	p.sign(samlKey(t), dsig.RSASHA256SignatureMethod)
	idp.IDP.AssertionMaker, idp.IDP.LoginURL = p, idp.IDP.SSOURL
	handler.Store(idp)
	for _, u := range users {
		word := "a password"
		u.PlaintextPassword = &word
		b, err := json.Marshal(u)
		require.NoError(t, err)
		p.put(t, "/users/"+u.Name, b)
	}
	return p
}

func (p *samlProvider) put(t *testing.T, path string, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.url+path, bytes.NewReader(body))
	require.NoError(t, err)
	res, err := p.client.Do(r)
	require.NoError(t, err)
	_ = res.Body.Close()
	require.Equal(t, 204, res.StatusCode)
}

var hidden = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

// visit is a browser that is sent to the provider, signs in by its form, and gets
// the form that it posts to us.
func (p *samlProvider) visit(t *testing.T, address, user string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c := &http.Client{Jar: jar, Transport: p.client.Transport}
	page := func(res *http.Response, err error) (string, url.Values) {
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		fields := url.Values{}
		for _, m := range hidden.FindAllStringSubmatch(string(b), -1) {
			fields.Set(m[1], html.UnescapeString(m[2]))
		}
		return string(b), fields
	}
	body, fields := page(c.Get(address))
	require.Contains(t, body, `name="password"`)
	fields.Set("user", user)
	fields.Set("password", "a password")
	form := action.FindStringSubmatch(body)
	require.NotNil(t, form, body)
	body, fields = page(c.PostForm(form[1], fields))
	require.Contains(t, body, `action="`+samlACS+`"`)
	return fields
}

// know tells the provider of a connection, by the metadata that is served.
func (p *samlProvider) know(t *testing.T, w *world, id string) {
	t.Helper()
	a := w.call(t, "", "GET", "/sign-in/sso/saml/"+id+"/metadata?origin="+url.QueryEscape(ssoOrigin), "")
	require.Equal(t, 200, a.status, a.body)
	p.put(t, "/services/"+id, []byte(a.text(t, "metadata")))
}

func samlBody(t *testing.T, p *samlProvider, change map[string]any) string {
	t.Helper()
	c := map[string]any{
		"name": "Acme SAML", "kind": "saml", "saml": map[string]any{"metadataUrl": p.url + "/metadata"}, "trustEmail": true, "enabled": true,
		"domains": []string{"acme.example"}, "emailClaim": "mail", "nameClaim": "cn", "groupsClaim": "eduPersonAffiliation",
	}
	for k, v := range change {
		c[k] = v
	}
	b, err := json.Marshal(c)
	require.NoError(t, err)
	return string(b)
}

// post takes the form to us, and gets the handle.
func (w *world) post(t *testing.T, form url.Values) answer {
	t.Helper()
	return w.call(t, "", "POST", "/sign-in/sso/saml", object(t, map[string]string{"state": form.Get("RelayState"), "answer": form.Get("SAMLResponse")}))
}

func (w *world) finish(t *testing.T, form url.Values, change map[string]string) answer {
	t.Helper()
	a := w.post(t, form)
	require.Equal(t, 200, a.status, a.body)
	fields := map[string]string{"state": form.Get("RelayState"), "saml": a.text(t, "handle"), "binding": binding}
	for k, v := range change {
		fields[k] = v
	}
	return w.call(t, "", "POST", "/sign-in/sso/callback", object(t, fields))
}

func (w *world) refusedBecause(t *testing.T, owner, why string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return strings.Contains(w.call(t, owner, "GET", "/audit?action=sso-connection.sign-in", "").body, why)
	}, 5*time.Second, 20*time.Millisecond, why)
}

func TestSigningInWithSAML(t *testing.T) {
	t.Parallel()
	p := startSAML(t,
		samlidp.User{Name: "eve", Email: "eve@acme.example", CommonName: "Eve Acme", Groups: []string{"apis", "other"}},
		samlidp.User{Name: "ada", Email: "ada@acme.example"},
		samlidp.User{Name: "far", Email: "far@elsewhere.example"})
	w, owner := ssoWorld(t)
	require.Equal(t, 200, w.call(t, w.invite(t, owner, "ada@acme.example", `{"role":"viewer"}`).text(t, "accessToken"), "GET", "/me", "").status)

	// The provider asks for our metadata first: the connection begins without its.
	a := w.call(t, owner, "POST", "/sso/connections", `{"name":"Acme SAML","kind":"saml"}`)
	require.Equal(t, 201, a.status, a.body)
	id := a.text(t, "id")
	require.Equal(t, "urn:gatehouse:sso:"+id, a.text(t, "saml/spEntityId"))
	require.NotContains(t, a.body, "PRIVATE KEY")
	p.know(t, w, id)
	own := a.text(t, "saml/spCertificate/pem")
	require.Equal(t, 422, w.call(t, owner, "PUT", "/sso/connections/"+id, `{"name":"Acme SAML","kind":"saml","enabled":true}`, "If-Match", "*").status)
	test := w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, map[string]string{"origin": ssoOrigin, "binding": binding}))
	require.Equal(t, 409, test.status, test.body)
	roles := map[string]any{"provision": true, "roles": []string{"viewer"}, "groupRoles": []map[string]string{{"group": "apis", "role": "publisher"}}}
	a = w.call(t, owner, "PUT", "/sso/connections/"+id, samlBody(t, p, roles), "If-Match", "*")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, p.url+"/metadata", a.text(t, "issuer"))
	require.Equal(t, own, a.text(t, "saml/spCertificate/pem"), "who the provider is was not known before: the key stays")
	require.NotContains(t, w.call(t, owner, "GET", "/audit?action=sso-connection.updated", "").body, "PRIVATE KEY")

	// Somebody new, by an encrypted assertion.
	address := w.begin(t, "eve@acme.example")
	require.Contains(t, address, p.url+"/sso?SAMLRequest=")
	require.Contains(t, address, "&Signature=")
	form := p.visit(t, address, "eve")
	// Another browser gets nothing of it, and does not spoil it: it brings its own
	// secret, and the handle is not good twice.
	require.Equal(t, 401, w.finish(t, form, map[string]string{"binding": strings.ToUpper(binding)}).status)
	a = w.finish(t, form, nil)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "/users", a.text(t, "next"))
	token, user := a.text(t, "tokens/accessToken"), a.text(t, "tokens/user/id")
	me := w.call(t, token, "GET", "/me", "")
	for _, part := range []string{`"name":"Eve Acme"`, `"email":"eve@acme.example"`, `"roleName":"viewer"`, `"roleName":"publisher"`} {
		require.Contains(t, me.body, part)
	}
	require.Contains(t, w.call(t, token, "GET", "/me/sessions", "").body, `"methods":["fed","pwd"]`)
	require.Equal(t, 404, w.post(t, form).status, "the attempt is over")

	// The same person again; somebody who is a user is linked.
	a = w.finish(t, p.visit(t, w.begin(t, "eve@acme.example"), "eve"), nil)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, user, a.text(t, "tokens/user/id"))
	require.Equal(t, 200, w.finish(t, p.visit(t, w.begin(t, "ada@acme.example"), "ada"), nil).status)

	// What another attempt got, and what was used, is good for none.
	used := p.visit(t, w.begin(t, "eve@acme.example"), "eve")
	stolen := p.visit(t, w.begin(t, "eve@acme.example"), "eve")
	stolen.Set("SAMLResponse", used.Get("SAMLResponse"))
	require.Equal(t, 401, w.finish(t, stolen, nil).status)
	w.refusedBecause(t, owner, "to another request")
	require.Equal(t, 200, w.finish(t, used, nil).status)
	lone := p.visit(t, w.begin(t, "eve@acme.example"), "eve")
	kept := w.post(t, used)
	require.Equal(t, 404, kept.status, kept.body)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/sso/callback", object(t, map[string]string{"state": lone.Get("RelayState"), "binding": binding})).status)
	w.refusedBecause(t, owner, "sent no answer")
	unasked := w.call(t, "", "POST", "/sign-in/sso/saml", `{"state":"none","answer":"AAAA"}`)
	require.Equal(t, 404, unasked.status)
	require.Contains(t, unasked.body, "begin at the identity provider are refused")

	// What the provider says that we do not take, and whom.
	var last string
	for why, change := range map[string]func(*saml.Assertion){
		"(Audience)": func(s *saml.Assertion) { s.Conditions.AudienceRestrictions[0].Audience.Value = "urn:other" },
		"(Recipient)": func(s *saml.Assertion) {
			s.Subject.SubjectConfirmations[0].SubjectConfirmationData.Recipient = "https://other.example"
		},
		"(InResponseTo)": func(s *saml.Assertion) {
			s.Subject.SubjectConfirmations[0].SubjectConfirmationData.InResponseTo = "id-other"
		},
		"was valid until":        func(s *saml.Assertion) { s.Conditions.NotOnOrAfter = time.Now().Add(-5 * time.Minute) },
		"transient":              func(s *saml.Assertion) { s.Subject.NameID.Format = string(saml.TransientNameIDFormat) },
		"the assertion was used": func(s *saml.Assertion) { s.ID = last },
		"https://other.example":  func(s *saml.Assertion) { s.Issuer.Value = "https://other.example" },
	} {
		if strings.HasPrefix(why, "the assertion was used") {
			p.change = func(s *saml.Assertion) { last = s.ID }
			require.Equal(t, 200, w.finish(t, p.visit(t, w.begin(t, "eve@acme.example"), "eve"), nil).status)
		}
		p.change = change
		a := w.finish(t, p.visit(t, w.begin(t, "eve@acme.example"), "eve"), nil)
		require.Equal(t, 401, a.status, why)
		require.NotContains(t, a.body, why)
		w.refusedBecause(t, owner, why)
	}
	p.change = nil
	require.Equal(t, 401, w.finish(t, p.visit(t, w.begin(t, "far@acme.example"), "far"), nil).status)
	w.refusedBecause(t, owner, "none of the connection's domains")
	require.Equal(t, 401, w.finish(t, url.Values{"RelayState": {p.visit(t, w.begin(t, "eve@acme.example"), "eve").Get("RelayState")}, "SAMLResponse": {"!"}}, nil).status)
	w.refusedBecause(t, owner, "not Base64")

	// Where nobody vouches for addresses, they say nothing.
	require.Equal(t, 200, w.call(t, owner, "PUT", "/sso/connections/"+id, samlBody(t, p, map[string]any{"trustEmail": false, "provision": true}), "If-Match", "*").status)
	p.change = func(s *saml.Assertion) {
		s.Subject.NameID.Value = "new"
		s.AttributeStatements[0].Attributes = append(s.AttributeStatements[0].Attributes, saml.Attribute{Name: "email_verified", Values: []saml.AttributeValue{{Value: "true"}}})
	}
	require.Equal(t, 401, w.finish(t, p.visit(t, w.begin(t, "eve@acme.example"), "eve"), nil).status)
	w.refusedBecause(t, owner, "does not take that for granted")
	p.change = nil

	// Too late.
	form = p.visit(t, w.begin(t, "eve@acme.example"), "eve")
	a = w.post(t, form)
	w.clock.Advance(3 * time.Minute)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/sso/callback", object(t, map[string]string{"state": form.Get("RelayState"), "saml": a.text(t, "handle"), "binding": binding})).status)

	w.stop()
	for _, secret := range []string{"PRIVATE KEY", binding, form.Get("SAMLResponse")[:200], form.Get("RelayState"), token} {
		require.NotContains(t, w.logged(), secret)
	}
}

func TestTestingSAMLAndItsCertificates(t *testing.T) {
	t.Parallel()
	p := startSAML(t, samlidp.User{Name: "eve", Email: "eve@acme.example", CommonName: "Eve", Groups: []string{"apis"}})
	w, owner := ssoWorld(t)
	a := w.call(t, owner, "POST", "/sso/connections", samlBody(t, p, map[string]any{"enabled": false, "provision": true}))
	require.Equal(t, 201, a.status, a.body)
	id, own := a.text(t, "id"), a.text(t, "saml/spCertificate/pem")
	p.know(t, w, id)
	tested := func() string {
		a := w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, map[string]string{"origin": ssoOrigin, "binding": binding}))
		require.Equal(t, 200, a.status, a.body)
		a = w.finish(t, p.visit(t, a.text(t, "address"), "eve"), nil)
		require.Equal(t, 200, a.status, a.body)
		a = w.call(t, owner, "GET", "/sso/tests/"+a.text(t, "test"), "")
		require.Equal(t, 200, a.status, a.body)
		return a.body
	}
	got := tested()
	for _, part := range []string{`"outcome":"made"`, `"groups":["apis"]`, `"email":"eve@acme.example"`, `"subject":"eve@acme.example"`, `"authnContext":"urn:oasis`, `"mail":["eve@acme.example"]`} {
		require.Contains(t, got, part)
	}
	p.change = func(s *saml.Assertion) { s.Subject.NameID.Format = string(saml.TransientNameIDFormat) }
	got = tested()
	require.Contains(t, got, `"outcome":"refused"`)
	require.Contains(t, got, "transient")
	require.Contains(t, got, `"claims":{`, "what was received shows which attribute there is")
	a = w.call(t, owner, "PUT", "/sso/connections/"+id, samlBody(t, p, map[string]any{"enabled": true, "provision": true, "saml": map[string]any{"metadataUrl": p.url + "/metadata", "subjectAttribute": "uid"}}), "If-Match", "*")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, tested(), `"subject":"eve"`)
	p.change = nil
	require.Equal(t, 200, w.finish(t, p.visit(t, w.begin(t, "eve@acme.example"), "eve"), nil).status)

	// SHA-1 is refused, and the test says so.
	next := samlKey(t)
	p.sign(next, dsig.RSASHA1SignatureMethod)
	require.Contains(t, tested(), "rsa-sha1")
	// A certificate that is not known yet: the metadata is fetched anew, links stay.
	p.sign(next, dsig.RSASHA256SignatureMethod)
	require.Contains(t, tested(), "none of the connection's certificates")
	a = w.call(t, owner, "POST", "/sso/connections/"+id+"/metadata", "")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, tested(), `"outcome":"known"`)
	require.Contains(t, w.call(t, owner, "GET", "/audit", "").body, "sso-connection.metadata-refreshed")

	// By hand: a new certificate is another party, whom nobody was linked to.
	byHand := func(key sso.SAMLKey, entity string) map[string]any {
		return map[string]any{"enabled": true, "provision": true, "saml": map[string]any{
			"entityId": entity, "ssoUrl": p.url + "/sso", "certificates": []string{sso.DescribeCertificate(key.Certificate).PEM}, "subjectAttribute": "uid",
		}}
	}
	a = w.call(t, owner, "PUT", "/sso/connections/"+id, samlBody(t, p, byHand(next, p.url+"/metadata")), "If-Match", "*")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, tested(), `"outcome":"known"`)
	third := samlKey(t)
	p.sign(third, dsig.RSASHA256SignatureMethod)
	a = w.call(t, owner, "PUT", "/sso/connections/"+id, samlBody(t, p, byHand(third, p.url+"/metadata")), "If-Match", "*")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, tested(), `"outcome":"linked"`)
	require.Equal(t, own, a.text(t, "saml/spCertificate/pem"))
	require.Equal(t, 409, w.call(t, owner, "POST", "/sso/connections/"+id+"/metadata", "").status, "it was given by hand")
	// Another entity gets another key.
	a = w.call(t, owner, "PUT", "/sso/connections/"+id, samlBody(t, p, byHand(third, "https://other.example")), "If-Match", "*")
	require.Equal(t, 200, a.status, a.body)
	require.NotEqual(t, own, a.text(t, "saml/spCertificate/pem"))

	for body, field := range map[string]string{
		`{"name":"x","kind":"saml","saml":{"metadata":"<a/>"}}`:                                 "/saml/metadata",
		`{"name":"x","kind":"saml","saml":{"metadataUrl":"http://idp.example/x"}}`:              "/saml/metadataUrl",
		`{"name":"x","kind":"saml","saml":{"metadataUrl":"` + p.url + `/nothing"}}`:             "/saml/metadataUrl",
		`{"name":"x","kind":"saml","saml":{"entityId":"e"}}`:                                    "/saml/ssoUrl",
		`{"name":"x","kind":"saml","saml":{"entityId":"e","ssoUrl":"https://idp.example/sso"}}`: "/saml/certificates",
		`{"name":"x","kind":"saml","saml":{"ssoUrl":"https://idp.example/sso"}}`:                "/saml/entityId",
		`{"name":"x","kind":"saml","saml":{"certificates":["nonsense!"]}}`:                      "/saml/certificates/0",
		`{"name":"x","kind":"saml","enabled":true}`:                                             "/saml",
		`{"name":"x","kind":"saml","saml":{"nameIdFormat":"transient"}}`:                        "/saml/nameIdFormat",
		`{"name":"x","kind":"oidc"}`:                                                            "/issuer",
		`{"name":"x","kind":"oidc","enabled":true,"issuer":"https://login.example.com"}`:        "/clientId",
	} {
		a := w.call(t, owner, "POST", "/sso/connections", body)
		require.Equal(t, 422, a.status, body+a.body)
		require.Contains(t, a.body, `"pointer":"`+field+`"`)
	}
	require.Equal(t, 404, w.call(t, "", "GET", "/sign-in/sso/saml/none/metadata?origin=https%3A%2F%2Fx.example", "").status)
	require.Equal(t, 422, w.call(t, "", "GET", "/sign-in/sso/saml/"+id+"/metadata?origin=javascript%3Ax", "").status)
}

// An administrator cannot become an owner by certificates of their own.
func TestSAMLGivesNoMoreThanWhoMadeItHas(t *testing.T) {
	t.Parallel()
	p := startSAML(t, samlidp.User{Name: "boss", Email: "ada@example.com"})
	w, owner := ssoWorld(t)
	admin := w.invite(t, owner, "adm@example.com", `{"role":"administrator"}`).text(t, "accessToken")
	a := w.call(t, owner, "POST", "/sso/connections", samlBody(t, p, map[string]any{"domains": []string{"example.com"}}))
	require.Equal(t, 201, a.status, a.body)
	id := a.text(t, "id")
	p.know(t, w, id)
	require.Equal(t, 200, w.finish(t, p.visit(t, w.begin(t, "ada@example.com"), "boss"), nil).status, "the owner vouches for it")
	own := samlKey(t)
	p.sign(own, dsig.RSASHA256SignatureMethod)
	taken := map[string]any{"domains": []string{"example.com"}, "saml": map[string]any{
		"entityId": p.url + "/metadata", "ssoUrl": p.url + "/sso", "certificates": []string{sso.DescribeCertificate(own.Certificate).PEM},
	}}
	a = w.call(t, admin, "PUT", "/sso/connections/"+id, samlBody(t, p, taken), "If-Match", "*")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, 401, w.finish(t, p.visit(t, w.begin(t, "ada@example.com"), "boss"), nil).status)
	w.refusedBecause(t, owner, "may do more than whoever saved")
}
