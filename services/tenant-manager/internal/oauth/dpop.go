package oauth

import (
	"net/http"
	"time"

	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/dpop"
)

// proofAge is how far the time of a proof may be from ours.
const proofAge = time.Minute

func errProof(hint string) error {
	return (&fosite.RFC6749Error{ErrorField: "invalid_dpop_proof", DescriptionField: "The DPoP proof is not right.", CodeField: http.StatusBadRequest}).WithHint(hint)
}

// proof returns what the tokens of a request are to be bound to: the key of its
// DPoP proof (RFC 9449 section 5). Without a proof they are bound to nothing.
func (s *realm) proof(r *http.Request) (confirmation, error) {
	values := r.Header.Values("DPoP")
	switch {
	case len(values) == 0:
		return confirmation{}, nil
	case len(values) > 1:
		return confirmation{}, errProof("There is more than one.")
	}
	return s.proven(r, values[0], s.issuer+"/token", "")
}

// proven verifies a proof for an address, and for an access token where there is
// one (RFC 9449 section 4.3).
func (s *realm) proven(r *http.Request, text, uri, access string) (confirmation, error) {
	at, err := dpop.AddressOf(uri)
	if err != nil {
		return confirmation{}, fosite.ErrServerError.WithWrap(err)
	}
	p, err := dpop.Parse(text)
	if err == nil {
		err = p.Check(r.Method, at, access, s.server.now(), proofAge)
	}
	if err != nil {
		return confirmation{}, errProof(err.Error())
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

// bind binds the tokens of a request, and refuses where those before were bound
// to another key.
func (s *realm) bind(req fosite.AccessRequester, c *client, in *session, proof confirmation) error {
	refresh := req.GetGrantTypes().ExactOne(GrantRefresh)
	switch {
	case c.DPoPBound && proof.JKT == "":
		return errProof("This client's tokens are bound to a key: send a proof in the header DPoP.")
	case refresh && c.IsPublic() && in.Confirm.JKT != "" && in.Confirm.JKT != proof.JKT: // RFC 9449 section 5
		return errProof("The refresh token is bound to another key.")
	}
	if want := in.Confirm.JKT; !refresh && want != "" && want != proof.JKT { // dpop_jkt of the request (RFC 9449 section 10)
		return fosite.ErrInvalidGrant.WithHint("The code is bound to another key.")
	}
	in.Confirm = proof
	return nil
}
