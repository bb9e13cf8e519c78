import { UserError } from '../../base/errors.ts';
import { cleaned } from '../../graph/passes/simplify/cleaned.ts';
import { int, ints } from '../../graph/ops/spec.ts';
import type { Quantization } from '../../graph/quantization.ts';
import type { Graph, Node } from '../../graph/types.ts';
import { StreamBuild, expectWindow } from './build.ts';
import { Loop } from './loop.ts';
import type { Planned, Reach } from './question.ts';
import { MixedChannels, refuse } from './refusal.ts';
import { inputFrames, planned } from './rules.ts';
import type { Info, Step } from './types.ts';
import { isFrames, isStep, looksAhead } from './types.ts';
import { expectFromStart } from './windows.ts';
import { alwaysZero } from './zeros.ts';

/** A graph that takes a hop at a time: its state is the past, all zeros before the first hop. */
export interface Stream {
  readonly graph: Graph;
  readonly input: string;
  /** Axis of time of the input. */
  readonly axis: number;
  /** Frames of the input in a hop. */
  readonly hop: number;
  /** Frames of the input in a window, the input of the graph that the stream was made of. */
  readonly window: number;
  /**
   * True if every hop from the first whole window on is answered as the window that ends with it. Else zeros before the first frame, or a recurrent
   * layer, make a window of its own differ from one that follows others: then the first window is answered as a window, and later hops know more.
   */
  readonly isWindowed: boolean;
  /** Outputs with an answer for each frame of a window, of which a hop gives the last ones. */
  readonly perFrame: ReadonlyMap<string, { readonly axis: number; readonly frames: number }>;
  /** For pasts, and values joined with them, the value of the whole graph whose frames they are. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Scales of the values of a stream, from those of the whole graph: a past gets the scale of the value whose frames it keeps. */
export function streamScales({ sources }: Stream, quantization: Quantization): Quantization {
  const held = [...sources].flatMap(([name, source]) => {
    const found = quantization.get(source);
    return found === undefined ? [] : [[name, found] as const];
  });
  return new Map([...quantization, ...held]);
}

/**
 * The stream of an inference graph (weights as constants). Of each value with frames in time a hop computes those that it adds to the window; layers
 * that read earlier frames keep them. `axis`: that of time in the input; by default the first behind the batch, or the last one where a
 * convolution takes the first for its channels. `UserError` by the name of a layer that looks ahead.
 */
export function streamOf(graph: Graph, axis?: number): Stream {
  const [[input, type] = [undefined, undefined], ...others] = graph.inputs;
  if (input === undefined || others.length > 0)
    throw new UserError(
      `no stream: expected a model of one input, received ${graph.inputs.size}: ${[...graph.inputs.keys()].join(', ')}`,
      'Export a model whose only input is the sequence.',
    );
  const open = (time: number): Planner => {
    const size = type.shape[time];
    if (typeof size === 'number' && size > 1) return new Planner(graph, input, time, size);
    throw new UserError(
      `no stream: expected a fixed number of frames, at least 2, along axis ${time} of the input ${input}, received the shape [${type.shape.join(', ')}]`,
      'Export the model with a fixed length of the sequence, the window that it was trained on.',
    );
  };
  try {
    return open(axis ?? 1).stream();
  } catch (error) {
    // Files of PyTorch have their channels before time.
    if (axis !== undefined || !(error instanceof MixedChannels) || type.shape.length < 3) throw error;
    return open(type.shape.length - 1).stream();
  }
}

class Planner {
  /** Nodes that were planned. */
  done = 0;
  readonly #graph: Graph;
  readonly #input: string;
  readonly #axis: number;
  readonly #size: number;
  readonly #infos = new Map<string, Info>();
  readonly #plans: (readonly [node: Node, plan: Planned])[] = [];
  readonly #loops = new Map<string, Loop>();

  constructor(graph: Graph, input: string, axis: number, size: number) {
    this.#graph = graph;
    this.#input = input;
    this.#axis = axis;
    this.#size = size;
    this.#infos.set(input, inputFrames(axis, size));
    for (const name of graph.constants.keys()) this.#infos.set(name, 'still');
  }

