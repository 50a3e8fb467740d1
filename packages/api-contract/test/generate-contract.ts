/** Generates a contract with this many operations, a client and a server, to measure the work of the compiler. */
export function generateContract(count: number): string {
  const numbers = Array.from({ length: count }, (_, index) => index)
  const operations = numbers.map(
    index => `    operation${index}: {
      method: '${index % 2 === 0 ? 'PUT' : 'PATCH'}', path: '/area${index}/:first/things/:second', scopes: ['scope:${index % 20}'],
      params: Type.Object({ first: Type.String(), second: Type.Integer() }), query: Type.Object({ page: Type.Optional(Type.Integer()) }),
      body: Type.Object({ name: Type.String(), kind: Type.Union([Type.Literal('a'), Type.Literal('b')]), rows: Type.Array(Type.Object({ id: Type.String(), cents: Type.Integer() })) }),
      responses: { 200: Type.Object({ id: Type.String() }), 201: Type.Object({ id: Type.String(), name: Type.String() }), 404: Problem },
    },`,
  )
  const scopes = Array.from({ length: 20 }, (_, index) => `'scope:${index}': 'Scope ${index}'`)
  const calls = numbers
    .filter(index => index % 4 === 0)
    .map(
      index => `
  const answer${index} = await call('operation${index}', { params: { first: '1', second: 2 }, body: { name: 'x', kind: 'a', rows: [] } })
  if (answer${index}.status === 201) answer${index}.body.name satisfies string`,
    )
  const routes = numbers
    .filter(index => index % 4 === 0)
    .map(
      index => `
  void (api.route('operation${index}', async ({ params, body }) => params.second > 1 ? answer(201, { id: body.kind, name: body.name }) : answer(404, { title: 'No' })))`,
    )
  return `import { answer, defineApi, type Client } from 'fastify-api-contract'
import { Type } from 'typebox'

const Problem = Type.Object({ title: Type.String() })
export const api = defineApi({
  audience: 'https://api.example.com',
  scopes: { ${scopes.join(', ')} },
  operations: {
${operations.join('\n')}
  },
})

export async function useApi(client: Client): Promise<void> {
  const { call } = api.pick(${numbers.map(index => `'operation${index}'`).join(', ')}).over(client)${calls.join('')}
}

export function serveApi(): void {${routes.join('')}
}
`
}
