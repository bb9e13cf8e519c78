import type { Skipped } from '../../../base/skipped.ts';
import { transposed } from '../dynamic.ts';
import { tensor, tensorData } from '../model.ts';
import type { Model, OnnxAttr, OnnxNode, OnnxTensor } from '../model.ts';
import { replaceNodes } from './replace-nodes.ts';

/** Number of weights that share a scale, along the inner axis of a product. ONNX Runtime's kernels support 16, 32, 64, … */
const INT4_BLOCK = 32;
/** Minimum operator set of models with int4. */
export const INT4_OPSET = 21;
/** Candidate ends of the range, as shares of the largest magnitude. */
const CANDIDATES = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7];

/**
 * int4 weights of dense layers, in blocks with a scale each, widened by DequantizeLinear before the float product (operator set 21, which ONNX'
 * checker knows and ONNX Runtime fuses into a product with 4-bit weights). Convolutions are unchanged. Each block gets the scale with the least
 * squared error.
 */
export function int4Weights(
  model: Model,
  keepFloat: (node: string) => boolean = () => false,
): { result: Model; skipped: Skipped[] } {
  return replaceNodes(model, (node, { stored, added, skipped }) => {
    const { op, name, inputs } = node;
    if (op === 'Conv') skipped.push({ what: name, why: 'int4 is for dense layers, and this is a convolution' });
    if ((op !== 'Gemm' && op !== 'MatMul') || keepFloat(name)) return [node];
    const weights = stored.get(inputs[1]!);
    if (weights?.dtype !== 'float32' || weights.dims.length !== 2) {
      skipped.push({ what: name, why: 'its weights are computed, or no matrix' });
      return [node];
    }
    const matrix = node.attrs.get('transB')?.value === 1 ? transposed(weights) : weights;
    const widened = `${matrix.name}/dequantized`;
    const replaced = product(node, widened);
    if (added.has(`${matrix.name}/int4`)) return replaced;
    const { values, scales } = blocks(matrix);
    for (const one of [values, scales]) added.set(one.name, one);
    const attrs = new Map<string, OnnxAttr>([
      ['axis', { type: 'int', value: 0 }],
      ['block_size', { type: 'int', value: INT4_BLOCK }],
    ]);
    const widen = { op: 'DequantizeLinear', domain: '', name: '', inputs: [values.name, scales.name] };
    return [{ ...widen, outputs: [widened], attrs }, ...replaced];
  });
}

/** Product with the widened matrix; a Gemm without scaling becomes MatMul and Add, which ONNX Runtime fuses. */
function product(node: OnnxNode, matrix: string): OnnxNode[] {
  const [x, , bias = ''] = node.inputs as [string, string, string?];
  const { attrs, outputs, name } = node;
  const isPlain =
    node.op === 'MatMul' ||
    (attrs.get('transA')?.value !== 1 && [attrs.get('alpha'), attrs.get('beta')].every((a) => (a?.value ?? 1) === 1));
  if (!isPlain) {
    const kept = new Map([...attrs].filter(([key]) => key !== 'transB'));
    return [{ ...node, inputs: [x, matrix, ...(bias === '' ? [] : [bias])], attrs: kept }];
  }
  const sum = bias === '' ? outputs[0]! : `${outputs[0]!}/product`;
  const result: OnnxNode = { op: 'MatMul', domain: '', name, inputs: [x, matrix], outputs: [sum], attrs: new Map() };
  if (bias === '') return [result];
  return [result, { op: 'Add', domain: '', name: '', inputs: [sum, bias], outputs: [outputs[0]!], attrs: new Map() }];
}

/** A matrix [inner, columns] as int4, two per byte (the first in the low half), and its scales [blocks, columns]. */
function blocks(matrix: OnnxTensor): { values: OnnxTensor; scales: OnnxTensor } {
  const [inner, columns] = matrix.dims as [number, number];
  const from = tensorData(matrix) as Float32Array;
  const count = Math.ceil(inner / INT4_BLOCK);
  const scales = new Float32Array(count * columns);
  const raw = new Uint8Array(Math.ceil(from.length / 2));
  for (let block = 0; block < count; block++) {
    const rows = [block * INT4_BLOCK, Math.min(inner, (block + 1) * INT4_BLOCK)] as const;
    for (let column = 0; column < columns; column++) {
      const part = Float32Array.from({ length: rows[1] - rows[0] }, (_, i) => from[(rows[0] + i) * columns + column]!);
      const scale = bestScale(part);
      scales[block * columns + column] = scale;
      part.forEach((value, i) => {
        const at = (rows[0] + i) * columns + column;
        raw[at >> 1]! |= (stepsOf(value, scale) & 15) << (at % 2 === 0 ? 0 : 4);
      });
    }
  }
  return {
    values: { name: `${matrix.name}/int4`, dtype: 'int4', dims: [inner, columns], raw },
    scales: tensor(`${matrix.name}/scale`, 'float32', [count, columns], scales),
  };
}

function stepsOf(value: number, scale: number): number {
  return Math.max(-8, Math.min(7, Math.sign(value) * Math.round(Math.abs(value) / scale)));
}

function bestScale(values: Float32Array): number {
  const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  if (largest === 0) return 1;
  const error = (scale: number): number => values.reduce((sum, v) => sum + (v - stepsOf(v, scale) * scale) ** 2, 0);
  const scales = CANDIDATES.map((share) => Math.fround((share * largest) / 7));
  return scales.reduce((best, scale) => (error(scale) < error(best) ? scale : best));
}
