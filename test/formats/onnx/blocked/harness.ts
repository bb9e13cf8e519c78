import { inBlocks } from '../../../../src/formats/onnx/lower/blocked/table.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import type { Attrs, Graph, TensorData } from '../../../../src/graph/types.ts';
import { blockSize } from '../../../../src/runtime/onnxruntime/block-size.ts';
import { sessionOptions } from '../../../../src/runtime/onnxruntime/engine.ts';
import { OnnxRuntimeStep } from '../../../../src/runtime/onnxruntime/step.ts';
import { expectClose, values } from '../ops/harness.ts';

const size = blockSize();

/** `describe`, or on a CPU without these convolutions a skipped one that says so. */
export const describeBlocked: (name: string, body: () => void) => void =
  size === undefined ? (name, body) => describe.skip(`${name} (ONNX Runtime has no blocked ops here)`, body) : describe;

export const BLOCK = size ?? 16;

/** A graph whose inputs get repeatable values. */
export class Case {
  readonly b = new GraphBuilder();
  readonly feeds: Record<string, TensorData> = {};

  input(shape: readonly number[], low = -1, high = 1): string {
    const name = `x${Object.keys(this.feeds).length}`;
    const count = shape.reduce((product, dim) => product * dim, 1);
    this.feeds[name] = values(count, Object.keys(this.feeds).length + 1, low, high);
    return this.b.input(name, { dtype: 'float32', shape });
  }

  /** An activation that lies in blocks: the output of a convolution. */
  activation(shape: readonly number[]): string {
    return this.op('Conv2D', [this.input([...shape.slice(0, 3), 4]), this.input([1, 1, 4, shape[3]!])], window());
  }

  op(op: string, inputs: readonly string[], attrs: Attrs = {}): string {
    return this.b.op(op, inputs, attrs);
  }

  /** `results` by both lowerings: equal but for rounding, and in blocks without an op that is slow there, but with the needed one. */
  expectSame(
    results: readonly string[],
    options: { tolerance?: number; plainOps?: readonly string[]; needed?: string } = {},
  ): void {
    results.forEach((name, i) => this.b.output(`y${i}`, name));
    const graph = this.b.build();
    if (options.needed !== undefined)
      expect(lowerToOnnx(graph, { blocked: inBlocks(BLOCK) }).graph.nodes.map(({ op }) => op)).toContain(
        options.needed,
      );
    const [blocked, plain] = [run(graph, this.feeds, true), run(graph, this.feeds, false)];
    expect(slowOps(graph, options.plainOps ?? [])).toEqual([]);
    for (const name of Object.keys(plain))
      expectClose(blocked[name]!, plain[name] as Float32Array, options.tolerance ?? 2e-5);
  }
}

/** Ops of ONNX' own that mean that a rule declined. */
function slowOps(graph: Graph, allowed: readonly string[]): string[] {
  const { nodes } = lowerToOnnx(graph, { blocked: inBlocks(BLOCK) }).graph;
  const slow = ['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'ReduceMean', 'ScatterElements', 'Resize', 'Where'];
  // The mean over samples of what was averaged over pixels in blocks.
  const own = nodes.filter(({ op, domain }) => op === 'GlobalAveragePool' && domain !== '');
  const pooled = new Set(own.flatMap(({ outputs }) => outputs));
  return nodes
    .filter(({ op, domain }) => domain === '' && slow.includes(op) && !allowed.includes(op))
    .filter(({ op, inputs }) => op !== 'ReduceMean' || !pooled.has(inputs[0]!))
    .map(({ op }) => op);
}

function run(graph: Graph, feeds: Case['feeds'], isBlocked: boolean): Readonly<Record<string, TensorData>> {
  const lowering = isBlocked ? { blocked: inBlocks(BLOCK) } : {};
  const step = new OnnxRuntimeStep(graph, new Map(), sessionOptions('cpu', { threads: 1 }), {}, lowering);
  const results = step.runSync(feeds);
  void step.dispose();
  return results;
}

export function window(stride = 1, pads: readonly number[] = [0, 0, 0, 0], dilation = 1): Attrs {
  return { strides: [stride, stride], dilations: [dilation, dilation], pads };
}
