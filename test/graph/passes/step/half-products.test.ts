import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { halfProducts } from '../../../../src/graph/passes/step/half-products.ts';

const float = (...shape: number[]) => ({ dtype: 'float32' as const, shape });
const plain = { transposeA: false, transposeB: false };

it('rounds each operand of a product once, and gives float32 back', () => {
  const b = new GraphBuilder();
  const [x, w] = [b.input('x', float(4, 4)), b.state('w', float(4, 4))];
  const first = b.op('BatchMatMul', [x, w], plain);
  const second = b.op('BatchMatMul', [b.op('Relu', [first]), w], plain);
  b.output('y', second);
  b.update('w', b.op('Add', [w, second]));
  const graph = halfProducts(b.build());
  const casts = graph.nodes.filter(({ op }) => op === 'Cast');
  // x, w and the relu to float16; both products to float32.
  expect(casts.map(({ attrs }) => attrs.dtype)).toEqual(['float16', 'float16', 'float32', 'float16', 'float32']);
  const typesInto = (op: string) =>
    new Set(
      graph.nodes
        .filter((node) => node.op === op)
        .flatMap(({ inputs }) => inputs.map((name) => graph.types.get(name)!.dtype)),
    );
  expect(typesInto('BatchMatMul')).toEqual(new Set(['float16']));
  expect(typesInto('Relu')).toEqual(new Set(['float32']));
  expect(graph.types.get(graph.updates.get('w')!)).toEqual(float(4, 4));
});

it('leaves products of other types alone', () => {
  const b = new GraphBuilder();
  const half = { dtype: 'float16' as const, shape: [2, 2] };
  b.output('y', b.op('BatchMatMul', [b.input('a', half), b.input('b', half)], plain));
  expect(halfProducts(b.build()).nodes.map(({ op }) => op)).toEqual(['BatchMatMul']);
});
