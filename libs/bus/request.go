package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Request is a question to another service: a plain struct of a contract
// package that says its subject by [contract.Request], and by the result of
// Reply, which is never called, the type of its answer.
type Request[Rep any] interface {
	Subject() string
	Reply() Rep
}

// Ask sends a request to the service that owns its subject and returns the
// answer of one of its replicas. The problem that the answering function
// returned comes back as the same value. Where nobody answers, the error is a
// problem of code dependency-unavailable that names the service. The deadline
// of ctx goes with the request, and so does its end.
func Ask[Req Request[Rep], Rep any](ctx context.Context, b *Bus, req Req) (Rep, error) {
	var rep Rep
	body, err := json.Marshal(req)
	if err != nil {
		return rep, fmt.Errorf("encoding request %s: %w", req.Subject(), err)
	}
	answer, err := b.ask(ctx, req.Subject(), body)
	b.metrics.requests.WithLabelValues("asked", outcome(err, "ok", "failed")).Inc()
	if err != nil {
		return rep, err
	}
	if err := json.Unmarshal(answer, &rep); err != nil {
		return rep, fmt.Errorf("decoding the answer to %s: %w", req.Subject(), err)
	}
	return rep, nil
}

func (b *Bus) ask(ctx context.Context, subject string, body []byte) ([]byte, error) {
	parts, err := tokens(subject, contract.Requests, 2, false)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	owner := parts[0]
	outer := ctx
	ctx, cancel := b.deadline(ctx)
	defer cancel()
	if err := b.connected(ctx); err != nil {
		return nil, unanswered(outer, owner, "NATS is away", err)
	}
	if most := b.nc.MaxPayload() - headroom; int64(len(body)) > most {
		return nil, problem.New(problem.CodeBodyTooLarge, "the request %s has %d bytes, and NATS carries %d", subject, len(body), most)
	}
	gctx, done := b.guard(ctx, func(s string) bool { return s == subject })
	defer done()
	m := &nats.Msg{Subject: subject, Data: body, Header: MetadataOf(ctx).header()}
	m.Header.Del(headerID)
	m.Header.Del(headerTime)
	if end, ok := ctx.Deadline(); ok {
		m.Header.Set(headerTimeout, strconv.FormatInt(max(time.Until(end).Milliseconds(), 1), 10))
	}
	id := b.nc.NewInbox() // also what a cancellation names
	m.Header.Set(headerRequest, id)
	rep, err := b.nc.RequestMsgWithContext(gctx, m)
	var p *PermissionError
	switch {
	case err == nil:
		return rep.Data, decodeProblem(rep)
	case errors.As(context.Cause(gctx), &p):
		return nil, fmt.Errorf("asking %s: %w", owner, p)
	case errors.Is(err, nats.ErrNoResponders):
		return nil, unanswered(outer, owner, "no instance of it is running", err)
	case ctx.Err() != nil:
		b.recall(owner, id)
		return nil, unanswered(outer, owner, "it did not answer in time", err)
	}
	return nil, unanswered(outer, owner, "the connection broke", err)
}

// headerRequest carries the id by which a request can be cancelled.
const headerRequest = "Gatehouse-Request"

// headroom is what is kept free of NATS' largest message for headers.
const headroom = 4 << 10

func (b *Bus) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, b.opt.AskTimeout)
}

// recall tells all replicas of a service that a request is no longer wanted.
func (b *Bus) recall(service, id string) {
	_ = b.nc.Publish(cancelPrefix+service, []byte(id)) // else it runs into its deadline
}

// unanswered is the error for a service that cannot be reached: the context's
// own where the caller gave up, else a problem that names the service.
func unanswered(ctx context.Context, service, why string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("asking %s: %w", service, ctx.Err())
	}
	return problem.New(problem.CodeDependencyDown, "%s is not available: %s", service, why).
		Because(err).WithRetryAfter(time.Second)
}

// Away reports whether an error says that NATS, or what is kept there, cannot be
// reached at the moment.
func Away(err error) bool {
	return slices.ContainsFunc([]error{
		errLost, nats.ErrConnectionClosed, nats.ErrConnectionReconnecting, nats.ErrDisconnected, nats.ErrTimeout, nats.ErrNoResponders, jetstream.ErrNoStreamResponse,
	}, func(is error) bool { return errors.Is(err, is) })
}

// Answer has the requests of one kind answered by handle, which runs in any
// number at once, until the bus is closed. All replicas of the service share
// the requests. A [problem.Problem] crosses to the asker as it is; any other
// error is logged here, and the asker learns only that there was one.
//
// It does not wait for NATS. It fails where the subject is not fit, or where the
// service may not subscribe to it.
func Answer[Req Request[Rep], Rep any](b *Bus, handle func(context.Context, Req) (Rep, error)) error {
	var zero Req
	subject := zero.Subject()
	parts, err := tokens(subject, contract.Requests, 2, false)
	if err != nil {
		return fmt.Errorf("answering: %w", err)
	}
	if err := b.takeCancels(parts[0]); err != nil {
		return fmt.Errorf("answering %s: %w", subject, err)
	}
	err = b.take(subject, parts[0], func(m *nats.Msg) {
		select {
		case b.room <- struct{}{}:
		case <-b.kill.Done():
			return
		}
		if !b.beginLate() {
			<-b.room
			return
		}
		go func() {
			defer func() { b.working.Done(); <-b.room }()
			b.answer(m, func(ctx context.Context) (any, error) {
				var req Req
				if err := json.Unmarshal(m.Data, &req); err != nil {
					return nil, problem.New(problem.CodeInvalidInput, "decoding request %s: %w", subject, err)
				}
				return handle(ctx, req)
			})
		}()
	})
	if err != nil {
		return fmt.Errorf("answering %s: %w", subject, err)
	}
	return nil
}

