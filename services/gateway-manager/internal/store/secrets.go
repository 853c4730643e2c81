package store

import "github.com/gatehouse/gatehouse/libs/secret"

// Secrets returns the columns that are encrypted.
func Secrets() []secret.Column {
	return []secret.Column{
		{Table: "organizations", Name: "settings"},
		{Table: "manifest_keys", Name: "private_key"},
		{Table: "apis", Name: "upstreams"},
		{Table: "revisions", Name: "content"},
	}
}
