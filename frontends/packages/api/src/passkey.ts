/** Passkeys: what the server asks for and what the browser gives, bytes in base64url (WebAuthn section 5.1). */

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
  const out = new Uint8Array(plain.length)
  for (let i = 0; i < plain.length; i++) out[i] = plain.charCodeAt(i)
  return out
}

export function textOf(bytes: ArrayBuffer | null | undefined): string {
  if (!bytes) return ''
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

/** Whether this browser, at this address, has passkeys at all. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && window.isSecureContext
}

interface Described {
  id: string
  type: 'public-key'
  transports?: AuthenticatorTransport[]
}
function described(list: unknown): PublicKeyCredentialDescriptor[] {
  return ((list ?? []) as Described[]).map((d) => ({ ...d, id: bytesOf(d.id) }))
}

type Options = { publicKey?: Record<string, unknown> }

/** Makes a passkey. It throws a DOMException where the person or the browser refuses. */
export async function createPasskey(options: Options): Promise<Record<string, unknown>> {
  const o = options.publicKey as unknown as PublicKeyCredentialCreationOptions & { challenge: unknown; user: { id: unknown } }
  const made = (await navigator.credentials.create({
    publicKey: {
      ...o,
      challenge: bytesOf(String(o.challenge)),
      user: { ...o.user, id: bytesOf(String(o.user.id)) },
      excludeCredentials: described(o.excludeCredentials),
    },
  })) as PublicKeyCredential
  const r = made.response as AuthenticatorAttestationResponse
  return {
    id: made.id,
    rawId: textOf(made.rawId),
    type: made.type,
    ...(made.authenticatorAttachment ? { authenticatorAttachment: made.authenticatorAttachment } : {}),
    clientExtensionResults: {},
    response: { clientDataJSON: textOf(r.clientDataJSON), attestationObject: textOf(r.attestationObject), transports: r.getTransports?.() ?? [] },
  }
}

/** Signs with a passkey. It throws a DOMException where the person or the browser refuses. */
export async function signWithPasskey(options: Options): Promise<Record<string, unknown>> {
  const o = options.publicKey as unknown as PublicKeyCredentialRequestOptions & { challenge: unknown }
  const given = (await navigator.credentials.get({
    publicKey: { ...o, challenge: bytesOf(String(o.challenge)), allowCredentials: described(o.allowCredentials) },
  })) as PublicKeyCredential
  const r = given.response as AuthenticatorAssertionResponse
  return {
    id: given.id,
    rawId: textOf(given.rawId),
    type: given.type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: textOf(r.clientDataJSON),
      authenticatorData: textOf(r.authenticatorData),
      signature: textOf(r.signature),
      ...(r.userHandle ? { userHandle: textOf(r.userHandle) } : {}),
    },
  }
}

/** Whether the person turned the browser's question down, or nothing fitting was there. */
export function wasRefused(error: unknown): boolean {
  return error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError')
}
