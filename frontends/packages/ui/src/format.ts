/** Numbers, durations, sizes and times as people read them. */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export function formatNumber(value: number, language = 'en'): string {
  return new Intl.NumberFormat(language).format(value)
}

/** Large counts in short: 1.2k, 3.4M. Below 10,000 the number itself. */
export function formatCount(value: number, language = 'en'): string {
  if (Math.abs(value) < 10_000) return formatNumber(value, language)
  return new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}

/** A share of 0 to 1 as a percentage with as many digits as say something. */
export function formatShare(share: number, language = 'en'): string {
  const percent = share * 100
  const digits = percent === 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(percent)} %`
}

/** A duration given in milliseconds, in the unit that suits it. */
export function formatDuration(ms: number): string {
  const round = (v: number) => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(0) : v.toFixed(1)).replace(/\.0$/, '')
  if (ms === 0) return '0 ms'
  if (Math.abs(ms) < 1) return `${round(ms * 1000)} µs`
  if (Math.abs(ms) < 1000) return `${round(ms)} ms`
  if (Math.abs(ms) < MINUTE) return `${round(ms / 1000)} s`
  if (Math.abs(ms) < HOUR) return `${round(ms / MINUTE)} min`
  if (Math.abs(ms) < DAY) return `${round(ms / HOUR)} h`
  return `${round(ms / DAY)} d`
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`
}

/** "4 min ago" within a day, the date beyond it. */
export function formatRelative(time: Date, now: Date, language = 'en'): string {
  const diff = time.getTime() - now.getTime()
  const abs = Math.abs(diff)
  const rel = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  if (abs < 10_000) return rel.format(0, 'second')
  if (abs < MINUTE) return rel.format(Math.round(diff / 1000), 'second')
  if (abs < HOUR) return rel.format(Math.round(diff / MINUTE), 'minute')
  if (abs < DAY) return rel.format(Math.round(diff / HOUR), 'hour')
  return formatDate(time, language)
}

export function formatDate(time: Date, language = 'en', utc = false): string {
  return new Intl.DateTimeFormat(language, { year: 'numeric', month: 'short', day: 'numeric', timeZone: utc ? 'UTC' : undefined }).format(time)
}

/** Date and time to the second, with the zone. */
export function formatTime(time: Date, language = 'en', utc = false): string {
  return new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZone: utc ? 'UTC' : undefined,
    timeZoneName: 'short',
  }).format(time)
}

/** The time of day to the millisecond, as logs show it. */
export function formatClock(time: Date, utc = false): string {
  const pad = (n: number, width = 2) => String(n).padStart(width, '0')
  return utc
    ? `${pad(time.getUTCHours())}:${pad(time.getUTCMinutes())}:${pad(time.getUTCSeconds())}.${pad(time.getUTCMilliseconds(), 3)}`
    : `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${pad(time.getMilliseconds(), 3)}`
}

export type Tone = 'neutral' | 'live' | 'pend' | 'warn' | 'bad' | 'accent'

/** The tone of an HTTP status: 2xx live, 3xx neutral, 4xx warn, 5xx and none bad. */
export function statusTone(status: number): Tone {
  if (status >= 500 || status === 0) return 'bad'
  if (status >= 400) return 'warn'
  if (status >= 300) return 'neutral'
  return 'live'
}

export function initials(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean)
  return ((words[0]?.[0] ?? '') + (words[1]?.[0] ?? '')).toUpperCase()
}
