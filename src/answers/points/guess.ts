import path from 'node:path';
import { readUtf8 } from '../../base/files.ts';
import { guess as cocoGuess } from '../../data/formats/coco/guess.ts';
import { guess as yoloGuess } from '../../data/formats/yolo/guess.ts';
import { yoloPictures } from '../../data/formats/yolo/yolo.ts';
import { allFiles } from '../../data/readers/class-folder.ts';
import type { DataGuess, SampleStart, SeenData } from '../../data/readers/guess.ts';
import { PICTURES } from '../../data/readers/image-folder.ts';
import { firstLines } from '../../data/readers/source.ts';
import { pointsOfCsv } from './csv.ts';

/** True for a CSV file whose first line names pictures and the places of points. */
async function isCsvOfPoints(file: string): Promise<boolean> {
  if (path.extname(file).toLowerCase() !== '.csv') return false;
  const [head = ''] = await firstLines(file, 1).catch(() => ['']);
  const columns = head.split(',').map((name) =>
    name
      .replace(/^\uFEFF/, '')
      .replaceAll('"', '')
      .trim(),
  );
  return (
    columns.includes('file') && columns.some((name) => /._x$/.test(name) && columns.includes(name.replace(/x$/, 'y')))
  );
}

/** True for a data.yaml of YOLO for pose. */
async function isPose(file: string): Promise<boolean> {
  if (!/\.ya?ml$/i.test(file) || !(await yoloGuess.file!.isOne(file))) return false;
  return /^kpt_shape\s*:/m.test(await readUtf8(file));
}

/** A pose data.yaml, COCO's key points beside their pictures, or a file train.csv with points. */
async function inFolder(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
  const ofYolo = await yoloGuess.inFolder(place, inside);
  if (ofYolo?.splits !== undefined && (await isPose(path.join(place, ofYolo.splits.train))))
    return { ...ofYolo, type: 'points', why: ofYolo.why.replace('train and names', 'train, names and kpt_shape') };
  const ofCoco = await cocoGuess.keyPoints!(place, inside);
  if (ofCoco !== undefined) return ofCoco;
  const named = (word: string): string | undefined => inside.find((name) => name.toLowerCase() === `${word}.csv`);
  const train = named('train');
  if (train === undefined || !(await isCsvOfPoints(path.join(place, train)))) return undefined;
  const others = { test: named('test'), validation: named('validation') ?? named('val') };
  const why = `${path.join(path.basename(place), train)} has columns of points`;
  const { test, validation } = others;
  return {
    type: 'points',
    why,
    notes: [],
    splits: { train, ...(test && { test }), ...(validation && { validation }) },
  };
}

export const guess: DataGuess = {
  inFolder,
  file: {
    isOne: async (file) => (await isCsvOfPoints(file)) || (await isPose(file)),
    splits: async (file) => ((await isPose(file)) ? yoloGuess.file!.splits(file) : undefined),
  },
};

export const start: SampleStart = async (place) => {
  if (await isCsvOfPoints(place)) return { withPoints: (await pointsOfCsv(place)).objects.map(({ file }) => file) };
  if (await isPose(place)) return { withPoints: (await yoloPictures(place, 'train')).files };
  return { withPoints: (await allFiles(place, PICTURES)).files };
};
