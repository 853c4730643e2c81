package scenario_test

import "slices"

// deed is how the test does one write. The deeds are done in their order, and what
// one makes others use.
type deed struct {
	// op is the service and the operationId.
	op string
	// as is who does it, "" = the owner, "-" = nobody who is signed in.
	as string
	// at are the values of the parameters in the path; query is what follows it. body
	// is sent as JSON. In them $name is what was kept.
	at, query, body string
	// keep are things of the answer for later deeds, each as name=path.
	keep string
	// status is that of the answer, 0 = that it was done.
	status int
	// says is the action of its entry in the audit trail.
	says string
	// of is what the entry is about, where neither the address nor the answer has it.
	of string
	// by is who did it, where that is not who was signed in: somebody of the cast, or
	// a kind of actor without an id.
	by string
	// refused says that the entry tells of a refusal.
	refused bool
	// same says why no field is different afterwards.
	same string
	// lets is what the one is called whom the answer lets in.
	lets string
	// before says that the test's begin has done it, at this address.
	before string
}

const (
	justDone  = "it is told that it was done: there is no field of it to show"
	secretNew = "what was made anew is a secret"
)

// silent are operations that change nothing that anybody would look for in the trail.
var silent = map[string]string{
	"policy-manager validateUnit":          "it validates, and keeps nothing",
	"devportal-backend tryOperation":       "it calls an API, which the traffic records tell",
	"tenant-manager beginDeviceSignIn":     "nobody is known yet: what a person decides about it is told",
	"tenant-manager askSecondStepPasskey":  "a question for the authenticator: what comes of its answer is told",
	"tenant-manager askSignInPasskey":      "a question for the authenticator: what comes of its answer is told",
	"tenant-manager askMyPasskey":          "a question for the authenticator: what comes of its answer is told",
	"tenant-manager askNewPasskey":         "a question for the authenticator: what comes of its answer is told",
	"tenant-manager markMyOrganization":    "which organizations somebody finds first, for themselves alone",
	"tenant-manager updateMyPreferences":   "how the screens look for somebody, for themselves alone",
	"tenant-manager askSignInMethods":      "it says how somebody signs in",
	"tenant-manager beginSsoSignIn":        "the identity provider has not answered: what comes of its answer is told",
	"tenant-manager keepSamlAnswer":        "it keeps an answer for finishSsoSignIn, which tells what comes of it",
	"tenant-manager refreshToken":          "the session goes on: its beginning, its end, and a refresh token that comes twice are told",
	"tenant-manager exchangeToken":         "what is done with the access token is told, with the name of the token",
	"tenant-manager exchangeAccessToken":   "what is done with the access token is told, with the name of the application",
	"tenant-manager previewSecurityPolicy": "a preview",
	"tenant-manager previewBrand":          "a preview",
	"tenant-manager previewLetter":         "a preview",
	"tenant-manager previewAccessReview":   "a preview",
	"tenant-manager previewBoundary":       "a preview",
	"tenant-manager previewInvitations":    "a preview",
	"tenant-manager previewDomain":         "a preview",
	"tenant-manager previewSsoGroupRoles":  "a preview",
	"tenant-manager checkAccess":           "a question",
	"tenant-manager whoCan":                "a question",
	"tenant-manager testSecretReference":   "it says whether a reference can be read, and keeps nothing",
}

// elsewhere are operations that need another party, such as an authenticator or an
// identity provider. The tests that are named have one, and ask for the entry.
var elsewhere = map[string]string{
	"gateway-manager deleteGateway":           "gateway-manager TestStatesOfGateways, with a gateway that has gone",
	"tenant-manager changeMyEmail":            "tenant-manager TestAnotherEmailAddress, with a mail server",
	"tenant-manager confirmEmailChange":       "tenant-manager TestAnotherEmailAddress, with a mail server",
	"tenant-manager switchOrganization":       "tenant-manager TestGoingToAnotherOfOnesOrganizations, with one person in several",
	"tenant-manager createMyPasskey":          "tenant-manager TestPasskeys, with an authenticator",
	"tenant-manager signInPasskey":            "tenant-manager TestPasskeys, with an authenticator",
	"tenant-manager signInByToken":            "tenant-manager TestOneSignIn, as an app of the product",
	"tenant-manager finishSsoSignIn":          "tenant-manager TestSigningInAtAProvider, with an identity provider",
	"tenant-manager endSsoSessions":           "tenant-manager TestSigningOutAtAProvider, with an identity provider",
	"tenant-manager testSsoConnection":        "tenant-manager TestTestingAConnection, with an identity provider",
	"tenant-manager beginSsoConfirmation":     "tenant-manager TestProvingAgainAtAProvider, with an identity provider",
	"tenant-manager renewSsoCertificate":      "tenant-manager TestRenewingOurCertificate, with an identity provider",
	"tenant-manager switchSsoCertificate":     "tenant-manager TestRenewingOurCertificate, with an identity provider",
	"tenant-manager endSsoCertificateOverlap": "tenant-manager TestRenewingOurCertificate, with an identity provider",
	"tenant-manager refreshSsoMetadata":       "tenant-manager TestMetadataIsFetchedAnewByItself, with an identity provider",
	"tenant-manager decideOAuthAuthorization": "tenant-manager TestRefreshTokens, with an application",
	"tenant-manager decideOAuthDevice":        "tenant-manager TestDevices, with a device",
	"tenant-manager deleteMyConsent":          "tenant-manager TestRefreshTokens, with an application",
	"tenant-manager deleteOAuthConsent":       "tenant-manager TestRefreshTokens, with an application",
	"tenant-manager verifyDomain":             "tenant-manager TestADomainIsProvenByDNS, with a name server",
	"tenant-manager retryMail":                "tenant-manager TestMailIsSent, with a mail server",
	"tenant-manager replayWebhookDelivery":    "tenant-manager TestWebhooks, with a receiver",
	"tenant-manager startBulkJob":             "tenant-manager TestABulkJobDoesToManyWhatOneIsDone, when it is known what it would do",
	"tenant-manager retryBulkJob":             "tenant-manager TestWhatABulkJobDidNotDoIsTriedAgain, when something was refused",
}

// carried are operations of the bff, which keeps sessions for browsers: what they
// write is written by these, with the request id of the browser.
var carried = map[string]string{
	"signIn": "signIn", "finishSignIn": "finishSignIn", "signInPasskey": "signInPasskey", "beginSsoSignIn": "beginSsoSignIn",
	"beginSsoTest": "testSsoConnection", "beginSsoConfirmation": "beginSsoConfirmation", "samlCallback": "keepSamlAnswer", "usePasswordLink": "usePasswordLink", "signInOnce": "signInOnce",
	"acceptInvitation": "acceptInvitation", "signOut": "signOut", "impersonate": "impersonateUser", "stopImpersonating": "signOut",
	"impersonateElsewhere": "impersonateUser", "takeImpersonation": "impersonateUser", "switchOrganization": "switchOrganization",
}

// deeds are what the test does, in this order.
var deeds = slices.Concat(inTenantManager, inGatewayManager, inPolicyManager, inDevportalBackend)