  stream(): Stream {
    const { nodes, outputs, inputs, constants } = this.#graph;
    for (const node of nodes) {
      const plan = this.#plan(node);
      node.outputs.forEach((name, i) => this.#infos.set(name, plan.infos[i]!));
      this.#plans.push([node, plan]);
      this.done++;
    }
    for (const name of outputs.values()) this.#expectComplete(name);
    const zeros = this.#loops.size > 0 ? alwaysZero(this.#graph) : new Set<string>();
    for (const loop of this.#loops.values()) {
      loop.counterparts((name) => this.#infos.get(name) === 'still');
      loop.expectZeroStart((name) => this.#infos.get(name) === 'still', zeros);
    }
    const hop = this.#hop();
    const isWindowed = this.#loops.size === 0 && this.#plans.every(([, { isUnlikeWindow }]) => isUnlikeWindow !== true);
    if (!isWindowed && this.#size % hop !== 0)
      refuse(`its window of ${this.#size} frames`, `is no multiple of the ${hop} frames of a hop`);
    const build = new StreamBuild(this.#graph, this.#infos, hop, this.#pasts(hop));
    const { dtype, shape } = inputs.get(this.#input)!;
    build.builder.input(this.#input, { dtype, shape: shape.map((dim, i) => (i === this.#axis ? hop : dim)) });
    for (const [name, { type, data }] of constants) build.builder.constant(type, data, name);
    for (const [node, { emit, infos }] of this.#plans) {
      infos.forEach((info) => expectWindow(node, info, hop));
      const values = emit === undefined ? build.copy(node) : emit(build);
      values.forEach((value, i) => build.bind(node.outputs[i]!, value));
    }
    for (const [name, value] of outputs) build.builder.output(name, build.name(value));
    const perFrame = [...outputs].flatMap(([name, value]) => {
      const info = this.#infos.get(value)!;
      return isFrames(info) ? [[name, { axis: info.place.axis, frames: hop / info.stride }] as const] : [];
    });
    return {
      graph: cleaned(build.finish()),
      input: this.#input,
      axis: this.#axis,
      hop,
      window: this.#size,
      isWindowed,
      perFrame: new Map(perFrame),
      sources: build.sources,
    };
  }

  #plan(node: Node): Planned {
    const infos = node.inputs.map((name) => (name === '' ? 'still' : this.#infos.get(name)!));
    if (infos.every((info) => info === 'still')) return { infos: node.outputs.map(() => 'still') };
    if (infos.some(isStep)) return this.#step(node, infos);
    if (!infos.some(isFrames)) return { infos: node.outputs.map(() => 'window') };
    return this.#parts(node, infos) ?? planned({ node, graph: this.#graph, infos, window: this.#size });
  }

  /** A split of all frames, with which unrolled recurrent layers begin. */
  #parts(node: Node, [info]: readonly Info[]): Planned | undefined {
    if (node.op !== 'Split' || info === undefined || !isFrames(info)) return undefined;
    const { place, size, stride, ahead, depth, isPadded } = info;
    if (int(node.attrs, 'axis') !== place.axis || !ints(node.attrs, 'sizes').every((one) => one === 1))
      return undefined;
    if (ahead > 0) looksAhead(node, info);
    if (isPadded) refuse(node, 'takes zeros before the first frame for frames');
    expectFromStart(node, info, this.#size);
    const key = `${depth} ${size} ${stride}`;
    const loop = this.#loops.get(key) ?? new Loop(size, stride, depth);
    this.#loops.set(key, loop);
    node.outputs.forEach((name, step) => loop.part(name, node.outputs[0]!, step));
    const value = node.inputs[0]!;
    const reach: Reach = { value, frames: () => 1, lag: 0 };
    return {
      infos: node.outputs.map((_, step): Step => ({ step, loop })),
      reaches: [reach],
      emit: (build) => {
        if (build.frames(stride) !== 1)
          refuse(node, `steps through frames of which a hop has ${build.frames(stride)}; expected 1`);
        const taken = build.take(node, value, 1, 0);
        return node.outputs.map(() => taken);
      },
    };
  }

  #step(node: Node, infos: readonly Info[]): Planned {
    const steps = infos.filter(isStep);
    const [{ loop }] = steps as [Step];
    const isStill = (name: string): boolean => this.#infos.get(name) === 'still';
    if (steps.some((other) => other.loop !== loop)) return refuse(node, 'joins steps of different recurrent layers');
    if (isGathered(node, infos, loop)) {
      loop.counterparts(isStill);
      const axis = int(node.attrs, 'axis');
      const info = { ...inputFrames(axis, loop.size), stride: loop.stride, depth: loop.depth + 1 };
      return { infos: [info], emit: (build) => [build.name(node.inputs.at(-1)!)] };
    }
    const step = Math.max(...steps.map((one) => one.step));
    const isLast = step === loop.size - 1;
    if (infos.some(isFrames) || (!isLast && infos.includes('window')))
      return refuse(node, 'joins the steps of a recurrent layer with frames');
    loop.add(node, step);
    return {
      infos: node.outputs.map((): Step => ({ step, loop })),
      emit: (build) => {
        if (!isLast) return [];
        return build.copy(node, { inputs: node.inputs.map((name) => this.#ofStep(build, loop, node, name)) });
      },
    };
  }

  /** An operand of a node of the last step: a value of the step before is its past, or is computed from the past. */
  #ofStep(build: StreamBuild, loop: Loop, reader: Node, name: string): string {
    const info = this.#infos.get(name);
    if (info === undefined || !isStep(info) || info.step === loop.size - 1) return build.name(name);
    const current = loop.counterparts((other) => this.#infos.get(other) === 'still').get(name);
    if (current !== undefined) return build.previous(name, current, reader);
    const node = loop.before(name);
    if (node === undefined || node.inputs.some((input) => loop.isPart(input)))
      return refuse(reader, 'looks ahead, or its steps differ from each other');
    const [first] = node.outputs;
    if (!build.has(first!)) {
      const values = build.copy(node, { inputs: node.inputs.map((input) => this.#ofStep(build, loop, reader, input)) });
      node.outputs.forEach((output, i) => build.bind(output, values[i]!));
    }
    return build.name(name);
  }

  #expectComplete(name: string): void {
    const info = this.#infos.get(name)!;
    const node = this.#graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (isFrames(info) && info.ahead > 0) looksAhead(node!, info);
    if (isStep(info) && info.step < info.loop.size - 1) refuse(node!, 'answers before the last step');
    if (info === 'still') refuse(node ?? name, 'does not depend on the input');
  }

  /** Frames of the input after which every value has a whole number of new frames. */
  #hop(): number {
    const strides = this.#plans.flatMap(([, { infos }]) =>
      infos.flatMap((info) => (isFrames(info) ? info.stride : [])),
    );
    const ofLoops = [...this.#loops.values()].map(({ stride }) => stride);
    return [...strides, ...ofLoops].reduce((a, b) => (a * b) / greatestDivisor(a, b), 1);
  }

  #pasts(hop: number): ReadonlyMap<string, number> {
    const pasts = new Map<string, number>();
    for (const [, { reaches = [] }] of this.#plans)
      for (const { value, frames, lag } of reaches) {
        const info = this.#infos.get(value)!;
        if (!isFrames(info)) continue;
        const needed = frames((stride) => hop / stride) + lag - hop / info.stride;
        pasts.set(value, Math.max(pasts.get(value) ?? 0, needed, 0));
      }
    return pasts;
  }
}

/** True if the node puts the values of all steps one after another. */
function isGathered({ op }: Node, infos: readonly Info[], loop: Loop): boolean {
  return op === 'Concat' && infos.length === loop.size && infos.every((info, i) => isStep(info) && info.step === i);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
