// Needs the feature serve.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { convertFile } from '../../src/ship/convert.ts';
import { serving } from '../serve/server.ts';
import { useCpu } from '../support/cpu.ts';
import { withSource } from '../support/stream-files.ts';
import { streamNet } from '../support/streams.ts';

beforeAll(useCpu);

it('is refused by the server, which would feed it whole samples', () =>
  withSource(streamNet('strides'), async ({ folder, from }) => {
    const out = path.join(folder, 's.onnx');
    await convertFile({ from, out, stream: true });
    await expect(serving({ 's.onnx': readFileSync(out) })).rejects.toThrow('s.onnx: is a stream, which takes a hop');
  }));
