// Package entities says what can be read and written by itself: users, groups,
// clients and so on, each with its path and the fields that can be written. It is
// generated from the OpenAPI documents of the services, for the consoles too.
package entities

import (
	_ "embed"
	"encoding/json"
	"strings"
)

//go:generate go run ../genentities

// Entity is something that can be read and written by itself.
type Entity struct {
	// Kind is what it is called in its service's document, such as OAuthClient.
	Kind    string `json:"kind"`
	Service string `json:"service"`
	// Path is below the service, with its parameters in braces: /users/{id}.
	Path string `json:"path"`
	// Method writes it: PATCH sends what changes (RFC 7396), PUT all of it.
	Method string `json:"method"`
	// Within is the field of what is read in which the fields are; "" = they are there
	// themselves.
	Within string `json:"within,omitempty"`
	// Fields are those that can be written.
	Fields []string `json:"fields"`
}

//go:embed entities.json
var document []byte

// All are the entities of every service.
var All = func() (all []Entity) {
	if err := json.Unmarshal(document, &all); err != nil {
		panic(err) // it is generated
	}
	return all
}()

// At returns the entity at a path that begins with its service, such as
// /tenant-manager/users/0192.
func At(path string) (Entity, bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, e := range All {
		if matches(append([]string{e.Service}, strings.Split(strings.TrimPrefix(e.Path, "/"), "/")...), parts) {
			return e, true
		}
	}
	return Entity{}, false
}

func matches(template, parts []string) bool {
	if len(template) != len(parts) {
		return false
	}
	for i, t := range template {
		if parts[i] == "" || t != parts[i] && !strings.HasPrefix(t, "{") {
			return false
		}
	}
	return true
}
