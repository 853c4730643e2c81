package api

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListLetters returns every kind of letter.
func (h *Handlers) ListLetters(ctx context.Context, _ ListLettersRequestObject) (ListLettersResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	rows, err := org.Letters(ctx)
	if err != nil {
		return nil, err
	}
	kinds, err := mail.Kinds()
	if err != nil {
		return nil, err
	}
	spoken, err := h.usualLanguage(ctx, org)
	out := LetterKindList{Items: make([]LetterKind, len(kinds)), Language: spoken}
	for i, kind := range kinds {
		k := LetterKind{Kind: kind}
		if k.Link, err = mail.HasLink(kind); err != nil {
			return nil, err
		}
		for _, language := range mail.Languages() {
			k.Languages = append(k.Languages, LetterLanguage{Language: language, BuiltIn: true})
		}
		for _, r := range rows {
			if r.Kind != kind {
				continue
			}
			at := slices.IndexFunc(k.Languages, func(l LetterLanguage) bool { return l.Language == r.Language })
			if at < 0 {
				at = len(k.Languages)
				k.Languages = append(k.Languages, LetterLanguage{Language: r.Language})
			}
			k.Languages[at].Set, k.Languages[at].UpdatedAt = true, ptr(r.UpdatedAt.UTC())
		}
		out.Items[i] = k
	}
	return ListLetters200JSONResponse(out), err
}

