package brand

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// The media types of logos.
const (
	PNG  = "image/png"
	SVG  = "image/svg+xml"
	WebP = "image/webp"
)

// MostBytes bounds a logo, MostPixels its width and its height.
const (
	MostBytes  = 256 << 10
	MostPixels = 2048
)

// Image is a logo that can be shown as it is.
type Image struct {
	MediaType     string
	Width, Height int
	Content       []byte
	// Removed names what was taken out of an SVG because it could do something, each
	// once.
	Removed []string
}

var errNoImage = errors.New("this is no PNG, WebP or SVG image: export the logo as one of them")

// Read reads a logo of one of the types, told by what is in it. The text of the
// error is for whoever gave it.
func Read(content []byte) (Image, error) {
	if len(content) > MostBytes {
		return Image{}, fmt.Errorf("the image has %d kB and may have %d: make it smaller", (len(content)+1023)>>10, MostBytes>>10)
	}
	switch {
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		return raster(PNG, content, png.DecodeConfig, png.Decode)
	case len(content) > 12 && string(content[:4]) == "RIFF" && string(content[8:12]) == "WEBP":
		return raster(WebP, content, webp.DecodeConfig, webp.Decode)
	case looksSVG(content):
		return readSVG(content)
	}
	return Image{}, errNoImage
}

// raster reads all of an image, after its size was looked at.
func raster(kind string, content []byte, config func(io.Reader) (image.Config, error), decode func(io.Reader) (image.Image, error)) (Image, error) {
	c, err := config(bytes.NewReader(content))
	if err != nil {
		return Image{}, fmt.Errorf("the image cannot be read: %w", err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > MostPixels || c.Height > MostPixels {
		return Image{}, fmt.Errorf("the image has %d × %d pixels and may have %d × %d: make it smaller", c.Width, c.Height, MostPixels, MostPixels)
	}
	if _, err := decode(bytes.NewReader(content)); err != nil {
		return Image{}, fmt.Errorf("the image cannot be read: %w", err)
	}
	return Image{MediaType: kind, Width: c.Width, Height: c.Height, Content: content}, nil
}
