import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { textParts } from '../../../src/ship/kit/text.ts';
import { pictures } from '../../support/dataset.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

it("the tokenizer of a kit is read by Node's sample inside a project of CommonJS", async () => {
  const text = { tokenizer: 'bytes', texts: 1, length: 8, truncate: 'end', vocabulary: 257, padding: 0 } as const;
  const { files } = await textParts(pictures(3, { text }), folder(), false);
  const all = {
    ...files,
    'package.json': '{ "type": "commonjs" }',
    'samples/node/package.json': '{ "type": "module" }',
    'samples/node/a.mjs': `import { encoderFor } from '../tokenize/encode.js';
import { wordsIn } from '../tokenize/words.js';
console.log(encoderFor(${JSON.stringify(text)})(['ab']).ids.join(), wordsIn('a b').length);
`,
  };
  for (const [name, content] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(folder(), name)), { recursive: true });
    await writeFile(path.join(folder(), name), content);
  }
  const said = execFileSync(process.execPath, [path.join(folder(), 'samples/node/a.mjs')], { encoding: 'utf8' });
  expect(said).toBe('98,99,0,0,0,0,0,0 2\n');
});
