// Generated from services/analysis-manager/openapi.yaml by npm run generate. Do not edit.

export interface paths {
    "/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sums over requests, as a whole, over time and by dimension
         * @description Times are taken in whole minutes: `from` is rounded down, `to` is rounded up. Percentiles are exact to 1 %.
         *     Requests that were recorded as a sample count as many as they stand for.
         */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Requests, newest first */
        get: operations["listRecords"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/records/{requestId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The whole traffic record of one request
         * @description The record as the gateway wrote it, with the decision where one was kept.
         */
        get: operations["getRecord"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/explain/{requestId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why one request was answered as it was */
        get: operations["explainRequest"];
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
        Ids: string[];
        /** @enum {string} */
        Dimension: "api" | "operation" | "application" | "plan" | "status" | "gateway" | "errorCode";
        /** @enum {string} */
        StatusClass: "1xx" | "2xx" | "3xx" | "4xx" | "5xx";
        /** @description Sums over some requests. Durations are in microseconds. */
        Sums: {
            /**
             * Format: int64
             * @description Number of requests.
             */
            requests: number;
            /**
             * Format: int64
             * @description Requests answered with 200 to 299.
             */
            status2xx: number;
            /**
             * Format: int64
             * @description Requests answered with 300 to 399.
             */
            status3xx: number;
            /**
             * Format: int64
             * @description Requests answered with 400 to 499.
             */
            status4xx: number;
            /**
             * Format: int64
             * @description Requests answered with 500 to 599.
             */
            status5xx: number;
            /**
             * Format: int64
             * @description Requests that the gateway itself answered with 400 to 499.
             */
            refused: number;
            /**
             * Format: int64
             * @description Bytes of request bodies.
             */
            requestBytes: number;
            /**
             * Format: int64
             * @description Bytes of response bodies.
             */
            responseBytes: number;
            /**
             * Format: int64
             * @description Duration that half of the requests did not exceed.
             */
            p50Us: number;
            /**
             * Format: int64
             * @description Duration that 95 % of the requests did not exceed.
             */
            p95Us: number;
            /**
             * Format: int64
             * @description Duration that 99 % of the requests did not exceed.
             */
            p99Us: number;
            /**
             * Format: int64
             * @description Longest duration.
             */
            maxUs: number;
            /**
             * Format: int64
             * @description Time spent in the gateway that 95 % of the requests did not exceed.
             */
            gatewayP95Us: number;
        };
        /** @description One step of a series. */
        Point: {
            /**
             * Format: date-time
             * @description Beginning of the step.
             */
            time: string;
        } & components["schemas"]["Sums"];
        /** @description One leader of a dimension. */
        Leader: {
            /** @description Id, name, status or code, by the dimension. */
            key: string;
            /** @description Name for people; as it was in the newest record. */
            name?: string;
            /** @description Id of the API that an operation belongs to. */
            api?: string;
        } & components["schemas"]["Sums"];
        UsageReport: {
            /**
             * Format: date-time
             * @description Beginning of what was counted.
             */
            from: string;
            /**
             * Format: date-time
             * @description End of what was counted; itself not included.
             */
            to: string;
            /**
             * Format: int64
             * @description Length of the steps of the series.
             */
            intervalSeconds?: number;
            total: components["schemas"]["Sums"];
            /** @description One point for each step, without gaps; oldest first. */
            series?: components["schemas"]["Point"][];
            /** @description The leaders of each dimension that was asked for. */
            top?: {
                [key: string]: components["schemas"]["Leader"][];
            };
            /**
             * Format: date-time
             * @description Time of the newest record that is counted; absent where there is none.
             */
            newest?: string;
        };
        /** @description A line of the log of requests. */
        RecordSummary: {
            /** @description Id of the request. */
            requestId: string;
            /**
             * Format: date-time
             * @description When its first byte was read.
             */
            time: string;
            /** @description Request method. */
            method: string;
            /** @description Host asked for. */
            host?: string;
            /** @description Path without the query. */
            path: string;
            /** @description Status answered; 499 where the client left. */
            status: number;
            /**
             * Format: int64
             * @description Whole time, in microseconds.
             */
            durationUs: number;
            /**
             * Format: int64
             * @description Part of it spent in the gateway, in microseconds.
             */
            gatewayUs?: number;
            /** @description Name of the gateway. */
            gateway?: string;
            /** @description Id of the project. */
            project?: string;
            /** @description Id of the environment. */
            environment?: string;
            /** @description Id of the API. */
            api?: string;
            /** @description Name of the API. */
            apiName?: string;
            /** @description Id of the operation. */
            operation?: string;
            /** @description Path template of the operation. */
            template?: string;
            /** @description Id of the plan. */
            plan?: string;
            /** @description Id of the application. */
            application?: string;
            /** @description Name of the application. */
            applicationName?: string;
            /** @description Who caused an error: client, policy, gateway or upstream. */
            errorSource?: string;
            /** @description Code of the problem document. */
            errorCode?: string;
        };
        RecordList: {
            items: components["schemas"]["RecordSummary"][];
            /** @description Cursor of the next page; absent after the last. */
            next?: string;
        };
        /** @description A traffic record as the gateway wrote it; its fields are those of the reference of traffic records. */
        Record: {
            /**
             * Format: date-time
             * @description When its first byte was read.
             */
            time: string;
            /** @description Id of the request. */
            id: string;
            /** @description Request method. */
            method: string;
            /** @description Canonical path. */
            path: string;
            /** @description Status answered. */
            status: number;
            /** @description Why the request was answered so. */
            decision?: {
                [key: string]: unknown;
            };
        } & {
            [key: string]: unknown;
        };
        /** @description One thing that happened to the request, in the order of time. */
        Step: {
            /**
             * @description What it was.
             * @enum {string}
             */
            kind: "received" | "route" | "policy" | "attempt" | "answer";
            /**
             * @description What came of it.
             * @enum {string}
             */
            outcome: "ok" | "refused" | "failed" | "skipped";
            /** @description What happened. */
            sentence: string;
            /** @description What more is known. */
            detail?: string;
            /** @description Instance id of the policy. */
            policy?: string;
            /** @description Type of the policy. */
            policyType?: string;
            /** @description Level at which the policy is configured: platform, project, api, plan or operation. */
            level?: string;
            /** @description Phase of the policy: preflight, inbound, outbound or error. */
            phase?: string;
            /** @description Address of the upstream target. */
            target?: string;
            /**
             * Format: int64
             * @description Time since the request began, in microseconds.
             */
            startUs?: number;
            /**
             * Format: int64
             * @description Time it took, in microseconds.
             */
            durationUs?: number;
            /** @description The policy's own remarks. */
            notes?: {
                [key: string]: string;
            };
        };
        Explanation: {
            /** @description Id of the request. */
            requestId: string;
            /** @description Why the request was answered so, in one sentence that begins with the status. */
            sentence: string;
            /** @description What to do about it; absent where nothing is wrong. */
            fix?: string;
            steps: components["schemas"]["Step"][];
            /** @description Whether the gateway kept the decision of this request; without it there are fewer steps. */
            decided?: boolean;
            record: components["schemas"]["Record"];
        };
        /** @description An error (RFC 9457). */
        Problem: {
            /** @description Reference of the kind of problem. */
            type: string;
            /** @description Summary of the kind of problem. */
            title: string;
            /** @description HTTP status. */
            status: number;
            /** @description What is wrong this time, and how to mend it. */
            detail?: string;
            /** @description Request id. */
            instance?: string;
            /** @description Stable code, made for programs to compare. */
            code: string;
            /** @description Instance id of the policy that refused. */
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
            /** @description JSON pointer of the field. */
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
    };
    parameters: {
        /** @description Beginning of the time asked about. Where absent, usage begins an hour before `to`, and the log of requests with the oldest that is kept. */
        From: string;
        /** @description End of the time asked about, itself not included; now where absent. */
        To: string;
        /** @description Ids of projects, separated by commas. */
        Project: components["schemas"]["Ids"];
        /** @description Ids of environments, separated by commas. */
        Environment: components["schemas"]["Ids"];
        /** @description Ids of APIs, separated by commas. */
        Api: components["schemas"]["Ids"];
        /** @description Ids of operations, separated by commas. */
        Operation: components["schemas"]["Ids"];
        /** @description Ids of applications, separated by commas. */
        Application: components["schemas"]["Ids"];
        /** @description Ids of plans, separated by commas. */
        Plan: components["schemas"]["Ids"];
        /** @description The request id, as in the response's header and in problem documents. */
        RequestId: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getUsage: {
        parameters: {
            query?: {
                /** @description Beginning of the time asked about. Where absent, usage begins an hour before `to`, and the log of requests with the oldest that is kept. */
                from?: components["parameters"]["From"];
                /** @description End of the time asked about, itself not included; now where absent. */
                to?: components["parameters"]["To"];
                /**
                 * @description Length of the steps of the series: a number of minutes, hours or days such as `5m`, `1h` or `1d`; `auto`
                 *     chooses one that gives at most 120 steps. Without it there is no series. At most 1,500 steps are made.
                 */
                interval?: string;
                /** @description Ids of projects, separated by commas. */
                project?: components["parameters"]["Project"];
                /** @description Ids of environments, separated by commas. */
                environment?: components["parameters"]["Environment"];
                /** @description Ids of APIs, separated by commas. */
                api?: components["parameters"]["Api"];
                /** @description Ids of operations, separated by commas. */
                operation?: components["parameters"]["Operation"];
                /** @description Ids of applications, separated by commas. */
                application?: components["parameters"]["Application"];
                /** @description Ids of plans, separated by commas. */
                plan?: components["parameters"]["Plan"];
                /** @description Dimensions whose leaders are wanted, most requests first. */
                top?: components["schemas"]["Dimension"][];
                /** @description How many leaders of each dimension. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sums. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageReport"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRecords: {
        parameters: {
            query?: {
                /** @description Beginning of the time asked about. Where absent, usage begins an hour before `to`, and the log of requests with the oldest that is kept. */
                from?: components["parameters"]["From"];
                /** @description End of the time asked about, itself not included; now where absent. */
                to?: components["parameters"]["To"];
                /** @description Ids of projects, separated by commas. */
                project?: components["parameters"]["Project"];
                /** @description Ids of environments, separated by commas. */
                environment?: components["parameters"]["Environment"];
                /** @description Ids of APIs, separated by commas. */
                api?: components["parameters"]["Api"];
                /** @description Ids of operations, separated by commas. */
                operation?: components["parameters"]["Operation"];
                /** @description Ids of applications, separated by commas. */
                application?: components["parameters"]["Application"];
                /** @description Ids of plans, separated by commas. */
                plan?: components["parameters"]["Plan"];
                /** @description Names of gateways, separated by commas. */
                gateway?: string[];
                /** @description Statuses, separated by commas. */
                status?: number[];
                /** @description Classes of statuses, separated by commas. */
                statusClass?: components["schemas"]["StatusClass"][];
                /** @description Request methods, separated by commas. */
                method?: string[];
                /** @description What the path begins with. */
                pathPrefix?: string;
                /** @description Codes of problem documents, such as `rate-limit-exceeded`, separated by commas. */
                errorCode?: string[];
                /** @description The id of one request. */
                requestId?: string;
                /** @description Only requests that took at least so long, in milliseconds. */
                minDuration?: number;
                /** @description Text that the path, the request id, the error code, or the name of the API or of the application contains. */
                q?: string;
                /** @description The `next` of the page before. */
                cursor?: string;
                /** @description How many at most. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of requests. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getRecord: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The request id, as in the response's header and in problem documents. */
                requestId: components["parameters"]["RequestId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The record. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Record"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    explainRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The request id, as in the response's header and in problem documents. */
                requestId: components["parameters"]["RequestId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One sentence, the steps that led to it, and the record. */
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
}
