package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse/gatehouse/libs/contract"
)

const (
	streamTraffic = "gatehouse-traffic"
	// trafficPrefix begins the subjects of shipments; organization, group and
	// gateway follow.
	trafficPrefix = contract.Prefix + "traffic."
	// trafficBytes bounds what is shipped and not collected. Past it shipping
	// fails, and what is to be shipped stays with those who have it.
	trafficBytes = 1 << 30
	// trafficWindow is how long NATS remembers the ids of shipments.
	trafficWindow = 10 * time.Minute
)

// Shipment is a batch of records on its way from a gateway to the one who
// collects them.
type Shipment struct {
	// Organization, Group and Gateway say whose records they are: slugs, and the
	// gateway's name.
	Organization, Group, Gateway string
	// ID is the same whenever the same batch is shipped, and no other's.
	ID string
	// Header has short facts about the body, such as its encoding. Names are of
	// letters and hyphens.
	Header map[string]string
	// Body is what is shipped, at most about 1 MiB.
	Body []byte
	// Delivery counts the deliveries of a shipment that is collected, from 1.
	Delivery int
}

var (
	// ErrTooLarge says that a shipment is larger than a message may be.
	ErrTooLarge = errors.New("larger than a message may be")
	// ErrFull says that NATS holds as much as it may: nobody has collected for
	// long.
	ErrFull = errors.New("what is shipped is not collected, and no more is taken in")
)

const shipHeader = "Gatehouse-Ship-"

// Ship sends a shipment and returns when NATS has stored it. It makes one
// attempt, within 5 s: who ships has a place of its own for what could not be
// shipped. A shipment that is shipped again within ten minutes is collected
// once, unless NATS was restarted in between: those who collect tell by its id.
func Ship(ctx context.Context, b *Bus, s Shipment) error {
	subject := trafficPrefix + s.Organization + "." + s.Group + "." + s.Gateway
	if _, err := tokens(subject, trafficPrefix, 3, false); err != nil {
		return fmt.Errorf("shipping: %w", err)
	}
	if s.ID == "" {
		return fmt.Errorf("shipping to %s: the shipment has no id", subject)
	}
	h := nats.Header{headerID: {s.Organization + "." + s.ID}}
	for name, v := range s.Header {
		h[shipHeader+name] = []string{v}
	}
	gctx, done := b.guard(ctx, func(s string) bool { return s == subject })
	defer done()
	gctx, cancel := context.WithTimeout(gctx, 5*time.Second)
	defer cancel()
	_, err := b.js.PublishMsg(gctx, &nats.Msg{Subject: subject, Header: h, Data: s.Body},
		jetstream.WithExpectStream(streamTraffic), jetstream.WithRetryAttempts(0))
	var p *PermissionError
	var api *jetstream.APIError
	switch {
	case err == nil:
		b.metrics.events.WithLabelValues("shipped").Inc()
		return nil
	case errors.As(context.Cause(gctx), &p):
		err = p
	case errors.Is(err, nats.ErrMaxPayload):
		err = ErrTooLarge
	case errors.As(err, &api) && strings.Contains(api.Description, "maximum bytes"):
		err = ErrFull
	}
	b.metrics.events.WithLabelValues("unshipped").Inc()
	return fmt.Errorf("shipping to %s: %w", subject, err)
}

// Collection is how shipments are collected. The zero value of a field stands
// for its default.
type Collection struct {
	// Batch bounds how many shipments are handed over at once; by default 64.
	Batch int
	// Bytes bounds their size together, as long as there are several; by default
	// 8 MiB.
	Bytes int
	// Wait is how long a batch is waited for after its first shipment; by default
	// 100 ms.
	Wait time.Duration
	// Deliveries, RetryMin, RetryMax and AckWait are as in [Consumption].
	Deliveries         int
	RetryMin, RetryMax time.Duration
	AckWait            time.Duration
}

// Collect hands what was shipped to handle, in batches, one after the other,
// until ctx ends or the bus is closed; then it finishes what is in hand and
// returns nil. All replicas that collect share the shipments; there is one
// durable name, since a shipment is gone once it was collected.
//
// A shipment is delivered at least once: handle has to tell by its id whether it
// has been there before. When handle returns nil, the batch is done. After an
// error each of its shipments is handed over alone; those that fail again are
// tried again, later each time, and after the last attempt kept among the dead
// letters. The context of handle does not end with ctx.
//
// While NATS is away Collect waits. It returns an error only where it could
// never work, such as a [PermissionError].
func Collect(ctx context.Context, b *Bus, durable string, handle func(context.Context, []Shipment) error, how ...Collection) error {
	if !token(durable) {
		return fmt.Errorf("collecting: durable %q must be of letters, digits and hyphens", durable)
	}
	var c Collection
	if len(how) > 0 {
		c = how[0]
	}
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&c.Batch, 64)
	set(&c.Bytes, 8<<20)
	if c.Wait <= 0 {
		c.Wait = 100 * time.Millisecond
	}
	k := &collector{
		consumer: consumer{
			b: b, subject: trafficPrefix + "*.*.*", stream: streamTraffic, short: durable, name: durableName(b.opt.Service, durable),
			how: Consumption{Deliveries: c.Deliveries, RetryMin: c.RetryMin, RetryMax: c.RetryMax, AckWait: c.AckWait}.withDefaults(),
		},
		batches: c, handle: handle,
	}
	k.take = k.fetch
	return k.start(ctx)
}

// collector is one running Collect.
type collector struct {
	consumer
	batches Collection
	handle  func(context.Context, []Shipment) error
}

