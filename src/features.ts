/**
 * What can be taken out, one row for each: the only file that names all features. `npm run test:without -- NAME` takes a row and its folder out. Modules
 * of cells are loaded when a recipe or a file asks for the feature.
 */
import { launchers } from './base/launchers.ts';
import { boxesAnswers } from './answers/boxes/index.ts';
import { boxFigures } from './answers/boxes/report.ts';
import { classesAnswers } from './answers/classes/index.ts';
import { labelsAnswers } from './answers/labels/index.ts';
import { labelFigures } from './answers/labels/report.ts';
import { maskAnswers } from './answers/mask/index.ts';
import { maskFigures } from './answers/mask/report.ts';
import { completeRow, completionCells, completions, nextTokenAnswers } from './answers/next-token/index.ts';
import { nextTokenFigures } from './answers/next-token/report.ts';
import { numbersAnswers } from './answers/numbers/index.ts';
import { errorFigures } from './answers/numbers/report.ts';
import { pointsAnswers } from './answers/points/index.ts';
import { pointFigures } from './answers/points/report.ts';
import { tagsAnswers } from './answers/tags/index.ts';
import { entityFigures } from './answers/tags/report.ts';
import { vectorAnswers } from './answers/vector/index.ts';
import { vectorFigures } from './answers/vector/report.ts';
import type { DatasetConfig } from './data/config.ts';
import type { DataGuess, SampleStart } from './data/readers/guess.ts';
import { dataFormats } from './data/readers/registry.ts';
import type { SplitReader } from './data/readers/registry.ts';
import { formatsAsOnnx } from './files/as-onnx.ts';
import type { FormatAsOnnx, ReadAsOnnx } from './files/as-onnx.ts';
import type { ReadTokenVectors } from './files/token-vectors.ts';
import { keras } from './files/formats/keras/index.ts';
import { model2vec } from './files/formats/model2vec/index.ts';
import { kubernetes } from './places/kubernetes/index.ts';
import { mpi } from './places/mpi/index.ts';
import { slurm } from './places/slurm/index.ts';
import { tensorflow } from './places/tensorflow/index.ts';
import { torchrun } from './places/torchrun/index.ts';
import { savedModelTeachers } from './teachers/saved-model/index.ts';
import { tfjsTeachers } from './teachers/tfjs/index.ts';
import { tfliteTeachers } from './teachers/tflite/index.ts';
import type { EvaluationText } from './commands/terminal/evaluation.ts';
import type { VectorTools } from './commands/vectors.ts';
import type { TargetReaders } from './data/targets/registry.ts';
import type { SureAnswers } from './distill/answers/sure-answers.ts';
import type { GridAnswers } from './distill/teachers/file-teacher.ts';
import { teacherFormats } from './distill/teachers/format-registry.ts';
import type { TeacherFormat } from './distill/teachers/format-registry.ts';
import type { TeacherSlots } from './distill/teachers/formats.ts';
import type { DecodedTeacher, TeacherByShapes } from './distill/teachers/teacher-of-file.ts';
import { answerForms } from './recipe/answer-forms.ts';
import { answerFigures } from './report/answer-figures.ts';
import type { DrawnSection } from './report/answer-figures.ts';
import type { FigureSchemas } from './report/schema/model.ts';
import type { DataTypeName } from './recipe/data-types.ts';
import { methods } from './run/method-registry.ts';
import type { MethodSlots } from './run/methods.ts';
import type { Connect } from './run/processes/connections.ts';
import { engines } from './runtime/engine-registry.ts';
import type { EngineRoom } from './runtime/engine-registry.ts';
import type { EngineSlots } from './runtime/engines.ts';
import type { Ending } from './ship/answer-ending.ts';
import type { MediaPipeMetadata } from './ship/description.ts';
import { kitLists } from './ship/kit/lists.ts';
import type { FormTasks } from './consumers/mediapipe/folder.ts';
import type { PipelineForm } from './consumers/transformers/config.ts';
import type { ShownAnswers } from './run/stages/measure/examples.ts';
import { moreCommands } from './commands/commands.ts';
import { consumers } from './commands/consumers.ts';
import type { ConsumerFolders } from './commands/options/consumers.ts';
import { watchers } from './commands/options/watchers.ts';
import type { Watcher } from './commands/options/watchers.ts';
import { convertRow } from './commands/convert-row.ts';
import { serveRow } from './commands/serve-row.ts';
import type { DriftWatchOf } from './observers/drift/watch.ts';
import { serverPages } from './serve/http/page.ts';
import type { PageAsset } from './serve/http/page.ts';
import { serverObservers } from './serve/observer-registry.ts';
import type { Observe, ObserverFlags } from './serve/observers.ts';
import type { DescribeObserver } from './serve/server-metrics.ts';
import type { SaidForm } from './serve/v1/forms.ts';
import type { Tasks } from './tasks/registry.ts';
import type { DrawnTargets } from './tools/preview.ts';
import { streams, STREAMS } from './base/streams.ts';
import type { StreamCells } from './ship/convert/streams.ts';
import './streams/index.ts';

