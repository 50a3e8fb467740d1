export {
  answer,
  type Answer,
  type AnswerTo,
  type Received,
  type ReceivedAnswer,
  type ReceivedFrom,
  type ResponseHeaders,
} from './answer.js'
export type { Calls, Client, ClientOf, Input, Inputs, Nothing, Part } from './call.js'
export { defineApi, type Api, type ApiUse } from './define-api.js'
export {
  InvalidAnswerError,
  InvalidCallError,
  InvalidContractError,
  UnexpectedBodyError,
  UnexpectedStatusError,
  UnprotectedError,
} from './errors.js'
export type {
  BodyOf,
  Checked,
  CheckedParams,
  Method,
  Operation,
  Operations,
  PathParameters,
  Schema,
  ScopeText,
  Summary,
} from './operation.js'
export { permissions, type Permission, type PermissionTable } from './permissions.js'
export type {
  Answers,
  Handler,
  OAuthRule,
  RequestFor,
  RequestOf,
  Requests,
  Route,
  RouteSchema,
} from './route.js'
