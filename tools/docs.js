// Writes the tables of settings into docs/*.md, between <!-- settings NAME --> and <!-- end of settings -->, from the
// schemas of the built package: npm run docs:settings.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const TABLE = /<!-- settings ([a-z0-9-]+) -->\n[\s\S]*?<!-- end of settings -->/g

/** The text with its tables written anew; `settings` has the descriptions by the name of what they are settings of. */
export const withTables = (text, settings) =>
  text.replace(TABLE, (_, name) => {
    if (!Object.hasOwn(settings, name)) throw new Error(`There are no settings of ${name}.`)
    return `<!-- settings ${name} -->\n${table(settings[name])}\n<!-- end of settings -->`
  })

function table(described) {
  const rows = described.map(({ name, fallback, meaning, allowed }) => {
    const range = allowed === '' ? '' : ` ${allowed[0].toUpperCase()}${allowed.slice(1)}.`
    return ['', ` \`${name}\` `, ` ${fallback ?? 'must be given'} `, ` ${cell(meaning + range)} `, ''].join('|')
  })
  return ['| setting | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

/** A bar would end the cell. */
const cell = (text) => text.replaceAll('|', '\\|')

async function write() {
  const { describeSettings } = await import('../dist/core/settings.js')
  const { algorithms } = await import('../dist/train/train.js')
  const { amortizedSchema } = await import('../dist/algorithms/amortized-svgd/settings.js')
  const schemas = { ...algorithms, 'amortized-svgd': { settings: amortizedSchema.entries } }
  const settings = Object.fromEntries(
    Object.entries(schemas).map(([name, { settings }]) => [name, describeSettings(settings)]),
  )
  const folder = new URL('../docs/', import.meta.url)
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.md'))) {
    const file = new URL(name, folder)
    writeFileSync(file, withTables(readFileSync(file, 'utf8'), settings))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await write()
