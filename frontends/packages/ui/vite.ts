/**
 * The build that all three apps share: Vue, the component library themed by our
 * tokens, icons taken into the bundle, a nonce placeholder for the content
 * security policy, and gzip copies for the server.
 */
import { readFileSync, rmSync, writeFileSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import type { Plugin, UserConfig } from 'vite'

const here = fileURLToPath(new URL('.', import.meta.url))
const workspace = resolve(here, '../..')

/** What the server puts a fresh nonce in place of, on every page load. */
export const NONCE = '__GATEHOUSE_NONCE__'

/**
 * The component library makes a style element at run time for its colours. Ours
 * are static (nuxt-ui.css), so it is left out: a strict policy would refuse it.
 */
function withoutRuntimeStyles(): Plugin {
  return {
    name: 'gatehouse:without-runtime-styles',
    enforce: 'pre',
    load(id) {
      if (/@nuxt\/ui\/dist\/runtime\/(plugins\/colors|vue\/plugins\/head)\.js$/.test(id)) {
        return 'export default { install() {} }'
      }
      return null
    },
  }
}

/** Sets the theme before the first paint, from a file: inline scripts are refused. */
function themeBeforePaint(): Plugin {
  const source = readFileSync(join(here, 'src/theme-boot.js'), 'utf8')
  return {
    name: 'gatehouse:theme-before-paint',
    configureServer(server) {
      server.middlewares.use('/theme.js', (_req, res) => {
        res.setHeader('Content-Type', 'text/javascript')
        res.end(source)
      })
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'theme.js', source })
    },
  }
}

function gzipCopies(): Plugin {
  let out = ''
  return {
    name: 'gatehouse:gzip',
    apply: 'build',
    configResolved(config) {
      out = resolve(config.root, config.build.outDir)
    },
    closeBundle() {
      const walk = (dir: string) => {
        for (const name of readdirSync(dir)) {
          const path = join(dir, name)
          if (statSync(path).isDirectory()) walk(path)
          else if (/\.(js|css|svg)$/.test(name) && statSync(path).size > 1024) {
            // The plain file is not needed beside it: the server unpacks for the rare client.
            writeFileSync(path + '.gz', gzipSync(readFileSync(path), { level: 9 }))
            rmSync(path)
          }
        }
      }
      walk(out)
    },
  }
}

/** How the library's components differ from their defaults; colours come from nuxt-ui.css. */
const theme = {
  colors: { neutral: 'neutral' },
  button: {
    slots: { base: 'font-semibold' },
    variants: { size: { md: { leadingIcon: 'size-4', trailingIcon: 'size-4' }, sm: { leadingIcon: 'size-3.5', trailingIcon: 'size-3.5' } } },
    compoundVariants: [
      { color: 'neutral', variant: 'outline', class: 'ring-accented hover:bg-muted' },
      { color: 'primary', variant: 'solid', class: 'hover:bg-accent-hover active:bg-accent-hover' },
    ],
  },
  input: { slots: { root: 'w-full' }, variants: { size: { md: { leadingIcon: 'size-4', trailingIcon: 'size-4' } } } },
  textarea: { slots: { root: 'w-full' } },
  select: { slots: { base: 'w-full' }, variants: { size: { md: { leadingIcon: 'size-4', trailingIcon: 'size-4' } } } },
  selectMenu: { slots: { base: 'w-full' }, variants: { size: { md: { leadingIcon: 'size-4', trailingIcon: 'size-4' } } } },
  switch: { slots: { base: 'data-[state=unchecked]:bg-(--gh-field)' } },
  modal: { slots: { header: 'pe-14 sm:pe-14', title: 'text-base [overflow-wrap:anywhere]', content: 'ring-line' }, variants: { overlay: { true: { overlay: 'bg-black/30' } } } },
  slideover: { variants: { overlay: { true: { overlay: 'bg-black/30' } } } },
  commandPalette: { slots: { itemLeadingIcon: 'size-4' } },
  tooltip: { slots: { content: 'bg-inverted text-canvas ring-0', text: 'text-canvas' } },
  formField: { slots: { label: 'font-semibold', help: 'text-muted text-xs/4 mt-1', description: 'text-muted text-xs/4', error: 'text-error text-xs/4 mt-1 first-letter:uppercase' } },
} as unknown as NonNullable<Parameters<typeof ui>[0]>['ui']

/** The configuration of one app. `name` is its folder. */
export function gatehouseApp(name: string, backend = process.env.GATEHOUSE_BACKEND): UserConfig {
  return {
    root: join(workspace, name),
    html: { cspNonce: NONCE },
    define: {
      __VUE_OPTIONS_API__: true,
      __VUE_PROD_DEVTOOLS__: false,
      __VUE_I18N_FULL_INSTALL__: true,
      __VUE_I18N_LEGACY_API__: false,
      __INTLIFY_JIT_COMPILATION__: true,
      __INTLIFY_DROP_MESSAGE_COMPILER__: false,
      __INTLIFY_PROD_DEVTOOLS__: false,
    },
    plugins: [
      vue(),
      ui({
        root: workspace,
        colorMode: false,
        autoImport: false,
        dts: false,
        theme: {
          colors: ['primary', 'secondary', 'success', 'info', 'warning', 'error', 'pend'],
          transitions: false,
        },
        icon: {
          mode: 'svg',
          clientBundle: {
            scan: {
              globInclude: ['packages/*/src/**/*.{vue,ts}', '*-console/src/**/*.{vue,ts}', 'developer-portal/src/**/*.{vue,ts}'],
              globExclude: ['**/node_modules/**'],
            },
            sizeLimitKb: 256,
          },
        },
        ui: theme,
      }),
      withoutRuntimeStyles(),
      themeBeforePaint(),
      gzipCopies(),
    ],
    build: {
      outDir: join(workspace, 'dist', name),
      emptyOutDir: true,
      target: 'es2023',
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 700,
      modulePreload: { polyfill: false },
    },
    server: backend
      ? { proxy: { '/api': { target: backend, changeOrigin: false, headers: process.env.GATEHOUSE_HOST ? { host: process.env.GATEHOUSE_HOST } : {} } } }
      : {},
  }
}
