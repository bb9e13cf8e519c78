import { fromHalfArray } from '../../base/typed-bytes.ts';
import type { OutputValues } from '../../convert/likeness.ts';
import { typedAs } from '../../graph/arrays.ts';
import type { TensorData } from '../../graph/types.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import { fromStored, toStored } from '../../runtime/litert/ends.ts';
import type { TfliteEnd } from '../../runtime/litert/ends.ts';
import type { TfliteSession } from '../../runtime/litert/session.ts';
import { comparable, feedOf } from './file-runner.ts';
import type { FileRunner } from './file-runner.ts';

/** A file of batch 1 is asked sample by sample; its outputs must have the sample as their first axis. */
export function rowsRunner(session: TfliteSession): FileRunner {
  return {
    outputs: session.outputs.map(({ name }) => name),
    run: async (feeds) => {
      const whole = session.inputs.map((input, i) => feedOf(input, i, feeds));
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
    ? comparable(all, shape, end.dtype)
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
