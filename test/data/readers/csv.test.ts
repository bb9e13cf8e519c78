import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { readCsv } from '../../../src/data/readers/csv.ts';
import type { CsvOptions } from '../../../src/data/readers/csv.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { temporaryFolder, userError } from '../support.ts';
import { makePipe } from '../../support/pipe.ts';

const folder = temporaryFolder();
let files = 0;

async function read(text: string | Uint8Array, options: CsvOptions = {}) {
  return readCsv(await folder.file(`${files++}.csv`, text), options);
}

async function failure(text: string | Uint8Array, options: CsvOptions = {}) {
  const { message, hint } = await userError(read(text, options));
  return { message: message.replace(/^.*\/\d+\.csv/, 'x.csv').replaceAll(/\/\S*\/(\d+)\.csv/g, '$1.csv'), hint };
}

function words(split: Awaited<ReturnType<typeof read>>) {
  const { labels } = split;
  if (labels.kind !== 'name') throw new Error('expected names');
  return [...labels.values].map((value) => labels.names[value]);
}

describe('CSV', () => {
  it('takes the column `label` of a file with a header, everything else is a feature', async () => {
    const split = await read('a,label,b\n1,cat,2.5\n-3e2,dog,0x10\n');
    expect(split.sampleShape).toEqual([2]);
    expect(split.columns).toEqual(['a', 'b']);
    expect([...split.samples]).toEqual([1, 2.5, -300, 16]);
    expect(words(split)).toEqual(['cat', 'dog']);
    expect([...split.ids!]).toEqual([0, 1]);
  });

  it('takes the last column of a file without a header', async () => {
    const split = await read('1,2,9\n3,4,8\n', { header: false });
    expect([...split.samples]).toEqual([1, 2, 3, 4]);
    expect(words(split)).toEqual(['9', '8']);
  });

  it.each<[string, CsvOptions]>([
    ['name', { label: 'kind' }],
    ['index', { label: 0 }],
    ['index from the end', { label: -3 }],
  ])('finds the label by %s', async (_, options) => {
    expect(words(await read('kind,a,b\nx,1,2\ny,3,4', options))).toEqual(['x', 'y']);
  });

  it('leaves ignored columns out, by name and by index', async () => {
    const split = await read('id,a,label,note\nk1,1,x,"two\nlines, quoted"\nk2,2,y,z\n', { ignore: ['id', -1] });
    expect(split.columns).toEqual(['a']);
    expect([...split.samples]).toEqual([1, 2]);
  });

  it('reads other delimiters, carriage returns, a byte order mark, blank lines, spaces and gzip', async () => {
    expect([...(await read('\uFEFF"a";label\r\n1;x\r\n\r\n 2 ; y \r\n', { delimiter: ';' })).samples]).toEqual([1, 2]);
    expect([...(await read('a\tlabel\r3\tx\r4\ty', { delimiter: '\t' })).samples]).toEqual([3, 4]);
    expect(words(await read(gzipSync('a,label\n1,x\n2, y \n')))).toEqual(['x', 'y']);
  });

  it('reads several files as one', async () => {
    const first = await folder.file('part1.csv', 'a,label\n1,x\n');
    const second = await folder.file('part2.csv', 'a,label\n2,y\n3,x\n');
    const split = await readCsv([first, second], {});
    expect([...split.samples]).toEqual([1, 2, 3]);
    expect([...split.ids!]).toEqual([0, 1, 2]);
    const other = await folder.file('part3.csv', 'b,label\n2,y\n');
    const { message, hint } = await userError(readCsv([first, other], {}));
    expect(message).toMatch(/part3\.csv:1: column 0 is called "b", in .*part1\.csv "a"$/);
    expect(hint).toMatch(/same columns in the same order/);
  });

  it('folds the columns into a shape', async () => {
    expect((await read('1,2,3,4,0', { header: false, shape: [2, 2] })).sampleShape).toEqual([2, 2]);
    const { message, hint } = await failure('1,2,3,0', { header: false, shape: [2, 2, 1] });
    expect(message).toBe('shape: [2, 2, 1] has 4 values, but a row has 3 features');
    expect(hint).toMatch(/product/);
  });

  it('keeps more rows than the first guess holds', async () => {
    const text = gzipSync(`a,label\n${Array.from({ length: 5000 }, (_, i) => `${i},${i % 2}`).join('\n')}`);
    const split = await read(text);
    expect([...split.samples]).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    expect([...split.ids!]).toEqual([...split.samples]);
  });
});

