import type * as tf from '@tensorflow/tfjs-core';
import type { LazyBackend } from '../backend.ts';
import { op } from '../value.ts';
import type { Row, Table, TensorInputs, TensorRow, TensorTable } from './table.ts';
import { onValues, inputValues } from './table.ts';

/** Kernels that apply to real and imaginary part separately. */
const BY_PARTS = [
  'Add',
  'AddN',
  'Sub',
  'Neg',
  'Concat',
  'Pack',
  'Unpack',
  'SplitV',
  'Slice',
  'StridedSlice',
  'Transpose',
  'Tile',
  'BroadcastTo',
  'Reverse',
  'GatherV2',
  'GatherNd',
  'Select',
  'PadV2',
  'Sum',
];

/** Kernels of `table` that also take complex numbers. */
export function complexKernels(table: Table): TensorTable {
  const rows: Record<string, TensorRow> = {};
  for (const name of BY_PARTS) rows[name] = eitherOr(table[name]!, byParts(table[name]!));
  rows.Multiply = eitherOr(table.Multiply!, multiply);
  return rows;
}

function isComplex(inputs: TensorInputs): boolean {
  return Object.values(inputs).some((input) => input?.dtype === 'complex64');
}

function eitherOr(row: Row, complex: TensorRow): TensorRow {
  const real = onValues(row);
  return (inputs, attrs, backend) => (isComplex(inputs) ? complex : real)(inputs, attrs, backend);
}

function partsOf(inputs: TensorInputs, part: 'real' | 'imag', backend: LazyBackend): TensorInputs {
  const entries = Object.entries(inputs).map(([name, input]) => [
    name,
    input.dtype === 'complex64' ? backend.partsOf(input)[part] : input,
  ]);
  return Object.fromEntries(entries) as TensorInputs;
}

function byParts(row: Row): TensorRow {
  return (inputs, attrs, backend) => {
    const parts = (['real', 'imag'] as const).map((part) =>
      row(inputValues(partsOf(inputs, part, backend), backend), attrs),
    );
    const [real, imag] = parts.map((values) => [values].flat().map((value) => backend.hold(value))) as [
      tf.TensorInfo[],
      tf.TensorInfo[],
    ];
    const whole = real.map((info, i) => backend.holdComplex(info, imag[i]!));
    return Array.isArray(parts[0]) ? whole : whole[0]!;
  };
}

/** (a + bi)(c + di) = (ac - bd) + (ad + bc)i */
const multiply: TensorRow = (inputs, _, backend) => {
  const real = inputValues(partsOf(inputs, 'real', backend), backend);
  const imag = inputValues(partsOf(inputs, 'imag', backend), backend);
  const [ar, br, ai, bi] = [real.a!, real.b!, imag.a!, imag.b!];
  const times = (x: typeof ar, y: typeof ar): typeof ar => op('Multiply', [x, y]);
  return backend.holdComplex(
    backend.hold(op('Sub', [times(ar, br), times(ai, bi)])),
    backend.hold(op('Add', [times(ar, bi), times(ai, br)])),
  );
};
