package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/relay"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

const (
	// tryLife is how long a key lives with which the portal calls.
	tryLife = time.Hour
	// tryFresh is how long gateways may take to learn of a new key.
	tryFresh = 3 * time.Second
	tryPause = 50 * time.Millisecond
	mostTry  = 10_000
)

// tryKeys are the keys with which this replica calls for applications. They are
// kept in memory only: after a restart there are new ones.
type tryKeys struct {
	mu   sync.Mutex
	keys map[string]tryKey // by application
}

type tryKey struct {
	key string
	// credential is the id of the credential whose token it is; "" = a key of its own.
	credential string
	made, ends time.Time
}

func newTryKeys() *tryKeys { return &tryKeys{keys: map[string]tryKey{}} }

func (t *tryKeys) get(application string, now time.Time) (tryKey, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.keys[application]
	return k, ok && now.Before(k.ends.Add(-time.Minute))
}

func (t *tryKeys) put(application string, k tryKey, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.keys) >= mostTry {
		for id, old := range t.keys {
			if !now.Before(old.ends) {
				delete(t.keys, id)
			}
		}
		if len(t.keys) >= mostTry {
			clear(t.keys)
		}
	}
	t.keys[application] = k
}

// TryOperation calls an API from the portal.
func (h *Handlers) TryOperation(ctx context.Context, r TryOperationRequestObject) (TryOperationResponseObject, error) {
	o, err := h.reader(ctx, r.Params.Organization, r.Params.XGatehouseOrganization)
	if err != nil {
		return nil, err
	}
	in := *r.Body
	s := h.kit.DB.For(o.ID)
	api, err := store.FindAPI(ctx, s, in.Api)
	if err != nil {
		return nil, err
	}
	req := relay.Request{Method: string(in.Method), Path: in.Path, Query: pairs(in.Query), Headers: pairs(in.Headers), Body: []byte(deref(in.Body))}
	for _, e := range api.Endpoints.V {
		if e.Environment == in.Environment || req.Base == "" && strings.EqualFold(e.EnvironmentName, in.Environment) {
			req.Base = e.URL
		}
	}
	if req.Base == "" {
		return nil, problem.Invalid("the API cannot be called there", problem.Field{Pointer: "/environment", Code: "reference", Detail: "choose an environment that the API's page lists"})
	}
	if deref(in.BodyEncoding) == TryRequestBodyEncodingBase64 {
		if req.Body, err = base64.StdEncoding.DecodeString(deref(in.Body)); err != nil {
			return nil, problem.Invalid("the body cannot be read", problem.Field{Pointer: "/body", Code: "format", Detail: "write it as base64, with padding"})
		}
	}
	var fresh time.Time // until when a refusal may mean that the gateway does not know the key yet
	if id := deref(in.Application); id != "" {
		if fresh, err = h.callAs(ctx, s, &req, api, id); err != nil {
			return nil, err
		}
	}
	for {
		res, err := h.relay.Do(ctx, req)
		if err != nil {
			return nil, err
		}
		if res.Status != http.StatusUnauthorized || !h.kit.Now().Before(fresh) {
			return TryOperation200JSONResponse(resultOf(res)), nil
		}
		t := time.NewTimer(tryPause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

func pairs(list *[]Pair) []relay.Pair {
	var out []relay.Pair
	for _, p := range deref(list) {
		out = append(out, relay.Pair{Name: p.Name, Value: p.Value})
	}
	return out
}

// callAs puts a key, or a token, of an own application into a request.
func (h *Handlers) callAs(ctx context.Context, s *db.Scope, req *relay.Request, api store.API, application string) (fresh time.Time, err error) {
	p, err := caller(ctx)
	if err != nil {
		return fresh, err
	}
	a, err := store.FindApplication(ctx, s, application, false)
	if err != nil {
		return fresh, err
	}
	if a.OwnerID != p.Subject { // no right of others lets somebody call in an application's name
		return fresh, db.ErrNotFound
	}
	plan, err := activePlan(ctx, s, api, a)
	if err != nil {
		return fresh, err
	}
	header, scheme := keyHeader(plan), ""
	var k tryKey
	if plan.Own {
		header, scheme = "Authorization", "Bearer "
		if k, err = h.tokenOf(ctx, s, a); err != nil {
			return fresh, err
		}
	} else {
		var ok bool
		if k, ok = h.tries.get(a.ID, h.kit.Now()); !ok {
			if k, err = h.makeTryKey(ctx, a, p); err != nil {
				return fresh, err
			}
		}
	}
	kept := req.Headers[:0:0]
	for _, hd := range req.Headers {
		if !strings.EqualFold(hd.Name, header) {
			kept = append(kept, hd)
		}
	}
	req.Headers = append(kept, relay.Pair{Name: header, Value: scheme + k.key})
	return k.made.Add(tryFresh), nil
}

// activePlan returns the plan under which an application calls an API from the
// portal: one that it has an active subscription to, and that takes what the portal
// can send.
func activePlan(ctx context.Context, s *db.Scope, api store.API, a store.Application) (store.Plan, error) {
	open, err := store.SubscriptionsOf(ctx, s, a.ID)
	if err != nil {
		return store.Plan{}, err
	}
	for _, p := range api.Plans.V { // in the order in which gateways try them
		for _, sub := range open {
			if sub.PlanID == p.ID && sub.Status == subscription.Active {
				if p.Security != subscription.SecurityAPIKey && !p.Own {
					return p, problem.New(problem.CodeConflict, "the plan %s takes neither an API key nor a token of this organization's authorization server: send the credential that it asks for as a header", p.Name)
				}
				return p, nil
			}
		}
	}
	return store.Plan{}, problem.New(problem.CodeConflict, "the application %s has no active subscription to a plan of %s: subscribe it first", a.Name, api.Name)
}

func (h *Handlers) makeTryKey(ctx context.Context, a store.Application, p authn.Principal) (tryKey, error) {
	now := h.kit.DB.Now()
	ends := now.Add(tryLife)
	k := tryKey{made: now, ends: ends}
	err := h.kit.DB.Tx(ctx, func(tx *db.Tx) error {
		var err error
		k.key, _, err = h.makeKey(ctx, tx, a, p, "For trying operations", store.PurposeTry, &ends)
		return err
	})
	if err != nil {
		return k, err
	}
	h.tries.put(a.ID, k, now)
	return k, nil
}

func resultOf(r *relay.Result) TryResult {
	out := TryResult{
		Url: r.URL, Status: r.Status, Headers: []Pair{}, Body: r.Body, BodyEncoding: TryResultBodyEncodingText, BodyBytes: r.Bytes,
		Truncated: r.Truncated, RequestId: text(r.RequestID),
		Timings: TryTimings{ConnectUs: r.Connect.Microseconds(), FirstByteUs: r.FirstByte.Microseconds(), TotalUs: r.Total.Microseconds()},
	}
	if r.Binary {
		out.BodyEncoding = TryResultBodyEncodingBase64
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, Pair{Name: h.Name, Value: h.Value})
	}
	return out
}
