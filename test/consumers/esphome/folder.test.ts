// Needs the features esphome, micro-features, streams and tflite.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { arenaOf } from '../../../src/consumers/esphome/arena.ts';
import { writeEsphomeFolder } from '../../../src/consumers/esphome/folder.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { endsOfFile } from '../../../src/runtime/litert.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { wakeWord } from '../../support/wake-word.ts';

const folder = temporaryFolder();
const made = async (change: object, sounds: string): Promise<string> => {
  const recipe = wakeWord(sounds, change);
  return (await runRecipe(makeRecipe(recipe, folder()), { out: folder() })).folder;
};

it('writes model, manifest, scores and README of a run for ESPHome, and refuses what a device cannot run', async () => {
  const sounds = path.join(folder(), 'sounds');
  const recordings = path.join(sounds, 'recordings');
  const run = await made({}, sounds);
  const out = path.join(folder(), 'out');
  const { files, notes } = await writeEsphomeFolder(run, out, {
    model: 'scratch',
    recordings,
    phrase: 'Hey You',
    language: ['en'],
  });
  expect(files).toEqual(['README.md', 'alarms.json', 'hey_you.json', 'hey_you.tflite']);
  const bytes = readFileSync(path.join(out, 'hey_you.tflite'));
  expect(endsOfFile(bytes)).toMatchObject({
    inputs: [{ dtype: 'int8', shape: [1, 3, 40] }],
    outputs: [{ dtype: 'uint8', shape: [1, 1] }],
  });
  const read = (name: string) => JSON.parse(readFileSync(path.join(out, name), 'utf8')) as Record<string, unknown>;
  expect(read('hey_you.json')).toEqual({
    type: 'micro',
    wake_word: 'Hey You',
    author: 'limbeck',
    model: 'hey_you.tflite',
    trained_languages: ['en'],
    version: 2,
    micro: {
      probability_cutoff: expect.any(Number) as number,
      feature_step_size: 10,
      sliding_window_size: expect.any(Number) as number,
      tensor_arena_size: arenaOf(readTflite(bytes)),
      minimum_esphome_version: '2024.7.0',
    },
  });
  const { test, validation } = read('alarms.json') as Record<'test' | 'validation', Record<string, number>>;
  expect(validation).toMatchObject({ clips: 10, falseAccepts: 0 });
  expect(test['recall']).toBeGreaterThan(0.5);
  expect(notes[0]).toContain(`${(100 * test['recall']!).toFixed(1)} % of 10 clips heard`);

  const refused = (options: object) =>
    writeEsphomeFolder(run, out, { model: 'scratch', recordings, force: true, ...options });
  await expect(refused({ recordings: undefined })).rejects.toMatchObject({
    message: 'export --esphome: expected recordings without the wake word, received none',
    hint: expect.stringContaining('--recordings FOLDER') as string,
  });
  await expect(refused({ word: 'wrod' })).rejects.toMatchObject({
    message: 'export --esphome: expected the class of the wake word, other or word, received wrod',
    hint: 'Add --word other, or --word word.',
  });
  await expect(refused({ falseAccepts: -1 })).rejects.toThrow('--false-accepts: expected 0 or more per hour');
  await expect(refused({ recordings: path.join(sounds, 'test/word') })).rejects.toThrow(
    '10 recordings of 10.0 s in all, expected two or more and at least a minute',
  );
  await expect(refused({ force: false })).rejects.toThrow(out);
  rmSync(path.join(sounds, 'test/word'), { recursive: true });
  await expect(refused({})).rejects.toThrow('test: no folder word with clips of the wake word');
});

it('refuses runs that are no wake word: a layer that looks ahead, three classes, normalized features, other samples', async () => {
  const sounds = path.join(folder(), 'refused');
  const refuses = async (change: object, message: string): Promise<void> => {
    const run = await made({ distill: { epochs: 1, batchSize: 40 }, ...change }, sounds);
    const recordings = path.join(sounds, 'recordings');
    await expect(
      writeEsphomeFolder(run, path.join(folder(), 'none'), { model: 'scratch', recordings }),
    ).rejects.toThrow(message);
  };
  const { dataset } = wakeWord(sounds);
  await refuses({ name: 'ahead', student: { model: 'cnn-1d', width: 0.25, depth: 2 } }, 'looks ahead');
  await refuses({ name: 'scaled', dataset: { ...dataset, normalize: 'standard' } }, 'normalizes them');
  await refuses(
    { name: 'part', dataset: { ...dataset, validation: 20, test: undefined, testFraction: 0.2 } },
    'folders of validation and test',
  );
  await refuses(
    { name: 'sound', dataset: { ...dataset, type: 'audio-folder' }, student: { model: 'ds-cnn' } },
    'expected a run on `type: micro-features`, received audio-folder',
  );
  for (const split of ['train', 'validation', 'test'])
    cpSync(path.join(sounds, split, 'word'), path.join(sounds, split, 'third'), { recursive: true });
  const run = await made({ name: 'three', distill: { epochs: 1, batchSize: 40 } }, sounds);
  await expect(
    writeEsphomeFolder(run, path.join(folder(), 'none'), {
      model: 'scratch',
      recordings: path.join(sounds, 'recordings'),
    }),
  ).rejects.toMatchObject({ message: expect.stringContaining('two classes') as string });
});
