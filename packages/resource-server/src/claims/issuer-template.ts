/** The placeholder in an issuer template that stands for the value of the `tid` claim (multi-tenant Entra ID). */
const placeholder = '{tenantid}'

const tenantId = /^[\w.-]+$/

/** Returns whether an issuer is a template, such as `https://login.microsoftonline.com/{tenantid}/v2.0`. */
export function isTemplate(issuer: string): boolean {
  return issuer.includes(placeholder)
}

/** Returns the issuer of a tenant, or undefined if the tenant id is malformed. */
export function issuerOfTenant(template: string, tenant: unknown): string | undefined {
  return typeof tenant === 'string' && tenantId.test(tenant)
    ? template.replace(placeholder, tenant)
    : undefined
}

/** Returns whether an issuer URL matches a template. */
export function fitsTemplate(issuer: unknown, template: string): boolean {
  if (typeof issuer !== 'string') return false
  const [before = '', after = ''] = template.split(placeholder)
  if (!issuer.startsWith(before) || !issuer.endsWith(after)) return false
  return tenantId.test(issuer.slice(before.length, issuer.length - after.length))
}
