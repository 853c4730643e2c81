//go:build linux

package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
)

// policyFile is what Debian's package scripts ask whether they may start a
// service (invoke-rc.d(8)).
const policyFile = "/usr/sbin/policy-rc.d"

// Install installs Debian packages with apt-get, which must run as root, and
// keeps them from starting a service: a benchmark must not leave a web server on
// port 80. Output goes to out.
func Install(ctx context.Context, packages []string, out io.Writer) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("installing packages: needs root")
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return fmt.Errorf("installing packages: %w", err)
	}
	f, err := os.OpenFile(policyFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	switch {
	case err == nil:
		defer func() { err = errors.Join(err, os.Remove(policyFile)) }()
		_, werr := io.WriteString(f, "#!/bin/sh\nexit 101\n") // 101: action forbidden
		if err := errors.Join(werr, f.Close()); err != nil {
			return fmt.Errorf("writing %s: %w", policyFile, err)
		}
	case !errors.Is(err, os.ErrExist): // one that is there has its owner's reasons
		return fmt.Errorf("writing %s: %w", policyFile, err)
	}
	packages = slices.Compact(slices.Sorted(slices.Values(packages)))
	args := append([]string{"-q", "-y", "-o", "DPkg::Lock::Timeout=300", "install", "--no-install-recommends"}, packages...)
	cmd := exec.CommandContext(ctx, apt, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("installing %v: %w", packages, err)
	}
	return nil
}
