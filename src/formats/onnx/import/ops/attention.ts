import type { Dim, Shape } from '../../../../graph/types.ts';
import type { OnnxNode } from '../../model.ts';
import { expectInt, floatAttr, intAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { mergeMasks, scoresOf } from './attention-mask.ts';

type Heads = readonly [batch: Dim, heads: number, length: number, size: number];

/** Sizes must be fixed except for the batch, because there is a score for each pair of positions. */
function headsOf(c: Import, value: string, what: string): Heads {
  const { shape } = c.builder.typeOf(value);
  if (shape.length !== 4 || shape.slice(1).some((dim) => typeof dim !== 'number'))
    return c.fail(
      `its ${what} is [${shape.join(', ')}]; expected [batch, heads, length, size], fixed but for the batch`,
    );
  return shape as unknown as Heads;
}

/** [batch, length, heads · size] as [batch, heads, length, size]; unchanged with four axes. */
function byHead(c: Import, name: string, heads: number, what: string): string {
  const shape = c.shapeOf(name);
  if (shape.length === 4) return c.plain(name);
  const [batch, length, width] = shape;
  if (shape.length !== 3 || typeof width !== 'number' || heads === 0 || width % heads !== 0)
    return c.fail(`its ${what} is [${shape.join(', ')}] for ${heads} heads`);
  const parts = c.op('Reshape', [c.plain(name)], { shape: [batch!, length!, heads, width / heads] });
  return c.op('Transpose', [parts], { perm: [0, 2, 1, 3] });
}

/**
 * Vaswani et al. 2017, https://onnx.ai/onnx/operators/onnx__Attention.html. Several heads of Q may share a head of K and V (Ainslie et al. 2023). A
 * row without any allowed position gives zeros.
 */
const attention: Importer = (node, c) => {
  const [q, k, v, mask = '', pastKey = '', pastValue = '', lengths = ''] = node.inputs as [string, string, string];
  const headCounts = { q: intAttr(node, c, 'q_num_heads', 0), kv: intAttr(node, c, 'kv_num_heads', 0) };
  // 1: float32, the type of all computation here.
  expectInt(node, c, 'softmax_precision', 1);
  const query = byHead(c, q, headCounts.q, 'query');
  const withPast = (past: string, value: string): string =>
    past === '' ? value : c.op('Concat', [c.plain(past), value], { axis: 2 });
  const key = withPast(pastKey, byHead(c, k, headCounts.kv, 'key'));
  const value = withPast(pastValue, byHead(c, v, headCounts.kv, 'value'));
  const [batch, heads, rows, size] = headsOf(c, query, 'query');
  const [, shared, columns] = headsOf(c, key, 'key');
  const wide = headsOf(c, value, 'value')[3];
  if (heads % shared !== 0) c.fail(`its query has ${heads} heads, of which ${shared} of its key are no share`);
  // Heads of Q that share a head of K are adjacent: together they form one matrix.
  const together = [batch, shared, (heads / shared) * rows, size];
  const apart: Shape = [batch, heads, rows, columns];
  const folded = c.op('Reshape', [query], { shape: together });
  const products = c.op('BatchMatMul', [folded, key], { transposeA: false, transposeB: true });
  const scale = c.constant(Float32Array.of(floatAttr(node, c, 'scale', 1 / Math.sqrt(size))), []);
  const raw = c.op('Multiply', [c.op('Reshape', [products], { shape: apart }), scale]);
  const capped = softcapped(c, raw, floatAttr(node, c, 'softcap', 0));
  const offset = pastKey === '' ? 0 : (c.shapeOf(pastKey)[2] as number);
  const masks = mergeMasks(node, c, { mask, lengths, offset, rows, columns });
  const { biased, weights } = scoresOf(c, capped, masks);
  const flat = c.op('Reshape', [weights], { shape: [batch, shared, (heads / shared) * rows, columns] });
  const mixed = c.op('BatchMatMul', [flat, value], { transposeA: false, transposeB: false });
  let y = c.op('Reshape', [mixed], { shape: [batch, heads, rows, wide] });
  if (c.shapeOf(q).length === 3) {
    y = c.op('Transpose', [y], { perm: [0, 2, 1, 3] });
    y = c.op('Reshape', [y], { shape: [batch, rows, heads * wide] });
  }
  const mode = intAttr(node, c, 'qk_matmul_output_mode', 0);
  const seen = [raw, capped, biased, weights][mode] ?? c.fail(`its attribute qk_matmul_output_mode is ${mode}`);
  [y, key, value, seen].forEach((result, i) => c.define(node.outputs[i] ?? '', { plain: result }));
};

/** Gemma 2, 2024: softcap · tanh(x / softcap). */
function softcapped(c: Import, value: string, softcap: number): string {
  if (softcap === 0) return value;
  const cap = c.constant(Float32Array.of(softcap), []);
  return c.op('Multiply', [c.op('Tanh', [c.op('RealDiv', [value, cap])]), cap]);
}

/** Su et al. 2021: rotates pairs of numbers by an angle that grows with their position. */
const rotary: Importer = (node, c) => {
  const [x, cosines, sines, places = ''] = node.inputs as [string, string, string, string?];
  const shape = c.shapeOf(x);
  const isByHead = shape.length === 4;
  const heads = intAttr(node, c, 'num_heads', 0);
  const [batch, second, third] = shape as [Dim, number, number];
  if (!isByHead && (heads === 0 || third % heads !== 0))
    c.fail(`its input is [${shape.join(', ')}] for ${heads} heads`);
  const whole: Shape = isByHead ? shape : [batch, second, heads, third / heads];
  const size = whole[3] as number;
  const turning = intAttr(node, c, 'rotary_embedding_dim', 0) || size;
  const parts = c.op('Reshape', [c.plain(x)], { shape: whole });
  const [turned, kept] =
    turning === size ? [parts] : c.ops('Split', [parts], { axis: 3, sizes: [turning, size - turning] });
  const isInterleaved = intAttr(node, c, 'interleaved', 0) === 1;
  const [cos, sin] = [cosines, sines].map((cache) => angles(node, c, cache, places, isByHead)) as [string, string];
  const half = turning / 2;
  const [a, b] = isInterleaved
    ? everyOther(c, turned!, whole, half)
    : c.ops('Split', [turned!], { axis: 3, sizes: [half, half] });
  const real = c.op('Sub', [c.op('Multiply', [cos, a!]), c.op('Multiply', [sin, b!])]);
  const imaginary = c.op('Add', [c.op('Multiply', [sin, a!]), c.op('Multiply', [cos, b!])]);
  let y: string;
  if (isInterleaved) {
    const pairs = [real, imaginary].map((one) => c.op('Reshape', [one], { shape: [...whole.slice(0, 3), half, 1] }));
    y = c.op('Reshape', [c.op('Concat', pairs, { axis: 4 })], { shape: [...whole.slice(0, 3), turning] });
  } else y = c.op('Concat', [real, imaginary], { axis: 3 });
  if (kept !== undefined) y = c.op('Concat', [y, kept], { axis: 3 });
  c.define(node.outputs[0]!, { plain: c.op('Reshape', [y], { shape }) });
};

/** Angles of each position, with an axis of size 1 for the heads. */
function angles(_: OnnxNode, c: Import, cache: string, places: string, isByHead: boolean): string {
  const rows =
    places === '' ? c.plain(cache) : c.op('GatherV2', [c.plain(cache), c.plain(places)], { axis: 0, batchDims: 0 });
  const [batch, length, half] = c.builder.typeOf(rows).shape as [Dim, Dim, Dim];
  return c.op('Reshape', [rows], { shape: isByHead ? [batch, 1, length, half] : [batch, length, 1, half] });
}

/** Elements 0, 2, 4 … and 1, 3, 5 … of the last axis. */
function everyOther(c: Import, value: string, whole: Shape, half: number): string[] {
  const pairs = c.op('Reshape', [value], { shape: [...whole.slice(0, 3), half, 2] });
  return c
    .ops('Split', [pairs], { axis: 4, sizes: [1, 1] })
    .map((one) => c.op('Reshape', [one], { shape: [...whole.slice(0, 3), half] }));
}

export const attentionImporters: Readonly<Record<string, Importer>> = {
  Attention: attention,
  RotaryEmbedding: rotary,
};
