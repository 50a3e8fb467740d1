/** The logger: that of Fastify, pino, or any other with these methods. */
export interface Logger {
  info(details: object, message: string): unknown
  warn(details: object, message: string): unknown
  error(details: object, message: string): unknown
}

/** Discards every line. */
export const silent: Logger = Object.freeze({ info() {}, warn() {}, error() {} })
