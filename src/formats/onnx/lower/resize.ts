import { flag, ints } from '../../../graph/ops/spec.ts';
import type { Node } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { NCHW } from './layout.ts';
import { spatial } from './window.ts';

/** Input position of output element `at`, as in tfjs. */
function source(at: number, from: number, to: number, alignCorners: boolean, halfPixelCenters: boolean): number {
  const aligned = alignCorners && to > 1;
  const scale = aligned ? (from - 1) / (to - 1) : from / to;
  return halfPixelCenters ? scale * (at + 0.5) : scale * at;
}

function interpolation(node: Node, from: number, to: number): Float32Array {
  const alignCorners = flag(node.attrs, 'alignCorners');
  const halfPixelCenters = flag(node.attrs, 'halfPixelCenters');
  const weights = new Float32Array(to * from);
  for (let at = 0; at < to; at++) {
    const place = source(at, from, to, alignCorners, halfPixelCenters);
    if (node.op.startsWith('ResizeNearest')) {
      const nearest = Math.min(from - 1, alignCorners ? Math.round(place) : Math.floor(place));
      weights[at * from + nearest] = 1;
      continue;
    }
    const exact = halfPixelCenters ? place - 0.5 : place;
    const low = Math.max(0, Math.floor(exact));
    const high = Math.min(from - 1, Math.ceil(exact));
    const part = exact - low;
    weights[at * from + low] = weights[at * from + low]! + 1 - part;
    weights[at * from + high] = weights[at * from + high]! + part;
  }
  return weights;
}

/** Resizes by matrices, because it is linear along each axis: A · x · Bᵀ with constant A [to, from] and B. */
function byMatrices(c: Lowering, node: Node, x: string, from: [number, number], to: [number, number]): string {
  const rows = c.initializer('float32', [to[0], from[0]], interpolation(node, from[0], to[0]));
  const columns = c.initializer('float32', [to[1], from[1]], interpolation(node, from[1], to[1]));
  const across = c.one('MatMul', [x, c.one('Transpose', [columns], { perm: [1, 0] })]);
  return c.one('MatMul', [rows, across]);
}

/** The gradient is Aᵀ · dy · B. */
export const resizeGrad: Rule = (node, c) => {
  const [dy, out] = [node.inputs[0]!, node.outputs[0]!];
  const [small, large] = [spatial(c.shapeOf(out)), spatial(c.shapeOf(dy))];
  const rows = c.initializer('float32', [large[0], small[0]], interpolation(node, small[0], large[0]));
  const columns = c.initializer('float32', [large[1], small[1]], interpolation(node, small[1], large[1]));
  const down = c.one('MatMul', [c.one('Transpose', [rows], { perm: [1, 0] }), c.as(dy, NCHW)]);
  c.define(out, c.one('MatMul', [down, columns]), NCHW);
};

export const resize: Rule = (node, c) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const from = spatial(c.shapeOf(x));
  const to = ints(node.attrs, 'size') as [number, number];
  const { dtype } = c.typeOf(x);
  const operand = dtype.startsWith('float') ? c.as(x, NCHW) : c.cast(c.as(x, NCHW), 'float32');
  const result = hasOnnxMode(node, from, to)
    ? c.one('Resize', [operand, '', scales(c, from, to)], modes(node))
    : byMatrices(c, node, operand, from, to);
  c.define(out, dtype.startsWith('float') ? result : c.cast(result, dtype), NCHW);
};

/**
 * True for enlargement by an integer, for which all implementations of ONNX' Resize agree. Other ratios round differently in float32 and float64, and
 * ONNX has no mode for half-pixel nearest.
 */
function hasOnnxMode(node: Node, from: [number, number], to: [number, number]): boolean {
  const whole = to.every((size, i) => size % from[i]! === 0);
  const nearest = node.op.startsWith('ResizeNearest');
  return whole && !flag(node.attrs, 'alignCorners') && !(nearest && flag(node.attrs, 'halfPixelCenters'));
}

function scales(c: Lowering, from: [number, number], to: [number, number]): string {
  return c.initializer('float32', [4], Float32Array.from([1, 1, to[0] / from[0], to[1] / from[1]]));
}

function modes(node: Node): Record<string, string> {
  const halfPixelCenters = flag(node.attrs, 'halfPixelCenters');
  const coordinates = halfPixelCenters ? 'half_pixel' : 'asymmetric';
  return node.op.startsWith('ResizeNearest')
    ? { mode: 'nearest', coordinate_transformation_mode: coordinates, nearest_mode: 'floor' }
    : { mode: 'linear', coordinate_transformation_mode: coordinates };
}
