package scenario

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// secrets are what went over the wire in the course of a story and is nobody
// else's to read: passwords that were sent, tokens and keys that were answered.
type secrets struct {
	mu sync.Mutex
	of map[string]string // where it was seen, by the secret
}

// shortest is the length below which a text is too common to be looked for.
const shortest = 16

// called are the names of fields that hold secrets. A key that can be read again is
// what usage is told by.
var called = []string{"accessToken", "refreshToken", "password", "secret", "clientSecret", "token", "key", "code"}

// note takes the secrets out of a JSON document: the texts of fields that are
// called so.
func (s *secrets) note(where string, document []byte) {
	var v any
	if json.Unmarshal(document, &v) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.walk(where, v)
}

func (s *secrets) walk(where string, v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			s.walk(where, e)
		}
	case object:
		for name, e := range v {
			text, ok := e.(string)
			if ok && len(text) >= shortest && slices.Contains(called, name) && (name != "key" || !strings.Contains(where, "GET ")) {
				s.of[text] = where + ", " + name
			}
			s.walk(where, e)
		}
	}
}

// inLogs returns where the secrets came from that are in a log.
func (s *secrets) inLogs(t testing.TB, logs map[string]string, but string) (found []string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(t, s.of)
	for program, log := range logs {
		require.NotEmpty(t, log, "%s wrote nothing", program)
		for secret, where := range s.of {
			if secret != but && strings.Contains(log, secret) {
				found = append(found, program+" wrote what was in "+where)
			}
		}
	}
	return found
}

// logs sees that no program wrote a secret. The one-time code of the first run is
// there on purpose.
func (s *story) logs() {
	if s.Logs == nil {
		return
	}
	require.Empty(s.t, s.secrets.inLogs(s.t, s.Logs(), s.Code))
}
