package mail

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Words are what a letter says, with placeholders such as {{name}}. There is
// nothing else in them that means anything: no conditions, no functions, no HTML.
type Words struct {
	Subject, Greeting string
	// Body is paragraphs with an empty line between them.
	Body string
	// Action is the text of the button that leads to the link, Until what stands
	// below it. They are "" in letters without a link.
	Action, Until string
	// Footer stands below the letter.
	Footer string
}

//go:embed texts/*.json
var files embed.FS

// written is one language of the built-in letters.
type written struct {
	greeting, stranger, footer string
	// tasks are what bulk jobs do, by the names of the API.
	tasks   map[string]string
	letters map[string]Words
}

type letterJSON struct {
	Subject string   `json:"subject"`
	Text    []string `json:"text"`
	Action  string   `json:"action"`
	Until   string   `json:"until"`
}

// dotted is how the built-in texts write placeholders.
var dotted = regexp.MustCompile(`\{\{\.([A-Z])([A-Za-z]*)\}\}`)

func plain(s string) string {
	return dotted.ReplaceAllStringFunc(s, func(m string) string {
		p := dotted.FindStringSubmatch(m)
		return "{{" + strings.ToLower(p[1]) + p[2] + "}}"
	})
}

// readTexts reads the built-in letters once.
var readTexts = sync.OnceValues(func() (map[string]written, error) {
	out := map[string]written{}
	for _, language := range Languages() {
		raw, err := files.ReadFile("texts/" + language + ".json")
		all := map[string]json.RawMessage{}
		if err == nil {
			err = json.Unmarshal(raw, &all)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the texts of mail: %w", err)
		}
		w := written{letters: map[string]Words{}}
		for key, raw := range all {
			var (
				l    letterJSON
				into any = &l
			)
			switch key {
			case "greeting":
				into = &w.greeting
			case "stranger":
				into = &w.stranger
			case "footer":
				into = &w.footer
			case "tasks":
				into = &w.tasks
			}
			if err := json.Unmarshal(raw, into); err != nil {
				return nil, fmt.Errorf("reading the texts of mail: %w", err)
			}
			if into == any(&l) {
				w.letters[key] = Words{Subject: plain(l.Subject), Body: plain(strings.Join(l.Text, "\n\n")), Action: plain(l.Action), Until: plain(l.Until)}
			}
		}
		w.greeting, w.stranger, w.footer = plain(w.greeting), plain(w.stranger), plain(w.footer)
		for kind, l := range w.letters {
			l.Greeting, l.Footer = w.greeting, w.footer
			w.letters[kind] = l
		}
		out[language] = w
	}
	return out, nil
})

// BuiltIn returns how Gatehouse words a letter of a kind in a language; ok is false
// where it does not.
func BuiltIn(kind, language string) (w Words, ok bool, err error) {
	all, err := readTexts()
	w, ok = all[language].letters[kind]
	return w, ok, err
}

// taskIn returns what a bulk job does, in a language, or in the default one.
func taskIn(language, task string) string {
	all, err := readTexts()
	if err != nil {
		return task
	}
	return cmp.Or(all[language].tasks[task], all[Languages()[0]].tasks[task], task)
}

// Kinds are those of letters that can be worded otherwise, in the order of their
// names.
func Kinds() ([]string, error) {
	all, err := readTexts()
	out := slices.Sorted(maps.Keys(all[Languages()[0]].letters))
	return slices.DeleteFunc(out, func(kind string) bool { return kind == Test }), err
}

// withoutName returns a greeting for somebody whose name is not known.
func withoutName(language, greeting string) string {
	all, err := readTexts()
	if w, ok := all[language]; err == nil && ok && greeting == w.greeting {
		return w.stranger
	}
	return strings.TrimSpace(strings.NewReplacer(" {{name}}", "", "{{name}}", "").Replace(spaced.ReplaceAllString(greeting, "{{$1}}")))
}

// Placeholder is what stands for a value in the words of a letter.
type Placeholder struct {
	Name string
	// Required says that the body or the subject has to have it: the letter is about
	// it.
	Required bool
}

var spaced = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

func namesIn(s string) []string {
	var out []string
	for _, m := range spaced.FindAllStringSubmatch(s, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// Placeholders returns those that the letters of a kind know: what Gatehouse's own
// words have, who it is to, and of which organization.
func Placeholders(kind string) ([]Placeholder, error) {
	w, _, err := BuiltIn(kind, Languages()[0])
	if err != nil {
		return nil, err
	}
	out := []Placeholder{{Name: "name"}, {Name: "organization"}}
	add := func(text string, required bool) {
		for _, name := range namesIn(text) {
			if !slices.ContainsFunc(out, func(p Placeholder) bool { return p.Name == name }) {
				out = append(out, Placeholder{name, required && name != "at"})
			}
		}
	}
	add(w.Subject+w.Body, true)
	add(w.Action+w.Until, false)
	return out, nil
}

// HasLink reports whether letters of a kind lead somewhere.
func HasLink(kind string) (bool, error) {
	w, _, err := BuiltIn(kind, Languages()[0])
	return w.Action != "", err
}

// Fault is what is wrong with one of the words of a letter.
type Fault struct {
	// Field is the name of the field as the API has it, Code the rule that is broken.
	Field, Code, Detail string
}

// Check returns what is wrong with the words of a letter of a kind.
func Check(kind string, w Words) ([]Fault, error) {
	known, err := Placeholders(kind)
	if err != nil {
		return nil, err
	}
	link, err := HasLink(kind)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(known))
	for i, p := range known {
		names[i] = p.Name
	}
	var out []Fault
	wrong := func(field, code, format string, args ...any) {
		out = append(out, Fault{field, code, fmt.Sprintf(format, args...)})
	}
	for _, f := range []struct {
		name, text string
		required   bool
	}{{"subject", w.Subject, true}, {"greeting", w.Greeting, true}, {"body", w.Body, true}, {"action", w.Action, link}, {"until", w.Until, false}, {"footer", w.Footer, false}} {
		if f.required && strings.TrimSpace(f.text) == "" {
			wrong(f.name, "required", "a letter needs it")
			continue
		}
		for _, name := range namesIn(f.text) {
			if !slices.Contains(names, name) {
				wrong(f.name, "unknown", "there is no placeholder {{%s}} in this letter: use %s", name, "{{"+strings.Join(names, "}}, {{")+"}}")
			}
		}
		if rest := spaced.ReplaceAllString(f.text, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
			wrong(f.name, "format", "a placeholder does not end: write it as {{name}}")
		}
	}
	for _, p := range known {
		if p.Required && !slices.Contains(namesIn(w.Subject+w.Body), p.Name) {
			wrong("body", "required", "the letter is about {{%s}}: say it in the text", p.Name)
		}
	}
	return out, nil
}

// fillIn puts values in place of placeholders, once: what a value has in it stays
// as it is.
func fillIn(s string, values map[string]string) (string, error) {
	var err error
	out := spaced.ReplaceAllStringFunc(s, func(m string) string {
		name := spaced.FindStringSubmatch(m)[1]
		v, ok := values[name]
		if !ok && err == nil {
			err = fmt.Errorf("there is no placeholder {{%s}}", name)
		}
		return v
	})
	return out, err
}

// paragraphs are what has empty lines between it.
func paragraphs(body string) []string {
	var out []string
	for p := range strings.SplitSeq(strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n"), "\n\n") {
		if p = strings.Trim(p, "\n"); strings.TrimSpace(p) != "" {
			out = append(out, p)
		}
	}
	return out
}
