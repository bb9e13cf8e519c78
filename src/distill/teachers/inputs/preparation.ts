import { realpath, stat } from 'node:fs/promises';
import { UserError } from '../../../base/errors.ts';
import { readBytes } from '../../../base/files.ts';
import { areNamed } from '../../../data/splits/columns.ts';
import type { Column, Dataset, Normalization } from '../../../data/dataset.ts';
import { otherOrder } from '../../../files/class-order.ts';
import { columnsIn, namesIn, rateIn, statedIn } from '../../../files/stated.ts';
import type { StatedPreparation } from '../../../files/stated.ts';
import type { TeacherFileRecipe, TeacherRecipe } from '../../../recipe/schema/teacher.ts';
import { answerForms } from '../../../recipe/answer-forms.ts';
import { decoderSettings } from '../../../recipe/decoders.ts';
import type { DecoderName, DecoderSettings } from '../../../recipe/decoders.ts';
import { taskRow } from '../../../recipe/task.ts';
import type { FileTeacherSettings } from '../file-teacher.ts';
import { printedNames } from '../decoders/classes.ts';
import { shapeSeen } from './own-pictures.ts';
import type { OwnSize } from './own-pictures.ts';

/** Preparation of a teacher's input as stated in the recipe or the file. */
export interface StatedSettings extends Partial<Omit<FileTeacherSettings, 'classes' | 'decoder'>> {
  readonly decoder?: DecoderName | DecoderSettings | undefined;
  /** Class names in the order of the file, or the path of a file with vectors of the classes. */
  readonly classes?: readonly string[] | string | undefined;
}

/** Preparation of a data set's samples as input of a model file. */
export interface Preparation extends FileTeacherSettings {
  /** Source of the normalization: the `teacher` section of the recipe, the file, or else the data set itself. */
  readonly from: 'recipe' | 'file' | 'data';
  /** File with a vector of each class, for a model that gives embeddings. */
  readonly vectors?: string;
}

/** `UserError` for a file made for other columns or words: the numbers would have another meaning. */
function refuseOtherColumns(
  file: string,
  stated: readonly Column[] | undefined,
  own: readonly Column[] | undefined,
): void {
  if (stated === undefined || own === undefined || !areNamed(own)) return;
  const asText = ({ name, words, date }: Column): string =>
    JSON.stringify([name.trim().toLowerCase(), words ?? date ?? null]);
  const longer = Math.max(stated.length, own.length);
  const at = Array.from({ length: longer }, (_, i) => i).find((i) => {
    return stated[i] === undefined || own[i] === undefined || asText(stated[i]) !== asText(own[i]);
  });
  if (at === undefined) return;
  const [its, here] = [stated[at], own[at]].map(
    (column) =>
      column &&
      `${column.name}${column.words ? ` of ${column.words.length} words (${column.words.slice(0, 5).join(', ')}${column.words.length > 5 ? ', …' : ''})` : ''}${column.date ? ` as ${column.date.join(', ')}` : ''}`,
  );
  throw new UserError(
    `${file}: was made for ${stated.length} columns, and the data have ${own.length}: its column ${at + 1} is ${its ?? 'none'}, that of the data ${here ?? 'none'}`,
    'Use a file for the same columns in the same order, with the same words of train; if only a name differs, rename the column in the data.',
  );
}

/** `UserError` for another sample rate, which changes durations and frequencies. */
function refuseOtherRate(file: string, metadata: ReadonlyMap<string, string>, rate: number | undefined): void {
  const stated = rateIn(metadata);
  if (stated === undefined || rate === undefined || stated === rate) return;
  throw new UserError(
    `${file}: was made for sounds of ${stated} values a second, and the data have ${rate}`,
    `Set \`dataset.rate: ${stated}\`, to which other sounds are resampled.`,
  );
}

/** `UserError` for a file made for other columns, or for sounds of another rate. */
export function refuseOtherSamples(
  file: string,
  metadata: ReadonlyMap<string, string>,
  { columns, rate }: Pick<Dataset, 'columns' | 'rate'>,
): void {
  refuseOtherColumns(file, columnsIn(metadata), columns);
  refuseOtherRate(file, metadata, rate);
}

