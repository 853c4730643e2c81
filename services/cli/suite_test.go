package cli_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/standalone"
)

// suite is a suite that runs, and the environment of who uses it.
type suite struct {
	t     *testing.T
	ready string
	file  standalone.Ready
	env   map[string]string
}

func startSuite(t *testing.T) *suite {
	t.Helper()
	dir := t.TempDir()
	s := &suite{t: t, ready: filepath.Join(dir, "ready.json"), env: map[string]string{"XDG_CONFIG_HOME": filepath.Join(dir, "config")}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	log := &testkit.Output{}
	ended := make(chan error, 1)
	go func() {
		ended <- standalone.Run(ctx, standalone.Options{
			Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Traffic: "127.0.0.1:0", ReadyFile: s.ready, Sample: true,
			Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
	}()
	t.Cleanup(func() { cancel(); require.NoError(t, <-ended) })
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(s.ready)
		return err == nil && json.Unmarshal(b, &s.file) == nil || len(ended) > 0
	}, 3*time.Minute, 20*time.Millisecond, "it did not start: %s", log)
	require.NotEmpty(t, s.file.API, "it ended: %s", log)
	return s
}

// do runs the command, which must exit with the code, and returns what it wrote.
func (s *suite) do(code int, args ...string) (out, errs string) {
	s.t.Helper()
	got, out, errs := run(s.t, s.env, "", args...)
	require.Equal(s.t, code, got, "%s\n%s%s", strings.Join(args, " "), out, errs)
	return out, errs
}

// json runs the command and reads its JSON.
func (s *suite) json(into any, args ...string) {
	s.t.Helper()
	out, errs := s.do(0, append(args, "--output", "json")...)
	require.NoError(s.t, json.Unmarshal([]byte(out), into), out+errs)
}

// call calls the API with a key and returns the status.
func (s *suite) call(url, header, key string) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	require.NoError(s.t, err)
	r.Header.Set(header, key)
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(s.t, err)
	return res.StatusCode
}

type object = map[string]any

