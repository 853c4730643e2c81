package service_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
)

// A new key in front of the keyring takes over what the old one encrypted, so that
// the old one can go; what then needs a key that is gone says so, and is never empty.
func TestANewKeyTakesOver(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.config(t)
	options := func(keyring string) service.Options {
		c.Secrets.Keyring = schema.NewSecret(keyring)
		return service.Options{
			Name: "shelf", Config: c, Migrations: migrations(t),
			Secrets: []secret.Column{{Table: "books", Name: "note"}},
		}
	}
	before, now := secret.NewKey("k1"), secret.NewKey("k2")
	token := w.tenants.User(t, "o1", "ada", "book:*")

	p := run(t, options(before), build)
	status, body, _ := send(t, http.DefaultTransport, http.MethodPost, p.url+"/api/v1/books", token, `{"title":"Ulysses"}`, "Idempotency-Key", "one")
	require.Equal(t, http.StatusCreated, status, body)
	require.NoError(t, p.stop())
	d := database(t, c)
	sealed := func() (value string) {
		require.NoError(t, d.Unscoped(t.Context(), "a test looks at what is stored").Raw("SELECT note FROM books").Scan(&value).Error)
		return value
	}
	old := sealed()

	told := func(metric string) {
		t.Helper()
		require.Eventually(t, func() bool {
			_, body, _ := send(t, http.DefaultTransport, http.MethodGet, p.url+"/metrics", "", "")
			return strings.Contains(body, metric+"\n")
		}, 20*time.Second, 10*time.Millisecond, metric)
	}
	p = run(t, options(now+"\n"+before), build)
	require.Eventually(t, func() bool { return sealed() != old }, 20*time.Second, 10*time.Millisecond)
	told(`gatehouse_encrypted_values{key="k1",service="shelf",state="old"} 0`)
	told(`gatehouse_encrypted_values{key="k2",service="shelf",state="newest"} 1`)
	require.NoError(t, p.stop())

	p = run(t, options(now), build)
	status, body, _ = send(t, http.DefaultTransport, http.MethodGet, p.url+"/api/v1/books/Ulysses", token, "")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, "hunter2")
	status, body, _ = send(t, http.DefaultTransport, http.MethodPost, p.url+"/api/v1/books", token, `{"title":"Ulysses"}`, "Idempotency-Key", "one")
	require.Equal(t, http.StatusConflict, status, body)
	require.Contains(t, body, "its encryption key was taken out")
	require.NoError(t, p.stop())

	p = run(t, options(secret.NewKey("k3")), build)
	told(`gatehouse_encrypted_values{key="k2",service="shelf",state="missing"} 1`)
	status, body, _ = send(t, http.DefaultTransport, http.MethodGet, p.url+"/api/v1/books/Ulysses", token, "")
	require.Equal(t, http.StatusInternalServerError, status, body)
	require.Contains(t, body, `"code":"encryption-key-missing"`)
	require.Contains(t, body, `k2`)
	require.NotContains(t, body, "hunter2")
	require.NoError(t, p.stop())
}
