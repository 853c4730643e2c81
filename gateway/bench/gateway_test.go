//go:build linux

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
)

// TestMain makes the test program a gateway where it is called as one: one that
// does just what the benchmark looks at, with a fault where it is told so, to
// test the benchmark and not a gateway.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "version" {
		fmt.Println("gateway of the tests 0.0")
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "run" {
		if err := pretend(os.Args[3], os.Getenv("GATEWAY_FAULT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

type pretended struct {
	Listeners []struct {
		Address string
		TLS     *struct {
			Certificates []struct {
				CertFile string `yaml:"certFile"`
				KeyFile  string `yaml:"keyFile"`
			}
		} `yaml:"tls"`
	}
	Admin struct{ Address string }
	Log   struct{ Traffic struct{ Path string } }
	APIs  []struct {
		BasePath string `yaml:"basePath"`
		Upstream struct{ Targets []struct{ URL string } }
		Policies []map[string]struct{ Limit int64 }
	} `yaml:"apis"`
	Applications []struct {
		Name        string
		Credentials []struct {
			APIKey     string `yaml:"apiKey"`
			APIKeyHash string `yaml:"apiKeyHash"`
		}
	}
	CredentialFiles []string `yaml:"credentialFiles"`
}

func pretend(config, fault string) error {
	files, err := filepath.Glob(filepath.Join(config, "*.yaml"))
	if err != nil || len(files) == 0 {
		files = []string{config}
	}
	var c pretended
	keys, limits := map[string]string{}, map[string]int64{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := yaml.Unmarshal(b, &c); err != nil {
			return err
		}
		for _, a := range c.APIs {
			for _, p := range a.Policies {
				limits[a.BasePath] += p["rate-limit"].Limit
			}
		}
		for _, a := range c.Applications {
			for _, k := range a.Credentials {
				if k.APIKey != "" {
					k.APIKeyHash = hash(k.APIKey)
				}
				keys[k.APIKeyHash] = a.Name
			}
		}
	}
	for _, f := range c.CredentialFiles {
		b, err := os.ReadFile(filepath.Join(config, f))
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(b)) {
			var e struct {
				Credential struct{ Digest, Application string } `json:"credential"`
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				return err
			}
			keys["sha256:"+e.Credential.Digest] = e.Credential.Application
		}
	}
	upstream := c.APIs[0].Upstream.Targets[0].URL
	var log io.Writer = io.Discard
	if c.Log.Traffic.Path != "" {
		f, err := os.Create(c.Log.Traffic.Path)
		if err != nil {
			return err
		}
		buffered := bufio.NewWriter(f)
		defer f.Close()
		defer buffered.Flush()
		if fault != "no-log" {
			log = buffered
		}
	}
	var mu sync.Mutex // log, counters
	var swapped atomic.Bool
	counters := map[string]int64{}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changed, err := os.ReadFile(filepath.Join(config, "changing.yaml"))
		if err == nil && strings.Contains(string(changed), "/changing-3") {
			swapped.Store(true)
		}
		if fault == "swap" && swapped.Load() {
			if !strings.HasPrefix(r.URL.Path, "/changing") {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		} else if strings.HasPrefix(r.URL.Path, "/changing") && !strings.Contains(string(changed), strings.Split(r.URL.Path, "/")[1]+"\n") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		api := "/" + strings.Split(r.URL.Path, "/")[1]
		application, known := keys[hash(r.Header.Get("X-API-Key"))]
		mu.Lock()
		fmt.Fprintf(log, "{\"status\":0,\"application\":%q}\n", application)
		counters[api+application]++
		over := limits[api] > 0 && counters[api+application] > limits[api]
		mu.Unlock()
		switch {
		case limits[api] > 0 && !known && fault != "no-key":
			w.WriteHeader(http.StatusUnauthorized)
			return
		case over && fault != "no-limit":
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		path := r.URL.Path
		if fault == "no-call" {
			path = "/count/../count" // answered, but never counted
		}
		res, err := client.Get(upstream + path)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		switch fault {
		case "short":
			body = body[:len(body)-1]
		case "no-call":
			body = smallBody
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	})
	failed := make(chan error, 2)
	go func() {
		failed <- http.ListenAndServe(c.Admin.Address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"version":1,"compileNs":1500000,"apis":31,"compiled":1,"reused":30}`)
		}))
	}()
	go func() {
		l := c.Listeners[0]
		if l.TLS != nil {
			failed <- http.ListenAndServeTLS(l.Address, l.TLS.Certificates[0].CertFile, l.TLS.Certificates[0].KeyFile, handler)
			return
		}
		failed <- http.ListenAndServe(l.Address, handler)
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	select {
	case err := <-failed:
		return err
	case <-stop:
		mu.Lock() // nothing is logged any more
		return nil
	}
}

func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

var smallBody = load.Body(load.Small)