/**
 * Determines how a model file is asked, for every command: by the recipe, else by the file's own metadata, else as the data set is prepared.
 * `recipe`: the section that names the file, see `ownTeacher`. `UserError` if the file was made for another number of channels.
 */
export function preparationOf(
  file: string,
  recipe: StatedSettings | undefined,
  metadata: ReadonlyMap<string, string>,
  {
    sampleShape,
    classNames,
    columns,
    rate,
    vector,
    usual,
  }: Pick<Dataset, 'sampleShape' | 'classNames' | 'columns' | 'rate' | 'vector' | 'usual'>,
): Preparation {
  refuseOtherSamples(file, metadata, { columns, rate });
  const { preprocessing, names: stated } = statedIn(metadata);
  // A vector has no order of classes, also if it is an inner tensor of a classifier.
  const names = vector === undefined ? stated : undefined;
  const vectors = typeof recipe?.classes === 'string' ? recipe.classes : undefined;
  const size = ownSize(recipe, preprocessing, sampleShape);
  const isOwn = recipe?.normalize === undefined && preprocessing !== undefined;
  const layout = recipe?.layout === undefined || recipe.layout === 'auto' ? preprocessing?.layout : recipe.layout;
  return {
    input: recipe?.input,
    output: recipe?.output ?? metadata.get('classOutput'),
    ...(recipe?.pooling !== undefined && { pooling: recipe.pooling }),
    layout: layout ?? 'auto',
    normalize: isOwn
      ? statedNormalization(file, preprocessing, shapeSeen(size, sampleShape))
      : (recipe?.normalize ?? usual),
    outputs: vectors === undefined ? (recipe?.outputs ?? 'auto') : 'logits',
    classes:
      recipe?.decoder !== undefined
        ? ((recipe.classes as readonly string[] | undefined) ??
          namesIn(metadata, 'names') ??
          printedNames(metadata.get('names')))
        : vectors === undefined
          ? ((recipe?.classes as readonly string[] | undefined) ?? otherOrder(file, names, classNames))
          : undefined,
    intermediate: recipe?.intermediate ?? [],
    ...size,
    ...(recipe?.decoder !== undefined && { decoder: decoderSettings(recipe.decoder) }),
    ...(vectors !== undefined && { vectors }),
    from: isOwn ? 'file' : recipe?.normalize === undefined ? 'data' : 'recipe',
  };
}

/** Picture size of the recipe, else the file's, if it differs from the samples'. */
function ownSize(
  recipe: StatedSettings | undefined,
  stated: StatedPreparation | undefined,
  sampleShape: readonly number[],
): OwnSize {
  if (recipe?.resize !== undefined || recipe?.channels !== undefined)
    return { resize: recipe.resize, channels: recipe.channels, filter: recipe.filter, cutFrom: recipe.cutFrom };
  const [height, width, channels] = stated?.shape ?? [];
  if (stated?.shape.length !== 3 || sampleShape.length !== 3) return {};
  const { cutFrom, filter } = stated;
  const [ownHeight, ownWidth, own] = sampleShape;
  const isOfColours = (count: number | undefined): count is 1 | 3 => count === 1 || count === 3;
  return {
    ...((height !== ownHeight || width !== ownWidth || cutFrom !== undefined || filter !== undefined) && {
      resize: [height!, width!],
      cutFrom,
      filter,
    }),
    ...(channels !== own && isOfColours(channels) && isOfColours(own) && { channels }),
  };
}

function statedNormalization(
  file: string,
  { scale, mean, std }: StatedPreparation,
  sampleShape: readonly number[],
): Normalization | { scale: number; mean: number | number[]; std: number | number[] } {
  const channels = sampleShape.at(-1)!;
  const fitting = (values: number[]): number | number[] => {
    if (values.length === 1) return values[0]!;
    if (values.length === channels) return values;
    throw new UserError(
      `${file}: its metadata prepare ${values.length} channels, received samples of shape [${sampleShape.join(', ')}]`,
      'Use the file on data of the kind that it was made for (`dataset.channels`).',
    );
  };
  return { scale, mean: fitting(mean), std: fitting(std) };
}

