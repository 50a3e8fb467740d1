export { defineApi } from './define-api.js'
export * from './errors.js'
export { answer } from './route.js'
// All types are exported, because the declaration files of other packages may refer to them.
export type * from './answer.js'
export type * from './call.js'
export type * from './define-api.js'
export type * from './operation.js'
export type * from './route.js'
