/** Thrown if no contract can be generated because the OpenAPI document or an option is invalid. */
export class OpenApiError extends Error {
  readonly code: string = 'API_CONTRACT_OPENAPI'
}
