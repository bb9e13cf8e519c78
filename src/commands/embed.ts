import type { Command } from './options/command.ts';
import { printJson } from './context.ts';

interface EmbedArgs {
  encoder: string;
  tokenizer: string | undefined;
  size: number | undefined;
  length: number;
  pooling: 'mean' | 'first';
  output: string | undefined;
  out: string | undefined;
  vectors: string | undefined;
  split: 'train' | 'validation' | 'test';
}

export const embedCommand: Command<EmbedArgs> = {
  options: (yargs) =>
    yargs
      .positional('encoder', {
        type: 'string',
        demandOption: true,
        describe: 'An .onnx file that takes token ids, or a folder of model2vec',
      })
      .option('tokenizer', { type: 'string', describe: 'Its tokenizer.json [default: the one beside it]' })
      .option('size', { type: 'number', describe: 'Numbers of a vector [default: 256; all of a folder]' })
      .option('length', { type: 'number', default: 128, describe: 'Tokens of a text' })
      .option('pooling', {
        choices: ['mean', 'first'] as const,
        default: 'mean' as const,
        describe: 'Which of its vectors is read',
      })
      .option('output', { type: 'string', describe: 'Output of the encoder to read, where it has several' })
      .option('vectors', {
        type: 'string',
        describe: 'Recipe of the task embedding: write the vectors of its data by this model, and no static embeddings',
      })
      .option('split', {
        choices: ['train', 'validation', 'test'] as const,
        default: 'test' as const,
        describe: 'Beside --vectors: part of the data',
      })
      .option('out', {
        type: 'string',
        describe:
          'File to write [default: static.onnx, with tokenizer.json beside it; beside --vectors: vectors.npy, or a file that ends in .parquet]',
      }),
  run: async ({ out: named, vectors, split, ...given }, context) => {
    if (vectors !== undefined) {
      const { loadRunnable } = await import('../setup/runnable.ts');
      const { openVectorTools } = await import('./vectors.ts');
      const tools = await openVectorTools();
      const out = named ?? 'vectors.npy';
      const { showEvents } = await import('./terminal/progress.ts');
      const { progressOf } = await import('../train/progress.ts');
      const display = await showEvents(context);
      const onProgress = progressOf({ onEvent: display.onEvent, signal: context.signal }, 'export');
      const recipe = await loadRunnable(vectors, []);
      const made = await tools.writeVectors(given.encoder, recipe, split, out, { onProgress }).finally(display.close);
      if (context.json) printJson(context, made);
      else context.out(`${made.file}: ${made.samples} vectors of ${made.size} numbers, of the ${split} split\n`);
      return;
    }
    const args = { ...given, out: named ?? 'static.onnx' };
    const path = await import('node:path');
    const { embed } = await import('../tools/embed.ts');
    const { isFolder } = await import('../setup/hub/files.ts');
    const { UserError } = await import('../base/errors.ts');
    const { fileSize } = await import('../report/format.ts');
    const { showEvents } = await import('./terminal/progress.ts');
    const { progressOf } = await import('../train/progress.ts');
    for (const [key, most] of [
      ['size', 4096],
      ['length', 65_536],
    ] as const) {
      const value = args[key];
      if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)) continue;
      throw new UserError(`--${key}: expected a whole number from 1 to ${most}, received ${value}`, 'Change it.');
    }
    const tokenizer =
      args.tokenizer ?? path.join(isFolder(args.encoder) ? args.encoder : path.dirname(args.encoder), 'tokenizer.json');
    const display = await showEvents(context);
    const onProgress = progressOf({ onEvent: display.onEvent, signal: context.signal }, 'export');
    const made = await embed({ ...args, tokenizer, onProgress }).finally(display.close);
    if (context.json) printJson(context, made);
    else
      context.out(
        `${made.file}: ${made.vocabulary} tokens, ${made.size} of ${made.width} numbers each, which keep ` +
          `${(100 * made.kept).toFixed(1)} % of the variance; ${fileSize(made.sizeBytes)}\n` +
          `Begin a student with it: student: { onnx: ${made.file}, head: replace }, and dataset.text: ` +
          `{ tokenizer: ${made.tokenizer}, length: ${args.length} }\n`,
      );
  },
};
