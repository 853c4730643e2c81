package gateway

import (
	"time"

	"github.com/gatehouse/gatehouse/libs/contract"
)

// The buckets from which gateways are configured. Keys begin with the slug of
// the organization, so that a gateway may read its organization's only.
const (
	// Manifests has the signed manifest of each group under "<organization>.<group>",
	// by their slugs.
	Manifests = "gatehouse-manifests"
	// Units has documents by hash under "<organization>.<hash>".
	Units = "gatehouse-units"
	// Credentials has the feed of credentials and applications under
	// "<organization>.credential.<digest>" and "<organization>.application.<id>".
	// devportal-backend writes it. Keys that are revoked stay, as such.
	Credentials = "gatehouse-credentials"
	// Complete is the last part of the key "<organization>.complete" in the bucket
	// of credentials. Its writer writes it, with any value, whenever it has written
	// all that there is, at its start and after NATS has lost the bucket: gateways
	// then drop what they know and was not told again.
	Complete = "complete"
)

// Register is how a gateway joins its group, at each of its starts.
type Register struct {
	// Organization and Group are slugs.
	Organization string `json:"organization"`
	Group        string `json:"group"`
	// Token is the group's join token. It is a secret.
	Token string `json:"token"`
	// Gateway is the gateway's name, unique in the group: who comes again under
	// the same name is the same gateway.
	Gateway string `json:"gateway"`
	// Instance is made anew at each start.
	Instance string    `json:"instance"`
	Build    string    `json:"build"`
	Started  time.Time `json:"started"`
	// Listeners are the addresses on which it takes traffic.
	Listeners []string `json:"listeners,omitempty"`
}

// Registered is the answer to Register.
type Registered struct {
	// Gateway, Group, Environment and Organization are ids.
	Gateway      string `json:"gateway"`
	Group        string `json:"group"`
	Environment  string `json:"environment"`
	Organization string `json:"organization"`
	// EnvironmentName is such as "DEV", for records.
	EnvironmentName string `json:"environmentName"`
	// ManifestKeys are the Ed25519 public keys that may sign manifests.
	ManifestKeys [][]byte `json:"manifestKeys"`
	// Heartbeat is how often to report.
	Heartbeat time.Duration `json:"heartbeatNs"`
	// Time is the clock of the manager.
	Time time.Time `json:"time"`
}

// Subject is the request's.
func (Register) Subject() string { return contract.Request(Service, "register") }

// Reply is the type of the answer.
func (Register) Reply() (r Registered) { return }

// Report is a gateway's heartbeat, also sent at once after each configuration
// that it applied.
type Report struct {
	Organization string `json:"organization"`
	Group        string `json:"group"`
	Gateway      string `json:"gateway"`
	Instance     string `json:"instance"`
	// Token is the group's join token. It is a secret.
	Token string `json:"token"`
	// Epoch and Version are the manifest's that is applied.
	Epoch   string `json:"epoch"`
	Version uint64 `json:"version"`
	// APIs is how many are served.
	APIs int `json:"apis"`
	// Issues are units that did not compile, or that could not be had.
	Issues []Issue `json:"issues,omitempty"`
	// InFlight is the number of requests under way, Requests the count since the
	// start.
	InFlight int64 `json:"inFlight"`
	Requests int64 `json:"requests"`
	// Memory is what the process holds, in bytes.
	Memory int64 `json:"memory"`
	// Time is the gateway's clock.
	Time time.Time `json:"time"`
	// Stopping says that it is the last of this instance.
	Stopping bool `json:"stopping,omitempty"`
}

// Issue is what a gateway found wrong with one unit.
type Issue struct {
	// Kind and Name are the unit's.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Pointer is the field within the unit.
	Pointer string `json:"pointer,omitempty"`
	Detail  string `json:"detail"`
	// Serving says what answers meanwhile: "previous" or "none".
	Serving string `json:"serving"`
}

// Reported is the answer to Report.
type Reported struct {
	// Again asks the gateway to register anew: it is not known.
	Again bool      `json:"again,omitempty"`
	Time  time.Time `json:"time"`
}

// Subject is the request's.
func (Report) Subject() string { return contract.Request(Service, "report") }

// Reply is the type of the answer.
func (Report) Reply() (r Reported) { return }
