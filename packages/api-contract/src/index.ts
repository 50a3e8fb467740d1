export { defineApi } from './define-api.js'
export * from './errors.js'
export { answer } from './route.js'
// All types, because users' declarations may name them.
export type * from './answer.js'
export type * from './call.js'
export type * from './define-api.js'
export type * from './operation.js'
export type * from './route.js'
