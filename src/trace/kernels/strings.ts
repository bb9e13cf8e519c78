import * as tf from '@tensorflow/tfjs-core';
import type { LazyBackend } from '../backend.ts';
import { evaluate } from '../evaluate.ts';
import type { Value } from '../value.ts';
import type { TensorInputs, TensorRow } from './table.ts';
import { constant, onValues } from './table.ts';
import type { Row } from './table.ts';

/** Kernels that only move elements. */
const MOVING = [
  'Concat',
  'GatherNd',
  'GatherV2',
  'Pack',
  'Reverse',
  'Slice',
  'SparseToDense',
  'SplitV',
  'StridedSlice',
  'Tile',
  'Transpose',
  'Unpack',
];
const COMPARING = ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'];

export const STRING_KERNELS: readonly string[] = [...MOVING, ...COMPARING];

/**
 * Makes a numeric kernel work on strings: each string is replaced by its rank among all, and the results of moving kernels by their strings. Computed
 * at once, because the graph has no strings.
 */
export function withStrings(name: string, row: Row, otherwise: TensorRow): TensorRow {
  return (inputs, attrs, backend) => {
    if (!Object.values(inputs).some((input) => input?.dtype === 'string')) return otherwise(inputs, attrs, backend);
    const dictionary = dictionaryOf(inputs, backend);
    const ranks = new Map(dictionary.map((text, rank) => [text, rank]));
    const values: Record<string, Value> = {};
    for (const [key, input] of Object.entries(inputs)) {
      const strings = input.dtype === 'string' ? stringsOf(input, backend) : undefined;
      values[key] =
        strings === undefined
          ? backend.lookup(input)
          : constant(
              strings.map((text) => ranks.get(text)!),
              input.shape,
              'int32',
            );
    }
    if (COMPARING.includes(name)) return onValues(() => row(values, attrs))({}, {}, backend);
    const moved = [row(values, attrs)].flat();
    evaluate(moved.filter(({ data }) => data === undefined));
    const infos = moved.map(({ data, type }) => {
      const strings = Array.from(data as Int32Array, (rank) => tf.util.encodeString(dictionary[rank]!));
      const shape = [...type.shape];
      return { dataId: backend.write(strings, shape, 'string'), shape, dtype: 'string' as const };
    });
    return infos.length === 1 && !['SplitV', 'Unpack'].includes(name) ? infos[0]! : infos;
  };
}

function stringsOf({ dataId }: tf.TensorInfo, backend: LazyBackend): string[] {
  return (backend.readSync(dataId) as Uint8Array[]).map((bytes) => tf.util.decodeString(bytes));
}

function dictionaryOf(inputs: TensorInputs, backend: LazyBackend): string[] {
  const strings = Object.values(inputs).filter(({ dtype }) => dtype === 'string');
  return [...new Set(strings.flatMap((input) => stringsOf(input, backend)))].sort();
}
