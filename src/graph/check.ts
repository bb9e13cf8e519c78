import type { AttrKind, OpSpec } from './ops/spec.ts';
import { opSpec } from './ops.ts';
import { sameShape } from './shapes.ts';
import type { AttrValue, Graph, Node, TensorType } from './types.ts';

/** Throws for an inconsistent graph: an unbound or twice bound name, a wrong attribute, a wrong type. */
export function checkGraph(graph: Graph): void {
  const bound = new Map<string, TensorType>();
  const bind = (name: string, type: TensorType): void => {
    if (bound.has(name)) throw new Error(`value ${name} is bound twice`);
    const recorded = graph.types.get(name);
    if (recorded === undefined || !sameType(recorded, type))
      throw new Error(`value ${name}: recorded type ${shown(recorded)}, expected ${shown(type)}`);
    bound.set(name, type);
  };
  for (const [name, type] of graph.inputs) bind(name, type);
  for (const [name, type] of graph.state) bind(name, type);
  for (const [name, constant] of graph.constants) bind(name, constant.type);
  for (const node of graph.nodes) checkNode(node, bound, bind);
  for (const [name, value] of graph.outputs) {
    if (!bound.has(value)) throw new Error(`output ${name}: value ${value} is not bound`);
  }
  for (const [name, value] of graph.updates) {
    const [from, to] = [graph.state.get(name), bound.get(value)];
    if (from === undefined) throw new Error(`update of ${name}, which is no state`);
    if (to === undefined || !sameType(from, to))
      throw new Error(`update of ${name}: state is ${shown(from)}, new value is ${shown(to)}`);
  }
}

function checkNode(
  node: Node,
  bound: ReadonlyMap<string, TensorType>,
  bind: (name: string, type: TensorType) => void,
): void {
  const spec = opSpec(node.op);
  const where = `${node.op} (${node.outputs.join(', ')})`;
  checkArity(node, spec, where);
  const inputs = node.inputs.map((name) => {
    if (name === '') return { dtype: 'float32', shape: [] } as const;
    const type = bound.get(name);
    if (type === undefined) throw new Error(`${where}: input ${name} is not bound before it is used`);
    return type;
  });
  for (const [name, kind] of Object.entries(spec.attrs)) {
    const value = node.attrs[name];
    if (value === undefined || !hasKind(value, kind))
      throw new Error(`${where}: attribute ${name} must be ${kind}, received ${JSON.stringify(value)}`);
  }
  for (const name of Object.keys(node.attrs)) {
    if (!Object.hasOwn(spec.attrs, name)) throw new Error(`${where}: there is no attribute ${name}`);
  }
  const types = spec.infer(inputs, node.attrs);
  if (types.length !== node.outputs.length) throw new Error(`${where}: ${types.length} outputs expected`);
  types.forEach((type, i) => bind(node.outputs[i]!, type));
}

function checkArity(node: Node, spec: OpSpec, where: string): void {
  const variadic = spec.inputs.at(-1)?.endsWith('*') === true;
  const fits = variadic ? node.inputs.length >= spec.inputs.length : node.inputs.length === spec.inputs.length;
  if (!fits) throw new Error(`${where}: takes ${spec.inputs.join(', ')}, received ${node.inputs.length} inputs`);
  node.inputs.forEach((name, i) => {
    if (name === '' && spec.inputs[i]?.endsWith('?') !== true)
      throw new Error(`${where}: input ${spec.inputs[i]} is missing`);
  });
}

function hasKind(value: AttrValue, kind: AttrKind): boolean {
  switch (kind) {
    case 'int':
      return Number.isInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'string':
    case 'dtype':
      return typeof value === 'string';
    case 'ints':
      return Array.isArray(value) && value.every((item) => Number.isInteger(item));
    case 'shape':
      return (
        Array.isArray(value) && value.every((item) => Number.isInteger(item) || /^(\d+\*)?batch$/.test(String(item)))
      );
  }
}

function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

function shown(type: TensorType | undefined): string {
  return type === undefined ? 'none' : `${type.dtype}[${type.shape.join(', ')}]`;
}
