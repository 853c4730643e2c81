/**
 * The codes that the authorization server leads to the error page with (RFC 6749
 * section 4.1.2.1 and what is built on it). The address of that page is anyone's to
 * write: it shows nothing of it but its own words for these, and an id of a request.
 */
const CODES = ['invalid_request', 'invalid_client', 'unauthorized_client', 'access_denied', 'unsupported_response_type', 'invalid_scope', 'server_error', 'temporarily_unavailable', 'slow_down'] as const

export type FailedCode = (typeof CODES)[number]

/** The code that an address names, where it is one of ours. */
export function codeOf(value: unknown): FailedCode | undefined {
  return CODES.find((code) => code === value)
}

/** The id of a request that an address names, where it looks as ours do. */
export function requestOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) ? value : undefined
}
