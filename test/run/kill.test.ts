import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import { RandomStream } from '../../src/base/random.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { limbeck, ROOT, start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { sentences } from '../support/sentences.ts';
import { asJsonl, taggedSentences } from '../support/tags.ts';
import { tones } from '../support/tones.ts';

const folder = temporaryFolder();
/** `npm run test:kill -- --kills 50` asks for more, and `.ci/run` for 8. */
const KILLS = Number(process.env['LIMBECK_KILLS'] ?? 2);

const file = (name: string): string => path.join(ROOT, `test/run/${name}.yaml`);

interface Recipe {
  readonly name: string;
  readonly kills: number;
  /** Gives the recipe's path. */
  readonly prepare: (folder: string) => Promise<string>;
  /** Stages whose weights count. */
  readonly stages: readonly string[];
  /** Files that must be among those that count. */
  readonly files: readonly string[];
}

const RECIPES: readonly Recipe[] = [
  {
    /**
     * All stages, dropout, augmentation with stored views, a moving average, a last smaller batch, pruning in rounds and with
     * masks, quantization with adaptive rounding, training with quantization: all that a resume can lose.
     */
    name: 'kill',
    kills: KILLS,
    prepare: () => Promise.resolve(file('kill')),
    stages: ['teach', 'scratch', 'distill', 'prune-1-round-1', 'prune-1', 'prune-2', 'adaround-1', 'qat-2'],
    files: [
      'teacher.onnx',
      'exports/distilled.onnx',
      'exports/pruned-2.onnx',
      'exports/pruned-2-int8.onnx',
      'exports/pruned-2-int8-qat.onnx',
    ],
  },
  {
    /** Words that repeat, on two threads: their vectors get sums of many gradients. */
    name: 'kill-text',
    kills: Math.ceil(KILLS / 2),
    prepare: async (to) => {
      await copyFile(file('kill-text'), path.join(to, 'kill-text.yaml'));
      await writeFile(path.join(to, 'text.csv'), sentences(400, 64, 500));
      return path.join(to, 'kill-text.yaml');
    },
    stages: ['scratch'],
    files: ['exports/scratch.onnx'],
  },
  ...(process.env['LIMBECK_KILLS'] === undefined
    ? []
    : [
        {
          /** A loss with a state and random masks, the teacher asked at every step, all augmentation that is drawn: `npm test` has no time for it. */
          name: 'kill-features',
          kills: Math.ceil(KILLS / 2),
          prepare: () => Promise.resolve(file('kill-features')),
          stages: ['teach', 'scratch', 'distill'],
          files: ['exports/distilled.onnx'],
        },
        {
          /** A loss that remembers every sample, a chain of assistants, numbers that change. */
          name: 'kill-memory',
          kills: Math.ceil(KILLS / 2),
          prepare: () => Promise.resolve(file('kill-memory')),
          stages: ['teach', 'assist-1', 'distill'],
          files: ['exports/distilled.onnx'],
        },
        {
          /** Two students that teach each other. */
          name: 'kill-mutual',
          kills: Math.ceil(KILLS / 2),
          prepare: () => Promise.resolve(file('kill-mutual')),
          stages: ['distill'],
          files: ['exports/distilled.onnx'],
        },
        {
          /** A tag for each word: weights of samples, a score of entities, answers [tokens, tags]. */
          name: 'kill-tags',
          kills: Math.ceil(KILLS / 2),
          prepare: async (to: string) => {
            await copyFile(file('kill-tags'), path.join(to, 'kill-tags.yaml'));
            await writeFile(path.join(to, 'tags.jsonl'), asJsonl(taggedSentences(600, 'kill')));
            return path.join(to, 'kill-tags.yaml');
          },
          stages: ['teach', 'scratch', 'distill'],
          files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx'],
        },
        {
          /** Sounds of which few have a label: masks of the spectrum, noise of a folder, answers that are too unsure. */
          name: 'kill-sound',
          kills: Math.ceil(KILLS / 2),
          prepare: async (to: string) => {
            await copyFile(file('kill-sound'), path.join(to, 'kill-sound.yaml'));
            tones(to);
            return path.join(to, 'kill-sound.yaml');
          },
          stages: ['teach', 'scratch', 'distill'],
          files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx', 'exports/distilled-int8.tflite'],
        },
      ]),
];

describe('a run that is killed again and again', () => {
  it.each(RECIPES.map((recipe) => [recipe.name, recipe.kills, recipe] as const))(
    `%s ends with the bits of one that was left alone (%i kills)`,
    async (name, most, recipe) => {
      const args = ['run', await recipe.prepare(folder()), '--save-every=0.02', '--json'];
      const began = performance.now();
      expect(await limbeck(folder(), ...args, '--out', 'alone')).toMatchObject({ code: 0 });
      const duration = performance.now() - began;
      const expected = await results(path.join(folder(), 'alone', name), recipe);

      const random = new RandomStream(name);
      let kills = 0;
      for (let run = 0; kills < most; run++) {
        const out = `killed-${run}`;
        for (;;) {
          const { child, finished } = start(folder(), [...args, '--out', out]);
          // Most of a start goes into loading; a kill is to hit the work too.
          const delay = duration * (0.1 + 0.5 * random.uniform());
          const timer = kills < most ? setTimeout(() => child.kill('SIGKILL'), delay) : undefined;
          const { code, signal, stderr } = await finished;
          clearTimeout(timer);
          if (signal === 'SIGKILL') {
            kills++;
            continue;
          }
          expect([code, stderr.includes('warning')]).toEqual([0, false]);
          break;
        }
        expect(await results(path.join(folder(), out, name), recipe)).toEqual(expected);
      }
    },
    600_000 + KILLS * 60_000,
  );
});

/** Everything that a run decides; not how long it took. */
async function results(run: string, { stages, files }: Recipe): Promise<Record<string, unknown>> {
  const bytes = async (name: string) => sha256(await readFile(path.join(run, name)));
  const report = JSON.parse(await readFile(path.join(run, 'report.json'), 'utf8'), (key, value: unknown) =>
    /seconds$/i.test(key) ? undefined : value,
  ) as unknown;
  const weights = await Promise.all(
    stages.map(async (stage) => {
      const { generation, file: state } = await newest(path.join(run, 'state'), stage);
      expect(generation).toBeGreaterThan(0);
      const { tensors } = readSafetensors(await readFile(state), state);
      return [stage, [...tensors].map(([name, { data }]) => [name, sha256(bytesOf(data))])];
    }),
  );
  const names = (await readdir(path.join(run, 'exports'))).map((name) => `exports/${name}`);
  const counting = [...new Set([...files, ...names])].sort();
  const exported = await Promise.all(counting.map(async (name) => [name, await bytes(name)]));
  return { report, weights, exported };
}

async function newest(state: string, stage: string): Promise<{ generation: number; file: string }> {
  const generations = (await readdir(state))
    .filter((name) => name.replace(/-\d+\.safetensors$/, '') === stage && name.endsWith('.safetensors'))
    .map((name) => Number(/-(\d+)\./.exec(name)![1]));
  const generation = Math.max(...generations);
  return { generation, file: path.join(state, `${stage}-${String(generation).padStart(6, '0')}.safetensors`) };
}