// fetch takes in batches. It returns when no more comes for a while, or ctx ends.
func (k *collector) fetch(ctx context.Context, cons jetstream.Consumer) error {
	if err := k.b.connected(ctx); err != nil {
		return err
	}
	fctx, done := k.b.guard(ctx, k.mine)
	defer done()
	fctx, cancel := context.WithTimeout(fctx, 30*time.Second)
	defer cancel()
	got, err := cons.Fetch(k.batches.Batch, jetstream.FetchContext(fctx), jetstream.FetchHeartbeat(5*time.Second))
	if err != nil {
		return err
	}
	held := &held{msgs: map[jetstream.Msg]struct{}{}}
	stop := held.keep(k.how.AckWait / 3)
	defer stop()
	arrived := make(chan jetstream.Msg, k.batches.Batch)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(arrived)
		for m := range got.Messages() {
			held.add(m)
			arrived <- m
		}
	})
	for first := range arrived {
		batch, open := k.gather(first, arrived)
		if ctx.Err() != nil {
			for _, m := range batch {
				_ = m.Nak() // another replica may have it at once
			}
		} else {
			k.hand(ctx, batch)
		}
		for _, m := range batch {
			held.drop(m)
		}
		if !open {
			break
		}
	}
	wg.Wait()
	var p *PermissionError
	if errors.As(context.Cause(fctx), &p) {
		return p
	}
	if err := got.Error(); err != nil && fctx.Err() == nil {
		return err
	}
	return nil
}

// gather returns what comes within a short time. It reports false when no more
// will come.
func (k *collector) gather(first jetstream.Msg, arrived <-chan jetstream.Msg) ([]jetstream.Msg, bool) {
	batch, size := []jetstream.Msg{first}, len(first.Data())
	t := time.NewTimer(k.batches.Wait)
	defer t.Stop()
	for len(batch) < k.batches.Batch && size < k.batches.Bytes {
		select {
		case m, ok := <-arrived:
			if !ok {
				return batch, false
			}
			batch, size = append(batch, m), size+len(m.Data())
		case <-t.C:
			return batch, true
		}
	}
	return batch, true
}

// hand hands a batch over and settles it.
func (k *collector) hand(ctx context.Context, batch []jetstream.Msg) {
	shipments := make([]Shipment, len(batch))
	late := false
	for i, m := range batch {
		shipments[i] = shipment(m)
		late = late || shipments[i].Delivery > k.how.Deliveries
	}
	if !late { // else each alone: one of them may be what ends the replicas
		err := k.pass(ctx, shipments)
		if err == nil {
			for _, m := range batch {
				k.settle("done", m.Ack())
			}
			return
		}
		if len(batch) == 1 {
			k.again(batch[0], shipments[0], err)
			return
		}
		k.b.log.Warn("a batch of shipments failed; each is tried alone", "durable", k.name, "shipments", len(batch), "err", err)
	}
	for i, m := range batch {
		err := errors.New("no replica lived to tell why")
		if shipments[i].Delivery <= k.how.Deliveries {
			if err = k.pass(ctx, shipments[i:i+1]); err == nil {
				k.settle("done", m.Ack())
				continue
			}
		}
		k.again(m, shipments[i], err)
	}
}

// again has a shipment delivered again, or keeps it among the dead letters.
func (k *collector) again(m jetstream.Msg, s Shipment, err error) {
	log := k.b.log.With("durable", k.name, "id", s.ID, "subject", m.Subject(), "delivery", s.Delivery, "err", err)
	if s.Delivery < k.how.Deliveries {
		log.Warn("shipment will be tried again")
		k.settle("retried", m.NakWithDelay(backoff(s.Delivery, k.how.RetryMin, k.how.RetryMax)))
		return
	}
	if bury := k.bury(m, s.Delivery, err); bury != nil {
		log.Error("shipment could not be kept as a dead letter, and will be tried again", "bury", bury)
		k.settle("retried", m.NakWithDelay(k.how.RetryMax))
		return
	}
	log.Error("shipment given up; it is among the dead letters")
	k.settle("dead", m.TermWithReason("deliveries exhausted"))
}

// pass calls handle.
func (k *collector) pass(ctx context.Context, s []Shipment) (err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(k.b.kill, cancel)()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return k.handle(ctx, s)
}

func shipment(m jetstream.Msg) Shipment {
	parts := strings.Split(strings.TrimPrefix(m.Subject(), trafficPrefix), ".") // three: the stream takes no other
	s := Shipment{Organization: parts[0], Group: parts[1], Gateway: parts[2], Body: m.Data(), Header: map[string]string{}}
	for name, v := range m.Headers() {
		if short, ok := strings.CutPrefix(name, shipHeader); ok {
			s.Header[short] = v[0]
		}
	}
	s.ID = strings.TrimPrefix(m.Headers().Get(headerID), s.Organization+".")
	if md, err := m.Metadata(); err == nil {
		s.Delivery = int(md.NumDelivered)
	}
	return s
}

// shipments grants shipping and collecting.
func (a Access) shipments(g *Grant) {
	for _, s := range a.Ships {
		g.Publish = append(g.Publish, trafficPrefix+s)
	}
	for _, d := range a.Collects {
		g.durable(streamTraffic, durableName(a.Service, d))
	}
	if len(a.Collects) > 0 {
		g.Publish = append(g.Publish, "$JS.API.STREAM.INFO."+streamTraffic, "$JS.API.STREAM.CREATE."+streamTraffic)
	}
}
