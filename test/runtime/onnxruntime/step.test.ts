import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { createOnnxRuntimeEngine } from '../../../src/runtime/onnxruntime/engine.ts';

const float = (...shape: number[]): { dtype: 'float32'; shape: number[] } => ({ dtype: 'float32', shape });

/** total += x · rate; count += 1; gives the old total's mean. */
function accumulate(rows = 4): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', float(rows, 2));
  const rate = b.input('rate', float());
  const total = b.state('total', float(2));
  const count = b.state('count', { dtype: 'int32', shape: [] });
  const sum = b.op('Sum', [b.op('Multiply', [x, rate])], { axes: [0], keepDims: false });
  b.update('total', b.op('Add', [total, sum]));
  b.update('count', b.op('Add', [count, b.constant({ dtype: 'int32', shape: [] }, Int32Array.of(1))]));
  b.output('before', b.op('Mean', [total], { axes: [0], keepDims: false }));
  b.output('count', count);
  return b.build();
}

const initial = new Map([
  ['total', { type: float(2), data: Float32Array.of(10, 20) }],
  ['count', { type: { dtype: 'int32', shape: [] } as const, data: Int32Array.of(0) }],
]);

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const rate = Float32Array.of(0.5);

describe('a compiled step', () => {
  it('advances its state from call to call and hands back results', async () => {
    const step = await engine.compileGraph(accumulate(), initial);
    expect({ ...(await step.run({ x, rate })) }).toEqual({ before: Float32Array.of(15), count: Int32Array.of(0) });
    expect({ ...(await step.run({ x, rate })) }).toEqual({ before: Float32Array.of(24), count: Int32Array.of(1) });
    const state = await step.state();
    expect(state.get('total')!.data).toEqual(Float32Array.of(26, 40));
    expect(state.get('count')!.data).toEqual(Int32Array.of(2));
    await step.dispose();
  });

  it('gives a copy of its state, and takes one back', async () => {
    const step = await engine.compileGraph(accumulate(), initial);
    await step.run({ x, rate });
    const saved = await step.state();
    await step.run({ x, rate });
    expect(saved.get('total')!.data).toEqual(Float32Array.of(18, 30));
    await step.load(saved);
    await step.run({ x, rate });
    expect((await step.state()).get('total')!.data).toEqual(Float32Array.of(26, 40));
    await step.dispose();
  });

  it('shares variables with a step of another batch size', async () => {
    const four = await engine.compileGraph(accumulate(), initial);
    const one = await engine.compileGraph(accumulate(1), initial, { shareStateWith: four });
    await four.run({ x, rate });
    await one.run({ x: Float32Array.of(1, 1), rate });
    await four.run({ x, rate });
    expect((await four.state()).get('total')!.data).toEqual(Float32Array.of(26.5, 40.5));
    expect((await one.state()).get('count')!.data).toEqual(Int32Array.of(3));
    await Promise.all([four.dispose(), one.dispose()]);
  });

  it('leaves variables that it does not update alone', async () => {
    const b = new GraphBuilder();
    b.output('twice', b.op('Add', [b.state('total', float(2)), 'total']));
    const train = await engine.compileGraph(accumulate(), initial);
    const read = await engine.compileGraph(b.build(), new Map(), { shareStateWith: train });
    await train.run({ x, rate });
    expect((await read.run({})).twice).toEqual(Float32Array.of(36, 60));
    await train.run({ x, rate });
    expect((await read.run({})).twice).toEqual(Float32Array.of(52, 80));
    await Promise.all([train.dispose(), read.dispose()]);
  });

  it('hands the state itself, a feed or one value twice out as results', async () => {
    const b = new GraphBuilder();
    const fed = b.input('fed', float(2));
    b.state('a', float(2));
    b.state('b', float(2));
    const doubled = b.op('Add', [fed, fed]);
    b.output('first', doubled);
    b.output('second', doubled);
    b.output('old', 'a');
    b.update('a', fed);
    b.update('b', 'a');
    const zeros = { type: float(2), data: new Float32Array(2) };
    const step = await engine.compileGraph(
      b.build(),
      new Map([
        ['a', zeros],
        ['b', zeros],
      ]),
    );
    await step.run({ fed: Float32Array.of(1, 2) });
    const results = await step.run({ fed: Float32Array.of(3, 4) });
    expect({ ...results }).toEqual({
      first: Float32Array.of(6, 8),
      second: Float32Array.of(6, 8),
      old: Float32Array.of(1, 2),
    });
    const state = await step.state();
    expect([state.get('a')!.data, state.get('b')!.data]).toEqual([Float32Array.of(3, 4), Float32Array.of(1, 2)]);
    await step.dispose();
  });

  it('feeds random inputs from the stream of its key and the call', async () => {
    const b = new GraphBuilder();
    b.output('mask', b.op('Identity', [b.input('random/0', float(1000))]));
    const graph = b.build();
    const make = (seed: number) => engine.compileGraph(graph, new Map(), { randomKey: [seed, 'train'] });
    const [one, again, other] = [await make(1), await make(1), await make(2)];
    const draw = async (step: Awaited<ReturnType<typeof make>>, call: number) =>
      (await step.run({}, call)).mask!.slice();
    const first = await draw(one, 0);
    expect(await draw(one, 1)).not.toEqual(first);
    expect(await draw(one, 0)).toEqual(first);
    expect(await draw(again, 0)).toEqual(first);
    expect(await draw(other, 0)).not.toEqual(first);
    expect(Math.min(...(first as Float32Array))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...(first as Float32Array))).toBeLessThan(1);
    expect((first as Float32Array).reduce((sum, value) => sum + value, 0) / 1000).toBeCloseTo(0.5, 1);
    await expect(one.run({})).rejects.toThrow('needs the number of the call');
    expect([...one.inputs.keys()]).toEqual([]);
    await Promise.all([one, again, other].map((step) => step.dispose()));
  });

  it('refuses feeds that are missing, unknown, of another type or size', async () => {
    const step = await engine.compileGraph(accumulate(), initial);
    await expect(step.run({ x })).rejects.toThrow('input rate is not fed');
    await expect(step.run({ x, rate, y: x })).rejects.toThrow('no input y');
    await expect(step.run({ x: Int32Array.from(x), rate })).rejects.toThrow(
      'input x is float32, received a Int32Array',
    );
    await expect(step.run({ x: x.slice(1), rate })).rejects.toThrow(
      'input x takes 8 values (float32[4, 2]), received 7',
    );
    expect((await step.state()).get('count')!.data).toEqual(Int32Array.of(0));
    await step.dispose();
  });

  it('refuses a state with unknown variables or other shapes, and then changes nothing', async () => {
    const step = await engine.compileGraph(accumulate(), initial);
    const good = { type: float(2), data: Float32Array.of(0, 0) };
    await expect(
      step.load(
        new Map([
          ['total', good],
          ['more', good],
        ]),
      ),
    ).rejects.toThrow('variable more');
    await expect(step.load(new Map([['total', { type: float(3), data: new Float32Array(3) }]]))).rejects.toThrow(
      'variable total is float32[2], received float32[3]',
    );
    expect((await step.state()).get('total')!.data).toEqual(Float32Array.of(10, 20));
    await step.dispose();
  });

  it('does not run after it is disposed', async () => {
    const step = await engine.compileGraph(accumulate(), initial);
    await step.dispose();
    await step.dispose();
    await expect(step.run({ x, rate })).rejects.toThrow('disposed');
  });

  it('needs no more memory after thousands of calls', async () => {
    const b = new GraphBuilder();
    const w = b.state('w', float(256, 256));
    const input = b.input('input', float(64, 256));
    const product = b.op('BatchMatMul', [input, w], { transposeA: false, transposeB: false });
    const gradient = b.op('BatchMatMul', [input, product], { transposeA: true, transposeB: false });
    b.update('w', b.op('Sub', [w, b.op('Multiply', [gradient, b.constant(float(), Float32Array.of(1e-6))])]));
    b.output('product', product);
    const step = await engine.compileGraph(
      b.build(),
      new Map([['w', { type: float(256, 256), data: new Float32Array(65536).fill(0.01) }]]),
    );
    const feeds = { input: new Float32Array(64 * 256).fill(0.1) };
    for (let i = 0; i < 200; i++) step.runSync(feeds);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 3000; i++) step.runSync(feeds);
    // One leaked state buffer a call would be 750 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
    await step.dispose();
  });
});

it('takes no more memory for the second step than for the first', async () => {
  const b = new GraphBuilder();
  const size = 4 * 2 ** 20;
  const one = b.input('one', float(1));
  const grown = b.op('Add', [one, b.constant(float(size), new Float32Array(size))]);
  // All at once, 16 MB each: every one of them is read again at the end.
  const values = Array.from({ length: 8 }).reduce<string[]>((all) => [...all, b.op('Square', [all.at(-1)!])], [grown]);
  const sum = values.slice(0, -1).reduceRight((total, value) => b.op('Add', [total, value]), values.at(-1)!);
  b.output('sum', b.op('Sum', [sum], { axes: [0], keepDims: false }));
  const step = await engine.compileGraph(b.build(), new Map());
  const run = async (): Promise<number> => {
    expect((await step.run({ one: Float32Array.of(0) }))['sum']![0]).toBe(0);
    return process.memoryUsage().rss;
  };
  const first = await run();
  await run();
  expect((await run()) - first).toBeLessThan(64e6);
  await step.dispose();
});
