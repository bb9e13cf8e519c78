import type { OnnxGraph } from '../formats/onnx/model.ts';

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
export function untrainedIn({ valueInfos, nodes }: OnnxGraph): ReadonlySet<string> {
  const statistics = new Set(
    nodes.flatMap(({ op, inputs }) => (op === 'BatchNormalization' ? inputs.slice(3, 5) : [])),
  );
  const untrained = valueInfos.filter(({ name, metadata }) => {
    const kind = metadata?.get(KIND);
    if (kind !== undefined) return kind !== 'PARAMETER' && !statistics.has(name);
    const from = [...(metadata?.get(FOLDED) ?? '').matchAll(/'([^']*)'/g)].map(([, one]) => one!);
    return from.length > 0 && from.every((one) => IS_MADE.test(one));
  });
  return new Set(untrained.map(({ name }) => name));
}