func (b *Bus) answer(m *nats.Msg, handle func(context.Context) (any, error)) {
	ctx, cancel := b.incoming(m)
	defer cancel()
	if id := m.Header.Get(headerRequest); id != "" {
		b.mu.Lock()
		b.calls[id] = cancel
		b.mu.Unlock()
		defer func() {
			b.mu.Lock()
			delete(b.calls, id)
			b.mu.Unlock()
		}()
	}
	rep, err := func() (rep any, err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		return handle(ctx)
	}()
	out := nats.NewMsg(m.Reply)
	if err == nil {
		out.Data, err = json.Marshal(rep)
	}
	if most := b.nc.MaxPayload() - headroom; err == nil && int64(len(out.Data)) > most {
		err = fmt.Errorf("the answer has %d bytes, and NATS carries %d: page it", len(out.Data), most)
	}
	b.metrics.requests.WithLabelValues("answered", outcome(err, "ok", "failed")).Inc()
	if err != nil && ctx.Err() != nil && b.kill.Err() == nil {
		return // the asker has given up
	}
	if err != nil {
		p := problem.From(err)
		if b.kill.Err() != nil {
			p = problem.New(problem.CodeDependencyDown, "the instance that had the request was stopped").Because(err)
		}
		if p.Status >= 500 {
			b.log.Error("answering a request", "subject", m.Subject, "err", err, "cause", errors.Unwrap(p))
		}
		encodeProblem(out, p)
	}
	if err := b.nc.PublishMsg(out); err != nil {
		b.log.Debug("sending an answer", "subject", m.Subject, "err", err)
	}
}

// incoming returns the context of a request: with its deadline, actor and
// trace, ended when the bus runs out of patience at its end.
func (b *Bus) incoming(m *nats.Msg) (context.Context, context.CancelFunc) {
	ctx := WithMetadata(b.kill, metadataFrom(m.Header))
	if ms, err := strconv.ParseInt(m.Header.Get(headerTimeout), 10, 64); err == nil && ms > 0 && ms < int64(24*time.Hour/time.Millisecond) {
		return context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
	}
	return context.WithCancel(ctx)
}

// takeCancels listens for requests that are no longer wanted.
func (b *Bus) takeCancels(owner string) error {
	b.mu.Lock()
	if b.cancels[owner] {
		b.mu.Unlock()
		return nil
	}
	b.cancels[owner] = true
	b.mu.Unlock()
	return b.take(cancelPrefix+owner, "", func(m *nats.Msg) {
		b.mu.Lock()
		cancel := b.calls[string(m.Data)]
		b.mu.Unlock()
		if cancel != nil {
			cancel()
		}
	})
}

// take subscribes until Close. Where NATS is there it waits for its consent.
func (b *Bus) take(subject, queue string, handle nats.MsgHandler) error {
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return ErrClosed
	}
	s, err := b.nc.QueueSubscribe(subject, queue, handle)
	if err != nil {
		return err
	}
	if err := s.SetPendingLimits(-1, 256<<20); err != nil {
		return err
	}
	b.mu.Lock()
	b.subs = append(b.subs, s)
	b.mu.Unlock()
	// Away, it is subscribed to on connecting, and a refusal is logged.
	there := b.nc.IsConnected() && b.nc.FlushTimeout(2*time.Second) == nil
	if !there {
		return nil
	}
	if p := b.refusal(b.nc.LastError()); p != nil && p.Subscribe && p.Subject == subject {
		return p
	}
	return nil
}

// crossing is a problem as it crosses NATS, with what its document leaves to
// HTTP headers.
type crossing struct {
	*problem.Problem
	RetryAfter time.Duration `json:"x-retry-after,omitempty"`
	Challenges []string      `json:"x-challenges,omitempty"`
	Header     []string      `json:"x-header,omitempty"`
}

func encodeProblem(m *nats.Msg, p *problem.Problem) {
	m.Header.Set(headerProblem, strconv.Itoa(p.Status))
	m.Header.Set("Content-Type", problem.ContentType)
	var err error
	if m.Data, err = json.Marshal(crossing{p, p.RetryAfter, p.Challenges, p.Header}); err != nil {
		m.Data = p.JSON() // only strings and numbers: cannot happen
	}
}

func decodeProblem(m *nats.Msg) error {
	if m.Header.Get(headerProblem) == "" {
		return nil
	}
	c := crossing{Problem: &problem.Problem{}}
	if err := json.Unmarshal(m.Data, &c); err != nil || c.Code == "" || c.Status < 400 {
		return fmt.Errorf("decoding a problem: %s: %w", strings.ToValidUTF8(string(m.Data[:min(len(m.Data), 200)]), "?"), errors.Join(err, errUnreadable))
	}
	c.Problem.RetryAfter, c.Problem.Challenges, c.Problem.Header = c.RetryAfter, c.Challenges, c.Header
	return c.Problem
}

var errUnreadable = errors.New("it is not a problem document")
