package tenantmanager_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
)

// code is what an authenticator app shows now, or so much later.
func (w *world) totp(t testing.TB, secret string, later time.Duration) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, w.clock.Now().Add(later))
	require.NoError(t, err)
	return c
}

const right = `{"email":"ada@example.com","password":"` + goodWord + `","origin":"http://apim-admin.test"}`

// addTOTP sets up an authenticator app, and returns its secret and the recovery
// codes.
func (s *scenario) addTOTP(t *testing.T, as string) (secret string, codes []string) {
	t.Helper()
	a := s.w.call(t, s.vars[as], "POST", "/me/factors/totp", `{"name":"Phone"}`)
	require.Equal(t, 201, a.status, a.body)
	require.Contains(t, a.text(t, "qr"), "data:image/png;base64,")
	require.Contains(t, a.text(t, "url"), "otpauth://totp/Gatehouse%20Acme:ada@example.com?")
	secret = a.text(t, "secret")
	path := "/me/factors/" + a.text(t, "id") + "/activation"
	require.Equal(t, 422, s.w.call(t, s.vars[as], "POST", path, `{"code":"000000"}`).status)
	a = s.w.call(t, s.vars[as], "POST", path, `{"code":"`+s.w.totp(t, secret, 0)+`"}`)
	require.Equal(t, 200, a.status, a.body)
	var made struct {
		RecoveryCodes []string `json:"recoveryCodes"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &made))
	require.Equal(t, 409, s.w.call(t, s.vars[as], "POST", path, `{"code":"`+s.w.totp(t, secret, 0)+`"}`).status)
	return secret, made.RecoveryCodes
}

func TestAuthenticatorApps(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w := s.w
	secret, codes := s.addTOTP(t, "owner")
	require.Len(t, codes, 10)
	w.expect(t, "set up", "user.factor-begun", "user.factor-added")

	// Before the password is right nothing shows that there is a factor.
	wrong := w.call(t, "", "POST", "/sign-in", strings.Replace(right, goodWord, "not the right one", 1))
	require.Equal(t, 401, wrong.status)
	nobody := w.call(t, "", "POST", "/sign-in", strings.Replace(right, "ada@", "nobody@", 1))
	require.Equal(t, strings.ReplaceAll(wrong.body, wrong.header.Get("X-Request-Id"), ""), strings.ReplaceAll(nobody.body, nobody.header.Get("X-Request-Id"), ""))

	a := w.call(t, "", "POST", "/sign-in", right)
	require.Equal(t, 202, a.status, a.body)
	require.Contains(t, a.body, `"methods":["totp","recovery"]`)
	require.NotContains(t, a.body, "oken")
	challenge := a.text(t, "challenge")
	step := func(proof string) answer {
		return w.call(t, "", "POST", "/sign-in/second-step", `{"challenge":"`+challenge+`",`+proof+`}`)
	}
	a = step(`"totp":"` + w.totp(t, secret, 0) + `"`)
	require.Equal(t, 422, a.status, "the code of the setting up was used")
	require.Contains(t, a.body, `"pointer":"/totp"`)
	require.Equal(t, 422, step(`"totp":"`+w.totp(t, secret, 2*time.Minute)+`"`).status, "far ahead")
	a = step(`"totp":"` + w.totp(t, secret, 30*time.Second) + `"`)
	require.Equal(t, 200, a.status, "one step of skew: %s", a.body)
	s.vars["again"] = a.text(t, "accessToken")
	require.Equal(t, 401, step(`"totp":"`+w.totp(t, secret, 60*time.Second)+`"`).status, "the challenge is good for one sign-in")
	require.Contains(t, w.call(t, s.vars["again"], "GET", "/me/sessions", "").body, `"methods":["pwd","otp","mfa"]`)

	// A challenge is good for nothing else, and for five minutes.
	challenge = w.call(t, "", "POST", "/sign-in", right).text(t, "challenge")
	require.Equal(t, 401, w.call(t, challenge, "GET", "/me", "").status)
	require.Equal(t, 401, w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+challenge+`"}`).status)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/passkey", `{"challenge":"`+challenge+`","passkey":{}}`).status)
	w.clock.Advance(5 * time.Minute)
	require.Equal(t, 401, step(`"totp":"`+w.totp(t, secret, 0)+`"`).status, "over")

	// Recovery codes, each once, however they are spelled.
	challenge = w.call(t, "", "POST", "/sign-in", right).text(t, "challenge")
	require.Equal(t, 422, step(`"recoveryCode":"aaaa-bbbb-cccc-dddd"`).status)
	a = step(`"recoveryCode":"` + strings.ToUpper(strings.ReplaceAll(codes[0], "-", " ")) + `"`)
	require.Equal(t, 200, a.status, a.body)
	challenge = w.call(t, "", "POST", "/sign-in", right).text(t, "challenge")
	require.Equal(t, 422, step(`"recoveryCode":"`+codes[0]+`"`).status, "used")
	require.Equal(t, 422, step(`"totp":"12345a"`).status)
	require.Equal(t, 422, w.call(t, "", "POST", "/sign-in/second-step", `{"challenge":"`+challenge+`"}`).status, "no proof")
	token := a.text(t, "accessToken")
	require.Contains(t, w.call(t, token, "GET", "/me/factors", "").body, `"recoveryCodesLeft":9`)

	// Ten minutes after signing in, changes need a proof anew.
	w.clock.Advance(4 * time.Minute)
	token = w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+a.text(t, "refreshToken")+`"}`).text(t, "accessToken")
	require.Equal(t, 201, w.call(t, token, "POST", "/me/recovery-codes", "").status)
	w.clock.Advance(4 * time.Minute)
	w.clock.Advance(4 * time.Minute)
	a = step(`"totp":"` + w.totp(t, secret, 0) + `"`) // over, too
	require.Equal(t, 401, a.status)
	challenge = w.call(t, "", "POST", "/sign-in", right).text(t, "challenge")
	a = step(`"totp":"` + w.totp(t, secret, 0) + `"`)
	require.Equal(t, 200, a.status, a.body)
	refresh := a.text(t, "refreshToken")
	w.clock.Advance(11 * time.Minute)
	token = w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+refresh+`"}`).text(t, "accessToken")
	for _, path := range []string{"/me/recovery-codes", "/me/factors/totp"} {
		a = w.call(t, token, "POST", path, map[bool]string{true: `{}`}[path == "/me/factors/totp"])
		require.Equal(t, 403, a.status, a.body)
		require.Contains(t, a.body, "confirmation-required")
	}
	require.Contains(t, w.call(t, token, "POST", "/me/confirmation", `{"password":"not the right one"}`).body, `"pointer":"/password"`)
	require.Equal(t, 422, w.call(t, token, "POST", "/me/confirmation", `{}`).status)
	require.Equal(t, 200, w.call(t, token, "POST", "/me/confirmation", `{"password":"`+goodWord+`"}`).status)
	id := w.call(t, token, "GET", "/me/factors", "").text(t, "items/0/id")
	require.Equal(t, 200, w.call(t, token, "PATCH", "/me/factors/"+id, `{"name":"New phone"}`).status)
	require.Equal(t, 204, w.call(t, token, "DELETE", "/me/factors/"+id, "").status)
	require.Contains(t, w.call(t, token, "GET", "/me/factors", "").body, `"items":[],"recoveryCodesLeft":0`)
	require.Equal(t, 200, w.call(t, "", "POST", "/sign-in", right).status, "one step again")
}

