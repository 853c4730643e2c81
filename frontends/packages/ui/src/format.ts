/** Numbers, durations, sizes, times and lists as people read them, in the language that is shown unless another is given. */
import { language as shown, regionalTag } from './languages'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Making a formatter takes much longer than using it, and lists use one for every row. */
const made = new Map<string, unknown>()
function once<T>(kind: string, language: string, options: object, make: (tag: string) => T): T {
  const key = `${kind} ${language} ${JSON.stringify(options)}`
  if (!made.has(key)) made.set(key, make(regionalTag(language)))
  return made.get(key) as T
}
function numbers(language: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  return once('number', language, options, (tag) => new Intl.NumberFormat(tag, options))
}
function dates(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return once('date', language, options, (tag) => new Intl.DateTimeFormat(tag, options))
}

export function formatNumber(value: number, language: string = shown.value): string {
  return numbers(language).format(value)
}

/** Large counts in short: 1.2k, 3.4M. Below 10,000 the number itself. */
export function formatCount(value: number, language: string = shown.value): string {
  if (Math.abs(value) < 10_000) return formatNumber(value, language)
  return numbers(language, { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}

/** A share of 0 to 1 as a percentage with as many digits as say something. */
export function formatShare(share: number, language: string = shown.value): string {
  const percent = share * 100
  const digits = percent === 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2
  if (language === 'en') return `${numbers(language, { maximumFractionDigits: digits }).format(percent)} %`
  return numbers(language, { style: 'percent', maximumFractionDigits: digits }).format(share)
}

/** A duration given in milliseconds, in the unit that suits it; from a minute on in words where English has signs. */
export function formatDuration(ms: number, language: string = shown.value): string {
  const digits = (v: number) => (Math.abs(v) >= 10 ? 0 : 1)
  const say = (v: number, sign: string, unit?: string) =>
    unit && language !== 'en'
      ? numbers(language, { style: 'unit', unit, unitDisplay: unit === 'day' ? 'long' : 'short', maximumFractionDigits: digits(v) }).format(v)
      : `${numbers(language, { maximumFractionDigits: digits(v), useGrouping: false }).format(v)} ${sign}`
  if (ms === 0) return say(0, 'ms')
  if (Math.abs(ms) < 1) return say(ms * 1000, 'µs')
  if (Math.abs(ms) < 1000) return say(ms, 'ms')
  if (Math.abs(ms) < MINUTE) return say(ms / 1000, 's')
  if (Math.abs(ms) < HOUR) return say(ms / MINUTE, 'min', 'minute')
  if (Math.abs(ms) < DAY) return say(ms / HOUR, 'h', 'hour')
  return say(ms / DAY, 'd', 'day')
}

export function formatBytes(bytes: number, language: string = shown.value): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 10 ? 0 : 1
  return `${numbers(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)} ${units[unit]}`
}

/** Things one after the other within a sentence: "DEV, STG, and PRD". */
export function formatList(items: readonly string[], language: string = shown.value): string {
  return once('list', language, {}, (tag) => new Intl.ListFormat(tag, { type: 'conjunction' })).format(items)
}

/** Which of two names comes first in a list, as the language orders them; numbers within by their value. */
export function compareNames(a: string, b: string, language: string = shown.value): number {
  return once('order', language, {}, (tag) => new Intl.Collator(tag, { numeric: true })).compare(a, b)
}

/** "4 min ago" within a day, the date beyond it. */
export function formatRelative(time: Date, now: Date, language: string = shown.value): string {
  const diff = time.getTime() - now.getTime()
  const abs = Math.abs(diff)
  const rel = once('relative', language, {}, (tag) => new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' }))
  if (abs < 10_000) return rel.format(0, 'second')
  if (abs < MINUTE) return rel.format(Math.round(diff / 1000), 'second')
  if (abs < HOUR) return rel.format(Math.round(diff / MINUTE), 'minute')
  if (abs < DAY) return rel.format(Math.round(diff / HOUR), 'hour')
  return formatDate(time, language)
}

export function formatDate(time: Date, language: string = shown.value, utc = false): string {
  return dates(language, { year: 'numeric', month: 'short', day: 'numeric', timeZone: utc ? 'UTC' : undefined }).format(time)
}

/** Date and time to the second, with the zone. */
export function formatTime(time: Date, language: string = shown.value, utc = false): string {
  return dates(language, {
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
