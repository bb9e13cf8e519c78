import { readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { isJsonAsOnnx } from '../files/as-onnx.ts';
import type { WithFolders } from '../recipe/load.ts';
import { DEFAULT_TASK, taskNames, taskRow } from '../recipe/task.ts';
import { isFolder } from './hub/files.ts';
import { readHubFolder } from './hub/folder.ts';
import type { HubFolder } from './hub/folder.ts';
import { parquetSplits } from './hub/parquet.ts';
import { hubPreparation } from './hub/pictures.ts';

type Mapping = Readonly<Record<string, unknown>>;
type Keys = readonly (string | number)[];

/** The recipe with folders of Hugging Face turned into the keys that they stand for; stated keys win, and contradictions are refused. */
export const withFolders: WithFolders = (data, base, fail) => {
  const read = <T>(keys: Keys, use: () => T): T => {
    try {
      return use();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return fail([{ path: keys, fact: error.message, hint: error.hint, changes: error.changes }]);
    }
  };
  if (!isMapping(data)) return data;
  const place = (file: string): string => path.resolve(base, file);
  const [teacher, student] = [data['teacher'], data['student']].map((part) => withKeras(part, place));
  let dataset = read(['dataset', 'train'], () => withShards(data['dataset'], place));
  const expanded = (part: Mapping, keys: Keys): Mapping => {
    if (!hasFolder(part)) return part;
    const found = read([...keys, 'folder'], () => teacherKeys(part, dataset, place));
    ({ dataset } = found);
    return found.teacher;
  };
  let taught: unknown = teacher;
  if (isMapping(teacher)) {
    const { ensemble: stated } = teacher;
    const ensemble = Array.isArray(stated) ? stated.map((member) => withKeras(member, place)) : stated;
    // All members read the tokens that stand beside the ensemble.
    let text: unknown;
    const members =
      Array.isArray(ensemble) &&
      ensemble.map((member: unknown, i) => {
        if (!isMapping(member) || !hasFolder(member)) return member;
        const { text: own, ...rest } = expanded(member, ['teacher', 'ensemble', i]);
        text ??= own;
        return rest;
      });
    const whole = members ? { ...teacher, ensemble: members } : teacher;
    taught = expanded(text === undefined ? whole : { text, ...whole }, ['teacher']);
  }
  const learning = isMapping(student) && hasFolder(student) ? student : undefined;
  const parts = learning && read(['student', 'folder'], () => studentKeys(learning, dataset, place));
  return {
    ...data,
    ...(dataset !== undefined && { dataset }),
    ...(teacher !== undefined && { teacher: taught }),
    ...(student !== undefined && { student }),
    ...parts,
  };
};

/**
 * A teacher or student with its file of Keras under the key `onnx`: such files are read as ONNX models. So is a model.json of Keras 3, which tfjs-layers
 * cannot read.
 */
function withKeras(part: unknown, place: Place): unknown {
  if (!isMapping(part) || part['onnx'] !== undefined) return part;
  if (part['backbone'] !== undefined) return { ...part, backbone: withKeras(part['backbone'], place) };
  const { keras, ...rest } = part;
  if (typeof keras === 'string') return { onnx: keras, ...rest };
  const { tfjs, ...others } = part;
  return typeof tfjs === 'string' && isJsonAsOnnx(textOfFile(place(tfjs))) ? { onnx: tfjs, ...others } : part;
}

/** Content of a file; empty for a missing one, which is reported elsewhere. */
function textOfFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Parquet data whose train is a folder of the hub: the files of its splits. Archives that are named by a range: the names of each. */
function withShards(dataset: unknown, place: Place): unknown {
  if (!isMapping(dataset)) return dataset;
  if (dataset['type'] === 'webdataset')
    return Object.fromEntries(
      Object.entries(dataset).map(([key, value]) => [key, SPLITS.has(key) ? ranged(value) : value]),
    );
  if (dataset['type'] !== 'parquet') return dataset;
  const { train: folder, ...stated } = dataset;
  if (typeof folder !== 'string' || !isFolder(place(folder))) return dataset;
  const splits = Object.entries(parquetSplits(place(folder)));
  const files = splits.map(([split, names]) => [split, names.map((name) => path.join(folder, name))]);
  return { ...Object.fromEntries(files), ...stated } as Mapping;
}

const SPLITS = new Set(['train', 'validation', 'test', 'unlabelled']);

/** Names in which `{000..146}` stands for each number of the range, as in WebDataset. */
function ranged(files: unknown): unknown {
  if (Array.isArray(files)) return files.flatMap(ranged);
  const [, before, first, last, after] =
    typeof files === 'string' ? (/^(.*)\{(\d+)\.\.(\d+)\}(.*)$/.exec(files) ?? []) : [];
  const count = Number(last) - Number(first) + 1;
  // A range of nothing stays as it is, and is reported as a missing file.
  if (!(count > 0 && count <= MOST_SHARDS)) return files;
  return Array.from(
    { length: count },
    (_, i) => `${before!}${String(Number(first) + i).padStart(first!.length, '0')}${after!}`,
  );
}

const MOST_SHARDS = 100_000;

interface WithFolder extends Mapping {
  readonly folder: string;
}

/** True for a part with a folder and no other source; others are refused by the schema. */
function hasFolder(part: Mapping): part is WithFolder {
  const others = ['model', 'module', 'keras', 'tfjs', 'savedModel', 'tflite', 'train', 'ensemble', 'logits'];
  return typeof part['folder'] === 'string' && others.every((key) => part[key] === undefined);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Place = (file: string) => string;

function opened({ folder, onnx }: WithFolder, place: Place): { facts: HubFolder; named: Place } {
  const own = typeof onnx === 'string' ? onnx : undefined;
  const facts = readHubFolder(place(folder), own && place(own));
  return { facts, named: (file) => path.join(folder, file) };
}

/** Keys of a teacher, and the data: labels and tags of a teacher have no order of their own in a recipe, so the data take that of the folder. */
function teacherKeys(
  { folder, ...stated }: WithFolder,
  dataset: unknown,
  place: Place,
): { teacher: Mapping; dataset: unknown } {
  const { facts, named } = opened({ folder, ...stated }, place);
  const { task, reads, classes, output } = facts;
  const data = isMapping(dataset) ? dataset : {};
  refuseOther(facts, data);
  const row = task === undefined ? undefined : taskRow(task);
  if (task === undefined && !isHeadless(data) && typeof stated['classes'] !== 'string')
    throw new UserError(
      `${facts.folder}: answers with an embedding, expected vectors of the classes beside it`,
      'Write the embedding of each class with numpy.save, and name the file: `teacher.classes: classes.npy`.',
    );
  const given = stated['classes'];
  if (Array.isArray(given) && classes !== undefined && given.length !== classes.length)
    throw new UserError(
      `${facts.folder}: answers for ${classes.length} classes, received ${given.length} names in classes`,
      `Its config.json has: ${classes.slice(0, 20).join(', ')}${classes.length > 20 ? ', …' : ''}.`,
    );
  const keys = {
    onnx: named(facts.onnx),
    output,
    ...(facts.pooling && (stated['output'] ?? output) === output && { pooling: facts.pooling }),
    ...(row?.hasClasses === true && { outputs: 'logits', ...(classes && { classes }) }),
    ...(reads === 'pictures' && pictureKeys(facts, stated)),
    ...stated,
    ...(reads === 'texts' && row?.answersPer !== 'word' && textOf(facts, stated['text'], data, named)),
  };
  // A tagger's student reads the same tokens.
  const tagged = row?.answersPer === 'word' ? { ...data, ...textOf(facts, data['text'], {}, named) } : data;
  return { teacher: keys, dataset: row?.hasNames === true && !row.hasClasses ? inOrder(facts, tagged) : dataset };
}

/** True for data of a task that a model without a head answers. */
function isHeadless({ task }: Mapping): boolean {
  const known = taskNames().find((name) => name === task);
  return known !== undefined && taskRow(known).isHeadless === true;
}

/** The data with the labels of a folder, in its order. `UserError` for data that state another order. */
function inOrder({ folder, classes }: HubFolder, data: Mapping): Mapping {
  const own = data['classes'] ?? (Array.isArray(data['label']) ? data['label'] : undefined);
  if (classes === undefined || own === undefined) return classes === undefined ? data : { ...data, classes };
  if (JSON.stringify(own) === JSON.stringify(classes)) return data;
  throw new UserError(
    `${folder}: answers for ${classes.join(', ')}, as its config.json says, received the labels ${(own as string[]).join(', ')}`,
    'Name them in the order of the folder, as `dataset.classes` or `dataset.label`.',
  );
}

/** Keys of a teacher of pictures, without those that the recipe states; a stated size is not cut as the folder says. */
function pictureKeys(facts: HubFolder, { resize, normalize }: Mapping): Mapping {
  const { folder, preprocessor, channels } = facts;
  const own = channels === 1 || channels === 3 ? { channels } : {};
  if (resize !== undefined && normalize !== undefined) return own;
  const { resize: size, cutFrom, filter, normalize: normalization } = hubPreparation(folder, preprocessor, channels);
  return {
    ...own,
    ...(resize === undefined && size && { resize: size, ...(cutFrom && { cutFrom }), ...(filter && { filter }) }),
    normalize: normalization,
  };
}

const USUAL_LENGTH = 128;

function textOf(facts: HubFolder, stated: unknown, { text }: Mapping, named: Place): Mapping {
  const own = isMapping(stated) ? stated : {};
  const ofData = isMapping(text) ? text : {};
  const tokenizer = own['tokenizer'] ?? tokenizerOf(facts, named);
  const length = own['length'] ?? ofData['length'] ?? USUAL_LENGTH;
  const { mostTokens = Infinity } = facts;
  return { text: { tokenizer, ...own, ...(Number(length) > mostTokens && { length: mostTokens }) } };
}

function tokenizerOf({ folder, tokenizer }: HubFolder, named: Place): string {
  if (tokenizer !== undefined) return named(tokenizer);
  throw new UserError(
    `${folder}: expected a tokenizer.json in it`,
    `Write it with transformers: AutoTokenizer.from_pretrained('${folder}').save_pretrained('${folder}').`,
  );
}

/** `UserError` for data of another kind, and for another task. */
function refuseOther({ folder, task, reads }: HubFolder, data: Mapping): void {
  const isText = data['text'] !== undefined || data['type'] === 'text-folder';
  if (isText !== (reads === 'texts'))
    throw new UserError(
      `${folder}: reads ${reads}, expected data of that kind, received ${isText ? 'texts' : 'data without dataset.text'}`,
      reads === 'texts' ? 'Name the column of the texts: `dataset.text: { column: … }`.' : 'Use a model of texts.',
    );
  const own = data['task'] ?? DEFAULT_TASK;
  if (task === undefined || own === task) return;
  throw new UserError(
    `${folder}: answers the task ${task}, as its config.json says, received the task ${own as string}`,
    `Set \`dataset.task: ${task}\`, or use a model for the task of the data.`,
    { changes: [{ path: ['dataset', 'task'], value: task }] },
  );
}

/** Student and data of a recipe whose student is a folder: the data are prepared as the folder says, unless the recipe says otherwise. */
function studentKeys({ folder, ...stated }: WithFolder, dataset: unknown, place: Place): Mapping {
  const { facts, named } = opened({ folder, ...stated }, place);
  const { task, reads, classes, output, inputs, channels } = facts;
  const data = isMapping(dataset) ? dataset : {};
  if (task === undefined && (!isHeadless(data) || facts.pooling !== undefined))
    throw new UserError(
      `${facts.folder}: answers with an embedding${facts.pooling === undefined ? '' : ' for each token'}, expected logits of a student`,
      'Train it as a classifier first, or name it as the teacher with vectors of the classes.',
    );
  refuseOther(facts, data);
  const isKept = stated['head'] !== 'replace';
  const { text } = data;
  const arePictures =
    data['type'] === 'image-folder' ||
    data['type'] === 'webdataset' ||
    (data['type'] === 'parquet' && data['features'] === undefined);
  const { resize, normalize } =
    reads === 'pictures' && !(data['resize'] !== undefined && data['normalize'] !== undefined)
      ? hubPreparation(facts.folder, facts.preprocessor, channels)
      : {};
  return {
    student: { onnx: named(facts.onnx), output, ...stated },
    dataset: {
      ...(arePictures && reads === 'pictures' && { ...(resize && { resize }), channels }),
      ...(normalize && { normalize }),
      ...(isKept && classes && task && taskRow(task).hasNames && { classes }),
      ...data,
      ...(reads === 'texts' && {
        text: {
          ...(inputs.length > 1 && { inputs }),
          ...textOf(facts, text, {}, named)['text']!,
        },
      }),
    },
  };
}
