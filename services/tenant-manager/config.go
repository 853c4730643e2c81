package tenantmanager

import (
	"cmp"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"regexp"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Config is the configuration of the service.
type Config struct {
	service.Config
	// ConsoleURL is where the consoles are, such as https://tenant-admin.example.com;
	// links of invitations begin with it.
	ConsoleURL string `json:"consoleURL,omitempty"`
	// PortalURL is where the developer portal is; links that invite people who use
	// APIs begin with it. The default is ConsoleURL.
	PortalURL string `json:"portalURL,omitempty"`
	// FirstRun is what the first start makes.
	FirstRun FirstRun `json:"firstRun,omitzero"`
	// Sessions say how long people stay signed in.
	Sessions Sessions `json:"sessions,omitzero"`
	// Passkeys say for which addresses passkeys are.
	Passkeys Passkeys `json:"passkeys,omitzero"`
	// Passwords say which passwords people can choose.
	Passwords Passwords `json:"passwords,omitzero"`
	// InvitationLifetime is how long an invitation can be accepted.
	InvitationLifetime schema.Duration `json:"invitationLifetime,omitempty" schema:"min=1m,max=8760h"`
	// Outbound says which networks the service goes to for addresses that
	// administrators of organizations name, such as receivers of the audit trail.
	// Public ones it always does.
	Outbound egress.Guard `json:"outbound,omitzero"`
	// Mail says how mail is sent. Administrators of the platform can set something
	// else by the API. Without either, links are shown to administrators.
	Mail Mail `json:"mail,omitzero"`
	// DNS says how it is found out whether an organization runs a domain.
	DNS DNS `json:"dns,omitzero"`
	// OAuth is the authorization server, which gives consumers tokens for APIs.
	OAuth OAuth `json:"oauth,omitzero"`

	// Services are the names of all services of the installation.
	Services []string `json:"-"`
	// LastBackup, where not nil, returns the last backup; nil = there is none yet.
	LastBackup func() (*Backup, error) `json:"-"`
	// OnFirstRun, where not nil, is handed each one-time code of the first run.
	OnFirstRun func(code string) `json:"-"`
	// OnSlowStep, where not nil, is told of each step of a sign-in that takes its
	// time before it is taken: "hash", a password hashed here, and "bind", one that a
	// directory is asked about.
	OnSlowStep func(step string) `json:"-"`
	// Listening, where not nil, is told the TCP address.
	Listening func(net.Addr) `json:"-"`
}

// DNS says how it is found out whether an organization runs a domain: by a TXT
// record.
type DNS struct {
	// Servers are the resolvers that are asked, host:port, in turn. Without any, those
	// of the system are.
	Servers []string `json:"servers,omitempty" schema:"format=hostport"`
	// Every is how often it is seen which domains are due to be looked for.
	Every schema.Duration `json:"every,omitempty" schema:"min=1s,max=1h"`
}

// Backup is a copy of the installation's data.
type Backup struct {
	At   time.Time `json:"at"`
	File string    `json:"file"`
	// Size is in bytes.
	Size int64 `json:"size"`
	// Keys says that the keys are in it.
	Keys bool `json:"keys"`
}

// FirstRun is the first organization, and where its owner goes.
type FirstRun struct {
	// Organization is the slug of the first organization. It never changes.
	Organization string `json:"organization,omitempty"`
	// Name is the name of the first organization, until the owner gives it
	// another.
	Name string `json:"name,omitempty"`
	// ConsoleURL is where the admin console is: the link for the first sign-in
	// begins with it. Without it only the code is logged.
	ConsoleURL string `json:"consoleURL,omitempty"`
}

// Sessions say how long people stay signed in.
type Sessions struct {
	// Idle is how long a session lasts without being used.
	Idle schema.Duration `json:"idle,omitempty" schema:"min=5m,max=8760h"`
	// Lifetime is how long a session lasts at most.
	Lifetime schema.Duration `json:"lifetime,omitempty" schema:"min=5m,max=8760h"`
	// RefreshLeeway is how long a refresh token that was exchanged is answered
	// with its successor once more, for clients whose answer was lost. By default
	// it is not, and ends the session.
	RefreshLeeway schema.Duration `json:"refreshLeeway,omitempty" schema:"min=0s,max=1m"`
}

// Passwords say which passwords people can choose.
type Passwords struct {
	// Leaked is a file of leaked passwords, which are refused. The command passwords
	// import writes it; it can be written anew at any time. The most common passwords
	// are refused without it.
	Leaked string `json:"leaked,omitempty"`
}

// Passkeys say for which addresses passkeys are.
type Passkeys struct {
	// Domain is what passkeys belong to, such as example.com: the apps at or below
	// it share them. Without it every host name has its own.
	Domain string `json:"domain,omitempty"`
	// Origins are the addresses of the apps, such as https://admin.example.com. The
	// default is those of consoleURL, portalURL, firstRun.consoleURL and oauth.url.
	Origins []string `json:"origins,omitempty"`
}

// parties returns the relying parties.
func (c *Config) parties() (*factor.Parties, error) {
	origins := c.Passkeys.Origins
	if len(origins) == 0 {
		for _, o := range []string{c.ConsoleURL, c.PortalURL, c.FirstRun.ConsoleURL, c.OAuth.URL} {
			// Browsers know no passkeys of addresses without a name.
			if u, err := url.Parse(o); err != nil || net.ParseIP(u.Hostname()) == nil {
				origins = append(origins, o)
			}
		}
	}
	return factor.NewParties("Gatehouse", c.Passkeys.Domain, origins...)
}

// OAuth is the authorization server.
type OAuth struct {
	// URL is where the auth console is, such as https://auth-admin.example.com;
	// issuers begin with it. Without it there is no authorization server.
	URL string `json:"url,omitempty"`
	// GatewayURL is where gateways fetch the keys of issuers, where they do not reach
	// url: that of the bff, such as http://bff:8080.
	GatewayURL string `json:"gatewayUrl,omitempty" schema:"format=http-url"`
	// Redis keeps codes, opaque tokens and revocations; without it the database
	// does.
	Redis *Redis `json:"redis,omitempty"`
	// TokensPerSecond is how many tokens a client may ask for in a second; 0 = any
	// number.
	TokensPerSecond int `json:"tokensPerSecond,omitempty" schema:"min=0,max=1000000"`
	// Origins are further addresses of apps that people sign in at by it, such as host
	// names of organizations. Those of firstRun.consoleURL (admin), consoleURL (tenant)
	// and portalURL (portal) are known.
	Origins Origins `json:"origins,omitzero"`
	// ClientCertificates has clients prove who they are by a certificate, and binds
	// tokens to it (RFC 8705). Without it no certificate counts.
	ClientCertificates *ClientCertificates `json:"clientCertificates,omitempty"`
}

// Origins are addresses of apps, such as https://developers.example.com.
type Origins struct {
	// Admin are those of the admin console.
	Admin []string `json:"admin,omitempty"`
	// Tenant are those of the tenant console.
	Tenant []string `json:"tenant,omitempty"`
	// Portal are those of the developer portal.
	Portal []string `json:"portal,omitempty"`
}

// apps returns the apps that sign people in by the authorization server.
func (c *Config) apps() []oauth.App {
	all := func(first string, more []string) []string {
		if first == "" {
			return more
		}
		return append([]string{first}, more...)
	}
	return []oauth.App{
		{Name: "admin", Title: "Admin console", Origins: all(c.FirstRun.ConsoleURL, c.OAuth.Origins.Admin)},
		{Name: "tenant", Title: "Tenant console", Origins: all(c.ConsoleURL, c.OAuth.Origins.Tenant)},
		{Name: "portal", Title: "Developer portal", Origins: all(c.PortalURL, c.OAuth.Origins.Portal)},
	}
}

// ClientCertificates say where the certificates of clients come from. Those that
// the bff tells count always: it has a setting of its own, clientCertificateHeader.
type ClientCertificates struct {
	// Header is the field in which a proxy before this service tells the certificate
	// that a client has shown to it: as RFC 9440 has it, as escaped PEM, or as base64
	// of the DER form.
	Header string `json:"header,omitempty" schema:"pattern=^[A-Za-z0-9-]{1,64}$"`
	// TrustedProxies are the peers whose header is believed.
	TrustedProxies []schema.CIDR `json:"trustedProxies,omitempty"`
	// URL is where the endpoints are that ask for a certificate, where oauth.url does
	// not, such as https://auth-admin.mtls.example.com. Metadata names them in
	// mtls_endpoint_aliases.
	URL string `json:"url,omitempty"`
}

func (o *OAuth) certificatesURL() string {
	if o.ClientCertificates == nil {
		return ""
	}
	return o.ClientCertificates.URL
}

// Redis is where short-lived things are kept.
type Redis struct {
	// Addresses are host:port of the server, of the Sentinels, or of some nodes of
	// a cluster.
	Addresses []string `json:"addresses" schema:"required,minItems=1,format=hostport"`
	// Primary is the name of the primary that Sentinels watch.
	Primary string `json:"primary,omitempty"`
	// Cluster says that the addresses are nodes of a cluster.
	Cluster bool `json:"cluster,omitempty"`
	// Username is for Redis's access control lists.
	Username string `json:"username,omitempty"`
	// Password is best written as env:NAME or file:PATH.
	Password schema.Secret `json:"password,omitzero"`
	// SentinelPassword is for the Sentinels themselves.
	SentinelPassword schema.Secret `json:"sentinelPassword,omitzero"`
	// Database is the number of the database.
	Database int `json:"database,omitempty" schema:"min=0"`
	// TLS encrypts the connection; certificates are verified.
	TLS bool `json:"tls,omitempty"`
	// Prefix begins every key.
	Prefix string `json:"prefix,omitempty"`
}

// DefaultConfig returns the values of what a file leaves out.
func DefaultConfig() Config {
	return Config{
		Config:             service.DefaultConfig(),
		FirstRun:           FirstRun{Organization: "default", Name: "Default"},
		Sessions:           Sessions{Idle: schema.Duration(7 * day), Lifetime: schema.Duration(30 * day)},
		InvitationLifetime: schema.Duration(7 * day),
		OAuth:              OAuth{TokensPerSecond: 200},
		DNS:                DNS{Every: schema.Duration(time.Minute)},
		Services:           []string{tenant.Service, gateway.Service, policy.Service, analysis.Service, portal.Service, "bff"},
	}
}

// Mail says how mail is sent.
type Mail struct {
	// Host is the name of the SMTP server; "" = no mail is sent.
	Host string `json:"host,omitempty"`
	// Port is usually 587 with starttls and 465 with tls. 0 = that.
	Port int `json:"port,omitempty" schema:"min=0,max=65535"`
	// Security is tls from the start, starttls, or none, which leads only to a
	// server on the same machine.
	Security string `json:"security,omitempty" schema:"enum=tls|starttls|none"`
	// Username is for servers that ask for one.
	Username string `json:"username,omitempty"`
	// Password is that of the user, best written as env:NAME or file:PATH.
	Password schema.Secret `json:"password,omitzero"`
	// From is the address of the sender.
	From string `json:"from,omitempty"`
	// FromName is the name of the sender; "" = that of the organization.
	FromName string `json:"fromName,omitempty"`
	// Language is that of mail to people of whom none is known.
	Language string `json:"language,omitempty" schema:"enum=en|de|ko"`
	// CA is the authority of the server's certificate as PEM; "" = those of the
	// system.
	CA string `json:"ca,omitempty"`
}

// settings returns them as they are used; nil = no mail is sent.
func (m Mail) settings() *store.MailSettings {
	if m.Host == "" {
		return nil
	}
	security := cmp.Or(m.Security, store.MailStartTLS)
	ports := map[string]int{store.MailTLS: 465, store.MailStartTLS: 587, store.MailPlain: 25}
	return &store.MailSettings{
		Host: m.Host, Port: cmp.Or(m.Port, ports[security]), Security: security, Username: m.Username, Password: secret.NewText(m.Password.Reveal()),
		FromAddress: m.From, FromName: m.FromName, Language: cmp.Or(m.Language, "en"), CA: m.CA,
	}
}

var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Validate checks what the form of the configuration does not say.
func (c *Config) Validate() []problem.Field {
	var fields []problem.Field
	add := func(pointer, code, detail string) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if !c.Secrets.Keyring.IsSet() {
		add("/secrets/keyring", schema.RuleRequired, "signing keys are stored encrypted: make a key with openssl rand -hex 32")
	}
	fields = append(fields, c.Outbound.Check("/outbound")...)
	if !slug.MatchString(c.FirstRun.Organization) {
		add("/firstRun/organization", schema.RuleFormat, "use lower-case letters, digits and hyphens, at most 63")
	}
	for pointer, s := range map[string]string{"/consoleURL": c.ConsoleURL, "/portalURL": c.PortalURL, "/oauth/url": c.OAuth.URL, "/firstRun/consoleURL": c.FirstRun.ConsoleURL, "/oauth/clientCertificates/url": c.OAuth.certificatesURL()} {
		if u, err := url.Parse(s); s != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			add(pointer, schema.RuleFormat, "use an address such as https://admin.example.com")
		}
	}
	for name, list := range map[string][]string{"admin": c.OAuth.Origins.Admin, "tenant": c.OAuth.Origins.Tenant, "portal": c.OAuth.Origins.Portal} {
		for i, s := range list {
			if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Scheme+"://"+u.Host != s {
				add(fmt.Sprintf("/oauth/origins/%s/%d", name, i), schema.RuleFormat, "use an address without a path, such as https://developers.example.com")
			}
		}
	}
	if _, err := netmail.ParseAddress(c.Mail.From); c.Mail.Host != "" && err != nil {
		add("/mail/from", schema.RuleFormat, "use an address such as gatehouse@example.com")
	}
	if cc := c.OAuth.ClientCertificates; cc != nil && (cc.Header == "") != (len(cc.TrustedProxies) == 0) {
		add("/oauth/clientCertificates/trustedProxies", schema.RuleInvalid, "a header is believed from trusted proxies only: name both, or neither")
	}
	if _, err := c.parties(); err != nil {
		add("/passkeys/origins", schema.RuleFormat, err.Error())
	}
	return fields
}
