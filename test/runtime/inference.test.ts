import { UserError } from '../../src/base/errors.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

function model(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 2] });
  b.output('sum', b.op('Sum', [x], { axes: [1], keepDims: false }));
  b.output('half', b.op('Cast', [x], { dtype: 'float16' }));
  return encodeModel(lowerToOnnx(b.build()));
}

describe('an ONNX file for inference', () => {
  it('says what it takes and gives', () => {
    const session = engine.load(model(), 'm.onnx');
    expect(session.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 2] }]);
    expect(session.outputs).toEqual([
      { name: 'sum', dtype: 'float32', shape: ['batch'] },
      { name: 'half', dtype: 'float16', shape: ['batch', 2] },
    ]);
    session.dispose();
  });

  it('runs any batch, and only the outputs wanted; float16 comes as bits', async () => {
    const session = engine.load(model(), 'm.onnx');
    const one = await session.run({ x: { data: Float32Array.of(1, 2), shape: [1, 2] } });
    expect(one).toEqual({
      sum: { data: Float32Array.of(3), shape: [1] },
      half: { data: Uint16Array.of(0x3c00, 0x4000), shape: [1, 2] },
    });
    const three = await session.run({ x: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] } }, ['sum']);
    expect(three).toEqual({ sum: { data: Float32Array.of(3, 7, 11), shape: [3] } });
    session.dispose();
  });

  it('counts zeros that a Pad adds before a MaxPool as numbers, which ONNX Runtime 1.30 leaves out', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 4, 4, 1] });
    const padded = b.op('Pad', [x], { paddings: [0, 0, 1, 1, 1, 1, 0, 0], constantValue: 0 });
    const pool = { filterSize: [3, 3], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };
    b.output('y', b.op('MaxPool', [padded], pool));
    const lowered = lowerToOnnx(b.build());
    const nodes = lowered.graph.nodes.map((node) => ({ ...node, inputs: node.inputs.slice(0, 3) }));
    const others = { ...lowered, opsets: new Map([['', 13]]), graph: { ...lowered.graph, nodes } };
    // Without our option, a Pad that names its axes is the remedy.
    expect(lowered.opsets.get('')).toBe(18);
    expect(lowered.graph.nodes.find(({ op }) => op === 'Pad')!.inputs).toHaveLength(4);
    for (const model of [lowered, others]) {
      const session = engine.load(encodeModel(model), 'm.onnx');
      const { y } = await session.run({ x: { data: new Float32Array(16).fill(-1), shape: [1, 4, 4, 1] } });
      expect([...(y!.data as Float32Array)]).toEqual([0, 0, 0, -1]);
      session.dispose();
    }
  });

  it('refuses feeds that do not fit, naming file, input and both shapes', async () => {
    const session = engine.load(model(), 'teacher.onnx');
    const run = (x?: { data: Float32Array | Int32Array; shape: number[] }) => session.run(x === undefined ? {} : { x });
    await expect(run()).rejects.toThrow('teacher.onnx: input x is float32[batch, 2], received nothing');
    await expect(run({ data: new Float32Array(3), shape: [1, 3] })).rejects.toThrow('received Float32Array [1, 3]');
    await expect(run({ data: new Float32Array(3), shape: [2, 2] })).rejects.toThrow('received Float32Array [2, 2]');
    await expect(run({ data: new Int32Array(2), shape: [1, 2] })).rejects.toThrow('received Int32Array [1, 2]');
    session.dispose();
    await expect(run({ data: new Float32Array(2), shape: [1, 2] })).rejects.toThrow(/^the session is disposed$/);
  });

  it('says of which file a run fails, and at which node', async () => {
    const b = new GraphBuilder();
    const [x, y] = ['x', 'y'].map((name) => b.input(name, { dtype: 'float32', shape: ['batch', 2] }));
    b.output('sum', b.op('Add', [x!, y!]));
    const session = engine.load(encodeModel(lowerToOnnx(b.build())), 'odd.onnx');
    const run = session.run({
      x: { data: new Float32Array(4), shape: [2, 2] },
      y: { data: new Float32Array(6), shape: [3, 2] },
    });
    await expect(run).rejects.toThrow(UserError);
    await expect(run).rejects.toThrow(/^odd\.onnx: ONNX Runtime cannot run this model: .*running Add node/);
    session.dispose();
  });

  it('refuses a file that is no model', () => {
    expect(() => engine.load(Uint8Array.of(1, 2, 3), 'bad.onnx')).toThrow('bad.onnx: ONNX Runtime cannot load');
    const later = decodeModel(model(), 'later.onnx');
    try {
      engine.load(encodeModel({ ...later, irVersion: 99 }), 'later.onnx');
      throw new Error('it was loaded');
    } catch (error) {
      expect(error).toMatchObject({
        message: expect.stringMatching(
          /^later\.onnx: ONNX Runtime cannot load this model: Unsupported model IR version: 99, max supported IR version: \d+$/,
        ) as string,
        hint: expect.stringMatching(/model\.ir_version = \d+;/) as string,
      });
    }
  });
});
