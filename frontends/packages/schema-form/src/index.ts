export { default as SchemaForm } from './SchemaForm.vue'
export { formTexts } from './locales'
export { validate, type Mistake } from './validate'
export { escape, fieldsOf, isObject, kindOf, type Json, type JsonObject, type Schema } from './schema'
