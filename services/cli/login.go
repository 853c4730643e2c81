package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	process "github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/session"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

// readyFile is what standalone writes when it serves.
type readyFile struct {
	Console string `json:"console"`
	API     string `json:"api"`
	SignIn  *struct {
		URL  string `json:"url"`
		Code string `json:"code"`
	} `json:"signIn"`
}

func readReadyFile(path string) (readyFile, error) {
	var f readyFile
	b, err := os.ReadFile(path)
	if err != nil {
		return f, fmt.Errorf("reading the ready file: %w", err)
	}
	if err := json.Unmarshal(b, &f); err != nil || f.API == "" {
		return f, problem.New(problem.CodeInvalidInput, "%s is not a ready file; gatehouse standalone --ready-file writes one", path)
	}
	return f, nil
}

func (a *tool) login() *cobra.Command {
	var (
		ready, url, email, organization, token string
		device                                 bool
	)
	c := &cobra.Command{
		Use:   "login --ready-file FILE | --url URL --device | --url URL --email YOU | --url URL --token TOKEN",
		Short: "Sign in, and remember the session",
		Long: "Sign in, and remember the session in a file that only you can read.\n\n" +
			"With --device a code is shown, to be entered in a browser where you are signed in: so it works with single sign-on, passkeys and whatever else your organization asks for. " +
			"With --email the password is asked for, or taken from GATEHOUSE_PASSWORD. A personal token, or that of a service account, may be in GATEHOUSE_TOKEN.",
		Example: "  gatehouse login --ready-file /tmp/gatehouse.json\n  gatehouse login --url https://apim.example.com --device\n  gatehouse login --url https://apim.example.com --email olga@example.com",
		Args:    exactly(),
	}
	f := c.Flags()
	f.StringVar(&ready, "ready-file", "", "the file of gatehouse standalone, with its address and the first sign-in")
	f.StringVar(&url, "url", "", "the address of the suite")
	f.StringVar(&email, "email", "", "who you are")
	f.StringVar(&organization, "organization", "", "the slug of the organization, if you belong to several")
	f.StringVar(&token, "token", "", "a personal token, or that of a service account; - reads it from standard input")
	f.BoolVar(&device, "device", false, "sign in by a browser, on this machine or another")
	c.MarkFlagsMutuallyExclusive("device", "email", "token")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		s, err := a.session()
		if err != nil {
			return err
		}
		if token == "" && email == "" && !device {
			token = a.o.Environ("GATEHOUSE_TOKEN")
		}
		var file readyFile
		if ready != "" {
			if file, err = readReadyFile(ready); err != nil {
				return err
			}
			url = file.API
		}
		if url == "" {
			url = a.o.Environ("GATEHOUSE_URL")
		}
		if url == "" {
			url = s.Profile().URL
		}
		var pair session.Pair
		switch {
		case url == "":
			return usage("say where the suite is: --url ADDRESS, or --ready-file FILE")
		case device:
			pair, err = s.SignInByDevice(ctx, url, deviceName(), func(d session.Device) {
				fmt.Fprintf(a.o.Err, "Open %s where you are signed in, and enter the code %s.\nOr open %s\n", d.URL, d.UserCode, d.URLWithCode)
			})
		case token != "":
			if token == "-" {
				if token, err = a.line(); err != nil {
					return err
				}
			}
			pair, err = s.UseToken(ctx, url, token)
		case email != "":
			var password string
			if password, err = a.password("Password: "); err != nil {
				return err
			}
			in := map[string]string{"email": email, "password": password}
			if organization != "" {
				in["organization"] = organization
			}
			if pair, err = s.SignIn(ctx, url, "/sign-in", in); err == nil && pair.Challenge != "" {
				pair, err = a.secondStep(ctx, s, url, pair)
			}
		case file.SignIn != nil:
			pair, err = a.firstSignIn(ctx, s, file)
		case ready != "":
			return usage("the suite is set up already: sign in with --ready-file %s --device, or --email YOU", ready)
		default:
			return usage("say who you are: --device, --email YOU, or --token TOKEN")
		}
		if err != nil {
			return err
		}
		p := s.Profile()
		return a.result(map[string]any{"url": p.URL, "user": p.User, "organization": p.Organization, "setupRequired": pair.SetupRequired}, func(w io.Writer) {
			fmt.Fprintf(w, "Signed in to %s%s.\n", p.URL, as(p))
			if pair.FactorRequired {
				fmt.Fprintln(w, "Your organization wants a second factor: set one up in the console before anything else.")
			}
			if pair.SetupRequired {
				fmt.Fprintln(w, "Nobody can sign in again until the owner has an account: gatehouse setup --email YOU --name NAME --organization NAME")
			}
		})
	})
	return c
}

// deviceName is what people know this program by when they allow it.
func deviceName() string {
	host, err := os.Hostname()
	if err != nil {
		return "gatehouse"
	}
	return "gatehouse on " + host
}

func as(p session.Profile) string {
	out := ""
	if p.User != "" {
		out += " as " + p.User
	}
	if p.Organization != "" {
		out += ", organization " + p.Organization
	}
	return out
}

// firstSignIn uses the one-time code of a ready file. One that was used by this
// very session before is no mistake.
func (a *tool) firstSignIn(ctx context.Context, s *session.Session, f readyFile) (session.Pair, error) {
	pair, err := s.SignIn(ctx, f.API, "/sign-in/one-time", map[string]string{"code": f.SignIn.Code})
	var p *problem.Problem
	if err == nil || !errors.As(err, &p) || p.Status != http.StatusUnauthorized || s.Profile().URL != strings.TrimRight(f.API, "/") {
		return pair, err
	}
	u, suiteErr := a.suite()
	if suiteErr != nil {
		return pair, err
	}
	me, meErr := answer[tenant.Me](u.tenant.GetMe(ctx))
	if meErr != nil {
		return pair, err
	}
	pair.SetupRequired = me.SetupRequired
	return pair, nil
}

