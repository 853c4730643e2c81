// Package brand is how an organization's pages and letters look: a colour that
// stays readable, logos that run nothing, and texts by language. It knows neither
// the database nor requests.
package brand

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// Tokens are the colours that follow from an accent on one theme, as #rrggbb.
type Tokens struct {
	// Accent is that of links, buttons and rings; Hover that under a pointer, Tint
	// that behind what is chosen, and On that of text on the accent.
	Accent, Hover, Tint, On string
	// Wanted is the contrast of the colour as it was given, on the ground of the
	// theme that it reads worst on; Ratio that of the accent (WCAG 2.2). They are
	// between 1 and 21.
	Wanted, Ratio float64
	// Corrected says that the accent is not the colour that was given.
	Corrected bool
}

// Palette is an accent on both themes.
type Palette struct{ Light, Dark Tokens }

// Needed is the contrast below which an accent is corrected: it is that of normal
// text (WCAG 2.2, success criterion 1.4.3).
const Needed = 4.5

type rgb [3]float64

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func parse(s string) (rgb, bool) {
	if !colour.MatchString(s) {
		return rgb{}, false
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	return rgb{float64(n >> 16), float64(n >> 8 & 0xff), float64(n & 0xff)}, err == nil
}

func (c rgb) String() string {
	at := func(i int) int { return int(math.Round(min(max(c[i], 0), 255))) }
	return fmt.Sprintf("#%02x%02x%02x", at(0), at(1), at(2))
}

// rounded returns the colour as it is written.
func (c rgb) rounded() rgb {
	for i := range c {
		c[i] = math.Round(c[i])
	}
	return c
}

// luminance is the relative luminance (WCAG 2.2).
func (c rgb) luminance() float64 {
	part := func(v float64) float64 {
		if v /= 255; v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(c[0]) + 0.7152*part(c[1]) + 0.0722*part(c[2])
}

func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	if x < y {
		x, y = y, x
	}
	return (x + 0.05) / (y + 0.05)
}

func mix(a, b rgb, share float64) rgb {
	for i := range a {
		a[i] += (b[i] - a[i]) * share
	}
	return a
}

var (
	white = rgb{255, 255, 255}
	ink   = rgb{11, 16, 32}
)

// grounds are the colours that accents stand on: the worst of the theme, and its
// tint, which is made of the accent.
type grounds struct {
	worst, away, tintOf rgb
	tint                float64
}

var (
	light = grounds{worst: rgb{239, 239, 234}, away: rgb{0, 0, 0}, tintOf: white, tint: 0.9}
	dark  = grounds{worst: rgb{22, 26, 30}, away: white, tintOf: rgb{15, 18, 21}, tint: 0.86}
)

// tokens moves the colour away from the ground, towards black or white, until it
// can be read on it, on its own tint, and with text on it.
func (g grounds) tokens(wanted rgb) Tokens {
	out := Tokens{Wanted: contrast(wanted, g.worst)}
	accent, tint := wanted, rgb{}
	for share := 0.0; ; share += 0.01 {
		accent = mix(wanted, g.away, min(share, 1)).rounded()
		tint = mix(accent, g.tintOf, g.tint).rounded()
		if share >= 1 || contrast(accent, g.worst) >= Needed && contrast(accent, tint) >= Needed {
			break
		}
	}
	// What reads on the ground of its theme also carries the text of the other one:
	// white on light themes, ink on dark ones.
	on := white
	if contrast(accent, white) < Needed {
		on = ink
	}
	hover := mix(accent, g.away, 0.2).rounded()
	out.Accent, out.Hover, out.Tint, out.On = accent.String(), hover.String(), tint.String(), on.String()
	out.Ratio, out.Corrected = contrast(accent, g.worst), accent.String() != wanted.String()
	return out
}

// Accent returns what follows from a colour written #rrggbb; ok is false where it
// is none.
func Accent(s string) (p Palette, ok bool) {
	c, ok := parse(s)
	if !ok {
		return Palette{}, false
	}
	return Palette{light.tokens(c), dark.tokens(c)}, true
}
