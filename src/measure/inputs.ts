import { RandomStream } from '../base/random.ts';
import { UserError } from '../base/errors.ts';
import { faultOfArrays } from '../base/process/memory.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import type { DType, TensorData } from '../graph/types.ts';
import { allocate } from '../runtime/onnxruntime/session.ts';
import type { Skipped } from '../base/skipped.ts';
import { product } from '../base/numbers.ts';
import { inOnePiece } from '../formats/onnx/large.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';

/** An input of a model file. */
export interface ModelInput {
  readonly name: string;
  readonly dtype: DType;
  /** -1 for an open size. */
  readonly shape: readonly number[];
  /** True for floats that hold token ids. */
  readonly isIds?: boolean;
}

/** Inputs with all sizes for this batch size; undefined, with the reason noted, if the file has another batch size or the inputs exceed memory. */
export function sizes(
  file: string,
  ends: readonly ModelInput[],
  batchSize: number,
  sampleShape: readonly number[] | undefined,
  skipped: Skipped[],
): ModelInput[] | undefined {
  const sized: ModelInput[] = [];
  const leaveOut = (why: string): void => {
    const what = `${file} at batch ${batchSize}`;
    if (!skipped.some((entry) => entry.what === what)) skipped.push({ what, why });
  };
  for (const end of ends) {
    // Some detectors take one picture without the axis of a batch.
    const isSingle = sampleShape?.length === 3 && end.shape.length === 3;
    const [first = batchSize, ...rest] = isSingle ? [1, ...end.shape] : end.shape;
    if (first !== -1 && first !== batchSize) {
      leaveOut(`the file has batch ${first}`);
      return undefined;
    }
    const laidOutShape = laidOut(rest, sampleShape);
    const sample = rest.map((size, i) => (size >= 0 ? size : (laidOutShape?.[i] ?? -1)));
    if (sample.includes(-1) || (rest.includes(-1) && sampleShape?.length !== rest.length)) {
      throw new UserError(
        `${file}: input ${end.name} leaves sizes open: [${end.shape.map((size) => (size < 0 ? '?' : size)).join(', ')}]`,
        'Give the sizes of one sample: --shape 224x224x3.',
      );
    }
    sized.push({ ...end, shape: isSingle ? sample : [batchSize, ...sample] });
  }
  const fault = faultOfArrays(
    sized.map(({ dtype, shape }) => ({ values: product(shape), bytesEach: allocate(dtype, 1).BYTES_PER_ELEMENT })),
  );
  if (fault === undefined) return sized;
  leaveOut(`its inputs ${fault}: choose a smaller batch`);
  return undefined;
}

/** Picture sizes are given channels last; a file with channels first is recognized by its fixed sizes. */
function laidOut(rest: readonly number[], shape: readonly number[] | undefined): readonly number[] | undefined {
  if (shape?.length !== 3 || rest.length !== 3) return shape;
  const fits = (sizes: readonly number[]): boolean => rest.every((size, i) => size < 0 || size === sizes[i]);
  const first = [shape[2]!, shape[0]!, shape[1]!];
  return !fits(shape) && fits(first) ? first : shape;
}

/** True if an ONNX file's inputs are token ids, according to its metadata. */
export function takesIds(content: OnnxContent, name: string): boolean {
  return decodeModel(content, name).metadata.has('text');
}

/** The same for a TFLite file. */
export async function takesIdsInTflite(content: OnnxContent, name: string): Promise<boolean> {
  const { readEntries } = await import('../formats/tflite/metadata/entries.ts');
  const { readTflite } = await import('../formats/tflite/read.ts');
  const bytes = inOnePiece(content, name, 'TFLite');
  return readEntries(readTflite(bytes), bytes).has('text');
}

/** Values like normalized data; integers and ids are 0 and 1, which are valid indexes of any table. */
export function noise(dtype: DType, shape: readonly number[], isIds = false): TensorData {
  const data = allocate(dtype, product(shape));
  const random = new RandomStream('latency');
  if (data instanceof Float32Array && isIds) data.fill(1);
  else if (data instanceof Float32Array) for (let i = 0; i < data.length; i++) data[i] = random.normal();
  // 1.0 as half-precision bits.
  else if (dtype === 'float16') data.fill(0x3c00 as never);
  else if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(random.below(2));
  else for (let i = 0; i < data.length; i++) data[i] = random.below(2);
  return data;
}
