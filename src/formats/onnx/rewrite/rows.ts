import { magnitudes, symmetric } from '../../../graph/quantization.ts';
import { dataTypes, tensor, tensorData } from '../model.ts';
import type { OnnxAttr, OnnxNode, OnnxTensor } from '../model.ts';
import { quantizedIntegers } from '../qdq/weights.ts';

/** Minimum elements of a table: smaller ones gain nothing. */
const SMALLEST = 1024;

/** True for a node that looks up rows of a stored float table, such as token embeddings. */
export function takesRows({ op, attrs }: OnnxNode, table: OnnxTensor | undefined): table is OnnxTensor {
  if (op !== 'Gather' || (attrs.get('axis')?.value ?? 0) !== 0 || table?.dtype !== 'float32') return false;
  return table.dims.length === 2 && table.dims[0]! * table.dims[1]! >= SMALLEST;
}

/**
 * Look-up of rows in a table stored as int8 with a scale for each row: vectors of frequent tokens may be a hundred times shorter than those of rare
 * ones, and would vanish with a common scale. Gather → Cast → Mul by the rows' scales; only looked-up rows are converted to floats.
 */
export function storedRows(
  { name, inputs, outputs, attrs }: OnnxNode,
  table: OnnxTensor,
  added: Map<string, OnnxTensor>,
): OnnxNode[] {
  const [, ids] = inputs as [string, string];
  const output = outputs[0]!;
  const scales = symmetric(magnitudes(tensorData(table) as Float32Array, table.dims, 0), 'int8', 0);
  const rows = quantizedIntegers(`${table.name}/rows`, table, scales, true);
  const scale = tensor(`${table.name}/scales`, 'float32', [table.dims[0]!, 1], Float32Array.from(scales.scales));
  for (const stored of [rows, scale]) added.set(stored.name, stored);
  const node = (op: string, from: readonly string[], to: string, own: OnnxNode['attrs'] = new Map()): OnnxNode => ({
    op,
    domain: '',
    name: '',
    inputs: [...from],
    outputs: [to],
    attrs: own,
  });
  const toFloat = new Map<string, OnnxAttr>([['to', { type: 'int', value: dataTypes.float32 }]]);
  return [
    { ...node('Gather', [rows.name, ids], `${output}/rows`, attrs), name },
    node('Cast', [`${output}/rows`], `${output}/float`, toFloat),
    node('Gather', [scale.name, ids], `${output}/row_scale`, attrs),
    node('Mul', [`${output}/float`, `${output}/row_scale`], output),
  ];
}
