package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// connectLimit bounds one attempt to connect, and one look at a server.
const connectLimit = 5 * time.Second

// target is one address.
type target struct {
	dialect Dialect
	name    string // for logs: host and database, no credentials
	path    string // sqlite
	pg      *pgx.ConnConfig
	my      *mysqldriver.Config
}

var errDSN = errors.New("want postgres://user@host:port/database, mysql://user@host:port/database or sqlite:PATH")

// parseDSN reads an address. Its errors never hold the address itself, which
// has a password in it.
func parseDSN(dsn string) (target, error) {
	scheme, rest, ok := strings.Cut(dsn, ":")
	if !ok {
		return target{}, errDSN
	}
	switch scheme {
	case "sqlite":
		if rest == "" || strings.ContainsAny(rest, "?#") || strings.Contains(rest, ":memory:") {
			return target{}, errors.New("want sqlite:PATH, the path of a file without ? and #")
		}
		return target{dialect: SQLite, name: rest, path: rest}, nil
	case "postgres", "postgresql":
		return parsePostgres(dsn)
	case "mysql", "mariadb":
		return parseMySQL(dsn)
	default:
		return target{}, errDSN
	}
}

func parsePostgres(dsn string) (target, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return target{}, errors.New("not a valid postgres address: check the escaping of the password and the parameters")
	}
	if cfg.Database == "" {
		return target{}, errors.New("the postgres address names no database")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectLimit
	}
	cfg.RuntimeParams["timezone"] = "UTC"
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "gatehouse"
	}
	return target{dialect: Postgres, name: fmt.Sprintf("%s:%d/%s", cfg.Host, cfg.Port, cfg.Database), pg: cfg}, nil
}

func parseMySQL(dsn string) (target, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return target{}, errors.New("not a valid mysql address: check the escaping of the password")
	}
	cfg := mysqldriver.NewConfig()
	cfg.Net, cfg.Addr = "tcp", u.Host
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	if u.Port() == "" {
		cfg.Addr = u.Host + ":3306"
	}
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	if cfg.DBName == "" || strings.Contains(cfg.DBName, "/") {
		return target{}, errors.New("the mysql address names no database")
	}
	for name, values := range u.Query() {
		switch name {
		case "socket":
			cfg.Net, cfg.Addr = "unix", values[0]
		case "tls":
			cfg.TLSConfig = values[0]
		default:
			return target{}, fmt.Errorf("the mysql address has an unknown parameter %q: known are socket and tls", name)
		}
	}
	cfg.Loc, cfg.ParseTime = time.UTC, true
	cfg.ClientFoundRows = true // rows that match, as on the other two
	cfg.Timeout = connectLimit
	cfg.Collation = "utf8mb4_nopad_bin"
	cfg.Logger = &mysqldriver.NopLogger{} // errors are returned
	cfg.Params = map[string]string{
		"time_zone":    "'+00:00'",
		"tx_isolation": "'READ-COMMITTED'",
		"sql_mode":     "'TRADITIONAL'",
	}
	name := cfg.Addr + "/" + cfg.DBName
	if cfg, err = normalized(cfg); err != nil {
		return target{}, errors.New("not a valid mysql address: check the tls parameter")
	}
	return target{dialect: MySQL, name: name, my: cfg}, nil
}

// normalized lets the driver check its own configuration.
func normalized(cfg *mysqldriver.Config) (*mysqldriver.Config, error) {
	if _, err := mysqldriver.NewConnector(cfg); err != nil {
		return nil, err
	}
	return cfg, nil
}

// open makes a pool of connections without connecting.
func (t target) open(readOnly bool) (*sql.DB, error) {
	switch t.dialect {
	case Postgres:
		return stdlib.OpenDB(*t.pg, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
			// Statements are prepared, and a plan for any value at all reads whole tables
			// where one for the value at hand reads an index. Compiling plans takes longer
			// than what short queries take. Not among the parameters of connecting, because
			// poolers refuse some of those.
			if _, err := c.Exec(ctx, "SET plan_cache_mode = force_custom_plan; SET jit = off", pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
			c.TypeMap().RegisterType(&pgtype.Type{
				Name: "timestamptz", OID: pgtype.TimestamptzOID,
				Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
			})
			return nil
		})), nil
	case MySQL:
		c, err := mysqldriver.NewConnector(t.my)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(c), nil
	default:
		return openSQLite(t.path, readOnly)
	}
}

func openSQLite(path string, readOnly bool) (*sql.DB, error) {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "foreign_keys(1)", "synchronous(FULL)"}}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Set("_txlock", "immediate") // never a read that cannot become a write
	}
	// A path may hold any byte; the driver unescapes none but cuts at "?".
	return sql.Open("sqlite", path+"?"+q.Encode())
}
