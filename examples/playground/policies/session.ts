import type { Open, Question, Reply, Request, Start } from './protocol.ts'

/** A run, or agents of a file, in a worker of its own. */
export interface Session {
  pause(): void
  resume(): void
  step(): void
  ask(question: Question): void
  /** Ends the worker at once, however long an iteration takes. */
  end(): void
}

export function startSession(first: Start | Open, receive: (reply: Reply) => void): Session {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  const send = (request: Request) => worker.postMessage(request)
  worker.onmessage = ({ data }: MessageEvent<Reply>) => receive(data)
  worker.onerror = ({ message }) =>
    receive({ kind: 'error', message: `The worker could not run${message ? `: ${message}` : '.'}` })
  send(first)
  return {
    pause: () => send({ kind: 'pause' }),
    resume: () => send({ kind: 'resume' }),
    step: () => send({ kind: 'step' }),
    ask: send,
    end: () => worker.terminate(),
  }
}
