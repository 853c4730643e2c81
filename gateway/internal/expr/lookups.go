package expr

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// headers and params are maps of text whose entries are looked up when an
// expression asks for them, so that no map is built per request.
type (
	headers struct{ h *policy.Header }
	params  struct{ ex *policy.Exchange }
)

func (m headers) find(name string) (string, bool) { return m.h.Lookup(name) }

func (m params) find(name string) (string, bool) {
	v := m.ex.Param(name)
	return v, v != ""
}

func (m headers) names() []ref.Val {
	names := make([]ref.Val, 0, m.h.Len())
	for _, f := range m.h.Fields() {
		names = append(names, types.String(f.Name))
	}
	return names
}

func (params) names() []ref.Val { return nil } // parameters are only known by name

type lookup interface {
	find(name string) (string, bool)
	names() []ref.Val
}

// mapValue makes a lookup a CEL map.
type mapValue struct{ lookup }

var _ traits.Mapper = mapValue{}

func (m mapValue) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.Value().(string)
	if !ok {
		return nil, false
	}
	v, ok := m.find(name)
	if !ok {
		return nil, false
	}
	return types.String(v), true
}

func (m mapValue) Get(key ref.Val) ref.Val {
	if v, ok := m.Find(key); ok {
		return v
	}
	return types.NewErr("no such key: %v", key)
}

func (m mapValue) Contains(key ref.Val) ref.Val {
	_, ok := m.Find(key)
	return types.Bool(ok)
}

func (m mapValue) Size() ref.Val { return types.Int(len(m.names())) }

func (m mapValue) Iterator() traits.Iterator {
	return types.NewDynamicList(types.DefaultTypeAdapter, m.names()).Iterator()
}

func (m mapValue) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("converting to %v: %w", t, errType)
}

func (m mapValue) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return types.MapType
	}
	return types.NewErr("converting map to %s", t.TypeName())
}

func (m mapValue) Equal(ref.Val) ref.Val { return types.False }
func (m mapValue) Type() ref.Type        { return types.MapType }
func (m mapValue) Value() any            { return m.lookup }
