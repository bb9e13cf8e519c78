import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { convertFile } from '../../../src/ship/convert.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { numbers } from '../../support/graphs.ts';

const folder = temporaryFolder();
const place = (name: string): string => path.join(folder(), name);

it('compares a large file from the disk, and leaves nothing else there', async () => {
  const weights = numbers(16 * 2 ** 20, 'large');
  const w = { name: 'w', dtype: 'float32', dims: [4096, 4096], raw: new Uint8Array(weights.buffer) } as const;
  const ends = (name: string) => [{ name, dtype: 'float32', dims: ['n', 4096] }] as const;
  const model = {
    ...{
      irVersion: 8,
      producerName: '',
      producerVersion: '',
      opsets: new Map([['', 17]]),
      metadata: new Map(),
      functions: [],
    },
    graph: {
      ...{ name: 'g', inputs: ends('x'), outputs: ends('y'), initializers: [w], valueInfos: [] },
      nodes: [{ name: 'n', op: 'MatMul', domain: '', inputs: ['x', 'w'], outputs: ['y'], attrs: new Map() }],
    },
  };
  await writeFile(place('large.onnx'), encodeModel(model));
  const converted = await convertFile({ from: place('large.onnx'), out: place('copy.onnx') });
  expect(converted).toMatchObject({ largestError: 0, isMadeUp: true, warnings: [] });
  expect((await readdir(folder())).sort()).toEqual(['copy.onnx', 'large.onnx']);
  expect((await readFile(place('copy.onnx'))).length).toBe(converted.bytes);
});
