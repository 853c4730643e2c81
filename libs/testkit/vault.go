package testkit

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// VaultServer is a stand-in for HashiCorp Vault, of which no binary can be had
// from a package registry. [Real] is one that is named, which it is compared with.
// It follows the documented HTTP API of the KV engine of
// version 2, of tokens, AppRole and Kubernetes, as far as programs that read
// secrets use them, and refuses everything else.
type VaultServer struct {
	// URL is its address, Root a token that never ends and may do everything.
	URL, Root string

	server *httptest.Server
	now    func() time.Time

	mu       sync.Mutex
	sealed   bool
	away     bool
	secrets  map[string][]vaultVersion // by namespace, mount and path
	tokens   map[string]*vaultToken
	roles    map[string]vaultRole // AppRole, by role id and secret id
	accounts map[string]vaultRole // Kubernetes, by role and JWT
	made     int
	requests []string
}

type vaultVersion struct {
	data    map[string]any
	created time.Time
	deleted time.Time
	gone    bool
}

type vaultToken struct {
	ends, lasts time.Time // lasts is when no renewal helps any more
	ttl         time.Duration
	renewable   bool
	paths       []string // what it may read; nil = all
	namespace   string
}

type vaultRole struct {
	ttl, longest time.Duration
	paths        []string
	namespace    string
}

// Vault starts a server, which ends with the test. now is its clock.
func Vault(t testing.TB, now func() time.Time) *VaultServer {
	t.Helper()
	v := &VaultServer{
		Root: "hvs.root", now: now, secrets: map[string][]vaultVersion{}, tokens: map[string]*vaultToken{"hvs.root": {}},
		roles: map[string]vaultRole{}, accounts: map[string]vaultRole{},
	}
	v.server = httptest.NewServer(v)
	v.URL = v.server.URL
	t.Cleanup(v.server.Close)
	return v
}

// Put writes a new version of a secret into the mount "secret" of a namespace, ""
// = the root's, and returns its number.
func (v *VaultServer) Put(namespace, path string, data map[string]any) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := namespace + "|" + path
	v.secrets[key] = append(v.secrets[key], vaultVersion{data: data, created: v.now()})
	return len(v.secrets[key])
}

// Delete deletes a version of a secret, which could be undeleted; 0 = the newest.
func (v *VaultServer) Delete(namespace, path string, version int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := v.secrets[namespace+"|"+path]
	if version == 0 {
		version = len(list)
	}
	list[version-1].deleted = v.now()
}

// Destroy removes the data of a version for good.
func (v *VaultServer) Destroy(namespace, path string, version int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := v.secrets[namespace+"|"+path]
	list[version-1].gone, list[version-1].data = true, nil
}

// Seal seals the server, or opens it.
func (v *VaultServer) Seal(sealed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sealed = sealed
}

// Away has connections cut off, as where the server is not there.
func (v *VaultServer) Away(away bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.away = away
}

// Token makes a token that may read what begins with one of the paths, none = all.
// It can be renewed until the longest time; 0 = it cannot.
func (v *VaultServer) Token(namespace string, ttl, longest time.Duration, paths ...string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.give(vaultRole{ttl: ttl, longest: longest, paths: paths, namespace: namespace})
}

func (v *VaultServer) give(r vaultRole) string {
	v.made++
	id := "hvs.CAES" + strconv.Itoa(v.made)
	now := v.now()
	v.tokens[id] = &vaultToken{ends: now.Add(r.ttl), lasts: now.Add(max(r.ttl, r.longest)), ttl: r.ttl, renewable: r.longest > 0, paths: r.paths, namespace: r.namespace}
	return id
}

// Revoke ends all tokens but the root's.
func (v *VaultServer) Revoke() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id := range v.tokens {
		if id != v.Root {
			delete(v.tokens, id)
		}
	}
}

// AppRole lets who has a role id and its secret id have tokens.
func (v *VaultServer) AppRole(namespace, role, secret string, ttl, longest time.Duration, paths ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.roles[namespace+"|"+role+"|"+secret] = vaultRole{ttl, longest, paths, namespace}
}

// Kubernetes lets who shows a service account's token have tokens.
func (v *VaultServer) Kubernetes(role, jwt string, ttl, longest time.Duration, paths ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.accounts[role+"|"+jwt] = vaultRole{ttl, longest, paths, ""}
}

// Requests returns method and path of what was asked so far, and forgets it.
func (v *VaultServer) Requests() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.requests
	v.requests = nil
	return out
}

