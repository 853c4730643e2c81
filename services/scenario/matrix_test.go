package scenario_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/internal/operations"
	"github.com/gatehouse/gatehouse/services/scenario"
)

const (
	matrixPassword = "several words of my own"
	// noSuch is an id of nothing.
	noSuch = "00000000-0000-7000-8000-000000000000"
)

// skipped are operations that would end what the test runs on.
var skipped = map[string]string{
	"tenant-manager signOut": "it ends the session of the caller",
}

// nothing are things that are not made for the test: an id of nothing is sent.
var nothing = map[string]string{
	"tenant-manager /system/licences/{digest}":                  "licences have names of their own",
	"tenant-manager /me/device-sign-ins/{code}":                 "no device waits",
	"tenant-manager /me/organizations/{id}":                     "nobody is in two organizations",
	"devportal-backend /catalogue/{api}/operations/{operation}": "the API has no document",
	"tenant-manager /mail/messages/{id}":                        "no mail server is set up",
	"tenant-manager /me/consents/{id}":                          "nobody has consented to anything yet",
	"tenant-manager /oauth/consents/{id}":                       "nobody has consented to anything yet",
	"tenant-manager /oauth/authorizations/by-token/{token}":     "it names a sign-in that somebody has begun",
	"tenant-manager /oauth/devices/{code}":                      "it names a device that shows the code",
	"tenant-manager /sign-in/sso/{id}":                          "nobody here has a token that an identity provider signed",
	"tenant-manager /sign-in/sso/saml/{id}":                     "the connection that is made is of another kind",
	"tenant-manager /sso/tests/{id}":                            "nobody has tested a connection",
	"tenant-manager /password-requests/{id}":                    "nobody has forgotten a password",
	"tenant-manager /invitations/by-token/{token}":              "the secret of a link, of no organization",
	"tenant-manager /password-links/by-token/{token}":           "the secret of a link, of no organization",
	"tenant-manager /email-changes/by-token/{token}":            "the secret of a link, of no organization",
}

// shared are things that are of no organization.
var shared = map[string]string{
	"policy-manager /policy-types/{type}": "the types are those of the program",

	"tenant-manager /brand/images/{hash}":               "logos are for everybody",
	"tenant-manager /letters/{kind}/{language}":         "every organization has letters of each kind",
	"tenant-manager /letters/{kind}/{language}/preview": "every organization has letters of each kind",
	"tenant-manager /letters/{kind}/{language}/test":    "every organization has letters of each kind",
	"tenant-manager /setup-steps/{step}":                "every organization has the same steps",
}

// matrix is the suite in one process, with all who call.
type matrix struct {
	t *testing.T
	// data is the folder of the suite, and end ends it.
	data string
	end  func()
	api  string
	// traffic is where APIs are called.
	traffic string
	client  *http.Client
	tokens  map[string]string
	// documents are all operations, by service, method and path.
	documents map[string]operations.Operation
	// hidden are ids of the first organization that callers have no grants for.
	hidden map[string][]string

	// spent are tokens that are not used any more.
	spent []string

	// answered, where there is one, is told of each answer.
	answered func(where, method string, status int, answer string)

	mu sync.Mutex
	// ids are what goes into paths, by service and path; of the first organization.
	ids map[string]string
	// sent are the ids of the last requests to each address.
	sent map[string]string
}

func (m *matrix) send(who, method, service, path, body string, header ...string) (int, http.Header, string) {
	for {
		ctx, cancel := context.WithTimeout(m.t.Context(), scenario.Patience)
		r, err := http.NewRequestWithContext(ctx, method, m.api+"/api/"+service+"/v1"+path, strings.NewReader(body))
		require.NoError(m.t, err)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if token := m.tokens[who]; token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := m.client.Do(r)
		require.NoError(m.t, err, "%s %s %s", method, service, path)
		var content bytes.Buffer
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") { // that does not end
			_, err = io.Copy(&content, io.LimitReader(res.Body, 4<<20))
			require.NoError(m.t, err)
		}
		_ = res.Body.Close()
		cancel()
		// Neither yes nor no: it is asked again.
		if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
			m.mu.Lock()
			m.sent[method+" "+service+" "+path] = res.Header.Get("X-Request-Id")
			m.mu.Unlock()
			if m.answered != nil {
				m.answered(method+" "+service+" "+path, method, res.StatusCode, content.String())
			}
			return res.StatusCode, res.Header, content.String()
		}
		after, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if err != nil {
			after = 1
		}
		select {
		case <-time.After(time.Duration(after) * time.Second):
		case <-m.t.Context().Done():
			m.t.FailNow()
		}
	}
}

// made sends a request that must be carried out, and returns a field of the
// answer, named by a path such as "user/id".
func (m *matrix) made(who, method, service, path, body, field string) string {
	m.t.Helper()
	status, _, answer := m.send(who, method, service, path, body)
	require.Less(m.t, status, 300, "%s %s %s: %s", method, service, path, answer)
	var v any
	require.NoError(m.t, json.Unmarshal([]byte(answer), &v), answer)
	for key := range strings.SplitSeq(field, "/") {
		o, ok := v.(map[string]any)
		require.True(m.t, ok, "%s in %s", field, answer)
		v = o[key]
	}
	s, ok := v.(string)
	require.True(m.t, ok, "%s in %s", field, answer)
	return s
}

var pathParameter = regexp.MustCompile(`\{[^}]+\}`)

