import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { WrittenFolder } from '../../commands/options/consumers.ts';
import { SOUNDS } from '../../data/readers/audio-folder.ts';
import { classFiles } from '../../data/readers/class-folder.ts';
import { statedIn } from '../../files/stated.ts';
import { storedRecipe } from '../../folder/folder.ts';
import { readTflite } from '../../formats/tflite/read.ts';
import { writeInto } from '../../ship/cluster/write.ts';
import { openSource } from '../../ship/convert/source.ts';
import { chosen, alarmCurve, detections, hoursOf, alarmScore, probabilityCutoff, upperBound } from './alarms.ts';
import type { Alarm, Heard, AlarmScore, Sounds } from './alarms.ts';
import { arenaOf, DEVICE_OPERATORS, MOST_ARENA, MOST_VARIABLES, operatorsOf } from './arena.ts';
import { Device, STEP_MS } from './device.ts';
import { wakeWordFile } from './file.ts';
import { hearClips, hearRecordings } from './listen.ts';
import { alarmsReadme } from './readme.ts';

export interface EsphomeOptions {
  readonly model?: string | undefined;
  readonly force?: boolean | undefined;
  readonly recordings?: string | undefined;
  readonly falseAccepts?: number | undefined;
  readonly word?: string | undefined;
  readonly phrase?: string | undefined;
  readonly language?: readonly string[] | undefined;
}

/** Oldest ESPHome that runs manifests of version 2. */
const MINIMUM_ESPHOME = '2024.7.0';

/** False accepts that are named. */
const NAMED = 5;

/**
 * Writes a wake word for ESPHome: the model, its manifest, `alarms.json` with the scores and README.md. Clips of the word in validation and every second
 * recording choose cutoff and window; the test split and the other recordings judge them. `UserError` for a run without two classes, without
 * `type: micro-features` and `normalize: none`, and without recordings.
 */
export async function writeEsphomeFolder(run: string, folder: string, options: EsphomeOptions): Promise<WrittenFolder> {
  const { recordings, falseAccepts = 0.5, force = false } = options;
  if (recordings === undefined)
    throw new UserError(
      'export --esphome: expected recordings without the wake word, received none',
      'Add --recordings FOLDER with WAV files, best hours of them: false accepts per hour are counted on them.',
    );
  if (!(falseAccepts >= 0))
    throw new UserError(`--false-accepts: expected 0 or more per hour, received ${falseAccepts}`, 'Try 0.5.');
  const { validation, test } = await clipFolders(run);
  const source = await openSource(run, options.model);
  const { labels: names = [], preprocessing } = statedIn(source.metadata);
  if (changesFeatures(preprocessing))
    throw new UserError(
      'export --esphome: expected a model that takes features as devices have them, received one that normalizes them',
      'Train with `normalize: none` in dataset.',
    );
  const word = wordOf(names, options);
  const phrase = options.phrase ?? names[word]!;
  const name =
    phrase
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_|_$/g, '') || 'wake_word';
  const { bytes, likeness } = await wakeWordFile(source, word, name);
  const model = readTflite(bytes);
  refuseOperators(name, operatorsOf(model));
  const arena = arenaOf(model);
  if (arena > MOST_ARENA)
    throw new UserError(
      `${name}.tflite: needs about ${arena} bytes of memory for its values, and an ESP32-S3 has ${MOST_ARENA} in all`,
      'Train a student with fewer filters or blocks.',
    );
  const device = await Device.open(bytes, `${name}.tflite`);
  const { hop } = device;
  const clipsOf = async (split: string): Promise<Heard[]> => {
    const { files, values, classNames } = await classFiles(split, SOUNDS);
    const at = classNames.indexOf(names[word]!);
    if (at < 0)
      throw new UserError(`${split}: no folder ${names[word]!} with clips of the wake word`, 'Put some into it.');
    return hearClips(
      device,
      files.filter((_, i) => values[i] === at),
    );
  };
  const [forChoice, forTest, all] = await hearAll(device, async () => [
    await clipsOf(validation),
    await clipsOf(test),
    await hearRecordings(device, recordings),
  ]);
  const half = (odd: number): Heard[] => all.filter((_, i) => i % 2 === odd);
  const choosing: Sounds = { clips: forChoice, recordings: half(0), hop };
  const judging: Sounds = { clips: forTest, recordings: half(1), hop };
  const alarm = chosen(choosing, falseAccepts);
  const micro = {
    probability_cutoff: probabilityCutoff(alarm.cutoff),
    feature_step_size: STEP_MS,
    sliding_window_size: alarm.window,
    tensor_arena_size: arena,
    minimum_esphome_version: MINIMUM_ESPHOME,
  };
  const manifest = {
    type: 'micro',
    wake_word: phrase,
    author: source.metadata.get('author') ?? 'limbeck',
    model: `${name}.tflite`,
    trained_languages: options.language ?? [],
    version: 2,
    micro,
  };
  const part = (sounds: Sounds) => ({
    clips: sounds.clips.length,
    hours: hoursOf(sounds),
    ...bounded(sounds, alarm),
    curve: alarmCurve(sounds, alarm).map(({ cutoff, ...score }) => ({ cutoff: probabilityCutoff(cutoff), ...score })),
  });
  const accepted = falseAcceptsIn(judging, alarm);
  const alarms = {
    promisedFalseAcceptsPerHour: falseAccepts,
    milliseconds: hop * STEP_MS,
    likeness,
    validation: part(choosing),
    test: part(judging),
    falseAccepts: [...falseAcceptsIn(choosing, alarm), ...accepted],
  };
  const notes = [
    ...(alarm.isKept
      ? []
      : [`no cutoff keeps to ${falseAccepts} false accepts per hour on validation: the strictest settings were taken`]),
    ...accepted.slice(0, NAMED).map(({ recording, second }) => {
      return `false accept: ${recording} at ${second.toFixed(1)} s: listen whether it holds the word`;
    }),
  ];
  const files = new Map<string, string | Uint8Array>([
    [`${name}.tflite`, bytes],
    [`${name}.json`, `${JSON.stringify(manifest, undefined, 2)}\n`],
    ['alarms.json', `${JSON.stringify(alarms, undefined, 2)}\n`],
    ['README.md', alarmsReadme(name, phrase, alarms, micro)],
  ]);
  await writeInto(folder, files, force);
  const { recall, falseAcceptsPerHour, atMostPerHour } = alarms.test;
  const sentence = `test: ${(100 * recall).toFixed(1)} % of ${forTest.length} clips heard, ${falseAcceptsPerHour.toFixed(1)} false accepts per hour of ${alarms.test.hours.toFixed(2)} hours (at most ${atMostPerHour.toFixed(1)} with 95 % certainty); cutoff ${micro.probability_cutoff}, window ${micro.sliding_window_size}`;
  return { files: [...files.keys()].sort(), skipped: [], notes: [sentence, ...notes] };
}

