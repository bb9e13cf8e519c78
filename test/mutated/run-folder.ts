import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { concatBytes, sha256 } from '../../src/base/bytes.ts';
import { readBytes, readUtf8 } from '../../src/base/files.ts';
import { UserError } from '../../src/base/errors.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { Safetensors } from '../../src/formats/safetensors.ts';
import { readSealed } from '../../src/files/safetensors-file.ts';
import { seal } from '../../src/formats/sealed.ts';
import { models } from '../../src/networks/models/registry.ts';
import { CheckpointStore } from '../../src/folder/states/checkpoint.ts';
import { storedRecipe } from '../../src/folder/folder.ts';
import { INPUTS_FILE, RunInputs } from '../../src/folder/inputs.ts';
import { inspectFile } from '../../src/tools/inspect.ts';
import { Ledger } from '../../src/folder/states/ledger.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { writtenReport } from '../../src/folder/report/finished.ts';
import { usualOf, usualPath, usualText } from '../../src/folder/usual-answers.ts';
import { usualAnswers } from '../../src/measure/usual-answers.ts';
import { reportFiles } from '../../src/report/render/files.ts';
import { reportJson } from '../../src/report/render/json.ts';
import { fileTrials } from '../../src/recipe/grid.ts';
import { completeRecipe } from '../../src/recipe/load.ts';
import { example } from '../report/example.ts';
import { sane } from './reader.ts';
import type { Reader } from './reader.ts';

const RECIPE = `# The data set.
name: small
seed: 3
dataset: { type: csv, train: d.csv, testFraction: 0.2, label: "kind", augment: [] }
teacher:
  train: { model: mlp, hidden: [16, 8], epochs: 5, batchSize: 16 }
student: { model: mlp, hidden: [2] }
distill:
  epochs: 5
  temperature: 4
  optimizer: { type: sgd, momentum: 0.9 }
quantize: { scheme: int8 }
`;

const rows = [
  { stage: 'data', seconds: 1.25, figures: {}, notes: { classes: ['a', 'b'] } },
  { stage: 'distill', seconds: 30, figures: { score: { validation: 0.5 }, params: 12 }, notes: {} },
];
const LEDGER = `${JSON.stringify({ sha256: sha256(JSON.stringify(rows)), rows }, null, 2)}\n`;
const STORED = JSON.stringify({
  ...{ base: '/nowhere', baseFromHere: '..', moves: [] },
  recipe: makeRecipe({ name: 'small', dataset: { type: 'csv', train: 'd.csv' }, student: { model: 'mlp' } }).written,
});
const HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const KNOWN = JSON.stringify({ files: {}, data: { stamps: { 'dataset.train': '2 1000' }, sha256: HASH } }, null, 2);

function state(step: number): Safetensors {
  return {
    tensors: new Map([
      ['w', { dtype: 'float32', shape: [2, 3], data: new Float32Array(6).fill(step) }],
      ['ids', { dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, BigInt(step)) }],
    ]),
    metadata: { step: String(step), note: 'ä' },
  };
}
const MODEL = Uint8Array.from({ length: 8 }, (_, i) => i);
const TRIALS = `- { distill.temperature: 2, seed: 1 }
- { distill.temperature: 4, student.hidden: [8, 4] }
`;
const [OLDER, NEWEST] = ['state/distill-000001.safetensors', 'state/distill-000002.safetensors'];

