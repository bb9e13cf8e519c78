import { transposeData } from '../../formats/onnx/lower/layout.ts';
import { elementCount, tensor, tensorData } from '../../formats/onnx/model.ts';
import type { Model, OnnxGraph, OnnxNode, OnnxTensor, ValueInfo } from '../../formats/onnx/model.ts';
import { isFloat, learnedIn, NUMBERED } from './learned.ts';
import { isWithoutBias, notedParameters } from './origins.ts';
import type { NotedParameters } from './origins.ts';

/** A file in which every weight is stored separately. */
export interface Untied {
  readonly model: Model;
  /** Weights that the file stores as one tensor with others of equal value. */
  readonly split: readonly string[];
  /** Zero biases that the exporter left out. */
  readonly restored: readonly string[];
}

/** An input of a node that reads a tensor. */
interface Slot {
  readonly node: OnnxNode;
  readonly at: number;
}

/**
 * Separates weights of equal initial value that exporters store once, such as the scales of all norms of an untrained model: by the names that
 * PyTorch's older exporter keeps in Identity nodes, by its newer exporter's notes on the parameters of a node, and in other files one for each node
 * that reads a tensor of equal values. A weight that the model itself uses several times stays shared, even if the exporter also stores its
 * transpose.
 */
export function untied(model: Model): Untied {
  const { graph: named, found } =
    model.producerName === 'pytorch' ? withNames(model.graph) : { graph: model.graph, found: [] };
  const noted = notedParameters(named);
  const { graph, restored } = noted === undefined ? { graph: named, restored: [] } : withBiases(named, noted);
  const isLearned = learnedIn(graph);
  const isWeight = (one: OnnxTensor): boolean => isFloat(one) && (!NUMBERED.test(one.name) || isLearned(one));
  const slots = slotsIn(graph);
  const ownerOf = (one: OnnxTensor): readonly string[] | undefined => {
    const readers = slots.get(one.name) ?? [];
    if (readers.length < 2 || !isWeight(one)) return undefined;
    if (noted !== undefined) return readers.map(({ node, at }) => noted.ownerOf(node, at) ?? one.name);
    const isOne = found.length > 0 || !isUniform(one) || (elementCount(one.dims) === 1 && !isLearned(one));
    return isOne ? undefined : ownNames(one.name, readers);
  };
  const { graph: parted, split } = withParts(graph, slots, ownerOf, noted);
  return { model: { ...model, graph: withTransposes(parted) }, split: [...found, ...split], restored };
}

function slotsIn({ nodes }: OnnxGraph): Map<string, Slot[]> {
  const slots = new Map<string, Slot[]>();
  for (const node of nodes)
    node.inputs.forEach((name, at) => slots.set(name, [...(slots.get(name) ?? []), { node, at }]));
  return slots;
}

/** Turns an Identity of a stored tensor into a stored tensor, except numbered copies for a module that is called again. */
function withNames(graph: OnnxGraph): { graph: OnnxGraph; found: readonly string[] } {
  const stored = new Map(graph.initializers.filter(isFloat).map((one) => [one.name, one]));
  const answers = new Set(graph.outputs.map(({ name }) => name));
  const slots = slotsIn(graph);
  const callers = (name: string): string[] =>
    (slots.get(name) ?? []).flatMap(({ node }) => (node.op === 'Identity' ? [] : [node.name]));
  const isCopy = ({ op, inputs: [from = ''], outputs: [to = ''] }: OnnxNode): boolean =>
    op === 'Identity' &&
    stored.has(from) &&
    !answers.has(to) &&
    !(NUMBERED.test(to) && callers(to).every((call) => callers(from).some((first) => isCalledAgain(first, call))));
  const copies = graph.nodes.filter(isCopy).map(({ inputs: [from], outputs: [to] }) => own(stored.get(from!)!, to!));
  const nodes = graph.nodes.filter((node) => !isCopy(node));
  return {
    graph: { ...graph, nodes, initializers: [...graph.initializers, ...copies] },
    found: copies.map(({ name }) => name),
  };
}

/** A copy of a tensor: two weights may not share memory. */
function own(one: OnnxTensor, name: string): OnnxTensor {
  return { ...one, name, raw: one.raw.slice() };
}

/** True for node names of two calls of one module, which PyTorch's older exporter writes as `/norm/Mul` and `/norm_1/Mul`. */
function isCalledAgain(first: string, again: string): boolean {
  const [a, b] = [first.split('/'), again.split('/')];
  const isSuffixed = (part: string, i: number): boolean =>
    part.startsWith(`${a[i]!}_`) && /^\d+$/.test(part.slice(a[i]!.length + 1));
  return a.length === b.length && a.at(-1) === b.at(-1) && b.every((part, i) => part === a[i] || isSuffixed(part, i));
}

/** True if all values of a tensor are equal. */
function isUniform({ raw, dims }: OnnxTensor): boolean {
  const width = raw.length / elementCount(dims);
  return raw.length > 0 && raw.every((byte, i) => byte === raw[i % width]);
}

/** Names for the copies of a tensor: its own for the first reader, the node's for others, equal for all calls of a module. */
function ownNames(name: string, readers: readonly Slot[]): string[] {
  const leaf = name.split('.').at(-1)!;
  const calls = readers.map(({ node, at }) => ({ call: node.name || node.outputs[0]!, at }));
  return calls.map(({ call, at }) => {
    const first = calls.find((one) => one.at === at && isCalledAgain(one.call, call))!;
    return first === calls[0] ? name : `${first.call}.${at === calls[0]!.at ? leaf : at}`;
  });
}