// The main job from a terminal, on a suite that really runs.
func TestTheMainJobFromATerminal(t *testing.T) {
	t.Parallel()
	s := startSuite(t)
	s.do(3, "whoami")
	out, _ := s.do(0, "login", "--ready-file", s.ready)
	require.Contains(t, out, "gatehouse setup")
	s.do(0, "login", "--ready-file", s.ready) // the code is used; the session is there
	s.env["GATEHOUSE_PASSWORD"] = "short"
	_, errs := s.do(1, "setup", "--email", "olga@example.com", "--name", "Olga", "--organization", "Acme")
	require.Contains(t, errs, "/password: ")
	s.env["GATEHOUSE_PASSWORD"] = "correct horse battery staple 7"
	s.do(0, "setup", "--email", "olga@example.com", "--name", "Olga", "--organization", "Acme")
	s.do(0, "logout")
	s.do(3, "api", "list")
	s.do(0, "login", "--url", s.file.API, "--email", "olga@example.com")
	out, _ = s.do(0, "whoami")
	require.Contains(t, out, "olga@example.com")
	require.Contains(t, out, "owner")
	s.byDevice()
	s.secondFactor()

	// Twice: the second goes on with what is there, and makes another key.
	var first, second struct {
		URL, Header, Key, Curl, RequestID, API string
		Status                                 int
	}
	s.json(&first, "quickstart", s.file.Sample)
	require.Equal(t, 200, first.Status)
	require.Equal(t, "curl -i -H 'X-API-Key: "+first.Key+"' '"+first.URL+"'", first.Curl)
	require.True(t, strings.HasPrefix(first.URL, s.file.Traffic), first.URL)
	out, errs = s.do(0, "quickstart", s.file.Sample)
	require.Contains(t, errs, "it exists, and stays as it is")
	require.Contains(t, errs, "revision 1 is live")
	require.Contains(t, out, "Petstore is online. Call it with")
	s.json(&second, "quickstart", s.file.Sample)
	require.Equal(t, first.API, second.API)
	require.NotEqual(t, first.Key, second.Key)
	require.Equal(t, 200, s.call(first.URL, first.Header, first.Key))
	require.Equal(t, 401, s.call(first.URL, first.Header, "guessed"))

	var apis []object
	s.json(&apis, "api", "list")
	require.Len(t, apis, 1)
	out, _ = s.do(0, "api", "list")
	require.Regexp(t, `(?m)^petstore +Petstore +1\.0\.27 +/api/v3 +19 +DEV r1 +published$`, out)
	s.do(0, "api", "show", "petstore")
	_, errs = s.do(1, "api", "show", "petstoer")
	require.Contains(t, errs, "there are petstore")

	out, _ = s.do(0, "plan", "create", "petstore", "--name", "Gold", "--rate-limit", "2/1h", "--quota", "10000/month", "--publish")
	require.Contains(t, out, "gold")
	_, errs = s.do(1, "plan", "create", "petstore", "--name", "Bad", "--rate-limit", "5/9000d")
	require.Contains(t, errs, "/limits/rateLimit/window: ")
	out, _ = s.do(0, "plan", "list", "petstore")
	require.Contains(t, out, "2 requests per hour; 10,000 requests per calendar month")
	out, _ = s.do(0, "api", "diff", "petstore")
	require.Contains(t, out, "Gold")
	out, errs = s.do(0, "api", "deploy", "petstore", "--message", "gold")
	require.Contains(t, out, "revision 2 in DEV: live")
	require.Contains(t, errs, "applied")

	var made struct {
		Credential   struct{ ID, Key string }
		Subscription struct{ Status string }
	}
	s.json(&made, "subscribe", "petstore", "gold", "--app", "My app")
	require.Equal(t, "active", made.Subscription.Status)
	require.Eventually(t, func() bool { return s.call(first.URL, first.Header, made.Credential.Key) == 429 }, 20*time.Second, 20*time.Millisecond)
	var explained struct{ Sentence string }
	require.Eventually(t, func() bool {
		code, out, _ := run(t, s.env, "", "explain", first.RequestID, "-o", "json")
		return code == 0 && json.Unmarshal([]byte(out), &explained) == nil
	}, 20*time.Second, 50*time.Millisecond)
	require.Contains(t, explained.Sentence, "200")
	s.do(1, "explain", "nothing")
	out, _ = s.do(0, "usage", "--api", "petstore")
	require.Contains(t, out, "Quickstart")

	out, _ = s.do(0, "app", "list")
	require.Contains(t, out, "My app")
	s.do(0, "key", "revoke", made.Credential.ID)
	require.Eventually(t, func() bool { return s.call(first.URL, first.Header, made.Credential.Key) == 401 }, 2*time.Second, 10*time.Millisecond)
	out, _ = s.do(0, "key", "list", "My app")
	require.Contains(t, out, "revoked")

	out, _ = s.do(0, "api", "rollback", "petstore")
	require.Contains(t, out, "revision 1 in DEV: live")
	out, _ = s.do(0, "api", "revisions", "petstore")
	require.Regexp(t, `(?m)^2 .* gold$`, out)
	out, _ = s.do(0, "gateway", "list")
	require.Contains(t, out, "healthy")
	out, _ = s.do(0, "user", "invite", "paul@example.com", "--role", "publisher", "--project", "default")
	require.Contains(t, out, "/invite#token=")
	out, _ = s.do(0, "user", "list")
	require.Contains(t, out, "olga@example.com")
	list := filepath.Join(t.TempDir(), "people.csv")
	require.NoError(t, os.WriteFile(list, []byte("email;roles\nrosa@example.com;viewer|operator\npaul@example.com;viewer\nwrong;viewer\n"), 0o600))
	out, _ = s.do(0, "user", "import", list, "--dry-run")
	require.Regexp(t, `(?m)^4 .*wrong.*refused.*email: this is not an e-mail address`, out)
	_, errs = s.do(1, "user", "import", list)
	require.Contains(t, errs, "1 lines are not right, and nobody was invited")
	require.NoError(t, os.WriteFile(list, []byte("email,roles\nrosa@example.com,viewer|operator\npaul@example.com,viewer\n"), 0o600))
	out, _ = s.do(0, "user", "import", list)
	require.Regexp(t, `(?m)^2 .*rosa@example.com .*done`, out)
	out, _ = s.do(0, "user", "bulk", "disable", "--role", "owner", "--dry-run")
	require.Regexp(t, `olga@example.com .*refused .*this is you`, out)
	out, _ = s.do(0, "user", "bulk", "enable", "olga@example.com")
	require.Regexp(t, `olga@example.com .*refused .*this is you`, out)
	out, _ = s.do(0, "user", "jobs")
	require.Regexp(t, `enable +completed`, out)
	job := regexp.MustCompile(`(?m)^(\S+) +enable +completed`).FindStringSubmatch(out)
	out, _ = s.do(0, "user", "jobs", job[1], "--retry", "--dry-run")
	require.Regexp(t, `olga@example.com .*refused .*this is you`, out)
	s.do(2, "user", "bulk", "disable")
	_, errs = s.do(1, "user", "bulk", "add-to-group", "olga@example.com")
	require.Contains(t, errs, "group")
	out, _ = s.do(0, "user", "list", "--mfa", "no", "--role", "owner", "--seen", "never")
	require.Contains(t, out, "There are no such users.")
	s.do(2, "user", "list", "--seen", "soon")
	s.do(2, "user", "disable")
	_, errs = s.do(1, "user", "disable", "olga@example.com")
	require.Contains(t, errs, "without an owner")
	s.fromAFile(first.URL)
	s.do(0, "api", "undeploy", "petstore", "--environment", "dev")
	require.Equal(t, 404, s.call(first.URL, first.Header, first.Key))
	s.do(0, "logout")
	s.do(3, "whoami")
}

