package cache

import (
	"errors"
	"io"
)

// copier passes a body on and keeps a copy, which is stored once it is whole.
type copier struct {
	p      *cache
	e      *entry
	key    string
	flight *flight
	body   io.Reader
	left   int64 // bytes that may be kept yet
	want   int64 // length; -1 = unknown
	over   bool
}

// Read reads the body.
func (c *copier) Read(b []byte) (int, error) {
	n, err := c.body.Read(b)
	if c.over {
		return n, err
	}
	if int64(n) > c.left {
		c.end(false)
		return n, err
	}
	if c.e.body == nil && n > 0 && c.want > 0 {
		c.e.body = make([]byte, 0, c.want)
	}
	c.left -= int64(n)
	c.e.body = append(c.e.body, b[:n]...)
	switch {
	case errors.Is(err, io.EOF):
		c.end(c.want < 0 || int64(len(c.e.body)) == c.want)
	case err != nil:
		c.end(false)
	case c.want >= 0 && int64(len(c.e.body)) == c.want:
		c.end(true) // some transports do not read on to EOF
	}
	return n, err
}

// end stores the copy or gives it up, and lets those go on who wait.
func (c *copier) end(whole bool) {
	c.over = true
	if whole {
		c.p.put(c.key, c.e)
	}
	if c.flight != nil {
		c.p.flights.land(c.flight, whole)
	}
	c.e = nil
}

// Close closes the body.
func (c *copier) Close() error {
	if !c.over {
		c.end(false)
	}
	if r, ok := c.body.(io.Closer); ok {
		return r.Close()
	}
	return nil
}
