package limit

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Key finds, for each request, whose count it is.
type Key struct {
	of        func(ex *policy.Exchange) (string, error)
	words     string
	addresses addresses
	// byAddress says that the key is the client's address to begin with.
	byAddress bool
}

// NewKey compiles the text of a key: credential, application, subscription, ip,
// api, "header:NAME" or "expression:CEL". The pointer names the field at fault
// in the error.
func NewKey(text, pointer string, env policy.Env) (*Key, error) {
	kind, arg, _ := strings.Cut(text, ":")
	arg = strings.TrimSpace(arg)
	k := &Key{words: "each " + kind}
	bad := func(format string, args ...any) error {
		return problem.Invalid("the key of a limit is invalid",
			problem.Field{Pointer: pointer, Code: "invalid", Detail: fmt.Sprintf(format, args...)})
	}
	takesArg := kind == "header" || kind == "expression"
	if takesArg != (arg != "") {
		if takesArg {
			return nil, bad("write %q, not %q", kind+":…", text)
		}
		return nil, bad("%q takes nothing after a colon", kind)
	}
	switch kind {
	case "credential":
		k.of = func(ex *policy.Exchange) (string, error) { return ex.Caller.Credential, nil }
	case "application":
		k.of = func(ex *policy.Exchange) (string, error) { return ex.Caller.ApplicationID(), nil }
	case "subscription":
		k.of = func(ex *policy.Exchange) (string, error) { return ex.Caller.Subscription, nil }
	case "ip":
		k.words, k.byAddress = "each client address", true
		k.of = func(*policy.Exchange) (string, error) { return "", nil }
	case "api":
		k.words = "all callers together"
		k.of = func(*policy.Exchange) (string, error) { return "all", nil }
	case "header":
		if !policy.ValidName(arg) {
			return nil, bad("%q is no name of a header field", arg)
		}
		k.words = "each value of the header " + arg
		k.of = func(ex *policy.Exchange) (string, error) { return ex.Request.Header.Get(arg), nil }
	case "expression":
		e, err := env.Expression(arg)
		if err != nil {
			return nil, bad("%v", err)
		}
		k.words = "each value of " + arg
		k.of = e.Text
	default:
		return nil, bad("%q is not one of credential, application, subscription, ip, api, header:NAME, expression:CEL", text)
	}
	return k, nil
}

// Of returns the key of a request. Where the request has none, because nobody
// is authenticated or the header is absent, it is the client's address, and
// byAddress is true: such keys are counted apart, so that nobody can name an
// address in a header and use up somebody else's count. An error means that the
// expression failed.
func (k *Key) Of(ex *policy.Exchange) (key string, byAddress bool, err error) {
	key, err = k.of(ex)
	if err != nil {
		return "", false, problem.New(problem.CodePolicyFailed, "whose limit this is cannot be told").Because(err)
	}
	if key != "" {
		return key, false, nil
	}
	return k.addresses.text(ex.Request.Client), true, nil
}

// Words says for whom it counts, such as "each application".
func (k *Key) Words() string { return k.words }
