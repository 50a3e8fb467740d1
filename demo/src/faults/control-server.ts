import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Makes a server that runs behave as if it were down, or slow. */
export interface ServerControl {
  /** Down: every connection is cut, as by a process that is gone. */
  setDown(down: boolean): void
  /** Each request waits so long before anybody looks at it, in milliseconds. */
  setDelay(delayMs: number): void
}

/** Takes the place between the connection and whoever answers, of which neither knows. */
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
