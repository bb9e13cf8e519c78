import { outputName } from '../../formats/onnx/lower.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { withIntegerEnds } from '../../formats/onnx/qdq/integer-ends.ts';
import type { IntegerEnds } from '../../formats/onnx/qdq/integer-ends.ts';
import { exportQdq, planQdq } from '../../formats/onnx/qdq/qdq.ts';
import type { Quantization } from '../../graph/quantization.ts';
import type { Graph, Node, TensorType } from '../../graph/types.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import { onGrid } from './layer-values.ts';
import type { ValueOptions } from './layer-values.ts';
import type { Feeds, CalibrationSamples } from './observe.ts';
import { producersOf } from '../../graph/passes/uses.ts';

/** Most bytes that stored values may take together: a quarter of a gigabyte. */
const MOST_BYTES = 2 ** 28;

interface Given {
  readonly batches: AsyncIterable<InferenceTensor>;
  /** The value with its scales, if the batches hold its integers. */
  readonly ends: IntegerEnds;
}

/**
 * What the int8 model feeds its layers, one layer after another. What a layer was fed is kept in 8 bits for those behind it, which
 * then start there: each layer is computed once, and not once for every layer behind it.
 */
export class LayerInputs {
  readonly #quantization: Quantization;
  readonly #samples: CalibrationSamples;
  readonly #options: ValueOptions;
  readonly #values: readonly string[];
  readonly #mostBytes: number;
  /** Values that the whole model rounds to 8 bits for whoever reads them. */
  readonly #rounded: ReadonlySet<string>;
  /** Place in `values` of the last layer that starts at a value. */
  readonly #lastUse: ReadonlyMap<string, number>;
  /** Integers of values, batch by batch. */
  readonly #stored = new Map<string, readonly InferenceTensor[]>();
  #bytes = 0;
  #next = 0;

  /** `values`: inputs of the layers, in the order in which they are computed. */
  constructor(
    graph: Graph,
    values: readonly string[],
    quantization: Quantization,
    samples: CalibrationSamples,
    options: ValueOptions,
    mostBytes = MOST_BYTES,
  ) {
    this.#values = values;
    this.#mostBytes = mostBytes;
    this.#quantization = quantization;
    this.#samples = samples;
    this.#options = options;
    this.#lastUse = lastUses(graph, values);
    const { keepFloat } = options;
    this.#rounded = planQdq(graph, quantization, keepFloat && { keepFloat }).activations;
  }

  /** The inputs of the next layer, batch by batch, rounded as the layer reads them; layers before it must not change any more. */
  next(graph: Graph): Given {
    const place = this.#next++;
    const value = this.#values[place]!;
    const isInteger = this.#stored.has(value) || this.#isInteger(graph, value);
    return { batches: this.#batches(graph, value, place), ends: this.#ends(isInteger ? [value] : []) };
  }

  async *#batches(graph: Graph, value: string, place: number): AsyncGenerator<InferenceTensor, void, undefined> {
    const known = this.#stored.get(value);
    if (known === undefined) yield* this.#computed(graph, value, place);
    else yield* known;
    for (const name of this.#stored.keys()) if (this.#lastUse.get(name)! <= place) this.#drop(name);
  }

  /** True for a value that the kernel of its op gives in 8 bits, also where it is the end of a model. */
  #isInteger(graph: Graph, value: string): boolean {
    const isRounded = this.#quantization.get(value)?.dtype === 'int8' && this.#rounded.has(value);
    return isRounded && !graph.inputs.has(value) && isBatched(graph, value) && !isProduct(graph, value);
  }