// Guessing codes is slowed down like guessing passwords, whatever challenge is
// used.
func TestGuessingSecondFactorsIsSlowedDown(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.addTOTP(t, "owner")
	statuses := map[int]int{}
	for range 12 {
		c := s.w.call(t, "", "POST", "/sign-in", right).text(t, "challenge")
		a := s.w.call(t, "", "POST", "/sign-in/second-step", `{"challenge":"`+c+`","totp":"000000"}`)
		statuses[a.status]++
		if a.status == 429 {
			require.NotEmpty(t, a.header.Get("Retry-After"))
		}
	}
	require.Positive(t, statuses[429], "%v", statuses)
	require.LessOrEqual(t, statuses[422], 6, "%v", statuses)
}

// An administrator takes the factors of who has lost them; the user is out.
func TestResettingFactors(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.addTOTP(t, "owner")
	admin := s.w.invite(t, s.vars["owner"], "adm@example.com", `{"role":"administrator"}`).text(t, "accessToken")
	viewer := s.w.invite(t, s.vars["owner"], "vera@example.com", `{"role":"viewer"}`)
	id := viewer.text(t, "user/id")
	s.vars["vera"] = viewer.text(t, "accessToken")
	require.Equal(t, 201, s.w.call(t, s.vars["vera"], "POST", "/me/factors/totp", `{}`).status)
	require.Equal(t, 403, s.w.call(t, admin, "DELETE", "/users/"+s.vars["ownerId"]+"/factors", "").status, "the owner may do more")
	require.Contains(t, s.w.call(t, s.vars["owner"], "GET", "/users/"+s.vars["ownerId"]+"/factors", "").body, `"name":"Phone"`)
	require.Equal(t, 403, s.w.call(t, s.vars["vera"], "GET", "/users/"+id+"/factors", "").status)
	require.Equal(t, 204, s.w.call(t, admin, "DELETE", "/users/"+id+"/factors", "").status)
	require.Equal(t, 401, s.w.call(t, s.vars["vera"], "GET", "/me", "").status)
}

