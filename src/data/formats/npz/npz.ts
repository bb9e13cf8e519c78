import path from 'node:path';
import { UserError, clipped, nearest, shown } from '../../../base/errors.ts';
import { hex } from '../../../base/typed-bytes.ts';
import { taskRow } from '../../../recipe/task.ts';
import type { NpzConfig, NpzSource } from '../../config.ts';
import { sharedFloats, countOfElements } from '../../dataset.ts';
import type { RawSplit } from '../../dataset.ts';
import { inputParts } from '../../inputs.ts';
import { largeArray } from './npz-large.ts';
import type { ArrayForm } from './npz-large.ts';
import { parseNpy } from '../../../base/numpy.ts';
import { holdsWhole, npyLabels, npyMasks, npyNumbers, npySamples, toChannelsLast } from '../../readers/numpy/npy.ts';
import type { NpyArray } from '../../../base/numpy.ts';
import { noLabels } from '../../readers/labelled.ts';
import type { LabelsRead } from '../../readers/labelled.ts';
import type { RoomGiven } from '../../storage/memory-budget.ts';
import { bytesAt, emptyFile, readShared } from '../../readers/source.ts';
import { damaged, unzip } from '../../readers/numpy/zip.ts';
import { requireLabelFile } from '../../readers/label-file.ts';
import type { DatasetConfig } from '../../config.ts';
import type { SplitReader } from '../../readers/registry.ts';

/** Reads NumPy arrays: two `.npy` files, or two arrays of an `.npz` (a zip of `.npy`). Samples too large for memory stay in the file. */
export async function readNpz(
  source: NpzSource,
  { layout, task, withoutLabels = false, room }: SplitOptions & LabelsRead & RoomGiven,
): Promise<RawSplit> {
  const labelsAt = withoutLabels ? undefined : 'file' in source ? (source.labels ?? 'y') : source.labels;
  const large = room && (await largeArray(source, room));
  if (large !== undefined) {
    const labels = labelsAt === undefined ? undefined : await (large.entry?.(labelsAt) ?? readNpy(labelsAt));
    const { form, ...read } = split(large, labels, { layout, task });
    return { ...read, ...(await large.held(form, room!)) };
  }
  if ('file' in source && typeof source.samples === 'object' && source.samples.length > 1) {
    const names = source.samples;
    const parts = await fromArchive(source.file, ...names);
    const [labels] = labelsAt === undefined ? [] : await fromArchive(source.file, labelsAt);
    return severalInputs(names, parts, labels, { layout, task });
  }
  if ('file' in source) {
    const [samples, labels] = await fromArchive(
      source.file,
      [source.samples ?? 'x'].flat()[0]!,
      ...(labelsAt === undefined ? [] : [labelsAt]),
    );
    return inMemory(samples!, labels, { layout, task });
  }
  const [samples, labels] = await Promise.all([
    readNpy(source.samples),
    labelsAt === undefined ? undefined : readNpy(labelsAt),
  ]);
  return inMemory(samples, labels, { layout, task });
}

type SplitOptions = Pick<NpzConfig, 'layout' | 'task'>;

function inMemory(array: NpyArray, labels: NpyArray | undefined, options: SplitOptions): RawSplit {
  const { form, ...read } = split(array, labels, options);
  const samples = npySamples(array);
  return { ...read, samples: form.isFirst ? toChannelsLast(samples, form.shape) : samples };
}

/** A split of one input, without the values of the samples. */
function split(
  samples: Pick<NpyArray, 'where' | 'shape'>,
  labels: NpyArray | undefined,
  { layout, task }: SplitOptions,
): Omit<RawSplit, 'samples'> & { readonly form: ArrayForm } {
  const { answersPer, hasClasses } = taskRow(task);
  const raw =
    labels === undefined
      ? noLabels(samples.shape[0] ?? 0)
      : answersPer === 'pixel'
        ? npyMasks(labels)
        : hasClasses
          ? npyLabels(labels)
          : npyNumbers(labels);
  const labelled = raw.values.length / (raw.kind === 'numbers' ? raw.width : 1);
  const [count = 0, ...shape] = samples.shape;
  if (shape.length < 1 || countOfElements(samples.shape) === 0) {
    throw new UserError(
      `${samples.where}: expected samples as [count, features], [count, steps, channels], [count, height, width, channels] or with more axes, received [${samples.shape.join(', ')}]`,
      'Reshape the array; the first axis counts the samples.',
    );
  }
  if (count !== labelled) {
    throw new UserError(
      `${labels!.where}: ${labelled} labels for the ${count} samples of ${samples.where}`,
      'Save samples and labels of the same split.',
    );
  }
  return { source: samples.where, ...arrange(samples, shape, layout), labels: raw };
}

