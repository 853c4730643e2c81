package oauth

import (
	"net/http"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/clientcert"
	"github.com/gatehouse/gatehouse/libs/dpop"
)

// proofAge is how far the time of a proof may be from ours.
const proofAge = time.Minute

func errProof(hint string) error {
	return (&fosite.RFC6749Error{ErrorField: "invalid_dpop_proof", DescriptionField: "The DPoP proof is not right.", CodeField: http.StatusBadRequest}).WithHint(hint)
}

// proof returns what the tokens of a request are to be bound to: the key of its
// DPoP proof (RFC 9449 section 5), and the certificate that was shown (RFC 8705
// section 3), which counts for clients that want it.
func (s *realm) proof(w http.ResponseWriter, r *http.Request, nonce bool) (confirmation, error) {
	var out confirmation
	switch values := r.Header.Values("DPoP"); len(values) {
	case 0:
	case 1:
		var err error
		if out, err = s.proven(w, r, values[0], "token", "", nonce); err != nil {
			return out, err
		}
	default:
		return out, errProof("There is more than one.")
	}
	if c := s.certificate(r); c != nil {
		out.X5T = clientcert.Thumbprint(c.Raw)
	}
	return out, nil
}

// proven verifies a proof for an endpoint, and for an access token where there is
// one (RFC 9449 section 4.3). nonce says that it must have a nonce of ours; one that
// it has is looked at in any case.
func (s *realm) proven(w http.ResponseWriter, r *http.Request, text, endpoint, access string, nonce bool) (confirmation, error) {
	p, err := dpop.Parse(text)
	if err == nil {
		for _, base := range s.bases() {
			at, wrong := dpop.AddressOf(base + "/" + endpoint)
			if wrong != nil {
				return confirmation{}, fosite.ErrServerError.WithWrap(wrong)
			}
			if err = p.Check(r.Method, at, access, s.server.now(), proofAge); err == nil {
				break
			}
		}
	}
	if err != nil {
		return confirmation{}, errProof(err.Error())
	}
	if nonce || p.Nonce != "" {
		s.giveNonce(w)
		if !s.knowsNonce(p.Nonce) {
			return confirmation{}, errNonce()
		}
	}
	added, err := s.server.short.Add(r.Context(), s.key("proof", Hash(p.Key+" "+p.ID)), "", 2*proofAge)
	if err != nil {
		return confirmation{}, fosite.ErrServerError.WithWrap(err)
	}
	if !added {
		return confirmation{}, errProof("It was sent before.")
	}
	return confirmation{JKT: p.Key}, nil
}

// bases returns where the endpoints are: below the issuer, and where clients are
// asked for certificates.
func (s *realm) bases() []string {
	if alias := s.alias(); alias != "" {
		return []string{alias, s.issuer}
	}
	return []string{s.issuer}
}

// alias returns where the endpoints are that ask for certificates; "" = nowhere
// else (RFC 8705 section 5).
func (s *realm) alias() string {
	if s.server.opt.CertificatesURL == "" {
		return ""
	}
	return strings.TrimRight(s.server.opt.CertificatesURL, "/") + strings.TrimPrefix(s.issuer, s.server.url)
}

// bind binds the tokens of a request, and refuses where those before were bound
// to another key or certificate.
func (s *realm) bind(req fosite.AccessRequester, c *client, in *session, shown confirmation) error {
	refresh, exchange := req.GetGrantTypes().ExactOne(GrantRefresh), req.GetGrantTypes().ExactOne(GrantExchange)
	if !c.CertificateBound {
		shown.X5T = ""
	}
	switch {
	case c.DPoPBound && shown.JKT == "":
		return errProof("This client's tokens are bound to a key: send a proof in the header DPoP.")
	case c.CertificateBound && shown.X5T == "":
		return fosite.ErrInvalidRequest.WithHint("This client's tokens are bound to a certificate: show one in the TLS handshake.")
	case exchange && in.Confirm != (confirmation{}) && shown == (confirmation{}): // else it would be bound no more
		return fosite.ErrInvalidRequest.WithHint("The subject_token is bound to a key or a certificate: exchange it for one that is bound as well, to a key of the client's own.")
	case refresh && c.IsPublic() && in.Confirm.JKT != "" && in.Confirm.JKT != shown.JKT: // RFC 9449 section 5
		return errProof("The refresh token is bound to another key.")
	case refresh && c.IsPublic() && in.Confirm.X5T != "" && in.Confirm.X5T != shown.X5T: // RFC 8705 section 4
		return fosite.ErrInvalidGrant.WithHint("The refresh token is bound to another certificate.")
	}
	if want := in.Confirm.JKT; !refresh && !exchange && want != "" && want != shown.JKT { // dpop_jkt of the request (RFC 9449 section 10)
		return fosite.ErrInvalidGrant.WithHint("The code is bound to another key.")
	}
	in.Confirm = shown
	return nil
}
