import { DATA_TYPES, dataType } from '../../recipe/data-types.ts';
import { UserError } from '../../base/errors.ts';
import type { SeenData } from '../../data/readers/guess.ts';
import type { InitAnswers, SeenForm } from '../../recipe/init.ts';
import type { SeenTask } from '../../tools/init/task.ts';
import { taskNames, taskRow } from '../../recipe/task.ts';
import type { TaskName } from '../../recipe/task.ts';
import type { CommandContext } from '../context.ts';
import { asker } from './ask.ts';
import type { TerminalQuestion } from './ask.ts';

/** Arguments and options of `limbeck init`. Files are named as in the recipe. */
export interface InitArgs {
  readonly to: string;
  readonly type: string | undefined;
  readonly train: string | undefined;
  readonly labels: string | undefined;
  readonly test: string | undefined;
  readonly testLabels: string | undefined;
  readonly task: string | undefined;
  readonly label: string | undefined;
  readonly teacher: string | undefined;
  readonly model: string | undefined;
  readonly targets: string | undefined;
}

/** `UserError` for the first missing file or folder, named relative to the recipe. Empty names are skipped. */
export async function refuseAbsent(names: readonly string[], to: string): Promise<void> {
  const { exists } = await import('../../base/files.ts');
  const path = await import('node:path');
  for (const file of names.filter((name) => name !== '')) {
    const place = path.resolve(path.dirname(to), file);
    if (await exists(place)) continue;
    throw new UserError(
      `init: expected a file or folder, received ${file}, which is not there`,
      `Paths in a recipe start at its folder: ${path.dirname(place)} was looked into.`,
    );
  }
}

const TYPES = Object.keys(DATA_TYPES);

