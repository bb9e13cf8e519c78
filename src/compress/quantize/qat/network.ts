import * as tf from '@tensorflow/tfjs-core';
import { planQdq } from '../../../formats/onnx/qdq/qdq.ts';
import type { IntegerPlan, QdqOptions } from '../../../formats/onnx/qdq/qdq.ts';
import { handsOn } from '../../../graph/ops.ts';
import { atBatch } from '../../../graph/passes/inputs/at-batch.ts';
import { replaceConstants } from '../../../graph/passes/constants/replace-constants.ts';
import { weightedNodes } from '../../../graph/quantization.ts';
import type { Quantization, TensorQuantization } from '../../../graph/quantization.ts';
import type { Constant, Graph, Node, TensorType } from '../../../graph/types.ts';
import type { State } from '../../../runtime/engine.ts';
import { interpret, interpretRules, tfTensorOf } from '../../../trace/interpret/interpret.ts';
import type { Forwarded, ForwardOptions, Network, Tensors, Variables } from '../../../networks/network.ts';
import {
  fakeQuantizeActivation,
  fakeQuantizeBias,
  fakeQuantizeOperand,
  fakeQuantizeWeights,
  scaleOfRange,
  perChannel,
  roomForBias,
  weightScale,
} from './fake-quantize.ts';
import type { ScaleAndZero } from './fake-quantize.ts';
import { beforeSoftmax, MASKED } from '../masks.ts';
import { quantizationOfRange, rangesOf } from './ranges.ts';
import type { Ranges } from './ranges.ts';
import { producersOf } from '../../../graph/passes/uses.ts';

/** State names of the ranges: the low and the high end of each group. */
export const LOW = 'range/low';
export const HIGH = 'range/high';

/** Scale and zero point of an activation that is rounded; undefined for any other. */
type ParametersOf = (name: string) => ScaleAndZero | undefined;

/** The scalar that a training call is fed: how far a range moves towards that of the batch; 0 while ranges are frozen. */
export const RANGE_RATE = 'rangeRate';

interface FakeQuantizeOptions extends QdqOptions {
  readonly name?: string;
  /** Values that hold the numbers of attention masks: they keep the ranges of calibration, which include the masks (`widenForMasks`). */
  readonly masked?: ReadonlySet<string>;
}

/** Outputs for a batch, and the range that each group of activations took in it. */
interface Simulated {
  readonly outputs: Tensors;
  /** [groups] */
  readonly low: tf.Tensor;
  readonly high: tf.Tensor;
}

/**
 * An inference graph (batch norms folded) that computes what its int8 file will compute: weights, biases and activations
 * are rounded where that rounds them. Weights and biases are variables; so are the ranges, which are not trained but
 * observed: a training call moves them towards the ranges of its batch. It has no inner layers that a loss could name, for they are
 * folded away.
 */
export class FakeQuantizedNetwork implements Network {
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorType>>;
  readonly outputs: Readonly<Record<string, TensorType>>;
  /** Weights under the names that they have in the graph, and the ranges. */
  readonly state: Variables;
  readonly trainable: Variables;
  readonly layers = {};
  readonly hyper = [RANGE_RATE];
  readonly extremes = { [LOW]: 'lowest', [HIGH]: 'highest' } as const;
  readonly #graph: Graph;
  readonly #calibrated: Quantization;
  readonly #plan: IntegerPlan;
  readonly #ranges: Ranges;
  readonly #groupOf = new Map<string, number>();
  /** Groups of ranges that do not move. */
  readonly #fixedGroups: ReadonlySet<number>;
  /** Values that may hold the numbers of masks. */
  readonly #maskable: ReadonlySet<string>;
  /** Weights that were pruned away: ones, and zeros where they stay zero. */
  readonly #masks = new Map<string, Constant>();