// path returns a path with the ids of the first organization, or, from the
// parameter on that last ends it, with that of nothing.
func (m *matrix) path(o operations.Operation, last string) string {
	out, at := "", 0
	all := pathParameter.FindAllStringIndex(o.Path, -1)
	for i, p := range all {
		out += o.Path[at:p[0]]
		at = p[1]
		key := o.Service + " " + o.Path[:p[1]]
		m.mu.Lock()
		id, known := m.ids[key]
		m.mu.Unlock()
		if _, none := nothing[key]; !known && !none {
			list := strings.TrimSuffix(o.Path[:p[0]], "/")
			if _, there := m.documents[o.Service+" "+http.MethodGet+" "+list]; there {
				id = m.first(o.Service, strings.TrimSuffix(out, "/"))
				m.mu.Lock()
				m.ids[key] = id
				m.mu.Unlock()
			}
			require.NotEmpty(m.t, id, "%s: make one of it in the test's make, or say in nothing why there is none", key)
		}
		if id == "" || last != "" && i == len(all)-1 {
			id = last
			if id == "" {
				id = noSuch
			}
		}
		out += id
	}
	return out + o.Path[at:]
}

// verdict is what an answer says of whether somebody may: yes (+), no (-), that
// it is not there for them (0), or that they should sign in (?).
func verdict(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "?"
	case http.StatusForbidden:
		return "-"
	case http.StatusNotFound:
		return "0"
	default:
		return "+"
	}
}

// Every operation of every service, as everybody: who may, who may not, and that
// nobody sees anything of another organization, nor of what their grants are not for;
// and that it is the declared permission that lets them.
// What an operation refuses for its content counts as allowed. What is not walked has a
// reason in skipped.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	m := begin(t)
	m.live(m.ids["gateway-manager /projects/{id}"])
	all, err := operations.Every("..")
	require.NoError(t, err)
	m.documents = map[string]operations.Operation{}
	for _, o := range all {
		m.documents[o.Service+" "+o.Method+" "+o.Path] = o
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# Who may do what: + yes, - no, 0 not there for them, ? only signed in, . not asked. Columns:\n# %s\n", strings.Join(callers(), " "))
	var wrong []string
	seen := map[string]bool{}
	for _, o := range all {
		if skipped[o.Name()] != "" || o.Service == "bff" { // the bff is for sessions, below
			seen[o.Name()] = true
			continue
		}
		row, faults := m.walk(o)
		fmt.Fprintf(&out, "%-17s %-6s %-52s %s\n", o.Service, o.Method, o.Path, row)
		wrong = append(wrong, faults...)
	}
	for name := range skipped {
		require.True(t, seen[name], "there is no %s to skip", name)
	}
	wrong = append(wrong, m.sessions(all)...)
	wrong = append(wrong, m.declared(all)...)
	require.Empty(t, wrong, strings.Join(wrong, "\n"))
	testkit.Golden(t, "matrix.golden", []byte(out.String()))
}

// walk has everybody call an operation, at the same time, and returns what each came
// to, in the order of the columns.
func (m *matrix) walk(o operations.Operation) (row string, wrong []string) {
	m.t.Helper()
	real := m.path(o, "")
	who := callers()
	verdicts, faults := make([]string, len(who)), make([]string, len(who))
	var asking sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		asking.Go(func() {
			for i := range next {
				verdicts[i], faults[i] = m.ask(who[i], o, real)
			}
		})
	}
	for i := range who {
		next <- i
	}
	close(next)
	asking.Wait()
	return strings.Join(verdicts, ""), slices.DeleteFunc(faults, func(f string) bool { return f == "" })
}

// atOnce is how many call at the same time.
const atOnce = 4

// ask makes one request and says what it came to, and what is wrong with that.
func (m *matrix) ask(who string, o operations.Operation, real string) (said, wrong string) {
	if !m.asks(who, o, real) {
		return ".", ""
	}
	path, apart := real, who == "stranger" || who == "nobody"
	strange := apart && path != o.Path || m.isHidden(who, path)
	if o.Writes() && !o.Refusable() && (!apart && !strange || o.Public) {
		path = m.path(o, noSuch) // it would be carried out
	}
	body, header := "", []string{"If-Match", `"v0"`}
	if o.Spec.RequestBody != nil {
		body = "{}"
	}
	if strange || strings.Contains(path, noSuch) {
		header[1] = "*" // whatever version there is, it is not theirs, or nothing
	}
	if strange { // what is sent is right, so that it is refused for whose it is
		made, err := o.Request(1, sent[o.Name()])
		if err != nil {
			return "!", err.Error()
		}
		body = made.Body
	}
	query := ""
	for _, p := range o.Spec.Parameters {
		if p.Value.In == "query" && p.Value.Required {
			query = "?" + p.Value.Name + "=" + noSuch
		}
	}
	status, _, answer := m.send(who, o.Method, o.Service, path+query, body, header...)
	said = verdict(status)
	what := fmt.Sprintf("%s: %s %s %s: %d %s", who, o.Method, o.Service, path, status, answer)
	if status >= 500 {
		return said, what
	}
	if fault := m.reaches(who, o.Name(), path, said, answer); fault != "" {
		return said, fault + ": " + what
	}
	if !apart || o.Public {
		return said, ""
	}
	if path != o.Path && shared[o.Service+" "+o.Path] == "" && (said == "+" || who == "nobody" && said != "?") {
		return said, "what is another organization's must not be there: " + what
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range m.ids {
		if len(id) > 20 && id != noSuch && !strings.Contains(path, id) && strings.Contains(answer, id) {
			return said, "another organization was told of " + id + ": " + what
		}
	}
	return said, ""
}
