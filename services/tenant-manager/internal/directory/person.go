package directory

import (
	"encoding/hex"
	"fmt"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// personOf returns whom an entry is.
func personOf(e *ldap.Entry, s store.LDAPSettings, typed string) (Found, error) {
	found := Found{DN: e.DN, Person: sso.Person{
		Subject: subject(e, s.SubjectAttribute), Email: address(e.GetEqualFoldAttributeValues(s.EmailAttribute), typed),
		Name: short(strings.TrimSpace(e.GetEqualFoldAttributeValue(s.NameAttribute))), Methods: []string{factor.ByPassword},
	}}
	if found.Subject == "" {
		return found, &UnavailableError{e.DN + " has no " + s.SubjectAttribute + " that may be seen, by which people are told apart"}
	}
	return found, nil
}

// subject returns what somebody is told apart by, which never changes.
func subject(e *ldap.Entry, attribute string) string {
	raw := e.GetEqualFoldRawAttributeValue(attribute)
	switch {
	case strings.EqualFold(attribute, "objectGUID") && len(raw) == 16:
		return guid(raw)
	case !utf8.Valid(raw):
		return hex.EncodeToString(raw)
	}
	return strings.TrimSpace(string(raw))
}

// guid returns a GUID as it is written (MS-DTYP section 2.3.4.3): the first three
// parts come with their lowest byte first.
func guid(b []byte) string {
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x-%02x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:16])
}

// address returns the e-mail address of somebody: what they typed in where it is
// among theirs, else the first; "" where there is none that is right.
func address(values []string, typed string) string {
	first := ""
	for _, v := range values {
		a, err := mail.ParseAddress(strings.TrimSpace(v))
		switch {
		case err != nil || len(a.Address) > 254:
		case strings.EqualFold(a.Address, strings.TrimSpace(typed)):
			return a.Address
		case first == "":
			first = a.Address
		}
	}
	return first
}

// stateAttributes say whether an account is switched off.
func stateAttributes() []string {
	return []string{"userAccountControl", "pwdAccountLockedTime", "nsAccountLock"}
}

const (
	// accountDisable is a bit of userAccountControl (MS-ADTS section 2.2.16).
	accountDisable = 0x2
	// lockedForGood is the pwdAccountLockedTime of an account that an administrator
	// locked (draft-behera-ldap-password-policy-10 section 5.3.3).
	lockedForGood = "000001010000Z"
)

// switchedOff returns why an account is, "" where it is not. A lock that runs out
// by itself counts only where the directory refused, because the time of one that
// is over stays until the next sign-in.
func switchedOff(e *ldap.Entry, refused bool) string {
	if flags, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("userAccountControl"), 10, 64); err == nil && flags&accountDisable != 0 {
		return "the account is disabled in the directory (userAccountControl has ACCOUNTDISABLE)"
	}
	if strings.EqualFold(e.GetEqualFoldAttributeValue("nsAccountLock"), "true") {
		return "the account is disabled in the directory (nsAccountLock)"
	}
	switch locked := e.GetEqualFoldAttributeValue("pwdAccountLockedTime"); {
	case locked == lockedForGood:
		return "the account is locked in the directory (pwdAccountLockedTime)"
	case locked != "" && refused:
		return "the account is locked in the directory since " + short(locked) + " (pwdAccountLockedTime)"
	}
	return ""
}

var activeData = regexp.MustCompile(`AcceptSecurityContext error, data ([0-9a-f]+)`)

// whyRefused returns why a directory did not take a password. Active Directory says
// it by a code of Windows in hexadecimal digits.
func whyRefused(err error) string {
	said := reasonOf(err)
	why := map[string]string{
		"525": "there is no such account", "52e": "the password is not right", "530": "the account may not sign in at this time",
		"531": "the account may not sign in from here", "532": "the password has run out", "533": "the account is disabled in the directory",
		"701": "the account has run out", "773": "the password has to be changed first", "775": "the account is locked in the directory",
	}
	if m := activeData.FindStringSubmatch(said); m != nil && why[m[1]] != "" {
		return why[m[1]] + " (" + said + ")"
	}
	return "the directory does not take the password: " + said
}

const (
	mostShown      = 100
	mostValues     = 20
	mostValueShown = 300
)

// shown returns the attributes of an entry that may be seen by who tests a
// connection: no secrets, and what is not text only by its size.
func shown(e *ldap.Entry) map[string][]string {
	out := map[string][]string{}
	for _, a := range e.Attributes {
		if secretive(a.Name) || len(out) == mostShown {
			continue
		}
		var values []string
		for i, raw := range a.ByteValues {
			switch {
			case i == mostValues:
				values = append(values, "…")
			case i > mostValues:
			case strings.EqualFold(a.Name, "objectGUID") && len(raw) == 16:
				values = append(values, guid(raw))
			case !utf8.Valid(raw) || strings.ContainsRune(string(raw), 0):
				values = append(values, strconv.Itoa(len(raw))+" bytes")
			case len(raw) > mostValueShown:
				values = append(values, strings.ToValidUTF8(string(raw[:mostValueShown]), "")+"…")
			default:
				values = append(values, string(raw))
			}
		}
		out[a.Name] = values
	}
	return out
}

// secretive reports whether an attribute may hold a secret, judged by its name.
func secretive(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "pwdaccountlockedtime", "pwdlastset", "pwdchangedtime", "badpwdcount", "badpasswordtime":
		return false
	}
	for _, part := range []string{"password", "pwd", "key", "credential", "secret", "token"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
