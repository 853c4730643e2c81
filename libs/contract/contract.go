// Package contract names what travels between services. Each owner has a
// package below this one with everything that others may know of it: ids,
// events and requests, as plain structs whose only method is their subject.
//
// These packages import the standard library and each other, nothing more.
package contract

// Subject prefixes. Nothing else is published by Gatehouse. The kinds have a
// token of their own, so that the stream of events holds events only: a stream
// that also matched requests would store them, and answer them with receipts.
const (
	// Prefix starts every subject of this version of the contract.
	Prefix = "gatehouse.v1."
	// Events starts the subjects of events.
	Events = Prefix + "event."
	// Requests starts the subjects of requests.
	Requests = Prefix + "rpc."
)

// Event returns the subject of an event: what happened (in the past tense, in
// kebab-case), whose fact it is (the owner, by its service's name), and the
// tenant it happened to. An empty tenant stands for all of them, which is how
// consumers subscribe; nothing can be published to it.
func Event(tenant, owner, happened string) string {
	if tenant == "" {
		tenant = "*"
	}
	return Events + tenant + "." + owner + "." + happened
}

// Request returns the subject on which an owner, by its service's name, answers
// requests of one verb in kebab-case.
func Request(owner, verb string) string { return Requests + owner + "." + verb }
