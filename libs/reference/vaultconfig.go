package reference

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

// VaultConfig says where HashiCorp Vault is, or what speaks its API, such as
// OpenBao, and who asks it. One of token, appRole and kubernetes says who.
type VaultConfig struct {
	// Address is such as https://vault.example.com:8200. Without TLS only an address
	// of this machine is accepted.
	Address string `json:"address" schema:"required,maxLength=500"`
	// Namespace is that of Vault Enterprise, such as apim/prod.
	Namespace string `json:"namespace,omitempty" schema:"maxLength=200"`
	// CA is a file of PEM certificates of the authorities that are trusted; the
	// default are the system's.
	CA string `json:"ca,omitempty"`
	// Token is a token of Vault, as env:NAME or file:PATH, such as the sink of Vault
	// Agent. A file is read again when its token ends.
	Token schema.Secret `json:"token,omitzero"`
	// AppRole signs in with a role and its secret.
	AppRole *AppRole `json:"appRole,omitempty"`
	// Kubernetes signs in with the token of a service account.
	Kubernetes *Kubernetes `json:"kubernetes,omitempty"`
	// Refresh is how long a secret is used before it is read again; the default is
	// one minute.
	Refresh schema.Duration `json:"refresh,omitempty" schema:"min=1s,max=24h"`
	// Timeout bounds a request; the default is five seconds.
	Timeout schema.Duration `json:"timeout,omitempty" schema:"min=100ms,max=1m"`
}

// AppRole is a role of Vault for programs.
type AppRole struct {
	// Mount is where the method is; the default is approle.
	Mount string `json:"mount,omitempty" schema:"maxLength=200"`
	// RoleID names the role.
	RoleID string `json:"roleId" schema:"required,maxLength=200"`
	// SecretID is its secret, as env:NAME or file:PATH.
	SecretID schema.Secret `json:"secretId" schema:"required"`
}

// Kubernetes is a role of Vault that is bound to a service account.
type Kubernetes struct {
	// Mount is where the method is; the default is kubernetes.
	Mount string `json:"mount,omitempty" schema:"maxLength=200"`
	// Role is the role of Vault.
	Role string `json:"role" schema:"required,maxLength=200"`
	// TokenFile has the service account's token; the default is
	// /var/run/secrets/kubernetes.io/serviceaccount/token. It is read at each sign-in.
	TokenFile string `json:"tokenFile,omitempty"`
}

// Validate returns what the form does not say.
func (c *VaultConfig) Validate() []problem.Field {
	if c == nil {
		return nil
	}
	var fields []problem.Field
	bad := func(pointer, code, detail string) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	u, err := url.Parse(c.Address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		bad("/address", schema.RuleFormat, "use an address such as https://vault.example.com:8200")
	case u.Scheme == "http" && !ownMachine(u.Hostname()):
		bad("/address", schema.RuleInvalid, "without TLS the token and the secrets can be read on the way: use https, or an address of this machine such as http://127.0.0.1:8200")
	}
	ways := 0
	for _, set := range []bool{c.Token.IsSet(), c.AppRole != nil, c.Kubernetes != nil} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		bad("", schema.RuleInvalid, "say who asks, in one way: token, appRole or kubernetes")
	}
	secrets := map[string]schema.Secret{"/token": c.Token}
	if c.AppRole != nil {
		secrets["/appRole/secretId"] = c.AppRole.SecretID
	}
	for pointer, s := range secrets {
		if strings.HasPrefix(s.Reference(), Vault+":") {
			bad(pointer, schema.RuleInvalid, "what opens Vault cannot be in it: use env:NAME or file:PATH")
		}
	}
	return fields
}

func ownMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || net.ParseIP(host) == nil && strings.EqualFold(host, "localhost")
}
