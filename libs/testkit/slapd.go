package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The administrator of the directories that [Slapd] starts, and what all entries are
// below.
const (
	SlapdSuffix   = "dc=acme,dc=example"
	SlapdAdmin    = "cn=admin," + SlapdSuffix
	SlapdPassword = "the directory's own secret"
)

// SlapdServer is a running OpenLDAP server.
type SlapdServer struct {
	// URL is that of plain text and StartTLS, TLS that of ldaps.
	URL, TLS string
	// CA is the authority of the server's certificate, which is for 127.0.0.1 and
	// localhost, as PEM.
	CA string

	t     testing.TB
	dir   string
	ports [2]int

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// slapdConf is the configuration; the folder and the names above go into it. The
// class activeUser has what entries of Active Directory have and others do not.
const slapdConf = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.1.1 NAME 'activeUser' SUP top AUXILIARY MAY ( userAccountControl $ objectGUID $ sAMAccountName ) )
pidfile %[1]s/pid
argsfile %[1]s/args
TLSCACertificateFile %[1]s/ca.pem
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
TLSVerifyClient never
database mdb
suffix "%[2]s"
rootdn "%[3]s"
rootpw "%[4]s"
directory %[1]s/data
maxsize 67108864
overlay ppolicy
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`

// Slapd starts an OpenLDAP server with entries of LDIF below [SlapdSuffix], which is
// made by itself, on free ports of 127.0.0.1. It speaks plain text, StartTLS and
// ldaps, knows password policies, and shows nothing to who has not signed in. Entries
// may be of the class activeUser, whose attributes are those of Active Directory.
// Without slapd the test is skipped, or fails where CI=true.
func Slapd(t testing.TB, ldif string) *SlapdServer {
	t.Helper()
	program := slapdProgram(t, "slapd")
	s := &SlapdServer{t: t, dir: t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "data"), 0o700))
	s.CA = certificates(t, s.dir)
	conf := filepath.Join(s.dir, "slapd.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, slapdConf, s.dir, SlapdSuffix, SlapdAdmin, SlapdPassword), 0o600))
	first := "dn: " + SlapdSuffix + "\nobjectClass: dcObject\nobjectClass: organization\no: Acme\ndc: acme\n\n"
	file := filepath.Join(s.dir, "entries.ldif")
	require.NoError(t, os.WriteFile(file, []byte(first+ldif), 0o600))
	out, err := exec.Command(slapdProgram(t, "slapadd"), "-f", conf, "-l", file).CombinedOutput() //nolint:gosec,noctx // the test's own arguments; it ends by itself
	require.NoError(t, err, "slapadd: %s", out)
	t.Cleanup(s.Stop)
	for range 5 {
		s.ports = [2]int{FreePort(t), FreePort(t)}
		s.URL = "ldap://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.ports[0]))
		s.TLS = "ldaps://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.ports[1]))
		if s.start(program) {
			return s
		}
	}
	t.Fatalf("slapd does not start:\n%s", s.log())
	return nil
}

// slapdProgram returns a program of Debian's package slapd, which is not in every
// user's PATH.
func slapdProgram(t testing.TB, name string) string {
	t.Helper()
	for _, n := range []string{name, filepath.Join("/usr/sbin", name), filepath.Join("/usr/bin", name)} {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}
	how := name + " is not there; install it (Debian: apt-get install slapd ldap-utils rsyslog rsyslog-gnutls)"
	if os.Getenv("CI") == "true" {
		t.Fatal(how)
	}
	t.Skip(how)
	return ""
}

// start says whether the server answers. It does not when it has ended, as it does
// when a port is taken.
func (s *SlapdServer) start(program string) bool {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.dir, "log"))
	require.NoError(s.t, err)
	cmd := exec.Command(program, "-f", filepath.Join(s.dir, "slapd.conf"), "-h", s.URL+" "+s.TLS, "-d", "0") //nolint:gosec,noctx // the test's own arguments; ended by Stop
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(s.t, cmd.Start())
	exited := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.mu.Unlock()
	go func() {
		_ = cmd.Wait() // it is killed, which is an error
		_ = log.Close()
		close(exited)
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(startLimit)
	for {
		select {
		case <-exited:
			return false
		case <-limit:
			s.t.Fatalf("slapd at %s does not answer:\n%s", s.URL, s.log())
		case <-tick.C:
			if listens(s.ports[0]) && listens(s.ports[1]) {
				return true
			}
		}
	}
}

func listens(port int) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second) //nolint:noctx // bounded
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func (s *SlapdServer) log() []byte {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log")) // only to explain a failure
	return b
}

// Stop ends the server: a directory that is away. What is in it stays.
func (s *SlapdServer) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.exited
	s.cmd = nil
}

// Restart starts a stopped server again, at the same addresses.
func (s *SlapdServer) Restart() {
	s.t.Helper()
	s.Stop()
	if !s.start(slapdProgram(s.t, "slapd")) {
		s.t.Fatalf("slapd does not start again:\n%s", s.log())
	}
}

// Modify changes entries as the administrator, by LDIF with changetype (RFC 2849).
func (s *SlapdServer) Modify(ldif string) {
	s.t.Helper()
	cmd := exec.Command(slapdProgram(s.t, "ldapmodify"), "-x", "-H", s.URL, "-D", SlapdAdmin, "-w", SlapdPassword) //nolint:gosec,noctx // the test's own arguments; it ends by itself
	cmd.Stdin = strings.NewReader(ldif)
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "ldapmodify: %s", out)
}

// certificates writes an authority, and a certificate of it for this machine, into a
// folder, and returns the authority as PEM.
func certificates(t testing.TB, dir string) string {
	t.Helper()
	write := func(name, kind string, der []byte) string {
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		return string(text)
	}
	newKey := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return k
	}
	from, until := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of a test"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	authorityKey, key := newKey(), newKey()
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	require.NoError(t, err)
	ca := write("ca.pem", "CERTIFICATE", der)
	der, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: from, NotAfter: until,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority, key.Public(), authorityKey)
	require.NoError(t, err)
	write("cert.pem", "CERTIFICATE", der)
	der, err = x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	write("key.pem", "PRIVATE KEY", der)
	return ca
}
