// Generated from services/policy-manager/openapi.yaml by npm run generate. Do not edit.

export interface paths {
    "/policy-types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the policy types that gateways know. */
        get: operations["listPolicyTypes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/policy-types/{type}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns a policy type with the JSON Schema of its configuration, defaults, an example and documentation. */
        get: operations["getPolicyType"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/platform/policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the policies that apply to every API of the organization. */
        get: operations["getPlatformPolicies"];
        /**
         * Replaces the policies that apply to every API of the organization.
         * @description They act on all gateways within seconds, without a deployment.
         */
        put: operations["putPlatformPolicies"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/projects/{project}/policies": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a project. */
                project: components["parameters"]["ProjectParam"];
            };
            cookie?: never;
        };
        /** Returns the policies that apply to every API of a project. */
        get: operations["getProjectPolicies"];
        /**
         * Replaces the policies that apply to every API of a project.
         * @description They act on all gateways within seconds, without a deployment.
         */
        put: operations["putProjectPolicies"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{api}/policies": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        /** Returns the policies of an API and of its operations. */
        get: operations["getApiPolicies"];
        /**
         * Replaces the policies of an API and of its operations.
         * @description They are part of the API's draft and act with its next deployment.
         */
        put: operations["putApiPolicies"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{api}/effective": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        /** Returns all policies that a request of the API goes through, in their order, with where each comes from. */
        get: operations["getEffectivePolicies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Says what a gateway would find wrong with a unit, by the same compile. */
        post: operations["validateUnit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/policy-sets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists policy sets. */
        get: operations["listPolicySets"];
        put?: never;
        /** Makes a policy set. */
        post: operations["createPolicySet"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/policy-sets/{policySet}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a policy set. */
                policySet: components["parameters"]["PolicySetParam"];
            };
            cookie?: never;
        };
        /** Returns a policy set. */
        get: operations["getPolicySet"];
        put?: never;
        post?: never;
        /** Deletes a policy set that is used nowhere. */
        delete: operations["deletePolicySet"];
        options?: never;
        head?: never;
        /**
         * Changes a policy set; other policies make a new version of it.
         * @description Where it is used by the platform or a project it acts within seconds; where by an API, with the next deployment.
         */
        patch: operations["updatePolicySet"];
        trace?: never;
    };
    "/policy-sets/{policySet}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a policy set. */
                policySet: components["parameters"]["PolicySetParam"];
            };
            cookie?: never;
        };
        /** Lists the versions of a policy set, newest first. */
        get: operations["listPolicySetVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/policy-sets/{policySet}/uses": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a policy set. */
                policySet: components["parameters"]["PolicySetParam"];
            };
            cookie?: never;
        };
        /** Lists where a policy set is used. */
        get: operations["listPolicySetUses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{api}/plans": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        /** Lists the plans of an API in the order in which gateways try them. */
        get: operations["listPlans"];
        put?: never;
        /** Makes a plan, as a draft and the last of the API's. */
        post: operations["createPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{api}/plans/order": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Orders the plans of an API.
         * @description Gateways take the first plan that fits a request. The list must name each plan of the API once, so that it needs no If-Match.
         */
        put: operations["orderPlans"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{plan}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        /** Returns a plan. */
        get: operations["getPlan"];
        put?: never;
        post?: never;
        /** Deletes a plan that nobody is subscribed to. */
        delete: operations["deletePlan"];
        options?: never;
        head?: never;
        /**
         * Changes a plan.
         * @description It acts with the API's next deployment. The kind of security of a plan that was published stays.
         */
        patch: operations["updatePlan"];
        trace?: never;
    };
    "/plans/{plan}/publish": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Opens a plan to subscriptions.
         * @description Of a draft, or of a deprecated plan again. A plan that is published already stays as it is.
         */
        post: operations["publishPlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{plan}/deprecate": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Closes a plan to new subscriptions; those that exist go on. */
        post: operations["deprecatePlan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{plan}/close": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Closes a plan for good.
         * @description It is refused while applications are subscribed. The gateways forget it with the API's next deployment.
         */
        post: operations["closePlan"];
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
            /** @description Where the field stands in a file. */
            source?: string;
            /** @description The values of the rule, for texts in other languages than that of the detail. */
            params?: {
                /** @description The number of a minimum or maximum, of a length or of a count. */
                limit: number;
            };
        };
        /** @description A kind of policy. */
        PolicyTypeSummary: {
            /** @description The name, such as rate-limit. */
            type: string;
            /** @description For people. */
            title: string;
            /** @description What it is for. */
            description: string;
            /** @description When it acts. */
            phases: ("preflight" | "inbound" | "outbound" | "error" | "final" | "done")[];
            /**
             * @description For grouping.
             * @enum {string}
             */
            category: "security" | "traffic" | "resilience" | "transformation" | "validation" | "observability";
            /** @description The name of a lucide icon. */
            icon: string;
            /** @description It establishes who calls and may be the security of a plan. */
            authenticates?: boolean;
        };
        PolicyTypeList: {
            items: components["schemas"]["PolicyTypeSummary"][];
        };
        /** @description A kind of policy with all that is known of it. */
        PolicyType: {
            /** @description The name. */
            type: string;
            /** @description For people. */
            title: string;
            /** @description What it is for. */
            description: string;
            /** @description When it acts. */
            phases: ("preflight" | "inbound" | "outbound" | "error" | "final" | "done")[];
            /**
             * @description For grouping.
             * @enum {string}
             */
            category: "security" | "traffic" | "resilience" | "transformation" | "validation" | "observability";
            /** @description The name of a lucide icon. */
            icon: string;
            /** @description It establishes who calls and may be the security of a plan. */
            authenticates?: boolean;
            /** @description The JSON Schema (2020-12) of the configuration, with x-order, x-group and x-when as hints for forms. */
            schema: {
                [key: string]: unknown;
            };
            /** @description A configuration with the default of every field that has one. */
            defaults: {
                [key: string]: unknown;
            };
            /** @description The configuration of the usual use. */
            example: {
                [key: string]: unknown;
            };
            /** @description Documentation in Markdown. */
            docs: string;
        };
        /** @description One configured use of a policy type: type with config, or set. */
        PolicyInput: {
            /** @description The id that it had; it stays when the list is changed. */
            id?: string;
            /** @description The policy type. */
            type?: string;
            /** @description Tells several of a type apart, in records and in counters; the type, with a number where needed, when not given. */
            name?: string;
            /**
             * @description Whether gateways get it.
             * @default true
             */
            enabled?: boolean;
            /** @description A CEL expression; the policy is passed over where it is false. */
            when?: string;
            /** @description The configuration as the type's JSON Schema says. A secret is answered as asterisks; sent back like that it stays. */
            config?: {
                [key: string]: unknown;
            };
            /** @description The slug of a policy set to put here instead of one policy. */
            set?: string;
        };
        /** @description One configured use of a policy type. */
        Policy: {
            /** @description The id. */
            id: string;
            /** @description The policy type. */
            type?: string;
            /** @description The name within the list. */
            name?: string;
            /** @description Whether gateways get it. */
            enabled: boolean;
            /** @description A CEL expression. */
            when?: string;
            /** @description The configuration; secrets are asterisks. */
            config?: {
                [key: string]: unknown;
            };
            /** @description The slug of a policy set. */
            set?: string;
        };
        PolicyInputs: components["schemas"]["PolicyInput"][];
        /** @description The policies of the platform or of a project. */
        LevelPoliciesInput: {
            policies: components["schemas"]["PolicyInputs"];
        };
        /** @description The policies of the platform or of a project. */
        LevelPolicies: {
            /** @description Rises with each change; 1 = never set. */
            version: number;
            /** Format: date-time */
            updatedAt?: string;
            policies: components["schemas"]["Policy"][];
        };
        /** @description The policies of an API. */
        ApiPoliciesInput: {
            api: components["schemas"]["PolicyInputs"];
            /** @description The policies of single operations, by operation id. */
            operations?: {
                [key: string]: components["schemas"]["PolicyInputs"];
            };
        };
        /** @description The policies of an API. */
        ApiPolicies: {
            /** @description Rises with each change; 1 = never set. */
            version: number;
            /** Format: date-time */
            updatedAt?: string;
            api: components["schemas"]["Policy"][];
            operations: {
                [key: string]: components["schemas"]["Policy"][];
            };
            /** @description Operations that have policies here and are not in the API's document any more; gateways get none of them. */
            orphans?: string[];
        };
        /** @description All that a request goes through. */
        EffectivePolicies: {
            items: components["schemas"]["EffectivePolicy"][];
        };
        /** @description A policy and where it comes from. */
        EffectivePolicy: {
            /** @description The policy type. */
            type: string;
            /** @description The name within its list. */
            name?: string;
            /** @description A CEL expression. */
            when?: string;
            /** @description The configuration; secrets are asterisks. */
            config?: {
                [key: string]: unknown;
            };
            /** @description Whether gateways get it. */
            enabled: boolean;
            /**
             * @description The level it is set at.
             * @enum {string}
             */
            level: "platform" | "project" | "api" | "plan" | "operation";
            /**
             * @description What it is there: a policy, the security of a plan, or made of a plan's limits.
             * @enum {string}
             */
            role?: "policy" | "security" | "limit";
            /** @description For people, such as: plan Gold, policy set baseline version 3. */
            source: string;
            /** @description The slug of the policy set that it comes from. */
            set?: string;
            /** @description The version of the set. */
            setVersion?: number;
            /** @description The id of the plan that it comes from. */
            plan?: string;
            /** @description The operation that it comes from. */
            operation?: string;
        };
        /** @description A unit of an API as gateways take it. */
        ValidateInput: {
            /** @description The unit. */
            unit: {
                [key: string]: unknown;
            };
        };
        Validated: {
            /** @description What is wrong, with pointers into the request body. */
            mistakes: components["schemas"]["FieldProblem"][];
        };
        /** @description A policy set. */
        PolicySetInput: {
            /** @description What policies refer to it by; it stays. */
            slug: string;
            /** @description For people. */
            name: string;
            /** @description What it is for. */
            description?: string;
            policies: components["schemas"]["PolicyInputs"];
        };
        /** @description What to change; what is not given stays. */
        PolicySetPatch: {
            /** @description For people. */
            name?: string;
            /** @description What it is for. */
            description?: string | null;
            policies?: components["schemas"]["PolicyInputs"];
        };
        /** @description A named, versioned list of policies. */
        PolicySet: {
            id: string;
            /** @description Rises with each change, for If-Match. */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            slug: string;
            name: string;
            description?: string;
            /** @description Rises when its policies change. */
            setVersion: number;
            policies: components["schemas"]["Policy"][];
        };
        PolicySetList: {
            items: components["schemas"]["PolicySet"][];
            /** @description The cursor of the next page; absent on the last. */
            next?: string;
        };
        /** @description What a policy set was. */
        PolicySetVersion: {
            setVersion: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            policies: components["schemas"]["Policy"][];
        };
        PolicySetVersionList: {
            items: components["schemas"]["PolicySetVersion"][];
            /** @description The cursor of the next page; absent on the last. */
            next?: string;
        };
        PolicySetUses: {
            items: components["schemas"]["PolicySetUse"][];
            /** @description How many more there are in projects that the caller may not read. */
            hidden: number;
        };
        /** @description One place where a policy set is used. */
        PolicySetUse: {
            /** @enum {string} */
            level: "platform" | "project" | "api" | "operation" | "plan";
            /** @description The id of the project. */
            project?: string;
            /** @description The id of the API. */
            api?: string;
            /** @description The operation id. */
            operation?: string;
            /** @description The id of the plan. */
            plan?: string;
        };
        /**
         * @description Only published plans take subscriptions; closed ones are given to gateways no more.
         * @enum {string}
         */
        PlanStatus: "draft" | "published" | "deprecated" | "closed";
        /**
         * @description How callers show who they are.
         * @enum {string}
         */
        SecurityType: "keyless" | "api-key" | "jwt" | "oauth2" | "basic" | "mtls";
        /** @description How callers show who they are. */
        PlanSecurity: {
            type: components["schemas"]["SecurityType"];
            /** @description The configuration of the policy behind it: api-key, jwt, oauth2-introspection, basic-auth or mtls; none for keyless. Secrets are answered as asterisks; sent back like that they stay. */
            config?: {
                [key: string]: unknown;
            };
        };
        /**
         * @description Whether subscriptions are active at once, or when a publisher has approved them.
         * @enum {string}
         */
        PlanApproval: "automatic" | "manual";
        /** @description How many requests each subscription may make in a short time. */
        RateLimit: {
            /**
             * Format: int64
             * @description How many requests.
             */
            limit: number;
            /** @description In how long, such as 1s, 1m or 1h. */
            window: string;
            mode?: components["schemas"]["LimitMode"];
        };
        /** @description How many requests each subscription may make in a long time. */
        Quota: {
            /**
             * Format: int64
             * @description How many requests.
             */
            limit: number;
            /** @description hour, day, week, month or year for a period of the calendar (UTC), or a time such as 30d for one that begins with the first request. */
            window: string;
            mode?: components["schemas"]["LimitMode"];
        };
        /**
         * @description Where is counted: on each gateway by itself, or over all gateways, exactly or fast. Default: local.
         * @enum {string}
         */
        LimitMode: "local" | "exact" | "fast";
        /** @description How often each subscription may call; without one of them there is no such limit. */
        PlanLimits: {
            rateLimit?: components["schemas"]["RateLimit"];
            quota?: components["schemas"]["Quota"];
        };
        /** @description A plan. */
        PlanInput: {
            /** @description Unique within the API; it stays. */
            slug: string;
            /** @description For people. */
            name: string;
            /** @description What consumers are told. */
            description?: string;
            security: components["schemas"]["PlanSecurity"];
            approval?: components["schemas"]["PlanApproval"];
            limits?: components["schemas"]["PlanLimits"];
            policies?: components["schemas"]["PolicyInputs"];
            /** @description A CEL expression over request and caller that must hold for the plan to be chosen. */
            when?: string;
        };
        /** @description What to change of the security. Another type begins with the configuration given here alone. */
        PlanSecurityPatch: {
            type?: components["schemas"]["SecurityType"];
            /** @description The configuration; null takes a field of it away. */
            config?: {
                [key: string]: unknown;
            };
        };
        /** @description What to change; what is not given stays, and null takes away what may be absent. */
        PlanPatch: {
            /** @description For people. */
            name?: string;
            /** @description What consumers are told. */
            description?: string | null;
            security?: components["schemas"]["PlanSecurityPatch"];
            approval?: components["schemas"]["PlanApproval"];
            limits?: components["schemas"]["PlanLimitsPatch"];
            policies?: components["schemas"]["PolicyInputs"];
            /** @description A CEL expression that must hold for the plan to be chosen. */
            when?: string | null;
        };
        /** @description The limits to change; null takes one away. */
        PlanLimitsPatch: {
            /** @description What to change of the rate limit; a new one needs limit and window. */
            rateLimit?: {
                /**
                 * Format: int64
                 * @description How many requests.
                 */
                limit?: number;
                /** @description In how long, such as 1s, 1m or 1h. */
                window?: string;
                mode?: components["schemas"]["LimitMode"];
            } | null;
            /** @description What to change of the quota; a new one needs limit and window. */
            quota?: {
                /**
                 * Format: int64
                 * @description How many requests.
                 */
                limit?: number;
                /** @description A period of the calendar, or a time such as 30d. */
                window?: string;
                mode?: components["schemas"]["LimitMode"];
            } | null;
        } | null;
        /** @description How an API may be consumed. */
        Plan: {
            id: string;
            /** @description Rises with each change, for If-Match. */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description The id of the API. */
            api: string;
            /** @description The id of the API's project. */
            project: string;
            slug: string;
            name: string;
            description?: string;
            security: components["schemas"]["PlanSecurity"];
            approval: components["schemas"]["PlanApproval"];
            limits: components["schemas"]["PlanLimits"];
            policies: components["schemas"]["Policy"][];
            when?: string;
            status: components["schemas"]["PlanStatus"];
            /** @description The place in the order; 1 is the first. */
            position: number;
            /** @description The limits for people, such as: 100 requests per minute. */
            limitTexts: string[];
            /** @description The header that an API key is sent in. */
            keyHeader?: string;
            /** Format: date-time */
            publishedAt?: string;
            /** Format: date-time */
            closedAt?: string;
        };
        PlanList: {
            items: components["schemas"]["Plan"][];
        };
        PlanOrder: {
            /** @description The id of each plan of the API, once. */
            plans: string[];
        };
    };
    responses: {
        /** @description What went wrong. */
        ProblemResponse: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The policies. */
        LevelPoliciesResponse: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["LevelPolicies"];
            };
        };
        /** @description The policies of the API and of its operations. */
        ApiPoliciesResponse: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ApiPolicies"];
            };
        };
        /** @description The policy set. */
        PolicySetResponse: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["PolicySet"];
            };
        };
        /** @description The plan. */
        PlanResponse: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Plan"];
            };
        };
    };
    parameters: {
        /** @description The id of an API. */
        APIParam: string;
        /** @description The id of a project. */
        ProjectParam: string;
        /** @description The id of a policy set. */
        PolicySetParam: string;
        /** @description The id of a plan. */
        PlanParam: string;
        /** @description The version that the change is made from, as ETag has it. Without it the answer is 428; where it is another, 412. Policies that were never set have version "v1". */
        IfMatchParam: string;
        /** @description The version that it is to happen to, as ETag has it; where it is another, the answer is 412, and nothing happens. Without it, it happens to whatever is there. */
        IfMatchOptionalParam: string;
        /** @description Makes sure that a create that is sent again is done once. */
        IdempotencyKeyParam: string;
        /** @description What next of the page before said. */
        CursorParam: string;
        /** @description How many items a page has at most. */
        LimitParam: number;
        /** @description Only items with this text in their name or slug. */
        QParam: string;
        /** @description By what is sorted; a minus sign in front turns the order round. */
        SortParam: "name" | "-name" | "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt";
    };
    requestBodies: {
        LevelPoliciesBody: {
            content: {
                "application/json": components["schemas"]["LevelPoliciesInput"];
            };
        };
    };
    headers: {
        /** @description The version, for If-Match. */
        ETag: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listPolicyTypes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The policy types, by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyTypeList"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    getPolicyType: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The policy type, such as rate-limit. */
                type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The policy type. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyType"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    getPlatformPolicies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["LevelPoliciesResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    putPlatformPolicies: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the change is made from, as ETag has it. Without it the answer is 428; where it is another, 412. Policies that were never set have version "v1". */
                "If-Match"?: components["parameters"]["IfMatchParam"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["LevelPoliciesBody"];
        responses: {
            200: components["responses"]["LevelPoliciesResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    getProjectPolicies: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a project. */
                project: components["parameters"]["ProjectParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["LevelPoliciesResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    putProjectPolicies: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the change is made from, as ETag has it. Without it the answer is 428; where it is another, 412. Policies that were never set have version "v1". */
                "If-Match"?: components["parameters"]["IfMatchParam"];
            };
            path: {
                /** @description The id of a project. */
                project: components["parameters"]["ProjectParam"];
            };
            cookie?: never;
        };
        requestBody: components["requestBodies"]["LevelPoliciesBody"];
        responses: {
            200: components["responses"]["LevelPoliciesResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    getApiPolicies: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["ApiPoliciesResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    putApiPolicies: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the change is made from, as ETag has it. Without it the answer is 428; where it is another, 412. Policies that were never set have version "v1". */
                "If-Match"?: components["parameters"]["IfMatchParam"];
            };
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiPoliciesInput"];
            };
        };
        responses: {
            200: components["responses"]["ApiPoliciesResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    getEffectivePolicies: {
        parameters: {
            query?: {
                /** @description The id of a plan, to see its policies in their place. */
                plan?: string;
                /** @description The id of an operation, to see its policies in their place. */
                operation?: string;
            };
            header?: never;
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The policies in the order in which they act. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EffectivePolicies"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    validateUnit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ValidateInput"];
            };
        };
        responses: {
            /** @description The mistakes; none = a gateway would take it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Validated"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    listPolicySets: {
        parameters: {
            query?: {
                /** @description What next of the page before said. */
                cursor?: components["parameters"]["CursorParam"];
                /** @description How many items a page has at most. */
                limit?: components["parameters"]["LimitParam"];
                /** @description Only items with this text in their name or slug. */
                q?: components["parameters"]["QParam"];
                /** @description By what is sorted; a minus sign in front turns the order round. */
                sort?: components["parameters"]["SortParam"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of policy sets. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicySetList"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    createPolicySet: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sure that a create that is sent again is done once. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKeyParam"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicySetInput"];
            };
        };
        responses: {
            201: components["responses"]["PolicySetResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    getPolicySet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a policy set. */
                policySet: components["parameters"]["PolicySetParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["PolicySetResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    deletePolicySet: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the change is made from, as ETag has it. Without it the answer is 428; where it is another, 412. Policies that were never set have version "v1". */
                "If-Match"?: components["parameters"]["IfMatchParam"];
            };
            path: {
                /** @description The id of a policy set. */
                policySet: components["parameters"]["PolicySetParam"];
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
            default: components["responses"]["ProblemResponse"];
        };
    };
    updatePolicySet: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the change is made from, as ETag has it. Without it the answer is 428; where it is another, 412. Policies that were never set have version "v1". */
                "If-Match"?: components["parameters"]["IfMatchParam"];
            };
            path: {
                /** @description The id of a policy set. */
                policySet: components["parameters"]["PolicySetParam"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["PolicySetPatch"];
                "application/json": components["schemas"]["PolicySetPatch"];
            };
        };
        responses: {
            200: components["responses"]["PolicySetResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    listPolicySetVersions: {
        parameters: {
            query?: {
                /** @description What next of the page before said. */
                cursor?: components["parameters"]["CursorParam"];
                /** @description How many items a page has at most. */
                limit?: components["parameters"]["LimitParam"];
            };
            header?: never;
            path: {
                /** @description The id of a policy set. */
                policySet: components["parameters"]["PolicySetParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of versions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicySetVersionList"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    listPolicySetUses: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a policy set. */
                policySet: components["parameters"]["PolicySetParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The places; those outside of the caller's projects are only counted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicySetUses"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    listPlans: {
        parameters: {
            query?: {
                /** @description Only plans of this status. */
                status?: components["schemas"]["PlanStatus"];
            };
            header?: never;
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All plans of the API. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanList"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    createPlan: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes sure that a create that is sent again is done once. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKeyParam"];
            };
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanInput"];
            };
        };
        responses: {
            201: components["responses"]["PlanResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    orderPlans: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of an API. */
                api: components["parameters"]["APIParam"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlanOrder"];
            };
        };
        responses: {
            /** @description All plans of the API in their new order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanList"];
                };
            };
            default: components["responses"]["ProblemResponse"];
        };
    };
    getPlan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["PlanResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    deletePlan: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the change is made from, as ETag has it. Without it the answer is 428; where it is another, 412. Policies that were never set have version "v1". */
                "If-Match"?: components["parameters"]["IfMatchParam"];
            };
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
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
            default: components["responses"]["ProblemResponse"];
        };
    };
    updatePlan: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the change is made from, as ETag has it. Without it the answer is 428; where it is another, 412. Policies that were never set have version "v1". */
                "If-Match"?: components["parameters"]["IfMatchParam"];
            };
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["PlanPatch"];
                "application/json": components["schemas"]["PlanPatch"];
            };
        };
        responses: {
            200: components["responses"]["PlanResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    publishPlan: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that it is to happen to, as ETag has it; where it is another, the answer is 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptionalParam"];
            };
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["PlanResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    deprecatePlan: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that it is to happen to, as ETag has it; where it is another, the answer is 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptionalParam"];
            };
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["PlanResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
    closePlan: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that it is to happen to, as ETag has it; where it is another, the answer is 412, and nothing happens. Without it, it happens to whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchOptionalParam"];
            };
            path: {
                /** @description The id of a plan. */
                plan: components["parameters"]["PlanParam"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["PlanResponse"];
            default: components["responses"]["ProblemResponse"];
        };
    };
}
