// Package secrets reads the secrets that people enter: the text itself, or a
// reference to where it is kept. People of an organization may name only what the
// operator lists for them, and that is held against them each time it is read.
package secrets

import (
	"context"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Platform stands for no organization: what administrators of the platform set.
const Platform = ""

// Reader reads secrets. It is safe for concurrent use.
type Reader struct {
	resolver *reference.Resolver
	rules    reference.Rules
	slug     func(ctx context.Context, organization string) (string, error)
}

// NewReader returns a reader. slug returns the short name of an organization.
func NewReader(resolver *reference.Resolver, rules reference.Rules, slug func(ctx context.Context, organization string) (string, error)) *Reader {
	return &Reader{resolver: resolver, rules: rules, slug: slug}
}

// Allowed returns the beginnings of references that an organization may use.
func (r *Reader) Allowed(ctx context.Context, organization string) ([]string, error) {
	if organization == Platform {
		return r.rules.Platform, nil
	}
	if len(r.rules.Organizations) == 0 {
		return nil, nil
	}
	slug, err := r.slug(ctx, organization)
	if err != nil {
		return nil, fmt.Errorf("looking up which references %s may use: %w", organization, err)
	}
	return r.rules.For(slug), nil
}

// Check returns what is wrong with a text that is to be kept as a secret: it is a
// reference, and no good one, or none that the organization may use. The first
// error is for who entered it, the second a failure.
func (r *Reader) Check(ctx context.Context, organization, text string) (wrong, err error) {
	if !reference.Is(text) {
		return nil, nil
	}
	allowed, err := r.Allowed(ctx, organization)
	if err != nil {
		return nil, err
	}
	ref, wrong := reference.Parse(text)
	if wrong == nil {
		wrong = reference.Check(ref, allowed)
	}
	return wrong, nil
}

// Reveal returns a secret with what it refers to in place of the reference. Its
// error names the reference, and is for who entered it.
func (r *Reader) Reveal(ctx context.Context, organization string, t secret.Text) (secret.Text, error) {
	text := t.Reveal()
	if !reference.Is(text) {
		return t, nil
	}
	wrong, err := r.Check(ctx, organization, text)
	if err != nil {
		return secret.Text{}, err
	}
	if wrong != nil {
		return secret.Text{}, fmt.Errorf("%s: %w", text, wrong)
	}
	v, err := r.resolver.Get(ctx, text)
	return secret.NewText(v), err
}

// Try reads what a reference leads to now, and keeps nothing of it.
func (r *Reader) Try(ctx context.Context, text string) error { return r.resolver.Try(ctx, text) }

// Reference returns the reference that a secret is; "" where it is the text itself.
func Reference(t secret.Text) string {
	if text := t.Reveal(); reference.Is(text) {
		return text
	}
	return ""
}