/** Answers for a recipe: the options, completed by questions in a terminal. A required option is a `UserError` where nothing is asked. */
export async function initAnswers(args: InitArgs, context: CommandContext): Promise<InitAnswers> {
  const { nearest, shown } = await import('../../base/errors.ts');
  const { exists } = await import('../../base/files.ts');
  const { models } = await import('../../networks/models/registry.ts');
  const { isModelFile, targetsIn, usualStudent } = await import('../../recipe/init.ts');
  const { columnBeside, formOfTeacher, seenTeacher } = await import('../../tools/init/teacher.ts');
  const { absentColumn } = await import('../../tools/init/columns.ts');
  const path = await import('node:path');
  const oneOf = (names: readonly string[]) => (answer: string) => {
    if (names.includes(answer)) return undefined;
    const near = nearest(answer, names);
    return near === undefined ? `Not one of ${names.join(', ')}.` : `No ${shown(answer)}; did you mean ${near}?`;
  };
  const isThere = async (answer: string) => {
    const place = path.resolve(path.dirname(args.to), answer);
    return (await exists(place)) ? undefined : `${place} is not there; paths start at the folder of ${args.to}.`;
  };
  const ask = await asker(context);
  try {
    const needed = (question: string, option: string) => ask(question, { option, wrong: isThere });
    let place = args.train ?? (await needed('Training data', '--train'));
    // The kind of a missing file cannot be determined.
    if (args.type === undefined) await refuseAbsent([place], args.to);
    let seen = await seenAt(args, place, context);
    const type =
      args.type ??
      seen?.type ??
      (await ask(`Type of the data (${TYPES.join(', ')})`, { option: '--type', fallback: 'csv', wrong: oneOf(TYPES) }));
    const isData = async (answer: string) => (await isThere(answer)) ?? (await otherKind(type, answer, args.to));
    const complaint = args.train === undefined ? await isData(place) : undefined;
    if (complaint !== undefined) {
      context.note(`${complaint}\n`);
      place = await ask('Training data', { option: '--train', wrong: isData });
      seen = await seenAt({ ...args, type }, place, context);
    }
    const inside = (name: string | undefined): string | undefined => name && path.join(place, name);
    const splits = seen?.type === type ? seen.splits : undefined;
    const train = inside(splits?.train) ?? place;
    const unlabelled = inside(splits?.unlabelled);
    const archive =
      type === 'npz' && args.labels === undefined ? await formAt(args, { type, train, label: '' }, context) : {};
    const { describesData } = await import('../../tools/init/boxes.ts');
    const isWhole = archive.arrays !== undefined || (await describesData(path.resolve(path.dirname(args.to), train)));
    const hasLabelFile = dataType(type).besideLabels !== undefined && !isWhole;
    const labels =
      args.labels ?? inside(splits?.labels) ?? (hasLabelFile ? await needed('Training labels', '--labels') : '');
    const within = seen?.type === type ? seen.within : undefined;
    const testBeside = seen?.type === type ? seen.testBeside : undefined;
    if (testBeside !== undefined && args.test === undefined)
      context.note(`${testBeside} lies beside it: the test data; say --test for others\n`);
    const test =
      args.test ??
      inside(splits?.test) ??
      (testBeside && path.join(path.dirname(place), testBeside)) ??
      (within?.includes('test') === true ? '' : undefined) ??
      (await ask('Test data (empty: hold out a part of the training data)', { fallback: '', wrong: isData }));
    const testLabels =
      args.testLabels ??
      inside(splits?.testLabels) ??
      (hasLabelFile && test !== '' ? await needed('Test labels', '--test-labels') : '');
    const isTable = dataType(type).holds === 'table';
    const formOf = (label: string) => formAt(args, { type, train, label }, context);
    const noColumn = async (answer: string) => absentColumn(answer, train, (await formOf(answer)).columns);
    const question = { fallback: '', wrong: noColumn };
    const takesLast = args.task === undefined || !hasOptionalLabels(args.task);
    const named = `Label column (empty: label, or ${takesLast ? 'the last' : 'no labels'})`;
    const column = args.label ?? (isTable ? await ask(named, question) : '');
    const isNamed = args.label !== undefined;
    const seenFirst = await formOf(column === '' && !takesLast ? 'label' : column);
    const beside =
      seenFirst.lastLabel === undefined || args.teacher === undefined
        ? undefined
        : await columnBeside(path.resolve(path.dirname(args.to), args.teacher), seenFirst.columns ?? []);
    const form = beside === undefined ? seenFirst : await formOf(beside);
    if (beside !== undefined)
      context.note(`${args.teacher!} takes the other columns: label: ${beside}; say --label for another one\n`);
    const absent = isNamed ? absentColumn(column, train, form.columns) : undefined;
    if (absent !== undefined) throw new UserError(`init: --label: ${absent}`, 'Name a column of the table.');
    refuseSingles(args.task, train, form);
    // Names of columns may hold line breaks.
    const say = (text: string): void => context.note(`${text.replace(/\s+/g, ' ')}\n`);
    if (form.lastLabel !== undefined)
      say(`no column is called label: label: ${form.lastLabel}, the last one; say --label for another one`);
    if (form.window !== undefined)
      say(
        `${form.window.why}: the rows are cut into windows, see \`window\` in the recipe; remove it if a row is a sample`,
      );
    for (const name of form.dates ?? [])
      say(
        `${name} holds dates: models read days since 1970, month, day and weekday, and the hour where there are times`,
      );
    for (const why of form.window === undefined ? (form.leftOut ?? []) : [])
      say(
        `${why}: left out, see \`${form.features === undefined ? 'ignore' : 'features'}\` in the recipe; what they say must stand in columns of numbers or of few words`,
      );
    const labelColumn = column === '' ? (beside ?? form.lastLabel ?? '') : column;
    const teacherAt = (answer: string) => seenTeacher(path.resolve(path.dirname(args.to), answer), answer);
    const wrongTeacher = async (answer: string) => {
      const absent = await isThere(answer);
      if (absent !== undefined) return absent;
      const { wrong, hint } = await teacherAt(answer);
      return wrong && `${wrong}\n${hint}`;
    };
    const what = 'Teacher: a file (ONNX, Keras, TFLite, tfjs), a folder, stored answers (empty: train one)';
    const askedTeacher = async () => {
      const named = args.teacher ?? (await ask(what, { fallback: '', wrong: wrongTeacher }));
      await refuseAbsent([named], args.to);
      const teacher = named === '' ? undefined : await teacherAt(named);
      if (teacher?.wrong !== undefined) throw new UserError(`init: --teacher: ${teacher.wrong}`, teacher.hint);
      if (teacher?.note !== undefined) context.note(`${teacher.note}\n`);
      return teacher;
    };
    const hasNoLabels = (seen?.type === type && seen.isFlat === true) || lacksLabel(form, labelColumn);
    // Only the teacher tells if a student of data without labels is to answer with vectors.
    const early = hasNoLabels ? await askedTeacher() : undefined;
    const isUnlabelled = hasNoLabels && (args.task === undefined ? early?.hasVectors === true : isHeadless(args.task));
    if (isUnlabelled) refuseUntaught(place, early);
    if (isUnlabelled && args.task === undefined)
      context.note(`no labels, and ${early!.name} answers with vectors: task: embedding; say --task for another one\n`);
    const { task, label } = isUnlabelled
      ? { task: 'embedding' as const, label: '' }
      : await taskOf({ ...args, type, train, labels, label: labelColumn, isNamed, form }, ask, context);
    const teacher = hasNoLabels ? early : await askedTeacher();
    const asTaught =
      teacher === undefined
        ? { form }
        : await formOfTeacher(
            form,
            label === '' ? ['label'] : [label].flat(),
            path.resolve(path.dirname(args.to), teacher.name),
          );
    if (asTaught.said !== undefined) context.note(`${asTaught.said}\n`);
    const modelOrFile = (answer: string) =>
      isModelFile(answer) ? isThere(answer) : oneOf(Object.keys(models))(answer);
    const student = { fallback: usualStudent(type, form, task), wrong: modelOrFile };
    const model = args.model ?? (await ask('Model of the student', student));
    const targets =
      args.targets ??
      (await ask('Where it will run (browser, android, ios, server; several with commas)', {
        fallback: 'server',
        wrong: (answer: string) => targetsIn(answer).wrong,
      }));
    const { names: places, wrong: otherPlace } = targetsIn(targets);
    if (otherPlace !== undefined)
      throw new UserError(`init: --targets: ${otherPlace}`, 'For example --targets android,browser.');
    return {
      type,
      task,
      train,
      labels,
      test,
      testLabels,
      validation: inside(splits?.validation),
      validationLabels: inside(splits?.validationLabels),
      within,
      unlabelled,
      isUnlabelled,
      label,
      teacher,
      model,
      form: asTaught.form,
      targets: places,
    };
  } finally {
    ask.close();
  }
}

