package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/sheet"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/roster"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// exportBatch is how many entries are read at once.
const exportBatch = 500

// export reads the lines of an export as they are asked for.
type export struct {
	ctx         context.Context
	org         *store.Org
	after, last int64
	to          time.Time
	filter      store.AuditFilter
	// part says that it is one, entries how many were read.
	part    bool
	entries int64
	lines   bytes.Buffer
	// table is where a spreadsheet is asked for in place of lines of JSON.
	table *sheet.Writer
}

// beginTable writes the head of a table, which has no frame of a part.
func (e *export) beginTable() error {
	e.table = roster.NewWriter(&e.lines)
	e.table.Row("sequence", "time", "service", "action", "outcome", "actor_kind", "actor_name", "actor_id", "impersonator", "token", "via",
		"target_kind", "target_name", "target_id", "changes", "ip", "request_id", "id", "hash")
	return e.table.Flush()
}

// write writes an entry.
func (e *export) write(x audit.Entry) error {
	if e.table == nil {
		if err := e.encoder().Encode(x); err != nil {
			return fmt.Errorf("encoding audit entry %d: %w", x.Sequence, err)
		}
		return nil
	}
	changes := make([]string, len(x.Changes))
	for i, c := range x.Changes {
		changes[i] = c.Field + ": " + c.Before + " -> " + c.After
	}
	e.table.Row(strconv.FormatInt(x.Sequence, 10), x.Time.UTC().Format(time.RFC3339), x.Service, x.Action, x.Outcome,
		x.Actor.Kind, x.Actor.Name, x.Actor.ID, x.Actor.Impersonator, x.Actor.TokenName, x.Via,
		x.Target.Kind, x.Target.Name, x.Target.ID, strings.Join(changes, "\n"), x.IP, x.RequestID, x.ID, x.Hash)
	return nil
}

// Read returns the next bytes.
func (e *export) Read(p []byte) (int, error) {
	if e.lines.Len() == 0 {
		if err := e.next(); err != nil {
			return 0, err
		}
	}
	return e.lines.Read(p) // io.EOF where nothing came
}

func (e *export) next() error {
	if e.after >= e.last {
		return e.end()
	}
	entries, err := e.org.FilteredAfter(e.ctx, e.filter, e.after, e.to, int(min(exportBatch, e.last-e.after)))
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		e.after = e.last
		return e.end()
	}
	for _, x := range entries {
		if x.Sequence > e.last { // it came since
			e.after = e.last
			break
		}
		e.entries++
		if err := e.write(x); err != nil {
			return err
		}
		e.after = x.Sequence
	}
	if e.table != nil {
		return e.table.Flush()
	}
	return nil
}

func (e *export) encoder() *json.Encoder {
	out := json.NewEncoder(&e.lines)
	out.SetEscapeHTML(false)
	return out
}

// end writes what stands at the end of a part, once.
func (e *export) end() error {
	if !e.part {
		return io.EOF
	}
	e.part = false
	return e.encoder().Encode(audit.PartEnd{Entries: &e.entries})
}

// exportedPart is what the audit trail says of an export.
type exportedPart struct {
	After  int64             `json:"after"`
	Last   int64             `json:"last"`
	Filter map[string]string `json:"filter,omitempty"`
}

func partFilter(p ExportAuditParams) store.AuditFilter {
	return store.AuditFilter{
		Actor: deref(p.Actor), Impersonator: deref(p.Impersonator), Target: deref(p.Target), Service: deref(p.Service), Outcome: string(deref(p.Outcome)),
		Via: string(deref(p.Via)), Action: deref(p.Action), From: deref(p.From), Search: deref(p.Q),
	}
}

// partOf returns what an export is narrowed by, as it says itself.
func partOf(p ExportAuditParams) map[string]string {
	out := map[string]string{}
	for name, value := range map[string]string{
		"actor": deref(p.Actor), "impersonator": deref(p.Impersonator), "target": deref(p.Target), "service": deref(p.Service), "outcome": string(deref(p.Outcome)),
		"via": string(deref(p.Via)), "action": deref(p.Action), "text": deref(p.Q), "from": timeText(p.From), "to": timeText(p.To),
	} {
		if value != "" {
			out[name] = value
		}
	}
	return out
}

// beginPart writes what stands at the beginning of a part.
func (h *Handlers) beginPart(ctx context.Context, e *export, filter map[string]string) error {
	p := audit.Part{Organization: e.org.ID(), Filter: filter, Last: e.last, At: h.store.Now().UTC()}
	last, err := e.org.AuditAfter(ctx, e.last-1, time.Time{}, 1)
	if err != nil {
		return err
	}
	if len(last) == 1 {
		p.Head = last[0].Hash
	}
	e.part = true
	return e.encoder().Encode(audit.PartBegin{Part: p})
}