// fromAFile puts the API online anew, of a document in a file and with an upstream
// of its own, and looks at the names of what programs are told.
func (s *suite) fromAFile(url string) {
	s.t.Helper()
	res, err := http.Get(s.file.Sample)
	require.NoError(s.t, err)
	document, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, res.Body.Close())
	file := filepath.Join(s.t.TempDir(), "petstore.json")
	require.NoError(s.t, os.WriteFile(file, []byte(strings.Replace(string(document), `"Petstore"`, `"Birdstore"`, 1)), 0o600))
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "birds of %s", r.URL.Path) }))
	s.t.Cleanup(upstream.Close)
	_, errs := s.do(1, "quickstart", file+".missing")
	require.Contains(s.t, errs, "petstore.json.missing")

	var said object
	s.json(&said, "quickstart", file, "--upstream", upstream.URL+"/birds", "--base-path", "/birds")
	require.ElementsMatch(s.t, []string{"url", "header", "key", "curl", "requestId", "status", "api", "plan", "application", "environment", "revision"}, slices.Collect(maps.Keys(said)))
	text := func(name string) string {
		v, ok := said[name].(string)
		require.True(s.t, ok, "%s: %v", name, said)
		require.NotEmpty(s.t, v, name)
		return v
	}
	require.Equal(s.t, "curl -i -H '"+text("header")+": "+text("key")+"' '"+text("url")+"'", text("curl"))
	require.Regexp(s.t, `^http://[^/]+/birds/`, text("url"))
	require.NotEqual(s.t, url, text("url"))
	require.EqualValues(s.t, 200, said["status"])
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, text("url"), nil)
	require.NoError(s.t, err)
	r.Header.Set(text("header"), text("key"))
	called, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	body, err := io.ReadAll(called.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, called.Body.Close())
	require.Contains(s.t, string(body), "birds of /birds/", "the upstream that was named answers")
	require.Eventually(s.t, func() bool {
		code, _, _ := run(s.t, s.env, "", "explain", text("requestId"))
		return code == 0
	}, 20*time.Second, 50*time.Millisecond, "the first call is not known by the id that was told")
}

