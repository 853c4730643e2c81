package httpx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Events writes server-sent events (HTML standard, section 9.2). It is not safe
// for concurrent use.
type Events struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// NewEvents begins a stream of events as the answer to a request.
func NewEvents(w http.ResponseWriter) (*Events, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // for nginx in front
	h.Del("Content-Length")
	w.WriteHeader(http.StatusOK)
	e := &Events{w, http.NewResponseController(w)}
	return e, e.flush()
}

// Send sends one event; id may be empty. Its data is JSON.
func (e *Events) Send(event, id string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encoding event %s: %w", event, err)
	}
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", line(id))
	}
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", line(event), body)
	if _, err := e.w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("sending event %s: %w", event, err)
	}
	return e.flush()
}

// Ping sends a comment, so that nothing in between takes the stream for dead.
func (e *Events) Ping() error {
	if _, err := e.w.Write([]byte(":\n\n")); err != nil {
		return fmt.Errorf("sending a ping: %w", err)
	}
	return e.flush()
}

func (e *Events) flush() error {
	if err := e.c.Flush(); err != nil {
		return fmt.Errorf("flushing events: %w", err)
	}
	return nil
}

// line keeps a value on its line.
func line(s string) string { return strings.NewReplacer("\n", " ", "\r", " ", "\x00", "").Replace(s) }
