import { describe, expect, it } from 'vitest'
import { address, languages } from './samples'

const tricky = { method: 'POST', url: 'http://api.example/o?q=it%27s', headers: [{ name: 'X-API-Key', value: `a'b"c#{d}` }], body: '{\n  "note": "it\'s $5 `now`"\n}' }
const code = (id: string, r = tricky) => languages.find((l) => l.id === id)!.code(r)

describe('samples', () => {
  it('are there in eight languages', () => {
    expect(languages.map((l) => l.id)).toEqual(['curl', 'javascript', 'python', 'go', 'java', 'csharp', 'php', 'ruby'])
  })
  it('name method, address, header and body in each', () => {
    for (const l of languages) {
      const text = l.code(tricky)
      expect(text, l.id).toMatch(/POST|Post/)
      expect(text, l.id).toContain('api.example')
      expect(text, l.id).toContain('X-API-Key')
      expect(text, l.id).toContain('note')
      expect(l.code({ method: 'GET', url: 'http://x/', headers: [] }), l.id).not.toContain('undefined')
    }
  })
  it('quote for a shell', () => {
    expect(code('curl')).toContain(`-H 'X-API-Key: a'\\''b"c#{d}'`)
    expect(code('curl', { ...tricky, method: 'GET', body: '' })).not.toContain('-X')
  })
  it('quote for each language', () => {
    expect(code('ruby')).toContain('a\'b\\"c\\#{d}')
    expect(code('php')).toContain(`a\\'b"c#{d}`)
    expect(code('go')).toContain('\\"note\\"')
  })
})

it('puts an address together', () => {
  expect(address('http://x/base/', '/a', [{ name: 'q', value: 'ü &' }])).toBe('http://x/base/a?q=%C3%BC%20%26')
  expect(address('http://x/base', '/a', [])).toBe('http://x/base/a')
})
