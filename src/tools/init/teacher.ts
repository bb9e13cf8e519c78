import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { exists, readBytes } from '../../base/files.ts';
import { TOKENIZER_FILE } from '../../data/text/tokenizer-file.ts';
import { columnOfInput } from '../../distill/teachers/inputs/column-inputs.ts';
import { decodeModel } from '../../formats/onnx/protobuf.ts';
import type { InitTeacher, SeenForm } from '../../recipe/init.ts';
import { readHubFolder } from '../../setup/hub/folder.ts';
import { shapesOfInputs } from '../../setup/pictures.ts';

/** Kinds of files and folders that can teach, for messages. */
const KINDS =
  'an ONNX file, a .keras or .h5 file of Keras, a TFLite file, a model.json of tfjs, a folder of Hugging Face or of a SavedModel, or stored answers as .npy or .safetensors';

const KEYS: Readonly<Partial<Record<string, InitTeacher['key']>>> = {
  '.onnx': 'onnx',
  '.keras': 'keras',
  '.h5': 'keras',
  '.tflite': 'tflite',
  '.json': 'tfjs',
  '.npy': 'logits',
  '.safetensors': 'logits',
};

/** Remedies for files that others make of a model, by their endings. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /^\.(pt|pth|pt2|ckpt|bin)$/,
    "Export it in Python: torch.onnx.export(model.eval(), (x,), 'teacher.onnx', dynamo=False, dynamic_axes={…}); a model of Hugging Face by optimum-cli export onnx.",
  ],
  [
    /^\.(pkl|pickle|joblib|txt|cbm|ubj|model)$/,
    'Convert it to ONNX in Python, as docs/teachers.md says for scikit-learn, LightGBM, XGBoost and CatBoost: skl2onnx.to_onnx(model, X[:1]).',
  ],
];
const USUAL_REMEDY = 'Export the model to ONNX, or let it answer and store its logits.';

interface SeenTeacher extends InitTeacher {
  /** Fact about a file that cannot teach, and the remedy. */
  readonly wrong?: string;
  readonly hint: string;
  readonly note?: string;
  /** True for a folder that says that its model answers with vectors. */
  readonly hasVectors?: boolean;
}

/** The teacher at a path, which exists; `name`: how the recipe names it. */
export async function seenTeacher(place: string, name: string): Promise<SeenTeacher> {
  const found = await stat(place);
  const about = { name, hint: USUAL_REMEDY };
  if (found.isDirectory()) return folderTeacher(place, name);
  const ending = path.extname(place).toLowerCase();
  const key = KEYS[ending];
  const bytes = { sizeBytes: found.size };
  if (key === undefined) {
    const hint = REMEDIES.find(([endings]) => endings.test(ending))?.[1] ?? USUAL_REMEDY;
    return { ...about, key: 'onnx', wrong: `a teacher is ${KINDS}, and not ${name}`, hint };
  }
  const folder = await hubFolderOf(place);
  if (key !== 'onnx' || folder === undefined) {
    const tokenizer = key === 'logits' ? undefined : await tokenizerNear(place, name);
    return { ...about, key, ...bytes, ...(tokenizer !== undefined && { tokenizer }) };
  }
  const named = path.posix.join(name, path.relative(place, folder));
  return {
    ...(await folderTeacher(folder, named)),
    ...bytes,
    note: `${named} says how ${path.basename(place)} is asked`,
  };
}

/** The tokenizer.json beside a model file, or beside the folder that it lies in, as Hugging Face has them. */
async function tokenizerNear(place: string, name: string): Promise<string | undefined> {
  for (const up of ['.', '..'])
    if (await exists(path.join(path.dirname(place), up, TOKENIZER_FILE)))
      return path.posix.join(path.dirname(name), up, TOKENIZER_FILE);
  return undefined;
}

/**
 * The form of the data with the length that the input of a teacher's file fixes: steps of a window whose channels are the columns left besides
 * `label`, or seconds of a sound. `said`: message about it.
 */
