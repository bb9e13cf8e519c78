import * as tf from '@tensorflow/tfjs-core';
import { SMALL_NET_NAMES, buildNet } from '../../bench/nets.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from '../support/losses.ts';
import { lowerToOnnx, nextName, outputName } from '../../src/formats/onnx/lower.ts';
import { LargeOnnx, ONNX_LIMIT } from '../../src/formats/onnx/large.ts';
import { encodeModel, onnxContent } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { staticSize } from '../../src/graph/shapes.ts';
import type { Graph, TensorData } from '../../src/graph/types.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { install } from '../../src/trace/install.ts';
import { traceProgram } from '../../src/trace/trace.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { trainingProgram } from '../../src/train/step/step.ts';
import { examples } from '../formats/onnx/ops/examples.ts';
import type { Case, CaseTensor } from './python.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { checkWithPython } from './python.ts';

/** The graph as a file with what it gives here, at the same level of optimization as in Python. */
async function caseOf(
  name: string,
  graph: Graph,
  feeds: ReadonlyMap<string, TensorData>,
  tolerance: number,
): Promise<Case> {
  const bytes = onnxContent(lowerToOnnx(graph));
  const inputs: Record<string, CaseTensor> = {};
  for (const [input, { dtype, shape }] of [...graph.inputs, ...graph.state])
    inputs[input] = {
      dtype,
      shape: shape.map((size) => (size === 'batch' ? 4 : (size as number))),
      data: feeds.get(input)!,
    };
  const session = new InferenceModel(bytes, name, { graphOptimizationLevel: 'all', logSeverityLevel: 3 });
  const results = await session.run(inputs);
  session.dispose();
  const outputs: Record<string, CaseTensor> = {};
  const add = (output: string, value: string): void => {
    outputs[output] = { dtype: graph.types.get(value)!.dtype, ...results[output]! };
  };
  for (const [output, value] of graph.outputs) add(outputName(graph, output), value);
  for (const [state, value] of graph.updates) add(nextName(state), value);
  return { name, bytes, inputs, outputs, tolerance };
}

function expectAllRight(cases: readonly Case[]): void {
  const verdicts = checkWithPython('onnx_check.py', '.onnx', cases);
  expect(verdicts.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
  expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]);
}

describe('every ONNX file that we write passes the official checker and gives the same in Python', () => {
  it('one for each op', async () => {
    const cases: Case[] = [];
    for (const [op, { operands, attrs }] of Object.entries(examples)) {
      const b = new GraphBuilder();
      const feeds = new Map<string, TensorData>();
      const names = operands.map((operand, i) => {
        if (operand === undefined) return '';
        feeds.set(`x${i}`, operand.data);
        return b.input(`x${i}`, { dtype: operand.dtype, shape: operand.shape });
      });
      b.node(op, names, attrs).forEach((output, i) => b.output(`y${i}`, output));
      cases.push(await caseOf(op, b.build(), feeds, 1e-5));
    }
    expectAllRight(cases);
  });

  it('one whose weights are in a file beside it', async () => {
    const whole = ONNX_LIMIT.bytes;
    ONNX_LIMIT.bytes = 2 ** 17;
    try {
      const b = new GraphBuilder();
      let x = b.input('x', { dtype: 'float32', shape: ['batch', 130] });
      const random = new RandomStream('external');
      for (const width of [130, 130, 3]) {
        const values = Float32Array.from({ length: 130 * width }, () => random.normal());
        const w = b.constant({ dtype: 'float32', shape: [130, width] }, values);
        x = b.op('BatchMatMul', [x, w], { transposeA: false, transposeB: false });
      }
      b.output('y', x);
      const values = Float32Array.from({ length: 520 }, () => random.normal());
      const feeds = new Map([['x', values]]);
      const made = await caseOf('external', b.build(), feeds, 1e-6);
      expect(made.bytes).toBeInstanceOf(LargeOnnx);
      expectAllRight([made]);
    } finally {
      ONNX_LIMIT.bytes = whole;
    }
  });

  it('training steps', async () => {
    install();
    await tf.setBackend('limbeck');
    const cases: Case[] = [];
    for (const net of SMALL_NET_NAMES) cases.push(await trainingCase(net));
    expectAllRight(cases);
  });
});

describe('the check itself', () => {
  const graph = (): Graph => {
    const b = new GraphBuilder();
    b.output('y', b.op('Relu', [b.input('x', { dtype: 'float32', shape: [2] })]));
    return b.build();
  };
  const feeds = new Map([['x', Float32Array.of(-1, 2)]]);

  it('finds a wrong result and an invalid model', async () => {
    const good = await caseOf('good', graph(), feeds, 1e-6);
    const y = { dtype: 'float32', shape: [2], data: Float32Array.of(0, 2.1) } as const;
    const model = lowerToOnnx(graph());
    const nodes = model.graph.nodes.map((node) => ({ ...node, op: 'NoSuchOp' }));
    const invalid = encodeModel({ ...model, graph: { ...model.graph, nodes } });
    const verdicts = checkWithPython('onnx_check.py', '.onnx', [
      good,
      { ...good, outputs: { y } },
      { ...good, bytes: invalid },
    ]);
    expect(verdicts.map(({ problem }) => problem)).toEqual([
      '',
      expect.stringContaining('output y differs by'),
      expect.stringContaining('NoSuchOp'),
    ]);
  });
});

async function trainingCase(net: string): Promise<Case> {
  const batchSize = 4;
  const model = buildNet(net);
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'adam' }, layersNetwork(model).trainable);
  const graph = traceProgram(
    trainingProgram({ task: classification(10), network: layersNetwork(model), loss, optimizer, batchSize }),
  );
  const random = new RandomStream('conformance', net);
  const feeds = new Map<string, TensorData>();
  for (const [name, { dtype, shape }] of [...graph.inputs, ...graph.state]) {
    const size = staticSize(shape);
    // Second moments and variances must not be negative.
    const draw = (): number => (graph.state.has(name) ? Math.abs(random.normal()) * 0.1 : random.normal());
    feeds.set(
      name,
      dtype === 'int32'
        ? Int32Array.from({ length: size }, () => random.below(10))
        : Float32Array.from({ length: size }, draw),
    );
  }
  for (const [name, data] of Object.entries(optimizer.feedValues(0, 1e-3))) feeds.set(name, data);
  for (const [name, value] of Object.entries(loss.hyper)) feeds.set(`hyper/${name}`, Float32Array.of(value));
  feeds.set('weights', new Float32Array(batchSize).fill(1));
  return caseOf(`${net} training step`, graph, feeds, 1e-4);
}
