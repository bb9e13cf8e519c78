import type { TextConfig } from '../../../src/data/config.ts';
import { readConll } from '../../../src/data/formats/conll/conll.ts';
import { openText } from '../../../src/data/text/open.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();
let files = 0;

/** Sentences of a file, each as `word/tag word/tag`. */
async function read(
  content: string | Uint8Array,
  column = 0,
  label?: number,
  invalid?: TextConfig['invalid'],
): Promise<string[]> {
  const words: string[][] = [];
  const text = await openText({ column, tokenizer: 'bytes', length: 64, ...(invalid && { invalid }) });
  const file = await folder.file(`${files++}.conll`, content);
  const split = await readConll(file, {
    ...(label !== undefined && { label }),
    text: { ...text, onText: (_, all) => words.push([...all]) },
  });
  const { labels } = split;
  if (labels.kind !== 'name') throw new Error('expected tags');
  return words.map((all, row) => {
    const tags = labels.names[labels.values[row]!]!.split('|');
    return all.map((word, i) => `${word}/${tags[i]!}`).join(' ');
  });
}

describe('lines of a word and its tag', () => {
  it('are read as GermEval writes them, whose comments have a tab', async () => {
    const text =
      '#\thttp://de.wikipedia.org/wiki/Troia [2009-10-17]\n1\tin\tO\tO\n2\tTroia\tB-OTH\tB-LOC\n3\t#\tO\tO\n\n' +
      '#\thttp://de.wikipedia.org/wiki/Bonn [2009-10-17]\n1\tBonn\tB-LOC\tO\n';
    expect(await read(text, 1, 2)).toEqual(['in/O Troia/B-OTH #/O', 'Bonn/B-LOC']);
    expect(await read(text, 1)).toEqual(['in/O Troia/B-LOC #/O', 'Bonn/O']);
  });

  it('are read as CoNLL-U writes them, with comments, contractions and empty nodes', async () => {
    const row = (id: string, word: string, tag: string): string => `${id}\t${word}\t_\t${tag}\t_\t_\t0\t_\t_\t_\n`;
    const text = `# text = au lac\n${row('1-2', 'au', '_')}${row('1', 'à', 'ADP')}${row('2', 'le', 'DET')}${row('2.1', 'x', '_')}${row('3', 'lac', 'NOUN')}`;
    expect(await read(text, 1, 3)).toEqual(['à/ADP le/DET lac/NOUN']);
  });

  it('may have # as a word, in the first line too', async () => {
    expect(await read('#\tO\nBonn\tB-LOC\n\n#\tO\n')).toEqual(['#/O Bonn/B-LOC', '#/O']);
    expect(await read('# O\nBonn B-LOC\n')).toEqual(['#/O Bonn/B-LOC']);
    expect(await read('#\tO\n')).toEqual(['#/O']);
  });

  it('end a sentence where a document begins, also without a blank line', async () => {
    expect(await read('Bonn B-LOC\n-DOCSTART- O\nAda B-PER\r\nwalks O')).toEqual(['Bonn/B-LOC', 'Ada/B-PER walks/O']);
  });

  it('lose spaces around words and tags', async () => {
    expect(await read('Bonn \t B-LOC \nis\tO\n')).toEqual(['Bonn/B-LOC is/O']);
  });

  it('may hold the sign U+FFFD; a sentence is left out where the recipe says so', async () => {
    const text = 'Caf\uFFFD O\n\nBonn B-LOC\n';
    expect(await read(text)).toEqual(['Caf\uFFFD/O', 'Bonn/B-LOC']);
    expect(await read(text, 0, undefined, 'drop')).toEqual(['Bonn/B-LOC']);
    expect((await userError(read(text, 0, undefined, 'refuse'))).message).toMatch(/conll:1: "words": word 0 holds/);
  });

  it('are refused where the file ends within a sign', async () => {
    // The first of the two bytes of é.
    const cut = Buffer.concat([Buffer.from('O Bonn\nO Caf'), Buffer.of(0xc3)]);
    expect((await userError(read(cut, 1, 0))).message).toMatch(/word 1 holds bytes that are no UTF-8/);
  });
});
