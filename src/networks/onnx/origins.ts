import type { OnnxGraph, OnnxNode, ValueInfo } from '../../formats/onnx/model.ts';

/** Key of torch.export's note on a stored tensor: PARAMETER, BUFFER or CONSTANT_TENSOR. */
const KIND = 'pkg.torch.export.graph_signature.InputSpec.kind';
/** Key of the note on the tensors that a stored tensor was computed from. */
const FOLDED = 'pkg.onnxscript.optimizer.folded_from';

/** PyTorch operators that create or only rearrange numbers; torch.export names results after them. */
const MADE = [
  'val',
  'lifted_tensor',
  'lift_fresh_copy',
  'scalar_tensor',
  'arange',
  'linspace',
  'logspace',
  'eye',
  'full',
  'zeros',
  'ones',
  'empty',
  'full_like',
  'zeros_like',
  'ones_like',
  'new_full',
  'new_zeros',
  'new_ones',
  'fill',
  'triu',
  'tril',
  'clone',
  '_to_copy',
  'detach',
  'alias',
  'view',
  '_unsafe_view',
  'reshape',
  'expand',
  'unsqueeze',
  'squeeze',
  'permute',
  'transpose',
  't',
  'slice',
  'select',
  'index',
  'gather',
  'cat',
  'stack',
  'repeat',
  'tile',
  'flip',
  'roll',
  'add',
  'sub',
  'rsub',
  'mul',
  'div',
  'pow',
  'neg',
  'exp',
  'exp2',
  'log',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'abs',
  'floor',
  'ceil',
  'round',
  'remainder',
  'maximum',
  'minimum',
  'clamp',
  'where',
  'masked_fill',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'logical_and',
  'logical_or',
  'logical_not',
  'sum',
  'cumsum',
  'mm',
  'bmm',
  'constant_pad_nd',
];
const IS_MADE = new RegExp(`^(${MADE.join('|')})(_default|_tensor|_scalar|_int|_self)?(_\\d+)?$`);

/**
 * Stored tensors in a file of PyTorch's newer exporter that PyTorch does not train: buffers, constants, and results of constants in the code, such as
 * a table of sines or a mask. Excludes statistics of batch norms, which follow the data. Empty for files of other exporters, which do not tell.
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

/** Path of the module that a node belongs to; empty if the exporter does not note it. */
function moduleOf({ metadata }: OnnxNode): string {
  return quotedIn(metadata?.get(SCOPES)).at(-2) ?? '';
}

/**
 * Parameters that stored tensors were computed from, by the tensors' names, as noted by PyTorch's newer exporter; undefined for a file without such
 * notes.
 */
export function foldedParameters(graph: OnnxGraph): ReadonlyMap<string, readonly string[]> | undefined {
  const kinds = notedParameters(graph)?.kinds;
  if (kinds === undefined) return undefined;
  const from = (info: ValueInfo): string[] => foldedFrom(info).filter((one) => kinds.get(one) === 'PARAMETER');
  return new Map(graph.valueInfos.map((info) => [info.name, from(info)]));
}

/** Key of torch.export's note on a file: all parameters and buffers of the model, with their names in calls. */
const SIGNATURE = 'pkg.torch.export.ExportedProgram.graph_signature';
/** Key of the note on a node: the PyTorch call that it is part of. */
const CALL = 'pkg.torch.onnx.fx_node';
/** Key of the note on a node: paths of the enclosing modules, from the whole model to the call itself. */
const SCOPES = 'pkg.torch.onnx.name_scopes';
/** Calls whose first argument is the bias. */
const BIAS_FIRST = /aten\.b?add(cmul|mm|bmm|mv)\b/;
/** Key of the note on a node changed by a rewrite rule, and the rule that removes a bias of zeros. */
const [RULE, WITHOUT_BIAS] = ['pkg.onnxscript.rewriter.rule_name', 'RemoveOptionalBias'];

