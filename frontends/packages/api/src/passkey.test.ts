import { describe, expect, it } from 'vitest'
import { bytesOf, textOf, wasRefused } from './passkey'

describe('passkeys', () => {
  it('writes bytes in base64url and reads them again', () => {
    const all = new Uint8Array(256).map((_, i) => i)
    const text = textOf(all.buffer)
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(bytesOf(text)).toEqual(all)
    expect(textOf(null)).toBe('')
    expect(bytesOf('')).toHaveLength(0)
  })
  it('tells a refusal from a failure', () => {
    expect(wasRefused(new DOMException('no', 'NotAllowedError'))).toBe(true)
    expect(wasRefused(new DOMException('no', 'SecurityError'))).toBe(false)
    expect(wasRefused(new Error('no'))).toBe(false)
  })
})
