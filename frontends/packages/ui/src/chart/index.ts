export { default as GhChart } from './GhChart.vue'
export type { ChartSeries } from './series'
