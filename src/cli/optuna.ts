import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { RunError, UsageError } from '../core/errors.ts'
import type { ForeignSampler } from '../sweeps/plan.ts'

/** Begins a trial of the study for every line that it reads, and writes its place in the file and its values. */
const ASK = `
import json, sys
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
optuna.logging.set_verbosity(optuna.logging.ERROR)
given = json.loads(sys.argv[1])
space = {k: optuna.distributions.json_to_distribution(json.dumps(d)) for k, d in given["distributions"].items()}
storage = JournalStorage(JournalFileBackend(given["journal"]))
sampler = optuna.samplers.TPESampler(seed=given["seed"])
study = optuna.load_study(study_name=given["study"], storage=storage, sampler=sampler)
print("ready", flush=True)
for line in sys.stdin:
    trial = study.ask(space)
    frozen = storage.get_trial(trial._trial_id)
    values = {k: frozen.distributions[k].to_internal_repr(x) for k, x in frozen.params.items()}
    print(json.dumps({"id": trial._trial_id, "parameters": values}), flush=True)
`

const python = () => process.env.PYTHON || 'python3'

/** Optuna's sampler, a tree-structured Parzen estimator, in a process of Python that lives as long as the sweep. */
export const optunaSampler = (seed: number): ForeignSampler => ({
  name: 'optuna',
  async start(journal, study, distributions) {
    const given = JSON.stringify({ journal, study, distributions, seed: seed % 4294967296 })
    const child = spawn(python(), ['-c', ASK, given], { stdio: ['pipe', 'pipe', 'pipe'] })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint += text
    })
    child.stdin.on('error', () => {})
    const failed = once(child, 'error').then(([error]) => String((error as Error).message))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const answer = () => Promise.race([lines.next(), failed.then(() => ({ done: true, value: '' }))])
    const said = () => complaint.trim().split('\n').at(-1) ?? ''
    if ((await answer()).done) {
      const why = said() || (await Promise.race([failed, once(child, 'close').then(() => said())]))
      throw new UsageError(
        `The sampler optuna needs a Python that has Optuna 4 or later; PYTHON names one, ${python()} says: ${why}.`,
      )
    }
    return {
      async ask() {
        child.stdin.write('ask\n')
        const { done, value } = await answer()
        if (done) throw new RunError(`Optuna has ended: ${said()}.`)
        return JSON.parse(value)
      },
      async end() {
        child.stdin.end()
        if (child.exitCode === null) await once(child, 'close')
      },
    }
  },
})
