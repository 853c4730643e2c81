package hmacsignature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const secret = "canary-shared-secret-of-32-bytes"

var (
	now   = policytest.NewClock().Now().Unix()
	creds = policytest.Credentials{policy.KindHMAC: {
		"k1":    {ID: "c1", Application: &policy.Application{ID: "app"}, Plan: "gold", Verifier: []byte(secret)},
		"old":   {ID: "c2", Application: &policy.Application{ID: "app"}, Verifier: []byte(secret), ExpiresAt: now},
		"empty": {ID: "c3", Application: &policy.Application{ID: "app"}},
	}}
)

// RFC 9421 appendix B.2.5.
func TestTheExampleOfTheRFC(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
	require.NoError(t, err)
	h := policytest.New(t, Definition(), `{components: [date, "@authority", content-type], body: optional}`, policytest.WithCredentials(policytest.Credentials{
		policy.KindHMAC: {"test-shared-secret": {ID: "c", Application: &policy.Application{}, Verifier: key}},
	}))
	r := policytest.Request{
		Method: "POST", Host: "example.com", Path: "/foo?param=Value&Pet=dog", Body: `{"hello": "world"}`,
		Header: map[string]string{
			"Date": "Tue, 20 Apr 2021 02:07:55 GMT", "Content-Type": "application/json", "Content-Length": "18",
			"Signature-Input": `sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
			"Signature":       `sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:`,
		},
		Edit: func(ex *policy.Exchange) { ex.Start = time.Unix(1618884475, 0) },
	}
	h.Do(r, policytest.Upstream{}).Check(policytest.Want{})
	r.Header["Content-Type"] = "application/xml"
	h.Do(r, policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
}

// signed returns a request signed as its last step; edits come after.
func signed(r policytest.Request, key, input string) policytest.Request {
	ex := &policy.Exchange{}
	q := &ex.Request
	q.Method, q.Scheme, q.Authority, q.Path = r.Method, "http", "api.example", "/items"
	q.Query = "b=%41&a"
	for k, v := range r.Header {
		q.Header.Add(k, v)
	}
	if r.Body != "" {
		q.Body.SetBytes([]byte(r.Body))
	}
	in, ok := parseInputs("sig=" + input)
	if !ok {
		panic(input)
	}
	base, ok := signatureBase(q, in["sig"])
	if !ok {
		panic("base of " + input)
	}
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(base))
	if r.Header == nil {
		r.Header = map[string]string{}
	}
	r.Header["Signature-Input"] = "sig=" + input
	r.Header["Signature"] = "sig=:" + base64.StdEncoding.EncodeToString(m.Sum(nil)) + ":"
	r.Path = "/items?b=%41&a"
	return r
}

func digest(body string) string {
	d := sha256.Sum256([]byte(body))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(d[:]) + ":"
}

const all = `("@method" "@authority" "@path" "@query")`

func params(more string) string { return fmt.Sprintf(`%s;created=%d;keyid="k1"%s`, all, now, more) }

func TestHMACSignature(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, Definition())
	get := policytest.Request{Method: "GET"}
	post := func(body, digest string) policytest.Request {
		r := policytest.Request{Method: "POST", Body: body, Header: map[string]string{}}
		if digest != "" {
			r.Header["Content-Digest"] = digest
		}
		return r
	}
	body := strings.Replace(params(""), `"@query"`, `"@query" "content-digest"`, 1)
	edited := func(r policytest.Request, edit func(*policytest.Request)) policytest.Request { edit(&r); return r }
	expired := policytest.Want{Status: 401, Code: problem.CodeCredentialExpired, NotSent: true}
	invalid := func(detail string) policytest.Want {
		return policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: detail, NotSent: true, Header: map[string]string{"Www-Authenticate": `Signature realm="gatehouse"`}}
	}
	at := func(d int64) string { return fmt.Sprintf(`%s;created=%d;keyid="k1"`, all, now+d) }
	for name, c := range map[string]struct {
		config  string
		request policytest.Request
		want    policytest.Want
	}{
		"good":                      {`{}`, signed(get, secret, params("")), policytest.Want{}},
		"all parameters":            {`tag: app`, signed(get, secret, params(fmt.Sprintf(`;alg="hmac-sha256";nonce="n";expires=%d;tag="app"`, now+1))), policytest.Want{}},
		"hidden":                    {`hide: true`, signed(get, secret, params("")), policytest.Want{Sent: &policytest.Sent{Header: map[string]string{"Signature": "", "Signature-Input": ""}}}},
		"host as a field":           {`components: [host]`, signed(get, secret, strings.Replace(params(""), all, `("host")`, 1)), policytest.Want{}},
		"whole address":             {`components: ["@target-uri", "@request-target", "@scheme"]`, signed(get, secret, strings.Replace(params(""), all, `("@target-uri" "@request-target" "@scheme")`, 1)), policytest.Want{}},
		"body":                      {`{}`, signed(post("hello", digest("hello")), secret, body), policytest.Want{Sent: &policytest.Sent{Body: "hello"}}},
		"empty body with a digest":  {`{}`, signed(post("", digest("")), secret, body), policytest.Want{}},
		"nothing":                   {`{}`, policytest.Request{}, policytest.Want{Status: 401, Code: problem.CodeCredentialMissing, Header: map[string]string{"Accept-Signature": `sig=("@method" "@authority" "@path" "@query");created;keyid="";alg="hmac-sha256"`}}},
		"another body":              {`{}`, edited(signed(post("hello", digest("hello")), secret, body), func(r *policytest.Request) { r.Body = "hellO" }), invalid("Content-Digest")},
		"another digest":            {`{}`, signed(post("hello", digest("other")), secret, body), invalid("Content-Digest")},
		"weak digest":               {`{}`, signed(post("hello", "md5=:XUFAKrxLKna5cZ2REBfFkg==:"), secret, body), invalid("Content-Digest")},
		"one of two digests wrong":  {`{}`, signed(post("hello", digest("hello")+", sha-512=:AAAA:"), secret, body), invalid("Content-Digest")},
		"body is not covered":       {`{}`, signed(post("hello", digest("hello")), secret, params("")), invalid("not covered")},
		"body need not be covered":  {`body: optional`, signed(post("hello", ""), secret, params("")), policytest.Want{}},
		"large body":                {`maxBody: 4B`, signed(post("hello", digest("hello")), secret, body), policytest.Want{Status: 413, Code: problem.CodeBodyTooLarge}},
		"another method":            {`{}`, edited(signed(get, secret, params("")), func(r *policytest.Request) { r.Method = "DELETE" }), invalid("known key")},
		"another path":              {`{}`, edited(signed(get, secret, params("")), func(r *policytest.Request) { r.Path = "/admin?b=%41&a" }), invalid("known key")},
		"another query":             {`{}`, edited(signed(get, secret, params("")), func(r *policytest.Request) { r.Path = "/items?b=A&a" }), invalid("known key")},
		"another host":              {`{}`, edited(signed(get, secret, params("")), func(r *policytest.Request) { r.Host = "other.example" }), invalid("known key")},
		"another secret":            {`{}`, signed(get, secret+"x", params("")), invalid("known key")},
		"unknown key":               {`{}`, signed(get, secret, strings.Replace(params(""), "k1", "k2", 1)), invalid("known key")},
		"unknown key, empty secret": {`{}`, signed(get, "", strings.Replace(params(""), "k1", "k2", 1)), invalid("known key")},
		"key without secret":        {`{}`, signed(get, "", strings.Replace(params(""), "k1", "empty", 1)), invalid("known key")},
		"expired key":               {`{}`, signed(get, secret, strings.Replace(params(""), "k1", "old", 1)), expired},
		"less covered":              {`{}`, signed(get, secret, strings.Replace(params(""), ` "@query"`, "", 1)), invalid("does not cover")},
		"nothing covered":           {`{}`, signed(get, secret, strings.Replace(params(""), all, "()", 1)), invalid("does not cover")},
		"oldest":                    {`{}`, signed(get, secret, at(-330)), policytest.Want{}},
		"too old":                   {`{}`, signed(get, secret, at(-331)), expired},
		"newest":                    {`{}`, signed(get, secret, at(30)), policytest.Want{}},
		"from the future":           {`{}`, signed(get, secret, at(31)), expired},
		"expires":                   {`{}`, signed(get, secret, params(fmt.Sprintf(";expires=%d", now-31))), expired},
		"no time":                   {`{}`, signed(get, secret, all+`;keyid="k1"`), invalid("created")},
		"no key":                    {`{}`, signed(get, secret, fmt.Sprintf(`%s;created=%d`, all, now)), invalid("RFC 9421")},
		"another algorithm":         {`{}`, signed(get, secret, params(`;alg="rsa-pss-sha512"`)), invalid("another algorithm")},
		"another tag":               {`tag: app`, signed(get, secret, params(`;tag="b"`)), invalid("tag")},
		"nonce is needed":           {`replay: nonce`, signed(get, secret, params("")), invalid("nonce")},
		"another label":             {`label: other`, signed(get, secret, params("")), invalid("label")},
		"signature without input":   {`{}`, policytest.Request{Header: map[string]string{"Signature": "sig=:AAAA:"}}, invalid("RFC 9421")},
		"input without signature":   {`{}`, policytest.Request{Header: map[string]string{"Signature-Input": "sig=" + params("")}}, invalid("RFC 9421")},
		"a field that is not there": {`{}`, edited(signed(policytest.Request{Method: "GET", Header: map[string]string{"X-A": "1"}}, secret, strings.Replace(params(""), `"@query"`, `"@query" "x-a"`, 1)), func(r *policytest.Request) { delete(r.Header, "X-A") }), invalid("does not have")},
		"gRPC cannot be held back":  {`{}`, edited(signed(post("hello", digest("hello")), secret, body), func(r *policytest.Request) { r.Edit = func(ex *policy.Exchange) { ex.Request.GRPC = true } }), invalid("stream")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, Definition(), c.config, policytest.WithCredentials(creds))
			res := h.Do(c.request, policytest.Upstream{})
			res.Check(c.want)
			if c.want.Status == 0 {
				require.Equal(t, "app", res.Exchange().Caller.ApplicationID())
				require.Equal(t, policy.KindHMAC, res.Exchange().Caller.Kind)
			}
			require.NotContains(t, fmt.Sprintf("%s %v %v %v", res.Body, res.Header, res.Exchange().Notes(), res.Exchange().Outcome.Err), "canary")
		})
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"refuse", "nonce"} {
		h := policytest.New(t, Definition(), "replay: "+mode, policytest.WithCredentials(creds))
		one := signed(policytest.Request{Method: "GET"}, secret, params(`;nonce="1"`))
		h.Do(one, policytest.Upstream{}).Check(policytest.Want{})
		h.Do(one, policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "before"})
		h.Do(signed(policytest.Request{Method: "PUT"}, secret, params(`;nonce="1"`)), policytest.Upstream{}).
			Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "before"})
		h.Do(signed(policytest.Request{Method: "GET"}, secret, params(`;nonce="2"`)), policytest.Upstream{}).Check(policytest.Want{})
		// A signature that is wrong must not use up the nonce of one that is right.
		h.Do(signed(policytest.Request{Method: "GET"}, "wrong", params(`;nonce="3"`)), policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
		h.Do(signed(policytest.Request{Method: "GET"}, secret, params(`;nonce="3"`)), policytest.Upstream{}).Check(policytest.Want{})
	}
}

func TestFieldsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "sig", "sig=", "sig=(", "sig=()x", `sig=("a"`, `sig=("a""b")`, `sig=("A")`, `sig=("a" "a")`, `sig=("a";sf)`, `sig=("a");created`, `sig=("a");created=-1`,
		`sig=("a");created=1.5`, `sig=("a");created=9999999999999999`, `sig=("a");created=1;created=2`, `sig=("a");keyid=x`, `sig=("a");other=1`, `Sig=("a")`,
		`sig=("a"),sig=("b")`, `sig=("a"),`, `sig=("a\x")`, "sig=(\"a\x00\")", `sig=("a")` + strings.Repeat(" ", maxField),
	} {
		_, ok := parseInputs(s)
		require.False(t, ok, "%q", s)
	}
	for _, s := range []string{"", "a=:AAAA", "a=AAAA", "a=:A:", "a=:AAAA:,", "a=:AAAA: b=:AAAA:", "a=:AAAA:,a=:AAAA:", "1=:AAAA:"} {
		_, ok := parseBytes(s)
		require.False(t, ok, "%q", s)
	}
	for _, c := range []string{`components: []`, `components: ["@query-param"]`, `components: [Date]`, `tag: "a\"b"`, `label: "1"`, `maxBody: 0`, `replay: maybe`} {
		_, err := policytest.Compile(t, Definition(), c)
		require.Error(t, err, c)
	}
}

func FuzzFields(f *testing.F) {
	f.Add(`sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`)
	f.Add(`a=(),b=("x");nonce="\"";tag="t";alg="hmac-sha256"`)
	f.Add("sha-256=:AAAA:, sha-512=:AAAA:")
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := parseInputs(s); ok {
			for name, in := range m {
				again, ok := parseInputs(name + "=" + in.raw)
				require.True(t, ok)
				require.Equal(t, in, again[name], "the raw value says all")
				require.NotContains(t, in.raw, "\n")
			}
		}
		if m, ok := parseBytes(s); ok {
			require.NotEmpty(t, m)
		}
	})
}
