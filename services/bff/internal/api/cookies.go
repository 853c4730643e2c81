package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// cookieName is that of the session.
	cookieName = "gatehouse"
	// deviceCookie is the secret by which a browser is known at which somebody has signed
	// in: others who guess at their password do not keep them waiting there.
	deviceCookie = "gatehouse-device"
	// deviceAge is how long it is kept after a sign-in.
	deviceAge = 90 * 24 * time.Hour
	// overHTTPS begins the names of cookies there: browsers take them from this host
	// name alone, over HTTPS (RFC 6265bis section 4.1.3.2), and no neighbour sets them.
	overHTTPS = "__Host-"
)

// cookieCalled returns the name of a cookie on the connection of a request.
func cookieCalled(r *http.Request, name string) string {
	if isHTTPS(r) {
		return overHTTPS + name
	}
	return name
}

// cookieOf returns the value of a cookie; there is none where the error is not nil.
func cookieOf(c echo.Context, name string) (string, error) {
	k, err := c.Cookie(cookieCalled(c.Request(), name))
	if err != nil {
		return "", err
	}
	return k.Value, nil
}

// keep has a browser keep a cookie for so many seconds; -1 takes it back. Over HTTPS it is
// for the whole host, as its name has it.
func keep(c echo.Context, name, value, path string, age int) {
	r := c.Request()
	if isHTTPS(r) {
		path = "/"
	}
	c.SetCookie(&http.Cookie{ //nolint:gosec // Secure where the installation is reached over HTTPS
		Name: cookieCalled(r, name), Value: value, Path: path, MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: isHTTPS(r),
	})
}

type deviceKey struct{}

// deviceOf returns the secret of the browser that signs in, "" = not known.
func deviceOf(ctx context.Context) string {
	d, _ := ctx.Value(deviceKey{}).(string)
	return d
}

// withDevice has tenant-manager told of the browser of a request, and returns what has
// the browser keep its secret: that is for who has signed in.
func withDevice(c echo.Context) (kept func()) {
	secret := rand.Text() + rand.Text()
	if value, err := cookieOf(c, deviceCookie); err == nil && len(value) == len(secret) {
		secret = value
	}
	r := c.Request()
	c.SetRequest(r.WithContext(context.WithValue(r.Context(), deviceKey{}, secret)))
	return func() { keep(c, deviceCookie, secret, "/", int(deviceAge.Seconds())) }
}
