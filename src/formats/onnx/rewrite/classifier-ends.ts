import { producersOf } from '../../../graph/passes/uses.ts';
import { storedTensors, tensorData } from '../model.ts';
import type { Model, OnnxAttr, OnnxGraph, OnnxNode, ValueInfo } from '../model.ts';

/**
 * A classifier of skl2onnx, onnxmltools or CatBoost with tensors of numbers at its end, as the operators of ai.onnx.ml specify them: the
 * dictionaries of a ZipMap are the tensor that it reads, numbers of 64 bits have 32 at inputs and outputs, and labels in words are left out. The
 * names of its classes, in the order of the scores, become `labels` of the metadata. Any other file is returned as it is.
 */
export function withTensorEnds(given: Model): Model {
  const model = withShortInputs(given);
  const { graph, metadata } = model;
  const changed = graph.outputs.filter(isOther);
  if (changed.length === 0) return model;
  const producers = producersOf(graph.nodes);
  const maps = new Map(changed.map(({ name }) => [name, producers.get(name)]));
  const kept = graph.outputs.filter(
    (output) => !isOther(output) || output.dtype === 'float64' || isZipMap(maps.get(output.name)),
  );
  if (kept.length === 0) return model;
  const names = metadata.has('labels') ? undefined : namesIn(graph);
  const added = kept.filter(isOther).map(({ name }) => toNumbers(name, maps.get(name)));
  const inner = new Map(added.map(({ inputs: [inside], outputs: [name] }) => [name!, inside!]));
  const renamed = (value: string): string => inner.get(value) ?? value;
  const nodes = graph.nodes
    .filter((node) => !isZipMap(node) || !inner.has(node.outputs[0]!))
    .map((node) => ({ ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed) }));
  const outputs = kept.map((output): ValueInfo => {
    const dims = output.dims ?? (names && [null, names.length]);
    return isOther(output) ? { name: output.name, dtype: 'float32', ...(dims && { dims }) } : output;
  });
  return {
    ...model,
    metadata: names === undefined ? metadata : new Map([...metadata, ['labels', JSON.stringify(names)]]),
    graph: { ...graph, nodes: [...nodes, ...added], outputs },
  };
}

/** The file with inputs of 32 bits that are cast to the 64 bits of its inputs, as skl2onnx takes them from the float columns of pandas. */
function withShortInputs(model: Model): Model {
  const { graph } = model;
  const long = new Set(graph.inputs.filter(({ dtype }) => dtype === 'float64').map(({ name }) => name));
  // A subgraph may read an input under its own name.
  const hasSubgraphs = graph.nodes.some(({ attrs }) =>
    [...attrs.values()].some(({ type }) => type.startsWith('graph')),
  );
  if (long.size === 0 || hasSubgraphs) return model;
  const inside = (name: string): string => (long.has(name) ? `${name}/double` : name);
  const casts = [...long].map((name) => castNode({ name: inside(name), from: name, to: DOUBLE }));
  const nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(inside) }));
  const whole = withShortImputers([...casts, ...nodes]);
  const inputs = graph.inputs.map((input) => (long.has(input.name) ? { ...input, dtype: 'float32' as const } : input));
  return { ...model, graph: { ...graph, inputs, nodes: whole } };
}

/** Imputers of 64 bits, as scikit-learn's SimpleImputer becomes, with 32 inside: ONNX Runtime has none of 64. */
function withShortImputers(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  const producers = producersOf(nodes);
  const isLong = (value: string): boolean => {
    const node = producers.get(value);
    const to = node?.op === 'Cast' ? node.attrs.get('to') : undefined;
    if (to !== undefined) return to.type === 'int' && to.value === DOUBLE;
    return node?.inputs.some(isLong) ?? false;
  };
  return nodes.flatMap((node) => {
    const [from, to] = [node.inputs[0]!, node.outputs[0]!];
    if (node.op !== 'Imputer' || node.domain !== 'ai.onnx.ml' || !isLong(from)) return [node];
    const short = { ...node, inputs: [`${to}/given`], outputs: [`${to}/filled`] };
    return [
      castNode({ name: `${to}/given`, from, to: FLOAT }),
      short,
      castNode({ name: to, from: `${to}/filled`, to: DOUBLE }),
    ];
  });
}

/** True for an output that is neither a tensor of numbers of at most 32 bits nor of integer labels. */
function isOther({ dtype, otherType }: ValueInfo): boolean {
  return otherType !== undefined || dtype === 'string' || dtype === 'float64';
}

function isZipMap(node: OnnxNode | undefined): boolean {
  return node?.op === 'ZipMap' && node.domain === 'ai.onnx.ml';
}

/** Casts the scores that a ZipMap reads, or an output of 64 bits, to an output of 32 bits. */
function toNumbers(name: string, node: OnnxNode | undefined): OnnxNode {
  const from = isZipMap(node) ? node!.inputs[0]! : `${name}/double`;
  return castNode({ name, from, to: FLOAT });
}

/** Types of ONNX by their numbers. */
const [FLOAT, DOUBLE] = [1, 11];

function castNode({ name, from, to }: { name: string; from: string; to: number }): OnnxNode {
  const attrs = new Map<string, OnnxAttr>([['to', { type: 'int', value: to }]]);
  return { op: 'Cast', domain: '', name, inputs: [from], outputs: [name], attrs };
}

/** Class names: of a ZipMap or a classifier, or the table that labels are looked up in. */
function namesIn({ nodes, ...graph }: OnnxGraph): readonly string[] | undefined {
  const ofMl = nodes.filter(({ domain }) => domain === 'ai.onnx.ml').toReversed();
  for (const { attrs } of [...ofMl.filter(isZipMap), ...ofMl]) {
    const listed = ['classlabels_strings', 'classlabels_int64s', 'classlabels_ints'].map((key) =>
      listOf(attrs.get(key)),
    );
    const found = listed.find((names) => names !== undefined && names.length > 0);
    if (found !== undefined) return found;
  }
  const stored = storedTensors({ nodes, ...graph });
  const chosen = ofMl.find(({ op, inputs }) => op === 'ArrayFeatureExtractor' && stored.has(inputs[0]!));
  const classes = chosen && stored.get(chosen.inputs[0]!)!;
  return classes?.strings ?? (classes && Array.from(tensorData(classes) ?? [], String));
}

function listOf(attr: OnnxAttr | undefined): readonly string[] | undefined {
  return attr?.type === 'strings' || attr?.type === 'ints' ? attr.value.map(String) : undefined;
}
