package testkit

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// searchAddress names the variable with the address of a node of OpenSearch or
// Elasticsearch that is already there, such as http://127.0.0.1:9200.
const searchAddress = "GATEHOUSE_TEST_OPENSEARCH"

// searchLimit bounds how long a node may take to answer: it is a Java program
// that compiles itself, on a machine that may be busy.
const searchLimit = 3 * time.Minute

// searchHolder starts one node for a test binary, since it takes seconds.
type searchHolder struct {
	mu      sync.Mutex
	address string
	err     error
	alive   io.Closer // the node ends when this is closed, or lost
}

var searchNode searchHolder

// Search returns the address of a node of OpenSearch that answers, for indexes
// of the test's own. It is the one that GATEHOUSE_TEST_OPENSEARCH names, or is
// started on a port of 127.0.0.1, once for all tests of a binary, and ends with
// it. Without Java, or the jars that deploy/setup fetches, the test is skipped,
// or fails where CI=true.
func Search(t testing.TB) string {
	t.Helper()
	if address := os.Getenv(searchAddress); address != "" {
		return strings.TrimSuffix(address, "/")
	}
	h := &searchNode
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.address == "" && h.err == nil {
		h.address, h.alive, h.err = startSearch(t)
	}
	var missing *missingError
	switch {
	case errors.As(h.err, &missing) && os.Getenv("CI") != "true":
		t.Skip(h.err)
	case h.err != nil:
		t.Fatal(h.err)
	}
	return h.address
}

// missingError is what is not installed.
type missingError struct{ how string }

func (e *missingError) Error() string { return e.how }

// searchFolder returns deploy/search-node of the repository that the test is of.
func searchFolder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		found := filepath.Join(dir, "deploy", "search-node")
		if _, err := os.Stat(filepath.Join(found, "Node.java")); err == nil {
			return found, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", &missingError{"deploy/search-node is not above the folder of the test"}
		}
		dir = parent
	}
}

func startSearch(t testing.TB) (address string, alive io.Closer, err error) {
	t.Helper()
	folder, err := searchFolder()
	if err != nil {
		return "", nil, err
	}
	if _, err := exec.LookPath("java"); err != nil {
		return "", nil, &missingError{"java is not in PATH; run deploy/setup (Debian: apt-get install default-jdk-headless)"}
	}
	out, err := exec.Command(filepath.Join(folder, "fetch")).Output() //nolint:gosec,noctx // the repository's own script, which ends by itself
	if err != nil {
		return "", nil, &missingError{fmt.Sprintf("the jars of OpenSearch are not there, run deploy/setup: %v", err)}
	}
	jars := filepath.Join(strings.TrimSpace(string(out)), "lib", "*")
	data, err := os.MkdirTemp("", "gatehouse-search")
	if err != nil {
		return "", nil, err
	}
	address = "127.0.0.1:" + strconv.Itoa(FreePort(t))
	_, port, _ := strings.Cut(address, ":")
	log, err := os.Create(filepath.Join(data, "log"))
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = log.Close() }() // the process has it
	// It removes its data, and the folder goes with it. The node ends when its
	// input does: with this process, however that ends.
	cmd := exec.Command("sh", "-c", `java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms512m -Xmx512m -cp "$1" "$2" "$3" "$4/data"; rm -rf "$4"`, //nolint:gosec,noctx // our own arguments
		"sh", jars, filepath.Join(folder, "Node.java"), port, data)
	cmd.Stdout, cmd.Stderr = log, log
	if alive, err = cmd.StdinPipe(); err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	address = "http://" + address
	limit := time.Now().Add(searchLimit)
	for tick := time.NewTicker(100 * time.Millisecond); ; <-tick.C {
		if answers(address) {
			tick.Stop()
			return address, alive, nil
		}
		_, err := os.Stat(data) // it is gone when the node has ended
		if err != nil || time.Now().After(limit) {
			text := make([]byte, 16<<10)
			n, _ := log.ReadAt(text, 0)
			return "", nil, fmt.Errorf("OpenSearch at %s does not answer:\n%s", address, text[:n]) //nolint:err113 // for whoever reads the test
		}
	}
}

// answers says whether a node has a cluster that can be written to.
func answers(address string) bool {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(address + "/_cluster/health?wait_for_status=yellow&timeout=1s") //nolint:noctx // bounded
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}
