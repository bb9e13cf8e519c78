import type { AttrValue, Graph, Node, TensorType } from './types.ts';

/**
 * A graph as stable text, one line a value:
 *
 *     input  x: float32[batch, 28, 28, 1]
 *     const  conv/kernel: float32[3, 3, 1, 8]
 *     Conv2D_1: float32[batch, 28, 28, 8] = Conv2D(x, conv/kernel) {strides: [1, 1], ...}   # conv
 *     output logits = Add_3
 *     update step = Add_9
 */
export function printGraph(graph: Graph): string {
  const type = (name: string): string => printType(graph.types.get(name)!);
  return [
    ...[...graph.inputs.keys()].map((name) => `input  ${name}: ${type(name)}`),
    ...[...graph.state.keys()].map((name) => `state  ${name}: ${type(name)}`),
    ...[...graph.constants].map(
      ([name, { data }]) => `const  ${name}: ${type(name)}${data.length === 1 ? ` = ${String(data[0])}` : ''}`,
    ),
    ...graph.nodes.map((node) => printNode(node, type)),
    ...[...graph.outputs].map(([name, value]) => `output ${name} = ${value}`),
    ...[...graph.updates].map(([name, value]) => `update ${name} = ${value}`),
  ].join('\n');
}

export function printType({ dtype, shape }: TensorType): string {
  return `${dtype}[${shape.join(', ')}]`;
}

function printNode(node: Node, type: (name: string) => string): string {
  const outputs = node.outputs.map((name) => `${name}: ${type(name)}`).join(', ');
  const attrs = Object.entries(node.attrs).map(([key, value]) => `${key}: ${printAttr(value)}`);
  const suffix = attrs.length === 0 ? '' : ` {${attrs.join(', ')}}`;
  return `${outputs} = ${node.op}(${node.inputs.map((name) => name || '-').join(', ')})${suffix}${node.layer === undefined ? '' : `   # ${node.layer}`}`;
}

function printAttr(value: AttrValue): string {
  return typeof value === 'object' ? `[${value.join(', ')}]` : String(value);
}
