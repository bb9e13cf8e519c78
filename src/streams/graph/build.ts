import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Node, TensorType } from '../../graph/types.ts';
import { elementsPerFrame, withFrames } from './place.ts';
import type { Frames, Info } from './types.ts';
import { isFrames } from './types.ts';
import { layerOf, refuse } from './refusal.ts';

/** Prefix of the names of states. */
const PAST = 'past';

/** Builder of the streaming graph: maps names of values of the whole graph to those of the stream, and keeps a past for each value whose frames later hops read. */
export class StreamBuild {
  readonly builder = new GraphBuilder();
  /** For pasts, and values joined with them, the value of the whole graph whose frames they are. */
  readonly sources = new Map<string, string>();
  readonly #graph: Graph;
  readonly #infos: ReadonlyMap<string, Info>;
  readonly #hop: number;
  readonly #pasts: ReadonlyMap<string, number>;
  readonly #names = new Map<string, string>();
  readonly #joined = new Map<string, string>();
  readonly #previous = new Map<string, string>();

  /** `pasts`: frames of each value to keep. */
  constructor(graph: Graph, infos: ReadonlyMap<string, Info>, hop: number, pasts: ReadonlyMap<string, number>) {
    this.#graph = graph;
    this.#infos = infos;
    this.#hop = hop;
    this.#pasts = pasts;
    for (const name of graph.types.keys()) this.builder.reserve(name);
  }

  /** Frames of this stride in a hop. */
  frames(stride: number): number {
    return this.#hop / stride;
  }

  bind(value: string, name: string): void {
    this.#names.set(value, name);
  }

  has(value: string): boolean {
    return this.#names.has(value);
  }

  name(value: string): string {
    return this.#names.get(value) ?? value;
  }

  type(value: string): TensorType {
    return this.#graph.types.get(value)!;
  }

  /** Copies a node, with the names of its operands in the stream. */
  copy(node: Node, change: Partial<Pick<Node, 'inputs' | 'attrs'>> = {}): string[] {
    const inputs = change.inputs ?? node.inputs.map((name) => this.name(name));
    return this.builder.node(node.op, inputs, change.attrs ?? node.attrs, {
      layer: node.layer,
      outputs: node.outputs,
    });
  }

  /** Cuts `frames` frames out of a value, `lag` frames before its end. The past of the value grows to the number of frames that its most demanding reader asks for. */
  take(node: Node, value: string, frames: number, lag: number): string {
    const info = this.#infos.get(value) as Frames;
    const past = this.#pasts.get(value) ?? 0;
    const held = past + this.frames(info.stride);
    const all = past === 0 ? this.name(value) : this.#withPast(node, value, info, past);
    return this.#cut(node, all, info, held - lag - frames, frames, held);
  }

  /** The value of the step before, zeros before the first one; `current`: the value of this step. */
  previous(value: string, current: string, node: Node): string {
    const known = this.#previous.get(value);
    if (known !== undefined) return known;
    const state = this.#state(node, this.type(value));
    this.#previous.set(value, state);
    this.sources.set(state, current);
    this.#later.push(() => this.builder.update(state, this.name(current)));
    return state;
  }

  readonly #later: (() => void)[] = [];

  finish(): Graph {
    for (const update of this.#later) update();
    return this.builder.build();
  }

  #withPast(node: Node, value: string, info: Frames, past: number): string {
    const known = this.#joined.get(value);
    if (known !== undefined) return known;
    const { dtype, shape } = this.type(value);
    const { layer } = node;
    const state = this.#state(node, { dtype, shape: withFrames(shape, info.place, past) });
    const joined = this.builder.op('Concat', [state, this.name(value)], { axis: info.place.axis }, layer);
    this.#joined.set(value, joined);
    for (const name of [state, joined]) this.sources.set(name, value);
    const held = past + this.frames(info.stride);
    this.builder.update(state, this.#cut(node, joined, info, held - past, past, held));
    return joined;
  }

  #state(node: Node, type: TensorType): string {
    const wish = `${PAST}/${node.layer ?? node.outputs[0]!}`;
    let name = wish;
    for (let i = 2; this.builder.isState(name) || this.#graph.types.has(name); i++) name = `${wish}/${i}`;
    return this.builder.state(name, type);
  }

  #cut(node: Node, value: string, { place }: Frames, from: number, frames: number, held: number): string {
    if (from === 0 && frames === held) return value;
    const each = elementsPerFrame(place);
    if (each === undefined) return refuse(node, 'reads frames that are folded into the samples of a batch');
    const { shape } = this.builder.typeOf(value);
    const isTime = (i: number): boolean => i === place.axis;
    const begin = shape.map((_, i) => (isTime(i) ? from * each : 0));
    const size = shape.map((dim, i) => (isTime(i) ? frames * each : typeof dim === 'number' ? dim : -1));
    const part = this.builder.op('Slice', [value], { begin, size }, node.layer);
    const source = this.sources.get(value);
    if (source !== undefined) this.sources.set(part, source);
    return part;
  }
}

/** Fails where a hop has more frames of a value than a window. */
export function expectWindow(node: Node, info: Info, hop: number): void {
  if (isFrames(info) && hop / info.stride > info.size)
    refuse(layerOf(node), `has ${info.size} frames in a window, and ${hop / info.stride} in a hop`);
}
