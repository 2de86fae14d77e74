import { Command } from 'commander'
import pc from 'picocolors'
import { type ExportFormat, exportFormats, exportRun } from '../export/run.ts'
import { orStopped } from './interrupt.ts'
import { directory, number, words } from './values.ts'

interface CommandOptions {
  out?: string
  format?: ExportFormat[]
  particle: number | 'all' | 'best'
  overwrite: boolean
}

export function exportCommand(): Command {
  return new Command('export')
    .description('Write the policies of a run for steinrl/policy, TensorFlow.js and ONNX.')
    .argument('<run>', 'a run directory')
    .option('--out <directory>', 'where to write the files (RUN/policy)', directory)
    .option('--format <list>', `${exportFormats.join(',')} or some of them (all)`, words)
    .option('--particle <which>', 'all, best or a number; of all, TensorFlow.js and ONNX get the best', number, 'all')
    .option('--overwrite', 'write into a directory that exists', false)
    .action(runExport)
}

function runExport(run: string, { format, particle, overwrite, ...given }: CommandOptions): Promise<void> {
  const { out = `${run.replace(/\/+$/, '')}/policy` } = given
  return orStopped(false, async ({ signal }) => {
    const names = await exportRun({ run, out, formats: format, particle, overwrite, signal })
    console.log(`Wrote ${names.map((name) => pc.cyan(`${out.replace(/\/$/, '')}/${name}`)).join(', ')}.`)
  })
}
