import { Type, type Static } from 'typebox'

// Schemas that both APIs use.

/** Other members are refused. */
export const closed = { additionalProperties: false } as const

/**
 * One line of text of limited length, without control characters and invisible direction marks. The two joiners are
 * allowed, because Persian, Sinhala, other languages and emoji need them.
 */
export const text = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^([^\\p{C}\\p{Zl}\\p{Zp}]|[\\u200C\\u200D])+$' })

export const paymentId = Type.String({ format: 'uuid' })
export const paymentParams = Type.Object({ paymentId })
export const currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' })

/** An amount in integer minor units of the currency (cents; yen). */
export const money = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
/** A VAT rate in hundredths of a percent: 700 is 7 %. */
export const vatRate = Type.Integer({ minimum: 0, maximum: 10_000 })
/** The VAT of all lines with one rate: net + vat = gross. */
export const vatLine = Type.Object({ rate: vatRate, net: money, vat: money, gross: money }, closed)

export const buyer = Type.Object(
  { email: Type.String({ format: 'email', maxLength: 254 }), name: Type.Optional(text(120)) },
  closed,
)

/** Problem details (RFC 9457); `code` is a stable name for programs. */
export const problem = Type.Object({
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.Optional(Type.String()),
  paymentId: Type.Optional(paymentId),
})
export type Problem = Static<typeof problem>