  #ends(values: readonly string[]): IntegerEnds {
    return new Map(values.map((name) => [name, this.#quantization.get(name)!]));
  }

  async *#computed(graph: Graph, value: string, place: number): AsyncGenerator<InferenceTensor, void, undefined> {
    const part = partOf(graph, value, (name) => this.#stored.has(name));
    const { open, keepFloat } = this.#options;
    const isInteger = this.#isInteger(graph, value);
    const stored = [...part.inputs.keys()].filter((name) => this.#stored.has(name));
    const made = exportQdq(part, this.#quantization, keepFloat && { keepFloat }).result;
    const bytes = onnxContent(withIntegerEnds(made, this.#ends(isInteger ? [...stored, value] : stored)));
    const model = await open(bytes, 'model for the inputs of a layer');
    const isRead = this.#lastUse.get(value)! > place;
    let kept: InferenceTensor[] | undefined = isRead && isInteger ? [] : undefined;
    try {
      for (const feeds of this.#feeds(part, stored)) {
        const { data, shape } = (await model.run(feeds))[outputName(part, value)]!;
        if (kept !== undefined && this.#bytes + data.length <= this.#mostBytes) {
          kept.push({ data, shape });
          this.#bytes += data.length;
        } else {
          this.#release(kept);
          kept = undefined;
        }
        yield { data: isInteger ? data : onGrid(data as Float32Array, this.#quantization.get(value)), shape };
      }
    } finally {
      model.dispose();
    }
    if (kept !== undefined) this.#stored.set(value, kept);
  }

  /** Feeds of a part of the graph, batch by batch: samples are made anew only where it reads them. */
  *#feeds(part: Graph, stored: readonly string[]): Generator<Feeds, void, undefined> {
    const at = (batch: number): Feeds =>
      Object.fromEntries(stored.map((name) => [name, this.#stored.get(name)![batch]!]));
    if (stored.length === part.inputs.size) {
      for (let batch = 0; batch < this.#samples.length; batch++) yield at(batch);
      return;
    }
    let batch = 0;
    for (const feeds of this.#samples) {
      const fed = Object.entries(feeds).filter(([name]) => part.inputs.has(name));
      yield { ...Object.fromEntries(fed), ...at(batch++) };
    }
  }

  #release(kept: readonly InferenceTensor[] | undefined): void {
    for (const { data } of kept ?? []) this.#bytes -= data.length;
  }

  #drop(value: string): void {
    this.#release(this.#stored.get(value));
    this.#stored.delete(value);
  }
}

/** True for the layout in which a graph is fed: the batch first, and nowhere else. */
export function isBatched(graph: Graph, value: string): boolean {
  const [first, ...rest] = graph.types.get(value)!.shape;
  return first === 'batch' && rest.every((dim) => typeof dim === 'number');
}

/** True for the result of a dense layer or a mean: at the end of a model it stays float32, and is then rounded here instead of in its kernel. */
function isProduct({ nodes }: Graph, value: string): boolean {
  const made = (name: string): Node | undefined => nodes.find(({ outputs }) => outputs.includes(name));
  const last = made(value);
  const node = last?.op === 'Reshape' ? made(last.inputs[0]!) : last;
  const products = node?.op === 'Add' ? node.inputs.map(made) : [node];
  return products.some((each) => each?.op === 'BatchMatMul' || each?.op === 'Mean');
}

/** The nodes that a value needs from the graph's inputs or from values that are there already, which become inputs. */
function partOf(graph: Graph, value: string, isThere: (name: string) => boolean): Graph {
  const { nodes, starts } = neededFor(value, producersOf(graph.nodes), (name) => name !== value && isThere(name));
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const read = [...graph.inputs].filter(([name]) => name === value || used.has(name));
  const inputs = [...read, ...[...starts].map((name) => [name, graph.types.get(name)!] as const)];
  const hasBatch = ([, { shape }]: readonly [string, TensorType]): boolean =>
    shape.some((dim) => typeof dim !== 'number');
  // Values that are stored once and repeated for each sample read no input, and still have to know how many samples there are.
  const counted = inputs.some(hasBatch) ? undefined : [...graph.inputs].find(hasBatch);
  return {
    ...graph,
    inputs: new Map(counted === undefined ? inputs : [...inputs, counted]),
    constants: new Map([...graph.constants].filter(([name]) => used.has(name))),
    nodes: graph.nodes.filter((node) => nodes.includes(node)),
    outputs: new Map([[value, value]]),
  };
}

/** The nodes behind a value up to values where one may start, and these. */
function neededFor(
  value: string,
  producers: ReadonlyMap<string, Node>,
  isStart: (name: string) => boolean,
): { readonly nodes: readonly Node[]; readonly starts: ReadonlySet<string> } {
  const nodes = new Set<Node>();
  const starts = new Set<string>();
  const waiting = [value];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = producers.get(name);
    if (isStart(name)) starts.add(name);
    else if (node !== undefined && !nodes.has(node)) {
      nodes.add(node);
      waiting.push(...node.inputs);
    }
  }
  return { nodes: [...nodes], starts };
}

/** For each value the place of the last one that is it, or starts at it if all before are there. */
function lastUses(graph: Graph, values: readonly string[]): Map<string, number> {
  const producers = producersOf(graph.nodes);
  const last = new Map<string, number>();
  for (const [place, value] of values.entries()) {
    const isFirst = !last.has(value);
    if (isFirst)
      for (const start of neededFor(value, producers, (name) => last.has(name)).starts) last.set(start, place);
    last.set(value, place);
  }
  return last;
}
