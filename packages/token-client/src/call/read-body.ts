/** The text of a body, which may be incomplete. */
export interface ReadBody {
  readonly text: string
  readonly isWhole: boolean
}

/** Reads a body as UTF-8 text. If the body is longer than `maxBytes`, stops reading and closes the connection. */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<ReadBody> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBytes) break
  }
  return { text: new TextDecoder().decode(Buffer.concat(chunks)), isWhole: size <= maxBytes }
}
