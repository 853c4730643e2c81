import type { Tone } from '../format'

/** One line, area or row of bars over time or over names. */
export interface ChartSeries {
  name: string
  values: (number | null)[]
  /** A state's colour; without it the next of the chart colours. */
  tone?: Tone
  kind?: 'line' | 'area' | 'bar'
  stack?: string
}
