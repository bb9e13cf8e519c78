import type { Model, OnnxAttr, OnnxGraph, OnnxNode, OnnxTensor, ValueInfo } from './model.ts';

/**
 * An ONNX model as stable text in the manner of `printGraph`, one line a value:
 *
 *     opset  17
 *     input  x: float32[batch, 1, 28, 28]
 *     weight conv/kernel: float32[8, 1, 3, 3]
 *     conv_1 = Conv(x, conv/kernel) {pads: [1, 1, 1, 1]}   # conv/conv_1
 *     output logits: float32[batch, 10]
 */
export function printOnnx({ opsets, graph }: Model): string {
  const sets = Array.from(opsets, ([domain, version]) => `opset  ${domain === '' ? '' : `${domain} `}${version}`);
  return [...sets, ...graphLines(graph)].join('\n');
}

function graphLines({ nodes, initializers, inputs, outputs }: OnnxGraph): string[] {
  return [
    ...inputs.map((input) => `input  ${valueText(input)}`),
    ...initializers.map((tensor) => `weight ${tensor.name}: ${tensorText(tensor)}`),
    ...nodes.flatMap(nodeLines),
    ...outputs.map((output) => `output ${valueText(output)}`),
  ];
}

function valueText({ name, dtype, dims }: ValueInfo): string {
  return `${name}: ${dtype ?? '?'}[${dims === undefined ? '...' : dims.map((dim) => dim ?? '?').join(', ')}]`;
}

function tensorText({ dtype, dims }: OnnxTensor): string {
  return `${dtype}[${dims.join(', ')}]`;
}

/** Lines of a node; graphs inside an attribute follow, indented. */
function nodeLines({ op, domain, name, inputs, outputs, attrs }: OnnxNode): string[] {
  const written = Array.from(attrs, ([key, attr]) => `${key}: ${attrText(attr)}`);
  const suffix = written.length === 0 ? '' : ` {${written.join(', ')}}`;
  const read = inputs.map((input) => input || '-').join(', ');
  const what = domain === '' ? op : `${domain}.${op}`;
  const line = `${outputs.map((output) => output || '-').join(', ')} = ${what}(${read})${suffix}${name === '' ? '' : `   # ${name}`}`;
  const inner = Array.from(attrs, ([key, attr]) => innerLines(key, attr)).flat();
  return [line, ...inner.map((text) => `    ${text}`)];
}

function innerLines(key: string, attr: OnnxAttr): string[] {
  const graphs = attr.type === 'graph' ? [attr.value] : attr.type === 'graphs' ? attr.value : [];
  return graphs.flatMap((graph) => [`${key}:`, ...graphLines(graph).map((line) => `  ${line}`)]);
}

function attrText(attr: OnnxAttr): string {
  switch (attr.type) {
    case 'floats':
    case 'ints':
    case 'strings':
      return `[${attr.value.join(', ')}]`;
    case 'tensor':
      return tensorText(attr.value);
    case 'tensors':
      return `[${attr.value.map(tensorText).join(', ')}]`;
    case 'graph':
      return 'graph';
    case 'graphs':
      return `${attr.value.length} graphs`;
    case 'other':
      return 'as it was read';
    default:
      return String(attr.value);
  }
}
