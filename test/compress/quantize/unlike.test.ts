import { unlikeEnds } from '../../../src/compress/quantize/unlike.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { asymmetric } from '../../../src/graph/quantization.ts';
import { numbers } from '../../support/graphs.ts';

const DENSE = { transposeA: false, transposeB: false };

/** Two dense layers whose results are put side by side, then read by a third one if `isRead`; the ranges reach from 0 to these ends. */
function joined(ends: readonly [number, number], isRead = false) {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 2] });
  const weights = (): string => b.constant({ dtype: 'float32', shape: [2, 2] }, numbers(4, 'w'));
  const parts = ends.map(() => b.op('BatchMatMul', [x, weights()], DENSE));
  const all = b.op('Concat', parts, { axis: 1 });
  const behind = b.op('Reshape', [all], { shape: ['batch', 2, 2] });
  b.output('y', isRead ? b.op('BatchMatMul', [behind, weights()], DENSE) : behind);
  const scales = new Map(parts.map((name, i) => [name, asymmetric(0, ends[i]!, 'int8')]));
  const { nodes, values } = unlikeEnds(b.build(), scales);
  return { found: nodes.map(({ op }) => op), values: [...values], all: [all, behind] };
}

it('parts of unlike ranges at the end of a model have no scale in common, nor what is made of them', () => {
  const { found, values, all } = joined([100, 1]);
  expect(found).toEqual(['Concat']);
  expect(values).toEqual(all);
});

it('parts of like ranges, and those that a layer reads, have one', () => {
  for (const one of [joined([3, 1]), joined([100, 1], true)]) expect(one).toMatchObject({ found: [], values: [] });
});

/** A dense layer and an operator with a constant behind it. */
function moved(op: string, constant: readonly number[], isBias = false) {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 2] });
  const y = b.op('BatchMatMul', [x, b.constant({ dtype: 'float32', shape: [2, 2] }, numbers(4, 'w'))], DENSE);
  const value = isBias ? y : b.op('Relu', [y]);
  const stored = b.constant({ dtype: 'float32', shape: [constant.length] }, Float32Array.from(constant));
  b.output('z', b.op(op, [value, stored]));
  return unlikeEnds(b.build(), new Map([[value, asymmetric(-1, 1, 'int8')]])).nodes.length;
}

it.each([
  ['Multiply', [1000, 0.01], 1],
  ['Multiply', [1000, 1000], 0],
  ['Multiply', [2, 0], 0],
  ['RealDiv', [0.001, 100], 1],
  ['RealDiv', [50, 50], 0],
  ['Add', [273], 1],
  ['Sub', [-273, 1], 1],
  ['Add', [1, -1], 0],
  ['Add', [-Infinity, 0], 0],
] as const)('%s with %j at the end: %d without one scale', (op, constant, count) => {
  expect(moved(op, constant)).toBe(count);
});

it('a bias is part of its layer', () => {
  expect(moved('Add', [100, 100], true)).toBe(0);
});