describe('what other programs write', () => {
  it('True and False of pandas, TRUE and FALSE of R are 1 and 0', async () => {
    const { samples } = await read('a,b,label\nTrue,FALSE,x\nfalse,TRUE,y\n');
    expect([...samples]).toEqual([1, 0, 0, 1]);
  });

  it('a delimiter that YAML left as backslash and t is a tab', async () => {
    expect((await read('a\tlabel\n1\tx\n', { delimiter: '\\t' })).columns).toEqual(['a']);
  });

  it('the index of pandas is told, until it is ignored', async () => {
    const text = ',a,label\n0,5,x\n1,6,y\n';
    expect((await read(text)).notes).toEqual([
      expect.stringMatching(/\d+\.csv: the first column is called ""[^]*`ignore: \[0\]`$/),
    ]);
    expect((await read(text, { ignore: [0] })).notes).toBeUndefined();
    const { warnings } = await loadDataset({ type: 'csv', train: await folder.file('x.csv', text + '2,7,x\n') });
    expect(warnings[0]).toMatch(/the first column is called ""/);
  });
});

describe('missing values in CSV', () => {
  const text = 'a,b,label\n1,,x\nNA,4,y\n5,6,x\n';

  it('are an error with line and column by default', async () => {
    const { message, hint } = await failure(text);
    expect(message).toBe('x.csv:2: column "b": missing value (empty)');
    expect(hint).toBe('Set `missing: mean`, `missing: zero` or `missing: drop` in the recipe, or correct the row.');
    expect((await failure('a,label\nnan,x')).message).toBe('x.csv:2: column "a": missing value ("nan")');
  });

  it('become zero', async () => {
    expect([...(await read(text, { missing: 'zero' })).samples]).toEqual([1, 0, 0, 4, 5, 6]);
  });

  it('drop the row, whose number is not given to another', async () => {
    const split = await read(text, { missing: 'drop' });
    expect([...split.samples]).toEqual([5, 6]);
    expect([...split.ids!]).toEqual([2]);
    expect(words(split)).toEqual(['x']);
  });

  it('are left for the mean of train', async () => {
    const split = await read(text, { missing: 'mean' });
    expect(split.fillWithMean).toBe(true);
    expect([...split.samples]).toEqual([1, NaN, NaN, 4, 5, 6]);
  });

  it('leave nothing if every row has one', async () => {
    const { message, hint } = await failure('a,label\n,x\n,y\n', { missing: 'drop' });
    expect(message).toBe('x.csv: all 2 rows have missing values');
    expect(hint).toMatch(/`missing: mean`/);
  });
});

