import { readEntries } from '../../../../src/formats/tflite/metadata/entries.ts';
import { exportTflite } from '../../../../src/formats/tflite/export.ts';
import type { ModelDescription } from '../../../../src/formats/tflite/metadata/metadata.ts';
import { readTflite } from '../../../../src/formats/tflite/read.ts';
import { GraphBuilder } from '../../../../src/graph/builder.ts';

function entriesOf(description?: ModelDescription): Record<string, string> {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 4, 4, 3] });
  b.output('y', b.op('Relu', [x]));
  const { bytes } = exportTflite(b.build(), description && { description });
  return Object.fromEntries(readEntries(readTflite(bytes), bytes));
}

const image = { colorSpace: 'rgb', mean: [127.5], std: [64, 32, 16] } as const;

it('a file has its labels and the normalization of its pixels under the names that ONNX files have', () => {
  expect(entriesOf({ name: 'm', labels: ['cat', 'dog'], inputs: { x: { image } } })).toEqual({
    labels: '["cat","dog"]',
    preprocessing: '{"shape":[4,4,3],"scale":1,"mean":[127.5],"std":[64,32,16]}',
  });
});

it('what we keep ourselves comes back, and goes before the standard metadata', () => {
  const entries = new Map([['preprocessing', '{"own":1}'], ['check', 'é']]); // prettier-ignore
  expect(entriesOf({ name: 'm', inputs: { x: { image } }, entries })).toEqual(Object.fromEntries(entries));
});

it('a file without metadata has none', () => {
  expect(entriesOf()).toEqual({});
});
