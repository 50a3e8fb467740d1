/**
 * Whether the path can be percent-decoded. Fastify answers one that cannot, such as `/%zz`, in its own words and without
 * any hook, so also without a content security policy.
 */
export function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url.split('?')[0] ?? '')
    return true
  } catch {
    return false
  }
}
