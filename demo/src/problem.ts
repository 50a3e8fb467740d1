import { Type } from 'typebox'

/** Problem details (RFC 9457); `code` is the stable name that programs look at. */
export const problem = Type.Object({
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.Optional(Type.String()),
  paymentId: Type.Optional(Type.String({ format: 'uuid' })),
})
