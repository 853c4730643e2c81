package factor

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/gatehouse/gatehouse/libs/secret"
)

// The parameters of RFC 6238 that every authenticator app knows.
const (
	period   = 30 // seconds
	skew     = 1  // steps to either side
	qrPixels = 240
)

// NewKey is an authenticator app that is being set up.
type NewKey struct {
	// Secret is the shared secret in base32, to be typed in.
	Secret string
	// URL holds all of it (otpauth://totp/…), QR is the URL as a PNG image in a
	// data: URL.
	URL, QR string
}

// NewTOTP returns a new secret for an account at an issuer, which an app shows.
func NewTOTP(issuer, account string) (NewKey, error) {
	// A colon would part the label.
	issuer = strings.ReplaceAll(issuer, ":", " ")
	k, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: account, Period: period, SecretSize: 20, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return NewKey{}, fmt.Errorf("making a secret for an authenticator app: %w", err)
	}
	img, err := k.Image(qrPixels, qrPixels)
	if err != nil {
		return NewKey{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return NewKey{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	return NewKey{Secret: k.Secret(), URL: k.URL(), QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())}, nil
}

// MatchTOTP returns the time step whose code this is, among the present one and
// its neighbours. Steps up to after were used and do not count: a code is good
// once (RFC 6238 section 5.2). Spaces in the code do not matter.
func MatchTOTP(key, code string, now time.Time, after int64) (step int64, ok bool) {
	code = strings.Join(strings.Fields(code), "")
	present := now.Unix() / period
	for s := present - skew; s <= present+skew; s++ {
		want, err := totp.GenerateCodeCustom(key, time.Unix(s*period, 0), totp.ValidateOpts{Period: period, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && secret.Equal(want, code) && s > after && !ok {
			step, ok = s, true
		}
	}
	return step, ok
}
