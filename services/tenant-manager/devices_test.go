package tenantmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// attempt is a sign-in with a password, from an address and, where it is not "", a
// device.
func (w *world) attempt(t *testing.T, address, device, body string) answer {
	t.Helper()
	var header []string
	if device != "" {
		header = []string{tenant.Device, device}
	}
	return w.over(t, from(t, address).Transport, w.url, "", "POST", "/sign-in", body, header...)
}

// Strangers who guess at a password keep nobody waiting at a browser where they have
// signed in before, and are limited as ever.
func TestStrangersKeepNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	const wrong, nobody = `{"email":"ada@example.com","password":"not the right one"}`, `{"email":"nobody@example.com","password":"not the right one"}`
	mine, theirs := strings.Repeat("m", 52), strings.Repeat("t", 52)
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+w.call(t, owner, "GET", "/me", "").text(t, "user/id"), `{"breakGlass":true}`, anyVersion...).status)
	require.Equal(t, 200, w.attempt(t, "127.0.0.1", mine, right).status)
	// guesses returns how many are let through before the first that has to wait.
	guesses := func(address, device, body string) int {
		t.Helper()
		for n := range 40 {
			a := w.attempt(t, address, device, body)
			if a.status == 429 {
				return n
			}
			require.Equal(t, 401, a.status, a.body)
		}
		t.Fatal("nobody has to wait")
		return 0
	}
	free := guesses("127.0.6.1", "", wrong)
	require.Equal(t, 5, free)
	require.Zero(t, guesses("127.0.6.2", "", wrong), "strangers have one limit for all")
	require.Zero(t, guesses("127.0.6.3", theirs, wrong), "whatever device they make up")
	require.Equal(t, 429, w.attempt(t, "127.0.6.4", "", right).status)
	require.Equal(t, 200, w.attempt(t, "127.0.6.5", mine, right).status, "the owner is known at any address")
	require.Equal(t, 200, w.attempt(t, "127.0.6.1", mine, right).status, "also at that of a stranger")
	require.Equal(t, 429, w.attempt(t, "127.0.6.4", "", right).status, "which forgives the strangers nothing")

	// What is not there answers as what is.
	require.Equal(t, free, guesses("127.0.6.6", theirs, nobody))
	was := w.attempt(t, "127.0.6.7", theirs, nobody)
	require.Equal(t, detail(t, w.attempt(t, "127.0.6.7", theirs, wrong)), detail(t, was))

	// Who has stolen it has a limit of their own with it, and no more.
	require.Equal(t, free, guesses("127.0.6.8", mine, wrong))
	require.Equal(t, 429, w.attempt(t, "127.0.6.9", mine, right).status)
	w.clock.Advance(3 * time.Second)
	require.Equal(t, 401, w.attempt(t, "127.0.6.8", mine, wrong).status, "one at a time from now on")
	require.Equal(t, 429, w.attempt(t, "127.0.6.8", mine, wrong).status)
	w.clock.Advance(time.Minute)
	require.Equal(t, 200, w.attempt(t, "127.0.6.8", mine, right).status)

	// Another account with the same address knows a device of its own: whoever has one
	// does not get at the other by it.
	w.organization(t, "second", "ada@example.com")
	require.Equal(t, 200, w.attempt(t, "127.0.6.10", theirs, `{"email":"ada@example.com","password":"`+goodWord+`","organization":"second"}`).status)
	w.clock.Advance(25 * time.Hour)
	guesses("127.0.6.11", "", wrong)
	require.Zero(t, guesses("127.0.6.11", theirs, wrong))
	require.Zero(t, guesses("127.0.6.11", theirs, strings.Replace(wrong, "}", `,"organization":"default"}`, 1)))
	require.Equal(t, 401, w.attempt(t, "127.0.6.11", theirs, strings.Replace(wrong, "}", `,"organization":"second"}`, 1)).status)

	// It is forgotten after a while, and with the account.
	w.clock.Advance(91 * 24 * time.Hour)
	guesses("127.0.6.12", "", wrong)
	require.Zero(t, guesses("127.0.6.12", mine, wrong))
}
