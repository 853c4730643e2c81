package tenantmanager

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
)

// ImportPasswords reads a list of leaked passwords, in the form of Have I Been Pwned
// (a SHA-1, a colon and a number, a line each, in any order), from a file or, for
// "-", from in, and writes it to the file that the configuration names as
// passwords.leaked. It counts at once, also for services that run. out is told what
// came of it.
func ImportPasswords(ctx context.Context, in io.Reader, out io.Writer, list, path string) error {
	if list != "-" {
		f, err := os.Open(list)
		if err != nil {
			return fmt.Errorf("opening the list: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	begin := time.Now()
	done, err := password.Import(ctx, in, path)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d leaked passwords are in %s now (%d lines, %.1f MB, in %s). New passwords are held against them at once;\none that is not in the list is taken for one that is with a probability of %.1g.\n",
		done.Passwords, path, done.Lines, float64(done.Bytes)/1e6, time.Since(begin).Round(time.Second), password.FalsePositives(done.Passwords))
	return nil
}

// PasswordsCommand is the command of the service's program that imports leaked
// passwords.
func PasswordsCommand() service.Command[Config] {
	return service.Command[Config]{
		Name: "passwords import", Operands: []string{"LIST"}, Summary: "import leaked passwords of the form of Have I Been Pwned; LIST is a file, - is standard input",
		New: func(flags *flag.FlagSet) func(context.Context, Config, io.Writer) error {
			return func(ctx context.Context, cfg Config, out io.Writer) error {
				if cfg.Passwords.Leaked == "" {
					return errors.New("the configuration says nowhere where to keep them: set passwords.leaked to a file")
				}
				return ImportPasswords(ctx, os.Stdin, out, flags.Arg(0), cfg.Passwords.Leaked)
			}
		},
	}
}
