/**
 * The nonce of this page load, for the few libraries that make style elements.
 * The server writes it into the page; browsers hide it from the attribute.
 */
export function nonce(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')
  return meta?.nonce || meta?.getAttribute('nonce') || ''
}
