export * from './index'
export * from './schema'
export { default as SchemaForm } from './SchemaForm.vue'
export { validate } from './validate'
