import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { unchangedTexts } from '../base/skipped.ts';
import type { convertFile } from '../ship/convert.ts';
import { CONVERT_DEFAULTS } from '../ship/convert/options.ts';
import type { ConvertOptions } from '../ship/convert/options.ts';
import { outOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import type { CommandContext } from './context.ts';
import { printJson } from './context.ts';
import { FORMATS } from '../report/artifact.ts';
import { inputOptions, inputShapes } from './options/shapes.ts';

interface ExportArgs {
  run: string | undefined;
  to: string | undefined;
  kit: string | undefined;
  triton: string | undefined;
  kserve: string | undefined;
  transformers: string | undefined;
  mediapipe: string | undefined;
  device: string;
  image: string | undefined;
  force: boolean;
  from: string | undefined;
  model: string | undefined;
  out: string | undefined;
  format: string;
  precision: string;
  data: string | undefined;
  calibrator: string;
  samples: number;
  keepFloat: string[];
  symmetric: boolean;
  opset: number;
  sparse: boolean;
  ends: string;
  batch: string;
  denseScales: string | undefined;
  accept: boolean;
  shape: string[];
  fix: string[];
}

export const exportCommand: Command<ExportArgs> = {
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', describe: 'Name of the run to copy a model from, or its folder' })
      .option('to', { type: 'string', describe: 'Copy: file to write' })
      .option('from', {
        type: 'string',
        describe: 'Folder of a run, a float32 .onnx file, a .keras or .h5 file, or model.json of tfjs',
      })
      .option('model', { type: 'string', describe: 'Model, by its name in the report [default: distilled]' })
      .option('kit', { type: 'string', describe: 'Folder to write: models, labels, model card, samples for apps' })
      .option('triton', { type: 'string', describe: "Folder to write: a model repository of Triton's" })
      .option('kserve', { type: 'string', describe: 'Folder to write: manifests for KServe, KEDA or plain Kubernetes' })
      .option('transformers', { type: 'string', describe: 'Folder to write: opened by pipeline() of transformers.js' })
      .option('mediapipe', {
        type: 'string',
        describe: 'Folder to write: texts and pictures, opened by tasks of MediaPipe',
      })
      .option('device', {
        choices: ['cpu', 'gpu', 'tensorrt'],
        ...{ default: 'cpu', describe: 'Triton, KServe: where the model is to run' },
      })
      .option('image', { type: 'string', describe: 'KServe: name of the image, without its tag [default: as the run]' })
      .option('force', { type: 'boolean', default: false, describe: 'Write a kit into a folder that is not empty' })
      .option('format', { choices: ['onnx', 'tflite'], default: CONVERT_DEFAULTS.format, describe: 'File format' })
      .option('precision', {
        choices: ['fp32', 'fp16', 'int8', 'dynamic-int8', 'int16x8', 'int4'],
        default: CONVERT_DEFAULTS.precision,
        describe: 'Number format',
      })
      .option('out', { type: 'string', describe: 'File to write; when copying, the folder that holds the runs' })
      .option('data', {
        type: 'string',
        describe: 'Samples: a recipe whose data are used, or arrays of inputs (.npy, .npz)',
      })
      .option('calibrator', {
        choices: ['minmax', 'percentile', 'mse'],
        default: CONVERT_DEFAULTS.calibrator,
        describe: 'int8: method that chooses the ranges of activations',
      })
      .option('samples', {
        type: 'number',
        default: CONVERT_DEFAULTS.samples,
        describe: 'int8: samples that the calibrator sees',
      })
      .option('keep-float', { type: 'string', array: true, default: [], describe: 'int8: layers that stay in float' })
      .option('symmetric', { type: 'boolean', default: false, describe: 'int8: zero points of 0, for TensorRT' })
      .option('sparse', {
        type: 'boolean',
        default: false,
        describe: 'TFLite in fp32: pruned 1×1 filters as sparse tensors',
      })
      .option('ends', {
        choices: ['float32', 'int8', 'uint8'],
        default: CONVERT_DEFAULTS.ends,
        describe: 'TFLite in int8: type of inputs and outputs',
      })
      .option('dense-scales', {
        choices: ['tensor', 'channel'],
        describe:
          'TFLite with int8 weights: one scale for a dense layer, or one for each of its outputs [default: tensor]',
      })
      .option('batch', { choices: ['1', 'dynamic'], default: '1', describe: 'TFLite: samples in a call' })
      .option('accept', {
        type: 'boolean',
        default: false,
        describe: 'Write the file even if its answers differ too much from its source; its metadata say so',
      })
      .options(inputOptions)
      .option('opset', { type: 'number', default: CONVERT_DEFAULTS.opset, describe: 'ONNX operator set' }) as never,
  run: async (args, context) => {
    if (args.from !== undefined && args.run === undefined) return convert(conversionOf(args, args.from), context);
    if (args.run !== undefined && args.from === undefined) {
      const { findRun } = await import('../folder/find.ts');
      const { betterThan } = await import('../folder/report/finished.ts');
      const folder = await findRun(args.run, args.out ?? outOption.default);
      const better = await betterThan(folder, args.model);
      if (better !== undefined) context.note(`warning: ${better.sentence}; take it with --model ${better.row.id}\n`);
      if (args.triton !== undefined || args.kserve !== undefined) {
        if ((args.kit ?? args.to ?? args.transformers ?? args.mediapipe) !== undefined)
          throw new UserError(
            'export: --triton and --kserve cannot stand beside --kit, --transformers, --mediapipe or --to',
            'Run the command once for each.',
          );
        const { exportForCluster } = await import('./options/export-cluster.ts');
        return exportForCluster(folder, args, context);
      }
      const { kit, to, transformers, mediapipe } = args;
      if ([kit ?? to, transformers, mediapipe].filter((one) => one !== undefined).length > 1)
        throw new UserError(
          'export: --transformers and --mediapipe cannot stand beside each other, --kit or --to',
          'Run the command once for each.',
        );
      if (mediapipe !== undefined) return writeForMediaPipe(folder, mediapipe, args, context);
      if (args.transformers !== undefined) return writePipeline(folder, args.transformers, args, context);
      if (args.kit !== undefined) return writeKitTo(folder, args.kit, args, context);
      if (args.to !== undefined) return copy(folder, args.to, args, context);
    }
    throw new UserError(
      'export: expected --from, or the name of a run with --to, --kit, --transformers, --mediapipe, --triton or --kserve',
      'For example: limbeck export --from checkpoints/digits-csv --precision int8, or limbeck export digits-csv --to model.onnx.',
    );
  },
};

/** Options that take something out of a run. */
const OF_RUNS = ['to', 'kit', 'triton', 'kserve', 'transformers', 'mediapipe'] as const;

function conversionOf(args: ExportArgs, from: string): ConvertArgs {
  const unread = OF_RUNS.find((name) => args[name] !== undefined);
  if (unread !== undefined)
    throw new UserError(
      `export: --${unread} takes the name of a run, received --from ${from}`,
      unread === 'to' ? `Name the file to write with --out ${args.to!}.` : `Name a run, or leave --${unread} out.`,
    );
  const { format, precision, calibrator, ends } = args as unknown as ConvertOptions;
  const { model, data, samples, keepFloat, symmetric, opset, sparse, accept, out } = args;
  const other = FORMATS.find((one) => one !== format && out?.toLowerCase().endsWith(`.${one}`));
  if (other !== undefined)
    throw new UserError(
      `--out ${out!}: expected a name that ends in .${format}, as --format is ${format}, received .${other}`,
      `Add --format ${other}, or give the file another ending.`,
    );
  return {
    ...{ from, model, format, precision, data, calibrator, samples, keepFloat, symmetric, opset, sparse, accept, out },
    ...(ends !== undefined && { ends }),
    dense: args.denseScales as ConvertOptions['dense'],
    shapes: inputShapes(args),
    batch: args.batch === 'dynamic' ? 'dynamic' : 1,
  };
}

type ConvertArgs = Parameters<typeof convertFile>[0];

export async function convert(options: ConvertArgs, context: CommandContext): Promise<void> {
  const { convertFile } = await import('../ship/convert.ts');
  const { showEvents } = await import('./terminal/progress.ts');
  const { progressOf } = await import('../train/progress.ts');
  const display = await showEvents(context);
  const onProgress = progressOf({ onEvent: display.onEvent, signal: context.signal }, 'export');
  const result = await convertFile({ ...options, onProgress }).finally(display.close);
  for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
  if (context.json) {
    printJson(context, result);
    return;
  }
  for (const text of unchangedTexts(result.skipped)) context.note(`${text}\n`);
  if (result.preparation !== undefined) context.note(`samples: ${result.preparation}\n`);
  context.out(`${result.to}: ${result.bytes} bytes, from ${result.from}\n`);
  const { likenessText } = await import('../ship/parity/budgets.ts');
  if (result.outputs.length > 0) context.out(`beside the source file on ${result.samples} ${result.kind}:\n`);
  for (const output of result.outputs) context.out(`  ${likenessText(output)}\n`);
  for (const note of result.accepted) context.note(`accepted although beyond its budget: ${note}\n`);
}

async function copy(folder: string, to: string, { model }: ExportArgs, context: CommandContext): Promise<void> {
  const { exportedModel } = await import('../folder/report/finished.ts');
  const { readModelFile, writeModel } = await import('../files/onnx-file.ts');
  const { usualPath, usualText } = await import('../folder/usual-answers.ts');
  const { file, row } = await exportedModel(folder, model);
  const bytes = await readModelFile(file);
  const usual = row.usual && ([path.basename(usualPath(to)), usualText(bytes, row.usual)] as const);
  const written = await writeModel(to, bytes, new Map(usual && [usual]));
  if (context.json) printJson(context, { from: file, to, bytes: written });
  else context.out(`${to}: ${written} bytes, from ${file}\n`);
}

async function writeKitTo(
  run: string,
  folder: string,
  { model, force }: ExportArgs,
  context: CommandContext,
): Promise<void> {
  const { writeKit } = await import('../ship/kit/kit.ts');
  sayWritten(folder, await writeKit(run, folder, { model, force }), context);
}

async function writePipeline(
  run: string,
  folder: string,
  { model, force }: ExportArgs,
  context: CommandContext,
): Promise<void> {
  const { writePipelineFolder } = await import('../ship/transformers/folder.ts');
  const written = await writePipelineFolder(run, folder, { model, force });
  sayWritten(folder, written, context, ` for pipeline('${written.pipeline}')`);
}

async function writeForMediaPipe(
  run: string,
  folder: string,
  { model, force }: ExportArgs,
  context: CommandContext,
): Promise<void> {
  const { writeMediaPipeFolder } = await import('../ship/mediapipe/folder.ts');
  const written = await writeMediaPipeFolder(run, folder, { model, force });
  sayWritten(folder, written, context, ` for ${written.task}`);
}

interface Written {
  readonly files: readonly string[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  readonly notes?: readonly string[];
}

/** Prints the number of files that a folder received, the files that were left out, and notes. */
function sayWritten(folder: string, written: Written, context: CommandContext, purpose = ''): void {
  const { files, skipped, notes = [] } = written;
  for (const { what, why } of skipped) context.note(`left out: ${what}: ${why}\n`);
  for (const note of notes) context.note(`${note}\n`);
  if (context.json) printJson(context, { folder, ...written });
  else context.out(`${folder}: ${files.length} files${purpose}, begin with README.md\n`);
}
