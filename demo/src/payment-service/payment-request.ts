import { Type } from 'typebox'
import { paymentMethods } from './gateway.js'

const closed = { additionalProperties: false } as const
/** What a client sends to pay: which books, never their prices. */
export const paymentRequest = Type.Object(
  {
    order: Type.Object(
      {
        items: Type.Array(
          Type.Object(
            {
              sku: Type.String({ minLength: 1, maxLength: 40 }),
              quantity: Type.Integer({ minimum: 1, maximum: 99 }),
            },
            closed,
          ),
          { minItems: 1, maxItems: 50 },
        ),
        currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
        locale: Type.String({
          pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$',
          maxLength: 35,
          description: 'The language of the receipt (BCP 47)',
        }),
      },
      closed,
    ),
    buyer: Type.Object(
      {
        email: Type.String({ format: 'email', maxLength: 254 }),
        name: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 120,
            pattern: '^([^\\p{C}\\p{Zl}\\p{Zp}]|[\\u200C\\u200D])+$',
          }),
        ),
      },
      closed,
    ),
    paymentMethod: Type.Enum([...paymentMethods]),
  },
  closed,
)
