import path from 'node:path';
import type { Argv, Options } from 'yargs';
import { UserError } from '../base/errors.ts';
import { unchangedTexts } from '../base/skipped.ts';
import type { convertFile } from '../ship/convert.ts';
import { CONVERT_DEFAULTS } from '../ship/convert/options.ts';
import type { ConvertOptions } from '../ship/convert/options.ts';
import { outOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { APP_FOLDER, foldersOf, SERVER_FOLDER } from './options/consumers.ts';
import type { WrittenFolder } from './options/consumers.ts';
import type { Kit } from '../ship/kit/kit.ts';
import type { CommandContext } from './context.ts';
import { printJson } from './context.ts';
import { FORMATS } from '../report/artifact.ts';
import { inputOptions, inputShapes } from './options/shapes.ts';

interface ExportArgs {
  run: string | undefined;
  to: string | undefined;
  kit: string | undefined;
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
  stream: boolean;
  ends: string;
  batch: string;
  denseScales: string | undefined;
  accept: boolean;
  shape: string[];
  fix: string[];
}

/** The command, with an option for each consumer of models. */
export async function exportCommand(): Promise<Command<ExportArgs>> {
  const [servers, apps] = [await foldersOf(SERVER_FOLDER), await foldersOf(APP_FOLDER)];
  const given = [...servers, ...apps].map(([name, { describe }]) => [name, { type: 'string', describe }] as const);
  const more = Object.assign(
    {},
    ...[...servers, ...apps].map(([, { options }]) => options),
  ) as (typeof servers)[0][1]['options'];
  return { options: (yargs) => optionsOf(yargs, { ...Object.fromEntries(given), ...more }), run };
}

/** `ofConsumers`: options of the folders for consumers. */
const optionsOf = (yargs: Argv, ofConsumers: Readonly<Record<string, Options>>): Argv<ExportArgs> =>
  yargs
    .positional('run', { type: 'string', describe: 'Name of the run to copy a model from, or its folder' })
    .option('to', { type: 'string', describe: 'Copy: file to write' })
    .option('from', {
      type: 'string',
      describe: 'Folder of a run, a float32 .onnx file, a .keras or .h5 file, or model.json of tfjs',
    })
    .option('model', { type: 'string', describe: 'Model, by its name in the report [default: distilled]' })
    .option('kit', { type: 'string', describe: 'Folder to write: models, labels, model card, samples for apps' })
    .options(ofConsumers)
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
    .option('stream', {
      type: 'boolean',
      default: false,
      describe: 'A file that takes a hop at a time, answers at each and keeps its past',
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
    .option('opset', { type: 'number', default: CONVERT_DEFAULTS.opset, describe: 'ONNX operator set' }) as never;

async function run(args: ExportArgs, context: CommandContext): Promise<void> {
  if (args.from !== undefined && args.run === undefined) return convertAndSay(conversionOf(args, args.from), context);
  if (args.run !== undefined && args.from === undefined) {
    if (args.stream)
      throw new UserError(
        `export: --stream makes a new file, received the run ${args.run} to copy from`,
        `Name its folder: --from FOLDER --stream; --model says which of its models.`,
      );
    const { findRun } = await import('../folder/find.ts');
    const { betterThan } = await import('../folder/report/finished.ts');
    const folder = await findRun(args.run, args.out ?? outOption.default);
    const better = await betterThan(folder, args.model);
    if (better !== undefined) context.note(`warning: ${better.sentence}; take it with --model ${better.row.id}\n`);
    const { kit, to } = args;
    const apps = givenFolders(args, APP_FOLDER.names());
    const servers = givenFolders(args, SERVER_FOLDER.names());
    if (servers.size > 0) {
      if ((kit ?? to) !== undefined || apps.size > 0)
        throw new UserError(
          `export: ${listed(SERVER_FOLDER.names(), 'and')} cannot stand beside ${listed(['kit', ...APP_FOLDER.names(), 'to'], 'or')}`,
          'Run the command once for each.',
        );
      const { exportForCluster } = await import('./options/export-cluster.ts');
      return exportForCluster(folder, servers, args, context);
    }
    if (apps.size + Number((kit ?? to) !== undefined) > 1)
      throw new UserError(
        `export: ${listed(APP_FOLDER.names(), 'and')} cannot stand beside ${listed(['each other', 'kit', 'to'], 'or')}`,
        'Run the command once for each.',
      );
    const [app] = apps;
    if (app !== undefined) return writeForApp(folder, ...app, args, context);
    if (kit !== undefined) return writeKitTo(folder, kit, args, context);
    if (to !== undefined) return copy(folder, to, args, context);
  }
  throw new UserError(
    `export: expected --from, or the name of a run with ${listed(ofRuns(), 'or')}`,
    'For example: limbeck export --from checkpoints/digits-csv --precision int8, or limbeck export digits-csv --to model.onnx.',
  );
}

type OptionValues = Readonly<Record<string, string | undefined>>;

/** Folders that the command line names, by the names of their consumers. */
function givenFolders(args: ExportArgs, names: readonly string[]): ReadonlyMap<string, string> {
  const given = names.map((name) => [name, (args as unknown as OptionValues)[name]] as const);
  return new Map(given.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

/** Options in a sentence: `--kit, --to or --triton`. */
function listed(names: readonly string[], word: 'and' | 'or'): string {
  const options = names.map((name) => (name.includes(' ') ? name : `--${name}`));
  return [options.slice(0, -1).join(', '), options.at(-1)].filter((part) => part !== '').join(` ${word} `);
}

/** Options that take something out of a run. */
const ofRuns = (): readonly string[] => ['to', 'kit', ...APP_FOLDER.names(), ...SERVER_FOLDER.names()];

function conversionOf(args: ExportArgs, from: string): ConvertArgs {
  const [unread] = givenFolders(args, ofRuns()).keys();
  if (unread !== undefined)
    throw new UserError(
      `export: --${unread} takes the name of a run, received --from ${from}`,
      unread === 'to' ? `Name the file to write with --out ${args.to!}.` : `Name a run, or leave --${unread} out.`,
    );
  const { format, precision, calibrator, ends } = args as unknown as ConvertOptions;
  const { model, data, samples, keepFloat, symmetric, opset, sparse, stream, accept, out } = args;
  const other = FORMATS.find((one) => one !== format && out?.toLowerCase().endsWith(`.${one}`));
  if (other !== undefined)
    throw new UserError(
      `--out ${out!}: expected a name that ends in .${format}, as --format is ${format}, received .${other}`,
      `Add --format ${other}, or give the file another ending.`,
    );
  return {
    from,
    model,
    format,
    precision,
    data,
    calibrator,
    samples,
    keepFloat,
    symmetric,
    opset,
    sparse,
    stream,
    accept,
    out,
    ...(ends !== undefined && { ends }),
    dense: args.denseScales as ConvertOptions['dense'],
    shapes: inputShapes(args),
    batch: args.batch === 'dynamic' ? 'dynamic' : 1,
  };
}

type ConvertArgs = Parameters<typeof convertFile>[0];

export async function convertAndSay(options: ConvertArgs, context: CommandContext): Promise<void> {
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
  if (result.streamText !== undefined) context.out(`  ${result.streamText}\n`);
  const { likenessText } = await import('../convert/budgets.ts');
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

async function writeForApp(
  run: string,
  name: string,
  folder: string,
  args: ExportArgs,
  context: CommandContext,
): Promise<void> {
  const { written, opens } = await APP_FOLDER.of(name).write(run, folder, args);
  sayWritten(folder, written, context, ` for ${opens}`);
}

/** Prints the number of files that a folder received, the files that were left out, and notes. */
function sayWritten(
  folder: string,
  written: Kit & Partial<WrittenFolder>,
  context: CommandContext,
  purpose = '',
): void {
  const { files, skipped, notes = [] } = written;
  for (const { what, why } of skipped) context.note(`left out: ${what}: ${why}\n`);
  for (const note of notes) context.note(`${note}\n`);
  if (context.json) printJson(context, { folder, ...written });
  else context.out(`${folder}: ${files.length} files${purpose}, begin with README.md\n`);
}