// Groups, roles and who may do what, from a terminal.
func TestAccessFromATerminal(t *testing.T) {
	t.Parallel()
	s := startSuite(t)
	s.do(0, "login", "--ready-file", s.ready)
	s.env["GATEHOUSE_PASSWORD"] = "correct horse battery staple 7"
	s.do(0, "setup", "--email", "olga@example.com", "--name", "Olga", "--organization", "Acme")

	s.do(0, "group", "create", "Staff", "--description", "All of us")
	s.do(0, "group", "create", "Team")
	s.do(0, "group", "add", "Staff", "Team")
	_, errs := s.do(1, "group", "add", "Team", "Staff")
	require.Contains(t, errs, "cannot be in itself")
	out, _ := s.do(0, "group", "list")
	require.Regexp(t, `(?m)^Staff +\S+ +1 +All of us$`, out)
	s.do(0, "role", "create", "shipper", "api:read", "deployment:deploy:dev")
	_, errs = s.do(1, "role", "create", "flyer", "api:fly")
	require.Contains(t, errs, "/permissions/0: ")
	out, _ = s.do(0, "role", "list")
	require.Regexp(t, `(?m)^shipper +custom +2`, out)

	s.do(0, "grant", "create", "Staff", "shipper", "--env", "dev", "--for", "48h")
	s.do(0, "grant", "create", "Team", "viewer", "--deny")
	out, _ = s.do(0, "grant", "list")
	require.Regexp(t, `(?m)^Team +deny +viewer +everywhere`, out)
	require.Regexp(t, `(?m)^Staff +allow +shipper +environment `, out)
	var grants []struct{ ID, RoleName string }
	s.json(&grants, "grant", "list", "--role", "viewer")
	s.do(0, "grant", "delete", grants[0].ID)

	out, _ = s.do(0, "access", "check", "olga@example.com", "deployment:deploy", "--env", "dev")
	require.Contains(t, out, "Yes.")
	out, _ = s.do(0, "access", "check", "Staff", "deployment:deploy:prd")
	require.Contains(t, out, "No.\n  not-in-role: ")
	out, _ = s.do(0, "access", "who", "api:delete")
	require.Contains(t, out, "Olga")
	out, _ = s.do(0, "access", "show")
	require.Regexp(t, `(?m)^platform:update +everywhere +yes +the role platform-administrator has it`, strings.ReplaceAll(out, " has platform:update", " has it"))
	out, _ = s.do(0, "access", "show", "Staff", "--about", "deploy deployments")
	require.Regexp(t, `(?m)^deployment:deploy:dev +environment \S+ +yes +the role shipper has .*, until `, out)
	s.do(2, "access", "show", "Staff", "--allowed", "--refused")
	s.do(2, "access", "request", "viewer")
	out, _ = s.do(0, "access", "request", "viewer", "--reason", "to see", "--for", "8h")
	require.Contains(t, out, "who may give it decides")

	s.do(2, "access", "review", "create", "First quarter", "--undecided", "drop")
	out, _ = s.do(0, "access", "review", "create", "First quarter", "--role", "shipper", "--reviewer", "olga@example.com")
	require.Contains(t, out, "First quarter has begun: 1 grants")
	out, _ = s.do(0, "access", "review", "list", "--waiting")
	require.Regexp(t, `(?m)^First quarter +\S+ +role shipper +running +0 of 1`, out)
	s.do(2, "access", "review", "revoke", "First quarter")
	out, _ = s.do(0, "access", "review", "revoke", "first quarter", "Staff", "--comment", "not needed")
	require.Contains(t, out, "1 to be revoked when First quarter ends.")
	out, _ = s.do(0, "access", "review", "show", "First quarter")
	require.Regexp(t, `(?m)^Staff +shipper +environment \S+ .*revoke +Olga`, out)
	s.do(0, "access", "review", "keep", "First quarter", "Staff")
	out, _ = s.do(0, "access", "review", "list", "--waiting")
	require.Contains(t, out, "There are no reviews.")

	out, _ = s.do(0, "organization", "create", "other", "--name", "Other", "--owner", "bo@example.com")
	require.Contains(t, out, "/invite#token=")
	out, _ = s.do(0, "organization", "suspend", "other")
	require.Contains(t, out, "Other is suspended.")
	out, _ = s.do(0, "organization", "list")
	require.Regexp(t, `(?m)^other +Other +suspended`, out)
	s.do(0, "organization", "resume", "other")
	s.do(2, "org", "quota", "other")
	s.do(2, "org", "quota", "other", "--apis", "many")
	s.do(0, "org", "quota", "other", "--apis", "20", "--users", "3")
	s.do(0, "org", "quota", "other", "--users", "none")
	out, _ = s.do(0, "org", "show", "other")
	require.Regexp(t, `(?m)^apis +0 +20`, out)
	require.Regexp(t, `(?m)^users +0 +any number`, out)
	archive := filepath.Join(t.TempDir(), "other.zip")
	s.do(2, "org", "export", "other")
	s.do(0, "org", "export", "other", "--file", archive)
	s.do(1, "org", "export", "other", "--file", archive)
	z, err := zip.OpenReader(archive)
	require.NoError(t, err)
	require.Equal(t, "manifest.json", z.File[len(z.File)-1].Name)
	require.NoError(t, z.Close())
	s.do(0, "org", "export", "--file", archive+".mine")
	_, errs = s.do(2, "org", "delete", "other")
	require.Contains(t, errs, "confirm with --confirm other")
	s.do(0, "org", "delete", "other", "--confirm", "other")
	out, _ = s.do(0, "org", "list", "--deleted")
	require.Regexp(t, `(?m)^other +Other +deleted`, out)
	out, _ = s.do(0, "org", "restore", "other")
	require.Contains(t, out, "Other is restored, and active.")
	s.do(0, "group", "remove", "Staff", "Team")
	s.requestAndApply()

	out, _ = s.do(0, "token", "list")
	require.Contains(t, out, "You have no tokens.")
	s.do(2, "token", "create", "laptop", "--days", "0")
	_, errs = s.do(1, "token", "create", "laptop", "--days", "1000")
	require.Contains(t, errs, "/expiresAt: ")
	var made struct{ ID, Token string }
	s.json(&made, "token", "create", "laptop", "--days", "7", "--permission", "api:read", "--permission", "role:read")
	require.Regexp(t, "^ghp_", made.Token)
	robot := &suite{t: t, env: map[string]string{"XDG_CONFIG_HOME": t.TempDir(), "GATEHOUSE_URL": s.file.API, "GATEHOUSE_TOKEN": made.Token}}
	robot.do(0, "api", "list")
	robot.do(0, "role", "list")
	_, errs = robot.do(1, "group", "create", "Robots")
	require.Contains(t, errs, "the token laptop is not made for the permission group:create")
	out, _ = s.do(0, "token", "list")
	require.Regexp(t, `(?m)^laptop +\S+ +ghp_\S+ +api:read role:read +\S+ +\d{4}-.* +127\.0\.0\.1$`, out)
	_, errs = s.do(1, "token", "revoke", "desktop")
	require.Contains(t, errs, "laptop")
	s.do(0, "token", "revoke", "laptop")
	robot.do(3, "api", "list")
}

