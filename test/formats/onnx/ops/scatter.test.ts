import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { ortTensor, OnnxSession, tensorValues } from '../../../../src/runtime/onnxruntime/session.ts';
import { examples } from './examples.ts';
import type { Operand } from './harness.ts';
import { f32, i32, runOp } from './harness.ts';

it('UnsortedSegmentSum takes ids of any shape, one row, none, no axis besides, and keeps NaN to its row', () => {
  const sums = (x: Operand, ids: Operand, numSegments: number): number[] => [
    ...(runOp('UnsortedSegmentSum', [x, ids], { numSegments })[0] as Float32Array),
  ];
  expect(sums(f32([2, 2, 1], [1, 2, 3, 4]), i32([2, 2], [1, 0, 1, 1]), 2)).toEqual([2, 8]);
  expect(sums(f32([3, 1, 2], [1, 2, 3, 4, 5, 6]), i32([3, 1], [1, 0, 1]), 2)).toEqual([3, 4, 6, 8]);
  expect(sums(f32([1, 2], [1, 2]), i32([1], [1]), 2)).toEqual([0, 0, 1, 2]);
  expect(sums(f32([0, 2]), i32([0], []), 2)).toEqual([0, 0, 0, 0]);
  expect(sums(f32([5], [1, 2, 3, 4, 5]), i32([5], [0, 0, 0, 0, 0]), 2)).toEqual([15, 0]);
  const special = f32([4, 1], [NaN, 1, Infinity, 2]);
  expect(sums(special, i32([4], [0, 1, 2, 1]), 3)).toEqual([NaN, 3, Infinity]);
});

it('UnsortedSegmentSum of a batch whose size is known when the model runs', () => {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 3] });
  const ids = b.input('ids', { dtype: 'int32', shape: ['batch', 3] });
  b.output('sum', b.op('UnsortedSegmentSum', [x, ids], { numSegments: 4 }));
  const bytes = encodeModel(lowerToOnnx(b.build()));
  const session = new OnnxSession(bytes, { executionProviders: ['cpu'], intraOpNumThreads: 2 });
  for (const batch of [1, 2, 100]) {
    const size = batch * 3;
    const tensors = {
      x: ortTensor('float32', new Float32Array(size).fill(1), [batch, 3]),
      ids: ortTensor(
        'int32',
        Int32Array.from({ length: size }, (_, i) => (i * i) % 5),
        [batch, 3],
      ),
    };
    const counts = [0, 1, 2, 3].map(
      (id) => [...(tensorValues(tensors.ids) as Int32Array)].filter((v) => v === id).length,
    );
    expect([...(tensorValues(session.run(tensors, { sum: null })['sum']!) as Float32Array)]).toEqual(counts);
  }
  session.dispose();
});

it('ScatterNd refuses an index outside, also beside an index that would lie at the same place', () => {
  const scatter = (indices: number[]): unknown =>
    runOp('ScatterNd', [i32([2, 2], indices), f32([2], [1, 2])], { shape: [3, 4] });
  for (const outside of [
    [1, 0, 0, 4],
    [0, 4, 1, 0],
    [1, 3, 2, -1],
    [0, 0, 3, 0],
  ])
    expect(() => scatter(outside)).toThrow(/invalid indice/);
});

it('no operator is written with a scatter that adds but the gradient of maxima', () => {
  const adding = Object.entries(examples).flatMap(([op, { operands, attrs }]) => {
    const b = new GraphBuilder();
    const names = operands.map((operand, i) => (operand === undefined ? '' : b.input(`x${i}`, operand)));
    b.node(op, names, attrs).forEach((name, i) => b.output(`y${i}`, name));
    const { nodes } = lowerToOnnx(b.build()).graph;
    return nodes.some(({ attrs: written }) => written.has('reduction')) ? [op] : [];
  });
  expect(adding).toEqual(['MaxPoolGrad']);
});
