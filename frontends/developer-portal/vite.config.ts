import { defineConfig } from 'vite'
import { gatehouseApp } from '../packages/ui/vite.ts'

export default defineConfig(gatehouseApp('developer-portal'))
