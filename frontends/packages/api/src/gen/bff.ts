// Generated from services/bff/openapi.yaml by npm run generate. Do not edit.

export interface paths {
    "/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read who is signed in
         * @description Answers whether or not somebody is. A cookie whose session has ended is taken back.
         */
        get: operations["getSession"];
        put?: never;
        post?: never;
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
         * @description As of tenant-manager, whose problems are passed on; the session replaces the one before.
         */
        post: operations["signIn"];
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
        /** Prove a second factor, and be signed in */
        post: operations["finishSignIn"];
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
        /** Sign in with a passkey alone */
        post: operations["signInPasskey"];
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
         * @description Answers where to send this browser to, which is known by a cookie when it comes back to ssoConnectionCallback or ssoCallback.
         */
        post: operations["beginSsoSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oidc/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Send the browser to the one sign-in for all consoles
         * @description Leads to the authorization server at the auth console's host (OpenID Connect, authorization code flow with PKCE), from which the browser comes back to endOneSignIn. Whoever is signed in there is asked nothing. At a host name that has no such sign-in the answer is 404.
         */
        get: operations["beginOneSignIn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oidc/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where the authorization server sends browsers back to
         * @description Begins the session and leads to the page that was asked for; or to the sign-in page of this host, with asked=1 where nobody is signed in, else with the code of what went wrong and the request id. It takes nothing that this browser did not begin here within ten minutes.
         */
        get: operations["endOneSignIn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin a test sign-in at an identity provider
         * @description Signs nobody in; the browser ends at the page that shows what was received.
         */
        post: operations["beginSsoTest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/confirmation": {
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
         * @description The browser ends at `next` with `identity=confirmed` in its query, or with `identity=refused`.
         */
        post: operations["beginSsoConfirmation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/callback/{connection}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where the identity provider of a connection sends browsers back to
         * @description Begins the session and leads to the page that was asked for, or to the sign-in page with the code of what went wrong and the request id. Each connection has an address of its own, and takes the answer to no sign-in that was begun at another (RFC 9700 section 4.4).
         */
        get: operations["ssoConnectionCallback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where browsers come with the handle of a SAML answer
         * @description As ssoConnectionCallback. What is no handle is refused.
         */
        get: operations["ssoCallback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/signed-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where identity providers send browsers back to that were signed out there
         * @description Leads to the sign-in page, which says so where this browser is the one that signed out. Register it at the provider as a post-logout redirect address. It begins and ends nothing.
         */
        get: operations["ssoSignedOut"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/saml/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Where SAML identity providers send answers to
         * @description A form that another site posts: no cookie comes along, and none is asked for. Nothing is read of it here; the browser is led on to ssoCallback with a handle, where it shows that it began the sign-in.
         */
        post: operations["samlCallback"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sso/saml/{id}/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a SAML identity provider is set up with */
        get: operations["samlMetadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/password-links/use": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set a new password by a link, and be signed in */
        post: operations["usePasswordLink"];
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
        /** Sign in with the one-time code of the first run */
        post: operations["signInOnce"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept an invitation, and be signed in */
        post: operations["acceptInvitation"];
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
         * End the session
         * @description Ends it for all that has its tokens, and takes the cookie back. Succeeds where nobody is signed in. Where it began at an identity provider whose connection says so, the answer says where to send the browser to be signed out there too; it comes back by ssoSignedOut.
         */
        post: operations["signOut"];
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
        get?: never;
        put?: never;
        /**
         * Go on in another of one's own organizations
         * @description As switchOrganization of tenant-manager, whose problems are passed on; the session there replaces the one here.
         */
        post: operations["switchOrganization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/impersonation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Act as somebody else
         * @description For 30 minutes at most this browser is the user's, with a session of its own; the session until now waits. It takes the permission user:impersonate, and a fresh proof of who it is (POST /me/confirmation of tenant-manager).
         */
        post: operations["impersonate"];
        /**
         * Stop acting as somebody else
         * @description Ends that session, and takes up the one of before.
         */
        delete: operations["stopImpersonating"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/impersonation/elsewhere": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Act as somebody else in another app
         * @description The session here stays as it is. The answer is where to go, within a minute and once.
         */
        post: operations["impersonateElsewhere"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/impersonation/taking": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take up here what was begun in another app */
        post: operations["takeImpersonation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Listen to what changes
         * @description Server-sent events (HTML Living Standard, section 9.2) of the caller's organization, those that the caller may read; the caller is known by the cookie or by a Bearer token. An event says what changed, and pages fetch the state. The stream ends with the session; a browser connects again by itself, and should then fetch everything anew.
         */
        get: operations["listenLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description What pages listen to.
         * @enum {string}
         */
        Topic: "apis" | "audit" | "deployments" | "gateways" | "traffic";
        /** @description Who is signed in, or nobody. */
        Session: {
            /** @description Whether somebody is. */
            signedIn: boolean;
            user?: components["schemas"]["SessionUser"];
            organization?: components["schemas"]["SessionOrganization"];
            /** @description What the user may do somewhere, such as plan:create. */
            permissions?: string[];
            /** @description What requests that change something carry in X-Gatehouse-CSRF. */
            csrf: string;
            /** @description Whether the first run has still to be completed. */
            setupRequired?: boolean;
            /** @description Whether a second factor has to be set up before anything else. */
            factorRequired?: boolean;
            impersonation?: components["schemas"]["Impersonation"];
            signIn?: components["schemas"]["WaysIn"];
            /** @description The version of the program. */
            version: string;
            /** @description The addresses of the browser apps, by name: admin, tenant, portal. */
            apps: {
                [key: string]: string;
            };
        };
        /** @description How whoever is not signed in signs in here. */
        WaysIn: {
            /** @description Whether there is one sign-in for all consoles; beginOneSignIn leads to it. */
            oidc: boolean;
        };
        SwitchInput: {
            /** @description The id of the organization. */
            organization: string;
            origin?: components["schemas"]["Origin"];
        };
        /** @description As whom to act, and why. */
        ImpersonationInput: {
            /** @description The user's id. */
            user: string;
            /** @description Why, for the user and for the audit trail. */
            reason: string;
        };
        /** @description As whom to act, why, and where. */
        ImpersonationElsewhere: {
            /** @description The user's id. */
            user: string;
            /** @description Why, for the user and for the audit trail. */
            reason: string;
            /** @description One of the apps of the session: admin, tenant, portal. */
            app: string;
        };
        /** @description Where to go. */
        ImpersonationAddress: {
            /** @description An address that is good once, for a minute. */
            address: string;
        };
        /** @description What was in the address. */
        ImpersonationTicket: {
            /** @description What follows act= in it. */
            ticket: string;
        };
        /** @description Somebody's acting as the user. */
        Impersonation: {
            /** @description Who acts. */
            impersonator: {
                /** @description The user's id. */
                id: string;
                /** @description For people. */
                name: string;
            };
            /**
             * Format: date-time
             * @description When it ends by itself.
             */
            until: string;
        };
        /** @description A person. */
        SessionUser: {
            /** @description The user's id. */
            id: string;
            /** @description For people. */
            name: string;
            /** @description The e-mail address. */
            email: string;
        };
        /** @description The tenant that the user belongs to. */
        SessionOrganization: {
            /** @description The organization's id. */
            id: string;
            /** @description Its name in addresses. */
            slug: string;
            /** @description For people. */
            name: string;
        };
        /** @description E-mail address and password. */
        SignInInput: {
            /** @description The e-mail address. */
            email: string;
            /** @description The password. */
            password: string;
            /** @description The organization's slug, where the address is known in several. */
            organization?: string;
            origin?: components["schemas"]["Origin"];
        };
        /** @description The origin of the page, such as https://admin.example.com, for passkeys. */
        Origin: string;
        /** @description What is needed to go on. */
        SecondStep: {
            /** @description What names the sign-in that was begun. */
            challenge: string;
            /** @description By what the second step can be done. */
            methods: ("totp" | "passkey" | "recovery")[];
            /**
             * Format: date-time
             * @description Until when.
             */
            expiresAt: string;
        };
        /** @description One of the factors. */
        SecondStepInput: {
            /** @description What the first step answered. */
            challenge: string;
            /** @description A code of an authenticator app. */
            totp?: string;
            /** @description One of the recovery codes, good for one use. */
            recoveryCode?: string;
            passkey?: components["schemas"]["PasskeyCredential"];
        };
        /** @description What a passkey signed. */
        PasskeyInput: {
            /** @description What names the step. */
            challenge: string;
            passkey: components["schemas"]["PasskeyCredential"];
        };
        /** @description What navigator.credentials gave, as its toJSON says (WebAuthn section 5.1). */
        PasskeyCredential: {
            [key: string]: unknown;
        };
        /** @description A link's secret, and the password to be. */
        PasswordLinkInput: {
            /** @description That of the link. */
            token: string;
            /** @description The password to be; left out where the invitation names an identity provider. */
            password: string;
            origin?: components["schemas"]["Origin"];
        };
        /** @description An e-mail address whose domain belongs to a connection, or a connection. */
        SsoInput: {
            /** @description The e-mail address. */
            email?: string;
            /** @description The id of a connection. */
            connection?: string;
            /** @description The path to go to afterwards. */
            next?: string;
        };
        SsoConfirmationInput: {
            /** @description The connection to the provider. */
            connection: string;
            /** @description The path of the page that goes on then. */
            next?: string;
        };
        /** @description What is tested. */
        SsoTestInput: {
            /** @description The id of a connection. */
            connection: string;
        };
        SignOutInput: {
            /** @description A path of this app, for the browser that comes back from the identity provider; without it that is the sign-in page. */
            next?: string;
        };
        /** @description Where to go on. */
        SsoBegun: {
            /** @description Where to send the browser to. */
            address: string;
        };
        /** @description A one-time code. */
        OneTimeInput: {
            /** @description The code. */
            code: string;
        };
        /** @description Who accepts. */
        AcceptanceInput: {
            /** @description That of the invitation's link. */
            token: string;
            /** @description The name of the person. */
            name: string;
            /** @description The password to be. */
            password?: string;
        };
        /** @description An error (RFC 9457). */
        Problem: {
            /** @description /problems/ and the code. */
            type: string;
            /** @description The kind of problem. */
            title: string;
            /** @description The HTTP status. */
            status: number;
            /** @description Stable; for programs to compare. */
            code: string;
            /** @description What is wrong this time, and how to mend it. */
            detail?: string;
            /** @description The request id, as in the log. */
            instance?: string;
            /** @description Every field at fault. */
            errors?: components["schemas"]["FieldProblem"][];
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
        /** @description One field at fault. */
        FieldProblem: {
            /** @description JSON pointer (RFC 6901) into the document that was sent. */
            pointer: string;
            /** @description The rule that is broken, such as required. */
            code: string;
            /** @description What was expected, with the fix. */
            detail: string;
            /** @description The values of the rule, for texts in other languages than that of the detail. */
            params?: {
                /** @description The number of a minimum or maximum, of a length or of a count. */
                limit: number;
            };
        };
    };
    responses: {
        /** @description Signed in; the cookie is set. */
        Session: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Session"];
            };
        };
        /** @description The first step was right, and a second one is needed; the session stays as it was. */
        SecondStep: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["SecondStep"];
            };
        };
        /** @description What is wrong, and how to mend it (RFC 9457). */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description The csrf of the session, or of the answer that there is none. */
        Csrf: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session, or that there is none. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInInput"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            202: components["responses"]["SecondStep"];
            default: components["responses"]["Problem"];
        };
    };
    finishSignIn: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecondStepInput"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            202: components["responses"]["SecondStep"];
            default: components["responses"]["Problem"];
        };
    };
    signInPasskey: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyInput"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            202: components["responses"]["SecondStep"];
            default: components["responses"]["Problem"];
        };
    };
    beginSsoSignIn: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoInput"];
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
    beginOneSignIn: {
        parameters: {
            query?: {
                /** @description The path to go to afterwards. */
                next?: string;
                /** @description none: whoever is not signed in there is led to the sign-in page of this host. */
                prompt?: "none";
                /** @description The address of who is thought to sign in, which is filled in there. One of more than 254 bytes is left out. Nothing is said of whether anybody has it. */
                login_hint?: string;
                /** @description The short name of the organization to sign in to; without it that of whoever is signed in, or signs in. */
                organization?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to the authorization server. */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    endOneSignIn: {
        parameters: {
            query?: {
                /** @description What was sent. */
                state?: string;
                /** @description What is exchanged for tokens. */
                code?: string;
                /** @description The issuer (RFC 9207). */
                iss?: string;
                /** @description Why nobody was signed in. */
                error?: string;
                /** @description The same, for people. */
                error_description?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to a page. */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    beginSsoTest: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SsoTestInput"];
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
    beginSsoConfirmation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
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
    ssoConnectionCallback: {
        parameters: {
            query?: {
                /** @description What was sent. */
                state?: string;
                /** @description What is exchanged for tokens. */
                code?: string;
                /** @description The issuer (RFC 9207). */
                iss?: string;
                /** @description Why nobody was signed in. */
                error?: string;
                /** @description The same, for people. */
                error_description?: string;
            };
            header?: never;
            path: {
                /** @description The id of the connection. */
                connection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to a page. */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    ssoCallback: {
        parameters: {
            query?: {
                /** @description What was sent. */
                state?: string;
                /** @description The handle of a SAML answer. */
                saml?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to a page. */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    ssoSignedOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to the sign-in page. */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    samlCallback: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    /** @description The answer. */
                    SAMLResponse: string;
                    /** @description What was sent. */
                    RelayState?: string;
                };
            };
        };
        responses: {
            /** @description On to ssoCallback. */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    samlMetadata: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the connection. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata of the connection as a service provider. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/samlmetadata+xml": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    usePasswordLink: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordLinkInput"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            202: components["responses"]["SecondStep"];
            default: components["responses"]["Problem"];
        };
    };
    signInOnce: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OneTimeInput"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            default: components["responses"]["Problem"];
        };
    };
    acceptInvitation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptanceInput"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            /** @description They are a user now, and sign in at the identity provider that the invitation names. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SignOutInput"];
            };
        };
        responses: {
            /** @description It has ended, and goes on at the identity provider. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SsoBegun"];
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
    switchOrganization: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchInput"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            202: components["responses"]["SecondStep"];
            default: components["responses"]["Problem"];
        };
    };
    impersonate: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImpersonationInput"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            default: components["responses"]["Problem"];
        };
    };
    stopImpersonating: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Session"];
            default: components["responses"]["Problem"];
        };
    };
    impersonateElsewhere: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImpersonationElsewhere"];
            };
        };
        responses: {
            /** @description Where to go. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImpersonationAddress"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    takeImpersonation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The csrf of the session, or of the answer that there is none. */
                "X-Gatehouse-CSRF"?: components["parameters"]["Csrf"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImpersonationTicket"];
            };
        };
        responses: {
            200: components["responses"]["Session"];
            default: components["responses"]["Problem"];
        };
    };
    listenLive: {
        parameters: {
            query?: {
                /** @description What to be told of, with commas between; none is everything. */
                topics?: components["schemas"]["Topic"][];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events, until the session ends or the caller leaves. The data of each is a JSON object. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