/** The graph with a separate tensor for each owner of a tensor, one for each slot that reads it. */
function withParts(
  graph: OnnxGraph,
  slots: ReadonlyMap<string, readonly Slot[]>,
  ownersOf: (one: OnnxTensor) => readonly string[] | undefined,
  noted: NotedParameters | undefined,
): { graph: OnnxGraph; split: readonly string[] } {
  const usedNames = new Set([...graph.initializers, ...graph.inputs].map(({ name }) => name));
  for (const { outputs } of graph.nodes) outputs.forEach((name) => usedNames.add(name));
  const added: OnnxTensor[] = [];
  const infos = new Map(graph.valueInfos.map((info) => [info.name, info]));
  const notes: ValueInfo[] = [];
  const renamed = new Map<OnnxNode, Map<number, string>>();
  for (const initializer of graph.initializers) {
    const owners = ownersOf(initializer);
    if (owners === undefined) continue;
    const first = owners.includes(initializer.name) ? initializer.name : owners[0]!;
    const others = [...new Set(owners)].filter((owner) => owner !== first && !usedNames.has(owner));
    const readers = slots.get(initializer.name)!;
    const readerOf = (owner: string): OnnxNode => readers[owners.indexOf(owner)]!.node;
    for (const owner of others) {
      usedNames.add(owner);
      added.push(own(initializer, owner));
      const metadata = noted?.notesOfCopy(infos.get(initializer.name), owner, readers[0]!.node, readerOf(owner));
      if (metadata !== undefined) notes.push({ name: owner, metadata });
    }
    readers.forEach(({ node, at }, i) => {
      if (!others.includes(owners[i]!)) return;
      renamed.set(node, (renamed.get(node) ?? new Map<number, string>()).set(at, owners[i]!));
    });
  }
  const nodes = graph.nodes.map((node) => {
    const names = renamed.get(node);
    return names === undefined ? node : { ...node, inputs: node.inputs.map((input, at) => names.get(at) ?? input) };
  });
  const valueInfos = [...graph.valueInfos, ...notes];
  return {
    graph: { ...graph, nodes, initializers: [...graph.initializers, ...added], valueInfos },
    split: added.map(({ name }) => name),
  };
}

/** Adds zero biases that PyTorch's newer exporter leaves out of an untrained model's layers. */
function withBiases(graph: OnnxGraph, noted: NotedParameters): { graph: OnnxGraph; restored: readonly string[] } {
  const stored = new Map(graph.initializers.map((one) => [one.name, one]));
  // Some models compute a filter from their weights, such as NFNets.
  const sizes = new Map([...graph.valueInfos, ...graph.initializers].map(({ name, dims }) => [name, dims]));
  const added: OnnxTensor[] = [];
  const nodes = graph.nodes.map((node) => {
    const [x = '', filter = '', bias = ''] = node.inputs;
    const dims = sizes.get(filter);
    const name = noted.biasOf(node);
    if (bias !== '' || dims === undefined || name === undefined || !isWithoutBias(node)) return node;
    if (stored.has(name) || added.some((one) => one.name === name)) return node;
    const flag = (key: string): number => Number(node.attrs.get(key)?.value ?? (key === 'group' ? 1 : 0));
    const out = dims[node.op === 'ConvTranspose' || (node.op === 'Gemm' && flag('transB') === 0) ? 1 : 0];
    if (typeof out !== 'number') return node;
    const size = node.op === 'ConvTranspose' ? out * flag('group') : out;
    added.push(tensor(name, 'float32', [size], new Float32Array(size)));
    return { ...node, inputs: [x, filter, name] };
  });
  return {
    graph: { ...graph, nodes, initializers: [...graph.initializers, ...added] },
    restored: added.map(({ name }) => name),
  };
}

/** Computes a matrix that an exporter stored as the transpose of another from that other, such as an embedding that is also the output matrix. */
function withTransposes(graph: OnnxGraph): OnnxGraph {
  const matrices = graph.initializers.filter(({ dtype, dims }) => dtype === 'float32' && dims.length === 2);
  const sources = new Map<string, string>();
  for (const matrix of matrices.filter(({ name }) => NUMBERED.test(name))) {
    const source = matrices.find((other) => !NUMBERED.test(other.name) && isTransposed(other, matrix));
    if (source !== undefined) sources.set(matrix.name, source.name);
  }
  const turns = [...sources].map(([to, from]): OnnxNode => ({
    op: 'Transpose',
    domain: '',
    name: to,
    inputs: [from],
    outputs: [to],
    attrs: new Map([['perm', { type: 'ints', value: [1, 0] }]]),
  }));
  const initializers = graph.initializers.filter(({ name }) => !sources.has(name));
  return { ...graph, nodes: [...turns, ...graph.nodes], initializers };
}

function isTransposed(one: OnnxTensor, other: OnnxTensor): boolean {
  const [rows, columns] = one.dims;
  if (rows !== other.dims[1] || columns !== other.dims[0] || isUniform(one)) return false;
  const [a, b] = [tensorData(one)!, tensorData(other)!];
  if (a[1] !== b[rows!]) return false;
  const turned = transposeData(a as Float32Array, one.dims, [1, 0]);
  return turned.every((value: number | bigint, i: number) => value === b[i]);
}
