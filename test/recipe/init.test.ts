import { csvForm } from '../../src/tools/init/columns.ts';
import { models } from '../../src/networks/models/registry.ts';
import { parseRecipe } from '../../src/recipe/load.ts';
import { recipeText, targetsIn, usualStudent } from '../../src/recipe/init.ts';

it('a recipe for numbers over time does not advise what turns pictures', () => {
  const answers = { type: 'npz', train: 'x.npy', labels: 'y.npy', test: '', testLabels: '', label: '', model: 'ds-cnn' }; // prettier-ignore
  expect(recipeText(answers)).toContain('flip');
  expect(recipeText({ ...answers, form: { sample: 'series' } })).not.toContain('flip');
});

it('a recipe for a table in time cuts windows by group, and advises what changes sequences', () => {
  const answers = { type: 'csv', train: 'walks.csv', labels: '', test: '', testLabels: '', label: 'activity', model: 'cnn-1d' }; // prettier-ignore
  const window = { steps: 64, stride: 32, group: 'person', why: '' };
  const text = recipeText({ ...answers, form: { window } });
  expect(text).toContain('  window: { steps: 64, stride: 32, group: person } #');
  expect(text).toContain('# augment: [{ jitter: 0.05 }, { scaling: 0.1 }, { timeWarp: 0.2 }]');
  expect(text).toContain('teacher: { train: { model: tcn,');
  expect(parseRecipe(text, 'r.yaml', { models }).recipe.dataset).toMatchObject({
    window: { steps: 64, group: 'person' },
  });
});

it('a recipe for a folder of the hub leaves to it the splits that it has', () => {
  const hub = { ...{ type: 'parquet', train: 'hub', labels: '', test: '', testLabels: '', label: '', model: 'mlp' } };
  const whole = recipeText({ ...hub, within: ['test', 'train', 'validation'] });
  expect(whole).toContain('  train: hub # its splits: test, train, validation\n');
  expect(whole).not.toMatch(/testFraction|validation: 0/);
  const own = recipeText({ ...hub, type: 'coco', labels: 'a.json', validation: 'val', validationLabels: 'b.json' });
  expect(own).toContain('  validation: { images: val, labels: b.json } # models are chosen on it');
  expect(recipeText({ ...hub, within: ['train'] })).toMatch(/testFraction.*\n {2}validation: 0\.1/);
});

it('a recipe for masks proposes segmenters and small batches, also for files that may hold boxes', () => {
  const answers = { type: 'coco', train: 'pics', labels: 'masks.json', test: '', testLabels: '', label: '' };
  const model = usualStudent('coco', {}, 'segmentation');
  const text = recipeText({ ...answers, task: 'segmentation', model });
  expect(text).toContain('teacher: { train: { model: unet, epochs: 20, batchSize: 16 } }');
  expect(text).toContain('student: { model: seg-lraspp, alpha: 0.35 } #');
  expect(text).toContain('  batchSize: 16\n');
  expect(parseRecipe(text, 'r.yaml', { models }).recipe.dataset).toMatchObject({ type: 'coco', fit: 'stretch' });
  expect(usualStudent('coco')).toBe('det-nano');
});