// ServeHTTP answers as Vault does.
func (v *VaultServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.away {
		panic(http.ErrAbortHandler)
	}
	v.requests = append(v.requests, r.Method+" "+r.URL.Path)
	refuse := func(status int, errs ...string) {
		if errs == nil {
			errs = []string{}
		}
		vaultAnswer(w, status, map[string]any{"errors": errs})
	}
	if v.sealed {
		refuse(http.StatusServiceUnavailable, "Vault is sealed")
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	if !ok {
		refuse(http.StatusNotFound)
		return
	}
	namespace := strings.Trim(r.Header.Get("X-Vault-Namespace"), "/")
	switch {
	case path == "auth/approle/login" || path == "auth/kubernetes/login":
		v.signIn(w, r, path, namespace, refuse)
		return
	}
	id := r.Header.Get("X-Vault-Token")
	tok := v.tokens[id]
	if tok == nil || !tok.ends.IsZero() && !v.now().Before(tok.ends) || tok.namespace != namespace {
		if id == v.Root && tok != nil {
			v.serve(w, r, path, namespace, id, tok, refuse)
			return
		}
		refuse(http.StatusForbidden, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
		return
	}
	v.serve(w, r, path, namespace, id, tok, refuse)
}

func (v *VaultServer) serve(w http.ResponseWriter, r *http.Request, path, namespace, id string, tok *vaultToken, refuse func(int, ...string)) {
	switch {
	case path == "auth/token/lookup-self" && r.Method == http.MethodGet:
		ttl := 0
		if !tok.ends.IsZero() {
			ttl = int(tok.ends.Sub(v.now()) / time.Second)
		}
		vaultAnswer(w, http.StatusOK, map[string]any{"data": map[string]any{"id": id, "ttl": ttl, "renewable": tok.renewable, "type": "service"}})
	case path == "auth/token/renew-self" && (r.Method == http.MethodPost || r.Method == http.MethodPut):
		if !tok.renewable {
			refuse(http.StatusBadRequest, "lease is not renewable")
			return
		}
		tok.ends = v.now().Add(tok.ttl)
		if tok.ends.After(tok.lasts) {
			tok.ends = tok.lasts
		}
		v.auth(w, id, tok)
	case strings.HasPrefix(path, "secret/data/") && r.Method == http.MethodGet:
		v.read(w, r, path, namespace, tok, refuse)
	case strings.HasPrefix(path, "secret/"):
		refuse(http.StatusMethodNotAllowed, "unsupported operation")
	default:
		refuse(http.StatusNotFound, "no handler for route \""+path+"\". route entry not found.")
	}
}

func (v *VaultServer) read(w http.ResponseWriter, r *http.Request, path, namespace string, tok *vaultToken, refuse func(int, ...string)) {
	allowed := tok.paths == nil
	for _, p := range tok.paths {
		allowed = allowed || strings.HasPrefix(path, "secret/data/"+p)
	}
	if !allowed {
		refuse(http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
		return
	}
	list := v.secrets[namespace+"|"+strings.TrimPrefix(path, "secret/data/")]
	n := len(list)
	if q := r.URL.Query().Get("version"); q != "" && q != "0" {
		asked, err := strconv.Atoi(q)
		if err != nil {
			refuse(http.StatusBadRequest, "Field validation failed: error converting input for field \"version\"")
			return
		}
		n = asked
	}
	if n < 1 || n > len(list) {
		refuse(http.StatusNotFound)
		return
	}
	x := list[n-1]
	deleted := ""
	if !x.deleted.IsZero() {
		deleted = x.deleted.UTC().Format(time.RFC3339Nano)
	}
	meta := map[string]any{"created_time": x.created.UTC().Format(time.RFC3339Nano), "custom_metadata": nil, "deletion_time": deleted, "destroyed": x.gone, "version": n}
	status, data := http.StatusOK, any(x.data)
	if deleted != "" || x.gone {
		status, data = http.StatusNotFound, nil
	}
	vaultAnswer(w, status, map[string]any{
		"request_id": "5f7a", "lease_id": "", "renewable": false, "lease_duration": 0, "wrap_info": nil, "warnings": nil, "auth": nil,
		"data": map[string]any{"data": data, "metadata": meta},
	})
}

func (v *VaultServer) signIn(w http.ResponseWriter, r *http.Request, path, namespace string, refuse func(int, ...string)) {
	var in map[string]string
	if (r.Method != http.MethodPost && r.Method != http.MethodPut) || json.NewDecoder(r.Body).Decode(&in) != nil {
		refuse(http.StatusBadRequest, "missing client token")
		return
	}
	var role vaultRole
	var ok bool
	if path == "auth/approle/login" {
		if role, ok = v.roles[namespace+"|"+in["role_id"]+"|"+in["secret_id"]]; !ok {
			refuse(http.StatusBadRequest, "invalid role or secret ID")
			return
		}
	} else if role, ok = v.accounts[in["role"]+"|"+in["jwt"]]; !ok {
		refuse(http.StatusForbidden, "permission denied")
		return
	}
	id := v.give(role)
	v.auth(w, id, v.tokens[id])
}

func (v *VaultServer) auth(w http.ResponseWriter, id string, tok *vaultToken) {
	vaultAnswer(w, http.StatusOK, map[string]any{
		"request_id": "5f7b", "lease_id": "", "renewable": false, "lease_duration": 0, "data": nil,
		"auth": map[string]any{
			"client_token": id, "accessor": "a" + id, "policies": []string{"default"}, "token_policies": []string{"default"}, "metadata": nil,
			"lease_duration": int(tok.ends.Sub(v.now()) / time.Second), "renewable": tok.renewable, "entity_id": "", "token_type": "service", "orphan": true,
		},
	})
}

func vaultAnswer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have left
}