/** True for a table without a column of labels. */
function lacksLabel({ columns, words }: SeenForm, label: string): boolean {
  return columns !== undefined && words === undefined && label === '' && !columns.includes('label');
}

const isHeadless = (task: string): boolean => isTask(task) && taskRow(task).isHeadless === true;
const isOfPairs = (task: string): boolean => isTask(task) && taskRow(task).isOfPairs === true;
/** A model of pairs learns from their scores, also where a teacher answers; a headless one from classes only where they are named. */
const hasOptionalLabels = (task: string): boolean => isHeadless(task) && !isOfPairs(task);

/** Two texts and a label are what a pair is: a table without them would give a recipe that is refused later, for a file that was not written. */
function refuseSingles(task: string | undefined, place: string, { columns, text, lastLabel }: SeenForm): void {
  if (task === undefined || !isOfPairs(task) || columns === undefined) return;
  const texts = text?.column;
  if (Array.isArray(texts) && texts.length === 2 && !texts.includes(lastLabel!)) return;
  throw new UserError(
    `init: ${task} needs columns sentence1 and sentence2, and a third that says how alike they are; ${place} has ${columns.join(', ')}`,
    'Name the columns so, and add the third if it is missing. Single texts without labels: --task embedding --teacher ENCODER.',
  );
}

