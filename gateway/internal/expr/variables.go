package expr

import (
	"encoding/json"
	"net/url"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Variable is a name that expressions may use.
type Variable struct {
	Name, Doc string
	typ       *cel.Type
	value     func(*policy.Exchange) any
}

// Type returns the CEL type of the variable.
func (v Variable) Type() string { return v.typ.String() }

var (
	text   = cel.StringType
	number = cel.IntType
	texts  = cel.MapType(cel.StringType, cel.StringType)
	list   = cel.ListType(cel.StringType)
	object = cel.MapType(cel.StringType, cel.DynType)
)

// Variables are all names that expressions may use, with what they hold.
var Variables = []Variable{
	{"request.id", "the request id", text, func(ex *policy.Exchange) any { return ex.ID }},
	{"request.method", "the method", text, func(ex *policy.Exchange) any { return ex.Request.Method }},
	{"request.scheme", "http or https", text, func(ex *policy.Exchange) any { return ex.Request.Scheme }},
	{"request.host", "the canonical host, without port", text, func(ex *policy.Exchange) any { return ex.Request.Host }},
	{"request.path", "the canonical path", text, func(ex *policy.Exchange) any { return ex.Request.Path }},
	{"request.query", "query parameters by name, the first value of each", texts, query},
	{
		"request.headers", "header fields by name in any case, the first value of each", texts,
		func(ex *policy.Exchange) any { return mapValue{headers{&ex.Request.Header}} },
	},
	{"request.params", "path parameters by name, decoded", texts, func(ex *policy.Exchange) any { return mapValue{params{ex}} }},
	{"request.client", "the client's address", text, func(ex *policy.Exchange) any { return ex.Request.Client.String() }},
	{
		"request.size", "the Content-Length, -1 where unknown", number,
		func(ex *policy.Exchange) any { return ex.Request.Body.Length() },
	},
	{
		"request.body", "the body as text, where a policy has read it into memory, else empty", text,
		func(ex *policy.Exchange) any { return string(ex.Request.Body.Bytes()) },
	},
	{
		"request.json", "the body as JSON, where a policy has read it into memory, else null", cel.DynType,
		func(ex *policy.Exchange) any { return parse(&ex.Request.Body) },
	},
	{"response.status", "the status", number, func(ex *policy.Exchange) any { return int64(ex.Response.Status) }},
	{
		"response.headers", "header fields of the response", texts,
		func(ex *policy.Exchange) any { return mapValue{headers{&ex.Response.Header}} },
	},
	{
		"response.size", "the length of the body, -1 where unknown", number,
		func(ex *policy.Exchange) any { return ex.Response.Body.Length() },
	},
	{
		"response.json", "the body as JSON, where a policy has read it into memory, else null", cel.DynType,
		func(ex *policy.Exchange) any { return parse(&ex.Response.Body) },
	},
	{
		"caller.kind", "the kind of credential that was accepted, empty before authentication", text,
		func(ex *policy.Exchange) any { return string(ex.Caller.Kind) },
	},
	{"caller.credential", "the id of the credential", text, func(ex *policy.Exchange) any { return ex.Caller.Credential }},
	{"caller.subject", "the subject that a token names", text, func(ex *policy.Exchange) any { return ex.Caller.Subject }},
	{"caller.issuer", "the issuer of the token", text, func(ex *policy.Exchange) any { return ex.Caller.Issuer }},
	{"caller.scopes", "the scopes granted", list, func(ex *policy.Exchange) any { return ex.Caller.Scopes }},
	{"caller.claims", "the claims of the token", object, claims},
	{
		"caller.plan", "the plan under which the request is served", text,
		func(ex *policy.Exchange) any { return ex.Caller.Plan },
	},
	{"caller.subscription", "the subscription", text, func(ex *policy.Exchange) any { return ex.Caller.Subscription }},
	{
		"application.id", "the id of the calling application", text,
		func(ex *policy.Exchange) any { return ex.Caller.ApplicationID() },
	},
	{"application.name", "its name", text, application(func(a *policy.Application) any { return a.Name }, "")},
	{
		"application.groups", "its groups", list,
		application(func(a *policy.Application) any { return a.Groups }, []string(nil)),
	},
	{
		"application.attributes", "its attributes", texts,
		application(func(a *policy.Application) any { return a.Attributes }, map[string]string(nil)),
	},
	{"route.api", "the id of the API", text, route(func(r *policy.Route) any { return r.API })},
	{"route.name", "the name of the API", text, route(func(r *policy.Route) any { return r.APIName })},
	{"route.version", "its version", text, route(func(r *policy.Route) any { return r.Version })},
	{"route.operation", "the id of the operation", text, route(func(r *policy.Route) any { return r.Operation })},
	{"route.template", "the path template", text, route(func(r *policy.Route) any { return r.Template })},
	{"route.project", "the project", text, route(func(r *policy.Route) any { return r.Project })},
	{"route.environment", "the environment", text, route(func(r *policy.Route) any { return r.Environment })},
	{"now", "the time when the request began", cel.TimestampType, func(ex *policy.Exchange) any { return ex.Start }},
}

var byName = func() map[string]func(*policy.Exchange) any {
	m := make(map[string]func(*policy.Exchange) any, len(Variables))
	for _, v := range Variables {
		m[v.Name] = v.value
	}
	return m
}()

func application(get func(*policy.Application) any, none any) func(*policy.Exchange) any {
	return func(ex *policy.Exchange) any {
		if ex.Caller.Application == nil {
			return none
		}
		return get(ex.Caller.Application)
	}
}

func route(get func(*policy.Route) any) func(*policy.Exchange) any {
	return func(ex *policy.Exchange) any {
		if ex.Route == nil {
			return ""
		}
		return get(ex.Route)
	}
}

func claims(ex *policy.Exchange) any {
	if ex.Caller.Claims == nil {
		return map[string]any{}
	}
	return ex.Caller.Claims
}

func query(ex *policy.Exchange) any {
	m := map[string]string{}
	values, _ := url.ParseQuery(ex.Request.Query) // what cannot be read is not there
	for k, v := range values {
		m[k] = v[0]
	}
	return m
}

func parse(b *policy.Body) any {
	var v any
	if len(b.Bytes()) == 0 || json.Unmarshal(b.Bytes(), &v) != nil {
		return types.NullValue
	}
	return v
}

// activation resolves the variables of one exchange, only those that are asked
// for.
type activation struct{ ex *policy.Exchange }

func (a *activation) ResolveName(name string) (any, bool) {
	value, ok := byName[name]
	if !ok || a.ex == nil {
		return nil, false
	}
	return value(a.ex), true
}

func (*activation) Parent() interpreter.Activation { return nil }
