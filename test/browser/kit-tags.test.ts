import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';
import { asJsonl, taggedSentences } from '../support/tags.ts';
import { wordPieces } from '../support/tokenizer.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

interface Example {
  readonly words: readonly string[];
  readonly tags: readonly (string | null)[];
}

(BROWSER === undefined ? it.skip : it)(
  `the pages of a kit for tags of words give the tags of the examples, and those of a text that is written${NO_BROWSER}`,
  async () => {
    await writeFile(at('train.jsonl'), asJsonl(taggedSentences(300, 'pages')));
    await writeFile(at('pieces.json'), JSON.stringify(wordPieces(['ada', 'rome', 'house', 'stone', 'the'])));
    const recipe = {
      name: 'r',
      dataset: {
        ...{ type: 'jsonl', task: 'tagging', train: 'train.jsonl', testFraction: 0.2, label: 'tags' },
        text: { column: 'tokens', tokenizer: 'pieces.json', length: 32 },
      },
      student: { model: 'text-cnn', size: 8, filters: 16, depth: 2 },
      distill: { epochs: 4, batchSize: 32, optimizer: { learningRate: 0.01 } },
      ...{ export: ['onnx', 'tflite'], report: { latency: { seconds: 0 } } },
    };
    const { folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
    const served = await servedKit(run, folder());
    const examples = JSON.parse(readFileSync(path.join(served.kit, 'example.json'), 'utf8')) as Example[];
    const browser = await launch();
    try {
      for (const page of ['onnxruntime.html', 'litert.html']) {
        const tab = await browser.newPage();
        await tab.goto(`${served.address}${page}`);
        await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
        expect(await tab.evaluate('document.body.dataset.problem')).toBeUndefined();
        const results = JSON.parse(await tab.evaluate<string>('document.body.dataset.results')) as Example[];
        expect(results.map(({ tags }) => tags)).toEqual(examples.map(({ tags }) => tags));
        const { words, tags } = examples[0]!;
        await tab.fill('textarea', words.join(' '));
        await tab.locator('textarea').blur();
        await tab.waitForFunction("document.querySelectorAll('li').length === 6");
        expect(await tab.locator('li').last().textContent()).toBe(
          words.map((word, i) => (tags[i] === null ? word : `${word}/${tags[i]}`)).join(' '),
        );
        await tab.close();
      }
    } finally {
      await browser.close();
      served.end();
    }
  },
);
