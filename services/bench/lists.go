//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type object = map[string]any

var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// send makes one request and decodes the answer, which must be a success.
func (b *bench) send(ctx context.Context, method, path string, body any) (object, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, b.api+path, content)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, text) //nolint:err113 // shown as it is
	}
	var o object
	if len(text) > 0 && strings.Contains(resp.Header.Get("Content-Type"), "json") {
		err = json.Unmarshal(text, &o)
	}
	return o, err
}

// signIn completes the first run and takes the token of its owner; tokens are
// short-lived, so that it is called again before long work.
func (b *bench) signIn(ctx context.Context, api, code string) error {
	b.api = api + "/api/"
	if code != "" {
		pair, err := b.send(ctx, http.MethodPost, "tenant-manager/v1/sign-in/one-time", object{"code": code})
		if err != nil {
			return err
		}
		b.token, _ = pair["accessToken"].(string)
		if _, err := b.send(ctx, http.MethodPost, "tenant-manager/v1/setup", object{
			"organizationName": "Bench", "name": "Bench", "email": "bench@example.com", "password": "correct horse battery staple",
		}); err != nil {
			return err
		}
	}
	b.token = ""
	pair, err := b.send(ctx, http.MethodPost, "tenant-manager/v1/sign-in", object{"email": "bench@example.com", "password": "correct horse battery staple"})
	if err != nil {
		return err
	}
	b.token, _ = pair["accessToken"].(string)
	return nil
}

func (b *bench) project(ctx context.Context) (string, error) {
	list, err := b.send(ctx, http.MethodGet, "gateway-manager/v1/projects", nil)
	if err != nil {
		return "", err
	}
	items, _ := list["items"].([]any)
	if len(items) == 0 {
		return "", fmt.Errorf("there is no project") //nolint:err113 // shown as it is
	}
	first, _ := items[0].(object)
	id, _ := first["id"].(string)
	return id, nil
}

// imports measures the import of a document with 500 operations.
func (b *bench) imports(ctx context.Context) error {
	project, err := b.project(ctx)
	if err != nil {
		return err
	}
	var doc strings.Builder
	doc.WriteString("openapi: 3.0.3\ninfo: {title: Large, version: \"1\"}\npaths:\n")
	for i := range 500 {
		fmt.Fprintf(&doc, "  /things-%[1]d/{id}:\n    get:\n      operationId: getThing%[1]d\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n      responses: {\"200\": {description: done}}\n", i)
	}
	var took []time.Duration
	for i := range 5 {
		began := time.Now()
		if _, err := b.send(ctx, http.MethodPost, "gateway-manager/v1/apis/import", object{
			"project": project, "document": doc.String(), "slug": fmt.Sprintf("large-%d", i), "basePath": fmt.Sprintf("/large-%d", i),
			"upstream": object{"targets": []object{{"url": "http://127.0.0.1:9"}}},
		}); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	b.note("import of 500 operations, median", percentile(took, 50).Round(time.Millisecond).String(), "under 1s")
	return nil
}

// lists fills the lists that screens show, and reads them.
func (b *bench) lists(ctx context.Context, s *suite) error {
	project, err := b.project(ctx)
	if err != nil {
		return err
	}
	for _, l := range []struct {
		name, path string
		make       func(i int) error
		sorts      []string
	}{
		{"APIs", "gateway-manager/v1/apis", func(i int) error {
			_, err := b.send(ctx, http.MethodPost, "gateway-manager/v1/apis", object{
				"project": project, "slug": fmt.Sprintf("api-%d", i), "name": fmt.Sprintf("API %d", i), "basePath": fmt.Sprintf("/api-%d", i),
				"upstreams": []object{{"targets": []object{{"url": "http://127.0.0.1:9"}}}},
			})
			return err
		}, []string{"name", "-createdAt"}},
		{"applications", "devportal-backend/v1/applications", func(i int) error {
			_, err := b.send(ctx, http.MethodPost, "devportal-backend/v1/applications", object{"name": fmt.Sprintf("Application %d", i)})
			return err
		}, []string{"name", "-createdAt"}},
		{"service accounts", "tenant-manager/v1/service-accounts", func(i int) error {
			_, err := b.send(ctx, http.MethodPost, "tenant-manager/v1/service-accounts", object{"name": fmt.Sprintf("account-%d", i)})
			return err
		}, []string{"name", "-createdAt"}},
		{"audit trail", "tenant-manager/v1/audit", nil, []string{""}},
		{"records", "analysis-manager/v1/records", func(i int) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/nothing/%d", s.ready.Traffic, i), nil)
			if err != nil {
				return err
			}
			resp, err := client.Do(r)
			if err != nil {
				return err
			}
			return resp.Body.Close()
		}, []string{""}},
	} {
		if err := b.list(ctx, s, l.name, l.path, l.make, l.sorts); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) list(ctx context.Context, s *suite, name, path string, fill func(int) error, sorts []string) error {
	if err := b.signIn(ctx, s.ready.API, ""); err != nil {
		return err
	}
	if fill != nil {
		const step = 2_000 // well within the life of a token
		for from := 0; from < b.rows; from += step {
			if err := each(min(step, b.rows-from), func(i int) error { return fill(from + i) }); err != nil {
				return err
			}
			if err := b.signIn(ctx, s.ready.API, ""); err != nil {
				return err
			}
		}
	}
	var took []time.Duration
	for i := range b.rounds {
		query := "?limit=50"
		if sort := sorts[i%len(sorts)]; sort != "" {
			query += "&sort=" + sort
		}
		if i%3 == 2 && sorts[0] != "" {
			query += "&q=77"
		}
		began := time.Now()
		if _, err := b.send(ctx, http.MethodGet, path+query, nil); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	b.note(fmt.Sprintf("list of %s at %d rows, p95 (p50)", name, b.rows),
		fmt.Sprintf("%s (%s)", percentile(took, 95).Round(100*time.Microsecond), percentile(took, 50).Round(100*time.Microsecond)), "under 100ms")
	return nil
}
