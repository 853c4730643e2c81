/**
 * What is wrong with a field, in the language of the reader. Services say it in English, with
 * what is special to the field; the code of the rule says what is wrong in any language. Where
 * the code says all, its text stands alone; where it does not, what the service says follows.
 */
import type { FieldProblem } from '@gatehouse/api'

/** Rules that are told in full by their code alone. */
const WHOLE = ['required', 'duplicate', 'unchanged', 'leaked', 'tooMany'] as const

/** Rules that are told in full by their code and a number (params.limit). */
const LIMITS = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'] as const

/** Tells a field at fault; text is what the language has for a key, nothing where it has none. */
export function tellField(field: FieldProblem, text: (key: string, named?: { limit: number }) => string | undefined): string {
  if (field.params && (LIMITS as readonly string[]).includes(field.code)) {
    const told = text(`ui.fieldLimits.${field.code}`, field.params)
    if (told) return told
  }
  const gist = text(`ui.fieldCodes.${field.code}`)
  if (!gist) return field.detail
  return (WHOLE as readonly string[]).includes(field.code) || !field.detail ? gist : `${gist}: ${field.detail}`
}
