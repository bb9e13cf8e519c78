import { orClose } from '../../base/closing.ts';
import { settingKeys, underKey, UserError } from '../../base/errors.ts';
import { chanceOf, PLAIN, viewOf } from '../../data/batches/batches.ts';
import type { Dataset } from '../../data/dataset.ts';
import { originalsOf } from '../../data/pictures/originals.ts';
import type { TeacherFileRecipe, TeacherRecipe } from '../../recipe/schema/teacher.ts';
import type { Engine } from '../../runtime/engine.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session.ts';
import type { Model } from '../../formats/onnx/model.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import { decodeModel, onnxContent } from '../../formats/onnx/protobuf.ts';
import { inputScaling } from '../../formats/onnx/input-scaling.ts';
import { withTensorEnds } from '../../formats/onnx/rewrite/classifier-ends.ts';
import { alternativesOf } from '../preflight/alternatives.ts';
import type { Alternative } from '../preflight/diagnosis.ts';
import { ensemble } from './ensemble.ts';
import type { FileTeacherSettings } from './file-teacher.ts';
import { hasOwnLayout, OPEN_FILE, otherFormat } from './formats.ts';
import { int8Teacher, refuseOpenTexts } from './int8-teacher.ts';
import type { OpenedWith, ToInt8 } from './int8-teacher.ts';
import type { InputShapes } from '../../formats/onnx/sizes.ts';
import { readOnnx } from '../../files/onnx-file.ts';
import { refuseStream } from '../../files/stated.ts';
import { ofTwoClasses, onnxTeacher } from './onnx-teacher.ts';
import type { OnnxTeacherSource } from './onnx-teacher.ts';
import { withWordNumbers } from './inputs/column-inputs.ts';
import { rawSamples, takesRaw } from './inputs/own-scaling.ts';
import { preparationOf } from './inputs/preparation.ts';
import type { Preparation } from './inputs/preparation.ts';
import { joinedTeacher, unitModel, unitTeacher } from './unit-teacher.ts';
import { refuseOtherText } from './inputs/stated-text.ts';
import type { Teacher } from './teacher.ts';
import { readClassVectors, zeroShot } from './zero-shot.ts';

export interface TeacherOptions {
  readonly engine: Engine;
  readonly session: SessionOptions;
  /** The validation split: shape and normalization of samples, and samples for tests. */
  readonly dataset: Dataset;
  readonly name: (file: string) => string;
  /** Sizes of inputs that an ONNX file leaves open. */
  readonly shapes?: InputShapes;
  /** Quantizer for a teacher with `precision: int8`. */
  readonly toInt8?: ToInt8;
  /** True for one of several teachers whose vectors are joined. */
  readonly isMember?: boolean;
  /** True for a model that is no teacher: its vectors keep their numbers. */
  readonly isStudent?: boolean;
}

export interface OpenedTeacher {
  readonly teacher: Teacher;
  readonly alternatives: readonly Alternative[];
  /** The order of its classes, if the recipe gives it. */
  readonly declared?: readonly string[] | undefined;
  /** Preparation of its inputs; absent for an ensemble, whose members have their own. */
  readonly preparation?: Preparation;
  /** Members of an ensemble. Each is checked alone, because a good member hides a bad one. */
  readonly members?: readonly OpenedTeacher[];
  /** Message for the user: similarity of its 8-bit answers to those of its float file. */
  readonly inInt8?: string;
}

/** Opens the teacher that a recipe names by file; for an ensemble, all members. */
export async function openTeacher(recipe: TeacherRecipe, options: TeacherOptions): Promise<OpenedTeacher> {
  if (recipe.ensemble === undefined) return openFile(recipe, options);
  const members: (OpenedTeacher & { readonly weight: number })[] = [];
  return orClose(
    async () => {
      const isMember = options.dataset.vector !== undefined;
      for (const [i, { weight, ...member }] of recipe.ensemble!.entries()) {
        const opened = await underKey(['ensemble', i], () =>
          openFile({ ...member, intermediate: [] }, { ...options, isMember }),
        );
        members.push({ ...opened, weight });
      }
      if (isMember)
        return { teacher: await unitTeacher(joinedTeacher(members), options.dataset), alternatives: [], members };
      return { teacher: ensemble(members), alternatives: [], members };
    },
    async () => {
      for (const { teacher } of members) await teacher.dispose();
    },
  );
}

/** A file, and the recipe's settings for asking it. */
export type FileSettings = Omit<TeacherFileRecipe, 'normalize'> & Pick<FileTeacherSettings, 'normalize'>;

