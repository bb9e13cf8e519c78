import { outOption } from './command.ts';
import type { Command } from './command.ts';
import { printJson } from './context.ts';

interface ExportArgs {
  run: string;
  to: string;
  model: string;
  out: string;
}

export const exportCommand: Command<ExportArgs> = {
  name: 'export <run>',
  summary: 'Copy a model out of a finished run',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run, or its folder' })
      .option('model', { type: 'string', default: 'distilled', describe: 'Which model, as the report names it' })
      .option('to', { type: 'string', demandOption: true, describe: 'File to write' })
      .option('out', outOption),
  run: async ({ run, to, model, out }, context) => {
    const { findRun } = await import('../pipeline/find.ts');
    const { exportedFile } = await import('../pipeline/finished.ts');
    const { readBytes, writeFileAtomic } = await import('../base/files.ts');
    const file = await exportedFile(await findRun(run, out), model);
    const bytes = await readBytes(file);
    await writeFileAtomic(to, bytes);
    if (context.json) printJson(context, { from: file, to, bytes: bytes.length });
    else context.out(`${to}: ${bytes.length} bytes, from ${file}\n`);
  },
};
