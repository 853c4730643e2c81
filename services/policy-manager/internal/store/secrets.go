package store

import "github.com/gatehouse/gatehouse/libs/secret"

// Secrets returns the columns that are encrypted.
func Secrets() []secret.Column {
	return []secret.Column{
		{Table: "policy_lists", Name: "policies"},
		{Table: "plans", Name: "policies"},
		{Table: "plans", Name: "security_config"},
		{Table: "policy_sets", Name: "policies"},
		{Table: "policy_set_versions", Name: "policies"},
	}
}
