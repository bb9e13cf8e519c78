import { fromHalfArray } from '../../base/bytes.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import type { TensorData } from '../../graph/types.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { InferenceTensor, ModelValue } from '../../runtime/inference.ts';
import { fromStored, openTflite, toStored } from '../../runtime/litert.ts';
import type { TfliteEnd, TfliteSession } from '../../runtime/litert.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session.ts';
import type { ModelFile } from '../model-file.ts';
import type { OutputValues } from './likeness.ts';
import { typedAs } from '../../runtime/typed.ts';

export type { Feeds };

/** A model file with all of its outputs. */
export interface FileRunner {
  readonly outputs: readonly string[];
  /** `feeds`: by the names of the inputs, or in their order; numbers of whatever type. */
  run(feeds: Feeds): Promise<Readonly<Record<string, OutputValues>>>;
  dispose(): void;
}

/** `path`: of an ONNX file with these bytes, which ONNX Runtime then reads itself. */
export async function openFileRunner(
  { file, bytes, format, path }: Pick<ModelFile, 'file' | 'bytes' | 'format'> & { readonly path?: string | undefined },
  session: SessionOptions,
): Promise<FileRunner> {
  return format === 'onnx'
    ? onnxRunner(new InferenceModel(path ?? bytes, file, session))
    : tfliteRunner(await openTflite(inOnePiece(bytes, file, 'TFLite')));
}

function onnxRunner(model: InferenceModel): FileRunner {
  return {
    outputs: model.outputs.map(({ name }) => name),
    run: async (feeds) => {
      const fed = model.inputs.map((input, i) => {
        const { data, shape } = fedTo(input, i, feeds);
        return [input.name, { data: typedAs(input.dtype, data), shape }] as const;
      });
      const results = await model.run(Object.fromEntries(fed));
      return Object.fromEntries(
        model.outputs.map(({ name, dtype }) => [name, valuesOf(results[name]!.data, results[name]!.shape, dtype)]),
      );
    },
    dispose: () => model.dispose(),
  };
}

/** A file of batch 1 is asked sample by sample; its outputs must have the sample as their first axis. */
function tfliteRunner(session: TfliteSession): FileRunner {
  return {
    outputs: session.outputs.map(({ name }) => name),
    run: async (feeds) => {
      const whole = session.inputs.map((input, i) => fedTo(input, i, feeds));
      const rows = whole[0]!.shape[0] ?? 1;
      const takesAll = session.inputs.every(({ shape }) => shape[0] === undefined || shape[0] < 0 || shape[0] === rows);
      const pieces: Readonly<Record<string, TensorData>>[] = [];
      for (let row = 0; row < (takesAll ? 1 : rows); row++) {
        const fed = session.inputs.map((input, i) => {
          const { data } = takesAll ? whole[i]! : rowOf(whole[i]!, row, rows);
          return [input.name, storedAs(data, input)] as const;
        });
        const results = await session.run(Object.fromEntries(fed));
        pieces.push(
          Object.fromEntries(session.outputs.map(({ name }) => [name, results[name]!.slice() as TensorData])),
        );
      }
      return Object.fromEntries(session.outputs.map((end) => [end.name, joined(end, pieces, takesAll ? rows : 1)]));
    },
    dispose: () => session.dispose(),
  };
}

function fedTo(input: { readonly name: string }, position: number, feeds: Feeds): InferenceTensor {
  const found = feeds[input.name] ?? Object.values(feeds)[position];
  if (found === undefined) throw new Error(`input ${input.name} is not fed`);
  return found;
}

function rowOf({ data, shape }: InferenceTensor, row: number, rows: number): InferenceTensor {
  if (shape[0] !== rows) return { data, shape };
  const each = data.length / rows;
  return { data: data.slice(row * each, (row + 1) * each), shape: [1, ...shape.slice(1)] };
}

function storedAs(data: TensorData, end: TfliteEnd): TensorData {
  if (end.quantization === undefined) return typedAs(end.dtype, data);
  return toStored(typedAs('float32', data) as Float32Array, end);
}

function joined(end: TfliteEnd, pieces: readonly Readonly<Record<string, TensorData>>[], batch: number): OutputValues {
  const parts = pieces.map((piece) => piece[end.name]!);
  const all = parts.length === 1 ? parts[0]! : concatenated(parts);
  const [first, ...rest] = end.shape;
  const shape = first === undefined ? [] : [pieces.length * (first < 0 ? batch : first), ...rest];
  const isInteger = end.quantization === undefined && end.dtype !== 'float32' && end.dtype !== 'float16';
  return isInteger
    ? valuesOf(all, shape, end.dtype)
    : { data: end.dtype === 'float16' ? fromHalfArray(all as Uint16Array) : fromStored(all, end), shape, isInteger };
}

function concatenated(parts: readonly TensorData[]): TensorData {
  const [first] = parts;
  const all = new (first!.constructor as new (length: number) => TensorData)(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part as never, at);
    at += part.length;
  }
  return all;
}

/** Numbers as they are compared. */
function valuesOf(data: TensorData, shape: readonly number[], dtype: ModelValue['dtype']): OutputValues {
  if (dtype === 'float32') return { data: data as Float32Array, shape, isInteger: false };
  if (dtype === 'float16') return { data: fromHalfArray(data as Uint16Array), shape, isInteger: false };
  return { data: Float64Array.from(data as Int32Array, Number), shape, isInteger: true };
}
