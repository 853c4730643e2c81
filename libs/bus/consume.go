package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Consumption is how a durable takes in its events. The zero value of a field
// stands for its default.
type Consumption struct {
	// Concurrency is how many events one replica handles at a time; by default
	// one after the other, in the order of the stream. An event that is tried
	// again comes after those that followed it.
	Concurrency int
	// Deliveries bounds how often an event is tried before it goes to the dead
	// letters; by default 12, which takes about five minutes.
	Deliveries int
	// RetryMin and RetryMax are the first and the longest wait before an event
	// is tried again; by default 500 ms and a minute.
	RetryMin, RetryMax time.Duration
	// AckWait is after how long an event goes to another replica when the one
	// that has it is gone; by default 30 s. Handlers may take longer.
	AckWait time.Duration
}

func (c Consumption) withDefaults() Consumption {
	c.Concurrency = max(c.Concurrency, 1)
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	if c.Deliveries <= 0 {
		c.Deliveries = 12
	}
	set(&c.RetryMin, 500*time.Millisecond)
	set(&c.RetryMax, time.Minute)
	set(&c.AckWait, 30*time.Second)
	return c
}

// batch is how many events one replica has in hand at most.
const batch = 64

// Consume hands every event of one kind to handle, until ctx ends or the bus is
// closed; then it finishes what is in hand and returns nil. All replicas that
// consume under the same durable name share its events; a durable starts with
// the oldest event that is still there, and keeps its place for ever.
//
// An event is delivered at least once: handle must be idempotent, and may use
// the id that [MetadataOf] gives. When handle returns nil the event is done. A
// [problem.Problem] with a status of 4xx says that the event itself is at fault:
// it is dropped, logged and counted, unless the status says that something was in
// the way or somebody else faster (408, 409, 412, 423, 425, 429). After any other error it is tried again,
// later each time, and after the last attempt kept among the dead letters. The
// context of handle does not end with ctx.
//
// While NATS is away Consume waits. It returns an error only where it could
// never work, such as a [PermissionError].
func Consume[E Event](ctx context.Context, b *Bus, durable string, handle func(context.Context, E) error, how ...Consumption) error {
	var zero E
	subject := zero.Subject()
	if _, err := tokens(subject, contract.Events, 3, true); err != nil {
		return fmt.Errorf("consuming: %w", err)
	}
	if !token(durable) {
		return fmt.Errorf("consuming %s: durable %q must be of letters, digits and hyphens", subject, durable)
	}
	var c Consumption
	if len(how) > 0 {
		c = how[0]
	}
	k := &consumer{
		b: b, how: c.withDefaults(), subject: subject, stream: streamEvents, short: durable, name: durableName(b.opt.Service, durable),
		handle: func(ctx context.Context, body []byte) error {
			var e E
			if err := json.Unmarshal(body, &e); err != nil {
				return problem.New(problem.CodeInvalidInput, "decoding event %s: %w", subject, err)
			}
			return handle(ctx, e)
		},
	}
	k.take = k.fetch
	return k.start(ctx)
}

// start runs the consumer until ctx ends or the bus is closed.
func (k *consumer) start(ctx context.Context) error {
	if !k.b.begin() {
		return fmt.Errorf("consuming %s: %w", k.subject, ErrClosed)
	}
	defer k.b.working.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(k.b.stop, cancel)()
	return k.run(ctx)
}

func durableName(service, durable string) string { return service + "_" + durable }

// consumer is one running Consume.
type consumer struct {
	b       *Bus
	how     Consumption
	subject string
	stream  string
	short   string // the durable as the service calls it
	name    string // the durable as NATS knows it
	handle  func(context.Context, []byte) error
	take    func(context.Context, jetstream.Consumer) error // takes in some
}

func (k *consumer) run(ctx context.Context) error {
	for ctx.Err() == nil {
		var cons jetstream.Consumer
		err := k.b.persist(ctx, "consuming "+k.subject, k.mine, func(ctx context.Context) (err error) {
			cons, err = k.open(ctx)
			return err
		})
		if err != nil && ctx.Err() == nil { // else it was told to stop
			return err
		}
		for fails := 0; ctx.Err() == nil && fails < 3; {
			if err := k.take(ctx, cons); err != nil {
				var p *PermissionError
				if errors.As(err, &p) {
					return fmt.Errorf("consuming %s: %w", k.subject, p)
				}
				fails++
				k.b.log.Debug("fetching events", "durable", k.name, "err", err)
				select {
				case <-time.After(backoff(fails, 20*time.Millisecond, time.Second)):
				case <-ctx.Done():
				}
				continue
			}
			fails = 0
		}
	}
	return nil
}

// mine reports whether a subject is one that this consumer needs.
func (k *consumer) mine(s string) bool {
	return strings.HasPrefix(s, "$JS.") && (strings.Contains(s, "."+k.name) || strings.HasPrefix(s, "$JS.API.STREAM."))
}

func (k *consumer) open(ctx context.Context) (jetstream.Consumer, error) {
	if err := k.b.ensureStream(ctx, k.stream); err != nil {
		return nil, err
	}
	return k.b.js.CreateOrUpdateConsumer(ctx, k.stream, jetstream.ConsumerConfig{
		Durable:       k.name,
		FilterSubject: k.subject,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       k.how.AckWait,
		MaxDeliver:    -1, // counted here: NATS would drop the event, we keep it
		MaxAckPending: 4096,
	})
}

