import { opNames } from '../../../src/graph/ops.ts';
import { lowerings, unsupported } from '../../../src/formats/tflite/lower/lower.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { writeTflite } from '../../../src/formats/tflite/write.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { cases } from './cases.ts';
import { expectClose, exported, floats, randomFeeds, reference, run, sketch } from './support.ts';

describe('the table of lowerings', () => {
  it('has each op of the graph once: lowered, or refused with a remedy', () => {
    const known = [...Object.keys(lowerings), ...Object.keys(unsupported)];
    expect(known.sort()).toEqual([...opNames].sort());
  });

  it('has a case below for each op', () => {
    const covered = new Set(Object.keys(cases).map((name) => name.split('+')[0]));
    expect(Object.keys(lowerings).filter((op) => !covered.has(op))).toEqual([]);
  });

  it.each(Object.keys(unsupported))('refuses %s with the layer and a remedy', (op) => {
    const node = { op, inputs: [], attrs: {}, outputs: ['y'], layer: 'block/thing' };
    const types = new Map([['y', floats(1)]]);
    const empty = new Map();
    const graph = {
      inputs: empty,
      state: empty,
      constants: empty,
      updates: empty,
      nodes: [node],
      outputs: empty,
      types,
    };
    expect(() => exportTflite(graph)).toThrow(`layer block/thing: ${op} cannot be exported to TFLite`);
  });
});

describe('each op computes in LiteRT what tfjs computes', () => {
  it.each(Object.keys(cases))('%s', async (name) => {
    const graph = sketch(cases[name]!);
    const feeds = randomFeeds(graph, 7);
    const bytes = exported(graph);
    expect(Buffer.compare(writeTflite(readTflite(bytes)), bytes)).toBe(0);
    const [actual, expected] = [await run(bytes, feeds), reference(graph, feeds)];
    for (const output of graph.outputs.keys()) expectClose(actual[output]!, expected[output]!, 1e-5);
  });
});

it('bool inputs and outputs are int32 in the file, which LiteRT for WebAssembly takes', async () => {
  const bytes = exported(sketch((g) => g.op('LogicalNot', [g.input('x', { dtype: 'bool', shape: [3] })])));
  expect(await run(bytes, { x: Int32Array.of(0, 1, 7) })).toEqual({ y0: Float32Array.of(1, 0, 0) });
});

it('int64 outputs, as the classes of an ONNX file are that chooses them itself, are int32 in the file', async () => {
  const bytes = exported(
    sketch((g) => {
      const best = g.op('ArgMax', [g.input('x', floats('batch', 3))], { axis: 1 });
      return g.op('Cast', [best], { dtype: 'int64' });
    }),
  );
  expect(await run(bytes, { x: Float32Array.of(1, 7, 2) })).toEqual({ y0: Float32Array.of(1) });
});

it('divides places of 32 bits before they are widened to 64', async () => {
  const graph = sketch((g) => {
    const places = g.op('Cast', [g.input('x', { dtype: 'int32', shape: [5] })], { dtype: 'int64' });
    const three = g.constant({ dtype: 'int64', shape: [] }, BigInt64Array.of(3n));
    return g.op('FloorDiv', [places, three]);
  });
  const feeds = { x: Int32Array.of(0, 2, 3, 11, -1) };
  expect(await run(exported(graph), feeds)).toEqual({ y0: Float32Array.of(0, 0, 1, 3, -1) });
});

it('refuses a division of whole numbers of 64 bits, which LiteRT has no kernel for', () => {
  const type = { dtype: 'int64', shape: [2] } as const;
  const node = { op: 'FloorDiv', inputs: ['a', 'b'], attrs: {}, outputs: ['y'], layer: 'halves' } as const;
  const inputs = new Map([
    ['a', type],
    ['b', type],
  ]);
  const empty = new Map();
  const types = new Map([...inputs, ['y', type] as const]);
  const outputs = new Map([['y', 'y']]);
  const graph = { inputs, state: empty, constants: empty, updates: empty, nodes: [node], outputs, types };
  expect(() => exportTflite(graph)).toThrow(/layer halves: FloorDiv .*divides whole numbers of 64 bits/);
});

describe('a dynamic batch', () => {
  it.each(['Conv2D', 'Conv2DBackpropInput+cropped', 'Reshape', 'Slice', 'Softmax', 'BatchMatMul+sequence'])(
    '%s runs with 1 and 3 samples',
    (name) => expectBatches(name, 'litert'),
  );

  it.each(['Conv2DBackpropInput+same', 'BroadcastTo'])('%s runs with 1 and 3 samples in the native runtime', (name) =>
    expectBatches(name, 'native'),
  );

  it('is refused by LiteRT where it would hand back garbage', async () => {
    const bytes = exported(sketch(cases['BroadcastTo']!), { batch: 'dynamic' });
    await expect(run(bytes, {})).rejects.toThrow('y0 has a shape that is computed inside the model');
  });
});

async function expectBatches(name: string, runtime: 'litert' | 'native'): Promise<void> {
  const graph = sketch(cases[name]!);
  const bytes = exported(graph, { batch: 'dynamic' });
  for (const batch of [1, 3]) {
    const feeds = randomFeeds(graph, 7, batch);
    const [actual, expected] = [await run(bytes, feeds, runtime), reference(graph, feeds, batch)];
    expectClose(actual.y0!, expected.y0!);
  }
}
