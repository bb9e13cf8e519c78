import { once } from 'node:events';
import { UserError } from '../base/errors.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { checkPort } from './options/watch.ts';

interface ConvertArgs {
  page: boolean;
  to: string | undefined;
  port: number;
  host: string;
}

export const convertCommand: Command<ConvertArgs> = {
  options: (yargs) =>
    yargs
      .option('page', { type: 'boolean', default: false, describe: 'Serve the page of the converter' })
      .option('to', { type: 'string', describe: 'With --page: folder to write the page to, for any server of files' })
      .option('port', { type: 'number', default: 0, describe: 'Port of the page; 0 takes any that is free' })
      .option('host', {
        type: 'string',
        default: '127.0.0.1',
        describe: 'Address to serve the page at; 0.0.0.0 for all of the network',
      }),
  run: async ({ page, to, port, host }, context) => {
    if (!page)
      throw new UserError(
        'convert: expected --page, received none',
        'Add --page for the page of the converter; `limbeck export --from model.onnx` converts a file.',
      );
    await checkPort('port', port);
    const { converterPage, missingText } = await import('../convert-page/files.ts');
    const made = await converterPage();
    if (made.missing.length > 0) context.note(`${missingText(made.missing)}\n`);
    if (to !== undefined) {
      const { writeWhole } = await import('../base/folders/whole-folder.ts');
      await writeWhole(to, made.files);
      const bytes = [...made.files.values()].reduce((sum, { length }) => sum + length, 0);
      if (context.json) printJson(context, { folder: to, files: made.files.size, bytes });
      else context.out(`${to}: the page, ${made.files.size} files of ${(bytes / 1e6).toFixed(1)} MB\n`);
      return;
    }
    const { serveConverter } = await import('../convert-page/server.ts');
    const { url, close } = await serveConverter(made, { host, port });
    if (context.json) printJson(context, { url });
    else context.out(`page at ${url}, until Ctrl-C\n`);
    if (!context.signal.aborted) await once(context.signal, 'abort');
    await close();
  },
};
