export * from './problem'
export * from './http'
export * from './session'
export * from './live'
