package service

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
)

type address struct {
	Host  string `json:"host"`
	Token string `json:"token" audit:"secret"`
}

type thing struct {
	Name     string            `json:"name"`
	Size     int               `json:"size"`
	On       *bool             `json:"on,omitempty"`
	At       time.Time         `json:"at,omitzero"`
	Tags     []string          `json:"tags,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	Hosts    []address         `json:"hosts,omitempty"`
	Password schema.Secret     `json:"password,omitzero"`
	Note     secret.Text       `json:"note"`
	Raw      json.RawMessage   `json:"raw,omitempty"`
	Hidden   string            `json:"-"`
}

type inner struct {
	Name string `json:"name"`
}

type embedding struct {
	inner
	Size int `json:"size"`
}

func TestAChangeIsToldFieldByField(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	before := thing{
		Name: "a", Size: 1, Tags: []string{"x", "y"}, Labels: map[string]string{"a/b": "1"}, Hosts: []address{{"h1", "t1"}, {"h2", "t2"}},
		Password: schema.NewSecret("old"), Note: secret.NewText("old"), Hidden: "a", Raw: json.RawMessage(`{"a":1}`),
	}
	after := before
	after.Hidden = "b"
	got, err := differences(before, &after)
	require.NoError(t, err)
	require.Empty(t, got)

	on := false
	after = thing{
		Name: "b", Size: 0, On: &on, At: at, Tags: []string{"x"}, Labels: map[string]string{"a/b": "2"}, Hosts: []address{{"h1", "t9"}, {"h3", "t2"}},
		Password: schema.NewSecret("new"), Note: secret.NewText("new"), Raw: json.RawMessage(`{"a":2}`),
	}
	got, err = differences(&before, after)
	require.NoError(t, err)
	require.Equal(t, []audit.Change{
		{Field: "/at", After: `"2030-01-02T03:04:05Z"`},
		{Field: "/hosts/0/token", Before: `"***"`, After: `"***"`},
		{Field: "/hosts/1/host", Before: `"h2"`, After: `"h3"`},
		{Field: "/labels/a~1b", Before: `"1"`, After: `"2"`},
		{Field: "/name", Before: `"a"`, After: `"b"`},
		{Field: "/note", Before: `"***"`, After: `"***"`},
		{Field: "/on", After: `false`},
		{Field: "/password", Before: `"***"`, After: `"***"`},
		{Field: "/raw", Before: `{"a":1}`, After: `{"a":2}`},
		{Field: "/size", Before: `1`, After: `0`},
		{Field: "/tags/1", Before: `"y"`},
	}, got)

	got, err = differences(nil, thing{Name: strings.Repeat("é", 5000)})
	require.NoError(t, err)
	require.Equal(t, "/name", got[0].Field)
	require.Less(t, len(got[0].After), 2100)
	require.True(t, strings.HasSuffix(got[0].After, "(10002 bytes)"))
	// However much there is, the whole stays of a size that a receiver takes.
	quoted := map[string]any{}
	for i := range 300 {
		quoted[strconv.Itoa(i)] = strings.Repeat(`"\\`, 1500)
	}
	quoted["a short one"] = 1
	got, err = differences(quoted, map[string]any{})
	require.NoError(t, err)
	encoded, err := json.Marshal(got)
	require.NoError(t, err)
	require.Less(t, len(encoded), 70<<10)
	require.Contains(t, got, audit.Change{Field: "/a short one", Before: "1"})
	require.Contains(t, got[len(got)-1].After, "more fields changed")
	got, err = differences(before, nil)
	require.NoError(t, err)
	for _, c := range got {
		require.NotContains(t, c.Before+c.After, "old")
		require.NotContains(t, c.Before, "t1")
	}
	got, err = differences(map[string]any{"a": []int{1}, "n": nil}, map[string]any{"a": []int{2}})
	require.NoError(t, err)
	require.Equal(t, []audit.Change{{Field: "/a/0", Before: "1", After: "2"}}, got)
	got, err = differences(embedding{inner{"a"}, 1}, embedding{inner{"b"}, 1})
	require.NoError(t, err)
	require.Equal(t, []audit.Change{{Field: "/name", Before: `"a"`, After: `"b"`}}, got, "fields of what is embedded are its own")
	_, err = differences(nil, map[string]any{"f": func() {}})
	require.Error(t, err)
}

// What is too much to list is counted, so that nobody takes the list for the whole.
func TestALongListOfChangesSaysThatItIsCut(t *testing.T) {
	t.Parallel()
	after := map[string]int{}
	for i := range mostChanges + 7 {
		after[fmt.Sprintf("%04d", i)] = i
	}
	got, err := differences(nil, after)
	require.NoError(t, err)
	require.Len(t, got, mostChanges+1)
	require.Equal(t, audit.Change{After: `"7 more fields changed; they are not listed"`}, got[mostChanges])
	delete(after, "0000")
	for i := range 6 {
		delete(after, fmt.Sprintf("%04d", i+1))
	}
	got, err = differences(nil, after)
	require.NoError(t, err)
	require.Len(t, got, mostChanges)
	require.Equal(t, "/0206", got[mostChanges-1].Field)
}

func TestSomeOfAMinuteGoThrough(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	p := NewPerMinute(2, func() time.Time { return now })
	take := func(key string, ok bool, missed int64) {
		t.Helper()
		gotOK, gotMissed := p.Take(key)
		require.Equal(t, ok, gotOK)
		require.Equal(t, missed, gotMissed)
	}
	take("a", true, 0)
	take("a", true, 0)
	take("a", false, 0)
	take("a", false, 0)
	take("b", true, 0)
	now = now.Add(time.Minute)
	take("a", true, 2)
	take("a", true, 0)
	take("a", false, 0)
}