// Types of figures that forms of answers declare, for users of the library.
export type {} from './answers/boxes/described.ts';
export type {} from './answers/labels/described.ts';
export type {} from './answers/mask/described.ts';
export type {} from './answers/next-token/described.ts';
export type {} from './answers/numbers/described.ts';
export type {} from './answers/points/described.ts';
export type {} from './answers/tags/described.ts';
export type {} from './answers/vector/described.ts';

/** Module of a cell, which exports the value of the slot under the slot's name. */
type Cell<Name extends string, T> = () => Promise<Readonly<Record<Name, T>>>;

/** Cells of slots, by the names and types of the slots' values; a feature may leave slots out. */
type Cells<Slots> = { readonly [Name in keyof Slots & string]?: Cell<Name, Slots[Name]> };

/** Slots of forms of answers. */
interface AnswerCells {
  readonly labels: Cell<'labels', TargetReaders>;
  readonly tasks: Cell<'tasks', Tasks>;
  /** Files with other answers than logits. */
  readonly ending?: Cell<'ending', Ending>;
  readonly mediapipe?: Cell<'mediapipe', FormTasks>;
  readonly tfliteMetadata?: Cell<'tfliteMetadata', MediaPipeMetadata>;
  readonly transformers?: Cell<'transformers', PipelineForm>;
  readonly decodedTeacher?: Cell<'decodedTeacher', DecodedTeacher>;
  readonly teacherByShapes?: Cell<'teacherByShapes', TeacherByShapes>;
  readonly gridAnswers?: Cell<'gridAnswers', GridAnswers>;
  readonly sureAnswers?: Cell<'sureAnswers', SureAnswers>;
  readonly shownAnswers?: Cell<'shownAnswers', ShownAnswers>;
  readonly drawnTargets?: Cell<'drawnTargets', DrawnTargets>;
  readonly vectorTools?: Cell<'vectorTools', VectorTools>;
  readonly evaluationText: Cell<'evaluationText', EvaluationText>;
  readonly said: Cell<'said', SaidForm>;
  readonly drawnSection?: Cell<'drawnSection', DrawnSection>;
  readonly figureSchemas?: Cell<'figureSchemas', FigureSchemas>;
  readonly drift?: Cell<'drift', DriftWatchOf>;
}

function answers(row: Parameters<typeof answerForms.add>[0], cells: AnswerCells): void {
  answerForms.add(row, { ...cells });
}

