import { GraphBuilder } from '../../../src/graph/builder.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { OnnxRuntimeStep } from '../../../src/runtime/onnxruntime/step.ts';
import { TrafficMeter } from '../../../src/runtime/traffic.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { setups, trained, type Setup } from '../../support/trainings.ts';

beforeAll(() => useLazyBackend(evaluator));

const engine = createOnnxRuntimeEngine({ device: 'cpu' });
const cases: Record<string, Setup> = {
  ...setups,
  'mlp with dropout': { model: 'mlp', inputShape: [6], options: { dropout: 0.3 } },
};

describe('twelve steps in calls of five give the same bits as twelve calls', () => {
  it.each(Object.keys(cases))('%s', async (name) => {
    const single = await trained(cases[name]!, engine, 12);
    const many = await trained(cases[name]!, engine, 12, 0, new Map(), 5);
    expect(new Set(single.losses).size).toBe(12);
    expect(many).toEqual(single);
  });
});

const float = (...shape: number[]) => ({ dtype: 'float32' as const, shape });

/** total += rate · x, where `rate` is only read; gives what total was. */
function accumulate(meter: TrafficMeter): OnnxRuntimeStep {
  const b = new GraphBuilder();
  const x = b.input('x', float(2));
  const rate = b.state('rate', float());
  const total = b.state('total', float(2));
  b.update('total', b.op('Add', [total, b.op('Multiply', [x, rate])]));
  b.output('before', total);
  const initial = new Map([
    ['rate', { type: float(), data: Float32Array.of(10) }],
    ['total', { type: float(2), data: Float32Array.of(1, 2) }],
  ]);
  return new OnnxRuntimeStep(b.build(), initial, sessionOptions('cpu', { threads: 1 }), {}, {}, meter);
}

const feeds = (count: number) => Array.from({ length: count }, (_, i) => ({ x: Float32Array.of(i, 1) }));

describe('several steps in one call', () => {
  it('the state goes over and back once, whatever the number of steps', async () => {
    const meter = new TrafficMeter();
    const step = accumulate(meter);
    for (const steps of [1, 3, 16]) {
      const before = meter.traffic;
      await step.runs(feeds(steps));
      // In: rate and total, 12 bytes; back: total, 8 bytes. A feed and a result have 8 bytes each.
      expect(meter.traffic).toEqual({
        calls: before.calls + 1,
        stateMoves: before.stateMoves + 2,
        stateBytes: before.stateBytes + 20,
        dataBytes: before.dataBytes + 16 * steps,
      });
    }
    await step.dispose();
  });

  it('hands back the results of each, which later calls leave alone, and reads what was loaded', async () => {
    const step = accumulate(new TrafficMeter());
    const results = await step.runs(feeds(3));
    expect(results.map(({ before }) => [...before!])).toEqual(
      [
        [1, 2],
        [1, 12],
        [11, 22],
      ].map((row) => row),
    );
    await step.load(new Map([['rate', { type: float(), data: Float32Array.of(1) }]]));
    const [first] = await step.runs(feeds(2));
    expect([...first!['before']!]).toEqual([31, 32]);
    expect([...results[0]!['before']!]).toEqual([1, 2]);
    expect([...(await step.run({ x: Float32Array.of(0, 0) }))['before']!]).toEqual([32, 34]);
    await step.dispose();
  });

  it('refuses feeds that do not fit, before any step is taken', async () => {
    const step = accumulate(new TrafficMeter());
    const good = { x: Float32Array.of(1, 1) };
    await expect(step.runs([good, { x: Float32Array.of(1) }])).rejects.toThrow('input x takes 2 values');
    await expect(step.runs([good, {}])).rejects.toThrow('input x is not fed');
    await expect(step.runs([{ ...good, y: good.x }, good])).rejects.toThrow('no input y');
    expect((await step.state()).get('total')!.data).toEqual(Float32Array.of(1, 2));
    await step.dispose();
    await expect(step.runs([good, good])).rejects.toThrow('disposed');
  });
});

it('hands over one step where the state is in memory or stays on the device, more where an option says so', () => {
  expect(engine.stepsPerCall).toBe(1);
  expect(createOnnxRuntimeEngine({ device: 'cpu', stepsPerCall: 4 }).stepsPerCall).toBe(4);
});
