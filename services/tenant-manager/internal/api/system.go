package api

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/licences"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// System is what there is to know of the installation itself.
type System struct {
	// Bucket opens what instances report into.
	Bucket func(ctx context.Context) (*bus.Bucket, error)
	// Services are the names of all.
	Services []string
	// Backup returns the last backup; nil = databases are backed up by their own
	// means.
	Backup func() (*SystemBackup, error)
}

// lookUp bounds the reading of what instances report.
const lookUp = 5 * time.Second

// instances returns what instances report, by service.
func (h *Handlers) instances(ctx context.Context) ([]system.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUp)
	defer cancel()
	var out []system.Report
	bucket, err := h.opt.System.Bucket(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := bucket.Keys(ctx, "*.*")
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		e, err := bucket.Get(ctx, key)
		if err != nil {
			continue // it has gone meanwhile
		}
		var r system.Report
		if json.Unmarshal(e.Value, &r) == nil && system.ReportKey(r.Service, r.Instance) == key {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b system.Report) int {
		return cmp.Or(cmp.Compare(slices.Index(h.opt.System.Services, a.Service), slices.Index(h.opt.System.Services, b.Service)), a.StartedAt.Compare(b.StartedAt), strings.Compare(a.Instance, b.Instance))
	})
	return out, nil
}

// ListSystemInstances returns the running instances.
func (h *Handlers) ListSystemInstances(ctx context.Context, _ ListSystemInstancesRequestObject) (ListSystemInstancesResponseObject, error) {
	if _, err := h.platform(ctx, "platform:read"); err != nil {
		return nil, err
	}
	all, err := h.instances(ctx)
	if err != nil {
		return nil, err
	}
	out := SystemInstanceList{Items: make([]SystemInstance, len(all)), Missing: []string{}}
	for i, r := range all {
		// The two are the same, apart from the settings.
		b, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(b, &out.Items[i])
		}
		if err != nil {
			return nil, err
		}
	}
	for _, s := range h.opt.System.Services {
		if !slices.ContainsFunc(all, func(r system.Report) bool { return r.Service == s }) {
			out.Missing = append(out.Missing, s)
		}
	}
	return ListSystemInstances200JSONResponse(out), nil
}

// ListSystemSettings returns what each service runs with.
func (h *Handlers) ListSystemSettings(ctx context.Context, _ ListSystemSettingsRequestObject) (ListSystemSettingsResponseObject, error) {
	if _, err := h.platform(ctx, "platform:read"); err != nil {
		return nil, err
	}
	all, err := h.instances(ctx)
	if err != nil {
		return nil, err
	}
	out := SystemSettingsList{Items: []SystemServiceSettings{}}
	for i, r := range all {
		if i > 0 && all[i-1].Service == r.Service {
			continue
		}
		s := SystemServiceSettings{Service: r.Service, Settings: make([]SystemSetting, len(r.Settings))}
		for j, x := range r.Settings {
			s.Settings[j] = SystemSetting{Pointer: x.Pointer, Value: x.Value, Source: x.Source, Secret: ptr(x.Secret)}
		}
		out.Items = append(out.Items, s)
	}
	return ListSystemSettings200JSONResponse(out), nil
}

// RunSystemJob has a job run now.
func (h *Handlers) RunSystemJob(ctx context.Context, r RunSystemJobRequestObject) (RunSystemJobResponseObject, error) {
	if _, err := h.platform(ctx, "platform:update"); err != nil {
		return nil, err
	}
	all, err := h.instances(ctx)
	if err != nil {
		return nil, err
	}
	known := slices.ContainsFunc(all, func(i system.Report) bool {
		return i.Service == r.Service && slices.ContainsFunc(i.Jobs, func(j system.Job) bool { return j.Name == r.Job })
	})
	if !known {
		return nil, db.ErrNotFound
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		return h.kit.Audit(ctx, tx.DB(), service.Entry{
			Action: "system-job.asked-for", Target: audit.Target{Kind: "system-job", ID: r.Service + "/" + r.Job, Name: r.Job}, Organization: tx.ID(),
		})
	})
	if err != nil {
		return nil, err
	}
	bucket, err := h.opt.System.Bucket(ctx)
	if err == nil {
		_, err = bucket.Put(ctx, system.RunKey(r.Service, r.Job), []byte(store.NewID()))
	}
	return RunSystemJob202Response{}, err
}

// ListSystemLicences returns a page of what Gatehouse is made of.
func (h *Handlers) ListSystemLicences(ctx context.Context, r ListSystemLicencesRequestObject) (ListSystemLicencesResponseObject, error) {
	if _, err := h.platform(ctx, "platform:read"); err != nil {
		return nil, err
	}
	p := httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil))
	skip := 0
	if p.Cursor != "" {
		n, err := strconv.Atoi(p.Cursor)
		if err != nil || n < 0 {
			return nil, invalid("/cursor", "format", "use the next of the page before")
		}
		skip = n
	}
	all := licences.Find(deref(r.Params.Q), string(deref(r.Params.Kind)))
	out := SystemPackageList{Items: []SystemPackage{}, Total: len(all)}
	limit := cmp.Or(p.Limit, 50)
	for _, x := range all[min(skip, len(all)):min(skip+limit, len(all))] {
		out.Items = append(out.Items, SystemPackage{Name: x.Name, Version: x.Version, Kind: SystemPackageKind(x.Kind), Licence: x.Licence, Texts: x.Texts})
	}
	if skip+limit < len(all) {
		out.Next = ptr(strconv.Itoa(skip + limit))
	}
	return ListSystemLicences200JSONResponse(out), nil
}

// GetSystemLicence returns the text of a licence.
func (h *Handlers) GetSystemLicence(ctx context.Context, r GetSystemLicenceRequestObject) (GetSystemLicenceResponseObject, error) {
	if _, err := h.platform(ctx, "platform:read"); err != nil {
		return nil, err
	}
	text, ok := licences.Text(r.Digest)
	if !ok {
		return nil, db.ErrNotFound
	}
	return GetSystemLicence200JSONResponse{Digest: r.Digest, Text: text}, nil
}

// GetSystemBackup returns the last backup.
func (h *Handlers) GetSystemBackup(ctx context.Context, _ GetSystemBackupRequestObject) (GetSystemBackupResponseObject, error) {
	if _, err := h.platform(ctx, "platform:read"); err != nil {
		return nil, err
	}
	out := SystemBackup{Shape: Services}
	if f := h.opt.System.Backup; f != nil {
		b, err := f()
		if err != nil {
			return nil, err
		}
		out = *b
	}
	return GetSystemBackup200JSONResponse(out), nil
}