// requestAndApply calls the API as it is, and changes what is there by manifests.
func (s *suite) requestAndApply() {
	var made struct{ ID string }
	s.json(&made, "request", "POST", "/tenant-manager/groups", "--data", `{"name":"=Night","description":"On call"}`)
	out, _ := s.do(0, "request", "GET", "/tenant-manager/groups?q=night", "--all", "--csv")
	require.Contains(s.t, out, "'=Night", "no cell is a formula")
	require.NotContains(s.t, out, "\ufeff", "it is for programs")
	require.Contains(s.t, strings.SplitN(out, "\r\n", 2)[0], "name")
	_, errs := s.do(2, "request", "GET", "/tenant-manager/organization", "--csv")
	require.Contains(s.t, errs, "no list")
	_, errs = s.do(1, "request", "PATCH", "/tenant-manager/groups/"+made.ID, "--if-match", `"v99"`, "--data", `{"description":"x"}`)
	require.Contains(s.t, errs, "request ")
	out, _ = s.do(0, "request", "GET", "/tenant-manager/users/export")
	require.Contains(s.t, out, "olga@example.com")

	file := filepath.Join(s.t.TempDir(), "group.yaml")
	require.NoError(s.t, os.WriteFile(file, []byte("kind: Group\npath: /tenant-manager/groups/"+made.ID+"\nspec: {description: By day}\n---\n"+
		"kind: AuditRetention\npath: /tenant-manager/audit/retention\nspec: {days: 0}\n"), 0o600))
	out, _ = s.do(0, "apply", "-f", file, "--dry-run")
	require.Contains(s.t, out, "would change\n  description: \"On call\" -> \"By day\"")
	require.Contains(s.t, out, "AuditRetention /tenant-manager/audit/retention: unchanged")
	out, _ = s.do(0, "apply", "-f", file)
	require.Contains(s.t, out, ": changed\n")
	out, _ = s.do(0, "apply", "-f", file)
	require.NotContains(s.t, out, ": changed\n")
	var group struct{ Name, Description string }
	s.json(&group, "request", "GET", "/tenant-manager/groups/"+made.ID)
	require.Equal(s.t, "By day", group.Description)
	require.Equal(s.t, "=Night", group.Name)
	require.NoError(s.t, os.WriteFile(file, []byte("kind: Group\npath: /tenant-manager/groups/none\nspec: {name: x}\n"), 0o600))
	s.do(1, "apply", "-f", file)
	s.do(0, "request", "DELETE", "/tenant-manager/groups/"+made.ID, "--if-match", "*")
}

