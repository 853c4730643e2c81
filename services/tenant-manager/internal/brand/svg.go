package brand

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	svgNamespace   = "http://www.w3.org/2000/svg"
	xlinkNamespace = "http://www.w3.org/1999/xlink"
	// mostParts and mostDepth bound what an SVG is made of.
	mostParts = 20_000
	mostDepth = 64
)

// svgElements are those that draw. None of them runs, loads or moves anything.
var svgElements = set(`svg g path rect circle ellipse line polyline polygon text tspan textPath defs symbol use title desc style
	linearGradient radialGradient stop clipPath mask pattern marker filter feGaussianBlur feOffset feBlend feColorMatrix feFlood feComposite
	feMerge feMergeNode feComponentTransfer feFuncR feFuncG feFuncB feFuncA feMorphology feDropShadow switch`)

// svgAttributes are those that such elements have.
var svgAttributes = set(`id class style d x y x1 y1 x2 y2 cx cy r rx ry fx fy fr dx dy width height viewBox preserveAspectRatio version transform
	points pathLength rotate textLength lengthAdjust startOffset fill fill-rule fill-opacity stroke stroke-width stroke-linecap
	stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset stroke-opacity color opacity display visibility overflow clip-path
	clip-rule clipPathUnits mask maskUnits maskContentUnits mask-type offset stop-color stop-opacity gradientUnits gradientTransform
	spreadMethod patternUnits patternContentUnits patternTransform markerUnits markerWidth markerHeight orient refX refY marker-start
	marker-mid marker-end filter filterUnits primitiveUnits in in2 result stdDeviation mode values type operator k1 k2 k3 k4 radius
	flood-color flood-opacity tableValues slope intercept amplitude exponent font-family font-size font-style font-weight font-variant
	font-stretch text-anchor dominant-baseline alignment-baseline baseline-shift letter-spacing word-spacing text-decoration
	text-rendering shape-rendering color-interpolation color-interpolation-filters vector-effect paint-order mix-blend-mode isolation
	enable-background role aria-label`)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

func looksSVG(content []byte) bool {
	head := content[:min(len(content), 4096)]
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("<")) && bytes.Contains(head, []byte("<svg"))
}

// cleaner writes an SVG anew from what may be in one.
type cleaner struct {
	out, style    bytes.Buffer
	removed       []string
	open          []string // the elements that were written and not closed
	skip          int      // how deep in what is left out
	parts         int
	width, height float64
}

func (c *cleaner) remove(what string) {
	if !slices.Contains(c.removed, what) && len(c.removed) < 20 {
		c.removed = append(c.removed, what)
	}
}

// readSVG returns an SVG of which only what draws is left: it is written anew from
// a list of elements and attributes, so that nothing is in it that was not looked
// at.
func readSVG(content []byte) (Image, error) {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("save it as UTF-8") }
	var c cleaner
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = c.take(t)
		}
		if err != nil {
			return Image{}, fmt.Errorf("the SVG cannot be read: %w: save it as plain SVG", err)
		}
	}
	if c.width == 0 {
		return Image{}, errors.New("the SVG does not say how large it is: give its first element a viewBox, or width and height in pixels")
	}
	if c.out.Len() > MostBytes {
		return Image{}, fmt.Errorf("the image has more than %d kB: make it smaller", MostBytes>>10)
	}
	return Image{MediaType: SVG, Width: pixels(c.width), Height: pixels(c.height), Content: c.out.Bytes(), Removed: c.removed}, nil
}

func pixels(v float64) int { return int(max(1, min(math.Round(v), 100_000))) }

var errTooMuch = fmt.Errorf("it has more than %d parts, or some more than %d deep", mostParts, mostDepth)

func (c *cleaner) take(t xml.Token) error {
	if c.parts++; c.parts > mostParts {
		return errTooMuch
	}
	switch t := t.(type) {
	case xml.StartElement:
		return c.start(t)
	case xml.EndElement:
		if c.skip > 0 {
			c.skip--
			return nil
		}
		if err := c.styled(); err != nil {
			return err
		}
		c.out.WriteString("</" + c.open[len(c.open)-1] + ">")
		c.open = c.open[:len(c.open)-1]
	case xml.CharData:
		return c.text(string(t))
	}
	return nil // comments, processing instructions and document types draw nothing
}

