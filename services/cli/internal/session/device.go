package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Device is what somebody enters in a browser to sign this program in.
type Device struct {
	// UserCode is the code, URL where to enter it, URLWithCode the same with the code.
	UserCode    string `json:"userCode"`
	URL         string `json:"url"`
	URLWithCode string `json:"urlWithCode"`
	// ExpiresAt is until when.
	ExpiresAt time.Time `json:"expiresAt"`

	DeviceCode string `json:"deviceCode"`
	Interval   int    `json:"interval"`
}

// SignInByDevice asks the suite at url for a code, has it shown, and waits until
// somebody has allowed it in a browser. name is what they know this program by.
func (s *Session) SignInByDevice(ctx context.Context, url, name string, show func(Device)) (Pair, error) {
	p := Profile{URL: trim(url)}
	var d Device
	raw, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		return Pair{}, fmt.Errorf("signing in: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+Tokens+"/sign-in/device", bytes.NewReader(raw))
	if err != nil {
		return Pair{}, fmt.Errorf("signing in: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(r)
	if err != nil {
		return Pair{}, fmt.Errorf("signing in: %w", err)
	}
	if err := Into(res, &d); err != nil {
		return Pair{}, err
	}
	show(d)
	every := max(time.Duration(d.Interval)*time.Second, time.Second)
	wait := time.NewTicker(every)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return Pair{}, ctx.Err()
		case <-wait.C:
		}
		pair, err := s.post(ctx, p.URL, "/sign-in/device/token", map[string]string{"deviceCode": d.DeviceCode})
		var often *problem.Problem
		if errors.As(err, &often) && often.Status == http.StatusTooManyRequests { // a network that is slow at times
			every += time.Second
			wait.Reset(every)
			continue
		}
		if err != nil {
			return pair, err
		}
		if pair.AccessToken != "" {
			s.take(&p, pair)
			return pair, s.remember(p)
		}
	}
}
