/**
 * Checks a value as it is typed, for the keywords that configurations use. The
 * server's check is the one that counts: it runs the gateway's own compile. This
 * one is written out, not compiled to a program, since the content security
 * policy allows none to be made at run time.
 */
import { alternatives, escape, isObject, type Json, type Schema } from './schema'

export interface Mistake {
  pointer: string
  code: string
  values: Record<string, string | number>
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function fits(value: unknown, type: string): boolean {
  const is = typeOf(value)
  return is === type || (type === 'number' && is === 'integer')
}

export function validate(schema: Schema, value: Json | undefined, pointer = ''): Mistake[] {
  const out: Mistake[] = []
  const say = (code: string, values: Record<string, string | number> = {}, at = pointer) => out.push({ pointer: at, code, values })
  if (value === undefined) return out

  const types = schema.type === undefined ? [] : Array.isArray(schema.type) ? schema.type : [schema.type]
  if (types.length && !types.some((t) => fits(value, t))) {
    say('type', { type: types.join(' / ') })
    return out
  }
  if (schema.enum && !schema.enum.includes(value)) say('enum', { values: schema.enum.join(', ') })
  if (schema.not?.enum?.includes(value)) say('not')

  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) say('minimum', { minimum: schema.minimum })
    if (schema.maximum !== undefined && value > schema.maximum) say('maximum', { maximum: schema.maximum })
  }
  if (typeof value === 'string') {
    if (schema.minLength !== undefined && [...value].length < schema.minLength) say(value === '' ? 'required' : 'minLength', { minimum: schema.minLength })
    if (schema.maxLength !== undefined && [...value].length > schema.maxLength) say('maxLength', { maximum: schema.maxLength })
    if (schema.pattern !== undefined && !matches(schema.pattern, value)) say(schema.format === 'timespan' || schema.format === 'bytes' ? schema.format : 'pattern', { pattern: schema.pattern })
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems) say('minItems', { minimum: schema.minItems })
    if (schema.maxItems !== undefined && value.length > schema.maxItems) say('maxItems', { maximum: schema.maxItems })
    if (schema.uniqueItems && new Set(value.map((v) => JSON.stringify(v))).size !== value.length) say('uniqueItems')
    if (schema.items) value.forEach((item, i) => out.push(...validate(schema.items!, item, `${pointer}/${i}`)))
  }
  if (isObject(value)) {
    for (const key of schema.required ?? []) if (value[key] === undefined) say('required', {}, `${pointer}/${escape(key)}`)
    for (const { keys, exactly } of alternatives(schema)) {
      const there = keys.filter((k) => value[k] !== undefined)
      if (there.length === 0) say('oneOf', { keys: keys.join(', ') })
      else if (exactly && there.length > 1) say('onlyOne', { keys: there.join(', ') })
    }
    for (const [key, item] of Object.entries(value)) {
      const at = `${pointer}/${escape(key)}`
      const known = schema.properties?.[key]
      if (known) out.push(...validate(known, item, at))
      else if (schema.additionalProperties === false) say('unknown', { key }, at)
      else if (typeof schema.additionalProperties === 'object') out.push(...validate(schema.additionalProperties, item, at))
    }
  }
  return out
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    // A pattern that this browser cannot read is the server's to check.
    return true
  }
}
