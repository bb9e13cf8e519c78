import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseWav } from '../../src/data/sounds/wav.ts';
import { loadDataset } from '../../src/data/load.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { wavFile } from '../support/sound.ts';

const folder = temporaryFolder();

const WORDS = ['yes', 'no', 'up', 'down', 'left', 'right', 'on', 'off', 'stop', 'go'];
const CLASSES = [...WORDS, '_silence_', '_unknown_'].sort();
const [EACH, VALIDATED, TESTED] = [8, 2, 3];

/** The layout of speech_commands_v0.02.tar.gz: 8 files of each word, of which two are in the one list and three in the other. */
function imitation(): string {
  const root = path.join(folder(), 'speech-commands');
  const lists: Record<string, string[]> = { validation: [], testing: [] };
  for (const word of [...WORDS, 'bed', 'cat', 'visual']) {
    mkdirSync(path.join(root, word), { recursive: true });
    for (let i = 0; i < EACH; i++) {
      const name = `${word}/${i}_nohash_0.wav`;
      writeFileSync(path.join(root, name), wavFile([0.5, i / 10]));
      if (i < VALIDATED) lists['validation']!.push(name);
      else if (i < VALIDATED + TESTED) lists['testing']!.push(name);
    }
  }
  mkdirSync(path.join(root, '_background_noise_'));
  for (const [name, level] of Object.entries({ running_tap: -0.5, white_noise: 0.5, pink_noise: 0.5 }))
    writeFileSync(path.join(root, `_background_noise_/${name}.wav`), wavFile(new Array<number>(40_000).fill(level)));
  writeFileSync(path.join(root, '_background_noise_/README.md'), 'noise');
  for (const [name, files] of Object.entries(lists))
    writeFileSync(path.join(root, `${name}_list.txt`), `${files.join('\n')}\n`);
  writeFileSync(path.join(root, 'LICENSE'), 'CC BY 4.0');
  return root;
}

const sort = (...args: string[]): string =>
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/speech-commands.mjs'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

it("Google's Speech Commands are sorted into twelve classes by its lists", async () => {
  const root = imitation();
  expect(sort('--from', root)).toBe(`${root}-12: train 36, validation 24, test 36\n`);
  const at = (split: string): string => path.join(`${root}-12`, split);
  const config = { type: 'audio-folder', train: at('train'), rate: 16_000, seconds: 1 } as const;
  const { train, validation, test } = await loadDataset({ ...config, validation: at('validation'), test: at('test') });
  for (const [split, data, each] of [
    ['train', train, EACH - VALIDATED - TESTED],
    ['validation', validation, VALIDATED],
    ['test', test!, TESTED],
  ] as const) {
    expect(data.classNames).toEqual(CLASSES);
    expect(CLASSES.map((name) => readdirSync(path.join(at(split), name)).length)).toEqual(CLASSES.map(() => each));
    const from = (name: string): string[] =>
      readdirSync(path.join(at(split), name)).map((file) => realpathSync(path.join(at(split), name, file)));
    // No file is in another split than its list says.
    const [first, last] = { train: [5, 7], validation: [0, 1], test: [2, 4] }[split];
    for (const file of [...from('yes'), ...from('_unknown_')]) {
      const number = Number(path.basename(file).split('_')[0]);
      expect(number).toBeGreaterThanOrEqual(first!);
      expect(number).toBeLessThanOrEqual(last!);
    }
    expect(from('yes').every((file) => file.startsWith(path.join(root, 'yes')))).toBe(true);
    expect(from('_unknown_').every((file) => /\/(bed|cat|visual)\//.test(file))).toBe(true);
    for (const file of from('_silence_')) {
      const { values } = parseWav(readFileSync(file), file);
      expect(values).toHaveLength(16_000);
      expect(values[0]! < 0).toBe(split !== 'train');
    }
  }
});

it("Google's own test set is taken where it is there, and what is missing is named", () => {
  const root = imitation();
  for (const name of CLASSES) {
    mkdirSync(path.join(`${root}-test`, name), { recursive: true });
    writeFileSync(path.join(`${root}-test`, name, 'official.wav'), wavFile([0.5]));
  }
  expect(sort('--from', root, '--out', path.join(folder(), 'twelve'))).toMatch(/train 36, validation 24, test 12\n$/);
  expect(readdirSync(path.join(folder(), 'twelve/test/_unknown_'))).toEqual(['official.wav']);
  expect(() => sort('--from', folder())).toThrow(`${folder()} has no validation_list.txt: unpack`);
});
