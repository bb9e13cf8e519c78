import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../src/base/bytes.ts';
import { RandomStream } from '../../src/base/random.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { limbeck, ROOT, start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
/** `npm run test:kill -- --kills 50` asks for more, and `.ci/run` for 8. */
const KILLS = Number(process.env['LIMBECK_KILLS'] ?? 2);

/**
 * All stages, dropout, augmentation with stored views, a moving average, a last smaller batch, pruning in rounds and with
 * masks, quantization with adaptive rounding, training with quantization: all that a resume can lose.
 */
const ARGS = ['run', path.join(ROOT, 'test/pipeline/kill.yaml'), '--save-every=0.02', '--json'];

describe('a run that is killed again and again', () => {
  it(
    `ends with the bits of one that was left alone (${KILLS} kills)`,
    async () => {
      const began = performance.now();
      expect(await limbeck(folder(), ...ARGS, '--out', 'alone')).toMatchObject({ code: 0 });
      const duration = performance.now() - began;
      const expected = await results(path.join(folder(), 'alone/kill'));

      const random = new RandomStream('kill');
      let kills = 0;
      for (let run = 0; kills < KILLS; run++) {
        const out = `killed-${run}`;
        for (;;) {
          const { child, finished } = start(folder(), [...ARGS, '--out', out]);
          // Most of a start goes into loading; a kill is to hit the work too.
          const delay = duration * (0.1 + 0.5 * random.uniform());
          const timer = kills < KILLS ? setTimeout(() => child.kill('SIGKILL'), delay) : undefined;
          const { code, signal, stderr } = await finished;
          clearTimeout(timer);
          if (signal === 'SIGKILL') {
            kills++;
            continue;
          }
          expect([code, stderr.includes('warning')]).toEqual([0, false]);
          break;
        }
        expect(await results(path.join(folder(), out, 'kill'))).toEqual(expected);
      }
    },
    600_000 + KILLS * 60_000,
  );
});

/** Everything that a run decides; not how long it took. */
async function results(run: string): Promise<Record<string, unknown>> {
  const bytes = async (name: string) => sha256(await readFile(path.join(run, name)));
  const report = JSON.parse(await readFile(path.join(run, 'report.json'), 'utf8'), (key, value: unknown) =>
    /seconds$/i.test(key) ? undefined : value,
  ) as unknown;
  const weights = await Promise.all(
    ['teach', 'scratch', 'distill', 'prune-1-round-1', 'prune-1', 'prune-2', 'adaround-1', 'qat-2'].map(
      async (stage) => {
        const { generation, file } = await newest(path.join(run, 'state'), stage);
        expect(generation).toBeGreaterThan(0);
        return [stage, [...readSafetensors(await readFile(file), file).tensors]];
      },
    ),
  );
  const names = (await readdir(path.join(run, 'exports'))).sort();
  expect(names).toEqual(
    expect.arrayContaining(['distilled.onnx', 'pruned-2.onnx', 'pruned-2-int8.onnx', 'pruned-2-int8-qat.onnx']),
  );
  const files = ['teacher.onnx', ...names.map((name) => `exports/${name}`)];
  const exported = await Promise.all(files.map(async (name) => [name, await bytes(name)]));
  return { report, weights, exported };
}

async function newest(state: string, stage: string): Promise<{ generation: number; file: string }> {
  const generations = (await readdir(state))
    .filter((name) => name.replace(/-\d+\.safetensors$/, '') === stage && name.endsWith('.safetensors'))
    .map((name) => Number(/-(\d+)\./.exec(name)![1]));
  const generation = Math.max(...generations);
  return { generation, file: path.join(state, `${stage}-${String(generation).padStart(6, '0')}.safetensors`) };
}
