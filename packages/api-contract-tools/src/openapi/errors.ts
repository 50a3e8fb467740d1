/** The contract cannot be generated, because the OpenAPI document or an option is invalid. */
export class OpenApiError extends Error {
  readonly code: string = 'API_CONTRACT_OPENAPI'
}