  constructor(graph: Graph, calibrated: Quantization, options: FakeQuantizeOptions = {}) {
    this.#graph = graph;
    this.name = options.name ?? 'the quantized network';
    this.inputs = Object.fromEntries(graph.inputs);
    this.outputs = Object.fromEntries([...graph.outputs].map(([name, value]) => [name, graph.types.get(value)!]));
    this.#calibrated = calibrated;
    this.#plan = planQdq(graph, calibrated, options);
    this.#ranges = rangesOf(graph, this.#plan.activations, calibrated);
    this.#ranges.groups.forEach(({ values }, i) => values.forEach((name) => this.#groupOf.set(name, i)));
    const { masked = new Set<string>() } = options;
    this.#fixedGroups = new Set([...masked].flatMap((name) => this.#groupOf.get(name) ?? []));
    this.#maskable = beforeSoftmax(graph);
    const names = trainableConstants(graph);
    const constants = names.map((name) => [name, graph.constants.get(name)!] as const);
    this.trainable = Object.fromEntries(
      constants.map(([name, { data, type }]) => [
        name,
        tf.variable(tfTensorOf(data, 'float32', type.shape as number[])),
      ]),
    );
    for (const [name, constant] of constants) {
      const mask = maskOf(constant);
      if (mask !== undefined) this.#masks.set(name, mask);
    }
    const ends = (end: 'low' | 'high') =>
      tf.variable(tf.tensor1d(this.#ranges.groups.map((group) => group[end])), false);
    this.state = { ...this.trainable, [LOW]: ends('low'), [HIGH]: ends('high') };
  }

  forward(inputs: Tensors, { training, hyper }: ForwardOptions): Forwarded {
    const { outputs, low, high } = this.simulate(inputs);
    if (training) {
      const rate = hyper![RANGE_RATE]!;
      for (const [name, end] of Object.entries({ [LOW]: low, [HIGH]: high })) {
        const range = this.state[name]!;
        range.assign(tf.add(range, tf.mul(tf.sub(end, range), rate)));
      }
    }
    return { outputs, layers: {} };
  }

  penalties(): [] {
    return [];
  }

  /** Outputs of the int8 file for these inputs, simulated in float. */
  simulate(inputs: Tensors): Simulated {
    const graph = atBatch(this.#graph, Object.values(inputs)[0]!.shape[0]);
    const producers = producersOf(graph.nodes);
    const parameters = this.#parameters();
    const seen = this.#ranges.groups.map((): { low: tf.Tensor[]; high: tf.Tensor[] } => ({ low: [], high: [] }));
    const see = (name: string, value: tf.Tensor): tf.Tensor => {
      const found = parameters(name);
      if (found === undefined) return value;
      const group = this.#groupOf.get(name);
      const producer = producers.get(name);
      const isOnGrid =
        producer !== undefined && handsOn(producer.op, 'chosen') && this.#groupOf.get(producer.inputs[0]!) === group;
      if (isOnGrid && group !== undefined) return value;
      if (group !== undefined && !this.#fixedGroups.has(group)) {
        const real = this.#maskable.has(name) ? tf.where(tf.less(value, MASKED), tf.zerosLike(value), value) : value;
        // The interpreter tidies up behind itself.
        seen[group]!.low.push(tf.keep(tf.minimum(tf.min(real), 0)));
        seen[group]!.high.push(tf.keep(tf.maximum(tf.max(value), 0)));
      }
      return fakeQuantizeActivation(value, found.scale, found.zeroPoint);
    };
    const instead = this.#withRoundedOperands(parameters);
    const { outputs } = interpret(graph, { ...inputs, ...this.#constants(parameters) }, see, instead);
    const ends = (end: 'low' | 'high', furthest: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): tf.Tensor =>
      tf.stack(
        seen.map(
          (group, i) =>
            group[end].reduce<tf.Tensor | undefined>((a, b) => (a === undefined ? b : furthest(a, b)), undefined) ??
            this.#end(end, i),
        ),
      );
    return { outputs, low: ends('low', tf.minimum), high: ends('high', tf.maximum) };
  }

  /** The graph with trained weights, and the scales that it was trained with. */
  exported(state: State): { graph: Graph; activations: Map<string, TensorQuantization> } {
    const content = new Map(Object.keys(this.trainable).map((name) => [name, state.get(name)!] as const));
    const graph = replaceConstants(this.#graph, content);
    const [low, high] = [LOW, HIGH].map((name) => state.get(name)!.data as Float32Array);
    const activations = new Map(this.#ranges.fixed);
    this.#ranges.groups.forEach(({ values }, i) => {
      const quantization = quantizationOfRange(low![i]!, high![i]!);
      for (const name of values) activations.set(name, quantization);
    });
    return { graph, activations };
  }

  dispose(): void {
    for (const variable of Object.values(this.state)) variable.dispose();
  }

  #end(end: 'low' | 'high', group: number): tf.Tensor {
    return tf.reshape(tf.slice(this.state[end === 'low' ? LOW : HIGH]!, [group], [1]), []);
  }

  #parameters(): ParametersOf {
    const count = this.#ranges.groups.length;
    if (count === 0) return () => undefined;
    const { scale, zeroPoint } = scaleOfRange(this.state[LOW]!, this.state[HIGH]!);
    const split = (x: tf.Tensor): tf.Tensor[] => (count === 1 ? [x] : tf.split(x, count));
    const [scales, zeroPoints] = [split(scale), split(zeroPoint)];
    return (name) => {
      const group = this.#groupOf.get(name);
      if (group !== undefined) return { scale: scales[group]!, zeroPoint: zeroPoints[group]! };
      const fixed = this.#ranges.fixed.get(name);
      return fixed && { scale: tf.tensor1d([...fixed.scales]), zeroPoint: tf.tensor1d([...fixed.zeroPoints]) };
    };
  }

  /** Weights and biases as the file stores them; pruned weights are zero. */
  #constants(parameters: ParametersOf): Record<string, tf.Tensor> {
    const raw = (name: string): tf.Tensor => {
      const mask = this.#masks.get(name);
      const value = this.trainable[name]!;
      return mask === undefined ? value : tf.mul(value, tfTensorOf(mask.data, 'float32', mask.type.shape as number[]));
    };
    const values = Object.fromEntries(Object.keys(this.trainable).map((name) => [name, raw(name)]));
    for (const { input, weights, bias = '' } of this.#plan.layers) {
      if (this.trainable[weights] === undefined) continue;
      const [added, inputScale] = [this.trainable[bias], parameters(input)!.scale];
      const own = weightScale(raw(weights), this.#calibrated.get(weights)?.axis);
      const scale = added === undefined ? own : roomForBias(own, added, inputScale);
      values[weights] = fakeQuantizeWeights(raw(weights), scale);
      if (added === undefined) continue;
      values[bias] = fakeQuantizeBias(added, tf.mul(perChannel(scale, added.size), inputScale));
    }
    return values;
  }

  /** Sums and products with constant operands, which the file rounds for each of them. */
  #withRoundedOperands(
    parameters: ParametersOf,
  ): (node: Node, inputs: readonly tf.Tensor[]) => tf.Tensor[] | undefined {
    return ({ op, inputs, attrs, outputs }, given) => {
      const operands = this.#plan.operands.filter(({ output }) => output === outputs[0]);
      if (operands.length === 0) return undefined;
      const rounded = given.map((value, i) => {
        const operand = operands.find(({ constant }) => constant === inputs[i]);
        if (operand === undefined) return value;
        const { sum } = operand;
        return fakeQuantizeOperand(value, sum && { other: parameters(sum.other)!, result: parameters(sum.result)! });
      });
      return [interpretRules[op]!(rounded, attrs)].flat();
    };
  }
}

/** Stored weights of convolutions and dense layers, and the biases that are added to their results. */
function trainableConstants(graph: Graph): string[] {
  const weighted = weightedNodes(graph);
  const products = new Set(weighted.flatMap(({ outputs }) => outputs));
  const names = new Set(weighted.map(({ inputs }) => inputs[1]!));
  for (const { op, inputs } of graph.nodes) {
    if (op !== 'Add') continue;
    for (const [a, b] of [inputs, inputs.toReversed()] as [string, string][]) {
      const constant = graph.constants.get(b);
      if (products.has(a) && constant?.data instanceof Float32Array && constant.type.shape.length === 1) names.add(b);
    }
  }
  return [...names];
}

/** Mask of a weight that holds exact zeros, which come from pruning. */
function maskOf({ type, data }: Constant): Constant | undefined {
  if (type.shape.length < 2 || !(data as Float32Array).includes(0)) return undefined;
  return { type, data: (data as Float32Array).map((value) => (value === 0 ? 0 : 1)) };
}