// line reads a line of standard input.
func (a *tool) line() (string, error) {
	text, err := bufio.NewReader(a.o.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading standard input: %w", err)
	}
	text = strings.TrimRight(text, "\r\n")
	if text == "" {
		return "", usage("standard input is empty")
	}
	return text, nil
}

// secondStep asks for a code and finishes a sign-in that was begun.
func (a *tool) secondStep(ctx context.Context, s *session.Session, url string, begun session.Pair) (session.Pair, error) {
	totp, recovery := slices.Contains(begun.Methods, "totp"), slices.Contains(begun.Methods, "recovery")
	var prompt string
	switch {
	case totp && recovery:
		prompt = "Code of your authenticator app, or a recovery code: "
	case totp:
		prompt = "Code of your authenticator app: "
	case recovery:
		prompt = "Recovery code: "
	default:
		return begun, usage("this account signs in with a passkey, which a terminal cannot: make a token in the console, and use --token")
	}
	code := a.o.Environ("GATEHOUSE_CODE")
	if code == "" {
		var err error
		if code, err = a.hidden(prompt, "code", "GATEHOUSE_CODE"); err != nil {
			return begun, err
		}
	}
	in := map[string]string{"challenge": begun.Challenge, "recoveryCode": code}
	if digits := strings.Join(strings.Fields(code), ""); totp && len(digits) == 6 {
		in = map[string]string{"challenge": begun.Challenge, "totp": digits}
	}
	return s.SignIn(ctx, url, "/sign-in/second-step", in)
}

// password asks for a password without showing it, or takes it from the
// environment.
func (a *tool) password(prompt string) (string, error) {
	if p := a.o.Environ("GATEHOUSE_PASSWORD"); p != "" {
		return p, nil
	}
	return a.hidden(prompt, "password", "GATEHOUSE_PASSWORD")
}

// hidden asks for a secret without showing it.
func (a *tool) hidden(prompt, what, variable string) (string, error) {
	in, ok := a.o.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", usage("there is no terminal to ask for the %s: set %s", what, variable)
	}
	fmt.Fprint(a.o.Err, prompt)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(a.o.Err)
	if err != nil {
		return "", fmt.Errorf("reading the %s: %w", what, err)
	}
	if len(b) == 0 {
		return "", usage("the %s is empty", what)
	}
	return string(b), nil
}

func (a *tool) logout() *cobra.Command {
	c := &cobra.Command{Use: "logout", Short: "End the session and forget it", Args: exactly()}
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		s, err := a.session()
		if err != nil {
			return err
		}
		p := s.Profile()
		if p.RefreshToken != "" {
			if u, err := a.suite(); err == nil {
				// There is no browser that could be sent to an identity provider.
				if err := done(u.tenant.SignOutWithBody(ctx, "application/json", http.NoBody)); err != nil && code(err) != exitSignedOut {
					a.say("The suite could not be told (%v); the session is forgotten here.", err)
				}
			}
		}
		if err := s.Forget(); err != nil {
			return err
		}
		return a.result(map[string]any{"signedOut": true}, func(w io.Writer) { fmt.Fprintln(w, "Signed out.") })
	})
	return c
}

func (a *tool) whoami() *cobra.Command {
	c := &cobra.Command{Use: "whoami", Short: "Say who is signed in, and with which roles", Args: exactly()}
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		me, err := answer[tenant.Me](u.tenant.GetMe(ctx))
		if err != nil {
			return err
		}
		return a.result(me, func(w io.Writer) {
			var roles []string
			for _, g := range me.Grants {
				r := g.RoleName
				if p := value(g.Project); p != "" {
					r += " (project " + p + ")"
				}
				roles = append(roles, r)
			}
			show.Pairs(w, "user", me.User.Name, "email", me.User.Email, "organization", me.Organization.Name+" ("+me.Organization.Slug+")",
				"roles", strings.Join(roles, ", "), "suite", u.session.Profile().URL)
		})
	})
	return c
}

func (a *tool) setup() *cobra.Command {
	var in tenant.SetupInput
	var email string
	c := &cobra.Command{
		Use:   "setup --email YOU --name NAME --organization NAME",
		Short: "Complete the first run: give the owner an account and the organization a name",
		Args:  exactly(),
	}
	f := c.Flags()
	f.StringVar(&email, "email", "", "the owner's address")
	f.StringVar(&in.Name, "name", "", "the owner's name")
	f.StringVar(&in.OrganizationName, "organization", "", "the organization's name")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		if email == "" || in.Name == "" || in.OrganizationName == "" {
			return usage("--email, --name and --organization are needed")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		if in.Password, err = a.password("Password for " + email + ": "); err != nil {
			return err
		}
		in.Email = email
		me, err := answer[tenant.Me](u.tenant.CompleteSetup(ctx, in))
		if err != nil {
			return err
		}
		return a.result(me, func(w io.Writer) {
			fmt.Fprintf(w, "%s is set up; %s owns it.\n", me.Organization.Name, email)
		})
	})
	return c
}

func version() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Say what this was built from", Args: exactly(), RunE: func(c *cobra.Command, _ []string) error {
		b := process.Build()
		fmt.Fprintf(c.OutOrStdout(), "gatehouse %s %s %s\n", b.Version, b.Revision, b.Go)
		return nil
	}}
}