// GetLetter returns what a letter says.
func (h *Handlers) GetLetter(ctx context.Context, r GetLetterRequestObject) (GetLetterResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	kind, language, err := letterOf(r.Kind, r.Language)
	if err != nil {
		return nil, err
	}
	out, err := h.letter(ctx, h.mine(ctx), kind, language)
	return GetLetter200JSONResponse{Body: out, Headers: GetLetter200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// mostLetters bounds how many letters an organization words otherwise.
const mostLetters = 500

// SetLetter words a letter otherwise.
func (h *Handlers) SetLetter(ctx context.Context, r SetLetterRequestObject) (SetLetterResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	kind, language, err := letterOf(r.Kind, r.Language)
	if err != nil {
		return nil, err
	}
	w, err := readWords(kind, *r.Body)
	if err != nil {
		return nil, err
	}
	var out LetterTemplate
	err = h.change(ctx, func(tx *store.Tx) error {
		all, err := tx.Letters(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(l store.LetterWords) bool { return l.Kind == kind && l.Language == language })
		var was any
		switch {
		case at >= 0:
			was = recordedLetterOf(all[at])
		case len(all) >= mostLetters:
			return problem.New(problem.CodeConflict, "an organization has at most %d letters of its own: go back to the built-in ones where they do", mostLetters)
		}
		row := store.LetterWords{
			Kind: kind, Language: language, Subject: w.Subject, Greeting: w.Greeting, Body: w.Body, Action: w.Action, UntilText: w.Until, Footer: w.Footer,
		}
		row.Version = version
		if err := tx.SaveLetter(ctx, &row); err != nil {
			return err
		}
		if out, err = h.letter(ctx, tx.Org, kind, language); err != nil {
			return err
		}
		return h.record(ctx, tx, "letter.updated", "letter", kind, kind+" "+language, was, recordedLetterOf(row))
	})
	return SetLetter200JSONResponse{Body: out, Headers: SetLetter200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// DeleteLetter goes back to Gatehouse's own words.
func (h *Handlers) DeleteLetter(ctx context.Context, r DeleteLetterRequestObject) (DeleteLetterResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	kind, language, err := letterOf(r.Kind, r.Language)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		row, err := tx.Letter(ctx, kind, language)
		if store.IsNotFound(err) {
			return nil // it is as it should be
		}
		if err != nil {
			return err
		}
		if err := tx.DropLetter(ctx, row.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "letter.deleted", "letter", kind, kind+" "+language, recordedLetterOf(row), nil)
	})
	return DeleteLetter204Response{}, err
}

// PreviewLetter returns what a letter would look like.
func (h *Handlers) PreviewLetter(ctx context.Context, r PreviewLetterRequestObject) (PreviewLetterResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	l, _, err := h.example(ctx, r.Kind, r.Language, *r.Body)
	if err != nil {
		return nil, err
	}
	out := LetterPreview{Subject: l.Subject, Text: l.Text, Html: l.HTML}
	if l.Logo != nil {
		b, err := h.store.BrandOrFirst(ctx, h.mine(ctx).ID())
		if err != nil {
			return nil, err
		}
		m, err := h.store.For(b.OrganizationID).BrandImage(ctx, b.LogoLight)
		if err != nil {
			return nil, err
		}
		logo := imageOf(m)
		out.Logo = &logo
	}
	return PreviewLetter200JSONResponse(out), nil
}

// TestLetter sends a letter to whoever asks.
func (h *Handlers) TestLetter(ctx context.Context, r TestLetterRequestObject) (TestLetterResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	l, from, err := h.example(ctx, r.Kind, r.Language, *r.Body)
	if err != nil {
		return nil, err
	}
	p := caller(ctx)
	if p.Kind != authn.User {
		return nil, problem.New(problem.CodeAccessDenied, "a test goes to the e-mail address of whoever asks for it, and %s has none: sign in as a person", p.Name)
	}
	u, err := h.mine(ctx).User(ctx, p.Subject)
	if err != nil {
		return nil, err
	}
	settings, ok, err := h.opt.Mail.Settings(ctx, h.store)
	if err != nil {
		return nil, err
	}
	if !ok {
		return TestLetter200JSONResponse{Detail: "No mail server is set."}, nil
	}
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	said, err := h.opt.Mail.Send(ctx, settings, from, u.Email, l)
	out := MailTest{Ok: err == nil, Detail: cmp.Or(said, "The server took it.")}
	if err != nil {
		out.Detail = err.Error()
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		return h.record(ctx, tx, "letter.tested", "letter", r.Kind, r.Kind+" "+r.Language, nil, nil)
	})
	return TestLetter200JSONResponse(out), err
}

// example writes a letter with example data. from is the organization's name.
func (h *Handlers) example(ctx context.Context, ofKind, inLanguage string, in LetterWords) (l mail.Letter, from string, err error) {
	kind, language, err := letterOf(ofKind, inLanguage)
	if err != nil {
		return l, "", err
	}
	w, err := readWords(kind, in)
	if err != nil {
		return l, "", err
	}
	org := h.mine(ctx)
	if from, err = h.organizationInLetters(ctx, org); err != nil {
		return l, "", err
	}
	look, err := mail.LookOf(ctx, h.store, org.ID())
	if err != nil {
		return l, "", err
	}
	link, err := mail.HasLink(kind)
	if err != nil {
		return l, "", err
	}
	address := ""
	if link {
		address = strings.TrimRight(h.opt.ConsoleURL, "/") + "/sign-in#an-example"
	}
	l, err = mail.Compose(language, w, mail.Example(from, caller(ctx).Name, address, h.store.Now()), look)
	return l, from, err
}

// organizationInLetters returns what letters call an organization.
func (h *Handlers) organizationInLetters(ctx context.Context, org *store.Org) (string, error) {
	b, err := org.Brand(ctx)
	if err != nil || b.DisplayName != "" {
		return b.DisplayName, err
	}
	o, err := org.Organization(ctx)
	return o.Name, err
}

// usualLanguage returns the language of letters to people of whom none is known.
func (h *Handlers) usualLanguage(ctx context.Context, org *store.Org) (string, error) {
	b, err := org.Brand(ctx)
	if err != nil || b.Language != "" {
		return b.Language, err
	}
	m, _, err := h.opt.Mail.Settings(ctx, h.store)
	return cmp.Or(m.Language, mail.Languages()[0]), err
}

// letterOf returns the kind and language of a letter. The error is a problem.
func letterOf(kind, language string) (string, string, error) {
	kinds, err := mail.Kinds()
	if err != nil {
		return "", "", err
	}
	if !slices.Contains(kinds, kind) {
		return "", "", problem.New(problem.CodeNotFound, "there is no letter %q: there are %s", kind, strings.Join(kinds, ", "))
	}
	tag, err := brand.Language(language)
	if err != nil {
		return "", "", problem.New(problem.CodeNotFound, "%s", err)
	}
	return kind, tag, nil
}

// readWords returns words as they are kept. The error names every field at fault.
func readWords(kind string, in LetterWords) (mail.Words, error) {
	w := mail.Words{
		Subject: strings.TrimSpace(in.Subject), Greeting: strings.TrimSpace(in.Greeting), Body: strings.TrimSpace(in.Body), Action: strings.TrimSpace(deref(in.Action)),
		Until: strings.TrimSpace(deref(in.Until)), Footer: strings.TrimSpace(deref(in.Footer)),
	}
	faults, err := mail.Check(kind, w)
	if err != nil || len(faults) == 0 {
		return w, err
	}
	fields := make([]problem.Field, len(faults))
	for i, f := range faults {
		fields[i] = problem.Field{Pointer: "/" + f.Field, Code: f.Code, Detail: f.Detail}
	}
	return w, problem.Invalid("the letter does not fit", fields...)
}

func wordsOf(w mail.Words) LetterWords {
	return LetterWords{Subject: w.Subject, Greeting: w.Greeting, Body: w.Body, Action: ptr(w.Action), Until: ptr(w.Until), Footer: ptr(w.Footer)}
}

func (h *Handlers) letter(ctx context.Context, org *store.Org, kind, language string) (LetterTemplate, error) {
	out := LetterTemplate{Kind: kind, Language: language, Version: 1}
	own, ok, err := mail.BuiltIn(kind, language)
	if err == nil && !ok {
		own, _, err = mail.BuiltIn(kind, mail.Languages()[0])
	}
	if err != nil {
		return out, err
	}
	out.BuiltIn, out.BuiltInWords, out.Words = ok, wordsOf(own), wordsOf(own)
	row, err := org.Letter(ctx, kind, language)
	if err != nil && !store.IsNotFound(err) {
		return out, err
	}
	if err == nil {
		out.Set, out.Version, out.UpdatedAt = true, row.Version, ptr(row.UpdatedAt.UTC())
		out.Words = wordsOf(mail.Words{Subject: row.Subject, Greeting: row.Greeting, Body: row.Body, Action: row.Action, Until: row.UntilText, Footer: row.Footer})
	}
	if out.Link, err = mail.HasLink(kind); err != nil {
		return out, err
	}
	known, err := mail.Placeholders(kind)
	if err != nil {
		return out, err
	}
	from, err := h.organizationInLetters(ctx, org)
	if err != nil {
		return out, err
	}
	examples := mail.Example(from, caller(ctx).Name, "", h.store.Now()).Values(language)
	for _, p := range known {
		out.Placeholders = append(out.Placeholders, LetterPlaceholder{Name: p.Name, Required: p.Required, Example: examples[p.Name]})
	}
	return out, nil
}

// recordedLetter is what the audit trail says of a letter.
type recordedLetter struct{ Subject, Greeting, Body, Action, Until, Footer string }

func recordedLetterOf(l store.LetterWords) recordedLetter {
	return recordedLetter{l.Subject, l.Greeting, l.Body, l.Action, l.UntilText, l.Footer}
}
