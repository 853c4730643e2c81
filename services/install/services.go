package install

import (
	"fmt"
	"net/url"
	"strings"
)

// LimitMode is where the limits of plans count: the gateways share counts in Redis,
// so that a limit is one over all of them, and no request waits for that.
const LimitMode = "fast"

// keysURL is where gateways fetch the keys of tokens: the auth console's own name leads
// to the ingress, or in a container nowhere.
const keysURL = "http://bff:8080"

// services writes a folder for each service: its configuration, and the secrets
// that it refers to.
func (c *compose) services() error {
	join, err := c.state.Secret("join-token", Password)
	if err != nil {
		return err
	}
	redis, err := c.state.Secret("redis", Password)
	if err != nil {
		return err
	}
	own := map[string]string{
		"tenant-manager": fmt.Sprintf("consoleURL: %q\nportalURL: %q\nfirstRun: {consoleURL: %q}\n"+
			"oauth:\n  url: %q\n  gatewayUrl: %q\n  redis: {addresses: [\"redis:6379\"], password: \"file:/install/redis-password\"}\n",
			c.addresses.Tenant, c.addresses.Portal, c.addresses.Console, c.addresses.Auth, keysURL),
		"gateway-manager": fmt.Sprintf("import: {allow: [\"sample:9000\"]}\nseed:\n  groups:\n    - {organization: default, group: default, environment: dev, publicURL: %q, joinToken: \"file:/install/join-token\"}\n",
			c.addresses.Traffic),
		// Consumers call the traffic address, which is another one from inside.
		"devportal-backend": fmt.Sprintf("try: {dial: {%q: \"gateway:8000\"}}\n", hostPort(c.addresses.Traffic)),
		"policy-manager":    "limitMode: " + LimitMode + "\n",
		"bff":               "sessions:\n  redis: {addresses: [\"redis:6379\"], password: \"file:/install/redis-password\"}\n",
	}
	more := map[string]map[string]string{
		"gateway-manager": {"join-token": join},
		"bff":             {"redis-password": redis},
		"tenant-manager":  {"redis-password": redis},
	}
	for _, a := range c.access {
		if a.Client {
			continue
		}
		if err := c.service(a.Service, own[a.Service], more[a.Service]); err != nil {
			return err
		}
	}
	return nil
}

// service writes one service's folder.
func (c *compose) service(name, own string, more map[string]string) error {
	secrets := map[string]string{"nats-password": c.passwords[name]}
	for s, text := range more {
		secrets[s] = text
	}
	var err error
	if secrets["keyring"], err = c.state.Secret("keyring-"+name, Keyring); err != nil {
		return err
	}
	if secrets["pepper"], err = c.state.Secret("pepper-"+name, Pepper); err != nil {
		return err
	}
	config := "# Made by \"gatehouse install compose\" at each start.\nlisten: \"0.0.0.0:8080\"\noperations: \"0.0.0.0:8081\"\n" +
		"bus: {url: \"nats://nats:4222\", password: \"file:/install/nats-password\"}\n" +
		"secrets: {keyring: \"file:/install/keyring\", pepper: \"file:/install/pepper\"}\n"
	dsn, replica, err := c.dsn(name)
	if err != nil {
		return err
	}
	switch {
	case replica != "":
		secrets["dsn"], secrets["dsn-replica"] = dsn, replica
		config += "database: {dsn: \"file:/install/dsn\", replicas: [\"file:/install/dsn-replica\"]}\n"
	case dsn != "":
		secrets["dsn"] = dsn
		config += "database: {dsn: \"file:/install/dsn\"}\n"
	}
	d := c.dir(name, Nonroot)
	for s, text := range secrets {
		if err := d.Write(s, text+"\n", 0o400); err != nil {
			return err
		}
	}
	return d.Write("config.yaml", config+own, 0o400)
}

