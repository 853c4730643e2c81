package brand_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
)

// Whatever colour is given, what follows from it can be read on both themes.
func TestEveryAccentCanBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"#000000", "#ffffff", "#ffff00", "#ff0000", "#00ff00", "#0000ff", "#777777", "#1f4fbf", "#8db0ff", "#efefea", "#16191e", "#E0115F"} {
		p, ok := brand.Accent(c)
		require.True(t, ok, c)
		for theme, x := range map[string]brand.Tokens{"light": p.Light, "dark": p.Dark} {
			ground := map[string]string{"light": "#efefea", "dark": "#161a1e"}[theme]
			require.GreaterOrEqual(t, brand.Contrast(x.Accent, ground), brand.Needed, "%s %s %v", c, theme, x)
			require.GreaterOrEqual(t, brand.Contrast(x.Accent, x.Tint), brand.Needed, "%s %s %v", c, theme, x)
			require.GreaterOrEqual(t, brand.Contrast(x.On, x.Accent), brand.Needed, "%s %s %v", c, theme, x)
			require.GreaterOrEqual(t, brand.Contrast(x.On, x.Hover), brand.Needed, "%s %s %v", c, theme, x)
			require.Equal(t, !strings.EqualFold(c, x.Accent), x.Corrected)
		}
	}
	p, _ := brand.Accent("#1f4fbf")
	require.False(t, p.Light.Corrected)
	require.True(t, p.Dark.Corrected)
	require.InDelta(t, 2.4, p.Dark.Wanted, 0.2)
	for _, c := range []string{"", "red", "#fff", "#12345g", "1f4fbf#"} {
		_, ok := brand.Accent(c)
		require.False(t, ok, c)
	}
}

func pngOf(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	m.Set(0, 0, color.NRGBA{R: 200, A: 255})
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	return b.Bytes()
}

// A lossless WebP of one pixel.
const onePixel = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func TestImages(t *testing.T) {
	t.Parallel()
	m, err := brand.Read(pngOf(t, 40, 20))
	require.NoError(t, err)
	require.Equal(t, []any{brand.PNG, 40, 20}, []any{m.MediaType, m.Width, m.Height})
	m, err = brand.Read([]byte(onePixel))
	require.NoError(t, err)
	require.Equal(t, []any{brand.WebP, 1, 1}, []any{m.MediaType, m.Width, m.Height})
	for what, content := range map[string][]byte{
		"no PNG": []byte("GIF89a"), "2048 × 2048": pngOf(t, 2049, 1), "may have 256": make([]byte, 300<<10), "cannot be read": pngOf(t, 9, 9)[:60],
		"how large": []byte("<svg/>"), "not svg": []byte("<g><svg width='1' height='1'/></g>"), "plain SVG": []byte("<svg>&x;</svg>"),
	} {
		_, err := brand.Read(content)
		require.ErrorContains(t, err, what)
	}
}

func TestSVGsRunNothing(t *testing.T) {
	t.Parallel()
	m, err := brand.Read([]byte(`<?xml version="1.0"?><!DOCTYPE svg><!-- x --><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
		viewBox="0 0 120 40" onload="alert(1)"><style>.a{fill:#123456}</style><script>alert(2)</script><defs><linearGradient id="g"><stop offset="1"/></linearGradient></defs>
		<path class="a" d="M0 0h9" fill="url(#g)" onclick="alert(3)"/><rect style="fill:url(https://x.test/y)"/><image href="https://x.test/z.png"/>
		<use xlink:href="#g"/><use href="https://x.test/s.svg#a"/><a href="javascript:alert(4)"><text>t &lt; u</text></a><foreignObject><b>x</b></foreignObject></svg>`))
	require.NoError(t, err)
	require.Equal(t, []any{brand.SVG, 120, 40}, []any{m.MediaType, m.Width, m.Height})
	require.Equal(t, []string{"onload", "<script>", "onclick", "style", "<image>", "href", "<a>", "<foreignObject>"}, m.Removed)
	s := string(m.Content)
	require.NotContains(t, s, "alert")
	require.NotContains(t, s, "x.test")
	for _, kept := range []string{`viewBox="0 0 120 40"`, `.a{fill:#123456}`, `fill="url(#g)"`, `href="#g"`} {
		require.Contains(t, s, kept)
	}
	for _, sheet := range []string{"@import 'x'", "a{b:u<!-- -->rl(http://x)}", `a{b:\75rl(x)}`, "<![CDATA[@font-face{}]]>"} {
		m, err := brand.Read([]byte("<svg width='2' height='3px'><style>" + sheet + "</style></svg>"))
		require.NoError(t, err)
		require.Equal(t, []string{"<style>"}, m.Removed, sheet)
		require.Contains(t, string(m.Content), "<style></style>")
	}
	_, err = brand.Read([]byte("<svg width='2' height='3'>" + strings.Repeat("<g>", 100) + strings.Repeat("</g>", 100) + "</svg>"))
	require.ErrorContains(t, err, "deep")
}

func TestLanguagesAndLinks(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"EN": "en", "pt-br": "pt-BR", " ko ": "ko", "zh-hant-tw": "zh-Hant-TW"} {
		got, err := brand.Language(given)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, given := range []string{"", "und", "english language", "e", "../en"} {
		_, err := brand.Language(given)
		require.Error(t, err, given)
	}
	for link, ok := range map[string]bool{"": true, "https://a.test/x?y": true, "http://a.test": true, "javascript:alert(1)": false, "//a.test": false, "https://u:p@a.test": false, "https://a b": false, "ftp://a": false} {
		require.Equal(t, ok, brand.Link(link, false) == nil, link)
	}
	require.NoError(t, brand.Link("mailto:a@b.test", true))
	require.Error(t, brand.Link("mailto:a@b.test", false))
	require.Error(t, brand.Link("mailto:a@b.test?subject=x", false))
	there := []string{"en", "de", "ko", "pt-BR"}
	for wanted, want := range map[string]string{"de-AT": "de", "ko": "ko", "pt": "pt-BR", "fr": ""} {
		got, ok := brand.Best([]string{wanted}, there)
		require.Equal(t, want, got, wanted)
		require.Equal(t, want != "", ok)
	}
}

// What comes out of the reader is an image of bounded size that says nothing that
// runs or loads.
func FuzzImages(f *testing.F) {
	f.Add(pngOf(f, 3, 2))
	f.Add([]byte(onePixel))
	f.Add([]byte(`<svg width="1" height="1"><style>a{fill:url(#b)}</style><script>x</script><use href="#a"/><p:q xmlns:p="r" onload="s"/></svg>`))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := brand.Read(content)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(m.Content), brand.MostBytes)
		require.Positive(t, m.Width)
		require.Positive(t, m.Height)
		if m.MediaType != brand.SVG {
			return
		}
		d := xml.NewDecoder(bytes.NewReader(m.Content))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			require.NotContains(t, []string{"script", "foreignObject", "image", "a", "iframe", "animate", "set"}, e.Name.Local)
			require.Equal(t, "http://www.w3.org/2000/svg", e.Name.Space)
			for _, a := range e.Attr {
				require.False(t, strings.HasPrefix(strings.ToLower(a.Name.Local), "on"), a)
				if a.Name.Local == "href" {
					require.True(t, strings.HasPrefix(strings.TrimSpace(a.Value), "#"), a)
				}
			}
		}
		again, err := brand.Read(m.Content)
		require.NoError(t, err, "%s", m.Content)
		require.Empty(t, again.Removed)
	})
}