it('a recipe for a table proposes a student of the size of the table, and no larger than its teacher', () => {
  const answers = { type: 'csv', train: 't.csv', labels: '', test: '', testLabels: '', label: '', model: 'mlp' }; // prettier-ignore
  const form = { columns: Array.from({ length: 100 }, (_, i) => `c${i}`) };
  const student = (sizeBytes?: number): string => {
    const teacher = { key: 'onnx' as const, name: 't.onnx', ...(sizeBytes !== undefined && { sizeBytes }) };
    return /^student: .*$/m.exec(recipeText({ ...answers, form, teacher }))![0];
  };
  expect(student()).toBe('student: { model: mlp }');
  expect(student(500_000)).toBe('student: { model: mlp }');
  expect(student(31_000)).toMatch(/^student: \{ model: mlp, hidden: \[32, 16\] \} # /);
  expect(student(900)).toMatch(/hidden: \[8, 4\]/);
  const few = { columns: ['a', 'b', 'c'] };
  expect(recipeText({ ...answers, form: few })).toContain('student: { model: mlp }');
});

it.each([
  [undefined, '  epochs: 10\n'],
  [60_000, '  epochs: 10\n'],
  [445, '  epochs: 143 # 2002 steps of 32 samples'],
  [50, '  epochs: 200 # 400 steps of 32 samples'],
])('a recipe has epochs by their steps: %s samples', (samples, expected) => {
  const answers = { type: 'audio-folder', train: 't', labels: '', test: '', testLabels: '', label: '', model: 'ds-cnn' }; // prettier-ignore
  const text = recipeText({ ...answers, form: samples === undefined ? {} : { samples } });
  expect(text).toContain(expected);
  expect(parseRecipe(text, 'r.yaml', { models }).recipe.distill.epochs).toBe(
    Number(/^ {2}epochs: (\d+)/m.exec(text)![1]),
  );
});

it.each([
  ['', 'image-folder', ['export: [onnx]', '# repeats']],
  ['server', 'image-folder', ['export: [onnx] # for server', '# repeats']],
  ['browser', 'image-folder', ['export: [onnx] # for browser', 'quantize: [{ scheme: int8 }]', '# repeats']],
  ['ios, android', 'image-folder', ['export: [tflite] # for android, ios', 'quantize: [{ scheme: int8 }]', 'outputs: probabilities', '# repeats']],
  ['browser,ios', 'csv', ['export: [onnx, tflite] # for browser, ios', '# repeats']],
])('for %j of %s it writes the files that are opened there', (targets, type, lines) => {
  const answers = { type, train: 't', labels: '', test: '', testLabels: '', label: '', model: 'mlp' };
  const text = recipeText({ ...answers, targets: targetsIn(targets).names });
  const written = text.slice(text.indexOf('export:')).trimEnd().split('\n');
  expect(written).toEqual(lines.map((line) => expect.stringContaining(line) as string));
}); // prettier-ignore

it('a target that is none is named', () => {
  expect(targetsIn('browser, watch').wrong).toBe('expected some of browser, android, ios, server, received watch');
});

describe('names in the data', () => {
  const answers = { type: 'csv', train: 'd.csv', labels: '', test: '', testLabels: '', model: 'mlp' };
  const dataOf = (text: string) => parseRecipe(text, 'r.yaml', { models }).recipe;

  it('add no keys to a recipe, whatever line breaks they hold', () => {
    const evil = 'a\nname: injected\nrepeats: 9\nstudent: { module: ./evil.mjs }\n#';
    const csv = `${JSON.stringify(evil).replaceAll('\\n', '\n')},"x\r\ny",label\n${Array.from({ length: 60 }, (_, i) => `word${i} z${i},${i},${i % 2}`).join('\n')}\n`;
    const form = csvForm(csv.split('\n'), []);
    expect(form.leftOut?.join()).toContain('\n');
    const text = recipeText({ ...answers, label: '', form });
    expect(dataOf(text).dataset).toMatchObject({ ignore: [evil] });
    const plain = dataOf(recipeText({ ...answers, label: '' }));
    expect({ ...dataOf(text), dataset: undefined }).toEqual({ ...plain, dataset: undefined });
  });

  it('are read as they are, also where YAML would read something else or show another order', () => {
    const names = ['true', 'null', '~', '12', '0x1f', '.inf', '---', '...', '<<', '- a', '[b', 'c: d', '#e', '', ' f ', '"', "'", '\\', '\t', '\u0085', '\u2028', '\u202e', '\x1b[2J', 'ä, ö']; // prettier-ignore
    const text = recipeText({ ...answers, label: names, form: { categorical: names } });
    expect(dataOf(text).dataset).toMatchObject({ label: names, categorical: names });
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    for (const label of names.filter((name) => name !== ''))
      expect(dataOf(recipeText({ ...answers, label })).dataset).toMatchObject({ label });
  });
});