answers(classesAnswers, {
  labels: () => import('./answers/classes/labels.ts'),
  tasks: () => import('./answers/classes/task.ts'),
  evaluationText: () => import('./answers/classes/evaluation.ts'),
  said: () => import('./answers/classes/said.ts'),
  drift: () => import('./answers/classes/drift.ts'),
  ending: () => import('./answers/classes/ending.ts'),
  mediapipe: () => import('./answers/classes/mediapipe.ts'),
  transformers: () => import('./answers/classes/transformers.ts'),
});
answers(numbersAnswers, {
  labels: () => import('./answers/numbers/labels.ts'),
  figureSchemas: () => import('./answers/numbers/described.ts'),
  drawnSection: () => import('./answers/numbers/drawn-section.ts'),
  tasks: () => import('./answers/numbers/task.ts'),
  evaluationText: () => import('./answers/numbers/evaluation.ts'),
  said: () => import('./answers/numbers/said.ts'),
});
answers(labelsAnswers, {
  labels: () => import('./answers/labels/labels.ts'),
  figureSchemas: () => import('./answers/labels/described.ts'),
  drawnSection: () => import('./answers/labels/drawn-section.ts'),
  tasks: () => import('./answers/labels/task.ts'),
  evaluationText: () => import('./answers/labels/evaluation.ts'),
  said: () => import('./answers/labels/said.ts'),
  ending: () => import('./answers/labels/ending.ts'),
  mediapipe: () => import('./answers/labels/mediapipe.ts'),
  transformers: () => import('./answers/labels/transformers.ts'),
});
answers(tagsAnswers, {
  labels: () => import('./answers/tags/labels.ts'),
  figureSchemas: () => import('./answers/tags/described.ts'),
  tasks: () => import('./answers/tags/task.ts'),
  shownAnswers: () => import('./answers/tags/example.ts'),
  evaluationText: () => import('./answers/tags/evaluation.ts'),
  said: () => import('./answers/tags/said.ts'),
  transformers: () => import('./answers/tags/transformers.ts'),
});
answers(maskAnswers, {
  labels: () => import('./answers/mask/labels.ts'),
  figureSchemas: () => import('./answers/mask/described.ts'),
  tasks: () => import('./answers/mask/task.ts'),
  gridAnswers: () => import('./answers/mask/grid.ts'),
  shownAnswers: () => import('./answers/mask/example.ts'),
  evaluationText: () => import('./answers/mask/evaluation.ts'),
  said: () => import('./answers/mask/said.ts'),
  ending: () => import('./answers/mask/ending.ts'),
  mediapipe: () => import('./answers/mask/mediapipe.ts'),
  tfliteMetadata: () => import('./answers/mask/tflite-metadata.ts'),
  transformers: () => import('./answers/mask/transformers.ts'),
});
answers(boxesAnswers, {
  labels: () => import('./answers/boxes/labels.ts'),
  figureSchemas: () => import('./answers/boxes/described.ts'),
  tasks: () => import('./answers/boxes/task.ts'),
  decodedTeacher: () => import('./answers/boxes/teacher.ts'),
  sureAnswers: () => import('./answers/boxes/sure.ts'),
  shownAnswers: () => import('./answers/boxes/example.ts'),
  evaluationText: () => import('./answers/boxes/evaluation.ts'),
  said: () => import('./answers/boxes/said.ts'),
  ending: () => import('./answers/boxes/ending.ts'),
  mediapipe: () => import('./answers/boxes/mediapipe.ts'),
  tfliteMetadata: () => import('./answers/boxes/tflite-metadata.ts'),
  transformers: () => import('./answers/boxes/transformers.ts'),
});
answers(pointsAnswers, {
  labels: () => import('./answers/points/labels.ts'),
  figureSchemas: () => import('./answers/points/described.ts'),
  tasks: () => import('./answers/points/task.ts'),
  teacherByShapes: () => import('./answers/points/teacher.ts'),
  shownAnswers: () => import('./answers/points/example.ts'),
  drawnTargets: () => import('./answers/points/example.ts'),
  evaluationText: () => import('./answers/points/evaluation.ts'),
  said: () => import('./answers/points/said.ts'),
  ending: () => import('./answers/points/ending.ts'),
});
answers(nextTokenAnswers, {
  labels: () => import('./answers/next-token/labels.ts'),
  figureSchemas: () => import('./answers/next-token/described.ts'),
  tasks: () => import('./answers/next-token/task.ts'),
  evaluationText: () => import('./answers/next-token/evaluation.ts'),
  said: () => import('./answers/next-token/said.ts'),
  transformers: () => import('./answers/next-token/transformers.ts'),
});
answers(vectorAnswers, {
  labels: () => import('./answers/vector/labels.ts'),
  figureSchemas: () => import('./answers/vector/described.ts'),
  tasks: () => import('./answers/vector/tasks.ts'),
  vectorTools: () => import('./answers/vector/tools/index.ts'),
  evaluationText: () => import('./answers/vector/evaluation.ts'),
  said: () => import('./answers/vector/said.ts'),
  mediapipe: () => import('./answers/vector/mediapipe.ts'),
  transformers: () => import('./answers/vector/transformers.ts'),
});