function refuseUntaught(place: string, teacher: object | undefined): void {
  if (teacher !== undefined) return;
  throw new UserError(
    `init: ${place} has no labels, from which a teacher could be trained`,
    'Name an encoder with --teacher; for a table with classes, their column with --label.',
  );
}

/** Type and splits of the data according to file names; tells the user. Undefined if the names do not tell. */
async function seenAt(
  { to, type, task, train: named }: InitArgs,
  train: string,
  context: CommandContext,
): Promise<SeenData | undefined> {
  const path = await import('node:path');
  const { stat } = await import('node:fs/promises');
  const { exists } = await import('../../base/files.ts');
  const { seenData } = await import('../../tools/init/data.ts');
  const place = path.resolve(path.dirname(to), train);
  // A later check of all files reports missing ones.
  if (!(await exists(place))) return undefined;
  const seen = await seenData(place, task !== undefined && isTask(task) && taskRow(task).answersPer === 'point');
  if (type !== undefined) return seen;
  if (seen?.unsupported !== undefined)
    throw new UserError(
      `init: ${train}: ${seen.unsupported}`,
      `Masks are read from folders \`images\` and \`masks\`, as PNGs of class numbers; boxes by a data.yaml of YOLO, from a list or folder of Pascal VOC, or with --type coco from a folder of pictures and a JSON file (--labels). If the data are of this kind all the same, say so: --type ${seen.type}.`,
    );
  for (const line of seen === undefined
    ? []
    : [`${seen.why}: type: ${seen.type}; say --type for another one`, ...seen.notes])
    context.note(`${line}\n`);
  // In a terminal, the next question tells instead.
  if (seen === undefined && named !== undefined && (await stat(place)).isDirectory())
    throw new UserError(
      `init: ${train} holds no pictures (.png, .jpg, .webp), sounds (.wav), texts (.txt), file train.csv or train-….parquet`,
      'Name a folder with a sub-folder of them for each class, or a file; --type says what it is where its name does not.',
    );
  return seen;
}

