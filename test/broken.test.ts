import { gzipSync } from 'node:zlib';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { temporaryFolder } from './support/folder.ts';
import { inProcess } from './support/in-process.ts';
import { pictureTeacher } from './support/onnx.ts';

const folder = temporaryFolder();

/** Big-endian header of an IDX file: type 8 (bytes), dimensions; then zeros and ones by turns. */
function idx(...dims: number[]): Buffer {
  const head = Buffer.alloc(4 + 4 * dims.length);
  head.set([0, 0, 8, dims.length]);
  dims.forEach((dim, i) => head.writeUInt32BE(dim, 4 + 4 * i));
  const count = dims.reduce((product, dim) => product * dim, 1);
  return Buffer.concat([head, Buffer.from(Array.from({ length: count }, (_, i) => i % 2))]);
}

const CSV = `a,b,label\n${Array.from({ length: 40 }, (_, i) => `${i},${(i * 7) % 11},${i % 2 ? 'yes' : 'no'}`).join('\n')}\n`;

/** Files that are right; each case puts one wrong thing in their place. */
const FILES: Record<string, Buffer | string> = {
  'x.gz': gzipSync(idx(40, 4, 4)),
  'y.gz': gzipSync(idx(40)),
  'd.csv': CSV,
};

/** 32 columns, as many as `pictureTeacher` takes. */
const WIDE = [
  [...Array.from({ length: 32 }, (_, i) => `c${i}`), 'label'].join(),
  ...Array.from({ length: 40 }, (_, row) => [...Array.from({ length: 32 }, (_, i) => (row * i) % 7), row % 2].join()),
].join('\n');

const png = (size: number): Promise<Buffer> =>
  sharp({ create: { width: size, height: size, channels: 3, background: 'red' } })
    .png()
    .toBuffer();

const IDX = 'dataset: { type: idx, train: { images: x.gz, labels: y.gz }, testFraction: 0.2 }';
const TABLE = 'dataset: { type: csv, train: d.csv, testFraction: 0.2 }';
const rest = 'student: { model: mlp, hidden: [4] }\ndistill: { epochs: 1 }\n';
const train = 'teacher: { train: { model: mlp, epochs: 1 } }\n';

interface Case {
  readonly recipe: string | Buffer;
  readonly files?: Record<string, Buffer | string>;
  readonly message: RegExp;
}