// In the order of their sections.
answerFigures.add(errorFigures);
answerFigures.add(labelFigures);
answerFigures.add(entityFigures);
answerFigures.add(maskFigures);
answerFigures.add(boxFigures);
answerFigures.add(pointFigures);
answerFigures.add(nextTokenFigures);
answerFigures.add(vectorFigures);

/** Slots of a type of data. */
interface DataCells<Type extends DataTypeName> {
  readonly reader: Cell<'reader', SplitReader<Extract<DatasetConfig, { type: Type }>>>;
  /** Layouts and first samples that `limbeck init` looks at. */
  readonly guess?: Cell<'guess', DataGuess>;
  readonly start?: Cell<'start', SampleStart>;
}

function data<Type extends DataTypeName>(name: Type, cells: DataCells<Type>): void {
  dataFormats.add({ name }, { ...cells });
}

data('idx', { reader: () => import('./data/formats/idx/idx.ts') });
data('csv', { reader: () => import('./data/readers/csv.ts') });
data('cifar10', { reader: () => import('./data/formats/cifar/cifar.ts') });
data('cifar100', { reader: () => import('./data/formats/cifar/cifar.ts') });
data('image-folder', { reader: () => import('./data/readers/image-folder.ts') });
data('mask-folder', { reader: () => import('./data/readers/mask-folder.ts') });
// Before types with boxes: files of points in their formats have boxes too.
data('points', {
  reader: () => import('./answers/points/reader.ts'),
  guess: () => import('./answers/points/guess.ts'),
  start: () => import('./answers/points/guess.ts'),
});
data('yolo', {
  reader: () => import('./data/formats/yolo/yolo.ts'),
  guess: () => import('./data/formats/yolo/guess.ts'),
  start: () => import('./data/formats/yolo/yolo.ts'),
});
data('texts', { reader: () => import('./answers/next-token/reader.ts') });
data('voc', {
  reader: () => import('./data/formats/voc/voc.ts'),
  guess: () => import('./data/formats/voc/guess.ts'),
  start: () => import('./data/formats/voc/voc.ts'),
});
data('coco', {
  reader: () => import('./data/formats/coco/reader.ts'),
  guess: () => import('./data/formats/coco/guess.ts'),
});
data('audio-folder', { reader: () => import('./data/readers/audio-folder.ts') });
data('micro-features', { reader: () => import('./data/formats/micro-features/micro-features.ts') });
data('text-folder', { reader: () => import('./data/formats/text-folder/text-folder.ts') });
data('npz', { reader: () => import('./data/formats/npz/npz.ts') });
data('parquet', {
  reader: () => import('./data/formats/parquet/parquet.ts'),
  start: () => import('./data/formats/parquet/parquet.ts'),
});
data('webdataset', {
  reader: () => import('./data/formats/webdataset/webdataset.ts'),
  start: () => import('./data/formats/webdataset/webdataset.ts'),
});
data('jsonl', {
  reader: () => import('./data/formats/jsonl/jsonl.ts'),
  start: () => import('./data/formats/jsonl/start.ts'),
});
data('conll', { reader: () => import('./data/formats/conll/conll.ts') });

/** Readers of a format of model files that are read as ONNX models. */
function asOnnx(row: FormatAsOnnx, cells: Cells<{ readModel: ReadAsOnnx; readVectors: ReadTokenVectors }>): void {
  formatsAsOnnx.add(row, { ...cells });
}

asOnnx(keras, { readModel: () => import('./files/formats/keras/keras-file.ts') });
asOnnx(model2vec, {
  readModel: () => import('./files/formats/model2vec/model2vec-file.ts'),
  readVectors: () => import('./files/formats/model2vec/model2vec-file.ts'),
});

function launcher(row: Parameters<typeof launchers.add>[0], cells: Cells<{ connect: Connect }> = {}): void {
  launchers.add(row, { ...cells });
}

launcher(kubernetes);
launcher(slurm);
launcher(mpi, { connect: () => import('./places/mpi/mpi.ts') });
launcher(torchrun);

