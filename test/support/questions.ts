import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { wordPieces } from './tokenizer.ts';

const SLOTS: Readonly<Record<string, readonly string[]>> = {
  place: ['library', 'museum', 'pool', 'market', 'workshop', 'greenhouse'],
  day: ['monday', 'friday', 'sunday', 'holidays', 'new year'],
  thing: ['kettle', 'lamp', 'bicycle', 'kayak', 'drill', 'tent'],
  course: ['pottery', 'sailing', 'baking', 'juggling', 'carpentry'],
};

/** Questions at the counter of a house that lends things, by what they are about. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  opening_hours: [
    'When does the {place} open on {day}?',
    'Is the {place} closed on {day}, or only in the evening?',
    'Until what time is the {place} open?',
  ],
  way_there: [
    'How do I get to the {place} by bus?',
    'Which tram goes to the {place}?',
    'Is it far to walk from the {place} to the station?',
  ],
  price: [
    'How much is a {thing} for two days?',
    'What does it cost to borrow the {thing}?',
    'Is the {thing} cheaper on {day}?',
  ],
  broken: [
    'My {thing} is broken, who mends it?',
    'The {thing} fell down and does not work any more.',
    'There is a crack in the {thing} that I was given!',
  ],
  late_return: [
    'Can I bring the {thing} back a week later?',
    'I forgot to return the {thing} on {day}. Is there a fine?',
    'May I keep the {thing} until {day}?',
  ],
  courses: [
    'Are there places left in the {course} course?',
    'Who teaches {course}, and do I need to bring anything?',
    'Please sign me up for {course} on {day}.',
  ],
};

/** A CSV file of questions and their kinds, `text` and `category`, as many of each kind; `key` draws others. */
function questions(count: number, key: string): string {
  const random = new RandomStream('questions', key);
  const pick = (from: readonly string[]): string => from[random.below(from.length)]!;
  const kinds = Object.keys(KINDS);
  const rows = Array.from({ length: count }, (_, i) => {
    const kind = kinds[i % kinds.length]!;
    const text = pick(KINDS[kind]!).replaceAll(/\{(\w+)\}/g, (_slot, name: string) => pick(SLOTS[name]!));
    return `"${text}",${kind}\n`;
  });
  return `text,category\n${rows.join('')}`;
}

/** `train.csv`, `test.csv` and `tokenizer.json` of such questions in `folder`, in place of data that are not in the repository. */
export async function writeQuestions(folder: string): Promise<Record<'train' | 'test' | 'tokenizer', string>> {
  const texts = [...Object.values(KINDS), ...Object.values(SLOTS)].flat();
  const words = texts.flatMap((text) => text.toLowerCase().match(/[a-z]+/g) ?? []);
  const files = {
    train: path.join(folder, 'train.csv'),
    test: path.join(folder, 'test.csv'),
    tokenizer: path.join(folder, 'tokenizer.json'),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(files.train, questions(360, 'train'));
  await writeFile(files.test, questions(120, 'test'));
  await writeFile(files.tokenizer, JSON.stringify(wordPieces(words)));
  return files;
}
