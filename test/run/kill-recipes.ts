import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../support/built.ts';
import { writeColouredBoxes } from '../support/coloured-boxes.ts';
import { phrasesAsJsonl } from '../support/phrases.ts';
import { sentences } from '../support/sentences.ts';
import { BAD, GOOD, pairs, vocabularyOf, wordsOfPairs } from '../support/several-inputs.ts';
import { shapesArchive } from '../support/shapes.ts';
import { asJsonl, taggedSentences } from '../support/tags.ts';
import { textTeacher } from '../support/text-teacher.ts';
import { ofToday } from '../support/today.ts';
import { wordPieces } from '../support/tokenizer.ts';
import { tones } from '../support/tones.ts';

/** A recipe that is killed: one for each kind of data and of training that has something of its own to lose. */
export interface KillRecipe {
  readonly name: string;
  readonly kills: number;
  /** Gives the recipe's path. */
  readonly prepare: (folder: string) => Promise<string>;
  /** Stages whose weights count. */
  readonly stages: readonly string[];
  /** Files that must be among those that count. */
  readonly files: readonly string[];
}

const file = (name: string): string => path.join(ROOT, `test/run/${name}.yaml`);
const inPlace = (name: string) => (): Promise<string> => Promise.resolve(file(name));

/** The recipe in a folder of its own, beside data that `write` puts there. */
const beside =
  (name: string, write: (folder: string) => Promise<void> | void) =>
  async (folder: string): Promise<string> => {
    const recipe = path.join(folder, `${name}.yaml`);
    await copyFile(file(name), recipe);
    await write(folder);
    return recipe;
  };

/** `kills` are those of the first recipe, the others get half of them. `isShort`: only the two that have most to lose. */
export function killRecipes(kills: number, isShort: boolean): readonly KillRecipe[] {
  const half = Math.ceil(kills / 2);
  const short: KillRecipe[] = [
    {
      /**
       * All stages, dropout, augmentation with stored views, a moving average, a last smaller batch, pruning in rounds and with
       * masks, quantization after and with training: all that a resume can lose.
       */
      ...{ name: 'kill', kills, prepare: inPlace('kill') },
      stages: ['teach', 'scratch', 'distill', 'prune-1-round-1', 'prune-1', 'prune-2', 'qat-2'],
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
      ...{ name: 'kill-text', kills: half },
      prepare: beside('kill-text', (to) => writeFile(path.join(to, 'text.csv'), sentences(400, 64, 500))),
      stages: ['scratch'],
      files: ['exports/scratch.onnx'],
    },
  ];
  return isShort ? short : [...short, ...ofToday(longer(half), 3)];
}

const longer = (kills: number): readonly KillRecipe[] => [
  {
    /** A loss with a state and random masks, the teacher asked at every step, all augmentation that is drawn: `npm test` has no time for it. */
    ...{ name: 'kill-features', kills, prepare: inPlace('kill-features') },
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx'],
  },
  {
    /** A loss that remembers every sample, a chain of assistants, numbers that change. */
    ...{ name: 'kill-memory', kills, prepare: inPlace('kill-memory') },
    stages: ['teach', 'assist-1', 'distill'],
    files: ['exports/distilled.onnx'],
  },
  {
    /** Two students that teach each other. */
    ...{ name: 'kill-mutual', kills, prepare: inPlace('kill-mutual') },
    stages: ['distill'],
    files: ['exports/distilled.onnx'],
  },
  {
    /** A tag for each word: weights of samples, a score of entities, answers [tokens, tags]. */
    ...{ name: 'kill-tags', kills },
    prepare: beside('kill-tags', (to) => writeFile(path.join(to, 'tags.jsonl'), asJsonl(taggedSentences(600, 'kill')))),
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx'],
  },
  {
    /** The next token at each place: a recurrent student with one matrix for tokens and logits, answers [places, tokens]. */
    ...{ name: 'kill-words', kills },
    prepare: beside('kill-words', (to) => writeFile(path.join(to, 'phrases.jsonl'), phrasesAsJsonl(600, 'kill'))),
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx'],
  },
  {
    /** Sounds of which few have a label: masks of the spectrum, noise of a folder, answers that are too unsure. */
    ...{ name: 'kill-sound', kills },
    prepare: beside('kill-sound', (to) => void tones(to)),
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx', 'exports/distilled-int8.tflite'],
  },
  {
    /** Windows of a table in time, in splits by person: all augmentation of sequences, gaps, dilated convolutions with dropout. */
    ...{ name: 'kill-windows', kills },
    prepare: beside('kill-windows', (to) => writeFile(path.join(to, 'walks.csv'), walks(10, 160))),
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx', 'exports/distilled-int8.tflite'],
  },
  {
    /** A table with columns of words and gaps, a number to predict that few rows have. */
    ...{ name: 'kill-table', kills },
    prepare: beside('kill-table', async (to) => {
      for (const split of ['train', 'test'])
        await writeFile(path.join(to, `${split}.csv`), await penguinsWithGaps(split));
    }),
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx', 'exports/distilled-int8.tflite'],
  },
  {
    /** Texts by hashes of their words, any of several labels for each, a teacher with dropout that is asked at every step. */
    ...{ name: 'kill-labels', kills },
    prepare: beside('kill-labels', (to) => writeFile(path.join(to, 'texts.jsonl'), textsOfLabels(400))),
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx'],
  },
  {
    /** Masks of which some pictures have none: balanced classes, Dice, answers for each pixel moved with their views, channels pruned, int8 after and with training. */
    ...{ name: 'kill-masks', kills },
    prepare: beside('kill-masks', (to) =>
      inBothSplits((split, count) => writeFile(path.join(to, `${split}.npz`), shapesArchive(count, split))),
    ),
    stages: ['teach', 'scratch', 'distill', 'prune-1', 'qat-2'],
    files: ['exports/pruned-1.onnx', 'exports/pruned-1-int8.onnx', 'exports/pruned-1-int8-qat.tflite'],
  },
  {
    /** Boxes, pictures of which four stand in one, a teacher that is asked at every step. */
    ...{ name: 'kill-boxes', kills },
    prepare: beside('kill-boxes', (to) => inBothSplits((split, count) => writeColouredBoxes(to, split, count))),
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx', 'exports/distilled-int8.tflite'],
  },
  {
    /** Places of points, moved with the views of their pictures; files that answer with points beside those with logits. */
    ...{ name: 'kill-points', kills, prepare: inPlace('kill-points') },
    stages: ['scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8-points.onnx', 'exports/distilled-int8-points.tflite'],
  },
  {
    /** Vectors: a queue of the teacher's vectors, a vector for each class that no file contains, few labels, prefixes. */
    ...{ name: 'kill-vectors', kills, prepare: inPlace('kill-vectors') },
    stages: ['teach', 'scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx', 'exports/distilled-int8.tflite'],
  },
  {
    /** Pairs of texts by a tokenizer.json for an ONNX student of three inputs, some without a label; the teacher has another tokenizer. */
    ...{ name: 'kill-pairs', kills },
    prepare: beside('kill-pairs', writePairs),
    stages: ['scratch', 'distill'],
    files: ['exports/distilled.onnx', 'exports/distilled-int8.onnx', 'exports/tokenizer.json'],
  },
];

