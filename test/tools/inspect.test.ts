import { createRequire } from 'node:module';
import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import { exportQdq } from '../../src/formats/onnx/qdq/qdq.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import type { OnnxLayer } from '../../src/formats/onnx/describe.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import type { Model } from '../../src/formats/onnx/model.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { macsOf } from '../../src/graph/macs.ts';
import { inspectFile } from '../../src/tools/inspect.ts';
import { calibrated } from '../formats/tflite/calibrate.ts';
import { inferenceGraph, trainedModel } from '../formats/tflite/models.ts';
import { randomFeeds } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';
import { temporaryFolder } from '../support/folder.ts';

beforeAll(useCpu);

const folder = temporaryFolder();

interface Value {
  readonly parameters?: number;
  readonly macs: number;
  readonly weightBytes: number;
  readonly ops?: Readonly<Record<string, number>>;
  readonly operators?: Readonly<Record<string, number>>;
  readonly layers: readonly OnnxLayer[];
}

async function inspected(name: string, bytes: Uint8Array): Promise<{ value: Value; text: string }> {
  const file = path.join(folder(), name);
  await writeFile(file, bytes);
  return (await inspectFile(file)) as { value: Value; text: string };
}

const lenet = () => inferenceGraph(trainedModel('lenet', { inputShape: [12, 12, 1], options: {}, classes: 10 }), true);

/** One product, of rows of any length. */
function openModel(): Model {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 1] });
  const w = b.constant({ dtype: 'float32', shape: [1, 4] }, new Float32Array(4).fill(1));
  b.output('y', b.op('BatchMatMul', [x, w], { transposeA: false, transposeB: false }));
  const model = lowerToOnnx(b.build());
  const inputs = model.graph.inputs.map((input) => ({ ...input, dims: ['batch', 'length'] }));
  return { ...model, graph: { ...model.graph, inputs } };
}

