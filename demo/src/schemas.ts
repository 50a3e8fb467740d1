import { Type, type Static } from 'typebox'

// What both APIs speak of.

/** Other members are refused. */
export const closed = { additionalProperties: false } as const

/**
 * One line of text a person typed: no control characters, no invisible direction marks, bounded. The two joiners stay:
 * Persian, Sinhala and others need them, and so do emoji.
 */
export const text = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^([^\\p{C}\\p{Zl}\\p{Zp}]|[\\u200C\\u200D])+$' })

export const paymentId = Type.String({ format: 'uuid' })
export const paymentParams = Type.Object({ paymentId })
export const currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' })

/** Money: integer minor units of the currency (cents; yen). */
export const money = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
/** A VAT rate in hundredths of a percent: 700 is 7 %. */
export const vatRate = Type.Integer({ minimum: 0, maximum: 10_000 })
/** The VAT of all lines with one rate: net + vat = gross. */
export const vatLine = Type.Object({ rate: vatRate, net: money, vat: money, gross: money }, closed)

export const buyer = Type.Object(
  { email: Type.String({ format: 'email', maxLength: 254 }), name: Type.Optional(text(120)) },
  closed,
)

/** Problem details (RFC 9457); `code` is the stable name that programs look at. */
export const problem = Type.Object({
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.Optional(Type.String()),
  paymentId: Type.Optional(paymentId),
})
export type Problem = Static<typeof problem>