/** Parameters and buffers noted by PyTorch's newer exporter. */
export interface NotedParameters {
  /** PARAMETER or BUFFER, by name. */
  readonly kinds: ReadonlyMap<string, string>;
  /** Their names by the names that calls use. */
  readonly placeholders: ReadonlyMap<string, string>;
  /** Name of the parameter that a node reads at an input; undefined if the notes do not tell. */
  readonly ownerOf: (node: OnnxNode, at: number) => string | undefined;
  /** Notes for a copy, named `name`, of a stored tensor: its kind, or its origin in the module that reads the copy. */
  readonly notesOfCopy: (
    of: ValueInfo | undefined,
    name: string,
    first: OnnxNode,
    reader: OnnxNode,
  ) => ValueInfo['metadata'];
  /** Name of a layer's bias; undefined for a layer without one. */
  readonly biasOf: (node: OnnxNode) => string | undefined;
}

/** Parameters in the notes of PyTorch's newer exporter; undefined for a file without notes. */
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
    // A parameter that the exporter stores in another shape has the name of the reshaping call.
    const read = parameters.length > 0 ? parameters : args.filter((one) => !computed.has(one));
    return BIAS_FIRST.test(node.metadata?.get(CALL) ?? '') ? read.reverse() : read;
  };
  return {
    kinds,
    placeholders: names,
    notesOfCopy: (of, name, first, reader) => {
      const kind = kinds.get(name);
      if (kind !== undefined) return new Map([[KIND, kind]]);
      const [here, there] = [moduleOf(first), moduleOf(reader)];
      const moved = (one: string): string => (one.startsWith(`${here}.`) ? there + one.slice(here.length) : one);
      const from = of === undefined ? [] : foldedFrom(of).map((one) => (kinds.has(moved(one)) ? moved(one) : one));
      return from.length === 0 ? undefined : new Map([[FOLDED, `[${from.map((one) => `'${one}'`).join(', ')}]`]]);
    },
    biasOf: (node) => {
      const bias = biasIn(node, names);
      return bias !== undefined && kinds.get(bias) === 'PARAMETER' ? bias : undefined;
    },
    ownerOf: (node, at) => {
      const read = readBy(node);
      const places = node.inputs.flatMap((name, i) => (stored.has(name) ? [i] : []));
      // If a call is exported as a product and a sum, the sum adds the call's last argument.
      if (places.length === read.length) return read[places.indexOf(at)];
      return places.length > 1 ? undefined : node.op === 'Add' ? read.at(-1) : read[0];
    },
  };
}

/** Names of the arguments of the PyTorch call that a node is part of. */
function argsOf({ metadata }: OnnxNode): string[] {
  const call = metadata?.get(CALL) ?? '';
  return [...call.slice(call.indexOf('args =')).matchAll(/%(\w+)/g)].map(([, one]) => one!);
}

/** Name of the bias in a layer's call: behind input and weight, which the model may compute, or before them. */
function biasIn(node: OnnxNode, placeholders: ReadonlyMap<string, string>): string | undefined {
  const at = BIAS_FIRST.test(node.metadata?.get(CALL) ?? '') ? 0 : 2;
  return placeholders.get(argsOf(node)[at] ?? '');
}

/**
 * Parameters noted by PyTorch's newer exporter that no stored tensor is or derives from and no node's call reads. The exporter merges layers with
 * equal weights, and a model may have replaced a parameter by a number.
 */
export function lostParameters(graph: OnnxGraph): string[] {
  const { kinds, placeholders } = notedParameters(graph) ?? {};
  if (kinds === undefined || placeholders === undefined) return [];
  const found = new Set([
    ...graph.initializers.map(({ name }) => name),
    ...graph.valueInfos.flatMap(foldedFrom),
    ...graph.nodes.flatMap((node) => {
      const left = isWithoutBias(node) && !node.inputs[2] ? biasIn(node, placeholders) : undefined;
      return argsOf(node)
        .flatMap((one) => placeholders.get(one) ?? [])
        .filter((one) => one !== left);
    }),
  ]);
  return [...kinds].flatMap(([name, kind]) => (kind === 'PARAMETER' && !found.has(name) ? [name] : []));
}

/** True for a layer whose zero bias the exporter removed. */
export function isWithoutBias({ metadata }: OnnxNode): boolean {
  return metadata?.get(RULE)?.includes(WITHOUT_BIAS) === true;
}
