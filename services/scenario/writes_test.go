package scenario_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// marked is in every secret that is entered: the trail must not have it.
const marked = "not-to-be-shown-anywhere"

// everyWrite returns all operations of all services that write, by service and
// operationId.
func everyWrite(t *testing.T) map[string]operations.Operation {
	t.Helper()
	all, err := operations.Every("..")
	require.NoError(t, err)
	out := map[string]operations.Operation{}
	for _, o := range all {
		if o.Writes() {
			out[o.Name()] = o
		}
	}
	return out
}

// told is an entry of the audit trail, as its export has it.
type told struct {
	Organization, Service, Action, Outcome, RequestID, IP string
	Actor                                                 struct{ Kind, ID string }
	Target                                                struct{ Kind, ID, Name string }
	Changes                                               []struct{ Field, Before, After string }
}

// writes is what the deeds are done with.
type writes struct {
	*matrix
	all  map[string]operations.Operation
	kept map[string]string
	// secrets are what was typed, and what was shown once, with where that was; answers
	// are those that show none.
	secrets map[string]string
	answers bytes.Buffer
	// wanted are the entries that there must be, by the id of the request; not are
	// requests that nothing must tell of as done.
	wanted map[string]func(entries []told) string
	not    map[string]string
	// wrong is what is not as it should be.
	wrong []string
}

func (w *writes) fault(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

var kept = regexp.MustCompile(`\$[a-z.]+(\(\))?`)

func (w *writes) fill(text string) string {
	return kept.ReplaceAllStringFunc(text, func(name string) string {
		if name == "$totp()" {
			code, err := totp.GenerateCode(w.kept["totp"], time.Now())
			require.NoError(w.t, err)
			return code
		}
		value, ok := w.kept[name[1:]]
		if !ok {
			w.fault("nothing was kept as %s", name)
			return noSuch
		}
		return value
	})
}

// address fills the parameters of a path, in their order.
func (w *writes) address(template, at string) string {
	values := strings.Fields(w.fill(at))
	return pathParameter.ReplaceAllStringFunc(template, func(string) string {
		require.NotEmpty(w.t, values, "%s needs more than %q", template, at)
		v := values[0]
		values = values[1:]
		return v
	})
}

// at returns what a document has at a path such as items/0/id.
func at(doc any, path string) any {
	for key := range strings.SplitSeq(path, "/") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(v) {
				return nil
			}
			doc = v[i]
		default:
			return nil
		}
	}
	return doc
}

// shownOnce are the names of fields that have secrets.
var shownOnce = map[string]bool{
	"token": true, "secret": true, "key": true, "accessToken": true, "refreshToken": true, "deviceCode": true, "url": true, "recoveryCodes": true, "challenge": true,
	"clientSecret": true, "access_token": true, "refresh_token": true, "id_token": true, "device_code": true,
}

// look takes down the secrets of an answer.
func (w *writes) look(where string, v any, name string) {
	switch v := v.(type) {
	case map[string]any:
		for k, below := range v {
			w.look(where, below, k)
		}
	case []any:
		for _, below := range v {
			w.look(where, below, name)
		}
	case string:
		if shownOnce[name] {
			w.secret(v, where+", "+name)
		}
	}
}

// do does one deed, first with a version that is over.
func (w *writes) do(d deed) {
	w.t.Helper()
	o, ok := w.all[d.op]
	require.True(w.t, ok, "there is no operation %s that writes", d.op)
	who := d.as
	switch who {
	case "":
		who = "owner"
	case "-":
		who = ""
	}
	var id, answer string
	if d.before != "" {
		id = w.sent[d.before]
		require.NotEmpty(w.t, id, d.before)
	} else {
		path := w.address(o.Path, d.at) + w.fill(d.query)
		body := w.fill(d.body)
		if o.TakesVersion() {
			w.stale(d.op, who, o, path, body)
		}
		status, header, got := w.send(who, o.Method, o.Service, path, body, "If-Match", "*")
		if want := d.status; status != want && (want != 0 || status >= 300) {
			w.fault("%s: %s %s: %d %s", d.op, o.Method, path, status, got)
			return
		}
		id, answer = header.Get("X-Request-Id"), got
		var doc any
		if answer != "" {
			require.NoError(w.t, json.Unmarshal([]byte(answer), &doc), answer)
		}
		for pair := range strings.FieldsSeq(d.keep) {
			name, from, _ := strings.Cut(pair, "=")
			value, ok := at(doc, from).(string)
			if !ok {
				w.fault("%s: there is no %s in %s", d.op, from, answer)
				value = noSuch
			}
			w.kept[name] = value
		}
		if d.lets != "" {
			w.letIn(d.lets, doc)
		}
		answer += path
	}
	if d.says != "" {
		w.want(d, who, id, answer)
	}
}