export async function formOfTeacher(
  form: SeenForm,
  label: readonly string[],
  place: string,
): Promise<{ readonly form: SeenForm; readonly said?: string }> {
  const { window, columns = [], ignore = [], rate, seconds } = form;
  if (!/\.(onnx|keras|h5|tflite|json)$/i.test(place) || (window === undefined && seconds === undefined))
    return { form };
  const shapes = await shapesOfInputs(place).catch((error: unknown) => {
    // Where the teacher is opened, a damaged file is refused with its reason.
    if (error instanceof UserError) return [];
    throw error;
  });
  const [, ...sizes] = shapes.length === 1 ? shapes[0]! : [];
  const takes = `${path.basename(place)} takes [batch, ${sizes.join(', ')}]`;
  if (window !== undefined) {
    const others = new Set([...label, ...ignore, window.group].map(String));
    const channels = columns.filter((name) => !others.has(name)).length;
    const steps = sizes.find((size, i) => sizes.length === 2 && sizes[1 - i] === channels);
    if (typeof steps !== 'number' || steps < 2) return { form };
    const said = `${takes}: window.steps: ${steps}`;
    return { form: { ...form, window: { ...window, steps, stride: Math.ceil(steps / 2) } }, said };
  }
  const [length, ...more] = sizes.filter((size) => size !== 1);
  const taken = typeof length === 'number' && more.length === 0 ? length / rate! : NaN;
  // Far from the length of the sounds the file is of another rate, which nothing tells.
  const isNear = taken > seconds! / 2 && taken < 2 * seconds!;
  return isNear ? { form: { ...form, seconds: taken }, said: `${takes}: seconds: ${taken}` } : { form };
}

/** The last of the columns that an ONNX file does not take, if each of its inputs is a column by its name; undefined for other files, and if it takes all. */
export async function columnBeside(place: string, columns: readonly string[]): Promise<string | undefined> {
  if (path.extname(place).toLowerCase() !== '.onnx' || !(await exists(place))) return undefined;
  const bytes = await readBytes(place);
  const named = columns.map((name) => ({ name }));
  try {
    const { inputs } = decodeModel(bytes, place).graph;
    const taken = new Set(inputs.map(({ name }) => columnOfInput(named, name)?.name));
    return inputs.length < 2 || taken.has(undefined) ? undefined : columns.findLast((name) => !taken.has(name));
  } catch (error) {
    // Where the teacher is opened, a damaged file is refused with its reason.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Folder of Hugging Face that holds this file as the one that is read by default. */
async function hubFolderOf(file: string): Promise<string | undefined> {
  if (path.basename(file) !== 'model.onnx') return undefined;
  const own = path.dirname(file);
  const folder = path.basename(own) === 'onnx' ? path.dirname(own) : own;
  return (await exists(path.join(folder, 'config.json'))) ? folder : undefined;
}

async function folderTeacher(place: string, name: string): Promise<SeenTeacher> {
  const about = { name, hint: USUAL_REMEDY };
  const names = await readdir(place);
  if (names.includes('config.json')) {
    try {
      const { task, tokenizer } = readHubFolder(place);
      const own = tokenizer !== undefined && { tokenizer: path.posix.join(name, tokenizer) };
      return { ...about, key: 'folder', ...own, hasVectors: task === undefined };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { ...about, key: 'folder', wrong: error.message, hint: error.hint };
    }
  }
  if (names.includes('saved_model.pb')) return { ...about, key: 'savedModel' };
  if (names.includes('model.json')) return { ...about, key: 'tfjs', name: path.posix.join(name, 'model.json') };
  const wrong = `a folder that teaches has a config.json (Hugging Face), a saved_model.pb or a model.json, and ${name} has ${names.slice(0, 5).join(', ') || 'nothing'}`;
  return { ...about, key: 'folder', wrong, hint: 'Name the folder or the file of the model.' };
}