describe('broken CSV', () => {
  it.each<[string, string, string, RegExp, CsvOptions?]>([
    ['a row too short', 'a,b,label\n1,2,x\n1,x\n', 'x.csv:3: expected 3 columns, received 2', /must be quoted/],
    ['a row too long', 'a,label\n1,x,\n', 'x.csv:2: expected 2 columns, received 3', /must be quoted/],
    ['a wrong delimiter', 'a,label\n1;x\n', 'x.csv:2: expected 2 columns, received 1', /Check the delimiter/],
    [
      'a word among numbers',
      'a,label\n1,x\nabc,y',
      'x.csv:3: column "a": expected a number, received "abc"',
      /`ignore`/,
    ],
    ['infinity', 'a,label\nInfinity,x', 'x.csv:2: column "a": Infinity is no finite float32 number', /Correct/],
    ['more than float32 holds', 'a,label\n1e39,x', 'x.csv:2: column "a": 1e39 is no finite float32 number', /Correct/],
    ['no rows', 'a,label\n', 'x.csv: no rows of data', /with samples/],
    ['only a label', 'label\nx\n', 'x.csv: no feature columns, only a label', /delimiter/],
    ['two columns of a name', '1,0,0\n2,3,4\n', 'x.csv:1: two columns are called "0"', /`header: false`/],
    [
      'an open quote',
      'a,label\n1,x\n"2,y\n3,z\n',
      'x.csv:3: a quote that opens at or after this line is never closed',
      /Close it/,
    ],
    ['text after a quote', 'a,label\n"1"2,x\n', 'x.csv:2: not valid CSV: Invalid Closing Quote', /Quote whole values/],
    [
      'no such label',
      'a,lable\n1,x\n',
      'x.csv:1: label: no column "label", the file has 2: a, lable',
      /Did you mean "lable"\?/,
    ],
    ['no header', '1,x\n2,y\n', 'x.csv:1: label: no column "label", the file has 2: 1, x', /`header: false`/],
    ['a decimal comma', 'a;label\n"1,5";x\n', 'column "a": expected a number', /with a point/, { delimiter: ';' }],
    [
      'no such index',
      'a,b\n1,x\n',
      'x.csv:1: label: no column 7, the file has 2 columns (0 to 1)',
      /from 0/,
      { label: 7 },
    ],
    ['a name without header', '1,2\n', 'x.csv:1: label: "b" is a name', /index/, { label: 'b', header: false }],
    ['nothing to ignore', 'a,label\n1,x\n', 'x.csv:1: ignore: no column "id"', /`ignore`/, { ignore: ['id'] }],
  ])('%s', async (_, text, message, hint, ...options) => {
    const error = await failure(text, ...options);
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(hint);
  });

  it('counts lines through quoted line breaks and blank lines', async () => {
    expect((await failure('a,label\r\n1,"x\r\ny\r\nz"\r\n\r\n2,x\r\n3\r\n')).message).toContain(
      'x.csv:7: expected 2 columns',
    );
    expect((await failure('a,label\n1,"x\ny"\n\n\n2\n')).message).toContain('x.csv:6: expected 2 columns');
  });

  it('names the delimiter that the header is full of', async () => {
    const { message, hint } = await failure('a;b;label\n1;2;x\n');
    expect(message).toMatch(/x\.csv:1: label: no column "label", the whole line is one column: "a;b;label"$/);
    expect(hint).toBe('Set `delimiter: ";"` if that separates its values.');
  });

  it.each<[string, Uint8Array, RegExp, RegExp]>([
    ['UTF-16', Buffer.from('\uFEFFa,label\n1,x\n', 'utf16le'), /the text is UTF-16 \(it starts with ff fe\)/, /UTF-8/],
    ['a workbook', Buffer.from('PK\u0003\u0004rest'), /a zip archive or an Excel workbook/, /as CSV/],
    ['a label in Latin-1', Buffer.from('a,label\n1,caf\xe9\n', 'latin1'), /:2: the label "caf.+" holds bytes/, /UTF-8/],
  ])('%s', async (_, bytes, message, hint) => {
    const error = await failure(bytes);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it('an empty file', async () => {
    expect((await failure('')).message).toBe('x.csv: the file is empty (0 bytes)');
    expect((await failure('\n\n')).message).toBe('x.csv: the file is empty (0 bytes)');
  });

  it('a name of a column in another encoding', async () => {
    const { message, hint } = await failure(Buffer.from('gr\xf6\xdfe,b,label\n1,2,a\n2,3,b\n', 'latin1'));
    expect(message).toBe('x.csv: the column name "gr\ufffd\ufffde" holds bytes that are no UTF-8');
    expect(hint).toContain('iconv');
  });

  it('a folder instead of a file', async () => {
    const { message } = await userError(readCsv(folder.path, {}));
    expect(message).toMatch(/cannot read it: it is a folder$/);
  });

  it('a pipe, which nobody may ever write to', async () => {
    const file = path.join(folder.path, 'pipe.csv');
    await makePipe(file);
    const { message } = await userError(readCsv(file, {}));
    expect(message).toBe(`${file}: cannot read it: it is a pipe`);
  });
});
