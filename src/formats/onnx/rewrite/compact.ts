import type { Model, OnnxAttr, OnnxNode } from '../model.ts';

/**
 * The model in fewer bytes, for files with so few weights that names matter: inner tensors are numbered (inputs, outputs and nodes keep their names),
 * and attributes with default values are omitted.
 */
export function compact(model: Model): Model {
  const { graph } = model;
  const ends = [...graph.inputs, ...graph.outputs].map(({ name }) => name);
  const names = new Map(ends.map((name) => [name, name]));
  const reserved = new Set(ends);
  let count = 0;
  const short = (name: string): string => {
    if (name === '') return name;
    let found = names.get(name);
    while (found === undefined) {
      const candidate = (count++).toString(36);
      if (!reserved.has(candidate)) found = candidate;
    }
    names.set(name, found);
    return found;
  };
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(short),
    outputs: node.outputs.map(short),
    attrs: new Map([...node.attrs].filter(([name, attr]) => !isDefault(node, name, attr))),
  }));
  const initializers = graph.initializers.map((t) => ({ ...t, name: short(t.name) }));
  return { ...model, graph: { ...graph, nodes, initializers } };
}

/** True if an attribute of a convolution or product has its default value. */
function isDefault({ op }: OnnxNode, name: string, attr: OnnxAttr): boolean {
  const all = (value: number): boolean => attr.type === 'ints' && attr.value.every((one) => one === value);
  if (op === 'Conv' && (name === 'strides' || name === 'dilations')) return all(1);
  if (op === 'Conv' && name === 'pads') return all(0);
  if (op === 'Conv' && name === 'group') return attr.value === 1;
  return op === 'Gemm' && (name === 'transA' || name === 'transB') && attr.value === 0;
}
