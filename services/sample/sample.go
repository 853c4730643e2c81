// Package sample is a small API to try Gatehouse with: the Petstore, with its
// OpenAPI document. It keeps everything in memory, within bounds, and knows
// nothing of the suite.
package sample

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed petstore.json
var document []byte

// BasePath begins the paths of the API.
const BasePath = "/api/v3"

// The bounds of what is kept.
const (
	maxBody = 1 << 20
	maxKept = 10_000
)

// Document returns the OpenAPI document, as JSON, with the address at which the
// API answers.
func Document(address string) []byte {
	var doc map[string]any
	if err := json.Unmarshal(document, &doc); err != nil {
		return document // it is a part of the program, and tested
	}
	doc["servers"] = []any{map[string]any{"url": "http://" + address + BasePath}}
	b, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return document
	}
	return b
}

type pet struct {
	ID        int64    `json:"id"`
	Name      string   `json:"name"`
	Category  *named   `json:"category,omitempty"`
	PhotoURLs []string `json:"photoUrls,omitempty"`
	Tags      []named  `json:"tags,omitempty"`
	Status    string   `json:"status"`
}

type named struct {
	ID   int64  `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type order struct {
	ID       int64  `json:"id"`
	PetID    int64  `json:"petId"`
	Quantity int32  `json:"quantity"`
	ShipDate string `json:"shipDate,omitempty"`
	Status   string `json:"status"`
	Complete bool   `json:"complete"`
}

type user struct {
	ID         int64  `json:"id"`
	Username   string `json:"username"`
	FirstName  string `json:"firstName,omitempty"`
	LastName   string `json:"lastName,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
	UserStatus int32  `json:"userStatus,omitempty"`
}

// fault is what a caller did wrong.
type fault struct {
	status  int
	message string
}

func (f fault) Error() string { return f.message }

var (
	errInput   = fault{http.StatusBadRequest, "the input is not valid"}
	errMissing = fault{http.StatusNotFound, "there is none of that name or number"}
	errFull    = fault{http.StatusInsufficientStorage, "the shop is full: restart the sample"}
)

// shop is the state. Everything in it is under the lock.
type shop struct {
	mu     sync.Mutex
	last   int64
	pets   map[int64]pet
	orders map[int64]order
	users  map[string]user
}

// Handler returns the API, with a few pets in it.
func Handler() http.Handler {
	s := &shop{pets: map[int64]pet{}, orders: map[int64]order{}, users: map[string]user{}, last: 10}
	for i, p := range []pet{
		{Name: "Bella", Category: &named{1, "Dogs"}, Status: "available", Tags: []named{{1, "patient"}}},
		{Name: "Milo", Category: &named{2, "Cats"}, Status: "available", Tags: []named{{2, "lively"}}},
		{Name: "Kiwi", Category: &named{3, "Birds"}, Status: "sold"},
	} {
		p.ID = int64(i + 1)
		s.pets[p.ID] = p
	}
	s.users["lena"] = user{ID: 1, Username: "lena", FirstName: "Lena"}
	mux := http.NewServeMux()
	handle := func(pattern string, do func(r *http.Request) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+BasePath+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			s.mu.Lock()
			answer, err := do(r)
			s.mu.Unlock()
			write(w, answer, err)
		})
	}
	s.petRoutes(handle)
	s.otherRoutes(handle)
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(Document(r.Host)) // the client is gone where it fails
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]string{"status": "ready"}, nil)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { write(w, nil, errMissing) })
	return mux
}

func write(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		f := errInput
		errors.As(err, &f)
		status, answer = f.status, map[string]string{"message": f.message}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if answer == nil {
		answer = struct{}{}
	}
	_ = json.NewEncoder(w).Encode(answer) // the client is gone where it fails
}

func read[T any](r *http.Request) (T, error) {
	var v T
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		return v, errInput
	}
	return v, nil
}

func number(r *http.Request, name string) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return 0, errInput
	}
	return n, nil
}

// find returns the value of the number in the path.
func find[T any](r *http.Request, name string, in map[int64]T) (T, error) {
	var none T
	n, err := number(r, name)
	if err != nil {
		return none, err
	}
	v, ok := in[n]
	if !ok {
		return none, errMissing
	}
	return v, nil
}

type register func(pattern string, do func(r *http.Request) (any, error))

func (p *pet) check() error {
	if p.Status == "" {
		p.Status = "available"
	}
	if p.Name == "" || len(p.Name) > 100 || !slices.Contains([]string{"available", "pending", "sold"}, p.Status) {
		return errInput
	}
	return nil
}

func (s *shop) petRoutes(handle register) {
	handle("POST /pet", func(r *http.Request) (any, error) {
		p, err := read[pet](r)
		if err != nil || p.check() != nil {
			return nil, errInput
		}
		if len(s.pets) >= maxKept {
			return nil, errFull
		}
		if p.ID == 0 {
			s.last++
			p.ID = s.last
		}
		s.pets[p.ID] = p
		return p, nil
	})
	handle("PUT /pet", func(r *http.Request) (any, error) {
		p, err := read[pet](r)
		if err != nil || p.check() != nil {
			return nil, errInput
		}
		if _, ok := s.pets[p.ID]; !ok {
			return nil, errMissing
		}
		s.pets[p.ID] = p
		return p, nil
	})
	handle("GET /pet/findByStatus", func(r *http.Request) (any, error) {
		status := r.URL.Query().Get("status")
		if status == "" {
			status = "available"
		}
		return s.list(func(p pet) bool { return p.Status == status }), nil
	})
	handle("GET /pet/findByTags", func(r *http.Request) (any, error) {
		tags := r.URL.Query()["tags"]
		return s.list(func(p pet) bool {
			return slices.ContainsFunc(p.Tags, func(t named) bool { return slices.Contains(tags, t.Name) })
		}), nil
	})
	handle("GET /pet/{petId}", func(r *http.Request) (any, error) { return find(r, "petId", s.pets) })
	handle("POST /pet/{petId}", func(r *http.Request) (any, error) {
		p, err := find(r, "petId", s.pets)
		if err != nil {
			return nil, err
		}
		if name := r.URL.Query().Get("name"); name != "" {
			p.Name = name
		}
		if status := r.URL.Query().Get("status"); status != "" {
			p.Status = status
		}
		if p.check() != nil {
			return nil, errInput
		}
		s.pets[p.ID] = p
		return p, nil
	})
	handle("DELETE /pet/{petId}", func(r *http.Request) (any, error) {
		p, err := find(r, "petId", s.pets)
		delete(s.pets, p.ID)
		return nil, err
	})
	handle("POST /pet/{petId}/uploadImage", func(r *http.Request) (any, error) {
		p, err := find(r, "petId", s.pets)
		if err != nil {
			return nil, err
		}
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return nil, errInput
		}
		return map[string]int64{"petId": p.ID, "bytes": n}, nil
	})
}

// list returns pets in the order of their numbers.
func (s *shop) list(want func(pet) bool) []pet {
	found := []pet{}
	for _, p := range s.pets {
		if want(p) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b pet) int { return int(a.ID - b.ID) })
	return found
}
