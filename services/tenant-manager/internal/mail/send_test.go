package mail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// What can never arrive is given up at once; what may arrive later is not.
func TestWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := mail.NewSender(egress.Guard{AllowLoopback: true}, nil, nil)
	away := store.MailSettings{Host: "127.0.0.1", Port: 1, Security: store.MailPlain, FromAddress: "gatehouse@example.com"}
	for to, final := range map[string]bool{"nobody": true, "a@b@c": true, "x@example.com\r\nBcc: y@example.com": true, "eve@example.com": false} {
		_, err := s.Send(t.Context(), away, "Acme\r\nBcc: z@example.com", to, mail.Letter{Subject: "Hello", Text: "Hello"})
		require.Error(t, err, to)
		require.Equal(t, final, mail.Permanent(err), "%q: %v", to, err)
	}
}
