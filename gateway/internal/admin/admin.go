package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/app"
	contract "github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Options are what the handler shows.
type Options struct {
	Status   *Status
	Recorder *traffic.Recorder
	Metrics  http.Handler
	Store    policy.Store
	// Token is asked for as a bearer token; "" = none is asked for, and only
	// requests for a loopback name are answered, so that no web page can make a
	// browser ask (DNS rebinding).
	Token string
	// DryRun tells what would happen to a described request.
	DryRun func(DryRun) (any, error)
	// Upstreams returns the state of the upstreams of an API, or of all.
	Upstreams func(api string) any
}

// DryRun describes a request that is not sent.
type DryRun struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header,omitempty"`
	// Client is the address it would come from.
	Client string `json:"client,omitempty"`
}

// Handler returns the handler of the admin listener.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/alive", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		if ok, why := o.Status.Ready(); !ok {
			answer(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready", "reason": why})
			return
		}
		answer(w, http.StatusOK, map[string]string{"status": "ready"})
	})

	guarded := http.NewServeMux()
	guarded.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, app.Build()) })
	guarded.Handle("GET /metrics", o.Metrics)
	guarded.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, o.Status.view()) })
	guarded.HandleFunc("GET /upstreams", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, o.Upstreams(r.URL.Query().Get("api")))
	})
	guarded.HandleFunc("GET /explain", func(w http.ResponseWriter, _ *http.Request) {
		records := o.Recorder.Newest(50)
		if records == nil {
			records = []*contract.Record{}
		}
		answer(w, http.StatusOK, records)
	})
	guarded.HandleFunc("GET /explain/{id}", func(w http.ResponseWriter, r *http.Request) {
		rec, ok := o.Recorder.Explain(r.PathValue("id"))
		if !ok {
			problem.New(problem.CodeNotFound, "no decision is kept for the request id %q; refused and failed requests always have one, others where they are sampled or debugged", r.PathValue("id")).Write(w)
			return
		}
		answer(w, http.StatusOK, rec)
	})
	guarded.HandleFunc("POST /explain", func(w http.ResponseWriter, r *http.Request) {
		var d DryRun
		if !read(w, r, &d) {
			return
		}
		v, err := o.DryRun(d)
		if err != nil {
			problem.From(err).Write(w)
			return
		}
		answer(w, http.StatusOK, v)
	})
	guarded.HandleFunc("GET /debug/rules", func(w http.ResponseWriter, _ *http.Request) {
		rules := o.Recorder.DebugRules()
		if rules == nil {
			rules = []traffic.DebugRule{}
		}
		answer(w, http.StatusOK, rules)
	})
	guarded.HandleFunc("POST /debug/rules", func(w http.ResponseWriter, r *http.Request) {
		var rule traffic.DebugRule
		if !read(w, r, &rule) {
			return
		}
		if err := o.Recorder.Debug(rule); err != nil {
			problem.From(err).Write(w)
			return
		}
		answer(w, http.StatusCreated, rule)
	})
	guarded.HandleFunc("DELETE /debug/rules", func(w http.ResponseWriter, _ *http.Request) {
		o.Recorder.ClearDebug()
		w.WriteHeader(http.StatusNoContent)
	})
	guarded.HandleFunc("DELETE /cache", func(w http.ResponseWriter, r *http.Request) {
		api := r.URL.Query().Get("api")
		prefix := ""
		if api != "" {
			prefix = api + "/"
		}
		answer(w, http.StatusOK, map[string]int{"removed": o.Store.DeletePrefix(prefix)})
	})
	guarded.HandleFunc("GET /debug/pprof/", pprof.Index)
	guarded.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	guarded.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	guarded.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	guarded.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem.New(problem.CodeNotFound, "the admin listener has nothing at %s %s", r.Method, r.URL.Path).Write(w)
	})
	mux.Handle("/", guard(o.Token, guarded))
	return mux
}

// guard lets operators in: by the token, or without one only where the request
// is for this machine itself.
func guard(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token == "" {
			if !local(r.Host) || fromPage(r.Header) {
				problem.New(problem.CodeAccessDenied, "without a token the admin listener answers only requests for localhost that no web page has made").Write(w)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(want[:], got[:]) != 1 || !bearer {
			problem.New(problem.CodeCredentialMissing, "send the admin token as Authorization: Bearer").
				WithChallenge(`Bearer realm="gatehouse admin"`).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromPage reports whether a web page has made the request: browsers then say
// from which site it is, or send an Origin. An address typed by a person is from
// none.
func fromPage(h http.Header) bool {
	site := h.Get("Sec-Fetch-Site")
	return h.Get("Origin") != "" || site != "" && site != "none"
}

func local(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

// read decodes a body strictly, and answers where it is not right.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		problem.New(problem.CodeBadRequest, "the body is not the JSON that is expected here: %v", err).Write(w)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		problem.From(err).Write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the operator may have left
}
