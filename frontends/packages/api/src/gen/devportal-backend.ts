// Generated from services/devportal-backend/openapi.yaml by npm run generate. Do not edit.

export interface paths {
    "/portal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read how the portal looks */
        get: operations["getPortal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change how the portal looks */
        patch: operations["updatePortal"];
        trace?: never;
    };
    "/catalogue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List published APIs, or search in them
         * @description With `q`, APIs are found by their name and description and by the id, path, summary, description and
         *     schema names of their operations; `matches` then names the operations that were found.
         */
        get: operations["listCatalogue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/catalogue/{api}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read an API with its plans, addresses and operations */
        get: operations["getCatalogueEntry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/catalogue/{api}/document": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Download the OpenAPI document */
        get: operations["getCatalogueDocument"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/catalogue/{api}/operations/{operation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read all that is documented of one operation */
        get: operations["getCatalogueOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/applications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List own applications, or those of all */
        get: operations["listApplications"];
        put?: never;
        /** Make an application */
        post: operations["createApplication"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/applications/{application}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
            };
            cookie?: never;
        };
        /** Read an application */
        get: operations["getApplication"];
        put?: never;
        post?: never;
        /**
         * Delete an application with its subscriptions and credentials
         * @description Its credentials stop to work within two seconds.
         */
        delete: operations["deleteApplication"];
        options?: never;
        head?: never;
        /** Change an application */
        patch: operations["updateApplication"];
        trace?: never;
    };
    "/applications/{application}/credentials": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
            };
            cookie?: never;
        };
        /**
         * List the credentials of an application
         * @description Of a key, only its beginning and its end are shown.
         */
        get: operations["listCredentials"];
        put?: never;
        /**
         * Make a credential
         * @description The answer has the key in `key`, this once. A repeated request with the same Idempotency-Key is answered
         *     without it: the key is not kept.
         */
        post: operations["createCredential"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credentials/{credential}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a credential. */
                credential: components["parameters"]["CredentialID"];
            };
            cookie?: never;
        };
        /** Read a credential */
        get: operations["getCredential"];
        put?: never;
        post?: never;
        /**
         * Revoke a credential
         * @description It stops to work within two seconds, and stays in the list as revoked.
         */
        delete: operations["revokeCredential"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credentials/{credential}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a credential. */
                credential: components["parameters"]["CredentialID"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace a credential by a new one
         * @description The old one goes on to work for the overlap. The answer is the new one, with its key in `key`, this once.
         */
        post: operations["rotateCredential"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the subscriptions of own applications, or those of all */
        get: operations["listSubscriptions"];
        put?: never;
        /**
         * Subscribe an application to a plan
         * @description Where the plan is approved automatically the subscription is active at once, else it is pending until a
         *     publisher decides. The application can be made in the same request (`newApplication`). With `createKey`
         *     an application without a working key gets one: `credential.key` has it, this once.
         */
        post: operations["createSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{subscription}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        /** Read a subscription with its history */
        get: operations["getSubscription"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{subscription}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Approve a pending subscription */
        post: operations["approveSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{subscription}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reject a pending subscription */
        post: operations["rejectSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{subscription}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause an active subscription
         * @description Its calls are refused within two seconds, until it is resumed.
         */
        post: operations["pauseSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{subscription}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Resume a paused subscription */
        post: operations["resumeSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{subscription}/close": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a subscription for good
         * @description The application's owner may do so, and who decides about subscriptions to the API.
         */
        post: operations["closeSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/applications/{application}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
            };
            cookie?: never;
        };
        /** Sum up what an application called */
        get: operations["getApplicationUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/applications/{application}/requests/{requestId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
                /** @description The id of a request, as the answer's X-Request-Id and problem documents name it. */
                requestId: string;
            };
            cookie?: never;
        };
        /** Explain why a request was answered as it was */
        get: operations["explainApplicationRequest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Call an API from the portal
         * @description The request is sent to an address of the API as it is published, and nowhere else. Redirects are not
         *     followed; cookies are neither sent nor kept. With `application` it is called as that application, with a
         *     key that is made for the purpose and ends within the hour.
         */
        post: operations["tryOperation"];
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
        /** @description An RFC 9457 problem document. */
        Problem: {
            /** @description The problem type: /problems/<code>. */
            type: string;
            /** @description What kind of problem it is. */
            title: string;
            /** @description The HTTP status. */
            status: number;
            /** @description What is wrong this time, and how to mend it. */
            detail?: string;
            /** @description The id of the request. */
            instance?: string;
            /** @description Stable, for programs. */
            code: string;
            /** @description The policy that refused. */
            policy?: string;
            /** @description Every field at fault. */
            errors?: components["schemas"]["ProblemField"][];
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
        ProblemField: {
            /** @description The JSON pointer of the field. */
            pointer: string;
            /** @description The rule that the value breaks. */
            code: string;
            /** @description What was expected, with the fix. */
            detail: string;
            /** @description Where the field stands in a file. */
            source?: string;
            /** @description The values of the rule, for texts in other languages than that of the detail. */
            params?: {
                /** @description The number of a minimum or maximum, of a length or of a count. */
                limit: number;
            };
        };
        Portal: {
            /**
             * Format: int64
             * @description Rises with every change.
             */
            version: number;
            organization: components["schemas"]["PortalOrganization"];
            /** @description The name at the top. */
            title: string;
            /** @description One sentence below it; empty = none. */
            tagline: string;
            /** @description The colour of links and buttons as #rrggbb; empty = Gatehouse's own. */
            accent: string;
            visibility: components["schemas"]["PortalVisibility"];
            signUp: components["schemas"]["PortalSignUp"];
            /** Format: date-time */
            updatedAt: string;
        };
        PortalOrganization: {
            slug: string;
            name: string;
        };
        /**
         * @description Who sees the catalogue, everybody or those who signed in.
         * @enum {string}
         */
        PortalVisibility: "public" | "private";
        /**
         * @description How consumers come in. By invitation is the only way yet.
         * @enum {string}
         */
        PortalSignUp: "invitation";
        PortalPatch: {
            title?: string;
            tagline?: string;
            accent?: string;
            visibility?: components["schemas"]["PortalVisibility"];
            signUp?: components["schemas"]["PortalSignUp"];
        };
        CatalogueList: {
            items: components["schemas"]["CatalogueItem"][];
            /** @description The cursor of the following page; absent after the last. */
            next?: string;
        };
        CatalogueItem: {
            id: string;
            /** @description The short name in addresses. */
            slug: string;
            name: string;
            /** @description The version that the API's owner gave it. */
            apiVersion: string;
            /** @description The first sentences of its description. */
            summary: string;
            /** @description The id of its project. */
            project: string;
            operationCount: number;
            /** @description No new subscriptions are made. */
            deprecated: boolean;
            /** @description What plans there are, as security and whether they are approved automatically. */
            plans: components["schemas"]["PlanBrief"][];
            /** @description Where it can be called. */
            environments: string[];
            tags: string[];
            /** Format: date-time */
            updatedAt: string;
            /** @description The operations that a search found, the first five. */
            matches?: components["schemas"]["OperationBrief"][];
            /** @description How many operations a search found. */
            matchCount?: number;
        };
        PlanBrief: {
            id: string;
            name: string;
            security: string;
            approval: string;
        };
        OperationBrief: {
            id: string;
            method: string;
            path: string;
            summary: string;
            deprecated: boolean;
        };
        OperationGroup: {
            /** @description The tag; empty for operations without one. */
            name: string;
            description: string;
            operations: components["schemas"]["OperationBrief"][];
        };
        Endpoint: {
            /** @description The id of the environment. */
            environment: string;
            /** @description Such as DEV. */
            name: string;
            /** @description Scheme, host and base path, without a slash at its end. */
            url: string;
        };
        Plan: {
            id: string;
            slug: string;
            name: string;
            description: string;
            /**
             * @description What callers show.
             * @enum {string}
             */
            security: "keyless" | "api-key" | "jwt" | "oauth2" | "basic" | "mtls";
            /** @enum {string} */
            approval: "automatic" | "manual";
            /**
             * @description No new subscriptions are made to a deprecated plan.
             * @enum {string}
             */
            status: "published" | "deprecated";
            /** @description Sentences such as "100 requests per minute". */
            limits: string[];
            /** @description The header that an API key is sent in. */
            keyHeader?: string;
            credential?: components["schemas"]["CredentialKind"];
        };
        CatalogueEntry: {
            id: string;
            slug: string;
            name: string;
            apiVersion: string;
            title: string;
            /** @description Markdown (CommonMark). */
            description: string;
            project: string;
            operationCount: number;
            deprecated: boolean;
            /** Format: int64 */
            revision: number;
            /** @description There is an OpenAPI document to download. */
            hasDocument: boolean;
            /** @description How to authenticate, in a sentence. */
            authentication: string;
            contact?: components["schemas"]["Contact"];
            license?: components["schemas"]["Link"];
            termsOfService?: string;
            externalDocs?: components["schemas"]["Link"];
            plans: components["schemas"]["Plan"][];
            endpoints: components["schemas"]["Endpoint"][];
            /** @description The operations by their first tag, in the order of the document. */
            groups: components["schemas"]["OperationGroup"][];
            /** Format: date-time */
            updatedAt: string;
        };
        Contact: {
            name?: string;
            url?: string;
            email?: string;
        };
        Link: {
            name?: string;
            url?: string;
        };
        OperationPage: {
            id: string;
            method: string;
            /** @description The path template below the base path. */
            path: string;
            summary: string;
            /** @description Markdown (CommonMark). */
            description: string;
            tags: string[];
            deprecated: boolean;
            externalDocs?: components["schemas"]["Link"];
            /** @description What the document says of authentication; any one of them. Plans decide what holds. */
            security: components["schemas"]["SecurityChoice"][];
            parameters: components["schemas"]["OperationParameter"][];
            requestBody?: components["schemas"]["OperationBody"];
            responses: components["schemas"]["OperationResponse"][];
            sample: components["schemas"]["Sample"];
            /** @description The schemas of bodies that occur more than once, by name; a shared one refers to them. */
            schemas?: {
                [key: string]: components["schemas"]["SchemaNode"];
            };
        };
        SecurityChoice: {
            /** @description All of them are needed; none = no authentication. */
            schemes: components["schemas"]["SecurityScheme"][];
        };
        SecurityScheme: {
            name: string;
            /** @description apiKey, http, oauth2, openIdConnect or mutualTLS. */
            type: string;
            in?: string;
            /** @description The header, query parameter or cookie of an apiKey. */
            parameter?: string;
            scheme?: string;
            description?: string;
            scopes?: string[];
        };
        OperationParameter: {
            name: string;
            /** @description path, query, header or cookie. */
            in: string;
            required: boolean;
            deprecated: boolean;
            description: string;
            schema: components["schemas"]["SchemaNode"];
            /** @description A value to begin with; generated where the document has none. */
            example?: unknown;
        };
        OperationBody: {
            required: boolean;
            description: string;
            contents: components["schemas"]["OperationContent"][];
        };
        OperationResponse: {
            /** @description Such as 200, 4XX or default. */
            status: string;
            description: string;
            headers: components["schemas"]["OperationParameter"][];
            contents: components["schemas"]["OperationContent"][];
        };
        OperationContent: {
            mediaType: string;
            schema?: components["schemas"]["SchemaNode"];
            examples: components["schemas"]["OperationExample"][];
        };
        OperationExample: {
            name: string;
            summary?: string;
            /** @description The example itself. */
            value?: unknown;
            /** @description Made from the schema, because the document has none. */
            generated: boolean;
        };
        /** @description A schema with its references resolved. Where it contains itself, or is too large, it is cut. */
        SchemaNode: {
            /** @description The name of the property. */
            name?: string;
            types?: string[];
            /** @description The name of the schema that was referred to, such as Pet. */
            ref?: string;
            title?: string;
            description?: string;
            format?: string;
            required?: boolean;
            nullable?: boolean;
            readOnly?: boolean;
            writeOnly?: boolean;
            deprecated?: boolean;
            /** @description It contains itself; what is within is left out here. */
            recursive?: boolean;
            /** @description What is within is left out because there is too much of it. */
            cut?: boolean;
            /** @description What is within is in the page's schemas, under the name in ref. */
            shared?: boolean;
            /** @description The value that holds where none is given. */
            default?: unknown;
            /** @description An example. */
            example?: unknown;
            /** @description The values allowed. */
            enum?: unknown[];
            /** @description Further rules in words, such as "1 to 64 characters". */
            constraints?: string[];
            properties?: components["schemas"]["SchemaNode"][];
            items?: components["schemas"]["SchemaNode"];
            additional?: components["schemas"]["SchemaNode"];
            oneOf?: components["schemas"]["SchemaNode"][];
            anyOf?: components["schemas"]["SchemaNode"][];
            not?: components["schemas"]["SchemaNode"];
            /** @description The property that tells the choices apart. */
            discriminator?: string;
        };
        /** @description A request that is ready to be sent, for code samples and for trying. */
        Sample: {
            /** @description The path with example values put in. */
            path: string;
            query: components["schemas"]["Pair"][];
            headers: components["schemas"]["Pair"][];
            mediaType?: string;
            body?: string;
        };
        Pair: {
            name: string;
            value: string;
        };
        ApplicationList: {
            items: components["schemas"]["Application"][];
            next?: string;
        };
        Application: {
            id: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** @description The id of who made it. */
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            name: string;
            description: string;
            owner: components["schemas"]["Owner"];
            subscriptions: components["schemas"]["SubscriptionCounts"];
            /** @description How many credentials of it work. */
            credentials: number;
        };
        Owner: {
            id: string;
            name: string;
        };
        SubscriptionCounts: {
            active: number;
            pending: number;
            paused: number;
        };
        NewApplication: {
            name: string;
            description?: string;
        };
        ApplicationPatch: {
            name?: string;
            description?: string;
        };
        CredentialList: {
            items: components["schemas"]["Credential"][];
            next?: string;
        };
        /**
         * @description An `api-key` is sent with each call. An `oauth2` credential is a client of the organization's authorization server: it
         *     gets tokens for its id and secret (RFC 6749 section 4.4), and sends those.
         * @enum {string}
         */
        CredentialKind: "api-key" | "oauth2";
        /**
         * @description An expiring one works until expiresAt, and another replaces it.
         * @enum {string}
         */
        CredentialStatus: "active" | "expiring" | "expired" | "revoked";
        Credential: {
            id: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description The id of its application. */
            application: string;
            kind: components["schemas"]["CredentialKind"];
            name: string;
            /** @description The key's beginning and end, such as ghk_3fXa…9Qx2. */
            hint: string;
            status: components["schemas"]["CredentialStatus"];
            /** Format: date-time */
            expiresAt?: string;
            /** Format: date-time */
            revokedAt?: string;
            /** @description The id of the credential that replaces it. */
            replacedBy?: string;
            /** @description The key itself, only in the answer that made it. It is a secret and is not kept. */
            key?: string;
            /** @description The client_id of an OAuth 2.0 client. */
            clientId?: string;
            /** @description The secret of an OAuth 2.0 client, only in the answer that made it. It is not kept. */
            clientSecret?: string;
            /** @description Where an OAuth 2.0 client gets its tokens. */
            tokenEndpoint?: string;
            /**
             * Format: date-time
             * @description Until when the secret before the last rotation works, of an OAuth 2.0 client.
             */
            previousEndsAt?: string;
        };
        NewCredential: {
            kind?: components["schemas"]["CredentialKind"];
            name: string;
            /**
             * Format: date-time
             * @description When it ends; without it never.
             */
            expiresAt?: string;
        };
        Rotation: {
            /**
             * Format: int64
             * @description How long the old one goes on to work, in seconds.
             * @default 86400
             */
            overlap?: number;
            /** @description The name of the new one; without it that of the old one. */
            name?: string;
        };
        /** @enum {string} */
        SubscriptionStatus: "pending" | "active" | "paused" | "rejected" | "closed";
        SubscriptionList: {
            items: components["schemas"]["Subscription"][];
            next?: string;
        };
        Subscription: {
            id: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            status: components["schemas"]["SubscriptionStatus"];
            application: components["schemas"]["Named"];
            owner?: components["schemas"]["Owner"];
            api: components["schemas"]["Named"];
            plan: components["schemas"]["Named"];
            /** @description The id of the API's project. */
            project: string;
            /** @description What the consumer wrote with the request. */
            message: string;
            /** @description What became of it, the oldest first. */
            history: components["schemas"]["SubscriptionChange"][];
            /** @description What the caller may do with it now. */
            actions: ("approve" | "reject" | "pause" | "resume" | "close")[];
        };
        SubscriptionChange: {
            status: components["schemas"]["SubscriptionStatus"];
            /** Format: date-time */
            at: string;
            by: components["schemas"]["Owner"];
            message?: string;
        };
        Named: {
            id: string;
            name: string;
            /** @description The short name in addresses, of things that have one. */
            slug?: string;
        };
        NewSubscription: {
            /** @description The id of an own application; this or newApplication. */
            application?: string;
            newApplication?: components["schemas"]["NewApplication"];
            /** @description The id of a plan. */
            plan: string;
            /** @description For who decides. */
            message?: string;
            /**
             * @description Make a key where the application has none that works.
             * @default false
             */
            createKey?: boolean;
        };
        SubscriptionCreated: {
            subscription: components["schemas"]["Subscription"];
            application: components["schemas"]["Application"];
            credential?: components["schemas"]["Credential"];
            plan?: components["schemas"]["Plan"];
        };
        Decision: {
            /** @description For the other side. */
            message?: string;
        };
        Usage: {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /**
             * Format: int64
             * @description The length of a step, in seconds.
             */
            interval: number;
            /**
             * Format: date-time
             * @description When the newest call that is counted was made.
             */
            newest?: string;
            total: components["schemas"]["UsageSums"];
            series: components["schemas"]["UsagePoint"][];
            top: components["schemas"]["UsageTops"];
        };
        UsageSums: {
            /** Format: int64 */
            requests: number;
            /** Format: int64 */
            status2xx: number;
            /** Format: int64 */
            status3xx: number;
            /** Format: int64 */
            status4xx: number;
            /** Format: int64 */
            status5xx: number;
            /**
             * Format: int64
             * @description Refused by the gateway, such as for a limit.
             */
            refused: number;
            /** Format: int64 */
            requestBytes: number;
            /** Format: int64 */
            responseBytes: number;
            /**
             * Format: int64
             * @description Half of the answers took at most this long, in microseconds.
             */
            p50Us: number;
            /** Format: int64 */
            p95Us: number;
            /** Format: int64 */
            p99Us: number;
        };
        UsagePoint: {
            /**
             * Format: date-time
             * @description When the step begins.
             */
            time: string;
            sums: components["schemas"]["UsageSums"];
        };
        UsageTops: {
            apis: components["schemas"]["UsageTop"][];
            operations: components["schemas"]["UsageTop"][];
            statuses: components["schemas"]["UsageTop"][];
            errorCodes: components["schemas"]["UsageTop"][];
        };
        UsageTop: {
            key: string;
            name: string;
            sums: components["schemas"]["UsageSums"];
        };
        Explanation: {
            requestId: string;
            /** Format: date-time */
            time: string;
            method: string;
            path: string;
            /** @description With values that look secret masked. */
            query?: string;
            status: number;
            /** @description The code of the problem that was answered. */
            code?: string;
            /** @description What happened. */
            sentence: string;
            /** @description What to do about it; empty where there is nothing. */
            advice: string;
            api?: components["schemas"]["Named"];
            operation?: string;
            plan?: components["schemas"]["Named"];
            environment?: string;
            /**
             * Format: int64
             * @description From the first byte of the request to the last of the answer, in microseconds.
             */
            durationUs: number;
            /** Format: int64 */
            requestBytes?: number;
            /** Format: int64 */
            responseBytes?: number;
            /** @description What the request passed, in order. */
            steps: components["schemas"]["ExplanationStep"][];
        };
        ExplanationStep: {
            title: string;
            /** @enum {string} */
            outcome: "passed" | "refused" | "failed" | "skipped";
            detail?: string;
        };
        TryRequest: {
            /** @description The id or the slug of a published API. */
            api: string;
            /** @description The id of an environment where it can be called, or its name. */
            environment: string;
            /** @enum {string} */
            method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
            /** @description The path below the base path. */
            path: string;
            query?: components["schemas"]["Pair"][];
            headers?: components["schemas"]["Pair"][];
            body?: string;
            /**
             * @default text
             * @enum {string}
             */
            bodyEncoding?: "text" | "base64";
            /** @description The id of an own application to call as. */
            application?: string;
        };
        TryResult: {
            /** @description Where the request was sent. */
            url: string;
            status: number;
            headers: components["schemas"]["Pair"][];
            body: string;
            /** @enum {string} */
            bodyEncoding: "text" | "base64";
            /**
             * Format: int64
             * @description How much of the body is here before encoding.
             */
            bodyBytes: number;
            /** @description The body was longer than what is here. */
            truncated: boolean;
            /** @description The id under which the request can be explained, where the gateway gave one. */
            requestId?: string;
            timings: components["schemas"]["TryTimings"];
        };
        /** @description Microseconds since the start. */
        TryTimings: {
            /** Format: int64 */
            connectUs: number;
            /** Format: int64 */
            firstByteUs: number;
            /** Format: int64 */
            totalUs: number;
        };
    };
    responses: {
        /** @description What is wrong, and how to mend it. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The subscription as it is now. */
        Subscription: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Subscription"];
            };
        };
    };
    parameters: {
        /** @description The id or the slug of a published API. */
        API: string;
        /** @description The id of an operation. */
        OperationID: string;
        /** @description The id of an application. */
        ApplicationID: string;
        /** @description The id of a credential. */
        CredentialID: string;
        /** @description The id of a subscription. */
        SubscriptionID: string;
        /** @description The slug of the organization whose portal is meant, for callers that are not signed in. */
        Organization: string;
        /** @description The same, as the browser's back end sets it; the query parameter goes before it. */
        OrganizationHeader: string;
        /** @description Those of all owners. Needs `api:read` too; limited to projects where that is. */
        All: boolean;
        /** @description Words that must all occur, in upper or lower case. */
        Search: string;
        /** @description The `next` of the page before. */
        Cursor: string;
        /** @description How many to return at most. */
        Limit: number;
        /** @description What to sort by, `name` or `createdAt`; a minus before it turns the order round. */
        Sort: string;
        /** @description The ETag of the version that the change is made to, or `*`. */
        IfMatch: string;
        /** @description The ETag of the version that it is to happen to; another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
        IfMatchOptional: string;
        /** @description Makes a repeated request take effect once, within a day. */
        IdempotencyKey: string;
    };
    requestBodies: {
        Decision: {
            content: {
                "application/json": components["schemas"]["Decision"];
            };
        };
    };
    headers: {
        /** @description The version, to be sent in If-Match with a change. */
        ETag: string;
        /** @description Where the new thing is. */
        Location: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getPortal: {
        parameters: {
            query?: {
                /** @description The slug of the organization whose portal is meant, for callers that are not signed in. */
                organization?: components["parameters"]["Organization"];
            };
            header?: {
                /** @description The same, as the browser's back end sets it; the query parameter goes before it. */
                "X-Gatehouse-Organization"?: components["parameters"]["OrganizationHeader"];
            };
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
                    "application/json": components["schemas"]["Portal"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updatePortal: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that the change is made to, or `*`. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["PortalPatch"];
                "application/json": components["schemas"]["PortalPatch"];
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
                    "application/json": components["schemas"]["Portal"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listCatalogue: {
        parameters: {
            query?: {
                /** @description The slug of the organization whose portal is meant, for callers that are not signed in. */
                organization?: components["parameters"]["Organization"];
                /** @description Words that must all occur, in upper or lower case. */
                q?: components["parameters"]["Search"];
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many to return at most. */
                limit?: components["parameters"]["Limit"];
                /** @description What to sort by, `name` or `createdAt`; a minus before it turns the order round. */
                sort?: components["parameters"]["Sort"];
            };
            header?: {
                /** @description The same, as the browser's back end sets it; the query parameter goes before it. */
                "X-Gatehouse-Organization"?: components["parameters"]["OrganizationHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of APIs. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CatalogueList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getCatalogueEntry: {
        parameters: {
            query?: {
                /** @description The slug of the organization whose portal is meant, for callers that are not signed in. */
                organization?: components["parameters"]["Organization"];
            };
            header?: {
                /** @description The same, as the browser's back end sets it; the query parameter goes before it. */
                "X-Gatehouse-Organization"?: components["parameters"]["OrganizationHeader"];
            };
            path: {
                /** @description The id or the slug of a published API. */
                api: components["parameters"]["API"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The API. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CatalogueEntry"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getCatalogueDocument: {
        parameters: {
            query?: {
                /** @description The slug of the organization whose portal is meant, for callers that are not signed in. */
                organization?: components["parameters"]["Organization"];
            };
            header?: {
                /** @description The same, as the browser's back end sets it; the query parameter goes before it. */
                "X-Gatehouse-Organization"?: components["parameters"]["OrganizationHeader"];
            };
            path: {
                /** @description The id or the slug of a published API. */
                api: components["parameters"]["API"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document of the revision that is deployed, as JSON. */
            200: {
                headers: {
                    /** @description A name for the file. */
                    "Content-Disposition"?: string;
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getCatalogueOperation: {
        parameters: {
            query?: {
                /** @description The slug of the organization whose portal is meant, for callers that are not signed in. */
                organization?: components["parameters"]["Organization"];
            };
            header?: {
                /** @description The same, as the browser's back end sets it; the query parameter goes before it. */
                "X-Gatehouse-Organization"?: components["parameters"]["OrganizationHeader"];
            };
            path: {
                /** @description The id or the slug of a published API. */
                api: components["parameters"]["API"];
                /** @description The id of an operation. */
                operation: components["parameters"]["OperationID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation, with schemas as trees and references resolved. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listApplications: {
        parameters: {
            query?: {
                /** @description Those of all owners. Needs `api:read` too; limited to projects where that is. */
                all?: components["parameters"]["All"];
                /** @description Words that must all occur, in upper or lower case. */
                q?: components["parameters"]["Search"];
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many to return at most. */
                limit?: components["parameters"]["Limit"];
                /** @description What to sort by, `name` or `createdAt`; a minus before it turns the order round. */
                sort?: components["parameters"]["Sort"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of applications. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApplicationList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createApplication: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request take effect once, within a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApplication"];
            };
        };
        responses: {
            /** @description The application. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Application"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getApplication: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The application. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Application"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteApplication: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that the change is made to, or `*`. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
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
    updateApplication: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that the change is made to, or `*`. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["ApplicationPatch"];
                "application/json": components["schemas"]["ApplicationPatch"];
            };
        };
        responses: {
            /** @description The application as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Application"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listCredentials: {
        parameters: {
            query?: {
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many to return at most. */
                limit?: components["parameters"]["Limit"];
                /** @description What to sort by, `name` or `createdAt`; a minus before it turns the order round. */
                sort?: components["parameters"]["Sort"];
            };
            header?: never;
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of credentials. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createCredential: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request take effect once, within a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCredential"];
            };
        };
        responses: {
            /** @description The credential with its key. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Credential"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getCredential: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a credential. */
                credential: components["parameters"]["CredentialID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The credential, without its key. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Credential"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeCredential: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that the change is made to, or `*`. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id of a credential. */
                credential: components["parameters"]["CredentialID"];
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
    rotateCredential: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to; another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
                /** @description Makes a repeated request take effect once, within a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of a credential. */
                credential: components["parameters"]["CredentialID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rotation"];
            };
        };
        responses: {
            /** @description The new credential with its key. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Credential"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSubscriptions: {
        parameters: {
            query?: {
                /** @description Those of all owners. Needs `api:read` too; limited to projects where that is. */
                all?: components["parameters"]["All"];
                /** @description The id of an API. */
                api?: string;
                /** @description The id of an application. */
                application?: string;
                /** @description The id of a plan. */
                plan?: string;
                /** @description The state. */
                status?: components["schemas"]["SubscriptionStatus"];
                /** @description The `next` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many to return at most. */
                limit?: components["parameters"]["Limit"];
                /** @description What to sort by, `name` or `createdAt`; a minus before it turns the order round. */
                sort?: components["parameters"]["Sort"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of subscriptions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createSubscription: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request take effect once, within a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSubscription"];
            };
        };
        responses: {
            /** @description The subscription. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The subscription. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Subscription"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    approveSubscription: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to; another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Decision"];
        responses: {
            200: components["responses"]["Subscription"];
            default: components["responses"]["Problem"];
        };
    };
    rejectSubscription: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to; another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Decision"];
        responses: {
            200: components["responses"]["Subscription"];
            default: components["responses"]["Problem"];
        };
    };
    pauseSubscription: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to; another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Decision"];
        responses: {
            200: components["responses"]["Subscription"];
            default: components["responses"]["Problem"];
        };
    };
    resumeSubscription: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to; another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Decision"];
        responses: {
            200: components["responses"]["Subscription"];
            default: components["responses"]["Problem"];
        };
    };
    closeSubscription: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that it is to happen to; another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptional"];
            };
            path: {
                /** @description The id of a subscription. */
                subscription: components["parameters"]["SubscriptionID"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Decision"];
        responses: {
            200: components["responses"]["Subscription"];
            default: components["responses"]["Problem"];
        };
    };
    getApplicationUsage: {
        parameters: {
            query?: {
                /** @description The beginning; without it a day before the end. */
                from?: string;
                /** @description The end; without it now. At most 400 days after the beginning. */
                to?: string;
                /** @description The length of the steps of the series, in seconds; without it one that makes about 60 steps. */
                interval?: number;
                /** @description The id of an API; without it all. */
                api?: string;
            };
            header?: never;
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Totals, a series, and the leading APIs, operations, statuses and error codes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Usage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    explainApplicationRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an application. */
                application: components["parameters"]["ApplicationID"];
                /** @description The id of a request, as the answer's X-Request-Id and problem documents name it. */
                requestId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What happened, in the words of the caller; nothing of how the API is run. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explanation"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    tryOperation: {
        parameters: {
            query?: {
                /** @description The slug of the organization whose portal is meant, for callers that are not signed in. */
                organization?: components["parameters"]["Organization"];
            };
            header?: {
                /** @description The same, as the browser's back end sets it; the query parameter goes before it. */
                "X-Gatehouse-Organization"?: components["parameters"]["OrganizationHeader"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryRequest"];
            };
        };
        responses: {
            /** @description What the API answered, whatever its status. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TryResult"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
