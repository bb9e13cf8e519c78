import type { Inspected } from '../../convert/inspect.ts';
import type { File } from '../../page/browser/dom.ts';
import { byId, choice, make, say } from '../../page/browser/make.ts';
import { chooser } from '../../page/browser/try/chooser.ts';
import { Helper } from './helper.ts';
import { SCALES } from './messages.ts';
import type { ChosenModel, MadeFile, SampleChoice, Task } from './messages.ts';
import { failureElement, madeElements, modelElements } from './show.ts';

type Making = NonNullable<Task['make']>;

/** Formats and precisions of new files, with their texts. */
const FORMATS: readonly (readonly [Making['to'], string])[] = [
  ['tflite', 'TFLite'],
  ['onnx', 'ONNX'],
];
const PRECISIONS: readonly (readonly [Making['precision'], string, readonly Making['to'][]])[] = [
  ['fp32', 'float32', ['tflite', 'onnx']],
  ['fp16', 'float16', ['tflite', 'onnx']],
  ['int8', 'int8', ['tflite', 'onnx']],
  ['int8-weights', 'int8 weights', ['tflite', 'onnx']],
  ['int16x8', 'int16 × int8', ['tflite']],
  ['int4', 'int4 weights', ['onnx']],
];

const about = byId('about');
const lacking = about.getAttribute('data-missing')!;
const helper = new Helper(['onnxruntime-web', '@litertjs/core'].filter((name) => lacking.includes(name)));

let model: ChosenModel | undefined;
let to: Making['to'] = 'tflite';
let precision: Making['precision'] = 'fp32';
let samples: SampleChoice = { files: [], scale: SCALES[0] };
let saved: string | undefined;

/** Shows a sentence on the progress of the work; an empty text clears it. */
function state(text: string, kind = ''): void {
  byId('state').className = `state ${kind}`;
  say(byId('state'), text);
}

/** Reads the chosen files: a model, and perhaps the files of its weights. */
async function open(files: readonly File[], shape: ChosenModel['shape'] = {}): Promise<void> {
  const file = files.find(({ name }) => /\.(onnx|keras|h5|hdf5|tflite)$/i.test(name)) ?? files[0]!;
  model = { file, others: files.filter((one) => one !== file), shape };
  forget();
  byId('making').hidden = true;
  byId('model').replaceChildren();
  byId('file-said').replaceChildren(make('p', { class: 'soft' }, `Reading ${file.name} …`));
  state('reading');
  const told = await helper.perform({ model }, () => undefined);
  if (told === undefined) return;
  if (told.kind === 'failed') {
    byId('file-said').replaceChildren(failureElement(told.failure));
    state('not read', 'bad');
  } else if (told.kind === 'inspected') {
    const { inspected } = told;
    say(byId('lead'), file.name);
    byId('file-said').replaceChildren(...sizesForm(files, inspected));
    byId('model').replaceChildren(...modelElements(file.name, inspected));
    const isSource = inspected.format !== 'tflite';
    if (!isSource)
      byId('file-said').append(
        make(
          'p',
          { class: 'soft' },
          'A TFLite file is the end of a conversion: choose the ONNX or Keras file that it was made from to convert.',
        ),
      );
    byId('making').hidden = !isSource || inspected.refused !== undefined;
    showForm();
    state('read', 'good');
  }
}

/** Fields for the shapes of inputs that the file leaves open behind their first size. */
function sizesForm(files: readonly File[], { format, inputs }: Inspected) {
  const isOpen = (size: number | string): boolean => typeof size === 'string';
  const open = format === 'tflite' ? [] : inputs.filter(({ shape }) => shape.slice(1).some(isOpen));
  if (open.length === 0) return [];
  const fields = open.map(({ name, shape }) => {
    const value = shape.map((size, i) => (isOpen(size) ? (i === 0 ? 'batch' : '?') : size)).join(', ');
    const input = make('input', { type: 'text', value, id: `shape-${name}` });
    return { name, input, label: make('label', { for: `shape-${name}` }, `Shape of ${name}`, input) };
  });
  const apply = (): void => {
    const shapes = fields.map(({ name, input }) => {
      const sizes = input.value.split(',').map((size) => (size.trim() === 'batch' ? 'batch' : Number(size)));
      return [name, sizes] as const;
    });
    const wrong = shapes.find(([, sizes]) =>
      sizes.some((size) => size !== 'batch' && !(Number.isInteger(size) && size > 0)),
    );
    if (wrong === undefined) void openOnce(files, Object.fromEntries(shapes));
    else state(`expected whole numbers for the shape of ${wrong[0]}`, 'bad');
  };
  return [
    make('p', {}, 'The file leaves sizes open. Most files need them to be converted:'),
    make(
      'div',
      { class: 'sizes' },
      ...fields.map(({ label }) => label),
      make('button', { type: 'button', click: apply }, 'Set the sizes'),
    ),
  ];
}