export const runReaders: Readonly<Record<string, Reader>> = {
  recipe: {
    ...{ files: { 'r.yaml': RECIPE }, damaged: 'r.yaml', text: true },
    read: async (folder) => {
      const { recipe } = await loadRunnable(path.join(folder, 'r.yaml'));
      sane(Object.hasOwn(models, recipe.student!.model ?? 'mlp'), 'its student is no model');
    },
  },
  'recipe.json': {
    ...{ files: { 'recipe.json': STORED, 'ledger.json': LEDGER }, damaged: 'recipe.json', text: true },
    read: async (folder) => {
      sane((await storedRecipe(folder)).written.name !== '', 'the run has no name');
      await inspectFile(folder);
    },
  },
  'inputs.json': {
    files: { 'a.csv': 'a\n', [`r/${INPUTS_FILE}`]: KNOWN },
    ...{ damaged: `r/${INPUTS_FILE}`, text: true },
    read: async (folder) => {
      const { recipe } = completeRecipe(
        { name: 'r', dataset: { type: 'csv', train: 'a.csv' }, student: { model: 'mlp' } },
        folder,
      );
      const warnings: string[] = [];
      const inputs = await RunInputs.open(path.join(folder, 'r'), recipe, { warn: (text) => warnings.push(text) });
      await inputs.checkFiles();
      inputs.checkData(() => HASH);
      // What cannot be read counts as none, and is told of.
      if (warnings.length > 0) throw new UserError(warnings[0]!, 'It counts as none.');
    },
  },
  'report.json': {
    ...{ files: { 'report.json': reportJson(example) }, damaged: 'report.json', text: true },
    read: async (folder) => {
      const report = await writtenReport(folder);
      // Made again where there is a ledger.
      if (report === undefined) throw new UserError('report.json: damaged', 'It counts as none.');
      reportFiles(report);
    },
  },
  'the distribution of answers': {
    files: {
      ...{ 'a.onnx': MODEL },
      [usualPath('a.onnx')]: usualText(MODEL, usualAnswers(Float32Array.of(1, 2, 3, 1, 0, 0), 3, 'test')),
    },
    ...{ damaged: usualPath('a.onnx'), text: true },
    read: async (folder) => usualOf(path.join(folder, 'a.onnx'), MODEL),
  },
  'trials of a sweep': {
    ...{ files: { 't.yaml': TRIALS }, damaged: 't.yaml', text: true },
    read: async (folder) => {
      const file = path.join(folder, 't.yaml');
      for (const { name } of fileTrials(await readUtf8(file), file)) sane(/^[\w.-]+$/.test(name), `a trial is ${name}`);
    },
  },
  safetensors: {
    ...{ files: { 'a.safetensors': sealed(1) }, damaged: 'a.safetensors' },
    read: async (folder) => {
      const file = path.join(folder, 'a.safetensors');
      await inspectFile(file);
      for (const { shape, data } of readSafetensors(await readBytes(file), file).tensors.values())
        sane(
          data.length === shape.reduce((a, b) => a * b, 1),
          `a tensor [${shape.join(', ')}] has ${data.length} values`,
        );
    },
  },
  state: { files: { [OLDER]: sealed(1), [NEWEST]: sealed(2) }, damaged: NEWEST, read: readState },
  ledger: {
    ...{ files: { 'recipe.json': STORED, 'ledger.json': LEDGER }, damaged: 'ledger.json', text: true },
    read: readLedger,
  },
};

/** Bytes of a saved state. */
function sealed(step: number): Uint8Array {
  return concatBytes(seal(state(step)));
}

/** Whatever was done to the newest state, the run goes on with it or with the one before, and loses neither. */
async function readState(folder: string): Promise<void> {
  const before = await readFile(path.join(folder, OLDER));
  const newest = Buffer.from(await readBytes(path.join(folder, NEWEST)));
  const warnings: string[] = [];
  const store = new CheckpointStore(folder, (warning) => warnings.push(warning));
  const found = await store.load('distill');
  const isWhole = newest.equals(sealed(2));
  expect(found).toEqual(state(isWhole ? 2 : 1));
  expect(warnings.filter((warning) => warning.startsWith(path.join(folder, NEWEST)))).toHaveLength(isWhole ? 0 : 1);
  expect((await readFile(path.join(folder, OLDER))).equals(before)).toBe(true);
  await store.save('distill', state(3));
  expect(await store.load('distill')).toEqual(state(3));
  expect(await readdir(path.join(folder, 'state'))).toHaveLength(2);
  await writeFile(path.join(folder, NEWEST), newest);
  if (!isWhole) await readSealed(path.join(folder, NEWEST));
}

/** A ledger is whole, or empty with a warning; looking at it writes nothing. */
async function readLedger(folder: string): Promise<void> {
  const file = path.join(folder, 'ledger.json');
  const before = Buffer.from(await readBytes(file));
  const warnings: string[] = [];
  const ledger = await Ledger.open(folder, (warning) => warnings.push(warning));
  expect(ledger.rows).toEqual(warnings.length === 0 ? rows : []);
  expect((await inspectFile(folder)).text.includes('warning: ')).toBe(warnings.length > 0);
  expect((await readFile(file)).equals(before)).toBe(true);
  await ledger.add(rows[1]!);
  expect((await Ledger.open(folder, (warning) => sane(false, warning))).find('distill')).toEqual(rows[1]);
  if (warnings.length > 0) throw new UserError(warnings[0]!, 'The stages are checked again.');
}
