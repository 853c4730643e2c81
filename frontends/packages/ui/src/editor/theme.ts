import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

/** The editor in our tokens; it follows the theme by itself, since they are variables. */
export function editorTheme(): Extension {
  return [
    EditorView.theme({
      '&': { backgroundColor: 'var(--gh-surface)', color: 'var(--gh-ink)', fontSize: '13px' },
      '&.cm-focused': { outline: 'none' },
      '.cm-scroller': { fontFamily: 'var(--gh-mono)', lineHeight: '20px' },
      '.cm-content': { padding: '8px 0', caretColor: 'var(--gh-ink)' },
      '.cm-cursor': { borderLeftColor: 'var(--gh-ink)' },
      '.cm-gutters': { backgroundColor: 'var(--gh-surface)', color: 'var(--gh-faint)', border: 'none' },
      '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'var(--gh-accent-bg)' },
      '.cm-placeholder': { color: 'var(--gh-faint)' },
      '.cm-foldPlaceholder': { backgroundColor: 'var(--gh-sunken)', border: 'none', color: 'var(--gh-muted)' },
      '.cm-tooltip': { backgroundColor: 'var(--gh-surface)', border: '1px solid var(--gh-line)', borderRadius: '6px', boxShadow: 'var(--gh-float)' },
      '.cm-diagnostic': { fontFamily: 'var(--gh-sans)', padding: '4px 8px' },
      '.cm-diagnostic-error': { borderLeftColor: 'var(--gh-bad)' },
      '.cm-diagnostic-warning': { borderLeftColor: 'var(--gh-warn)' },
    }),
    syntaxHighlighting(
      HighlightStyle.define([
        { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--gh-chart-1)' },
        { tag: [tags.string, tags.special(tags.string)], color: 'var(--gh-chart-3)' },
        { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--gh-chart-2)' },
        { tag: tags.comment, color: 'var(--gh-faint)', fontStyle: 'italic' },
        { tag: tags.punctuation, color: 'var(--gh-muted)' },
        { tag: tags.invalid, color: 'var(--gh-bad)' },
      ]),
    ),
  ]
}
