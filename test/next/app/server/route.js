import { trial } from '../trial.js'

export const dynamic = 'force-dynamic'

export async function GET() {
  return Response.json(await trial(0))
}
