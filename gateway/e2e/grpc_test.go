package e2e

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
)

func grpcServer(t testing.TB) string {
	t.Helper()
	s := grpc.NewServer()
	testpb.RegisterTestServiceServer(s, interop.NewTestServer())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }() // ends when it is stopped
	t.Cleanup(func() { s.Stop(); <-done })
	return l.Addr().String()
}

func dialGRPC(t testing.TB, address string, more ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient("passthrough:///"+address, append(more, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cc.Close() }) // nothing is left to lose
	return cc
}

// apiKey goes with each call, also with those whose metadata a case makes anew.
type apiKey string

func (k apiKey) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"x-api-key": string(k)}, nil
}

func (apiKey) RequireTransportSecurity() bool { return false }

// The interop calls of gRPC through a whole gateway with a key, a limit and a
// log. The cases end the process where they fail, so each that returns has
// passed. R17.3
func TestGRPC(t *testing.T) {
	t.Parallel()
	g := harness.Start(t, fmt.Sprintf(`listeners: [{address: "127.0.0.1:0", h2c: true}]
apis:
  - name: grpc
    upstream: {protocol: h2c, targets: [{url: "http://%s"}]}
    policies:
      - api-key: {header: X-API-Key}
      - rate-limit: {limit: 100000, window: 1m, key: application}
applications: [{name: shop, credentials: [{apiKey: a-key-of-a-shop}]}]
`, grpcServer(t)))
	tc := testpb.NewTestServiceClient(dialGRPC(t, g.Traffic[0]))
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()

	_, err := tc.EmptyCall(ctx, &testpb.Empty{})
	require.Equal(t, codes.Unauthenticated, status.Code(err), "%v", err)
	_, err = tc.EmptyCall(metadata.AppendToOutgoingContext(ctx, "x-api-key", "another-key"), &testpb.Empty{})
	require.Equal(t, codes.Unauthenticated, status.Code(err), "%v", err)

	tc = testpb.NewTestServiceClient(dialGRPC(t, g.Traffic[0], grpc.WithPerRPCCredentials(apiKey("a-key-of-a-shop"))))
	interop.DoEmptyUnaryCall(ctx, tc)
	interop.DoLargeUnaryCall(ctx, tc)
	interop.DoClientStreaming(ctx, tc)
	interop.DoServerStreaming(ctx, tc)
	interop.DoPingPong(ctx, tc)
	interop.DoEmptyStream(ctx, tc)
	interop.DoTimeoutOnSleepingServer(ctx, tc)
	interop.DoCancelAfterBegin(ctx, tc)
	interop.DoCancelAfterFirstResponse(ctx, tc)
	interop.DoStatusCodeAndMessage(ctx, tc)
	interop.DoSpecialStatusMessage(ctx, tc)
	_, err = tc.UnimplementedCall(ctx, &testpb.Empty{})
	require.Equal(t, codes.Unimplemented, status.Code(err), "%v", err)

	// A deadline that is over is told as such.
	short, stop := context.WithTimeout(ctx, time.Millisecond)
	defer stop()
	<-short.Done()
	_, err = tc.EmptyCall(short, &testpb.Empty{})
	require.Equal(t, codes.DeadlineExceeded, status.Code(err), "%v", err)
}

// Where there is nobody behind the gateway, a gRPC client learns so as a status.
func TestGRPCWithoutAnUpstream(t *testing.T) {
	t.Parallel()
	g := harness.Start(t, "listeners: [{address: \"127.0.0.1:0\", h2c: true}]\napis:\n"+
		"  - {name: dead, basePath: /grpc.testing.TestService, upstream: {protocol: h2c, targets: [{url: \"http://127.0.0.1:1\"}]}}\n")
	tc := testpb.NewTestServiceClient(dialGRPC(t, g.Traffic[0]))
	_, err := tc.EmptyCall(t.Context(), &testpb.Empty{})
	require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
	_, err = testpb.NewUnimplementedServiceClient(dialGRPC(t, g.Traffic[0])).UnimplementedCall(t.Context(), &testpb.Empty{})
	require.Equal(t, codes.Unimplemented, status.Code(err), "%v", err)
}
