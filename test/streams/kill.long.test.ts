import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import { start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { walksRecipe } from './walks.ts';

const folder = temporaryFolder();

it('a run that is killed while it writes streams ends with the files of a run that was left alone', async () => {
  const recipe = path.join(folder(), 'walks.yaml');
  writeFileSync(recipe, JSON.stringify(await walksRecipe(folder())));
  const args = ['run', recipe, '--save-every=0.02', '--out'];
  const files = (out: string) => {
    const place = path.join(folder(), out, 'walks/exports');
    return readdirSync(place).map((name) => [name, sha256(bytesOf(readFileSync(path.join(place, name))))]);
  };
  expect((await start(folder(), [...args, 'alone']).finished).code).toBe(0);
  let kills = 0;
  for (const stream of ['scratch-stream.onnx', 'scratch-stream.tflite', 'scratch-int8-stream.tflite']) {
    const { child, finished } = start(folder(), [...args, 'killed']);
    for (const output of [child.stdout, child.stderr])
      output.on('data', (text: Buffer) => {
        if (text.toString().includes(stream)) child.kill('SIGKILL');
      });
    kills += (await finished).signal === 'SIGKILL' ? 1 : 0;
  }
  expect((await start(folder(), [...args, 'killed']).finished).code).toBe(0);
  expect(kills).toBeGreaterThan(0);
  expect(files('killed')).toEqual(files('alone'));
}, 300_000);
