/**
 * Returns whether the path can be percent-decoded. Fastify answers a path that cannot, such as `/%zz`, without running
 * hooks, so without a content security policy.
 */
export function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url.split('?')[0] ?? '')
    return true
  } catch {
    return false
  }
}
