package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/libs/sheet"
	"github.com/gatehouse/gatehouse/services/cli/internal/session"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

// maxBody is the most that a request of the command may carry, in bytes.
const maxBody = 20 << 20

func (a *tool) request() *cobra.Command {
	var body, match string
	var all, table bool
	c := &cobra.Command{
		Use: "request METHOD PATH", Short: "Call any operation of the suite's API", Args: exactly("the method", "the path"),
		Long: "Call any operation of the suite's API, as who is signed in. The path begins with the service, such as\n" +
			"/tenant-manager/users; the reference of each service lists what there is. The answer is written as it comes.",
		Example: "  gatehouse request GET /tenant-manager/groups --all --csv > groups.csv\n" +
			`  gatehouse request PATCH /tenant-manager/groups/ID --if-match '"v3"' --data '{"description":"Who is on call"}'`,
	}
	c.Flags().StringVarP(&body, "data", "d", "", "JSON to send; @FILE reads it from a file, @- from standard input")
	c.Flags().StringVar(&match, "if-match", "", "the ETag of the version that was read; somebody else's change since then is not overwritten")
	c.Flags().BoolVar(&all, "all", false, "read a list to its end, page by page")
	c.Flags().BoolVar(&table, "csv", false, "write a list as comma-separated values, a column for each field")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		method := strings.ToUpper(args[0])
		switch method {
		case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		default:
			return usage("the method is GET, POST, PUT, PATCH or DELETE, not %q", args[0])
		}
		if (all || table) && method != http.MethodGet {
			return usage("--all and --csv are for GET")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		sent, err := a.body(body)
		if err != nil {
			return err
		}
		if !all && !table {
			res, err := u.call(ctx, method, args[1], sent, match)
			if err != nil {
				return err
			}
			return a.copyAnswer(res)
		}
		items, err := u.items(ctx, args[1], all)
		if err != nil {
			return err
		}
		if table {
			return writeTable(a.o.Out, items)
		}
		return show.JSON(a.o.Out, map[string]any{"items": items})
	})
	return c
}

// body reads what is to be sent.
func (a *tool) body(text string) ([]byte, error) {
	from, ok := strings.CutPrefix(text, "@")
	if !ok {
		return []byte(text), nil
	}
	in := a.o.In
	if from != "-" {
		f, err := os.Open(from)
		if err != nil {
			return nil, fmt.Errorf("reading what to send: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("reading what to send: %w", err)
	}
	if len(b) > maxBody {
		return nil, usage("what is to be sent is larger than 20 MiB")
	}
	return b, nil
}

// call sends a request. A path begins with its service.
func (s *suite) call(ctx context.Context, method, path string, body []byte, match string) (*http.Response, error) {
	at, err := url.Parse(path)
	service, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || at.Host != "" || !strings.HasPrefix(path, "/") || !ok || service == "" || rest == "" {
		return nil, usage("a path begins with the service, such as /tenant-manager/users, not %q", path)
	}
	var send io.Reader
	if len(body) > 0 {
		if !json.Valid(body) {
			return nil, usage("what is to be sent is no JSON")
		}
		send = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.session.Profile().URL+"/api/"+service+"/v1/"+rest, send)
	if err != nil {
		return nil, usage("%q is no path: %v", path, err)
	}
	if send != nil {
		r.Header.Set("Content-Type", "application/json")
		if method == http.MethodPatch {
			r.Header.Set("Content-Type", "application/merge-patch+json")
		}
	}
	if match != "" {
		r.Header.Set("If-Match", match)
	}
	return s.session.Do(r)
}

// copyAnswer writes an answer: JSON so that it can be read, all else as it comes.
func (a *tool) copyAnswer(res *http.Response) error {
	if res.StatusCode >= http.StatusMultipleChoices || strings.Contains(res.Header.Get("Content-Type"), "json") && !strings.Contains(res.Header.Get("Content-Type"), "jsonl") {
		var answer json.RawMessage
		if err := session.Into(res, &answer); err != nil || len(answer) == 0 {
			return err
		}
		return show.JSON(a.o.Out, answer)
	}
	defer func() { _ = res.Body.Close() }() // read to its end
	if _, err := io.Copy(a.o.Out, res.Body); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// items reads a list: a page, or all.
func (s *suite) items(ctx context.Context, path string, all bool) ([]json.RawMessage, error) {
	at, err := url.Parse(path)
	if err != nil {
		return nil, usage("%q is no path: %v", path, err)
	}
	query := at.Query()
	if all {
		query.Set("limit", "200")
	}
	out := []json.RawMessage{}
	for {
		at.RawQuery = query.Encode()
		res, err := s.call(ctx, http.MethodGet, at.String(), nil, "")
		page, err := answer[struct {
			Items []json.RawMessage `json:"items"`
			Next  string            `json:"next"`
		}](res, err)
		if err != nil {
			return nil, err
		}
		if page.Items == nil {
			return nil, usage("%s is no list", at.Path)
		}
		out = append(out, page.Items...)
		if !all || page.Next == "" || page.Next == query.Get("cursor") {
			return out, nil
		}
		query.Set("cursor", page.Next)
	}
}

// writeTable writes a column for each field of any of the items, in the order in
// which they come. What is no text, number or truth is JSON.
func writeTable(w io.Writer, items []json.RawMessage) error {
	var columns []string
	known := map[string]bool{}
	rows := make([]map[string]string, len(items))
	for i, item := range items {
		rows[i] = map[string]string{}
		d := json.NewDecoder(bytes.NewReader(item))
		if open, err := d.Token(); err != nil || open != json.Delim('{') {
			return errors.New("the items of this list have no fields")
		}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return fmt.Errorf("reading the answer: %w", err)
			}
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				return fmt.Errorf("reading the answer: %w", err)
			}
			name := fmt.Sprint(key)
			if !known[name] {
				known[name] = true
				columns = append(columns, name)
			}
			rows[i][name] = cellOf(value)
		}
	}
	out := sheet.NewWriter(w)
	out.Row(append([]string(nil), columns...)...)
	for _, row := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = row[c]
		}
		out.Row(cells...)
	}
	return out.Flush()
}

func cellOf(value json.RawMessage) string {
	var text string
	if string(value) == "null" || json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
