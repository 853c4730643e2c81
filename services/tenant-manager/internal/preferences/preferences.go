// Package preferences is what people prefer on the screens of the consoles and of the
// portal: how they look, and how lists are shown.
package preferences

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
)

const (
	// MostBytes bounds a whole document, as JSON.
	MostBytes = 32 << 10
	// MostLists bounds of how many lists something is kept.
	MostLists = 100
	// MostViews bounds the saved views of one list.
	MostViews = 30
)

// Document is all that somebody prefers. What is absent was never chosen.
type Document struct {
	Theme        string `json:"theme,omitempty"`
	Contrast     string `json:"contrast,omitempty"`
	Density      string `json:"density,omitempty"`
	Shortcuts    *bool  `json:"shortcuts,omitempty"`
	NavCollapsed *bool  `json:"navCollapsed,omitempty"`
	UTC          *bool  `json:"utc,omitempty"`
	// Language is that of the screens (BCP 47); "" = as the browser's list says.
	Language *string `json:"language,omitempty"`
	// Lists by their names.
	Lists map[string]List `json:"lists,omitempty"`
}

// List is how somebody has a list.
type List struct {
	// Columns are those that are shown, in this order; none = as the list is made.
	Columns []string `json:"columns,omitempty"`
	// Views by their ids.
	Views map[string]View `json:"views,omitempty"`
	// DefaultView is the id of the view with which the list opens; "" = none.
	DefaultView string `json:"defaultView,omitempty"`
}

// View is a state of a list with a name.
type View struct {
	Name string `json:"name"`
	// Query is what stands in the query bar.
	Query   string   `json:"query"`
	Sort    string   `json:"sort,omitempty"`
	Columns []string `json:"columns,omitempty"`
}

var (
	listName = regexp.MustCompile(`^[a-z0-9-]{1,60}$`)
	viewID   = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
)

// Settle puts a document that was changed in order: what says nothing is left out, and
// so is a default whose view another browser has deleted. What the schema of a request
// cannot say is checked; the error is a problem that names the fields.
func Settle(before Document, d *Document) error {
	var wrong []problem.Field
	refuse := func(pointer, code, format string, args ...any) {
		wrong = append(wrong, problem.Field{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
	}
	if d.Language != nil && *d.Language != "" {
		tag, err := brand.Language(*d.Language)
		if err != nil {
			refuse("/language", "format", "%s", err)
		}
		d.Language = &tag
	}
	for _, name := range slices.Sorted(maps.Keys(d.Lists)) {
		l, at := d.Lists[name], "/lists/"+schema.Escape(name)
		if !listName.MatchString(name) {
			refuse(at, "pattern", "the name of a list has at most 60 small letters, digits and hyphens")
		}
		for _, id := range slices.Sorted(maps.Keys(l.Views)) {
			here := at + "/views/" + schema.Escape(id)
			if !viewID.MatchString(id) {
				refuse(here, "pattern", "the id of a view has at most 40 small letters, digits and hyphens")
			}
			if l.Views[id].Name == "" {
				refuse(here+"/name", "required", "a view has a name: give it one")
			}
		}
		if len(l.Views) > MostViews {
			refuse(at+"/views", "maximum", "a list has at most %d views: delete one first", MostViews)
		}
		if _, there := l.Views[l.DefaultView]; l.DefaultView != "" && !there {
			if before.Lists[name].DefaultView != l.DefaultView {
				refuse(at+"/defaultView", "invalid", "there is no view with this id: name one of the list's views")
			}
			l.DefaultView = ""
		}
		if len(l.Columns) == 0 && len(l.Views) == 0 && l.DefaultView == "" {
			delete(d.Lists, name)
			continue
		}
		d.Lists[name] = l
	}
	if len(d.Lists) > MostLists {
		refuse("/lists", "maximum", "preferences are kept of at most %d lists: take those of others back", MostLists)
	}
	if len(d.Lists) == 0 {
		d.Lists = nil
	}
	if len(wrong) == 0 {
		size, err := d.size()
		if err != nil {
			return err
		}
		if size > MostBytes {
			refuse("/lists", "maximum", "the preferences have %d bytes, and %d fit: delete views that you do not need", size, MostBytes)
		}
	}
	if len(wrong) > 0 {
		return problem.Invalid(wrong[0].Detail, wrong...)
	}
	return nil
}

func (d Document) size() (int, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return 0, fmt.Errorf("measuring preferences: %w", err)
	}
	return len(raw), nil
}

// Same reports whether two documents say the same.
func Same(a, b Document) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("comparing preferences: %w", err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("comparing preferences: %w", err)
	}
	return bytes.Equal(x, y), nil
}
