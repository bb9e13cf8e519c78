import { symmetric, magnitudes } from '../../graph/quantization.ts';
import type { Skipped } from '../../base/skipped.ts';
import { dataTypes, tensor, tensorData } from './model.ts';
import type { Model, OnnxAttr, OnnxNode, OnnxTensor } from './model.ts';
import { channelAxis, quantizedIntegers } from './qdq/weights.ts';
import { replaceNodes } from './rewrite/replace-nodes.ts';
import { storedRows, takesRows } from './rewrite/rows.ts';

/**
 * Dynamic int8: weights of convolutions and products are stored as int8 (one scale for each output channel), their inputs are quantized at run time
 * by DynamicQuantizeLinear, and the products are computed in integers. Embedding tables are stored as int8 too, with a scale for each row. It needs
 * no calibration, and pays for large products: small convolutions are faster with float kernels.
 */
export function dynamicInt8(
  model: Model,
  keepFloat: (node: string) => boolean = () => false,
): { result: Model; skipped: Skipped[] } {
  const quantized = new Set<string>();
  return replaceNodes(model, (node, { stored, added, skipped }) => {
    const { op, name, inputs } = node;
    const table = stored.get(inputs[0] ?? '');
    if (takesRows(node, table) && !keepFloat(name)) return storedRows(node, table, added);
    if ((op !== 'Conv' && op !== 'Gemm' && op !== 'MatMul') || keepFloat(name)) return [node];
    const weights = stored.get(inputs[1]!);
    const why = obstacle(node, weights, stored.get(inputs[2] ?? ''));
    if (why !== undefined || weights === undefined) {
      skipped.push({ what: name, why: why ?? 'its weights are computed' });
      return [node];
    }
    const bias = stored.get(inputs[2] ?? '');
    if (op === 'Conv' && bias !== undefined) {
      const dims = [bias.dims[0]!, ...weights.dims.slice(2).map(() => 1)];
      added.set(`${bias.name}/channels`, { ...bias, name: `${bias.name}/channels`, dims });
    }
    return integerProduct(node, weights, added, quantized);
  });
}

function obstacle({ op, attrs, inputs }: OnnxNode, weights: OnnxTensor | undefined, bias: OnnxTensor | undefined) {
  if (weights?.dtype !== 'float32') return 'its weights are computed';
  if ((inputs[2] ?? '') !== '' && bias === undefined) return 'its bias is computed';
  const scaled = ['alpha', 'beta'].some((name) => (attrs.get(name)?.value ?? 1) !== 1);
  if (op === 'Gemm' && (scaled || attrs.get('transA')?.value === 1)) return 'its operands are scaled or transposed';
  return weights.dims.length < 2 ? 'it is a product with a vector' : undefined;
}

/** x → DynamicQuantizeLinear → ConvInteger or MatMulInteger → Cast → Mul (both scales) → Add (bias). */
function integerProduct(
  node: OnnxNode,
  weights: OnnxTensor,
  added: Map<string, OnnxTensor>,
  quantized: Set<string>,
): OnnxNode[] {
  const [x, , bias = ''] = node.inputs as [string, string, string?];
  const output = node.outputs[0]!;
  const isConv = node.op === 'Conv';
  const nodes: OnnxNode[] = [];
  const emit = (op: string, inputs: string[], outputs: string[], attrs: OnnxNode['attrs'] = new Map()): void =>
    void nodes.push({ op, domain: '', name: op.endsWith('Integer') ? node.name : '', inputs, outputs, attrs });
  const addInitializer = (t: OnnxTensor): string => {
    added.set(t.name, t);
    return t.name;
  };
  const [xq, xs, xz] = [`${x}/q`, `${x}/q_scale`, `${x}/q_zero`] as const;
  if (!quantized.has(x)) emit('DynamicQuantizeLinear', [x], [xq, xs, xz]);
  quantized.add(x);

  const matrix = node.attrs.get('transB')?.value === 1 ? transposed(weights) : weights;
  const axis = channelAxis({ ...node, attrs: new Map() }, matrix);
  const scales = symmetric(magnitudes(tensorData(matrix) as Float32Array, matrix.dims, axis), 'int8', axis);
  const int8 = quantizedIntegers(`${matrix.name}/int8`, matrix, scales, true);
  // ONNX Runtime's ConvInteger takes only uint8 weights.
  const values = isConv ? unsigned(int8) : int8;
  const zero = isConv
    ? tensor('zero/uint8', 'uint8', [], Uint8Array.of(128))
    : tensor('zero/int8', 'int8', [], Int8Array.of(0));
  const sum = `${output}/sum`;
  emit(
    isConv ? 'ConvInteger' : 'MatMulInteger',
    [xq, addInitializer(values), xz, addInitializer(zero)],
    [sum],
    isConv ? node.attrs : new Map(),
  );
  emit(
    'Cast',
    [sum],
    [`${output}/float`],
    new Map<string, OnnxAttr>([['to', { type: 'int', value: dataTypes.float32 }]]),
  );
  const rank = isConv ? weights.dims.length - 1 : 1;
  const dims = [scales.scales.length, ...new Array<number>(rank - 1).fill(1)];
  const scale = addInitializer(tensor(`${matrix.name}/scale`, 'float32', dims, Float32Array.from(scales.scales)));
  emit('Mul', [xs, scale], [`${output}/scales`]);
  const scaled = bias === '' ? output : `${output}/scaled`;
  emit('Mul', [`${output}/float`, `${output}/scales`], [scaled]);
  if (bias === '') return nodes;
  emit('Add', [scaled, isConv ? `${bias}/channels` : bias], [output]);
  return nodes;
}

function unsigned({ name, dims, raw }: OnnxTensor): OnnxTensor {
  return tensor(
    `${name}/u`,
    'uint8',
    dims,
    new Uint8Array(raw).map((byte) => byte ^ 128),
  );
}

/** Transposed copy of a stored matrix, under another name, because other nodes may read the original. */
export function transposed(t: OnnxTensor): OnnxTensor {
  const [rows, columns] = t.dims as [number, number];
  const from = tensorData(t) as Float32Array;
  const to = Float32Array.from({ length: from.length }, (_, i) => from[(i % rows) * columns + Math.floor(i / rows)]!);
  return tensor(`${t.name}/transposed`, 'float32', [columns, rows], to);
}
