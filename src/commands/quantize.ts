import { UserError } from '../base/errors.ts';
import type { Command } from './options/command.ts';
import { convertAndSay } from './export.ts';
import { inputOptions, inputShapes } from './options/shapes.ts';

interface QuantizeArgs {
  model: string;
  data: string | undefined;
  format: string;
  out: string | undefined;
  'keep-float': string[];
  shape: string[];
  fix: string[];
  accept: boolean;
}

export const quantizeCommand: Command<QuantizeArgs> = {
  options: (yargs) =>
    yargs
      .positional('model', {
        type: 'string',
        demandOption: true,
        describe: 'A float32 .onnx file, or a .keras or .h5 file',
      })
      .option('data', { type: 'string', describe: 'A recipe whose data are used, or arrays of inputs (.npy, .npz)' })
      .option('format', { choices: ['onnx', 'tflite'], default: 'onnx', describe: 'File format' })
      .option('out', { type: 'string', describe: 'File to write [default: the name of the model with -int8]' })
      .option('keep-float', { type: 'string', array: true, default: [], describe: 'Layers that stay in float' })
      .options(inputOptions)
      .option('accept', {
        type: 'boolean',
        default: false,
        describe: 'Write the file even if its answers differ too much from its source; its metadata say so',
      }),
  run: async ({ model, data, format, out, 'keep-float': keepFloat, accept, shape, fix }, context) => {
    if (data === undefined)
      throw new UserError(
        'quantize: expected --data, received none',
        'Name a recipe whose data the model is for, or arrays of inputs as the model is fed (.npz, .npy).',
      );
    const written = { format: format as 'onnx' | 'tflite', out, precision: 'int8' } as const;
    await convertAndSay(
      { from: model, data, ...written, keepFloat, accept, shapes: inputShapes({ shape, fix }) },
      context,
    );
  },
};
