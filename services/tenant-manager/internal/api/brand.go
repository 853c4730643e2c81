package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// mostImages bounds how many logos an organization keeps: those of its brand, and
// what it tried in a day.
const mostImages = 50

// GetBrand returns the organization's brand.
func (h *Handlers) GetBrand(ctx context.Context, _ GetBrandRequestObject) (GetBrandResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	out, err := h.brandOf(ctx, h.mine(ctx))
	return GetBrand200JSONResponse{Body: out, Headers: GetBrand200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// SetBrand sets the organization's brand.
func (h *Handlers) SetBrand(ctx context.Context, r SetBrandRequestObject) (SetBrandResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	b, err := readBrand(*r.Body)
	if err != nil {
		return nil, err
	}
	var out Brand
	err = h.change(ctx, func(tx *store.Tx) error {
		was, err := tx.Brand(ctx)
		if err != nil {
			return err
		}
		if err := h.hasLogos(ctx, tx.Org, b); err != nil {
			return err
		}
		b.Version = version
		b.Stored.ID, b.CreatedAt, b.CreatedBy = was.ID, was.CreatedAt, was.CreatedBy
		if err := tx.SaveBrand(ctx, &b); err != nil {
			return err
		}
		if out, err = h.brandOf(ctx, tx.Org); err != nil {
			return err
		}
		return h.record(ctx, tx, "brand.updated", "brand", tx.ID(), out.Organization, recordedBrandOf(was), recordedBrandOf(b))
	})
	return SetBrand200JSONResponse{Body: out, Headers: SetBrand200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// DeleteBrand goes back to how the installation looks.
func (h *Handlers) DeleteBrand(ctx context.Context, r DeleteBrandRequestObject) (DeleteBrandResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		was, err := tx.Brand(ctx)
		if err != nil || was.ID == "" {
			return err
		}
		if err := tx.DropBrand(ctx, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "brand.deleted", "brand", tx.ID(), was.DisplayName, recordedBrandOf(was), nil)
	})
	return DeleteBrand204Response{}, err
}

// PreviewBrand returns what a brand would look like.
func (h *Handlers) PreviewBrand(ctx context.Context, r PreviewBrandRequestObject) (PreviewBrandResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	b, err := readBrand(*r.Body)
	if err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if err := h.hasLogos(ctx, org, b); err != nil {
		return nil, err
	}
	out, err := publicBrandOf(ctx, org, b)
	return PreviewBrand200JSONResponse(out), err
}

// AddBrandImage keeps a logo.
func (h *Handlers) AddBrandImage(ctx context.Context, r AddBrandImageRequestObject) (AddBrandImageResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	m, err := brand.Read(r.Body.Content)
	if err != nil {
		return nil, invalid("/content", "format", "%s", err)
	}
	sum := sha256.Sum256(m.Content)
	row := store.BrandImage{Hash: hex.EncodeToString(sum[:]), MediaType: m.MediaType, Width: m.Width, Height: m.Height, Content: m.Content}
	err = h.change(ctx, func(tx *store.Tx) error {
		n, err := tx.BrandImages(ctx)
		if err != nil {
			return err
		}
		if n >= mostImages {
			return problem.New(problem.CodeConflict, "%d logos were tried within a day: what no brand has is forgotten then", n)
		}
		if err := tx.AddBrandImage(ctx, &row); err != nil {
			return err
		}
		return h.record(ctx, tx, "brand.image-added", "brand", tx.ID(), row.Hash, nil, nil)
	})
	out := imageOf(row)
	if len(m.Removed) > 0 {
		out.Removed = &m.Removed
	}
	return AddBrandImage201JSONResponse(out), err
}

// imagePolicy lets an image be drawn and do nothing, also where somebody opens it
// by itself.
const imagePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

// GetBrandImage returns a logo to everybody.
func (h *Handlers) GetBrandImage(ctx context.Context, r GetBrandImageRequestObject) (GetBrandImageResponseObject, error) {
	m, err := h.store.PublicImage(ctx, r.Hash)
	if err != nil {
		return nil, err
	}
	return GetBrandImage200ImageResponse{
		Body: bytes.NewReader(m.Content), ContentType: m.MediaType, ContentLength: int64(len(m.Content)),
		Headers: GetBrandImage200ResponseHeaders{
			CacheControl: ptr("public, max-age=31536000, immutable"), ContentSecurityPolicy: ptr(imagePolicy), ContentDisposition: ptr("inline"),
		},
	}, nil
}

// GetPublicBrand returns to everybody how a sign-in page looks.
func (h *Handlers) GetPublicBrand(ctx context.Context, r GetPublicBrandRequestObject) (GetPublicBrandResponseObject, error) {
	org, err := h.asked(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	out, err := h.shownBrand(ctx, org)
	return GetPublicBrand200JSONResponse(out), err
}

// asked returns the id of the organization that a page is of; "" = it cannot be
// told.
func (h *Handlers) asked(ctx context.Context, p GetPublicBrandParams) (string, error) {
	if deref(p.Authorization) != "" && h.opt.OAuth != nil {
		if id, err := h.opt.OAuth.OrganizationOf(ctx, *p.Authorization); err != nil || id != "" {
			return id, err
		}
	}
	if deref(p.Client) != "" {
		if id, err := h.store.OrganizationOfOAuthClient(ctx, *p.Client); !store.IsNotFound(err) {
			return id, err
		}
	}
	slug := deref(p.Organization)
	if slug == "" {
		slug = deref(p.XGatehouseOrganization)
	}
	if slug == "" {
		return "", nil
	}
	o, err := h.store.OrganizationBySlug(ctx, slug)
	if store.IsNotFound(err) || o.Suspended {
		return "", nil
	}
	return o.ID, err
}

// shownBrand returns how an organization looks: by its own brand, else by that of
// the first one, else as nobody.
func (h *Handlers) shownBrand(ctx context.Context, organization string) (PublicBrand, error) {
	b, err := h.store.BrandOrFirst(ctx, organization)
	if err != nil {
		return PublicBrand{}, err
	}
	if b.ID != "" {
		return publicBrandOf(ctx, h.store.For(b.OrganizationID), b)
	}
	return PublicBrand{Language: "en", Texts: []BrandText{}}, nil
}

// hasLogos returns a problem where a logo is not there.
func (h *Handlers) hasLogos(ctx context.Context, org *store.Org, b store.Brand) error {
	for pointer, hash := range map[string]string{"/logoLight": b.LogoLight, "/logoDark": b.LogoDark} {
		if hash == "" {
			continue
		}
		_, err := org.BrandImage(ctx, hash)
		if store.IsNotFound(err) {
			return invalid(pointer, "unknown", "there is no such image: add it first")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readBrand returns a brand as it is kept. The error names every field at fault.
func readBrand(in BrandInput) (store.Brand, error) {
	var fields []problem.Field
	wrong := func(pointer, code string, err error) {
		if err != nil {
			fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: err.Error()})
		}
	}
	b := store.Brand{
		DisplayName: strings.TrimSpace(deref(in.DisplayName)), Accent: strings.ToLower(deref(in.Accent)), LogoLight: deref(in.LogoLight),
		LogoDark: deref(in.LogoDark), Texts: []brand.Text{},
	}
	var err error
	b.Language, err = brand.Language(in.Language)
	wrong("/language", "format", err)
	for i, t := range deref(in.Texts) {
		at := fmt.Sprintf("/texts/%d", i)
		x := brand.Text{
			Welcome: strings.TrimSpace(deref(t.Welcome)), HelpLabel: strings.TrimSpace(deref(t.HelpLabel)), HelpURL: strings.TrimSpace(deref(t.HelpUrl)),
			TermsURL: strings.TrimSpace(deref(t.TermsUrl)), PrivacyURL: strings.TrimSpace(deref(t.PrivacyUrl)),
		}
		x.Language, err = brand.Language(t.Language)
		wrong(at+"/language", "format", err)
		if err == nil && slices.ContainsFunc(b.Texts, func(o brand.Text) bool { return o.Language == x.Language }) {
			wrong(at+"/language", "duplicate", fmt.Errorf("there are texts in %s already", x.Language))
		}
		wrong(at+"/helpUrl", "format", brand.Link(x.HelpURL, true))
		wrong(at+"/termsUrl", "format", brand.Link(x.TermsURL, false))
		wrong(at+"/privacyUrl", "format", brand.Link(x.PrivacyURL, false))
		b.Texts = append(b.Texts, x)
	}
	if len(fields) > 0 {
		return b, problem.Invalid("the brand does not fit", fields...)
	}
	return b, nil
}

// recordedBrand is what the audit trail says of a brand.
type recordedBrand struct {
	DisplayName, Accent, LogoLight, LogoDark, Language string
	Texts                                              []brand.Text
}

func recordedBrandOf(b store.Brand) any {
	if b.ID == "" && b.Language == "" {
		return nil
	}
	return recordedBrand{b.DisplayName, b.Accent, b.LogoLight, b.LogoDark, b.Language, b.Texts}
}

func (h *Handlers) brandOf(ctx context.Context, org *store.Org) (Brand, error) {
	o, err := org.Organization(ctx)
	if err != nil {
		return Brand{}, err
	}
	first, err := h.store.First(ctx)
	if err != nil {
		return Brand{}, err
	}
	b, err := org.Brand(ctx)
	if err != nil {
		return Brand{}, err
	}
	shown, err := publicBrandOf(ctx, org, b)
	out := Brand{
		Version: b.Version, Set: b.ID != "", Inherits: first != org.ID(), Organization: o.Name, DisplayName: b.DisplayName, Accent: b.Accent,
		Palette: shown.Palette, LogoLight: shown.LogoLight, Language: shown.Language, Texts: shown.Texts,
	}
	if b.LogoDark != "" {
		out.LogoDark = shown.LogoDark
	}
	return out, err
}

// publicBrandOf returns a brand as pages have it.
func publicBrandOf(ctx context.Context, org *store.Org, b store.Brand) (PublicBrand, error) {
	out := PublicBrand{DisplayName: b.DisplayName, Language: b.Language, Texts: make([]BrandText, len(b.Texts))}
	if out.Language == "" {
		out.Language = "en"
	}
	if out.DisplayName == "" {
		o, err := org.Organization(ctx)
		if err != nil {
			return out, err
		}
		out.DisplayName = o.Name
	}
	if p, ok := brand.Accent(b.Accent); ok {
		out.Palette = &AccentPalette{Light: tokensOf(p.Light), Dark: tokensOf(p.Dark)}
	}
	for i, t := range b.Texts {
		out.Texts[i] = BrandText{
			Language: t.Language, Welcome: ptr(t.Welcome), HelpLabel: ptr(t.HelpLabel), HelpUrl: ptr(t.HelpURL), TermsUrl: ptr(t.TermsURL), PrivacyUrl: ptr(t.PrivacyURL),
		}
	}
	for _, logo := range []struct {
		hash string
		into **BrandImage
	}{{b.LogoLight, &out.LogoLight}, {b.LogoDark, &out.LogoDark}} {
		if logo.hash == "" {
			continue
		}
		m, err := org.BrandImage(ctx, logo.hash)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return out, err
		}
		x := imageOf(m)
		*logo.into = &x
	}
	return out, nil
}

func tokensOf(t brand.Tokens) AccentTokens {
	return AccentTokens{
		Accent: t.Accent, Hover: t.Hover, Tint: t.Tint, On: t.On, Ratio: hundredth(t.Ratio), Wanted: hundredth(t.Wanted), Corrected: t.Corrected,
	}
}

// hundredth cuts a ratio off, so that one that falls short never looks as if it
// did not.
func hundredth(v float64) float32 { return float32(int(v*100)) / 100 }

func imageOf(m store.BrandImage) BrandImage {
	return BrandImage{Hash: m.Hash, Url: "/api/tenant-manager/v1/brand/images/" + m.Hash, MediaType: m.MediaType, Width: m.Width, Height: m.Height}
}
