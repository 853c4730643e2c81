package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/mail"
	"strings"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
)

// said is what a directory says of a user or group that counts here.
type said struct {
	userName, externalID string
	// email and name are those of the user here.
	email, name string
	// active is nil where nothing is said of it.
	active *bool
	// rest is what is kept as JSON.
	rest string
}

func textOf(in map[string]any, name string) string {
	s, _ := in[name].(string)
	return s
}

// saidOf reads a resource.
func saidOf(in map[string]any) (said, error) {
	out := said{userName: textOf(in, "userName"), externalID: textOf(in, "externalId"), email: emailIn(in), name: nameIn(in)}
	if is, ok := in["active"].(bool); ok {
		out.active = &is
	}
	for name, s := range map[string]string{"userName": out.userName, "externalId": out.externalID} {
		if len([]rune(s)) > longestName {
			return out, scim.Fail(http.StatusBadRequest, scim.InvalidValue, "%s has at most %d characters", name, longestName)
		}
	}
	rest := map[string]any{}
	for name, v := range in {
		switch name {
		case "userName", "externalId", "active", "members":
		default:
			rest[name] = v
		}
	}
	b, err := json.Marshal(rest)
	if err == nil && len(b) > mostAttributes {
		err = scim.Fail(http.StatusBadRequest, scim.InvalidValue, "the attributes have at most %d bytes", mostAttributes)
	}
	out.rest = string(b)
	return out, err
}

// nameIn returns how people read a name, "" where there is none.
func nameIn(in map[string]any) string {
	name, _ := in["name"].(map[string]any)
	parts := strings.TrimSpace(textOf(name, "givenName") + " " + textOf(name, "familyName"))
	s := strings.TrimSpace(cmp.Or(strings.TrimSpace(textOf(in, "displayName")), strings.TrimSpace(textOf(name, "formatted")), parts))
	if r := []rune(s); len(r) > longestShown {
		s = strings.TrimSpace(string(r[:longestShown]))
	}
	return s
}

// emailIn returns the e-mail address of a user: the user name, where it is one, or
// the primary one, that of work, or the first.
func emailIn(in map[string]any) string {
	if s := textOf(in, "userName"); isEmail(s) {
		return s
	}
	list, _ := in["emails"].([]any)
	best, rank := "", 0
	for _, x := range list {
		o, _ := x.(map[string]any)
		s, r := textOf(o, "value"), 1
		if strings.EqualFold(textOf(o, "type"), "work") {
			r = 2
		}
		if o["primary"] == true {
			r = 3
		}
		if isEmail(s) && r > rank {
			best, rank = s, r
		}
	}
	return best
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= longestName
}
