package compress

import (
	"errors"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const accepted = "gzip, br, zstd, deflate"

// inbound decompresses the request. R17.5.
func (p *compressor) inbound(ex *policy.Exchange) error {
	h := &ex.Request.Header
	coding := strings.ToLower(h.Joined("Content-Encoding"))
	if coding == "" || coding == "identity" || ex.Request.Body.Empty() {
		return nil
	}
	open := decoder(coding)
	if open == nil {
		return problem.New(problem.CodeUnsupportedMediaType, "the content coding of the body is not understood; send one of %s", accepted).
			WithHeader("Accept-Encoding", accepted)
	}
	h.Del("Content-Encoding")
	h.Del("Content-Digest") // of the bytes that were sent
	ex.Request.Body.Wrap(-1, func(src io.Reader) io.Reader {
		in := &counted{src: src}
		return &inflated{in: in, open: open, maxSize: p.maxSize, maxRatio: p.maxRatio}
	})
	return nil
}

// decoder returns what opens a decoder of a content coding, nil where there is
// none.
func decoder(coding string) func(io.Reader) (io.ReadCloser, error) {
	switch coding {
	case "gzip", "x-gzip":
		return func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }
	case "br":
		return func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(brotli.NewReader(r)), nil }
	case "zstd":
		return func(r io.Reader) (io.ReadCloser, error) {
			// RFC 9659: windows of up to 8 MB are for content codings.
			z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, err
			}
			return z.IOReadCloser(), nil
		}
	case "deflate":
		return openDeflate
	}
	return nil
}

// openDeflate reads the zlib format, as RFC 9110 section 8.4.1.2 says, and bare
// deflate, as some clients send it.
func openDeflate(r io.Reader) (io.ReadCloser, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	r = io.MultiReader(strings.NewReader(string(head[:])), r)
	if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(r)
	}
	return flate.NewReader(r), nil
}

// counted counts what is read, and remembers why reading failed.
type counted struct {
	src io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// inflated is decompressed content within its limits.
type inflated struct {
	in                *counted
	open              func(io.Reader) (io.ReadCloser, error)
	r                 io.ReadCloser
	n                 int64
	maxSize, maxRatio int64
	err               error
}

// ratioFree is how much content may come of however little.
const ratioFree = 64 << 10

// Read reads decompressed content. Its errors are problems.
func (d *inflated) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	if d.r == nil {
		r, err := d.open(d.in)
		if err != nil {
			return 0, d.fail(err)
		}
		d.r = r
	}
	if int64(len(p)) > d.maxSize-d.n+1 {
		p = p[:d.maxSize-d.n+1] // one more, to notice
	}
	n, err := d.r.Read(p)
	d.n += int64(n)
	switch {
	case d.n > d.maxSize:
		d.err = problem.New(problem.CodeBodyTooLarge, "the decompressed body may have at most %d bytes", d.maxSize)
		return 0, d.err
	case d.n > ratioFree && d.n > d.maxRatio*d.in.n:
		d.err = problem.New(problem.CodeBodyTooLarge, "the body becomes more than %d times larger when it is decompressed", d.maxRatio)
		return 0, d.err
	case errors.Is(err, io.EOF):
		d.err = io.EOF
	case err != nil:
		return n, d.fail(err)
	}
	return n, d.err
}

func (d *inflated) fail(err error) error {
	if d.in.err != nil {
		d.err = d.in.err // of the transport: it knows best
	} else {
		d.err = problem.New(problem.CodeBadRequest, "the body cannot be decompressed").Because(err)
	}
	return d.err
}

// Interrupt ends a read under way, where the source can.
func (d *inflated) Interrupt() {
	if i, ok := d.in.src.(interface{ Interrupt() }); ok {
		i.Interrupt()
	}
}

// Close frees the decoder and closes the source.
func (d *inflated) Close() error {
	if d.r != nil {
		_ = d.r.Close() // frees memory only
	}
	if c, ok := d.in.src.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
