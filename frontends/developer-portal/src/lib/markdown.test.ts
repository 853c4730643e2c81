import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { h } from 'vue'
import { markdown, safeLink } from './markdown'

const html = (text: string) => mount({ render: () => h('div', markdown(text)) }).element.innerHTML.replace(/ (class|tabindex|target|rel)="[^"]*"/g, '')

describe('markdown', () => {
  it.each([
    ['Some *words* and **more** `x < y`', '<p>Some <em>words</em> and <strong>more</strong> <code>x &lt; y</code></p>'],
    ['# Title\ntext', '<h3>Title</h3><p>text</p>'],
    ['- a\n- b\n  c\n\n1. d', '<ul><li>a</li><li><p>b c</p></li></ul><ol><li>d</li></ol>'],
    ['```json\n{"a": 1}\n```', '<pre><code>{"a": 1}</code></pre>'],
    ['[docs](https://example.com/x) and https://example.com/y.', '<p><a href="https://example.com/x">docs</a> and <a href="https://example.com/y">https://example.com/y</a>.</p>'],
    ['> quoted', '<blockquote><p>quoted</p></blockquote>'],
    ['| a | b |\n|---|---|\n| 1 | 2 |', '<div><table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table></div>'],
    ['snake_case_name stays', '<p>snake_case_name stays</p>'],
    ['', ''],
  ])('reads %j', (text, want) => {
    expect(html(text)).toBe(want)
  })
  it('lets nothing run', () => {
    const out = html('<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>')
    expect(out).not.toContain('<script')
    expect(out).not.toContain('<img')
    expect(out).not.toContain('href')
    expect(safeLink('data:text/html,x')).toBe(false)
  })
  it('ends on anything', () => {
    for (const text of ['```', '-', '|\n|-', '**', '[', '> > >', '#'.repeat(80), '* * *\n- x']) expect(() => html(text)).not.toThrow()
  })
})
