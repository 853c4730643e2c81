// Command conformance runs the cases in cases against a gateway at any address,
// and reports what differed. The gateway has to be configured as gateway.yaml
// says, with this command's upstream behind it.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/conformance/suite"
)

//go:embed cases/*.yaml
var caseFiles embed.FS

//go:embed gateway.yaml
var configFile string

// Config returns the configuration that the cases expect, with the address of
// the upstream in it.
func config(upstream string) string { return strings.ReplaceAll(configFile, "UPSTREAM", upstream) }

var (
	errFailed = errors.New("not all cases passed")
	errUsage  = errors.New("usage: conformance -url http://HOST:PORT [-upstream HOST:PORT] [-only TEXT] | -config [-upstream HOST:PORT]")
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	target := flags.String("url", "", "the gateway, such as http://127.0.0.1:8000")
	upstream := flags.String("upstream", "127.0.0.1:9000", "where to open the upstream that the gateway sends requests to")
	only := flags.String("only", "", "run only cases with this text in their name or requirement")
	show := flags.Bool("config", false, "print the configuration that the gateway needs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *show {
		_, err := io.WriteString(out, config(*upstream))
		return err
	}
	u, err := url.Parse(*target)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return errUsage
	}
	cases, err := suite.Load(caseFiles, "cases/*.yaml")
	if err != nil {
		return err
	}
	up, err := suite.StartUpstream(ctx, *upstream)
	if err != nil {
		return err
	}
	defer up.Close()
	r := &suite.Runner{Address: u.Host, Upstream: up}
	var results []suite.Result
	failed := false
	for _, c := range cases {
		if !strings.Contains(c.File+"/"+c.Name+" "+c.Requirement, *only) {
			continue
		}
		res := r.Run(ctx, c)
		failed = failed || !res.Passed()
		results = append(results, res)
	}
	if err := suite.Report(out, results); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}
