import type { StageContext } from './context.ts';
import type { Stages } from './follow.ts';
import { TEACHER } from '../report/artifact.ts';
import { progressOf } from '../train/progress.ts';
import type { RunStores } from '../folder/states/stores.ts';
import { exportModel } from '../ship/export.ts';
import type { TrainedModel } from '../ship/export.ts';
import { examplesOf } from './stages/measure/examples.ts';
import { timeModels } from './stages/measure/latency.ts';
import { peerNotes } from './stages/student/mutual.ts';
import { measure, measureTeacher } from './stages/measure/measure.ts';
import type { MeasuredModels } from './stages/measure/measure.ts';
import { pruneStudents, sizeOnly } from './stages/prune/prune.ts';
import { pruningSensitivity } from './stages/prune/sensitivity.ts';
import { shipModel } from './stages/ship.ts';
import { repeatKey } from './repeat-key.ts';
import { takeRepeat } from './shards/repeats.ts';
import { labelNotes } from './stages/teacher/labels-from-teacher.ts';
import { prepareStudents, trainRepeat } from './students.ts';
import { trainAtOnce } from './at-once.ts';

/**
 *     recipe ─► data ─► 0 check ─► 1 teach ─► 2 answer ─► 3 scratch ─► 4 distill ─► 5 prune
 *                                     │           │            │            │           │
 *                                     └───────────┴── saved in the run's folder ────────┤
 *                                                                                       ▼
 *                                  report ◄─ 9 time ◄─ 8 measure ◄─ 7 quantize ◄─ 6 export
 */
export async function stages(begin: StageContext, stores: RunStores): ReturnType<Stages> {
  const { recipe } = begin;

  // 0 to 2. Check everything that would fail late; train or open the teacher and collect its answers.
  const prepared = await prepareStudents(begin, stores);
  const { context, teaching, lessons, begun, race } = prepared;

  // 3 and 4. Train students with labels alone and with their teacher; trainings by shards are taken over.
  const students: TrainedModel[] = [];
  const repeats = Array.from({ length: recipe.student === undefined ? 0 : recipe.repeats }, (_, repeat) => repeat);
  for (const repeat of recipe.repeats > 1 ? repeats : []) {
    if (await takeRepeat(stores.folder, repeat, await repeatKey(context, teaching)))
      context.onEvent({ type: 'message', message: `repeat ${repeat + 1} was trained by a shard` });
  }
  // Trainings in other processes end in saved states, which the loop below loads.
  await trainAtOnce(prepared, repeats, stores);
  for (const repeat of repeats) students.push(...(await trainRepeat(prepared, repeat, stores)));

  // 5. Remove channels or weights; each step gives a student of its own.
  const sensitivity = await pruningSensitivity(context, students);
  const { pruned, channels, notes } = await pruneStudents(context, students, lessons);

  // 6. Export models; each file is compared with its training graph before it is trusted.
  const files = [];
  if (teaching?.trained !== undefined) {
    files.push(await exportModel(context, { model: TEACHER, trained: teaching.trained }, stores.write));
  }
  for (const student of [...students, ...pruned]) files.push(await exportModel(context, student, stores.write));

  // 7. Write the last student in the other formats and with fewer bits.
  const last = files.filter(({ model }) => model.role !== 'teacher' && model.repeat === 0).at(-1);
  const shipped = last && (await shipModel(context, last, lessons, stores.write));
  files.push(...(shipped?.files ?? []));

  // 8. Score on the test split, for the first and only time.
  const measured: MeasuredModels[] = [];
  const tell = progressOf(context, 'measure');
  for (const file of files) {
    measured.push(await measure(context, file));
    tell('file', measured.length, files.length);
  }
  const opened = teaching?.trained === undefined && teaching?.teacher !== undefined;
  if (opened) measured.unshift(await measureTeacher(context, teaching.teacher));

  // 9. Measure latencies side by side. Of several processes only the first measures, and writes the report.
  if (context.together !== undefined && context.together.rank > 0) return { data: context.data };
  const timed = await timeModels(context, measured);
  const changed = students.flatMap(({ trained }) => trained.notes ?? []);
  const allNotes = [
    ...begun,
    ...labelNotes(context),
    ...changed,
    ...peerNotes(context, students),
    ...notes,
    ...(shipped?.notes ?? []),
  ];
  return {
    data: context.data,
    measured,
    answers: lessons?.summary,
    race,
    examples: await examplesOf(context, measured),
    timed,
    pruningSensitivity: sensitivity,
    channels,
    quantizationSensitivity: shipped?.sensitivity,
    notes: [...allNotes, ...sizeOnly(students, pruned, timed.rows)],
  };
}
