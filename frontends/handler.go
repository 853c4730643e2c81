package frontends

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// App names one of the browser apps; it is the name of its folder.
type App string

// The browser apps.
const (
	AdminConsole    App = "admin-console"
	TenantConsole   App = "tenant-console"
	DeveloperPortal App = "developer-portal"
)

// Apps lists every browser app.
func Apps() []App { return []App{AdminConsole, TenantConsole, DeveloperPortal} }

// nonceMark is what the build leaves in index.html where the nonce goes; it is
// the constant NONCE of packages/ui/vite.ts.
const nonceMark = "__GATEHOUSE_NONCE__"

// missing is the page that is served where an app was not built.
const missing = "dist-missing.html"

// Built says whether the app's files are in this program.
func Built(app App) bool {
	_, err := fs.Stat(built, "dist/"+string(app)+"/index.html")
	return err == nil
}

// handler serves one app.
type handler struct {
	files fs.FS
	index []byte
}

// Handler returns what serves an app: its files, and its page for every other
// path that a browser may ask for, since the app does its own routing. The page
// carries a Content-Security-Policy with a nonce of its own and is never stored;
// files, whose names change with their content, are stored for good. Where the
// app was not built a page says so. An unknown app is an error.
func Handler(app App) (http.Handler, error) {
	known := false
	for _, a := range Apps() {
		known = known || a == app
	}
	if !known {
		return nil, fmt.Errorf("there is no browser app %q", app)
	}
	if !Built(app) {
		page, err := fs.ReadFile(built, missing)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", missing, err)
		}
		return &handler{index: page}, nil
	}
	files, err := fs.Sub(built, "dist/"+string(app))
	if err != nil {
		return nil, fmt.Errorf("opening app %s: %w", app, err)
	}
	return newHandler(files)
}

func newHandler(files fs.FS) (*handler, error) {
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, fmt.Errorf("reading index.html: %w", err)
	}
	return &handler{files: files, index: page}, nil
}

// ServeHTTP serves a file or the page.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are served here", http.StatusMethodNotAllowed)
		return
	}
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if h.files == nil || name == "" || name == "index.html" {
		h.page(w, r)
		return
	}
	found, err := h.file(w, r, name)
	switch {
	case err != nil:
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
	case found:
	case path.Ext(name) != "" && strings.HasPrefix(name, "assets/"):
		// A page from before an update asks for a file that is gone: not a page.
		http.Error(w, "there is no such file", http.StatusNotFound)
	default:
		h.page(w, r)
	}
}

// page writes index.html with a fresh nonce.
func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	var raw [18]byte
	_, _ = rand.Read(raw[:]) // never fails
	nonce := base64.StdEncoding.EncodeToString(raw[:])
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", Policy(nonce))
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	header.Set("X-Frame-Options", "DENY")
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(bytes.ReplaceAll(h.index, []byte(nonceMark), []byte(nonce)))
}

// Policy is the Content-Security-Policy of a page with the given nonce. Nothing
// is fetched from another host, no script and no style is run that the page does
// not name, and no text is ever run as a program.
func Policy(nonce string) string {
	return "default-src 'none'; script-src 'self' 'nonce-" + nonce + "'; style-src 'self' 'nonce-" + nonce + "'; " +
		"img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// file writes a built file, packed where the client takes that, and says whether
// there is one.
func (h *handler) file(w http.ResponseWriter, r *http.Request, name string) (bool, error) {
	body, err := fs.ReadFile(h.files, name+".gz")
	packed := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		body, err = fs.ReadFile(h.files, name)
	}
	if err != nil {
		var bad *fs.PathError
		if errors.Is(err, fs.ErrNotExist) || errors.As(err, &bad) {
			return false, nil
		}
		return false, fmt.Errorf("reading %s: %w", name, err)
	}
	header := w.Header()
	header.Set("Content-Type", contentType(name))
	if strings.HasPrefix(name, "assets/") {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	if packed {
		header.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			header.Set("Content-Encoding", "gzip")
		} else if body, err = unpack(body); err != nil {
			return false, fmt.Errorf("unpacking %s: %w", name, err)
		}
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) //nolint:gosec // a file of the apps, as it was built
	}
	return true, nil
}

func unpack(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// contentType does not ask the machine's own tables, which differ.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".json":
		return "application/json"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}
