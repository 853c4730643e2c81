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

	"github.com/gatehouse/gatehouse/services/internal/documenttest"
)

type object = map[string]any

var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// send makes one request and decodes the answer, which must be a success.
func (b *bench) send(ctx context.Context, method, path string, body any, header ...string) (object, error) {
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
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
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

// made makes something and returns its id.
func (b *bench) made(ctx context.Context, path string, body object) (string, error) {
	o, err := b.send(ctx, http.MethodPost, path, body)
	if err != nil {
		return "", err
	}
	return text(o, "id")
}

// text returns a text of an answer; the last name is that of the field.
func text(o object, path ...string) (string, error) {
	for _, name := range path[:len(path)-1] {
		o, _ = o[name].(object)
	}
	s, ok := o[path[len(path)-1]].(string)
	if !ok || s == "" {
		return "", fmt.Errorf("the answer has no %s", strings.Join(path, ".")) //nolint:err113 // shown as it is
	}
	return s, nil
}

// signIn completes the first run, where it has a code for it, and takes the
// token of its owner; tokens are short-lived, so that it is called again before
// long work.
func (b *bench) signIn(ctx context.Context, api, code string) error {
	b.api = api + "/api/"
	b.token = ""
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
		b.token = ""
	}
	pair, err := b.send(ctx, http.MethodPost, "tenant-manager/v1/sign-in", object{"email": "bench@example.com", "password": "correct horse battery staple"})
	if err != nil {
		return err
	}
	b.token, err = text(pair, "accessToken")
	return err
}

// first returns the id of the first row of a list.
func (b *bench) first(ctx context.Context, path string) (string, error) {
	list, err := b.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return "", err
	}
	items, _ := list["items"].([]any)
	if len(items) == 0 {
		return "", fmt.Errorf("%s is empty", path) //nolint:err113 // shown as it is
	}
	o, _ := items[0].(object)
	return text(o, "id")
}

// imports measures the import of a document with 500 operations, of the kind
// that large companies publish.
func (b *bench) imports(ctx context.Context) error {
	project, err := b.first(ctx, "gateway-manager/v1/projects")
	if err != nil {
		return err
	}
	doc := string(documenttest.Large(500))
	var took []time.Duration
	for i := range 5 {
		began := time.Now()
		if _, err := b.send(ctx, http.MethodPost, "gateway-manager/v1/apis/import", object{
			"project": project, "document": doc, "slug": fmt.Sprintf("large-%d", i), "basePath": fmt.Sprintf("/large-%d", i),
			"upstream": object{"targets": []object{{"url": "http://127.0.0.1:9"}}},
		}); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	median := percentile(took, 50)
	b.note("import of 500 operations, median", median.Round(time.Millisecond).String(), "under 1s", median < time.Second)
	return nil
}
