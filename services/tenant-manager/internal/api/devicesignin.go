package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// A device that has no browser, such as a terminal, signs a person in who has one
// elsewhere, as RFC 8628 has it for clients of an authorization server: it shows a
// code, the person enters that where they are signed in, and the device gets a
// session of its own.
const (
	forDevice     = "device"      // by the secret of the device
	forDeviceCode = "device-code" // by the code that people enter
	// deviceLifetime is how long somebody may take to enter the code.
	deviceLifetime = 10 * time.Minute
	// devicePoll is how long the device waits between two questions.
	devicePoll = 2 * time.Second
	// deviceLetters are as in the codes of the authorization server, whose codes
	// have eight of them: the length says what a code is for.
	deviceLetters = "BCDFGHJKLMNPQRSTVWXZ"
	deviceGroups  = 3
)

// deviceSignIn is what is known of a device that waits, kept as JSON.
type deviceSignIn struct {
	Name    string    `json:"name"`
	Address string    `json:"address"`
	At      time.Time `json:"at"`
	// Denied, or by whom it was allowed.
	Denied       bool   `json:"denied,omitempty"`
	Organization string `json:"organization,omitempty"`
	User         string `json:"user,omitempty"`
	AMR          string `json:"amr,omitempty"`
	// Connection is the single sign-on of whoever allowed it, Session by which of their
	// sessions, and ProofsAfter what that of the user was then.
	Connection  string     `json:"connection,omitempty"`
	Session     string     `json:"session,omitempty"`
	ProofsAfter *time.Time `json:"proofsAfter,omitempty"`
}

// newDeviceCode returns a code of nine letters, which is one of 512 thousand million.
func newDeviceCode() (string, error) {
	var b strings.Builder
	for i := range deviceGroups * 3 {
		if i > 0 && i%3 == 0 {
			b.WriteByte('-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(deviceLetters))))
		if err != nil {
			return "", fmt.Errorf("making a code: %w", err)
		}
		b.WriteByte(deviceLetters[n.Int64()])
	}
	return b.String(), nil
}

// deviceCodeHash returns the hash of a code however it was written.
func deviceCodeHash(code string) string {
	return token.Hash("device code " + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		if strings.ContainsRune(deviceLetters, r) {
			return r
		}
		return -1
	}, code))
}

// BeginDeviceSignIn gives a device two codes: one for itself, one to show.
func (h *Handlers) BeginDeviceSignIn(ctx context.Context, r BeginDeviceSignInRequestObject) (BeginDeviceSignInResponseObject, error) {
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	now := h.store.Now()
	asked, err := json.Marshal(deviceSignIn{Name: strings.TrimSpace(r.Body.Name), Address: httpx.Address(ctx), At: now.UTC()})
	if err != nil {
		return nil, fmt.Errorf("keeping a device: %w", err)
	}
	secret := token.OneTime()
	device := store.Challenge{Purpose: forDevice, Hash: token.Hash(secret), Data: string(asked), ExpiresAt: now.Add(deviceLifetime)}
	if err := h.store.CreateChallenge(ctx, &device); err != nil {
		return nil, err
	}
	code, err := newDeviceCode()
	if err != nil {
		return nil, err
	}
	shown := store.Challenge{Purpose: forDeviceCode, Hash: deviceCodeHash(code), Data: device.Hash, ExpiresAt: device.ExpiresAt}
	if err := h.store.CreateChallenge(ctx, &shown); err != nil {
		return nil, err
	}
	page := strings.TrimRight(h.opt.ConsoleURL, "/") + "/device"
	return BeginDeviceSignIn200JSONResponse{
		DeviceCode: secret, UserCode: code, Url: page, UrlWithCode: page + "?" + url.Values{"code": {code}}.Encode(),
		ExpiresAt: device.ExpiresAt.UTC(), Interval: int(devicePoll / time.Second),
	}, nil
}

