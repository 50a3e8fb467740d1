import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Makes a running server behave as if it were down or slow. */
export interface ServerControl {
  /** Closes every connection without an answer, as if the process had ended. */
  setDown(down: boolean): void
  /** Delays each request by this time, in milliseconds. */
  setDelay(delayMs: number): void
}

/** Intercepts requests before the server's own listeners receive them. */
export function controlServer(server: Server): ServerControl {
  let down = false
  let delayMs = 0
  server.prependListener('connection', (socket: Socket) => {
    if (down) socket.destroy()
  })
  const answerers = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (...event) => {
    const answer = (): void => answerers.forEach(answerer => Reflect.apply(answerer, server, event))
    if (delayMs === 0) answer()
    else setTimeout(answer, delayMs).unref()
  })
  return {
    setDown(wanted) {
      down = wanted
      if (down) server.closeAllConnections()
    },
    setDelay(wanted) {
      delayMs = wanted
    },
  }
}