function bounded(sounds: Sounds, alarm: Alarm): AlarmScore & { readonly atMostPerHour: number } {
  const score = alarmScore(sounds, alarm);
  return { ...score, atMostPerHour: upperBound(score.falseAccepts, hoursOf(sounds)) };
}

/** Folders of clips that choose and judge, of a run on the features of devices. */
async function clipFolders(run: string): Promise<Record<'validation' | 'test', string>> {
  const { dataset } = (await storedRecipe(run)).recipe;
  if (dataset.type !== 'micro-features')
    throw new UserError(
      `export --esphome: expected a run on \`type: micro-features\`, received ${dataset.type}`,
      'Devices compute these features: docs/samples/device-sounds.md.',
    );
  const { validation, test } = dataset;
  if (typeof validation === 'string' && typeof test === 'string') return { validation, test };
  throw new UserError(
    'export --esphome: expected folders of validation and test, whose clips choose and judge the cutoff',
    'Name them in the recipe: `validation: FOLDER` and `test: FOLDER`.',
  );
}

function changesFeatures(
  stated: { readonly mean?: readonly number[]; readonly std?: readonly number[] } = {},
): boolean {
  return [...(stated.mean ?? []), ...(stated.std ?? []).map((value) => value - 1)].some(Boolean);
}

/** What `hear` heard by a device, which is closed then. */
async function hearAll<T>(device: Device, hear: () => Promise<T>): Promise<T> {
  try {
    return await hear();
  } finally {
    device.close();
  }
}

/** Place of the wake word's class. */
function wordOf(names: readonly string[], { word, phrase }: EsphomeOptions): number {
  if (names.length !== 2)
    throw new UserError(
      `export --esphome: expected two classes, the wake word and the rest, received ${names.length}`,
      'Put all other sounds into one class: ESPHome has no softmax of more.',
    );
  const at = names.indexOf(word ?? (names.includes('word') ? 'word' : (phrase ?? 'word')));
  if (at >= 0) return at;
  throw new UserError(
    `export --esphome: expected the class of the wake word, ${names.join(' or ')}, received ${word ?? 'none'}`,
    `Add --word ${names[0]!}, or --word ${names[1]!}.`,
  );
}

function refuseOperators(name: string, used: readonly string[]): void {
  const unknown = [...new Set(used)].filter((op) => !DEVICE_OPERATORS.has(op));
  if (unknown.length > 0)
    throw new UserError(
      `${name}.tflite: ESPHome has no ${unknown.join(', ')}`,
      'Train stream-mixer or stream-ds-tcn, whose operators it has.',
    );
  const variables = used.filter((op) => op === 'READ_VARIABLE').length;
  if (variables > MOST_VARIABLES)
    throw new UserError(
      `${name}.tflite: keeps ${variables} pasts, and ESPHome has room for ${MOST_VARIABLES}`,
      'Train a student with fewer blocks.',
    );
}

function falseAcceptsIn({ recordings, hop }: Sounds, alarm: Alarm): { recording: string; second: number }[] {
  return recordings.flatMap(({ name, probabilities }) =>
    detections(probabilities, hop, alarm).map((at) => ({
      recording: path.basename(name),
      second: ((at + 1) * hop * STEP_MS) / 1000,
    })),
  );
}
