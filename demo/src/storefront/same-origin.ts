import createError from '@fastify/error'
import type { FastifyRequest } from 'fastify'

export const CrossSiteError = createError('SHOP_CROSS_SITE', 'This form was sent from another site.', 403)

/**
 * Refuses forms of other sites: browsers send the origin in `Sec-Fetch-Site`, older ones in `Origin`. Programs send
 * neither, but have no cookies that could be misused.
 * @throws {CrossSiteError}
 */
export async function refuseCrossSite({ method, host, headers }: FastifyRequest): Promise<void> {
  if (method === 'GET' || method === 'HEAD') return
  const { origin, 'sec-fetch-site': site } = headers
  const isOwn =
    site === undefined
      ? origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)
      : site === 'same-origin' || site === 'none'
  if (!isOwn) throw new CrossSiteError()
}
