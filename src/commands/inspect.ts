import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { inputOptions, inputShapes } from './options/shapes.ts';

interface InspectArgs {
  file: string | undefined;
  models: boolean;
  shape: string[];
  fix: string[];
}

export const inspectCommand: Command<InspectArgs> = {
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'File or folder' })
      .option('models', { type: 'boolean', default: false, describe: 'List the models that a recipe can name' })
      .options(inputOptions),
  run: async ({ file, models, shape, fix }, context) => {
    const { inspectFile, inspectModels } = await import('../tools/inspect.ts');
    const { fittedToWidth: fitted } = await import('./terminal/wrapped.ts');
    const { UserError } = await import('../base/errors.ts');
    if (models && file !== undefined) {
      throw new UserError(
        `inspect: expected a file or --models, received both, the file ${file}`,
        'Leave one of them out.',
      );
    }
    if (!models && file === undefined) {
      throw new UserError('inspect: expected a file or --models, received neither', 'Name a file, or add --models.');
    }
    const { value, text } = models ? inspectModels() : await inspectFile(file!, inputShapes({ shape, fix }));
    if (context.json) printJson(context, value);
    else context.out(models ? fitted(text, context) : text);
  },
};
