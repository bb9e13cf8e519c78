import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { SessionEvaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';

const float = (...shape: number[]) => ({ dtype: 'float32', shape }) as const;

function scaled(by: number, size = 2): Graph {
  const b = new GraphBuilder();
  b.output('y', b.op('Multiply', [b.input('x', float(size)), b.constant(float(), Float32Array.of(by))]));
  return b.build();
}

describe('the evaluator', () => {
  it('keeps graphs apart that differ in a constant only, even in the sign of zero', () => {
    const evaluator = new SessionEvaluator();
    const run = (by: number): number[] => [
      ...(evaluator.runSync(scaled(by), new Map([['x', Float32Array.of(1, 2)]])).get('y') as Float32Array),
    ];
    expect([run(2), run(3), run(2)]).toEqual([
      [2, 4],
      [3, 6],
      [2, 4],
    ]);
    expect([run(0), run(-0)]).toEqual([
      [0, 0],
      [-0, -0],
    ]);
    evaluator.dispose();
  });

  it('gives results without elements, and takes feeds without', () => {
    const evaluator = new SessionEvaluator();
    expect(evaluator.runSync(scaled(2, 0), new Map([['x', new Float32Array(0)]])).get('y')).toEqual(
      new Float32Array(0),
    );
    const b = new GraphBuilder();
    b.output('y', b.op('Sum', [b.input('x', float(3, 0))], { axes: [1], keepDims: false }));
    expect(evaluator.runSync(b.build(), new Map([['x', new Float32Array(0)]])).get('y')).toEqual(new Float32Array(3));
    evaluator.dispose();
  });

  it('results of one run are not touched by the next', () => {
    const evaluator = new SessionEvaluator();
    const first = evaluator.runSync(scaled(2), new Map([['x', Float32Array.of(1, 2)]])).get('y');
    evaluator.runSync(scaled(2), new Map([['x', Float32Array.of(5, 6)]]));
    expect(first).toEqual(Float32Array.of(2, 4));
    evaluator.dispose();
  });

  it('stays bounded over thousands of different graphs', () => {
    const evaluator = new SessionEvaluator();
    const x = new Map([['x', Float32Array.of(1, 2)]]);
    for (let i = 0; i < 300; i++) evaluator.runSync(scaled(i), x);
    const { rss } = process.memoryUsage();
    for (let i = 300; i < 1500; i++) evaluator.runSync(scaled(i), x);
    expect(process.memoryUsage().rss - rss).toBeLessThan(60e6);
    evaluator.dispose();
  });

  it('wants every input', () => {
    expect(() => new SessionEvaluator().runSync(scaled(2), new Map())).toThrow('input x is not fed');
  });
});
