import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readMessage } from '../../../src/formats/protobuf/message.ts';
import { savedModelParameters } from '../../../src/teachers/saved-model/parameters.ts';
import { file_saved_model, SavedModelSchema } from '../../../src/teachers/saved-model/saved_model_pb.ts';
import { fieldsIn, fieldsOf } from '../../support/proto-fields.ts';
import { writeSavedModel } from '../../support/saved-model.ts';
import { Writer } from '../../support/wire.ts';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'limbeck-'))));
afterAll(() => rm(folder, { recursive: true }));

const FLOAT = 1;
const variable = (name: string, shape: number[]) => ({ name, op: 'VarHandleOp', types: { dtype: FLOAT }, shape });

it('counts what a signature depends on: variables and constant matrices, each once', async () => {
  const nodes = [
    variable('kernel', [3, 3, 1, 16]),
    variable('bias', [16]),
    variable('adam/kernel', [3, 3, 1, 16]),
    { name: 'table', op: 'Const', value: { shape: [4, 5], data: new Float32Array(20) } },
    { name: 'sizes', op: 'Const', value: { shape: [2], data: new Int32Array(2) } },
    {
      name: 'call',
      op: 'StatefulPartitionedCall',
      inputs: ['x', 'kernel', 'bias', '^kernel', 'loop', 'table:0', 'sizes'],
    },
    { name: 'loop', op: 'Identity', inputs: ['call:1'] },
    { name: 'x', op: 'Placeholder', types: { dtype: FLOAT }, shape: [-1, 8] },
  ];
  const ends = (tensor: string) => ({ inputs: {}, outputs: { y: { tensor, shape: [-1, 3] } } });
  await writeSavedModel(folder, nodes, { serving_default: ends('call'), bias: ends('bias') });
  const bytes = new Uint8Array(await readFile(path.join(folder, 'saved_model.pb')));
  expect(savedModelParameters(bytes, 'serving_default')).toBe(144 + 16 + 20);
  expect(savedModelParameters(bytes, 'bias')).toBe(16);
  expect(savedModelParameters(bytes, 'none')).toBe(0);
  expect(() => savedModelParameters(bytes.subarray(0, 50), 'bias')).toThrow();
});

it('has the fields of saved_model.proto: `npm run protobuf` was run', () => {
  expect(fieldsOf(file_saved_model)).toEqual(fieldsIn('src/teachers/saved-model/saved_model.proto'));
});

it('refuses what is inside the entries of a map', () => {
  const entry = new Writer().message(2, (meta) =>
    meta.message(5, (map) => map.string(1, 'key').message(2, (s) => s.int(2, 1))),
  );
  expect(() => readMessage(SavedModelSchema, entry.finish())).toThrow('outputs has wire type 0 instead of 2');
});