func (c *cleaner) start(t xml.StartElement) error {
	name := t.Name.Local
	if c.skip+len(c.open) >= mostDepth {
		return errTooMuch
	}
	if len(c.open) == 0 && c.skip == 0 && (name != "svg" || c.out.Len() > 0) {
		return errors.New("its first element is not svg")
	}
	if c.skip > 0 || len(c.open) > 0 && c.open[len(c.open)-1] == "style" || t.Name.Space != svgNamespace && t.Name.Space != "" || !svgElements[name] {
		if c.skip == 0 && (t.Name.Space == svgNamespace || t.Name.Space == "") {
			c.remove("<" + name[:min(len(name), 40)] + ">")
		}
		c.skip++
		return nil
	}
	c.out.WriteString("<" + name)
	if len(c.open) == 0 {
		c.out.WriteString(` xmlns="` + svgNamespace + `"`)
		c.measure(t.Attr)
	}
	seen := map[string]bool{}
	for _, a := range t.Attr {
		if n, ok := c.attribute(a); ok && !seen[n] {
			seen[n] = true
			c.out.WriteString(" " + n + `="`)
			if err := xml.EscapeText(&c.out, []byte(a.Value)); err != nil {
				return err
			}
			c.out.WriteByte('"')
		}
	}
	c.out.WriteByte('>')
	c.open = append(c.open, name)
	return nil
}

// attribute returns the name under which an attribute is kept, if it is.
func (c *cleaner) attribute(a xml.Attr) (string, bool) {
	name := a.Name.Local
	switch {
	case name == "xmlns" || a.Name.Space == "xmlns":
		return "", false // written anew
	case name == "href" && (a.Name.Space == "" || a.Name.Space == xlinkNamespace):
		// To parts of the image itself only.
		if within.MatchString(strings.TrimSpace(a.Value)) {
			return "href", true
		}
		c.remove("href")
		return "", false
	case a.Name.Space != "":
		return "", false
	case !svgAttributes[name]:
		if strings.HasPrefix(strings.ToLower(name), "on") {
			c.remove(name[:min(len(name), 40)])
		}
		return "", false
	case !quiet(a.Value):
		c.remove(name)
		return "", false
	}
	return name, true
}

var (
	within   = regexp.MustCompile(`^#[^\s"'<>\\]{1,200}$`)
	ownParts = regexp.MustCompile(`(?i)url\(\s*["']?#[^\s"'<>\\()]{1,200}["']?\s*\)`)
)

// quiet reports whether a value, or a style sheet, refers to nothing outside of
// the image.
func quiet(s string) bool {
	s = strings.ToLower(ownParts.ReplaceAllString(s, ""))
	for _, loud := range []string{"url", "@", "\\", "expression", "javascript:", "data:", "image(", "image-set", "src(", "&"} {
		if strings.Contains(s, loud) {
			return false
		}
	}
	return true
}

func (c *cleaner) text(s string) error {
	if c.skip > 0 || len(c.open) == 0 {
		return nil
	}
	if c.open[len(c.open)-1] == "style" {
		c.style.WriteString(s)
		return nil
	}
	return xml.EscapeText(&c.out, []byte(s))
}

// styled writes the style sheet that ends, as a whole: it may come in pieces.
func (c *cleaner) styled() error {
	sheet := c.style.String()
	c.style.Reset()
	if !quiet(sheet) {
		c.remove("<style>")
		return nil
	}
	return xml.EscapeText(&c.out, []byte(sheet))
}

var number = regexp.MustCompile(`^\s*(\d+(?:\.\d+)?)(?:px)?\s*$`)

// measure notes the size of the first element, by its viewBox or else its width
// and height.
func (c *cleaner) measure(attributes []xml.Attr) {
	read := func(s string) float64 {
		m := number.FindStringSubmatch(s)
		if m == nil {
			return 0
		}
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil || v > 1e6 {
			return 0
		}
		return v
	}
	var w, h float64
	for _, a := range attributes {
		switch {
		case a.Name.Space != "":
		case a.Name.Local == "width":
			w = read(a.Value)
		case a.Name.Local == "height":
			h = read(a.Value)
		case a.Name.Local == "viewBox":
			if p := strings.FieldsFunc(a.Value, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' }); len(p) == 4 {
				c.width, c.height = read(p[2]), read(p[3])
			}
		}
	}
	if c.width == 0 || c.height == 0 {
		c.width, c.height = w, h
	}
	if c.width == 0 || c.height == 0 {
		c.width, c.height = 0, 0
	}
}
