package bodylimit_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/bodylimit"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// chunked makes the body one of unknown length, in small pieces.
func chunked(body string) policytest.Request {
	return policytest.Request{Method: "POST", Edit: func(ex *policy.Exchange) {
		ex.Request.Body.SetStream(iotest.OneByteReader(strings.NewReader(body)), -1)
	}}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	post := func(body, media string) policytest.Request {
		return policytest.Request{Method: "POST", Body: body, Header: map[string]string{"Content-Type": media}}
	}
	const five = `{request: {max: 5}, response: {max: 5}}`
	tooLarge := policytest.Want{Status: 413, Code: problem.CodeBodyTooLarge}
	policytest.Run(t, bodylimit.Definition(),
		policytest.Case{Name: "fits", Config: five, Request: post("12345", ""), Want: policytest.Want{Sent: &policytest.Sent{Body: "12345"}}},
		policytest.Case{Name: "announces too much", Config: five, Request: post("123456", ""), Want: policytest.Want{Status: 413, Code: problem.CodeBodyTooLarge, NotSent: true}},
		policytest.Case{Name: "streams what fits", Config: five, Request: chunked("12345"), Want: policytest.Want{Sent: &policytest.Sent{Body: "12345"}}},
		policytest.Case{Name: "streams too much", Config: five, Request: chunked("123456"), Want: tooLarge}, // R17.1
		policytest.Case{Name: "no body", Config: `{request: {requireLength: true, mediaTypes: [text/plain]}}`},
		policytest.Case{Name: "without length", Config: `{request: {requireLength: true}}`, Request: chunked("1"), Want: policytest.Want{Status: 411, Code: problem.CodeLengthRequired, NotSent: true}},
		policytest.Case{Name: "media type", Config: `{request: {mediaTypes: [application/json, "text/*"]}}`, Request: post("1", "TEXT/plain; charset=utf-8")},
		policytest.Case{
			Name: "another media type", Config: `{request: {mediaTypes: [application/json, "text/*"]}}`, Request: post("1", "image/png"),
			Want: policytest.Want{Status: 415, Code: problem.CodeUnsupportedMediaType, NotSent: true, Header: map[string]string{"Accept": "application/json, text/*"}},
		},
		policytest.Case{Name: "no media type", Config: `{request: {mediaTypes: [text/plain]}}`, Request: post("1", ""), Want: policytest.Want{Status: 415, Code: problem.CodeUnsupportedMediaType}},
		policytest.Case{Name: "response fits", Config: five, Upstream: policytest.Upstream{Body: "12345", Stream: true}, Want: policytest.Want{Body: "12345"}},
		policytest.Case{Name: "response announces too much", Config: five, Upstream: policytest.Upstream{Body: "123456"}, Want: policytest.Want{Status: 502, Code: problem.CodeUpstreamTooLarge}},
	)
}

func TestResponseIsCutOff(t *testing.T) {
	t.Parallel()
	hooks, err := bodylimit.Definition().Compile([]byte(`{"response":{"max":5}}`), policy.Env{})
	require.NoError(t, err)
	var ex policy.Exchange
	ex.Response.Body.SetStream(strings.NewReader("123456789"), -1)
	require.NoError(t, hooks.Outbound(&ex))
	b, err := io.ReadAll(ex.Response.Body.Reader())
	require.Equal(t, "12345", string(b))
	require.True(t, problem.Is(err, problem.CodeUpstreamTooLarge))
	require.NotErrorIs(t, err, io.EOF)
	require.NoError(t, ex.Response.Body.Close())
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for _, config := range []string{`{}`, `{request: {mediaTypes: [jsn]}}`, `{request: {mediaTypes: ["a/b c"]}}`} {
		_, err := policytest.Compile(t, bodylimit.Definition(), config)
		require.Error(t, err, config)
	}
}

func TestAnnouncedLengthAllocatesNothing(t *testing.T) {
	hooks, err := bodylimit.Definition().Compile([]byte(`{"request":{"max":10,"mediaTypes":["application/json"]},"response":{"max":10}}`), policy.Env{})
	require.NoError(t, err)
	var ex policy.Exchange
	ex.Request.Header.Add("Content-Type", "application/json; charset=utf-8")
	r := strings.NewReader("12345")
	ex.Request.Body.SetStream(r, 5)
	ex.Response.Body.SetStream(r, 5)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := errors.Join(hooks.Inbound(&ex), hooks.Outbound(&ex)); err != nil {
			t.Error(err)
		}
	}))
}
