import { type AlgorithmName, environments } from 'steinrl'
import { fromAddress } from '../shared/address.ts'
import { choice, type Fields, slider, toggle, type Value, type Values } from '../shared/fields.ts'
import { buildForm, showGroups } from '../shared/form.ts'
import { byId, prefersStillness, write } from '../shared/page.ts'
import { optionsOf, table } from './algorithms.ts'

const titles = Object.fromEntries(Object.entries(table).map(([name, { title }]) => [name, title]))
/** What can be watched can be chosen. */
const tasks = Object.values(environments).filter(({ render }) => render !== undefined)

const choiceFields = {
  env: choice('Environment', 'CartPole-v1', Object.fromEntries(tasks.map(({ id }) => [id, id]))),
  algorithm: choice('Algorithm', 'svpg', titles as Record<AlgorithmName, string>),
}
const watchFields = {
  watched: slider('Policies shown', 6, { min: 1, max: 16 }),
  greedy: toggle('Always the likeliest action', false, 'Off: actions are drawn as in training.'),
  animate: toggle('Let them move', !prefersStillness()),
}

interface Listeners {
  /** A setting that a run takes while it runs. */
  onLive(name: string, value: Value): void
  /** Any other setting of the training. */
  onChange(): void
  onWatch(): void
}

/** The settings of the training and of what is shown of it. */
export interface Forms {
  env(): string
  /** Takes a task, and settings for it, as if it had been chosen. */
  choose(env: string): void
  /** For train(). */
  options(): Record<string, unknown>
  /** What makes a run another one: all but what may change while it runs. */
  settings(): Record<string, unknown>
  watch(): Values<typeof watchFields>
  address(): Record<string, Value>
}

export function createForms(settings: URLSearchParams, { onLive, onChange, onWatch }: Listeners): Forms {
  let algorithmForm: { values: Record<string, Value> }
  const chosen = buildForm(byId('choice-form'), {
    fields: choiceFields,
    values: fromAddress(choiceFields, settings),
    groups: { Task: ['env', 'algorithm'] },
    onChange(name) {
      if (name === 'env') offerAlgorithms()
      buildAlgorithm(new URLSearchParams())
      showGroups(byId('policies-settings'))
      onChange()
    },
  })
  const watch = buildForm(byId('watch-form'), {
    fields: watchFields,
    // Whether things move is the reader's to say, not the link's.
    values: { ...fromAddress(watchFields, settings), animate: !prefersStillness() },
    groups: { Watch: ['watched', 'greedy', 'animate'] },
    onChange: onWatch,
  })

  /** Only those that take the task can be chosen. */
  function offerAlgorithms() {
    const spec = environments[chosen.values.env]
    for (const option of byId<HTMLSelectElement>('choice-form-algorithm').options)
      option.disabled = !table[option.value as AlgorithmName].takes(spec)
    if (!table[chosen.values.algorithm].takes(spec)) chosen.set('algorithm', 'svpg')
  }

  function buildAlgorithm(from: URLSearchParams) {
    const { groups, live, about } = table[chosen.values.algorithm]
    const fields: Fields = Object.assign({}, ...Object.values(groups))
    const names = Object.entries(groups).map(([title, some]) => [title, Object.keys(some)])
    const form = buildForm(byId('policies-form'), {
      fields,
      values: fromAddress(fields, from),
      groups: Object.fromEntries(names),
      onChange: (name) => (live.includes(name) ? onLive(name, form.values[name] as Value) : onChange()),
    })
    algorithmForm = form as { values: Record<string, Value> }
    write('algorithm-about', about)
  }

  offerAlgorithms()
  buildAlgorithm(settings)
  showGroups(byId('policies-settings'))
  const options = () => ({
    ...chosen.values,
    workers: 'auto',
    ...optionsOf(table[chosen.values.algorithm], algorithmForm.values),
  })
  return {
    env: () => chosen.values.env,
    choose(env) {
      if (env === chosen.values.env) return
      chosen.set('env', env)
      offerAlgorithms()
      buildAlgorithm(new URLSearchParams())
      showGroups(byId('policies-settings'))
    },
    options,
    settings() {
      const { live } = table[chosen.values.algorithm]
      return Object.fromEntries(Object.entries(options()).filter(([name]) => !live.includes(name)))
    },
    watch: () => watch.values,
    address() {
      const { animate: _, ...watched } = watch.values
      return { ...chosen.values, ...algorithmForm.values, ...watched }
    },
  }
}
