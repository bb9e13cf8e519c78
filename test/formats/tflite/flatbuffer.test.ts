import { readFlatbuffer } from '../../../src/formats/tflite/flatbuffer/read.ts';
import { writeFlatbuffer } from '../../../src/formats/tflite/flatbuffer/write.ts';
import type { Fields, Schema } from '../../../src/formats/tflite/schema/notation.ts';

const schema: Schema = {
  root: 'Root',
  identifier: 'TEST',
  tables: {
    Root: 'items:[Item] names:[string] more:[Item]',
    Item: 'label:string at:[f32] long:[i64] count:i32=1 kind:<Kind>',
    Empty: '',
    Full: 'size:i32',
  },
  unions: { Kind: ['Empty', 'Full'] },
};

const item: Fields = { label: 'first', at: [1, 0.5], long: [7n], count: 3, kind: { type$: 'Full', size: 2 } };
const written = (root: Fields): Uint8Array => writeFlatbuffer(schema, root);
const many = (count: number): Fields[] => Array.from({ length: count }, () => ({ ...item }));

it('equal tables, vectors and texts are stored once', () => {
  const one = written({ items: many(1) }).length;
  expect(written({ items: many(101) })).toHaveLength(one + 4 * 100);
  // The vector of the items itself too: its place in the root is all that is added.
  expect(written({ items: many(101), more: many(101) }).length - written({ items: many(101) }).length).toBeLessThan(24);
  const bytes = Buffer.from(written({ items: [item, { ...item, count: 4 }], names: ['first', 'first'] }));
  expect(bytes.toString('latin1').split('first')).toHaveLength(2);
});

it('what differs in one part is not taken for the same', () => {
  const items: Fields[] = [
    item,
    { ...item, label: 'second' },
    { ...item, at: [1, 0.25] },
    { ...item, at: [1] },
    { ...item, at: [0] },
    { ...item, at: [-0] },
    { ...item, long: [8n] },
    { ...item, count: 1 },
    { ...item, kind: { type$: 'Full', size: 0 } },
    { ...item, kind: { type$: 'Empty' } },
  ];
  expect(readFlatbuffer(schema, written({ items, names: ['', 'first'] }))).toEqual({ items, names: ['', 'first'] });
  // Vectors of the same length.
  const pairs = { items: items.slice(0, 2), more: items.slice(1, 3), names: ['a', 'b'] };
  expect(readFlatbuffer(schema, written(pairs))).toEqual(pairs);
  const sizes = items.map((_, i) => written({ items: items.slice(0, i + 1) }).length);
  expect(sizes.slice(1).every((size, i) => size > sizes[i]! + 4)).toBe(true);
});