// FinishDeviceSignIn begins the session of a device, once somebody has allowed it.
func (h *Handlers) FinishDeviceSignIn(ctx context.Context, r FinishDeviceSignInRequestObject) (FinishDeviceSignInResponseObject, error) {
	c, err := h.store.Challenge(ctx, forDevice, token.Hash(r.Body.DeviceCode))
	if store.IsNotFound(err) {
		return nil, refused("nobody has entered the code in time, or the device was signed in already: begin again")
	}
	if err != nil {
		return nil, err
	}
	wait, err := h.store.Attempt(ctx, store.Limited{Name: "questions of device " + c.ID, Limit: throttle.Polling})
	if err != nil {
		return nil, err
	}
	if wait > 0 { // the slow_down of RFC 8628 section 3.5
		return nil, slower(wait, "the device asks too often: it may ask once in "+devicePoll.String())
	}
	var d deviceSignIn
	if err := json.Unmarshal([]byte(c.Data), &d); err != nil {
		return nil, fmt.Errorf("reading what is kept of a device: %w", err)
	}
	if d.Denied {
		return nil, refused("the person who entered the code has not allowed this")
	}
	if d.User == "" {
		return FinishDeviceSignIn202Response{}, nil
	}
	var (
		u store.User
		o store.Organization
		s store.Session
	)
	err = h.store.Tx(ctx, d.Organization, d.User, func(tx *store.Tx) error {
		if u, err = tx.LockUser(ctx, d.User); err != nil {
			return deviceOver(err)
		}
		taken, err := h.store.TakeChallenge(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if !taken {
			return refused("the device was signed in already")
		}
		if o, err = tx.Organization(ctx); err != nil {
			return err
		}
		if u.Status != store.Active || o.Suspended {
			return refused("who allowed this may not sign in any more")
		}
		has, err := tx.HasFactors(ctx, u.ID)
		if err != nil {
			return err
		}
		if has[u.ID] && !factor.Methods(d.AMR).Second() {
			return refused("who allowed this has set up a second factor since: begin again")
		}
		was := u
		was.ProofsAfter = d.ProofsAfter
		s, err = h.beginSession(ctx, tx, was, factor.Methods(d.AMR), beginning{
			from: d.Connection, source: &store.Session{OrganizationID: d.Organization, UserID: d.User, ID: d.Session},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	pair, err := h.pair(ctx, o, u, s)
	return FinishDeviceSignIn200JSONResponse(pair), err
}

// deviceOver tells no difference between who allowed a device and is not there any more,
// and who may not sign in.
func deviceOver(err error) error {
	if store.IsNotFound(err) {
		return refused("who allowed this may not sign in any more")
	}
	return err
}

var errNoDevice = problem.New(problem.CodeNotFound, "no device shows this code: codes are good for ten minutes, and once")

// waiting returns the device that shows a code.
func (h *Handlers) waiting(ctx context.Context, code string) (shown, device store.Challenge, d deviceSignIn, err error) {
	if shown, err = h.store.Challenge(ctx, forDeviceCode, deviceCodeHash(code)); err == nil {
		device, err = h.store.Challenge(ctx, forDevice, shown.Data)
	}
	if store.IsNotFound(err) {
		return shown, device, d, errNoDevice
	}
	if err == nil {
		err = json.Unmarshal([]byte(device.Data), &d)
	}
	return shown, device, d, err
}

// GetMyDeviceSignIn says which device shows a code.
func (h *Handlers) GetMyDeviceSignIn(ctx context.Context, r GetMyDeviceSignInRequestObject) (GetMyDeviceSignInResponseObject, error) {
	var out DeviceSignIn
	err := h.withCode(ctx, caller(ctx), func() error {
		_, _, d, err := h.waiting(ctx, r.Code)
		out = DeviceSignIn{Name: d.Name, Address: d.Address, RequestedAt: d.At}
		return err
	})
	return GetMyDeviceSignIn200JSONResponse(out), err
}

// DecideMyDeviceSignIn lets a device have a session of the caller, or does not. What
// the caller has proven is what the session is taken to have proven.
func (h *Handlers) DecideMyDeviceSignIn(ctx context.Context, r DecideMyDeviceSignInRequestObject) (DecideMyDeviceSignInResponseObject, error) {
	p := caller(ctx)
	return DecideMyDeviceSignIn204Response{}, h.withCode(ctx, p, func() error {
		shown, device, d, err := h.waiting(ctx, r.Code)
		if err != nil {
			return err
		}
		return h.change(ctx, func(tx *store.Tx) error {
			u, err := tx.LockUser(ctx, p.Subject)
			if err != nil {
				return err
			}
			taken, err := h.store.TakeChallenge(ctx, tx, shown.ID)
			if err != nil {
				return err
			}
			if !taken {
				return errNoDevice
			}
			if d.Denied = !r.Body.Allow; !d.Denied {
				s, err := tx.LockSession(ctx, p.Session)
				if err == nil && !s.Open(h.store.Now()) {
					err = refused(proofsOver)
				}
				if err != nil {
					return err
				}
				d.Organization, d.User, d.AMR, d.Connection = p.Organization, p.Subject, s.AMR, s.SSOConnectionID
				d.Session, d.ProofsAfter = s.ID, u.ProofsAfter
			}
			b, err := json.Marshal(d)
			if err != nil {
				return fmt.Errorf("keeping a decision: %w", err)
			}
			if err := h.store.SetChallengeDataIn(ctx, tx, device.ID, string(b)); err != nil {
				return err
			}
			action := "user.device-allowed"
			if d.Denied {
				action = "user.device-denied"
			}
			return h.recordUserChange(ctx, tx, action, u, nil, struct {
				Device  string `json:"device"`
				Address string `json:"address"`
			}{d.Name, d.Address})
		})
	})
}

// withCode holds codes that no device shows against the user who enters them: they
// are short, since people write them (RFC 8628 section 5.1).
func (h *Handlers) withCode(ctx context.Context, p authn.Principal, f func() error) error {
	if err := personal(p); err != nil {
		return err
	}
	return h.heldAgainst(ctx, store.Limited{Name: "device codes of " + p.Subject, Limit: throttle.Account}, f)
}
