/** The OpenAPI document, or an option, does not allow a contract to be generated. */
export class OpenApiError extends Error {
  readonly code: string = 'API_CONTRACT_OPENAPI'
}
