package policy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type anything struct{ bytes.Buffer }

func (*anything) Close() error                { return nil }
func (*anything) Cancel()                     {}
func (*anything) Param(string) (string, bool) { return "", true }

// Nothing of one request is left for the next, whatever fields there will be.
func TestResetLeavesNothing(t *testing.T) {
	t.Parallel()
	ex := &Exchange{ID: "id", Start: time.Now(), Route: &Route{}}
	fill(t, reflect.ValueOf(&ex.Request).Elem())
	fill(t, reflect.ValueOf(&ex.Response).Elem())
	fill(t, reflect.ValueOf(&ex.Caller).Elem())
	fill(t, reflect.ValueOf(&ex.Forward).Elem())
	fill(t, reflect.ValueOf(&ex.Log).Elem())
	fill(t, reflect.ValueOf(&ex.Outcome).Elem())
	fill(t, reflect.ValueOf(&ex.Trace).Elem())
	ex.SetContext(context.Background())
	ex.SetNoting(true)
	ex.SetDetailed(true)
	ex.Note("p", "k", "v")
	ex.Put(2, "mine")
	ex.SetParams(&anything{})
	ex.OnCancel(&anything{})
	ex.Cancel()
	ex.Respond(200, "text/plain", []byte("x"))
	require.False(t, ex.Tick().IsZero())

	ex.Reset()
	require.Zero(t, ex.Request.Header.Len()+ex.Request.Trailer.Len()+ex.Response.Header.Len()+ex.Response.Trailer.Len())
	require.Empty(t, ex.Outcome.Attempts)
	require.Empty(t, ex.slots)
	require.Empty(t, ex.notes)
	require.Nil(t, ex.Get(2))
	require.False(t, ex.Canceled())
	require.Nil(t, ex.Canceler())
	ex.slots, ex.notes, ex.cancel, ex.Outcome.Attempts = nil, nil, nil, nil // memory that is kept
	for _, h := range []*Header{&ex.Request.Header, &ex.Request.Trailer, &ex.Response.Header, &ex.Response.Trailer} {
		*h = Header{}
	}
	require.Equal(t, &Exchange{}, ex)
}

// fill sets every field of a struct to something.
func fill(t *testing.T, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch p := f.Addr().Interface().(type) {
		case *Header:
			p.Add("Name", "value")
		case *Body:
			p.SetBytes([]byte("x"))
		case *time.Time:
			*p = time.Now()
		case *netip.AddrPort:
			*p = netip.MustParseAddrPort("127.0.0.1:1")
		case *netip.Addr:
			*p = netip.MustParseAddr("127.0.0.1")
		case **tls.ConnectionState:
			*p = &tls.ConnectionState{}
		case *error:
			*p = errors.New("an error") //nolint:err113 // any will do
		default:
			switch f.Kind() {
			case reflect.String:
				f.SetString("x")
			case reflect.Bool:
				f.SetBool(true)
			case reflect.Int, reflect.Int64:
				f.SetInt(7)
			case reflect.Uint8:
				f.SetUint(1)
			case reflect.Float64:
				f.SetFloat(0.5)
			case reflect.Slice:
				f.Set(reflect.MakeSlice(f.Type(), 2, 2))
			case reflect.Map:
				f.Set(reflect.MakeMap(f.Type()))
			case reflect.Pointer:
				f.Set(reflect.New(f.Type().Elem()))
			case reflect.Array:
				f.Index(0).SetUint(1)
			case reflect.Interface:
				f.Set(reflect.ValueOf(&anything{}))
			default:
				t.Fatalf("what is a %s?", f.Type())
			}
		}
	}
}

// A reading of the clock is that of the clock, whatever the exchange began with.
func TestTick(t *testing.T) {
	t.Parallel()
	for _, start := range []time.Time{{}, time.Now(), time.Now().Add(-time.Hour).Round(0)} {
		ex := &Exchange{Start: start}
		require.True(t, ex.Recent().IsZero())
		now := ex.Tick()
		require.WithinDuration(t, time.Now(), now, time.Second)
		require.Equal(t, now, ex.Recent())
		ex.SetRecent(time.Time{})
		require.True(t, ex.Recent().IsZero())
	}
}