const CASES: Record<string, Case> = {
  'YAML with a bracket left open': { recipe: 'dataset: {type: csv', message: /r\.yaml:1:\d+ not valid YAML/ },
  'an empty recipe': { recipe: '', message: /r\.yaml: expected a mapping of keys to values, received an empty file/ },
  'a recipe that is binary': { recipe: '\u0000\u0001\u0002', message: /r\.yaml/ },
  'a recipe in UTF-16': {
    recipe: Buffer.from('\ufeffseed: 1\n', 'utf16le'),
    message: /r\.yaml: expected text in UTF-8/,
  },
  'two recipes in one file': {
    recipe: `${TABLE}\n${rest}---\n${TABLE}\n`,
    message: /r\.yaml:4:1 a second YAML document begins here\nKeep one/,
  },
  'a tag that nobody knows': {
    recipe: `${TABLE}\n${rest}name: !env HOME\n`,
    message: /:4:7 not valid YAML: Unresolved tag: !env/,
  },
  'an alias inside of its own value': {
    recipe: `${TABLE}\nstudent: {model: mlp}\ndistill: &d {temperature: *d}`,
    message: /distill\.temperature: expected a number, received a value that holds itself/,
  },
  'a number that is too large': {
    recipe: `${TABLE}\n${rest}seed: 1e30\n`,
    message: /^r\.yaml:4:7 seed: expected a number ≤ \d+, received 1e\+30\nChange seed/,
  },
  'a layer that no memory holds': {
    recipe: `${TABLE}\nstudent: {model: mlp, hidden: [1e15]}`,
    message: /:2:31 student\.hidden: expected a list of whole numbers from 1 to 65536/,
  },
  'a file name that no system has': {
    recipe: `dataset: {type: csv, train: "d\\0.csv"}\n${rest}`,
    message: /:1:29 dataset\.train: expected a file name without NUL/,
  },
  'an unknown key': {
    recipe: `${TABLE}\n${rest}distil: {}\n`,
    message: /r\.yaml:4:1 distil: unknown key\nDid you mean distill\?/,
  },
  'a key twice': { recipe: `${TABLE}\n${rest}seed: 1\nseed: 2\n`, message: /:5:1 this key stands twice/ },
  'a wrong type': { recipe: `${TABLE}\n${rest}seed: soon\n`, message: /:4:7 seed: expected a number, received "soon"/ },
  'a value out of range': {
    recipe: `${TABLE}\nstudent: {model: mlp}\ndistill: {temperature: 0}`,
    message: /:3:24 distill\.temperature: expected a number > 0, received 0/,
  },
  'an unknown model': {
    recipe: `${TABLE}\nstudent: {model: mlpp}`,
    message: /:2:18 student\.model: expected one of mlp.*\nDid you mean mlp\?/,
  },
  'an ONNX file as the student that is not there': {
    recipe: `${TABLE}\nstudent: {onnx: gone.onnx}`,
    message: /gone\.onnx: cannot read it/,
  },
  'an ONNX file as the student that is none': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: { 'a.onnx': 'not a model' },
    message: /a\.onnx: /,
  },
  'an ONNX file as the student for other samples': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: { 'a.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message: /a\.onnx: its input pixels is \[batch, 32\], received samples of shape \[2\]/,
  },
  'an ONNX file as the student for other classes': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: { 'd.csv': WIDE, 'a.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message:
      /a\.onnx: expected logits \[batch, 2\] for the 2 classes of the data, received scores \[batch, 3\]; its last layer .* has 3\nSet `student\.head: replace`/,
  },
  'an ONNX file as the student whose channels are to go': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}\nprune: [{type: channels, amount: 0.5}]`,
    message: /:3:16 prune\[0\]\.type: expected a student whose channels can be removed.*, received channels/,
  },
  'what is said of an ONNX file beside a model': {
    recipe: `${TABLE}\nstudent: {model: mlp, head: replace}`,
    message: /:2:29 student\.head: expected no such key beside model: it is of onnx, received student\.head/,
  },
  'an option that the model does not have': {
    recipe: `${TABLE}\nstudent: {model: mlp, depth: 3}`,
    message: /:2:23 student\.depth: unknown key/,
  },
  'an image model for a table': { recipe: `${TABLE}\nstudent: {model: ds-cnn}`, message: /takes images/ },
  'pictures that a model would pool to nothing': {
    recipe: `dataset: { type: csv, train: d.csv, testFraction: 0.2, shape: [1, 2] }\nstudent: { model: lenet }`,
    message: /lenet takes images of at least 4x4, received 1x2/,
  },
  'token ids that are normalized': {
    recipe: `${TABLE}\nstudent: { model: text-transformer }`,
    message:
      /train: sample \d+: value 0 is -?\d+\.\d+ after normalization, but .* token ids[^]*Set `dataset\.normalize: none`/,
  },
  'token ids beyond the vocabulary': {
    recipe: `${TABLE.replace('}', ', normalize: none }')}\nstudent: { model: text-transformer, vocabulary: 30 }`,
    message:
      /sample \d+: value 0 is 3\d, but model text-transformer takes token ids from 0 to 29\nRaise the vocabulary/,
  },
  'a single sample of every class': {
    recipe: `dataset: {type: csv, train: d.csv}\n${rest}`,
    files: { 'd.csv': 'a,b,label\n1,2,yes\n3,4,no\n' },
    message: /validation: every class has a single sample, none can be taken/,
  },
  'no data file': {
    recipe: `${TABLE.replace('d.csv', 'gone.csv')}\n${rest}`,
    message: /gone\.csv: cannot read it: no such file/,
  },
  'a folder for a data file': { recipe: `${TABLE.replace('d.csv', '.')}\n${rest}`, message: /cannot read it|folder/ },
  'an empty CSV': { recipe: `${TABLE}\n${rest}`, files: { 'd.csv': '' }, message: /d\.csv/ },
  'a CSV with only a header': { recipe: `${TABLE}\n${rest}`, files: { 'd.csv': 'a,b,label\n' }, message: /d\.csv/ },
  'a CSV with ragged rows': { recipe: `${TABLE}\n${rest}`, files: { 'd.csv': `${CSV}1,2\n` }, message: /d\.csv:42/ },
  'a CSV without the label column': {
    recipe: `dataset: {type: csv, train: d.csv, label: lable}\n${rest}`,
    message: /lable/,
  },
  'a CSV with text among the numbers': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': `${CSV}1,many,yes\n` },
    message: /d\.csv:42/,
  },
  'a CSV with a missing value': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': `${CSV}1,,yes\n` },
    message: /d\.csv:42/,
  },
  'a CSV with NaN': { recipe: `${TABLE}\n${rest}`, files: { 'd.csv': `${CSV}1,NaN,yes\n` }, message: /d\.csv/ },
  'a CSV with one class': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': CSV.replaceAll('yes', 'no') },
    message: /class/,
  },
  'a label in test that train does not have': {
    recipe: `dataset: {type: csv, train: d.csv, test: t.csv}\n${rest}`,
    files: { 't.csv': 'a,b,label\n1,2,maybe\n' },
    message: /maybe/,
  },
  'other columns in test': {
    recipe: `dataset: {type: csv, train: d.csv, test: t.csv}\n${rest}`,
    files: { 't.csv': 'a,label\n1,yes\n' },
    message: /t\.csv|column|shape/,
  },
  'an IDX file that is not gzip': { recipe: `${IDX}\n${rest}`, files: { 'x.gz': 'this is text' }, message: /x\.gz/ },
  'an empty IDX file': { recipe: `${IDX}\n${rest}`, files: { 'x.gz': '' }, message: /x\.gz/ },
  'a truncated gzip': {
    recipe: `${IDX}\n${rest}`,
    files: { 'x.gz': gzipSync(idx(40, 4, 4)).subarray(0, -12) },
    message: /x\.gz/,
  },
  'a truncated IDX file': {
    recipe: `${IDX}\n${rest}`,
    files: { 'x.gz': gzipSync(idx(40, 4, 4).subarray(0, 200)) },
    message: /x\.gz/,
  },
  'labels and images of different number': {
    recipe: `${IDX}\n${rest}`,
    files: { 'y.gz': gzipSync(idx(39)) },
    message: /39/,
  },
  'a validation split larger than the data': {
    recipe: `dataset: {type: csv, train: d.csv, validation: 400}\n${rest}`,
    message: /validation/,
  },
  'a folder of images without images': {
    recipe: `dataset: {type: image-folder, train: empty}\n${rest}`,
    message: /empty/,
  },
  'a corrupt PNG': {
    recipe: `dataset: {type: image-folder, train: pics, testFraction: 0.2}\n${rest}`,
    files: { 'pics/a/1.png': 'no picture', 'pics/b/1.png': 'no picture' },
    message: /1\.png/,
  },
  'images of different sizes': {
    recipe: `dataset: {type: image-folder, train: pics, testFraction: 0.2}\n${rest}`,
    files: { 'pics/a/1.png': await png(4), 'pics/b/1.png': await png(5) },
    message: /pics\/[ab]\/1\.png.*(5|4)[^]*Set `resize: \[height, width\]`/,
  },
  'a name that leaves the folder of the runs': {
    recipe: `name: ../elsewhere\n${TABLE}\n${rest}`,
    message: /:1:7 name: .*received "\.\.\/elsewhere"/,
  },
  'a teacher of other classes': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx}\n${rest}`,
    files: { 'd.csv': WIDE, 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message: /t\.onnx: expected answers for the 2 classes of the data set, received 3/,
  },
  'a teacher that is not there': {
    recipe: `${IDX}\nteacher: {onnx: gone.onnx}\n${rest}`,
    message: /gone\.onnx: cannot read it/,
  },
  'a teacher that is no model': {
    recipe: `${IDX}\nteacher: {onnx: d.csv}\n${rest}`,
    message: /d\.csv: not an ONNX file/,
  },
  'a teacher of another input shape': {
    recipe: `${IDX}\nteacher: {onnx: t.onnx}\n${rest}`,
    files: { 't.onnx': Buffer.from(pictureTeacher()) },
    message: /t\.onnx: its input pixels is \[batch, 4, 4, 2\], received samples of shape \[4, 4, 1\]/,
  },
  'a teacher of another table': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx}\n${rest}`,
    files: { 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message: /t\.onnx: its input pixels is \[batch, 32\], received samples of shape \[2\]/,
  },
  'a tfjs teacher that is no model': {
    recipe: `${TABLE}\nteacher: {tfjs: m.json}\n${rest}`,
    files: { 'm.json': '{}' },
    message: /m\.json: expected a tfjs layers model/,
  },
  'stored logits that are none': {
    recipe: `${TABLE}\nteacher: {logits: d.csv}\n${rest}`,
    message: /d\.csv: not a valid safetensors file/,
  },
  'mixup with stored answers': {
    recipe: `dataset: {type: csv, train: d.csv, testFraction: 0.2, augment: [{mixup: 0.2}]}\n${train}${rest}`,
    message: /mixup makes samples that no stored answer is for/,
  },
  'a feature loss without features': {
    recipe: `${TABLE}\n${train}student: {model: mlp}\ndistill: {loss: hint, softTargets: {store: live}}`,
    message: /received no distill\.features/,
  },
  'a module that is not there': {
    recipe: `${TABLE}\nstudent: {module: gone.js}`,
    message: /student\.module: cannot load/,
  },
};

describe('a broken input ends with exit code 1, a message, a remedy, no stack and untouched files', () => {
  it.each(Object.entries(CASES))('%s', async (_name, { recipe, files = {}, message }) => {
    const all = { ...FILES, ...files, 'r.yaml': recipe };
    await mkdir(path.join(folder(), 'empty'));
    for (const [name, content] of Object.entries(all)) {
      await mkdir(path.dirname(path.join(folder(), name)), { recursive: true });
      await writeFile(path.join(folder(), name), content);
    }
    const { code, stderr, stdout } = await inProcess(folder(), 'run', 'r.yaml');
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    const lines = stderr.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(stderr + stdout).not.toMatch(/^ {4}at /m);
    for (const [name, content] of Object.entries(all)) {
      expect((await readFile(path.join(folder(), name))).equals(Buffer.from(content))).toBe(true);
    }
    await expectNoResult(path.join(folder(), 'checkpoints/r'));
  });
});

/** A run that failed leaves no model, and if a report, then one that says so. */
async function expectNoResult(run: string): Promise<void> {
  const names = await readdir(run, { recursive: true }).catch((): string[] => []);
  expect(names.filter((name) => name.endsWith('.onnx'))).toEqual([]);
  if (!names.includes('report.json')) return;
  expect(JSON.parse(await readFile(path.join(run, 'report.json'), 'utf8'))).toMatchObject({ status: 'failed' });
  expect(await readFile(path.join(run, 'report.html'), 'utf8')).toContain('<p class="lead">The run failed in ');
}
