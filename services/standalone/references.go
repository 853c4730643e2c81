package standalone

import (
	"context"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// References say where references to secrets lead, and which of them people may
// name.
type References struct {
	// Vault is where secrets are that are named as vault:mount/path#field.
	Vault *reference.VaultConfig `json:"vault,omitempty"`
	// References are those that people may name.
	References reference.Rules `json:"references,omitzero"`
}

// openReferences reads what the operator says of references.
func (s *suite) openReferences() error {
	if s.Secrets != "" {
		doc, err := config.Read(s.Secrets, "", nil, &s.named)
		if err != nil {
			return fmt.Errorf("--secrets: %w", err)
		}
		fields := s.named.Vault.Validate()
		for i := range fields {
			fields[i].Pointer = "/vault" + fields[i].Pointer
		}
		for _, f := range s.named.References.Validate() {
			f.Pointer = "/references" + f.Pointer
			fields = append(fields, f)
		}
		if len(fields) > 0 {
			if doc != nil {
				doc.Locate(fields)
			}
			return fmt.Errorf("--secrets: %w", schema.Violations(fields))
		}
	}
	var err error
	s.references, err = reference.New(reference.Options{Vault: s.named.Vault, Log: s.Log.With("component", "secrets")})
	return err
}

// keepReferences keeps what was read by a reference fresh.
func (s *suite) keepReferences(ctx context.Context, ready func()) error {
	ready()
	return s.references.Run(ctx)
}
