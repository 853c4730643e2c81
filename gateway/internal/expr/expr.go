// Package expr compiles the expressions that a configuration may hold: CEL
// (github.com/google/cel-spec) over one exchange, and texts with ${expressions}
// in them. It knows the exchange and nothing of policies or routes.
//
// The variables are listed in [Variables]; they are typed, so that a misspelt
// one is refused when the configuration is compiled.
package expr

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// maxLength bounds the source of an expression, and costLimit its evaluation,
// in CEL cost units: a configuration must not be able to stall requests.
const (
	maxLength = 4096
	costLimit = 200_000
)

// Compiler compiles expressions. The CEL environment is made when the first
// expression is compiled, since most gateways that have none should not pay.
type Compiler struct {
	once sync.Once
	env  *cel.Env
	err  error
}

func (c *Compiler) environment() (*cel.Env, error) {
	c.once.Do(func() {
		opts := []cel.EnvOption{ext.Strings(), ext.Encoders(), cel.Function(
			"inCIDR",
			cel.MemberOverload("string_in_cidr", []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType,
				cel.BinaryBinding(inCIDR)),
		)}
		for _, v := range Variables {
			opts = append(opts, cel.Variable(v.Name, v.typ))
		}
		c.env, c.err = cel.NewEnv(opts...)
	})
	return c.env, c.err
}

func inCIDR(addr, cidr ref.Val) ref.Val {
	a, okA := addr.Value().(string)
	p, okP := cidr.Value().(string)
	if !okA || !okP {
		return types.MaybeNoSuchOverloadErr(addr)
	}
	ip, err := netip.ParseAddr(a)
	if err != nil {
		return types.NewErr("inCIDR: %v", err)
	}
	prefix, err := netip.ParsePrefix(p)
	if err != nil {
		return types.NewErr("inCIDR: %v", err)
	}
	return types.Bool(prefix.Contains(ip.Unmap()))
}

var errTooLong = fmt.Errorf("expression is longer than %d bytes", maxLength)

// Compile compiles a CEL expression. The error tells line and column.
func (c *Compiler) Compile(source string) (policy.Expression, error) {
	if len(source) > maxLength {
		return nil, errTooLong
	}
	env, err := c.environment()
	if err != nil {
		return nil, fmt.Errorf("making the CEL environment: %w", err)
	}
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, fmt.Errorf("expression %q: %w", source, issues.Err())
	}
	e := &expression{source: source, constant: true}
	for _, r := range ast.NativeRep().ReferenceMap() {
		if r.Name == "" || r.Value != nil {
			continue
		}
		e.constant = false
		e.response = e.response || strings.HasPrefix(r.Name, "response.")
	}
	prg, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimit))
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", source, err)
	}
	e.prg = prg
	if e.constant {
		v, _, err := prg.Eval(&activation{})
		if err != nil {
			return nil, fmt.Errorf("expression %q: %w", source, err)
		}
		e.value = v
	}
	return e, nil
}

type expression struct {
	source             string
	prg                cel.Program
	value              ref.Val // of a constant
	constant, response bool
}

var activations = sync.Pool{New: func() any { return new(activation) }}

func (e *expression) eval(ex *policy.Exchange) (ref.Val, error) {
	if e.constant {
		return e.value, nil
	}
	a, _ := activations.Get().(*activation)
	a.ex = ex
	v, _, err := e.prg.Eval(a)
	a.ex = nil
	activations.Put(a)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", e.source, err)
	}
	return v, nil
}

var errType = errors.New("value is of another type")

func (e *expression) wrongType(want string, v ref.Val) error {
	return fmt.Errorf("expression %q: want %s, got %s: %w", e.source, want, v.Type().TypeName(), errType)
}

// Bool evaluates to true or false; any other value is an error.
func (e *expression) Bool(ex *policy.Exchange) (bool, error) {
	v, err := e.eval(ex)
	if err != nil {
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, e.wrongType("bool", v)
	}
	return bool(b), nil
}

// Int evaluates to a whole number; doubles are cut.
func (e *expression) Int(ex *policy.Exchange) (int64, error) {
	v, err := e.eval(ex)
	if err != nil {
		return 0, err
	}
	if _, isString := v.(types.String); !isString {
		if i, ok := v.ConvertToType(types.IntType).(types.Int); ok {
			return int64(i), nil
		}
	}
	return 0, e.wrongType("int", v)
}

// Text evaluates to a string; numbers and booleans are written out.
func (e *expression) Text(ex *policy.Exchange) (string, error) {
	v, err := e.eval(ex)
	if err != nil {
		return "", err
	}
	switch s := v.ConvertToType(types.StringType).(type) {
	case types.String:
		return string(s), nil
	default:
		return "", e.wrongType("string", v)
	}
}

// Value evaluates to a Go value.
func (e *expression) Value(ex *policy.Exchange) (any, error) {
	v, err := e.eval(ex)
	if err != nil {
		return nil, err
	}
	return v.Value(), nil
}

// Constant reports whether the value does not depend on the exchange.
func (e *expression) Constant() bool { return e.constant }

// NeedsResponse reports whether the expression reads the response.
func (e *expression) NeedsResponse() bool { return e.response }