describe('inspect', () => {
  it('says the same of one model in both formats, and what the graph says', async () => {
    const graph = lenet();
    const onnx = await inspected('m.onnx', encodeModel(lowerToOnnx(graph, { name: 'm' })));
    const tflite = await inspected('m.tflite', exportTflite(graph).bytes);
    expect(onnx.value.macs).toBe(macsOf(graph));
    expect(tflite.value.macs).toBe(macsOf(graph));
    const heavy = ({ layers }: Value): number[] => layers.map(({ macs }) => macs).filter((macs) => macs > 0);
    expect(heavy(onnx.value)).toEqual(heavy(tflite.value));
    expect(onnx.value.layers.filter(({ op }) => op === 'Conv').map(({ precision }) => precision)).toEqual([
      'float32',
      'float32',
    ]);
    expect(onnx.text).toMatch(/ {2}input {3}x float32\[batch, 12, 12, 1\]/);
    expect(tflite.text).toMatch(/ {2}input {3}x float32\[1, 12, 12, 1\]/);
    const parts = /\n {2}bytes {3}constants (\d+), quantization \d+, tensors (\d+), operators (\d+), names \d+, metadata \d+, other \d+\n/.exec(tflite.text)!; // prettier-ignore
    expect(Number(parts[1])).toBeGreaterThanOrEqual(tflite.value.weightBytes);
    expect(Math.min(Number(parts[2]), Number(parts[3]))).toBeGreaterThan(100);
    expect(tflite.text).toMatch(/\n {2}CONV_2D v\d +\[1, 12, 12, \d+\] +float32 /);
  });

  it('says what each layer of a quantized file computes with', async () => {
    const graph = lenet();
    const quantization = calibrated(graph, [randomFeeds(graph)]);
    const onnx = await inspected('q.onnx', encodeModel(exportQdq(graph, quantization, { name: 'q' }).result));
    const tflite = await inspected('q.tflite', exportTflite(graph, { precision: 'integer', quantization }).bytes);
    const precisions = ({ layers }: Value): string[] =>
      layers.filter(({ macs }) => macs > 0).map(({ precision }) => precision);
    expect(new Set(precisions(tflite.value))).toEqual(new Set(['int8']));
    // ONNX Runtime fuses layers of unsigned activations only.
    expect(precisions(onnx.value)).toEqual(precisions(tflite.value).map(() => 'uint8 × int8'));
    const half = await inspected('h.tflite', exportTflite(graph, { precision: 'float16' }).bytes);
    expect(precisions(half.value)).toContain('float32 × float16');
    const dynamic = await inspected('d.tflite', exportTflite(graph, { precision: 'dynamic' }).bytes);
    expect(precisions(dynamic.value)).toContain('float32 × int8');
  });

  it('names the oldest TensorFlow Lite that runs a file, and what asks for it', async () => {
    const graph = lenet();
    const quantization = calibrated(graph, [randomFeeds(graph)]);
    const integer = { precision: 'integer', quantization } as const;
    const one = await inspected('one.tflite', exportTflite(graph, integer).bytes);
    expect(one.text).toMatch(/\n {2}runs in TensorFlow Lite 1\.14\.0 and later, for .*FULLY_CONNECTED v4/);
    const many = await inspected('many.tflite', exportTflite(graph, { ...integer, dense: 'channel' }).bytes);
    expect(many.text).toContain('\n  runs in TensorFlow Lite 2.17.0 and later, for FULLY_CONNECTED v12\n');
    expect(many.value).toMatchObject({ minimumRuntime: '2.17.0', minimumRuntimeFor: ['FULLY_CONNECTED v12'] });
  });

  it("reads other people's files, with metadata and labels where they have them", async () => {
    const require = createRequire(import.meta.url);
    const published = path.dirname(require.resolve('@mediapipe/face_detection/package.json'));
    const { text } = await inspectFile(path.join(published, 'face_detection_short_range.tflite'));
    expect(text).toContain('float32[1, 128, 128, 3]');
    expect(text).toContain('float32 × float16');
    const description = { name: 'mine', labels: ['cat', 'dog', 'eel'], version: '2' };
    const { text: own } = await inspected('own.tflite', exportTflite(lenet(), { description }).bytes);
    expect(own).toContain('"name":"mine"');
    expect(own).toContain('labels.txt');
  });

  it('names the file that it cannot read', async () => {
    await expect(inspected('no.tflite', new Uint8Array(64))).rejects.toThrow(/no\.tflite: not a TFLite file/);
  });

  it('says what its figures are for where the file fixes the batch or leaves sizes open', async () => {
    const model = lowerToOnnx(lenet(), { name: 'm' });
    const sized = (dims: readonly (number | string)[]) => {
      const inputs = model.graph.inputs.map((input) => ({ ...input, dims }));
      return encodeModel({ ...model, graph: { ...model.graph, inputs, valueInfos: [], outputs: model.graph.outputs.map(({ name, dtype }) => ({ name, dtype: dtype! })) } }); // prettier-ignore
    };
    const [one, eight] = [await inspected('1.onnx', sized([1, 12, 12, 1])), await inspected('8.onnx', sized([8, 12, 12, 1]))]; // prettier-ignore
    expect(one.text).toContain(`, ${one.value.macs} MACs for one sample\n`.slice(1));
    expect(eight.value.macs).toBe(8 * one.value.macs);
    expect(eight.text).toContain(`${eight.value.macs} MACs for a call with x [8, 12, 12, 1]\n`);
    const open = await inspected('open.onnx', encodeModel(openModel()));
    expect(open.text).toContain('MACs for a call with x [1, 1]: sizes that the file leaves open are 1 here, --shape says others\n'); // prettier-ignore
  });

  it('counts weights that Constant nodes hold', async () => {
    const model = lowerToOnnx(lenet(), { name: 'm' });
    const { initializers, nodes } = model.graph;
    const constants = initializers.map((tensor) => ({
      ...{ op: 'Constant', domain: '', name: '', inputs: [], outputs: [tensor.name] },
      attrs: new Map([['value', { type: 'tensor' as const, value: { ...tensor, name: '' } }]]),
    }));
    const graph = { ...model.graph, initializers: [], nodes: [...constants, ...nodes] };
    const [stored, inNodes] = [
      await inspected('stored.onnx', encodeModel(model)),
      await inspected('nodes.onnx', encodeModel({ ...model, graph })),
    ];
    expect(inNodes.value).toMatchObject({ parameters: stored.value.parameters, weightBytes: stored.value.weightBytes });
    expect(inNodes.value.layers.filter(({ op }) => op !== 'Constant')).toEqual(stored.value.layers);
  });

  it('says why shapes are not known, and all else', async () => {
    const model = lowerToOnnx(lenet(), { name: 'm' });
    const nodes = model.graph.nodes.map((node) => (node.op === 'Relu' ? { ...node, op: 'Relux' } : node));
    const { value, text } = await inspected('odd.onnx', encodeModel({ ...model, graph: { ...model.graph, nodes } }));
    expect(value.macs).toBeNull();
    expect(text).toContain('shapes and MACs are not known');
    expect(text).toContain('Relux');
  });

  it('names the node that does not fit sizes of 1, and the key that gives others', async () => {
    const model = lowerToOnnx(lenet(), { name: 'm' });
    const node = { op: 'Reshape', domain: '', name: 'four', inputs: ['x', 'sizes'], outputs: ['y'], attrs: new Map() };
    const ends = {
      inputs: [{ name: 'x', dtype: 'float32' as const, dims: ['n', 7] }],
      outputs: [{ name: 'y', dtype: 'float32' as const, dims: [4, 'rest'] }],
    };
    const initializers = [tensor('sizes', 'int64', [2], BigInt64Array.of(4n, -1n))];
    const graph = { ...model.graph, ...ends, nodes: [node], initializers };
    const { text } = await inspected('fours.onnx', encodeModel({ ...model, graph }));
    expect(text).toContain(
      'shapes and MACs are not known: ONNX Runtime cannot compute its node four (Reshape) where sizes that the file leaves open are 1. Give others: --shape x=SIZE,7\n',
    );
  });

  it('says that it makes up no strings', async () => {
    const model = lowerToOnnx(lenet(), { name: 'm' });
    const [input] = model.graph.inputs;
    const node = { op: 'StringNormalizer', domain: '', name: '', inputs: ['s'], outputs: ['y'], attrs: new Map() };
    const ends = {
      inputs: [{ ...input!, name: 's', dtype: 'string' as const, dims: ['n'] }],
      outputs: [{ name: 'y', dtype: 'string' as const, dims: ['n'] }],
    };
    const graph = { ...model.graph, ...ends, nodes: [node], initializers: [] };
    const { text } = await inspected('texts.onnx', encodeModel({ ...model, graph }));
    expect(text).toContain('shapes and MACs are not known: its input s is string, of which no value is made up\n');
  });
});
