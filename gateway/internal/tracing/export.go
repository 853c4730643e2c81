package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// exporter posts spans by OTLP/HTTP with protobuf bodies (OpenTelemetry
// Protocol 1.x, section "OTLP/HTTP"). The exporter of the OpenTelemetry SDK does
// the same, but brings all of gRPC into the process, which costs every gateway
// megabytes of resident memory.
type exporter struct {
	endpoint string
	header   map[string]string
	client   *http.Client
}

// How often, and for how long, a batch is tried.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
	giveUp     = 20 * time.Second
)

func newExporter(c Config) *exporter {
	header := make(map[string]string, len(c.Headers))
	for name, v := range c.Headers {
		header[name] = v.Reveal()
	}
	return &exporter{endpoint: c.Endpoint, header: header, client: &http.Client{
		Timeout:       time.Duration(c.Timeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

var errRejected = errors.New("the collector rejected the spans")

// upload sends spans, trying again as the protocol says.
func (e *exporter) upload(ctx context.Context, spans *tracepb.ResourceSpans) error {
	// TracesData and ExportTraceServiceRequest are the same on the wire.
	raw, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{spans}})
	if err != nil {
		return fmt.Errorf("encoding spans: %w", err)
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = z.Write(raw) // a bytes.Buffer takes everything
	_ = z.Close()
	ctx, cancel := context.WithTimeout(ctx, giveUp)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		wait, err := e.post(ctx, body.Bytes())
		if err == nil || errors.Is(err, errRejected) {
			return err
		}
		if wait == 0 {
			wait = pause/2 + rand.N(pause/2)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// post sends one request. The duration is what the collector asks to wait.
func (e *exporter) post(ctx context.Context, body []byte) (time.Duration, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("sending spans: %w: %w", errRejected, err)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("Content-Encoding", "gzip")
	for k, v := range e.header {
		r.Header.Set(k, v)
	}
	resp, err := e.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("sending spans: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // for the connection's sake
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return time.Duration(min(max(seconds, 0), 60)) * time.Second, fmt.Errorf("sending spans: the collector answered %s", resp.Status) //nolint:err113 // shown as it is
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return 0, fmt.Errorf("sending spans: %w: %s", errRejected, resp.Status)
	}
	return 0, nil
}
