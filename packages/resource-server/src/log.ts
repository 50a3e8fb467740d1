/** A logger: Fastify's logger, pino, or any other object with these methods. */
export interface Logger {
  info(details: object, message: string): unknown
  warn(details: object, message: string): unknown
  error(details: object, message: string): unknown
}

/** A logger that discards every line. */
export const silent: Logger = Object.freeze({ info() {}, warn() {}, error() {} })