// phone is an authenticator in software, as in tests of the library.
type phone struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

// coseKey is the length in bytes of a public key of P-256, as a COSE_Key (RFC 9053
// section 7.1).
const coseKey = 77

func newPhone(origin, id, user string) *phone {
	// The library leaves out zeros at the beginning of a coordinate, which is no key:
	// one in 128 has them.
	cred := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(cred.Key.AttestationData()) != coseKey {
		cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return &phone{
		rp:   virtualwebauthn.RelyingParty{Name: "Gatehouse", ID: id, Origin: origin},
		auth: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(user)}),
		cred: cred,
	}
}

func options(t testing.TB, a answer) (challenge, text string) {
	t.Helper()
	require.Equal(t, 200, a.status, a.body)
	var v struct {
		Challenge string          `json:"challenge"`
		Options   json.RawMessage `json:"options"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &v))
	return v.Challenge, string(v.Options)
}

// create answers navigator.credentials.create, get navigator.credentials.get.
func (p *phone) create(t testing.TB, a answer, more string) string {
	t.Helper()
	challenge, text := options(t, a)
	o, err := virtualwebauthn.ParseAttestationOptions(text)
	require.NoError(t, err)
	require.Equal(t, p.rp.ID, o.RelyingPartyID)
	return `{"challenge":"` + challenge + `",` + more + `"passkey":` + virtualwebauthn.CreateAttestationResponse(p.rp, p.auth, p.cred, *o) + `}`
}

func (p *phone) get(t testing.TB, a answer) string {
	t.Helper()
	challenge, text := options(t, a)
	o, err := virtualwebauthn.ParseAssertionOptions(text)
	require.NoError(t, err)
	require.Equal(t, p.rp.ID, o.RelyingPartyID)
	p.cred.Counter++
	return `{"challenge":"` + challenge + `","passkey":` + virtualwebauthn.CreateAssertionResponse(p.rp, p.auth, p.cred, *o) + `}`
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w, owner := s.w, s.vars["owner"]
	const here = `{"origin":"http://apim-admin.test"}`
	p := newPhone("http://apim-admin.test", "apim-admin.test", s.vars["ownerId"])
	a := w.call(t, owner, "POST", "/me/factors/passkey-options", `{"origin":"https://evil.test"}`)
	require.Equal(t, 422, a.status)
	require.Contains(t, a.body, `"pointer":"/origin"`)
	body := p.create(t, w.call(t, owner, "POST", "/me/factors/passkey-options", here), `"name":"Laptop",`)
	elsewhere := *p
	elsewhere.rp.Origin = "http://evil.test"
	require.Equal(t, 422, w.call(t, owner, "POST", "/me/factors/passkeys", elsewhere.create(t, w.call(t, owner, "POST", "/me/factors/passkey-options", here), "")).status, "of another page")
	a = w.call(t, owner, "POST", "/me/factors/passkeys", body)
	require.Equal(t, 201, a.status, a.body)
	require.Contains(t, a.body, `"name":"Laptop","relyingParty":"apim-admin.test"`)
	require.Equal(t, 10, strings.Count(a.body[strings.Index(a.body, "recoveryCodes"):], "-")/3, "recovery codes: %s", a.body)
	require.Equal(t, 422, w.call(t, owner, "POST", "/me/factors/passkeys", body).status, "a challenge is good once")
	p.auth.AddCredential(p.cred)

	// As the second step.
	a = w.call(t, "", "POST", "/sign-in", right)
	require.Equal(t, 202, a.status)
	require.Contains(t, a.body, `"methods":["passkey","recovery"]`)
	ask := `{"challenge":"` + a.text(t, "challenge") + `","origin":"http://apim-admin.test"}`
	second := p.get(t, w.call(t, "", "POST", "/sign-in/second-step/passkey-options", ask))
	require.Equal(t, 422, w.call(t, "", "POST", "/sign-in/second-step", strings.Replace(second, `"signature":"M`, `"signature":"N`, 1)).status, "a wrong signature")
	a = w.call(t, "", "POST", "/sign-in/second-step", second)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, w.call(t, a.text(t, "accessToken"), "GET", "/me/sessions", "").body, `"methods":["pwd","pop","user","mfa"]`)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/second-step", second).status, "once")
	// At another address this passkey is none.
	a = w.call(t, "", "POST", "/sign-in", strings.Replace(right, "http://apim-admin.test", "http://console.test", 1))
	require.Contains(t, a.body, `"methods":["recovery"]`)

	// Alone.
	alone := p.get(t, w.call(t, "", "POST", "/sign-in/passkey-options", here))
	a = w.call(t, "", "POST", "/sign-in/passkey", alone)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, w.call(t, a.text(t, "accessToken"), "GET", "/me/sessions", "").body, `"methods":["pop","user","mfa"]`)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/passkey", alone).status, "once")
	w.recordedAs(t, owner, "user.factor-added", "Laptop")
	w.recordedAs(t, owner, "user.signed-in", `\"pop\"`)

	// Not without PIN or biometry, not of somebody else, not with a counter that
	// went backwards, and not once it is removed.
	careless := *p
	careless.auth.Options.UserNotVerified = true
	require.Equal(t, 422, w.call(t, "", "POST", "/sign-in/passkey", careless.get(t, w.call(t, "", "POST", "/sign-in/passkey-options", here))).status)
	stranger := newPhone("http://apim-admin.test", "apim-admin.test", s.vars["ownerId"])
	require.Equal(t, 422, w.call(t, "", "POST", "/sign-in/passkey", stranger.get(t, w.call(t, "", "POST", "/sign-in/passkey-options", here))).status)
	copied := *p
	copied.cred.Counter = 0
	require.Equal(t, 422, w.call(t, "", "POST", "/sign-in/passkey", copied.get(t, w.call(t, "", "POST", "/sign-in/passkey-options", here))).status)

	// It proves anew who one is.
	w.clock.Advance(4 * time.Minute)
	require.Equal(t, 200, w.call(t, owner, "POST", "/me/confirmation", p.get(t, w.call(t, owner, "POST", "/me/passkey-options", here))).status)
	list := w.call(t, owner, "GET", "/me/factors", "")
	require.Contains(t, list.body, `"confirmedUntil"`)
	require.Equal(t, 204, w.call(t, owner, "DELETE", "/me/factors/"+list.text(t, "items/0/id"), "").status)
	require.Equal(t, 422, w.call(t, "", "POST", "/sign-in/passkey", p.get(t, w.call(t, "", "POST", "/sign-in/passkey-options", here))).status)
}

// A link for a new password does not go round the second factor.
func TestAPasswordLinkNeedsTheSecondFactor(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	_, codes := s.addTOTP(t, "owner")
	link := s.w.call(t, s.vars["owner"], "POST", "/users/"+s.vars["ownerId"]+"/password-links", "").text(t, "token")
	a := s.w.call(t, "", "POST", "/password-links/by-token/"+link+"/use", `{"password":"a quite different long one"}`)
	require.Equal(t, 202, a.status, a.body)
	a = s.w.call(t, "", "POST", "/sign-in/second-step", `{"challenge":"`+a.text(t, "challenge")+`","recoveryCode":"`+codes[3]+`"}`)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, s.w.call(t, a.text(t, "accessToken"), "GET", "/me/sessions", "").body, `"methods":["link","recovery","mfa"]`)
}