// dsn returns the addresses of a service's database and of its replica; none for
// a service without.
func (c *compose) dsn(name string) (primary, replica string, err error) {
	for _, group := range []struct {
		services []string
		of       func(host, password string) string
		hosts    []string
	}{
		{onPostgres, func(host, password string) string {
			return fmt.Sprintf("postgres://%s:%s@%s:5432/%[1]s?sslmode=disable", database(name), password, host)
		}, []string{"postgres", ""}},
		{onMariaDB, func(host, password string) string {
			return fmt.Sprintf("mysql://%s:%s@%s:3306/%[1]s", database(name), password, host)
		}, []string{"mariadb", "mariadb-replica"}},
	} {
		for _, s := range group.services {
			if s != name {
				continue
			}
			password, err := c.state.Secret("database-"+name, Password)
			if err != nil {
				return "", "", err
			}
			primary = group.of(group.hosts[0], password)
			if group.hosts[1] != "" {
				replica = group.of(group.hosts[1], password)
			}
		}
	}
	return primary, replica, nil
}

// gatewayFiles writes a folder for each gateway.
func (c *compose) gatewayFiles() error {
	join, err := c.state.Secret("join-token", Password)
	if err != nil {
		return err
	}
	redis, err := c.state.Secret("redis", Password)
	if err != nil {
		return err
	}
	admin, err := c.state.Secret("admin-token", Password)
	if err != nil {
		return err
	}
	for _, g := range c.gateways {
		key, err := c.state.Secret("data-key-"+g, Pepper)
		if err != nil {
			return err
		}
		d := c.dir(g, Nonroot)
		for s, text := range map[string]string{"nats-password": c.passwords[g], "join-token": join, "redis-password": redis, "data-key": key, "admin-token": admin} {
			if err := d.Write(s, text+"\n", 0o400); err != nil {
				return err
			}
		}
		if err := d.Write("gateway.yaml", strings.NewReplacer("GATEWAY", g, "INSIDE", inside).Replace(gatewayYAML), 0o400); err != nil {
			return err
		}
	}
	return nil
}

// inside are the networks that containers have.
const inside = `["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]`

const gatewayYAML = `# Made by "gatehouse install compose" at each start.
name: GATEWAY
listeners: [{address: "0.0.0.0:8000"}]
admin: {address: "0.0.0.0:8001", token: "file:/install/admin-token"}
data: /data
log: {spool: {dir: /data/spool}}
trustedProxies: INSIDE
dataKey: "file:/install/data-key"
redis: {addresses: ["redis:6379"], password: "file:/install/redis-password"}
controlPlane:
  url: "nats://nats:4222"
  username: GATEWAY
  password: "file:/install/nats-password"
  organization: default
  group: default
  joinToken: "file:/install/join-token"
`

// hostPort returns host and port of an address.
func hostPort(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return u.Hostname() + ":443"
	}
	return u.Hostname() + ":80"
}

// prometheus writes what is scraped: the services, and the gateways' listeners
// for operators, which ask for a token.
func (c *compose) prometheus() error {
	admin, err := c.state.Secret("admin-token", Password)
	if err != nil {
		return err
	}
	d := c.dir("prometheus", Nonroot)
	if err := d.Write("admin-token", admin, 0o400); err != nil {
		return err
	}
	var services, gateways []string
	for _, a := range c.access {
		if !a.Client {
			services = append(services, a.Service+":8081")
		}
	}
	for _, g := range c.gateways {
		gateways = append(gateways, g+":8001")
	}
	return d.Write("prometheus.yml", fmt.Sprintf(`# Made by "gatehouse install compose" at each start.
global: {scrape_interval: 15s}
scrape_configs:
  - job_name: services
    static_configs: [{targets: [%s]}]
  - job_name: gateways
    authorization: {credentials_file: /install/admin-token}
    static_configs: [{targets: [%s]}]
`, strings.Join(services, ", "), strings.Join(gateways, ", ")), 0o400)
}
