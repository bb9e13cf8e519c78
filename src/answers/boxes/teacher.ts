import { fromHalfArray, sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import type { TensorData } from '../../graph/types.ts';
import { DECODERS } from '../../recipe/decoders.ts';
import type { DecoderSettings } from '../../recipe/decoders.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import { typedAs } from '../../graph/arrays.ts';
import { ROW, suppressed } from './suppression.ts';
import { placesOfClasses } from '../../distill/teachers/decoders/classes.ts';
import type { Decoder, Output, ScoredBoxes } from './decoders/decoder.ts';
import { decoders } from './decoders/registry.ts';
import { plainInput } from '../../distill/teachers/file-teacher.ts';
import type { FileTeacherSettings, Runnable } from '../../distill/teachers/file-teacher.ts';
import type { DecodedTeacher } from '../../distill/teachers/teacher-of-file.ts';

/** Name of the answers among the values of a batch. */
const DETECTIONS = 'detections';
/** Least score of the boxes by whose size their unit is checked. */
const CLEAR = 0.3;

/** A detector of any layout, whose answers are the final boxes of each picture, [n, ROW]. */
export const decodedTeacher: DecodedTeacher = async (source, settings, stated) => {
  const { name, content, params, sizeBytes, dataset, probe } = source;
  const { layout, unit = 'pixels', boxes: sides = 'centres', order = 'xyxy', firstLabel = 1, overlap = 0.7 } = stated;
  const decoder = decoders[layout];
  const runtime = ofPictures(source.runtime, decoder);
  const outputs = outputsOf(runtime, name, settings, stated);
  const places = placesOfClasses(name, settings.classes, dataset.classNames);
  const options = { file: name, classes: places.length, sides, order, firstLabel };
  const read = (parts: readonly Output[]): Float32Array => {
    const { boxes, scores } = decoder.decode(parts, options);
    const found = { boxes, scores: ofDataset(scores, places, dataset.classNames.length) };
    if (decoder.isInShares !== true) checkUnit(name, found, unit);
    const size = decoder.isInShares === true || unit === 'shares' ? [1, 1] : seen;
    const inPicture = found.boxes.map((side, i) => Math.min(1, Math.max(0, side / size[1 - (i % 2)]!)));
    return suppressed(inPicture, found.scores, { iou: decoder.hasRivals === true ? overlap : Infinity });
  };
  const ask = async (feeds: Readonly<Record<string, InferenceTensor>>, n: number) => {
    const results = await runtime.run(feeds, outputs);
    const data = new Float32Array(n * ROW);
    for (let i = 0; i < n; i++)
      data.set(read(outputs.map((output) => ofPicture(name, output, results[output]!, { i, n, decoder }))), i * ROW);
    return { [DETECTIONS]: { data, shape: [n, ROW] } };
  };
  const batch = decoder.isOpen === true ? 1 : undefined;
  const { raw, layout: axes, ...fed } = await plainInput({ ...source, runtime }, settings, ask, batch);
  const { sampleShape = dataset.sampleShape, input, preprocessing } = fed;
  const seen = sampleShape.slice(0, 2);
  await raw(probe.x, probe.n, probe.original);
  const { filter } = settings;
  const facts = { input, outputs, stated, places, preprocessing, axes, sampleShape, filter };
  return {
    name,
    params,
    sizeBytes,
    classes: ROW,
    featureShapes: {},
    device: runtime.device,
    key: sha256(content, JSON.stringify(facts)),
    ...(fed.sampleShape && { sampleShape }),
    answer: async (x, n, original) => ({ logits: (await raw(x, n, original))[DETECTIONS]!.data, features: {} }),
    dispose: () => {
      runtime.dispose();
      return Promise.resolve();
    },
  };
};

/** The file's outputs that its layout reads. `UserError` if they are not told apart. */
function outputsOf(
  { outputs }: Runnable,
  name: string,
  { output, outputs: named }: FileTeacherSettings,
  { layout }: DecoderSettings,
): string[] {
  const parts = DECODERS[layout];
  const found = decoders[layout].find(outputs);
  const shown = outputs.map((one) => `${one.name} [${one.shape.map((size) => (size === '' ? '?' : size)).join(', ')}]`);
  const has = `It has: ${shown.join(', ') || 'none'}.`;
  return parts.map((part, i) => {
    const asked = parts.length === 1 ? output : typeof named === 'string' ? undefined : named[part];
    const key = parts.length === 1 ? 'teacher.output' : `teacher.outputs.${part}`;
    if (asked !== undefined && !outputs.some((one) => one.name === asked))
      throw new UserError(`${key}: ${name} has no output ${asked}`, has);
    const chosen = asked ?? found[i]?.name;
    if (chosen !== undefined) return chosen;
    throw new UserError(
      `${name}: expected one output for the ${part} of the layout ${layout}, received ${shown.join(', ') || 'none'}`,
      `Name the output in ${key}, or the layout of the file in teacher.decoder.`,
    );
  });
}

/** An output for a picture of a batch. `UserError` for outputs without a row for each picture, and for values that are not finite. */
function ofPicture(
  file: string,
  name: string,
  { data, shape }: InferenceTensor,
  { i, n, decoder }: { readonly i: number; readonly n: number; readonly decoder: Decoder },
): Output {
  if (decoder.isOpen !== true && shape[0] !== n)
    throw new UserError(
      `${file}: its output ${name} is [${shape.join(', ')}] for ${n} pictures, expected ${n} rows`,
      'Export the detector with the batch as the first axis of its input and outputs (dynamic, or of size 1).',
    );
  const each = decoder.isOpen === true ? data.length : data.length / n;
  const values = floatsOf(data.subarray(i * each, (i + 1) * each));
  if (values.every(Number.isFinite))
    return { name, data: values, shape: decoder.isOpen === true ? shape : shape.slice(1) };
  throw new UserError(
    `${file}: its output ${name} is not finite`,
    'Check its normalization (`teacher.normalize`), and whether its weights hold NaN.',
  );
}

function floatsOf(data: TensorData): Float32Array {
  return data instanceof Uint16Array ? fromHalfArray(data) : Float32Array.from(data as Float32Array, Number);
}

/** Scores of the data set's classes, [n, classes], from scores of the detector's classes; `places` gives each the index in the data set, or -1. */
function ofDataset(scores: Float32Array, places: readonly number[], classes: number): Float32Array {
  const out = new Float32Array((scores.length / places.length) * classes);
  scores.forEach((score, i) => {
    const place = places[i % places.length]!;
    if (place >= 0) out[Math.floor(i / places.length) * classes + place] = score;
  });
  return out;
}

/** `UserError` for boxes in another unit: in pixels all would be specks in a corner, in shares all would be cut away. */
function checkUnit(file: string, { boxes, scores }: ScoredBoxes, unit: 'pixels' | 'shares'): void {
  const classes = scores.length / (boxes.length / 4);
  const isClear = (box: number): boolean =>
    scores.subarray(box * classes, (box + 1) * classes).some((score) => score >= CLEAR);
  const largest = boxes.reduce((most, side, i) => (isClear(i >> 2) ? Math.max(most, Math.abs(side)) : most), 0);
  if (largest === 0 || (unit === 'pixels' ? largest > 1.5 : largest <= 2)) return;
  const other = unit === 'pixels' ? 'shares' : 'pixels';
  throw new UserError(
    `${file}: expected boxes in ${unit}, received sides of at most ${largest.toPrecision(4)} in a picture`,
    `Set \`unit: ${other}\` in teacher.decoder.`,
  );
}

/**
 * The file with the picture as its only input, with the axis of a batch: torchvision's detectors take one picture without it, and a `pixel_mask` of
 * the transformers library is 1 for all pixels.
 */
function ofPictures(runtime: Runnable, { isOpen }: Decoder): Runnable {
  const masks = runtime.inputs.filter(({ name }) => name === 'pixel_mask');
  const inputs = runtime.inputs.filter((input) => !masks.includes(input));
  const isSingle = isOpen === true && inputs.length === 1 && inputs[0]!.shape.length === 3;
  if (masks.length === 0 && !isSingle) return runtime;
  return {
    outputs: runtime.outputs,
    device: runtime.device,
    dispose: () => runtime.dispose(),
    inputs: isSingle ? inputs.map((input) => ({ ...input, shape: [1, ...input.shape] })) : inputs,
    run: (feeds, wanted) => {
      const [[picture, { data, shape }]] = Object.entries(feeds) as [[string, InferenceTensor]];
      const sizes = shape.slice(-2);
      const filled = masks.map(({ name, dtype, shape: declared }) => {
        const size = [shape[0]!, ...declared.slice(1).map((one, i) => (typeof one === 'number' ? one : sizes[i]!))];
        const ones = new Float32Array(size.reduce((product, one) => product * one, 1)).fill(1);
        return [name, { data: typedAs(dtype, ones), shape: size }] as const;
      });
      return runtime.run(
        { [picture]: { data, shape: isSingle ? shape.slice(1) : shape }, ...Object.fromEntries(filled) },
        wanted,
      );
    },
  };
}
