// Needs the feature jsonl.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CsvConfig, TextConfig } from '../../../src/data/config.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { bytes, hashed } from '../../../src/data/text/tokenizer/plain.ts';
import { wordPieces } from '../../support/tokenizer.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();

const HEAD = 'id,text,label\n';
const ROWS = ['my card,a', '"go, go",b', 'Ü,a', 'lost,b', 'my,a', 'go,b'];

async function load(text: TextConfig, content: string | Uint8Array = table(ROWS), change: Partial<CsvConfig> = {}) {
  const file = await folder.file('train.csv', content);
  return loadDataset({ type: 'csv', train: file, validation: 2, text, ...change } as CsvConfig);
}

function table(rows: readonly string[]): string {
  return HEAD + rows.map((row, i) => `${i},${row}`).join('\n');
}

const first = (of: { readonly samples: ArrayLike<number> }, n: number): number[] => Array.from(of.samples).slice(0, n);

describe('texts as samples', () => {
  it('reads bytes of a column, filled up with 0, as they are', async () => {
    const { train } = await load({ column: 'text', length: 8 });
    expect(train).toMatchObject({
      sampleShape: [8],
      classNames: ['a', 'b'],
      text: { tokenizer: 'bytes', length: 8, padding: 0, vocabulary: 258, texts: 1, truncate: 'end' },
      normalization: { scale: 1, mean: new Array(8).fill(0) },
    });
    const row = train.ids.indexOf(0);
    const own = train.samples.subarray(row * 8, row * 8 + 8);
    expect([...own]).toEqual([...Array.from(Buffer.from('my card'), (byte) => byte + 1), 0]);
  });

  it('takes a carriage return for a part of the end of a line, also below a header without one', async () => {
    const { train, validation } = await load({ column: 'text', length: 4 }, 'label,text\na,xy\r\nb,yz\r\na,zz\r\n', { validation: 1 }); // prettier-ignore
    expect([train, validation].flatMap(({ samples }) => Array.from(samples))).not.toContain(14);
  });

  it('reads a tokenizer.json, whose hash goes along, and the inputs of a model of several', async () => {
    const file = await folder.file('tokenizer.json', JSON.stringify(wordPieces(['my', 'card', 'go', 'lost'])));
    const inputs = ['input_ids', 'attention_mask'] as const;
    const { train } = await load({ column: 'text', tokenizer: file, length: 5, inputs });
    expect(train.text!.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(train.inputs).toEqual([
      { name: 'input_ids', shape: [5], from: 0, isWhole: true },
      { name: 'attention_mask', shape: [5], from: 5, isWhole: true },
    ]);
    expect(first(train, 1)).toEqual([2]);
  });

  it('reads pairs, JSON lines and folders alike', async () => {
    const text = [
      '{"a": "x", "b": "y", "label": 0}',
      '{"a": "y", "b": "x", "label": 1}',
      '{"a": "z", "b": "z", "label": 0}',
    ];
    const file = await folder.file('x.jsonl', text.join('\n'));
    const pair = await loadDataset({
      type: 'jsonl',
      train: file,
      validation: 1,
      text: { column: ['a', 'b'], length: 4 },
    });
    const row = pair.train.ids.indexOf(0);
    expect([...pair.train.samples.subarray(4 * row, 4 * row + 4)]).toEqual([121, 257, 122, 0]);
    const root = path.join(folder.path, 'texts');
    for (const [name, content] of Object.entries({
      'no/1.txt': 'x',
      'yes/1.txt': 'y',
      'yes/2.txt': 'yy',
      // A byte order mark, which is no part of the text.
      'no/2.txt': '\uFEFFxx',
      'no/a.md': '',
    })) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), content);
    }
    const files = await loadDataset({ type: 'text-folder', train: root, validation: 1 });
    expect(files.classNames).toEqual(['no', 'yes']);
    expect(files.train.count + files.validation.count).toBe(4);
    expect([files.train, files.validation].flatMap(({ samples }) => Array.from(samples)).filter((id) => id > 200)).toEqual([]); // prettier-ignore
    expect(files.warnings.join()).toContain('1 of its files ignored, which are no text files (.txt)');
  });

  it('says how many texts are cut', async () => {
    expect((await load({ column: 'text', length: 3 })).warnings.join()).toMatch(
      /train\.csv: 3 of 6 texts have more than 3 tokens and lose their end/,
    );
  });

  it('leaves empty texts out where it is told to', async () => {
    const rows = [...ROWS, ' ,a'];
    const { train, validation } = await load({ column: 'text', length: 3 }, table(rows), { missing: 'drop' });
    expect(train.count + validation.count).toBe(6);
  });

  describe('with the sign U+FFFD, or bytes that are no UTF-8,', () => {
    const signs = table([...ROWS, 'caf\uFFFD,a', '\uFFFD\uFFFD,b']);
    const latin = Buffer.from(table([...ROWS, 'caf\xe9,a']), 'latin1');
    const json = '{"text": "x", "label": "a"}\n{"text": "caf\\ud800", "label": "b"}\n{"text": "y", "label": "b"}\n';
    const ofJson = async (text: NonNullable<CsvConfig['text']>) =>
      loadDataset({ type: 'jsonl', train: await folder.file('t.jsonl', json), validation: 1, text });
    const counts = ({ train, validation }: Awaited<ReturnType<typeof load>>) => train.count + validation.count;
    const idsOf = ({ train, validation }: Awaited<ReturnType<typeof load>>, id: number): number[] => {
      const split = train.ids.includes(id) ? train : validation;
      const from = split.ids.indexOf(id) * 6;
      return Array.from(split.samples.subarray(from, from + 6));
    };
    const CAFE = [...Buffer.from('caf\uFFFD')].map((byte) => byte + 1);

    it('are kept where the file itself is UTF-8, counted in a note', async () => {
      for (const invalid of [undefined, 'keep'] as const) {
        const data = await load({ column: 'text', length: 6, invalid }, signs);
        expect(counts(data)).toBe(8);
        expect(idsOf(data, 6)).toEqual(CAFE);
        expect(data.warnings.join('\n')).toMatch(
          /train\.csv: 2 texts hold the sign U\+FFFD, .* the first at .*train\.csv:8: they are read as they are/,
        );
      }
      expect((await load({ column: 'text' })).warnings.join()).not.toContain('U+FFFD');
    });

    it('are left out or refused as the recipe says', async () => {
      const data = await load({ column: 'text', length: 6, invalid: 'drop' }, signs);
      expect([counts(data), [...data.train.ids, ...data.validation.ids].includes(6)]).toEqual([6, false]);
      expect(data.warnings.join('\n')).toMatch(/2 texts hold the sign U\+FFFD, .*: their samples are left out/);
      const refused = await userError(load({ column: 'text', invalid: 'refuse' }, signs));
      expect(refused.message).toMatch(
        /train\.csv:8: column "text": the text holds bytes that are no UTF-8, or the sign/,
      );
    });

    it('are refused where the bytes of the file are no UTF-8, unless the recipe says otherwise', async () => {
      const refused = await userError(load({ column: 'text' }, latin));
      expect(refused.message).toMatch(/train\.csv:4: column "text": the text holds bytes that are no UTF-8/);
      expect(idsOf(await load({ column: 'text', length: 6, invalid: 'keep' }, latin), 6)).toEqual(CAFE);
      expect(counts(await load({ column: 'text', invalid: 'drop' }, latin))).toBe(5);
      expect((await userError(ofJson({ column: 'text' }))).message).toMatch(/t\.jsonl:2: .* no UTF-8/);
      expect(idsOf(await ofJson({ column: 'text', length: 6, invalid: 'keep' }), 1)).toEqual(CAFE);
    });

    it('are treated alike in a folder of texts', async () => {
      const root = path.join(folder.path, 'spoilt');
      for (const name of ['a/1', 'a/2', 'b/1', 'b/2']) {
        await mkdir(path.dirname(path.join(root, name)), { recursive: true });
        await writeFile(path.join(root, `${name}.txt`), name === 'b/2' ? Buffer.from('caf\xe9', 'latin1') : 'x\uFFFD');
      }
      const read = (text: Partial<TextConfig>) =>
        loadDataset({ type: 'text-folder', train: root, validation: 1, text });
      expect((await userError(read({}))).message).toMatch(/b\/2\.txt: the text holds bytes that are no UTF-8/);
      const kept = await read({ length: 6, invalid: 'keep' });
      expect(idsOf(kept, 3)).toEqual(CAFE);
      expect(kept.warnings.join()).toContain('4 texts hold the sign U+FFFD');
    });
  });

  it('gives the texts of samples to whoever asks', async () => {
    const file = await folder.file('train.csv', table(ROWS));
    const seen = new Map<string, readonly string[]>();
    await loadDataset(
      { type: 'csv', train: file, text: { column: 'text' }, validation: 2 },
      { onText: (id, texts) => seen.set(id, texts) },
    );
    expect(seen.get('train/1')).toEqual(['go, go']);
    expect(seen.size).toBe(6);
  });

  it.each<[string, TextConfig, string | Uint8Array, string]>([
    ['an empty text', { column: 'text' }, table([...ROWS, '  ,a']), 'train.csv:8: column "text": the text is empty'],
    [
      'bytes that are no UTF-8',
      { column: 'text' },
      Buffer.from(table([...ROWS, '\xe9t\xe9,a']), 'latin1'),
      'train.csv:4: column "text": the text holds bytes that are no UTF-8',
    ],
    ['another column', { column: 'txt' }, table(ROWS), 'text.column: no column "txt"'],
    ['a tokenizer that is not there', { column: 'text', tokenizer: 'none.json' }, table(ROWS), 'none.json'],
  ])('refuses %s', async (_, text, content, message) => {
    const { message: fact, hint } = await userError(load(text, content));
    expect(fact).toContain(message);
    expect(hint).not.toBe('');
  });

  it('refuses a file that is no tokenizer.json', async () => {
    const file = await folder.file('vocab.txt', '[PAD]\n[UNK]');
    const { message, hint } = await userError(load({ column: 'text', tokenizer: file }));
    expect(message).toContain('vocab.txt: ');
    expect(hint).toContain('save_pretrained');
    const other = await folder.file('config.json', '{"model_type": "bert"}');
    expect((await userError(load({ column: 'text', tokenizer: other }))).message).toContain('it has no `model`');
  });
});

describe('tokenizers that need no file', () => {
  it('hashes words and pairs of them, the second text apart from the first', () => {
    const { ids } = hashed(64, 2);
    const both = ids('Go Home', false);
    expect(both).toHaveLength(3);
    expect(ids('go  home', false)).toEqual(both);
    expect(ids('home', false)).toEqual([both[1]]);
    expect(ids('home', true)).not.toEqual([both[1]]);
    expect(Math.min(...ids('a b c d e f', false))).toBeGreaterThan(0);
    expect(ids('\u{1F600} É', false)).toEqual(hashed(64, 2).ids('\u{1F600} É', false));
  });

  it('counts bytes from 1', () => {
    expect(bytes.ids('é', false)).toEqual([0xc3 + 1, 0xa9 + 1]);
  });
});
