package password

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The reasons why a password is not accepted.
var (
	ErrShort  = fmt.Errorf("use at least %d characters: several words make a good password", MinLength)
	ErrLong   = fmt.Errorf("use at most %d characters", MaxLength)
	ErrKnown  = errors.New("this is one of the passwords that are tried first: use several words of your own")
	ErrLeaked = errors.New("this password is in a list of passwords that were stolen elsewhere, and such lists are tried: use another one, here and wherever you use it")
	ErrOwn    = errors.New("do not use your e-mail address, your name or that of your organization as the password: use several words that have nothing to do with them")
	ErrSimple = errors.New("use more than a few different characters")
)

// About is whose a password is to be: what it is made of, everybody can guess.
type About struct {
	// Email and Name are the person's.
	Email, Name string
	// Organization are names of their organization.
	Organization []string
}

// Accept returns why a new password is not accepted, or nil. What counts is its
// length (NIST SP 800-63B section 5.1.1.2); others are refused only where they
// would be guessed at once: common ones, with what people put at their end or in
// place of letters, and those that are made of the names of the person.
func Accept(password string, about About) error {
	folded := strings.ToLower(strings.TrimSpace(password))
	switch n := utf8.RuneCountInString(password); {
	case n < MinLength:
		return ErrShort
	case n > MaxLength || len(password) > 4*MaxLength:
		return ErrLong
	case different(folded) < 5:
		return ErrSimple
	case known(folded):
		return ErrKnown
	case about.has(folded):
		return ErrOwn
	}
	return nil
}

func different(s string) int {
	seen := map[rune]struct{}{}
	for _, r := range s {
		seen[r] = struct{}{}
	}
	return len(seen)
}

// stem is a password without the digits and signs that are put at its end.
func stem(s string) string { return strings.TrimRight(s, "0123456789!?.,-_#$*+ ") }

// letters undoes what is put in place of letters.
var letters = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// stems are words whose every variation is in the lists that are tried first,
// whatever is put at their end.
var stems = map[string]struct{}{
	"password": {}, "passwort": {}, "qwerty": {}, "qwertyuiop": {}, "qwertzuiop": {},
	"welcome": {}, "letmein": {}, "changeme": {}, "administrator": {}, "admin": {}, "gatehouse": {}, "iloveyou": {}, "abc": {}, "secret": {},
	"asdfghjkl": {}, "abcdefghij": {}, "": {},
}

// mostTail is how much at the end of a common password leaves it one.
const mostTail = 8

func known(s string) bool {
	word := stem(s)
	for _, w := range []string{word, letters.Replace(word)} {
		if _, ok := stems[w]; ok {
			return true
		}
	}
	if len(s)-len(word) > mostTail {
		word = s
	}
	if half := len(word) / 2; half > 0 && word[:half] == word[half:] { // the same twice
		if common(word[:half]) {
			return true
		}
	}
	return common(s) || common(word) || common(letters.Replace(word))
}

// shortestName is how long a name is at least, to be looked for.
const shortestName = 3

// mostBeside is how many letters beside names leave a password one that is made of
// them.
const mostBeside = 3

// has reports whether a password is made of the names, with little beside them.
func (a About) has(folded string) bool {
	names := a.names()
	for _, s := range []string{folded, letters.Replace(stem(folded))} {
		found := false
		for _, n := range names {
			if strings.Contains(s, n) {
				found = true
				s = strings.ReplaceAll(s, n, " ")
			}
		}
		beside, inAll := 0, 0
		for _, r := range s {
			switch {
			case unicode.IsLetter(r):
				beside++
				inAll++
			case unicode.IsDigit(r):
				inAll++
			}
		}
		if found && beside <= mostBeside && inAll <= mostTail {
			return true
		}
	}
	return false
}

// names returns the names as they are looked for, the longest first.
func (a About) names() []string {
	var out []string
	add := func(s string) {
		s = strings.ToLower(strings.TrimSpace(s))
		for _, n := range append([]string{s}, strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...) {
			if utf8.RuneCountInString(n) >= shortestName {
				out = append(out, n)
			}
		}
	}
	for _, s := range append([]string{a.Email, a.Name}, a.Organization...) {
		add(s)
	}
	slices.SortFunc(out, func(x, y string) int {
		if len(x) != len(y) {
			return len(y) - len(x)
		}
		return strings.Compare(x, y)
	})
	return slices.Compact(out)
}