// letIn takes down who has come in.
func (w *writes) letIn(name string, doc any) {
	w.t.Helper()
	token, ok := at(doc, "accessToken").(string)
	require.True(w.t, ok, "%v", doc)
	w.tokens[name] = token
	w.kept[name] = w.made(name, "GET", "tenant-manager", "/me", "", "user/id")
	_, _, sessions := w.send(name, http.MethodGet, "tenant-manager", "/me/sessions", "")
	var list struct {
		Items []struct {
			ID      string
			Current bool
		}
	}
	require.NoError(w.t, json.Unmarshal([]byte(sessions), &list), sessions)
	for _, s := range list.Items {
		if s.Current {
			w.kept[name+".session"] = s.ID
		}
	}
}

// stale does a deed with a version that is over: nothing must change.
func (w *writes) stale(op, who string, o operations.Operation, path, body string) {
	w.t.Helper()
	read := func() string {
		if o.Item.Get == nil {
			return ""
		}
		path, _, _ := strings.Cut(path, "?")
		status, header, answer := w.send(who, http.MethodGet, o.Service, path, "")
		switch {
		case status != http.StatusOK:
			return strconv.Itoa(status)
		case header.Get("ETag") != "":
			return header.Get("ETag") // beside it there are counters
		}
		return answer
	}
	before := read()
	status, header, answer := w.send(who, o.Method, o.Service, path, body, "If-Match", `"v999999"`)
	if status != http.StatusPreconditionFailed || !strings.Contains(answer, `"code":"precondition-failed"`) {
		w.fault("%s: a version that is over is answered %d %s", op, status, answer)
	}
	if after := read(); after != before {
		w.fault("%s: a version that is over has changed it from %s to %s", op, before, after)
	}
	w.not[header.Get("X-Request-Id")] = op
}

// want takes down which entry a deed must have.
func (w *writes) want(d deed, who, id, answer string) {
	by, kind := d.by, ""
	if by == "" {
		by = who
	}
	actor := w.kept[by]
	if actor == "" {
		kind = by
	}
	of, outcome := w.fill(d.of), "done"
	if d.refused {
		outcome = "refused"
	}
	w.wanted[id] = func(entries []told) string {
		var said []string
		for _, e := range entries {
			said = append(said, e.Action)
			if e.Action != d.says {
				continue
			}
			var no []string
			if e.Outcome != outcome {
				no = append(no, "the outcome is "+e.Outcome)
			}
			if e.Actor.ID != actor || kind != "" && e.Actor.Kind != kind {
				no = append(no, fmt.Sprintf("it was done by %s %q, and not by %s", e.Actor.Kind, e.Actor.ID, by))
			}
			if of != "" && e.Target.ID != of || of == "" && (e.Target.ID == "" || !strings.Contains(answer, e.Target.ID)) {
				no = append(no, fmt.Sprintf("it is about %s %q, and not %q", e.Target.Kind, e.Target.ID, of))
			}
			if e.Target.Kind == "" || e.IP == "" || e.Service == "" {
				no = append(no, "it does not say of what kind it is about, from where, or by which service")
			}
			if (len(e.Changes) == 0) != (d.same != "") {
				no = append(no, fmt.Sprintf("it has %d fields that changed: %v", len(e.Changes), e.Changes))
			}
			if no == nil {
				return ""
			}
			return d.op + ": " + strings.Join(no, ", ")
		}
		return fmt.Sprintf("%s: there is no entry %s among %v", d.op, d.says, said)
	}
}