async function formAt(
  { to, task }: Pick<InitArgs, 'to' | 'task'>,
  { type, train, label }: { readonly type: string; readonly train: string; readonly label: string },
  context: CommandContext,
): Promise<SeenForm> {
  const path = await import('node:path');
  const { countedSamples, seenForm } = await import('../../tools/init/form.ts');
  const labels = label
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  try {
    const isOtherTask = task !== undefined && isTask(task) && taskRow(task).answersPer !== 'word';
    const place = path.resolve(path.dirname(to), train);
    const form = await seenForm(type as never, place, { label: labels, isOtherTask });
    const samples = await countedSamples(type as never, place);
    return { ...form, ...(samples !== undefined && { samples }) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.note(`the data could not be read: ${error.message}\n`);
    return {};
  }
}

/** Tasks of types of data with labels of one kind. */
const TASK_OF = { masks: 'segmentation', boxes: 'detection', points: 'points' } as const;

/** True for types whose data are files or folders. */
function hasLayouts(type: string): boolean {
  const { holds } = dataType(type);
  return holds === 'boxes' || holds === 'points';
}

/** Message about a folder for a type that reads a file, or the reverse. */
async function otherKind(type: string, answer: string, to: string): Promise<string | undefined> {
  const { stat } = await import('node:fs/promises');
  const path = await import('node:path');
  const isFolder = (await stat(path.resolve(path.dirname(to), answer))).isDirectory();
  // CIFAR's files are named one by one, or by their folder; boxes have files or folders.
  if (isFolder === type.endsWith('-folder') || type.startsWith('cifar') || hasLayouts(type)) return undefined;
  return isFolder
    ? `${answer} is a folder, and ${type} is read from a file. For a folder for each class, begin again with the type image-folder, audio-folder or text-folder.`
    : `${answer} is a file, and ${type} is read from a folder.`;
}

interface Data extends Pick<InitArgs, 'to' | 'task' | 'label'> {
  readonly type: string;
  readonly train: string;
  readonly labels: string;
  /** True if the label column was named on the command line. */
  readonly isNamed: boolean;
  readonly form: SeenForm;
}

/** The task, as given or as the labels suggest; in a terminal the user may change it. */
async function taskOf(
  { to, task, label, isNamed, form, ...data }: Data,
  ask: TerminalQuestion,
  context: CommandContext,
) {
  const names = label!.includes(',') ? label!.split(',').map((name) => name.trim()) : label!;
  const { holds } = dataType(data.type);
  if (task === undefined && (holds === 'masks' || holds === 'boxes' || holds === 'points'))
    return { task: TASK_OF[holds], label: names };
  const { words } = form;
  const ofWords = taskNames().find((name) => taskRow(name).answersPer === 'word')!;
  if (words !== undefined && (task ?? ofWords) === ofWords) {
    context.note(`${words.why}: task: ${ofWords}; say --task for another one\n`);
    return { task: ofWords, label: typeof words.tags === 'string' ? words.tags : '' };
  }
  if (task !== undefined) return { task, label: names };
  // A folder has a class for each of its sub-folders.
  if (data.type.endsWith('-folder')) return { task: 'classification' as const, label: names };
  const path = await import('node:path');
  const { trainFiles } = await import('../../tools/init/form.ts');
  const { seenTask } = await import('../../tools/init/task.ts');
  const place = (file: string): string => path.resolve(path.dirname(to), file);
  const train =
    form.arrays === undefined
      ? (SOURCES[data.type]?.(place(data.train), place(data.labels)) ?? place(data.train))
      : { file: place(data.train), ...form.arrays };
  const files = data.type === 'parquet' ? [...(await trainFiles(train as string))] : train;
  // Missing values and empty texts say nothing about the labels.
  const missing = form.text === undefined ? 'zero' : 'drop';
  // Pictures in a table need not be decoded for their labels.
  const column = label === '' ? 'label' : label;
  const labelAlone = form.sample === 'picture' &&
    data.type === 'parquet' && { features: [column], categorical: [column] };
  const config = {
    type: data.type,
    train: files,
    ...(names.length > 0 && { label: names }),
    ...(labelAlone || form),
    missing,
  };
  const seen = await seenTask(config as never).catch((error: unknown): SeenTask => {
    if (!(error instanceof UserError)) throw error;
    context.note(`the labels could not be read: ${error.message}\n`);
    return { task: 'classification' };
  });
  if (seen.bits !== undefined && !isNamed) {
    const columns = seen.bits.join(', ');
    const question = `${columns} hold 0 and 1. Is each of them a label (yes, no)`;
    const wrong = (text: string) => (['yes', 'no'].includes(text) ? undefined : 'Answer yes or no.');
    if ((await ask(question, { fallback: 'no', wrong })) === 'yes')
      return { task: 'multi-label' as const, label: seen.bits };
  }
  if (seen.why === undefined) return { task: seen.task, label: names };
  context.note(`${seen.why}: task: ${seen.task}; say --task for another one\n`);
  const wrong = (text: string) => (isTask(text) ? undefined : `Not one of ${taskNames().join(', ')}.`);
  const chosen = await ask(`Task (${taskNames().join(', ')})`, { fallback: seen.task, wrong });
  return { task: chosen, label: names };
}

const SOURCES: Readonly<Record<string, (samples: string, labels: string) => object>> = {
  idx: (images, labels) => ({ images, labels }),
  npz: (samples, labels) => ({ samples, labels }),
};

function isTask(text: string): text is TaskName {
  return (taskNames() as readonly string[]).includes(text);
}
