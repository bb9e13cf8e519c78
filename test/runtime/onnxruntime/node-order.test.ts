import type { Model, OnnxNode } from '../../../src/formats/onnx/model.ts';
import { inOrder } from '../../../src/runtime/onnxruntime/node-order.ts';

const node = (name: string, ...inputs: string[]): OnnxNode => ({
  ...{ op: 'Add', domain: '', name, inputs, outputs: [name], attrs: new Map() },
});

/** As ONNX Runtime goes through them: from the last node that nobody reads, the last of what a node needs first. */
function computed(nodes: readonly OnnxNode[]): string[] {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const found = new Set<string>();
  const visit = (name: string): void => {
    const at = nodes.find((each) => each.name === name);
    if (at === undefined || found.has(name)) return;
    const place = (input: string): number => nodes.findIndex((each) => each.name === input);
    for (const input of [...at.inputs].sort((a, b) => place(b) - place(a))) visit(input);
    found.add(name);
  };
  for (const { name } of nodes.filter((each) => !read.has(each.name)).reverse()) visit(name);
  return [...found];
}

it.each([
  ['where updates come in the order of the layers', ['u1', 'u2', 'u3']],
  ['where they come in the order of the gradients', ['u3', 'u2', 'u1']],
])('gradients of weights are computed as soon as they can be, %s', (_, last) => {
  // Three layers forwards and back; the update of a layer needs what it was given and what came back.
  const nodes = [
    ...[node('f1', 'x'), node('f2', 'f1'), node('f3', 'f2')],
    ...[node('b3', 'f3'), node('b2', 'b3'), node('b1', 'b2')],
    ...last.map((name) => node(name, `f${name.slice(1)}`, `b${name.slice(1)}`)),
  ];
  const ordered = inOrder({ graph: { nodes, outputs: [] } } as unknown as Model).graph.nodes;
  expect(computed(ordered)).toEqual(['f1', 'f2', 'f3', 'b3', 'u3', 'b2', 'u2', 'b1', 'u1']);
  expect(ordered).toHaveLength(nodes.length);
});

it('a result of floats that ONNX Runtime might replace by another node is copied last, one of integers is left alone', () => {
  const reshape = (name: string): OnnxNode => ({ ...node(name, 'x'), op: 'Reshape' });
  const graph = {
    nodes: [reshape('floats'), reshape('integers')],
    outputs: [
      { name: 'floats', dtype: 'float32' },
      { name: 'integers', dtype: 'int32' },
    ],
  };
  const ordered = inOrder({ graph } as unknown as Model).graph.nodes;
  const told = ordered.map(({ op, inputs, outputs }) => [op, ...inputs, ...outputs].join(' '));
  expect(told).toEqual(['Reshape x floats/before', 'Sum floats/before floats', 'Reshape x integers']);
});

it('what needs more is computed first, also where that is hundreds of nodes that two ways lead to', () => {
  const names = Array.from({ length: 200 }, (_, i) => `f${i}`);
  const chain = names.map((name, i) => node(name, names[i - 1] ?? 'x', names[i - 2] ?? 'x'));
  const last = [3, 150, 31, 64, 199, 32, 63].map((at) => node(`u${at}`, `f${at}`));
  const nodes = [...chain, ...last];
  const ordered = inOrder({ graph: { nodes, outputs: [] } } as unknown as Model).graph.nodes;
  const ends = ordered.slice(chain.length).map(({ name }) => name);
  expect(ends).toEqual(['u199', 'u150', 'u64', 'u63', 'u32', 'u31', 'u3']);
});
