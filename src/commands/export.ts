import { outOption } from './command.ts';
import type { Command } from './command.ts';
import { printJson } from './context.ts';
import type { Context } from './context.ts';

interface ExportArgs {
  run: string;
  to: string | undefined;
  kit: string | undefined;
  force: boolean;
  model: string | undefined;
  out: string;
}

export const exportCommand: Command<ExportArgs> = {
  name: 'export <run>',
  summary: 'Copy a model out of a finished run, or write a folder with all that an app needs of it',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run, or its folder' })
      .option('model', { type: 'string', describe: 'Which model, as the report names it [default: distilled]' })
      .option('to', { type: 'string', describe: 'File to write' })
      .option('kit', { type: 'string', describe: 'Folder to write: models, labels, model card, samples for apps' })
      .option('force', { type: 'boolean', default: false, describe: 'Write a kit into a folder that is not empty' })
      .option('out', outOption),
  run: async ({ run, to, kit, force, model, out }, context) => {
    const { findRun } = await import('../pipeline/find.ts');
    if (kit !== undefined) return writeKitTo(await findRun(run, out), kit, { model, force }, context);
    if (to === undefined) {
      const { UserError } = await import('../base/errors.ts');
      throw new UserError('export: expected --to or --kit, received neither', 'Add --to FILE or --kit FOLDER.');
    }
    const { exportedFile } = await import('../pipeline/finished.ts');
    const { readBytes, writeFileAtomic } = await import('../base/files.ts');
    const file = await exportedFile(await findRun(run, out), model ?? 'distilled');
    const bytes = await readBytes(file);
    await writeFileAtomic(to, bytes);
    if (context.json) printJson(context, { from: file, to, bytes: bytes.length });
    else context.out(`${to}: ${bytes.length} bytes, from ${file}\n`);
  },
};

async function writeKitTo(
  run: string,
  folder: string,
  options: { model: string | undefined; force: boolean },
  context: Context,
): Promise<void> {
  const { writeKit } = await import('../pipeline/kit/kit.ts');
  const { files, skipped } = await writeKit(run, folder, options);
  for (const { what, why } of skipped) context.note(`left out: ${what}: ${why}\n`);
  if (context.json) printJson(context, { folder, files, skipped });
  else context.out(`${folder}: ${files.length} files, begin with README.md\n`);
}
