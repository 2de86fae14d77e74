// For browsers: hands the results, or what went wrong, to the server that the page came from.
import { conform } from '../program.ts'

const answer = (body: object) => fetch('/results', { method: 'POST', body: JSON.stringify(body) })

try {
  const shared = crossOriginIsolated
  if (!shared) throw new Error('The page is not cross-origin isolated: threads would not be tried.')
  await answer({ results: await conform() })
} catch (error) {
  await answer({ error: String(error instanceof Error ? (error.stack ?? error) : error) })
}
