import { UserError } from '../base/errors.ts';
import { outOption, saveEveryOption, setOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { execute } from './run.ts';
import { inputOptions, inputShapes } from './options/shapes.ts';
import { watchOptions } from './options/watch.ts';
import { WATCHERS } from './options/watchers.ts';

interface CompressArgs {
  model: string;
  data: string | undefined;
  budget: string | undefined;
  epochs: number;
  seed: number;
  shape: string[];
  fix: string[];
  format: ('onnx' | 'tflite')[];
  name: string | undefined;
  mean: number[] | undefined;
  std: number[] | undefined;
  out: string;
  set: string[];
  fresh: boolean;
  'save-every': number;
}

export const compressCommand: Command<CompressArgs> = {
  prepare: () => WATCHERS.loadAll(),
  options: (yargs) =>
    yargs
      .positional('model', {
        type: 'string',
        demandOption: true,
        describe: 'ONNX file that answers with logits, a Hugging Face folder with one, or a .keras or .h5 file',
      })
      .option('data', {
        type: 'string',
        describe: 'A recipe whose data are used, a folder of pictures, or arrays of inputs (.npz, .npy)',
      })
      .option('budget', {
        type: 'string',
        describe:
          'Targets: times smaller, times faster, points of accuracy, or of another score, to lose at most [default: size=4,latency=2,drop=1; without labels drop=5]',
      })
      .option('epochs', { type: 'number', default: 2, describe: 'Passes over the data after each cut' })
      .option('format', {
        choices: ['onnx', 'tflite'],
        array: true,
        default: ['onnx', 'tflite'],
        describe: 'File formats to write',
      })
      .option('mean', {
        type: 'number',
        array: true,
        describe: 'Pictures in a folder: mean to subtract after scaling to 0 … 1',
      })
      .option('std', {
        type: 'number',
        array: true,
        describe: 'Pictures in a folder: deviation to divide by after that',
      })
      .options(inputOptions)
      .option('seed', { type: 'number', default: 0, describe: 'Seed of all randomness in training' })
      .option('name', { type: 'string', describe: 'Name of the run [default: as the file, with -small]' })
      .option('out', outOption)
      .option('set', setOption)
      .option('save-every', saveEveryOption)
      .option('fresh', {
        type: 'boolean',
        default: false,
        describe: 'Start again; the earlier run is removed once the new one has begun its work',
      })
      .options(watchOptions()) as never,
  run: async ({ model, data, format, fresh, 'save-every': saveEvery, ...args }, context) => {
    if (data === undefined)
      throw new UserError(
        'compress: expected --data, received none',
        'Name a recipe, a folder of pictures, or arrays of inputs as the model is fed (.npz, .npy); labels are not needed.',
      );
    const { budget: asked, epochs, seed, name, out, set, mean, std, shape, fix, ...watch } = args;
    const { compression } = await import('../tools/compress/compress.ts');
    const shapes = inputShapes({ shape, fix });
    const onWait = (message: string): void => context.note(`${message}\n`);
    const options = {
      model,
      shapes,
      data,
      budget: asked,
      epochs,
      seed,
      name,
      out,
      set,
      mean,
      std,
      formats: format,
      fresh,
      onWait,
    };
    const { loaded, budget, original, notes } = await compression(options);
    for (const note of notes) context.note(`${note}\n`);
    const { folder, report } = await execute(
      loaded,
      { out, saveEvery, existing: fresh ? 'fresh' : 'ask', place: {}, watch },
      context,
    );
    const { besideOriginal, besideText, speedsOf } = await import('../tools/compress/within.ts');
    const timing = { seconds: 8, signal: context.signal };
    const speeds = budget.latency === 1 ? new Map<string, never>() : await speedsOf(report, folder, original, timing);
    context.note(besideText(report, besideOriginal(report, budget, speeds), budget, folder));
  },
};