/** The teacher of a recipe, or the member of an ensemble, that is this file: by path or by content. */
export async function ownTeacher(
  file: string,
  teacher: TeacherRecipe | undefined,
): Promise<TeacherFileRecipe | undefined> {
  for (const source of teacher === undefined ? [] : [teacher, ...(teacher.ensemble ?? [])]) {
    const named = source.onnx ?? source.tfjs ?? source.tflite;
    if (named !== undefined && (await isSame(file, named))) return { intermediate: [], ...source };
  }
  return undefined;
}

async function isSame(file: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([file, other].map((name) => realpath(name).catch(() => undefined)));
  if (a === undefined || b === undefined) return false;
  if (a === b) return true;
  const [size, otherSize] = await Promise.all([a, b].map(async (name) => (await stat(name)).size));
  return size === otherSize && Buffer.from(await readBytes(a)).equals(await readBytes(b));
}

/** Text for messages, such as `(value * 0.0039 - 0.5) / 0.25 in layout nchw, as the file says`. */
export function preparationText(
  { normalize, layout, from, resize, channels, cutFrom }: Preparation,
  { normalization, text }: Pick<Dataset, 'normalization' | 'text'>,
): string {
  if (text !== undefined) return `texts of ${text.length} tokens by ${text.tokenizer}`;
  const { scale = normalization.scale, mean, std } = normalize ?? normalization;
  const shown = (value: number | readonly number[]): string => {
    const rounded = [value].flat().map((one) => String(Number(one.toPrecision(4))));
    const isOne = new Set(rounded).size === 1;
    return isOne
      ? rounded[0]!
      : rounded.length > 4
        ? `[${rounded.slice(0, 3).join(', ')}, …]`
        : `[${rounded.join(', ')}]`;
  };
  const says = {
    recipe: 'the teacher of the recipe says',
    file: 'the file says',
    data: 'the recipe prepares its data',
  };
  const inLayout = layout === 'auto' ? '' : `, ${layout}`;
  const middle = cutFrom === undefined ? '' : ` from the middle of ${[cutFrom].flat().join('x')}`;
  const atSize = resize === undefined ? '' : `pictures of ${resize.join('x')}${middle}, `;
  const inColour = channels === undefined ? '' : channels === 1 ? 'in grey, ' : 'in colour, ';
  return `${atSize}${inColour}(value * ${shown(scale)} - ${shown(mean)}) / ${shown(std)}${inLayout}, as ${says[from]}`;
}

/** Metadata that state a preparation in the exported file. */
export function preparationMetadata(
  { normalize, classes, output, cutFrom, filter }: Preparation,
  layout: 'nchw' | 'nhwc',
  {
    sampleShape,
    normalization,
    classNames,
    task,
  }: Pick<Dataset, 'sampleShape' | 'normalization' | 'classNames' | 'task'>,
  answersTask: boolean,
): Map<string, string> {
  const channels = sampleShape.at(-1)!;
  const all = (value: number | readonly number[]): readonly number[] =>
    typeof value === 'number' ? new Array<number>(channels).fill(value) : value;
  const { scale = normalization.scale, mean, std } = normalize ?? normalization;
  const preprocessing = {
    shape: sampleShape,
    scale,
    mean: all(mean),
    std: all(std),
    ...(layout === 'nchw' && sampleShape.length > 1 && { layout }),
    cutFrom,
    filter,
  };
  const namesKey = answerForms.get(taskRow(task).form).namesKey;
  return new Map([
    ...(answersTask && namesKey ? [[namesKey, JSON.stringify(classes ?? classNames)] as const] : []),
    ['preprocessing', JSON.stringify(preprocessing)],
    ...(output === undefined ? [] : [['classOutput', output] as const]),
  ]);
}