/** Concatenates the arrays of several inputs, sample by sample. */
function severalInputs(
  names: readonly string[],
  arrays: readonly NpyArray[],
  labels: NpyArray | undefined,
  options: SplitOptions,
): RawSplit {
  const [first, ...others] = arrays as readonly [NpyArray, ...NpyArray[]];
  const other = others.find(({ shape }) => shape[0] !== first.shape[0]);
  if (other !== undefined)
    throw new UserError(
      `${other.where}: ${other.shape[0]} samples, beside ${first.shape[0]} in ${first.where}`,
      'Every input needs all samples of the split, in the same order.',
    );
  const splits = arrays.map((array) => inMemory(array, labels, options));
  const inputs = inputParts(
    splits.map(({ sampleShape }, i) => ({
      name: names[i]!,
      isWhole: holdsWhole(arrays[i]!),
      shape: sampleShape,
    })),
  );
  const [{ source, labels: classes }] = splits as [RawSplit];
  const row = inputs.reduce((sum, { shape }) => sum + countOfElements(shape), 0);
  const samples = sharedFloats((splits[0]!.samples.length / countOfElements(inputs[0]!.shape)) * row);
  splits.forEach((one, i) => {
    const { from, shape } = inputs[i]!;
    const size = countOfElements(shape);
    for (let at = 0, to = from; at < one.samples.length; at += size, to += row)
      samples.set(one.samples.subarray(at, at + size), to);
  });
  return { source, sampleShape: [row], samples, inputs, labels: classes };
}

/**
 * Shape of samples: arrays keep their axes, [steps, channels] is a sequence; with a layout of pictures, [height, width] is a grey picture.
 */
function arrange(
  { where, shape: whole }: Pick<NpyArray, 'where' | 'shape'>,
  shape: readonly number[],
  layout: NpzConfig['layout'],
): { sampleShape: readonly number[]; form: ArrayForm } {
  const form = { shape, isFirst: false };
  if (layout === 'nwc' || layout === 'ncw') return sequences(where, whole, layout);
  if (shape.length === 1) return { sampleShape: shape, form };
  if (shape.length === 2) return { sampleShape: layout === undefined ? shape : [...shape, 1], form };
  const [a, b, c] = shape as [number, number, number];
  if (layout === 'nchw') return { sampleShape: [...shape.slice(1), a], form: { shape, isFirst: true } };
  if (shape.length > 3) return { sampleShape: shape, form };
  // Channels first: height and width are often equal, and rarely equal to the number of channels.
  const isSquareBehind = b === c && a !== b && c > 1;
  if (layout === undefined && (((a === 1 || a === 3) && c > 4) || isSquareBehind)) {
    throw new UserError(
      `${where}: is [${whole.join(', ')}] channels first (as PyTorch has it) or channels last?`,
      'Set `layout: nchw` (channels first) or `layout: nhwc` (channels last).',
    );
  }
  return { sampleShape: shape, form };
}

function sequences(where: string, whole: readonly number[], layout: 'nwc' | 'ncw') {
  const [, ...shape] = whole;
  if (shape.length !== 2)
    throw new UserError(
      `${where}: expected sequences as [samples, ${layout === 'nwc' ? 'steps, channels' : 'channels, steps'}] by \`layout: ${layout}\`, received [${whole.join(', ')}]`,
      'Reshape the array, with one channel for a single sensor, or correct `layout`.',
    );
  const isFirst = layout === 'ncw';
  return { sampleShape: isFirst ? shape.toReversed() : shape, form: { shape, isFirst } };
}

async function readNpy(file: string): Promise<NpyArray> {
  const bytes = await readShared(file);
  if (bytes.length === 0) throw emptyFile(file);
  if (isZip(bytes)) {
    throw new UserError(
      `${file}: this is an .npz archive, expected a single .npy array`,
      'Write `{file: x.npz, samples: x, labels: y}`, with the names of the arrays in it.',
    );
  }
  return parseNpy(bytes, file);
}

async function fromArchive(file: string, ...wanted: readonly string[]): Promise<NpyArray[]> {
  const start = await bytesAt(file, 0, 4);
  if (start.length === 0) throw emptyFile(file);
  if (!isZip(start)) {
    throw new UserError(
      `${file}: not an .npz archive: it starts with ${hex(start)}, expected 50 4b 03 04`,
      'Write it with numpy.savez; for .npy files write `{samples: x.npy, labels: y.npy}`.',
    );
  }
  const names: string[] = [];
  const entries = await unzip(file, (name) => {
    const array = path.posix.basename(name, '.npy');
    names.push(clipped(array));
    return wanted.includes(array);
  }).catch((error: unknown) => {
    throw damaged(file, error);
  });
  return wanted.map((name) => {
    const entry = entries[`${name}.npy`] ?? entries[name];
    if (entry !== undefined) return parseNpy(entry, `${file}: ${name}`);
    const near = nearest(name, names);
    throw new UserError(
      `${file}: no array ${shown(name)}, the archive has: ${names.slice(0, 10).join(', ')}`,
      `${near === undefined ? '' : `Did you mean ${shown(near)}? `}Name the arrays: \`{file: …, samples: …, labels: …}\`.`,
    );
  });
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'npz' }>> = {
  read: (source, options) => readNpz(requireLabelFile(source, options), options),
};
