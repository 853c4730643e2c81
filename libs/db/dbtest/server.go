package dbtest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// server is a process in a directory of its own.
type server struct {
	dsn   string
	dir   string
	cmd   *exec.Cmd
	alive io.Closer
}

// guard runs a server until its own input ends, which happens also when the
// test binary is killed, and then removes the directory.
const guard = `dir=$1; shift; "$@" </dev/null & server=$!; read -r _; kill -9 $server; wait $server; rm -rf "$dir"`

var errNotInstalled = errors.New("not installed")

// lookFor finds a program in PATH or in the places that Debian has for it.
func lookFor(name, pack string, places ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, place := range places {
		found, err := filepath.Glob(filepath.Join(place, name))
		if err == nil && len(found) > 0 {
			slices.Sort(found)
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%w: %s; apt-get install %s", errNotInstalled, name, pack)
}

// newServer makes the directory. Neither server runs as root, so if we are
// root it belongs to another user.
func newServer(users ...string) (*server, *syscall.SysProcAttr, error) {
	dir, err := os.MkdirTemp("", "gatehouse-db")
	if err != nil {
		return nil, nil, err
	}
	attr := &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must not reach it before the tests end
	if os.Getuid() != 0 {
		return &server{dir: dir}, attr, nil
	}
	for _, name := range append(users, "nobody") {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
			return nil, nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return &server{dir: dir}, attr, nil
	}
	return nil, nil, errors.New("a database server does not run as root, and there is no other user")
}

// prepare runs a program to its end.
func (s *server) prepare(attr *syscall.SysProcAttr, name string, args ...string) error {
	cmd := exec.Command(name, args...) //nolint:gosec,noctx // the test's own arguments, ends by itself
	cmd.SysProcAttr, cmd.Dir = attr, s.dir
	cmd.Env = append(os.Environ(), "HOME="+s.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("%s: %w: %s", name, err, out), os.RemoveAll(s.dir))
	}
	return nil
}

// run starts the server and does not wait until it answers.
func (s *server) run(attr *syscall.SysProcAttr, program ...string) error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()                                                    // the process has it
	s.cmd = exec.Command("sh", append([]string{"-c", guard, "sh", s.dir}, program...)...) //nolint:gosec,noctx // ended by stop
	s.cmd.SysProcAttr, s.cmd.Dir = attr, s.dir
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if s.alive, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	return s.cmd.Start()
}

func (s *server) stop() {
	_ = s.alive.Close()
	_ = s.cmd.Wait() // it was killed
	_ = os.RemoveAll(s.dir)
}

func startPostgres() (*server, error) {
	const place = "/usr/lib/postgresql/*/bin"
	initdb, err := lookFor("initdb", "postgresql", place)
	if err != nil {
		return nil, err
	}
	postgres, err := lookFor("postgres", "postgresql", place)
	if err != nil {
		return nil, err
	}
	s, attr, err := newServer("postgres")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	err = s.prepare(attr, initdb, "-D", data, "-U", "gatehouse", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	if err != nil {
		return nil, err
	}
	s.dsn = "postgres://gatehouse@/postgres?host=" + s.dir
	return s, s.run(attr, postgres, "-D", data, "-k", s.dir, "-h", "",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB", "-c", "max_connections=300")
}

func startMariaDB() (*server, error) {
	const pack = "mariadb-server"
	install, err := lookFor("mariadb-install-db", pack, "/usr/bin")
	if err != nil {
		return nil, err
	}
	mariadbd, err := lookFor("mariadbd", pack, "/usr/sbin", "/usr/local/sbin")
	if err != nil {
		return nil, err
	}
	if _, err := lookFor("my_print_defaults", pack, "/usr/bin"); err != nil { // the installation needs it
		return nil, err
	}
	s, attr, err := newServer("mysql")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	err = s.prepare(attr, install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db",
		"--innodb-log-file-size=8M", "--innodb-flush-method=nosync")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(s.dir, "socket")
	s.dsn = "mysql://root@/mysql?socket=" + socket
	return s, s.run(attr, mariadbd, "--no-defaults", "--datadir="+data, "--socket="+socket, "--pid-file="+filepath.Join(s.dir, "pid"),
		"--skip-networking", "--skip-log-bin", "--innodb-log-file-size=8M", "--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0",
		"--innodb-buffer-pool-size=32M", "--max-connections=300", "--performance-schema=off")
}
