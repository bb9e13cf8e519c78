// Needs the feature next-token.
import { writeFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { NO_TOKEN, packed, TAIL, tokenized } from '../../../src/answers/next-token/pack.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { bytes } from '../../../src/data/text/tokenizer/plain.ts';
import { temporaryFolder } from '../../support/folder.ts';
import '../../support/tasks.ts';

const folder = temporaryFolder();
const at = (...names: string[]): string => path.join(folder(), ...names);
const END = 257;

describe('packed', () => {
  const TEXTS = ['ab cd', 'é', 'x y z'].map((text) => tokenized(text, bytes));
  const { count, ids, targets } = packed(TEXTS, 4, END);

  it('lays texts one behind the other, each between two ends, and asks for each token once', () => {
    const stream = TEXTS.flatMap((text) => [...text.ids, END]);
    expect(count).toBe(4);
    expect([...ids.subarray(0, stream.length + 1)]).toEqual([END, ...stream].slice(0, count * 4));
    const asked = Array.from({ length: count }, (_, row) => [...targets.subarray(row * 6, row * 6 + 4)]).flat();
    expect(asked).toEqual([...stream, ...new Array<number>(count * 4 - stream.length).fill(NO_TOKEN)]);
  });

  it('counts every byte and word of the texts once', () => {
    const sums = [0, 1].map((column) =>
      Array.from({ length: count }, (_, row) => targets[row * (4 + TAIL) + 4 + column]!).reduce((a, b) => a + b, 0),
    );
    expect(sums).toEqual([5 + 2 + 5, 2 + 1 + 3]);
  });
});

const TOKENIZER = {
  added_tokens: [{ id: 0, content: '<|endoftext|>', special: true }],
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(['<|endoftext|>', 'a', 'b', 'c', 'Ġ', 'ab', 'Ġc'].map((token, id) => [token, id])),
    merges: [
      ['a', 'b'],
      ['Ġ', 'c'],
    ],
  },
};

const load = (train: string | string[], text: object = {}) =>
  loadDataset({ type: 'texts', task: 'next-token', train, validation: 1, text: { length: 3, ...text } });

describe('texts', () => {
  it('are .txt files, JSON lines, and folders of them, which give the same sequences', async () => {
    await mkdir(at('all'));
    await writeFile(at('all', 'a.txt'), 'ab c');
    await writeFile(at('all', 'b.txt'), '\uFEFFcab');
    await writeFile(at('t.jsonl'), '{"text": "ab c"}\n\n{"text": "cab"}\n');
    await writeFile(at('named.jsonl'), '{"said": "ab c"}\n{"said": "cab"}\n');
    await writeFile(at('t.json'), JSON.stringify(TOKENIZER));
    const tokenizer = at('t.json');
    const all = await Promise.all([
      load(at('all'), { tokenizer }),
      load([at('all', 'a.txt'), at('all', 'b.txt')], { tokenizer }),
      load(at('t.jsonl'), { tokenizer }),
      load(at('named.jsonl'), { tokenizer, column: 'said' }),
    ]);
    const [first] = all;
    const samplesOf = ({ train, validation }: (typeof all)[number]) =>
      [train, validation].flatMap(({ samples, ids }) =>
        [...ids].map((id, i) => [id, ...samples.subarray(3 * i, 3 * i + 3)]),
      );
    const rows = samplesOf(first).sort((a, b) => a[0]! - b[0]!);
    // ab, Ġc, end, c, ab, end: the first end stands before all texts.
    expect(rows.map((row) => row.slice(1))).toEqual([
      [0, 5, 6],
      [0, 3, 5],
    ]);
    for (const one of all) expect(samplesOf(one).sort((a, b) => a[0]! - b[0]!)).toEqual(rows);
    expect(first.classNames).toEqual(['<|endoftext|>', 'a', 'b', 'c', 'Ġ', 'ab', 'Ġc']);
    expect(first.train.text).toMatchObject({ vocabulary: 7, padding: 0 });
  });

  it.each<[string, string, string, object, string]>([
    ['another key', 't.jsonl', '{"a": 1}', {}, 't.jsonl:1: no key "text", the line has: a'],
    ['a number', 't.jsonl', '{"text": "a"}\n{"text": 1}', {}, 't.jsonl:2: expected a text as "text", received 1'],
    ['an empty text', 't.txt', ' \n', {}, 't.txt: the text is empty'],
    ['another ending', 't.md', 'a b', {}, 't.md: expected a folder, or a file that ends in .txt or .jsonl'],
  ])('are refused: %s', async (_, name, content, text, message) => {
    await writeFile(at(name), content);
    await expect(load(at(name), text)).rejects.toThrow(message);
  });

  it('are refused in another encoding', async () => {
    await writeFile(at('l.txt'), Uint8Array.of(97, 0xe9, 98));
    await expect(load(at('l.txt'))).rejects.toThrow('l.txt: the text holds bytes that are no UTF-8');
  });

  it('are refused with a tokenizer that has no end of a text', async () => {
    await writeFile(at('t.txt'), 'ab c');
    await writeFile(at('t.json'), JSON.stringify({ ...TOKENIZER, added_tokens: [] }));
    await expect(load(at('t.txt'), { tokenizer: at('t.json') })).rejects.toThrow(
      'none of its added tokens ends a text: expected one of <|endoftext|>',
    );
  });
});
