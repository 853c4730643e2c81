package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/forward"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// sendTimeout bounds one request.
	sendTimeout = 15 * time.Second
	// mostAnswer is how much of an answer is kept, in bytes.
	mostAnswer = 1000
	// prefix begins secrets (Standard Webhooks).
	prefix = "whsec_"
)

// NewSecret returns a secret to sign with, as receivers are given it.
func NewSecret() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	return prefix + base64.StdEncoding.EncodeToString(raw[:])
}

// Sign returns the signature of a message by a secret, as the header
// webhook-signature has it (Standard Webhooks).
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, prefix))
	if err != nil {
		return "", fmt.Errorf("reading the secret of a webhook: %w", err)
	}
	m := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(m, "%s.%d.", id, at.Unix()) // a hash takes everything
	_, _ = m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)), nil
}

// message is what receivers get.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// happening is what they are told of an event. What changed is in the trail, for
// those who may read it.
type happening struct {
	ID           string       `json:"id"`
	Organization string       `json:"organization"`
	Service      string       `json:"service"`
	Action       string       `json:"action"`
	Outcome      string       `json:"outcome"`
	Actor        audit.Actor  `json:"actor"`
	Target       audit.Target `json:"target"`
	RequestID    string       `json:"requestId,omitempty"`
	IP           string       `json:"ip,omitempty"`
}

// Body returns what is sent of an event.
func Body(event string, e audit.Entry) (string, error) {
	b, err := json.Marshal(message{event, e.Time.UTC(), happening{e.ID, e.Organization, e.Service, e.Action, e.Outcome, e.Actor, e.Target, e.RequestID, e.IP}})
	if err != nil {
		return "", fmt.Errorf("encoding an event: %w", err)
	}
	return string(b), nil
}

// TestBody returns what a test sends.
func TestBody(organization string, by audit.Actor, w store.Webhook, now time.Time) (string, error) {
	return Body(TestEvent, audit.Entry{Recorded: audit.Recorded{
		ID: store.NewID(), Organization: organization, Service: "tenant-manager", Action: TestEvent, Outcome: "done",
		Actor: by, Target: audit.Target{Kind: "webhook", ID: w.ID, Name: w.Name}, Time: now,
	}})
}

// Outcome is what came of one request.
type Outcome struct {
	// Status is the HTTP status of the answer; 0 = there was none.
	Status int
	// Answer is the beginning of its body.
	Answer string
	Took   time.Duration
	// Err says why it was not taken, for whoever chose the address; nil = it was.
	Err error
}

// Sender sends deliveries. It is safe for concurrent use.
type Sender struct {
	guard egress.Guard
	now   func() time.Time
}

// NewSender returns a sender that goes only where the guard lets it.
func NewSender(guard egress.Guard, now func() time.Time) *Sender { return &Sender{guard, now} }

// Send makes one request. Any answer 2xx has taken the event. Redirects are not
// followed: they would take it to an address that nobody named.
func (s *Sender) Send(ctx context.Context, w store.Webhook, d store.WebhookDelivery) Outcome {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	begun := time.Now()
	out := s.send(ctx, w, d)
	out.Took = time.Since(begun)
	if refused := egress.Refused(out.Err); refused != nil {
		out.Err = refused
	} else if errors.Is(out.Err, context.DeadlineExceeded) {
		out.Err = fmt.Errorf("no answer within %s", sendTimeout)
	}
	return out
}

func (s *Sender) send(ctx context.Context, w store.Webhook, d store.WebhookDelivery) Outcome {
	failed := func(err error) Outcome { return Outcome{Err: err} }
	if _, err := forward.Check(store.HTTP, w.Address, w.CA); err != nil {
		return failed(err)
	}
	roots, err := forward.Authorities(w.CA)
	if err != nil {
		return failed(err)
	}
	body, now := []byte(d.Body), s.now()
	var signatures []string
	for _, secret := range w.Secrets(now) {
		signature, err := Sign(secret, d.ID, now, body)
		if err != nil {
			return failed(err)
		}
		signatures = append(signatures, signature)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Address, bytes.NewReader(body))
	if err != nil {
		return failed(fmt.Errorf("reading the address: %w", err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "gatehouse")
	req.Header.Set("Webhook-Id", d.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	t := s.guard.Transport()
	t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	c := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(req)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return failed(fmt.Errorf("%s does not answer: %w", req.URL.Host, err))
	}
	defer func() { _ = res.Body.Close() }()                      // it was read
	said, _ := io.ReadAll(io.LimitReader(res.Body, mostAnswer))  // its status says it all
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection ends well
	out := Outcome{Status: res.StatusCode, Answer: strings.ToValidUTF8(strings.ReplaceAll(string(said), "\x00", ""), "�")}
	if res.StatusCode/100 != 2 {
		out.Err = fmt.Errorf("%s answers %s", req.URL.Host, res.Status)
	}
	return out
}
