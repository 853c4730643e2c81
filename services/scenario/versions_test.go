package scenario_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// unversioned are operations that change what is there and take no If-Match, with the
// reason, as docs/adr/0094 has it.
var unversioned = func() map[string]string {
	out := map[string]string{
		"gateway-manager deleteGateway":         "a gateway has no version: it tells of itself every ten seconds, and is only forgotten while it is away",
		"policy-manager orderPlans":             "the body names every plan there is: an order of other plans is refused",
		"tenant-manager setSetupStep":           "it says one of two things, and the last who says it is right",
		"tenant-manager renameMyFactor":         "a factor has no version: it is made and removed, and its owner alone names it",
		"tenant-manager activateMyTotp":         "it takes the code of this factor, once",
		"tenant-manager resetUserFactors":       "all go, whichever there are",
		"tenant-manager decideAccessReview":     "many decide at the same time, each about items that are named",
		"tenant-manager usePasswordLink":        "the link is good once",
		"tenant-manager confirmEmailChange":     "the link is good once",
		"tenant-manager moveGroup":              "as adding and removing a member: it says from where to where",
		"tenant-manager markMyOrganization":     "the last mark counts, and it is the own",
		"tenant-manager endSsoSessions":         "it ends what there is, as OpenID Connect has it",
		"tenant-manager acceptInvitation":       "the link is good once",
		"tenant-manager dismissPasswordRequest": "a request has no version: it is made and answered",
		"tenant-manager runSystemJob":           "it asks for work, and changes nothing by itself",
		"tenant-manager retryMail":              "a letter has no version: it is sent once more as it is",
		"tenant-manager replayWebhookDelivery":  "a delivery has no version: it is sent once more as it is",
	}
	for reason, ops := range map[string][]string{
		"it makes something new": {
			"devportal-backend createCredential", "gateway-manager createJoinToken", "gateway-manager createRevision", "gateway-manager deployApi", "policy-manager createPlan",
			"tenant-manager impersonateUser", "tenant-manager createPasswordLink", "tenant-manager addGroupMember", "tenant-manager createServiceAccountToken",
			"tenant-manager rotateOAuthSecret", "tenant-manager createScimToken", "tenant-manager switchOrganization",
		},
		"it is made and ended, and never changed": {
			"gateway-manager deleteJoinToken", "tenant-manager endMyOtherSessions", "tenant-manager endMySession", "tenant-manager endUserSessions", "tenant-manager endUserSession",
			"tenant-manager deleteUserToken", "tenant-manager deleteMyFactor", "tenant-manager removeGroupMember", "tenant-manager deleteServiceAccountToken", "tenant-manager deleteMyToken",
			"tenant-manager deleteMyConsent", "tenant-manager deleteOAuthConsent", "tenant-manager deleteOAuthSecret", "tenant-manager withdrawOAuthKey", "tenant-manager deleteOAuthInitialToken", "tenant-manager deleteScimToken",
		},
		"it changes nothing": {
			"tenant-manager previewLetter", "tenant-manager previewBoundary", "tenant-manager previewDomain", "tenant-manager testLetter", "tenant-manager testAuditReceiver",
			"tenant-manager testWebhook", "tenant-manager testSsoConnection",
		},
	} {
		for _, op := range ops {
			out[op] = reason
		}
	}
	return out
}()

// verb is an address of what is done to one thing.
var verb = regexp.MustCompile(`\}/[a-z-]+$`)

// Every operation that changes or deletes what is there, or does something to it, takes
// If-Match, or is named with the reason why it does not. That it holds, TestEveryWriteIsInTheTrail
// sees.
func TestChangesTakeIfMatch(t *testing.T) {
	t.Parallel()
	all := everyWrite(t)
	for _, op := range slices.Sorted(maps.Keys(all)) {
		o := all[op]
		changes := o.Method != http.MethodPost || verb.MatchString(o.Path)
		switch reason, named := unversioned[op]; {
		case o.Service == "bff", !changes:
			require.False(t, named, "%s is named in unversioned, and needs not be", op)
		case o.TakesVersion():
			require.False(t, named, "%s is named in unversioned, and takes If-Match", op)
		default:
			require.NotEmpty(t, reason, "%s changes what is there: have it take If-Match, or say in unversioned why it does not", op)
		}
	}
	for op := range unversioned {
		require.Contains(t, all, op)
	}
}