// trail returns all entries, by the id of the request.
func (w *writes) trail() (map[string][]told, string) {
	w.t.Helper()
	_, _, lines := w.send("owner", http.MethodGet, "tenant-manager", "/audit/export", "")
	out := map[string][]told{}
	for line := range strings.Lines(lines) {
		var e told
		require.NoError(w.t, json.Unmarshal([]byte(line), &e), line)
		out[e.RequestID] = append(out[e.RequestID], e)
	}
	return out, lines
}

// Every operation of every service that writes has its entry in the audit trail:
// who did it, what, to what, by which request, and which fields are different, with
// no secret in it. What is done from a version that is over, is not done. A new
// operation needs a deed, or a reason why it writes nothing.
func TestEveryWriteIsInTheTrail(t *testing.T) {
	t.Parallel()
	log := &testkit.Output{}
	m := begin(t, slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	w := &writes{
		matrix: m, all: everyWrite(t), secrets: map[string]string{marked: "what was typed", hooked: hookAddress, matrixPassword: "the passwords", wrongPassword: "the wrong passwords"}, wanted: map[string]func([]told) string{}, not: map[string]string{},
		kept: map[string]string{
			"password": matrixPassword, "marked": marked, "hooked": hooked, "soon": time.Now().AddDate(0, 0, 20).UTC().Format(time.RFC3339),
			"owner": m.ids["tenant-manager /users/{id}"], "organization": m.ids["tenant-manager /organizations/{id}"], "staff": m.ids["tenant-manager /groups/{id}"],
			"project": m.ids["gateway-manager /projects/{id}"], "api": m.ids["gateway-manager /apis/{id}"], "bronze": m.ids["policy-manager /plans/{plan}"],
		},
	}
	m.answered = w.answered
	for who, token := range m.tokens {
		w.secret(token, "the access token of "+who)
	}
	done := map[string]bool{}
	for _, d := range deeds {
		w.do(d)
		done[d.op] = true
	}
	w.use()
	w.refusals()
	w.malformed()
	w.reads()
	for _, op := range slices.Sorted(maps.Keys(w.all)) {
		name, ofBFF := strings.CutPrefix(op, "bff ")
		switch {
		case ofBFF:
			if w.all["tenant-manager "+carried[name]].Spec == nil {
				w.fault("%s: say in carried which operation carries it out", op)
			}
		case done[op], silent[op] != "", elsewhere[op] != "":
		default:
			w.fault("%s: write a deed for it, or say in silent why it has no entry", op)
		}
	}
	var entries map[string][]told
	var lines string
	missing := func() (out []string) {
		entries, lines = w.trail()
		for id, right := range w.wanted {
			if no := right(entries[id]); no != "" {
				out = append(out, no)
			}
		}
		return out
	}
	for deadline := time.Now().Add(5 * time.Second); len(missing()) > 0 && time.Now().Before(deadline); {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	w.wrong = append(w.wrong, missing()...)
	for id, op := range w.not {
		for _, e := range entries[id] {
			w.fault("%s: it was done from a version that is over: %s", op, e.Action)
		}
	}
	w.nowhere(log, lines)
	slices.Sort(w.wrong)
	require.Empty(t, w.wrong, strings.Join(w.wrong, "\n"))
}

// refusals has somebody who may do nothing try everything.
func (w *writes) refusals() {
	w.t.Helper()
	me := w.made("none", "GET", "tenant-manager", "/me", "", "user/id")
	for op, o := range w.all {
		if o.Permission == "" {
			continue
		}
		path := pathParameter.ReplaceAllString(o.Path, noSuch)
		status, header, answer := w.send("none", o.Method, o.Service, path, "{}", "If-Match", "*")
		if status != http.StatusForbidden {
			w.fault("%s: who may do nothing is answered %d %s", op, status, answer)
			continue
		}
		w.wanted[header.Get("X-Request-Id")] = func(entries []told) string {
			if len(entries) == 1 && entries[0].Action == "access.denied" && entries[0].Outcome == "refused" && entries[0].Actor.ID == me && entries[0].Target.Name == o.Spec.OperationID {
				return ""
			}
			return fmt.Sprintf("%s: its refusal is told as %v", op, entries)
		}
	}
}
