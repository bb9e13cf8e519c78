import { isStatic, staticSize } from '../../../../graph/shapes.ts';
import type { TensorType } from '../../../../graph/types.ts';
import type { OnnxAttr, OnnxGraph, OnnxNode, OnnxTensor } from '../../model.ts';
import { attr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import type { KnownTensor } from '../fold/known.ts';

/** Maximum number of steps of a loop, each of which is unrolled. */
const MOST_STEPS = 1000;

type Names = ReadonlyMap<string, string>;

/** A graph with its Constant nodes of tensors as stored tensors; exporters write either. */
export function withStoredConstants(graph: OnnxGraph): OnnxGraph {
  const stored: OnnxTensor[] = [];
  const nodes = graph.nodes.filter(({ op, domain, outputs, attrs }) => {
    const value = op === 'Constant' && (domain === '' || domain === 'ai.onnx') ? attrs.get('value') : undefined;
    if (value?.type !== 'tensor') return true;
    stored.push({ ...value.value, name: outputs[0]! });
    return false;
  });
  return { ...graph, nodes, initializers: [...graph.initializers, ...stored] };
}

/** Names that a graph defines itself. */
function ownNames({ inputs, initializers, nodes }: OnnxGraph): string[] {
  return [...inputs, ...initializers].map(({ name }) => name).concat(nodes.flatMap(({ outputs }) => outputs));
}

/** A renamed copy of a node, including graphs inside it. */
function renamedNode(node: OnnxNode, names: Names): OnnxNode {
  const renamed = (name: string): string => names.get(name) ?? name;
  const attrs = [...node.attrs].map(([key, value]) => [key, renamedAttr(value, names)] as const);
  return { ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed), attrs: new Map(attrs) };
}

function renamedAttr(value: OnnxAttr, names: Names): OnnxAttr {
  if (value.type !== 'graph') return value;
  const graph = value.value;
  // Names defined inside refer to other values.
  const free = new Map(names);
  for (const name of ownNames(graph)) free.delete(name);
  const outputs = graph.outputs.map((one) => ({ ...one, name: free.get(one.name) ?? one.name }));
  return { type: 'graph', value: { ...graph, outputs, nodes: graph.nodes.map((node) => renamedNode(node, free)) } };
}

/** Inlines a graph inside a node; `fed`: values of its inputs. Returns the names of its outputs. */
function inlined(c: Import, given: OnnxGraph, fed: Names, prefix: string): string[] {
  const graph = withStoredConstants(given);
  const names = new Map(fed);
  for (const name of ownNames(graph)) if (name !== '' && !fed.has(name)) names.set(name, prefix + name);
  const outputs = graph.outputs.map(({ name }) => names.get(name) ?? name);
  const initializers = graph.initializers.map((t) => ({ ...t, name: names.get(t.name)! }));
  c.inside({ initializers, nodes: graph.nodes.map((node) => renamedNode(node, names)) }, outputs);
  return outputs;
}

/** Value of a condition that is known in reading the file; fails for others. */
function holds(c: Import, name: string, what: string): boolean {
  const known = c.knownOf(name);
  if (known?.values.length === 1) return known.values[0] !== 0;
  const isNumber = ({ dtype, shape }: TensorType): boolean =>
    dtype !== 'float32' && isStatic(shape) && staticSize(shape) === 1;
  const [chooses] = [...c.builder.inputs].find(([, type]) => isNumber(type)) ?? [];
  return c.fail(
    `${what} depends on the input of the model`,
    chooses === undefined
      ? 'Export the model with that fixed (trace it instead of scripting it), or, where it differs from sample to sample, let it compute both and choose by values: torch.where.'
      : `Say the value that the input always has, --fix ${chooses}=VALUE, or write a file with it: limbeck export --from FILE.onnx --fix ${chooses}=VALUE.`,
  );
}

/** Imports the branch of an `If` with a known condition in place of the node. */
const either: Importer = (node, c) => {
  const [then, otherwise] = ['then_branch', 'else_branch'].map((name) => graphOf(node, c, name)) as [
    OnnxGraph,
    OnnxGraph,
  ];
  const branch = holds(c, node.inputs[0]!, 'the choice between its graphs') ? then : otherwise;
  const results = inlined(c, branch, new Map(), `${node.outputs[0]!}/`);
  results.forEach((result, i) => c.alias(node.outputs[i]!, result));
};

function graphOf(node: OnnxNode, c: Import, name: string): OnnxGraph {
  return attr(node, c, name, 'graph') ?? c.fail(`it has no ${name}`);
}

/** Unrolls a `Loop` with a known number of steps. */
const loop: Importer = (node, c) => {
  const [most = '', condition = '', ...initial] = node.inputs;
  const body = graphOf(node, c, 'body');
  const steps = most === '' ? Infinity : c.number(most, 'number of steps');
  let goesOn = condition === '' || holds(c, condition, 'its first step');
  let state: readonly string[] = initial;
  const scanned: string[][] = body.outputs.slice(1 + initial.length).map(() => []);
  let step = 0;
  for (; goesOn && step < steps; step++) {
    if (step === MOST_STEPS) c.fail(`it takes more than ${MOST_STEPS} steps`);
    const prefix = `${node.outputs[0]!}/${step}/`;
    const [counter, asked] = [`${prefix}step`, `${prefix}goes-on`];
    c.defineKnown(counter, { dtype: 'int64', dims: [], values: [step] });
    c.defineKnown(asked, { dtype: 'bool', dims: [], values: [1] });
    const fed = [counter, asked, ...state].map((value, i) => [body.inputs[i]!.name, value] as const);
    const [next, ...results] = inlined(c, body, new Map(fed), prefix);
    goesOn = holds(c, next!, 'its number of steps');
    state = results.slice(0, initial.length);
    results.slice(initial.length).forEach((value, i) => scanned[i]!.push(value));
  }
  state.forEach((value, i) => {
    if ((node.outputs[i] ?? '') !== '') c.alias(node.outputs[i]!, value);
  });
  scanned.forEach((values, i) => stacked(c, node.outputs[initial.length + i] ?? '', values));
};

/** Values of all steps, stacked along a new first axis. */
function stacked(c: Import, name: string, values: readonly string[]): void {
  if (name === '') return;
  if (values.length === 0) return c.fail('it takes no step, and gives what each of them would give');
  const known = values.map((value) => c.knownOf(value));
  if (known.every((one): one is KnownTensor => one !== undefined)) {
    const { dtype, dims } = known[0]!;
    const isAlike = known.every((one) => one.dims.join() === dims.join());
    if (!isAlike) c.fail('its steps give tensors of different shapes');
    c.defineKnown(name, { dtype, dims: [known.length, ...dims], values: known.flatMap((one) => one.values) });
    return;
  }
  const rows = values.map((value) => c.op('Reshape', [c.plain(value)], { shape: [1, ...c.shapeOf(value)] }));
  c.define(name, { plain: c.op('Concat', rows, { axis: 0 }) });
}

/** Importers of control flow. */
export const controlImporters: Readonly<Record<string, Importer>> = {
  If: either,
  Loop: loop,
};
