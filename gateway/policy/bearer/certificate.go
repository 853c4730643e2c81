package bearer

import (
	"crypto/x509"

	"github.com/gatehouse/gatehouse/libs/clientcert"
)

// Certificate reads a client certificate as a proxy tells it in a header field.
func Certificate(value string) (*x509.Certificate, error) { return clientcert.Parse(value) }