// fetch takes in one batch. It returns when the batch is done, no more comes
// for a while, or ctx ends.
func (k *consumer) fetch(ctx context.Context, cons jetstream.Consumer) error {
	if err := k.b.connected(ctx); err != nil {
		return err
	}
	fctx, done := k.b.guard(ctx, k.mine) // a pull does not outlive its connection
	defer done()
	fctx, cancel := context.WithTimeout(fctx, 30*time.Second)
	defer cancel()
	got, err := cons.Fetch(batch, jetstream.FetchContext(fctx), jetstream.FetchHeartbeat(5*time.Second))
	if err != nil {
		return err
	}
	held := &held{msgs: map[jetstream.Msg]struct{}{}}
	stop := held.keep(k.how.AckWait / 3)
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	room := make(chan struct{}, k.how.Concurrency)
	arrived := make(chan jetstream.Msg, batch)
	go func() {
		defer close(arrived)
		for m := range got.Messages() {
			held.add(m)
			arrived <- m
		}
	}()
	for m := range arrived {
		room <- struct{}{}
		wg.Add(1)
		go func() {
			defer func() { <-room; wg.Done() }()
			defer held.drop(m)
			if ctx.Err() != nil {
				_ = m.Nak() // another replica may have it at once
				return
			}
			k.one(ctx, m)
		}()
	}
	var p *PermissionError
	if errors.As(context.Cause(fctx), &p) {
		return p
	}
	if err := got.Error(); err != nil && fctx.Err() == nil {
		return err
	}
	return nil
}

// one handles one event and settles it.
func (k *consumer) one(ctx context.Context, m jetstream.Msg) {
	md, err := m.Metadata()
	if err != nil {
		k.b.log.Error("a message without JetStream metadata", "durable", k.name, "err", err)
		return
	}
	n := int(md.NumDelivered)
	if n <= k.how.Deliveries { // more only where a replica died with it in hand
		if err = k.call(ctx, m, n); err == nil {
			k.settle("done", m.Ack())
			return
		}
	} else {
		err = errors.New("no replica lived to tell why")
	}
	var p *problem.Problem
	log := k.b.log.With("durable", k.name, "id", m.Headers().Get(headerID), "subject", m.Subject(), "delivery", n, "err", err)
	switch {
	case errors.As(err, &p) && hopeless(p.Status):
		log.Warn("event dropped: it is at fault itself")
		k.settle("dropped", m.TermWithReason(p.Error()))
	case n < k.how.Deliveries:
		log.Warn("event will be tried again")
		k.settle("retried", m.NakWithDelay(backoff(n, k.how.RetryMin, k.how.RetryMax)))
	default:
		if bury := k.bury(m, n, err); bury != nil {
			log.Error("event could not be kept as a dead letter, and will be tried again", "bury", bury)
			k.settle("retried", m.NakWithDelay(k.how.RetryMax))
			return
		}
		log.Error("event given up; it is among the dead letters")
		k.settle("dead", m.TermWithReason("deliveries exhausted"))
	}
}

// hopeless reports whether an answer of that status would be the same next time:
// not where something was in the way or somebody else was faster.
func hopeless(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// settle counts what became of an event. A failed settlement only means that it
// comes again.
func (k *consumer) settle(what string, err error) {
	k.b.metrics.consumed.WithLabelValues(k.short, what).Inc()
	if err != nil {
		k.b.log.Debug("settling an event", "durable", k.name, "err", err)
	}
}

func (k *consumer) call(ctx context.Context, m jetstream.Msg, n int) (err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(k.b.kill, cancel)()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	md := metadataFrom(m.Headers())
	md.Delivery = n
	return k.handle(WithMetadata(ctx, md), m.Data())
}

// bury keeps an event among the dead letters, with why and how often.
func (k *consumer) bury(m jetstream.Msg, n int, why error) error {
	ctx, cancel := context.WithTimeout(k.b.kill, 5*time.Second)
	defer cancel()
	h := nats.Header{}
	for name, vs := range m.Headers() {
		if !strings.HasPrefix(name, "Nats-") {
			h[name] = vs
		}
	}
	reason := strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, why.Error())
	h.Set(headerError, reason[:min(len(reason), 1024)])
	h.Set(headerSubject, m.Subject())
	h.Set(headerDeliveries, strconv.Itoa(n))
	h.Set(headerID, k.name+":"+m.Headers().Get(headerID))
	return k.b.store(ctx, streamDead, &nats.Msg{Subject: deadPrefix + k.b.opt.Service + "." + k.short, Header: h, Data: m.Data()})
}

// held are the events in hand, for which NATS is told that they are.
type held struct {
	mu   sync.Mutex
	msgs map[jetstream.Msg]struct{}
}

func (h *held) add(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.msgs[m] = struct{}{}
}

func (h *held) drop(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.msgs, m)
}

// keep tells NATS at an interval that all events held are being worked on.
func (h *held) keep(every time.Duration) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				h.mu.Lock()
				for m := range h.msgs {
					_ = m.InProgress() // settled already, or comes again
				}
				h.mu.Unlock()
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}
