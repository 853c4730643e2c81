package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/bff/internal/live"
)

// beat is how often a stream shows that it lives, and is looked whether its
// session does.
const beat = 10 * time.Second

// live tells what changes, until the browser leaves or the session ends.
func (h *handlers) live(c echo.Context) error {
	topics, err := topicsOf(c)
	if err != nil {
		return err
	}
	token, _, err := h.credential(c)
	if err != nil {
		return err
	}
	if token == "" {
		return authn.Missing()
	}
	ctx := c.Request().Context()
	p, err := h.Verifier.Verify(ctx, token)
	if err != nil {
		return err
	}
	ctx = authn.With(ctx, p, h.Access)
	var events []string
	for _, e := range live.Of(topics) {
		may, err := mayAny(ctx, live.Permissions(e))
		if err != nil {
			return err
		}
		if may {
			events = append(events, e)
		}
	}
	l := h.Hub.Listen(p.Organization, events)
	defer l.Close()
	out, err := httpx.NewEvents(c.Response())
	if err != nil {
		return err
	}
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case e, ok := <-l.Events():
			// A browser that was let go comes back, and asks for everything anew. Who
			// may be told nothing more is let go before.
			if !ok || authn.CheckSession(ctx) != nil || out.Send(e.Name, "", e.Data) != nil {
				return nil
			}
		case <-t.C:
			if authn.CheckSession(ctx) != nil || out.Ping() != nil {
				return nil
			}
		case <-ctx.Done():
			return nil
		case <-h.Stopping.Done():
			return nil
		}
	}
}

func topicsOf(c echo.Context) ([]string, error) {
	var names []string
	for _, field := range c.QueryParams()["topics"] {
		for n := range strings.SplitSeq(field, ",") {
			if n = strings.TrimSpace(n); n == "" {
				continue
			}
			if !slices.Contains(live.Topics(), n) {
				return nil, problem.Invalid("there is no such topic", problem.Field{
					Pointer: "/topics", Code: schema.RuleEnum, Detail: "there is no topic \"" + n + "\": there are " + strings.Join(live.Topics(), ", "),
				})
			}
			names = append(names, n)
		}
	}
	return names, nil
}

// mayAny says whether the caller has one of some permissions somewhere.
func mayAny(ctx context.Context, permissions []string) (bool, error) {
	for _, p := range permissions {
		scopes, err := authn.Scopes(ctx, p)
		if err != nil || len(scopes) > 0 {
			return len(scopes) > 0, err
		}
	}
	return false, nil
}
