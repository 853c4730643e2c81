package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/gatehouse/gatehouse/services/cli/internal/entities"
	"github.com/gatehouse/gatehouse/services/cli/internal/session"
)

// manifest says what something that is there shall be.
type manifest struct {
	// Kind is what it is, such as Group.
	Kind string `yaml:"kind"`
	// Path is where it is, beginning with its service.
	Path string `yaml:"path"`
	// Spec are its fields; one that is left out stays as it is.
	Spec map[string]any `yaml:"spec"`
}

// applied is what became of a manifest.
type applied struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	// Outcome is unchanged, changed, or would-change.
	Outcome string         `json:"outcome"`
	Changes []appliedField `json:"changes"`
}

type appliedField struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

func (a *tool) apply() *cobra.Command {
	var file string
	var dry bool
	c := &cobra.Command{
		Use: "apply", Short: "Make what is there as a manifest says", Args: exactly(),
		Long: "Make what is there as a manifest says: YAML or JSON with kind, path and spec, as the consoles show it at \"Show as\"; several with --- between them.\n" +
			"Only fields that differ are sent, so that applying the same again changes nothing, and only if nobody changed it meanwhile.\n" +
			"Every manifest is read and compared before anything is changed. It makes nothing new and deletes nothing.",
		Example: "  gatehouse apply -f group.yaml --dry-run",
	}
	c.Flags().StringVarP(&file, "file", "f", "", "the manifest; - is standard input")
	c.Flags().BoolVar(&dry, "dry-run", false, "change nothing, only say what would be changed")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		if file == "" {
			return usage("name the manifest with --file")
		}
		text, err := a.body("@" + file)
		if err != nil {
			return err
		}
		all, err := manifests(text)
		if err != nil {
			return err
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		done := make([]applied, len(all))
		send := make([]func() error, len(all))
		for i, m := range all {
			if done[i], send[i], err = u.compare(ctx, m); err != nil {
				return fmt.Errorf("%s: %w", m.Path, err)
			}
		}
		for i := range all {
			if len(done[i].Changes) == 0 {
				continue
			}
			if done[i].Outcome = "would-change"; dry {
				continue
			}
			if err := send[i](); err != nil {
				return fmt.Errorf("%s: %w", all[i].Path, err)
			}
			done[i].Outcome = "changed"
		}
		return a.result(done, func(w io.Writer) {
			for _, d := range done {
				fmt.Fprintf(w, "%s %s: %s\n", d.Kind, d.Path, strings.ReplaceAll(d.Outcome, "-", " "))
				for _, c := range d.Changes {
					fmt.Fprintf(w, "  %s: %s -> %s\n", c.Field, c.Before, c.After)
				}
			}
		})
	})
	return c
}

// manifests reads manifests, each of something that can be written, with fields that
// can be.
func manifests(text []byte) ([]manifest, error) {
	var all []manifest
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	for {
		var m manifest
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, usage("the manifest cannot be read: %v", err)
		}
		e, ok := entities.At(m.Path)
		switch {
		case !ok:
			return nil, usage("there is nothing at %q that a manifest can change", m.Path)
		case m.Kind != e.Kind:
			return nil, usage("what is at %s is called %s, not %q", m.Path, e.Kind, m.Kind)
		}
		for field := range m.Spec {
			if !slices.Contains(e.Fields, field) {
				return nil, usage("%s has no field %q that can be written; there are %s", e.Kind, field, strings.Join(e.Fields, ", "))
			}
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, usage("the manifest is empty")
	}
	return all, nil
}

// compare says what a manifest changes, and returns what changes it.
func (s *suite) compare(ctx context.Context, m manifest) (applied, func() error, error) {
	e, _ := entities.At(m.Path)
	out := applied{Kind: m.Kind, Path: m.Path, Outcome: "unchanged", Changes: []appliedField{}}
	res, err := s.call(ctx, http.MethodGet, m.Path, nil, "")
	if err != nil {
		return out, nil, err
	}
	tag := res.Header.Get("ETag")
	var now map[string]json.RawMessage
	if err := session.Into(res, &now); err != nil {
		return out, nil, err
	}
	if version := now["version"]; tag == "" && version != nil {
		tag = `"v` + string(version) + `"`
	}
	if e.Within != "" {
		if err := json.Unmarshal(orNull(now[e.Within]), &now); err != nil {
			return out, nil, fmt.Errorf("reading %s of %s: %w", e.Within, m.Path, err)
		}
	}
	body := map[string]json.RawMessage{}
	for _, field := range e.Fields {
		// All of it is sent where it is put, and what is not said stays as it is.
		if before := now[field]; before != nil && e.Method == http.MethodPut {
			body[field] = before
		}
		value, said := m.Spec[field]
		if !said {
			continue
		}
		after, err := json.Marshal(value)
		if err != nil {
			return out, nil, usage("%s: %s is no JSON: %v", m.Path, field, err)
		}
		if !same(now[field], after) {
			body[field] = after
			out.Changes = append(out.Changes, appliedField{Field: field, Before: orNull(now[field]), After: after})
		}
	}
	return out, func() error {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("writing what to send: %w", err)
		}
		return done(s.call(ctx, e.Method, m.Path, b, tag))
	}, nil
}

func orNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}

// same reports whether two values are the same JSON; none is null.
func same(x, y json.RawMessage) bool {
	var a, b any
	if json.Unmarshal(orNull(x), &a) != nil || json.Unmarshal(orNull(y), &b) != nil {
		return false
	}
	return reflect.DeepEqual(a, b)
}
