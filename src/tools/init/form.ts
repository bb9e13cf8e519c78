import { stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { SOUNDS } from '../../data/readers/audio-folder.ts';
import { allFiles } from '../../data/readers/class-folder.ts';
import { starts } from '../../data/readers/guess.ts';
import { PICTURES } from '../../data/readers/image-folder.ts';
import { parquetSplits } from '../../setup/hub/parquet.ts';
import { maskFiles } from '../../data/readers/mask-files.ts';
import type { DataTypeName } from '../../recipe/data-types.ts';
import type { SeenForm } from '../../recipe/init.ts';
import { arrayForm } from './arrays.ts';
import { csvForm, jsonForm } from './columns.ts';
import type { TableRows } from '../../data/readers/guess.ts';
import { boxForm, encodedForm, maskForm, pictureForm } from './pictures.ts';
import { countLines, firstLines } from '../../data/readers/source.ts';
import { parseWav } from '../../data/sounds/wav.ts';

/** Number of columns in CoNLL-U, and maximum number of distinct tags. */
const [CONLL_U, MOST_TAGS] = [10, 100];
/** Number of rows and of sounds and encoded pictures to inspect. */
const [ROWS, HEARD] = [200, 40];
interface Said {
  /** Names of the label columns, if given. */
  readonly label: readonly string[];
  /** True if a given task excludes tagged words. */
  readonly isOtherTask: boolean;
}

/** Looks into the training data of a type. Types without a row are read as they are. */
const FORMS: Readonly<Partial<Record<DataTypeName, (place: string, said: Said) => SeenForm | Promise<SeenForm>>>> = {
  'text-folder': () => ({ text: {} }),
  'audio-folder': soundForm,
  'image-folder': pictureForm,
  'mask-folder': maskFolderForm,
  coco: async (place) => boxForm((await allFiles(place, PICTURES)).files),
  npz: arrayForm,
  conll: (place, { label }) => conllForm(place, label),
  csv: async (place, { label }) => csvForm(await firstLines(place, ROWS), label),
  // The first file of a data set of the hub.
  parquet: async (place, said) => startForm('parquet', (await trainFiles(place))[0]!, said),
};

/** Form of training data of a type, as far as it is not given. `UserError` for unreadable data. */
export async function seenForm(type: DataTypeName, place: string, said: Said): Promise<SeenForm> {
  return FORMS[type]?.(place, said) ?? startForm(type, place, said);
}

/** Form of the first samples that a type's folder finds. */
async function startForm(type: DataTypeName, place: string, said: Said): Promise<SeenForm> {
  const start = await starts.loadIfThere(type);
  const { withBoxes, withPoints, encoded, arePictures, rows } =
    (await start?.(place, { rows: ROWS, encoded: HEARD })) ?? {};
  if (withBoxes !== undefined) return boxForm(withBoxes);
  if (withPoints !== undefined) return maskForm(withPoints);
  if (encoded !== undefined) return { ...(arePictures && { sample: 'picture' }), ...(await encodedForm(encoded)) };
  return rows === undefined ? {} : namedForm(rows, said);
}

/** About the number of samples, of types whose samples are cheap to count; undefined for others, and for compressed tables. */
export async function countedSamples(type: DataTypeName, place: string): Promise<number | undefined> {
  return (await COUNTS[type]?.(place)) || undefined;
}

const COUNTS: Readonly<Partial<Record<DataTypeName, (place: string) => Promise<number>>>> = {
  'image-folder': async (place) => (await allFiles(place, PICTURES)).files.length,
  'audio-folder': async (place) => (await allFiles(place, SOUNDS)).files.length,
  csv: countLines,
  jsonl: countLines,
};

async function maskFolderForm(place: string): Promise<SeenForm> {
  const { pictures, labelFile } = (await maskFiles(place, true))!;
  return { ...(await maskForm(pictures)), classFile: labelFile === undefined ? null : path.basename(labelFile) };
}

/** Files of the training data. A folder of the hub gives the files of its split train. */
export async function trainFiles(place: string): Promise<readonly string[]> {
  if (!(await stat(place)).isDirectory()) return [place];
  return parquetSplits(place).train!.map((name) => path.join(place, name));
}

/** Form of rows with names. */
function namedForm(rows: TableRows, { label, isOtherTask }: Said): SeenForm {
  return (isOtherTask ? undefined : wordsForm(rows, label)) ?? jsonForm(rows, label);
}

/** Columns of words and tags: in CoNLL-U columns 1 and 3 (parts of speech), else the first and the last. */
async function conllForm(file: string, [label]: readonly string[]): Promise<SeenForm> {
  const labelNumber = label === undefined ? undefined : Number(label);
  if (labelNumber !== undefined && !Number.isInteger(labelNumber))
    throw new UserError(
      `--label: expected the number of a column, from 0, received ${label!}`,
      'Columns of such files have no names; negative numbers count from the end.',
    );
  const tags = labelNumber === undefined ? undefined : { tags: labelNumber };
  const lines = (await firstLines(file, ROWS)).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const columns = lines[0]?.split('\t').length;
  if (columns === CONLL_U)
    return {
      words: { column: 1, tags: 3, why: 'it has the ten columns of CoNLL-U, of which 3 are parts of speech', ...tags },
    };
  const last = labelNumber === undefined ? 'the last column' : `column ${labelNumber}`;
  return { words: { column: 0, why: `it has a word on each line, and its tag in ${last}`, ...tags } };
}

/**
 * Two lists of equal length in every row, of which the named one, or the one with fewer distinct texts, holds the tags; undefined without such lists.
 */
function wordsForm(rows: TableRows, [label]: readonly string[]): SeenForm | undefined {
  const isList = (value: unknown): value is readonly unknown[] =>
    Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' || Number.isInteger(one));
  const lists = Object.keys(rows[0] ?? {}).filter((name) => rows.every((row) => isList(row[name])));
  const lengths = (name: string): string => rows.map((row) => (row[name] as readonly unknown[]).length).join();
  const words = lists.filter((name) =>
    rows.every((row) => (row[name] as readonly unknown[]).every((one) => typeof one === 'string')),
  );
  const different = (name: string): number => new Set(rows.flatMap((row) => row[name] as readonly unknown[])).size;
  for (const column of words.toSorted((a, b) => different(b) - different(a))) {
    const beside = lists.filter((name) => name !== column && lengths(name) === lengths(column));
    const tags =
      label === undefined
        ? beside.toSorted((a, b) => different(a) - different(b))[0]
        : beside.find((name) => name === label);
    if (tags === undefined || different(tags) > MOST_TAGS) continue;
    return { words: { column, tags, why: `${column} lists words, and ${tags} as many tags` } };
  }
  return undefined;
}

async function soundForm(folder: string): Promise<SeenForm> {
  const { files } = await allFiles(folder, SOUNDS);
  const step = Math.max(1, Math.floor(files.length / HEARD));
  const sounds: { rate: number; seconds: number }[] = [];
  let failed: unknown;
  for (const file of files.filter((_, i) => i % step === 0).slice(0, HEARD)) {
    try {
      const { rate, values } = parseWav(await readBytes(file), file);
      sounds.push({ rate, seconds: values.length / rate });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failed ??= error;
    }
  }
  if (sounds.length === 0) throw failed;
  const times = (rate: number): number => sounds.filter((sound) => sound.rate === rate).length;
  const rate = sounds.map((sound) => sound.rate).reduce((most, one) => (times(one) > times(most) ? one : most));
  // A length that covers nine of ten sounds, rounded up to a tenth of a second.
  const lengths = sounds.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const seconds = Math.min(60, Math.ceil(10 * lengths[Math.floor(0.9 * (lengths.length - 1))]! - 1e-6) / 10);
  return { rate, seconds };
}
