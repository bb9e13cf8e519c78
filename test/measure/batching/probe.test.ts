import { InferenceModel } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/session-choice.ts';
import type { ModelFacts } from '../../../src/measure/batching/facts.ts';
import { likeness } from '../../../src/measure/batching/likeness.ts';
import { declaredBatching, probe } from '../../../src/measure/batching/probe.ts';
import { runInPieces } from '../../../src/measure/batching/rows.ts';
import { centred, classifier, sumAndDifference } from '../../serve/models.ts';

function facts(bytes: Uint8Array, maxBatch = 8): ModelFacts {
  const model = new InferenceModel(bytes, 'model.onnx', sessionOptions('cpu', { threads: 1 }));
  const { inputs, outputs } = model;
  const found = probe((feeds, wanted) => model.runNow(feeds, wanted), { inputs, outputs, maxBatch });
  model.dispose();
  return found;
}

describe('what a worker finds out about a model', () => {
  it('takes any batch where samples leave each other alone', () => {
    const found = facts(classifier());
    expect(found).toMatchObject({ batching: { kind: 'any' }, notes: [] });
    expect(found.cost.map(([samples]) => samples)).toEqual([1, 2, 4, 8]);
    expect(facts(sumAndDifference())).toMatchObject({ batching: { kind: 'any' }, exact: true });
  });

  it('does not batch a model whose samples change each other, declared as a batch or not', () => {
    expect(facts(centred())).toMatchObject({
      batching: { kind: 'whole' },
      notes: ['not batched: the answer to a sample depends on the samples beside it'],
    });
    expect(facts(centred(4))).toMatchObject({ batching: { kind: 'whole' }, notes: [expect.any(String)] });
  });

  it('runs files of one size in pieces', () => {
    expect(facts(classifier({ batch: 1 }))).toMatchObject({ batching: { kind: 'fixed', size: 1 }, exact: true });
    expect(facts(classifier({ batch: 4 }))).toMatchObject({ batching: { kind: 'fixed', size: 4 }, exact: true });
  });

  it('tries no batch where none is wanted', () => {
    expect(facts(classifier(), 1).cost.map(([samples]) => samples)).toEqual([1]);
  });
});

describe('declared shapes', () => {
  const spec = (...shape: (number | string)[]) => ({ name: 'x', dtype: 'float32', shape }) as const;

  it.each([
    ['one open size', [spec('n', 4)], [spec('n', 2)], { kind: 'any' }],
    ['open sizes, one without a name', [spec('n', 4)], [spec('', 2)], { kind: 'any' }],
    ['two names', [spec('n', 4)], [spec('boxes', 2)], { kind: 'whole' }],
    ['one size', [spec(8, 4)], [spec(8, 2)], { kind: 'fixed', size: 8 }],
    ['two sizes', [spec(1, 4)], [spec(10)], { kind: 'whole' }],
    ['an open and a fixed one', [spec('n', 4)], [spec(10, 2)], { kind: 'whole' }],
    ['a scalar', [spec('n', 4)], [spec()], { kind: 'whole' }],
    ['nothing', [], [], { kind: 'whole' }],
  ])('%s', (_name, inputs, outputs, expected) => {
    expect(declaredBatching(inputs, outputs)).toEqual(expected);
  });
});

describe('two answers to one sample', () => {
  const floats = (...data: number[]) => ({ data: Float32Array.from(data), shape: [1, data.length] });

  it('are alike by bits, by rounding or not', () => {
    expect(likeness(floats(1, NaN), floats(1, NaN))).toBe('bits');
    expect(likeness(floats(100, 0.001), floats(100, 0.0011))).toBe('rounding');
    expect(likeness(floats(1, 2), floats(1, 2.1))).toBe('other');
    expect(likeness(floats(1, NaN), floats(1, 2))).toBe('other');
    expect(likeness(floats(0), floats(-0))).toBe('rounding');
    // Classes that a mask leaves out.
    expect(likeness(floats(-Infinity, 2), floats(-Infinity, 2))).toBe('bits');
    expect(likeness(floats(-Infinity, 2), floats(-Infinity, 2.1))).toBe('other');
    expect(likeness(floats(-Infinity, 2), floats(1, 2))).toBe('other');
    expect(likeness(floats(1), floats(1, 2))).toBe('other');
    const halves = (...data: number[]) => ({ data: Uint16Array.from(data), shape: [1, data.length] });
    // 1 and the next half above it.
    expect(likeness(halves(0x3c00), halves(0x3c01))).toBe('rounding');
    expect(likeness(halves(0x3c00), halves(0x4000))).toBe('other');
  });
});

describe('pieces of a batch', () => {
  it('are filled up with the last sample, whose further answers are dropped', () => {
    const seen: number[][] = [];
    const x = { data: Float32Array.of(1, 2, 3, 4, 5), shape: [5, 1] };
    const { y } = runInPieces(
      (feeds) => {
        seen.push([...(feeds.x!.data as Float32Array)]);
        return { y: { data: (feeds.x!.data as Float32Array).map((value) => 10 * value), shape: [2, 1] } };
      },
      2,
      { x },
      ['y'],
    );
    expect(seen).toEqual([
      [1, 2],
      [3, 4],
      [5, 5],
    ]);
    expect(y).toEqual({ data: Float32Array.of(10, 20, 30, 40, 50), shape: [5, 1] });
  });

  it('must have answers of one size', () => {
    const run = ({ x }: Record<string, { data: unknown }>) => {
      const count = (x!.data as Float32Array)[0]!;
      return { y: { data: new Float32Array(count), shape: [1, count] } };
    };
    expect(() => runInPieces(run as never, 1, { x: { data: Float32Array.of(2, 3), shape: [2, 1] } }, ['y'])).toThrow(
      'output y has the shape [1, 3] for one sample and [1, 2] for another',
    );
  });
});
