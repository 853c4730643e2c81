/** The part of JSON Schema 2020-12 that configurations use, with our hints (x-…). */
export interface Schema {
  $schema?: string
  title?: string
  description?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  default?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  maxProperties?: number
  writeOnly?: boolean
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  not?: Schema
  'x-order'?: number
  'x-group'?: string
  'x-when'?: { field: string; in: unknown[] }
  'x-minimum'?: string
  'x-maximum'?: string
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined }
export type JsonObject = { [key: string]: Json | undefined }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** How a value is edited. `json` is the way out for what no other kind covers. */
export type FieldKind =
  | 'switch'
  | 'choice'
  | 'number'
  | 'secret'
  | 'text'
  | 'area'
  | 'strings'
  | 'choices'
  | 'numbers'
  | 'objects'
  | 'map'
  | 'lists'
  | 'object'
  | 'json'

function types(schema: Schema): string[] {
  return schema.type === undefined ? [] : Array.isArray(schema.type) ? schema.type : [schema.type]
}

// Texts of these lengths or formats need lines of their own.
const LONG = 1024

export function kindOf(schema: Schema): FieldKind {
  const type = types(schema)
  if (schema.enum && type.every((t) => t === 'string' || t === 'integer')) return 'choice'
  if (schema.writeOnly || schema.format === 'password') return 'secret'
  if (type.includes('string')) {
    return (schema.maxLength ?? 0) > LONG || /\b(PEM|template|JSON text)\b/.test(schema.description ?? '') ? 'area' : 'text'
  }
  if (type.length !== 1) return 'json'
  switch (type[0]) {
    case 'boolean':
      return 'switch'
    case 'integer':
    case 'number':
      return 'number'
    case 'array': {
      const items = schema.items
      if (!items) return 'json'
      if (items.enum) return 'choices'
      const of = types(items)
      if (of.includes('string')) return 'strings'
      if (of.length === 1 && (of[0] === 'integer' || of[0] === 'number')) return 'numbers'
      if (of.length === 1 && of[0] === 'object' && items.properties) return 'objects'
      return 'json'
    }
    case 'object': {
      if (schema.properties) return 'object'
      const values = schema.additionalProperties
      if (typeof values === 'object') {
        const of = types(values)
        if (of.length === 1 && of[0] === 'string') return 'map'
        if (of.length === 1 && of[0] === 'array' && types(values.items ?? {}).includes('string')) return 'lists'
      }
      return 'json'
    }
    default:
      return 'json'
  }
}

export interface Field {
  key: string
  schema: Schema
  kind: FieldKind
  required: boolean
}

/** The fields of an object in the order that its author chose. */
export function fieldsOf(schema: Schema): Field[] {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {})
    .map(([key, s]) => ({ key, schema: s, kind: kindOf(s), required: required.has(key) }))
    .sort((a, b) => (a.schema['x-order'] ?? 1000) - (b.schema['x-order'] ?? 1000) || a.key.localeCompare(b.key))
}

/** Whether a field applies, by the value or the default of the one it depends on. */
export function applies(field: Field, all: Field[], value: JsonObject): boolean {
  const when = field.schema['x-when']
  if (!when) return true
  const other = all.find((f) => f.key === when.field)
  const now = value[when.field] ?? other?.schema.default
  return when.in.includes(now)
}

// More than these at once are too many to read.
const SHOWN = 7

/** Parts fields into those to show at once and those behind "more". */
export function partition(fields: Field[], value: JsonObject, errors: Record<string, string>, pointer: string): { shown: Field[]; more: Field[] } {
  if (fields.length <= SHOWN + 2) return { shown: fields, more: [] }
  const shown: Field[] = []
  const more: Field[] = []
  for (const field of fields) {
    const at = `${pointer}/${escape(field.key)}`
    const wrong = Object.keys(errors).some((p) => p === at || p.startsWith(at + '/'))
    if (field.required || value[field.key] !== undefined || wrong || fields.indexOf(field) < SHOWN) shown.push(field)
    else more.push(field)
  }
  return more.length < 3 ? { shown: fields, more: [] } : { shown, more }
}

/** One step of a JSON pointer (RFC 6901). */
export function escape(step: string | number): string {
  return String(step).replace(/~/g, '~0').replace(/\//g, '~1')
}

/** A copy with one key set, or taken out; all others stay as they are, known or not. */
export function withKey(value: JsonObject, key: string, next: Json | undefined): JsonObject {
  const out: JsonObject = { ...value }
  if (next === undefined) delete out[key]
  else out[key] = next
  return out
}

/** Keys that the schema does not know; they are kept. */
export function unknownKeys(schema: Schema, value: JsonObject): string[] {
  if (!schema.properties) return []
  return Object.keys(value).filter((k) => !(k in schema.properties!))
}

/** Groups of keys of which one, or exactly one, must be there. */
export function alternatives(schema: Schema): { keys: string[]; exactly: boolean }[] {
  const out: { keys: string[]; exactly: boolean }[] = []
  for (const part of [schema, ...(schema.allOf ?? [])]) {
    for (const [list, exactly] of [
      [part.oneOf, true],
      [part.anyOf, false],
    ] as const) {
      if (list?.length && list.every((s) => s.required?.length === 1)) out.push({ keys: list.map((s) => s.required![0]!), exactly })
    }
  }
  return out
}

/** What a new item or object begins with: nothing, since defaults are the server's. */
export function blank(schema: Schema): Json {
  switch (kindOf(schema)) {
    case 'object':
    case 'map':
    case 'lists':
      return {}
    case 'strings':
    case 'choices':
    case 'numbers':
    case 'objects':
      return []
    case 'switch':
      return false
    default:
      return ''
  }
}

/** The description's first sentence, and the rest. */
export function sentences(description: string | undefined): { first: string; rest: string } {
  const text = (description ?? '').trim()
  const end = /[.;:](?=\s+[A-Z"])/.exec(text)
  if (!end || text.length < 110) return { first: text, rest: '' }
  return { first: text.slice(0, end.index + 1).replace(/[;:]$/, '.'), rest: text.slice(end.index + 1).trim() }
}
