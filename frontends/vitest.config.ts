import { defineConfig } from 'vitest/config'
import { gatehouseApp } from './packages/ui/vite.ts'

const app = gatehouseApp('admin-console')

export default defineConfig({
  ...(app.plugins ? { plugins: app.plugins } : {}),
  define: app.define,
  test: {
    environment: 'jsdom',
    include: ['packages/*/src/**/*.test.ts', '*-console/src/**/*.test.ts', 'developer-portal/src/**/*.test.ts', 'texts/*.test.ts'],
    setupFiles: ['./packages/ui/src/testing.ts'],
    css: false,
  },
})