async function inBothSplits(write: (split: string, count: number) => Promise<void>): Promise<void> {
  await write('train', 100);
  await write('test', 20);
}

/** Rows of people who walk and run by turns, some without a value. */
function walks(people: number, rows: number): string {
  const lines = Array.from({ length: people * rows }, (_, i) => {
    const [person, t] = [Math.floor(i / rows), i % rows];
    const isRun = Math.floor(t / 40) % 2 === 1;
    const x = (isRun ? 2 : 1) * Math.sin((isRun ? 0.9 : 0.5) * t + person);
    const y = Math.cos(0.3 * t * (person + 1));
    return [`p${person}`, t, x.toFixed(3), i % 31 === 7 ? '' : y.toFixed(3), isRun ? 'run' : 'walk'].join(',');
  });
  return ['person,time,x,y,activity', ...lines].join('\n');
}

/** The penguins of datasets/ without every seventh bill. */
async function penguinsWithGaps(split: string): Promise<string> {
  const lines = (await readFile(path.join(ROOT, 'datasets/penguins', `${split}.csv`), 'utf8')).split('\n');
  return lines.map((line, i) => (i % 7 === 3 ? line.replace(/,[\d.]+,/, ',,') : line)).join('\n');
}

function textsOfLabels(count: number): string {
  const has = (text: string, words: readonly string[]): boolean => words.some((word) => text.includes(word));
  const rows = pairs(count, 'labels').map(({ a, b }) => ({
    text: `${a} ${b}`,
    labels: [...(has(a, [...GOOD, ...BAD]) ? ['first'] : []), ...(has(a + b, GOOD) ? ['good'] : [])],
  }));
  return asJsonl(rows);
}

/** The student reads in pieces the words that are good, the teacher those that are bad, so neither has the ids of the other. */
async function writePairs(to: string): Promise<void> {
  const others = wordsOfPairs.filter((word) => !GOOD.includes(word) && !BAD.includes(word));
  const [student, teacher] = [wordPieces([...BAD, ...others]), wordPieces([...GOOD, ...others, ...BAD])];
  const drawn = (id: number): readonly [number, number] => [Math.sin(id) / 10, Math.cos(3 * id) / 10];
  const ids = teacher.model.vocab as Record<string, number>;
  const [good, bad] = [GOOD, BAD].map((words) => words.map((word) => ids[word]!)) as [number[], number[]];
  const knows = (id: number): readonly [number, number] =>
    good.includes(id) ? [0, 9] : bad.includes(id) ? [9, 0] : [0, 0];
  const written = {
    'train.jsonl': asJsonl(pairs(300, 'train')),
    'more.jsonl': asJsonl(pairs(300, 'more').map(({ a, b }) => ({ a, b }))),
    'test.jsonl': asJsonl(pairs(60, 'test')),
    'student.json': JSON.stringify(student),
    'teacher.json': JSON.stringify(teacher),
    'student.onnx': textTeacher(vocabularyOf(student), drawn),
    'teacher.onnx': textTeacher(vocabularyOf(teacher), knows),
  };
  for (const [name, content] of Object.entries(written)) await writeFile(path.join(to, name), content);
}
