import type { PbfWriter } from 'pbf'

// The settings of a run as TensorBoard's plugin hparams has them: summaries without a value whose metadata hold what
// tensorboard/plugins/hparams/plugin_data.proto and api.proto describe.

/** What an event may say of its run. */
export interface SettingsEvent {
  /** Seconds since 1970. */
  readonly wallTime: number
  /** Of the whole run, with the names of the scalars that stand beside them. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly shown?: readonly string[]
  /** How the run ended. */
  readonly outcome?: 'success' | 'failure'
}

type Value = string | number | boolean

interface Part {
  readonly tag: string
  readonly content: (pbf: PbfWriter) => void
}

/** DataType of api.proto, by what typeof says. */
const DATA_TYPES = { string: 1, boolean: 2, number: 3 } as const
/** Status of api.proto. */
const STATUS = { success: 1, failure: 2 } as const
const PLUGIN = 'hparams'
const VERSION = 0
/** DT_FLOAT of a TensorProto. */
const FLOAT = 1

/** What an event says of the settings, or of the end, of its run. */
export function hparamsOf({ settings, shown = [], outcome, wallTime }: SettingsEvent): Part[] {
  const parts: Part[] = []
  if (settings) {
    const values = Object.entries(settings).map(([name, value]): [string, Value] => [name, plain(value)])
    parts.push({ tag: '_hparams_/experiment', content: (pbf) => writeExperiment(values, shown, wallTime, pbf) })
    parts.push({ tag: '_hparams_/session_start_info', content: (pbf) => writeStart(values, wallTime, pbf) })
  }
  if (outcome)
    parts.push({
      tag: '_hparams_/session_end_info',
      content: (pbf) =>
        pbf.writeMessage(
          4,
          (_: null, end) => {
            end.writeVarintField(1, STATUS[outcome])
            end.writeDoubleField(2, wallTime)
          },
          null,
        ),
    })
  return parts
}

/** A list or a record is told as JSON. */
const plain = (value: unknown): Value =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : (JSON.stringify(value) ?? '')

export function writeHparams({ tag, content }: Part, pbf: PbfWriter): void {
  pbf.writeStringField(1, tag)
  pbf.writeMessage(8, writeNoTensor, null)
  pbf.writeMessage(9, writeMetadata, content)
}

/** An empty tensor of shape [0]. */
function writeNoTensor(_: null, pbf: PbfWriter): void {
  pbf.writeVarintField(1, FLOAT)
  pbf.writeMessage(
    2,
    (__: null, shape) => shape.writeMessage(2, (___: null, dim) => dim.writeVarintField(1, 0), null),
    null,
  )
}

const writeMetadata = (content: Part['content'], pbf: PbfWriter) => pbf.writeMessage(1, writePlugin, content)

function writePlugin(content: Part['content'], pbf: PbfWriter): void {
  pbf.writeStringField(1, PLUGIN)
  pbf.writeMessage(2, writeContent, content)
}

function writeContent(content: Part['content'], pbf: PbfWriter): void {
  pbf.writeVarintField(1, VERSION)
  content(pbf)
}

type Named = readonly (readonly [string, Value])[]

function writeExperiment(values: Named, shown: readonly string[], created: number, pbf: PbfWriter): void {
  pbf.writeMessage(
    2,
    (_: null, experiment) => {
      for (const value of values) experiment.writeMessage(4, writeInfo, value)
      for (const tag of shown) experiment.writeMessage(5, writeMetric, tag)
      experiment.writeDoubleField(7, created)
    },
    null,
  )
}

function writeInfo([name, value]: Named[number], pbf: PbfWriter): void {
  pbf.writeStringField(1, name)
  pbf.writeVarintField(4, DATA_TYPES[typeof value as keyof typeof DATA_TYPES])
}

const writeMetric = (tag: string, pbf: PbfWriter) =>
  pbf.writeMessage(1, (name: string, metric) => metric.writeStringField(2, name), tag)

function writeStart(values: Named, started: number, pbf: PbfWriter): void {
  pbf.writeMessage(
    3,
    (_: null, start) => {
      for (const value of values) start.writeMessage(1, writeEntry, value)
      start.writeDoubleField(5, started)
    },
    null,
  )
}

/** An entry of a map from names to google.protobuf.Value. */
function writeEntry([name, value]: Named[number], pbf: PbfWriter): void {
  pbf.writeStringField(1, name)
  pbf.writeMessage(2, writeValue, value)
}

function writeValue(value: Value, pbf: PbfWriter): void {
  if (typeof value === 'number') pbf.writeDoubleField(2, value)
  else if (typeof value === 'string') pbf.writeStringField(3, value)
  else pbf.writeBooleanField(4, value)
}