/** Opens a model file with the settings of `preparationOf`. */
export async function openFile(
  recipe: FileSettings,
  options: TeacherOptions,
): Promise<OpenedTeacher & { readonly preparation: Preparation }> {
  const { dataset } = options;
  const { file, metadata, bytes, open: read } = await opener(recipe, options);
  refuseStream(options.name(file), metadata);
  const isText = dataset.text !== undefined;
  if (isText) refuseOtherText(options.name(file), metadata, dataset.text);
  // Token ids are fed unchanged, whatever preprocessing the metadata state.
  const stated = isText ? new Map([...metadata].filter(([key]) => key !== 'preprocessing')) : metadata;
  const preparation = preparationOf(options.name(file), recipe, stated, dataset);
  refuseEnlarged(options.name(file), recipe, preparation, dataset);
  const open = withUnit(await withHead(preparation, recipe.logitScale, read, options), options);
  const layout = hasOwnLayout(recipe) ? {} : { layout: preparation.layout };
  const layoutAsked = { ...layout, normalize: preparation.normalize };
  const found = (own: Pick<Teacher, 'key' | 'otherOutputs'>) => ({
    alternatives: alternativesOf(dataset, layoutAsked, (change) => open({ ...preparation, ...change }), own),
    declared: preparation.classes,
    preparation,
  });
  if (recipe.precision !== 'int8') {
    const teacher = await open(preparation);
    return { teacher, ...found(teacher) };
  }
  if (options.toInt8 === undefined || bytes === undefined) throw new Error('this command cannot quantize a teacher');
  const model = decodeModel(bytes, file);
  refuseOpenTexts(model, options.name(file), dataset);
  const binary = ofTwoClasses(model, dataset, recipe.output);
  const whole = binary === undefined ? bytes : onnxContent(binary);
  const { teacher, key, said } = await int8Teacher(whole, (other) => open(preparation, other), dataset, options.toInt8);
  return { teacher, ...found({ ...teacher, key }), inInt8: said };
}

/** `UserError` for a file whose metadata state a larger picture size: the student's pictures would be enlarged for it. */
function refuseEnlarged(
  file: string,
  recipe: FileSettings,
  { resize, channels }: Preparation,
  { originals, sampleShape }: Dataset,
): void {
  const isSaid = recipe.resize !== undefined || recipe.channels !== undefined;
  if (originals !== 'not kept' || isSaid || (resize === undefined && channels === undefined)) return;
  const [height, width, own] = sampleShape;
  const [wanted, of] = [resize ?? [height!, width!], channels ?? own!];
  throw new UserError(
    `${file}: was made for pictures of ${wanted.join('x')}x${of}, received samples of shape [${sampleShape.join(', ')}]`,
    `Set teacher.resize: [${wanted.join(', ')}] and teacher.channels: ${of}: then it gets the picture files at that size.`,
    { changes: settingKeys({ resize: wanted, channels: of }) },
  );
}

/** Adds vectors of the classes as the head of a model that gives embeddings. */
async function withHead(
  { vectors: file }: Preparation,
  scale: number | undefined,
  open: Opener['open'],
  { dataset, name }: TeacherOptions,
): Promise<Opener['open']> {
  if (file === undefined) return open;
  const vectors = await readClassVectors(file, name(file), dataset.classNames);
  return async (settings, other) => {
    const model = await open(settings, other);
    return orClose(
      () => zeroShot(model, vectors, scale),
      () => model.dispose(),
    );
  };
}

/** Vectors of length 1 of a model that answers with vectors. */
function withUnit(
  open: Opener['open'],
  { dataset, isMember = false, isStudent = false }: TeacherOptions,
): Opener['open'] {
  if (dataset.vector === undefined) return open;
  return async (settings, other) => {
    const model = await open(settings, other);
    return orClose(
      () => (isStudent ? unitModel(model) : unitTeacher(model, dataset, isMember)),
      () => model.dispose(),
    );
  };
}

interface Opener {
  readonly file: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Content of an ONNX file. */
  readonly bytes?: OnnxContent;
  readonly open: (settings: FileTeacherSettings, other?: OpenedWith) => Promise<Teacher>;
}

/** Reads a teacher's file once, and returns a function that opens it with each preparation to try. */
async function opener(
  recipe: FileSettings,
  { engine, session, dataset, name, shapes }: TeacherOptions,
): Promise<Opener> {
  const probe = probeOf(dataset);
  const other = otherFormat(recipe);
  if (other !== undefined) {
    const { key, file } = other;
    const openOther = await OPEN_FILE.load(key);
    const { signature } = recipe;
    return { file, ...(await openOther({ name: name(file), dataset, probe, file, engine, signature })) };
  }
  const file = recipe.onnx;
  if (file === undefined) throw new Error('the recipe names no file of a teacher');
  const about = { name: name(file), dataset, probe };
  const stored = await readOnnx(file, shapes);
  const whole = decodeModel(stored, about.name);
  const model = withWordNumbers(withTensorEnds(whole), about.name, dataset.columns);
  const bytes = model === whole ? stored : onnxContent(model);
  const source = { ...about, bytes, sizeBytes: stored.length, session };
  return {
    file,
    bytes: source.bytes,
    metadata: withRawSamples(model, dataset),
    open: (settings, other) => onnxTeacher({ ...source, ...other }, settings),
  };
}

/**
 * Metadata of a file. One of trees or of scikit-learn takes the raw values of a table, and one that begins with a scaling of raw samples takes these,
 * unless its metadata or the recipe says otherwise.
 */
function withRawSamples(model: Model, dataset: Dataset): ReadonlyMap<string, string> {
  const { metadata, graph } = model;
  const { columns, sampleShape } = dataset;
  if (metadata.has('preprocessing')) return metadata;
  const isOfTables = columns !== undefined && graph.nodes.some(({ domain }) => domain === 'ai.onnx.ml');
  if (!isOfTables && !takesRaw(inputScaling(model, sampleShape.at(-1)!), dataset)) return metadata;
  return new Map([...metadata, ...rawSamples(dataset)]);
}

const PROBED = 32;

function probeOf(dataset: Dataset): OnnxTeacherSource['probe'] {
  const n = Math.min(PROBED, dataset.count);
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  return { n, x: viewOf(dataset, rows, PLAIN), original: originalsOf(dataset, rows, chanceOf(PLAIN)) };
}
