import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '../../../src/base/bytes.ts';
import { storedEncoder, storedWordEncoder } from '../../../src/data/text/open.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { wordPieces } from '../../support/tokenizer.ts';

const folder = temporaryFolder();
const bytes = Buffer.from(JSON.stringify(wordPieces(['my', 'card'])));
const form = {
  ...({ tokenizer: 'tokenizer.json', sha256: sha256(bytes), texts: 1, length: 5 } as const),
  ...({ truncate: 'end', vocabulary: 58, padding: 0 } as const),
};

it('finds the tokenizer of a model beside it, or in the folder of exports below, where that of a teacher lies', async () => {
  await expect(storedEncoder(form, folder())).rejects.toThrow(/tokenizer\.json: cannot read it: no such file/);
  mkdirSync(path.join(folder(), 'exports'));
  writeFileSync(path.join(folder(), 'exports/tokenizer.json'), bytes);
  const ids = [2, 56, 57, 3, 0];
  expect(Array.from((await storedEncoder(form, folder()))(['my card']).ids)).toEqual(ids);
  const { ids: ofWords, words } = (await storedWordEncoder(form, folder()))(['card', 'my']);
  expect([Array.from(ofWords), Array.from(words)]).toEqual([
    [2, 57, 56, 3, 0],
    [-1, 0, 1, -1, -1],
  ]);
  // The one beside the model counts, even if it is another one.
  writeFileSync(path.join(folder(), 'tokenizer.json'), JSON.stringify(wordPieces(['other'])));
  await expect(storedEncoder(form, folder())).rejects.toThrow(/expected the tokenizer of hash/);
});
