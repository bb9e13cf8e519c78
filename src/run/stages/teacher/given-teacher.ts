import path from 'node:path';
import { sha256 } from '../../../base/bytes.ts';
import { orClose } from '../../../base/closing.ts';
import { InterruptedError, underKey } from '../../../base/errors.ts';
import { missingNotes } from '../../../distill/teachers/missing-notes.ts';
import { asTeacherSees } from '../../../data/dataset.ts';
import { openTeacher } from '../../../distill/teachers/open.ts';
import type { OpenedTeacher } from '../../../distill/teachers/open.ts';
import { preflight } from '../../../distill/preflight/preflight.ts';
import type { PreflightOptions } from '../../../distill/preflight/preflight.ts';
import { readStoredLogits, storedLogits } from '../../../distill/answers/stored-logits.ts';
import type { SoftTargets } from '../../../distill/answers/soft-targets.ts';
import type { Teacher } from '../../../distill/teachers/teacher.ts';
import { scoreOfTask } from '../../../tasks/registry.ts';
import { sessionOptionsOf } from '../../../runtime/recipe-options.ts';
import type { StageContext } from '../../context.ts';
import type { Fitted } from '../../../train/training.ts';
import { toInt8 } from '../../../ship/int8-teacher.ts';
import { progressOf } from '../../../train/progress.ts';

/** A teacher to ask, or its stored answers. */
export type Teaching =
  | {
      readonly teacher: Teacher;
      readonly trained?: Fitted;
      readonly stored?: undefined;
      /** Warnings about missing values, for the report. */
      readonly notes?: readonly string[];
    }
  | {
      readonly stored: SoftTargets;
      readonly source: string;
      /** Hash of the file with the answers. */
      readonly key: string;
      /** Number of views with answers, see `StoredLogits`. */
      readonly views: number | undefined;
      readonly teacher?: undefined;
      readonly trained?: undefined;
      readonly notes?: undefined;
    };

/** Remedy for processes whose quantized teachers differ. */
const OTHER_INT8 =
  'Give all processes the same file. If they have it, their processors quantize it differently in the last bits: quantize it once with `limbeck quantize`, and name that file.';

type Opening = Pick<StageContext, 'recipe' | 'engine' | 'data' | 'onEvent' | 'signal' | 'processes' | 'isChecked'>;

/** Opens and checks a teacher that is given as files, or as stored answers; undefined for a recipe without either. */
export async function openAndCheck(context: Opening): Promise<Teaching | undefined> {
  const { recipe, engine, data, onEvent, processes } = context;
  const { teacher: source } = recipe;
  if (source === undefined) return undefined;
  if (source.logits !== undefined) {
    onEvent({ type: 'stage', stage: 'open teacher' });
    const { augment } = recipe.dataset;
    const { content, parts } = await readStoredLogits(source.logits);
    const { outputs, classes } = source;
    const read = outputs === 'auto' && classes === undefined ? [] : [JSON.stringify({ outputs, classes })];
    const key = sha256(...parts, ...read);
    processes.requireSame('file of stored logits', () => key);
    const stored = await storedLogits(content, source.logits, data.train, {
      ...source,
      classes: typeof classes === 'string' ? undefined : classes,
      minConfidence: recipe.distill.minConfidence,
      augment,
      seed: recipe.seed,
    });
    onEvent({
      type: 'message',
      message:
        stored.accuracy === undefined
          ? 'stored logits: without labels their accuracy is unknown'
          : `stored logits: ${scoreOfTask(data.train.task).said(stored.accuracy, 'the training samples')}`,
    });
    for (const warning of stored.warnings) onEvent({ type: 'warning', message: warning });
    if (!stored.isSame) {
      const seen = augment.length === 0 ? 'plain samples' : 'samples augmented anew in each epoch';
      onEvent({
        type: 'warning',
        message: `${source.logits}: answers to other pictures than the student is shown, which are ${seen} (dataset.augment, seed)`,
      });
    }
    return { stored: stored.answers, views: stored.views, source: path.basename(source.logits), key };
  }
  onEvent({ type: 'stage', stage: 'open teacher', title: 'opening the teacher' });
  const session = sessionOptionsOf(recipe);
  const opened = await underKey(['teacher'], () =>
    openTeacher(source, {
      engine,
      session,
      dataset: asTeacherSees(data.validation),
      name: (file) => path.basename(file),
      toInt8: toInt8(progressOf(context, 'open teacher')),
    }),
  );
  return orClose(
    async () => {
      const isInt8 = [source, ...(source.ensemble ?? [])].some(({ precision }) => precision === 'int8');
      processes.requireSame('teacher', () => opened.teacher.key, isInt8 ? OTHER_INT8 : undefined);
      for (const { teacher, inInt8 } of [opened, ...(opened.members ?? [])])
        if (inInt8 !== undefined) onEvent({ type: 'message', message: `teacher ${teacher.name} in 8 bits: ${inInt8}` });
      if (context.signal?.aborted === true) throw new InterruptedError('stopped opening the teacher');
      onEvent({ type: 'stage', stage: 'check teacher' });
      for (const [i, member] of (opened.members ?? []).entries())
        await check(context, member, ['teacher', 'ensemble', i], {
          confirmed: source.ensemble?.[i]?.confirmed ?? source.confirmed,
        });
      await check(context, opened, ['teacher'], source);
      return { teacher: opened.teacher, notes: toldMissing(context, opened.members ?? [opened]) };
    },
    () => opened.teacher.dispose(),
  );
}

/** Tells how missing values reach the teachers; returns the warnings. */
function toldMissing({ data, recipe, onEvent }: Opening, opened: readonly OpenedTeacher[]): readonly string[] {
  const splits = [data.train, data.validation, ...(data.test === undefined ? [] : [data.test])];
  const isChanged = recipe.dataset.augment.length > 0;
  return opened.flatMap(({ teacher }) => {
    const { message, warning } = missingNotes(teacher, splits, isChanged);
    if (message !== undefined) onEvent({ type: 'message', message });
    if (warning !== undefined) onEvent({ type: 'warning', message: warning });
    return warning === undefined ? [] : [warning];
  });
}

async function check(
  context: Opening,
  { teacher, alternatives, declared }: OpenedTeacher,
  keys: readonly (string | number)[],
  { minAccuracy, confirmed }: Pick<PreflightOptions, 'minAccuracy' | 'confirmed'>,
): Promise<void> {
  const { data, recipe, onEvent, processes: turns, isChecked } = context;
  if (isChecked === true) return;
  const onProgress = progressOf(context, 'check teacher');
  const { minConfidence } = recipe.distill;
  const options = { minAccuracy, minConfidence, confirmed, alternatives, declared, turns, onProgress };
  const { accuracy, samples, warnings, changes } = await underKey(keys, () =>
    preflight(teacher, data.validation, options),
  );
  const outcome =
    accuracy === undefined
      ? `answers ${samples} validation samples, and no label says how often it is right`
      : scoreOfTask(data.validation.task).said(accuracy, `${samples} validation samples`);
  const message = `teacher ${teacher.name}: ${outcome}`;
  onEvent({ type: 'message', message });
  const proposed = changes.map((change) => ({ ...change, path: [...keys, ...change.path] }));
  for (const warning of warnings)
    onEvent({ type: 'warning', message: warning, ...(proposed.length > 0 && { changes: proposed }) });
}
