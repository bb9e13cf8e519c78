import type { OnnxGraph, OnnxNode, ValueInfo } from '../../formats/onnx/model.ts';

/** Key of torch.export's note on a stored tensor: PARAMETER, BUFFER or CONSTANT_TENSOR. */
const KIND = 'pkg.torch.export.graph_signature.InputSpec.kind';
/** Names of all that the exporter computed a stored tensor from. */
const FOLDED = 'pkg.onnxscript.optimizer.folded_from';

/** Operators of PyTorch that make numbers or only change them, after which torch.export names their results. */
const MADE = [
  ...['val', 'lifted_tensor', 'lift_fresh_copy', 'scalar_tensor', 'arange', 'linspace', 'logspace', 'eye', 'full', 'zeros', 'ones', 'empty'],
  ...['full_like', 'zeros_like', 'ones_like', 'new_full', 'new_zeros', 'new_ones', 'fill', 'triu', 'tril', 'clone', '_to_copy', 'detach', 'alias'],
  ...['view', '_unsafe_view', 'reshape', 'expand', 'unsqueeze', 'squeeze', 'permute', 'transpose', 't', 'slice', 'select', 'index', 'gather'],
  ...['cat', 'stack', 'repeat', 'tile', 'flip', 'roll', 'add', 'sub', 'rsub', 'mul', 'div', 'pow', 'neg', 'exp', 'exp2', 'log', 'sqrt', 'rsqrt'],
  ...['reciprocal', 'sin', 'cos', 'tanh', 'sigmoid', 'abs', 'floor', 'ceil', 'round', 'remainder', 'maximum', 'minimum', 'clamp', 'where'],
  ...['masked_fill', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logical_and', 'logical_or', 'logical_not', 'sum', 'cumsum', 'mm', 'bmm', 'constant_pad_nd'],
]; // prettier-ignore
const IS_MADE = new RegExp(`^(${MADE.join('|')})(_default|_tensor|_scalar|_int|_self)?(_\\d+)?$`);

/**
 * Stored tensors of a file of PyTorch's newer exporter that PyTorch does not train: buffers, constants, and what the exporter computed from
 * numbers of the code alone, such as a table of sines or a mask. Statistics of batch norms, which follow the data, are none of these.
 * A file of another exporter says nothing of it.
 */
export function untrainedIn(graph: OnnxGraph): ReadonlySet<string> {
  const { valueInfos, nodes } = graph;
  const kinds = notedParameters(graph)?.kinds;
  const isMade = (one: string): boolean => (kinds === undefined ? IS_MADE.test(one) : kinds.get(one) !== 'PARAMETER');
  const statistics = new Set(
    nodes.flatMap(({ op, inputs }) => (op === 'BatchNormalization' ? inputs.slice(3, 5) : [])),
  );
  const untrained = valueInfos.filter((info) => {
    const kind = info.metadata?.get(KIND);
    if (kind !== undefined) return kind !== 'PARAMETER' && !statistics.has(info.name);
    const from = foldedFrom(info);
    return from.length > 0 && from.every(isMade);
  });
  return new Set(untrained.map(({ name }) => name));
}

function foldedFrom({ metadata }: ValueInfo): string[] {
  return quotedIn(metadata?.get(FOLDED));
}

function quotedIn(list = ''): string[] {
  return [...list.matchAll(/'([^']*)'/g)].map(([, one]) => one!);
}

/** Path of the module in whose code a node is; empty where the exporter does not note it. */
function moduleOf({ metadata }: OnnxNode): string {
  return quotedIn(metadata?.get(SCOPES)).at(-2) ?? '';
}

/** Parameters that PyTorch's newer exporter computed stored tensors from, by the tensors' names; undefined for a file without its notes. */
export function foldedParameters(graph: OnnxGraph): ReadonlyMap<string, readonly string[]> | undefined {
  const kinds = notedParameters(graph)?.kinds;
  if (kinds === undefined) return undefined;
  const from = (info: ValueInfo): string[] => foldedFrom(info).filter((one) => kinds.get(one) === 'PARAMETER');
  return new Map(graph.valueInfos.map((info) => [info.name, from(info)]));
}

/** Key of torch.export's note on a file: every parameter and buffer of the model, under the name that its calls read it by. */
const SIGNATURE = 'pkg.torch.export.ExportedProgram.graph_signature';
/** Key of the note on a node: the call of PyTorch that it is of. */
const CALL = 'pkg.torch.onnx.fx_node';
/** Key of the note on a node: paths of the modules that it is in, from the whole model down to the call itself. */
const SCOPES = 'pkg.torch.onnx.name_scopes';
/** Calls that take their bias first. */
const BIAS_FIRST = /aten\.b?add(cmul|mm|bmm|mv)\b/;
/** Key of the note on a node that a rule has changed, and the rule that takes a bias of zeros away. */
const [RULE, WITHOUT_BIAS] = ['pkg.onnxscript.rewriter.rule_name', 'RemoveOptionalBias'];

/** Parameters and buffers that PyTorch's newer exporter notes. */
export interface NotedParameters {
  /** PARAMETER or BUFFER, by names. */
  readonly kinds: ReadonlyMap<string, string>;
  /** Their names by those under which calls read them. */
  readonly placeholders: ReadonlyMap<string, string>;
  /** Name of the parameter that a node reads at an input; undefined where the notes do not tell. */
  readonly ownerOf: (node: OnnxNode, at: number) => string | undefined;
  /** Notes on a copy, under this name, of a stored tensor: what it is, or what the exporter computed it from in the module that reads the copy. */
  readonly notesOfCopy: (of: ValueInfo | undefined, name: string, first: OnnxNode, reader: OnnxNode) => ValueInfo['metadata']; // prettier-ignore
  /** Name of the bias of a layer; undefined for a layer without. */
  readonly biasOf: (node: OnnxNode) => string | undefined;
}

/** What the notes of PyTorch's newer exporter say of parameters; undefined for a file without. */
export function notedParameters({ metadata, initializers, inputs, nodes }: OnnxGraph): NotedParameters | undefined {
  const lines = [...(metadata?.get(SIGNATURE) ?? '').matchAll(/^(\w+): (\w+) target='([^']+)'/gm)];
  if (lines.length === 0) return undefined;
  const names = new Map(lines.map(([, placeholder, , name]) => [placeholder!, name!]));
  const kinds = new Map(lines.map(([, , kind, name]) => [name!, kind!]));
  const stored = new Set(initializers.filter(({ dtype }) => dtype.startsWith('float')).map(({ name }) => name));
  const computed = new Set([...inputs.map(({ name }) => name), ...nodes.flatMap(({ outputs }) => outputs)]);
  const readBy = (node: OnnxNode): string[] => {
    const args = argsOf(node);
    const parameters = args.flatMap((one) => names.get(one) ?? []);
    // A parameter in another shape, which the exporter stores as that, has the name of the call that gave it the shape.
    const read = parameters.length > 0 ? parameters : args.filter((one) => !computed.has(one));
    return BIAS_FIRST.test(node.metadata?.get(CALL) ?? '') ? read.reverse() : read;
  };
  return {
    ...{ kinds, placeholders: names },
    notesOfCopy: (of, name, first, reader) => {
      const kind = kinds.get(name);
      if (kind !== undefined) return new Map([[KIND, kind]]);
      const [here, there] = [moduleOf(first), moduleOf(reader)];
      const moved = (one: string): string => (one.startsWith(`${here}.`) ? there + one.slice(here.length) : one);
      const from = of === undefined ? [] : foldedFrom(of).map((one) => (kinds.has(moved(one)) ? moved(one) : one));
      return from.length === 0 ? undefined : new Map([[FOLDED, `[${from.map((one) => `'${one}'`).join(', ')}]`]]);
    },
    biasOf: (node) => {
      const [, bias] = readBy(node).filter((name) => kinds.get(name) === 'PARAMETER');
      return bias;
    },
    ownerOf: (node, at) => {
      const read = readBy(node);
      const places = node.inputs.flatMap((name, i) => (stored.has(name) ? [i] : []));
      // Of a product and a sum that are one call, the sum adds what the call reads last.
      if (places.length === read.length) return read[places.indexOf(at)];
      return places.length > 1 ? undefined : node.op === 'Add' ? read.at(-1) : read[0];
    },
  };
}

/** Names that the call of PyTorch, which a node is of, reads. */
function argsOf({ metadata }: OnnxNode): string[] {
  const call = metadata?.get(CALL) ?? '';
  return [...call.slice(call.indexOf('args =')).matchAll(/%(\w+)/g)].map(([, one]) => one!);
}

/**
 * Parameters that PyTorch's newer exporter notes, but that no stored tensor is or was computed from and that no node's call reads. The exporter
 * keeps only the first of two layers that read one value with equal weights, and a model may have put a number in place of a parameter.
 */
export function lostParameters(graph: OnnxGraph): string[] {
  const { kinds, placeholders } = notedParameters(graph) ?? {};
  if (kinds === undefined || placeholders === undefined) return [];
  const found = new Set([
    ...graph.initializers.map(({ name }) => name),
    ...graph.valueInfos.flatMap(foldedFrom),
    ...graph.nodes.flatMap(argsOf).flatMap((one) => placeholders.get(one) ?? []),
  ]);
  return [...kinds].flatMap(([name, kind]) => (kind === 'PARAMETER' && !found.has(name) ? [name] : []));
}

/** True for a layer whose bias of zeros the exporter took away. */
export function isWithoutBias({ metadata }: OnnxNode): boolean {
  return metadata?.get(RULE)?.includes(WITHOUT_BIAS) === true;
}
