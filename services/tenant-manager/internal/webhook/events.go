// Package webhook tells receivers of an organization's choice what happens in it:
// one signed request for each event that they chose, again until it was taken. The
// events come from the audit trail, so that none is missed and whatever a service
// records can become one. It knows nothing of requests.
package webhook

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
)

// Every stands for all events, those to come as well.
const Every = "*"

// TestEvent is what a test says that it is; nothing else is of this kind.
const TestEvent = "webhook.test"

// The groups of events.
const (
	Security = "security"
	Access   = "access"
	APIs     = "apis"
	Consumer = "consumers"
)

// Event is one kind of event.
type Event struct {
	// Name is how receivers know it, such as "user.locked"; Title one line for people.
	Name, Group, Title string
	// action is what the trail calls it.
	action string
	// refused says that the entry is of something that was refused.
	refused bool
	// when narrows it; nil = every such entry.
	when func(audit.Entry) bool
}

// ownerRole reports whether an entry is of a grant that gives everything.
func ownerRole(e audit.Entry) bool {
	return slices.ContainsFunc(e.Changes, func(c audit.Change) bool {
		return c.Field == "/everything" && c.After == "true"
	})
}

func done(group, action, title string) Event {
	return Event{Name: action, Group: group, Title: title, action: action}
}

// Events are all kinds, in the order in which people read them. What a service
// records becomes an event by one line here.
func Events() []Event {
	return []Event{
		{Name: "owner.granted", Group: Security, Title: "Somebody became an owner", action: "grant.created", when: ownerRole},
		{Name: "sign-in.refused", Group: Security, Title: "A sign-in with a wrong password was refused", action: "user.signed-in", refused: true},
		{Name: "sso.refused", Group: Security, Title: "A sign-in at an identity provider failed", action: "sso-connection.sign-in", refused: true},
		done(Security, "user.break-glass-signed-in", "A break-glass account signed in"),
		{Name: "session.reused", Group: Security, Title: "A used refresh token came again, and its session was ended", action: "session.reused", refused: true},
		done(Security, "user.factors-reset", "Second factors of somebody were reset"),
		done(Security, "user.factor-removed", "Somebody removed a second factor"),
		done(Security, "user.recovery-code-used", "Somebody signed in with a recovery code"),
		done(Security, "user.password-changed", "Somebody changed their password"),
		done(Security, "user.password-requested", "Somebody asked for a new password"),
		done(Security, "security-policy.updated", "The security policy was changed"),
		done(Security, "sso-connection.created", "A single sign-on connection was made"),
		done(Security, "sso-connection.updated", "A single sign-on connection was changed"),
		done(Security, "sso-connection.deleted", "A single sign-on connection was deleted"),
		done(Security, "user.locked-out", "An account was locked for a while, after too many wrong passwords or codes"),
		done(Security, "oauth-client.secret-ending", "A secret of an OAuth2 client ends soon"),
		done(Security, "user.token-ending", "A personal token ends soon"),
		done(Security, "service-account.token-ending", "A token of a service account ends soon"),
		done(Security, "scim-directory.token-ending", "A token of a directory ends soon"),
		done(Security, "sso-connection.certificate-ending", "A certificate of a single sign-on ends soon"),
		{Name: "oauth-client.logout-undelivered", Group: Security, Title: "An OAuth2 client could not be told that a session ended", action: "oauth-client.logout-undelivered", refused: true},
		done(Security, "oauth-key.rotated", "The signing keys were rotated"),
		done(Security, "oauth-key.withdrawn", "A signing key was withdrawn"),
		done(Security, "audit.exported", "The audit trail was exported"),
		done(Security, "audit-receiver.failing", "A receiver of the audit trail has taken nothing for a good minute"),
		done(Security, "audit-receiver.recovered", "A receiver of the audit trail takes it again"),
		done(Access, "access-request.created", "Somebody asks for access"),
		done(Access, "access-request.approved", "A request for access was approved"),
		done(Access, "access-request.denied", "A request for access was denied"),
		done(Access, "grant.created", "A role was given"),
		done(Access, "grant.deleted", "A role was taken"),
		done(Access, "invitation.created", "Somebody was invited"),
		done(Access, "invitation.accepted", "An invitation was accepted"),
		done(Access, "user.provisioned", "A directory made a user"),
		done(Access, "user.disabled", "A user was disabled"),
		done(Access, "user.enabled", "A user was enabled"),
		done(Access, "user.deleted", "A user was deleted"),
		done(Access, "user.token-created", "Somebody made a personal token"),
		done(Access, "service-account.created", "A service account was made"),
		done(Access, "service-account.token-created", "A token of a service account was made"),
		done(APIs, "api.created", "An API was made"),
		done(APIs, "api.deleted", "An API was deleted"),
		done(APIs, "revision.created", "A revision of an API was made"),
		done(APIs, "deployment.created", "An API was deployed"),
		done(APIs, "deployment.removed", "An API was taken from an environment"),
		done(Consumer, "application.created", "An application was made"),
		done(Consumer, "subscription.created", "A plan was subscribed to"),
		done(Consumer, "subscription.approved", "A subscription was approved"),
		done(Consumer, "subscription.rejected", "A subscription was rejected"),
		done(Consumer, "subscription.closed", "A subscription was closed"),
		done(Consumer, "credential.created", "A credential was made"),
		done(Consumer, "credential.revoked", "A credential was revoked"),
	}
}

// Of returns the events that an entry of the trail is, by their names.
func Of(e audit.Entry) []string {
	var out []string
	for _, x := range Events() {
		if x.action == e.Action && x.refused == (e.Outcome == "refused") && (x.when == nil || x.when(e)) {
			out = append(out, x.Name)
		}
	}
	return out
}

// Wanted reports whether who chose some events wants one.
func Wanted(chosen []string, event string) bool {
	return slices.Contains(chosen, Every) || slices.Contains(chosen, event)
}

// Unknown returns the first of the names that is no event; "" = all are.
func Unknown(names []string) string {
	for _, n := range names {
		if n != Every && !slices.ContainsFunc(Events(), func(e Event) bool { return e.Name == n }) {
			return strings.TrimSpace(n)
		}
	}
	return ""
}
