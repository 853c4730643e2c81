package install

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/gatehouse/gatehouse/libs/bus"
)

// Nonroot is the user of all containers that are never root.
const Nonroot = 65532

// Addresses are how people and callers reach the installation.
type Addresses struct {
	// Console, Tenant, Auth and Portal are the consoles and the developer portal.
	Console, Tenant, Auth, Portal string
	// Traffic is where APIs are called.
	Traffic string
}

// compose is one run.
type compose struct {
	root      string
	addresses Addresses
	state     Dir
	access    []bus.Access
	gateways  []string
	passwords map[string]string // on the bus, by service
}

// Compose makes the files of docker-compose.yml: below root one folder for each
// container, each a volume of its own, and "state" with the secrets themselves.
// Every service may do on the bus what access says.
func Compose(root string, addresses Addresses, access []bus.Access, gateways []string) error {
	c := &compose{
		root: root, addresses: addresses, access: access, gateways: gateways, passwords: map[string]string{},
		state: Dir{Path: root + "/state", Owner: -1},
	}
	if err := os.MkdirAll(c.state.Path, 0o700); err != nil {
		return fmt.Errorf("making the folder of secrets: %w", err)
	}
	for _, step := range []func() error{c.data, c.nats, c.postgres, c.mariadb, c.redis, c.services, c.gatewayFiles, c.prometheus} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// dir is the volume of a container.
func (c *compose) dir(container string, owner int) Dir {
	return Dir{Path: c.root + "/" + container, Owner: owner}
}

// data gives the volumes of the containers that are never root, not even at their
// start, to the user that they run as.
func (c *compose) data() error {
	for _, container := range append([]string{"nats", "redis", "redis-replica", "prometheus"}, c.gateways...) {
		if err := c.dir("data/"+container, Nonroot).Own(); err != nil {
			return err
		}
	}
	return nil
}

// nats writes the server's configuration.
func (c *compose) nats() error {
	for _, a := range c.access {
		var err error
		if c.passwords[a.Service], err = c.state.Secret("nats-"+a.Service, Password); err != nil {
			return err
		}
	}
	text, err := NATS("0.0.0.0:4222", "127.0.0.1:8222", "/data", c.access, c.passwords)
	if err != nil {
		return err
	}
	return c.dir("nats", Nonroot).Write("nats.conf", text, 0o400)
}

// NATS returns the configuration of a nats-server that listens on an address, says
// over HTTP how it is on another ("" = nowhere), and keeps its files in a folder,
// with one user for each service, who may do what
// access says and nothing else. The passwords, by service, are in it as hashes
// only.
func NATS(listen, monitor, dir string, access []bus.Access, passwords map[string]string) (string, error) {
	var users strings.Builder
	for _, a := range access {
		// Random passwords of 130 bits need no slow hash: the lowest cost will do.
		hash, err := bcrypt.GenerateFromPassword([]byte(passwords[a.Service]), bcrypt.MinCost)
		if err != nil {
			return "", fmt.Errorf("hashing the password of %s: %w", a.Service, err)
		}
		grant, err := a.Grant()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&users, "    { user: %q, password: %q, permissions: %s    }\n", a.Service, hash, grant)
	}
	if monitor != "" {
		monitor = fmt.Sprintf("http: %q\n", monitor)
	}
	return fmt.Sprintf(`# Made by "gatehouse install compose" at each start.
server_name: nats
listen: %q
%smax_payload: 1MB
max_pending: 64MB
write_deadline: "10s"
jetstream { store_dir: %q, max_memory_store: 32MB, max_file_store: 8GB, sync_interval: "2s" }
authorization {
  users: [
`, listen, monitor, dir) + users.String() + `  ]
}
`, nil
}

// database returns the name of a service's database and user.
func database(service string) string { return strings.ReplaceAll(service, "-", "_") }

// The services by the database that they own.
var (
	onPostgres = []string{"tenant-manager", "gateway-manager"}
	onMariaDB  = []string{"policy-manager", "analysis-manager", "devportal-backend"}
)

func (c *compose) postgres() error {
	d := c.dir("postgres", -1)
	root, err := c.state.Secret("postgres", Password)
	if err != nil {
		return err
	}
	sql := "-- Made at the first start; run when the data folder is empty.\n"
	for _, s := range onPostgres {
		password, err := c.state.Secret("database-"+s, Password)
		if err != nil {
			return err
		}
		sql += fmt.Sprintf("CREATE ROLE %[1]s LOGIN PASSWORD '%[2]s';\nCREATE DATABASE %[1]s OWNER %[1]s;\n", database(s), password)
	}
	if err := d.Write("password", root+"\n", 0o400); err != nil {
		return err
	}
	return d.Write("10-gatehouse.sql", sql, 0o444)
}

func (c *compose) mariadb() error {
	root, err := c.state.Secret("mariadb", Password)
	if err != nil {
		return err
	}
	replica, err := c.state.Secret("mariadb-replica", Password)
	if err != nil {
		return err
	}
	// Both servers make users and databases by themselves; what follows is
	// replicated.
	sql := "SET SESSION sql_log_bin = 0;\n"
	for _, s := range onMariaDB {
		password, err := c.state.Secret("database-"+s, Password)
		if err != nil {
			return err
		}
		sql += fmt.Sprintf("CREATE DATABASE IF NOT EXISTS %[1]s CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;\n"+
			"CREATE USER IF NOT EXISTS '%[1]s'@'%%' IDENTIFIED BY '%[2]s';\nGRANT ALL ON %[1]s.* TO '%[1]s'@'%%';\n", database(s), password)
	}
	primary := sql + fmt.Sprintf("CREATE USER IF NOT EXISTS 'replica'@'%%' IDENTIFIED BY '%s';\nGRANT REPLICATION SLAVE ON *.* TO 'replica'@'%%';\n", replica)
	for container, text := range map[string]string{"mariadb": primary, "mariadb-replica": sql} {
		d := c.dir(container, -1)
		if err := d.Write("password", root+"\n", 0o400); err != nil {
			return err
		}
		if err := d.Write("10-gatehouse.sql", text, 0o444); err != nil {
			return err
		}
	}
	// Run at each start, one statement a line; the place in the primary's log is
	// kept apart from it (GTID). A primary that comes back is asked soon: until then
	// lists are read as they were.
	return c.dir("mariadb-replica", -1).Write("start.init", fmt.Sprintf(
		"CHANGE MASTER TO MASTER_HOST = 'mariadb', MASTER_USER = 'replica', MASTER_PASSWORD = '%s', MASTER_CONNECT_RETRY = 2, MASTER_USE_GTID = slave_pos;\nSTART SLAVE;\n", replica,
	), 0o444)
}

func (c *compose) redis() error {
	d := c.dir("redis", Nonroot)
	password, err := c.state.Secret("redis", Password)
	if err != nil {
		return err
	}
	conf := fmt.Sprintf("bind 0.0.0.0\nprotected-mode yes\nrequirepass %[1]s\nmasterauth %[1]s\ndir /data\nappendonly yes\nappendfsync everysec\nmaxmemory 64mb\nmaxmemory-policy noeviction\n", password)
	if err := d.Write("primary.conf", conf, 0o400); err != nil {
		return err
	}
	if err := d.Write("replica.conf", conf+"replicaof redis 6379\n", 0o400); err != nil {
		return err
	}
	return d.Write("password", password+"\n", 0o400)
}
