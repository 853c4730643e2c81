// Generated from services/tenant-manager/openapi.yaml by npm run generate. Do not edit.

export interface paths {
    "/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the first run still has to be completed */
        get: operations["getSetup"];
        put?: never;
        /**
         * Complete the first run
         * @description Gives the first owner a name, an e-mail address and a password. Only that owner may, and once (409).
         */
        post: operations["completeSetup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with e-mail address and password
         * @description Whether there is such an account is not told, neither by the answer nor by its time. Attempts are limited by account and by address (429 with Retry-After). Who has a second factor is answered 202 with a challenge for /sign-in/second-step, after the password was right. Whose password is right in several organizations, and who names none, is answered 422 with the choices for /organization.
         */
        post: operations["signIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/one-time": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in with the one-time code of the first run, or of a recovery */
        post: operations["signInOnce"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/device": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to sign in on a device that has no browser
         * @description The device shows userCode and the address, and asks /sign-in/device/token every interval seconds. The person enters the code where they are signed in, by a browser and by whatever their organization asks for.
         */
        post: operations["beginDeviceSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/device/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in on a device, once somebody has allowed it */
        post: operations["finishDeviceSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in at an app by what the authorization server gave it
         * @description For the apps of the product alone, which are clients of the authorization server of every organization: swaps an access token with the scope and the audience gatehouse for a session of the same user, once. The session came of the one that the token was granted under: it ends with that, and signing out of either ends both. Whatever is wrong with the token is answered with one same problem.
         */
        post: operations["signInByToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/second-step": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Prove a second factor
         * @description One of a code of an authenticator app, a recovery code, and a passkey. Attempts are limited by account and by address (429 with Retry-After).
         */
        post: operations["finishSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/second-step/passkey-options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a passkey has to sign as the second step */
        post: operations["askSecondStepPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/passkey-options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a passkey has to sign to sign in with it alone */
        post: operations["askSignInPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a passkey alone
         * @description The passkey says whose it is, and has made sure of the person by PIN or biometry.
         */
        post: operations["signInPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/methods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * How somebody with an e-mail address signs in
         * @description Depends on the domain alone, and tells nothing of whether there is such an account.
         */
        post: operations["askSignInMethods"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/sso": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to sign in at an identity provider
         * @description Names the provider by the domain of an e-mail address, or by the id of the connection. The answer is where to send the browser to. Good for ten minutes, once, and for the browser that keeps `binding`.
         */
        post: operations["beginSsoSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/sso/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take what an identity provider sent back, and be signed in
         * @description Answers tokens, or the challenge of a second step, or, for a test sign-in, the id of what was received.
         */
        post: operations["finishSsoSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/sso/saml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep the answer of a SAML identity provider until the browser comes with it
         * @description It arrives as a post of another site, with which the browser sends no cookie. The answer is a handle, good for two minutes and once, which goes to finishSsoSignIn with the secret that the browser keeps; only then is anything read. An answer to no sign-in that was begun here is refused.
         */
        post: operations["keepSamlAnswer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/sso/saml/{id}/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a SAML identity provider is set up with
         * @description The metadata of the connection as a service provider. It names no person and no organization.
         */
        get: operations["getSamlMetadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-in/sso/{id}/backchannel-logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the sessions that ended at an identity provider
         * @description OpenID Connect Back-Channel Logout 1.0: the identity provider of a connection posts a logout token, which its keys have signed. The sessions end that came of its session (sid), or those of the person (sub) by this connection. A token is good once, and for five minutes. Its address for the provider is this path below `/api/tenant-manager/v1` at any console.
         */
        post: operations["endSsoSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the session of the caller
         * @description Where it began at an OpenID Connect provider whose connection says so (`signOutAtProvider`), and the body says where the browser is, the answer says where to send it to be signed out there too (RP-Initiated Logout 1.0). The session here has ended either way; a provider that does not say where it signs people out, or cannot be asked within three seconds, is left out.
         */
        post: operations["signOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/token/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a refresh token for new tokens
         * @description Every refresh token is good for one use. One that comes again after its successor was used ends the session, because one of the two who had it should not.
         */
        post: operations["refreshToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/token/personal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange the token of a person or a service account for an access token */
        post: operations["exchangeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/token/access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange an application's access token for one of the product's own
         * @description For an access token of the organization's authorization server with the scope `gatehouse` and the audience `gatehouse`, by
         *     which an application acts as a person. It ends with that token, the consent, the client, the person and the sign-in in which
         *     it was allowed, and does no more than a personal token. Tokens that are bound to a key or a certificate are refused.
         */
        post: operations["exchangeAccessToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jwks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The public keys of access tokens
         * @description The present key, the one before, and the one that comes next (RFC 7517, RFC 8037).
         */
        get: operations["getKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who the caller is, and what they may do */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change the own name */
        patch: operations["updateMe"];
        trace?: never;
    };
    "/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the own password
         * @description Ends all other sessions of the caller.
         */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for another e-mail address of the own account
         * @description A link goes to the new address; by opening it the address changes, and the old one is told. The answer is the same whether somebody has the address already. It needs a fresh proof of who the caller is, and a mail server.
         */
        post: operations["changeMyEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/email-changes/by-token/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        /** Which address a link confirms */
        get: operations["openEmailChange"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/email-changes/by-token/{token}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a new e-mail address
         * @description It is signed in with from then on. Links that were sent to the old one no longer work, and it is told.
         */
        post: operations["confirmEmailChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/preferences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the consoles and the portal look for the caller, and how they keep their lists
         * @description What is absent was never chosen: the browser decides it. Only people have preferences.
         */
        get: operations["getMyPreferences"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change preferences of the caller
         * @description A merge patch (RFC 7396): what is not named stays, and null takes something back, also one view of one list. So browsers that change different things do not undo each other, and may send `If-Match: *`. All together have at most 32 KiB.
         */
        patch: operations["updateMyPreferences"];
        trace?: never;
    };
    "/me/impersonations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who acted as me */
        get: operations["listMyImpersonations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The own sessions */
        get: operations["listMySessions"];
        put?: never;
        post?: never;
        /** Sign out everywhere else */
        delete: operations["endMyOtherSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of the own sessions */
        delete: operations["endMySession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/organizations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The organizations that one can go to, wants at hand, and used last
         * @description One's own are those of the account and those in which the password of the sign-in was right too; nobody is told of an account that they have not proven to be theirs. Who may read all organizations also has favourites and recently used ones among them.
         */
        get: operations["listMyOrganizations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/organizations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Want an organization at hand, or note that it is used
         * @description It is one's own, or the caller may read all organizations: else it is not found.
         */
        put: operations["markMyOrganization"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/organizations/{id}/session": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go to another of one's own organizations
         * @description Begins a session there without the password, which was right there too when the caller signed in; the time of that sign-in stays the time of this one. All that the other organization asks of who signs in holds: a second factor (202 with a challenge for /sign-in/second-step), its addresses, how long sessions last, single sign-on. Where it asks for a fresh sign-in, that is refused with the code confirmation-required. The session of before stays.
         */
        post: operations["switchOrganization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/confirmation/sso": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to prove again who one is at an identity provider
         * @description The provider is asked for a new proof, whatever session there is with it (prompt=login and max_age=0, ForceAuthn), and has to say that there was one. The answer is where to send the browser to; it comes back as from a sign-in, and finishSsoSignIn confirms the session that began.
         */
        post: operations["beginSsoConfirmation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/confirmation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How one can prove again who one is */
        get: operations["getMyConfirmation"];
        put?: never;
        /**
         * Prove again who one is
         * @description For ten minutes after it, and after signing in, factors and tokens can be changed; other times that is refused with the code confirmation-required. One of the password that lets one in, which is the directory's where that does; a code; a recovery code; and a passkey.
         */
        post: operations["confirmMe"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/passkey-options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What an own passkey has to sign to prove who one is */
        post: operations["askMyPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The own second factors */
        get: operations["listMyFactors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/factors/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to set up an authenticator app
         * @description The secret is in this answer and nowhere else. It counts once a code of it was sent to /me/factors/{id}/activation.
         */
        post: operations["createMyTotp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/factors/passkey-options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a new passkey has to sign */
        post: operations["askNewPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/factors/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Add a passkey */
        post: operations["createMyPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/factors/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a factor */
        delete: operations["deleteMyFactor"];
        options?: never;
        head?: never;
        /** Rename a factor */
        patch: operations["renameMyFactor"];
        trace?: never;
    };
    "/me/factors/{id}/activation": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Finish setting up an authenticator app */
        post: operations["activateMyTotp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make new recovery codes
         * @description They are in this answer and nowhere else, and take the place of those before.
         */
        post: operations["createMyRecoveryCodes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organization": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The organization of the caller */
        get: operations["getOrganization"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change the organization */
        patch: operations["updateOrganization"];
        trace?: never;
    };
    "/posture": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How well the organization is looked after
         * @description What is worth somebody's attention, counted now: each finding says what it means and what to do. What the caller may not read is left out.
         */
        get: operations["getPosture"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/setup-steps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What there is to set up in an organization, and what is done
         * @description A step is done by what is there, and not by having been looked at.
         */
        get: operations["listSetupSteps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/setup-steps/{step}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The step. */
                step: components["schemas"]["SetupStepName"];
            };
            cookie?: never;
        };
        get?: never;
        /** Leave a step of setting up out, or take it up again */
        put: operations["setSetupStep"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/security-policy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the organization asks of those who sign in, and whom it hits now */
        get: operations["getSecurityPolicy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change what the organization asks of those who sign in
         * @description Sessions follow when their tokens are renewed, within five minutes. A list of addresses has to hold the caller's own, unless `confirmLockout` says that it need not.
         */
        patch: operations["updateSecurityPolicy"];
        trace?: never;
    };
    "/security-policy/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Whom a policy would hit now */
        post: operations["previewSecurityPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/brand": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the organization's sign-in pages and letters look */
        get: operations["getBrand"];
        /**
         * Set how the organization's sign-in pages and letters look
         * @description Pages have it at once. An accent that cannot be read on a theme is corrected there, and the palette says by how much.
         */
        put: operations["setBrand"];
        post?: never;
        /** Go back to how the installation looks */
        delete: operations["deleteBrand"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/brand/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a brand would look like
         * @description Checks it field by field and keeps nothing.
         */
        post: operations["previewBrand"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/brand/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep a logo
         * @description PNG, WebP or SVG, at most 256 kB, and 2048 pixels wide and high. An SVG is written anew from what draws: whatever runs, loads or refers elsewhere is taken out, and named. One that no brand has after a day is forgotten.
         */
        post: operations["addBrandImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/brand/images/{hash}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A logo
         * @description For everybody, and for good, since its address changes with what is in it. It can run nothing.
         */
        get: operations["getBrandImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/brand/public": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a sign-in page looks
         * @description For everybody. The organization is that of the authorization request, else of the OAuth client, else of the slug, else of the host. Where it has no brand, or there is none, it is the installation's: what is answered tells nothing but the brand.
         */
        get: operations["getPublicBrand"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every kind of letter, and in which languages there are words for it */
        get: operations["listLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/letters/{kind}/{language}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind of letter. */
                kind: components["parameters"]["KindOfLetter"];
                /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
                language: components["parameters"]["LanguageOfLetter"];
            };
            cookie?: never;
        };
        /**
         * What a letter says in a language
         * @description Where the organization has no words of its own, it is what Gatehouse says: in this language, else in English.
         */
        get: operations["getLetter"];
        /**
         * Word a letter otherwise
         * @description Placeholders are written {{name}}; what else stands in the words means nothing. One that the letter does not know is refused, and so are words without what the letter is about.
         */
        put: operations["setLetter"];
        post?: never;
        /** Go back to Gatehouse's own words */
        delete: operations["deleteLetter"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/letters/{kind}/{language}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind of letter. */
                kind: components["parameters"]["KindOfLetter"];
                /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
                language: components["parameters"]["LanguageOfLetter"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a letter would look like
         * @description With example data. Keeps nothing.
         */
        post: operations["previewLetter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/letters/{kind}/{language}/test": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind of letter. */
                kind: components["parameters"]["KindOfLetter"];
                /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
                language: components["parameters"]["LanguageOfLetter"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a letter to oneself
         * @description With example data, to the e-mail address of the caller, and to nobody else. Says what the server answered.
         */
        post: operations["testLetter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All organizations of the installation
         * @description For administrators of the platform, who are of the first organization.
         */
        get: operations["listOrganizations"];
        put?: never;
        /**
         * Make an organization, and a link by which its owner comes in
         * @description The link is in this answer and nowhere else. It can be used once.
         */
        post: operations["createOrganization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** An organization of the installation */
        get: operations["getPlatformOrganization"];
        put?: never;
        post?: never;
        /**
         * Delete an organization, which can be restored for seven days
         * @description Its people are out of every service within two seconds, its tokens and keys are void, and its gateways serve nothing. After seven days everything that any service has of it goes for good, and its slug is never given again. The first organization cannot be deleted.
         */
        delete: operations["deleteOrganization"];
        options?: never;
        head?: never;
        /**
         * Rename, suspend or resume an organization, or limit what it may have
         * @description Who is of a suspended one is out of every service within two seconds, and cannot sign in; its gateways go on serving. The first organization cannot be suspended. Limits hold for what is made from then on: what there is more stays.
         */
        patch: operations["updatePlatformOrganization"];
        trace?: never;
    };
    "/organizations/{id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a deleted organization back
         * @description Everything is as it was, and its gateways serve again. One that was suspended before still is.
         */
        post: operations["restoreOrganization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{id}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** How much an organization has, and how much it may have */
        get: operations["getPlatformOrganizationUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organizations/{id}/export": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /**
         * Everything that an organization has in every service
         * @description As the export of the caller's own organization. A deleted one can be exported until it goes for good.
         */
        get: operations["exportPlatformOrganization"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organization/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How much the organization has, and how much it may have */
        get: operations["getOrganizationUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/organization/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everything that the organization has in every service
         * @description A ZIP archive: for each service a folder, in it for each kind of thing a file of JSON lines, and at its end manifest.json, which says how many lines each file has; an archive without it was broken off. Passwords, keys, tokens and their hashes are not in it.
         */
        get: operations["exportOrganization"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The users of the organization */
        get: operations["listUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The users of the organization as a table
         * @description Comma-separated values (RFC 4180) in UTF-8, one user a line, narrowed and in the order as the list is. What a spreadsheet would take for a formula has an apostrophe in front. That somebody took it is an entry of the audit trail.
         */
        get: operations["exportUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where users can come from */
        get: operations["listUserSources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/actions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Do the same to several users
         * @description Each user is a transaction of its own, with an entry of the audit trail of its own, and all that holds for one user holds here: nobody changes a user who may do more than they, and the last owner stays. Oneself and break-glass accounts are left out: those are changed one by one. A dry run says what would become of each.
         */
        post: operations["actOnUsers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk-jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Bulk jobs
         * @description Shows all of them to who has user:read, and to who invites those that they made themselves. They are kept for 30 days after their end.
         */
        get: operations["listBulkJobs"];
        put?: never;
        /**
         * Do the same to many users
         * @description The service does it, one row after the other, in the name of who made the job: it goes on when they have gone, and after a restart where it was. Each row is a transaction of its own, with an entry of the audit trail of its own, and all that holds for one user holds here, as it is when the row's turn comes. Whoever may not do any longer what their job does stops it. Oneself and break-glass accounts are left out. First it is found out what would become of each row; nothing is done before the job is started. This needs what the action needs of one: user:update; user:delete to delete; group:update besides for groups; invitation:create to invite.
         */
        post: operations["createBulkJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk-jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A bulk job, and how far it is */
        get: operations["getBulkJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk-jobs/{id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a bulk job
         * @description Only who made it does, because it is done in their name. One that is not started within a day is cancelled.
         */
        post: operations["startBulkJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk-jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a bulk job before it is done
         * @description What was done stays. Who made it does, and who has user:update.
         */
        post: operations["cancelBulkJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk-jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try again what a bulk job did not do
         * @description Makes a job of the rows that were refused or failed, in the name of the caller, which first finds out what would become of each, as every job. Lines of a list that cannot be read are left out, and so are those who are gone. It needs what making the job needs. Only jobs that were started and have ended are tried again, and each once: what the second job does not do is tried again there, unless that one was discarded.
         */
        post: operations["retryBulkJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk-jobs/{id}/rows": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /**
         * What became of the rows of a bulk job
         * @description Before it is started: what would become of them.
         */
        get: operations["listBulkJobRows"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/bulk-jobs/{id}/result": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /**
         * What became of the rows of a bulk job, as CSV
         * @description What a spreadsheet would take for a formula has an apostrophe in front.
         */
        get: operations["exportBulkJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A user */
        get: operations["getUser"];
        put?: never;
        post?: never;
        /**
         * Delete a user
         * @description Name, e-mail address and password are erased; what the user did stays under the id.
         */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        /**
         * Rename, disable or enable a user
         * @description Who is disabled is signed out everywhere. The last owner cannot be disabled, and nobody can change a user who may do more than they. Only owners can be break-glass accounts.
         */
        patch: operations["updateUser"];
        trace?: never;
    };
    "/users/{id}/impersonation": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Act as a user
         * @description Begins a session, of 30 minutes at most, in which the caller sees and does what the user sees and does. The user is told by mail, and finds it in their account. Each entry of the audit trail names both. Credentials, factors, tokens, sessions and consents cannot be changed in it, and nobody can act as a user who may do more than they. It takes a fresh proof of who the caller is.
         */
        post: operations["impersonateUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/impersonations": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Who acted as a user */
        get: operations["listUserImpersonations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** The sessions of a user */
        get: operations["listUserSessions"];
        put?: never;
        post?: never;
        /** End all sessions of a user */
        delete: operations["endUserSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/sessions/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the session. */
                session: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a session of a user */
        delete: operations["endUserSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** The personal tokens of a user */
        get: operations["listUserTokens"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the token. */
                token: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a personal token of a user */
        delete: operations["deleteUserToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/email": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Correct the e-mail address of a user
         * @description They sign in with it from then on. Links that were sent to the old one no longer work, and it is told. Users who come from single sign-on or a directory have the address that those say.
         */
        put: operations["changeUserEmail"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/password-links": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link by which a user sets a new password
         * @description For who has forgotten theirs. The link is in this answer and nowhere else; it can be used once, for a day, and takes the place of those before.
         */
        post: operations["createPasswordLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/password-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a link to set a new password
         * @description The answer and its time are the same whether there is such an account or not: the work is done after it. Who has several organizations is asked for in each. The link comes from an administrator, who sees the request.
         */
        post: operations["requestPasswordLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/password-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who asked for a new password and has no link yet */
        get: operations["listPasswordRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/password-requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Turn the request of a user down, named by the user's id */
        delete: operations["dismissPasswordRequest"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/password-links/by-token/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        /** Whose password a link sets */
        get: operations["openPasswordLink"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/password-links/by-token/{token}/use": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a new password
         * @description Ends all sessions of the user, and begins a new one.
         */
        post: operations["usePasswordLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/factors": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** The second factors of a user */
        get: operations["listUserFactors"];
        put?: never;
        post?: never;
        /**
         * Remove all second factors of a user
         * @description For who has lost theirs and their recovery codes. The user is signed out everywhere.
         */
        delete: operations["resetUserFactors"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/permissions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every permission there is */
        get: operations["listPermissions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The roles of the organization
         * @description The built-in ones on the first page, then custom ones by name.
         */
        get: operations["listRoles"];
        put?: never;
        /**
         * Make a custom role
         * @description It can hold no permission that its maker does not have.
         */
        post: operations["createRole"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/roles/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A role */
        get: operations["getRole"];
        put?: never;
        post?: never;
        /** Delete a custom role that nobody has */
        delete: operations["deleteRole"];
        options?: never;
        head?: never;
        /** Change a custom role */
        patch: operations["updateRole"];
        trace?: never;
    };
    "/roles/{id}/holders": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Users and service accounts who have a role, with how they come to it */
        get: operations["listRoleHolders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who has which role */
        get: operations["listGrants"];
        put?: never;
        /**
         * Give somebody a role, or deny its permissions to them
         * @description Nobody can give what they do not have themselves. What is denied wins over all that is allowed, in its scope. Nobody can deny anything to who may do more than they, nor to the last owner.
         */
        post: operations["createGrant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/grants/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A grant */
        get: operations["getGrant"];
        put?: never;
        post?: never;
        /**
         * Take a role away
         * @description That of the last owner cannot be taken.
         */
        delete: operations["deleteGrant"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Whether somebody may do something, and why
         * @description About oneself anybody may ask; about others it needs role:read.
         */
        post: operations["checkAccess"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/effective/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /**
         * What a user, service account or group may do and where, and by what
         * @description Every permission at every place that something which they hold is about, by themselves or by the groups that they are in: where it is given or denied, and where a denial meets what is given. With a project, an API or an environment, it is what they may do there. What is not in it is not allowed. It is decided as /access/check decides. About oneself anybody may ask; about others it needs role:read there.
         */
        get: operations["getEffectiveAccess"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/who-can": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Who has a permission in a scope
         * @description Users and service accounts, by id, with why.
         */
        post: operations["whoCan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/missing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which roles have a permission that one lacks, and who can give them
         * @description For whoever was refused something: everybody may ask. Custom roles it tells only to who has role:read; people by their names alone, a few of them.
         */
        get: operations["getMissingAccess"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who asked for which role
         * @description Those of others it shows to who has role:read in the scope of the list; one's own to everybody.
         */
        get: operations["listAccessRequests"];
        put?: never;
        /** Ask for a role */
        post: operations["createAccessRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A request for a role */
        get: operations["getAccessRequest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/requests/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give what was asked for
         * @description Who may give the role may approve it, but not for themselves. The grant begins now and ends after the minutes.
         */
        post: operations["approveAccessRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/requests/{id}/deny": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Refuse what was asked for */
        post: operations["denyAccessRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/requests/{id}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take one's own request back */
        post: operations["withdrawAccessRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/reviews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reviews of who has access
         * @description Shows all of them to who has role:read, and to others those that they decide in.
         */
        get: operations["listAccessReviews"];
        put?: never;
        /**
         * Begin a review of who has access
         * @description The grants in the scope that the caller could take away themselves become its items, as they are now; what denies is no part of it. At the deadline, or when it is closed, what is to be revoked is taken away.
         */
        post: operations["createAccessReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/reviews/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a review would be about */
        post: operations["previewAccessReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/reviews/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A review of who has access */
        get: operations["getAccessReview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change a review
         * @description The deadline, the reviewers and what becomes of undecided grants change while it runs; whether it is repeated, and its name, at any time.
         */
        patch: operations["updateAccessReview"];
        trace?: never;
    };
    "/access/reviews/{id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a review before its deadline
         * @description What is decided is carried out, and what is undecided as the review says. Each grant is taken away by itself; the last owner never.
         */
        post: operations["closeAccessReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/reviews/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a review without carrying anything out
         * @description It is not repeated either.
         */
        post: operations["cancelAccessReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/reviews/{id}/items": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** What a review is about */
        get: operations["listAccessReviewItems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/reviews/{id}/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep or revoke what a review is about
         * @description Only its reviewers decide, and nobody on what they have themselves, by themselves or by a group, unless nobody else could. A decision can be changed as long as the review runs.
         */
        post: operations["decideAccessReview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/access/reviews/{id}/result": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** What came of a review, as CSV */
        get: operations["exportAccessReview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/boundaries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whose permissions are bounded by which role */
        get: operations["listBoundaries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/boundaries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the user, service account or group. */
                id: string;
            };
            cookie?: never;
        };
        /** The boundary of a user, service account or group */
        get: operations["getBoundary"];
        /**
         * Bound what a user, a service account or the members of a group may do
         * @description Whatever they are given, they may do nothing that the role does not have, nor hand it on. Nobody can bound who may do more than they, nor the last owner.
         */
        put: operations["setBoundary"];
        post?: never;
        /** Take a boundary away */
        delete: operations["deleteBoundary"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/boundaries/{id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the user, service account or group. */
                id: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a boundary would take away
         * @description Of the user, service account or group, or of somebody in the group.
         */
        post: operations["previewBoundary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The groups of the organization */
        get: operations["listGroups"];
        put?: never;
        /** Make a group */
        post: operations["createGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/groups/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A group */
        get: operations["getGroup"];
        put?: never;
        post?: never;
        /**
         * Delete a group, with what was given and denied to it
         * @description Its members stay, without what they had by it.
         */
        delete: operations["deleteGroup"];
        options?: never;
        head?: never;
        /** Rename a group */
        patch: operations["updateGroup"];
        trace?: never;
    };
    "/groups/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move a group out of one group into another, or say what that would do
         * @description In one step, so that nobody in it is without both or has both. A group cannot be in itself, and groups are at most 8 deep. Nobody can give or take what they do not have themselves. With preview nothing is changed, and what would be refused is.
         */
        post: operations["moveGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/groups/{id}/members": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Who is in a group itself */
        get: operations["listGroupMembers"];
        put?: never;
        /**
         * Put a user, a service account or another group into a group
         * @description They have what the group has, and what the groups have that it is in. Nobody can give what they do not have themselves. A group cannot be in itself, and groups are at most 8 deep.
         */
        post: operations["addGroupMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/groups/{id}/members/{member}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the user, service account or group. */
                member: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take a member out of a group */
        delete: operations["removeGroupMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The invitations of the organization */
        get: operations["listInvitations"];
        put?: never;
        /**
         * Invite somebody by a link
         * @description The link is in this answer and nowhere else. It can be used once. Nobody can give what they do not have.
         */
        post: operations["createInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** An invitation */
        get: operations["getInvitation"];
        put?: never;
        post?: never;
        /** Take an invitation back */
        delete: operations["deleteInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/{id}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a new link for an invitation
         * @description The link of before does not work any more, and the time begins anew. It takes what inviting takes: nobody can give what they do not have.
         */
        post: operations["resendInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make new links for several invitations
         * @description Each invitation is a transaction of its own.
         */
        post: operations["resendInvitations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a list of people would come to
         * @description Reads a list as spreadsheets write it, and says of each line what inviting would do. It changes nothing. The first line names the columns: email, name, roles and groups, in any order and case; others are left out. Values are separated by commas, semicolons or tabs; several roles or groups by |. A role of one project is role@project-id.
         */
        post: operations["previewInvitations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Invite several people
         * @description Each invitation is a transaction of its own. Who is a user already, or is invited and has not come yet, is left out. Links go out by mail where mail is set up, and are in the answer otherwise.
         */
        post: operations["createInvitations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/by-token/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        /** What an invitation link is for */
        get: operations["openInvitation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/by-token/{token}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept an invitation */
        post: operations["acceptInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service-accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The service accounts of the organization */
        get: operations["listServiceAccounts"];
        put?: never;
        /**
         * Make a service account
         * @description It may do nothing until it is given a role, and has no token until one is made.
         */
        post: operations["createServiceAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service-accounts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A service account */
        get: operations["getServiceAccount"];
        put?: never;
        post?: never;
        /** Delete a service account, its tokens and its grants */
        delete: operations["deleteServiceAccount"];
        options?: never;
        head?: never;
        /** Rename, disable or enable a service account */
        patch: operations["updateServiceAccount"];
        trace?: never;
    };
    "/service-accounts/{id}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** The tokens of a service account */
        get: operations["listServiceAccountTokens"];
        put?: never;
        /**
         * Make a token for a service account
         * @description The token is in this answer and nowhere else. Who makes one must have every permission that the service account has.
         */
        post: operations["createServiceAccountToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service-accounts/{id}/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the token. */
                token: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a token of a service account */
        delete: operations["deleteServiceAccountToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The own personal tokens */
        get: operations["listMyTokens"];
        put?: never;
        /**
         * Make a personal token
         * @description The token is in this answer and nowhere else. It does what it is made for, as far as its owner may do that when it is used, and ends with their account. It takes a fresh proof of who the caller is (/me/confirmation), and a session: a token makes none.
         */
        post: operations["createMyToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an own personal token
         * @description By a session any, by a personal token only itself.
         */
        delete: operations["deleteMyToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/consents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the caller allowed applications */
        get: operations["listMyConsents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/consents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take back what the caller allowed an application
         * @description Its refresh tokens for the caller end; access tokens run out by themselves.
         */
        delete: operations["deleteMyConsent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The addresses of the organization's authorization server */
        get: operations["getOAuthServer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/clients": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The OAuth2 clients of the organization */
        get: operations["listOAuthClients"];
        put?: never;
        /**
         * Make an OAuth2 client
         * @description Where it authenticates itself with a secret, the secret is in this answer and nowhere else.
         */
        post: operations["createOAuthClient"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/clients/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** An OAuth2 client */
        get: operations["getOAuthClient"];
        put?: never;
        post?: never;
        /** Delete an OAuth2 client, its secrets, consents and refresh tokens */
        delete: operations["deleteOAuthClient"];
        options?: never;
        head?: never;
        /** Change, disable or enable an OAuth2 client */
        patch: operations["updateOAuthClient"];
        trace?: never;
    };
    "/oauth/clients/{id}/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** The secrets of an OAuth2 client */
        get: operations["listOAuthSecrets"];
        put?: never;
        /**
         * Make a new secret for an OAuth2 client
         * @description The secret is in this answer and nowhere else. Those before it go on for the overlap, or, with keepOthers, until their own ends. A client has ten at most.
         */
        post: operations["rotateOAuthSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/clients/{id}/secrets/{secret}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the secret. */
                secret: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a secret of an OAuth2 client */
        delete: operations["deleteOAuthSecret"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/scopes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What tokens of the organization can be good for */
        get: operations["listOAuthScopes"];
        put?: never;
        /** Make a scope */
        post: operations["createOAuthScope"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/scopes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A scope */
        get: operations["getOAuthScope"];
        put?: never;
        post?: never;
        /**
         * Delete a scope
         * @description Not while a client may ask for it (409).
         */
        delete: operations["deleteOAuthScope"];
        options?: never;
        head?: never;
        /** Change what people read of a scope */
        patch: operations["updateOAuthScope"];
        trace?: never;
    };
    "/oauth/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The keys that the organization's tokens are signed with */
        get: operations["listOAuthKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Withdraw a signing key at once
         * @description For a key that somebody else may have. Tokens that it signed are refused from now on: by the authorization server within seconds, by gateways and APIs once they read the published keys again. A key that signs now cannot be withdrawn: rotate with withdraw. It cannot be undone.
         */
        delete: operations["withdrawOAuthKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/keys/rotation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have the next key sign from now on
         * @description The key before stays published for a day, for the tokens that it signed, unless it is withdrawn. Whoever keeps the published keys in memory reads them again when a token names one that is not among them.
         */
        post: operations["rotateOAuthKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/consents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What users allowed OAuth2 clients */
        get: operations["listOAuthConsents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/consents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take back what a user allowed an OAuth2 client */
        delete: operations["deleteOAuthConsent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/authorizations/by-token/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        /** What an application asks the caller to allow */
        get: operations["getOAuthAuthorization"];
        put?: never;
        /** Allow what an application asks for, or do not */
        post: operations["decideOAuthAuthorization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/initial-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tokens by which programs register themselves as clients */
        get: operations["listOAuthInitialTokens"];
        put?: never;
        /**
         * Let programs register themselves as clients (RFC 7591)
         * @description The token is in this answer and nowhere else.
         */
        post: operations["createOAuthInitialToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/initial-tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a token by which programs register themselves
         * @description The clients that were registered with it stay.
         */
        delete: operations["deleteOAuthInitialToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/device-sign-ins/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The code of nine letters that a device shows, in small or capital letters, with or without hyphens. */
                code: string;
            };
            cookie?: never;
        };
        /** Which device wants to be signed in */
        get: operations["getMyDeviceSignIn"];
        put?: never;
        /** Sign the device in as the caller, or do not */
        post: operations["decideMyDeviceSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/devices/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The code that a device shows (RFC 8628), in small or capital letters, with or without the hyphen. */
                code: string;
            };
            cookie?: never;
        };
        /** What a device asks the caller to allow */
        get: operations["getOAuthDevice"];
        put?: never;
        /** Allow what a device asks for, or do not */
        post: operations["decideOAuthDevice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was done, by whom
         * @description A search by q looks at 25,000 entries a page: a page may then have fewer than its limit, or none, and still a next. Everything that matches comes, to whoever goes on until there is no next.
         */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the audit trail is as it was written
         * @description Computes the chain of hashes again, from the first entry to the last.
         */
        get: operations["verifyAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The audit trail as lines of JSON
         * @description Entries in their order, one a line, as `gatehouse audit verify` reads them: each with its hash and that of the one before, so that the export can be verified without this service. An export begins with the oldest entry that is there, or after a sequence. One that is narrowed by anything else is a part: its first line says of what and by which filter, its last how many entries there are, and `gatehouse audit verify` says of it that the hash of each entry holds, and that gaps are not checked.
         */
        get: operations["exportAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long entries of the audit trail are kept */
        get: operations["getAuditRetention"];
        /**
         * Say how long entries of the audit trail are kept
         * @description Older entries are removed from the beginning, and that is an entry itself, with the sequence and the hash of the last one removed; the rest still verifies. Entries that a receiver has yet to get are not removed.
         */
        put: operations["setAuditRetention"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit/receivers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where the audit trail is forwarded to */
        get: operations["listAuditReceivers"];
        put?: never;
        /**
         * Forward the audit trail to syslog or HTTP
         * @description Every entry is sent in its order, at least once, from the next one on or from the beginning. While the receiver is away nothing is lost: sending goes on where it stopped.
         */
        post: operations["createAuditReceiver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit/receivers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A receiver of the audit trail */
        get: operations["getAuditReceiver"];
        /**
         * Change a receiver of the audit trail
         * @description A secret that is left out stays as it is, unless the address changes.
         */
        put: operations["updateAuditReceiver"];
        post?: never;
        /** No longer forward the audit trail there */
        delete: operations["deleteAuditReceiver"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit/receivers/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test entry to a receiver
         * @description Says what came of it. The entry is marked as a test and is not part of the trail.
         */
        post: operations["testAuditReceiver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhook-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every kind of event that webhooks can be told of */
        get: operations["listWebhookEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where the organization is told of what happens */
        get: operations["listWebhooks"];
        put?: never;
        /**
         * Be told of events by signed requests
         * @description Each event that happens from now on is one POST, signed as Standard Webhooks has it (HMAC-SHA256 in webhook-signature), tried again for three days until it is answered 2xx. The secret is shown once.
         */
        post: operations["createWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A webhook */
        get: operations["getWebhook"];
        /**
         * Change a webhook
         * @description One that is switched on again is told of what happens from then on; what waited is sent.
         */
        put: operations["updateWebhook"];
        post?: never;
        /** Delete a webhook, and what it has yet to get */
        delete: operations["deleteWebhook"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{id}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a new secret
         * @description The one before signs as well for some hours, so that the receiver can change over.
         */
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test and say what was answered
         * @description Its type is webhook.test. It is sent once, also while the webhook is switched off, and is in the log of deliveries.
         */
        post: operations["testWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a webhook gets or got, newest first
         * @description Those that are done are forgotten after 30 days.
         */
        get: operations["listWebhookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{id}/deliveries/{delivery}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the delivery. */
                delivery: components["parameters"]["Delivery"];
            };
            cookie?: never;
        };
        /** A delivery, with what is sent */
        get: operations["getWebhookDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{id}/deliveries/{delivery}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the delivery. */
                delivery: components["parameters"]["Delivery"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a delivery again
         * @description With the same webhook-id and body: receivers recognise what they have.
         */
        post: operations["replayWebhookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mail/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the installation sends mail
         * @description For administrators of the platform, who are of the first organization.
         */
        get: operations["getMailSettings"];
        /**
         * Set how the installation sends mail
         * @description It takes the place of what the configuration says. A password that is left out stays as it is, unless the host or the port changes.
         */
        put: operations["setMailSettings"];
        post?: never;
        /** Go back to what the configuration of the installation says about mail */
        delete: operations["deleteMailSettings"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mail/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a test and say what the server answered */
        post: operations["testMail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the running instances of all services
         * @description Each instance reports every ten seconds over the bus; one that has not for a minute is left out. Gateways have their own list in gateway-manager.
         */
        get: operations["listSystemInstances"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the settings that each service runs with, and where each comes from
         * @description They are those of one instance of each service. Secrets are masked; references to them are shown.
         */
        get: operations["listSystemSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/jobs/{service}/{job}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have a job of a service run now
         * @description The instance that does the job runs it; where it runs already, it runs once more after that. Jobs may run at any time. What becomes of it is in the list of instances.
         */
        post: operations["runSystemJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/licences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what Gatehouse is made of besides its own code
         * @description The Go modules and npm packages in the binary and the browser apps, as they were when it was built.
         */
        get: operations["listSystemLicences"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/licences/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the text of a licence */
        get: operations["getSystemLicence"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say when the installation was backed up last */
        get: operations["getSystemBackup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/secret-references": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Say which references may be named in place of secrets
         * @description A field for a secret takes the secret itself, or a reference to where it is kept: `vault:mount/path#field`, with `?version=3` before the `#` where it is not to be the newest, `env:NAME` or `file:/path`. Whoever runs the installation lists the beginnings of references that may be used; by default there are none.
         */
        get: operations["getSecretReferences"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/secret-references/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say whether a reference leads to a secret, without showing it */
        post: operations["testSecretReference"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mail/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Mail of the organization, newest first
         * @description Sent mail is forgotten after 30 days. What is in it is never shown.
         */
        get: operations["listMail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mail/messages/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try at once, for another day, to send mail that was not sent */
        post: operations["retryMail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Identity providers at which people of the organization sign in */
        get: operations["listSsoConnections"];
        put?: never;
        /**
         * Connect an identity provider
         * @description Nobody can give roles by a connection that they could not give by hand; the owner's is given by hand alone.
         */
        post: operations["createSsoConnection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/connections/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A connection */
        get: operations["getSsoConnection"];
        /**
         * Change a connection
         * @description A secret that is left out stays as it is. With another issuer or another server it has to be given again, and who was linked to the old one is linked anew. Switching it off ends the sessions of who came by it.
         */
        put: operations["updateSsoConnection"];
        post?: never;
        /**
         * Disconnect an identity provider
         * @description Its people stay users, and their sessions that began by it end. Who has no password gets one by a link.
         */
        delete: operations["deleteSsoConnection"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/connections/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin a test sign-in
         * @description Signs nobody in. What was received is read at /sso/tests/{id} by whoever began it, for a quarter of an hour. With a directory (`ldap`) send `username` and `password`, and it is there at once; else `origin` and `binding`.
         */
        post: operations["testSsoConnection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/connections/{id}/sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether an identity provider can be told that somebody signs out here
         * @description Asks an OpenID Connect provider for its metadata, within three seconds; what it said is used for ten minutes.
         */
        get: operations["getSsoSignOut"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/connections/{id}/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fetch the metadata of a SAML identity provider anew
         * @description Its certificates and its address for sign-in are taken on; another entity id is refused. It also happens by itself once a day.
         */
        post: operations["refreshSsoMetadata"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/connections/{id}/certificate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew the certificate of a SAML connection
         * @description A new key is made, and its certificate announced in the connection's metadata beside the one that is in use, which goes on signing until the switch: at the time that is named, or when somebody says so. Assertions that are encrypted for either are taken.
         */
        post: operations["renewSsoCertificate"];
        /**
         * Have one certificate only
         * @description Withdraws the certificate that is announced, or forgets the one before the switch: what is encrypted for it is not taken any more.
         */
        delete: operations["endSsoCertificateOverlap"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/connections/{id}/certificate/switch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Switch to the certificate that is announced
         * @description Requests are signed with it from then on: at once, or at the time that is named. The one before still decrypts, until it ends or is forgotten.
         */
        post: operations["switchSsoCertificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/tests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a test sign-in received */
        get: operations["getSsoTest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/group-role-previews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What roles of groups would change, before they are saved
         * @description Writes nothing. It is answered for the groups that are sent, for the caller's last test sign-in, and for the people who are linked to the connection, by the groups that their provider named when they last signed in. Who may not see users (`user:read`) is told numbers alone.
         */
        post: operations["previewSsoGroupRoles"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/domains": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The domains that the organization claims */
        get: operations["listDomains"];
        put?: never;
        /**
         * Claim a domain
         * @description The answer says which TXT record proves it. It is looked for by itself, less and less often for 30 days, and daily after it was found. Until then the domain leads nobody anywhere.
         */
        post: operations["claimDomain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/domains/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A domain */
        get: operations["getDomain"];
        put?: never;
        post?: never;
        /**
         * Give up a domain
         * @description Neither single sign-on nor a directory has it any more, and another organization can verify it.
         */
        delete: operations["unclaimDomain"];
        options?: never;
        head?: never;
        /**
         * Say how the people of a domain sign in
         * @description `required` needs a verified domain, a connection that is switched on and at which somebody has signed in, and a break-glass account. Break-glass accounts are never bound. Sessions that began with a password end when their tokens are renewed, within five minutes.
         */
        patch: operations["updateDomain"];
        trace?: never;
    };
    "/domains/{id}/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Look for the record of a domain now */
        post: operations["verifyDomain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/domains/{id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Whom rules of sign-in would bind now */
        post: operations["previewDomain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/platform/domains": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The domains that all organizations claim
         * @description For administrators of the platform, who are of the first organization.
         */
        get: operations["listPlatformDomains"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/platform/domains/{domain}/verification": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the domain. */
                domain: string;
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Say that an organization runs a domain
         * @description For domains of networks whose names no DNS shows. It is not looked for after that.
         */
        put: operations["verifyPlatformDomain"];
        post?: never;
        /**
         * Take a domain from the organization that has it
         * @description The organization goes on to claim it, and can prove it by DNS.
         */
        delete: operations["revokePlatformDomain"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/scim/directories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Directories that make, change and disable users and groups */
        get: operations["listScimDirectories"];
        put?: never;
        /**
         * Make a directory
         * @description Its identity provider speaks SCIM 2.0 (RFC 7644) at /scim/v2 of the consoles' address, with a token of the directory. It never changes an account that may do more than whoever saved the directory.
         */
        post: operations["createScimDirectory"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/scim/directories/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** A directory */
        get: operations["getScimDirectory"];
        /**
         * Change a directory
         * @description From now on it may change the accounts that the caller may.
         */
        put: operations["updateScimDirectory"];
        post?: never;
        /**
         * Delete a directory
         * @description Its tokens are revoked. Its users and groups stay, and are changed by hand again.
         */
        delete: operations["deleteScimDirectory"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/scim/directories/{id}/outcomes": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /**
         * What came of the requests of a directory
         * @description With `dryRun`, what its last dry run would have done, and what it was refused in it: the newest 2,000. Without, what it was refused in earnest: the newest 200. What was done in earnest is in the audit trail.
         */
        get: operations["listScimOutcomes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/scim/directories/{id}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** The tokens of a directory */
        get: operations["listScimTokens"];
        put?: never;
        /**
         * Make a token for a directory
         * @description The token is in this answer and nowhere else. There are at most two at once, one of them to change to. Who makes one must have every permission that whoever saved the directory has.
         */
        post: operations["createScimToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/scim/directories/{id}/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the token. */
                token: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a token of a directory */
        delete: operations["deleteScimToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A problem document (RFC 9457). */
        Problem: {
            /** @description /problems/<code>. */
            type: string;
            /** @description The kind of problem. */
            title: string;
            /** @description The HTTP status. */
            status: number;
            /** @description Stable, for programs. */
            code: string;
            /** @description What is wrong this time, and how to mend it. */
            detail?: string;
            /** @description The id of the request. */
            instance?: string;
            /** @description Every field at fault. */
            errors?: components["schemas"]["ProblemField"][];
            /** @description What the field at fault can be, where only this answer can say it. */
            choices?: components["schemas"]["ProblemChoice"][];
            access?: components["schemas"]["ProblemAccess"];
        };
        /** @description A permission that the caller lacks. */
        ProblemAccess: {
            /** @description Its name, such as api:update. */
            permission: string;
            /** @description The id of the project where it is lacked; none = in the whole organization. */
            project?: string;
            /** @description The id of the API where it is lacked. */
            api?: string;
            /** @description The id of the environment where it is lacked. */
            environment?: string;
            /**
             * @description missing: no role has it, and one can be asked for; denied: a role denies it, which wins over others; token: the token is not made for it; boundary: it is outside of what one may have at most.
             * @enum {string}
             */
            reason: "missing" | "denied" | "token" | "boundary";
            /** @description The name of the role or the token that the reason is about. */
            by?: string;
        };
        ProblemChoice: {
            /** @description What is sent. */
            value: string;
            /** @description What people know it by. */
            label: string;
        };
        ProblemField: {
            /** @description The JSON pointer of the field. */
            pointer: string;
            /** @description The rule that is broken. */
            code: string;
            /** @description What was expected. */
            detail: string;
            /** @description Where it stands in a file. */
            source?: string;
            /** @description The values of the rule, for texts in other languages than that of the detail. */
            params?: {
                /** @description The number of a minimum or maximum, of a length or of a count. */
                limit: number;
            };
        };
        /** @description An e-mail address. */
        Email: string;
        /** @description A name for people. */
        Name: string;
        /** @description A new password. What counts is its length; well-known ones and the own e-mail address are refused. */
        Password: string;
        /** @description An id. */
        Reference: string;
        /**
         * @description Whether somebody may sign in.
         * @enum {string}
         */
        Status: "active" | "disabled";
        Setup: {
            /** @description Whether nobody has completed it yet. */
            required: boolean;
        };
        SetupInput: {
            organizationName: components["schemas"]["Name"];
            name: components["schemas"]["Name"];
            email: components["schemas"]["Email"];
            password: components["schemas"]["Password"];
        };
        SignInInput: {
            email: components["schemas"]["Email"];
            /** @description The password. */
            password: string;
            /** @description The slug of the organization, for who belongs to several. */
            organization?: string;
            origin?: components["schemas"]["Origin"];
        };
        /** @description The origin of the page that asks, such as https://admin.example.com. It is one that the installation names. */
        Origin: string;
        /** @description A code of an authenticator app. */
        Code: string;
        /** @description What navigator.credentials gave, as its toJSON says (WebAuthn section 5.1). */
        PasskeyCredential: {
            [key: string]: unknown;
        };
        SignInChallenge: {
            /** @description What names the sign-in that was begun, good for one. */
            challenge: string;
            /** @description By which second factors it can go on. */
            methods: components["schemas"]["FactorMethod"][];
            /**
             * Format: date-time
             * @description When to begin again.
             */
            expiresAt: string;
        };
        /**
         * @description A kind of second factor.
         * @enum {string}
         */
        FactorMethod: "totp" | "passkey" | "recovery";
        SecondStepInput: {
            /** @description What the first step answered. */
            challenge: string;
            totp?: components["schemas"]["Code"];
            /** @description One of the recovery codes, good for one use. */
            recoveryCode?: string;
            passkey?: components["schemas"]["PasskeyCredential"];
        };
        SecondStepPasskeyInput: {
            /** @description What the first step answered. */
            challenge: string;
            origin: components["schemas"]["Origin"];
        };
        OriginInput: {
            origin: components["schemas"]["Origin"];
        };
        PasskeyOptions: {
            /** @description What names the step, good for one answer. */
            challenge: string;
            /** @description {publicKey: …}, with bytes in base64url. */
            options: {
                [key: string]: unknown;
            };
        };
        PasskeyAnswer: {
            challenge: string;
            passkey: components["schemas"]["PasskeyCredential"];
        };
        ConfirmationInput: {
            /** @description The own password. */
            password?: string;
            totp?: components["schemas"]["Code"];
            /** @description One of the own recovery codes, which is used up. */
            recoveryCode?: string;
            /** @description That of /me/passkey-options, with passkey. */
            challenge?: string;
            passkey?: components["schemas"]["PasskeyCredential"];
        };
        /**
         * @description By what somebody proves again who they are; sso is at an identity provider, by beginSsoConfirmation.
         * @enum {string}
         */
        ConfirmationMethod: "password" | "totp" | "recovery" | "passkey" | "sso";
        ConfirmationWays: {
            methods: components["schemas"]["ConfirmationMethod"][];
            /** @description The directory whose password it is; without it, it is one that is kept here. */
            directory?: string;
            /** @description The identity providers that can be asked for a new proof. */
            connections: components["schemas"]["SsoConnectionName"][];
            /** @description A plain OAuth 2.0 provider by which they come: it cannot be asked for a new proof, so that signing out and in again is one. */
            signInAgain?: string;
            /**
             * Format: date-time
             * @description Until when the last proof counts.
             */
            confirmedUntil: string;
        };
        SsoConfirmationInput: {
            /** @description One of the connections of getMyConfirmation. */
            connection: string;
            origin: components["schemas"]["Origin"];
            binding: components["schemas"]["SsoBinding"];
            /** @description The path that the browser goes to afterwards. */
            next?: string;
        };
        Confirmation: {
            /** Format: date-time */
            confirmedUntil: string;
        };
        Factor: {
            id: string;
            kind: components["schemas"]["FactorMethod"];
            name: string;
            /** @description The domain that a passkey belongs to. */
            relyingParty?: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            lastUsedAt?: string;
        };
        FactorList: {
            items: components["schemas"]["Factor"][];
            /** @description How many recovery codes were not used. */
            recoveryCodesLeft: number;
            /**
             * Format: date-time
             * @description Until when the own factors can be changed without a new proof; absent = not now.
             */
            confirmedUntil?: string;
        };
        FactorNameInput: {
            name?: components["schemas"]["Name"];
        };
        FactorPatch: {
            name: components["schemas"]["Name"];
        };
        TotpCreated: {
            id: string;
            /** @description The secret in base32, to be typed in. */
            secret: string;
            /** @description The same as otpauth://totp/…. */
            url: string;
            /** @description The same as a QR code: a PNG image in a data: URL. */
            qr: string;
        };
        PasskeyInput: {
            challenge: string;
            name?: components["schemas"]["Name"];
            passkey: components["schemas"]["PasskeyCredential"];
        };
        FactorCreated: {
            factor: components["schemas"]["Factor"];
            /** @description Recovery codes, shown once. */
            recoveryCodes?: string[];
        };
        RecoveryCodes: {
            /** @description The codes, shown once. */
            recoveryCodes: string[];
        };
        CodeInput: {
            code: components["schemas"]["Code"];
        };
        /**
         * @description Of whom a second factor is asked. Administrators are those who may change anything of what decides who gets in and what they may do (organization, users, groups, roles, service accounts, invitations, single sign-on, provisioning), in the whole organization or in a part of it, by whatever role and group.
         * @enum {string}
         */
        MfaRequirement: "off" | "administrators" | "everyone";
        SecurityPolicyPatch: {
            /** @description How many characters a new password has at least. */
            passwordMinLength?: number;
            mfa?: components["schemas"]["MfaRequirement"];
            /** @description How many days people have to set up a second factor. */
            mfaGraceDays?: number;
            /** @description How long a session lasts without being used; 0 = as the installation says, which bounds it. */
            sessionIdleMinutes?: number;
            /** @description How long a session lasts at most; 0 = as the installation says, which bounds it. */
            sessionLifetimeHours?: number;
            /** @description Addresses and networks from which the consoles can be used; none = from everywhere. Who only uses APIs in the portal is not bound by it. */
            allowedAddresses?: string[];
            /** @description How long a new token of a service account lasts at most; 0 = for ever. */
            tokenLifetimeDays?: number;
            personalTokens?: components["schemas"]["PersonalTokenPolicyPatch"];
            /** @description Whether service accounts can have tokens. Without it those that there are do nothing. */
            serviceTokens?: boolean;
            /** @description Whether those who may act as others do so. Without it nobody does; who does ends at once. */
            impersonation?: boolean;
            lockout?: components["schemas"]["LockoutPolicyPatch"];
        };
        SecurityPolicyHits: {
            /** @description How many users may sign in. */
            users: number;
            /** @description How many users it binds when they next set a password: all who may sign in. */
            passwordMinLength: number;
            /** @description How many users have still to set up a second factor. */
            mfa: number;
            /** @description How many users have a session that would have ended. */
            session: number;
            /** @description How many users are signed in from elsewhere. */
            allowedAddresses: number;
            /** @description How many tokens of service accounts last longer than a new one could. They stay. */
            tokenLifetimeDays: number;
            /** @description How many tokens of people it ends. */
            personalTokens: number;
            /** @description How many tokens of service accounts do nothing by it. */
            serviceTokens: number;
            /** @description How many users could act as others but for it. */
            impersonation: number;
            /** @description How many users have so many wrong passwords held against them now that they would wait after the next one. */
            lockout: number;
        };
        /**
         * @description ok = nothing to do; notice = good to know; warning = to be seen to; critical = to be seen to now.
         * @enum {string}
         */
        PostureSeverity: "ok" | "notice" | "warning" | "critical";
        PostureItem: {
            /** @enum {string} */
            kind: "user" | "service-account" | "sso-connection" | "scim-directory" | "oauth-client";
            id: string;
            name: string;
            /** @description What is the matter with it. */
            detail?: string;
            /**
             * Format: date-time
             * @description Since or until when.
             */
            at?: string;
        };
        PostureFinding: {
            /** @enum {string} */
            code: "administrators-without-factor" | "users-without-factor" | "few-owners" | "audit-broken" | "audit-unverified" | "accounts-locked" | "unknown-accounts-tried" | "connections-failing" | "certificates-expiring" | "client-secrets-expiring" | "connections-unvouched" | "directories-failing" | "directories-unvouched" | "tokens-of-gone-makers" | "tokens-expiring" | "tokens-unused" | "accounts-unused" | "standing-grants" | "mail-failing" | "requests-pending" | "invitations-pending" | "reviews-running";
            severity: components["schemas"]["PostureSeverity"];
            /** Format: int64 */
            count: number;
            /**
             * Format: int64
             * @description Of how many.
             */
            of?: number;
            /** @description What it means. */
            means: string;
            /** @description What to do. */
            advice: string;
            /** @description Those that it is about; the first of them where there are many. */
            items: components["schemas"]["PostureItem"][];
        };
        PostureSpan: {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** Format: int64 */
            count: number;
        };
        /** @description Sign-ins to accounts of the organization that were refused, and those with e-mail addresses that nobody has: at most 10 of these are recorded in a minute from one address. */
        PostureSignIns: {
            /**
             * Format: int64
             * @description In the last 24 hours.
             */
            day: number;
            /**
             * Format: int64
             * @description In the last 7 days.
             */
            week: number;
            /** @description Spans of 24 hours, the oldest first. */
            days: components["schemas"]["PostureSpan"][];
        };
        PostureAdministrator: {
            principal: components["schemas"]["Principal"];
            /** @description The name of the role by which they are, the mightiest of several. */
            role: string;
            /** @description The group by which they have it. */
            group?: string;
            /** @description Whether they have a second factor. */
            factor: boolean;
            /** @description Whether it is a break-glass account. */
            breakGlass?: boolean;
            /** Format: date-time */
            lastSignInAt?: string;
            /** Format: date-time */
            expiresAt?: string;
        };
        PostureConnection: {
            id: string;
            name: string;
            kind: string;
            enabled: boolean;
            /**
             * Format: date-time
             * @description When somebody signed in there last.
             */
            lastSuccessAt?: string;
            /**
             * Format: date-time
             * @description When somebody was refused last.
             */
            lastFailureAt?: string;
            /** @description Why. */
            lastFailure?: string;
            /**
             * Format: int64
             * @description How many were refused in the last 7 days.
             */
            refusals: number;
            /**
             * Format: date-time
             * @description When the provider's certificate, or ours for it, ends; what ends first.
             */
            certificateExpiresAt?: string;
            /** @description Why its metadata could not be fetched. */
            metadataError?: string;
        };
        PostureDirectory: {
            id: string;
            name: string;
            enabled: boolean;
            /**
             * Format: date-time
             * @description When it asked for something last.
             */
            lastUsedAt?: string;
            /**
             * Format: date-time
             * @description When it was refused something last.
             */
            failedAt?: string;
            /** @description What it was told. */
            failure?: string;
            /**
             * Format: date-time
             * @description When the last of its tokens ends.
             */
            tokenExpiresAt?: string;
        };
        PostureAudit: {
            /**
             * Format: int64
             * @description The number of the newest entry.
             */
            entries: number;
            /**
             * Format: date-time
             * @description When the chain was verified last.
             */
            verifiedAt?: string;
            /**
             * Format: int64
             * @description Up to which entry.
             */
            verified?: number;
            /**
             * Format: int64
             * @description The first entry that is not as it was written.
             */
            brokenAt?: number;
        };
        Posture: {
            /**
             * Format: date-time
             * @description When it was counted.
             */
            at: string;
            /**
             * Format: int64
             * @description How many may sign in.
             */
            users?: number;
            /** @description What is found, and what is in order, the gravest first. */
            findings: components["schemas"]["PostureFinding"][];
            signIns?: components["schemas"]["PostureSignIns"];
            /** @description Who administers: may change anything of what decides who gets in and what they may do, in the whole organization or in a part of it. Owners come first, and 500 at most. */
            administrators?: components["schemas"]["PostureAdministrator"][];
            connections?: components["schemas"]["PostureConnection"][];
            directories?: components["schemas"]["PostureDirectory"][];
            audit?: components["schemas"]["PostureAudit"];
        };
        /** @enum {string} */
        SetupStepName: "second-factor" | "second-owner" | "mail" | "project" | "domain" | "sso" | "provisioning" | "security-policy" | "audit-receiver";
        SetupStep: {
            step: components["schemas"]["SetupStepName"];
            /** @description Whether it is done. */
            done: boolean;
            /** @description Whether the organization leaves it out. */
            skipped: boolean;
            /** Format: date-time */
            skippedAt?: string;
            /** @description The name of who left it out. */
            skippedBy?: string;
        };
        SetupStepList: {
            items: components["schemas"]["SetupStep"][];
            /** @description How many are neither done nor left out. */
            open: number;
        };
        SetupStepInput: {
            /** @description Whether to leave it out. */
            skipped: boolean;
        };
        SecurityPolicy: {
            /** Format: int64 */
            version: number;
            /**
             * Format: date-time
             * @description When a second factor began to be asked for.
             */
            mfaSince?: string;
            /** @description How many owners the second factor and the addresses cannot lock out; there should be one at least. */
            breakGlassUsers: number;
            hits: components["schemas"]["SecurityPolicyHits"];
            /** @description How many characters a new password has at least. */
            passwordMinLength: number;
            mfa: components["schemas"]["MfaRequirement"];
            /** @description How many days people have to set up a second factor. */
            mfaGraceDays: number;
            /** @description How long a session lasts without being used; 0 = as the installation says, which bounds it. */
            sessionIdleMinutes: number;
            /** @description How long a session lasts at most; 0 = as the installation says, which bounds it. */
            sessionLifetimeHours: number;
            /** @description Addresses and networks from which the consoles can be used; none = from everywhere. Who only uses APIs in the portal is not bound by it. */
            allowedAddresses: string[];
            /** @description How long a new token of a service account lasts at most; 0 = for ever. */
            tokenLifetimeDays: number;
            personalTokens: components["schemas"]["PersonalTokenPolicy"];
            /** @description Whether service accounts can have tokens. Without it those that there are do nothing. */
            serviceTokens: boolean;
            /** @description Whether those who may act as others do so. Without it nobody does; who does ends at once. */
            impersonation: boolean;
            lockout: components["schemas"]["LockoutPolicy"];
        };
        /** @description How long somebody waits who types wrong passwords: longer after each one. It holds for the addresses of the verified domains, whether there is such an account or not, and in the first organization also for those of no verified domain. */
        LockoutPolicy: {
            /** @description How many wrong passwords cost nothing. */
            tries: number;
            /** @description How many seconds the next one costs; each further one doubles it. */
            firstSeconds: number;
            /** @description How many minutes somebody waits at most. */
            longestMinutes: number;
        };
        LockoutPolicyPatch: {
            /** @description How many wrong passwords cost nothing. */
            tries?: number;
            /** @description How many seconds the next one costs; each further one doubles it. */
            firstSeconds?: number;
            /** @description How many minutes somebody waits at most. */
            longestMinutes?: number;
        };
        PasswordRequestInput: {
            email: components["schemas"]["Email"];
        };
        PasswordRequest: {
            user: components["schemas"]["UserName"];
            /** @description Where it was asked from. */
            ip?: string;
            /** Format: date-time */
            createdAt: string;
        };
        PasswordRequestList: {
            items: components["schemas"]["PasswordRequest"][];
        };
        OneTimeInput: {
            /** @description The code from the log or the ready file. */
            code: string;
        };
        DeviceSignInInput: {
            /** @description What the person knows the device by, such as gatehouse on build-7. */
            name: string;
        };
        DeviceSignInBegun: {
            /** @description A secret of the device. */
            deviceCode: string;
            /** @description What the person enters, such as BCD-FGH-JKL. */
            userCode: string;
            /** @description Where the person enters it. */
            url: string;
            /** @description The same, with the code in it. */
            urlWithCode: string;
            /**
             * Format: date-time
             * @description Until when.
             */
            expiresAt: string;
            /** @description How long to wait between two questions, in seconds. */
            interval: number;
        };
        DeviceCodeInput: {
            /** @description The secret of the device. */
            deviceCode: string;
        };
        DeviceSignIn: {
            /** @description What the device calls itself. */
            name: string;
            /** @description The address that it asks from; empty where it is not known. */
            address: string;
            /**
             * Format: date-time
             * @description When it asked.
             */
            requestedAt: string;
        };
        RefreshInput: {
            /** @description The refresh token of the last answer. */
            refreshToken: string;
        };
        ExchangeInput: {
            /** @description The token of a service account, ght_…, or of a person, ghp_…. */
            token: string;
        };
        ExchangeAccessInput: {
            /** @description An access token of the organization's authorization server. */
            accessToken: string;
        };
        TokenPair: {
            /** @description A JWT, sent as Authorization: Bearer. */
            accessToken: string;
            /** @description How many seconds it is valid. */
            expiresIn: number;
            /** @description Good for one exchange. */
            refreshToken: string;
            /** @description The id of the session. */
            session: string;
            user: components["schemas"]["UserName"];
            organization: components["schemas"]["OrganizationName"];
            /** @description Whether the first run has to be completed. */
            setupRequired?: boolean;
            /** @description Whether a second factor has to be set up before anything else. */
            factorRequired?: boolean;
            /** @description From where the session can be used; absent = from everywhere. */
            allowedAddresses?: string[];
        };
        ServiceAccess: {
            /** @description A JWT, sent as Authorization: Bearer. */
            accessToken: string;
            /** @description How many seconds it is valid. */
            expiresIn: number;
            serviceAccount?: components["schemas"]["ServiceAccountName"];
            user?: components["schemas"]["UserName"];
            /** @description From where it can be used; absent = from everywhere. */
            allowedAddresses?: string[];
            organization: components["schemas"]["OrganizationName"];
        };
        ServiceAccountName: {
            id: string;
            name: string;
        };
        UserName: {
            id: string;
            name: string;
            /** @description Empty before the first run is completed. */
            email: string;
        };
        /**
         * @description How one gets in: at once, by a second step, or by a fresh sign-in; current is where the caller is.
         * @enum {string}
         */
        OrganizationEntry: "current" | "at-once" | "second-step" | "sign-in";
        /**
         * @description Why a fresh sign-in is needed.
         * @enum {string}
         */
        OrganizationEntryReason: "password-changed" | "single-sign-on" | "too-long-ago" | "signed-out" | "address";
        MyOrganization: {
            organization: components["schemas"]["OrganizationName"];
            entry: components["schemas"]["OrganizationEntry"];
            reason?: components["schemas"]["OrganizationEntryReason"];
        };
        MyOrganizations: {
            /** @description One's own, the present one first. */
            items: components["schemas"]["MyOrganization"][];
            /** @description Those wanted at hand, by name. */
            favourites: components["schemas"]["OrganizationName"][];
            /** @description Those used last, the last one first. */
            recent: components["schemas"]["OrganizationName"][];
        };
        OrganizationMarkInput: {
            /** @description Whether it is wanted at hand. */
            favourite?: boolean;
            /** @description Whether it is used now; false changes nothing. */
            used?: boolean;
        };
        SwitchInput: {
            origin?: components["schemas"]["Origin"];
        };
        OrganizationName: {
            id: string;
            slug: string;
            name: string;
        };
        /** @description A JSON Web Key Set (RFC 7517). */
        KeySet: {
            keys: components["schemas"]["Key"][];
        };
        /** @description A public key (RFC 8037). */
        Key: {
            kty: string;
            crv: string;
            x: string;
            kid: string;
            alg: string;
            use: string;
        };
        Me: {
            kind: components["schemas"]["PrincipalKind"];
            user: components["schemas"]["UserName"];
            /**
             * Format: int64
             * @description That of the user; a service account has none.
             */
            version?: number;
            organization: components["schemas"]["OrganizationName"];
            grants: components["schemas"]["EffectiveGrant"][];
            /** @description Every permission that the caller has in the whole organization or anywhere in it. */
            permissions: string[];
            /** @description Whether the first run has to be completed. */
            setupRequired: boolean;
            /** @description Whether a second factor has to be set up before anything else. */
            factorRequired?: boolean;
            impersonation?: components["schemas"]["MyImpersonation"];
            /** @description The language in which letters to the caller are written, as they chose it. */
            language?: string;
            /** @description How many characters a new password of the caller has at least; only of people. */
            passwordMinLength?: number;
        };
        MePatch: {
            name?: components["schemas"]["Name"];
            /** @description The language in which letters to you are written, as BCP 47 has it; empty = none chosen. */
            language?: string;
        };
        Preferences: {
            /** Format: int64 */
            version: number;
            /**
             * @description Dark or light; system = as the browser asks for.
             * @enum {string}
             */
            theme?: "system" | "light" | "dark";
            /**
             * @description system = as the browser asks for.
             * @enum {string}
             */
            contrast?: "system" | "more";
            /**
             * @description How much room the rows of lists take.
             * @enum {string}
             */
            density?: "comfortable" | "compact";
            /** @description Whether single keys do something, as WCAG 2.1.4 has it. */
            shortcuts?: boolean;
            /** @description Whether the sidebar shows icons alone. */
            navCollapsed?: boolean;
            /** @description Whether times are shown in UTC. */
            utc?: boolean;
            /** @description The language of the screens, as BCP 47 has it; empty = as the browser's list says. Letters have one of their own. */
            language?: string;
            /** @description Lists by their names, such as users: small letters, digits and hyphens. At most 100. */
            lists?: {
                [key: string]: components["schemas"]["ListPreferences"];
            };
        };
        PreferencesPatch: {
            /**
             * @description Dark or light; system = as the browser asks for.
             * @enum {string|null}
             */
            theme?: "system" | "light" | "dark" | null;
            /**
             * @description system = as the browser asks for.
             * @enum {string|null}
             */
            contrast?: "system" | "more" | null;
            /**
             * @description How much room the rows of lists take.
             * @enum {string|null}
             */
            density?: "comfortable" | "compact" | null;
            /** @description Whether single keys do something, as WCAG 2.1.4 has it. */
            shortcuts?: boolean | null;
            /** @description Whether the sidebar shows icons alone. */
            navCollapsed?: boolean | null;
            /** @description Whether times are shown in UTC. */
            utc?: boolean | null;
            /** @description The language of the screens, as BCP 47 has it; empty = as the browser's list says. Letters have one of their own. */
            language?: string | null;
            /** @description Lists by their names, such as users: small letters, digits and hyphens. At most 100. */
            lists?: {
                [key: string]: components["schemas"]["ListPreferencesPatch"];
            } | null;
        };
        ListPreferences: {
            /** @description The columns that are shown, in this order. */
            columns?: components["schemas"]["ColumnKey"][];
            /** @description Saved views by ids of the browser's making: small letters, digits and hyphens. At most 30. */
            views?: {
                [key: string]: components["schemas"]["SavedView"];
            };
            /** @description The view with which the list opens where its address says nothing else. */
            defaultView?: string;
        };
        SavedView: {
            /** @description What it is called. */
            name: string;
            /** @description What stands in the query bar, filters and all. */
            query: string;
            /** @description The order, as the address of the page has it. */
            sort?: string;
            /** @description The columns that it shows; absent = those of the list. */
            columns?: components["schemas"]["ColumnKey"][];
        };
        ListPreferencesPatch: {
            /** @description The columns that are shown, in this order. */
            columns?: components["schemas"]["ColumnKey"][] | null;
            /** @description Saved views by ids of the browser's making: small letters, digits and hyphens. At most 30. */
            views?: {
                [key: string]: components["schemas"]["SavedViewPatch"];
            } | null;
            /** @description The view with which the list opens where its address says nothing else. */
            defaultView?: string | null;
        } | null;
        SavedViewPatch: {
            /** @description What it is called. */
            name?: string;
            /** @description What stands in the query bar, filters and all. */
            query?: string;
            /** @description The order, as the address of the page has it. */
            sort?: string | null;
            /** @description The columns that it shows; absent = those of the list. */
            columns?: components["schemas"]["ColumnKey"][] | null;
        } | null;
        ColumnKey: string;
        PasswordInput: {
            /** @description The password until now. */
            current: string;
            new: components["schemas"]["Password"];
        };
        PasswordLink: {
            /** @description The link, shown once. */
            url: string;
            /** @description The secret of the link, shown once. */
            token: string;
            /** Format: date-time */
            expiresAt: string;
        };
        OpenPasswordLink: {
            email: string;
            name: string;
            organization: components["schemas"]["OrganizationName"];
            /** Format: date-time */
            expiresAt: string;
            /** @description How many characters a new password has at least, as the organization asks. */
            passwordMinLength: number;
        };
        EmailInput: {
            email: components["schemas"]["Email"];
        };
        OpenEmailChange: {
            /** @description The new address. */
            email: string;
            organization: components["schemas"]["OrganizationName"];
            /** Format: date-time */
            expiresAt: string;
        };
        NewPasswordInput: {
            password: components["schemas"]["Password"];
            origin?: components["schemas"]["Origin"];
        };
        Session: {
            id: string;
            /** @description Whether it is the session of this request. */
            current: boolean;
            /** @description Where it was last used. */
            ip?: string;
            /** @description What it was last used with. */
            userAgent?: string;
            /** @description How the user proved who they are (RFC 8176): pwd, otp, pop, mfa…. */
            methods: string[];
            /**
             * Format: date-time
             * @description When the user proved who they are.
             */
            authenticatedAt: string;
            impersonator?: components["schemas"]["GroupName"];
            /** @description The app that the user was signed in at by another session of theirs. */
            client?: components["schemas"]["OAuthNamed"];
            /** @description The id of that other session. This one ends with it. */
            parent?: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            lastUsedAt: string;
            /** Format: date-time */
            expiresAt: string;
        };
        AppTokenInput: {
            /** @description The access token. */
            accessToken: string;
        };
        SessionList: {
            items: components["schemas"]["Session"][];
        };
        Organization: {
            id: string;
            /** Format: int64 */
            version: number;
            /** @description It never changes. */
            slug: string;
            name: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        OrganizationPatch: {
            name?: components["schemas"]["Name"];
        };
        PlatformOrganization: {
            id: string;
            /** Format: int64 */
            version: number;
            /** @description It never changes. */
            slug: string;
            name: string;
            suspended: boolean;
            /** @description Whether it is the one of the platform's administrators. */
            first: boolean;
            /**
             * Format: int64
             * @description How many users it has.
             */
            users: number;
            quotas?: components["schemas"]["Quotas"];
            /**
             * Format: date-time
             * @description Since when it is deleted.
             */
            deletedAt?: string;
            /**
             * Format: date-time
             * @description Until when a deleted one can be restored. Then it goes for good.
             */
            purgeAt?: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        PlatformOrganizationList: {
            items: components["schemas"]["PlatformOrganization"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        PlatformOrganizationInput: {
            slug: components["schemas"]["RoleName"];
            name: components["schemas"]["Name"];
            ownerEmail: components["schemas"]["Email"];
        };
        PlatformOrganizationCreated: {
            organization: components["schemas"]["PlatformOrganization"];
            /** @description The link for the owner, shown once. */
            url: string;
            /** @description The secret of the link, shown once. */
            token: string;
            /**
             * Format: date-time
             * @description Until when the link works.
             */
            expiresAt: string;
        };
        PlatformOrganizationPatch: {
            name?: components["schemas"]["Name"];
            suspended?: boolean;
            quotas?: components["schemas"]["QuotasPatch"];
        };
        /** @description How many of each the organization may have; of what is missing, any number. */
        Quotas: {
            users?: components["schemas"]["QuotaLimit"];
            serviceAccounts?: components["schemas"]["QuotaLimit"];
            projects?: components["schemas"]["QuotaLimit"];
            apis?: components["schemas"]["QuotaLimit"];
            environments?: components["schemas"]["QuotaLimit"];
            gatewayGroups?: components["schemas"]["QuotaLimit"];
            applications?: components["schemas"]["QuotaLimit"];
            policySets?: components["schemas"]["QuotaLimit"];
        };
        /** Format: int64 */
        QuotaLimit: number;
        /** @description Limits to set; null takes one away. */
        QuotasPatch: {
            users?: components["schemas"]["QuotaLimitPatch"];
            serviceAccounts?: components["schemas"]["QuotaLimitPatch"];
            projects?: components["schemas"]["QuotaLimitPatch"];
            apis?: components["schemas"]["QuotaLimitPatch"];
            environments?: components["schemas"]["QuotaLimitPatch"];
            gatewayGroups?: components["schemas"]["QuotaLimitPatch"];
            applications?: components["schemas"]["QuotaLimitPatch"];
            policySets?: components["schemas"]["QuotaLimitPatch"];
        };
        /** Format: int64 */
        QuotaLimitPatch: number | null;
        OrganizationUsage: {
            items: components["schemas"]["UsageItem"][];
            /**
             * Format: int64
             * @description How many APIs are deployed somewhere.
             */
            servedApis?: number;
            /**
             * Format: int64
             * @description How many applications have an active subscription.
             */
            activeApplications?: number;
        };
        UsageItem: {
            /** @enum {string} */
            resource: "users" | "serviceAccounts" | "projects" | "apis" | "environments" | "gatewayGroups" | "applications" | "policySets";
            /**
             * Format: int64
             * @description How many there are; missing where their owner does not answer.
             */
            used?: number;
            /**
             * Format: int64
             * @description How many there may be; missing = any number.
             */
            limit?: number;
        };
        User: {
            id: string;
            /** Format: int64 */
            version: number;
            name: string;
            /** @description Empty before the first run is completed. */
            email: string;
            status: components["schemas"]["Status"];
            source: components["schemas"]["UserSource"];
            /** @description Whether the user has set up a second factor. */
            secondFactor: boolean;
            /** @description Whether neither the second factor nor the addresses that the security policy asks for keep this owner out. */
            breakGlass: boolean;
            /** @description What the user has been given. */
            roles: components["schemas"]["UserRole"][];
            /** Format: date-time */
            lastSignInAt?: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        UserRole: {
            /** @description The id of the grant. */
            grant: string;
            /** @description The id of the role. */
            role: string;
            /** @description The name of the role. */
            name: string;
            effect?: components["schemas"]["Effect"];
            /** @description The name of the group by which they have it. */
            group?: string;
            /** @description The id of the project that it is narrowed to. */
            project?: string;
        };
        ImpersonationInput: {
            /** @description Why, for the user and for the audit trail. */
            reason: string;
        };
        Impersonation: {
            id: string;
            impersonator: components["schemas"]["GroupName"];
            /** @description The reason that they gave. */
            reason: string;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it ended or ends.
             */
            endsAt: string;
            /** @description Whether it goes on. */
            active: boolean;
        };
        ImpersonationList: {
            items: components["schemas"]["Impersonation"][];
        };
        /** @description Who acts as the user, and until when; absent where it is they themselves. */
        MyImpersonation: {
            impersonator: components["schemas"]["GroupName"];
            /** Format: date-time */
            until: string;
        };
        /** @description Where a user comes from. */
        UserSource: {
            /**
             * @description local: invited or made here. sso: linked to a connection of single sign-on. scim: kept by a directory.
             * @enum {string}
             */
            kind: "local" | "sso" | "scim";
            /** @description The id of the connection or directory. */
            id?: string;
            /** @description Its name. */
            name?: string;
        };
        UserSourceList: {
            items: components["schemas"]["UserSource"][];
        };
        UserActions: {
            /**
             * @description What is done: disable (who is disabled is signed out everywhere), enable, add-to-group, reset-factors (removes all second factors, and signs them out), or password-link (by which they set a new password; it goes out by mail where mail is set up, and is in the answer otherwise).
             * @enum {string}
             */
            action: "disable" | "enable" | "add-to-group" | "reset-factors" | "password-link";
            /** @description The ids of the users. */
            users: string[];
            /** @description The id of the group, for add-to-group. */
            group?: string;
            /**
             * @description Says what would be done, and does nothing.
             * @default false
             */
            dryRun?: boolean;
        };
        UserActionResult: {
            user: components["schemas"]["UserName"];
            /**
             * @description done (or, of a dry run, would be), unchanged because it is so already, or refused.
             * @enum {string}
             */
            outcome: "done" | "unchanged" | "refused";
            /** @description The code of the problem for which it was refused. */
            code?: string;
            /** @description Why it was refused or is unchanged, and what to do. */
            detail?: string;
            /** @description Whether the link goes out by mail. */
            mailed?: boolean;
            /** @description The link, shown once, where it does not. */
            url?: string;
        };
        UserActionResults: {
            items: components["schemas"]["UserActionResult"][];
        };
        /**
         * @description What is done to each row: invite (the people of a list), resend-invitation (a new link for an invitation), disable (who is disabled is signed out everywhere), enable, add-to-group, remove-from-group, reset-factors (removes all second factors, and signs them out), password-link (a link by mail by which they set a new password), or delete.
         * @enum {string}
         */
        BulkJobAction: "invite" | "resend-invitation" | "disable" | "enable" | "add-to-group" | "remove-from-group" | "reset-factors" | "password-link" | "delete";
        /**
         * @description checking: it is found out what it would do. ready: that is known, and it waits for its start. running. completed: each row had its turn. cancelled: somebody ended it, or nobody started it. stopped: its creator may not do it any longer.
         * @enum {string}
         */
        BulkJobStatus: "checking" | "ready" | "running" | "completed" | "cancelled" | "stopped";
        /**
         * @description pending: its turn has not come. done. unchanged: it is so already. refused: see detail. failed: something is wrong with the service. cancelled: the job ended before its turn. Before a job is started: what would become of it.
         * @enum {string}
         */
        BulkJobOutcome: "pending" | "done" | "unchanged" | "refused" | "failed" | "cancelled";
        /** @description All users that match when the job is made, as the list of users is narrowed; {} is all of them. Of resend-invitation, all invitations that nobody accepted, narrowed by q alone. */
        BulkJobFilter: {
            /** @description A part of the name or of the e-mail address. */
            q?: string;
            status?: components["schemas"]["Status"];
            /** @description Where they come from: local, sso, scim, or one of /users/sources as kind:name. */
            source?: string;
            /** @description Whether they have a second factor. */
            secondFactor?: boolean;
            /** @description Those who never signed in. */
            neverSignedIn?: boolean;
            /**
             * Format: date-time
             * @description Those who last signed in before this time.
             */
            signedInBefore?: string;
            /** @description The id or name of a role that they have somewhere, by themselves or by a group. */
            role?: string;
            /** @description The id or name of a group that they are in, by themselves or by another group. */
            group?: string;
        };
        /** @description Which column of the list says what, by the name of the column; absent = by their usual names. */
        BulkJobColumns: {
            email?: string;
            name?: string;
            roles?: string;
            groups?: string;
        };
        BulkJobInput: {
            action: components["schemas"]["BulkJobAction"];
            /** @description What to call it, such as the name of the file. */
            name?: string;
            /** @description The ids of the users. */
            users?: string[];
            /** @description The ids of the invitations, for resend-invitation. */
            invitations?: string[];
            filter?: components["schemas"]["BulkJobFilter"];
            /** @description The list of at most 10,000 people, for invite. The first line names the columns: email, and name, roles and groups where there are any. Several roles or groups are separated by |; publisher@project is a role in a project. */
            csv?: string;
            columns?: components["schemas"]["BulkJobColumns"];
            /** @description The roles of those whose line names neither roles nor groups. */
            roles?: components["schemas"]["InvitedRole"][];
            groups?: components["schemas"]["InvitedGroups"];
            to?: components["schemas"]["InvitedTo"];
            /** @description The id of the group, for add-to-group and remove-from-group. */
            group?: string;
            /**
             * @description Starts it at once, without finding out first what it would do.
             * @default false
             */
            start?: boolean;
        };
        /** @description How many rows became what. */
        BulkJobCounts: {
            /** Format: int64 */
            pending: number;
            /** Format: int64 */
            done: number;
            /** Format: int64 */
            unchanged: number;
            /** Format: int64 */
            refused: number;
            /** Format: int64 */
            failed: number;
            /** Format: int64 */
            cancelled: number;
        };
        BulkJob: {
            id: string;
            /** Format: int64 */
            version: number;
            action: components["schemas"]["BulkJobAction"];
            name?: string;
            status: components["schemas"]["BulkJobStatus"];
            /** @description Whether the outcomes are what would become of the rows. */
            preview: boolean;
            /**
             * Format: int64
             * @description The number of its rows.
             */
            total: number;
            counts: components["schemas"]["BulkJobCounts"];
            group?: components["schemas"]["GroupName"];
            filter?: components["schemas"]["BulkJobFilter"];
            /** @description The columns of the list that are not read. */
            unused?: string[];
            /** @description Why it ended before each row had its turn. */
            reason?: string;
            createdBy: components["schemas"]["Principal"];
            /** @description Whether the caller can start it now. */
            mayStart: boolean;
            /** @description Whether the caller can end it now. */
            mayCancel: boolean;
            /** @description Whether the caller can have tried again what it did not do. */
            mayRetry: boolean;
            /**
             * Format: int64
             * @description How many of its rows a new job would try again. Absent before it ended.
             */
            retriable?: number;
            /** @description The id of the job whose rows it tries again. */
            retryOf?: string;
            /** @description The id of the job that tries its rows again. */
            retriedBy?: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** Format: date-time */
            startedAt?: string;
            /** Format: date-time */
            endedAt?: string;
            /**
             * Format: date-time
             * @description When it is forgotten.
             */
            keptUntil?: string;
        };
        BulkJobList: {
            items: components["schemas"]["BulkJob"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        BulkJobRow: {
            id: string;
            /**
             * Format: int64
             * @description Its place in the job, from 1.
             */
            turn: number;
            /**
             * Format: int64
             * @description Where it stands in the list, from 1.
             */
            line?: number;
            user?: components["schemas"]["UserName"];
            /** @description The id of the invitation. */
            invitation?: string;
            email?: string;
            name?: string;
            /** @description As the list has them, or those of lines without any. */
            roles?: string[];
            groups?: string[];
            outcome: components["schemas"]["BulkJobOutcome"];
            /** @description The code of the problem for which it was refused. */
            code?: string;
            /** @description Why it was refused or is unchanged, and what to do. */
            detail?: string;
            /** @description What is wrong with the line. */
            errors?: components["schemas"]["InvitationFault"][];
            /** @description Whether a link goes out by mail. */
            mailed?: boolean;
            /** Format: date-time */
            settledAt?: string;
        };
        BulkJobRowList: {
            items: components["schemas"]["BulkJobRow"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        UserList: {
            items: components["schemas"]["User"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        UserPatch: {
            name?: components["schemas"]["Name"];
            status?: components["schemas"]["Status"];
            /** @description Whether neither the second factor nor the addresses that the security policy asks for keep this owner out. */
            breakGlass?: boolean;
        };
        Permission: {
            /** @description <kind>:<verb>. */
            name: string;
            kind: string;
            verb: string;
            /** @description What it allows. */
            title: string;
        };
        PermissionList: {
            items: components["schemas"]["Permission"][];
        };
        /** @description A short name in lower case with hyphens. */
        RoleName: string;
        /** @description Names of permissions; api:* is every verb on APIs, *:read reading everything, * everything. deployment:deploy:prd is that in the environment of the slug. */
        Permissions: string[];
        Role: {
            /** @description That of a built-in role is its name. */
            id: string;
            /** Format: int64 */
            version: number;
            name: string;
            title: string;
            description?: string;
            /** @description Built-in roles cannot be changed. */
            builtIn: boolean;
            permissions: string[];
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        RoleList: {
            items: components["schemas"]["Role"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        RoleInput: {
            name: components["schemas"]["RoleName"];
            /** @description A name for people; absent = the name. */
            title?: string;
            description?: string;
            permissions: components["schemas"]["Permissions"];
        };
        RolePatch: {
            /** @description A name for people. */
            title?: string;
            description?: string;
            permissions?: components["schemas"]["Permissions"];
        };
        /**
         * @description What somebody is.
         * @enum {string}
         */
        PrincipalKind: "user" | "service-account" | "group";
        Principal: {
            kind: components["schemas"]["PrincipalKind"];
            id: string;
            name: string;
        };
        Grant: {
            id: string;
            /** Format: int64 */
            version: number;
            principal: components["schemas"]["Principal"];
            /** @description The id of the role. */
            role: string;
            roleName: string;
            effect: components["schemas"]["Effect"];
            /** @description The project that it is narrowed to. */
            project?: string;
            /** @description The API that it is narrowed to. */
            api?: string;
            /** @description The environment that it is narrowed to. */
            environment?: string;
            /** Format: date-time */
            expiresAt?: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        GrantList: {
            items: components["schemas"]["Grant"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        GrantInput: {
            /** @description The id of a user, service account or group. */
            principal: string;
            effect?: components["schemas"]["Effect"];
            /** @description The id or the name of a role. */
            role: string;
            project?: components["schemas"]["Reference"];
            api?: components["schemas"]["Reference"];
            environment?: components["schemas"]["Reference"];
            /**
             * Format: date-time
             * @description When it ends by itself.
             */
            expiresAt?: string;
        };
        EffectiveGrant: {
            effect: components["schemas"]["Effect"];
            via?: components["schemas"]["GroupChain"];
            role: string;
            roleName: string;
            permissions: string[];
            project?: string;
            api?: string;
            environment?: string;
            /** Format: date-time */
            expiresAt?: string;
        };
        AccessCheckInput: {
            /** @description The id of a user or service account; absent = oneself. */
            principal?: string;
            /** @description Such as api:update, or deployment:deploy:prd. */
            permission: string;
            project?: components["schemas"]["Reference"];
            api?: components["schemas"]["Reference"];
            environment?: components["schemas"]["Reference"];
            environmentSlug?: components["schemas"]["EnvironmentSlug"];
        };
        AccessCheck: {
            allowed: boolean;
            /** @description Each grant that was looked at, and what it did or did not allow. */
            because: components["schemas"]["AccessReason"][];
        };
        AccessReason: {
            /**
             * @description What it came to.
             * @enum {string}
             */
            code: "granted" | "not-in-role" | "other-scope" | "expired" | "disabled" | "no-grants" | "denied" | "outside-boundary";
            /** @description A sentence for people. */
            detail: string;
            /** @description The id of the grant. */
            grant?: string;
            /** @description The name of the role. */
            role?: string;
            via?: components["schemas"]["GroupChain"];
            /** @description The project that the grant is narrowed to. */
            project?: string;
            /** @description The API that the grant is narrowed to. */
            api?: string;
            /** @description The environment that the grant is narrowed to. */
            environment?: string;
            /**
             * Format: date-time
             * @description When the grant ends; absent = never.
             */
            expiresAt?: string;
        };
        /** @description A permission at a place: project, API and environment; none of them is the whole organization. */
        EffectivePermission: {
            /** @description Such as api:update, or deployment:deploy:prd. */
            permission: string;
            project?: string;
            api?: string;
            environment?: string;
            allowed: boolean;
            /** @description What gives it, gave it until it ended, denies it or leaves it out; what decides comes first. */
            because: components["schemas"]["AccessReason"][];
            /** @description How many more reasons there are. */
            more?: number;
        };
        EffectiveAccess: {
            principal: components["schemas"]["Principal"];
            /** @description Whether they may sign in; who may not may do nothing. */
            active: boolean;
            items: components["schemas"]["EffectivePermission"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        /**
         * @description Whether the permissions of the role are allowed or denied. What is denied wins over all that is allowed.
         * @enum {string}
         */
        Effect: "allow" | "deny";
        Group: {
            id: string;
            /** Format: int64 */
            version: number;
            name: string;
            description?: string;
            /**
             * Format: int64
             * @description How many are in it itself.
             */
            members: number;
            /** @description Whether it is in another group. */
            nested: boolean;
            /** @description The directory that says what it is called and who is in it; absent = people do. */
            directory?: components["schemas"]["GroupName"];
            /** @description How it is in others, up to each of them; in the answer about one group, and of groups that were searched for. */
            within?: components["schemas"]["GroupChain"][];
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        GroupName: {
            id: string;
            name: string;
        };
        /** @description A group, the one that it is in, and so on. */
        GroupChain: components["schemas"]["GroupName"][];
        GroupList: {
            items: components["schemas"]["Group"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        GroupInput: {
            name: components["schemas"]["Name"];
            description?: string;
        };
        GroupPatch: {
            name?: components["schemas"]["Name"];
            description?: string;
        };
        GroupMoveInput: {
            /** @description The id of the group that it leaves; absent = the only one that it is in, none where it is in none. */
            from?: string;
            /** @description The id of the group that it goes into; absent = it is at the top. */
            to?: string;
            /**
             * @description Says what it would do, and does nothing.
             * @default false
             */
            preview?: boolean;
        };
        GroupMove: {
            /** @description False for a preview. */
            moved: boolean;
            from?: components["schemas"]["GroupName"];
            to?: components["schemas"]["GroupName"];
            /** @description How many users and service accounts are in it and in the groups in it. */
            affected: number;
            /** @description What they have by it then, and do not now. */
            gained: components["schemas"]["GroupMoveRole"][];
            /** @description What they have by it now, and not then. */
            lost: components["schemas"]["GroupMoveRole"][];
        };
        GroupMoveRole: {
            /**
             * @description bounding = they cannot do what the role does not have.
             * @enum {string}
             */
            kind: "given" | "denied" | "bounding";
            /** @description The name of the role. */
            role: string;
            /** @description The group that has it. */
            group: components["schemas"]["GroupName"];
            project?: string;
            api?: string;
            environment?: string;
        };
        GroupMember: {
            kind: components["schemas"]["PrincipalKind"];
            id: string;
            name: string;
            /**
             * Format: date-time
             * @description When it came.
             */
            createdAt: string;
            createdBy: string;
        };
        GroupMemberList: {
            items: components["schemas"]["GroupMember"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        GroupMemberInput: {
            /** @description The id of a user, service account or group. */
            member: string;
        };
        Boundary: {
            principal: components["schemas"]["Principal"];
            /** @description The id of the role that they cannot exceed. */
            role: string;
            roleName: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        BoundaryList: {
            items: components["schemas"]["Boundary"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        BoundaryInput: {
            /** @description The id or the name of a role. */
            role: string;
        };
        /**
         * @description What became of it.
         * @enum {string}
         */
        AccessRequestStatus: "pending" | "approved" | "denied" | "withdrawn";
        RoleHolder: {
            principal: components["schemas"]["Principal"];
            /** @description Whether they may sign in. */
            active: boolean;
            grants: components["schemas"]["HeldGrant"][];
        };
        /** @description A grant as somebody has it. */
        HeldGrant: {
            id: string;
            effect: components["schemas"]["Effect"];
            project?: string;
            api?: string;
            environment?: string;
            /** Format: date-time */
            expiresAt?: string;
            via?: components["schemas"]["GroupChain"];
        };
        RoleHolderList: {
            items: components["schemas"]["RoleHolder"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        BoundaryPreviewInput: {
            /** @description The id or the name of the role; absent = no boundary. */
            role?: string;
            /** @description Somebody in the group whose permissions are compared; absent = the group itself. */
            member?: string;
        };
        BoundaryPreview: {
            principal: components["schemas"]["Principal"];
            /** @description How many users and service accounts the boundary is about. */
            affected: number;
            /** @description Permissions that they have somewhere now. */
            before: string[];
            /** @description Permissions that they would have somewhere. */
            after: string[];
        };
        /**
         * @description closing = over, and being carried out.
         * @enum {string}
         */
        AccessReviewStatus: "running" | "closing" | "closed" | "cancelled";
        /**
         * @description gone = it had been taken away or had ended before; blocked = it could not be taken away.
         * @enum {string}
         */
        AccessReviewOutcome: "kept" | "revoked" | "gone" | "blocked";
        /**
         * @description What becomes of grants that nobody decides on.
         * @enum {string}
         */
        AccessReviewDefault: "keep" | "revoke";
        AccessReviewScope: {
            /**
             * @description organization = all grants; project = those at the project; role = those of the role; group = those of the group and of everybody in it.
             * @enum {string}
             */
            kind: "organization" | "project" | "role" | "group";
            /** @description The id of the project, role or group. */
            id?: string;
        };
        AccessReviewPreview: {
            /** @description How many grants. */
            items: number;
            /** @description How many users, service accounts and groups have them. */
            principals: number;
            /** @description How many grants there are beside them that the caller could not take away. */
            leftOut: number;
        };
        AccessReviewInput: {
            name: string;
            scope: components["schemas"]["AccessReviewScope"];
            /** @description The ids of users; absent = those who own the scope: the project owners of a project, else the owners of the organization. */
            reviewers?: components["schemas"]["Reference"][];
            /** Format: date-time */
            deadline: string;
            undecided: components["schemas"]["AccessReviewDefault"];
            /**
             * Format: int64
             * @description After how many days the next round begins, counted from the beginning of this one; absent = never. A round ends before the next one begins.
             */
            repeatDays?: number;
        };
        AccessReviewChange: {
            name?: string;
            reviewers?: components["schemas"]["Reference"][] | null;
            /** Format: date-time */
            deadline?: string;
            undecided?: components["schemas"]["AccessReviewDefault"];
            /** Format: int64 */
            repeatDays?: number | null;
        };
        AccessReview: {
            id: string;
            /** Format: int64 */
            version: number;
            name: string;
            scope: components["schemas"]["AccessReviewScope"];
            /** @description The name of the role or group. */
            scopeName?: string;
            status: components["schemas"]["AccessReviewStatus"];
            /** @description Whether those who own the scope decide. */
            byOwners: boolean;
            /** @description Who decides now. */
            reviewers: components["schemas"]["Principal"][];
            /** Format: date-time */
            deadline: string;
            undecided: components["schemas"]["AccessReviewDefault"];
            /** Format: int64 */
            repeatDays?: number;
            /**
             * Format: date-time
             * @description When the next round begins.
             */
            nextAt?: string;
            /** @description Why there is no next round. */
            repeatError?: string;
            /** Format: int64 */
            round: number;
            /** @description The id of the round before. */
            previous?: string;
            /**
             * Format: int64
             * @description How many grants it is about.
             */
            items: number;
            /** Format: int64 */
            decided: number;
            /**
             * Format: int64
             * @description How many are decided to be kept.
             */
            kept: number;
            /**
             * Format: int64
             * @description How many are decided to be revoked.
             */
            revoked: number;
            /**
             * Format: int64
             * @description Of how many it is known what became of them.
             */
            carriedOut: number;
            /**
             * Format: int64
             * @description How many were taken away.
             */
            taken: number;
            /**
             * Format: int64
             * @description How many could not be taken away.
             */
            blocked: number;
            /**
             * Format: int64
             * @description How many had gone before.
             */
            gone: number;
            /**
             * Format: int64
             * @description How many grants of the scope are no part of it, because whoever began it could not take them away.
             */
            leftOut: number;
            /** @description Whether it waits for the caller. */
            waiting: boolean;
            /** @description Whether the caller may change and end it. */
            mayManage: boolean;
            startedBy?: components["schemas"]["Principal"];
            /** Format: date-time */
            closedAt?: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        AccessReviewList: {
            items: components["schemas"]["AccessReview"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        AccessReviewItem: {
            id: string;
            /** @description The id of the grant. */
            grant: string;
            principal: components["schemas"]["Principal"];
            /** @description The id of the role. */
            role: string;
            roleName: string;
            project?: string;
            api?: string;
            environment?: string;
            /** Format: date-time */
            grantedAt: string;
            /** @description The name of who gave it. */
            grantedBy?: string;
            /** Format: date-time */
            expiresAt?: string;
            /**
             * Format: date-time
             * @description When whoever has it signed in, or used a token, last before the review began; absent = never, or not known.
             */
            lastUsedAt?: string;
            /** @enum {string} */
            decision?: "keep" | "revoke";
            /** @description The name of who decided. */
            decidedBy?: string;
            /** Format: date-time */
            decidedAt?: string;
            comment?: string;
            outcome?: components["schemas"]["AccessReviewOutcome"];
            /** Format: date-time */
            outcomeAt?: string;
            /** @description Why it could not be taken away. */
            outcomeNote?: string;
            /** @description Whether the caller may decide on it. */
            mayDecide: boolean;
        };
        AccessReviewItemList: {
            items: components["schemas"]["AccessReviewItem"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        AccessReviewDecisions: {
            /** @description The ids of items. */
            items?: components["schemas"]["Reference"][];
            /** @description All that nobody has decided on, in place of items. */
            allUndecided?: boolean;
            decision: components["schemas"]["AccessReviewDefault"];
            /** @description Why. */
            comment?: string;
        };
        AccessReviewDecided: {
            /** @description On how many it was decided. */
            decided: number;
            /** @description How many are left to others, because they are the caller's own. */
            own: number;
        };
        AccessRequest: {
            id: string;
            /** Format: int64 */
            version: number;
            principal: components["schemas"]["Principal"];
            /** @description The id of the role. */
            role: string;
            roleName: string;
            project?: string;
            api?: string;
            environment?: string;
            /** @description What it is needed for. */
            reason: string;
            /**
             * Format: int64
             * @description For how long, from the approval; absent = for good.
             */
            minutes?: number;
            status: components["schemas"]["AccessRequestStatus"];
            /** @description The id of who decided. */
            decidedBy?: string;
            decidedByName?: string;
            /** Format: date-time */
            decidedAt?: string;
            /** @description What was said with the decision. */
            note?: string;
            /** @description The id of the grant that it became. */
            grant?: string;
            /** @description Whether the caller may approve it. */
            mayDecide?: boolean;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        AccessRequestList: {
            items: components["schemas"]["AccessRequest"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        AccessRequestInput: {
            /** @description The id or the name of a role. */
            role: string;
            project?: components["schemas"]["Reference"];
            api?: components["schemas"]["Reference"];
            environment?: components["schemas"]["Reference"];
            /** @description What it is needed for. */
            reason: string;
            /**
             * Format: int64
             * @description For how long; absent = for good.
             */
            minutes?: number;
        };
        AccessDecision: {
            /** @description What to say to who asked. */
            note?: string;
        };
        MissingAccess: {
            permission: string;
            /** @description Whether the caller has it by now. */
            held: boolean;
            /** @description Those that have it, what gives the least first. */
            roles: components["schemas"]["MissingRole"][];
            /** @description The names of some who can give the first of the roles. */
            givers: string[];
        };
        MissingRole: {
            id: string;
            title: string;
            description?: string;
        };
        WhoCanInput: {
            /** @description Such as api:update, or deployment:deploy:prd. */
            permission: string;
            project?: components["schemas"]["Reference"];
            api?: components["schemas"]["Reference"];
            environment?: components["schemas"]["Reference"];
            environmentSlug?: components["schemas"]["EnvironmentSlug"];
        };
        /** @description The slug of the environment, for roles whose permissions name one. */
        EnvironmentSlug: string;
        WhoCan: {
            items: components["schemas"]["WhoCanItem"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        WhoCanItem: {
            principal: components["schemas"]["Principal"];
            /** @description The grants that allow it. */
            because: components["schemas"]["AccessReason"][];
        };
        /**
         * @description What became of it. It is withdrawn where whoever invited was disabled or deleted: somebody else sends it again.
         * @enum {string}
         */
        InvitationStatus: "pending" | "accepted" | "expired" | "withdrawn";
        InvitedRole: {
            /** @description The id or the name of a role. */
            role: string;
            project?: components["schemas"]["Reference"];
        };
        /** @description The ids or the names of groups that they are put into when they come. */
        InvitedGroups: string[];
        /** @description Somebody to be invited, with at least one role or group. */
        InvitationItem: {
            email: components["schemas"]["Email"];
            name?: components["schemas"]["Name"];
            roles?: components["schemas"]["InvitedRole"][];
            groups?: components["schemas"]["InvitedGroups"];
        };
        InvitationBatch: {
            items: components["schemas"]["InvitationItem"][];
            to?: components["schemas"]["InvitedTo"];
        };
        /**
         * @description Which address the links lead to: the console for those who run APIs, the portal for those who use them. Absent = the portal where every role is consumer.
         * @enum {string}
         */
        InvitedTo: "console" | "portal";
        InvitationsToResend: {
            /** @description The ids of the invitations. */
            invitations: string[];
        };
        InvitationResult: {
            email: string;
            /**
             * @description invited: there is a link. exists: they are a user. pending: they are invited, and have not come yet. refused: see why.
             * @enum {string}
             */
            outcome: "invited" | "exists" | "pending" | "refused";
            /** @description The id of the invitation. */
            invitation?: string;
            /** @description Whether the link goes out by mail. */
            mailed?: boolean;
            /** @description The link, shown once, where it does not. */
            url?: string;
            /** Format: date-time */
            expiresAt?: string;
            /** @description The code of the problem for which it was refused. */
            code?: string;
            /** @description Why, and what to do. */
            detail?: string;
        };
        InvitationResults: {
            items: components["schemas"]["InvitationResult"][];
        };
        InvitationSheet: {
            /** @description The list, of at most 5,000 people. */
            csv: string;
            /** @description The roles of those whose line names neither roles nor groups. */
            roles?: components["schemas"]["InvitedRole"][];
            groups?: components["schemas"]["InvitedGroups"];
        };
        InvitationFault: {
            /**
             * @description The column; absent where it is about the line.
             * @enum {string}
             */
            field?: "email" | "name" | "roles" | "groups";
            detail: string;
        };
        InvitationLine: {
            /** @description Where it stands in the list, from 1. */
            line: number;
            email: string;
            name?: string;
            roles: components["schemas"]["InvitationRole"][];
            groups: components["schemas"]["GroupName"][];
            /**
             * @description invite: would be invited. exists: is a user. pending: is invited. duplicate: stands in the list before. invalid: see errors.
             * @enum {string}
             */
            outcome: "invite" | "exists" | "pending" | "duplicate" | "invalid";
            errors: components["schemas"]["InvitationFault"][];
        };
        InvitationPreview: {
            lines: components["schemas"]["InvitationLine"][];
            /** @description Columns that are left out. */
            unused: string[];
        };
        InvitationInput: {
            email: components["schemas"]["Email"];
            name?: components["schemas"]["Name"];
            roles: components["schemas"]["InvitedRole"][];
            groups?: components["schemas"]["InvitedGroups"];
            /** @description The language in which who is invited is written to, as BCP 47 has it. Absent = that of the organization. */
            language?: string;
            to?: components["schemas"]["InvitedTo"];
        };
        InvitationRole: {
            /** @description The id of the role. */
            role: string;
            /** @description The name of the role. */
            name: string;
            project?: string;
        };
        Invitation: {
            id: string;
            /** Format: int64 */
            version: number;
            email: string;
            name?: string;
            roles: components["schemas"]["InvitationRole"][];
            /** @description The groups that they are put into when they come. */
            groups?: components["schemas"]["GroupName"][];
            status: components["schemas"]["InvitationStatus"];
            /** Format: date-time */
            expiresAt: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        InvitationCreated: {
            id: string;
            /** Format: int64 */
            version: number;
            email: string;
            name?: string;
            roles: components["schemas"]["InvitationRole"][];
            /** @description The groups that they are put into when they come. */
            groups?: components["schemas"]["GroupName"][];
            status: components["schemas"]["InvitationStatus"];
            /** Format: date-time */
            expiresAt: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description The link, shown once. */
            url: string;
            /** @description Whether the link is sent by mail as well. */
            mailed?: boolean;
            /** @description The secret of the link, shown once. */
            token: string;
        };
        InvitationList: {
            items: components["schemas"]["Invitation"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        OpenInvitation: {
            organization: components["schemas"]["OrganizationName"];
            email: string;
            name?: string;
            roles: components["schemas"]["InvitationRole"][];
            /** Format: date-time */
            expiresAt: string;
            connection?: components["schemas"]["SsoConnectionName"];
            /** @description How many characters a new password has at least, as the organization asks. */
            passwordMinLength: number;
        };
        AcceptInput: {
            name: components["schemas"]["Name"];
            password?: components["schemas"]["Password"];
        };
        ServiceAccount: {
            id: string;
            /** Format: int64 */
            version: number;
            name: string;
            description?: string;
            status: components["schemas"]["Status"];
            /** @description What it has been given. */
            roles: components["schemas"]["UserRole"][];
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        ServiceAccountList: {
            items: components["schemas"]["ServiceAccount"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        ServiceAccountInput: {
            name: components["schemas"]["Name"];
            description?: string;
        };
        ServiceAccountPatch: {
            name?: components["schemas"]["Name"];
            description?: string;
            status?: components["schemas"]["Status"];
        };
        ServiceToken: {
            id: string;
            name: string;
            /** @description Its beginning and end, to tell it from others. */
            hint: string;
            /** Format: date-time */
            expiresAt?: string;
            /**
             * Format: date-time
             * @description To the minute.
             */
            lastUsedAt?: string;
            /** @description The address that it was last used from. */
            lastUsedFrom?: string;
            /** @description What it is made for; none = all that its owner may do. */
            permissions: string[];
            /** @description The only project that it is for. */
            project?: string;
            /** @description The only environment that it is for. */
            environment?: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
        };
        ServiceTokenList: {
            items: components["schemas"]["ServiceToken"][];
        };
        ServiceTokenInput: {
            name: components["schemas"]["Name"];
            /**
             * Format: date-time
             * @description When it ends; absent = never.
             */
            expiresAt?: string;
            /** @description What it is made for, such as api:read or deployment:*; none = all that its owner may do. */
            permissions?: string[];
            /** @description The only project that it is for; absent = all. */
            project?: string;
            /** @description The only environment that it is for; absent = all. */
            environment?: string;
        };
        ServiceTokenCreated: {
            id: string;
            name: string;
            /** @description Its beginning and end, to tell it from others. */
            hint: string;
            /** Format: date-time */
            expiresAt?: string;
            /** @description What it is made for; none = all that its owner may do. */
            permissions: string[];
            /** @description The only project that it is for. */
            project?: string;
            /** @description The only environment that it is for. */
            environment?: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** @description The token, shown once. */
            token: string;
        };
        PersonalToken: {
            id: string;
            name: string;
            /** @description Its beginning and end, to tell it from others. */
            hint: string;
            /**
             * Format: date-time
             * @description When it ends: as it was made, or earlier, as the security policy says.
             */
            expiresAt: string;
            /**
             * Format: date-time
             * @description To the minute.
             */
            lastUsedAt?: string;
            /** @description The address that it was last used from. */
            lastUsedFrom?: string;
            /** @description What it is made for; none = all that its owner may do. */
            permissions: string[];
            /** @description The only project that it is for. */
            project?: string;
            /** @description The only environment that it is for. */
            environment?: string;
            /** Format: date-time */
            createdAt: string;
        };
        PersonalTokenList: {
            items: components["schemas"]["PersonalToken"][];
        };
        MyTokenList: {
            items: components["schemas"]["PersonalToken"][];
            /** @description Whether the organization lets people have tokens. */
            allowed: boolean;
            /** @description How many days a new one lasts at most. */
            maximumDays: number;
        };
        PersonalTokenInput: {
            name: components["schemas"]["Name"];
            /**
             * Format: date-time
             * @description When it ends. The security policy says how late that can be.
             */
            expiresAt: string;
            /** @description What it is made for, such as api:read or deployment:*; none = all that its owner may do. */
            permissions?: string[];
            /** @description The only project that it is for; absent = all. */
            project?: string;
            /** @description The only environment that it is for; absent = all. */
            environment?: string;
        };
        PersonalTokenCreated: {
            id: string;
            name: string;
            /** @description Its beginning and end, to tell it from others. */
            hint: string;
            /** Format: date-time */
            expiresAt: string;
            /** @description What it is made for; none = all that its owner may do. */
            permissions: string[];
            /** @description The only project that it is for. */
            project?: string;
            /** @description The only environment that it is for. */
            environment?: string;
            /** Format: date-time */
            createdAt: string;
            /** @description The token, shown once. */
            token: string;
        };
        PersonalTokenPolicy: {
            /** @description Whether people can have tokens. Without it those that there are do nothing. */
            allowed: boolean;
            /** @description How many days a token lasts at most, from when it was made. */
            maximumDays: number;
        };
        PersonalTokenPolicyPatch: {
            /** @description Whether people can have tokens. Without it those that there are do nothing. */
            allowed?: boolean;
            /** @description How many days a token lasts at most, from when it was made. */
            maximumDays?: number;
        };
        /**
         * @description How a client authenticates itself (RFC 7591 section 2).
         * @enum {string}
         */
        OAuthAuthMethod: "client_secret_basic" | "client_secret_post" | "private_key_jwt" | "tls_client_auth" | "self_signed_tls_client_auth" | "none";
        /**
         * @description A grant.
         * @enum {string}
         */
        OAuthGrantType: "authorization_code" | "client_credentials" | "refresh_token" | "urn:ietf:params:oauth:grant-type:device_code" | "urn:ietf:params:oauth:grant-type:token-exchange";
        /**
         * @description Whether an access token says everything itself (RFC 9068), or is asked about.
         * @enum {string}
         */
        OAuthTokenFormat: "jwt" | "opaque";
        /**
         * @description What tokens are signed with.
         * @enum {string}
         */
        OAuthAlgorithm: "EdDSA" | "RS256";
        /**
         * @description What a client signs its assertions with.
         * @enum {string}
         */
        OAuthAssertionAlgorithm: "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512";
        /** @description The name of a scope (RFC 6749 section 3.3). */
        OAuthScopeName: string;
        OAuthServer: {
            /** @description The issuer identifier. */
            issuer: string;
            /** @description Where the metadata is. */
            metadata: string;
            tokenEndpoint: string;
            authorizationEndpoint: string;
            introspectionEndpoint: string;
            registrationEndpoint: string;
            /** @description Where the public keys are. */
            jwks: string;
            /** @description Where gateways fetch the public keys, where that is another address. */
            gatewayJwks?: string;
            /** @description The scopes of OpenID Connect. */
            identityScopes: string[];
            /** @description The scope by which an application acts as people in Gatehouse itself. */
            managementScope: string;
            /** @description Whether certificates of clients count (RFC 8705). */
            certificates: boolean;
        };
        /**
         * @description The application of the developer portal whose credential the client is. Such a client can be disabled and enabled here;
         *     everything else is done in the portal.
         */
        OAuthClientHolder: {
            id: string;
            name: string;
        };
        OAuthClient: {
            /** @description The client_id. */
            id: string;
            application?: components["schemas"]["OAuthClientHolder"];
            status: components["schemas"]["ClientStatus"];
            name: components["schemas"]["Name"];
            /** @description What it is for. */
            description: string;
            authMethod: components["schemas"]["OAuthAuthMethod"];
            /** @description The grants that it may use. */
            grantTypes: components["schemas"]["OAuthGrantType"][];
            /** @description Where a browser may go back to, compared character by character. */
            redirectUris: string[];
            /** @description Where a browser may go after signing out. */
            postLogoutRedirectUris: string[];
            /** @description The scopes that it may ask for. */
            scopes: components["schemas"]["OAuthScopeName"][];
            /** @description The APIs that its tokens may be for: values of aud. Where a request names none, they are for all. */
            audiences: string[];
            tokenFormat: components["schemas"]["OAuthTokenFormat"];
            algorithm: components["schemas"]["OAuthAlgorithm"];
            /** @description How long an access token is good. */
            accessTokenSeconds: number;
            /** @description How long a refresh token is good that is not used. */
            refreshTokenSeconds: number;
            /** @description The public keys of a client that signs its assertions (RFC 7517), as JSON. */
            jwks?: string;
            /**
             * Format: uri
             * @description Where the public keys are, in place of jwks.
             */
            jwksUri?: string;
            assertionAlgorithm?: components["schemas"]["OAuthAssertionAlgorithm"];
            /** @description Whether it is given tokens only with a proof of a key (RFC 9449). */
            dpopBound: boolean;
            /** @description Whether its tokens are bound to the certificate that it shows (RFC 8705). */
            certificateBound: boolean;
            /** @description The certificate of a client with self_signed_tls_client_auth: x5t#S256, or the certificate in PEM, of which that is kept. */
            certificateThumbprint?: string;
            /** @description The authorities, in PEM, that vouch for the certificate of a client with tls_client_auth. */
            certificateAuthority?: string;
            /** @description The name in that certificate: dn:, dns:, uri:, ip: or email:, and the name after it. */
            certificateSubject?: string;
            /** @description Whether users are not asked, because it is the organization's own. They are always asked about a client without a secret that is on their machine (RFC 8252 section 8.6), and about one that registered itself. With the scope gatehouse it cannot be true. */
            skipConsent: boolean;
            /** @description Whether it may ask about tokens of other clients (RFC 7662): gateways and APIs. */
            mayIntrospect: boolean;
            /** @description Whether a proof of a key must have a nonce of the server's in it (RFC 9449 section 8), so that none can be made ahead. */
            dpopNonce: boolean;
            /** @description Where it is told that a session ended in which it was given tokens (OpenID Connect Back-Channel Logout). */
            backchannelLogoutUri?: string;
            /** @description Whether it wants to be told which session, too (sid). */
            backchannelLogoutSessionRequired: boolean;
            registration?: components["schemas"]["OAuthRegistration"];
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        /**
         * @description Whether it is given tokens.
         * @enum {string}
         */
        ClientStatus: "active" | "disabled";
        OAuthClientCreated: {
            client: components["schemas"]["OAuthClient"];
            secret?: components["schemas"]["OAuthSecretCreated"];
        };
        OAuthClientList: {
            items: components["schemas"]["OAuthClient"][];
            /** @description The cursor of the next page; absent on the last. */
            next?: string;
        };
        OAuthClientInput: {
            name: components["schemas"]["Name"];
            /** @description What it is for. */
            description?: string;
            authMethod?: components["schemas"]["OAuthAuthMethod"];
            /** @description The grants that it may use. */
            grantTypes?: components["schemas"]["OAuthGrantType"][];
            /** @description Where a browser may go back to, compared character by character. */
            redirectUris?: string[];
            /** @description Where a browser may go after signing out. */
            postLogoutRedirectUris?: string[];
            /** @description The scopes that it may ask for. */
            scopes?: components["schemas"]["OAuthScopeName"][];
            /** @description The APIs that its tokens may be for: values of aud. Where a request names none, they are for all. */
            audiences?: string[];
            tokenFormat?: components["schemas"]["OAuthTokenFormat"];
            algorithm?: components["schemas"]["OAuthAlgorithm"];
            /** @description How long an access token is good. */
            accessTokenSeconds?: number;
            /** @description How long a refresh token is good that is not used. */
            refreshTokenSeconds?: number;
            /** @description The public keys of a client that signs its assertions (RFC 7517), as JSON. */
            jwks?: string;
            /**
             * Format: uri
             * @description Where the public keys are, in place of jwks.
             */
            jwksUri?: string;
            assertionAlgorithm?: components["schemas"]["OAuthAssertionAlgorithm"];
            /** @description Whether it is given tokens only with a proof of a key (RFC 9449). */
            dpopBound?: boolean;
            /** @description Whether its tokens are bound to the certificate that it shows (RFC 8705). */
            certificateBound?: boolean;
            /** @description The certificate of a client with self_signed_tls_client_auth: x5t#S256, or the certificate in PEM, of which that is kept. */
            certificateThumbprint?: string;
            /** @description The authorities, in PEM, that vouch for the certificate of a client with tls_client_auth. */
            certificateAuthority?: string;
            /** @description The name in that certificate: dn:, dns:, uri:, ip: or email:, and the name after it. */
            certificateSubject?: string;
            /** @description Whether users are not asked, because it is the organization's own. They are always asked about a client without a secret that is on their machine (RFC 8252 section 8.6), and about one that registered itself. With the scope gatehouse it cannot be true. */
            skipConsent?: boolean;
            /** @description Whether it may ask about tokens of other clients (RFC 7662): gateways and APIs. */
            mayIntrospect?: boolean;
            /** @description Whether a proof of a key must have a nonce of the server's in it (RFC 9449 section 8), so that none can be made ahead. */
            dpopNonce?: boolean;
            /** @description Where it is told that a session ended in which it was given tokens (OpenID Connect Back-Channel Logout). */
            backchannelLogoutUri?: string;
            /** @description Whether it wants to be told which session, too (sid). */
            backchannelLogoutSessionRequired?: boolean;
        };
        /** @description A merge patch (RFC 7396). */
        OAuthClientPatch: {
            status?: components["schemas"]["ClientStatus"];
            name?: components["schemas"]["Name"];
            /** @description What it is for. */
            description?: string;
            authMethod?: components["schemas"]["OAuthAuthMethod"];
            /** @description The grants that it may use. */
            grantTypes?: components["schemas"]["OAuthGrantType"][];
            /** @description Where a browser may go back to, compared character by character. */
            redirectUris?: string[];
            /** @description Where a browser may go after signing out. */
            postLogoutRedirectUris?: string[];
            /** @description The scopes that it may ask for. */
            scopes?: components["schemas"]["OAuthScopeName"][];
            /** @description The APIs that its tokens may be for: values of aud. Where a request names none, they are for all. */
            audiences?: string[];
            tokenFormat?: components["schemas"]["OAuthTokenFormat"];
            algorithm?: components["schemas"]["OAuthAlgorithm"];
            /** @description How long an access token is good. */
            accessTokenSeconds?: number;
            /** @description How long a refresh token is good that is not used. */
            refreshTokenSeconds?: number;
            /** @description The public keys of a client that signs its assertions (RFC 7517), as JSON. */
            jwks?: string;
            /**
             * Format: uri
             * @description Where the public keys are, in place of jwks.
             */
            jwksUri?: string;
            assertionAlgorithm?: components["schemas"]["OAuthAssertionAlgorithm"];
            /** @description Whether it is given tokens only with a proof of a key (RFC 9449). */
            dpopBound?: boolean;
            /** @description Whether its tokens are bound to the certificate that it shows (RFC 8705). */
            certificateBound?: boolean;
            /** @description The certificate of a client with self_signed_tls_client_auth: x5t#S256, or the certificate in PEM, of which that is kept. */
            certificateThumbprint?: string;
            /** @description The authorities, in PEM, that vouch for the certificate of a client with tls_client_auth. */
            certificateAuthority?: string;
            /** @description The name in that certificate: dn:, dns:, uri:, ip: or email:, and the name after it. */
            certificateSubject?: string;
            /** @description Whether users are not asked, because it is the organization's own. They are always asked about a client without a secret that is on their machine (RFC 8252 section 8.6), and about one that registered itself. With the scope gatehouse it cannot be true. */
            skipConsent?: boolean;
            /** @description Whether it may ask about tokens of other clients (RFC 7662): gateways and APIs. */
            mayIntrospect?: boolean;
            /** @description Whether a proof of a key must have a nonce of the server's in it (RFC 9449 section 8), so that none can be made ahead. */
            dpopNonce?: boolean;
            /** @description Where it is told that a session ended in which it was given tokens (OpenID Connect Back-Channel Logout). */
            backchannelLogoutUri?: string;
            /** @description Whether it wants to be told which session, too (sid). */
            backchannelLogoutSessionRequired?: boolean;
        };
        SignOutInput: {
            origin: components["schemas"]["Origin"];
            /** @description What the provider sends back with the browser, to /bff/sso/signed-out at the origin. */
            state: string;
        };
        SignedOut: {
            /** @description Where to send the browser to. */
            address: string;
            connection: components["schemas"]["SsoConnectionName"];
        };
        SsoSignOut: {
            /** @description Whether there is an address at which the provider signs people out. */
            offered: boolean;
            /** @description Why not, where it is known. */
            detail?: string;
        };
        SsoLogoutInput: {
            /** @description The token (OpenID Connect Back-Channel Logout section 2.4). */
            logout_token: string;
        };
        SsoLogoutError: {
            /** @enum {string} */
            error: "invalid_request";
            error_description: string;
        };
        OAuthSecret: {
            id: string;
            /** @description What it is for, or where it is; may be empty. */
            name: string;
            /** @description Its beginning and end, to tell it from others. */
            hint: string;
            /**
             * Format: date-time
             * @description When it ends; absent = never.
             */
            expiresAt?: string;
            /**
             * Format: date-time
             * @description When the client last proved who it is with it, to the minute; absent = never.
             */
            lastUsedAt?: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
        };
        OAuthSecretList: {
            items: components["schemas"]["OAuthSecret"][];
        };
        OAuthSecretInput: {
            /** @description What it is for, or where it is. */
            name?: string;
            /**
             * Format: date-time
             * @description When it ends; absent = never.
             */
            expiresAt?: string;
            /**
             * @description Whether the secrets before it go on until their own ends: it is one more, and replaces none.
             * @default false
             */
            keepOthers?: boolean;
            /**
             * @description How long the secrets before it go on, where it replaces them.
             * @default 86400
             */
            overlapSeconds?: number;
        };
        OAuthSecretCreated: {
            id: string;
            /** @description What it is for, or where it is; may be empty. */
            name: string;
            /**
             * Format: date-time
             * @description When it ends; absent = never.
             */
            expiresAt?: string;
            /** @description Its beginning and end, to tell it from others. */
            hint: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** @description The secret, shown once. */
            secret: string;
        };
        OAuthScope: {
            id: string;
            name: components["schemas"]["OAuthScopeName"];
            /** @description What people read on the consent page. */
            title: string;
            description: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
        };
        OAuthScopeList: {
            items: components["schemas"]["OAuthScope"][];
        };
        OAuthScopeInput: {
            name: components["schemas"]["OAuthScopeName"];
            /** @description What people read on the consent page. */
            title?: string;
            /** @description What it is for. */
            description?: string;
        };
        /** @description A merge patch (RFC 7396). */
        OAuthScopePatch: {
            /** @description What people read on the consent page. */
            title?: string;
            /** @description What it is for. */
            description?: string;
        };
        OAuthKey: {
            /** @description The kid. */
            id: string;
            algorithm: components["schemas"]["OAuthAlgorithm"];
            /**
             * @description It signs, will sign, or did and is still published.
             * @enum {string}
             */
            state: "active" | "next" | "previous";
            /**
             * Format: date-time
             * @description When it begins to sign.
             */
            activeFrom: string;
            /**
             * Format: date-time
             * @description When it ends to sign.
             */
            until?: string;
            /** Format: date-time */
            createdAt: string;
        };
        OAuthKeyList: {
            items: components["schemas"]["OAuthKey"][];
        };
        OAuthKeyRotation: {
            algorithm: components["schemas"]["OAuthAlgorithm"];
            /**
             * @description Whether the key that signed until now is withdrawn at once. Tokens that it signed are refused from now on.
             * @default false
             */
            withdraw?: boolean;
        };
        OAuthConsent: {
            id: string;
            user: components["schemas"]["OAuthNamed"];
            client: components["schemas"]["OAuthNamed"];
            scopes: string[];
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        OAuthNamed: {
            id: string;
            name: string;
        };
        OAuthConsentList: {
            items: components["schemas"]["OAuthConsent"][];
            /** @description The cursor of the next page; absent on the last. */
            next?: string;
        };
        OAuthAuthorization: {
            /** @description Whether nothing is asked, because it is an app of the product: decide at once, after signing in anew where signInAgain says so. */
            automatic: boolean;
            client: components["schemas"]["OAuthNamed"];
            /** @description What the application says of itself. */
            description?: string;
            /** @description Where the browser goes afterwards. */
            host: string;
            /** @description Whether the caller has to sign in anew first. */
            signInAgain: boolean;
            /** @description Whether the application registered itself, so that nobody here has looked at it. */
            selfRegistered: boolean;
            scopes: components["schemas"]["OAuthAskedScope"][];
        };
        OAuthInitialToken: {
            id: string;
            name: components["schemas"]["Name"];
            /** @description Its beginning and end, to tell it from others. */
            hint: string;
            /** @description How many clients can still be registered with it. */
            usesLeft: number;
            /** @description The scopes that its clients may ask for. */
            scopes: string[];
            /** @description The grants that its clients may use. */
            grantTypes: components["schemas"]["OAuthGrantType"][];
            /** @description The APIs that the tokens of its clients are for. */
            audiences: string[];
            /** Format: date-time */
            expiresAt: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
        };
        OAuthInitialTokenList: {
            items: components["schemas"]["OAuthInitialToken"][];
        };
        OAuthInitialTokenInput: {
            name: components["schemas"]["Name"];
            /**
             * @description How many clients can be registered with it.
             * @default 1
             */
            uses?: number;
            /**
             * @description How long it is good.
             * @default 604800
             */
            lifetimeSeconds?: number;
            /** @description The scopes that its clients may ask for. */
            scopes?: components["schemas"]["OAuthScopeName"][];
            /** @description The grants that its clients may use; without it authorization_code and refresh_token. */
            grantTypes?: components["schemas"]["OAuthGrantType"][];
            /** @description The APIs that the tokens of its clients are for: values of aud. */
            audiences?: string[];
        };
        OAuthInitialTokenCreated: {
            initialToken: components["schemas"]["OAuthInitialToken"];
            /** @description The token, shown once. */
            token: string;
            /** @description Where programs send it. */
            registrationEndpoint: string;
        };
        /** @description What a client that registered itself says (RFC 7591). Nobody has looked at it. */
        OAuthRegistration: {
            website?: string;
            terms?: string;
            policy?: string;
            contacts: string[];
            softwareId?: string;
            softwareVersion?: string;
        };
        OAuthDevice: {
            client: components["schemas"]["OAuthNamed"];
            /** @description What the application says of itself. */
            description?: string;
            /** @description Whether the application registered itself, so that nobody here has looked at it. */
            selfRegistered: boolean;
            scopes: components["schemas"]["OAuthAskedScope"][];
        };
        OAuthAskedScope: {
            name: string;
            title?: string;
            description?: string;
            /** @description Whether it was not allowed before. */
            new: boolean;
        };
        OAuthDecision: {
            allow: boolean;
        };
        OAuthRedirect: {
            redirectTo: string;
        };
        /**
         * @description Whether it was done.
         * @enum {string}
         */
        Outcome: "done" | "refused";
        AuditActor: {
            /** @description user, service-account, scim-token, service or anonymous. */
            kind: string;
            id?: string;
            /** @description As it was then. */
            name?: string;
            /** @description The id of the token by which they came; absent = they had signed in. */
            token?: string;
            /** @description The name of that token, as it was then. */
            tokenName?: string;
            /** @description The id of the user who acted as this one; absent = they did it themselves. */
            impersonator?: string;
            /** @description The name of that user, as it was then. */
            impersonatorName?: string;
        };
        AuditTarget: {
            kind: string;
            id: string;
            /** @description As it was then. */
            name?: string;
            project?: string;
        };
        AuditChange: {
            /** @description A JSON pointer. */
            field: string;
            before?: string;
            after?: string;
        };
        AuditEntry: {
            id: string;
            /**
             * Format: int64
             * @description Its number in the organization, without gaps.
             */
            sequence: number;
            service: string;
            /** @description Such as user.disabled. */
            action: string;
            outcome: components["schemas"]["Outcome"];
            actor: components["schemas"]["AuditActor"];
            target: components["schemas"]["AuditTarget"];
            changes: components["schemas"]["AuditChange"][];
            requestId?: string;
            ip?: string;
            via?: components["schemas"]["AuditVia"];
            /** Format: date-time */
            time: string;
            /** @description SHA-256 over the entry and the hash before. */
            hash: string;
            /** @description That of the entry before; empty for the first. */
            previousHash: string;
        };
        /**
         * @description By what it was done: console = a browser app; api = a request with a token, such as of the command line or a program; service = a service or a gateway; system = Gatehouse by itself. Entries of before this was kept have none.
         * @enum {string}
         */
        AuditVia: "console" | "api" | "service" | "system";
        AuditList: {
            items: components["schemas"]["AuditEntry"][];
            /** @description The cursor of the next page. */
            next?: string;
            /**
             * Format: date-time
             * @description The time of the oldest entry that a search by q has looked at, where it stopped there: one page looks at 25,000 entries, may have few of them or none, and what is older comes with the next.
             */
            lookedBackTo?: string;
        };
        AuditRetention: {
            /** @description How many days entries are kept; 0 = for ever. */
            days: number;
            /** Format: int64 */
            version: number;
            /**
             * Format: int64
             * @description The sequence of the oldest entry that is there; 0 = none is.
             */
            first: number;
            /**
             * Format: int64
             * @description How many entries are there.
             */
            entries: number;
        };
        AuditRetentionInput: {
            /** @description How many days entries are kept, at least 30; 0 = for ever. */
            days: number;
        };
        SignInMethodsInput: {
            email: components["schemas"]["Email"];
        };
        SignInMethods: {
            connection?: components["schemas"]["SsoConnectionName"];
            singleSignOn?: components["schemas"]["SignInRule"];
        };
        SsoConnectionName: {
            id: string;
            name: string;
            kind: components["schemas"]["SsoKind"];
        };
        /** @description A random secret that the browser keeps, and shows when it comes back. */
        SsoBinding: string;
        SsoSignInInput: {
            email?: components["schemas"]["Email"];
            /** @description The id of a connection, in place of the e-mail address. */
            connection?: string;
            origin: components["schemas"]["Origin"];
            binding: components["schemas"]["SsoBinding"];
            /** @description The path that the browser goes to afterwards. */
            next?: string;
        };
        SsoTestInput: {
            origin?: components["schemas"]["Origin"];
            binding?: components["schemas"]["SsoBinding"];
            /** @description Whom to look up in a directory: what they would type in at sign-in. */
            username?: string;
            /** @description Their password. */
            password?: string;
        };
        SsoTestBegun: {
            /** @description Where to send the browser to. */
            address?: string;
            /** @description The id of what a directory answered. */
            test?: string;
        };
        SsoBegun: {
            /** @description Where to send the browser to. */
            address: string;
        };
        SsoCallbackInput: {
            state: string;
            binding: string;
            code?: string;
            /** @description The issuer, where it says so (RFC 9207). */
            iss?: string;
            /** @description The connection to whose redirect address the browser was sent; not of SAML. Another than was begun is refused (RFC 9700 section 4.4). */
            connection?: string;
            error?: string;
            errorDescription?: string;
            /** @description The handle of a SAML answer. */
            saml?: string;
        };
        SsoFinished: {
            tokens?: components["schemas"]["TokenPair"];
            challenge?: components["schemas"]["SignInChallenge"];
            /** @description The id of what a test sign-in received. */
            test?: string;
            /** @description Whether it was a new proof of who is signed in; only where one was begun. */
            confirmed?: boolean;
            /** @description The path that the browser goes to. */
            next?: string;
        };
        SsoConnectionInput: {
            /** @description What people see on the sign-in page. */
            name: string;
            kind: components["schemas"]["SsoKind"];
            preset?: components["schemas"]["SsoPreset"];
            /** @description The issuer, below which /.well-known/openid-configuration is. `oidc` needs it. */
            issuer?: string;
            /** @description `oidc` and `oauth2` need it. */
            clientId?: string;
            /** @description It is kept encrypted and never shown; or a reference, see getSecretReferences. */
            clientSecret?: string;
            /** @description Beside openid; the default is email and profile. */
            scopes?: string[];
            emailClaim?: components["schemas"]["SsoClaim"];
            nameClaim?: components["schemas"]["SsoClaim"];
            groupsClaim?: components["schemas"]["SsoClaim"];
            /**
             * @description Whether addresses of the domains count as verified where the provider does not say.
             * @default false
             */
            trustEmail?: boolean;
            /** @default false */
            enabled?: boolean;
            /** @description Whose e-mail addresses lead here, such as acme.example. What is not claimed yet is claimed by it, and leads here when it is verified: see /domains. */
            domains?: string[];
            /**
             * @description Whether who signs in for the first time becomes a user; only addresses of the domains.
             * @default false
             */
            provision?: boolean;
            /** @description The roles of a user made so. */
            roles?: string[];
            /** @description Roles of who is in a group at the provider, given and taken at every sign-in. */
            groupRoles?: components["schemas"]["SsoGroupRole"][];
            /**
             * @description Whether who signs out here is sent on to the provider, to be signed out there too (OpenID Connect RP-Initiated Logout 1.0); only with `oidc`. The ID token of the sign-in is kept for it, encrypted, until the session ends.
             * @default false
             */
            signOutAtProvider?: boolean;
            ldap?: components["schemas"]["SsoLdap"];
            saml?: components["schemas"]["SsoSamlInput"];
            oauth2?: components["schemas"]["SsoOauth2"];
        };
        /** @description How a directory is asked; `ldap` needs it. What is left out has the defaults of the preset. With other servers, another userBase or another subjectAttribute, who was linked is linked anew. */
        SsoLdap: {
            /** @description The servers, such as ldaps://ldap.example.com, asked in turn until one answers. */
            urls: string[];
            /** @description Whether connections to servers of ldap:// are encrypted, which they are unless this is false. Without it the server has to be on this machine. */
            startTls?: boolean;
            /** @description The certificate authority of the servers as PEM; empty = those of the system. */
            ca?: string;
            /** @description The account that looks people up; empty = without an account. */
            bindDn?: string;
            /** @description Its password, or a reference. It is kept encrypted and never shown; left out, it stays as it is, unless there is a new server. */
            bindPassword?: string;
            /** @description Below what people are, such as ou=people,dc=example,dc=com. */
            userBase: string;
            /** @description Finds the one entry of somebody: {email} is what was typed in, {username} the part before the @. */
            userFilter?: string;
            emailAttribute?: string;
            nameAttribute?: string;
            /** @description What tells people apart and never changes: entryUUID, or objectGUID. */
            subjectAttribute?: string;
            /** @description Below what groups are; empty = groups are not asked for. */
            groupBase?: string;
            /** @description Finds the groups of a member: {dn} is its distinguished name, {username} its name. */
            groupFilter?: string;
            /** @description By what groups are named in groupRoles; dn = the whole distinguished name. */
            groupNameAttribute?: string;
            /** @description Whether groups in groups count, up to eight levels. */
            nestedGroups?: boolean;
        };
        /** @description A SAML 2.0 identity provider: its metadata, the address of its metadata, or entity id, address and certificates by hand. It may be left out until the provider is set up; such a connection cannot be switched on. */
        SsoSamlInput: {
            /** @description The provider's metadata, as XML. It is read once. */
            metadata?: string;
            /** @description Where the provider's metadata is. It is fetched again every day. */
            metadataUrl?: string;
            /** @description The provider's entity id. */
            entityId?: string;
            /** @description Where requests go, by HTTP-Redirect. */
            ssoUrl?: string;
            /** @description What the provider signs with, in PEM; several while it changes them. */
            certificates?: string[];
            nameIdFormat?: components["schemas"]["SamlNameIdFormat"];
            /** @description The attribute that says who somebody is and never changes; empty = the NameID. */
            subjectAttribute?: string;
        };
        /**
         * @description Which NameID is asked for; `unspecified` leaves it to the provider. Transient ones are refused, unless an attribute is the subject.
         * @default persistent
         * @enum {string}
         */
        SamlNameIdFormat: "persistent" | "emailAddress" | "unspecified";
        SsoSaml: {
            metadataUrl?: string;
            entityId: string;
            ssoUrl: string;
            certificates: components["schemas"]["SamlCertificate"][];
            nameIdFormat: components["schemas"]["SamlNameIdFormat"];
            subjectAttribute?: string;
            /** @description The entity id of the connection, which the provider is set up with. */
            spEntityId: string;
            spCertificate?: components["schemas"]["SamlCertificate"];
            spNextCertificate?: components["schemas"]["SamlCertificate"];
            /**
             * Format: date-time
             * @description When the next certificate follows by itself; nothing = when somebody says so.
             */
            spSwitchAt?: string;
            spPreviousCertificate?: components["schemas"]["SamlCertificate"];
            /**
             * Format: date-time
             * @description When the metadata was fetched.
             */
            fetchedAt?: string;
            /** @description What went wrong at the last attempt to fetch it. */
            fetchError?: string;
        };
        SamlCertificate: {
            pem: string;
            subject?: string;
            /** @description SHA-256 in hexadecimal digits. */
            fingerprint: string;
            /** Format: date-time */
            notAfter?: string;
        };
        SsoCertificateSwitch: {
            /**
             * Format: date-time
             * @description When to switch, within a year.
             */
            switchAt?: string;
        };
        SamlAnswerInput: {
            /** @description The parameter RelayState. */
            state: string;
            /** @description The parameter SAMLResponse. */
            answer: string;
        };
        SamlAnswer: {
            handle: string;
        };
        SamlMetadata: {
            /** @description XML. */
            metadata: string;
        };
        /** @description A provider that speaks plain OAuth 2.0, and has an API of its own for who somebody is. */
        SsoOauth2: {
            authorizeUrl: string;
            tokenUrl: string;
            /** @description It answers an object on the person. */
            userUrl: string;
            /** @description It answers a list with `email`, `primary` and `verified`; the primary one that is verified counts. */
            emailsUrl?: string;
            /** @description Lists of what the person belongs to. */
            groups?: components["schemas"]["SsoOauth2Groups"][];
            /** @description Where the person has what never changes; `id` where it is left out. */
            subject?: string;
            /**
             * @description Whether a code challenge is sent (RFC 7636).
             * @default true
             */
            pkce?: boolean;
        };
        SsoOauth2Groups: {
            url: string;
            /** @description Where an entry has its name; empty = the entry is the name. Slashes put several together: `organization.login/slug`. */
            path?: string;
        };
        /** @description The name of a claim or an attribute; dots part the names of nested objects. `NameID` is the NameID of a SAML assertion. */
        SsoClaim: string;
        SsoGroupRole: {
            group: string;
            /** @description The id or name of a role. */
            role: string;
        };
        SsoGroupRolePreviewInput: {
            /** @description The id of the connection; absent = one that is not made yet. */
            connection?: string;
            /** @description As they would be saved. */
            groupRoles: components["schemas"]["SsoGroupRole"][];
            /** @description The roles of a user whom the connection makes, as they would be saved. */
            roles?: string[];
            groupsClaim?: components["schemas"]["SsoClaim"];
            /** @description Groups at the provider, to try the roles on. */
            groups?: string[];
        };
        SsoGroupRolePreview: {
            /** @description What the groups that were sent, the last test sign-in and the last sign-ins would give. */
            samples: components["schemas"]["SsoGroupRoleSample"][];
            /**
             * Format: int64
             * @description How many are linked to the connection.
             */
            people: number;
            /**
             * Format: int64
             * @description How many of them were looked at: those who signed in last, at most 10,000.
             */
            counted: number;
            /**
             * Format: int64
             * @description How many of those have not signed in since groups are kept; nothing can be said of them.
             */
            unknown: number;
            /**
             * Format: int64
             * @description How many would gain or lose a role at their next sign-in.
             */
            affected: number;
            /** @description How many would gain and lose each role. */
            changes: components["schemas"]["SsoGroupRoleCount"][];
            /** @description Some who are affected, those first who would lose most. */
            first: components["schemas"]["SsoGroupRoleSample"][];
            /**
             * Format: int64
             * @description How many could administer nothing any more.
             */
            losingAdministration: number;
            /** @description Whether the caller would lose a role. */
            yourself: boolean;
            /** @description Groups with a role in which nobody is of whom groups are known. */
            unmatched: string[];
        };
        SsoGroupRoleCount: {
            role: components["schemas"]["SsoRoleName"];
            /** Format: int64 */
            gain: number;
            /** Format: int64 */
            lose: number;
        };
        SsoRoleName: {
            id: string;
            title: string;
        };
        SsoGroupRoleSample: {
            /**
             * @description `groups`: those that were sent; `test`: the last test sign-in; `sign-in`: when the user last signed in.
             * @enum {string}
             */
            source: "groups" | "test" | "sign-in";
            user?: components["schemas"]["UserName"];
            /** @description Who it is at the provider, where they are no user. */
            name?: string;
            /** Format: date-time */
            at?: string;
            groups: string[];
            /** @description Whether the provider named more groups than are kept. */
            more?: boolean;
            /** @description Roles that they would be given. */
            gained: components["schemas"]["SsoRoleName"][];
            /** @description Roles that they would have no more. */
            lost: components["schemas"]["SsoRoleName"][];
            /** @description Roles of their groups that they have and keep. */
            kept: components["schemas"]["SsoRoleName"][];
            /** @description Whether they could administer nothing any more: users, groups, roles, sign-in. */
            losesAdministration?: boolean;
            /** @description Whether it is the caller. */
            yourself?: boolean;
        };
        /**
         * @description `oidc`: OpenID Connect; `saml`: SAML 2.0; `ldap`: LDAP and Active Directory; `oauth2`: plain OAuth 2.0, such as GitHub.
         * @enum {string}
         */
        SsoKind: "oidc" | "saml" | "ldap" | "oauth2";
        /**
         * @description Which defaults the form began with; with `ldap` also those of what is left out.
         * @default generic
         * @enum {string}
         */
        SsoPreset: "entra" | "okta" | "google" | "keycloak" | "adfs" | "github" | "active-directory" | "openldap" | "generic";
        SsoConnection: {
            id: string;
            name: string;
            kind: components["schemas"]["SsoKind"];
            preset: components["schemas"]["SsoPreset"];
            issuer: string;
            clientId: string;
            hasSecret: boolean;
            secretReference?: components["schemas"]["SecretReference"];
            scopes: string[];
            emailClaim: string;
            nameClaim: string;
            groupsClaim: string;
            trustEmail: boolean;
            enabled: boolean;
            domains: string[];
            /** @description Those of the domains that are not verified, and lead nobody here. */
            unverifiedDomains?: string[];
            /** @description What sign-in depends on that runs out, and when. */
            ends?: components["schemas"]["SsoEnd"][];
            provision: boolean;
            roles: string[];
            groupRoles: components["schemas"]["SsoGroupRole"][];
            /** @description Whether who signs out here is sent on to the provider. */
            signOutAtProvider: boolean;
            /**
             * Format: int64
             * @description How many sessions began by it and are open, which end when it is switched off or deleted; where one connection is read or changed.
             */
            openSessions?: number;
            ldap?: components["schemas"]["SsoLdap"];
            saml?: components["schemas"]["SsoSaml"];
            oauth2?: components["schemas"]["SsoOauth2"];
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
        };
        SsoEnd: {
            /**
             * @description `provider-certificate`: what a SAML provider signs with, the last of several; `own-certificate`: that of the connection itself; `authority`: the authority of an LDAP server.
             * @enum {string}
             */
            what: "provider-certificate" | "own-certificate" | "authority";
            /** Format: date-time */
            at: string;
        };
        SsoConnectionList: {
            items: components["schemas"]["SsoConnection"][];
        };
        /**
         * @description `pending`: not proven yet; `verified`: proven; `failing`: proven, and its record is missing now, so that it counts until `countsUntil`; `lost`: its record was missing for too long.
         * @enum {string}
         */
        DomainStatus: "pending" | "verified" | "failing" | "lost";
        /**
         * @description `dns`: by a record; `hand`: by an administrator of the platform; `before`: it led here before domains had to be proven.
         * @enum {string}
         */
        DomainMethod: "dns" | "hand" | "before";
        /**
         * @description `missing`: there is no such record; `other-value`: it says something else; `unanswered`: no server answered; `taken`: the record is there, and another organization has the domain.
         * @enum {string}
         */
        DomainFailure: "missing" | "other-value" | "unanswered" | "taken";
        /**
         * @description `off`: a password is as good as the provider; `preferred`: people are led to the provider, and can use a password; `required`: they are let in by the provider alone.
         * @enum {string}
         */
        SignInRule: "off" | "preferred" | "required";
        DomainInput: {
            /** @description Such as acme.example; subdomains are domains of their own. */
            domain: string;
        };
        DomainPatch: {
            /** @description The id of the single sign-on that its people use; empty = none. */
            connection?: string;
            singleSignOn?: components["schemas"]["SignInRule"];
            /** @description With `required`: the ids of the groups that it is tried on first, with the groups in them; none = everybody. */
            groups?: string[];
        };
        DomainRecord: {
            /** @description TXT. */
            type: string;
            name: string;
            value: string;
        };
        Domain: {
            id: string;
            /** Format: int64 */
            version: number;
            domain: string;
            status: components["schemas"]["DomainStatus"];
            method?: components["schemas"]["DomainMethod"];
            record: components["schemas"]["DomainRecord"];
            failure?: components["schemas"]["DomainFailure"];
            /** Format: date-time */
            verifiedAt?: string;
            /**
             * Format: date-time
             * @description When it was looked for last.
             */
            checkedAt?: string;
            /**
             * Format: date-time
             * @description When it is looked for next; absent = not by itself.
             */
            nextCheckAt?: string;
            /**
             * Format: date-time
             * @description Since when the record is missing.
             */
            lostAt?: string;
            /**
             * Format: date-time
             * @description With `failing`: when it becomes `lost`.
             */
            countsUntil?: string;
            connection?: components["schemas"]["DomainUse"];
            directory?: components["schemas"]["DomainUse"];
            singleSignOn: components["schemas"]["SignInRule"];
            /** @description With `required`: whom it is tried on first; none = everybody. */
            groups: components["schemas"]["DomainUse"][];
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
        };
        DomainUse: {
            id: string;
            name: string;
            enabled?: boolean;
        };
        DomainList: {
            items: components["schemas"]["Domain"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        DomainPreview: {
            /** @description How many active users the rule binds. */
            users: number;
            /** @description How many of them never signed in by the connection. */
            neverSignedIn: number;
            /** @description How many of their sessions end by it. */
            sessions: number;
            /** @description How many personal tokens of theirs go on to work. */
            personalTokens: number;
            /** @description How many break-glass accounts can sign in by a password whatever is set. */
            breakGlassUsers: number;
            /** @description Who administers among them, at most 100. */
            administrators: components["schemas"]["DomainPreviewUser"][];
            /** @description What is in the way of the rule, field by field. */
            obstacles: components["schemas"]["DomainObstacle"][];
        };
        DomainPreviewUser: {
            id: string;
            name: string;
            email: string;
            /** @description Whether they have signed in by the connection. */
            signedIn: boolean;
        };
        DomainObstacle: {
            pointer: string;
            detail: string;
        };
        PlatformDomainInput: {
            /** @description How it is known; it is kept in the audit trail. */
            reason: string;
        };
        PlatformDomain: {
            id: string;
            /** Format: int64 */
            version: number;
            domain: string;
            status: components["schemas"]["DomainStatus"];
            method?: components["schemas"]["DomainMethod"];
            failure?: components["schemas"]["DomainFailure"];
            organization: components["schemas"]["OrganizationName"];
            /** Format: date-time */
            verifiedAt?: string;
            /** Format: date-time */
            checkedAt?: string;
            /** Format: date-time */
            createdAt: string;
        };
        PlatformDomainList: {
            items: components["schemas"]["PlatformDomain"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        ScimDirectoryInput: {
            name: components["schemas"]["Name"];
            /** @default true */
            enabled?: boolean;
            /**
             * @description Whether everything is checked and answered as if it were done, and nothing is written: what it would have come to is at /scim/directories/{id}/outcomes. A dry run is answered for seven days; what follows is refused until it is ended, and never done by itself.
             * @default false
             */
            dryRun?: boolean;
            /** @description The id of the single sign-on for whose domains the directory provides; absent = it has domains of its own. */
            connection?: string;
            /** @description For whose e-mail addresses it provides, such as acme.example. What is not claimed yet is claimed by it, and counts when it is verified: see /domains. */
            domains?: string[];
        };
        ScimDirectory: {
            id: string;
            name: string;
            enabled: boolean;
            /** @description Whether it rehearses: everything is answered as if it were done, and nothing is written. */
            dryRun?: boolean;
            /**
             * Format: date-time
             * @description Until when the dry run is answered.
             */
            dryRunEndsAt?: string;
            /**
             * Format: int64
             * @description How many users and groups the dry run has made or changed.
             */
            rehearsed?: number;
            /** @description The id of the single sign-on whose domains it has. */
            connection?: string;
            /** @description Its own, or those of the single sign-on. */
            domains: string[];
            /** @description Those of the domains that are not verified, and for which it provides nobody. */
            unverifiedDomains?: string[];
            /**
             * Format: int64
             * @description How many users are its.
             */
            users: number;
            /**
             * Format: int64
             * @description How many groups are its.
             */
            groups: number;
            /**
             * Format: date-time
             * @description When the identity provider last asked, to the minute.
             */
            lastUsedAt?: string;
            /**
             * Format: date-time
             * @description When it was refused something last, in earnest.
             */
            failedAt?: string;
            /** @description What it was told then. */
            failure?: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
        };
        ScimDirectoryList: {
            items: components["schemas"]["ScimDirectory"][];
        };
        /**
         * @description `linked`: a user who was there became the directory's; `refused`: the provider was told why; `failed`: the service's own fault.
         * @enum {string}
         */
        ScimAction: "created" | "linked" | "updated" | "enabled" | "disabled" | "deleted" | "members-changed" | "refused" | "failed";
        ScimOutcome: {
            id: string;
            action: components["schemas"]["ScimAction"];
            /** @enum {string} */
            kind?: "user" | "group";
            /** @description The id of the user or group; in a dry run that of one who is made has no other meaning. */
            resource?: string;
            name?: string;
            /** @description What the provider was told. */
            detail?: string;
            fields?: components["schemas"]["ScimField"][];
            /** @description Some of the members that came, by name. */
            added?: string[];
            /** @description Some of the members that went, by name. */
            removed?: string[];
            addedCount?: number;
            removedCount?: number;
            /** @description The status that was answered. */
            status: number;
            requestId: string;
            /** Format: date-time */
            at: string;
        };
        ScimField: {
            field: string;
            before?: string;
            after?: string;
        };
        ScimActionCount: {
            action: components["schemas"]["ScimAction"];
            /** @enum {string} */
            kind?: "user" | "group";
            /** Format: int64 */
            count: number;
        };
        ScimOutcomeList: {
            items: components["schemas"]["ScimOutcome"][];
            /** @description How many there are of each action and kind. */
            counts: components["schemas"]["ScimActionCount"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        SsoTest: {
            id: string;
            connection: components["schemas"]["SsoConnectionName"];
            /**
             * @description What a sign-in would come to: a user who is linked, one who gets linked, a new one, nobody; `failed`: the provider did not say who it is.
             * @enum {string}
             */
            outcome: "known" | "linked" | "made" | "refused" | "failed";
            /** @description Why. */
            detail: string;
            subject?: string;
            email?: string;
            /** @description Whether the address counts as verified. */
            emailVerified?: boolean;
            name?: string;
            groups: string[];
            /** @description The roles that the user would be given. */
            roles: string[];
            /** @description What was received: claims, attributes, or what the provider's API answered. */
            claims: {
                [key: string]: unknown;
            };
        };
        AuditReceiver: {
            id: string;
            name: string;
            kind: components["schemas"]["AuditReceiverKind"];
            address: string;
            /** @description The certificate authority that the receiver's certificate is of; empty = those of the system. */
            ca?: string;
            enabled: boolean;
            /** @description Whether requests carry a secret in Authorization. */
            hasSecret: boolean;
            secretReference?: components["schemas"]["SecretReference"];
            /**
             * @description `waiting`: everything has been sent; `failing`: the last attempt did not work, and is repeated.
             * @enum {string}
             */
            state: "waiting" | "sending" | "failing" | "disabled";
            /**
             * Format: int64
             * @description The sequence of the last entry that was sent.
             */
            sent: number;
            /**
             * Format: int64
             * @description How many entries it has yet to get.
             */
            behind?: number;
            /** Format: date-time */
            sentAt?: string;
            /** @description What went wrong at the last attempt. */
            error?: string;
            /** Format: date-time */
            nextAttemptAt?: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
        };
        /**
         * @description `syslog`: RFC 5424 over UDP, TCP or TLS; `http`: POST of a JSON array.
         * @enum {string}
         */
        AuditReceiverKind: "syslog" | "http";
        AuditReceiverList: {
            items: components["schemas"]["AuditReceiver"][];
        };
        AuditReceiverInput: {
            name: string;
            kind: components["schemas"]["AuditReceiverKind"];
            /** @description For syslog `tls://host:6514`, `tcp://host:514` or `udp://host:514`; for HTTP an http:// or https:// address. */
            address: string;
            /** @description What requests carry in Authorization, such as `Bearer …`, or a reference to that; HTTP only. It is kept encrypted and never shown. */
            secret?: string;
            /** @description The certificate authority that the receiver's certificate is of, as PEM; empty = those of the system. */
            ca?: string;
            /** @default true */
            enabled?: boolean;
            /**
             * @description Whether entries that are there already are sent too; only when it is made.
             * @default false
             */
            fromBeginning?: boolean;
        };
        AuditReceiverTest: {
            ok: boolean;
            /** @description What happened. */
            detail: string;
        };
        /**
         * @description `tls`: from the start; `starttls`: begun by a command, or nothing is sent; `none`: only to a server on the same machine.
         * @enum {string}
         */
        MailSecurity: "tls" | "starttls" | "none";
        /**
         * @description The language of mail to people of whom none is known.
         * @enum {string}
         */
        MailLanguage: "en" | "de" | "ko";
        WebhookEvent: {
            name: string;
            /** @enum {string} */
            group: "security" | "access" | "apis" | "consumers";
            title: string;
        };
        WebhookEventList: {
            items: components["schemas"]["WebhookEvent"][];
        };
        WebhookInput: {
            name: components["schemas"]["Name"];
            /** @description Where it is told, such as https://hooks.example.com/gatehouse. */
            address: string;
            /** @description Names of events; * is all, those to come as well. */
            events: string[];
            /** @description The certificate authority of the receiver, as PEM; empty = those of the system. */
            ca?: string;
            /** @default true */
            enabled?: boolean;
        };
        WebhookSecretInput: {
            /**
             * @description How long the secret before signs as well.
             * @default 24
             */
            overlapHours?: number;
        };
        Webhook: {
            id: string;
            /** Format: int64 */
            version: number;
            name: string;
            address: string;
            events: string[];
            ca?: string;
            enabled: boolean;
            /**
             * @description `quiet`: nothing was sent yet; `failing`: the last attempt did not work.
             * @enum {string}
             */
            state: "disabled" | "quiet" | "working" | "failing";
            /**
             * Format: int64
             * @description How many deliveries wait.
             */
            waiting: number;
            /**
             * Format: date-time
             * @description When the event of the last delivery happened.
             */
            lastAt?: string;
            /** @description What went wrong at the last attempt. */
            error?: string;
            /**
             * Format: date-time
             * @description Until when the secret before signs as well.
             */
            previousSecretUntil?: string;
            /** Format: date-time */
            createdAt: string;
        };
        WebhookCreated: {
            webhook: components["schemas"]["Webhook"];
            /** @description What verifies signatures, shown once. */
            secret: string;
        };
        WebhookList: {
            items: components["schemas"]["Webhook"][];
        };
        /**
         * @description `dead`: it was given up after three days, the receiver is gone for good (410), or it was a test that failed.
         * @enum {string}
         */
        WebhookDeliveryState: "waiting" | "delivered" | "dead";
        WebhookDelivery: {
            /** @description The webhook-id of the requests. */
            id: string;
            event: string;
            state: components["schemas"]["WebhookDeliveryState"];
            attempts: number;
            /** @description The HTTP status of the last answer. */
            status?: number;
            /** @description What went wrong at the last attempt. */
            error?: string;
            /** @description The beginning of the last answer. */
            answer?: string;
            /** @description How long the last attempt took, in milliseconds. */
            took?: number;
            /** @description What is sent; not in lists. */
            body?: string;
            /** Format: date-time */
            nextAttemptAt?: string;
            /** Format: date-time */
            deliveredAt?: string;
            /** Format: date-time */
            createdAt: string;
        };
        WebhookDeliveryList: {
            items: components["schemas"]["WebhookDelivery"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        LetterWords: {
            subject: string;
            /** @description The first line, such as Hello {{name}}. Where no name is known it is left out. */
            greeting: string;
            /** @description Paragraphs with an empty line between them. */
            body: string;
            /** @description What the button says that leads to the link, where the letter has one. */
            action?: string;
            /** @description What stands below the link. */
            until?: string;
            footer?: string;
        };
        LetterPlaceholder: {
            name: string;
            /** @description Whether the subject or the body has to have it. */
            required: boolean;
            example: string;
        };
        LetterLanguage: {
            language: string;
            /** @description Whether Gatehouse has words in it. */
            builtIn: boolean;
            /** @description Whether the organization has words of its own in it. */
            set: boolean;
            /** Format: date-time */
            updatedAt?: string;
        };
        LetterKind: {
            kind: string;
            /** @description Whether it leads somewhere. */
            link: boolean;
            languages: components["schemas"]["LetterLanguage"][];
        };
        LetterKindList: {
            items: components["schemas"]["LetterKind"][];
            /** @description The language of letters to people of whom none is known. */
            language: string;
        };
        LetterTemplate: {
            kind: string;
            language: string;
            set: boolean;
            builtIn: boolean;
            /** Format: int64 */
            version: number;
            link: boolean;
            words: components["schemas"]["LetterWords"];
            builtInWords: components["schemas"]["LetterWords"];
            placeholders: components["schemas"]["LetterPlaceholder"][];
            /** Format: date-time */
            updatedAt?: string;
        };
        LetterPreview: {
            subject: string;
            text: string;
            html: string;
            logo?: components["schemas"]["BrandImage"];
        };
        /** @description A colour as #rrggbb; empty = Gatehouse's own. */
        BrandColour: string;
        /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
        BrandLanguage: string;
        /** @description What the pages say in one language. */
        BrandText: {
            language: components["schemas"]["BrandLanguage"];
            /** @description It stands above the sign-in. */
            welcome?: string;
            /** @description What the link for help says; empty = help. */
            helpLabel?: string;
            /** @description Where those find help who cannot sign in. It may be a mailto address. */
            helpUrl?: string;
            /** @description The terms of use. */
            termsUrl?: string;
            /** @description What is said about privacy. */
            privacyUrl?: string;
        };
        BrandInput: {
            /** @description What pages and letters call the organization; empty = its name. */
            displayName?: string;
            accent?: components["schemas"]["BrandColour"];
            /** @description The hash of the logo on the light theme; empty = none. */
            logoLight?: string;
            /** @description The hash of the logo on the dark theme; empty = that on the light one. */
            logoDark?: string;
            language: components["schemas"]["BrandLanguage"];
            texts?: components["schemas"]["BrandText"][];
        };
        /** @description The colours that follow from an accent on one theme. */
        AccentTokens: {
            /** @description That of links and buttons. */
            accent: string;
            /** @description That under a pointer. */
            hover: string;
            /** @description That behind what is chosen. */
            tint: string;
            /** @description That of text on the accent. */
            on: string;
            /** @description Its contrast, at least 4.5 (WCAG 2.2). */
            ratio: number;
            /** @description The contrast of the colour as it was given. */
            wanted: number;
            /** @description Whether it is another than was given. */
            corrected: boolean;
        };
        AccentPalette: {
            light: components["schemas"]["AccentTokens"];
            dark: components["schemas"]["AccentTokens"];
        };
        BrandImageInput: {
            /**
             * Format: byte
             * @description The file, in base64.
             */
            content: string;
        };
        BrandImage: {
            hash: string;
            /** @description Where it is, at the address of every app. */
            url: string;
            mediaType: string;
            width: number;
            height: number;
            /** @description What was taken out of an SVG, because it could do something. */
            removed?: string[];
        };
        Brand: {
            /** Format: int64 */
            version: number;
            /** @description Whether the organization has one of its own. */
            set: boolean;
            /** @description Whether, where it has none, it looks as another organization does: the first one. */
            inherits: boolean;
            /** @description The name of the organization. */
            organization: string;
            displayName: string;
            accent: string;
            palette?: components["schemas"]["AccentPalette"];
            logoLight?: components["schemas"]["BrandImage"];
            logoDark?: components["schemas"]["BrandImage"];
            language: string;
            texts: components["schemas"]["BrandText"][];
        };
        PublicBrand: {
            /** @description Empty = nobody has set a brand. */
            displayName: string;
            palette?: components["schemas"]["AccentPalette"];
            logoLight?: components["schemas"]["BrandImage"];
            logoDark?: components["schemas"]["BrandImage"];
            /** @description That of texts where no better one is known. */
            language: string;
            texts: components["schemas"]["BrandText"][];
        };
        MailSettings: {
            /**
             * @description `none`: no mail is sent, and links are shown instead.
             * @enum {string}
             */
            source: "none" | "configuration" | "api";
            host?: string;
            port?: number;
            security?: components["schemas"]["MailSecurity"];
            username?: string;
            hasPassword: boolean;
            passwordReference?: components["schemas"]["SecretReference"];
            fromAddress?: string;
            /** @description The sender's name; empty = the name of the organization. */
            fromName?: string;
            language?: components["schemas"]["MailLanguage"];
            /** @description The certificate authority of the server, as PEM; empty = those of the system. */
            ca?: string;
            /** Format: int64 */
            version: number;
        };
        SystemInstanceList: {
            items: components["schemas"]["SystemInstance"][];
            /** @description Services of which no instance reports. */
            missing: string[];
        };
        SystemInstance: {
            service: string;
            instance: string;
            host: string;
            version: string;
            revision?: string;
            go: string;
            /** Format: date-time */
            startedAt: string;
            /**
             * Format: date-time
             * @description When it reported last.
             */
            at: string;
            database?: components["schemas"]["SystemDatabase"];
            secrets: components["schemas"]["SystemSecrets"];
            jobs: components["schemas"]["SystemJob"][];
            keys?: components["schemas"]["SystemKeys"];
            features: components["schemas"]["SystemFeature"][];
        };
        SystemDatabase: {
            /** @enum {string} */
            kind: "postgres" | "mysql" | "sqlite";
            /** @description Why it does not answer. */
            error?: string;
            /**
             * Format: double
             * @description How many seconds an answer takes.
             */
            latency: number;
            /** @description The newest migration that was applied. */
            schema: string;
            /**
             * Format: date-time
             * @description When it was.
             */
            at: string;
            /** @description Migrations that were not. */
            pending?: string[];
            /** @description How many migrations were. */
            applied: number;
            /**
             * Format: int64
             * @description How many events wait for the bus.
             */
            outbox: number;
            /**
             * Format: double
             * @description For how many seconds the oldest waits.
             */
            oldestEvent: number;
            replicas?: components["schemas"]["SystemReplica"][];
        };
        SystemReplica: {
            name: string;
            up: boolean;
            /**
             * Format: double
             * @description How many seconds it is behind, where it tells.
             */
            lag?: number;
        };
        SystemSecrets: {
            /** @description Whether a Vault is configured. */
            vault: boolean;
            /** @description How many references are in use. */
            inUse: number;
            /** @description How many of them cannot be read now and are used as they were. */
            stale: number;
            /** @description How many lead to nothing. */
            missing: number;
            error?: string;
        };
        SystemJob: {
            name: string;
            /**
             * Format: double
             * @description Seconds between its runs; left out = when there is a reason.
             */
            every?: number;
            /** @description Whether this instance does it; of several, one does. */
            holds: boolean;
            running: boolean;
            /** Format: int64 */
            runs: number;
            /**
             * Format: date-time
             * @description When it ran last.
             */
            startedAt?: string;
            /**
             * Format: double
             * @description How long it took.
             */
            seconds?: number;
            /** @description What went wrong. */
            error?: string;
            /** Format: date-time */
            nextAt?: string;
        };
        SystemKeys: {
            /** @description The ids of the keys, the one that encrypts first. */
            ring: string[];
            columns: components["schemas"]["SystemKeyColumn"][];
        };
        SystemKeyColumn: {
            table: string;
            column: string;
            /** @description How many values there are, by the id of their key. */
            values: {
                [key: string]: number;
            };
        };
        SystemFeature: {
            name: string;
            on: boolean;
        };
        SystemSettingsList: {
            items: components["schemas"]["SystemServiceSettings"][];
        };
        SystemServiceSettings: {
            service: string;
            settings: components["schemas"]["SystemSetting"][];
        };
        SystemSetting: {
            /** @description Its name, such as /database/maxOpen. */
            pointer: string;
            /** @description Of a secret, the reference or ***. */
            value: string;
            /** @description The place in a file, the environment variable, or `default`. */
            source: string;
            secret?: boolean;
        };
        /** @enum {string} */
        SystemPackageKind: "go" | "npm";
        SystemPackage: {
            name: string;
            version: string;
            kind: components["schemas"]["SystemPackageKind"];
            /** @description Its identifier by SPDX, such as MIT. */
            licence: string;
            /** @description The digests of its texts. */
            texts: string[];
        };
        SystemPackageList: {
            items: components["schemas"]["SystemPackage"][];
            total: number;
            /** @description The cursor of the next page. */
            next?: string;
        };
        SystemLicence: {
            digest: string;
            text: string;
        };
        SystemBackup: {
            /**
             * @description `standalone`: gatehouse backup does it; `services`: databases are backed up by their own means.
             * @enum {string}
             */
            shape: "standalone" | "services";
            /** Format: date-time */
            lastAt?: string;
            file?: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size?: number;
            /** @description Whether the keys are in it. */
            keys?: boolean;
        };
        /** @description Where the secret is kept, if it is a reference. */
        SecretReference: string;
        SecretReferences: {
            /** @description Beginnings that the organization may use: what ends in / allows all below it, what ends in _ all variables that begin so, anything else that one secret. */
            organization: string[];
            /** @description Those that administrators of the platform may use for what they set. */
            platform: string[];
        };
        SecretReferenceTestInput: {
            reference: string;
            /**
             * @description Whether it is for what administrators of the platform set; it needs platform:update.
             * @default false
             */
            platform?: boolean;
        };
        SecretReferenceTest: {
            ok: boolean;
            /** @description What is there or what is missing. */
            detail: string;
        };
        MailSettingsInput: {
            /** @description The name or the address of the server. */
            host: string;
            port: number;
            security: components["schemas"]["MailSecurity"];
            /** @description Empty = the server asks for none. */
            username?: string;
            /** @description It is kept encrypted and never shown; or a reference, see getSecretReferences. */
            password?: string;
            fromAddress: components["schemas"]["Email"];
            /** @description The sender's name; empty = the name of the organization. */
            fromName?: string;
            language?: components["schemas"]["MailLanguage"];
            /** @description The certificate authority of the server, as PEM; empty = those of the system. */
            ca?: string;
        };
        MailTestInput: {
            to: components["schemas"]["Email"];
        };
        MailTest: {
            ok: boolean;
            /** @description What the server said. */
            detail: string;
        };
        /**
         * @description `waiting`: it is to be sent, or tried again; `dead`: it was given up after a day, or the server refused it for good.
         * @enum {string}
         */
        MailState: "waiting" | "sent" | "dead";
        MailMessage: {
            id: string;
            /** @enum {string} */
            kind: "invitation" | "password-link" | "password-changed" | "email-link" | "email-changed" | "factor-added" | "factors-reset" | "token-ends" | "client-secret-ends" | "service-token-ends" | "scim-token-ends" | "certificate-ends" | "domain-failing" | "review-begun" | "review-waits" | "impersonated" | "bulk-job-ended";
            recipient: string;
            state: components["schemas"]["MailState"];
            /** @description How many attempts did not work. */
            attempts: number;
            /** @description What went wrong at the last one. */
            error?: string;
            /** Format: date-time */
            nextAttemptAt?: string;
            /** Format: date-time */
            sentAt?: string;
            /** Format: date-time */
            createdAt: string;
        };
        MailMessageList: {
            items: components["schemas"]["MailMessage"][];
            /** @description The cursor of the next page. */
            next?: string;
        };
        AuditVerification: {
            /** @description Whether every entry is as it was written. */
            valid: boolean;
            /**
             * Format: int64
             * @description How many were read.
             */
            entries: number;
            /** @description The hash of the last one, to be kept elsewhere. */
            head: string;
            /**
             * Format: int64
             * @description The sequence of the first entry that is not as it was written.
             */
            brokenAt?: number;
        };
    };
    responses: {
        /** @description What went wrong. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The archive. */
        OrganizationExport: {
            headers: {
                /** @description The name of the file. */
                "Content-Disposition"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/zip": string;
            };
        };
    };
    parameters: {
        /** @description The id. */
        Id: string;
        /** @description The secret of the link. */
        Token: string;
        /** @description The `next` of the page before. */
        Cursor: string;
        /** @description How many at most. */
        Limit: number;
        /** @description Text that is looked for, whatever its case. */
        Search: string;
        /** @description The id of the delivery. */
        Delivery: string;
        /** @description The kind of letter. */
        KindOfLetter: string;
        /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
        LanguageOfLetter: string;
        /** @description The ETag of the version that is changed, or *. */
        IfMatch: string;
        /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
        IfMatchOptional: string;
        /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
        IdempotencyKey: string;
        /** @description Only users of this status. */
        ByStatus: components["schemas"]["Status"];
        /** @description Only users who come from there: local, sso or scim for any connection or directory, or one of them by its id or its name, such as "scim:Okta". */
        BySource: string;
        /** @description Only users who have, or have not, set up a second factor. */
        BySecondFactor: boolean;
        /** @description Only users who have never signed in. */
        ByNeverSignedIn: boolean;
        /** @description Only users who last signed in before this time. Who never did is not among them. */
        BySignedInBefore: string;
        /** @description Only users who have this role somewhere, by themselves or by a group. The id or the name of a role. */
        ByRoleHeld: string;
        /** @description Only users in this group, or in one that is in it. The id or the name of a group. */
        ByGroup: string;
    };
    requestBodies: never;
    headers: {
        /** @description The version */
        ETag: string;
        /** @description The address of what was made. */
        Location: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getSetup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whether it has to be. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setup"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    completeSetup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetupInput"];
            };
        };
        responses: {
            /** @description The owner as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInInput"];
            };
        };
        responses: {
            /** @description A new session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description That was right; a second step is needed. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInChallenge"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    signInOnce: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OneTimeInput"];
            };
        };
        responses: {
            /** @description A new session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    beginDeviceSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeviceSignInInput"];
            };
        };
        responses: {
            /** @description The codes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceSignInBegun"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    finishDeviceSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeviceCodeInput"];
            };
        };
        responses: {
            /** @description A new session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description Nobody has decided yet. Ask again after the interval: who asks before it gets 429 with Retry-After. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    signInByToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AppTokenInput"];
            };
        };
        responses: {
            /** @description A new session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    finishSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecondStepInput"];
            };
        };
        responses: {
            /** @description A new session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    askSecondStepPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecondStepPasskeyInput"];
            };
        };
        responses: {
            /** @description The argument of navigator.credentials.get. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptions"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    askSignInPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OriginInput"];
            };
        };
        responses: {
            /** @description The argument of navigator.credentials.get. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptions"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    signInPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyAnswer"];
            };
        };
        responses: {
            /** @description A new session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    askSignInMethods: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInMethodsInput"];
            };
        };
        responses: {
            /** @description The connection that the domain belongs to, if any. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInMethods"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    beginSsoSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoSignInInput"];
            };
        };
        responses: {
            /** @description Where to send the browser to. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoBegun"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    finishSsoSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoCallbackInput"];
            };
        };
        responses: {
            /** @description What came of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoFinished"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    keepSamlAnswer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SamlAnswerInput"];
            };
        };
        responses: {
            /** @description The handle. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SamlAnswer"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSamlMetadata: {
        parameters: {
            query: {
                /** @description The origins of the apps that people sign in to, such as https://admin.example.com; the first is the one that counts where a request names none. */
                origin: components["schemas"]["Origin"][];
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SamlMetadata"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    endSsoSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["SsoLogoutInput"];
            };
        };
        responses: {
            /** @description They have ended, or had before. */
            200: {
                headers: {
                    /** @description Always no-store. */
                    "Cache-Control": string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The token is not right. */
            400: {
                headers: {
                    /** @description Always no-store. */
                    "Cache-Control": string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoLogoutError"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SignOutInput"];
            };
        };
        responses: {
            /** @description It has ended, and goes on at the provider. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedOut"];
                };
            };
            /** @description It has ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    refreshToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshInput"];
            };
        };
        responses: {
            /** @description New tokens of the same session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exchangeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExchangeInput"];
            };
        };
        responses: {
            /** @description An access token. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccess"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exchangeAccessToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExchangeAccessInput"];
            };
        };
        responses: {
            /** @description An access token. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccess"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys. */
            200: {
                headers: {
                    "Cache-Control"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeySet"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateMe: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MePatch"];
                "application/merge-patch+json": components["schemas"]["MePatch"];
            };
        };
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordInput"];
            };
        };
        responses: {
            /** @description It is changed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    changeMyEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmailInput"];
            };
        };
        responses: {
            /** @description If the address can be had, a link is on its way. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    openEmailChange: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The address. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenEmailChange"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    confirmEmailChange: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is changed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getMyPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The preferences. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preferences"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateMyPreferences: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PreferencesPatch"];
                "application/merge-patch+json": components["schemas"]["PreferencesPatch"];
            };
        };
        responses: {
            /** @description All preferences as they are now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preferences"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMyImpersonations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The last hundred, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImpersonationList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMySessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sessions that have not ended, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    endMyOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The other sessions have ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    endMySession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listMyOrganizations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyOrganizations"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    markMyOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrganizationMarkInput"];
            };
        };
        responses: {
            /** @description It is noted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    switchOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchInput"];
            };
        };
        responses: {
            /** @description A new session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description A second step is needed. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInChallenge"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    beginSsoConfirmation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoConfirmationInput"];
            };
        };
        responses: {
            /** @description Where to send the browser to. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoBegun"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMyConfirmation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ways that are open to the caller. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfirmationWays"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    confirmMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmationInput"];
            };
        };
        responses: {
            /** @description Until when it counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    askMyPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OriginInput"];
            };
        };
        responses: {
            /** @description The argument of navigator.credentials.get. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptions"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMyFactors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Authenticator apps, passkeys and how many recovery codes are left. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createMyTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FactorNameInput"];
            };
        };
        responses: {
            /** @description The secret. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    askNewPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OriginInput"];
            };
        };
        responses: {
            /** @description The argument of navigator.credentials.create. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyOptions"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createMyPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyInput"];
            };
        };
        responses: {
            /** @description The passkey; with the first factor come recovery codes. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteMyFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    renameMyFactor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FactorPatch"];
            };
        };
        responses: {
            /** @description The factor. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Factor"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    activateMyTotp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CodeInput"];
            };
        };
        responses: {
            /** @description The factor; with the first one come recovery codes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createMyRecoveryCodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The codes. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organization. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateOrganization: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrganizationPatch"];
                "application/merge-patch+json": components["schemas"]["OrganizationPatch"];
            };
        };
        responses: {
            /** @description The organization. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPosture: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Posture"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSetupSteps: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The steps, in the order in which they are best taken. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SetupStepList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setSetupStep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The step. */
                step: components["schemas"]["SetupStepName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetupStepInput"];
            };
        };
        responses: {
            /** @description The step. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SetupStep"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSecurityPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The policy. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecurityPolicy"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateSecurityPolicy: {
        parameters: {
            query?: {
                /** @description Whether the addresses may lock the caller out. */
                confirmLockout?: boolean;
            };
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecurityPolicyPatch"];
                "application/merge-patch+json": components["schemas"]["SecurityPolicyPatch"];
            };
        };
        responses: {
            /** @description The policy. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecurityPolicy"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewSecurityPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecurityPolicyPatch"];
            };
        };
        responses: {
            /** @description Whom it would hit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecurityPolicyHits"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getBrand: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The brand. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Brand"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setBrand: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BrandInput"];
            };
        };
        responses: {
            /** @description The brand as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Brand"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteBrand: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    previewBrand: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BrandInput"];
            };
        };
        responses: {
            /** @description As pages would have it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublicBrand"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    addBrandImage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BrandImageInput"];
            };
        };
        responses: {
            /** @description The image. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BrandImage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getBrandImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The SHA-256 of the image, in hexadecimal. */
                hash: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The image. */
            200: {
                headers: {
                    /** @description How long it is good */
                    "Cache-Control"?: string;
                    /** @description That it can run nothing */
                    "Content-Security-Policy"?: string;
                    /** @description That it is shown in pages */
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "image/*": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPublicBrand: {
        parameters: {
            query?: {
                /** @description The slug of an organization. */
                organization?: string;
                /** @description The id of an OAuth client. */
                client?: string;
                /** @description What names an authorization request that waits for a person. */
                authorization?: string;
            };
            header?: {
                /** @description The organization of the host, as the browser's back end sets it. */
                "X-Gatehouse-Organization"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The brand. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublicBrand"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLetters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All kinds. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterKindList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind of letter. */
                kind: components["parameters"]["KindOfLetter"];
                /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
                language: components["parameters"]["LanguageOfLetter"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The letter. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterTemplate"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setLetter: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The kind of letter. */
                kind: components["parameters"]["KindOfLetter"];
                /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
                language: components["parameters"]["LanguageOfLetter"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LetterWords"];
            };
        };
        responses: {
            /** @description The letter as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterTemplate"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteLetter: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The kind of letter. */
                kind: components["parameters"]["KindOfLetter"];
                /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
                language: components["parameters"]["LanguageOfLetter"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    previewLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind of letter. */
                kind: components["parameters"]["KindOfLetter"];
                /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
                language: components["parameters"]["LanguageOfLetter"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LetterWords"];
            };
        };
        responses: {
            /** @description The letter. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    testLetter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The kind of letter. */
                kind: components["parameters"]["KindOfLetter"];
                /** @description A language as BCP 47 has it, such as en, ko or pt-BR. */
                language: components["parameters"]["LanguageOfLetter"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LetterWords"];
            };
        };
        responses: {
            /** @description What came of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailTest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listOrganizations: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description The order; a - in front turns it round. */
                sort?: "name" | "-name" | "slug" | "-slug" | "createdAt" | "-createdAt";
                /** @description Only those that are suspended, or are not. */
                suspended?: boolean;
                /** @description Only those that are deleted and can be restored, or are not. */
                deleted?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of organizations. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformOrganizationList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createOrganization: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlatformOrganizationInput"];
            };
        };
        responses: {
            /** @description The organization, and the link. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformOrganizationCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPlatformOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organization. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformOrganization"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteOrganization: {
        parameters: {
            query: {
                /** @description The slug of the organization, so that nobody deletes another one by mistake. */
                slug: string;
            };
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organization, with the time at which it goes for good. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformOrganization"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updatePlatformOrganization: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlatformOrganizationPatch"];
                "application/merge-patch+json": components["schemas"]["PlatformOrganizationPatch"];
            };
        };
        responses: {
            /** @description The organization. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformOrganization"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    restoreOrganization: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organization. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformOrganization"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPlatformOrganizationUsage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The numbers as their owners say them now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationUsage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exportPlatformOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["OrganizationExport"];
            default: components["responses"]["Problem"];
        };
    };
    getOrganizationUsage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The numbers as their owners say them now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganizationUsage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exportOrganization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["OrganizationExport"];
            default: components["responses"]["Problem"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The order; a - in front turns it round. */
                sort?: "name" | "-name" | "email" | "-email" | "createdAt" | "-createdAt" | "lastSignInAt" | "-lastSignInAt";
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only users of this status. */
                status?: components["parameters"]["ByStatus"];
                /** @description Only users who come from there: local, sso or scim for any connection or directory, or one of them by its id or its name, such as "scim:Okta". */
                source?: components["parameters"]["BySource"];
                /** @description Only users who have, or have not, set up a second factor. */
                secondFactor?: components["parameters"]["BySecondFactor"];
                /** @description Only users who have never signed in. */
                neverSignedIn?: components["parameters"]["ByNeverSignedIn"];
                /** @description Only users who last signed in before this time. Who never did is not among them. */
                signedInBefore?: components["parameters"]["BySignedInBefore"];
                /** @description Only users who have this role somewhere, by themselves or by a group. The id or the name of a role. */
                role?: components["parameters"]["ByRoleHeld"];
                /** @description Only users in this group, or in one that is in it. The id or the name of a group. */
                group?: components["parameters"]["ByGroup"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of users. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exportUsers: {
        parameters: {
            query?: {
                /** @description The order; a - in front turns it round. */
                sort?: "name" | "-name" | "email" | "-email" | "createdAt" | "-createdAt" | "lastSignInAt" | "-lastSignInAt";
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only users of this status. */
                status?: components["parameters"]["ByStatus"];
                /** @description Only users who come from there: local, sso or scim for any connection or directory, or one of them by its id or its name, such as "scim:Okta". */
                source?: components["parameters"]["BySource"];
                /** @description Only users who have, or have not, set up a second factor. */
                secondFactor?: components["parameters"]["BySecondFactor"];
                /** @description Only users who have never signed in. */
                neverSignedIn?: components["parameters"]["ByNeverSignedIn"];
                /** @description Only users who last signed in before this time. Who never did is not among them. */
                signedInBefore?: components["parameters"]["BySignedInBefore"];
                /** @description Only users who have this role somewhere, by themselves or by a group. The id or the name of a role. */
                role?: components["parameters"]["ByRoleHeld"];
                /** @description Only users in this group, or in one that is in it. The id or the name of a group. */
                group?: components["parameters"]["ByGroup"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The table. */
            200: {
                headers: {
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listUserSources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connections and directories of the organization, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserSourceList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    actOnUsers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserActions"];
            };
        };
        responses: {
            /** @description What became of each user, in their order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserActionResults"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listBulkJobs: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The order; a - in front turns it round. */
                sort?: "createdAt" | "-createdAt";
                /** @description Only those of this status. */
                status?: components["schemas"]["BulkJobStatus"];
                /** @description Only those that do this. */
                action?: components["schemas"]["BulkJobAction"];
                /** @description Only those that the caller made. */
                mine?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of jobs, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJobList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createBulkJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkJobInput"];
            };
        };
        responses: {
            /** @description The job. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getBulkJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    startBulkJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job, which runs. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelBulkJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    retryBulkJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new job. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJob"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listBulkJobRows: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only those of which this became. */
                outcome?: components["schemas"]["BulkJobOutcome"];
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of rows, in their turn. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkJobRowList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exportBulkJob: {
        parameters: {
            query?: {
                /** @description Only those of which this became. */
                outcome?: components["schemas"]["BulkJobOutcome"];
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A line for each row (RFC 4180), with names first. */
            200: {
                headers: {
                    /** @description The name of the file. */
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserPatch"];
                "application/merge-patch+json": components["schemas"]["UserPatch"];
            };
        };
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    impersonateUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImpersonationInput"];
            };
        };
        responses: {
            /** @description The session. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listUserImpersonations: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The last hundred, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImpersonationList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sessions that have not ended, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    endUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They have ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    endUserSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the session. */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listUserTokens: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tokens, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonalTokenList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteUserToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the token. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    changeUserEmail: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmailInput"];
            };
        };
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createPasswordLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The link. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordLink"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    requestPasswordLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordRequestInput"];
            };
        };
        responses: {
            /** @description If there is such an account, the request was noted. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listPasswordRequests: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Requests of the last seven days, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordRequestList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    dismissPasswordRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    openPasswordLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whose it is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenPasswordLink"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    usePasswordLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPasswordInput"];
            };
        };
        responses: {
            /** @description A new session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description That was right; a second step is needed. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInChallenge"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listUserFactors: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Without anything secret. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    resetUserFactors: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listPermissions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All permissions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PermissionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRoles: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of roles. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoleList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createRole: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoleInput"];
            };
        };
        responses: {
            /** @description The role. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Role"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The role. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Role"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteRole: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateRole: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolePatch"];
                "application/merge-patch+json": components["schemas"]["RolePatch"];
            };
        };
        responses: {
            /** @description The role. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Role"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRoleHolders: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of them, by id. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoleHolderList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listGrants: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only those of this user, service account or group. */
                principal?: string;
                /** @description Only those of this role. */
                role?: string;
                /** @description Only those at this project. */
                project?: string;
                /** @description Only those at this API. */
                api?: string;
                /** @description Only those at this environment. */
                environment?: string;
                /** @description Only those of this effect. */
                effect?: components["schemas"]["Effect"];
                /** @description Only those that allow something in the whole organization and never end. */
                standing?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of grants, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrantList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createGrant: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GrantInput"];
            };
        };
        responses: {
            /** @description The grant. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grant"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getGrant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The grant. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grant"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteGrant: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is taken away. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    checkAccess: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccessCheckInput"];
            };
        };
        responses: {
            /** @description The answer with its reasons. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessCheck"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getEffectiveAccess: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only permissions whose name or title has all words of it. */
                q?: string;
                /** @description What they may do in this project. */
                project?: string;
                /** @description What they may do on this API; name its project too. */
                api?: string;
                /** @description What they may do in this environment. */
                environment?: string;
                /** @description The slug of the environment: roles may name it. */
                environmentSlug?: components["schemas"]["EnvironmentSlug"];
                /** @description Only what is allowed, or only what is not. */
                allowed?: boolean;
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page, by permission and place. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EffectiveAccess"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    whoCan: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WhoCanInput"];
            };
        };
        responses: {
            /** @description A page of those who may. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhoCan"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMissingAccess: {
        parameters: {
            query: {
                /** @description Such as api:update. */
                permission: string;
                /** @description Where it is lacked; none = in the whole organization. */
                project?: components["schemas"]["Reference"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What there is to ask for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MissingAccess"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listAccessRequests: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only those of this user or service account; me = one's own. */
                principal?: string;
                /** @description Only those of this status. */
                status?: components["schemas"]["AccessRequestStatus"];
                /** @description Only those at this project. */
                project?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of requests, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRequestList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createAccessRequest: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccessRequestInput"];
            };
        };
        responses: {
            /** @description The request. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRequest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getAccessRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRequest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    approveAccessRequest: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AccessDecision"];
            };
        };
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRequest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    denyAccessRequest: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AccessDecision"];
            };
        };
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRequest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    withdrawAccessRequest: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessRequest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listAccessReviews: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only those of this status. */
                status?: components["schemas"]["AccessReviewStatus"];
                /** @description Only those that wait for the caller, those that end first first; they come on one page. */
                waiting?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of reviews, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReviewList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createAccessReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccessReviewInput"];
            };
        };
        responses: {
            /** @description The review. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewAccessReview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccessReviewScope"];
            };
        };
        responses: {
            /** @description How much that is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReviewPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getAccessReview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The review. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateAccessReview: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccessReviewChange"];
                "application/merge-patch+json": components["schemas"]["AccessReviewChange"];
            };
        };
        responses: {
            /** @description The review. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    closeAccessReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The review, which is being carried out. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelAccessReview: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The review. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listAccessReviewItems: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only those that were decided so. */
                decision?: "keep" | "revoke" | "undecided";
                /** @description Only those of which this became. */
                outcome?: components["schemas"]["AccessReviewOutcome"];
                /** @description Only those of this role. */
                role?: string;
                /** @description Only those of this user, service account or group. */
                principal?: string;
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of items, oldest grants first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReviewItemList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    decideAccessReview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccessReviewDecisions"];
            };
        };
        responses: {
            /** @description What was decided. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessReviewDecided"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exportAccessReview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A line for each grant (RFC 4180), with names first. */
            200: {
                headers: {
                    /** @description The name of the file. */
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listBoundaries: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only those that are this role. */
                role?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of boundaries, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BoundaryList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getBoundary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the user, service account or group. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The boundary. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Boundary"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setBoundary: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of the user, service account or group. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BoundaryInput"];
            };
        };
        responses: {
            /** @description The boundary. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Boundary"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteBoundary: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of the user, service account or group. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is none any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    previewBoundary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the user, service account or group. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BoundaryPreviewInput"];
            };
        };
        responses: {
            /** @description What they may do now and then. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BoundaryPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listGroups: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The order; a - in front turns it round. */
                sort?: "name" | "-name" | "createdAt" | "-createdAt";
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only those that are in no other group. */
                top?: boolean;
                /** @description Only those that are in this group itself. */
                parent?: string;
                /** @description Only those that this user, service account or group is in itself. */
                member?: string;
                /** @description Only those that are found this way: parts of names, from a group to one that is in it, such as engineering/payments. A slash in front begins at groups that are in no other; one at the end finds all that is in the last. */
                path?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of groups. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createGroup: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupInput"];
            };
        };
        responses: {
            /** @description The group. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The group. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteGroup: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateGroup: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupPatch"];
                "application/merge-patch+json": components["schemas"]["GroupPatch"];
            };
        };
        responses: {
            /** @description The group. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    moveGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupMoveInput"];
            };
        };
        responses: {
            /** @description What the move does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMove"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listGroupMembers: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only members of this kind. */
                kind?: components["schemas"]["PrincipalKind"];
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of members, in the order in which they came. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMemberList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    addGroupMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupMemberInput"];
            };
        };
        responses: {
            /** @description The member. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupMember"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    removeGroupMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the user, service account or group. */
                member: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is out. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listInvitations: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only those of this status. */
                status?: components["schemas"]["InvitationStatus"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of invitations, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createInvitation: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationInput"];
            };
        };
        responses: {
            /** @description The invitation with its link. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invitation. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteInvitation: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its link does not work any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    resendInvitation: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invitation with its new link. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    resendInvitations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationsToResend"];
            };
        };
        responses: {
            /** @description What became of each, in their order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationResults"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewInvitations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationSheet"];
            };
        };
        responses: {
            /** @description The lines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createInvitations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationBatch"];
            };
        };
        responses: {
            /** @description What became of each, in their order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationResults"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    openInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invitation as the invited may see it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenInvitation"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    acceptInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptInput"];
            };
        };
        responses: {
            /** @description A session of the new user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description They are a user now, and sign in by the single sign-on that their domain is let in by alone. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInMethods"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listServiceAccounts: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The order; a - in front turns it round. */
                sort?: "name" | "-name" | "createdAt" | "-createdAt";
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of service accounts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccountList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createServiceAccount: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServiceAccountInput"];
            };
        };
        responses: {
            /** @description The service account. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccount"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getServiceAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The service account. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccount"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteServiceAccount: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateServiceAccount: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServiceAccountPatch"];
                "application/merge-patch+json": components["schemas"]["ServiceAccountPatch"];
            };
        };
        responses: {
            /** @description The service account. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccount"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listServiceAccountTokens: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its tokens, without the secret, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceTokenList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createServiceAccountToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServiceTokenInput"];
            };
        };
        responses: {
            /** @description The token. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceTokenCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteServiceAccountToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the token. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listMyTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tokens, newest first, and what the organization allows of new ones. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyTokenList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createMyToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PersonalTokenInput"];
            };
        };
        responses: {
            /** @description The token. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonalTokenCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteMyToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listMyConsents: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of consents, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthConsentList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteMyConsent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is taken back. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getOAuthServer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The addresses. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthServer"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listOAuthClients: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The order; a - in front turns it round. */
                sort?: "name" | "-name" | "createdAt" | "-createdAt";
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of clients. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthClientList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createOAuthClient: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthClientInput"];
            };
        };
        responses: {
            /** @description The client. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthClientCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getOAuthClient: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The client. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthClient"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteOAuthClient: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateOAuthClient: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthClientPatch"];
                "application/merge-patch+json": components["schemas"]["OAuthClientPatch"];
            };
        };
        responses: {
            /** @description The client. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthClient"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listOAuthSecrets: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Those that have not run out, without the secret, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthSecretList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rotateOAuthSecret: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthSecretInput"];
            };
        };
        responses: {
            /** @description The secret. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthSecretCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteOAuthSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the secret. */
                secret: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listOAuthScopes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The scopes, by name. Those of OpenID Connect are not among them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthScopeList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createOAuthScope: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthScopeInput"];
            };
        };
        responses: {
            /** @description The scope. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthScope"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getOAuthScope: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The scope. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthScope"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteOAuthScope: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateOAuthScope: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthScopePatch"];
                "application/merge-patch+json": components["schemas"]["OAuthScopePatch"];
            };
        };
        responses: {
            /** @description The scope. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthScope"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listOAuthKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys that are published. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthKeyList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    withdrawOAuthKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is withdrawn. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    rotateOAuthKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthKeyRotation"];
            };
        };
        responses: {
            /** @description The keys that are published. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthKeyList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listOAuthConsents: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of consents, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthConsentList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteOAuthConsent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is taken back. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getOAuthAuthorization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What it asks for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthAuthorization"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    decideOAuthAuthorization: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret of the link. */
                token: components["parameters"]["Token"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthDecision"];
            };
        };
        responses: {
            /** @description Where the browser goes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthRedirect"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listOAuthInitialTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They, newest first, without the token; those that have run out for a month. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthInitialTokenList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createOAuthInitialToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthInitialTokenInput"];
            };
        };
        responses: {
            /** @description The token. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthInitialTokenCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteOAuthInitialToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getMyDeviceSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The code of nine letters that a device shows, in small or capital letters, with or without hyphens. */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The device. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceSignIn"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    decideMyDeviceSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The code of nine letters that a device shows, in small or capital letters, with or without hyphens. */
                code: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthDecision"];
            };
        };
        responses: {
            /** @description The device is told when it asks next. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getOAuthDevice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The code that a device shows (RFC 8628), in small or capital letters, with or without the hyphen. */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What it asks for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OAuthDevice"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    decideOAuthDevice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The code that a device shows (RFC 8628), in small or capital letters, with or without the hyphen. */
                code: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OAuthDecision"];
            };
        };
        responses: {
            /** @description The device is told when it asks next. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only what this one did, by id. */
                actor?: string;
                /** @description Only this action, such as user.disabled, or all of a kind, such as user.*. */
                action?: string;
                /** @description Only what this user did as somebody else, by id. */
                impersonator?: string;
                /** @description Only what was done to this, by id. */
                target?: string;
                /** @description Only what happened in this service. */
                service?: string;
                /** @description Only of this outcome. */
                outcome?: components["schemas"]["Outcome"];
                /** @description Only what was done by this. */
                via?: components["schemas"]["AuditVia"];
                /** @description Not before this time. */
                from?: string;
                /** @description Before this time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of entries, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    verifyAudit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The outcome. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditVerification"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exportAudit: {
        parameters: {
            query?: {
                /** @description Only entries after this sequence: what an earlier export ended with. */
                after?: number;
                /** @description jsonl is what can be verified. csv is a table for a spreadsheet (RFC 4180, UTF-8), one entry a line, the same entries in the same order; what a spreadsheet would take for a formula has an apostrophe in front. */
                format?: "jsonl" | "csv";
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only what this one did, by id. */
                actor?: string;
                /** @description Only this action, such as user.disabled, or all of a kind, such as user.*. */
                action?: string;
                /** @description Only what this user did as somebody else, by id. */
                impersonator?: string;
                /** @description Only what was done to this, by id. */
                target?: string;
                /** @description Only what happened in this service. */
                service?: string;
                /** @description Only of this outcome. */
                outcome?: components["schemas"]["Outcome"];
                /** @description Only what was done by this. */
                via?: components["schemas"]["AuditVia"];
                /** @description Not before this time. */
                from?: string;
                /** @description Only entries up to this time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entries. */
            200: {
                headers: {
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/jsonl": string;
                    "text/csv": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getAuditRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How long. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditRetention"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setAuditRetention: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuditRetentionInput"];
            };
        };
        responses: {
            /** @description How long from now on. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditRetention"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listAuditReceivers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditReceiverList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createAuditReceiver: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuditReceiverInput"];
            };
        };
        responses: {
            /** @description The receiver. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditReceiver"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getAuditReceiver: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The receiver. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditReceiver"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateAuditReceiver: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuditReceiverInput"];
            };
        };
        responses: {
            /** @description The receiver as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditReceiver"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteAuditReceiver: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    testAuditReceiver: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What came of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditReceiverTest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listWebhookEvents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All kinds. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEventList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listWebhooks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookInput"];
            };
        };
        responses: {
            /** @description The webhook and its secret. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateWebhook: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookInput"];
            };
        };
        responses: {
            /** @description The webhook as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteWebhook: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookSecretInput"];
            };
        };
        responses: {
            /** @description The webhook and its new secret. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    testWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What came of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only deliveries in this state. */
                state?: components["schemas"]["WebhookDeliveryState"];
                /** @description Only deliveries of this event. */
                event?: string;
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of deliveries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getWebhookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the delivery. */
                delivery: components["parameters"]["Delivery"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replayWebhookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the delivery. */
                delivery: components["parameters"]["Delivery"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMailSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The settings. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailSettings"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setMailSettings: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailSettingsInput"];
            };
        };
        responses: {
            /** @description The settings as they are now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailSettings"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteMailSettings: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    testMail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailTestInput"];
            };
        };
        responses: {
            /** @description What came of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailTest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSystemInstances: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instances, by service. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemInstanceList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSystemSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The settings, by service. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemSettingsList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    runSystemJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                service: string;
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It was asked for. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listSystemLicences: {
        parameters: {
            query?: {
                /** @description A text in the name or the licence. */
                q?: string;
                kind?: components["schemas"]["SystemPackageKind"];
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of packages, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemPackageList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSystemLicence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The text. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemLicence"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSystemBackup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The last backup, where the installation knows of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemBackup"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSecretReferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The beginnings of references that may be used. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretReferences"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    testSecretReference: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecretReferenceTestInput"];
            };
        };
        responses: {
            /** @description What came of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretReferenceTest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMail: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Only mail in this state. */
                state?: components["schemas"]["MailState"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of mail. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailMessageList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    retryMail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The mail. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailMessage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSsoConnections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoConnectionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createSsoConnection: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoConnectionInput"];
            };
        };
        responses: {
            /** @description The connection. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoConnection"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSsoConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connection. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoConnection"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateSsoConnection: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoConnectionInput"];
            };
        };
        responses: {
            /** @description The connection as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoConnection"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteSsoConnection: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    testSsoConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoTestInput"];
            };
        };
        responses: {
            /** @description Where to send the browser to, or the id of what was received. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoTestBegun"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSsoSignOut: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the provider says. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoSignOut"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    refreshSsoMetadata: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connection as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoConnection"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    renewSsoCertificate: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoCertificateSwitch"];
            };
        };
        responses: {
            /** @description The connection as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoConnection"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    endSsoCertificateOverlap: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connection as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoConnection"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    switchSsoCertificate: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoCertificateSwitch"];
            };
        };
        responses: {
            /** @description The connection as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoConnection"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSsoTest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The claims, and what a sign-in would make of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoTest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewSsoGroupRoles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoGroupRolePreviewInput"];
            };
        };
        responses: {
            /** @description Who would gain and lose what at their next sign-in. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoGroupRolePreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listDomains: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only those of a status. */
                status?: components["schemas"]["DomainStatus"];
                /** @description The order; a - in front turns it round. */
                sort?: "domain" | "-domain" | "createdAt" | "-createdAt";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of domains. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DomainList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    claimDomain: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DomainInput"];
            };
        };
        responses: {
            /** @description The domain. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Domain"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getDomain: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The domain. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Domain"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    unclaimDomain: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is given up. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateDomain: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DomainPatch"];
                "application/merge-patch+json": components["schemas"]["DomainPatch"];
            };
        };
        responses: {
            /** @description The domain as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Domain"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    verifyDomain: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The domain as it is now; `failure` says what was found in place of the record. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Domain"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    previewDomain: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DomainPatch"];
            };
        };
        responses: {
            /** @description Whom they would bind, and what is in the way. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DomainPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listPlatformDomains: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Text that is looked for, whatever its case. */
                q?: components["parameters"]["Search"];
                /** @description Only those of a status. */
                status?: components["schemas"]["DomainStatus"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of domains, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformDomainList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    verifyPlatformDomain: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of the domain. */
                domain: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlatformDomainInput"];
            };
        };
        responses: {
            /** @description The domain as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformDomain"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokePlatformDomain: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of the domain. */
                domain: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The domain as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformDomain"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listScimDirectories: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScimDirectoryList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createScimDirectory: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScimDirectoryInput"];
            };
        };
        responses: {
            /** @description The directory. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScimDirectory"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getScimDirectory: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The directory. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScimDirectory"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateScimDirectory: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScimDirectoryInput"];
            };
        };
        responses: {
            /** @description The directory as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScimDirectory"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteScimDirectory: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that is changed, or *. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listScimOutcomes: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description Of the dry run. */
                dryRun?: boolean;
                /** @description Only those of an action. */
                action?: components["schemas"]["ScimAction"];
                /** @description Part of a name or of what was told, or a request id. */
                q?: string;
            };
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page, the newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScimOutcomeList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listScimTokens: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its tokens, without the secret, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceTokenList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createScimToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this request, such as a UUID: one that comes again is not carried out again, and answered the same. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServiceTokenInput"];
            };
        };
        responses: {
            /** @description The token. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceTokenCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteScimToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the token. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
}