function showForm(): void {
  const offered = PRECISIONS.filter(([, , formats]) => formats.includes(to));
  if (!offered.some(([name]) => name === precision)) precision = 'fp32';
  const formats = choice(
    'Format',
    FORMATS.map(([, text]) => text),
    FORMATS.findIndex(([name]) => name === to),
    (at) => {
      to = FORMATS[at]![0];
      showForm();
    },
  );
  const precisions = choice(
    'Precision',
    offered.map(([, text]) => text),
    offered.findIndex(([name]) => name === precision),
    (at) => {
      precision = offered[at]![0];
      showSamples();
    },
  );
  const samplesPlace = make('div', { class: 'samples', id: 'samples' });
  const note =
    lacking === ''
      ? []
      : [make('p', { class: 'caution' }, `${lacking}. Without, files are not compared, and int8 is not calibrated.`)];
  byId('form').replaceChildren(formats, precisions, samplesPlace, ...note);
  showSamples();
}

/** Builds the part of the page where a user drops samples, with a sentence on their use. */
function showSamples(): void {
  const isCalibrated = precision === 'int8' || precision === 'int16x8';
  const what = isCalibrated
    ? 'Samples calibrate the ranges of activations; a part is held out, on which the file is compared. Without samples random numbers are taken, whose ranges are not those of real inputs: good for a trial, not for a file to ship.'
    : 'The file is compared with its source on samples. Without samples random numbers are taken: they show a wrong file, and say little about how it answers real inputs.';
  const said = make('p', { class: 'soft', role: 'status' }, samplesText());
  const choose = chooser(
    'pictures, or one .npy or .npz file',
    'image/*,.npy,.npz',
    (files) => {
      samples = { ...samples, files };
      showSamples();
      byId('samples-file').focus();
    },
    true,
  );
  const input = choose.children[0]!;
  input.id = 'samples-file';
  choose.children[1]!.setAttribute('for', 'samples-file');
  const isPictures = samples.files.length > 0 && !samples.files.some(({ name }) => /\.np[yz]$/i.test(name));
  const scale = choice('Scale of pixels', SCALES, SCALES.indexOf(samples.scale), (at) => {
    samples = { ...samples, scale: SCALES[at]! };
  });
  const random = make(
    'button',
    {
      type: 'button',
      class: 'small',
      click: () => {
        samples = { ...samples, files: [] };
        showSamples();
      },
    },
    'Take random numbers instead',
  );
  byId('samples').replaceChildren(
    make('p', {}, what),
    choose,
    said,
    ...(isPictures ? [scale] : []),
    ...(samples.files.length > 0 ? [random] : []),
  );
}

function samplesText(): string {
  const { files } = samples;
  if (files.length === 0) return 'Random numbers.';
  return files.length === 1 ? files[0]!.name : `${files.length} files, ${files[0]!.name} the first.`;
}

/** Removes the file that was made. */
function forget(): void {
  if (saved !== undefined) URL.revokeObjectURL(saved);
  saved = undefined;
  byId('made').replaceChildren();
  byId('progress').replaceChildren();
}

async function convert(): Promise<void> {
  if (model === undefined) return;
  forget();
  const [button, stop, place] = [byId('convert'), byId('stop'), byId('progress')];
  button.disabled = true;
  stop.hidden = false;
  const text = make('p', { class: 'soft' }, 'Loading the runtimes …');
  const bar = make('i');
  place.replaceChildren(text, make('div', { class: 'progress' }, bar));
  state('converting');
  const own = model;
  const told = await helper.perform({ model, make: { to, precision, samples } }, ({ what, done, total }) => {
    say(text, total > 1 ? `${what} ${done} of ${total}` : `${what} …`);
    bar.style.setProperty('width', `${((100 * done) / total).toFixed(0)}%`);
  });
  button.disabled = false;
  stop.hidden = true;
  if (model !== own) return;
  if (told?.kind === 'made') show(told.made);
  else if (told?.kind === 'failed') {
    place.replaceChildren(failureElement(told.failure));
    state('not converted', 'bad');
  } else {
    place.replaceChildren(make('p', { class: 'soft' }, 'Stopped.'));
    state('stopped');
  }
}

function show(made: MadeFile): void {
  saved = URL.createObjectURL(new Blob([made.bytes]));
  byId('progress').replaceChildren(make('p', { class: 'soft' }, `${made.name} is ready below.`));
  byId('made').replaceChildren(...madeElements(made, saved));
  byId('made-title').focus();
  state('converted', 'good');
}

/** Opens files; what fails is said, and the page stays as it is. */
async function openOnce(files: readonly File[], shape?: ChosenModel['shape']): Promise<void> {
  await open(files, shape).catch((error: unknown) => {
    byId('file-said').replaceChildren(failureElement({ message: `the page failed: ${(error as Error).message}` }));
  });
}

byId('chooser').append(
  chooser(
    'an .onnx, .keras, .h5 or .tflite file, with its data file if it has one',
    '',
    (files) => void openOnce(files),
    true,
  ),
);
byId('go').append(
  make('button', { type: 'button', id: 'convert', click: () => void convert() }, 'Convert'),
  make('button', { type: 'button', id: 'stop', class: 'small', hidden: true, click: () => helper.stop() }, 'Stop'),
);
say(
  byId('foot'),
  `Limbeck ${about.getAttribute('data-version')!}. Nothing of this page is loaded from elsewhere, and no file leaves it.`,
);
state('ready');
