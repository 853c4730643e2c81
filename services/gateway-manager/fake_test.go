package gatewaymanager_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/unitstore"
)

// apply verifies a manifest, fetches what it lists, and reports.
func (f *fake) apply(ctx context.Context, raw []byte, name string) {
	m, apis, settings, err := f.fetch(ctx, raw)
	report := gateway.Report{
		Organization: f.org, Group: f.group, Gateway: name, Instance: f.instance, Token: joinWith + f.org, Time: time.Now(),
		Epoch: m.Epoch, Version: m.Version, APIs: len(apis),
	}
	f.mu.Lock()
	if err != nil {
		report.Epoch, report.Version = f.manifest.Epoch, f.manifest.Version
		report.Issues = []gateway.Issue{{Kind: "manifest", Name: f.group, Detail: err.Error(), Serving: "previous"}}
	} else {
		f.manifest, f.apis, f.settings = m, apis, settings
		if _, ok := apis[f.refuse]; ok {
			report.Issues = []gateway.Issue{{Kind: "api", Name: f.refuse, Pointer: "/policies/0", Detail: "it does not compile", Serving: "none"}}
		}
	}
	f.mu.Unlock()
	for ctx.Err() == nil {
		if _, err := bus.Ask(ctx, f.bus, report); err == nil {
			return
		}
	}
}

func (f *fake) fetch(ctx context.Context, raw []byte) (m unit.Manifest, apis map[string]unit.API, settings *unit.Settings, err error) {
	var signed unit.Signed
	if err := json.Unmarshal(raw, &signed); err != nil {
		return m, nil, nil, err
	}
	keys := make([]ed25519.PublicKey, len(f.joined.ManifestKeys))
	for i, k := range f.joined.ManifestKeys {
		keys[i] = k
	}
	if m, err = signed.Open(keys...); err != nil {
		return m, nil, nil, err
	}
	bucket, err := f.bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Units, ReadOnly: true})
	if err != nil {
		return m, nil, nil, err
	}
	units := unitstore.New(bucket)
	apis = map[string]unit.API{}
	level := append(append([]unit.Ref{}, m.Units...), m.Projects...)
	for len(level) > 0 {
		ref := level[0]
		level = level[1:]
		doc, err := units.Get(ctx, f.org, ref.Hash)
		if err != nil {
			return m, nil, nil, fmt.Errorf("%s %s: %w", ref.Kind, ref.Name, err)
		}
		switch ref.Kind {
		case unit.KindIndex:
			ix, err := unit.Decode[unit.Index](doc)
			if err != nil {
				return m, nil, nil, err
			}
			level = append(level, ix.Units...)
		case unit.KindSettings:
			s, err := unit.Decode[unit.Settings](doc)
			if err != nil {
				return m, nil, nil, err
			}
			settings = &s
		case unit.KindAPI:
			a, err := unit.Decode[unit.API](doc)
			if err != nil {
				return m, nil, nil, err
			}
			apis[a.ID] = a
		case unit.KindCertificate, unit.KindPolicySet:
			return m, nil, nil, fmt.Errorf("there should be no %s", ref.Kind)
		}
	}
	return m, apis, settings, nil
}

// serves returns an API as the gateway has it.
func (f *fake) serves(id string) (unit.API, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, ok := f.apis[id]
	return a, ok
}

func (f *fake) version() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.manifest.Version
}
