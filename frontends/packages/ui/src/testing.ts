/** What jsdom lacks, for component tests. */
class NoResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

if (typeof window !== 'undefined') {
  Object.defineProperty(window, 'matchMedia', {
    value: (query: string) => ({ matches: false, media: query, addEventListener() {}, removeEventListener() {}, addListener() {}, removeListener() {}, onchange: null, dispatchEvent: () => false }),
  })
  globalThis.ResizeObserver ??= NoResizeObserver as unknown as typeof ResizeObserver
  Element.prototype.scrollIntoView ??= () => {}
}
