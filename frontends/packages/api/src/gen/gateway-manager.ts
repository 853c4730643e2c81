// Generated from services/gateway-manager/openapi.yaml by npm run generate. Do not edit.

export interface paths {
    "/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the projects that the caller may see */
        get: operations["listProjects"];
        put?: never;
        /** Make a project */
        post: operations["createProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/projects/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Read a project */
        get: operations["getProject"];
        put?: never;
        post?: never;
        /** Delete a project that has no APIs */
        delete: operations["deleteProject"];
        options?: never;
        head?: never;
        /** Change a project */
        patch: operations["updateProject"];
        trace?: never;
    };
    "/environments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the environments, in their order */
        get: operations["listEnvironments"];
        put?: never;
        /** Make an environment */
        post: operations["createEnvironment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/environments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Read an environment */
        get: operations["getEnvironment"];
        put?: never;
        post?: never;
        /** Delete an environment that has no gateway groups */
        delete: operations["deleteEnvironment"];
        options?: never;
        head?: never;
        /** Change an environment */
        patch: operations["updateEnvironment"];
        trace?: never;
    };
    "/gateway-groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the gateway groups */
        get: operations["listGatewayGroups"];
        put?: never;
        /** Make a gateway group */
        post: operations["createGatewayGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gateway-groups/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Read a gateway group */
        get: operations["getGatewayGroup"];
        put?: never;
        post?: never;
        /** Delete a gateway group without gateways that are online */
        delete: operations["deleteGatewayGroup"];
        options?: never;
        head?: never;
        /** Change a gateway group */
        patch: operations["updateGatewayGroup"];
        trace?: never;
    };
    "/gateway-groups/{id}/join-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** List a group's join tokens, without the tokens themselves */
        get: operations["listJoinTokens"];
        put?: never;
        /**
         * Make a join token; it is shown once
         * @description A gateway uses it at each of its starts and with each report, until it expires or is deleted.
         */
        post: operations["createJoinToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gateway-groups/{id}/join-tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the join token. */
                token: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a join token */
        delete: operations["deleteJoinToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gateways": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the gateways */
        get: operations["listGateways"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gateways/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Read a gateway */
        get: operations["getGateway"];
        put?: never;
        post?: never;
        /** Forget a gateway that is lost or offline */
        delete: operations["deleteGateway"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the APIs that the caller may see */
        get: operations["listApis"];
        put?: never;
        /** Make an API without an OpenAPI document */
        post: operations["createApi"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make an API of an OpenAPI document
         * @description Takes OpenAPI 3.0 and 3.1 and Swagger 2, which is converted, in JSON or YAML. Name, version, base path and upstream come from the document where they are not given. Several environments may later serve it from other addresses.
         */
        post: operations["importApi"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Read an API */
        get: operations["getApi"];
        put?: never;
        post?: never;
        /** Delete an API that is deployed nowhere */
        delete: operations["deleteApi"];
        options?: never;
        head?: never;
        /** Change an API's draft */
        patch: operations["updateApi"];
        trace?: never;
    };
    "/apis/{id}/document": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Read the draft's OpenAPI document, as JSON */
        get: operations["getApiDocument"];
        /** Replace the draft's OpenAPI document */
        put: operations["putApiDocument"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/operations": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** List the draft's operations, by path and method */
        get: operations["listApiOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/publish": {
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
        /** Show the API in the developer portal */
        post: operations["publishApi"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/unpublish": {
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
        /** Take the API out of the developer portal */
        post: operations["unpublishApi"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** List an API's revisions, newest first */
        get: operations["listRevisions"];
        put?: never;
        /**
         * Make a revision of the draft
         * @description Takes the draft with the policies and plans as they are now. It is refused where a gateway would not accept it. Where nothing has changed since the latest revision, that one is answered.
         */
        post: operations["createRevision"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/revisions/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The number of the revision. */
                number: components["parameters"]["Number"];
            };
            cookie?: never;
        };
        /** Read a revision */
        get: operations["getRevision"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/revisions/{number}/document": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The number of the revision. */
                number: components["parameters"]["Number"];
            };
            cookie?: never;
        };
        /** Read a revision's OpenAPI document, as JSON */
        get: operations["getRevisionDocument"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Say what is different between two states of an API */
        get: operations["diffApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/deployments": {
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
         * Deploy a revision to an environment
         * @description Without a revision, one is made of the draft first. Rolling back is deploying an older revision. The answer comes before gateways have it: follow the deployment.
         */
        post: operations["deployApi"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/apis/{id}/deployments/{environment}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id or slug of the environment. */
                environment: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take an API out of an environment */
        delete: operations["undeployApi"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deployments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List deployments, newest first */
        get: operations["listDeployments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deployments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** Read a deployment with what each gateway has made of it */
        get: operations["getDeployment"];
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
        /** @description An RFC 9457 problem document. */
        Problem: {
            /** @description A URI reference that identifies the problem type. */
            type: string;
            /** @description The summary of the problem type. */
            title: string;
            /** @description The HTTP status. */
            status: number;
            /** @description A stable code for programs to compare. */
            code: string;
            /** @description What is wrong this time, and how to mend it. */
            detail?: string;
            /** @description The request id. */
            instance?: string;
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
        /** @description One field at fault. */
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
        /** @description A team's workspace. */
        Project: {
            id: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            /** @description The id of who made it. */
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            slug: components["schemas"]["Slug"];
            name: string;
            description: string;
            /**
             * Format: int64
             * @description How many APIs it has.
             */
            apiCount: number;
        };
        ProjectList: {
            items: components["schemas"]["Project"][];
            next?: string;
        };
        ProjectCreate: {
            slug: components["schemas"]["Slug"];
            name: string;
            description?: string;
        };
        ProjectPatch: {
            name?: string;
            description?: string;
        };
        /** @description A short name in addresses. It never changes. */
        Slug: string;
        /** @description An ordered stage of the organization. */
        Environment: {
            id: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            slug: components["schemas"]["Slug"];
            name: string;
            /** @description Its place; APIs go from lower to higher. */
            order: number;
            /** @description Whether real consumers depend on it. */
            production: boolean;
        };
        EnvironmentList: {
            items: components["schemas"]["Environment"][];
            next?: string;
        };
        EnvironmentCreate: {
            slug: components["schemas"]["Slug"];
            name: string;
            /** @description By default after the last. */
            order?: number;
            /** @default false */
            production?: boolean;
        };
        EnvironmentPatch: {
            name?: string;
            order?: number;
            production?: boolean;
        };
        /** @description Gateways of one environment that serve the same configuration. */
        GatewayGroup: {
            id: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            slug: components["schemas"]["Slug"];
            name: string;
            /** @description The id of its environment. */
            environment: string;
            environmentName: string;
            visibility: components["schemas"]["Visibility"];
            /** @description The ids of the projects it serves; none = all. */
            projects: string[];
            /** @description What consumers call, such as https://api.example.com. */
            publicUrl: string;
            manifest: components["schemas"]["ManifestState"];
            gateways: components["schemas"]["GatewayCounts"];
            /**
             * Format: int64
             * @description How many APIs it serves.
             */
            apiCount: number;
        };
        /**
         * @description Whether the portal shows the group's address to everybody.
         * @enum {string}
         */
        Visibility: "public" | "private";
        /** @description The newest configuration of the group. */
        ManifestState: {
            /** @description The history that versions count in. */
            epoch: string;
            /**
             * Format: int64
             * @description 0 = nothing was published yet.
             */
            version: number;
            /** Format: date-time */
            publishedAt?: string;
            /** @description Whether a newer one is being made. */
            pending?: boolean;
            /** @description Why publishing does not succeed at the moment. */
            problem?: string;
        };
        GatewayCounts: {
            healthy: number;
            stale: number;
            lost: number;
            offline: number;
        };
        GatewayGroupList: {
            items: components["schemas"]["GatewayGroup"][];
            next?: string;
        };
        GatewayGroupCreate: {
            slug: components["schemas"]["Slug"];
            name: string;
            environment: string;
            visibility?: components["schemas"]["Visibility"];
            projects?: string[];
            publicUrl?: string;
        };
        GatewayGroupPatch: {
            name?: string;
            visibility?: components["schemas"]["Visibility"];
            projects?: string[];
            publicUrl?: string;
        };
        JoinToken: {
            id: string;
            name: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            expiresAt?: string;
            /** Format: date-time */
            lastUsedAt?: string;
            /** @description The end of the token, to tell it apart. */
            last4: string;
        };
        JoinTokenList: {
            items: components["schemas"]["JoinToken"][];
        };
        JoinTokenCreate: {
            name: string;
            /**
             * Format: date-time
             * @description By default never.
             */
            expiresAt?: string;
        };
        JoinTokenCreated: {
            id: string;
            name: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            expiresAt?: string;
            /** Format: date-time */
            lastUsedAt?: string;
            last4: string;
            /** @description The token itself. It is not shown again. */
            token: string;
        };
        /**
         * @description healthy = it reported within 25 s; stale = within a minute; lost = it has not reported for longer; offline = it said that it stops.
         * @enum {string}
         */
        GatewayState: "healthy" | "stale" | "lost" | "offline";
        /** @description What a gateway found wrong with a part of its configuration. */
        GatewayIssue: {
            /** @description What it is about, such as api. */
            kind: string;
            /** @description Which: the API's id. */
            name: string;
            pointer?: string;
            detail: string;
            /**
             * @description What answers meanwhile.
             * @enum {string}
             */
            serving: "previous" | "none";
        };
        /** @description One running instance of a group. */
        Gateway: {
            id: string;
            name: string;
            group: string;
            groupName: string;
            environment: string;
            environmentName: string;
            state: components["schemas"]["GatewayState"];
            /**
             * Format: int64
             * @description The version of the manifest that it serves.
             */
            appliedVersion: number;
            /**
             * Format: int64
             * @description The newest version of the group's manifest.
             */
            desiredVersion: number;
            build: string;
            listeners?: string[];
            /**
             * Format: date-time
             * @description When it joined first.
             */
            createdAt: string;
            /** Format: date-time */
            startedAt: string;
            /** Format: date-time */
            lastSeenAt: string;
            /**
             * Format: int64
             * @description By how much its clock is ahead of ours.
             */
            clockSkewMs: number;
            issues: components["schemas"]["GatewayIssue"][];
            /**
             * Format: int64
             * @description Requests under way.
             */
            inFlight: number;
            /**
             * Format: int64
             * @description Requests since its start.
             */
            requests: number;
            /**
             * Format: int64
             * @description Bytes that the process holds.
             */
            memory: number;
            /** @description How many APIs it serves. */
            apis: number;
        };
        GatewayList: {
            items: components["schemas"]["Gateway"][];
            next?: string;
        };
        /** @description An API as it is being edited, and where which revision of it is deployed. */
        Api: {
            id: string;
            /** Format: int64 */
            version: number;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description The id of its project. */
            project: string;
            slug: components["schemas"]["Slug"];
            name: string;
            /** @description The API's own version, such as 1.0.3. */
            apiVersion: string;
            description: string;
            basePath: string;
            hosts: string[];
            stripPath: boolean;
            paths?: components["schemas"]["Paths"];
            upstreams: components["schemas"]["Upstream"][];
            /** @description Whether the developer portal shows it. */
            published: boolean;
            /** @description Whether no new subscriptions are made. */
            deprecated: boolean;
            document?: components["schemas"]["DocumentInfo"];
            operationCount: number;
            draft: components["schemas"]["DraftState"];
            /**
             * Format: int64
             * @description 0 = there is none yet.
             */
            latestRevision: number;
            deployments: components["schemas"]["ApiDeployment"][];
        };
        /** @description Facts of the draft's OpenAPI document. */
        DocumentInfo: {
            /** @description Such as openapi 3.0.3. */
            format: string;
            title: string;
            /** @description Bytes as JSON. */
            size: number;
            hash: string;
        };
        /** @description How the draft differs from the latest revision. */
        DraftState: {
            /** @description Whether it differs, policies and plans included; true also where there is no revision. */
            changed: boolean;
            /** @description How many changes; only where one API is read. */
            changes?: number;
            /**
             * Format: int64
             * @description The revision it is compared with.
             */
            since?: number;
        };
        /** @description What is deployed in one environment. */
        ApiDeployment: {
            environment: string;
            environmentName: string;
            /** @description The id of the newest deployment there. */
            deployment: string;
            /** Format: int64 */
            revision: number;
            state: components["schemas"]["DeploymentState"];
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** @description Where it can be called. */
            urls: string[];
        };
        ApiList: {
            items: components["schemas"]["Api"][];
            next?: string;
        };
        ApiCreate: {
            project: string;
            slug?: components["schemas"]["Slug"];
            name: string;
            apiVersion?: string;
            description?: string;
            basePath: components["schemas"]["BasePath"];
            hosts?: components["schemas"]["Hosts"];
            /**
             * @description Whether the base path is removed before the request is sent on.
             * @default true
             */
            stripPath?: boolean;
            paths?: components["schemas"]["Paths"];
            upstreams: components["schemas"]["Upstream"][];
            operations?: components["schemas"]["OperationInput"][];
        };
        ApiPatch: {
            name?: string;
            apiVersion?: string;
            description?: string;
            basePath?: components["schemas"]["BasePath"];
            hosts?: components["schemas"]["Hosts"];
            stripPath?: boolean;
            paths?: components["schemas"]["Paths"];
            upstreams?: components["schemas"]["Upstream"][];
            /** @description Only for APIs without a document. */
            operations?: components["schemas"]["OperationInput"][];
            deprecated?: boolean;
        };
        /** @description Where the API begins, such as /petstore/v1; / = everywhere. */
        BasePath: string;
        /** @description Exact names or wildcards such as *.example.com; none = any host. */
        Hosts: string[];
        OperationInput: {
            /** @description By default method and path. */
            id?: string;
            /** @description Such as GET; * = any. */
            method: string;
            /** @description A template below the base path, such as /items/{id}. */
            path: string;
            summary?: string;
            /** @description The name of an upstream; by default the first. */
            upstream?: string;
        };
        /** @description Either document or url. */
        ApiImport: {
            project: string;
            /** @description The OpenAPI document, in JSON or YAML. */
            document?: string;
            /** @description Where the document is to be fetched. */
            url?: string;
            name?: string;
            slug?: components["schemas"]["Slug"];
            basePath?: components["schemas"]["BasePath"];
            hosts?: components["schemas"]["Hosts"];
            /** @default true */
            stripPath?: boolean;
            upstream?: components["schemas"]["Upstream"];
            /**
             * @description Make nothing, only say what would be made.
             * @default false
             */
            dryRun?: boolean;
        };
        ApiImported: {
            api: components["schemas"]["Api"];
            /** @description How many operations the document has. */
            operations: number;
            warnings: components["schemas"]["ImportWarning"][];
        };
        /** @description Something of the document to know of. */
        ImportWarning: {
            code: string;
            /** @description The JSON pointer in the document. */
            pointer?: string;
            detail: string;
        };
        /** @description An OpenAPI document. */
        Document: Record<string, never>;
        DocumentPut: {
            /** @description The OpenAPI document, in JSON or YAML. */
            document: string;
            /** @default false */
            dryRun?: boolean;
        };
        Operation: {
            id: string;
            method: string;
            path: string;
            summary?: string;
            tags?: string[];
            deprecated?: boolean;
            upstream?: string;
        };
        OperationList: {
            items: components["schemas"]["Operation"][];
        };
        /** @description An immutable numbered state of an API. */
        Revision: {
            api: string;
            /** Format: int64 */
            number: number;
            /** @description The content's. */
            hash: string;
            message: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            name: string;
            apiVersion: string;
            basePath?: string;
            operationCount: number;
            policyCount: number;
            plans: components["schemas"]["RevisionPlan"][];
            /** @description The ids of the environments where it is deployed. */
            environments: string[];
        };
        RevisionPlan: {
            id: string;
            name: string;
        };
        RevisionList: {
            items: components["schemas"]["Revision"][];
            next?: string;
        };
        RevisionCreate: {
            /** @description What is new in it. */
            message?: string;
        };
        Diff: {
            /** @description Which state it is, such as revision 3. */
            from: string;
            to: string;
            /** @description How many changes may break callers. */
            breaking: number;
            changes: components["schemas"]["Change"][];
            raw?: components["schemas"]["DiffRaw"];
        };
        DiffRaw: {
            /** @description JSON, indented. */
            before: string;
            after: string;
        };
        /** @description One difference. */
        Change: {
            /** @enum {string} */
            kind: "added" | "removed" | "changed";
            /** @enum {string} */
            area?: "operation" | "schema" | "routing" | "upstream" | "policy" | "plan" | "information";
            /** @description Where, such as GET /pets/{id}. */
            path: string;
            /** @description A sentence for people. */
            summary: string;
            before?: string;
            after?: string;
            /** @description Whether callers that are right today may fail with it. */
            breaking: boolean;
        };
        /**
         * @description publishing = it is on its way to gateways; applying = some gateways do not have it yet; live = every gateway has it; failed = a gateway could not take it; superseded = another deployment has taken its place.
         * @enum {string}
         */
        DeploymentState: "publishing" | "applying" | "live" | "failed" | "superseded";
        Deployment: {
            id: string;
            api: string;
            apiName: string;
            project: string;
            environment: string;
            environmentName: string;
            /** @enum {string} */
            action: "deploy" | "undeploy";
            /** Format: int64 */
            revision: number;
            /**
             * Format: int64
             * @description What was deployed there before; 0 = nothing.
             */
            previousRevision?: number;
            state: components["schemas"]["DeploymentState"];
            message: string;
            /** @description Why it is not getting on. */
            problem?: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: string;
            /** Format: date-time */
            liveAt?: string;
            groups: components["schemas"]["DeploymentGroup"][];
            gateways: components["schemas"]["DeploymentGateway"][];
            /** @description Where the API can be called once it is live. */
            urls?: string[];
        };
        /** @description The gateway group that it went to, and the version of the manifest that has it. */
        DeploymentGroup: {
            group: string;
            name: string;
            /**
             * Format: int64
             * @description 0 = not published yet.
             */
            manifestVersion: number;
        };
        DeploymentGateway: {
            gateway: string;
            name: string;
            group: string;
            /**
             * @description away = it does not report at the moment.
             * @enum {string}
             */
            state: "pending" | "applied" | "issue" | "away";
            /** @description What is the matter with it. */
            detail?: string;
        };
        DeploymentList: {
            items: components["schemas"]["Deployment"][];
            next?: string;
        };
        DeploymentCreate: {
            /** @description The id or slug. */
            environment: string;
            /**
             * Format: int64
             * @description By default one is made of the draft.
             */
            revision?: number;
            message?: string;
        };
        /** @description Loosens how strictly paths are taken. The upstream must read such paths as the gateway does. */
        Paths: {
            /** @description Lets %2F through, which stays encoded. */
            allowEncodedSlash?: boolean;
            /** @description Lets %5C through, which stays encoded. */
            allowEncodedBackslash?: boolean;
            /** @description Lets %25 through, which stays encoded. */
            allowEncodedPercent?: boolean;
            /** @description Lets ; through as a part of its segment. */
            allowParameters?: boolean;
            /** @description Lets // through as it is. */
            allowEmptySegments?: boolean;
            /** @description Makes one slash of //. */
            mergeSlashes?: boolean;
            /** @description Makes /items and /items/ the same. */
            ignoreTrailingSlash?: boolean;
        };
        /** @description A named set of targets with load balancing and health checks. Durations are texts such as 150ms, 2s or 5m. */
        Upstream: {
            /** @description By default, default. */
            name?: string;
            /** @enum {string} */
            protocol?: "http1" | "h2" | "h2c" | "auto";
            targets: {
                /** @description Such as http://orders:8080. */
                url: string;
                weight?: number;
                priority?: number;
            }[];
            balance?: {
                /** @enum {string} */
                algorithm?: "round-robin" | "least-connections" | "p2c" | "hash" | "random";
                /** @description header:NAME, cookie:NAME, query:NAME, path or ip. */
                hashOn?: string;
            };
            health?: {
                active?: {
                    path: string;
                    method?: string;
                    host?: string;
                    interval?: string;
                    timeout?: string;
                    healthy?: number;
                    unhealthy?: number;
                    statuses?: number[];
                };
                passive?: {
                    consecutive?: number;
                    failurePercent?: number;
                    minRequests?: number;
                    window?: string;
                    statuses?: number[];
                    ejection?: string;
                    maxEjection?: string;
                    maxEjectedPercent?: number;
                };
                panicThreshold?: number;
            };
            timeouts?: {
                connect?: string;
                header?: string;
                total?: string;
                idle?: string;
            };
            retries?: {
                attempts?: number;
                on?: string[];
                nonIdempotent?: boolean;
                perTry?: string;
                backoff?: string;
                maxBackoff?: string;
                budgetPercent?: number;
                budgetMin?: number;
            };
            tls?: {
                /** @description PEM. */
                ca?: string;
                /** @description PEM, or a reference to it such as vault:mount/path#field, which gateways read. */
                certificate?: string;
                /** @description PEM, which is not shown again and stays where the certificate does; or a reference to it, which is shown. */
                key?: string;
                serverName?: string;
                /** @enum {string} */
                minVersion?: "1.2" | "1.3";
                insecureSkipVerify?: boolean;
            };
            /** @description What the gateway sends so that the upstream knows it: one of basic, bearer and header. It replaces what the client sent in that field, after all policies. A secret is answered as asterisks; sent back like that it stays, as long as the targets do. In its place a reference can stand, such as vault:mount/path#field, which gateways read. */
            auth?: {
                basic?: {
                    username: string;
                    password: string;
                };
                bearer?: string;
                header?: {
                    /** @description Such as X-API-Key. */
                    name: string;
                    value: string;
                };
            };
            pool?: {
                maxConns?: number;
                maxIdle?: number;
                idle?: string;
            };
            dns?: {
                maxTTL?: string;
                minTTL?: string;
            };
            /** @description The Host header sent: target (the default), client, or a name. */
            host?: string;
        };
    };
    responses: {
        /** @description What went wrong, and how to mend it. */
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
        /** @description The id. */
        Id: string;
        /** @description The number of the revision. */
        Number: number;
        /** @description The next of the page before. */
        Cursor: string;
        /** @description How many at most. */
        Limit: number;
        /** @description The field to sort by, such as name; with - before it, descending. */
        Sort: string;
        /** @description Only what has this text in its names. */
        Q: string;
        /** @description The ETag of the version that was read. Missing it is answered 428. */
        IfMatch: string;
        /** @description The ETag of the version that it is to happen to: another one is answered 412, and nothing happens. Without it, it happens to whatever is there. */
        IfMatchOptional: string;
        /** @description A text of the caller's, such as a UUID, that makes a repetition of the request harmless for a day. */
        IdempotencyKey: string;
    };
    requestBodies: never;
    headers: {
        /** @description The version, for If-Match. */
        ETag: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listProjects: {
        parameters: {
            query?: {
                /** @description The next of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The field to sort by, such as name; with - before it, descending. */
                sort?: components["parameters"]["Sort"];
                /** @description Only what has this text in its names. */
                q?: components["parameters"]["Q"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of projects. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's, such as a UUID, that makes a repetition of the request harmless for a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectCreate"];
            };
        };
        responses: {
            /** @description The project. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getProject: {
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
            /** @description The project. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["ProjectPatch"];
                "application/json": components["schemas"]["ProjectPatch"];
            };
        };
        responses: {
            /** @description The project. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listEnvironments: {
        parameters: {
            query?: {
                /** @description The next of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The field to sort by, such as name; with - before it, descending. */
                sort?: components["parameters"]["Sort"];
                /** @description Only what has this text in its names. */
                q?: components["parameters"]["Q"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of environments. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnvironmentList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createEnvironment: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's, such as a UUID, that makes a repetition of the request harmless for a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnvironmentCreate"];
            };
        };
        responses: {
            /** @description The environment. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Environment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getEnvironment: {
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
            /** @description The environment. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Environment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteEnvironment: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateEnvironment: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["EnvironmentPatch"];
                "application/json": components["schemas"]["EnvironmentPatch"];
            };
        };
        responses: {
            /** @description The environment. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Environment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listGatewayGroups: {
        parameters: {
            query?: {
                /** @description Only groups of this environment, by id. */
                environment?: string;
                /** @description The next of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The field to sort by, such as name; with - before it, descending. */
                sort?: components["parameters"]["Sort"];
                /** @description Only what has this text in its names. */
                q?: components["parameters"]["Q"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of gateway groups. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayGroupList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createGatewayGroup: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's, such as a UUID, that makes a repetition of the request harmless for a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GatewayGroupCreate"];
            };
        };
        responses: {
            /** @description The gateway group. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayGroup"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getGatewayGroup: {
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
            /** @description The gateway group. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayGroup"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteGatewayGroup: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateGatewayGroup: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["GatewayGroupPatch"];
                "application/json": components["schemas"]["GatewayGroupPatch"];
            };
        };
        responses: {
            /** @description The gateway group. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayGroup"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listJoinTokens: {
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
            /** @description All join tokens of the group. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JoinTokenList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createJoinToken: {
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
                "application/json": components["schemas"]["JoinTokenCreate"];
            };
        };
        responses: {
            /** @description The join token. It cannot be read again. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JoinTokenCreated"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteJoinToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id of the join token. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listGateways: {
        parameters: {
            query?: {
                /** @description Only gateways of this group, by id. */
                group?: string;
                /** @description Only gateways in this state. */
                state?: components["schemas"]["GatewayState"];
                /** @description The next of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The field to sort by, such as name; with - before it, descending. */
                sort?: components["parameters"]["Sort"];
                /** @description Only what has this text in its names. */
                q?: components["parameters"]["Q"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of gateways. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getGateway: {
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
            /** @description The gateway. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gateway"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteGateway: {
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
            /** @description Forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listApis: {
        parameters: {
            query?: {
                /** @description Only APIs of this project, by id. */
                project?: string;
                /** @description Only APIs that are so. */
                status?: "published" | "unpublished" | "deprecated" | "deployed" | "undeployed";
                /** @description The next of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description How many at most. */
                limit?: components["parameters"]["Limit"];
                /** @description The field to sort by, such as name; with - before it, descending. */
                sort?: components["parameters"]["Sort"];
                /** @description Only what has this text in its names. */
                q?: components["parameters"]["Q"];
            };
            header?: never;
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
                    "application/json": components["schemas"]["ApiList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createApi: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's, such as a UUID, that makes a repetition of the request harmless for a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiCreate"];
            };
        };
        responses: {
            /** @description The API. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Api"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    importApi: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's, such as a UUID, that makes a repetition of the request harmless for a day. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiImport"];
            };
        };
        responses: {
            /** @description What would be made, as asked for by dryRun. The id of the API is empty. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiImported"];
                };
            };
            /** @description The API that was made. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiImported"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getApi: {
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
            /** @description The API. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Api"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteApi: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updateApi: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["ApiPatch"];
                "application/json": components["schemas"]["ApiPatch"];
            };
        };
        responses: {
            /** @description The API. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Api"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getApiDocument: {
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
            /** @description The document. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Document"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    putApiDocument: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the version that was read. Missing it is answered 428. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DocumentPut"];
            };
        };
        responses: {
            /** @description The API with the new document. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiImported"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listApiOperations: {
        parameters: {
            query?: {
                /** @description Only what has this text in its names. */
                q?: components["parameters"]["Q"];
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
            /** @description All operations. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    publishApi: {
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
            /** @description The API. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Api"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    unpublishApi: {
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
            /** @description The API. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Api"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRevisions: {
        parameters: {
            query?: {
                /** @description The next of the page before. */
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
            /** @description A page of revisions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevisionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createRevision: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's, such as a UUID, that makes a repetition of the request harmless for a day. */
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
                "application/json": components["schemas"]["RevisionCreate"];
            };
        };
        responses: {
            /** @description The latest revision, which is the same as the draft. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revision"];
                };
            };
            /** @description The new revision. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revision"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getRevision: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The number of the revision. */
                number: components["parameters"]["Number"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The revision. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revision"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getRevisionDocument: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The number of the revision. */
                number: components["parameters"]["Number"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Document"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    diffApi: {
        parameters: {
            query?: {
                /** @description The number of a revision, "draft", "latest", or "deployed:" and the id or slug of an environment. By default "latest". */
                from?: string;
                /** @description As from. By default "draft". */
                to?: string;
                /** @description Whether to answer both states whole, too. */
                raw?: boolean;
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
            /** @description The differences. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Diff"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deployApi: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's, such as a UUID, that makes a repetition of the request harmless for a day. */
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
                "application/json": components["schemas"]["DeploymentCreate"];
            };
        };
        responses: {
            /** @description The deployment. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deployment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    undeployApi: {
        parameters: {
            query?: never;
            header?: {
                /** @description The number of the revision that is to be taken out, as "v7": where another one is deployed there the answer is 412, and nothing happens. Without it, whatever is there is taken out. */
                "If-Match"?: string;
            };
            path: {
                /** @description The id. */
                id: components["parameters"]["Id"];
                /** @description The id or slug of the environment. */
                environment: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The deployment that removes it. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deployment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listDeployments: {
        parameters: {
            query?: {
                /** @description Only those of this API, by id. */
                api?: string;
                /** @description Only those in this environment, by id. */
                environment?: string;
                /** @description Only those in this state. */
                state?: components["schemas"]["DeploymentState"];
                /** @description The next of the page before. */
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
            /** @description A page of deployments, without their gateways. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeploymentList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getDeployment: {
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
            /** @description The deployment. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deployment"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
