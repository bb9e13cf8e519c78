import '../../src/features.ts';
import { withFirstLayer } from '../../src/convert/first-layer.ts';
import { writeFrom } from '../../src/convert/write.ts';
import type { WriteOptions } from '../../src/convert/write.ts';
import { byteLength } from '../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { writeTflite } from '../../src/formats/tflite/write.ts';
import { layersOf, weightedNodes } from '../../src/graph/quantization.ts';
import type { Graph } from '../../src/graph/types.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { openerFor } from '../../src/runtime/recipe-options.ts';
import { rowsRunner } from '../../src/ship/parity/tflite-rows.ts';
import { inferenceGraph, small, trainedModel } from '../formats/tflite/models.ts';
import { numbers } from '../support/graphs.ts';

const runtimes = {
  open: openerFor({ device: 'cpu', threads: 0 }),
  tflite: async (bytes: Uint8Array) => rowsRunner(await openTflite(bytes)),
};
const ROWS = 16;
const NETS = {
  resnet: small['resnet']!,
  cnn: small['cnn']!,
  'ds-cnn': small['ds-cnn']!,
  'cnn-1d': small['cnn-1d']!,
};
const KINDS = [
  ['onnx', 'fp32'],
  ['onnx', 'fp16'],
  ['onnx', 'int8'],
  ['onnx', 'dynamic-int8'],
  ['tflite', 'fp32'],
  ['tflite', 'fp16'],
  ['tflite', 'int8'],
  ['tflite', 'dynamic-int8'],
  ['tflite', 'int16x8'],
] as const;

async function fileOf(
  graph: Graph,
  shape: readonly number[],
  format: 'onnx' | 'tflite',
  precision: WriteOptions['precision'],
) {
  const size = shape.reduce((a, b) => a * b, ROWS);
  const samples = [{ x: { data: numbers(size, 'x'), shape: [ROWS, ...shape] } }];
  const fixed = { name: 'net', calibrator: 'mse', keepFloat: [], symmetric: false, opset: 17 } as const;
  const help = {
    open: runtimes.open,
    describe: () => ({ name: 'net', description: '' }),
    answers: 'logits',
    fields: [],
  } as const;
  const made = await writeFrom({ graph, metadata: new Map() }, samples, { ...fixed, format, precision }, help);
  return { samples, file: { bytes: made.bytes as Uint8Array, precision, tensors: made.tensors } };
}

const negate = (data: Uint8Array, width: number): Uint8Array =>
  data.map((byte, i) => (width === 1 ? -byte : i % width === width - 1 ? byte ^ 0x80 : byte));

/** The matrices of weights of a file in the order of their layers; each with the file in which they have the other sign. */
function damaged(bytes: Uint8Array, format: 'onnx' | 'tflite'): (() => Uint8Array)[] {
  if (format === 'onnx') {
    const model = decodeModel(bytes, 'net.onnx');
    const { nodes, initializers } = model.graph;
    const widened = new Map(
      nodes.filter(({ op }) => op === 'DequantizeLinear').map(({ inputs, outputs }) => [outputs[0], inputs[0]]),
    );
    return nodes.flatMap(({ op, inputs }) => {
      const name = widened.get(inputs[1]) ?? inputs[1];
      const wrong = initializers.find((one) => one.name === name);
      if (!/^(Conv|ConvInteger|Gemm|MatMul|MatMulInteger)$/.test(op) || wrong === undefined) return [];
      return () => {
        const raw = negate(wrong.raw, byteLength(wrong.dtype, 1));
        const changed = initializers.map((one) => (one === wrong ? { ...one, raw } : one));
        return encodeModel({ ...model, graph: { ...model.graph, initializers: changed } });
      };
    });
  }
  const model = readTflite(bytes);
  const [{ tensors, operators }] = model.subgraphs as [(typeof model.subgraphs)[0]];
  const read = [...new Set(operators.flatMap(({ inputs }) => inputs))].filter((i) => i >= 0).map((i) => tensors[i]!);
  return read.flatMap(({ buffer, type, shape = [] }) => {
    const { data } = model.buffers[buffer]!;
    const width = { 0: 4, 1: 2, 9: 1 }[type];
    if (data === undefined || shape.length < 2 || width === undefined) return [];
    const buffers = model.buffers.map((one, i) => (i === buffer ? { ...one, data: negate(data, width) } : one));
    return [() => writeTflite({ ...model, buffers })];
  });
}

describe.each(Object.entries(NETS))('%s', (name, net) => {
  const graph = inferenceGraph(trainedModel(name, net), true);
  const layers = layersOf(graph);
  const weighted = weightedNodes(graph).map(({ outputs }) => layers.get(outputs[0]!)!);

  it.each(KINDS)('as %s in %s begins to differ where its weights were changed', async (format, precision) => {
    const { samples, file } = await fileOf(graph, net.inputShape, format, precision);
    const begins = async (bytes: Uint8Array): Promise<string> => {
      const [beyond, said] = await withFirstLayer(['it differs'], graph, { ...file, bytes }, samples, runtimes);
      expect(beyond).toBe('it differs');
      return said!;
    };
    expect(await begins(file.bytes)).toMatch(/^no layer by itself/);
    const files = damaged(file.bytes, format);
    expect(files).toHaveLength(weighted.length);
    const found = [];
    for (const wrong of files) found.push(await begins(wrong()));
    const named = found.map((text) => /^it begins at the layer (.*): /.exec(text)?.[1] ?? text);
    if (format === 'tflite') expect(named.sort()).toEqual([...weighted].sort());
    // A layer whose columns an int8 file reads as channels has no result in the layout of the source.
    else named.forEach((layers, i) => expect(layers.split(' and ').slice(0, 2)).toContain(weighted[i]));
  });
});
