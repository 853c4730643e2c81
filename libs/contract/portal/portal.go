// Package portal is what others may know of devportal-backend: applications and
// their subscriptions.
package portal

import "github.com/gatehouse/gatehouse/libs/contract"

// Service is the owner's name.
const Service = "devportal-backend"

// Subscribers asks how many subscriptions a plan or an API has, before it is
// changed or deleted.
type Subscribers struct {
	Organization string `json:"organization"`
	API          string `json:"api,omitempty"`
	Plan         string `json:"plan,omitempty"`
}

// SubscriberCount is the answer to Subscribers.
type SubscriberCount struct {
	// Active and Pending count subscriptions, Applications those who have them.
	Active       int64 `json:"active"`
	Pending      int64 `json:"pending"`
	Applications int64 `json:"applications"`
}

// Subject is the request's.
func (Subscribers) Subject() string { return contract.Request(Service, "subscribers") }

// Reply is the type of the answer.
func (Subscribers) Reply() (r SubscriberCount) { return }

// Applications asks for names, to show beside traffic.
type Applications struct {
	Organization string   `json:"organization"`
	IDs          []string `json:"ids"`
}

// ApplicationList is the answer to Applications. Unknown ids are left out.
type ApplicationList struct {
	Applications []Application `json:"applications"`
}

// Application is a consumer's program as others may show it.
type Application struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Owner string `json:"owner"`
}

// Subject is the request's.
func (Applications) Subject() string { return contract.Request(Service, "applications") }

// Reply is the type of the answer.
func (Applications) Reply() (r ApplicationList) { return }

// FeedChanged says that an application, a subscription or a credential
// changed, so that the feed to the gateways has to follow.
type FeedChanged struct {
	Organization string `json:"organization"`
	Application  string `json:"application"`
	// Credential is set where it is one credential's change.
	Credential string `json:"credential,omitempty"`
}

// Subject is the event's.
func (e FeedChanged) Subject() string {
	return contract.Event(e.Organization, Service, "feed-changed")
}

// SubscriptionChanged says that a subscription was asked for, approved, paused,
// rejected or closed.
type SubscriptionChanged struct {
	Organization string `json:"organization"`
	Subscription string `json:"subscription"`
	Application  string `json:"application"`
	API          string `json:"api"`
	Plan         string `json:"plan"`
	// Status is "pending", "active", "paused", "rejected" or "closed".
	Status string `json:"status"`
}

// Subject is the event's.
func (e SubscriptionChanged) Subject() string {
	return contract.Event(e.Organization, Service, "subscription-changed")
}