// post sends a request as who is signed in.
func (s *suite) post(method, path, body string, into any) {
	s.t.Helper()
	var config struct {
		Profiles map[string]struct{ AccessToken string }
	}
	raw, err := os.ReadFile(filepath.Join(s.env["XDG_CONFIG_HOME"], "gatehouse", "config.json"))
	require.NoError(s.t, err)
	require.NoError(s.t, json.Unmarshal(raw, &config))
	token := ""
	for _, p := range config.Profiles {
		token = p.AccessToken
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.file.API+"/api/tenant-manager/v1"+path, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	require.Less(s.t, res.StatusCode, 300, path)
	if into != nil {
		require.NoError(s.t, json.NewDecoder(res.Body).Decode(into))
	}
}

// secondFactor sets up an authenticator app, and signs in with both steps.
func (s *suite) secondFactor() {
	var begun struct{ ID, Secret string }
	s.post(http.MethodPost, "/me/factors/totp", `{}`, &begun)
	code, err := totp.GenerateCode(begun.Secret, time.Now())
	require.NoError(s.t, err)
	var added struct{ RecoveryCodes []string }
	s.post(http.MethodPost, "/me/factors/"+begun.ID+"/activation", `{"code":"`+code+`"}`, &added)
	s.do(0, "logout")
	_, errs := s.do(2, "login", "--url", s.file.API, "--email", "olga@example.com")
	require.Contains(s.t, errs, "GATEHOUSE_CODE")
	s.env["GATEHOUSE_CODE"] = "not-a-code-at-all"
	_, errs = s.do(1, "login", "--url", s.file.API, "--email", "olga@example.com")
	require.Contains(s.t, errs, "/recoveryCode: ")
	s.env["GATEHOUSE_CODE"] = added.RecoveryCodes[0]
	s.do(0, "login", "--url", s.file.API, "--email", "olga@example.com")
	delete(s.env, "GATEHOUSE_CODE")
	s.post(http.MethodDelete, "/me/factors/"+begun.ID, "", nil)
}
