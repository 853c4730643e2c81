package nethttp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// slowService is the interop service with a call that shows its deadline.
type slowService struct {
	testpb.TestServiceServer
	deadlines chan time.Duration
	canceled  chan struct{}
}

func (s *slowService) EmptyCall(ctx context.Context, in *testpb.Empty) (*testpb.Empty, error) {
	if md, _ := metadata.FromIncomingContext(ctx); len(md.Get("x-wait")) > 0 {
		if d, ok := ctx.Deadline(); ok {
			s.deadlines <- time.Until(d)
		}
		<-ctx.Done()
		close(s.canceled)
		return nil, ctx.Err()
	}
	return s.TestServiceServer.EmptyCall(ctx, in)
}

func grpcServer(t *testing.T, config *tls.Config) (string, *slowService) {
	t.Helper()
	var o []grpc.ServerOption
	if config != nil {
		o = append(o, grpc.Creds(credentials.NewTLS(config)))
	}
	s := grpc.NewServer(o...)
	svc := &slowService{
		TestServiceServer: interop.NewTestServer(),
		deadlines:         make(chan time.Duration, 1), canceled: make(chan struct{}),
	}
	testpb.RegisterTestServiceServer(s, svc)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return l.Addr().String(), svc
}

func dialGRPC(t *testing.T, address string, config *tls.Config) *grpc.ClientConn {
	t.Helper()
	creds := insecure.NewCredentials()
	if config != nil {
		creds = credentials.NewTLS(config)
	}
	cc, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(creds))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

type shape struct {
	name            string
	front, upstream bool // TLS
	protocol        string
}

var shapes = []shape{
	{"h2c to h2c", false, false, ProtocolH2C},
	{"TLS to h2c", true, false, ProtocolH2C},
	{"TLS to TLS", true, true, ProtocolH2},
	{"h2c to TLS by ALPN", false, true, ProtocolAuto},
}

// through returns a gRPC connection through a gateway to a real gRPC server.
func through(t *testing.T, s shape) (*grpc.ClientConn, *engine, *slowService) {
	t.Helper()
	var frontServer, frontClient, upServer, upClient *tls.Config
	if s.front {
		frontServer, frontClient = certificate(t, "gateway.test")
	}
	if s.upstream {
		upServer, upClient = certificate(t, "upstream.test")
	}
	up, svc := grpcServer(t, upServer)
	e := &engine{up: newClient(t, up, upClient, s.protocol)}
	address := serveH2(t, &Server{Handler: e}, frontServer)
	return dialGRPC(t, address, frontClient), e, svc
}

// TestInterop runs the interop cases of gRPC through a gateway. R17.3.
// The cases end the process where they fail, so each one that returns passed.
func TestInterop(t *testing.T) {
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, os.Stderr))
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			cc, e, _ := through(t, s)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			tc := testpb.NewTestServiceClient(cc)
			interop.DoEmptyUnaryCall(ctx, tc)
			interop.DoLargeUnaryCall(ctx, tc)
			interop.DoClientStreaming(ctx, tc)
			interop.DoServerStreaming(ctx, tc)
			interop.DoPingPong(ctx, tc)
			interop.DoEmptyStream(ctx, tc)
			interop.DoTimeoutOnSleepingServer(ctx, tc)
			interop.DoCancelAfterBegin(ctx, tc)
			interop.DoCancelAfterFirstResponse(ctx, tc)
			interop.DoCustomMetadata(ctx, tc)
			interop.DoStatusCodeAndMessage(ctx, tc)
			interop.DoSpecialStatusMessage(ctx, tc)
			interop.DoUnimplementedService(ctx, testpb.NewUnimplementedServiceClient(cc))
			interop.DoUnimplementedMethod(ctx, cc)
			require.Eventually(t, e.idle, patience, 5*time.Millisecond)
			require.Eventually(t, func() bool { return e.up.InFlight() == 0 }, patience, 5*time.Millisecond)
		})
	}
}

func TestDeadlineIsPassedOnAndCancelFollows(t *testing.T) {
	cc, e, svc := through(t, shapes[0])
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "x-wait", "1"), time.Minute)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		_, err := testpb.NewTestServiceClient(cc).EmptyCall(ctx, &testpb.Empty{})
		result <- err
	}()
	d := <-svc.deadlines
	require.Greater(t, d, 50*time.Second)
	require.LessOrEqual(t, d, time.Minute)
	cancel()
	require.Equal(t, codes.Canceled, status.Code(<-result))
	<-svc.canceled // the upstream was told
	require.Eventually(t, e.idle, patience, 5*time.Millisecond)
	require.True(t, e.outcomes()[0].ClientGone)
	require.Equal(t, []transport.Failure{transport.FailedCanceled}, e.fails)
}

func TestErrorsOfTheGatewayAreGRPCStatuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		problem *problem.Problem
		code    codes.Code
		message string
	}{
		{problem.New(problem.CodeCredentialMissing, "no key"), codes.Unauthenticated, "Credential missing: no key"},
		{problem.New(problem.CodeAccessDenied, ""), codes.PermissionDenied, "Access denied"},
		{problem.New(problem.CodeNotFound, ""), codes.Unimplemented, "No API at this address"},
		{problem.New(problem.CodeRateLimited, "%s", "100% of ½"), codes.ResourceExhausted, "Rate limit exceeded: 100% of ½"},
		{problem.New(problem.CodeUpstreamUnavailable, ""), codes.Unavailable, "Upstream unavailable"},
		{problem.New(problem.CodeUpstreamTimeout, ""), codes.DeadlineExceeded, "Upstream took too long"},
		{problem.New(problem.CodeInternal, "").Because(io.EOF), codes.Internal, "Internal error"},
		{problem.New(problem.CodeThreatDetected, ""), codes.InvalidArgument, "Request refused as unsafe"},
	} {
		t.Run(string(tc.problem.Code), func(t *testing.T) {
			t.Parallel()
			e := &engine{}
			e.serve = func(ex *policy.Exchange) {
				require.True(t, ex.Request.GRPC)
				e.Refuse(ex, tc.problem)
				ex.Response.Header.Set("X-Request-Id", "r1")
			}
			cc := dialGRPC(t, serveH2(t, &Server{Handler: e}, nil), nil)
			var header metadata.MD
			_, err := testpb.NewTestServiceClient(cc).EmptyCall(t.Context(), &testpb.Empty{}, grpc.Header(&header))
			require.Equal(t, tc.code, status.Code(err), "%v", err)
			require.Equal(t, tc.message, status.Convert(err).Message())
		})
	}
}

func TestGRPCTimeout(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"1H": time.Hour, "2M": 2 * time.Minute, "3S": 3 * time.Second, "4m": 4 * time.Millisecond,
		"5u": 5 * time.Microsecond, "6n": 6, "99999999n": 99999999, "99999999H": 1<<63 - 1,
	} {
		got, ok := parseGRPCTimeout(in)
		require.True(t, ok, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "1", "S", "-1S", "+1S", "123456789S", "1s", "1.5S", " 1S"} {
		_, ok := parseGRPCTimeout(in)
		require.False(t, ok, in)
	}
	for _, d := range []time.Duration{1, time.Millisecond, time.Second, time.Minute, 100 * time.Hour, 1<<63 - 1} {
		got, ok := parseGRPCTimeout(formatGRPCTimeout(d))
		require.True(t, ok)
		require.LessOrEqual(t, got, d)
		require.InEpsilon(t, float64(d), float64(got), 0.001)
	}
}
