package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Limits are how often each subscription may call.
type Limits struct {
	RateLimit *Limit `json:"rateLimit,omitempty"`
	Quota     *Limit `json:"quota,omitempty"`
}

// Limit is a number of requests in a time.
type Limit struct {
	Limit int64 `json:"limit"`
	// Window is a time such as "1m"; of a quota also "hour", "day", "week",
	// "month" or "year", a period of the calendar.
	Window string `json:"window"`
	// Mode says where is counted: "local", "exact" or "fast"; "" = as the
	// installation has it.
	Mode string `json:"mode,omitempty"`
}

// periods are those of the calendar.
var periods = []string{"hour", "day", "week", "month", "year"}

// Check returns what is wrong with the form of the limits.
func (l Limits) Check() []problem.Field {
	var fields []problem.Field
	for _, x := range []struct {
		at    string
		limit *Limit
		words bool
	}{{"/limits/rateLimit", l.RateLimit, false}, {"/limits/quota", l.Quota, true}} {
		if x.limit != nil && x.limit.Limit < 1 {
			fields = append(fields, problem.Field{Pointer: x.at + "/limit", Code: "required", Detail: "say how many requests"})
		}
		if x.limit == nil || x.words && slices.Contains(periods, x.limit.Window) {
			continue
		}
		if d, err := schema.ParseDuration(x.limit.Window); err != nil || d <= 0 {
			detail := "a time such as 1s, 1m or 1h"
			if x.words {
				detail = "a period of the calendar (" + strings.Join(periods, ", ") + ") or a time such as 30d"
			}
			fields = append(fields, problem.Field{Pointer: x.at + "/window", Code: "format", Detail: "want " + detail})
		}
	}
	return fields
}

// units returns the policies that keep the limits.
func (l Limits) units(security, mode string) []unit.Policy {
	key := "subscription"
	if security == Keyless {
		key = "ip" // nobody is known
	}
	var out []unit.Policy
	if r := l.RateLimit; r != nil {
		out = append(out, policyOf("rate-limit", rateLimitName, map[string]any{"limit": r.Limit, "window": r.Window, "key": key, "name": "rate-limit"}, r.Mode, mode))
	}
	if q := l.Quota; q != nil {
		c := map[string]any{"calls": q.Limit, "key": key, "name": "quota"}
		if slices.Contains(periods, q.Window) {
			c["period"] = q.Window
		} else {
			c["window"] = q.Window
		}
		out = append(out, policyOf("quota", quotaName, c, q.Mode, mode))
	}
	return out
}

func policyOf(kind, name string, config map[string]any, modes ...string) unit.Policy {
	for _, m := range modes {
		if m != "" {
			config["mode"] = m
			break
		}
	}
	raw, _ := json.Marshal(config) // texts and numbers: cannot fail
	return unit.Policy{Type: kind, Name: name, Config: raw}
}

// places says which field of the plan each of the made policies' fields comes
// from, in the order of units.
func (l Limits) places() []map[string]string {
	var out []map[string]string
	if l.RateLimit != nil {
		out = append(out, map[string]string{
			"": "/limits/rateLimit", "/config/limit": "/limits/rateLimit/limit", "/config/window": "/limits/rateLimit/window", "/config/mode": "/limits/rateLimit/mode",
		})
	}
	if l.Quota != nil {
		out = append(out, map[string]string{
			"": "/limits/quota", "/config/calls": "/limits/quota/limit", "/config/window": "/limits/quota/window", "/config/period": "/limits/quota/window", "/config/mode": "/limits/quota/mode",
		})
	}
	return out
}

// Place returns where a field of the plan's unit stands in the plan: pointers
// are "/security/config/header" or "/policies/0/config/limit", within the unit.
func (p *Plan) Place(pointer string) string {
	rest, ok := strings.CutPrefix(pointer, "/policies/")
	if !ok {
		return pointer
	}
	number, rest, _ := strings.Cut(rest, "/")
	if rest != "" {
		rest = "/" + rest
	}
	i, err := strconv.Atoi(number)
	if err != nil {
		return pointer
	}
	places := p.Limits.places()
	if i < len(places) {
		if at, ok := places[i][rest]; ok {
			return at
		}
		return places[i][""]
	}
	return "/policies/" + strconv.Itoa(i-len(places)) + rest
}

// Sentences tells people what the limits are, such as "100 requests per minute".
func (l Limits) Sentences() []string {
	out := []string{}
	if l.RateLimit != nil {
		out = append(out, l.RateLimit.sentence())
	}
	if l.Quota != nil {
		out = append(out, l.Quota.sentence())
	}
	return out
}

func (l *Limit) sentence() string {
	noun := "requests"
	if l.Limit == 1 {
		noun = "request"
	}
	return fmt.Sprintf("%s %s per %s", grouped(l.Limit), noun, words(l.Window))
}

// words says a window in words: "minute", "10 minutes", "month".
func words(window string) string {
	if slices.Contains(periods, window) {
		return "calendar " + window
	}
	d, err := schema.ParseDuration(window)
	if err != nil {
		return window
	}
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}, {time.Millisecond, "millisecond"}} {
		if n := d.Std() / u.size; d.Std()%u.size == 0 && n > 0 {
			if n == 1 {
				return u.name
			}
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return window
}

// grouped writes a number with commas.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