function engine(row: EngineRoom, cells: Cells<EngineSlots>): void {
  engines.add(row, { ...cells });
}

engine(tensorflow, { engine: () => import('./places/tensorflow/engine.ts') });

function teacher(row: TeacherFormat, cells: Cells<TeacherSlots>): void {
  teacherFormats.add(row, { ...cells });
}

teacher(tfjsTeachers, {
  teacherFile: () => import('./teachers/tfjs/teacher.ts'),
  macsOfFile: () => import('./teachers/tfjs/teacher.ts'),
});
teacher(savedModelTeachers, {
  teacherFile: () => import('./teachers/saved-model/teacher.ts'),
  prepare: () => import('./teachers/saved-model/teacher.ts'),
});
teacher(tfliteTeachers, { teacherFile: () => import('./teachers/tflite/teacher.ts') });

function consumer(name: string, cells: Cells<ConsumerFolders>, kind: string): void {
  consumers.add({ name, kind }, { ...cells });
}

consumer('triton', { serverFolder: () => import('./consumers/triton/index.ts') }, 'servers');
consumer('kserve', { serverFolder: () => import('./consumers/kserve/index.ts') }, 'servers');
consumer('transformers', { appFolder: () => import('./consumers/transformers/index.ts') }, 'transformers.js');
consumer('mediapipe', { appFolder: () => import('./consumers/mediapipe/index.ts') }, 'MediaPipe');
consumer('esphome', { appFolder: () => import('./consumers/esphome/index.ts') }, 'ESPHome');

function method(name: string, cells: Cells<MethodSlots>): void {
  methods.add({ name }, { ...cells });
}

method('assistants', { assistants: () => import('./methods/assistants/assistants.ts') });
method('generations', { generations: () => import('./methods/generations/generations.ts') });
method('leave-out', { leaveOut: () => import('./methods/leave-out/leave-out.ts') });
method('mutual', { mutualLearning: () => import('./methods/mutual/mutual.ts') });
method('race', {
  race: () => import('./methods/race/race.ts'),
  raceShard: () => import('./methods/race/shard.ts'),
});

kitLists.add({ name: 'kits' }, { kitList: () => import('./kits.ts') });
moreCommands.add(serveRow);
moreCommands.add(convertRow);
moreCommands.add(completeRow);
function runWatcher(name: string, cells: { readonly watcher?: Cell<'watcher', Watcher> }): void {
  watchers.add({ name }, { ...cells });
}

runWatcher('tensorboard', { watcher: () => import('./observers/tensorboard/watcher.ts') });
runWatcher('prometheus', { watcher: () => import('./observers/prometheus/watcher.ts') });
runWatcher('run-page', { watcher: () => import('./observers/run-page/watcher.ts') });

/** Slots of observers of a server. */
interface ObserverCells {
  readonly flags?: Cell<'flags', ObserverFlags>;
  readonly observeServer: Cell<'observeServer', Observe<never>>;
  readonly metrics?: Cell<'metrics', DescribeObserver>;
}

function serverObserver(row: { readonly name: string; readonly isAlways?: boolean }, cells: ObserverCells): void {
  serverObservers.add(row, { ...cells });
}

serverObserver(
  { name: 'drift', isAlways: true },
  {
    observeServer: () => import('./observers/drift/observe.ts'),
    metrics: () => import('./observers/drift/metrics.ts'),
  },
);
serverObserver(
  { name: 'shadow' },
  {
    flags: () => import('./observers/shadow/flags.ts'),
    observeServer: () => import('./observers/shadow/observe.ts'),
    metrics: () => import('./observers/shadow/metrics.ts'),
  },
);
serverObserver(completions, completionCells);
type PageCells = Partial<Record<'pageAsset', Cell<'pageAsset', PageAsset>>>;
serverPages.add({ name: 'page' }, { pageAsset: () => import('./page/assets.ts') } satisfies PageCells);

const ofStreams = { streamCheck: () => import('./streams/check.ts'), streamFiles: () => import('./streams/files.ts') };
streams.fill({ name: STREAMS }, ofStreams satisfies StreamCells);
