/** Whose tokens a server accepts, for whom, and the scope that its one route demands. */
export interface Trust {
  readonly issuer: string
  readonly jwksUri: string
  readonly audience: string
  readonly scope: string
}

/** What the route answers, in every server the same. */
export const answer: { readonly ok: boolean } = { ok: true }

/** For peers that leave scopes to the application. */
export function grants(scope: unknown, wanted: string): boolean {
  return typeof scope === 'string' && scope.split(' ').includes(wanted)
}
