package basicauth_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/gatehouse/gatehouse/gateway/policies/basicauth"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func basic(pair string) policytest.Request {
	return policytest.Request{Header: map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}}
}

func hash(t *testing.T, password string) []byte {
	t.Helper()
	h, err := basicauth.Hash(password)
	require.NoError(t, err)
	require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, h)
	return []byte(h)
}

var invalid = policytest.Want{
	Status: 401, Code: problem.CodeCredentialInvalid, NotSent: true,
	Header: map[string]string{"Www-Authenticate": `Basic realm="orders", charset="UTF-8"`},
}

func TestBasicAuth(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, basicauth.Definition())
	bc, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	require.NoError(t, err)
	app := &policy.Application{ID: "app"}
	creds := policytest.Credentials{policy.KindBasic: {
		"Aladdin": {ID: "c1", Application: app, Plan: "gold", Verifier: bc},
		"test":    {ID: "c2", Application: app, Verifier: hash(t, "123£")},
		"old":     {ID: "c3", Application: app, Verifier: bc, ExpiresAt: 1},
		"none":    {ID: "c4", Application: app},
		"plain":   {ID: "c5", Application: app, Verifier: []byte("open sesame")},
		"costly":  {ID: "c6", Application: app, Verifier: []byte("$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21l$c29tZXRhZ3NvbWV0YWdzb21l")},
	}}
	failed := policytest.Want{Status: 500, Code: problem.CodePolicyFailed, NotSent: true}
	for name, c := range map[string]struct {
		request policytest.Request
		want    policytest.Want
	}{
		// RFC 7617 section 2: QWxhZGRpbjpvcGVuIHNlc2FtZQ==
		"example of the RFC":       {policytest.Request{Header: map[string]string{"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}, policytest.Want{Sent: &policytest.Sent{Header: map[string]string{"Authorization": ""}}}},
		"example in UTF-8":         {policytest.Request{Header: map[string]string{"Authorization": "Basic dGVzdDoxMjPCow=="}}, policytest.Want{}},
		"scheme in capitals":       {policytest.Request{Header: map[string]string{"Authorization": "BASIC  QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}, policytest.Want{}},
		"nothing":                  {policytest.Request{}, policytest.Want{Status: 401, Code: problem.CodeCredentialMissing}},
		"another scheme":           {policytest.Request{Header: map[string]string{"Authorization": "Bearer x"}}, policytest.Want{Status: 401, Code: problem.CodeCredentialMissing}},
		"two":                      {policytest.Request{Header: map[string]string{"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}, invalid},
		"wrong password":           {basic("Aladdin:open sesamE"), invalid},
		"wrong password, argon2id": {basic("test:123"), invalid},
		"unknown user":             {basic("nobody:open sesame"), invalid},
		"no password":              {basic("Aladdin:"), invalid},
		"no user":                  {basic(":x"), invalid},
		"no colon":                 {basic("Aladdin"), invalid},
		"control characters":       {basic("Aladdin:open\x00sesame"), invalid},
		"not UTF-8":                {basic("test:123\xa3"), invalid},
		"not base64":               {policytest.Request{Header: map[string]string{"Authorization": "Basic !!!"}}, invalid},
		"long":                     {basic("Aladdin:" + strings.Repeat("x", 2000)), invalid},
		"expired":                  {basic("old:open sesame"), policytest.Want{Status: 401, Code: problem.CodeCredentialExpired}},
		"expired, wrong":           {basic("old:x"), invalid},
		"user without password":    {basic("none:open sesame"), invalid},
		"stored in the clear":      {basic("plain:open sesame"), failed},
		"a hash that costs 4 GiB":  {basic("costly:open sesame"), failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, basicauth.Definition(), `realm: orders`, policytest.WithCredentials(creds))
			for range 2 {
				res := h.Do(c.request, policytest.Upstream{})
				res.Check(c.want)
				if c.want.Status == 0 {
					require.Equal(t, policy.KindBasic, res.Exchange().Caller.Kind)
					require.Equal(t, app, res.Exchange().Caller.Application)
				} else {
					require.NotContains(t, fmt.Sprintf("%s %v %v", res.Body, res.Exchange().Notes(), res.Exchange().Outcome.Err), "sesame")
				}
			}
		})
	}
}

func TestAPasswordThatWasRightIsRememberedUntilItChanges(t *testing.T) {
	t.Parallel()
	creds := policytest.Credentials{policy.KindBasic: {"u": {ID: "c", Application: &policy.Application{}, Verifier: hash(t, "first")}}}
	h := policytest.New(t, basicauth.Definition(), `realm: orders`, policytest.WithCredentials(creds))
	start := time.Now()
	h.Do(basic("u:first"), policytest.Upstream{}).Check(policytest.Want{})
	once := time.Since(start)
	start = time.Now()
	for range 100 {
		h.Do(basic("u:first"), policytest.Upstream{}).Check(policytest.Want{})
	}
	require.Less(t, time.Since(start), 30*once, "argon2id is not run for each request")
	h.Do(basic("u:second"), policytest.Upstream{}).Check(invalid)
	creds[policy.KindBasic]["u"] = policy.Credential{ID: "c", Application: &policy.Application{}, Verifier: hash(t, "second")}
	h.Do(basic("u:first"), policytest.Upstream{}).Check(invalid) // R16.1
	h.Do(basic("u:second"), policytest.Upstream{}).Check(policytest.Want{})
	delete(creds[policy.KindBasic], "u")
	h.Do(basic("u:second"), policytest.Upstream{}).Check(invalid)
}

func TestTooManyChecksAreNotARefusal(t *testing.T) { // R6.3
	t.Parallel()
	full := make(chan struct{}, 1)
	full <- struct{}{}
	h := policytest.New(t, basicauth.Definition(), `{maxConcurrent: 1, maxWait: 1ms}`, func(e *policy.Env) {
		e.Memo = func(string, func() (any, error)) (any, error) { return full, nil }
	})
	h.Do(basic("u:p"), policytest.Upstream{}).Check(policytest.Want{Status: 503, Code: problem.CodeDependencyDown, Header: map[string]string{"Retry-After": "1"}})
	<-full
	h.Do(basic("u:p"), policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
}

func TestHashBounds(t *testing.T) {
	t.Parallel()
	_, err := basicauth.Hash("")
	require.Error(t, err)
	_, err = basicauth.Hash(strings.Repeat("x", 2000))
	require.Error(t, err)
}
